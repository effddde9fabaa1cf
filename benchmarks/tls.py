"""What ending TLS for games costs: ``python benchmarks/tls.py [--quick]``.

CPU of the terminator for each megabyte passed on and for each new player, beside a relay of the same event loop that
passes the bytes on as they are, measured in the same run and in turns. Players and games are in this process and its
CPU does not count.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from innkeeper.engines.tls.identity import Identity, self_signed
from innkeeper.engines.tls.link import Terminator
from innkeeper.engines.tls.wire import Backend, Table

MIB = 1 << 20
QUICK = "--quick" in sys.argv
MEGABYTES, MESSAGES, PLAYERS, ROUNDS = (32, 500, 40, 2) if QUICK else (512, 20_000, 500, 5)

#: Passes bytes on, both ways, with what stops the one where the other is full. Nothing else.
PLAIN = """
import asyncio, sys, uvloop
class Side(asyncio.Protocol):
    other = None
    def connection_made(self, transport):
        self.transport = transport
    early = b""
    def data_received(self, data):
        if self.other is None:
            self.early += data
        else:
            self.other.transport.write(data)
    def pause_writing(self):
        self.other.transport.pause_reading()
    def resume_writing(self):
        self.other.transport.resume_reading()
    def connection_lost(self, exc):
        if self.other:
            self.other.transport.close()
class Door(Side):
    def connection_made(self, transport):
        self.transport = transport
        asyncio.ensure_future(self.join())
    async def join(self):
        _, game = await asyncio.get_running_loop().create_connection(Side, "127.0.0.1", int(sys.argv[2]))
        self.other, game.other = game, self
        game.transport.write(self.early)
async def main():
    server = await asyncio.get_running_loop().create_server(Door, "127.0.0.1", int(sys.argv[1]))
    print("ready", flush=True)
    await server.serve_forever()
uvloop.run(main())
"""


def cpu(pid: int) -> float:
    """Seconds, to the nanosecond."""
    fields = Path(f"/proc/{pid}/schedstat").read_text().split()
    return int(fields[0]) / 1e9


def resident(pid: int) -> int:
    """Bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        number: int = probe.getsockname()[1]
        return number


def game(door: socket.socket) -> None:
    """Pours on ``pour``, answers each message otherwise, and ends with its player."""
    block = os.urandom(MIB)

    def serve(player: socket.socket) -> None:
        with player:
            player.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while said := player.recv(1000):
                if said == b"pour":
                    for _ in range(MEGABYTES):
                        player.sendall(block)
                    return
                player.sendall(said)

    while True:
        player, _ = door.accept()
        threading.Thread(target=serve, args=(player,), daemon=True).start()


def pour(dial: Callable[[], socket.socket]) -> float:
    room = bytearray(MIB)
    with dial() as player:
        player.sendall(b"pour")
        got = 0
        while count := player.recv_into(room):
            got += count
    assert got == MEGABYTES * MIB
    return MEGABYTES


def chat(dial: Callable[[], socket.socket]) -> float:
    with dial() as player:
        for _ in range(MESSAGES):
            player.sendall(b"x" * 100)
            assert player.recv(1000)
    return MESSAGES


def knock(dial: Callable[[], socket.socket]) -> float:
    for _ in range(PLAYERS):
        with dial() as player:
            player.sendall(b"hello")
            assert player.recv(1000)
    return PLAYERS


async def main() -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        door = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=512))
        threading.Thread(target=game, args=(door,), daemon=True).start()
        behind, public, plain_port = door.getsockname()[1], free_port(), free_port()
        identity: Identity = self_signed("127.0.0.1", time.time_ns() // 1000)
        terminator = Terminator(folder, lambda: None, linger=1.0)
        await terminator.serve(Table({public: Backend("127.0.0.1", behind)}, "127.0.0.1"), identity)
        plain = subprocess.Popen(  # noqa: ASYNC220
            [sys.executable, "-c", PLAIN, str(plain_port), str(behind)], stdout=subprocess.PIPE
        )
        stack.callback(plain.kill)
        assert plain.stdout is not None
        plain.stdout.readline()
        context = ssl.create_default_context(cadata=identity.chain)

        def bare() -> socket.socket:
            return socket.create_connection(("127.0.0.1", plain_port))

        def secret() -> socket.socket:
            made = socket.create_connection(("127.0.0.1", public))
            return context.wrap_socket(made, server_hostname="127.0.0.1", suppress_ragged_eofs=True)

        print(f"{'CPU of the one in the middle':40} {'TLS ended':>12} {'plain relay':>12} {'ratio':>7}")
        for name, unit, work in (
            ("a megabyte from the game", "us", pour),
            ("a message of 100 bytes and its answer", "us", chat),
            ("a new player", "us", knock),
        ):
            figures: dict[int, list[float]] = {terminator.pid: [], plain.pid: []}
            for _ in range(ROUNDS):
                for pid, dial in ((terminator.pid, secret), (plain.pid, bare)):
                    before = cpu(pid)
                    amount = await asyncio.to_thread(work, dial)
                    figures[pid].append((cpu(pid) - before) / amount * 1e6)
            ours, theirs = (statistics.median(figures[pid]) for pid in (terminator.pid, plain.pid))
            print(f"{name:40} {ours:>9.0f} {unit} {theirs:>9.0f} {unit} {ours / theirs:>7.1f}")
        print(f"{'memory of the terminator':40} {resident(terminator.pid) / MIB:>9.0f} MiB")
        await terminator.rest()


if __name__ == "__main__":
    asyncio.run(main())
