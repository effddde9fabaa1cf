"""What a room costs: warm and cold, over HTTP and durable, beside bare peers measured in the same run.

    python benchmarks/rooms.py               # SQLite
    python benchmarks/rooms.py --postgres    # PostgreSQL, whose own CPU is not counted
    python benchmarks/rooms.py --quick       # a tenth of the work: shows that it runs, not how fast

The Innkeeper is a real one, ``innkeeper up`` in a process of its own; clients are in another (``load.py``). CPU is that
of the Innkeeper's process with all its threads. "bare" is uvicorn with httptools and uvloop answering a constant of the
same size, and one thread that inserts and commits in SQLite with ``synchronous=FULL``. The game server is ``tiny.c``,
which binds a UDP port at once; without a compiler it is one in Perl, whose own boot then bounds the starts per second.
Ratios hold on other machines; a p99 on a shared one is an upper bound.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from e2e import games, programs  # type: ignore[import-not-found]
from innkeeper.contract.hathora.apps_v2 import AuthConfiguration, CreateAppConfig
from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams
from innkeeper.contract.hathora.words import Region
from inns import RunningInn, running_inn, until  # type: ignore[import-not-found]
from postgres import PostgresServer  # type: ignore[import-not-found]

BODY = b'{"region":"Tokyo","roomConfig":"{\\"map\\":\\"dm1\\"}"}'
#: As long as the answer to it.
ANSWER = (
    b'{"roomId":"2swovpy1fnunu","status":"active","additionalExposedPorts":[],"exposedPort":{"name":"default",'
    b'"transportType":"udp","host":"127.0.0.1","port":15600},"processId":"cbfcddd2-0006-43ae-996c-995fff7bed2e"}'
)
SEATS = 10_000
SETTINGS: dict[str, Any] = {"log_level": "warning", "ports": "20000-28999"}
FIRST_APP = CreateAppConfig(app_name="first", auth_configuration=AuthConfiguration())
TICK = os.sysconf("SC_CLK_TCK")


def row(name: str, figure: str, beside: str = "", aim: str = "") -> None:
    print(f"{name:44} {figure:>22}   {beside:34} {aim}", flush=True)


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process and its threads have used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def rss_of(pid: int) -> float:
    """MiB that a process holds."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


# -- warm rooms --------------------------------------------------------------------------------------------------------


def load(port: int, path: str, token: str, clients: int, requests: int) -> dict[str, Any]:
    """Ask so often, from another process; what the clients saw."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
    head += f"Content-Type: application/json\r\nAccept: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
    with tempfile.NamedTemporaryFile() as file:
        file.write(f"{port}\n{head}".encode() + BODY)
        file.flush()
        command = [sys.executable, str(Path(__file__).with_name("load.py")), file.name, str(clients), str(requests)]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    seen: dict[str, Any] = json.loads(done.stdout)
    assert seen["statuses"] == {"201": requests}, seen
    return seen


def measured(pid: int, port: int, path: str, token: str, clients: int, requests: int) -> tuple[dict[str, Any], float]:
    """What the clients saw, and the CPU of the process that answered, in microseconds a request."""
    load(port, path, token, clients, max(clients * 4, requests // 10))  # warm
    before = cpu_of(pid)
    seen = load(port, path, token, clients, requests)
    return seen, (cpu_of(pid) - before) / requests * 1e6


def bare_endpoint() -> tuple[subprocess.Popen[bytes], int]:
    """The same server stack, answering a constant. Runs until it is killed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = f"""
import uvicorn
HEADERS = [
    (b"x-request-id", b"12345678"), (b"content-type", b"application/json"), (b"content-length", b"{len(ANSWER)}")
]
async def app(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({{"type": "http.response.start", "status": 201, "headers": HEADERS}})
    await send({{"type": "http.response.body", "body": {ANSWER!r}}})
uvicorn.run(app, port={port}, loop="uvloop", http="httptools", lifespan="off", access_log=False, server_header=False,
            log_config=None)
"""
    program = subprocess.Popen([sys.executable, "-c", code])
    until(lambda: _connects(port), what="the bare endpoint")
    return program, port


