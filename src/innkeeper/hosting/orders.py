"""Verbs on servers that are asked for with wishes of their own: where, for whom, with which variables. Called by doors.

A server is known here by the twelve last digits of its id, which its owner's clients can hold.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from innkeeper.db.database import Database
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import HOUR, MINUTE, SECOND, Clock
from innkeeper.kit.errors import Invalid, Taken
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import Box

from .choosing import Chooser, Wishes
from .model import BuildState
from .placement import Need
from .plans import Hooks, Order, Plan, Serving, Tag, short_id, unready
from .queries import labels, placing
from .queries import orders as queries
from .queries.orders import Ordered
from .searching import Condition, Ordering, order_by, where

_encode = msgspec.json.Encoder().encode
#: Tags of one server.
MOST_TAGS = 100
#: A server that failed is told among those that stand for so long, unless its owner has done with it before.
FAILED_KEPT = HOUR
#: How long a server waits for what it runs, in microseconds.
FETCHING = 15 * MINUTE
#: Tries for twelve digits that nobody has.
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Ask:
    """A server that somebody asks for. What is None is as the label says."""

    wishes: Wishes = field(default_factory=Wishes)
    env: Sequence[tuple[str, str]] = ()
    tags: Sequence[str] = ()
    command: str | None = None
    arguments: str | None = None
    cpu: float | None = None
    memory_mb: float | None = None
    hooks: Hooks | None = None
    keep_output: bool | None = None  #: False: in no storage, whatever the label says
    storage: str | None = None  #: the storage that its output goes to
    said: Mapping[str, Any] = field(default_factory=dict[str, Any])  #: to be told again, in the door's own words


@dataclass(frozen=True, slots=True)
class Told:
    """A server as its owner is told of it."""

    ordered: Ordered
    tags: Sequence[Tag]
    trouble: str | None  #: why it is not further yet

    @property
    def plan(self) -> Plan:
        """How it is run."""
        return plan_of(self.ordered.order)


def plan_of(order: Order | None) -> Plan:
    """The plan that a server was started by; that of nothing special where it has no order."""
    return Plan() if order is None else msgspec.json.decode(order.plan, type=Plan)


class Orders:
    """Ask for servers, find them, end them. ``trouble`` tells of a server why it is not further yet."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        chance: Chance,
        box: Box,
        bell: Bell,
        chooser: Chooser,
        trouble: Callable[[str], str | None],
        *,
        placing_seconds: float,
        stopping_seconds: float,
    ) -> None:
        self._db, self._clock, self._chance, self._box, self._bell = db, clock, chance, box, bell
        self.chooser, self._trouble = chooser, trouble
        self._placing, self._stopping = round(placing_seconds * SECOND), round(stopping_seconds * SECOND)

    async def serving(self, org_id: str, app_name: str, label: str | None) -> Serving:
        """What would be run. Raises NotFound; Invalid for what cannot be run now."""
        return await self._db.read(labels.serving, org_id, app_name, label)

    async def ask(self, org_id: str, app_name: str, label: str | None, ask: Ask) -> tuple[Told, Serving]:
        """Want a server. Raises NotFound, Invalid, and LimitReached where there is no place for it, saying why."""
        serving = await self.serving(org_id, app_name, label)
        return await self.ask_for(serving, ask), serving

    async def ask_for(self, serving: Serving, ask: Ask) -> Told:
        """The same of what was found already."""
        check_tags(ask.tags)
        location = await self._location(serving, ask)
        for _ in range(_TRIES):
            want = self.want_of(serving, ask, location)
            try:
                await self._db.write(queries.want, want)
            except Taken:
                continue
            self._bell.ring()
            return await self.get(serving.app.org_id, short_id(want.order.server_id))
        raise Taken("no twelve digits were found that no server has; ask again")

    async def wanted(self, serving: Serving, ask: Ask) -> queries.Want:
        """What is written down for a server, for whoever writes it down together with more. Raises as :meth:`ask`."""
        return self.want_of(serving, ask, await self._location(serving, ask))

    async def _location(self, serving: Serving, ask: Ask) -> str:
        if serving.build_state is BuildState.FAILED and (why := unready(serving, self._clock.now())):
            raise Invalid(why)
        need = await self._db.read(placing.need_of, serving.release.id)
        return await self.chooser.choose(_sized(need, ask), ask.wishes)

    def want_of(self, serving: Serving, ask: Ask, location: str) -> queries.Want:
        """What is written down for a server at a location. All of its chance is in it."""
        server_id, now, release = self._chance.uuid(), self._clock.now(), serving.release
        order = Order(
            server_id=server_id,
            org_id=serving.app.org_id,
            app_id=serving.app.id,
            label_id=None if serving.label is None else serving.label.id,
            plan=_encode(changed(serving.plan, ask)).decode(),
            said=json.dumps(dict(ask.said)),
            env_sealed=self._box.seal(_encode(list(ask.env)).decode(), place=server_id),
            cpu=ask.cpu,
            memory_mb=ask.memory_mb,
            hosts=json.dumps(list(ask.wishes.hosts)) if ask.wishes.hosts else None,
            hooks=None if ask.hooks is None else _encode(ask.hooks).decode(),
            joinable=1,
            restarts=0,
            crash=None,
            closed_at=None,
            created_at=now,
        )
        return queries.Want(
            order, release.id, location, release.seats, serving.plan.seat_kind, list(ask.tags), self._chance.uuid(),
            now + (self._placing if serving.build_state is BuildState.SUCCEEDED else FETCHING),
        )  # fmt: skip

    def env_of(self, order: Order) -> list[tuple[str, str]]:
        """The variables that were asked for with a server."""
        return msgspec.json.decode(self._box.open(order.env_sealed, place=order.server_id), type=list[tuple[str, str]])

    async def get(self, org_id: str, short: str) -> Told:
        """One server of the organisation, alive or over. Raises NotFound."""
        return await self._told(await self._db.read(queries.find, org_id, short))

    async def whoever(self, short: str) -> Told | None:
        """A server, whosever it is: for one that then proves who it is."""
        found = await self._db.read(queries.whoever, short)
        return None if found is None else await self._told(found)

    async def every(self, server_ids: Sequence[str]) -> Mapping[str, Told]:
        """Servers by their full ids, for those who found them already."""
        found = await self._db.read(queries.every, server_ids)
        tags = await self._db.read(queries.tags_of, server_ids)
        return {id: self._with(one, tags.get(id, ())) for id, one in found.items()}

    async def page(
        self, org_id: str, conditions: Sequence[Condition], orderings: Sequence[Ordering], *, skip: int, most: int
    ) -> tuple[list[Told], int]:
        """The organisation's servers that are not over, and how many there are. Raises Invalid."""
        text, values = where(conditions, 3)
        since = self._clock.now() - FAILED_KEPT
        found, count = await self._db.read(
            queries.standing, org_id, since, text, values, order_by(orderings), skip, most
        )
        tags = await self._db.read(queries.tags_of, [one.server.id for one in found])
        return [self._with(one, tags.get(one.server.id, ())) for one in found], count

    async def stop(self, org_id: str, short: str, reason: str) -> tuple[Told, Told]:
        """Ask a server to end; how it was found, and how it is now. Raises NotFound; Gone where it has ended."""
        now = self._clock.now()
        before, after = await self._db.write(queries.stop, org_id, short, reason, now, now + self._stopping)
        self._bell.ring()
        return await self._told(before), await self._told(after)

    async def end(self, told: Told, reason: str) -> Told:
        """The same for one that was found already, by whoever may."""
        now = self._clock.now()
        after = await self._db.write(queries.end, told.ordered, reason, now, now + self._stopping)
        self._bell.ring()
        return await self._told(after)

    async def set_joinable(self, org_id: str, short: str, joinable: bool) -> Told:
        """Whether rooms may be seated on it that did not ask for it. Raises NotFound, Gone."""
        return await self._told(await self._db.write(queries.set_joinable, org_id, short, joinable))

    # -- tags --------------------------------------------------------------------------------------------------------

    async def tag(self, server_id: str, name: str) -> Tag:
        """One tag. Raises NotFound."""
        return await self._db.read(queries.tag, server_id, name)

    async def add_tag(self, server_id: str, name: str) -> Tag:
        """Raises Taken for one that it has, LimitReached for one too many."""
        return await self._db.write(queries.add_tag, server_id, name, self._clock.now(), MOST_TAGS)

    async def rename_tag(self, server_id: str, name: str, new: str) -> Tag:
        """Raises NotFound, Taken."""
        return await self._db.write(queries.rename_tag, server_id, name, new, self._clock.now())

    async def remove_tag(self, server_id: str, name: str) -> None:
        """Raises NotFound."""
        await self._db.write(queries.remove_tag, server_id, name)

    async def _told(self, ordered: Ordered) -> Told:
        tags = await self._db.read(queries.tags_of, [ordered.server.id])
        return self._with(ordered, tags.get(ordered.server.id, ()))

    def _with(self, ordered: Ordered, tags: Sequence[Tag]) -> Told:
        return Told(ordered, tags, self._trouble(ordered.server.id))


def check_tags(tags: Sequence[str]) -> None:
    """Raises Invalid for more than a server may have."""
    if len(tags) > MOST_TAGS:
        raise Invalid(f"tags: {len(tags)} are too many; a server has {MOST_TAGS} at most")


def changed(plan: Plan, ask: Ask) -> Plan:
    """The plan of a server, of its label's and of what was asked for."""
    changes: dict[str, Any] = {}
    if ask.command is not None:
        changes["command"] = ask.command
    if ask.arguments is not None:
        changes["arguments"] = ask.arguments
    if ask.storage is not None:
        changes["storage"] = ask.storage
    if ask.keep_output is False:
        changes["storage"] = None
    return msgspec.structs.replace(plan, **changes) if changes else plan


def _sized(need: Need, ask: Ask) -> Need:
    return replace(
        need,
        cpu=need.cpu if ask.cpu is None else ask.cpu,
        memory_mb=need.memory_mb if ask.memory_mb is None else ask.memory_mb,
        first=tuple(ask.wishes.hosts),
    )
