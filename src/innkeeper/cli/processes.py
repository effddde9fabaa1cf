"""``innkeeper processes``: the running game servers, and those that ended.

The house calls them servers. Here they bear the name that the API has for them, as all that this command prints can be
looked up there.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from . import completing
from .failures import Code, Failure
from .several import each
from .talk import Talk, app_option, region_of, region_option, talks
from .telling import columns, document, facts

if TYPE_CHECKING:
    from innkeeper.contract.hathora.processes_v3 import ProcessStatus, ProcessV3
    from innkeeper.contract.hathora.words import ExposedPort

STATUSES = ("starting", "running", "draining", "stopping", "stopped", "failed")
#: Those whose program runs, or is about to.
ALIVE = ("starting", "running", "draining")
#: Those that may still print something.
GOING = (*ALIVE, "stopping")


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
    """End servers now, with their rooms."""
    if everything == bool(process_ids):
        raise Failure("name the servers to end, or say --all", Code.USAGE)
    if everything:
        app_ids = [talk.app_id(app)] if app else [one.app_id for one in talk.apps()]
        doomed = {one.process_id: app_id for app_id in app_ids for one in each_process(talk, app_id, ALIVE)}
    else:
        doomed = dict.fromkeys(process_ids, talk.app_id(app))
    stop_one = talk.client.processes_v3.stop_process
    ended = each(talk, doomed, lambda one: stop_one(one, doomed[one]), word="stopped", told="Told {} to end")
    if not ended and not talk.as_json:
        click.echo("No server runs.")


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
