"""``kill -9`` at random moments: nothing is lost, nothing is orphaned, nothing is started twice.

Each round fires requests at a running Innkeeper, kills it (or its spawner, or both) a seeded while later, starts it
again on the same folder and holds four witnesses against each other: what clients were answered, what is on record,
what ``/proc`` says runs, and a ledger outside of Innkeeper to which every program says that it was started.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams
from innkeeper.contract.hathora.words import Region
from innkeeper.sdk import NO_RETRY, AsyncHathoraCloud, CallError, NotFound, StatusError
from inns import RunningInn, running_inn, until

from .games import ask_tiny, deploy, tiny
from .programs import RoomRow, ServerRow, kill, rooms, running, servers, settled, spawners, still_there

#: What is killed, and in how many rounds.
ROUNDS = {"innkeeper": 36, "spawner": 10, "both": 10, "starting": 8}
#: Rooms that are asked for in each round, two to a server.
ROOMS = 8
#: Servers beyond so many are stopped, in the midst of the other requests.
MOST = 16


class Ledger:
    """A port of loopback where programs say that they were started."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.starts: Counter[str] = Counter()
        self.port_of: dict[str, int] = {}

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def read(self) -> None:
        """Take in what was said since."""
        while True:
            try:
                server_id, _, port = self._socket.recv(200).decode().split()
            except BlockingIOError:
                return
            self.starts[server_id] += 1
            self.port_of[server_id] = int(port)

    def close(self) -> None:
        self._socket.close()


class Told:
    """What clients asked for, and what they were answered."""

    def __init__(self) -> None:
        self.rooms: dict[str, str] = {}  #: answered with 201: the room's server
        self.unsure: set[str] = set()  #: rooms that were asked for without an answer
        self.ending: set[str] = set()  #: rooms and servers that somebody asked to end, answered or not
        self.ended: set[str] = set()  #: those whose asker was answered with success
        self.at_answer: tuple[int, Callable[[], object]] | None = None  #: when there are so many rooms, do this

    def room(self, room_id: str, server_id: str) -> None:
        """A room was answered with 201."""
        self.rooms[room_id] = server_id
        if self.at_answer is not None and len(self.rooms) == self.at_answer[0]:
            self.at_answer[1]()


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    book = Ledger()
    yield book
    book.close()


@pytest.fixture
def inn() -> Iterator[RunningInn]:
    with running_inn(grace_seconds=1, port_quarantine=0, log_level="warning") as inn:
        yield inn


