"""Fleets: hosts set aside for an organisation, where its servers go then, what is told when some are missing."""

from __future__ import annotations

import pytest

from factories import TOKYO, Game, TestInn
from innkeeper.accounts.model import Limits
from innkeeper.contract.hathora import fleets_v1
from innkeeper.contract.hathora.fleets_v2 import (
    AutoscalerConfig,
    CreateFleetV2,
    FleetMetricName,
    FleetRegionConfig,
    FleetRegionConfigV2,
    FleetV2,
    NodeShapeId,
    UpdateFleetV2,
)
from innkeeper.contract.hathora.nodes_v1 import NodeStatus
from innkeeper.contract.hathora.processes_v3 import Hosting, ProcessStatus
from innkeeper.contract.hathora.words import Region
from innkeeper.contract.house.hosts_v1 import NewHost
from innkeeper.db.database import Statement, Steps
from innkeeper.kit.clock import SECOND
from innkeeper.kit.stamps import moment
from innkeeper.sdk import Invalid, LimitReached, NotFound, RateLimited
from manyhosts import engine_of, no_port_is_lost, set_aside, where


async def made(inn: TestInn, name: str = "arena", threshold: int = 100, token: str = "") -> FleetV2:
    return await inn.client(token or inn.token).fleets_v2.create_fleet(
        CreateFleetV2(
            name=name,
            node_shape_id=NodeShapeId.AMD64_4_8,
            autoscaler_config=AutoscalerConfig(scale_up_threshold=threshold),
        )
    )


async def placed(inn: TestInn, game: Game, rooms: int) -> list[str | None]:
    """The hosts of so many new servers, in the order of their rooms, which come one after the other."""
    found = []
    for _ in range(rooms):
        room = await game.room()
        await inn.settle()
        found.append((await where(inn, room.process_id))[0])
    return found


async def drop_row(inn: TestInn, fleet_id: str) -> None:
    def steps() -> Steps[None]:
        yield Statement("delete from fleets where id = $1", (fleet_id,))

    await inn.inn.db.write(steps)


# -- where servers go ------------------------------------------------------------------------------------------------


async def test_servers_of_a_fleet_go_to_its_hosts_and_then_to_common_ones(inn: TestInn) -> None:
    fleet = await made(inn)
    await set_aside(inn, fleet.fleet_id, cpu=1.0)
    game = await inn.game(fleet_id=fleet.fleet_id)
    assert await placed(inn, game, 3) == ["apart", "apart", "fake"]
    stranger = await inn.game()
    assert await placed(inn, stranger, 2) == ["fake", "fake"]
    await no_port_is_lost(inn)


async def test_past_its_threshold_a_fleet_leaves_room_on_its_own_hosts(inn: TestInn) -> None:
    fleet = await made(inn, threshold=50)
    await set_aside(inn, fleet.fleet_id, cpu=2.0)
    game = await inn.game(fleet_id=fleet.fleet_id)
    # Half a processor each: 25, 50 and 75 percent, the last of which is above the threshold.
    assert await placed(inn, game, 5) == ["apart", "apart", "apart", "fake", "fake"]
    await inn.client().house.hosts_v1.drain_host("fake")
    assert await placed(inn, game, 1) == ["apart"], "what is left of its own is used where no common one is"


async def test_nobody_else_goes_where_a_host_is_set_aside(inn: TestInn) -> None:
    fleet, other = await made(inn), await made(inn, "other")
    await set_aside(inn, fleet.fleet_id)
    game, theirs = await inn.game(), await inn.game(fleet_id=other.fleet_id)
    owner = await inn.game(fleet_id=fleet.fleet_id)
    engine_of(inn, "fake").cut_off = True
    await inn.settle()
    with pytest.raises(LimitReached, match=r"none can be started: host fake does not answer$"):
        await game.room()
    with pytest.raises(LimitReached, match=r"host fake does not answer, and its fleet has no host there that takes it"):
        await theirs.room()
    with pytest.raises(LimitReached, match=r"no server can be started: host fake does not answer"):
        await game.cloud.processes_v3.create_process(TOKYO)
    assert await placed(inn, owner, 1) == ["apart"]
    process = await owner.cloud.processes_v3.create_process(TOKYO)
    await inn.settle()
    assert await where(inn, process.process_id) == ("apart", "running")


