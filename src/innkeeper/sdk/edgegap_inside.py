"""A deployment seen by the program that runs in it. Made by ``Edgegap.inside`` and ``AsyncEdgegap.inside``.

The environment holds two addresses, each with a secret of its own: one to read and tag the deployment, one to stop it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from innkeeper.contract.edgegap.context import ContextTagPayload
from innkeeper.contract.errors import Gone

if TYPE_CHECKING:
    from typing import Self

    from innkeeper.contract.edgegap.context import ContextDeploymentTagResponse
    from innkeeper.contract.edgegap.words import Deployment
    from innkeeper.contract.resource import Options

    from .edgegap import AsyncEdgegap, Edgegap

_CONTEXT = re.compile(r"(https?://.+?)/+v1/context/([^/?#]+)/([^/?#]+)/*")
_STOP = re.compile(r"(https?://.+?)/+v1/self/stop/([^/?#]+)/([^/?#]+)/*")


class Door(NamedTuple):
    """One of the addresses, taken apart."""

    server: str  #: the base URL
    request_id: str
    #: The number at the end. Sent as it was given, also where it is none.
    number: Any
    secret: str

    @property
    def options(self) -> Options:
        """How a call goes through it."""
        return {"server": self.server, "token": self.secret}


class Doors(NamedTuple):
    """What a deployment was given; at least one of the two."""

    context: Door | None
    stop: Door | None

    @property
    def server(self) -> str:
        """A base URL for the client."""
        door = self.context or self.stop
        assert door is not None
        return door.server

    def to_context(self) -> Door:
        """Raises ``ValueError`` where there is none."""
        return self.context or _missing("CONTEXT")

    def to_stop(self) -> Door:
        """Raises ``ValueError`` where there is none."""
        return self.stop or _missing("DELETE")


def doors(environ: Mapping[str, str]) -> Doors:
    """Read the environment. Raises ``ValueError`` where no address is set, or one is not what it should be."""
    found = Doors(_door(environ, "CONTEXT", _CONTEXT), _door(environ, "DELETE", _STOP))
    return found if found.context or found.stop else _missing("CONTEXT")


def _door(environ: Mapping[str, str], which: str, shape: re.Pattern[str]) -> Door | None:
    url, secret = environ.get(f"ARBITRIUM_{which}_URL"), environ.get(f"ARBITRIUM_{which}_TOKEN")
    if not url or not secret:
        return None
    match = shape.fullmatch(url)
    if match is None:
        raise ValueError(f"ARBITRIUM_{which}_URL is {url!r}, which is not an address that a deployment is given")
    return Door(match[1], match[2], match[3], secret)


def _missing(which: str) -> Any:
    raise ValueError(
        f"ARBITRIUM_{which}_URL and ARBITRIUM_{which}_TOKEN are not set: they are in the environment of a program that "
        "runs in a deployment. To try a program elsewhere, set them to those of a deployment"
    )


class Inside:
    """The deployment that this program runs in. Use it with ``with``, or ``close`` it when done."""

    def __init__(self, doors: Doors, client: Edgegap) -> None:
        self._doors, self._client = doors, client

    def context(self) -> Deployment:
        """How the deployment stands, where it runs and where players connect."""
        door = self._doors.to_context()
        return self._client.context.get_context.options(**door.options)(door.request_id, door.number)

    def add_tag(self, name: str) -> ContextDeploymentTagResponse:
        """Add a tag, by which the deployment is found. Raises :class:`Conflict` where it has that tag."""
        door = self._doors.to_context()
        call = self._client.context.add_context_tag.options(**door.options)
        return call(ContextTagPayload(name=name), door.request_id, door.number)

    def remove_tag(self, name: str) -> None:
        """Take a tag away. Raises :class:`NotFound` where it has no such tag."""
        door = self._doors.to_context()
        self._client.context.remove_context_tag.options(**door.options)(door.request_id, door.number, name)

    def stop(self) -> None:
        """Have the deployment stopped: this program gets a SIGTERM soon. One that is being stopped is no error."""
        door = self._doors.to_stop()
        with suppress(Gone):
            self._client.deployments.stop_deployment_from_inside.options(**door.options)(door.request_id, door.number)

    def close(self) -> None:
        """Let go of all connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class AsyncInside:
    """The same, awaited. Use it with ``async with``, or ``close`` it when done."""

    def __init__(self, doors: Doors, client: AsyncEdgegap) -> None:
        self._doors, self._client = doors, client

    async def context(self) -> Deployment:
        """How the deployment stands: see :meth:`Inside.context`."""
        door = self._doors.to_context()
        return await self._client.context.get_context.options(**door.options)(door.request_id, door.number)

    async def add_tag(self, name: str) -> ContextDeploymentTagResponse:
        """Add a tag: see :meth:`Inside.add_tag`."""
        door = self._doors.to_context()
        call = self._client.context.add_context_tag.options(**door.options)
        return await call(ContextTagPayload(name=name), door.request_id, door.number)

    async def remove_tag(self, name: str) -> None:
        """Take a tag away: see :meth:`Inside.remove_tag`."""
        door = self._doors.to_context()
        await self._client.context.remove_context_tag.options(**door.options)(door.request_id, door.number, name)

    async def stop(self) -> None:
        """Have the deployment stopped: see :meth:`Inside.stop`."""
        door = self._doors.to_stop()
        call = self._client.deployments.stop_deployment_from_inside.options(**door.options)
        with suppress(Gone):
            await call(door.request_id, door.number)

    async def close(self) -> None:
        """Let go of all connections."""
        await self._client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()
