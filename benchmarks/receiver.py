"""A receiver of webhooks in a process of its own, so that it is never what is measured. Used by ``webhooks.py``.

    python benchmarks/receiver.py WAIT

Answers every POST with 204 after WAIT seconds. Prints its port, and for each number on its standard input how many have
come so far and when the newest so many came (seconds of the clock that all processes share), as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import cast

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
_KEPT = 10_000


class Taken:
    """What came."""

    def __init__(self, wait: float) -> None:
        self.wait = wait
        self.count = 0
        self.times: list[float] = []

    def one(self) -> None:
        self.count += 1
        self.times.append(time.monotonic())
        if len(self.times) > 2 * _KEPT:
            del self.times[:-_KEPT]


class Line(asyncio.Protocol):
    """One connection: one request after the other, each with a length."""

    def __init__(self, taken: Taken) -> None:
        self._taken, self._heard = taken, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one by its methods alone

    def data_received(self, data: bytes) -> None:
        self._heard += data
        while (head := self._heard.find(b"\r\n\r\n")) >= 0:
            at = self._heard[:head].lower().find(b"content-length: ")
            length = int(self._heard[at + 16 : self._heard.index(b"\r", at)]) if at >= 0 else 0
            if len(self._heard) < head + 4 + length:
                return
            self._heard = self._heard[head + 4 + length :]
            self._taken.one()
            if self._taken.wait:
                asyncio.get_running_loop().call_later(self._taken.wait, self._transport.write, ANSWER)
            else:
                self._transport.write(ANSWER)


async def main() -> None:
    taken, loop = Taken(float(sys.argv[1])), asyncio.get_running_loop()
    server = await loop.create_server(lambda: Line(taken), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while asked := await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps({"count": taken.count, "times": taken.times[-int(asked) :]}), flush=True)


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
