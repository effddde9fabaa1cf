"""Verbs on releases: how a build is run. Called by the doors and, for launches, by the passes."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from innkeeper.db.database import Database
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import Invalid, NotFound
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import Box

from .model import PortSpec, Release
from .plans import Order
from .queries import releases as queries

_encode = msgspec.json.Encoder().encode
_HIDDEN = "hidden"
#: Releases on one page of a list.
PAGE = 50
#: Releases on a list without pages.
MOST_LISTED = 1000


class Releases:
    """Create and find releases. There is no change and no deletion: a new one takes over."""

    def __init__(self, db: Database, clock: Clock, chance: Chance, box: Box, bell: Bell) -> None:
        self._db, self._clock, self._chance, self._box, self._bell = db, clock, chance, box, bell

    async def create(
        self,
        org_id: str,
        app_id: str,
        by: str,
        *,
        build_id: str,
        seats: int,
        cpu: float,
        memory_mb: float,
        ports: Sequence[PortSpec],
        env: Sequence[tuple[str, str]],
        idle_rule: bool,
        gpu: float | None = None,
        tag: str | None = None,
        fleet_id: str | None = None,
        most_memory_mb: float = math.inf,
    ) -> Release:
        """A new release, which serves all rooms opened from now on. Raises NotFound or Invalid.

        ``most_memory_mb`` is what the organisation's limits allow a server.
        """
        for refusal in _refusals(cpu, memory_mb, most_memory_mb):
            raise Invalid(refusal)
        release = self.draft(
            app_id, by, build_id=build_id, seats=seats, cpu=cpu, memory_mb=memory_mb, ports=ports, env=env,
            idle_rule=idle_rule, gpu=gpu, tag=tag, fleet_id=fleet_id,
        )  # fmt: skip
        kept = await self._db.write(queries.add_release, release, org_id)
        self._bell.ring()
        return kept

    def draft(
        self,
        app_id: str,
        by: str,
        *,
        build_id: str,
        seats: int,
        cpu: float,
        memory_mb: float,
        ports: Sequence[PortSpec],
        env: Sequence[tuple[str, str]],
        idle_rule: bool,
        gpu: float | None = None,
        tag: str | None = None,
        fleet_id: str | None = None,
        hidden: Collection[str] = (),
    ) -> Release:
        """A release for ``queries.add_release``, which gives it its number. Raises Invalid.

        The values of the variables in ``hidden`` are for its servers alone, and are told to nobody.
        """
        for refusal in _refusals(cpu, memory_mb, math.inf, ports, gpu):
            raise Invalid(refusal)
        release_id = f"dep-{self._chance.uuid()}"
        sealed = self._box.seal(_encode(_marked(env, hidden)).decode(), place=release_id)
        return Release(
            id=release_id, app_id=app_id, number=0, build_key="", build_id=build_id, build_tag=None, tag=tag,
            fleet_id=fleet_id, seats=seats, cpu=cpu, memory_mb=memory_mb, gpu=gpu, ports=_encode(list(ports)).decode(),
            env_sealed=sealed, idle_rule=int(idle_rule), created_at=self._clock.now(), created_by=by,
        )  # fmt: skip

    async def refusals(
        self, org_id: str, *, cpu: float, memory_mb: float, fleet_id: str | None, most_memory_mb: float
    ) -> list[str]:
        """What :meth:`create` would refuse, whichever build is to be run, by the same rules."""
        found = list(_refusals(cpu, memory_mb, most_memory_mb))
        if fleet_id is not None:
            try:
                await self._db.read(queries.require_fleet, fleet_id, org_id)
            except NotFound as error:
                found.append(str(error))
        return found

    async def get(self, org_id: str, app_id: str, release_id: str | None = None) -> Release:
        """One release; with None the one that serves new rooms. Raises NotFound."""
        return await self._db.read(queries.release, app_id, org_id, release_id)

    async def numbered(self, org_id: str, app_id: str, number: int) -> Release:
        """The release that old clients know by its number. Raises NotFound."""
        return await self._db.read(queries.numbered_release, app_id, org_id, number)

    async def latest(self, org_id: str, app_id: str) -> list[Release]:
        """The newest releases of an app, a thousand at most, for clients that know no pages."""
        return await self._db.read(queries.releases, app_id, org_id, None, MOST_LISTED, None, None)

    async def numbers(self, ids: Sequence[str]) -> Mapping[str, int]:
        """The numbers of releases that the caller has found already, by id."""
        return await self._db.read(queries.numbers, ids)

    async def build_numbers(self, found: Sequence[Release]) -> Mapping[str, int]:
        """The numbers of the builds that these releases run, by the builds' keys."""
        return await self._db.read(queries.build_numbers, [release.build_key for release in found])

    async def page(
        self,
        org_id: str,
        app_id: str,
        *,
        token: str | None = None,
        tag: str | None = None,
        build_tag: str | None = None,
    ) -> tuple[list[Release], str | None]:
        """Up to 50 releases, the newest first, and the token of the page after them, if there is one."""
        below = None
        if token is not None:
            if not token.isdecimal() or len(token) > 18:
                raise Invalid("the page token is not one that this list gave out")
            below = int(token)
        found = await self._db.read(queries.releases, app_id, org_id, below, PAGE + 1, tag, build_tag)
        page = found[:PAGE]
        return page, str(page[-1].number) if len(found) > PAGE else None

    async def newest(self, org_id: str) -> dict[str, Release]:
        """The release that serves new rooms, by app, for those that have one."""
        return await self._db.read(queries.newest_releases, org_id)

    def env_of(self, release: Release) -> Mapping[str, str]:
        """The environment that the release's owner wrote."""
        return {name: value for name, value, *_ in self._variables(release)}

    def hidden_of(self, release: Release) -> frozenset[str]:
        """Those of its variables whose values are told to nobody."""
        return frozenset(name for name, _, *mark in self._variables(release) if mark)

    def _variables(self, release: Release) -> list[list[str]]:
        text = self._box.open(release.env_sealed, place=release.id)
        return msgspec.json.decode(text, type=list[list[str]])

    def env_asked_for(self, order: Order) -> Mapping[str, str]:
        """The environment that was asked for with one server."""
        text = self._box.open(order.env_sealed, place=order.server_id)
        return dict(msgspec.json.decode(text, type=list[tuple[str, str]]))


def _marked(env: Sequence[tuple[str, str]], hidden: Collection[str]) -> list[list[str]]:
    """Variables as they are kept: a hidden one with a third word."""
    return [[name, value, _HIDDEN] if name in hidden else [name, value] for name, value in env]


def _refusals(
    cpu: float, memory_mb: float, most_memory_mb: float, ports: Sequence[PortSpec] = (), gpu: float | None = None
) -> Iterator[str]:
    """What cannot be of how a build is to be run."""
    names = [port.name for port in ports]
    if len(set(names)) != len(names):
        yield "ports: every port needs a name of its own, and only the first may be called default"
    if not (cpu > 0 and memory_mb > 0):  # what is no number is not, either
        yield "the CPU and the memory of a server must be more than 0"
    if memory_mb > most_memory_mb:
        yield f"requestedMemoryMB: the organisation's servers may have {most_memory_mb:.12g} MiB at most"
    if gpu:
        yield "no host of this house has GPUs to give; leave the GPU out or ask for 0"


def ports_of(release: Release) -> list[PortSpec]:
    """The release's ports, the default one first."""
    return msgspec.json.decode(release.ports, type=list[PortSpec])
