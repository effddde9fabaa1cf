"""Deeds on hosts: a slow host holds up nobody, and no deed is begun twice."""

from __future__ import annotations

import asyncio

import pytest

from innkeeper.engines.base import HostUnavailable
from innkeeper.engines.fake import FakeEngine
from innkeeper.engines.ports import PortTable
from innkeeper.hosting.hosts import Host
from innkeeper.hosting.passes.lanes import Lanes
from innkeeper.kit.clock import ManualClock


def host(name: str = "a") -> Host:
    engine = FakeEngine(ManualClock())
    return Host(name, engine, PortTable(1, 2, 0, engine.port_is_free), "192.0.2.1")


class Deed:
    """Waits until it is let go."""

    def __init__(self) -> None:
        self.begun = self.done = 0
        self.go = asyncio.Event()

    async def __call__(self) -> None:
        self.begun += 1
        await self.go.wait()
        self.done += 1


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_deed_that_is_quick_is_done_when_it_returns() -> None:
    deed = Deed()
    deed.go.set()
    assert await Lanes().run(host(), "work", deed)
    assert deed.done == 1


async def test_a_slow_one_goes_on_by_itself_and_is_not_begun_again(caplog: pytest.LogCaptureFixture) -> None:
    lanes, slow, one = Lanes(0.01), Deed(), host()
    assert not await lanes.run(one, "work", slow)
    assert "host a is slow to work" in caplog.text
    assert not await lanes.run(one, "work", slow)
    assert slow.begun == 1
    quick = Deed()
    quick.go.set()
    assert await lanes.run(one, "do something else", quick)  # other purposes, and other hosts, do not wait
    assert await lanes.run(host("b"), "work", quick)
    slow.go.set()
    await settled()
    assert await lanes.run(one, "work", quick)


async def test_a_host_that_does_not_answer_is_not_asked() -> None:
    one, deed = host(), Deed()
    assert isinstance(one.engine, FakeEngine)
    one.engine.cut_off = True
    assert not await Lanes().run(one, "work", deed)
    assert deed.begun == 0


async def test_what_a_host_refuses_is_logged_and_what_is_our_mistake_is_raised(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def refused() -> None:
        raise HostUnavailable("the line is down")

    async def mistaken() -> None:
        raise ZeroDivisionError

    assert await Lanes().run(host(), "work", refused)
    assert "host a cannot work now: the line is down" in caplog.text
    with pytest.raises(ZeroDivisionError):
        await Lanes().run(host(), "work", mistaken)


async def test_a_late_mistake_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    go = asyncio.Event()

    async def mistaken() -> None:
        await go.wait()
        raise ZeroDivisionError

    lanes = Lanes(0.01)
    assert not await lanes.run(host(), "work", mistaken)
    go.set()
    await lanes.close()
    assert await lanes.run(host(), "work", Deed()) is False
    await lanes.close()


async def test_closing_calls_off_what_is_under_way() -> None:
    lanes, slow = Lanes(0.01), Deed()
    await lanes.run(host("a"), "work", slow)
    await lanes.run(host("b"), "work", slow)
    await lanes.close("a")
    quick = Deed()
    quick.go.set()
    assert await lanes.run(host("a"), "work", quick)
    assert not await lanes.run(host("b"), "work", quick)
    await lanes.close()
    assert slow.done == 0
