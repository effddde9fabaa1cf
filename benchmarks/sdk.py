"""What the SDK costs, beside a hand-written httpx call and two SDKs from PyPI: CPU time, and ratios in the same run.

    python benchmarks/sdk.py                    everything; makes environments for the two SDKs in a scratch folder
    python benchmarks/sdk.py --envs DIR         keeps those environments there
    python benchmarks/sdk.py --without-others   ours and httpx alone

Every figure is the median of fresh processes that take turns, each the CPU time of the client's process alone: the
server is another one. "import" is the import and the making of a client; "first" adds the first call (what loads
lazily). A call is one small typed answer, or one of 100 objects, over a connection that is open already.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

SMALL = {
    "roomId": "2swovpy1fnunu", "status": "active", "additionalExposedPorts": [],
    "exposedPort": {"host": "1.edge.example", "port": 31234, "name": "default", "transportType": "udp"},
}  # fmt: skip
ROOM = {
    "appId": "app-af469a92-5b45-4565-b3c4-b79878de67d2", "roomId": "2swovpy1fnunu", "status": "active",
    "roomConfig": '{"map":"docks"}',
    "currentAllocation": {"roomAllocationId": "d3c1", "processId": "cbfcddd2", "unscheduledAt": None,
                          "scheduledAt": "2026-01-01T12:00:00.000Z"},
}  # fmt: skip
MODEL = {"id": "m-1", "created": 1686935002, "object": "model", "owned_by": "me"}
SYNC = {
    "id": 1, "slug": "s", "workspaceId": 1, "createdAt": "2026-01-01T12:00:00Z", "updatedAt": "2026-01-01T12:00:00Z",
    "destinationId": 1, "modelId": 1, "configuration": {}, "schedule": None, "disabled": False, "status": "success",
    "lastRunAt": "2026-01-01T12:00:00Z", "referencedColumns": ["a"], "primaryKey": "id", "externalSegment": {},
}  # fmt: skip
#: What is asked -> what is answered. The first two are ours and httpx's, the others those of the other SDKs.
ANSWERS: dict[str, Any] = {
    "/rooms/v2/app/connectioninfo/r": SMALL,
    "/rooms/v2/app/list/p/active": [ROOM] * 100,
    "/models/m-1": MODEL,
    "/models": {"object": "list", "data": [MODEL] * 100},
    "/syncs/1": SYNC,
    "/syncs": {"data": [SYNC] * 100, "hasMore": False},
}
ROUNDS = 3
CALLS = {"small": 1500, "large": 400}


def serve() -> None:
    """Answer by path, as fast as it goes, until the caller is gone."""
    ready = {path.encode(): _whole(body) for path, body in ANSWERS.items()}

    class Connection(asyncio.Protocol):
        buffer = b""

        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.buffer += data
            while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
                path = self.buffer[: self.buffer.find(b"\r\n")].split(b" ")[1].partition(b"?")[0]
                self.buffer = self.buffer[end + 4 :]
                self.transport.write(ready.get(path, ready[b"/syncs/1"]))

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)

    asyncio.run(run())


def _whole(body: Any) -> bytes:
    data = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(data) + data


# One client of each kind: makes it, and returns its small and its large call.
Made = tuple[Callable[[], Any], Callable[[], Any]]


def ours(url: str) -> Made:
    from innkeeper.sdk import HathoraCloud

    client = HathoraCloud("token", app_id="app", server=url)
    return lambda: client.rooms_v2.get_connection_info("r"), lambda: client.rooms_v2.get_active_rooms_for_process("p")


def ours_async(url: str) -> Made:
    from innkeeper.sdk import AsyncHathoraCloud

    client = AsyncHathoraCloud("token", app_id="app", server=url)
    return lambda: client.rooms_v2.get_connection_info("r"), lambda: client.rooms_v2.get_active_rooms_for_process("p")


def by_hand(url: str) -> Made:
    import httpx

    client = httpx.Client(base_url=url, headers={"authorization": "Bearer token"})

    def get(path: str) -> Any:
        answer = client.get(path)
        answer.raise_for_status()
        return answer.json()

    small, large = list(ANSWERS)[:2]
    return lambda: get(small), lambda: get(large)


def by_hand_async(url: str) -> Made:
    import httpx

    client = httpx.AsyncClient(base_url=url, headers={"authorization": "Bearer token"})

    async def get(path: str) -> Any:
        answer = await client.get(path)
        answer.raise_for_status()
        return answer.json()

    small, large = list(ANSWERS)[:2]
    return lambda: get(small), lambda: get(large)


def openai(url: str) -> Made:
    import openai as sdk  # type: ignore[import-not-found]

    client = sdk.OpenAI(api_key="k", base_url=url)
    return lambda: client.models.retrieve("m-1"), lambda: client.models.list()


def openai_async(url: str) -> Made:
    import openai as sdk

    client = sdk.AsyncOpenAI(api_key="k", base_url=url)

    async def listed() -> Any:
        return await client.models.list()

    return lambda: client.models.retrieve("m-1"), listed


def hightouch(url: str) -> Made:
    import hightouch as sdk  # type: ignore[import-not-found]
    from hightouch.models import operations  # type: ignore[import-not-found]

    client = sdk.Hightouch(server_url=url)
    security = operations.GetSyncSecurity(bearer_auth="k")
    more = operations.ListSyncSecurity(bearer_auth="k")
    return (
        lambda: client.get_sync(operations.GetSyncRequest(sync_id=1), security),
        lambda: client.list_sync(operations.ListSyncRequest(), more),
    )


KINDS: dict[str, Callable[[str], Made]] = {
    "innkeeper": ours, "innkeeper async": ours_async, "httpx": by_hand, "httpx async": by_hand_async,
    "openai": openai, "openai async": openai_async, "hightouch": hightouch,
}  # fmt: skip


def work(kind: str, url: str) -> None:
    """In a fresh process: measure one kind and print its figures as JSON (microseconds of CPU time)."""
    began = time.process_time_ns()
    small, large = KINDS[kind](url)
    imported = time.process_time_ns() - began
    figures: dict[str, float] = {"import": imported / 1000}
    if kind.endswith("async"):
        asyncio.run(_measure_async(small, large, began, figures))
    else:
        small()
        figures["first"] = (time.process_time_ns() - began) / 1000
        for name, call in (("small", small), ("large", large)):
            for _ in range(50):
                call()
            start = time.process_time_ns()
            for _ in range(CALLS[name]):
                call()
            figures[name] = (time.process_time_ns() - start) / CALLS[name] / 1000
    print(json.dumps(figures))


async def _measure_async(
    small: Callable[[], Awaitable[Any]], large: Callable[[], Awaitable[Any]], began: int, figures: dict[str, float]
) -> None:
    await small()
    figures["first"] = (time.process_time_ns() - began) / 1000
    for name, call in (("small", small), ("large", large)):
        for flying in (1, 50):
            await _many(call, flying, 100)
            start = time.process_time_ns()
            await _many(call, flying, CALLS[name])
            figures[f"{name} {flying}"] = (time.process_time_ns() - start) / CALLS[name] / 1000


async def _many(call: Callable[[], Awaitable[Any]], flying: int, count: int) -> None:
    async def some() -> None:
        for _ in range(count // flying):
            await call()

    await asyncio.gather(*(some() for _ in range(flying)))


def python_with(package: str, folder: Path) -> str:
    """The interpreter of an environment that has this package from the index, and nothing of ours."""
    place = folder / package.replace("==", "-")
    python = place / "bin" / "python"
    if not python.exists():
        uv = shutil.which("uv")
        if uv:
            subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(place)], check=True)
            subprocess.run([uv, "pip", "install", "-q", "--python", str(python), package], check=True)
        else:
            subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
            subprocess.run([str(python), "-m", "pip", "install", "-q", package], check=True)
    return str(python)


def run(envs: Path, others: bool) -> None:
    """Measure everything and print the table."""
    python = dict.fromkeys(KINDS, sys.executable)
    if others:
        python["openai"] = python["openai async"] = python_with("openai", envs)
        python["hightouch"] = python_with("hightouch==1.31.0", envs)
    kinds = [kind for kind in KINDS if others or kind.split()[0] in ("innkeeper", "httpx")]
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
    clean = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    found: dict[str, dict[str, list[float]]] = {}
    try:
        for _ in range(ROUNDS):
            for kind in kinds:
                told = subprocess.run(
                    [python[kind], __file__, "--worker", kind, "--url", url],
                    check=True, capture_output=True, text=True, env=clean,
                )  # fmt: skip
                for name, value in json.loads(told.stdout.splitlines()[-1]).items():
                    found.setdefault(kind, {}).setdefault(name, []).append(value)
    finally:
        server.communicate("")
    report({kind: {name: statistics.median(v) for name, v in named.items()} for kind, named in found.items()})


def report(figures: dict[str, dict[str, float]]) -> None:
    """Print each figure, and how many times that of httpx's client of the same mode it is."""
    print(f"CPU microseconds, median of {ROUNDS} processes; in brackets times the hand-written httpx call")
    for kind, named in figures.items():
        if kind.endswith("async"):
            # An import is compared with the same: `import httpx; httpx.Client()`.
            base = {**figures["httpx async"], "import": figures["httpx"]["import"]}
        else:
            base = figures["httpx"]
        cells = [f"{name} {value:,.0f} ({value / base[name]:.2f})" for name, value in named.items()]
        print(f"{kind:16} " + "  ".join(cells))


def main() -> None:
    parser = argparse.ArgumentParser(description="What the SDK costs beside httpx and other SDKs.")
    parser.add_argument("--envs", type=Path, help="where the environments of the other SDKs are kept")
    parser.add_argument("--without-others", action="store_true", help="leave the other SDKs out")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--worker", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--url", default="", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.serve:
        serve()
    elif told.worker:
        work(told.worker, told.url)
    elif told.envs:
        run(told.envs, not told.without_others)
    else:
        with tempfile.TemporaryDirectory() as folder:
            run(Path(folder), not told.without_others)


if __name__ == "__main__":
    main()
