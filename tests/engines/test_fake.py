"""The engine that pretends keeps the promise too, and misbehaves exactly as it is told."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from innkeeper.engines.base import EndedBy, HostUnavailable, Launch, NotStarted, Port, Transport, Usage
from innkeeper.engines.fake import Behaviour, FakeEngine
from innkeeper.kit.clock import ManualClock

from .promise import UDP, EnginePromise


def behave(launch: Launch) -> Behaviour:
    """The orders of ``program.py`` as a behaviour."""
    said = shlex.split(launch.arguments) or launch.command.split()
    orders = dict(order.partition(":")[::2] for order in said)
    ends = "exit" if "exit" in orders else "signal" if "signal" in orders else None
    return Behaviour(
        start_takes=0.1,
        never_ready=bool(launch.ports) and ("bind" not in orders or "half" in orders),
        crash_after=None if ends is None else 0.05,
        crash_by=EndedBy.SIGNAL if ends == "signal" else EndedBy.EXIT,
        crash_code=None if ends is None else int(orders[ends]),
        ignore_term="deaf" in orders,
        refuse=None if launch.build == Path("/") else f"there is no {launch.build}",
        output=b"".join(b"%s\n" % order[4:].encode() for order in said if order.startswith("say:")),
        stop_output=b"saving\nsaved\n" if "slow" in orders else b"",
    )


class FakeGround:
    program = "program"

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.engine = FakeEngine(self.clock, plan=behave)
        self._port = 20_000

    def launch(
        self, server_id: str, orders: str, transports: Sequence[Transport | tuple[Transport, ...]] = ()
    ) -> Launch:
        ports: list[Port] = []
        for wanted in transports:
            self._port += 1
            both = [wanted] if isinstance(wanted, Transport) else wanted
            ports += [Port(f"p{self._port}", transport, self._port) for transport in both]
        return Launch(server_id, Path("/"), orders, {}, ports, cpu=1, memory_mb=256)

    async def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(200):
            for _ in range(10):
                await asyncio.sleep(0)
                if condition():
                    return
            self.clock.advance(0.05)
        raise AssertionError("it never came to that")

    async def restart(self) -> None:
        await self.engine.close()
        await self.engine.open()


@pytest.fixture
async def ground() -> AsyncIterator[FakeGround]:
    ground = FakeGround()
    await ground.engine.open()
    yield ground
    await ground.engine.close()


class TestFakePromise(EnginePromise):
    """The promise, kept by pretending."""


async def test_nothing_happens_while_the_clock_stands_still(ground: FakeGround) -> None:
    ground.engine.plan = None
    ground.engine.behaviour = Behaviour(start_takes=2.0, crash_after=5.0, crash_code=7)
    await ground.engine.start(ground.launch("s-1", "", (UDP,)))
    moments: list[tuple[float, bool, bool]] = []
    for seconds in (0, 1.9, 0.1, 2.9, 0.1):
        ground.clock.advance(seconds)
        for _ in range(10):
            await asyncio.sleep(0)
        report = ground.engine.reports()["s-1"]
        moments.append((seconds, report.ready_at is not None, report.alive))
    assert moments == [
        (0, False, True),
        (1.9, False, True),
        (0.1, True, True),
        (2.9, True, True),
        (0.1, True, False),
    ]
    ended = ground.engine.reports()["s-1"].ended
    assert ended is not None
    assert (ended.by, ended.code) == (EndedBy.EXIT, 7)


async def test_a_host_that_does_not_answer(ground: FakeGround) -> None:
    launch = ground.launch("s-1", "bind", (UDP,))
    ground.engine.unavailable = True
    for call in (
        ground.engine.start(launch),
        ground.engine.stop("s-1", 1),
        ground.engine.forget("s-1"),
        ground.engine.discard("s-1"),
        ground.engine.usage(["s-1"]),
    ):
        with pytest.raises(HostUnavailable):
            await call
    ground.engine.unavailable = False
    assert (await ground.engine.start(launch)).alive
    assert ground.engine.starts == 1


async def test_a_host_that_was_wiped_knows_nothing() -> None:
    engine = FakeEngine(ManualClock(), forget_on_restart=True)
    await engine.open()
    await engine.start(Launch("s-1", Path("/"), "", {}, (), 1, 256))
    await engine.close()
    await engine.open()
    assert engine.reports() == {}
    await engine.close()


async def test_refusals_and_figures_are_as_told(ground: FakeGround) -> None:
    ground.engine.plan = None
    ground.engine.behaviour = Behaviour(refuse="no room")
    with pytest.raises(NotStarted, match="no room"):
        await ground.engine.start(ground.launch("s-1", ""))
    ground.engine.behaviour = Behaviour()
    await ground.engine.start(ground.launch("s-1", ""))
    ground.engine.usages["s-1"] = Usage(12.5, 1 << 20, 3)
    assert await ground.engine.usage(["s-1"]) == {"s-1": Usage(12.5, 1 << 20, 3)}
    ground.engine.taken_ports.add(20_500)
    assert not ground.engine.port_is_free(20_500, UDP)
