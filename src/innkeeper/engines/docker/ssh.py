"""Reaches an engine's socket on another machine by SSH. Used by ``client.py``; needs asyncssh.

The socket there is forwarded to one of ours. (The other way, running a command there for each connection, needs
Docker's command line on the machine, which one with Podman does not have, and servers of SSH allow ten at a time.)
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import aiohttp
import asyncssh
from aiohttp import ClientRequest, ClientTimeout
from aiohttp.connector import Connection

from .endpoint import DEFAULT_SOCKET, Endpoint

_LOGIN_SECONDS = 10.0
#: A line on which nothing comes back so often, seconds apart, is dead.
_ALIVE_SECONDS, _ALIVE_TIMES = 5.0, 2


class SSHConnector(aiohttp.UnixConnector):
    """Connections to a socket of ours that ends at the engine's. One SSH connection carries them all.

    Hosts are known and keys are found as the user's SSH client does it: a host that is not known is refused.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._folder = tempfile.TemporaryDirectory(prefix="innkeeper-ssh-")  # ours alone
        self._line: asyncssh.SSHClientConnection | None = None
        self._forward: asyncssh.SSHListener | None = None
        self._dialling = asyncio.Lock()
        super().__init__(str(Path(self._folder.name) / "engine.sock"), limit=0)

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Any],
        timeout: ClientTimeout,  # noqa: ASYNC109  as its base has it
    ) -> Connection:
        """A connection for a request; the first one logs in."""
        async with self._dialling:
            if self._line is None or self._line.is_closed():
                await self._dial()
        return await super().connect(req, traces, timeout)

    async def _dial(self) -> None:
        await self._hang_up()
        parts = self._endpoint.parts
        given: dict[str, Any] = {}
        if parts.username:
            given["username"] = parts.username
        if parts.port is not None:
            given["port"] = parts.port
        if self._endpoint.ssh_config is not None:
            given["config"] = str(self._endpoint.ssh_config)
        try:
            self._line = await asyncssh.connect(
                parts.hostname or "",
                login_timeout=_LOGIN_SECONDS,
                connect_timeout=_LOGIN_SECONDS,
                keepalive_interval=_ALIVE_SECONDS,
                keepalive_count_max=_ALIVE_TIMES,
                **given,
            )
            Path(self.path).unlink(missing_ok=True)  # noqa: ASYNC240  a name in our own folder
            self._forward = await self._line.forward_local_path(self.path, parts.path or DEFAULT_SOCKET)
        except asyncssh.Error as error:
            raise aiohttp.ClientConnectionError(f"SSH: {error.reason}") from error

    async def _hang_up(self) -> None:
        if self._forward is not None:
            self._forward.close()
            await self._forward.wait_closed()
            self._forward = None
        if self._line is not None:
            self._line.close()
            await self._line.wait_closed()
            self._line = None

    async def _end(self, closing: Awaitable[None]) -> None:
        await closing
        await self._hang_up()
        self._folder.cleanup()

    def close(self, *, abort_ssl: bool = False) -> Awaitable[None]:
        """Hang up. To be awaited."""
        return self._end(super().close(abort_ssl=abort_ssl))
