"""Verbs on labels: names of an app under which releases follow one another. Called by the doors.

What a label is to be is decided by the door that was asked (:class:`Terms`), of what it is now (:class:`Standing`);
here it becomes a release, where something changed that a release holds. An image that is not here yet is fetched in
the background, and the servers that are asked for meanwhile wait for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from innkeeper.db.database import Database, Duplicate
from innkeeper.engines.images import RegistryLogin
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import Invalid, NotFound, Unavailable
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import Box

from .builds import RUN_LIFE, Builds
from .images import Images
from .model import Build, BuildKind, BuildState, PortSpec, Release
from .plans import Label, Plan, Serving
from .queries import builds as build_queries
from .queries import labels as queries
from .queries.labels import Fetching, Overtaken, Put
from .registries import RegistrySource, login_as_text, login_of
from .releases import Releases, ports_of

_encode = msgspec.json.Encoder().encode
#: Tries to change something that others change at the same moment.
_TRIES = 50
_MOST_TAG = 1000

#: Sees that an organisation can have an image. Raises :class:`innkeeper.kit.errors.Unobtainable`.
Check = Callable[[str, RegistrySource], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A build of the organisation: the first of these names that is the id of one, or the tag of some."""

    named: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """How servers of a label are to be made from now on, and what is said of it."""

    name: str
    runs: RegistrySource | Uploaded | None  #: None: what it runs already
    cpu: float  #: processors
    memory_mb: float
    gpu: float | None
    seats: int
    ports: Sequence[PortSpec]
    env: Sequence[tuple[str, str]]
    hidden: Collection[str]  #: the variables whose values are told to nobody again
    plan: Plan
    said: str  #: JSON, in the door's own words, without secrets
    login: RegistryLogin | None
    active: bool
    check: bool  #: see that the image can be had before anything is changed


@dataclass(frozen=True, slots=True)
class Standing:
    """How a label is now, with what is sealed of it."""

    serving: Serving
    env: Mapping[str, str]
    hidden: Collection[str]  #: the variables whose values are told to nobody
    login: RegistryLogin | None = None


