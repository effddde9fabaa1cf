"""Verbs on apps. Called by the doors; the secret is opened for player logins and for a server's environment."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from innkeeper.db.database import Database, Duplicate
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import Invalid, NotFound, Taken
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import Box

from .model import App, LoginRules, Service
from .plans import Details
from .queries import apps as queries
from .queries.labels import end_app

_encode = msgspec.json.Encoder().encode

#: Of a secret that is brought along.
FEWEST_CHARACTERS, MOST_CHARACTERS = 8, 500


class Apps:
    """Create, find, change and delete apps."""

    def __init__(self, db: Database, clock: Clock, chance: Chance, box: Box, bell: Bell) -> None:
        self._db, self._clock, self._chance, self._box, self._bell = db, clock, chance, box, bell
        self._secrets: dict[str, str] = {}
        self._changes = 0  # counts how often something had to be forgotten

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
        details: Details | None = None,
    ) -> App:
        """A new app, with an id and a secret of its own unless it brings them along.

        An app of the organisation that was deleted and has the id comes back, with its history and its releases. Raises
        Taken for a name or id that another app has, Invalid for a secret that is none.
        """
        app_id = app_id or f"app-{self._chance.uuid()}"
        sealed = self._sealed(app_id, secret)
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
            None if details is None else _encode(details).decode(),
        )
        made = await self._unique(self._db.write(queries.add_app, app), name)
        self._forget(app_id)
        return made

    async def get(self, org_id: str, app_id: str) -> App:
        """One app. Raises NotFound."""
        return await self._db.read(queries.app, org_id, app_id)

    async def named(self, org_id: str, name: str) -> App:
        """One app by its name, which no other living app of the organisation has. Raises NotFound."""
        return await self._db.read(queries.named_app, org_id, name)

    async def page(self, org_id: str, skip: int, most: int) -> tuple[list[App], int]:
        """Some of the organisation's apps, the newest first, and how many there are."""
        return await self._db.read(queries.page_of_apps, org_id, skip, most)

    async def revise(self, org_id: str, name: str, new_name: str | None, revise: Callable[[Details], Details]) -> App:
        """Rename an app (None: it keeps its name), and have a pure function say what else is said of it.

        Raises NotFound, Taken.
        """
        changed = self._db.write(queries.change_named_app, org_id, name, new_name, revise, self._clock.now())
        return await self._unique(changed, new_name or "")

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
        changed = self._db.write(queries.change_app, org_id, app_id, name, login_text, service_text, self._clock.now())
        app = await self._unique(changed, name or "")
        self._bell.ring()
        return app

    async def delete(self, org_id: str, app_id: str, by: str) -> None:
        """End an app: its rooms and servers end, its name is free again."""
        await self._db.write(end_app, org_id, app_id, by, self._clock.now())
        self._forget(app_id)
        self._bell.ring()

    async def set_secret(self, org_id: str, app_id: str, secret: str | None = None) -> App:
        """Have another secret sign an app's player tokens: this one, or one that is made up. Raises NotFound, Invalid.

        Logins that the one before has signed are over at once. Servers that run were told that one, and keep it.
        """
        app = await self._db.write(queries.set_secret, org_id, app_id, self._sealed(app_id, secret))
        self._forget(app_id)
        return app

    async def login_rules(self, app_id: str) -> LoginRules:
        """Which logins an app allows, for players, who have no token yet. Raises NotFound."""
        app = await self._db.read(queries.public_app, app_id)
        if app is None:
            raise NotFound(f"there is no app {app_id}")
        return msgspec.json.decode(app.login, type=LoginRules)

    async def secret(self, app_id: str) -> str:
        """The secret that an app's player tokens are signed with. Raises NotFound.

        Remembered once read, until it is changed here; whether the app still lives is asked by the verb that follows.
        """
        known = self._secrets.get(app_id)
        if known is not None:
            return known
        changes = self._changes
        app = await self._db.read(queries.public_app, app_id)
        if app is None:
            raise NotFound(f"there is no app {app_id}")
        secret = self.secret_of(app)
        if len(self._secrets) > 10_000:
            self._secrets.clear()
        if changes == self._changes:  # else what was changed between the look and now may have been this very one
            self._secrets[app_id] = secret
        return secret

    def secret_of(self, app: App) -> str:
        """The same from a row that was read already."""
        return self._box.open(app.secret_sealed, place=app.id)

    def _sealed(self, app_id: str, secret: str | None) -> str:
        secret = f"secret-{self._chance.uuid()}" if secret is None else checked_secret(secret)
        return self._box.seal(secret, place=app_id)

    def _forget(self, app_id: str) -> None:
        self._changes += 1
        self._secrets.pop(app_id, None)

    async def _unique(self, writing: Coroutine[Any, Any, App], name: str) -> App:
        try:
            return await writing
        except Duplicate:
            raise Taken(f"the organisation has an app named {name} already") from None


def checked_secret(secret: str) -> str:
    """A secret that somebody brings along, as it is. Raises Invalid for what would sign tokens that anybody can forge,
    and for blanks around it, which come of copying and which no backend has."""
    if secret != secret.strip() or not FEWEST_CHARACTERS <= len(secret) <= MOST_CHARACTERS:
        raise Invalid(
            f"appSecret: must have from {FEWEST_CHARACTERS} to {MOST_CHARACTERS} characters, without blanks around them"
        )
    return secret


def login_of(app: App) -> LoginRules:
    """Which logins an app allows."""
    return msgspec.json.decode(app.login, type=LoginRules)


def service_of(app: App) -> Service | None:
    """An app's standing orders, if it has any."""
    return None if app.service is None else msgspec.json.decode(app.service, type=Service)


def _service_text(service: Service | None) -> str | None:
    return None if service is None else _encode(service).decode()
