"""The terminator, as the program that it is: what it passes on, what it refuses, and that it outlives its Innkeeper."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from engines.tls_players import CutOff, Player, no_secrets, trusting
from innkeeper.engines.tls import privileges, wire
from innkeeper.engines.tls.identity import Identity, self_signed
from innkeeper.engines.tls.link import Terminator, TerminatorAway
from innkeeper.engines.tls.wire import Backend, Limits, Table
from innkeeper.kit.clock import SystemClock

NOW = SystemClock().now()
LOOPBACK = "127.0.0.1"
MIB = 1 << 20
Serving = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="session")
def identity() -> Identity:
    return self_signed(LOOPBACK, NOW)


@dataclass
class House:
    """An Innkeeper's side of it, with games to serve."""

    folder: Path
    identity: Identity
    terminator: Terminator
    lost: list[int] = field(default_factory=list)
    games: list[asyncio.Server] = field(default_factory=list)
    served: set[asyncio.Task[object]] = field(default_factory=set)
    players: list[Player] = field(default_factory=list)
    pids: set[int] = field(default_factory=set)

    async def game(self, serving: Serving, *, port: int = 0, buffer: int = 0) -> Backend:
        """A game that serves each connection so."""

        async def kept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task
            self.served.add(task)
            try:
                with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                    await serving(reader, writer)
            finally:
                self.served.discard(task)
                await hang_up(writer)

        plain = socket.create_server((LOOPBACK, port))
        if buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
        server = await asyncio.start_server(kept, sock=plain, limit=MIB)
        self.games.append(server)
        return Backend(LOOPBACK, server.sockets[0].getsockname()[1])

    async def serve(self, routes: dict[int, Backend], **limits: float) -> dict[int, str]:
        table = Table(routes, LOOPBACK, msgspec.convert({**msgspec.to_builtins(Limits()), **limits}, Limits))
        refused = dict(await self.terminator.serve(table, self.identity))
        self.pids.add(self.terminator.pid)
        return refused

    async def player(self, port: int, **more: object) -> Player:
        player = await Player.dial(port, trusting(self.identity), **more)  # type: ignore[arg-type]
        self.players.append(player)
        return player

    @property
    def log(self) -> str:
        return (self.terminator.folder / wire.LOG).read_text()


@pytest.fixture
async def house(tmp_path: Path, identity: Identity) -> AsyncIterator[House]:
    lost: list[int] = []
    house = House(tmp_path, identity, Terminator(tmp_path, lambda: lost.append(1), linger=0.2), lost)
    try:
        yield house
    finally:
        for player in house.players:
            player.close()
        await house.terminator.close()
        for server in house.games:
            server.close()
        for task in house.served:
            task.cancel()
        await until(lambda: not house.served)
        for pid in house.pids:
            if runs(pid):
                os.kill(pid, signal.SIGTERM)
        await until(lambda: not any(map(runs, house.pids)))


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  what is waited for happens in another program
            await asyncio.sleep(0.01)


def free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as probe:
        number: int = probe.getsockname()[1]
        return number


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()


async def said_and_heard(player: Player, text: bytes = b"who is there") -> None:
    await player.send(text)
    heard = b""
    while len(heard) < len(text):
        heard += await player.receive()
    assert heard == text


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_players_speak_tls_and_the_game_does_not(house: House, version: ssl.TLSVersion) -> None:
    port = free_port()
    assert await house.serve({port: await house.game(echo)}) == {}
    rules = trusting(house.identity)
    rules.minimum_version = rules.maximum_version = version
    player = await Player.dial(port, rules)
    house.players.append(player)
    assert player.tls.version() == version.name.replace("_", ".")
    await said_and_heard(player)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
async def test_what_is_older_than_tls_1_2_is_refused(house: House) -> None:
    port = free_port()
    await house.serve({port: await house.game(echo)})
    rules = trusting(house.identity)
    rules.set_ciphers("ALL:@SECLEVEL=0")
    rules.minimum_version = rules.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, CutOff)):
        await Player.dial(port, rules)
    await said_and_heard(await house.player(port))


async def test_a_player_who_has_said_everything_still_hears_the_answer(house: House) -> None:
    async def answers_at_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        everything = await reader.read()
        writer.write(hashlib.sha256(everything).digest())

    port = free_port()
    await house.serve({port: await house.game(answers_at_the_end)})
    player = await house.player(port)
    question = os.urandom(3 * MIB)
    await player.send(question)
    await player.say_end()
    assert await player.receive_all() == hashlib.sha256(question).digest()


async def test_one_who_ends_by_tcp_alone_is_taken_to_have_said_everything(house: House) -> None:
    async def answers_at_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read() + b"!")

    port = free_port()
    await house.serve({port: await house.game(answers_at_the_end)})
    player = await house.player(port)
    await player.send(b"half")
    player.socket.shutdown(socket.SHUT_WR)
    assert await player.receive_all() == b"half!"


