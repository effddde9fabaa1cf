"""Chooses the location of a server that is about to be wanted, near those who will play on it. Called by ``orders.py``
and ``bookings.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from innkeeper.db.database import Database
from innkeeper.kit.errors import LimitReached
from innkeeper.kit.geo import Point

from .geography import Atlas, Filter, Strategy
from .hosts import Hosts, Spaces
from .hostspaces import are_limited, spaces_of
from .placement import HostSpace, Need, choose_host, why_no_host
from .queries import labels, placing


@dataclass(frozen=True, slots=True)
class Wishes:
    """Where a server shall be."""

    players: Sequence[Point] = ()
    filters: Sequence[Filter] = ()
    strategy: Strategy = Strategy.BASIC
    hosts: Sequence[str] = field(default_factory=tuple)  #: that are tried first


def first_that_takes(
    ranked: Iterator[str], why_not: Callable[[str], str | None]
) -> tuple[str | None, list[tuple[str, str]]]:
    """The first location that nothing speaks against, and what speaks against those before it."""
    refused: list[tuple[str, str]] = []
    for name in ranked:
        why = why_not(name)
        if why is None:
            return name, refused
        refused.append((name, why))
    return None, refused


def refusal(atlas: Atlas, served: Collection[str], wishes: Wishes, refused: Sequence[tuple[str, str]]) -> str:
    """Why no location takes a server, for its owner: which filter, or what the nearest location lacks."""
    found = atlas.refusing(wishes.filters)
    if found is not None:
        return f"no location of this house is left by the filter {found}"
    if not atlas.matching(wishes.filters) & set(served):
        named = " and ".join(map(str, wishes.filters))
        return f"no host of this house serves a location that the filters leave ({named})" if named else (
            "no host of this house serves a location that it knows: see [[places]] in its settings"
        )  # fmt: skip
    name, why = refused[0]
    others = f", nor is there space at {len(refused) - 1} others" if len(refused) > 1 else ""
    return f"no space at {name}, the nearest location{others}: {why}"


class Chooser:
    """Chooses locations by what the hosts have left at this moment."""

    def __init__(self, db: Database, atlas: Atlas, hosts: Hosts, spaces: Spaces) -> None:
        self._db, self.atlas, self._hosts, self._spaces = db, atlas, hosts, spaces

    def served(self) -> list[str]:
        """The locations of the atlas where some host stands, whether or not it takes servers now."""
        return [name for name in self.atlas.places if any(host.serves(name) for host in self._hosts)]

    async def roomy(self, org_id: str, app_name: str, label: str | None) -> list[str]:
        """The locations with space now for one more server of a label. Raises NotFound; Invalid for one out of use."""
        serving = await self._db.read(labels.serving, org_id, app_name, label)
        need = await self._db.read(placing.need_of, serving.release.id)
        hosts = await self._found()
        return [name for name in self.served() if self._why_not(hosts, need, name) is None]

    def nearest_first(self, wishes: Wishes) -> Iterator[str]:
        """The locations that fulfil the filters and are served, the best for the players first."""
        return self.atlas.ranked(wishes.players, self._among(wishes, self.served()), wishes.strategy)

    def _among(self, wishes: Wishes, served: Sequence[str]) -> Collection[str]:
        named = [host for name in wishes.hosts if (host := self._hosts.get(name)) is not None and host.locations]
        among = self.atlas.matching(wishes.filters) & set(served)
        near = {name for host in named for name in host.locations} & among
        return near or among

    async def choose(self, need: Need, wishes: Wishes) -> str:
        """The best location with space for a server like this. Raises :class:`LimitReached`, saying what is lacking."""
        served = self.served()
        # One that has just been taken up is looked at in a moment: it counts, where nobody is placed yet.
        coming = {host.id for host in self._hosts if host.answers and not host.draining}
        hosts = [replace(host, shut="") if host.host_id in coming else host for host in await self._found()]
        among = self._among(wishes, served)
        ranked = self.atlas.ranked(wishes.players, among, wishes.strategy)
        name, refused = first_that_takes(ranked, lambda there: self._why_not(hosts, need, there))
        if name is None and among != (rest := self.atlas.matching(wishes.filters) & set(served)):
            ranked = self.atlas.ranked(wishes.players, rest - set(among), wishes.strategy)
            name, more = first_that_takes(ranked, lambda there: self._why_not(hosts, need, there))
            refused = [*refused, *more]
        if name is None:
            raise LimitReached(refusal(self.atlas, served, wishes, refused))
        return name

    async def _found(self) -> list[HostSpace]:
        """The hosts as they are now. What is promised is counted where it matters: that takes time for each server."""
        hosts = list(self._hosts)
        return spaces_of(hosts, await self._db.read(placing.used_of_hosts) if are_limited(hosts) else {})

    def _why_not(self, hosts: Sequence[HostSpace], need: Need, name: str) -> str | None:
        there = replace(need, location=name)
        if choose_host(hosts, there) is None:
            return why_no_host(list(hosts), there)
        lack = self._spaces.lacking(name)
        return None if lack is None or need.fleet in lack.fleets else lack.text