async def test_killed_at_random_points(inn: RunningInn, ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    app_id = deploy(inn, "kill", tiny(), env={"LEDGER": str(ledger.port)}, rooms_per_process=2)
    dice = random.Random(20261121)
    told, plan = Told(), [what for what, times in ROUNDS.items() for _ in range(times)]
    dice.shuffle(plan)
    answered_before_death = 0
    for number, target in enumerate(plan):
        before = len(told.rooms)
        await one_round(inn, app_id, told, dice, f"r{number}", target)
        answered_before_death += len(told.rooms) - before
        await asyncio.to_thread(witnesses, inn, ledger, told, f"round {number} ({target})")
    await asyncio.to_thread(everything_ends, inn, app_id)
    ledger.read()
    with capsys.disabled():
        print(
            f"\n{len(plan)} kills ({', '.join(f'{times} {what}' for what, times in ROUNDS.items())}):"
            f" {len(told.rooms)} rooms answered, {len(told.unsure)} without an answer,"
            f" {len(ledger.starts)} servers started; 0 orphans, 0 lost rooms, 0 started twice"
        )
    assert len(told.rooms) > len(plan), "the rounds were killed before anything happened: they prove nothing"
    assert told.unsure, "no round was killed in the midst of a request: they prove nothing"


async def one_round(inn: RunningInn, app_id: str, told: Told, dice: random.Random, name: str, target: str) -> None:
    """Requests, all at once, and a kill among them; then a house that runs again."""
    doomed = [] if target == "spawner" else [inn.pid]
    if target in ("spawner", "both"):
        doomed += spawners(inn)
    # Every other time a while after the requests went out, from microseconds on; else a while after one of the answers,
    # when programs are being started, however slow the machine is.
    loop, by_time = asyncio.get_running_loop(), dice.random() < 0.5
    delay = 10 ** dice.uniform(-3.5, -1) if by_time else dice.uniform(0, 0.1)
    wanted = len(told.rooms) + dice.randint(1, ROOMS)
    told.at_answer = None if by_time else (wanted, lambda: loop.call_later(delay, kill, doomed))
    standing = sorted(server_id for server_id, row in servers(inn).items() if row.state == "running")
    dice.shuffle(standing)
    seated = sorted(told.rooms.keys() - told.ending)
    async with inn.async_client(app_id, retry=NO_RETRY, timeout=20) as client:
        wishes = [open_room(client, told, f"{name}-{at}") for at in range(ROOMS)]
        wishes += [stop(client, told, server_id) for server_id in standing[MOST:] + standing[:1]]
        wishes += [destroy(client, told, room_id) for room_id in dice.sample(seated, min(2, len(seated)))]
        dice.shuffle(wishes)
        if by_time:
            loop.call_later(delay, kill, doomed)
        await asyncio.gather(*wishes)
        await asyncio.to_thread(until, lambda: not still_there(doomed), what="the kill")
    if target == "spawner":
        return
    inn.kill()
    if target == "starting":
        # And once more while it starts, when it finds its servers again.
        await start_and_kill(inn, dice.uniform(0.2, 1.0))
    await asyncio.to_thread(inn.start)


async def start_and_kill(inn: RunningInn, delay: float) -> None:
    before = inn.program
    starting = asyncio.ensure_future(asyncio.to_thread(inn.start))
    await asyncio.to_thread(until, lambda: inn.program is not before)
    asyncio.get_running_loop().call_later(delay, kill, [inn.pid])
    await asyncio.wait({starting})
    starting.exception()  # killed before it could say that it is open, or after: either is fine
    inn.kill()


async def answered(call: Awaitable[Any]) -> Any:
    """The answer; None where the connection broke. A refusal by Innkeeper is a failure of the test."""
    try:
        return await call or True
    except StatusError:
        raise
    except CallError:
        return None


async def open_room(client: AsyncHathoraCloud, told: Told, room_id: str) -> None:
    room = await answered(client.rooms_v2.create_room(CreateRoomParams(region=Region.TOKYO), room_id=room_id))
    if room is None:
        told.unsure.add(room_id)
    else:
        told.room(room_id, room.process_id)


async def destroy(client: AsyncHathoraCloud, told: Told, room_id: str) -> None:
    told.ending.add(room_id)
    try:
        if await answered(client.rooms_v2.destroy_room(room_id)):
            told.ended.add(room_id)
    except NotFound:
        pass  # its server was stopped in this very round


async def stop(client: AsyncHathoraCloud, told: Told, server_id: str) -> None:
    told.ending.add(server_id)
    if await answered(client.processes_v3.stop_process(server_id)):
        told.ended.add(server_id)


def witnesses(inn: RunningInn, ledger: Ledger, told: Told, when: str) -> None:
    """All that must be true whenever the house has come to rest."""
    on_record = settled(inn)
    alive = {server_id for server_id, row in on_record.items() if row.state in ("running", "draining")}
    until(lambda: running(inn).keys() == alive, 15, f"{when}: that what runs is what is on record")
    processes, all_rooms = running(inn), rooms(inn)
    ledger.read()
    twice = {server_id: times for server_id, times in ledger.starts.items() if times > 1}
    assert not twice, f"{when}: started twice: {twice}"
    assert not {server_id: pids for server_id, pids in processes.items() if len(pids) > 1}, when
    assert not ledger.starts.keys() - on_record.keys(), f"{when}: started without a record"
    ports = {server_id: port_of(on_record[server_id]) for server_id in alive}
    assert len(set(ports.values())) == len(ports), f"{when}: a port is held by two"
    assert ports == {server_id: ledger.port_of[server_id] for server_id in alive}, when
    # One that starts the spawner, or is about to become a server, looks like it for a moment; a second one would stay.
    until(lambda: len(spawners(inn)) == 1, 15, f"{when}: that there is one spawner")
    for room_id, server_id in told.rooms.items():
        room_is_right(all_rooms.get(room_id), server_id, alive, told, f"{when}: room {room_id}")
    for room in all_rooms.values():  # also those whose asker was not answered
        assert room.state != "seated" or room.server_id in alive, f"{when}: {room} sits nowhere"
    for server_id, row in on_record.items():
        assert row.state != "failed", f"{when}: {row}"
        assert server_id in alive or server_id in told.ending, f"{when}: nobody asked for the end of {row}"
        assert server_id not in told.ended or server_id not in alive, f"{when}: {row} runs on"
    for server_id in sorted(alive)[:4]:
        assert ask_tiny("127.0.0.1", ports[server_id]) == server_id, when


def room_is_right(room: RoomRow | None, server_id: str, alive: set[str], told: Told, when: str) -> None:
    """A room that was promised with 201 stands on a living server, or is over because somebody wanted it."""
    assert room is not None, f"{when} is lost"
    assert room.server_id == server_id, when
    wanted = room.id in told.ending or server_id in told.ending
    if room.state == "destroyed":
        assert wanted, f"{when} is over: {room.why}"
        assert room.why, when
    else:
        assert room.state == "seated", f"{when}: {room}"
        assert server_id in alive, when
        assert room.id not in told.ended, f"{when} was destroyed with an answer and stands"
        assert server_id not in told.ended, when


def port_of(row: ServerRow) -> int:
    (port,) = json.loads(row.ports)
    return int(port["number"])


def everything_ends(inn: RunningInn, app_id: str) -> None:
    """Deleting the app ends its servers; nothing is left of them."""
    with inn.client() as client:
        client.apps_v2.delete_app(app_id)
    until(lambda: not running(inn), what="that nothing runs")
    assert {row.state for row in settled(inn).values()} <= {"stopped"}
    assert not [room for room in rooms(inn).values() if room.state != "destroyed"]
