"""How fast webhooks leave, and what each costs: ``python benchmarks/webhooks.py [--postgres] [--quick]``.

The Innkeeper is a real one, ``innkeeper up`` in a process of its own; the receiver is in another (``receiver.py``) and
answers at once, or after 50 ms. Every delivery is signed, recorded and in its room's order. Beside it, in the same run:
a bare loop of aiohttp that posts bodies of the same size, signed, to the same receiver with as many in flight, and
keeps nothing. CPU is that of the process that sends, with all its threads; PostgreSQL's own is not counted.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from rooms import SEATS, SETTINGS, cpu_of, load, row

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from e2e import games  # type: ignore[import-not-found]
from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams
from innkeeper.contract.hathora.words import Region
from innkeeper.contract.house.webhooks_v1 import NewWebhook
from innkeeper.notices.schedule import Limits
from innkeeper.notices.signing import signed_headers
from inns import RunningInn, running_inn, until  # type: ignore[import-not-found]
from postgres import PostgresServer  # type: ignore[import-not-found]

QUICK = "--quick" in sys.argv
ROOMS, ALONE, SLOW_ROOMS = (500, 20, 50) if QUICK else (4_000, 200, 500)
FLIGHT = Limits().each_webhook
#: What a room tells that is opened on a server with space: ``room.opened`` and ``room.active``.
EVENTS_EACH = 2
SLOW = 0.05
TOKYO = CreateRoomParams(region=Region.TOKYO)


class Program:
    """The receiver."""

    def __init__(self, wait: float) -> None:
        words = [sys.executable, str(Path(__file__).with_name("receiver.py")), str(wait)]
        self._program = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._program.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._program.stdout.readline())}/hook"

    def told(self, newest: int = 1) -> dict[str, Any]:
        """How many have come, and when the newest of them did."""
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(f"{newest}\n")
        self._program.stdin.flush()
        found: dict[str, Any] = msgspec.json.decode(self._program.stdout.readline())
        return found

    def wait_for(self, count: int) -> list[float]:
        """When the newest two came, once there are so many."""
        until(lambda: self.told()["count"] >= count, seconds=600, what=f"{count} deliveries")
        times: list[float] = self.told(EVENTS_EACH)["times"]
        return times

    def end(self) -> None:
        self._program.kill()
        self._program.communicate()


@contextmanager
def receiver(wait: float = 0.0) -> Generator[Program]:
    program = Program(wait)
    try:
        yield program
    finally:
        program.end()


async def bare(url: str, secret: str, body: bytes, count: int) -> tuple[float, float]:
    """Seconds, and microseconds of CPU, a request: a loop that signs and posts, and keeps nothing."""
    left = count

    async def one(session: aiohttp.ClientSession) -> None:
        nonlocal left
        while left > 0:
            left -= 1
            headers = signed_headers([secret], f"evt-{left}", time.time_ns() // 1000, body)
            async with session.post(url, data=body, headers=headers) as answer:
                assert answer.status == 204

    begun, cpu = time.perf_counter(), time.process_time()
    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(one(session) for _ in range(FLIGHT)))
    return (time.perf_counter() - begun) / count, (time.process_time() - cpu) / count * 1e6


def burst(inn: RunningInn, app_id: str, rooms: int) -> tuple[float, float]:
    """Opens rooms on a server that has space: when that began, and the CPU it took, in seconds."""
    before, begun = cpu_of(inn.pid), time.monotonic()
    load(inn.port, f"/rooms/v2/{app_id}/create", inn.token, 64, rooms)
    return begun, cpu_of(inn.pid) - before


def main() -> None:
    server = PostgresServer() if "--postgres" in sys.argv else None
    try:
        more: dict[str, Any] = {}
        if server is not None:
            server.start()
            more["database"] = asyncio.run(server.fresh())
        print(f"{'PostgreSQL' if server else 'SQLite'}; {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}\n")
        with running_inn(**SETTINGS, **more) as inn:
            measure(inn)
    finally:
        if server is not None:
            server.remove()


def measure(inn: RunningInn) -> None:
    app_id = games.deploy(inn, "warm", games.tiny(), rooms_per_process=SEATS, requested_cpu=1)
    with inn.client(app_id) as client, receiver() as fast, receiver(SLOW) as slow:
        room = client.rooms_v2.create_room(TOKYO)
        client.wait_until_active(room.room_id, every=0.01)
        burst(inn, app_id, ROOMS // 10)  # warm
        unheard = burst(inn, app_id, ROOMS)[1]
        hooks = client.house.webhooks_v1
        made = hooks.create_webhook(NewWebhook(url=fast.url, kinds=["room.*"]))

        # One at a time: from before it is asked for until it is there.
        took = []
        for number in range(ALONE):
            begun = time.monotonic()
            client.rooms_v2.create_room(TOKYO)
            times = fast.wait_for((number + 1) * EVENTS_EACH)
            took.append((times[0] - begun) * 1e3)
        ranked = sorted(took)
        size = len(msgspec.json.encode(client.house.events_v1.get_events(limit=1).events[0]))
        seconds, cpu = asyncio.run(bare(fast.url, made.secret, b"x" * size, ROOMS * EVENTS_EACH))
        sent = fast.told()["count"]

        before, start = cpu_of(inn.pid), burst(inn, app_id, ROOMS)[0]
        times = fast.wait_for(sent + ROOMS * EVENTS_EACH)
        count = ROOMS * EVENTS_EACH
        each = (cpu_of(inn.pid) - before - unheard) / count * 1e6
        row(
            "webhooks: CPU a delivery, above its room's", f"{each:.0f} us",
            f"bare loop {cpu:.0f} us, x {each / cpu:.1f}",
        )  # fmt: skip
        rate = count / (times[-1] - start)
        row(
            f"webhooks: {ROOMS} rooms by 64 clients", f"{rate:.0f} a second",
            f"bare loop {1 / seconds:.0f}/s, x {rate * seconds:.2f}",
        )  # fmt: skip
        row(
            "webhooks: room asked for, until told: p50 / p99",
            f"{statistics.median(took):.1f} / {ranked[int(len(ranked) * 0.99)]:.1f} ms",
        )  # fmt: skip
        hooks.delete_webhook(made.webhook_id)

        hooks.create_webhook(NewWebhook(url=slow.url, kinds=["room.*"]))
        start = burst(inn, app_id, SLOW_ROOMS)[0]
        times = slow.wait_for(SLOW_ROOMS * EVENTS_EACH)
        rate, most = SLOW_ROOMS * EVENTS_EACH / (times[-1] - start), FLIGHT / SLOW
        row(
            f"webhooks: a receiver that takes {SLOW * 1e3:.0f} ms", f"{rate:.0f} a second",
            f"{FLIGHT} in flight allow {most:.0f}/s, x {rate / most:.2f}",
        )  # fmt: skip


if __name__ == "__main__":
    main()
