"""Clients that ask for the same thing again and again over HTTP/1.1, in a process of their own. Used by ``rooms.py``.

    python benchmarks/load.py URL_FILE CLIENTS REQUESTS

``URL_FILE`` holds the port in its first line and then the request as it goes out. Each client sends it, waits for the
whole answer and sends the next. Written by hand, so that the clients are never what is measured: about 10 us each.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import cast


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, request: bytes, crowd: Crowd) -> None:
        self._request, self._crowd = request, crowd
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one by its methods alone
        self.ask()

    def ask(self) -> None:
        """Send one request, if any is left."""
        if self._crowd.left == 0:
            self._transport.close()
            self._crowd.gone()
            return
        self._crowd.left -= 1
        self._since = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        heard = self._heard + data if self._heard else data
        head = heard.find(b"\r\n\r\n")
        at = heard.find(b"content-length: ")
        if head < 0 or at < 0 or len(heard) < head + 4 + int(heard[at + 16 : heard.index(b"\r", at)]):
            self._heard = heard
            return
        self._heard = b""
        status = heard[9:12]
        self._crowd.statuses[status] = self._crowd.statuses.get(status, 0) + 1
        self._crowd.took.append(time.perf_counter() - self._since)
        self.ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._transport.is_closing():
            self._crowd.statuses[b"lost"] = self._crowd.statuses.get(b"lost", 0) + 1
            self._crowd.gone()


class Crowd:
    """All clients, and what they saw."""

    def __init__(self, clients: int, requests: int) -> None:
        self.left, self._here = requests, clients
        self.took: list[float] = []
        self.statuses: dict[bytes, int] = {}
        self.all_gone = asyncio.Event()

    def gone(self) -> None:
        self._here -= 1
        if self._here == 0:
            self.all_gone.set()


async def run(port: int, request: bytes, clients: int, requests: int) -> None:
    crowd = Crowd(clients, requests)
    begun, cpu = time.perf_counter(), time.process_time()
    loop = asyncio.get_running_loop()
    await asyncio.gather(
        *(loop.create_connection(lambda: Client(request, crowd), "127.0.0.1", port) for _ in range(clients))
    )
    await crowd.all_gone.wait()
    seconds = time.perf_counter() - begun
    took = sorted(crowd.took)
    print(
        json.dumps(
            {
                "seconds": seconds,
                "statuses": {status.decode(): count for status, count in crowd.statuses.items()},
                "p50": took[len(took) // 2],
                "p99": took[len(took) * 99 // 100],
                "cpu": time.process_time() - cpu,
            }
        )
    )


if __name__ == "__main__":
    import uvloop

    port, _, request = Path(sys.argv[1]).read_bytes().partition(b"\n")
    uvloop.run(run(int(port), request, int(sys.argv[2]), int(sys.argv[3])))
