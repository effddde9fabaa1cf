"""Verbs on apps. Called by the doors; the secret is opened for player logins and for a server's environment."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import msgspec

from innkeeper.db.database import Database, Duplicate
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import NotFound, Taken
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import Box

from .model import App, LoginRules, Service
from .queries import apps as queries

_encode = msgspec.json.Encoder().encode


class Apps:
    """Create, find, change and delete apps."""

    def __init__(self, db: Database, clock: Clock, chance: Chance, box: Box, bell: Bell) -> None:
        self._db, self._clock, self._chance, self._box, self._bell = db, clock, chance, box, bell
        self._secrets: dict[str, str] = {}

    async def create(
        self,
        org_id: str,
        by: str,
        name: str,
        login: LoginRules,
        service: Service | None = None,
        *,
        app_id: str | None = None,
        secret: str | None = None,
    ) -> App:
        """A new app, with an id and a secret of its own unless it brings them along. Raises Taken."""
        app_id = app_id or f"app-{self._chance.uuid()}"
        sealed = self._box.seal(secret or f"secret-{self._chance.uuid()}", place=app_id)
        app = App(
            app_id,
            org_id,
            name,
            sealed,
            _encode(login).decode(),
            _service_text(service),
            self._clock.now(),
            by,
            None,
            None,
        )
        return await self._unique(self._db.write(queries.add_app, app), name)

    async def get(self, org_id: str, app_id: str) -> App:
        """One app. Raises NotFound."""
        return await self._db.read(queries.app, org_id, app_id)

    async def all(self, org_id: str) -> list[App]:
        """The organisation's apps, the newest first."""
        return await self._db.read(queries.apps, org_id)

    async def change(
        self,
        org_id: str,
        app_id: str,
        *,
        name: str | None = None,
        login: LoginRules | None = None,
        service: tuple[Service | None] | None = None,
    ) -> App:
        """Change what is given. ``service`` is a tuple of one: ``(None,)`` clears the standing orders."""
        login_text = None if login is None else _encode(login).decode()
        service_text = None if service is None else (_service_text(service[0]),)
        changed = self._db.write(queries.change_app, org_id, app_id, name, login_text, service_text)
        app = await self._unique(changed, name or "")
        self._bell.ring()
        return app

    async def delete(self, org_id: str, app_id: str, by: str) -> None:
        """End an app: its rooms and servers end, its name is free again."""
        await self._db.write(queries.delete_app, org_id, app_id, by, self._clock.now())
        self._secrets.pop(app_id, None)
        self._bell.ring()

    async def login_rules(self, app_id: str) -> LoginRules:
        """Which logins an app allows, for players, who have no token yet. Raises NotFound."""
        app = await self._db.read(queries.public_app, app_id)
        if app is None:
            raise NotFound(f"there is no app {app_id}")
        return msgspec.json.decode(app.login, type=LoginRules)

    async def secret(self, app_id: str) -> str:
        """The secret that an app's player tokens are signed with. Raises NotFound.

        Remembered once read: it never changes, and whether the app still lives is asked by the verb that follows.
        """
        known = self._secrets.get(app_id)
        if known is not None:
            return known
        app = await self._db.read(queries.public_app, app_id)
        if app is None:
            raise NotFound(f"there is no app {app_id}")
        if len(self._secrets) > 10_000:
            self._secrets.clear()
        secret = self._secrets[app_id] = self.secret_of(app)
        return secret

    def secret_of(self, app: App) -> str:
        """The same from a row that was read already."""
        return self._box.open(app.secret_sealed, place=app.id)

    async def _unique(self, writing: Coroutine[Any, Any, App], name: str) -> App:
        try:
            return await writing
        except Duplicate:
            raise Taken(f"the organisation has an app named {name} already") from None


def login_of(app: App) -> LoginRules:
    """Which logins an app allows."""
    return msgspec.json.decode(app.login, type=LoginRules)


def service_of(app: App) -> Service | None:
    """An app's standing orders, if it has any."""
    return None if app.service is None else msgspec.json.decode(app.service, type=Service)


def _service_text(service: Service | None) -> str | None:
    return None if service is None else _encode(service).decode()
