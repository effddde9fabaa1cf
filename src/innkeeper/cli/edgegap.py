"""``innkeeper edgegap``: apps and deployments as the Edgegap API has them, for who runs a house or moves to one.

Words and ids are that API's: a deployment is one running server, and ``REQUEST_ID`` is what it is called by.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click
import msgspec

from . import completing
from .edgegap_asking import deploy_params, question
from .edgegap_telling import first_link, sockets, state_of, tell
from .failures import Code, Failure
from .patience import Patience
from .several import each
from .talk import Talk, talks
from .telling import aside, columns, document

if TYPE_CHECKING:
    from innkeeper.contract.edgegap.deployments import DeploymentListData, Status

_PAGE = 100  # items asked for at once

app_name = click.argument("app", metavar="APP", shell_complete=completing.edgegap_apps)
one_deployment = click.argument("request_id", metavar="REQUEST_ID", shell_complete=completing.requests)
limit_option = click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="How many at most."
)  # fmt: skip
timeout_option = click.option(
    "--timeout", type=click.FloatRange(min=0), default=120, show_default=True, help="Seconds to wait at most."
)  # fmt: skip


@click.group()
def edgegap() -> None:
    """Apps and deployments as the Edgegap API has them."""


@edgegap.command()
@app_name
@click.option(
    "--version",
    metavar="VERSION",
    shell_complete=completing.versions,
    help="The app's version; the one that was created last unless told.",
)
@click.option("--ip", "ips", multiple=True, metavar="ADDRESS", help="A player's address; again for more.")
@click.option("--near", metavar="LAT,LON", help="A point to be near to, in place of players: 48.86,2.35.")
@click.option(
    "--in",
    "wheres",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Only there: city=Paris, country, continent, region, administrative_division; again for more.",
)
@click.option(
    "--env", "envs", multiple=True, metavar="NAME=VALUE", help="An environment variable for the server; again for more."
)
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="A word to find it by; again for more.")
@click.option("--webhook", metavar="URL", help="Told once players can connect, or never will.")
@click.option("--wait", is_flag=True, help="Wait until players can connect.")
@timeout_option
@talks
def deploy(talk: Talk, /, app: str, wait: bool, timeout: float, **said: Any) -> None:
    """Start a server of an app version near its players."""
    params = deploy_params(app, **said)
    if not wait:
        request_id = talk.edgegap.deploy(params)
        document({"request_id": request_id}) if talk.as_json else click.echo(request_id)
        return
    began = time.monotonic()
    request_id = talk.edgegap.deploy(params)
    if not talk.as_json:
        aside(f"deployment {request_id}")
    tell(talk, _ready(talk, request_id, timeout))
    if not talk.as_json:
        aside(f"ready after {time.monotonic() - began:.2f} s")


@edgegap.command()
@one_deployment
@click.option("--wait", is_flag=True, help="Wait until players can connect.")
@timeout_option
@talks
def status(talk: Talk, request_id: str, wait: bool, timeout: float) -> None:
    """Tell how a deployment stands, and where players connect."""
    tell(
        talk, _ready(talk, request_id, timeout) if wait else talk.edgegap.deployments.get_deployment_status(request_id)
    )


def _ready(talk: Talk, request_id: str, timeout: float) -> Status:
    """The deployment once players can connect; its states on the way are told. It goes on over a restart."""
    from innkeeper.sdk import DeploymentFailed, WaitTimedOut

    end, seen = time.monotonic() + timeout, ""

    def progress(now: Status) -> None:
        nonlocal seen
        if (state := state_of(now.current_status)) != seen and not talk.as_json:
            aside(state)
        seen = state

    def wait() -> Status:
        left = max(0.0, end - time.monotonic())
        try:
            return talk.edgegap.wait_until_ready(request_id, timeout=left, progress=progress)
        except WaitTimedOut as error:  # which is no silence to be borne
            more = talk.again("edgegap", "status", request_id, "--wait")
            text = f"deployment {request_id} is not ready after {timeout:g} s" + (f": it is {seen}" if seen else "")
            raise Failure(f"{text}. To go on waiting: {more}", request_id=request_id) from error

    try:
        return Patience(talk.url, timeout).ask(wait)
    except DeploymentFailed as error:
        more = talk.again("edgegap", "logs", request_id)
        raise Failure(f"{error}. What it printed: {more}", request_id=request_id) from None


@edgegap.command("list")
@click.option("--app", metavar="APP", shell_complete=completing.edgegap_apps, help="Those of this app.")
@click.option("--version", metavar="VERSION", shell_complete=completing.versions, help="Those of this version.")
@click.option("--status", metavar="STATUS", help="Those in this state, such as ready.")
@limit_option
@talks
def list_deployments(talk: Talk, app: str | None, version: str | None, status: str | None, limit: int) -> None:
    """List the deployments that have not ended, the newest first."""
    query = question(application=app, version=version, status=status and status.lower())
    found = list(itertools.islice(each_deployment(talk, query), limit))
    if talk.as_json:
        document(found)
        return
    columns(
        ("request id", "status", "address", "sockets", "since", "tags"),
        (
            [
                one.request_id, state_of(one.status), first_link(one.ports), sockets(one.sockets_usage, one.sockets),
                one.start_time[:19], ", ".join(one.tags or ()),
            ]
            for one in found
        ),
        "There is no deployment." if query is None else "There is no such deployment.",
    )  # fmt: skip


def each_deployment(talk: Talk, query: str | None) -> Iterator[DeploymentListData]:
    """All deployments that have not ended and that ``query`` asks for, page by page."""
    for page in talk.edgegap.deployments.list_deployments.pages(query=query, limit=_PAGE):
        yield from page.data or ()


@edgegap.command()
@click.argument("request_ids", metavar="REQUEST_ID...", nargs=-1, required=True, shell_complete=completing.requests)
@click.option("--wait", is_flag=True, help="Wait until they have ended.")
@timeout_option
@talks
def stop(talk: Talk, request_ids: Sequence[str], wait: bool, timeout: float) -> None:
    """Stop deployments. One that had ended before is no error."""
    each(
        talk,
        request_ids,
        lambda one: _stop(talk, one, timeout if wait else None),
        word="stopped",
        told="Stopped {}" if wait else "Told {} to end",
    )


def _stop(talk: Talk, request_id: str, timeout: float | None) -> None:
    from innkeeper.sdk import Gone, WaitTimedOut

    if timeout is None:
        with suppress(Gone):
            talk.edgegap.deployments.stop_deployment(request_id)
        return
    try:
        talk.edgegap.stop_and_wait(request_id, timeout=timeout)
    except WaitTimedOut as error:
        raise Failure(str(error), request_id=request_id) from error


@edgegap.command()
@one_deployment
@talks
def logs(talk: Talk, request_id: str) -> None:
    """Read what a deployment printed."""
    found = talk.edgegap.deployments.get_container_logs(request_id)
    if talk.as_json:
        document(found)
        return
    if found.logs:
        click.echo(found.logs, nl=not found.logs.endswith("\n"))
    elif found.logs_link:
        aside(f"It is stored at {found.logs_link}")
    else:
        aside("It has printed nothing yet.")
    crash = found.crash_data
    if isinstance(crash, msgspec.Struct) and isinstance(crash.message, str):
        aside(f"how its program came to its end: {crash.message}")


@edgegap.command()
@talks
def apps(talk: Talk) -> None:
    """List the apps."""
    pages = talk.edgegap.applications.list_applications.pages(limit=_PAGE)
    found = [app for page in pages for app in page.applications]
    if talk.as_json:
        document(found)
        return
    columns(
        ("name", "active", "created", "changed"),
        ([app.name, app.is_active, app.create_time[:19], app.last_updated[:19]] for app in found),
        "There is no app yet.",
    )


@edgegap.command()
@app_name
@talks
def versions(talk: Talk, app: str) -> None:
    """List the versions of an app. Values of variables that are not hidden are told by --json."""
    pages = talk.edgegap.applications.list_app_versions.pages(app, limit=_PAGE)
    found = [one for page in pages for one in page.versions]
    if talk.as_json:
        document(found)
        return
    columns(
        ("name", "active", "image", "cpu", "mib", "ports", "sessions", "changed"),
        (
            [
                one.name, one.is_active, f"{one.docker_repository}/{one.docker_image}:{one.docker_tag}",
                f"{one.req_cpu / 1024:g}", one.req_memory,
                ", ".join(f"{port.name or port.port}:{port.port}/{port.protocol}" for port in one.ports or ()) or None,
                f"{one.session_config.kind} {one.session_config.sockets}" if one.session_config else None,
                one.last_updated[:19] if one.last_updated else None,
            ]
            for one in found
        ),
        f"App {app} has no version yet.",
    )  # fmt: skip


@edgegap.command()
@click.option("--app", metavar="APP", shell_complete=completing.edgegap_apps, help="With space for this app.")
@click.option("--version", metavar="VERSION", shell_complete=completing.versions, help="With --app: and this version.")
@talks
def locations(talk: Talk, app: str | None, version: str | None) -> None:
    """List where deployments can run."""
    if (app is None) != (version is None):
        raise Failure("--app and --version go together: name both, or neither", Code.USAGE)
    pages = talk.edgegap.locations.list_locations.pages(app=app, version=version, tags="true", limit=_PAGE)
    found = [one for page in pages for one in page.locations]
    if talk.as_json:
        document(found)
        return
    columns(
        ("city", "division", "country", "continent", "latitude", "longitude", "type", "tags"),
        (
            [
                one.city or None, one.administrative_division or None, one.country or None, one.continent or None,
                one.latitude, one.longitude, one.type, ", ".join(f"{tag.key}={tag.value}" for tag in one.tags or ()),
            ]
            for one in found
        ),
        "There is no location." if app is None else "No location has space for it.",
    )  # fmt: skip