class Labels:
    """Make, find, change and delete labels. ``check`` looks for images where somebody wishes it."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        chance: Chance,
        box: Box,
        bell: Bell,
        releases: Releases,
        builds: Builds,
        images: Images,
        check: Check,
    ) -> None:
        self._db, self._clock, self._chance, self._box, self._bell = db, clock, chance, box, bell
        self._releases, self._builds, self._images, self._check = releases, builds, images, check

    async def get(self, org_id: str, app_name: str, name: str) -> Standing:
        """A label, or a release that is called by its number. Raises NotFound."""
        return self._standing(await self._db.read(queries.standing, org_id, app_name, name))

    async def page(self, org_id: str, app_name: str, skip: int, most: int) -> tuple[list[Standing], int]:
        """Some of the labels of an app, the newest first, and how many there are. Raises NotFound."""
        found, count = await self._db.read(queries.standings, org_id, app_name, skip, most)
        return [self._standing(one) for one in found], count

    async def create(self, org_id: str, app_id: str, by: str, terms: Terms) -> Standing:
        """A new label. Raises NotFound, Taken, Invalid, and Unobtainable for an image that was looked for."""
        return await self._put(org_id, app_id, by, None, terms)

    async def change(
        self, org_id: str, app_name: str, name: str, by: str, revise: Callable[[Standing], Terms]
    ) -> Standing:
        """Change a label as ``revise`` says, which is pure. Raises as :meth:`create`; Invalid for a plain release."""
        for _ in range(_TRIES):
            before = await self.get(org_id, app_name, name)
            _own(before)
            with suppress(Overtaken):
                return await self._put(org_id, before.serving.app.id, by, before, revise(before))
        raise Unavailable("too many change it at this moment; try again")

    async def delete(self, org_id: str, app_name: str, name: str) -> None:
        """Delete a label. What runs of it runs on. Raises NotFound; Invalid for a plain release."""
        _own(await self.get(org_id, app_name, name))
        left = await self._db.write(queries.delete_label, org_id, app_name, name, self._clock.now())
        if left is not None:
            self._builds.let_go(left)

    def spread(self, serving: Serving) -> float:
        """The share of the machines that have what it runs, from 0 to 1."""
        if serving.build_state is not BuildState.SUCCEEDED:
            return 0.0
        if serving.build_image is None:
            return 1.0  # programs are started from this machine's own folder
        return self._images.share(serving.release.build_key)

    async def _put(self, org_id: str, app_id: str, by: str, before: Standing | None, terms: Terms) -> Standing:
        runs = terms.runs
        if terms.check and isinstance(runs, RegistrySource):
            await self._check(org_id, runs)
        now = self._clock.now()
        fetching: Fetching | None = None
        if isinstance(runs, RegistrySource):
            fetching = self._fetching(org_id, app_id, by, runs, now)
            build_id = fetching.build.id
        elif isinstance(runs, Uploaded):
            build_id = (await self._uploaded(org_id, runs)).id
        else:
            assert before is not None
            build_id = before.serving.release.build_id
        release: Release | None = None
        if before is None or fetching is not None or not same_release(before, build_id, terms):
            release = self._releases.draft(
                app_id, by, build_id=build_id, seats=terms.seats, cpu=terms.cpu, memory_mb=terms.memory_mb,
                gpu=terms.gpu, ports=terms.ports, env=terms.env, idle_rule=False, hidden=terms.hidden,
            )  # fmt: skip
        label = self._label(app_id, by, before, release, terms, now)
        old = None if before is None else before.serving.label
        begun, left = await self._write(Put(org_id, app_id, label, old, release, fetching, now))
        if begun is not None:
            self._builds.go_on(begun)
        if left is not None:
            self._builds.let_go(left)
        self._bell.ring()
        found = await self._db.read(queries.serving_label, label.id)
        if found is None:
            raise NotFound(f"{terms.name} was deleted meanwhile")
        return self._standing(found)

    async def _write(self, ask: Put) -> tuple[Build | None, Build | None]:
        for _ in range(_TRIES):
            with suppress(Duplicate):  # somebody took a number, or the name, at the same moment
                return await self._db.write(queries.put, ask)
        raise Unavailable("too many builds are made at this moment; try again")

    def _fetching(self, org_id: str, app_id: str, by: str, source: RegistrySource, now: int) -> Fetching:
        build = Build(
            key=self._chance.uuid(), org_id=org_id, id=f"bld-{self._chance.uuid()}", kind=BuildKind.IMAGE,
            tag=source.reference[:_MOST_TAG], state=BuildState.CREATED, upload_bytes=0, bytes=0, content_hash=None,
            detail="", command=None, created_at=now, created_by=by, started_at=None, finished_at=None, deleted_at=None,
            until=now + RUN_LIFE, app_id=app_id,
        )  # fmt: skip
        login = _sealed(self._box, source.login, build.key)
        return Fetching(build, source.reference, login, now + RUN_LIFE)

    async def _uploaded(self, org_id: str, wanted: Uploaded) -> Build:
        for name in filter(None, wanted.named):
            build = await self._db.read(build_queries.build_called, org_id, name)
            if build is None:
                continue
            if build.state is BuildState.SUCCEEDED:
                return build
            why = f": {build.detail}" if build.detail else ""
            again = "wait until it has succeeded" if build.state is BuildState.RUNNING else "upload and run another one"
            raise Invalid(f"build {build.id} is {build.state}{why}; {again}")
        named = " or ".join(filter(None, wanted.named)) or "an empty text"
        raise Invalid(f"no build of the organisation has {named} for its id or its tag; upload and run one first")

    def _label(
        self, app_id: str, by: str, before: Standing | None, release: Release | None, terms: Terms, now: int
    ) -> Label:
        old = None if before is None else before.serving.label
        label_id = f"lbl-{self._chance.uuid()}" if old is None else old.id
        told: dict[str, Any] = {
            "name": terms.name,
            "plan": _encode(terms.plan).decode(),
            "said": terms.said,
            "login_sealed": _sealed(self._box, terms.login, label_id),
            "active": int(terms.active),
        }
        if old is not None:
            release_id = old.release_id if release is None else release.id
            return replace(old, release_id=release_id, changed_at=max(now, old.changed_at + 1), **told)
        assert release is not None
        return Label(
            id=label_id, app_id=app_id, number=0, release_id=release.id, created_at=now, created_by=by,
            changed_at=now, deleted_at=None, **told,
        )  # fmt: skip

    def _standing(self, serving: Serving) -> Standing:
        label = serving.label
        sealed = None if label is None else label.login_sealed
        login = None if label is None or sealed is None else login_of(self._box.open(sealed, place=label.id))
        releases, release = self._releases, serving.release
        return Standing(serving, releases.env_of(release), releases.hidden_of(release), login)


def _own(standing: Standing) -> None:
    if standing.serving.label is None:
        name = standing.serving.name
        raise Invalid(f"{name} was made through another API and never changes; make one with a name of its own")


def _sealed(box: Box, login: RegistryLogin | None, place: str) -> str | None:
    return None if login is None else box.seal(login_as_text(login), place=place)


def same_release(before: Standing, build_id: str, terms: Terms) -> bool:
    """Whether the release that stands under a label is what these terms ask for. Pure."""
    release = before.serving.release
    return (
        (release.build_id, release.seats, release.cpu, release.memory_mb, release.gpu)
        == (build_id, terms.seats, terms.cpu, terms.memory_mb, terms.gpu)
        and ports_of(release) == list(terms.ports)
        and (dict(before.env), set(before.hidden)) == (dict(terms.env), set(terms.hidden))
    )
