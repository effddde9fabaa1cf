"""What starting and watching programs costs: ``python benchmarks/processes.py [directory]``.

Everything is measured in the same run as its floor, a bare ``subprocess.Popen`` of the same program by the same
interpreter, so the ratios hold on any machine. Figures are medians; a tail on a shared machine is an upper bound.
Bare and ours alternate, so that both see the same noise.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from innkeeper.engines.base import Launch, Port, Report, Transport
from innkeeper.engines.process.engine import ProcessEngine
from innkeeper.kit.clock import SystemClock

#: Binds a UDP port and tells in its log when, by the clock that reports use.
BINDER = (
    "import os,socket,time\n"
    "s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);s.bind(('127.0.0.1',int(os.environ['PORT'])))\n"
    "t=time.time_ns()//1000\n"
    "print(t,flush=True)\n"
    "time.sleep(1000)\n"
)
STARTS, WIDTH, LATENCIES = 1000, 32, 60
REST = 0.1  #: seconds between cold starts: one that comes alone


def row(name: str, figure: str, beside: str = "") -> None:
    print(f"{name:58} {figure:>18}  {beside}")


def middle(figures: Sequence[float]) -> float:
    return statistics.median(figures)


def tail(figures: Sequence[float]) -> float:
    return sorted(figures)[int(len(figures) * 0.99)]


def cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def bare_spawns(count: int) -> None:
    """The floor of a start: a shell that becomes the program, one after the other."""
    for _ in range(count):
        os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", "exec /bin/true"], {}), 0)


def launch(server_id: str, command: str, port: int | None = None) -> Launch:
    ports = [] if port is None else [Port("default", Transport.UDP, port)]
    return Launch(server_id, Path("/"), command, {"PORT": str(port or 0)}, ports, 1, 256)


async def turn_of_the_loop() -> float:
    """The floor of an answer: CPU of the event loop, in us, for a message to a program that echoes it after 2 ms."""
    ours, theirs = socket.socketpair()
    code = "import os,time\nwhile d:=os.read(0,65536):\n time.sleep(.002)\n os.write(0,d)"
    echo = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-I", "-S", "-c", code], stdin=theirs.fileno()
    )
    theirs.close()
    reader, writer = await asyncio.open_connection(sock=ours)
    figures: list[float] = []
    for _ in range(LATENCIES):
        before = time.thread_time()
        writer.write(b"x" * 600 + b"\n")
        await reader.readline()
        figures.append((time.thread_time() - before) * 1e6)
    writer.close()
    await writer.wait_closed()
    echo.wait()
    return middle(figures)


class Bench:
    """One engine, measured."""

    def __init__(self, directory: Path, *, cgroups: bool) -> None:
        self.cgroups = cgroups
        self.engine = ProcessEngine(
            directory, SystemClock(), run_as=(os.getuid(), os.getgid()), cgroups=cgroups, linger=1.0
        )
        self.seen: dict[str, float] = {}
        self.waiting: dict[str, asyncio.Event] = {}

    async def watch(self) -> None:
        async for report in self.engine.changes():
            now = time.time()
            if report.ended is not None:
                self.seen[report.server_id] = now
                self.waiting.setdefault(report.server_id, asyncio.Event()).set()

    async def end(self, server_id: str) -> None:
        await self.waiting.setdefault(server_id, asyncio.Event()).wait()
        self.waiting.pop(server_id)
        await self.engine.forget(server_id)
        await self.engine.discard(server_id)

    async def starts(self) -> None:
        """As fast as it goes, ``WIDTH`` at a time, each to its end and forgotten."""
        gate = asyncio.Semaphore(WIDTH)

        async def one(number: int) -> None:
            async with gate:
                await self.engine.start(launch(f"b-{number}", "/bin/true"))
            await self.end(f"b-{number}")

        began = time.perf_counter()
        bare_spawns(STARTS // 5)
        floor = STARTS // 5 / (time.perf_counter() - began)
        loop_cpu, spawner_cpu, began = time.thread_time(), cpu(self.engine.spawner_pid), time.perf_counter()
        await asyncio.gather(*(one(number) for number in range(STARTS)))
        took = time.perf_counter() - began
        row("starts of /bin/true to their ends", f"{STARTS / took:.0f} /s", f"{WIDTH} at a time")
        row("  bare posix_spawn and wait, one after the other", f"{floor:.0f} /s", "no folder, log, limit or record")
        spawner = (cpu(self.engine.spawner_pid) - spawner_cpu) / STARTS
        row("  of the spawner's CPU, each", f"{spawner * 1e6:.0f} us", "start, end, forget and discard")
        row("  of the server's CPU, each", f"{(time.thread_time() - loop_cpu) / STARTS * 1e6:.0f} us", "the same")

    async def loop_time(self) -> None:
        """What a start alone takes of the event loop, all else being done."""
        figures: list[float] = []
        for number in range(LATENCIES):
            before = time.thread_time()
            await self.engine.start(launch(f"l-{number}", "exec sleep 1000"))
            figures.append((time.thread_time() - before) * 1e6)
        row("event loop's CPU of one start", f"{middle(figures):.0f} us", "alone, the loop asleep before")
        row("  of one message to a program that echoes it", f"{await turn_of_the_loop():.0f} us", "floor: no engine")
        for number in range(LATENCIES):
            await self.engine.stop(f"l-{number}", 1)
            await self.end(f"l-{number}")

    async def alive(self) -> float:
        """start() until its report, and a bare spawn beside it, in ms."""
        ours: list[float] = []
        bare: list[float] = []
        for number in range(LATENCIES):
            before = time.perf_counter()
            await self.engine.start(launch(f"a-{number}", "exec sleep 1000"))
            ours.append((time.perf_counter() - before) * 1e3)
            await self.engine.stop(f"a-{number}", 1)
            await self.end(f"a-{number}")
            before = time.perf_counter()
            child = await asyncio.to_thread(subprocess.Popen, ["/bin/sh", "-c", "exec sleep 1000"])
            bare.append((time.perf_counter() - before) * 1e3)
            child.kill()
            child.wait()
        row("start() until it is told to run and that is on disk", f"{middle(ours):.2f} ms", f"p99 {tail(ours):.1f}")
        row("  a bare subprocess.Popen in a thread", f"{middle(bare):.2f} ms", f"p99 {tail(bare):.1f}")
        return middle(ours) - middle(bare)

    async def readiness(self) -> None:
        """From the moment it bound its port to the moment its report is here; and from asking to bound, beside bare."""
        late: list[float] = []
        cold: list[float] = []
        bare: list[float] = []
        told: asyncio.Queue[tuple[Report, float]] = asyncio.Queue()
        changes = self.engine.changes()

        async def listen() -> None:
            async for report in changes:
                told.put_nowait((report, time.time()))

        listening = asyncio.create_task(listen())
        command = f'exec {sys.executable} -I -S -c "$CODE"'
        for number in range(LATENCIES):
            await asyncio.sleep(REST)
            asked = time.time()
            one = launch(f"r-{number}", command, 27_000 + number)
            await self.engine.start(
                Launch(one.server_id, one.build, command, {**one.env, "CODE": BINDER}, one.ports, 1, 256)
            )
            while True:
                report, now = await told.get()
                if report.server_id == one.server_id and report.ready_at is not None and report.alive:
                    break
            bound = int(await anext(self.engine.log(one.server_id, tail=1, follow=True))) / 1e6
            late.append((now - bound) * 1e3)
            cold.append((now - asked) * 1e3)
            await self.engine.stop(one.server_id, 0)
            await self.end(one.server_id)
            await asyncio.sleep(REST)
            asked = time.time()
            child = subprocess.Popen(  # noqa: ASYNC220  the floor: nothing else happens meanwhile
                [sys.executable, "-I", "-S", "-c", BINDER], stdout=subprocess.PIPE, env={"PORT": str(27_500 + number)}
            )
            assert child.stdout is not None
            bare.append((int(child.stdout.readline()) / 1e6 - asked) * 1e3)
            child.stdout.close()
            child.kill()
            child.wait()
        listening.cancel()
        row("bound port until its report is here", f"{middle(late):.2f} ms", f"p99 {tail(late):.1f}")
        row("asked until ready is known (the program boots Python)", f"{middle(cold):.1f} ms", f"p99 {tail(cold):.1f}")
        row("  bare spawn until the same program bound", f"{middle(bare):.1f} ms", f"p99 {tail(bare):.1f}")
        more = [ours - floor for ours, floor in zip(cold, bare, strict=True)]
        row("  overhead of a cold start", f"{middle(cold) - middle(bare):.2f} ms", f"of pairs {middle(more):.2f}")

    async def ends(self) -> None:
        """From a SIGKILL of ours to its report."""
        figures: list[float] = []
        for number in range(LATENCIES):
            server_id = f"e-{number}"
            report = await self.engine.start(launch(server_id, "exec sleep 1000"))
            before = time.time()
            os.kill(int(report.handle.split(":")[0]), signal.SIGKILL)
            await self.end(server_id)
            figures.append((self.seen[server_id] - before) * 1e3)
        row("killed until its report is here (on disk before)", f"{middle(figures):.2f} ms", f"p99 {tail(figures):.1f}")

    async def many(self, count: int) -> None:
        """The spawner with many servers: what it weighs, and what it does when nothing happens."""
        ids = [f"m-{number}" for number in range(count)]
        for at in range(0, count, WIDTH):
            await asyncio.gather(*(self.engine.start(launch(one, "exec sleep 1000")) for one in ids[at : at + WIDTH]))
        before = cpu(self.engine.spawner_pid)
        began = time.perf_counter()
        await asyncio.sleep(3)
        idle = (cpu(self.engine.spawner_pid) - before) / (time.perf_counter() - began)
        row(f"spawner with {count} servers, resting", f"{idle * 100:.1f} % CPU", f"{rss(self.engine.spawner_pid)}")
        await self.ends()
        await asyncio.gather(*(self.engine.stop(one, 1) for one in ids))
        await asyncio.gather(*(self.end(one) for one in ids))

    async def capture(self) -> None:
        """A gigabyte of output: what the program's writing costs us."""
        spawner, ours, began = cpu(self.engine.spawner_pid), time.process_time(), time.perf_counter()
        command = "exec head -c 1073741824 /dev/zero"
        one = Launch("g-1", Path("/"), command, {}, (), 2, 512, 64 << 20)
        await self.engine.start(one)
        await self.waiting.setdefault("g-1", asyncio.Event()).wait()
        took = time.perf_counter() - began
        used = cpu(self.engine.spawner_pid) - spawner + time.process_time() - ours
        size = 0
        read = time.process_time()
        async for part in self.engine.log("g-1", tail=None, follow=False):
            size += len(part)
        read = time.process_time() - read
        row("1 GiB of output, kept below 64 MiB: CPU of ours", f"{used:.2f} s", f"{took:.1f} s in all")
        row("reading back what is kept", f"{size / read / 1e9:.1f} GB/CPU s", f"{size >> 20} MiB")
        await self.engine.forget("g-1")
        await self.engine.discard("g-1")


def rss(pid: int) -> str:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    whole, own = (int(status[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon"))
    return f"RSS {whole:.1f} MB, of it its own {own:.1f}"


async def run(directory: Path, *, cgroups: bool) -> None:
    bench = Bench(directory, cgroups=cgroups)
    began = time.perf_counter()
    abilities = await bench.engine.open()
    opened = time.perf_counter() - began
    print(f"-- memory by {abilities.memory}, CPU by {abilities.cpu}")
    row("open(), with the start of a spawner", f"{opened * 1e3:.0f} ms")
    row("spawner at rest", rss(bench.engine.spawner_pid))
    watching = asyncio.create_task(bench.watch())
    await bench.starts()
    await bench.loop_time()
    await bench.alive()
    await bench.readiness()
    await bench.ends()
    await bench.many(500)
    if cgroups:
        await bench.capture()
    watching.cancel()
    await bench.engine.close()


async def main() -> None:
    logging.basicConfig(level=logging.WARNING)
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        for cgroups in (True, False):
            await run(Path(folder) / str(cgroups), cgroups=cgroups)
        await asyncio.sleep(1.5)  # the spawners leave


if __name__ == "__main__":
    uvloop.run(main())  # the event loop that Innkeeper runs on