def _connects(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def bare_commit(rounds: int) -> tuple[float, float]:
    """Microseconds of CPU and of time for one insert and its commit, in a thread, durable."""
    took = [0.0, 0.0]

    def work(path: str) -> None:
        line = sqlite3.connect(path, isolation_level=None)
        line.executescript("pragma journal_mode=wal; pragma synchronous=full; create table t (id text, at int, x text)")
        begun, cpu = time.perf_counter(), time.thread_time()
        for at in range(rounds):
            line.execute("begin immediate")
            line.execute("insert into t values (?, ?, ?)", (f"room{at}", at, "x" * 100))
            line.execute("commit")
        took[:] = [(time.thread_time() - cpu) / rounds * 1e6, (time.perf_counter() - begun) / rounds * 1e6]
        line.close()

    with tempfile.TemporaryDirectory() as folder:
        thread = threading.Thread(target=work, args=(f"{folder}/t.db",))
        thread.start()
        thread.join()
    return took[0], took[1]


def warm(inn: RunningInn, count: int, counted: Callable[[str], Sequence[Sequence[Any]]]) -> None:
    app_id = games.deploy(inn, "warm", games.tiny(), rooms_per_process=SEATS, requested_cpu=1)
    with inn.client() as client:
        room = client.rooms_v2.create_room(CreateRoomParams(region=Region.TOKYO), app_id)
        client.wait_until_active(room.room_id, app_id, every=0.01)
    commit_cpu, commit_time = bare_commit(count // 10)
    row("bare durable commit, one thread", f"{commit_cpu:.0f} us CPU", f"{commit_time:.0f} us of time")
    path = f"/rooms/v2/{app_id}/create"
    bare, bare_port = bare_endpoint()
    try:
        for clients in (1, 64, 256):
            requests = count // 5 if clients == 1 else count
            floor, floor_cpu = measured(bare.pid, bare_port, path, inn.token, clients, requests)
            seen, cpu = measured(inn.pid, inn.port, path, inn.token, clients, requests)
            many = f"{clients} client{'s' if clients > 1 else ''}"
            row(
                f"durable warm room, {many}: CPU", f"{cpu:.0f} us",
                f"bare endpoint {floor_cpu:.0f} us, x {cpu / floor_cpu:.1f}", "aim 80 us" if clients > 1 else "",
            )  # fmt: skip
            row(
                f"durable warm room, {many}: p50 / p99", f"{seen['p50'] * 1e3:.2f} / {seen['p99'] * 1e3:.2f} ms",
                f"bare {floor['p50'] * 1e3:.2f} / {floor['p99'] * 1e3:.2f} ms", "aim 1 / 6 ms" if clients == 1 else "",
            )  # fmt: skip
            row(
                f"durable warm room, {many}: rate", f"{requests / seen['seconds']:.0f} rooms/s",
                f"bare {requests / floor['seconds']:.0f}/s (clients' CPU {seen['cpu'] / requests * 1e6:.0f} us)",
                "aim 8000/s" if clients > 1 else "",
            )  # fmt: skip
    finally:
        bare.kill()
        bare.wait()
    wrong = counted(
        "select s.id, s.taken, count(r.id) from servers s"
        " left join rooms r on r.server_id = s.id and r.state = 'seated'"
        " group by s.id, s.taken, s.seats having count(r.id) <> s.taken or s.taken > s.seats"
    )
    total = counted("select count(*), count(distinct stay_id), (select count(*) from servers) from rooms")[0]
    row("seats given twice", str(len(wrong)), f"{total[0]} rooms on {total[2]} servers", "aim 0")
    assert not wrong
    assert total[0] == total[1]


# -- cold rooms --------------------------------------------------------------------------------------------------------


def game() -> tuple[dict[str, bytes | str], list[str]]:
    """The files of the game server, and the words that start it among them."""
    compiler = shutil.which("cc")
    if compiler is None:
        return games.tiny(), [games.PERL, "server.pl"]
    with tempfile.TemporaryDirectory() as folder:
        source = str(Path(__file__).with_name("tiny.c"))
        subprocess.run([compiler, "-O2", "-static", "-o", f"{folder}/server", source], check=True)
        return {"Procfile": "server: ./server\n", "server": Path(folder, "server").read_bytes()}, ["./server"]


def plain_spawn(files: dict[str, bytes | str], words: list[str], rounds: int) -> float:
    """Milliseconds from a bare spawn of the game server until its port is bound."""
    took = []
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            Path(folder, name).write_bytes(content.encode() if isinstance(content, str) else content)
            Path(folder, name).chmod(0o755)
        for _ in range(rounds):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            begun = time.perf_counter()
            program = subprocess.Popen(
                words, cwd=folder, env={"PORT": str(port), "HATHORA_PROCESS_ID": "x"}, stdout=subprocess.PIPE
            )
            assert program.stdout is not None
            program.stdout.readline()  # printed right after it has bound
            took.append(time.perf_counter() - begun)
            program.kill()
            program.communicate()
    return statistics.median(took) * 1e3


def cold(inn: RunningInn, rounds: int, many: int, counted: Callable[[str], Sequence[Sequence[Any]]]) -> str:
    files, words = game()
    app_id = games.deploy(inn, "cold", files, rooms_per_process=1, requested_cpu=1)
    wish = CreateRoomParams(region=Region.TOKYO)
    with inn.client() as client:
        plain = plain_spawn(files, words, rounds)
        polled, rooms = [], []
        for _ in range(rounds):
            begun = time.perf_counter()
            room = client.rooms_v2.create_room(wish, app_id)
            client.wait_until_active(room.room_id, app_id, every=0.0005)
            polled.append((time.perf_counter() - begun) * 1e3)
            rooms.append(room)
        ids = ",".join(f"'{room.process_id}'" for room in rooms)
        stamps = counted(f"select ready_at - created_at, booted_at - created_at from servers where id in ({ids})")
        ready = statistics.median(int(stamp[0]) for stamp in stamps) / 1e3
        booted = statistics.median(int(stamp[1]) for stamp in stamps) / 1e3
        row(
            "cold room: asked for, until its port is bound", f"{ready:.1f} ms",
            f"plain spawn {plain:.1f} ms: + {ready - plain:.1f} ms", "aim + 5 ms",
        )  # fmt: skip
        row("cold room: until its program was spawned", f"{booted:.1f} ms")
        row("cold room: create, until a poll says active", f"{statistics.median(polled):.1f} ms")
        exits(inn, app_id, rooms[: rounds // 2], counted)
        begun = time.perf_counter()
        load(inn.port, f"/rooms/v2/{app_id}/create", inn.token, 32, many)
        standing = f"select count(*) from servers where app_id = '{app_id}' and state = 'running'"
        until(lambda: int(counted(standing)[0][0]) >= many + rounds - rounds // 2, what="that all servers run")
        seconds = time.perf_counter() - begun
    row("server starts", f"{many / seconds:.0f} a second", f"{many} at once, all ready", "aim 500/s")
    return str(app_id)


def exits(
    inn: RunningInn, app_id: str, rooms: Sequence[Any], counted: Callable[[str], Sequence[Sequence[Any]]]
) -> None:
    seen = []
    with inn.client() as client, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as player:
        for room in rooms:
            port = client.rooms_v2.get_connection_info(room.room_id, app_id).exposed_port
            at = time.time_ns() // 1000
            player.sendto(b"exit 0", (port.host, port.port))
            ended = f"select ended_at from servers where id = '{room.process_id}' and ended_at is not null"
            seen.append((int(until(lambda sql=ended: counted(sql))[0][0]) - at) / 1e3)
    row("exit of a program noticed, told to end at 0", f"{statistics.median(seen):.2f} ms", "", "aim 5 ms")


def restart(inn: RunningInn, app_id: str) -> None:
    """Kill it, start it again; what became of the servers."""
    before = programs.running(inn)
    with inn.client(app_id) as client:
        info = client.processes_v3.get_latest_processes()[0]
    inn.kill()
    begun = time.perf_counter()
    threading.Thread(target=inn.start).start()
    until(lambda: _asked(inn.url), what="that the API is back")
    back = time.perf_counter() - begun
    until(inn.is_healthy)
    assert games.ask_tiny(info.exposed_port.host, info.exposed_port.port) == info.process_id
    after = programs.running(inn)
    row(
        f"kill -9 and start with {len(before)} servers", f"API back in {back:.2f} s",
        f"{sum(after.get(one) != pids for one, pids in before.items())} servers touched", "aim 0 lost, 2 s",
    )  # fmt: skip


def _asked(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/discovery/v2/ping", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def first() -> None:
    """An empty directory, until an app is created: rooms need a build."""
    took = []
    for _ in range(3):
        inn = RunningInn(**SETTINGS)
        try:
            begun = time.perf_counter()
            inn.start()
            with inn.client() as client:
                client.apps_v2.create_app(FIRST_APP)
            took.append(time.perf_counter() - begun)
        finally:
            inn.end()
    row("empty directory to a first 201", f"{min(took):.2f} s", "creates an app; best of 3", "aim 0.8 s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    count, rounds, many = (2_000, 6, 40) if asked.quick else (40_000, 40, 400)
    server = PostgresServer() if asked.postgres else None
    try:
        database = ""
        if server is not None:
            server.start()
            database = asyncio.run(server.fresh())
        with running_inn(**SETTINGS, **({"database": database} if database else {})) as inn:
            print(
                f"{'PostgreSQL' if server else 'SQLite'}; {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}\n"
            )
            row("idle, nothing asked yet: resident memory", f"{rss_of(inn.pid):.0f} MiB", "", "aim 60 MiB")

            def counted(sql: str) -> Sequence[Sequence[Any]]:
                if server is None:
                    found: Sequence[Sequence[Any]] = programs.rows(inn, sql)
                    return found
                return asyncio.run(_rows(database, sql))

            warm(inn, count, counted)
            app_id = cold(inn, rounds, many, counted)
            restart(inn, app_id)
        if server is None:
            first()
    finally:
        if server is not None:
            server.remove()


async def _rows(database: str, sql: str) -> Sequence[Sequence[Any]]:
    import asyncpg

    line = await asyncpg.connect(database)
    try:
        return [tuple(one) for one in await line.fetch(sql)]
    finally:
        await line.close()


if __name__ == "__main__":
    main()
