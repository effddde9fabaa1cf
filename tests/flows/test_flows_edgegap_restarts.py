"""Servers whose plan says more of how they are run: started again when they end by themselves, with their own grace and
their own time to start, on both stores and with a pretended host.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from factories import Game, TestInn
from innkeeper.contract.edgegap.applications import ApplicationPost, AppVersionPayload, AppVersionPort
from innkeeper.contract.edgegap.deployments import DeployModel
from innkeeper.contract.edgegap.words import Protocol
from innkeeper.contract.hathora.processes_v3 import ProcessStatus, ProcessV3
from innkeeper.contract.hathora.words import RoomStatus
from innkeeper.db.database import Statement, Steps
from innkeeper.engines.base import EndedBy, Transport
from innkeeper.hosting.orders import Ask
from innkeeper.hosting.plans import Crash, Order, Plan, Restart, read_crash
from innkeeper.hosting.queries.orders import order_of
from innkeeper.hosting.queries.placing import placed
from troubled import Cut

pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated. use :DeprecationWarning")
ALWAYS = Plan(restart=Restart.ALWAYS)


@dataclass
class Ordered:
    """A server that was asked for with a plan, which is a room's as well."""

    inn: TestInn
    game: Game
    id: str

    async def told(self) -> tuple[ProcessStatus, str | None]:
        """Its state, and how it ended."""
        found = await self.process()
        return found.status, str(found.summary_exit_reason or "") or None

    async def process(self) -> ProcessV3:
        return await self.game.process(self.id)

    async def room(self) -> RoomStatus:
        return (await self.game.cloud.rooms_v2.get_room_info(self.id[-12:])).status

    async def order(self) -> Order:
        found = await self.inn.inn.db.read(order_of, self.id)
        assert found is not None
        return found

    async def crash(self) -> Crash:
        found = read_crash((await self.order()).crash)
        assert found is not None
        return found

    async def ends(self, by: EndedBy = EndedBy.EXIT, code: int | None = 3) -> None:
        """Its program ends by itself."""
        self.inn.engine.end(self.id, by, code)
        await self.inn.settle()

    @property
    def starts(self) -> int:
        return self.inn.engine.started[self.id]


async def ordered(inn: TestInn, plan: Plan, **behaviour: Any) -> Ordered:
    """A running server with this plan."""
    inn.behave(**behaviour)
    game = await inn.game()

    def named() -> Steps[Any]:
        return (yield Statement("select org_id, name from apps where id = $1", (game.app_id,)))

    ((org_id, name),) = await inn.inn.db.read(named)
    orders = inn.inn.wings.orders
    serving = await orders.serving(org_id, name, None)
    told = await orders.ask_for(replace(serving, plan=plan), Ask())
    await inn.settle()
    return Ordered(inn, game, told.ordered.server.id)


async def test_a_server_that_ends_by_itself_is_started_again_where_it_was(inn: TestInn) -> None:
    one = await ordered(inn, ALWAYS, start_takes=2, output=b"first\n")
    await inn.advance(2)
    before = await one.process()
    launch = inn.engine.launches[one.id]
    assert before.status is ProcessStatus.RUNNING
    inn.behave(start_takes=2, output=b"second\n")
    await one.ends()
    assert (one.starts, await one.room()) == (2, RoomStatus.SCHEDULING)
    assert await one.told() == (ProcessStatus.STARTING, None)
    assert inn.engine.launches[one.id] == launch
    await inn.advance(2)
    after = await one.process()
    assert await one.room() is RoomStatus.ACTIVE
    assert (after.status, after.exposed_port, after.started_at) == (
        ProcessStatus.RUNNING, before.exposed_port, before.started_at,
    )  # fmt: skip
    assert ((await one.order()).restarts, await one.crash()) == (
        1, Crash(inn.clock.now() - 2_000_000, 3, "exited with code 3", 0, inn.clock.now() - 2_000_000),
    )  # fmt: skip
    order = await one.order()
    logs = inn.inn.wings.logs
    assert await logs.before(order.org_id, order.app_id, one.id) == b"first\n"
    pieces = await logs.read(order.org_id, order.app_id, one.id, tail=None, follow=False)
    assert b"".join([piece async for piece in pieces]) == b"second\n"
    await one.game.cloud.processes_v3.stop_process(one.id)
    await inn.settle()
    assert (await one.told())[0] is ProcessStatus.STOPPED
    assert (one.starts, inn.engine.reports()) == (2, {})
    assert (await one.order()).restarts == 1


