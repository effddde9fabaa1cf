"""Verbs on storages: an organisation's own buckets, for output of servers that have ended and for files that they get.

Called by the doors. What is due goes into buckets by ``passes/saving.py``, and comes out of them by ``pulling.py``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from innkeeper.db.database import Database, Duplicate
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import Taken
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import Box

from .queries import saved
from .queries import storages as queries
from .queries.saved import Saved
from .storing import model
from .storing.bucket import Buckets, Trouble, Where
from .storing.model import Link, OutputForm, Profile, PullKind, SaveState, Storage

log = logging.getLogger(__name__)


class StorageChange(NamedTuple):
    """What is to be changed of a storage; None leaves it."""

    name: str | None = None
    endpoint: str | None = None
    bucket: str | None = None
    key_id: str | None = None
    secret: str | None = None
    form: OutputForm | None = None


class ProfileChange(NamedTuple):
    """What is to be changed of a pull profile; None leaves it."""

    name: str | None = None
    source: str | None = None
    kind: PullKind | None = None
    destination: str | None = None


class StorageDoor:
    """How storages are reached: with their secrets opened, and as far as their organisation may be sent."""

    def __init__(self, box: Box, buckets: Buckets, anywhere: Callable[[str], bool]) -> None:
        self._box, self.buckets, self.anywhere = box, buckets, anywhere

    def seal(self, secret: str, storage_id: str) -> str:
        """A secret as it is kept."""
        return self._box.seal(secret, storage_id)

    def where(self, storage: Storage, bucket: str | None = None) -> Where:
        """Its bucket, or another one of the same store and key."""
        secret = self._box.open(storage.secret_sealed, storage.id)
        anywhere = self.anywhere(storage.org_id)
        return Where(storage.endpoint, bucket or storage.bucket, storage.key_id, secret, anywhere)


class Storages:
    """Make, find, change and delete storages and their pull profiles; and tell where output is kept."""

    def __init__(self, db: Database, clock: Clock, chance: Chance, door: StorageDoor) -> None:
        self._db, self._clock, self._chance, self._door = db, clock, chance, door

    async def create(
        self, org_id: str, by: str, *, name: str, endpoint: str, bucket: str, key_id: str, secret: str, form: OutputForm
    ) -> Storage:
        """A new storage. Nothing is tried out: its key may get its rights later.

        Raises Invalid, Taken and LimitReached.
        """
        now, storage_id = self._clock.now(), f"store-{self._chance.uuid()}"
        new = Storage(
            storage_id, org_id, name, model.check_endpoint(endpoint, anywhere=self._door.anywhere(org_id)),
            model.check_bucket(bucket), model.check_key_id(key_id),
            self._door.seal(model.check_secret(secret), storage_id), form, now, by, now,
        )  # fmt: skip
        try:
            return await self._db.write(queries.add, new)
        except Duplicate:
            raise Taken(f"name: the organisation has an endpoint storage {name} already") from None

    async def all(self, org_id: str) -> list[Storage]:
        """The organisation's storages, by name."""
        return await self._db.read(queries.storages, org_id)

    async def get(self, org_id: str, name: str) -> Storage:
        """One storage. Raises NotFound."""
        return await self._db.read(queries.storage, org_id, name)

    async def change(self, org_id: str, name: str, change: StorageChange) -> Storage:
        """Change what is given. What waits goes to where it leads then. Raises NotFound, Invalid and Taken."""
        given: dict[str, Any] = {}
        if change.endpoint is not None:
            given["endpoint"] = model.check_endpoint(change.endpoint, anywhere=self._door.anywhere(org_id))
        if change.bucket is not None:
            given["bucket"] = model.check_bucket(change.bucket)
        if change.key_id is not None:
            given["key_id"] = model.check_key_id(change.key_id)
        if change.secret is not None:
            model.check_secret(change.secret)
        given |= {field: value for field in ("name", "form") if (value := getattr(change, field)) is not None}
        now = self._clock.now()

        def changed(before: Storage) -> Storage:
            sealed = before.secret_sealed if change.secret is None else self._door.seal(change.secret, before.id)
            return replace(before, **given, secret_sealed=sealed, changed_at=now)

        try:
            return await self._db.write(queries.change, org_id, name, changed)
        except Duplicate:
            raise Taken(f"name: the organisation has an endpoint storage {change.name} already") from None

    async def delete(self, org_id: str, name: str) -> None:
        """Forget one with its profiles. What is in the bucket stays, and what waits for it is given up. Raises
        NotFound."""
        await self._db.write(queries.delete, org_id, name, self._clock.now())

    # -- pull profiles ---------------------------------------------------------------------------------------------

    async def create_profile(
        self, org_id: str, storage: str, *, name: str, source: str, kind: PullKind, destination: str
    ) -> Profile:
        """Say what servers get of a bucket. Raises NotFound, Invalid, Taken and LimitReached."""
        model.read_source(source, kind)
        model.read_destination(destination)
        profile_id, now = f"pull-{self._chance.uuid()}", self._clock.now()

        def make(of: Storage) -> Profile:
            return Profile(profile_id, of.id, name, source, kind, destination, now, now)

        try:
            return await self._db.write(queries.add_profile, org_id, storage, make)
        except Duplicate:
            raise Taken(f"name: endpoint storage {storage} has a pull profile {name} already") from None

    async def profiles(self, org_id: str, storage: str) -> list[Profile]:
        """A storage's profiles, by name. Raises NotFound."""
        return await self._db.read(queries.profiles, org_id, storage)

    async def profile(self, org_id: str, storage: str, name: str) -> Profile:
        """One profile. Raises NotFound."""
        return await self._db.read(queries.profile, org_id, storage, name)

    async def change_profile(self, org_id: str, storage: str, name: str, change: ProfileChange) -> Profile:
        """Change what is given. Servers that start later get it so. Raises NotFound, Invalid and Taken."""
        now = self._clock.now()

        def changed(before: Profile) -> Profile:
            given = {field: value for field, value in change._asdict().items() if value is not None}
            new = replace(before, **given, changed_at=now)
            model.read_source(new.source, new.kind)
            model.read_destination(new.destination)
            return new

        return await self._db.write(queries.change_profile, org_id, storage, name, changed)

    async def delete_profile(self, org_id: str, storage: str, name: str) -> None:
        """Forget one, with its links. Raises NotFound."""
        await self._db.write(queries.delete_profile, org_id, storage, name)

    async def link(self, org_id: str, storage: str, name: str, app_name: str, label: str) -> Link:
        """Servers of a label get it from now on. Raises NotFound and LimitReached."""
        return await self._db.write(queries.link, org_id, storage, name, app_name, label, self._clock.now())

    async def unlink(self, org_id: str, storage: str, name: str, app_name: str, label: str) -> None:
        """They do not any more. Raises NotFound."""
        await self._db.write(queries.unlink, org_id, storage, name, app_name, label)

    # -- output ----------------------------------------------------------------------------------------------------

    async def keep_output(self, server_id: str, name: str | None) -> None:
        """What a server prints is kept in its organisation's storage of this name when it has ended; None: nowhere.

        Where there is no storage of that name it is kept nowhere, too.
        """
        await self._db.write(saved.keep_output, server_id, name, self._clock.now())

    async def saved(self, org_id: str, server_id: str) -> Saved | None:
        """How it stands with the output of a server; None where nobody asked for it to be kept."""
        return await self._db.read(saved.saved, org_id, server_id)

    async def link_of(self, org_id: str, server_id: str) -> str | None:
        """A URL by which anybody can read the output of a server for an hour; None where it is in no bucket (yet)."""
        found = await self.saved(org_id, server_id)
        if found is None or found.state is not SaveState.KEPT or found.storage is None or found.key is None:
            return None
        try:
            return await self._door.buckets.link(self._door.where(found.storage), found.key)
        except Trouble as trouble:
            log.info("no link to the output of server %s: %s", server_id, trouble)
            return None