async def test_a_host_set_aside_is_none_to_those_who_have_nothing_else(inn: TestInn) -> None:
    fleet = await made(inn)
    await set_aside(inn, fleet.fleet_id, locations=frozenset({"tokyo"}))
    inn.host.locations = frozenset({"london"})
    game = await inn.game()
    with pytest.raises(LimitReached, match="no host at tokyo but those that are set aside for a fleet"):
        await game.room()
    with pytest.raises(LimitReached, match="no host of this house serves sydney"):
        await game.room(region=Region.SYDNEY)


async def test_a_fleet_without_a_place_is_told_so(inn: TestInn) -> None:
    fleet = await made(inn)
    await set_aside(inn, fleet.fleet_id, cpu=0.25)
    inn.host.cpu = 0.25
    game = await inn.game(fleet_id=fleet.fleet_id)
    room = await game.room()
    await inn.settle()
    waits = inn.inn.keeper.placing.trouble[room.process_id]
    assert waits.startswith("no host at tokyo has 0.5 CPU")
    assert waits.endswith("(neither a host of its fleet nor a common one)")


async def test_a_deployment_names_a_fleet_of_its_organisation(inn: TestInn) -> None:
    theirs = await made(inn, token=await inn.another_org())
    for fleet_id in (theirs.fleet_id, "fleet-none"):
        with pytest.raises(NotFound, match=f"fleetId: there is no fleet {fleet_id}"):
            await inn.game(fleet_id=fleet_id)
    mine = await made(inn)
    game = await inn.game(fleet_id=mine.fleet_id)
    assert game.deployment.fleet_id == mine.fleet_id


async def test_a_release_with_a_fleet_that_is_unknown_is_common(inn: TestInn) -> None:
    """Such are there from before fleets were."""
    fleet = await made(inn)
    game = await inn.game(fleet_id=fleet.fleet_id)
    await set_aside(inn, fleet.fleet_id)
    await drop_row(inn, fleet.fleet_id)
    assert await placed(inn, game, 2) == ["fake", "fake"]


async def test_what_a_process_tells_of_its_host(inn: TestInn) -> None:
    fleet = await made(inn)
    await set_aside(inn, fleet.fleet_id, cpu=0.5, hosting="cloud")
    game = await inn.game(fleet_id=fleet.fleet_id)
    rooms = [await game.room(), await game.room()]
    new = await game.process(rooms[0].process_id)
    assert (new.status, new.fleet_id) == (ProcessStatus.STARTING, fleet.fleet_id)
    assert not isinstance(new.hosting, Hosting), "nobody knows where it will be"
    await inn.settle()
    found = [(await game.process(room.process_id)).hosting for room in rooms]
    assert sorted(map(str, found)) == ["cloud", "metal"]


# -- what a fleet is -------------------------------------------------------------------------------------------------


async def test_what_one_generation_makes_the_other_sees(inn: TestInn) -> None:
    cloud = inn.client()
    fleet = await made(inn)
    old = await cloud.fleets_v1.get_fleet(fleet.fleet_id)
    assert (old.name, old.node_shape, old.autoscaler_config) == (
        "arena", fleets_v1.NodeShape.CPU_4_8, AutoscalerConfig(scale_up_threshold=100),
    )  # fmt: skip
    bigger = fleets_v1.NodeShape("gpu-h100-1-28-180")
    seventy = AutoscalerConfig(scale_up_threshold=70)
    await cloud.fleets_v1.update_fleet(
        fleet.fleet_id, fleets_v1.UpdateFleet(node_shape=bigger, autoscaler_config=seventy)
    )
    new = await cloud.fleets_v2.get_fleet(fleet.fleet_id)
    assert (new.name, new.node_shape_id, new.autoscaler_config) == ("arena", NodeShapeId.H100_PCIE_1, seventy)
    again = UpdateFleetV2(name="pit", node_shape_id=new.node_shape_id, autoscaler_config=seventy)
    await cloud.fleets_v2.update_fleet(fleet.fleet_id, again)
    [old] = (await cloud.fleets_v1.get_fleets()).fleets
    assert (old.name, old.node_shape) == ("pit", bigger), "the exact machine is kept where the new word means it too"
    inn.clock.advance(1)
    made_old = await cloud.fleets_v1.create_fleet(
        fleets_v1.CreateFleet(name="old", node_shape=fleets_v1.NodeShape.CPU_8_32, autoscaler_config=seventy)
    )
    [newest, _] = (await cloud.fleets_v2.get_fleets()).fleets
    assert (newest.fleet_id, newest.org_id) == (made_old.fleet_id, inn.inn.founded.org_id)
    assert newest.node_shape_id == NodeShapeId.AMD64_8_32