async def test_who_ends_often_is_started_later_and_later_until_it_ran_for_a_while(inn: TestInn) -> None:
    one = await ordered(inn, Plan(restart=Restart.ON_FAILURE))
    for row, wait in enumerate((0, 1, 2, 4)):
        await one.ends(EndedBy.SIGNAL, 11)
        if wait:
            await inn.advance(wait - 0.5)
            assert (one.starts, await one.room()) == (row + 1, RoomStatus.SCHEDULING)
            await inn.restart()  # what it reports anew is no news
            await inn.settle()
            assert (await one.order()).restarts == row + 1
            assert await inn.inn.keeper.keep() == pytest.approx(0.5)
            await inn.advance(0.5)
        assert (one.starts, await one.room()) == (row + 2, RoomStatus.ACTIVE)
    await inn.advance(600)
    await one.ends()
    assert one.starts == 6
    await one.ends(code=0)  # that is no failure
    assert await one.told() == (ProcessStatus.STOPPED, "exited by itself with code 0")
    assert await one.crash() == Crash(inn.clock.now(), 0, "exited by itself with code 0")
    assert (one.starts, (await one.order()).restarts, inn.engine.reports()) == (6, 5, {})


async def test_wherever_the_house_is_killed_there_is_one_further_run(inn: TestInn) -> None:
    one = await ordered(inn, ALWAYS)
    ports = (await one.process()).exposed_port
    runs, cuts = 1, 0
    for at in range(1, 8):
        for after in (False, True):
            await inn.advance(601)
            inn.trouble.arm(at, after=after)
            inn.engine.end(one.id, EndedBy.EXIT, 3)
            try:
                for _ in range(3):
                    await inn.settle()
            except Cut:
                pass
            cuts += inn.trouble.was_cut
            inn.trouble.arm(None)
            await inn.restart()
            await inn.settle()
            runs += 1
            found = await one.process()
            assert (found.status, found.exposed_port) == (ProcessStatus.RUNNING, ports)
            assert (one.starts, (await one.order()).restarts) == (runs, runs - 1)
            assert await one.room() is RoomStatus.ACTIVE
    assert cuts >= 8  # the note, the forgetting, the start and its report, each before and after


async def test_one_that_waits_to_be_started_again_can_be_stopped(inn: TestInn) -> None:
    one = await ordered(inn, ALWAYS)
    await one.ends()
    await one.ends()
    assert (one.starts, (await one.told())[0]) == (2, ProcessStatus.STARTING)
    await one.game.cloud.processes_v3.stop_process(one.id)
    await inn.settle()
    status, why = await one.told()
    assert (status, inn.engine.reports()) == (ProcessStatus.STOPPED, {})
    assert why is not None
    assert why.endswith("(exited with code 3)")
    await inn.advance(60)
    assert one.starts == 2
    assert inn.host.ports.in_use == frozenset()


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [
        ({"never_ready": True}, "did not bind its ports again within 20 s: udp"),
        ({"never_ready": True, "crash_after": 0.5}, "exited with code 1"),
    ],
)
async def test_one_that_is_not_ready_again_in_time_has_failed(
    small_inn: TestInn, behaviour: dict[str, Any], told: str
) -> None:
    inn = small_inn
    one = await ordered(inn, Plan(restart=Restart.ALWAYS, start_seconds=20))
    inn.behave(**behaviour)
    await one.ends()
    for _ in range(40):
        await inn.advance(0.5)
    status, why = await one.told()
    assert status is ProcessStatus.FAILED
    assert why is not None
    assert told in why
    assert await one.room() is RoomStatus.DESTROYED
    await inn.settle()
    assert inn.engine.reports() == {}


async def test_one_that_was_never_ready_is_not_started_again(small_inn: TestInn) -> None:
    one = await ordered(small_inn, ALWAYS, never_ready=True, crash_after=1)
    await small_inn.advance(1)
    assert await one.told() == (ProcessStatus.FAILED, "exited with code 1 before it had bound its ports")
    assert (one.starts, (await one.crash()).again_at) == (1, None)


async def test_one_that_is_being_started_again_ends_with_its_host(small_inn: TestInn) -> None:
    inn = small_inn
    one = await ordered(inn, ALWAYS)
    await one.ends()
    await one.ends()
    inn.engine.cut_off = True
    for _ in range(12):
        await inn.advance(1)
    status, why = await one.told()
    assert status is ProcessStatus.FAILED
    assert "has been silent for" in (why or "")
    inn.engine.cut_off = False
    await inn.advance(31)
    assert (one.starts, inn.engine.reports()) == (2, {})


