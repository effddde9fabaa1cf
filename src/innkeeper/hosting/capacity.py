"""What a fleet is, and how much it has: the rules. Pure; called by ``fleets.py``, ``shown.py`` and their passes.

A fleet's hosts at a location are those that are set aside for it there. Where there are none, they are the common ones,
which all fleets share: a house that sets no host aside serves every fleet with what it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import isfinite

from innkeeper.hostspecs import CLOUD
from innkeeper.kit.clock import MINUTE, SECOND
from innkeeper.kit.errors import Invalid, RateLimited

from .hosts import Host

#: A baseline rests so long between two changes, in microseconds: as Hathora's.
CHANGE_EVERY = 5 * MINUTE
#: The most characters of a fleet's name.
LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Fleet:
    """What an organisation wants of hosts."""

    id: str
    org_id: str
    name: str  #: unique in the organisation
    shape: str  #: the kind of machine that its owner named, in the door's own words
    threshold: int  #: percent of its own processors; above it servers go to common hosts first
    created_at: int
    created_by: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """How many hosts a fleet shall have at a location."""

    hosts: int
    changed_at: int  #: when it was last changed; when the fleet was made, where it never was


@dataclass(frozen=True, slots=True)
class Trouble:
    """The last time that a fleet had fewer hosts at a location than it shall have."""

    text: str
    began_at: int
    ended_at: int | None  #: None while it has fewer


@dataclass(frozen=True, slots=True)
class Sample:
    """Processors of a fleet at one time, at one location or in all. Machines count once."""

    metal: float  #: that its hosts give out, those in the cloud aside
    cloud: float  #: that its hosts in the cloud give out
    used: float  #: given to servers of its releases, wherever they are
    overhead: float | None  #: that the machines have and do not give out; None where nobody can tell


def check_name(name: str) -> str:
    """A fleet's name without the blanks around it. Raises Invalid."""
    bare = name.strip()
    if not 1 <= len(bare) <= LONGEST_NAME:
        raise Invalid(f"name: must have 1 to {LONGEST_NAME} characters")
    return bare


def check_threshold(threshold: int) -> int:
    """A fleet's threshold, percent. Raises Invalid."""
    if not 1 <= threshold <= 100:
        raise Invalid("the threshold must be a percentage from 1 to 100")
    return threshold


def check_baseline(hosts: int, most: int) -> None:
    """Whether a fleet may ask for so many hosts at a location. Raises Invalid."""
    if hosts < 0:
        raise Invalid("the baseline must be at least 0")
    if hosts > most:
        raise Invalid(f"the baseline must be at most {most}: no more may the organisation keep ready at one place")


def check_pause(last: int | None, now: int) -> None:
    """Whether a baseline that was ``last`` changed then may change now. Raises RateLimited."""
    if last is not None and now < last + CHANGE_EVERY:
        wait = (last + CHANGE_EVERY - now) / SECOND
        raise RateLimited(f"a baseline changes once in five minutes: try again in {wait:.0f} s", wait)


def hosts_of(hosts: Iterable[Host], fleet_id: str, location: str | None = None) -> list[Host]:
    """A fleet's hosts at a location, or (None) at all of them together."""
    hosts = list(hosts)
    if location is not None:
        there = [host for host in hosts if host.serves(location)]
        own = [host for host in there if host.fleet == fleet_id]
        return own or [host for host in there if not host.fleet]
    own = [host for host in hosts if host.fleet == fleet_id]
    if any(not host.locations for host in own):  # it has hosts of its own everywhere
        return own
    covered = frozenset[str]().union(*(host.locations for host in own))
    return own + [host for host in hosts if not host.fleet and (not host.locations or host.locations - covered)]


def is_working(host: Host) -> bool:
    """Whether servers go there: it answers and is not drained."""
    return host.answers and not host.draining


def given_out(host: Host) -> float | None:
    """Processors that a host gives out: its limit, or what its machine has; None where nobody can tell."""
    return host.cpu if isfinite(host.cpu) else _machine_cpu(host)


def memory_given_out(host: Host) -> float | None:
    """MiB that a host gives out: its limit, or what its machine has; None where nobody can tell."""
    if isfinite(host.memory_mb):
        return host.memory_mb
    return None if host.abilities is None else host.abilities.machine_memory_mb


def _machine_cpu(host: Host) -> float | None:
    return None if host.abilities is None else host.abilities.machine_cpu


def sample_of(hosts: Sequence[Host], used: float) -> Sample:
    """What a fleet has, given its hosts and the processors that its servers were given. Silent hosts have nothing."""
    machines: dict[str, Host] = {}
    for host in hosts:
        known = machines.get(host.machine or host.id)
        if host.answers and (known is None or (given_out(host) or 0.0) > (given_out(known) or 0.0)):
            machines[host.machine or host.id] = host
    metal = cloud = 0.0
    overhead: float | None = 0.0
    for host in machines.values():
        cpu, whole = given_out(host), _machine_cpu(host)
        if host.hosting == CLOUD:
            cloud += cpu or 0.0
        else:
            metal += cpu or 0.0
        told = None if cpu is None or whole is None else max(0.0, whole - cpu)
        overhead = None if overhead is None or told is None else overhead + told
    return Sample(metal, cloud, used, overhead)


def why_in_trouble(hosts: Sequence[Host], location: str, baseline: int) -> str | None:
    """Why a fleet with these hosts has fewer there than it shall have; None where it has enough."""
    working = sum(is_working(host) for host in hosts)
    if working >= baseline:
        return None
    away = ", ".join(
        f"{host.id} {'is drained' if host.answers else 'does not answer'}" for host in hosts if not is_working(host)
    )
    return f"{working} of {baseline} hosts serve {location}" + (f": {away}" if away else "")


def next_trouble(last: Trouble | None, text: str | None, now: int) -> Trouble | None:
    """What is on record from now on, where a fleet lacks hosts (``text``) or has enough (None)."""
    if text is None:
        return last if last is None or last.ended_at is not None else replace(last, ended_at=now)
    if last is None or last.ended_at is not None:
        return Trouble(text, now, None)
    return replace(last, text=text)
