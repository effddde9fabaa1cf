"""What matchmaking needs of servers. ``inn.py`` hands it in; called by ``matches.py`` and ``programs.py``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Door:
    """How a port of a server is reached."""

    name: str
    inside: int  #: what the program listens on
    address: str  #: ``host:port``


@dataclass(frozen=True, slots=True)
class Ground:
    """A server as matchmaking sees it."""

    id: str
    ready: bool = False  #: players can connect
    over: str | None = None  #: why it is over, or never came up; None while it may still be ready
    doors: Sequence[Door] = field(default_factory=tuple[Door])

    def address(self, port: str) -> str | None:
        """Where the port of this name or number is reached; of the first one, where none is named."""
        for door in self.doors:
            if not port or port in (door.name, str(door.inside)):
                return door.address
        return None


@dataclass(frozen=True, slots=True)
class Image:
    """What a component's server runs."""

    registry: str
    image: str
    tag: str
    login: tuple[str, str] | None


class Grounds(Protocol):
    """Wants servers, and tells how they are."""

    async def start(
        self,
        org_id: str,
        app: str,
        label: str | None,
        *,
        mark: str,
        players: Sequence[str],
        env: Sequence[tuple[str, str]],
        tags: Sequence[str],
    ) -> str:
        """Want a server near the players, and its id. Asked again with the same ``mark`` it is the same server.

        Raises NotFound, Invalid, LimitReached, Unavailable.
        """
        ...

    async def find(self, org_id: str, mark: str) -> str | None:
        """The id of the server that was started with a mark; None where none was."""
        ...

    async def look(self, server_ids: Sequence[str]) -> Mapping[str, Ground]:
        """How servers are. One that is forgotten is not among them."""
        ...

    async def stop(self, org_id: str, server_id: str, reason: str) -> None:
        """Have a server end; one that has ended already stays so."""
        ...

    async def prepare(self, org_id: str, app: str, label: str, image: Image, port: int, awaited: bool) -> None:
        """Have a label of an app run an image, which listens on ``port``. Makes app and label if need be.

        ``awaited``: a server of it is ready only once the port is bound. Raises Invalid, Taken, Unobtainable,
        LimitReached.
        """
        ...

    async def close(self, org_id: str, app: str) -> None:
        """Delete an app, where it is there: its servers end."""
        ...
