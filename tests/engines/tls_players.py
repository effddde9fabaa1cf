"""A player who speaks TLS by hand: who can say its last word and go on listening, and knows a cut from an end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from pathlib import Path

from innkeeper.engines.tls.identity import Identity


class CutOff(Exception):
    """The connection ended, and TLS had not said so."""


def trusting(identity: Identity) -> ssl.SSLContext:
    """A player's rules, as strict as they come, that trust this certificate alone."""
    context = ssl.create_default_context(cadata=identity.chain)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


class Player:
    """One connection."""

    def __init__(self, plain: socket.socket, context: ssl.SSLContext, name: str) -> None:
        self.socket = plain
        self._loop = asyncio.get_running_loop()
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)

    @classmethod
    async def dial(
        cls, port: int, context: ssl.SSLContext, *, host: str = "127.0.0.1", receive_buffer: int = 0
    ) -> Player:
        """Connect and shake hands."""
        plain = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        if receive_buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.setblocking(False)
        player = cls(plain, context, host)
        try:
            async with asyncio.timeout(10):
                await player._loop.sock_connect(plain, (host, port))
                while True:
                    try:
                        player.tls.do_handshake()
                        break
                    except ssl.SSLWantReadError:
                        await player._flush()
                        await player._take()
                await player._flush()
        except BaseException:
            plain.close()
            raise
        return player

    async def send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self.tls.write(view[: 1 << 16]) :]
            await self._flush()

    async def receive(self, most: int = 1 << 16) -> bytes:
        """What comes; nothing where the other side has said its last word. Raises :class:`CutOff`."""
        while True:
            try:
                return self.tls.read(most)
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLWantReadError:
                await self._take()

    async def receive_all(self) -> bytes:
        pieces: list[bytes] = []
        while piece := await self.receive():
            pieces.append(piece)
        return b"".join(pieces)

    async def say_end(self) -> None:
        """The last word. It can go on listening."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        await self._flush()

    async def raw(self, data: bytes) -> None:
        """Bytes past TLS."""
        await self._loop.sock_sendall(self.socket, data)

    def close(self) -> None:
        self.socket.close()

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await self._loop.sock_sendall(self.socket, self._outgoing.read())

    async def _take(self) -> None:
        try:
            async with asyncio.timeout(30):
                data = await self._loop.sock_recv(self.socket, 1 << 18)
        except ConnectionError:
            data = b""
        if not data:
            raise CutOff
        self._incoming.write(data)


def no_secrets(folder: Path, identity: Identity, pid: int) -> None:
    """Nothing of a key is in what the terminator leaves in its folder, nor in its command line and environment."""
    lines = [line for line in identity.key.splitlines() if line and "---" not in line]
    texts = [path.read_bytes() for path in folder.iterdir() if path.is_file() and not path.name.startswith("self-")]
    for name in ("cmdline", "environ"):
        with contextlib.suppress(PermissionError):  # nobody but root may look at all
            texts.append(Path(f"/proc/{pid}/{name}").read_bytes())
    assert not [line for line in lines for text in texts if line.encode() in text]