async def test_a_game_that_has_said_everything_still_hears_the_player(house: House) -> None:
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def greets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"good night")
        writer.write_eof()
        heard.set_result(await reader.read())

    port = free_port()
    await house.serve({port: await house.game(greets)})
    player = await house.player(port)
    assert await player.receive_all() == b"good night"
    await player.send(b"sleep well")
    await player.say_end()
    assert await asyncio.wait_for(heard, 10) == b"sleep well"


async def test_a_player_who_does_not_leave_after_the_games_last_word_is_cut(house: House) -> None:
    async def leaves(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"over")

    port = free_port()
    await house.serve({port: await house.game(leaves)}, silent=0.2)
    player = await house.player(port)
    assert await player.receive_all() == b"over"
    with pytest.raises(CutOff):
        await player._take()


async def test_much_in_both_directions_at_a_time(house: House) -> None:
    port = free_port()
    await house.serve({port: await house.game(echo)})
    player = await house.player(port)
    data = os.urandom(24 * MIB)

    async def speak() -> None:
        await player.send(data)
        await player.say_end()

    speaking = asyncio.create_task(speak())
    heard = await player.receive_all()
    await speaking
    assert hashlib.sha256(heard).digest() == hashlib.sha256(data).digest()


async def test_a_slow_reader_slows_the_game_down_and_costs_no_memory(house: House) -> None:
    sent = 0
    block = os.urandom(MIB)
    blocks = 64

    async def pours(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        for _ in range(blocks):
            writer.write(block)
            await writer.drain()
            sent += len(block)

    port = free_port()
    await house.serve({port: await house.game(pours, buffer=1 << 16)}, last=2.0)
    player = await house.player(port, receive_buffer=1 << 16)
    await player.receive(1)
    before, at = resident(house.terminator.pid), -1
    while at != sent:  # it stands still
        at = sent
        await asyncio.sleep(0.3)
    assert sent < 16 * MIB
    assert resident(house.terminator.pid) - before < 8 * MIB
    heard = b"." + await player.receive_all()
    assert len(heard) == blocks * MIB
    assert heard.endswith(block)


async def test_players_who_come_and_go_leave_nothing_behind(house: House) -> None:
    port = free_port()
    await house.serve({port: await house.game(echo)})
    pid = house.terminator.pid
    own = list(sockets(pid)) if os.geteuid() == 0 else []

    async def visit() -> None:
        player = await Player.dial(port, trusting(house.identity))
        await said_and_heard(player, os.urandom(5000))
        player.close()

    await asyncio.gather(*(visit() for _ in range(50)))
    before = resident(pid)
    for _ in range(6):
        await asyncio.gather(*(visit() for _ in range(50)))
    assert resident(pid) - before < 8 * MIB
    if os.geteuid() == 0:  # nobody else may look
        await until(lambda: len(list(sockets(pid))) == len(own))


def sockets(pid: int) -> Iterator[str]:
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            if (name := str(entry.readlink())).startswith("socket:"):
                yield name


def told_of(pid: int, what: str) -> str:
    return Path(f"/proc/{pid}/{what}").read_text()


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_many_players_but_no_more_than_the_most(house: House) -> None:
    port = free_port()
    backend = await house.game(echo)
    await house.serve({port: backend}, players=100)
    players = await asyncio.gather(*(house.player(port) for _ in range(100)))
    await asyncio.gather(*(said_and_heard(player, os.urandom(2000)) for player in players))
    with pytest.raises((CutOff, ssl.SSLError, ConnectionError)):
        await house.player(port)
    assert "100 players are connected already" in house.log
    players[0].close()
    late: list[Player] = []

    async def gets_in() -> None:
        while not late:
            try:
                late.append(await house.player(port))
            except (CutOff, ssl.SSLError, ConnectionError):
                await asyncio.sleep(0.01)

    await asyncio.wait_for(gets_in(), 10)
    await said_and_heard(late[0])


@pytest.mark.parametrize("words", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x00" * 2000, b"\x16\x03\x01\x00\x05hello"])
async def test_what_is_no_tls_never_reaches_the_game(house: House, words: bytes) -> None:
    came: list[int] = []

    async def counts(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(1)
        await echo(reader, writer)

    port = free_port()
    await house.serve({port: await house.game(counts)}, handshake=1.0)
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(words)
    try:
        told = await asyncio.wait_for(reader.read(), 10)
    except ConnectionError:
        told = b""
    await hang_up(writer)
    assert not told or told[0] == 0x15  # an alert at most
    assert came == []
    await said_and_heard(await house.player(port))
    assert came == [1]


async def test_a_handshake_has_its_time(house: House) -> None:
    port = free_port()
    await house.serve({port: await house.game(echo)}, handshake=0.2)
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(reader.read(), 10) == b""
    await hang_up(writer)


async def test_rubbish_in_the_middle_ends_the_connection_alone(house: House) -> None:
    port = free_port()
    await house.serve({port: await house.game(echo)})
    other = await house.player(port)
    player = await house.player(port)
    await said_and_heard(player)
    await player.raw(b"\x17\x03\x03\x00\x20" + b"x" * 32)
    with contextlib.suppress(CutOff, ssl.SSLError):
        assert await player.receive_all() == b""
    await said_and_heard(other)


async def test_a_game_that_is_not_there_yet(house: House) -> None:
    port, behind = free_port(), free_port()
    await house.serve({port: Backend(LOOPBACK, behind)})
    player = await house.player(port)
    assert await player.receive_all() == b""
    await until(lambda: f"port {port}: {LOOPBACK} port {behind} does not answer" in house.log)
    for _ in range(20):  # who knocks again and again does not fill the disk
        assert await (await house.player(port)).receive_all() == b""
    assert len(house.log.splitlines()) == 1
    await house.game(echo, port=behind)
    await said_and_heard(await house.player(port))


async def test_a_game_that_crashes_cuts_its_players_off(house: House) -> None:
    async def crashes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        plain = writer.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    port = free_port()
    await house.serve({port: await house.game(crashes)})
    player = await house.player(port)
    await player.send(b"hello")
    with pytest.raises(CutOff):
        await player.receive_all()


async def test_a_player_who_leaves_is_gone_for_the_game(house: House) -> None:
    left = asyncio.Event()

    async def waits(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"welcome")
        try:
            await reader.read()
        finally:
            left.set()

    port = free_port()
    await house.serve({port: await house.game(waits)})
    player = await house.player(port)
    assert await player.receive() == b"welcome"
    player.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    player.close()
    await asyncio.wait_for(left.wait(), 10)


async def test_the_same_table_changes_nothing_and_another_one_only_what_differs(house: House) -> None:
    one, two, three = free_port(), free_port(), free_port()
    backend, other = await house.game(echo), await house.game(echo)
    await house.serve({one: backend, two: backend}, last=0.2)
    staying, leaving = await house.player(one), await house.player(two)
    pid = house.terminator.pid
    await house.serve({one: backend, two: backend}, last=0.2)
    await said_and_heard(leaving)
    await house.serve({one: backend, three: other}, last=0.2)
    await said_and_heard(await house.player(three))
    with pytest.raises(ConnectionRefusedError):
        await house.player(two)
    with pytest.raises(CutOff):  # its server is over
        await leaving.receive_all()
    await said_and_heard(staying)
    assert house.terminator.pid == pid


async def test_a_port_that_leads_elsewhere(house: House) -> None:
    async def says_two(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"two")

    port = free_port()
    await house.serve({port: await house.game(echo)})
    await said_and_heard(await house.player(port))
    await house.serve({port: await house.game(says_two)})
    assert await (await house.player(port)).receive_all() == b"two"


async def test_a_new_certificate_is_shown_to_new_players_and_old_ones_stay(house: House) -> None:
    port = free_port()
    backend = await house.game(echo)
    await house.serve({port: backend})
    before = await house.player(port)
    house.identity = self_signed(LOOPBACK, NOW)
    await house.serve({port: backend})
    after = await house.player(port)  # trusts the new one alone
    await said_and_heard(before)
    await said_and_heard(after)


async def test_players_stay_while_innkeeper_is_replaced(house: House) -> None:
    port = free_port()
    backend = await house.game(echo)
    await house.serve({port: backend})
    player, pid = await house.player(port), house.terminator.pid
    await house.terminator.close()
    await said_and_heard(player)
    house.terminator = Terminator(house.folder, lambda: None, linger=0.2)
    await house.serve({port: backend})
    assert house.terminator.pid == pid
    await said_and_heard(player)


async def test_two_innkeepers_at_once_get_the_same_one(house: House) -> None:
    port = free_port()
    backend = await house.game(echo)
    further = [Terminator(house.folder, lambda: None, linger=0.2) for _ in range(4)]
    table = Table({port: backend}, LOOPBACK)
    await asyncio.gather(*(each.serve(table, house.identity) for each in further))
    house.pids |= {each.pid for each in further}
    assert len(house.pids) == 1
    for each in further:
        await each.close()


async def test_killed_it_is_missed_and_its_successor_is_told_everything(house: House) -> None:
    port = free_port()
    backend = await house.game(echo)
    await house.serve({port: backend})
    player = await house.player(port)
    os.kill(house.terminator.pid, signal.SIGKILL)
    await until(lambda: house.lost)
    assert not house.terminator.connected
    with pytest.raises(CutOff):
        await player.receive_all()
    await house.serve({port: backend})
    await said_and_heard(await house.player(port))
    assert len(house.pids) == 2


async def test_it_leaves_when_there_is_nothing_to_serve(house: House) -> None:
    await house.terminator.rest()
    assert not (house.folder / wire.FOLDER).exists()  # none is started to be told that
    await house.serve({free_port(): await house.game(echo)})
    [pid] = house.pids
    await house.terminator.rest()
    await until(lambda: not runs(pid))


async def test_it_leaves_without_an_innkeeper_once_its_games_are_gone_and_not_before(house: House) -> None:
    port, gone = free_port(), free_port()
    backend = await house.game(echo)
    await house.serve({port: backend})
    player = await house.player(port)
    await house.serve({gone: Backend(LOOPBACK, free_port())}, last=0.5)
    [pid] = house.pids
    await house.terminator.close()
    assert runs(pid)
    await said_and_heard(player)
    player.close()
    await until(lambda: not runs(pid))


async def test_one_of_another_version_serves_its_players_to_the_end(house: House) -> None:
    port = free_port()
    backend = await house.game(echo)
    await house.serve({port: backend})
    player, old = await house.player(port), house.terminator.pid
    await retire(house.terminator.folder)
    await until(lambda: house.lost or house.terminator.connected)
    await house.terminator.close()
    await house.serve({port: backend})
    assert house.terminator.pid != old
    await said_and_heard(player)
    await said_and_heard(await house.player(port))
    player.close()
    await until(lambda: not runs(old))


async def retire(folder: Path) -> None:
    at = os.open(folder, os.O_RDONLY)
    try:
        reader, writer = await asyncio.open_unix_connection(f"/proc/self/fd/{at}/{wire.SOCKET}")
    finally:
        os.close(at)
    hello = msgspec.json.decode(await reader.readline(), type=wire.Said).hello
    assert hello
    assert hello.version == wire.VERSION
    writer.write(b'{"do":"retire","n":1}\n')
    assert msgspec.json.decode(await reader.readline(), type=wire.Said) == wire.Said(re=1)
    await hang_up(writer)


async def test_a_port_that_a_stranger_has(house: House) -> None:
    port, other = free_port(), free_port()
    backend = await house.game(echo)
    with socket.create_server((LOOPBACK, port)):
        assert await house.serve({port: backend, other: backend}) == {port: "Address already in use"}
        await said_and_heard(await house.player(other))
    assert await house.serve({port: backend, other: backend}) == {}
    await said_and_heard(await house.player(port))


async def test_a_certificate_that_does_not_fit_its_key_changes_nothing(house: House) -> None:
    port = free_port()
    backend = await house.game(echo)
    await house.serve({port: backend})
    wrong = Identity(self_signed(LOOPBACK, NOW).chain, house.identity.key)
    with pytest.raises(TerminatorAway, match=r"KEY_VALUES_MISMATCH|key values mismatch"):
        await house.terminator.serve(Table({port: backend}, LOOPBACK), wrong)
    await said_and_heard(await house.player(port))


async def test_it_has_no_rights_and_keeps_the_key_to_itself(house: House) -> None:
    await house.serve({free_port(): await house.game(echo)})
    pid = house.terminator.pid
    status = dict(line.split(":", 1) for line in told_of(pid, "status").splitlines() if ":" in line)
    assert status["NoNewPrivs"].strip() == "1"
    assert told_of(pid, "comm") == "innkeeper-tls\n"
    if os.geteuid() == 0:
        assert set(status["Uid"].split()) == {str(privileges.USER)} == set(status["Gid"].split())
        assert int(status["CapEff"], 16) == 0
        assert status["Groups"].split() == []
    assert told_of(pid, "limits").split("Max core file size")[1].split()[:2] == ["0", "0"]
    folder = house.terminator.folder
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / wire.SOCKET).stat().st_mode & 0o777 == 0o600
    no_secrets(folder, house.identity, pid)


async def test_both_addresses_of_localhost_and_every_address(house: House) -> None:
    identity = self_signed("localhost", NOW)
    backend = await house.game(echo)
    for address in ("localhost", ""):
        port = free_port()
        await house.terminator.serve(Table({port: backend}, address), identity)
        house.pids.add(house.terminator.pid)
        for host in (LOOPBACK, "::1"):
            player = await Player.dial(port, trusting(identity), host=host)
            house.players.append(player)
            await said_and_heard(player)


async def test_a_folder_with_a_very_long_name(tmp_path: Path, house: House) -> None:
    deep = tmp_path / ("a" * 120)
    deep.mkdir()
    house.terminator = Terminator(deep, lambda: None, linger=0.2)
    port = free_port()
    assert await house.serve({port: await house.game(echo)}) == {}
    await said_and_heard(await house.player(port))
