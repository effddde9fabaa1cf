"""Lobbies as the first clients know them. Declared here, answered in ``api/hathora/lobbies_v1.py``."""

from __future__ import annotations

from typing import Annotated

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, told

from . import operation
from .lobbies_v2 import Lobby
from .words import PUBLIC_READ, WRITE, AppId, Region

Local = Annotated[bool, told(default=False)]
_CREATE = (400, 402, *WRITE)


class LobbiesV1(Resource[M]):
    """Lobbies, as the first clients create and find them: a room's id and nothing else."""

    @operation(
        "POST", "/lobby/v1/{appId}/create/private", key="player", errors=_CREATE, id="CreatePrivateLobbyDeprecated",
        replaced_by="lobbies_v3.create_lobby",
    )  # fmt: skip
    def create_private_lobby(
        self, app_id: AppId = GLOBAL, *, local: Local | None = None, region: Region | None = None
    ) -> str:
        """Create a lobby that stands in no list, and the room in it, and tell its id.

        Without a ``region`` it is the first one that is served. With ``local`` no room is opened: its server runs on
        the developer's machine.
        """
        ...

    @operation(
        "POST", "/lobby/v1/{appId}/create/public", key="player", errors=_CREATE, id="CreatePublicLobbyDeprecated",
        replaced_by="lobbies_v3.create_lobby",
    )  # fmt: skip
    def create_public_lobby(
        self, app_id: AppId = GLOBAL, *, local: Local | None = None, region: Region | None = None
    ) -> str:
        """Create a lobby that everybody finds in the list, and the room in it, and tell its id.

        Without a ``region`` it is the first one that is served. With ``local`` no room is opened: its server runs on
        the developer's machine.
        """
        ...

    @operation(
        "GET", "/lobby/v1/{appId}/list", key="none", errors=PUBLIC_READ, id="ListActivePublicLobbiesDeprecatedV1",
        replaced_by="lobbies_v3.list_active_public_lobbies",
    )  # fmt: skip
    def list_active_public_lobbies(
        self, app_id: AppId = GLOBAL, *, local: Local | None = None, region: Region | None = None
    ) -> list[Lobby]:
        """List the public lobbies, the newest first, in one region or in all. With ``local`` those of developers."""
        ...
