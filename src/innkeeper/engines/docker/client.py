# pyright: reportPrivateUsage=false
"""Speaks to one container engine: by which way, until when, and what its failures mean. For ``engine`` and ``images``.

Used so:

    client = Client(Endpoint("unix:///var/run/docker.sock"))
    await client.open()
    async with client.call("looking at an image"):
        await client.docker.images.inspect(name)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Literal

import aiohttp
from aiodocker import Docker
from aiodocker.exceptions import DockerError

from innkeeper.engines.base import HostUnavailable

from .endpoint import Endpoint

__all__ = ["CREATE_SECONDS", "SECONDS", "START_SECONDS", "Client", "DockerError", "Endpoint", "Kind"]

Kind = Literal["docker", "podman"]

#: Seconds that an engine has for an answer.
SECONDS = 15.0
CREATE_SECONDS = 30.0
START_SECONDS = 60.0
_CONNECT_SECONDS = 5.0
#: What aiodocker says when there is no connection.
_NO_CONNECTION = 900


class Client:
    """A line to one engine. ``open`` may be called at any time: what is under way goes on."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.kind: Kind = "docker"  #: what it is; known once opened, as are those below
        self.version = ""  #: of the engine, as it says itself: ``20.10.24``
        self.architecture = ""  #: of the machine, as engines spell it: ``amd64``, ``arm64``
        self._server = ""  # what it called itself when it told what it is
        self._docker: Docker | None = None
        self._connector: aiohttp.BaseConnector | None = None

    async def open(self) -> None:
        """Reach the engine and ask what it is. Raises :class:`HostUnavailable`."""
        fresh = self._docker is None
        if self._docker is None:
            self._connector, url = self._connect()
            self._docker = Docker(
                url=url,
                connector=self._connector,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
            )
        try:
            await self._greet(self._docker)
        except BaseException as error:
            if fresh:
                await self.close()
            if isinstance(error, DockerError):
                told = str(error.message).strip()
                if "<" in told or "\n" in told:  # a page, of a server that is none
                    told = f"it answers with status {error.status}"
                raise HostUnavailable(f"{self.endpoint.url} is no container engine: {told}") from None
            raise

    async def _greet(self, docker: Docker) -> None:
        """Ask what it is; in full only if that is not known: Podman takes a second to tell."""
        async with self.call("asking who it is"):
            async with docker._query("_ping", versioned_api=False) as response:
                await response.read()
                server = response.headers.get("Server", "")
            if server and server == self._server:
                return
            version = await docker._query_json("version", versioned_api=False)
        names = {str(component.get("Name", "")) for component in version.get("Components") or ()}
        self.kind = "podman" if any("podman" in name.lower() for name in names) else "docker"
        self.version, self.architecture = str(version.get("Version", "")), str(version.get("Arch", ""))
        docker.api_version = f"v{version['ApiVersion']}"
        self._server = server

    async def close(self) -> None:
        """Hang up."""
        self._server = ""
        docker, self._docker = self._docker, None
        connector, self._connector = self._connector, None
        if docker is not None:
            await docker.close()
        if connector is not None:
            await connector.close()

    @property
    def docker(self) -> Docker:
        """The engine in aiodocker's words; to be used inside :meth:`call`. Raises :class:`HostUnavailable`."""
        if self._docker is None:
            raise HostUnavailable(f"{self.endpoint.url} is not connected")
        return self._docker

    @asynccontextmanager
    async def call(self, doing: str, seconds: float | None = SECONDS) -> AsyncGenerator[None]:
        """What is asked inside has so many seconds (None: no end); :class:`HostUnavailable` when no answer comes.

        A refusal by the engine stays a ``DockerError`` with its ``status`` and ``message``: what it means is known by
        who asked. ``doing`` is for the text of errors. Inside is nothing but talk with the engine: a file that cannot
        be written there would be taken for a broken connection.
        """
        deadline = asyncio.timeout(seconds)
        try:
            async with deadline:
                yield
        except TimeoutError as error:
            late = f"within {seconds:g} s" if deadline.expired() else "in time"
            raise HostUnavailable(f"{self.endpoint.url} did not answer {late}, {doing}") from error
        except DockerError as error:
            if error.status == _NO_CONNECTION:
                raise HostUnavailable(f"{self.endpoint.url} cannot be reached: {_reason(error)}") from None
            raise
        except (aiohttp.ClientError, OSError) as error:
            raise HostUnavailable(f"the connection to {self.endpoint.url} broke, {doing}: {_reason(error)}") from error

    def _connect(self) -> tuple[aiohttp.BaseConnector, str]:
        """The connector and the base of URLs. Connections have no limit: each stream holds one."""
        endpoint = self.endpoint
        parts = endpoint.parts
        if parts.scheme == "unix":
            return aiohttp.UnixConnector(parts.path, limit=0), "unix://localhost"
        if parts.scheme == "ssh":
            try:
                from .ssh import SSHConnector
            except ImportError:
                raise HostUnavailable(
                    f"{endpoint.url} needs SSH, which is not installed: pip install 'innkeeper[ssh]'"
                ) from None
            return SSHConnector(endpoint), "unix://localhost"
        if endpoint.uses_tls:
            try:
                context = endpoint.context()
            except ValueError as error:
                raise HostUnavailable(str(error)) from None
            return aiohttp.TCPConnector(ssl=context, limit=0), f"https://{parts.netloc}"
        return aiohttp.TCPConnector(limit=0), f"http://{parts.netloc}"


def _reason(error: BaseException) -> str:
    """Why there is no connection, without the libraries' words around it."""
    cause = error.__cause__ or error.__context__ or error if isinstance(error, DockerError) else error
    if isinstance(cause, aiohttp.ClientConnectorCertificateError):
        cause = cause.certificate_error
    elif isinstance(cause, aiohttp.ClientConnectorError):
        cause = cause.os_error
    return (cause.strerror if isinstance(cause, OSError) else None) or str(cause) or type(cause).__name__
