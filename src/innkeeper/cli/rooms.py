"""``innkeeper rooms``: open, watch and end rooms."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from . import completing
from .failures import Failure
from .fitting import fitting
from .opening import server_now
from .patience import SECONDS, Patience
from .processes import ALIVE, address_of, each_process
from .several import each
from .talk import Talk, app_option, region_of, region_option, talks
from .telling import aside, columns, document, facts, line, moment
from .waiting import Waiting, waiting

if TYPE_CHECKING:
    from innkeeper.contract.hathora.rooms_v2 import (
        ConnectionInfoV2,
        Room,
        RoomAllocation,
        RoomConnectionData,
        RoomWithoutAllocations,
    )

_EVERY = 0.2  # seconds between two looks at a room


@click.group()
def rooms() -> None:
    """Open, watch and end rooms."""


@rooms.command()
@app_option
@region_option
@click.option("--room-id", metavar="ID", help="An id of your choice; made up unless told.")
@click.option("--config", metavar="TEXT", help="What the game server is told of the room; up to 10,000 characters.")
@click.option(
    "--deployment",
    metavar="ID",
    shell_complete=completing.deployments,
    help="An older deployment; the newest unless told.",
)
@click.option("--wait", is_flag=True, help="Wait until players can connect.")
@click.option(
    "--timeout", type=click.FloatRange(min=0), default=120, show_default=True, help="Seconds to wait at most."
)
@talks
def create(
    talk: Talk,
    app: str | None,
    region: str | None,
    room_id: str | None,
    config: str | None,
    deployment: str | None,
    wait: bool,
    timeout: float,
) -> None:
    """Open a room on a server with space for it, starting one if there is none."""
    from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams
    from innkeeper.contract.hathora.words import RoomConfig, RoomId
    from innkeeper.contract.shape import UNSET

    fitting(room_id, RoomId, "--room-id: write up to 100 letters, digits, `_` and `-`")
    fitting(config, RoomConfig, "--config: write up to 10,000 characters")
    app_id = talk.app_id(app)
    params = CreateRoomParams(
        region=region_of(talk, region),
        room_config=config if config is not None else UNSET,
        deployment_id=deployment or UNSET,
    )
    began = time.monotonic()
    room = talk.client.rooms_v2.create_room(params, app_id, room_id=room_id)
    if not wait:
        document(room) if talk.as_json else _tell_connection(room)
        return
    patience, waits = _patience(talk, began + timeout), waiting(talk)
    seen: Room | None = None
    for seen in _looks(talk, patience, waits, app_id, room.room_id, began + timeout):
        if seen.status == "active":
            break
        if seen.status == "destroyed":
            raise Failure(f"it has ended before it was open: {_why(talk, patience, app_id, seen)}")
    else:
        more = talk.again("rooms", "watch", room.room_id, app=app)
        doing, known = server_now(talk, app_id, seen)
        text = f"room {room.room_id} is not open after {timeout:g} s" + (f": {doing}" if doing else "")
        raise Failure(f"{text}. To go on looking: {more}", **waits.facts, **known)
    info = _open(talk, patience, app_id, room, seen)
    if talk.as_json:
        document(info)
    else:
        _tell_connection(info)
        aside(f"open after {time.monotonic() - began:.2f} s")


def _open(talk: Talk, patience: Patience, app_id: str, made: RoomConnectionData, seen: Room) -> RoomConnectionData:
    """The room as it was made, with the server that it is on by now and its address."""
    from msgspec.structs import replace

    info = patience.ask(lambda: talk.client.rooms_v2.get_connection_info(made.room_id, app_id))
    return replace(
        made,
        status=info.status,
        exposed_port=info.exposed_port,
        additional_exposed_ports=info.additional_exposed_ports,
        process_id=seen.current_allocation.process_id if seen.current_allocation else made.process_id,
    )


@rooms.command("list")
@app_option
@click.option(
    "--process",
    "process_id",
    metavar="ID",
    shell_complete=completing.processes,
    help="Those of this server; of all that run unless told.",
)
@click.option("--ended", is_flag=True, help="With --process: those that have left it.")
@talks
def list_rooms(talk: Talk, app: str | None, process_id: str | None, ended: bool) -> None:
    """List the rooms of all servers that run, or of one."""
    app_id, rooms_v2 = talk.app_id(app), talk.client.rooms_v2
    ask = rooms_v2.get_inactive_rooms_for_process if ended else rooms_v2.get_active_rooms_for_process
    servers = [process_id] if process_id else [one.process_id for one in each_process(talk, app_id, ALIVE)]
    found = [room for server in servers for room in ask(server, app_id)]
    if talk.as_json:
        document(found)
        return
    columns(("id", "status", "process", "since", "config"), ([*_row(room)] for room in found), "There is no room.")


def _row(room: RoomWithoutAllocations) -> Iterator[object]:
    seat = room.current_allocation
    yield from (room.room_id, room.status, seat and seat.process_id, seat and seat.scheduled_at)
    config = room.room_config or ""
    yield config if len(config) <= 40 else f"{config[:39]}…"


@rooms.command()
@click.argument("room_id", metavar="ROOM", shell_complete=completing.rooms)
@app_option
@talks
def info(talk: Talk, room_id: str, app: str | None) -> None:
    """Tell a room's state, its address and every server it has been on."""
    app_id = talk.app_id(app)
    room = talk.client.rooms_v2.get_room_info(room_id, app_id)
    info = talk.client.rooms_v2.get_connection_info(room_id, app_id) if room.status == "active" else None
    why = _why(talk, Patience(talk.url), app_id, room) if room.status == "destroyed" else None
    if talk.as_json:
        document(_whole(room, info, why))
        return
    facts(
        [
            ("id", room.room_id),
            ("status", room.status),
            ("why it ended", why),
            *(_addresses(info) if info else ()),
            ("config", room.room_config),
            *(("on process", _stay(stay)) for stay in room.allocations),
        ]
    )


