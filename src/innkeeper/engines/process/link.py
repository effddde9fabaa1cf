"""The engine's line to its spawner: finds or starts it, asks and listens. Called by ``engine.py``."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import msgspec

from innkeeper.engines import companion
from innkeeper.engines.base import HostUnavailable

from . import wire

log = logging.getLogger(__name__)

_PATIENCE = 5.0  # seconds for a spawner to answer
_TRIES = 8

_encode = msgspec.json.Encoder().encode
_decode: Callable[[bytes], wire.Message] = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """The spawner's answer to what it cannot do; ``again`` says whether trying again may help."""

    text: str
    again: bool


class Link(asyncio.Protocol):
    """One connection. ``heard`` is called with each message that holds a report, ``lost`` once the connection is.

    Nothing here is a task: what the spawner says is taken apart where it arrives, and what is asked in one turn of the
    event loop leaves in one piece.
    """

    def __init__(
        self, run: Path, options: wire.Message, heard: Callable[[wire.Message], None], lost: Callable[[], None]
    ) -> None:
        self._run, self._options, self._heard, self._lost = run, options, heard, lost
        self._loop = asyncio.get_running_loop()
        self._asked: dict[int, asyncio.Future[wire.Message]] = {}
        self._count = 0
        self._rest = b""
        self._out: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._hello: asyncio.Future[wire.Message] | None = None
        self._closed = asyncio.Event()
        self._taken = False  # whether its end is news

    async def open(self) -> wire.Message:
        """Connect, to a spawner started for it if need be; its hello. Raises :class:`HostUnavailable`."""
        async with asyncio.timeout(_PATIENCE * 4):
            for _ in range(_TRIES):
                hello = await self._connect()
                if hello is None:
                    await asyncio.to_thread(self._start_spawner)
                elif hello["version"] == wire.VERSION:
                    self._taken = True
                    if self._transport is None:  # it went while we took note
                        self._loop.call_soon(self._lost)
                    return hello
                else:
                    log.info("the spawner speaks version %s; it hands over to a new one", hello["version"])
                    await self._send_away()
        raise HostUnavailable(f"no spawner answers in {self._run}; see {self._run / 'spawner.log'}")

    async def close(self) -> None:
        """Hang up. ``lost`` is not called."""
        self._taken = False
        if self._transport is not None:
            self._transport.close()
            await self._closed.wait()

    async def ask(self, verb: str, **body: Any) -> wire.Message:
        """Ask and wait for the answer. Raises :class:`Refused` and :class:`HostUnavailable`."""
        if self._transport is None:
            raise HostUnavailable("the spawner is gone")
        self._count += 1
        number = self._count
        body["do"], body["n"] = verb, number
        line = _encode(body)
        answer: asyncio.Future[wire.Message] = self._loop.create_future()
        self._asked[number] = answer
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(line)
        try:
            message = await answer
        finally:
            self._asked.pop(number, None)
        if "error" in message:
            raise Refused(message["error"], message["again"])
        return message

    # -- called by the event loop ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass
        self._rest, self._hello = b"", self._loop.create_future()
        self._closed.clear()

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data if self._rest else data).split(b"\n")
        for line in lines:
            message = _decode(line)
            if "report" in message:  # also those in an answer, so that none overtakes another
                self._heard(message)
            if "re" in message:
                answer = self._asked.get(message["re"])
                if answer is not None and not answer.done():
                    answer.set_result(message)
            elif "hello" in message and self._hello is not None and not self._hello.done():
                self._hello.set_result(message["hello"])

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._transport = None
        self._out.clear()
        self._closed.set()
        if self._hello is not None and not self._hello.done():
            self._hello.cancel()
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(HostUnavailable("the spawner is gone"))
        if self._taken:
            self._taken = False
            self._lost()

    # ------------------------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        out, self._out = self._out, []
        if self._transport is not None and out:
            out.append(b"")
            self._transport.write(b"\n".join(out))

    async def _connect(self) -> wire.Message | None:
        """Its hello, or None when nobody answers."""
        # A socket's path may have 108 bytes at most; by way of an open folder it is short wherever the folder is.
        folder = os.open(self._run, os.O_RDONLY | os.O_DIRECTORY)
        try:
            await self._loop.create_unix_connection(lambda: self, f"/proc/self/fd/{folder}/{wire.SOCKET}")
        except (FileNotFoundError, ConnectionError):
            return None
        finally:
            os.close(folder)
        assert self._hello is not None
        done, _ = await asyncio.wait([self._hello], timeout=_PATIENCE)
        if done and not self._hello.cancelled():
            return self._hello.result()
        await self.close()
        return None

    async def _send_away(self) -> None:
        self._out.append(_encode({"do": "leave", "n": 0}))
        self._flush()
        await self.close()

    def _start_spawner(self) -> None:
        """In a thread: start it, and return when it answers."""
        options = self._options | {"run": str(self._run), "owner": os.getpid()}
        companion.start("innkeeper.engines.process.spawner", options, self._run / "spawner.log", site=False)
