"""How the house stands, for ``/healthz`` and ``/metrics``: counted from the database and asked of the hosts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from innkeeper.db.database import Database, Statement, Steps
from innkeeper.engines.ports import PortTable
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import HouseError

from .hosts import Host, Hosts, HostState
from .keeper import HostingKeeper
from .writing import WITHIN, Writing

if TYPE_CHECKING:
    from prometheus_client.core import Metric

#: So many failed passes in a row mean that the house does not do its work.
_FAILING = 3


class HouseFigures:
    """Answers whether the house is well, and how much there is of everything."""

    def __init__(self, db: Database, clock: Clock, hosts: Hosts, keeper: HostingKeeper, writing: Writing) -> None:
        self._db, self._clock, self._hosts, self._keeper, self.writing = db, clock, hosts, keeper, writing
        self._counted: dict[str, dict[str, int]] = {"servers": {}, "rooms": {}}

    async def health(self) -> tuple[bool, dict[str, Any]]:
        """Whether all is well, and what is not.

        Whoever reaches the port may read it: it names no host, no path and no server; the log does.
        """
        reads, _ = await asyncio.gather(self._reads(), self.writing.look())
        keeper, failures = "ok", self._keeper.loop.failures
        if failures >= _FAILING:
            keeper = f"its last {failures} passes failed; the log says why"
        database = "ok" if self.writing.works else "it takes no changes; the log says why"
        if not reads:
            database = "it does not answer; the log says why"
        well = database == keeper == "ok"
        now = self._clock.now()
        return well, {
            "status": "ok" if well else "failing",
            "database": database,
            "keeper": keeper,
            "warnings": self.writing.warnings,
            "disk_free_bytes": {what: room.free for what, room in self.writing.rooms.items()},
            "hosts": {state.value: sum(host.state is state for host in self._hosts) for state in HostState},
            "servers": sum(_alive(host) for host in self._hosts),
            "free_ports": sum(table.free_count(now) for table in self._tables()),
        }

    async def _reads(self) -> bool:
        try:
            async with asyncio.timeout(WITHIN):
                await self._db.read(_counts)
        except (HouseError, TimeoutError):
            return False
        return True

    def _tables(self) -> list[PortTable]:
        """The ports of all hosts; hosts of one machine share theirs."""
        return list({id(host.ports): host.ports for host in self._hosts}.values())

    async def count(self) -> None:
        """Count anew: asked before metrics are read, which cannot wait."""
        self._counted = await self._db.read(_counts)
        await self.writing.look(only_trouble=True)

    def collect(self) -> Iterator[Metric]:
        """What Prometheus reads."""
        from prometheus_client.core import GaugeMetricFamily

        for thing, counts in self._counted.items():
            gauge: Any = GaugeMetricFamily(f"innkeeper_{thing}", f"{thing.capitalize()} by state.", labels=["state"])
            for state, count in counts.items():
                gauge.add_metric([state], count)
            yield gauge
        hosts: Any = GaugeMetricFamily("innkeeper_hosts", "Hosts by state.", labels=["state"])
        for state in HostState:
            hosts.add_metric([state.value], sum(host.state is state for host in self._hosts))
        yield hosts
        now = self._clock.now()
        free = [table.free_count(now) for table in self._tables()]
        for name, text, value in (
            ("free_ports", "Ports that could be given out now, of all hosts.", sum(free)),
            ("least_free_ports", "The same of the machine that has the fewest.", min(free, default=0)),
            ("takes_changes", "1 where the database takes changes, 0 where it refuses them.", int(self.writing.works)),
        ):
            yield GaugeMetricFamily(f"innkeeper_{name}", text, value=value)
        for name, text in (
            ("free", "Bytes that the house's disks have left."),
            ("size", "Bytes that they have in all."),
        ):
            disks: Any = GaugeMetricFamily(f"innkeeper_disk_{name}_bytes", text, labels=["of"])
            for what, room in self.writing.rooms.items():
                disks.add_metric([what], getattr(room, name))
            yield disks


def _alive(host: Host) -> int:
    return 0 if host.lost else sum(1 for report in host.engine.reports().values() if report.alive)


def _counts() -> Steps[dict[str, dict[str, int]]]:
    servers = yield Statement("select state, count(*) from servers group by state order by state")
    rooms = yield Statement("select state, count(*) from rooms group by state order by state")
    return {"servers": {row[0]: row[1] for row in servers}, "rooms": {row[0]: row[1] for row in rooms}}
