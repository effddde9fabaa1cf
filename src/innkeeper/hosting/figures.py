"""How the house stands, for ``/healthz`` and ``/metrics``: counted from the database and asked of the hosts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from innkeeper.db.database import Database, Statement, Steps
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import HouseError

from .hosts import Hosts, HostState
from .keeper import HostingKeeper

if TYPE_CHECKING:
    from prometheus_client.core import Metric

#: So many failed passes in a row mean that the house does not do its work.
_FAILING = 3


class HouseFigures:
    """Answers whether the house is well, and how much there is of everything."""

    def __init__(self, db: Database, clock: Clock, hosts: Hosts, keeper: HostingKeeper) -> None:
        self._db, self._clock, self._hosts, self._keeper = db, clock, hosts, keeper
        self._counted: dict[str, dict[str, int]] = {"servers": {}, "rooms": {}}

    async def health(self) -> tuple[bool, dict[str, Any]]:
        """Whether all is well, and what is not."""
        told: dict[str, Any] = {"database": "ok", "keeper": "ok", "hosts": {}}
        try:
            await self._db.read(_counts)
        except HouseError as error:
            told["database"] = str(error)
        if self._keeper.loop.failures >= _FAILING:
            told["keeper"] = f"its last {self._keeper.loop.failures} passes failed; see the log"
        now = self._clock.now()
        for host in self._hosts:
            alive = 0 if host.lost else sum(1 for report in host.engine.reports().values() if report.alive)
            told["hosts"][host.id] = {
                "engine": host.engine.name,
                "state": host.state.value,
                "servers": alive,
                "free_ports": host.ports.free_count(now),
            }
        well = told["database"] == "ok" and told["keeper"] == "ok"
        return well, {"status": "ok" if well else "failing", **told}

    async def count(self) -> None:
        """Count anew: asked before metrics are read, which cannot wait."""
        self._counted = await self._db.read(_counts)

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
        ports: Any = GaugeMetricFamily("innkeeper_free_ports", "Ports that could be given out now.", labels=["host"])
        for host in self._hosts:
            ports.add_metric([host.id], host.ports.free_count(self._clock.now()))
        yield ports


def _counts() -> Steps[dict[str, dict[str, int]]]:
    servers = yield Statement("select state, count(*) from servers group by state order by state")
    rooms = yield Statement("select state, count(*) from rooms group by state order by state")
    return {"servers": {row[0]: row[1] for row in servers}, "rooms": {row[0]: row[1] for row in rooms}}