async def test_names_are_unique_in_an_organisation_alone(inn: TestInn) -> None:
    fleet = await made(inn)
    with pytest.raises(Invalid, match="name: the organisation has a fleet arena already"):
        await made(inn, " arena ")
    await made(inn, token=await inn.another_org())
    other = await made(inn, "other")
    config = fleet.autoscaler_config
    assert isinstance(config, AutoscalerConfig)
    with pytest.raises(Invalid, match="name: the organisation has a fleet arena already"):
        await inn.client().fleets_v2.update_fleet(other.fleet_id, UpdateFleetV2(name="arena", autoscaler_config=config))
    await inn.client().fleets_v2.update_fleet(fleet.fleet_id, UpdateFleetV2(name="arena", autoscaler_config=config))


@pytest.mark.parametrize(
    ("name", "threshold", "told"),
    [
        ("", 50, "name: must have 1 to 64 characters"),
        (" ", 50, "name: must have 1 to 64 characters"),
        ("x" * 65, 50, "name: must have 1 to 64 characters"),
        ("x", 0, "threshold must be a percentage from 1 to 100"),
        ("x", 101, "threshold must be a percentage from 1 to 100"),
    ],
)
async def test_what_cannot_be_is_refused(small_inn: TestInn, name: str, threshold: int, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        await made(small_inn, name, threshold)


# -- how many hosts it shall have ------------------------------------------------------------------------------------


async def test_a_baseline_changes_once_in_five_minutes(inn: TestInn) -> None:
    cloud = inn.client()
    fleet = await made(inn)
    begun = inn.clock.now()
    at_first = await cloud.fleets_v2.get_fleet_region(fleet.fleet_id, TOKYO)
    assert (at_first.node_baseline, at_first.cloud_min_vcpus, at_first.scale_increment_vcpus) == (0, 0, 4)
    assert at_first.cloud_min_vcpus_updated_at == moment(begun)
    inn.clock.advance(7)

    async def ask(nodes: int, region: Region = TOKYO) -> None:
        await cloud.fleets_v2.update_fleet_region(fleet.fleet_id, region, FleetRegionConfigV2(node_baseline=nodes))

    await ask(2)
    changed = inn.clock.now()
    inn.clock.advance(299)
    with pytest.raises(RateLimited, match="a baseline changes once in five minutes: try again in 1 s") as caught:
        await ask(3)
    assert caught.value.retry_after == 1
    await ask(2)  # which it is already: a client that lost the answer may send it again
    await ask(1, Region.LONDON)  # each region has a time of its own
    found = await cloud.fleets_v1.get_fleet_region(fleet.fleet_id, TOKYO)
    assert (found.node_baseline, found.cloud_min_vcpus) == (2, 8)
    assert found.cloud_min_vcpus_updated_at == moment(changed)
    inn.clock.advance(1)
    await cloud.fleets_v1.update_fleet_region(fleet.fleet_id, TOKYO, FleetRegionConfig(cloud_min_vcpus=12))
    assert (await cloud.fleets_v2.get_fleet_region(fleet.fleet_id, TOKYO)).node_baseline == 3


async def test_a_baseline_has_limits(inn: TestInn) -> None:
    cloud = inn.client()
    fleet = await made(inn)

    async def refused(nodes: int, told: str) -> None:
        with pytest.raises(Invalid, match=told):
            await cloud.fleets_v2.update_fleet_region(fleet.fleet_id, TOKYO, FleetRegionConfigV2(node_baseline=nodes))

    await refused(-1, "must be at least 0")
    await refused(11, "must be at most 10")
    limits = Limits(cloud_baseline=2)
    await inn.inn.db.write(lambda: (yield Statement("update orgs set cloud_baseline = $1", (limits.cloud_baseline,))))
    await refused(3, "must be at most 2")
    with (
        pytest.warns(DeprecationWarning, match="use fleets_v2.update_fleet_region"),
        pytest.raises(Invalid, match="cloudMinVcpus: must be a multiple of 4"),
    ):
        await cloud.fleets_v2.deprecated_update_fleet_region_v2(
            fleet.fleet_id, TOKYO, FleetRegionConfig(cloud_min_vcpus=6)
        )
    assert (await cloud.fleets_v2.get_fleet_region(fleet.fleet_id, TOKYO)).node_baseline == 0


async def test_fewer_hosts_than_the_baseline_are_an_error_until_they_are_back(inn: TestInn) -> None:
    cloud = inn.client()
    fleet = await made(inn)
    await set_aside(inn, fleet.fleet_id)
    await set_aside(inn, fleet.fleet_id, "second", 42_000)

    async def state() -> fleets_v1.FleetErrorState | None:
        await inn.watch_fleets()
        found = (await cloud.fleets_v1.get_fleet(fleet.fleet_id)).error_state
        assert isinstance(found, fleets_v1.PartialRecordRegionFleetErrorState)
        return found.tokyo if isinstance(found.tokyo, fleets_v1.FleetErrorState) else None

    await cloud.fleets_v2.update_fleet_region(fleet.fleet_id, TOKYO, FleetRegionConfigV2(node_baseline=2))
    assert await state() is None
    engine_of(inn, "second").cut_off = True
    await inn.advance(5)
    lacking = await state()
    assert lacking is not None
    assert lacking.in_error
    assert lacking.last_error_message == "1 of 2 hosts serve tokyo: second does not answer"
    began = lacking.last_error_timestamp
    assert began == moment(inn.clock.now())
    await inn.advance(60)
    await inn.client().house.hosts_v1.drain_host("apart")
    worse = await state()
    assert worse is not None
    assert (worse.in_error, worse.last_error_timestamp) == (True, began), "it is the same trouble still"
    assert worse.last_error_message == "0 of 2 hosts serve tokyo: apart is drained, second does not answer"
    await inn.restart()
    cloud = inn.client()
    assert await state() == worse, "a restart neither ends it nor begins it again"
    engine_of(inn, "second").cut_off = False
    await inn.client().house.hosts_v1.resume_host("apart")
    await inn.advance(5)
    over = await state()
    assert over is not None
    assert (over.in_error, over.last_error_timestamp, over.last_error_log_id) == (False, began, None)
    await inn.advance(5)
    engine_of(inn, "second").cut_off = True
    await inn.advance(5)
    anew = await state()
    assert anew is not None
    assert anew.last_error_timestamp == moment(inn.clock.now())


async def test_common_hosts_serve_fleets_that_have_none_there(inn: TestInn) -> None:
    fleet = await made(inn)
    cloud = inn.client()
    await cloud.fleets_v2.update_fleet_region(fleet.fleet_id, TOKYO, FleetRegionConfigV2(node_baseline=1))
    await inn.settle()
    await inn.watch_fleets()
    [node] = await cloud.nodes_v1.list_provisioned_nodes(fleet.fleet_id)
    assert node.node_id == "fake"
    assert (await cloud.fleets_v1.get_fleet(fleet.fleet_id)).error_state == (
        fleets_v1.PartialRecordRegionFleetErrorState()
    )


# -- nodes -----------------------------------------------------------------------------------------------------------


async def test_the_nodes_of_a_fleet(inn: TestInn) -> None:
    cloud = inn.client()
    fleet = await made(inn)
    begun = inn.clock.now()
    await set_aside(inn, fleet.fleet_id, cpu=4.0, memory_mb=8192.0, hosting="cloud", locations=frozenset({"tokyo"}))
    [own, common] = await cloud.nodes_v1.list_provisioned_nodes(fleet.fleet_id)
    assert (own.node_id, own.region, own.host, own.hosting, own.status) == (
        "apart", TOKYO, "203.0.113.9", Hosting.CLOUD, NodeStatus.RUNNING,
    )  # fmt: skip
    assert (own.cpu, own.memory_mb, own.gpu, own.started_at, own.stopped_at) == (4, 8192, None, moment(begun), None)
    assert (common.node_id, common.region, common.cpu, common.memory_mb) == ("fake", Region.SEATTLE, 16, 65536)
    assert [node.node_id for node in await cloud.nodes_v1.list_provisioned_nodes(fleet.fleet_id, region=TOKYO)] == [
        "apart"
    ]
    [there] = await cloud.nodes_v1.list_provisioned_nodes(fleet.fleet_id, region=Region.LONDON)
    assert (there.node_id, there.region) == ("fake", Region.LONDON)
    await cloud.house.hosts_v1.drain_host("apart")
    assert (await cloud.nodes_v1.get_node("apart")).status == NodeStatus.DRAINING
    inn.clock.advance(30)
    engine_of(inn, "apart").cut_off = True
    await inn.settle()
    gone = await cloud.nodes_v1.get_node("apart")
    assert (gone.status, gone.started_at) == (NodeStatus.STOPPED, moment(begun))
    assert gone.stopped_at == moment(inn.clock.now())
    assert await cloud.nodes_v1.list_provisioned_nodes(fleet.fleet_id, region=TOKYO) == []
    inn.clock.advance(30)
    engine_of(inn, "apart").cut_off = False
    await inn.settle()
    back = await cloud.nodes_v1.get_node("apart")
    assert (back.started_at, back.stopped_at) == (moment(inn.clock.now()), None)


async def test_to_others_neither_fleet_nor_its_hosts_exist(inn: TestInn) -> None:
    fleet = await made(inn)
    await set_aside(inn, fleet.fleet_id)
    token = await inn.another_org()
    rivals, theirs = inn.client(token), await made(inn, "theirs", token=token)
    with pytest.raises(NotFound, match="there is no host apart"):
        await rivals.nodes_v1.get_node("apart")
    with pytest.raises(NotFound, match=f"there is no fleet {fleet.fleet_id}"):
        await rivals.nodes_v1.list_provisioned_nodes(fleet.fleet_id)
    assert [node.node_id for node in await rivals.nodes_v1.list_provisioned_nodes(theirs.fleet_id)] == ["fake"]
    assert (await rivals.nodes_v1.get_node("fake")).node_id == "fake"
    with pytest.raises(NotFound):
        await rivals.fleets_v2.update_fleet_region(fleet.fleet_id, TOKYO, FleetRegionConfigV2(node_baseline=1))
    with pytest.raises(NotFound):
        await rivals.fleets_v2.get_fleet_metrics(fleet.fleet_id)
    assert [one.name for one in (await rivals.fleets_v1.get_fleets()).fleets] == ["theirs"]


# -- how full it was -------------------------------------------------------------------------------------------------


async def test_what_a_fleet_had_and_used(inn: TestInn) -> None:
    cloud = inn.client()
    fleet = await made(inn)
    await inn.settle()
    await set_aside(inn, fleet.fleet_id, cpu=4.0, locations=frozenset({"tokyo", "osaka"}))
    await set_aside(inn, fleet.fleet_id, "rented", 42_000, cpu=8.0, hosting="cloud", locations=frozenset({"tokyo"}))
    game = await inn.game(fleet_id=fleet.fleet_id)
    await placed(inn, game, 3)
    await placed(inn, await inn.game(), 2)  # those of nobody's fleet
    room = await game.room(region=Region.LONDON)
    await inn.settle()
    assert await where(inn, room.process_id) == ("fake", "running")
    times = []
    for _ in range(3):
        await inn.watch_fleets()
        await inn.watch_fleets()  # within the minute: nothing new is counted
        times.append(inn.clock.now() / SECOND)
        inn.clock.advance(60)
    told = await cloud.fleets_v2.get_fleet_region_metrics(fleet.fleet_id, TOKYO)

    def values(series: object) -> list[float]:
        assert isinstance(series, list)
        assert [point.timestamp for point in series] == times
        return [point.value for point in series]

    assert values(told.provisioned_total) == [12, 12, 12]
    assert values(told.provisioned_bare_metal) == [4, 4, 4]
    assert values(told.provisioned_cloud) == [8, 8, 8]
    assert values(told.utilized) == [1.5, 1.5, 1.5]
    assert values(told.system_overhead) == [12 + 8, 20, 20]
    whole = await cloud.fleets_v1.get_fleet_metrics(
        fleet.fleet_id, metrics=[FleetMetricName.PROVISIONED_TOTAL, FleetMetricName.UTILIZED]
    )
    assert values(whole.provisioned_total) == [12 + 16] * 3, "each machine once, those of other regions too"
    assert values(whole.utilized) == [2, 2, 2]
    assert not isinstance(whole.system_overhead, list)
    coarse = await cloud.fleets_v2.get_fleet_region_metrics(
        fleet.fleet_id, TOKYO, metrics=[FleetMetricName.UTILIZED], start=times[0], end=times[-1], step=120
    )
    assert isinstance(coarse.utilized, list)
    assert [point.timestamp for point in coarse.utilized] == times[1:]
    quiet = await cloud.fleets_v2.get_fleet_region_metrics(fleet.fleet_id, Region.SYDNEY)
    assert quiet.utilized == []


async def test_what_machines_have_beside_is_told_where_it_is_known(small_inn: TestInn) -> None:
    inn = small_inn
    fleet = await made(inn)
    await set_aside(inn, fleet.fleet_id, cpu=4.0, locations=frozenset({"tokyo"}))
    host = inn.inn.keeper.hosts.get("apart")
    assert host is not None
    host.abilities = None
    await inn.watch_fleets()
    told = await inn.client().fleets_v2.get_fleet_region_metrics(fleet.fleet_id, TOKYO)
    assert told.system_overhead == []
    assert isinstance(told.provisioned_total, list)
    assert [point.value for point in told.provisioned_total] == [4]


async def test_counts_are_kept_for_seven_days(small_inn: TestInn) -> None:
    inn = small_inn
    fleet = await made(inn)
    await inn.settle()
    await inn.watch_fleets()
    inn.clock.advance(7 * 24 * 3600 - 1)
    await inn.watch_fleets()

    async def count() -> int:
        rows = await inn.inn.db.read(lambda: (yield Statement("select count(*) from fleet_samples")))
        found: int = rows[0][0]
        return found

    assert await count() == 2
    inn.clock.advance(61)
    await inn.watch_fleets()
    assert await count() == 2
    month = 31 * 24 * 3600
    now = inn.clock.now() / SECOND
    told = await inn.client().fleets_v2.get_fleet_metrics(fleet.fleet_id, start=now - month, end=now)
    assert isinstance(told.utilized, list)
    assert len(told.utilized) == 2
    with pytest.raises(Invalid, match="31 days"):
        await inn.client().fleets_v2.get_fleet_metrics(fleet.fleet_id, start=now - month - 1, end=now)


async def test_the_kinds_of_machine_are_told(small_inn: TestInn) -> None:
    shapes = {shape.node_shape_id: shape for shape in await small_inn.client().fleets_v2.get_node_shapes()}
    assert set(shapes) == set(NodeShapeId)
    one = shapes[NodeShapeId.AMD64_4_16]
    assert (one.min_cpu, one.min_memory_mb, one.min_gpu, one.family_id) == (4, 16384, 0, "family-amd64-1-4")
    gpu = shapes[NodeShapeId.H100_PCIE_2]
    assert (gpu.min_cpu, gpu.min_memory_mb, gpu.min_gpu, gpu.family_id) == (52, 360 * 1024, 2, "family-h100pcie")


async def test_a_host_is_added_for_a_fleet_that_there_is(small_inn: TestInn) -> None:
    inn = small_inn
    with pytest.raises(Invalid, match=r"fleet: no organisation has a fleet fleet-0{8}-0{4}-4000-8000-0{12}"):
        await inn.client().house.hosts_v1.add_host(
            NewHost(name="x", engine="ssh://x", fleet="fleet-00000000-0000-4000-8000-000000000000")
        )