async def test_it_waits_for_its_own_ports(small_inn: TestInn) -> None:
    inn = small_inn
    one = await ordered(inn, ALWAYS)
    ports = (await one.process()).exposed_port
    (port,) = inn.engine.launches[one.id].ports
    inn.engine.taken_ports.add(port.number)
    await one.ends()
    assert (await one.told())[0] is ProcessStatus.STARTING
    inn.engine.taken_ports.clear()
    await inn.advance(1)
    found = await one.process()
    assert (found.status, found.exposed_port) == (ProcessStatus.RUNNING, ports)


@pytest.mark.parametrize(
    ("ignores", "seconds", "how"), [(False, 500, "it ended when asked"), (True, 600, "was killed")]
)
async def test_a_server_has_the_grace_that_was_asked_for(inn: TestInn, ignores: bool, seconds: int, how: str) -> None:
    one = await ordered(inn, Plan(grace_seconds=600), stop_takes=500, ignore_term=ignores)
    await one.game.cloud.processes_v3.stop_process(one.id)
    await inn.settle()
    for part in (166, 166, seconds - 333):
        await inn.advance(part)
        assert (await one.told())[0] is ProcessStatus.STOPPING
    await inn.restart()
    await inn.advance(1)
    status, why = await one.told()
    assert status is ProcessStatus.STOPPED
    assert how in (why or "")


async def test_a_server_has_the_time_to_start_that_was_asked_for(inn: TestInn) -> None:
    slow = await ordered(inn, Plan(start_seconds=400), start_takes=399)
    late = await ordered(inn, Plan(start_seconds=20), start_takes=30)
    await inn.advance(21)
    status, why = await late.told()
    assert status is ProcessStatus.FAILED
    assert "did not bind its ports within 20 s" in (why or "")
    await inn.advance(378)
    assert (await slow.told())[0] is ProcessStatus.RUNNING
    assert slow.starts == 1


async def test_what_is_run_can_be_said_with_the_order(small_inn: TestInn) -> None:
    one = await ordered(small_inn, Plan(command="./other", arguments="--map 'old town'"))
    launch = small_inn.engine.launches[one.id]
    assert (launch.entrypoint, launch.arguments) == ("./other", "--map 'old town'")
    wrong = await ordered(small_inn, Plan(command="./other 'open"))
    status, why = await wrong.told()
    assert status is ProcessStatus.FAILED
    assert "its command cannot be split into words" in (why or "")


async def test_a_version_says_all_of_it_in_its_own_words(small_inn: TestInn) -> None:
    inn, client = small_inn, small_inn.edgegap()
    inn.behave(output=b"one\n")
    await client.applications.create_application(ApplicationPost(name="arena", is_active=True, image="AAAA"))
    await client.applications.create_app_version(
        AppVersionPayload(
            name="v1", docker_repository="build", docker_image=await inn.build(), docker_tag="", req_cpu=256,
            req_memory=256, command="./other", arguments="-x",
            ports=[
                AppVersionPort(port=0, protocol=Protocol.TCP_UDP, name="game"),
                AppVersionPort(port=8080, protocol=Protocol.TCP, name="web", to_check=False),
            ],
        ),
        "arena",
    )  # fmt: skip
    made = await client.deployments.create_deployment(DeployModel(app_name="arena", ip_list=["192.0.2.7"]))
    await inn.settle()
    (launch,) = inn.engine.launches.values()
    assert (launch.entrypoint, launch.arguments) == ("./other", "-x")
    tcp, udp, web = launch.ports
    assert [port.transport for port in launch.ports] == [Transport.TCP, Transport.UDP, Transport.TCP]
    assert (tcp.number, tcp.awaited, web.awaited) == (udp.number, True, False)
    status = await client.deployments.get_deployment_status(made.request_id)
    inn.behave(output=b"two\n")
    inn.engine.end(launch.server_id, EndedBy.EXIT, 3)
    await inn.settle()
    again = await client.deployments.get_deployment_status(made.request_id)
    assert (again.running, again.ports, again.start_time) == (True, status.ports, status.start_time)
    logs = await client.deployments.get_container_logs(made.request_id)
    assert (logs.logs, logs.crash_logs) == ("two\n", "one\n")
    assert logs.crash_data
    assert (logs.crash_data.exit_code, logs.crash_data.restart_count) == (3, 1)


async def test_whoever_waits_to_be_started_again_keeps_nobody_waiting(inn: TestInn) -> None:
    one = await ordered(inn, ALWAYS)
    for _ in range(3):  # from the second time on there is a pause
        await one.ends()
        await inn.advance(0.001)
    inn.clock.advance(0.001)
    await one.game.room()
    await inn.inn.keeper.placing.place()
    found = await inn.inn.db.read(placed, 1)
    assert [server.id for server, _ in found] != [one.id]
    assert [server.id for server, _ in await inn.inn.db.read(placed, 2)] == [found[0][0].id, one.id]
