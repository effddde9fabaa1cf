"""What every engine promises, as tests. Each engine's own test file derives from :class:`EnginePromise`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from innkeeper.engines.base import Ended, EndedBy, Engine, Launch, NotStarted, Report, Transport

UDP, TCP = Transport.UDP, Transport.TCP


class Ground(Protocol):
    """An engine and what a test needs around it."""

    engine: Engine
    program: str  #: what is run to have orders carried out

    def launch(
        self, server_id: str, orders: str, transports: Sequence[Transport | tuple[Transport, ...]] = ()
    ) -> Launch:
        """A launch of a program that carries out the orders (see ``program.py``); ``bind`` binds all its ports.

        Several transports together are those of one number.
        """
        ...

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let time pass until the condition holds; fails after a while."""
        ...

    async def restart(self) -> None:
        """Innkeeper stops and starts again."""
        ...


async def collect(output: AsyncIterator[bytes]) -> bytes:
    return b"".join([part async for part in output])


class EnginePromise:
    """The promise. Fixtures: ``ground``."""

    many = 60  #: servers that are started at once

    async def ended(self, ground: Ground, server_id: str) -> Ended:
        await ground.until(lambda: not ground.engine.reports()[server_id].alive)
        ended = ground.engine.reports()[server_id].ended
        assert ended is not None
        return ended

    async def ready(self, ground: Ground, server_id: str) -> Report:
        await ground.until(lambda: ground.engine.reports()[server_id].ready_at is not None)
        return ground.engine.reports()[server_id]

    @pytest.mark.parametrize("transports", [(UDP,), (TCP,), (UDP, TCP), (TCP, UDP, UDP)])
    async def test_it_is_ready_once_all_its_ports_are_bound(self, ground: Ground, transports: list[Transport]) -> None:
        changes = ground.engine.changes()
        report = await ground.engine.start(ground.launch("s-1", "bind", transports))
        assert report.alive
        assert report.handle
        ready = await self.ready(ground, "s-1")
        assert ready.alive
        assert ready.ready_at is not None
        assert ready.ready_at >= report.started_at == ready.started_at
        assert ready.handle == report.handle
        while (change := await anext(changes)).ready_at is None:  # some of its ports were bound before the others
            assert change.bound
        assert change == ready

    async def test_it_is_not_ready_while_a_port_is_missing(self, ground: Ground) -> None:
        await ground.engine.start(ground.launch("s-1", "say:up", (UDP, TCP)))
        await ground.engine.start(ground.launch("s-2", "bind", (UDP,)))
        await self.ready(ground, "s-2")
        report = ground.engine.reports()["s-1"]
        assert report.alive
        assert report.ready_at is None

    async def test_a_server_without_ports_is_ready_when_it_is_started(self, ground: Ground) -> None:
        await ground.engine.start(ground.launch("s-1", "say:up"))
        assert (await self.ready(ground, "s-1")).alive

    async def test_a_number_reached_by_both_transports_is_bound_by_both(self, ground: Ground) -> None:
        launch = ground.launch("s-1", "bind", ((UDP, TCP),))
        assert len({port.number for port in launch.ports}) == 1
        await ground.engine.start(launch)
        only = ground.launch("s-2", "half bind", (UDP,))
        await ground.engine.start(replace(only, ports=[*only.ports, replace(only.ports[0], transport=TCP)]))
        await self.ready(ground, "s-1")
        await ground.engine.start(ground.launch("s-3", "bind", (UDP,)))
        await self.ready(ground, "s-3")
        report = ground.engine.reports()["s-2"]
        assert (report.alive, report.ready_at, tuple(report.bound)) == (True, None, ())
        assert not any(ground.engine.port_is_free(launch.ports[0].number, transport) for transport in (UDP, TCP))

    async def test_ports_that_are_not_awaited_are_not_waited_for(self, ground: Ground) -> None:
        launch, more = ground.launch("s-1", "bind", (UDP,)), ground.launch("s-1", "", (TCP,))
        none = ground.launch("s-2", "say:up", (UDP, TCP))
        await ground.engine.start(replace(launch, ports=[*launch.ports, replace(more.ports[0], awaited=False)]))
        await ground.engine.start(replace(none, ports=[replace(port, awaited=False) for port in none.ports]))
        before = [await self.ready(ground, server_id) for server_id in ("s-1", "s-2")]
        assert before[1].ready_at == before[1].started_at
        await ground.restart()
        assert [ground.engine.reports()[server_id] for server_id in ("s-1", "s-2")] == before
        usage = await ground.engine.usage(["s-1", "s-2"])
        assert [used.connections for used in usage.values()] == [0, 0]  # they are the server's nevertheless

    async def test_a_command_of_the_launch_is_run_in_place_of_the_builds(self, ground: Ground) -> None:
        launch = replace(ground.launch("s-1", "exit:5"), entrypoint=ground.program, arguments="'say:two  words' exit:6")
        await ground.engine.start(launch)
        ended = await self.ended(ground, "s-1")
        assert (ended.by, ended.code) == (EndedBy.EXIT, 6)
        assert await collect(ground.engine.log("s-1", tail=None, follow=False)) == b"two  words\n"

    @pytest.mark.parametrize("said", [{"entrypoint": "sh -c 'one"}, {"arguments": 'say:"one'}])
    async def test_a_command_that_cannot_be_split_is_not_run(self, ground: Ground, said: dict[str, str]) -> None:
        launch = ground.launch("s-1", "bind", (UDP,))
        with pytest.raises(NotStarted, match="cannot be split into words"):
            await ground.engine.start(replace(launch, **said))  # type: ignore[arg-type]
        assert ground.engine.reports() == {}

    @pytest.mark.parametrize("code", [0, 3])
    async def test_the_exit_code_is_reported(self, ground: Ground, code: int) -> None:
        report = await ground.engine.start(ground.launch("s-1", f"exit:{code}", (UDP,)))
        ended = await self.ended(ground, "s-1")
        assert (ended.by, ended.code) == (EndedBy.EXIT, code)
        assert ended.at >= report.started_at
        assert ground.engine.reports()["s-1"].ready_at is None

    async def test_a_signal_from_elsewhere_is_told_from_an_exit(self, ground: Ground) -> None:
        await ground.engine.start(ground.launch("s-1", "signal:11"))
        ended = await self.ended(ground, "s-1")
        assert (ended.by, ended.code) == (EndedBy.SIGNAL, 11)

    async def test_starting_again_returns_the_standing_report(self, ground: Ground) -> None:
        launch = ground.launch("s-1", "bind", (UDP,))
        first = await ground.engine.start(launch)
        ready = await self.ready(ground, "s-1")
        assert await ground.engine.start(launch) == ready
        await ground.engine.stop("s-1", 5)
        await self.ended(ground, "s-1")
        again = await ground.engine.start(launch)
        assert again == ground.engine.reports()["s-1"]
        assert not again.alive
        assert again.handle == first.handle

    async def test_starts_of_one_id_at_once_start_one(self, ground: Ground) -> None:
        launch = ground.launch("s-1", "bind", (UDP,))
        reports = await asyncio.gather(*(ground.engine.start(launch) for _ in range(5)))
        assert len({report.handle for report in reports}) == 1

    async def test_asked_to_end_it_ends(self, ground: Ground) -> None:
        await ground.engine.start(ground.launch("s-1", "slow:0 bind", (UDP,)))
        await self.ready(ground, "s-1")
        await ground.engine.stop("s-1", 30)
        ended = await self.ended(ground, "s-1")
        assert (ended.by, ended.code) == (EndedBy.STOPPED, 0)

    async def test_deaf_to_that_it_is_killed_after_its_grace(self, ground: Ground) -> None:
        await ground.engine.start(ground.launch("s-1", "deaf bind", (UDP,)))
        await self.ready(ground, "s-1")
        await ground.engine.stop("s-1", 0.2)
        assert ground.engine.reports()["s-1"].alive
        ended = await self.ended(ground, "s-1")
        assert (ended.by, ended.code) == (EndedBy.KILLED, 9)

    async def test_of_two_deadlines_the_earlier_holds(self, ground: Ground) -> None:
        for server_id, graces in (("s-1", (3600, 0.1)), ("s-2", (0.1, 3600))):
            await ground.engine.start(ground.launch(server_id, "deaf bind", (UDP,)))
            await self.ready(ground, server_id)
            for grace in graces:
                await ground.engine.stop(server_id, grace)
            assert (await self.ended(ground, server_id)).by is EndedBy.KILLED

    async def test_what_is_unknown_or_ended_can_be_stopped_and_forgotten_in_vain(self, ground: Ground) -> None:
        await ground.engine.stop("s-0", 1)
        await ground.engine.forget("s-0")
        await ground.engine.discard("s-0")
        await ground.engine.start(ground.launch("s-1", "exit:4"))
        ended = await self.ended(ground, "s-1")
        await ground.engine.stop("s-1", 0)
        assert ground.engine.reports()["s-1"].ended == ended

    async def test_a_report_is_kept_until_it_is_forgotten(self, ground: Ground) -> None:
        await ground.engine.start(ground.launch("s-1", "exit:4"))
        await ground.engine.start(ground.launch("s-2", "bind", (UDP,)))
        ended = await self.ended(ground, "s-1")
        await ground.restart()
        assert ground.engine.reports()["s-1"].ended == ended
        await ground.engine.forget("s-1")
        await ground.engine.forget("s-2")  # alive: stays
        assert set(ground.engine.reports()) == {"s-2"}
        await ground.restart()
        assert set(ground.engine.reports()) == {"s-2"}

    async def test_a_forgotten_id_may_be_used_again(self, ground: Ground) -> None:
        first = await ground.engine.start(ground.launch("s-1", "exit:4"))
        await self.ended(ground, "s-1")
        await ground.engine.forget("s-1")
        second = await ground.engine.start(ground.launch("s-1", "bind", (UDP,)))
        assert second.alive
        assert second.handle != first.handle

    @pytest.mark.parametrize("restarts", [False, True])
    async def test_a_further_run_has_the_same_ports_and_its_own_output(self, ground: Ground, restarts: bool) -> None:
        engine, last = ground.engine, ground.launch("s-1", "say:three bind", (UDP, TCP))
        handles: list[str] = []
        assert await engine.before("s-1") == b""
        for number, word in enumerate(("one", "two")):
            await engine.start(replace(ground.launch("s-1", f"say:{word} exit:{number}"), ports=last.ports))
            ended = await self.ended(ground, "s-1")
            assert (ended.by, ended.code) == (EndedBy.EXIT, number)
            handles.append(ground.engine.reports()["s-1"].handle)
            assert await collect(engine.log("s-1", tail=None, follow=False)) == f"{word}\n".encode()
            await engine.forget("s-1")
            if restarts:
                await ground.restart()
                engine = ground.engine
        await engine.start(last)
        assert (await self.ready(ground, "s-1")).handle not in handles
        assert await engine.before("s-1") == b"two\n"
        assert await collect(engine.log("s-1", tail=None, follow=False)) == b"three\n"
        await engine.discard("s-1")  # it is alive
        assert await engine.before("s-1") == b"two\n"
        await engine.stop("s-1", 0)
        await self.ended(ground, "s-1")
        await engine.forget("s-1")
        assert await engine.before("s-1") == b"two\n"
        await engine.discard("s-1")
        assert await engine.before("s-1") == b""
        assert await engine.before("../s-1") == b""

    async def test_servers_outlive_a_restart(self, ground: Ground) -> None:
        await ground.engine.start(ground.launch("s-1", "slow:0 bind", (TCP,)))
        before = await self.ready(ground, "s-1")
        await ground.restart()
        assert ground.engine.reports()["s-1"] == before
        await ground.engine.stop("s-1", 30)
        assert (await self.ended(ground, "s-1")).by is EndedBy.STOPPED

    async def test_every_listener_hears_every_change(self, ground: Ground) -> None:
        listeners = [ground.engine.changes() for _ in range(3)]
        await ground.engine.start(ground.launch("s-1", "slow:0 bind", (UDP,)))
        await self.ready(ground, "s-1")
        await ground.engine.stop("s-1", 30)
        await self.ended(ground, "s-1")
        for listener in listeners:
            heard = [await anext(listener), await anext(listener)]
            assert [report.alive for report in heard] == [True, False]

    async def test_the_end_of_whoever_ends_at_once_is_told_too(self, ground: Ground) -> None:
        changes = ground.engine.changes()
        ids = {f"s-{number}" for number in range(self.many)}
        await asyncio.gather(*(ground.engine.start(ground.launch(server_id, "exit:0")) for server_id in ids))
        await ground.until(lambda: not any(report.alive for report in ground.engine.reports().values()))
        told: set[str] = set()
        while told != ids:
            report = await asyncio.wait_for(anext(changes), 10)
            if not report.alive:
                told.add(report.server_id)

    async def test_the_log_is_kept_and_its_tail_can_be_read(self, ground: Ground) -> None:
        await ground.engine.start(ground.launch("s-1", "say:one say:two say:three exit:0"))
        await self.ended(ground, "s-1")
        log = ground.engine.log
        assert await collect(log("s-1", tail=None, follow=False)) == b"one\ntwo\nthree\n"
        assert await collect(log("s-1", tail=2, follow=False)) == b"two\nthree\n"
        assert await collect(log("s-1", tail=0, follow=False)) == b""
        assert await collect(log("s-1", tail=9, follow=True)) == b"one\ntwo\nthree\n"
        await ground.engine.forget("s-1")
        assert await collect(log("s-1", tail=1, follow=True)) == b"three\n"
        await ground.engine.discard("s-1")
        with pytest.raises(KeyError):
            log("s-1", tail=None, follow=False)

    async def test_the_log_can_be_followed_to_its_end(self, ground: Ground) -> None:
        await ground.engine.start(ground.launch("s-1", "say:up slow:0 bind", (UDP,)))
        await self.ready(ground, "s-1")
        following = asyncio.create_task(collect(ground.engine.log("s-1", tail=None, follow=True)))
        await ground.engine.stop("s-1", 30)
        await self.ended(ground, "s-1")
        await ground.until(following.done)
        assert following.result() == b"up\nsaving\nsaved\n"

    async def test_the_log_can_be_followed_from_now_on(self, ground: Ground) -> None:
        await ground.engine.start(ground.launch("s-1", "say:up slow:1 bind", (UDP,)))
        await self.ready(ground, "s-1")
        following = asyncio.create_task(collect(ground.engine.log("s-1", tail=0, follow=True)))
        await ground.engine.stop("s-1", 30)
        await self.ended(ground, "s-1")
        await ground.until(following.done)
        assert following.result() in (b"saving\nsaved\n", b"saved\n")  # it was asked to end as the following began

    async def test_the_log_of_a_living_server_cannot_be_discarded(self, ground: Ground) -> None:
        await ground.engine.start(ground.launch("s-1", "say:up bind", (UDP,)))
        await self.ready(ground, "s-1")
        await ground.engine.discard("s-1")
        assert await collect(ground.engine.log("s-1", tail=None, follow=False)) == b"up\n"

    async def test_usage_is_told_of_the_living(self, ground: Ground) -> None:
        await ground.engine.start(ground.launch("s-1", "bind", (UDP, TCP)))
        await ground.engine.start(ground.launch("s-2", "bind", (UDP,)))
        await ground.engine.start(ground.launch("s-3", "exit:0"))
        await self.ready(ground, "s-1")
        await self.ready(ground, "s-2")
        await self.ended(ground, "s-3")
        usage = await ground.engine.usage(["s-1", "s-2", "s-3", "s-4"])
        assert set(usage) == {"s-1", "s-2"}
        assert usage["s-1"].connections == 0
        assert usage["s-2"].connections is None
        assert usage["s-1"].cpu_seconds >= 0

    async def test_what_cannot_be_started_stays_unknown(self, ground: Ground) -> None:
        launch = ground.launch("s-1", "bind", (UDP,))
        gone = Launch(launch.server_id, Path("/nonexistent/build"), launch.command, launch.env, launch.ports, 1, 256)
        with pytest.raises(NotStarted, match="nonexistent"):
            await ground.engine.start(gone)
        assert ground.engine.reports() == {}
        assert (await ground.engine.start(launch)).alive

    async def test_a_bound_port_is_not_free(self, ground: Ground) -> None:
        launch = ground.launch("s-1", "bind", (TCP, UDP))
        assert [ground.engine.port_is_free(port.number, port.transport) for port in launch.ports] == [True, True]
        await ground.engine.start(launch)
        await self.ready(ground, "s-1")
        assert [ground.engine.port_is_free(port.number, port.transport) for port in launch.ports] == [False, False]
