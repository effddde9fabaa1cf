"""The engine's line to its spawner: finds or starts it, asks and listens. Called by ``engine.py``."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from innkeeper.engines.base import HostUnavailable

from . import wire

log = logging.getLogger(__name__)

_PATIENCE = 5.0  # seconds for a spawner to answer
_LIMIT = 1 << 18
_TRIES = 8


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """The spawner's answer to what it cannot do; ``again`` says whether trying again may help."""

    text: str
    again: bool


class Link:
    """One connection. ``heard`` is called with each message that holds a report, ``lost`` once the connection is."""

    def __init__(
        self, run: Path, options: wire.Message, heard: Callable[[wire.Message], None], lost: Callable[[], None]
    ) -> None:
        self._run, self._options, self._heard, self._lost = run, options, heard, lost
        self._asked: dict[int, asyncio.Future[wire.Message]] = {}
        self._count = 0
        self._lines = wire.Lines()
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> wire.Message:
        """Connect, to a spawner started for it if need be; its hello. Raises :class:`HostUnavailable`."""
        async with asyncio.timeout(_PATIENCE * 4):
            for _ in range(_TRIES):
                hello, reader = await self._connect()
                if hello is None:
                    await asyncio.to_thread(self._start_spawner)
                elif hello["version"] == wire.VERSION:
                    assert reader is not None
                    self._task = asyncio.create_task(self._listen(reader))
                    return hello
                else:
                    log.info("the spawner speaks version %s; it hands over to a new one", hello["version"])
                    await self._send_away()
        raise HostUnavailable(f"no spawner answers in {self._run}; see {self._run / 'spawner.log'}")

    async def close(self) -> None:
        """Hang up. ``lost`` is not called."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self._hang_up()

    async def ask(self, verb: str, **body: Any) -> wire.Message:
        """Ask and wait for the answer. Raises :class:`Refused` and :class:`HostUnavailable`."""
        if self._writer is None:
            raise HostUnavailable("the spawner is gone")
        self._count += 1
        number = self._count
        answer: asyncio.Future[wire.Message] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        self._writer.write(wire.encode({"do": verb, "n": number} | body))
        try:
            message = await answer
        finally:
            self._asked.pop(number, None)
        if "error" in message:
            raise Refused(message["error"], message["again"])
        return message

    async def _connect(self) -> tuple[wire.Message | None, asyncio.StreamReader | None]:
        """Its hello, or None when nobody answers."""
        # A socket's path may have 108 bytes at most; by way of an open folder it is short wherever the folder is.
        folder = os.open(self._run, os.O_RDONLY | os.O_DIRECTORY)
        try:
            reader, self._writer = await asyncio.open_unix_connection(
                f"/proc/self/fd/{folder}/{wire.SOCKET}", limit=_LIMIT
            )
        except (FileNotFoundError, ConnectionError):
            return None, None
        finally:
            os.close(folder)
        try:
            async with asyncio.timeout(_PATIENCE):
                lines = wire.Lines()
                while data := await reader.read(_LIMIT):
                    messages = lines.feed(data)
                    if messages:
                        for message in messages[1:]:
                            asyncio.get_running_loop().call_soon(self._heard, message)
                        self._lines = lines
                        hello: wire.Message = messages[0]["hello"]
                        return hello, reader
        except (TimeoutError, ConnectionError):
            pass
        await self._hang_up()
        return None, None

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(_LIMIT):
                for message in self._lines.feed(data):
                    if "report" in message:  # also those in an answer, so that none overtakes another
                        self._heard(message)
                    if "re" in message:
                        answer = self._asked.get(message["re"])
                        if answer is not None and not answer.done():
                            answer.set_result(message)
        self._task = None
        await self._hang_up()
        self._lost()

    async def _hang_up(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(HostUnavailable("the spawner is gone"))

    async def _send_away(self) -> None:
        assert self._writer is not None
        self._writer.write(wire.encode({"do": "leave", "n": 0}))
        with contextlib.suppress(OSError):
            await self._writer.drain()
        await self._hang_up()

    def _start_spawner(self) -> None:
        """In a thread: start it, and return when it answers. ``posix_spawn`` shares nothing of our memory with it."""
        argument = json.dumps(self._options | {"run": str(self._run), "owner": os.getpid()})
        package = str(Path(__file__).resolve().parents[3])
        code = (
            "import sys; sys.path.append(sys.argv[1]); "
            "from innkeeper.engines.process.spawner import main; main(sys.argv[2])"
        )
        told = os.open(self._run / "spawner.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-I", "-S", "-c", code, package, argument],
                {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDWR, 0),
                    (os.POSIX_SPAWN_DUP2, 0, 1),
                    (os.POSIX_SPAWN_DUP2, told, 2),
                ],
                setsid=True,
                setsigmask=(),
                setsigdef=(),
            )
        finally:
            os.close(told)
        os.waitpid(pid, 0)  # the first of its two processes, which ends as soon as the second answers
