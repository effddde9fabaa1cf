"""What hosts have to give out, as placing sees it. Used by the pass that places servers, and by whoever chooses a
location for one that is not wanted yet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from math import isfinite

from .hosts import Host
from .placement import HostSpace

#: How many ports a host is taken to have until it says otherwise.
_MANY = 1 << 16


def are_limited(hosts: Iterable[Host]) -> bool:
    """Whether any of them has an end to what it gives out: else nobody need know what is promised."""
    return any(isfinite(host.cpu) or isfinite(host.memory_mb) for host in hosts)


def spaces_of(
    hosts: Sequence[Host], used: Mapping[str, tuple[float, float]], server_ids: Collection[str] = ()
) -> list[HostSpace]:
    """The hosts, with what is promised on their machines. ``used`` is processors and MiB by host; ``server_ids`` are
    those that shall be placed."""
    promised: dict[str, tuple[float, float]] = {}
    for host in hosts:
        (cpu, memory_mb), (more_cpu, more_mb) = promised.get(_machine(host), (0, 0)), used.get(host.id, (0, 0))
        promised[_machine(host)] = cpu + more_cpu, memory_mb + more_mb
    return [_space(host, promised[_machine(host)], server_ids) for host in hosts]


def _machine(host: Host) -> str:
    return host.machine or host.id


def _space(host: Host, promised: tuple[float, float], server_ids: Collection[str]) -> HostSpace:
    known = host.engine.reports()
    return HostSpace(
        host.id,
        _machine(host),
        host.locations,
        host.cpu,
        host.memory_mb,
        *promised,
        runs_images=host.images is not None,
        architecture=host.architecture,
        shut="" if host.is_open else host.state.value,
        ports=_MANY,
        knows=frozenset(server_id for server_id in server_ids if server_id in known),
        fleet=host.fleet,
        unguarded=host.unguarded,
    )
