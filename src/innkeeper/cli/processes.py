"""``innkeeper processes``: the running game servers, and those that ended.

The house calls them servers. Here they bear the name that the API has for them, as all that this command prints can be
looked up there.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from . import completing
from .failures import Code, Failure
from .several import each, until_none
from .talk import Talk, app_option, region_of, region_option, talks
from .telling import columns, document, facts, many

if TYPE_CHECKING:
    from innkeeper.contract.hathora.processes_v3 import ProcessStatus, ProcessV3
    from innkeeper.contract.hathora.words import ExposedPort

STATUSES = ("starting", "running", "draining", "stopping", "stopped", "failed")
#: Those whose program runs, or is about to.
ALIVE = ("starting", "running", "draining")
#: Those that may still print something.
GOING = (*ALIVE, "stopping")
_LOOKS = 10  # at what lives, before those are left that start again and again


@click.group()
def processes() -> None:
    """The running game servers, and those that ended."""


def each_process(talk: Talk, app_id: str, statuses: Sequence[str] = ()) -> Iterator[ProcessV3]:
    """All servers of an app in these states, the newest first, asked for page by page."""
    from innkeeper.contract.hathora.processes_v3 import ProcessStatus

    wanted: list[ProcessStatus] | None = [ProcessStatus(status) for status in statuses] or None
    for page in talk.client.processes_v3.get_latest_processes.pages(app_id, status=wanted):
        yield from page


@processes.command("list")
@app_option
@click.option("--status", type=click.Choice(STATUSES), multiple=True, help="Those in this state; again for more.")
@click.option("--all", "everything", is_flag=True, help="Those that ended too; they are kept for three days.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many at most.")
@talks
def list_processes(talk: Talk, app: str | None, status: Sequence[str], everything: bool, limit: int) -> None:
    """List the servers that run, the newest first."""
    statuses = status or (() if everything else GOING)
    found = list(itertools.islice(each_process(talk, talk.app_id(app), statuses), limit))
    if talk.as_json:
        document(found)
        return
    columns(
        ("id", "status", "region", "address", "rooms", "created", "how it ended"),
        (
            [
                one.process_id, one.status, one.region, address_of(one.exposed_port),
                f"{one.rooms_allocated}/{one.rooms_per_process}", one.created_at, one.summary_exit_reason,
            ]
            for one in found
        ),
        "No server runs." if statuses else "There has been no server yet.",
    )  # fmt: skip


def address_of(port: ExposedPort | None) -> str | None:
    """Where to dial, as people write it."""
    return f"{port.host}:{port.port}/{port.transport_type}" if port else None


@processes.command()
@click.argument("process_id", metavar="PROCESS", shell_complete=completing.processes)
@app_option
@talks
def info(talk: Talk, process_id: str, app: str | None) -> None:
    """Tell how a server stands, or how it ended."""
    _tell(talk, talk.client.processes_v3.get_process(process_id, talk.app_id(app)))


@processes.command()
@app_option
@region_option
@talks
def start(talk: Talk, app: str | None, region: str | None) -> None:
    """Start a server without a room, so that a room to come finds it running."""
    _tell(talk, talk.client.processes_v3.create_process(region_of(talk, region), talk.app_id(app)))


@processes.command()
@click.argument("process_ids", metavar="[PROCESS...]", nargs=-1, shell_complete=completing.processes)
@app_option
@click.option("--all", "everything", is_flag=True, help="All servers of the app; of all apps where none is named.")
@talks
def stop(talk: Talk, process_ids: Sequence[str], app: str | None, everything: bool) -> None:
    """End servers now, with their rooms.

    With --all those too that start meanwhile, but for those that an app always keeps: others take their place.
    """
    if everything == bool(process_ids):
        raise Failure("name the servers to end, or say --all", Code.USAGE)
    app_of: dict[str, str] = {}
    doomed: Iterable[str]
    if everything:
        app_ids = [talk.app_id(app)] if app else [one.app_id for one in talk.apps()]
        doomed = _all_of(talk, app_ids, app_of)
    else:
        doomed = app_of = dict.fromkeys(process_ids, talk.app_id(app))
    stop_one = talk.client.processes_v3.stop_process
    ended = each(talk, doomed, lambda one: stop_one(one, app_of[one]), word="stopped", told="Told {} to end")
    if everything and not talk.as_json:
        click.echo(f"{many(ended, 'server')} told to end." if ended else "No server runs.")


def _all_of(talk: Talk, app_ids: Sequence[str], app_of: dict[str, str]) -> Iterator[str]:
    """The servers that live in these apps, until there is none that was not told; ``app_of`` learns whose each is."""
    keeps: dict[str, bool] = {}

    def look() -> Iterator[str]:
        for app_id in app_ids:
            is_first = app_id not in keeps
            if is_first:
                keeps[app_id] = _keeps_servers(talk, app_id)
            if is_first or not keeps[app_id]:
                for one in each_process(talk, app_id, ALIVE):
                    app_of[one.process_id] = app_id
                    yield one.process_id

    def left(number: int) -> Failure:
        return Failure(f"{many(number, 'server')} started meanwhile, again and again: say it again to end them too")

    return until_none(look, _LOOKS, left)


def _keeps_servers(talk: Talk, app_id: str) -> bool:
    """Whether servers start in an app of themselves. A token that may end servers need not be one that may see that."""
    from innkeeper.contract.errors import StatusError

    try:
        service = talk.client.apps_v2.get_app(app_id).service_config
    except StatusError:
        return False
    return service is not None


def _tell(talk: Talk, one: ProcessV3) -> None:
    if talk.as_json:
        document(one)
        return
    facts(
        [
            ("id", one.process_id),
            ("status", one.status),
            ("how it ended", one.summary_exit_reason),
            ("region", one.region),
            ("address", address_of(one.exposed_port)),
            *((f"port {port.name}", address_of(port)) for port in one.additional_exposed_ports),
            ("rooms", f"{one.rooms_allocated} of {one.rooms_per_process}"),
            ("deployment", one.deployment_id),
            ("asked for", one.created_at),
            ("given a host", one.scheduled_at),
            ("program started", one.booted_at),
            ("ready", one.started_at),
            ("told to end", one.stopping_at),
            ("ended", one.terminated_at),
        ]
    )
