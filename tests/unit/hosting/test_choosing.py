"""Choosing a location for a server: what is promised is counted where it matters."""

from __future__ import annotations

from typing import Any

import pytest

from innkeeper.engines.fake import FakeEngine
from innkeeper.engines.ports import PortTable
from innkeeper.hosting.choosing import Chooser, Wishes
from innkeeper.hosting.geography import Atlas, Place
from innkeeper.hosting.hosts import Host, Hosts, Spaces
from innkeeper.hosting.placement import Need
from innkeeper.kit.clock import ManualClock
from innkeeper.kit.errors import LimitReached

NEED = Need("", 1.0, 512.0, False)


class Counted:
    """A database that tells of one host with two processors promised, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def read(self, *_: Any) -> dict[str, tuple[float, float]]:
        self.asked += 1
        return {"a": (2.0, 1024.0)}


def chooser(db: Any, cpu: float) -> Chooser:
    clock = ManualClock()
    engine = FakeEngine(clock)
    host = Host("a", engine, PortTable(1, 9, 0, engine.port_is_free), "192.0.2.1", cpu=cpu)
    host.settled = True
    hosts = Hosts([host])
    return Chooser(db, Atlas([Place("here", 1, 1)]), hosts, Spaces(hosts, clock))


@pytest.mark.parametrize(("cpu", "asked"), [(float("inf"), 0), (3.0, 1)])
async def test_living_servers_are_counted_only_where_hosts_have_an_end(cpu: float, asked: int) -> None:
    db = Counted()
    assert await chooser(db, cpu).choose(NEED, Wishes()) == "here"
    assert db.asked == asked


async def test_what_is_promised_is_not_given_twice() -> None:
    with pytest.raises(LimitReached, match="no space at here"):
        await chooser(Counted(), 2.5).choose(NEED, Wishes())
