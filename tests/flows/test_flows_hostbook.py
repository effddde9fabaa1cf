"""The operator adds, drains and removes hosts while rooms are open; nobody else can."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.json import encode
from msgspec.structs import asdict, replace

from factories import TestInn
from innkeeper.contract.hathora.deployments_v3 import ContainerPort
from innkeeper.contract.hathora.fleets_v2 import AutoscalerConfig, CreateFleetV2, NodeShapeId
from innkeeper.contract.hathora.processes_v3 import ProcessStatus
from innkeeper.contract.hathora.words import RoomReadyStatus, RoomStatus, TransportType
from innkeeper.contract.house.hosts_v1 import HostRuns, HostSource, HostState, HostsV1, NewHost
from innkeeper.contract.house.servers_v1 import Server, ServerState
from innkeeper.engines.fake import Behaviour
from innkeeper.engines.ports import PortTable
from innkeeper.hosting.hosts import Host
from innkeeper.hosting.queries import hosts as host_queries
from innkeeper.hostspecs import HostSpec, read_spec
from innkeeper.sdk import UNSET, BadRequest, Invalid, NotFound, StatusError, Unauthorized
from manyhosts import alive, another, engine_of, no_port_is_lost, reason, spread, where
from troubled import Cut, TroubledEngine

NEW = NewHost(name="other", engine="ssh://me@203.0.113.9", ports="40000-40099", cpu=4, memory_mb=4096)


@pytest.fixture
async def open_inn(house_url: str, tmp_path: Path) -> AsyncIterator[TestInn]:
    """An inn that takes hosts; the engine of each lives as long as the test, as machines do."""
    inn = TestInn(tmp_path / "data", house_url)
    engines: dict[str, TroubledEngine] = {}

    def make(spec: HostSpec) -> Host:
        engine = engines.setdefault(spec.name, TroubledEngine(inn.clock, inn.trouble))
        engine.cut_off = spec.name == "away"
        first, last = spec.port_range_or()
        table = PortTable(first, last, 60, engine.port_is_free)
        return Host(
            spec.name, engine, table, spec.address_or("198.51.100.7"), frozenset(spec.locations),
            spec.cpu or float("inf"), spec.memory_mb or float("inf"),
        )  # fmt: skip

    inn.make = make
    try:
        await inn.start()
        yield inn
    finally:
        await inn.stop()


def hosts_of(inn: TestInn, token: str = "") -> HostsV1:  # type: ignore[type-arg]
    return inn.client(token or inn.token).house.hosts_v1


async def servers_of(inn: TestInn, host: str | None = None, token: str = "") -> list[Server]:
    return (await inn.client(token or inn.token).house.servers_v1.get_servers(host=host)).servers


async def test_a_host_is_added_used_drained_and_removed(open_inn: TestInn) -> None:
    inn = open_inn
    hosts = hosts_of(inn)
    game = await inn.game()
    added = await hosts.add_host(NEW)
    assert (added.name, added.source, added.runs, added.ports) == (
        "other", HostSource.ADDED, HostRuns.PROGRAMS, "40000-40099",
    )  # fmt: skip
    await inn.settle()
    [own, other] = (await hosts.get_hosts()).hosts
    assert (own.name, own.source, own.state, own.engine) == ("fake", HostSource.MACHINE, HostState.UP, "fake")
    assert (own.cpu, own.free_cpu, other.cpu, other.free_memory_mb) == (None, None, 4.0, 4096.0)
    assert (other.state, other.address, other.engine) == (HostState.UP, "203.0.113.9", "ssh://me@203.0.113.9")
    rooms = [await game.room() for _ in range(9)]  # eight are as many as its processors hold
    await inn.settle()
    there = [room for room in rooms if (await where(inn, room.process_id))[0] == "other"]
    assert len(there) == 8
    [_, other] = (await hosts.get_hosts()).hosts
    assert (other.servers, other.free_cpu, other.free_memory_mb, other.free_ports) == (8, 0.0, 0.0, 92)

    await inn.restart()  # it is kept
    await inn.settle()
    hosts = hosts_of(inn)
    with pytest.raises(
        BadRequest, match=r"on host other \(8\): drain it first.* `innkeeper hosts servers other` lists"
    ):
        await hosts.remove_host("other")
    assert (await hosts.drain_host("other")).state == HostState.DRAINING
    await inn.settle()
    for room in rooms:
        assert (await game.connection(room)).status == RoomReadyStatus.ACTIVE
    assert (await game.process(there[0].process_id)).status == ProcessStatus.DRAINING
    late = await game.room()
    await inn.settle()
    assert await where(inn, late.process_id) == ("fake", "running")

    await inn.restart()  # it is drained still
    await inn.settle()
    hosts = hosts_of(inn)
    assert (await hosts.get_hosts()).hosts[1].state == HostState.DRAINING
    for room in there:
        await game.cloud.rooms_v2.destroy_room(room.room_id)
    await inn.advance(1)
    await inn.advance(1)
    ended = await game.process(there[0].process_id)
    assert ended.status == ProcessStatus.STOPPED
    assert alive(engine_of(inn, "other")) == set()
    await no_port_is_lost(inn)
    await hosts.remove_host("other")
    assert [host.name for host in (await hosts.get_hosts()).hosts] == ["fake"]
    await inn.restart()
    assert [host.name for host in (await hosts_of(inn).get_hosts()).hosts] == ["fake"]
    again = await hosts_of(inn).add_host(NEW)
    assert again.state in (HostState.SILENT, HostState.UP)  # until the next pass has looked at it


async def test_who_waits_for_ports_is_told_which(inn: TestInn) -> None:
    inn.behave(never_ready=True)
    more = ContainerPort(transport_type=TransportType.TCP, port=7778, name="ws")
    game = await inn.game(ports=[more])
    room = await game.room()
    await inn.settle()
    assert [one.waits for one in await servers_of(inn)] == [None]  # most have bound them soon
    await inn.advance(1)
    waits = "its program has not bound its ports: udp 30000 (default), tcp 30001 (ws)"
    assert [one.waits for one in await servers_of(inn)] == [waits]
    inn.engine.bind(room.process_id, 30_000)
    await inn.advance(1)
    waits = "its program has not bound its ports: tcp 30001 (ws); the others are bound"
    assert [one.waits for one in await servers_of(inn)] == [waits]


async def test_a_host_is_set_aside_for_a_fleet(open_inn: TestInn, caplog: pytest.LogCaptureFixture) -> None:
    inn = open_inn
    fleet = await inn.client().fleets_v2.create_fleet(
        CreateFleetV2(
            name="arena",
            node_shape_id=NodeShapeId.AMD64_4_8,
            autoscaler_config=AutoscalerConfig(scale_up_threshold=100),
        )
    )
    added = await hosts_of(inn).add_host(replace(NEW, fleet=fleet.fleet_id, hosting="cloud"))
    assert (added.fleet, added.hosting) == (fleet.fleet_id, "cloud")
    await inn.restart()  # it is kept
    await inn.settle()
    [own, other] = (await hosts_of(inn).get_hosts()).hosts
    assert [(one.fleet, one.hosting) for one in (own, other)] == [(None, "metal"), (fleet.fleet_id, "cloud")]
    rooms = [await (await inn.game()).room(), await (await inn.game(fleet_id=fleet.fleet_id)).room()]
    await inn.settle()
    assert [(await where(inn, room.process_id))[0] for room in rooms] == ["fake", "other"]
    assert "which no organisation has" not in caplog.text


async def test_a_fleet_that_nobody_has_is_warned_of_at_the_start(
    open_inn: TestInn, caplog: pytest.LogCaptureFixture
) -> None:
    inn = open_inn
    text = replace(NEW, fleet="fleet-00000000-0000-4000-8000-000000000000")
    spec = read_spec({name: value for name, value in asdict(text).items() if value is not UNSET})
    inn.settings = replace(inn.settings, hosts=(spec,))
    await inn.restart()
    assert "for fleet fleet-00000000-0000-4000-8000-000000000000, which no organisation has" in caplog.text


async def test_a_drained_host_can_be_used_again(open_inn: TestInn) -> None:
    hosts = hosts_of(open_inn)
    await open_inn.settle()
    await hosts.drain_host("fake")
    game = await open_inn.game()
    with pytest.raises(StatusError, match="host fake is drained"):
        await game.room()
    assert (await hosts.resume_host("fake")).state == HostState.UP
    room = await game.room()
    await open_inn.settle()
    assert (await game.connection(room)).status == RoomReadyStatus.ACTIVE


async def test_removing_by_force_ends_the_servers_there(open_inn: TestInn) -> None:
    inn = open_inn
    hosts = hosts_of(inn)
    await hosts.add_host(NEW)
    await inn.settle()
    game = await inn.game()
    room = await game.room()
    await inn.settle()
    assert await where(inn, room.process_id) == ("other", "running")
    engine = engine_of(inn, "other")
    await hosts.remove_host("other", force=True)
    assert alive(engine) == set()
    assert (await game.info(room)).status == RoomStatus.DESTROYED
    assert await reason(inn, room.room_id) == "its server ended: host other was removed"
    await inn.settle()
    fresh = await game.room()
    await inn.settle()
    assert await where(inn, fresh.process_id) == ("fake", "running")


@pytest.mark.parametrize(
    ("new", "error", "told"),
    [
        (NewHost(name="away", engine="unix:///x"), Invalid, "host away: engine: the host does not answer"),
        (NewHost(name="fake", engine="unix:///x"), BadRequest, "there is a host fake already"),
        (NewHost(name="local", engine="unix:///x"), Invalid, "local is the house's own"),
        (NewHost(name="fra", engine="http://x"), Invalid, "host fra: engine: write unix:///PATH, tcp://HOST:PORT or"),
        (NewHost(name="fra", engine="tcp://x:2376"), Invalid, "host fra: tls_ca: .*open to everybody"),
        (
            NewHost(name="fra", engine="unix:///x", locations=["mars"]),
            Invalid,
            "no client can ask for 'mars'; there is",
        ),
        (NewHost(name="fra", engine="unix:///x", ports="9-1"), Invalid, "host fra: ports: write a range"),
    ],
)
async def test_what_cannot_be_a_host_is_refused_with_what_to_write(
    open_inn: TestInn, new: NewHost, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        await hosts_of(open_inn).add_host(new)
    assert [host.name for host in (await hosts_of(open_inn).get_hosts()).hosts] == ["fake"]
    await open_inn.restart()
    assert [host.name for host in (await hosts_of(open_inn).get_hosts()).hosts] == ["fake"]


async def told_of_hosts(inn: TestInn) -> list[tuple[str, object]]:
    """The news of hosts; who asks is listened for from then on."""
    await inn.inn.notices.keeper.keep()
    page = await inn.client().house.events_v1.get_events(after=0, kinds=["host.*"])
    return [(event.type, event.data["host"]) for event in page.events]


async def test_a_host_that_is_refused_is_not_told_of(open_inn: TestInn) -> None:
    inn = open_inn
    hosts = hosts_of(inn)
    assert await told_of_hosts(inn) == []
    for name in ("away", "away", "fake"):
        with pytest.raises(StatusError):
            await hosts.add_host(NewHost(name=name, engine="unix:///x"))
    assert await told_of_hosts(inn) == []
    await hosts.add_host(NEW)
    assert await told_of_hosts(inn) == [("host.added", "other")]
    await hosts.remove_host("other")
    assert await told_of_hosts(inn) == [("host.added", "other"), ("host.removed", "other")]


@pytest.mark.parametrize(("cut_at", "after"), [(1, False), (1, True), (2, False), (2, True)])
async def test_taking_a_host_in_is_cut_off_anywhere(open_inn: TestInn, cut_at: int, after: bool) -> None:
    inn = open_inn
    assert await told_of_hosts(inn) == []
    spec = read_spec({"name": "other", "engine": "ssh://x"})
    inn.trouble.arm(cut_at, after=after)
    with suppress(Cut):
        await inn.inn.wings.host_book.add(spec, "me")
    assert inn.trouble.was_cut
    inn.trouble.arm(None)
    await inn.restart()
    there = [host.name for host in (await hosts_of(inn).get_hosts()).hosts if host.name != "fake"]
    assert await told_of_hosts(inn) == [("host.added", name) for name in there]


async def test_a_host_that_was_being_taken_in_at_a_crash_is_told_of_at_the_next_start(open_inn: TestInn) -> None:
    inn = open_inn
    assert await told_of_hosts(inn) == []
    spec = read_spec({"name": "other", "engine": "ssh://x"})
    assert await inn.inn.db.write(host_queries.intend, "other", encode(spec).decode())
    for _ in range(2):
        await inn.restart()
        assert [host.name for host in (await hosts_of(inn).get_hosts()).hosts] == ["fake", "other"]
        assert await told_of_hosts(inn) == [("host.added", "other")]


async def test_the_machine_itself_cannot_be_removed_and_strangers_are_not_found(open_inn: TestInn) -> None:
    hosts = hosts_of(open_inn)
    with pytest.raises(Invalid, match="host fake was not added by command: set programs = false, or drain it"):
        await hosts.remove_host("fake", force=True)
    for call in (hosts.drain_host, hosts.resume_host, hosts.remove_host):
        with pytest.raises(NotFound, match="there is no host nobody"):
            await call("nobody")


async def test_only_admins_of_the_first_organisation_see_hosts(open_inn: TestInn) -> None:
    wings = open_inn.inn.wings
    admin = await wings.callers.recognise(open_inn.token)
    from innkeeper.accounts.scopes import SCOPES, Grant

    everything_else = (await wings.tokens.create(admin, "most", Grant.of(SCOPES))).plain
    rival = await open_inn.another_org()
    for token, error in ((everything_else, Unauthorized), (rival, NotFound), ("nonsense", Unauthorized)):
        hosts = hosts_of(open_inn, token)
        for call in (hosts.get_hosts(), hosts.add_host(NEW), hosts.drain_host("fake"), hosts.remove_host("fake")):
            with pytest.raises(error):
                await call
        with pytest.raises(error):
            await servers_of(open_inn, token=token)


async def test_servers_are_listed_with_their_host_or_with_why_they_have_none(open_inn: TestInn) -> None:
    inn = open_inn
    hosts = hosts_of(inn)
    await hosts.add_host(NEW)
    engine_of(inn, "other").behaviour = Behaviour(start_takes=5, stop_takes=5)
    await hosts.drain_host("fake")
    await inn.settle()
    game = await inn.game()
    assert await servers_of(inn) == []
    rooms = [await game.room() for _ in range(8)]
    await inn.advance(1)
    late = await game.room()
    await inn.settle()
    *there, last = await servers_of(inn)
    assert {one.server_id for one in there} == {room.process_id for room in rooms}
    assert {(one.host, one.region, one.state, one.rooms, one.address, one.waits) for one in there} == {
        ("other", "tokyo", ServerState.STARTING, 1, None, None)
    }
    assert (last.server_id, last.host, last.state, last.app_id) == (late.process_id, None, "wanted", game.app_id)
    assert last.app_name == (await game.cloud.apps_v2.get_app()).app_name
    assert last.since == (await game.process(late.process_id)).created_at
    assert last.waits == (
        "no host at tokyo has 0.5 CPU and 512 MiB of memory left; the most that is free is 0 CPU and 0 MiB,"
        " on host other"
    )
    assert await servers_of(inn, "other") == there
    assert await servers_of(inn, "fake") == []
    with pytest.raises(NotFound, match="there is no host nobody"):
        await servers_of(inn, "nobody")

    await inn.advance(5)
    first, *_ = await servers_of(inn)
    port = (await game.process(first.server_id)).exposed_port
    assert port is not None
    assert (first.state, first.address) == (ServerState.RUNNING, f"203.0.113.9:{port.port}")
    await game.cloud.processes_v3.stop_process(first.server_id)
    await inn.settle()
    first, *_ = await servers_of(inn)
    assert (first.state, first.rooms) == (ServerState.STOPPING, 0)
    await inn.advance(5)  # and so there is room
    assert first.server_id not in {one.server_id for one in await servers_of(inn)}
    assert [(one.server_id, one.waits) for one in await servers_of(inn)][-1] == (late.process_id, None)
    assert len(await servers_of(inn, "other")) == 8


async def test_a_server_whose_host_does_not_start_it_says_why(open_inn: TestInn) -> None:
    inn = open_inn
    await inn.settle()
    game = await inn.game()
    inn.engine.unavailable = True
    await game.room()
    await inn.settle()
    [server] = await servers_of(inn)
    assert (server.host, server.state) == ("fake", ServerState.STARTING)
    assert (server.waits or "").startswith("host fake does not answer")
    inn.engine.unavailable = False
    await inn.advance(1)
    [server] = await servers_of(inn)
    assert (server.state, server.waits) == (ServerState.RUNNING, None)


async def test_drained_standing_servers_are_replaced_elsewhere_first(open_inn: TestInn) -> None:
    inn = open_inn
    inn.behave(start_takes=5)
    hosts = hosts_of(inn)
    await hosts.add_host(NEW)
    await inn.settle()
    game = await inn.game()
    await game.order(2, 2, 4)
    await inn.settle()
    assert len(alive(engine_of(inn, "other"))) == 2  # packed: it has limits
    await hosts.drain_host("other")
    await inn.advance(1)
    running = [one for one in await game.processes() if one.status == ProcessStatus.RUNNING]
    assert len(running) == 2, "those that leave serve until the others are ready"
    for _ in range(8):
        await inn.advance(1)
    assert alive(engine_of(inn, "other")) == set()
    assert len(alive(inn.engine)) == 2
    assert {(await where(inn, one.process_id))[0] for one in running} == {"other"}


async def test_rooms_of_many_hosts_and_a_drain_of_one(house_url: str, tmp_path: Path) -> None:
    inn = TestInn(tmp_path / "data", house_url)
    inn.further_hosts = [another(inn)]
    try:
        await inn.start()
        game = await inn.game()
        rooms = await spread(inn, game)
        await hosts_of(inn).drain_host("other")
        await inn.settle()
        for room in [*rooms["other"], *rooms["fake"]]:
            assert (await game.connection(room)).status == RoomReadyStatus.ACTIVE
    finally:
        await inn.stop()


async def test_hosts_of_the_settings_are_drained_over_restarts_and_never_removed(open_inn: TestInn) -> None:
    inn = open_inn
    await hosts_of(inn).add_host(NEW)
    said = HostSpec(name="fra", engine="ssh://fra", locations=("frankfurt",), ports="41000-41009")
    inn.settings = replace(inn.settings, hosts=(said, HostSpec(name="other", engine="ssh://me@203.0.113.10")))
    await inn.restart()
    await inn.settle()
    hosts = hosts_of(inn)
    [_, fra, other] = (await hosts.get_hosts()).hosts
    assert (fra.name, fra.source, fra.locations, fra.free_ports) == ("fra", HostSource.SETTINGS, ["frankfurt"], 10)
    assert (other.source, other.engine) == (HostSource.SETTINGS, "ssh://me@203.0.113.10")  # the settings hold
    await hosts.drain_host("fra")
    await inn.restart()
    await inn.settle()
    hosts = hosts_of(inn)
    assert (await hosts.get_hosts()).hosts[1].state == HostState.DRAINING
    with pytest.raises(Invalid, match="was not added by command: take it out of the settings file, or drain it"):
        await hosts.remove_host("fra", force=True)


async def test_health_and_metrics_tell_how_hosts_stand(open_inn: TestInn) -> None:
    inn = open_inn
    await hosts_of(inn).add_host(NEW)
    await inn.settle()
    engine_of(inn, "other").cut_off = True
    await inn.advance(11)
    figures = inn.inn.figures
    well, told = await figures.health()
    assert well, "the house does its work, whatever a host does"
    assert told["hosts"] == {"up": 1, "draining": 0, "silent": 0, "lost": 1}
    assert "other" not in str(told), "anybody may read it"
    [gauge] = [metric for metric in figures.collect() if metric.name == "innkeeper_hosts"]
    assert {sample.labels["state"]: sample.value for sample in gauge.samples} == {
        "up": 1, "draining": 0, "silent": 0, "lost": 1,
    }  # fmt: skip
