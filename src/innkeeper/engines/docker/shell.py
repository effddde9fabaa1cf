"""Has a shell inside a container read which sockets there are, where they cannot be seen from outside.

Called by ``readiness.py`` (one shell, asked again and again) and ``usage.py``. The shell needs nothing but itself:
every command of it is built in. An image without ``/bin/sh`` has :class:`NoShell`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from aiodocker.stream import Stream

from innkeeper.engines.base import Port, Transport

from .client import SECONDS, Client, DockerError
from .nets import Socket, read_line

#: A line for each socket that serves or (TCP) is connected, and ``.`` at the end. Asked by an empty line.
_SCRIPT = """while read -r go; do for f in FILES; do { while read -r n l r s x; do case $f$s in
udp*|tcp*0A|tcp*01) echo "$f $l $s";; esac; done </proc/net/$f; } 2>/dev/null; done; echo .; done"""

Decide = Callable[..., Collection[Port]]


class NoShell(Exception):
    """The image has no shell, or it does not work. The text says what came of it."""


class Shell:
    """One shell in one container. ``close`` it."""

    def __init__(self, client: Client, container: str, *, own_network: bool, decide: Decide | None = None) -> None:
        self._client, self._container, self._own_network, self._decide = client, container, own_network, decide
        self._stream: Stream | None = None
        self._rest = b""
        self._answered = False

    async def bound(self, ports: Sequence[Port]) -> Collection[Port]:
        """Which of the ports are bound. Raises :class:`NoShell` and what :meth:`Client.call` raises."""
        assert self._decide is not None
        sockets = await self.sockets({port.transport for port in ports})
        return self._decide(ports, sockets, own_network=self._own_network, own=None)

    async def sockets(self, transports: Collection[Transport]) -> list[Socket]:
        """The sockets of these transports; the same at each call."""
        async with self._client.call("looking into a container", SECONDS):
            if self._stream is None:
                self._stream = await self._begin(transports)
            await self._stream.write_in(b"\n")
            found: list[Socket] = []
            while True:
                line = await self._line()
                if line == ".":
                    self._answered = True
                    return found
                name, *rest = line.split()
                fields = ["", *rest[:1], "", *rest[1:]]
                if name.startswith(("udp", "tcp")) and (one := read_line(Transport(name[:3]), fields)):
                    found.append(one)

    async def close(self) -> None:
        """End it: it reads the end of its input."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.close()

    async def _begin(self, transports: Collection[Transport]) -> Stream:
        files = " ".join(f"{transport.value} {transport.value}6" for transport in sorted(transports))
        container = self._client.docker.containers.container(self._container)
        try:
            process = await container.exec(["/bin/sh", "-c", _SCRIPT.replace("FILES", files)], stdin=True)
            stream = process.start(detach=False)
            await stream.__aenter__()
        except DockerError as error:
            if error.status in (400, 500, 501) and "not running" not in error.message:
                raise NoShell(error.message) from None
            raise
        return stream

    async def _line(self) -> str:
        assert self._stream is not None
        while b"\n" not in self._rest:
            message = await self._stream.read_out()
            if message is None:
                if self._answered:
                    raise OSError("the shell in the container ended")
                raise NoShell(self._rest.decode(errors="replace").strip() or "there is no shell in the container")
            self._rest += message.data
        line, _, self._rest = self._rest.partition(b"\n")
        text = line.decode(errors="replace").strip()
        if not self._answered and "exec failed" in text:
            raise NoShell(text)
        return text or "?"
