"""``innkeeper logs``: what a game server printed, live and afterwards."""

from __future__ import annotations

import re

import click

from . import completing
from .failures import Code, Failure
from .patience import Patience, followed
from .processes import GOING
from .talk import Talk, app_option, talks
from .telling import line

_PROCESS_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@click.command()
@click.argument("which", metavar="PROCESS|ROOM", shell_complete=completing.rooms_and_processes)
@app_option
@click.option(
    "-f",
    "--follow",
    is_flag=True,
    envvar="HATHORA_FOLLOW",
    help="Go on until the server ends, over a restart of Innkeeper too.",
)
@click.option(
    "--tail", "--tail-lines", "tail", type=click.IntRange(1, 5000), envvar="HATHORA_TAIL_LINES", metavar="N",
    help="How many of the last lines; 100 unless told.",
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="All that is kept.")
@talks
def logs(talk: Talk, which: str, app: str | None, follow: bool, tail: int | None, everything: bool) -> None:
    """Read what a server printed, or the server that a room is or was on. Kept for three days after its end."""
    if everything and (follow or tail):
        raise Failure("--all goes with neither --follow nor --tail", Code.USAGE)
    app_id = talk.app_id(app)
    process_id = _process(talk, app_id, which)
    logs_v1 = talk.client.logs_v1
    tell = _tell_json if talk.as_json else click.echo
    if follow:
        follow_from = logs_v1.get_logs_for_process.options(timeout=None)
        lines = followed(
            lambda tail: follow_from(process_id, app_id, follow=True, tail_lines=tail),
            lambda: talk.client.processes_v3.get_process(process_id, app_id).status not in GOING,
            tail,
            Patience(talk.url),
        )
        for text in lines:
            tell(text)
        return
    if everything:
        stream = logs_v1.download_log_for_process.options(timeout=None)(process_id, app_id)
    else:
        stream = logs_v1.get_logs_for_process.options(timeout=None)(process_id, app_id, tail_lines=tail)
    with stream:
        for text in stream.lines():
            tell(text)


def _tell_json(text: str) -> None:
    line({"line": text})


def _process(talk: Talk, app_id: str, which: str) -> str:
    """The server that is meant: by its own id, or by that of a room."""
    from innkeeper.sdk import NotFound

    if _PROCESS_ID.fullmatch(which):
        try:
            return talk.client.processes_v3.get_process(which, app_id).process_id
        except NotFound:
            pass  # a room's id may look the same
    try:
        room = talk.client.rooms_v2.get_room_info(which, app_id)
    except NotFound:
        raise Failure(f"there is no process and no room {which}", Code.NOT_FOUND) from None
    stays = [room.current_allocation] if room.current_allocation else room.allocations
    if not stays:
        raise Failure(f"room {which} has not had a server yet", Code.NOT_FOUND)
    return stays[0].process_id