def _whole(room: Room, info: ConnectionInfoV2 | None, why: str | None) -> dict[str, Any]:
    """What the API tells of a room, its address and its end in one; ``exposedPort`` is null where it has none."""
    from msgspec import to_builtins

    told: dict[str, Any] = to_builtins(room, builtin_types=(datetime,))
    address: dict[str, Any] = {} if info is None else to_builtins(info)
    told["exposedPort"] = address.get("exposedPort")
    told["additionalExposedPorts"] = address.get("additionalExposedPorts", [])
    return told if why is None else {**told, "endedReason": why}


def _stay(stay: RoomAllocation) -> str:
    until = f"until {moment(stay.unscheduled_at)}" if stay.unscheduled_at else "now"
    return f"{stay.process_id} from {moment(stay.scheduled_at)} {until}"


@rooms.command()
@click.argument("room_id", metavar="ROOM", shell_complete=completing.rooms)
@app_option
@click.option("--until", type=click.Choice(["active", "destroyed"]), default="destroyed", show_default=True)
@click.option("--timeout", type=click.FloatRange(min=0), help="Seconds to watch at most; no limit unless told.")
@talks
def watch(talk: Talk, room_id: str, app: str | None, until: str, timeout: float | None) -> None:
    """Tell what becomes of a room, as it happens, until it is open or over.

    Times are in UTC. A restart of Innkeeper does not end it: rooms outlive that.
    """
    app_id = talk.app_id(app)
    end = None if timeout is None else time.monotonic() + timeout
    patience, waits = _patience(talk, end), waiting(talk)
    before = room = None
    for room in _looks(talk, patience, waits, app_id, room_id, end):
        seat = room.current_allocation
        now = (room.status, seat and seat.process_id, room.room_config)
        if now != before:
            _tell_change(talk, patience, app_id, room)
        before = now
        if room.status in (until, "destroyed"):
            if room.status != until:
                raise Failure(f"it has ended before it was open: {_why(talk, patience, app_id, room)}")
            return
    doing, known = server_now(talk, app_id, room) if until == "active" else ("", {})
    text = f"room {room_id} is still not {until} after {timeout:g} s" + (f": {doing}" if doing else "")
    raise Failure(text, **waits.facts, **known)


def _patience(talk: Talk, end: float | None) -> Patience:
    """How long Innkeeper may be away: not beyond the time there is (monotonic seconds)."""
    return Patience(talk.url, SECONDS if end is None else min(SECONDS, end - time.monotonic()))


def _looks(
    talk: Talk, patience: Patience, waits: Waiting, app_id: str, room_id: str, end: float | None
) -> Iterator[Room]:
    """The room as it is now, again and again until a point in (monotonic) time; why it is not open is told."""
    while True:
        room = patience.ask(lambda: talk.client.rooms_v2.get_room_info(room_id, app_id))
        yield room
        is_last = end is not None and time.monotonic() + _EVERY > end
        waits.look(room, last=is_last)
        if is_last:
            return
        time.sleep(_EVERY)


def _tell_change(talk: Talk, patience: Patience, app_id: str, room: Room) -> None:
    if talk.as_json:
        line(room)
        return
    words = [moment(since(room, datetime.now(UTC))), str(room.status)]
    if room.status == "active":
        info = patience.ask(lambda: talk.client.rooms_v2.get_connection_info(room.room_id, app_id))
        words.append(f"at {address_of(info.exposed_port or None)}")
    if room.status == "destroyed":
        words.append(_why(talk, patience, app_id, room))
    elif room.current_allocation:
        words.append(f"on process {room.current_allocation.process_id}")
    click.echo(" ".join(words))


def since(room: Room, now: datetime) -> datetime:
    """When a room came to be as it is: for one that is over its end, where it is known; else the time of looking."""
    ends = [stay.unscheduled_at for stay in room.allocations if stay.unscheduled_at]
    return max(ends) if room.status == "destroyed" and ends else now


def _why(talk: Talk, patience: Patience, app_id: str, room: Room) -> str:
    """Why a room is over, in the words that players are told."""
    from innkeeper.sdk import NotFound

    try:
        patience.ask(lambda: talk.client.rooms_v2.get_connection_info(room.room_id, app_id))
    except NotFound as error:
        return error.message
    return "it is open again"  # somebody resumed it between the two looks


@rooms.command()
@click.argument("room_ids", metavar="ROOM...", nargs=-1, required=True, shell_complete=completing.rooms)
@app_option
@talks
def destroy(talk: Talk, room_ids: Sequence[str], app: str | None) -> None:
    """End rooms and free their seats. Their servers run on."""
    app_id = talk.app_id(app)
    destroy_one = talk.client.rooms_v2.destroy_room
    each(talk, room_ids, lambda one: destroy_one(one, app_id), word="destroyed", told="Ended room {}")


def _tell_connection(info: ConnectionInfoV2) -> None:
    facts(
        [
            ("room", info.room_id),
            ("status", info.status),
            ("process", getattr(info, "process_id", None)),
            *_addresses(info),
        ]
    )


def _addresses(info: ConnectionInfoV2) -> Iterator[tuple[str, str | None]]:
    """Where to dial, the default port first."""
    yield "address", address_of(info.exposed_port or None)
    for port in info.additional_exposed_ports:
        yield f"port {port.name}", address_of(port)
