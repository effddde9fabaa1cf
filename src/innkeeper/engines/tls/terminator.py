"""The helper program that ends TLS, outliving the Innkeeper that started it, so that a restart throws no player out.

Started by ``link.py``; listens on a unix socket in DATA/tls; one of it at most serves a data folder (a file lock sees
to that). It keeps nothing on disk: killed, it loses its connections, and Innkeeper gives the next one the same table.
It leaves when there has been no Innkeeper for a while and nothing that it serves is there: see :func:`_is_idle`.

The verbs are in ``wire.py``.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import signal
import socket
import ssl
import sys
from pathlib import Path
from typing import Any

import msgspec

from innkeeper.engines import companion

from . import privileges, wire
from .listening import Listening

log = logging.getLogger("innkeeper-tls")

_decode = msgspec.json.Decoder(wire.Ask).decode
_encode = msgspec.json.Encoder().encode
#: Without an Innkeeper, and without players, the backends are looked at after so long, and then so often, in seconds.
_LOOKS = 600.0
_PROBE = 2.0


class Terminator:
    """Answers Innkeepers, and has :class:`Listening` do the work. The working directory is DATA/tls."""

    def __init__(self, lock: int, linger: float) -> None:
        self._lock, self._linger = lock, linger
        self._listening = Listening()
        self._identity = ""
        self._innkeepers = 0
        self._retired = False
        self._done = asyncio.Event()
        self._changing = asyncio.Lock()

    async def run(self, door: socket.socket, ready: int) -> None:
        """Until there is nothing to do for a while, or SIGTERM. Tells ``ready``, a pipe, once it answers."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._done.set)
        self._door = await asyncio.start_unix_server(self._talk, sock=door, limit=wire.LONGEST)
        os.write(ready, b"1")
        os.close(ready)
        idle = asyncio.create_task(self._watch_idleness())
        await self._done.wait()
        idle.cancel()
        self._door.close()
        self._listening.cut()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._innkeepers += 1
        try:
            _say(writer, wire.Said(hello=wire.Hello(wire.VERSION, os.getpid(), self._identity)))
            while line := await reader.readline():
                ask = _decode(line)
                try:
                    async with self._changing:
                        answer = await self._do(ask)
                except (OSError, ValueError) as error:  # ssl.SSLError is an OSError; none of them quotes a key
                    answer = wire.Said(re=ask.n, error=str(error))
                _say(writer, answer)
                await writer.drain()
        except (OSError, ValueError) as error:
            log.warning("an Innkeeper was hung up on: %s", type(error).__name__)  # its words may have a key in them
        finally:
            self._innkeepers -= 1
            writer.close()

    async def _do(self, ask: wire.Ask) -> wire.Said:
        if ask.do == "identify":
            self._listening.context = context_of(ask.chain, ask.key)
            self._identity = digest(ask.chain, ask.key)
        elif ask.do == "serve" and ask.table is not None and not self._retired:
            return wire.Said(re=ask.n, refused=await self._listening.serve(ask.table))
        elif ask.do == "retire":
            self._retire()
        else:
            return wire.Said(re=ask.n, error=f"there is no {ask.do!r} here")
        return wire.Said(re=ask.n)

    def _retire(self) -> None:
        """A successor takes the socket and the ports. We stay until the last player has left."""
        if not self._retired:
            self._retired = True
            self._door.close()
            os.close(self._lock)
            self._listening.retire()

    async def _watch_idleness(self) -> None:
        """Look after ``linger`` seconds without an Innkeeper and without players, and now and then from then on."""
        quiet = 0.0
        looked = float("-inf")
        while True:
            await asyncio.sleep(self._linger / 4)
            now = asyncio.get_running_loop().time()
            if self._listening.players or (self._innkeepers and not self._retired):
                quiet = now
                looked = float("-inf")
            elif now - (quiet := quiet or now) >= self._linger and now - looked >= _LOOKS:
                looked = now
                if self._retired or await self._is_idle():
                    self._done.set()

    async def _is_idle(self) -> bool:
        """Whether none of the games is there any more: their Innkeeper was ended for good, and then they were."""
        for backend in self._listening.routes.values():
            try:
                async with asyncio.timeout(_PROBE):
                    _, writer = await asyncio.open_connection(backend.host, backend.port)
                writer.close()
            except (OSError, TimeoutError):
                continue
            return False
        return True


def context_of(chain: str, key: str) -> ssl.SSLContext:
    """For new connections. Raises :class:`ssl.SSLError` for what does not fit together."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    # The library reads files only; this one is in memory, and nobody else's.
    held = os.memfd_create("identity", os.MFD_CLOEXEC)
    try:
        os.write(held, f"{key}\n{chain}".encode())
        context.load_cert_chain(f"/proc/self/fd/{held}", password=lambda: b"")
    finally:
        os.close(held)
    return context


def digest(chain: str, key: str) -> str:
    """What two Innkeepers compare, to know whether the terminator has this certificate already."""
    return hashlib.sha256(f"{key}\0{chain}".encode()).hexdigest()


def _say(writer: asyncio.StreamWriter, message: wire.Said) -> None:
    writer.write(_encode(message) + b"\n")


def _loop() -> asyncio.AbstractEventLoop:
    """The event loop, with all that it would import later on: once it is nobody, it may not be able to."""
    import concurrent.futures.thread
    import encodings.idna  # names of hosts

    assert concurrent.futures.thread, encodings.idna
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def main(argument: str) -> None:
    """Become the terminator of a folder, unless there is one. Returns, in the first process, once it answers."""
    options: dict[str, Any] = json.loads(argument)
    lock, ready = companion.become(options["folder"], wire.LOCK)
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(ignored, signal.SIG_IGN)
    way = Path(wire.SOCKET)
    way.unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.bind(wire.SOCKET)
    way.chmod(0o600)
    door.listen(16)
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(message)s", level=logging.WARNING)
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of writes to those who have left
    privileges.name_process("innkeeper-tls")
    with asyncio.Runner(loop_factory=_loop) as runner:
        runner.get_loop()
        note = privileges.give_up()
        if note:
            log.warning("%s", note)
        runner.run(_serve(lock, options["linger"], door, ready))


async def _serve(lock: int, linger: float, door: socket.socket, ready: int) -> None:
    await Terminator(lock, linger).run(door, ready)
