"""Fleets and policies through Edgegap's API on both stores: deployments that are kept ready, more when they fill."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from arenas import launch_of, version
from factories import TestInn
from innkeeper.contract.edgegap.applications import (
    AppVersionCreateSessionConfig,
    AppVersionUpdatePayload,
    RestartPolicy,
)
from innkeeper.contract.edgegap.deployments import DeployModel
from innkeeper.contract.edgegap.deployments_v2 import HostStatus
from innkeeper.contract.edgegap.fleets import (
    FleetPatchPayload,
    FleetPoliciesPatchPayload,
    FleetPoliciesPostPayload,
    FleetPostPayload,
    PolicyType,
)
from innkeeper.contract.edgegap.sessions import SessionModel
from innkeeper.contract.edgegap.words import DeploymentLocation, SessionKind
from innkeeper.contract.hathora.fleets_v2 import AutoscalerConfig, CreateFleetV2, NodeShapeId
from innkeeper.contract.house.orgs_v1 import ChangedLimits
from innkeeper.engines.base import EndedBy
from innkeeper.sdk import UNSET, AsyncEdgegap, StatusError
from manyhosts import set_aside
from troubled import Cut

pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated. use :DeprecationWarning")
TOKYO = {"filters": [{"field": "city", "values": ["Tokyo"], "filter_type": "any"}]}


async def refused(call: Any) -> int:
    with pytest.raises(StatusError) as error:
        await call
    return error.value.status


def policy(name: str = "tokyo", **changes: Any) -> FleetPoliciesPostPayload:
    terms: dict[str, Any] = {
        "enabled": True, "type": PolicyType.LOCATION, "minimum": 2, "maximum": 4, "threshold": 0.5, "data": TOKYO
    }  # fmt: skip
    return FleetPoliciesPostPayload(name=name, **(terms | changes))


async def fleet(inn: TestInn, *policies: FleetPoliciesPostPayload, sockets: int = 4, **session: Any) -> AsyncEdgegap:
    """An enabled fleet with policies, which is linked to version v1 of app arena. Nothing has been looked at yet."""
    client = inn.edgegap()
    config = AppVersionCreateSessionConfig(kind=SessionKind.SEAT, sockets=sockets, **session)
    await version(inn, client, restart_policy=RestartPolicy.NEVER, session_config=config)
    await client.fleets.create_fleet(FleetPostPayload(name="crowd", enabled=True))
    for one in policies or (policy(),):
        await client.fleets.create_policy(one, "crowd")
    await client.fleets.link_app_version("crowd", "arena", "v1")
    return client


async def ready(client: AsyncEdgegap) -> list[str]:
    """The deployments that run, by when they were made."""
    found = await client.deployments.list_deployments(limit=100)
    assert isinstance(found.data, list)
    return [one.request_id for one in found.data if one.ready]


async def city(client: AsyncEdgegap, short: str) -> str:
    place = (await client.deployments.get_deployment_status(short)).location
    assert isinstance(place, DeploymentLocation)
    return place.city


async def crash(inn: TestInn, short: str) -> None:
    inn.engine.end(next(id for id in inn.engine.launches if id.endswith(short)), EndedBy.EXIT, 1)
    await inn.settle()


async def session(client: AsyncEdgegap, players: Sequence[int], on: str | None = None) -> str:
    ips = [f"192.0.2.{one}" for one in players]
    more: dict[str, Any] = {} if on is None else {"deployment_request_id": on}
    made = await client.sessions.create_session(SessionModel(app_name="arena", ip_list=ips, **more))
    return made.session_id


async def test_the_minimum_is_kept_whatever_happens(inn: TestInn) -> None:
    client = await fleet(inn, empty_ttl=5)
    await inn.settle()
    first = await ready(client)
    assert len(first) == 2
    assert [await city(client, one) for one in first] == ["Tokyo", "Tokyo"]
    await inn.advance(5 * 60 + 2)
    assert await ready(client) == first, "the minimum is kept however long it is empty"
    await crash(inn, first[0])
    assert len(await ready(client)) == 2
    await client.deployments.stop_deployment(first[1])
    await inn.settle()
    await inn.advance(1)
    again = await ready(client)
    assert len(again) == 2
    assert not set(again) & set(first)
    await inn.restart()
    client = inn.edgegap()
    await inn.advance(1)
    assert await ready(client) == again
    await crash(inn, again[0])
    await inn.advance(1)
    assert len(await ready(client)) == 2
    # Another one, that nobody's policy wanted, ends as its version says.
    mine = (await client.deployments.create_deployment(DeployModel(app_name="arena"))).request_id
    await inn.settle()
    assert len(await ready(client)) == 3
    await inn.advance(5 * 60 + 2)
    assert len(await ready(client)) == 2
    assert mine not in await ready(client)


async def test_more_are_started_as_seats_fill_and_end_when_they_are_empty(inn: TestInn) -> None:
    client = await fleet(inn, policy(minimum=1, maximum=3), empty_ttl=5)
    await inn.settle()
    (first,) = await ready(client)
    one = await session(client, [1], on=first)
    await inn.settle()
    assert await ready(client) == [first]
    two = await session(client, [2], on=first)  # half of its seats
    await inn.settle()
    assert len(await ready(client)) == 2
    await inn.advance(5 * 60 + 2)
    assert len(await ready(client)) == 2, "it is empty, and would be wanted again"
    (second,) = set(await ready(client)) - {first}
    for at in range(3, 7):
        await session(client, [at], on=first if at < 5 else second)
        await inn.settle()
    assert len(await ready(client)) == 3
    three = [await session(client, [at], on=second) for at in (7, 8)]
    await inn.settle()
    await inn.advance(2)
    assert len(await ready(client)) == 3, "the maximum"
    for found in (one, two, *three):
        await client.sessions.delete_session(found)
    await inn.settle()
    await inn.advance(5 * 60 + 2)
    assert set(await ready(client)) >= {first, second}, "nothing with players ends"
    assert len(await ready(client)) == 3, "4 of 8 would be at the threshold"
    await client.fleets.update_policy(FleetPoliciesPatchPayload(threshold=0.9), "crowd", "tokyo")
    await inn.advance(5 * 60 + 2)
    assert set(await ready(client)) == {first, second}
    changed = await client.fleets.get_policy("crowd", "tokyo")
    assert (changed.threshold, changed.minimum, changed.data) == (0.9, 1, TOKYO)


async def test_what_is_disabled_or_unlinked_wants_nothing(inn: TestInn) -> None:
    client = await fleet(inn)
    fleets = client.fleets
    await fleets.update_fleet(FleetPatchPayload(enabled=False), "crowd")
    await inn.settle()
    assert await ready(client) == []
    await fleets.update_fleet(FleetPatchPayload(enabled=True), "crowd")
    await inn.settle()
    (first, _) = await ready(client)
    await fleets.update_policy(FleetPoliciesPatchPayload(enabled=False), "crowd", "tokyo")
    await crash(inn, first)
    await inn.advance(5)
    assert len(await ready(client)) == 1, "what runs goes on"
    await fleets.update_policy(FleetPoliciesPatchPayload(enabled=True), "crowd", "tokyo")
    await fleets.unlink_app_version("crowd", "arena", "v1")
    await inn.advance(5)
    assert len(await ready(client)) == 1
    assert await refused(fleets.unlink_app_version("crowd", "arena", "v1")) == 404
    await fleets.link_app_version("crowd", "arena", "v1")
    await inn.advance(1)
    assert len(await ready(client)) == 2, "those that it had count again"
    await fleets.delete_fleet("crowd")
    await inn.advance(1)
    assert len(await ready(client)) == 2
    assert await refused(fleets.get_fleet("crowd")) == 404
    # A new one starts with its own.
    await fleets.create_fleet(FleetPostPayload(name="crowd", enabled=True))
    await fleets.create_policy(policy(minimum=1), "crowd")
    await fleets.link_app_version("crowd", "arena", "v1")
    await inn.settle()
    assert len(await ready(client)) == 3


async def test_a_policy_that_cannot_be_kept_says_why(inn: TestInn) -> None:
    moon = {"filters": [{"field": "city", "values": ["Tycho"], "filter_type": "any"}]}
    client = await fleet(inn, policy(data=moon), policy("near", minimum=1, type=PolicyType.COORDINATES,
                                                        data={"latitude": 51.5, "longitude": 0.1}))  # fmt: skip
    await inn.settle()
    (near,) = await ready(client)
    assert await city(client, near) == "London"
    told = await client.fleets.get_policy("crowd", "tokyo")
    assert told.trouble == "no location of this house is left by the filter city any of Tycho"
    assert (await client.fleets.get_policy("crowd", "near")).trouble is UNSET
    # The first look after the change, whatever the pause was.
    await client.fleets.update_policy(FleetPoliciesPatchPayload(data=TOKYO), "crowd", "tokyo")
    await inn.settle()
    assert (await client.fleets.get_policy("crowd", "tokyo")).trouble is UNSET
    assert len(await ready(client)) == 3
    await client.applications.update_app_version(AppVersionUpdatePayload(is_active=False), "arena", "v1")
    await crash(inn, near)
    told = await client.fleets.get_policy("crowd", "near")
    assert told.trouble is not UNSET
    assert "v1 of app arena is not active" in str(told.trouble)
    await client.applications.update_app_version(AppVersionUpdatePayload(is_active=True), "arena", "v1")
    await inn.settle()
    assert len(await ready(client)) == 3


async def test_the_organisations_limit_holds_and_space_is_looked_for_again(inn: TestInn) -> None:
    client = await fleet(inn, policy(minimum=3))
    orgs, own = inn.client().house.orgs_v1, inn.inn.founded.org_id
    await orgs.set_limits(own, ChangedLimits(cpus=0.5))
    await inn.settle()
    assert len(await ready(client)) == 2
    assert "processors" in str((await client.fleets.get_policy("crowd", "tokyo")).trouble)
    await orgs.set_limits(own, ChangedLimits(cpus=None))
    await inn.advance(16)
    assert len(await ready(client)) == 3


@pytest.mark.parametrize("restart", [False, True])
async def test_wherever_the_power_goes_out_there_are_as_many_as_asked_for(small_inn: TestInn, restart: bool) -> None:
    inn = small_inn
    client = await fleet(inn, policy(enabled=False))
    for deed in range(1, 9):
        for after in (False, True):
            await inn.edgegap().fleets.update_policy(FleetPoliciesPatchPayload(enabled=True), "crowd", "tokyo")
            inn.trouble.arm(deed, after=after)
            try:
                await inn.settle()
            except Cut:
                if restart:
                    await inn.restart()
            inn.trouble.arm(None)
            await inn.advance(1)
            client = inn.edgegap()
            assert len(await ready(client)) == 2, (deed, after)
            await client.fleets.update_policy(FleetPoliciesPatchPayload(enabled=False), "crowd", "tokyo")
            for short in await ready(client):
                await client.deployments.stop_deployment(short)
            await inn.settle()
            assert await ready(client) == []


async def test_servers_that_crash_at_once_are_tried_again_more_and_more_seldom(small_inn: TestInn) -> None:
    inn = small_inn
    client = await fleet(inn, policy(minimum=1))
    started = 0
    for _ in range(120):
        await inn.settle()
        for short in await ready(client):
            started += 1
            await crash(inn, short)
        await inn.advance(1)
    assert 5 <= started <= 12
    assert "soon after they start" in str((await client.fleets.get_policy("crowd", "tokyo")).trouble)


async def test_versions_without_sessions_are_kept_and_never_scaled(inn: TestInn) -> None:
    client = inn.edgegap()
    await version(inn, client)
    await client.fleets.create_fleet(FleetPostPayload(name="crowd", enabled=True))
    await client.fleets.create_policy(policy(threshold=0.1), "crowd")
    await client.fleets.link_app_version("crowd", "arena", "v1")
    await inn.settle()
    assert len(await ready(client)) == 2
    assert launch_of(inn, (await ready(client))[0]).env["ARBITRIUM_REQUEST_ID"]


async def test_fleets_and_policies_are_written_read_and_refused(inn: TestInn) -> None:
    client = await fleet(inn, policy(enabled=False))
    fleets = client.fleets
    other = inn.edgegap(await inn.another_org())
    made = await fleets.create_fleet(FleetPostPayload(name="calm"))
    assert made.enabled is False
    assert [one.name for one in (await fleets.list_fleets()).fleets or []] == ["calm", "crowd"]
    page = await fleets.list_fleets(page=2, limit=1)
    assert (page.total_count, [one.name for one in page.fleets or []]) == (2, ["crowd"])
    assert await refused(fleets.create_fleet(FleetPostPayload(name="crowd"))) == 400
    assert await refused(fleets.update_fleet(FleetPatchPayload(name="crowd"), "calm")) == 400
    assert (await fleets.update_fleet(FleetPatchPayload(name="quiet", enabled=None), "calm")).enabled is False
    assert await refused(fleets.get_fleet("calm")) == 404
    assert await refused(fleets.create_policy(policy(), "crowd")) == 400
    assert await refused(fleets.create_policy(policy("other", minimum=5), "crowd")) == 400
    assert await refused(fleets.create_policy(policy("other", data={}), "crowd")) == 400
    assert await refused(fleets.update_policy(FleetPoliciesPatchPayload(maximum=1), "crowd", "tokyo")) == 400
    told = await fleets.update_policy(FleetPoliciesPatchPayload(name="kyoto", minimum=0), "crowd", "tokyo")
    assert (told.name, told.minimum, told.maximum, told.type) == ("kyoto", 0, 4, PolicyType.LOCATION)
    assert [one.name for one in (await fleets.list_policies("crowd")).policies or []] == ["kyoto"]
    first = await fleets.link_app_version("crowd", "arena", "v1")
    assert (first.app, first.app_version, first.fleet) == ("arena", "v1", "crowd")
    assert await refused(fleets.link_app_version("crowd", "arena", "v9")) == 404
    assert await refused(fleets.link_app_version("crowd", "nothing", "v1")) == 404
    assert await refused(other.fleets.get_fleet("crowd")) == 404
    assert await refused(other.fleets.get_policy("crowd", "kyoto")) == 404
    assert await refused(other.fleets.link_app_version("crowd", "arena", "v1")) == 404
    assert (await other.fleets.list_fleets()).fleets == []
    await fleets.delete_policy("crowd", "kyoto")
    assert await refused(fleets.get_policy("crowd", "kyoto")) == 404


async def test_hosts_of_a_private_fleet_are_told_to_their_organisation(inn: TestInn) -> None:
    shape = AutoscalerConfig(scale_up_threshold=100)
    made = await inn.client().fleets_v2.create_fleet(
        CreateFleetV2(name="metal", node_shape_id=NodeShapeId.AMD64_4_8, autoscaler_config=shape)
    )
    host = await set_aside(inn, made.fleet_id, cpu=2.0, memory_mb=4096.0, locations=frozenset({"tokyo"}))
    game = await inn.game(fleet_id=made.fleet_id)
    await game.room()
    await inn.settle()
    hosts = inn.edgegap().deployments_v2.list_private_fleet_hosts
    (told,) = (await hosts("metal")).data
    assert (told.host_id, told.status, told.ip_address, told.city) == (
        host.id, HostStatus.ACTIVE, "203.0.113.9", "Tokyo"
    )  # fmt: skip
    assert (told.allocated_cpu_units, told.allocated_memory_mb) == (512, 512)
    assert (told.allocatable_cpu_units, told.allocatable_memory_mb) == (2048, 4096)
    assert (told.pin.cpu_cores, told.pin.memory_gb, told.delete_schedules) == (2, 4, [])
    host.draining = True
    assert [one.status for one in (await hosts("metal")).data] == [HostStatus.PENDING]
    assert await refused(hosts("unknown")) == 400
    assert await refused(inn.edgegap(await inn.another_org()).deployments_v2.list_private_fleet_hosts("metal")) == 400
