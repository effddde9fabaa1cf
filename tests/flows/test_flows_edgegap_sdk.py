"""The helpers of the SDK's Edgegap client against the real house: waiting, stopping, a deployment seen from inside."""

from __future__ import annotations

import msgspec
import pytest

from factories import TestInn
from flows.test_flows_edgegap_deployments import launch_of, version
from innkeeper.contract.edgegap.applications import AppVersionPayload
from innkeeper.contract.edgegap.deployments import DeployModel
from innkeeper.contract.edgegap.deployments_v2 import DeploymentCreate, IpUser, UserAddress
from innkeeper.contract.edgegap.words import DeploymentStatus, Env
from innkeeper.kit.clock import SECOND
from innkeeper.sdk import AsgiTransport, AsyncEdgegap, Conflict, DeploymentFailed, NotFound, World


def world(inn: TestInn) -> World:
    """The house's time: while the client waits the house goes on."""
    return World(now=lambda: inn.clock.now() / SECOND, chance=lambda: 0.5, pause=inn.advance)


async def test_a_deployment_is_waited_for_looks_at_itself_and_ends(inn: TestInn) -> None:
    client = inn.edgegap(world=world(inn))
    await version(inn, client)
    states: list[str] = []
    ready = await client.deploy_and_wait(
        DeployModel(app_name="arena", tags=["blue"]), progress=lambda status: states.append(status.current_status)
    )
    assert (ready.running, ready.app_version) == (True, "v1")
    assert states[-1] == DeploymentStatus.READY

    environ = launch_of(inn, ready.request_id).env
    async with AsyncEdgegap.inside(environ, transport=AsgiTransport(inn.app), world=world(inn)) as inside:
        me = await inside.context()
        assert (me.request_id, me.tags, me.ready) == (ready.request_id, ["blue"], True)
        await inside.add_tag("full")
        with pytest.raises(Conflict):
            await inside.add_tag("full")
        await inside.remove_tag("blue")
        with pytest.raises(NotFound):
            await inside.remove_tag("blue")
        assert (await inside.context()).tags == ["full"]
        await inside.stop()
        ended = await client.wait_until_terminated(ready.request_id)
        assert ended is not None
        assert ended.current_status == DeploymentStatus.TERMINATED
        await inside.stop()  # again, which is no error
    assert await client.stop_and_wait(ready.request_id) is None


async def test_one_that_fails_is_told_with_its_reason_and_can_be_stopped(inn: TestInn) -> None:
    client = inn.edgegap(world=world(inn))
    await version(inn, client)
    inn.behave(refuse="there is no such program")
    user = IpUser(user_data=UserAddress(ip_address="192.0.2.7"))
    with pytest.raises(DeploymentFailed, match=r"is ERROR: .*there is no such program") as failed:
        await client.deploy_and_wait(DeploymentCreate(application="arena", version="v1", users=[user]))
    ended = await client.stop_and_wait(failed.value.request_id)
    assert ended is not None
    assert ended.current_status == DeploymentStatus.TERMINATED


async def test_a_version_that_was_read_can_be_made_again(small_inn: TestInn) -> None:
    client = small_inn.edgegap()
    await version(small_inn, client, envs=[Env(key="MAP", value="dust")])
    read = await client.applications.get_app_version("arena", "v1")
    again = msgspec.convert(msgspec.to_builtins(read), AppVersionPayload)
    again.name = "v2"
    await client.applications.create_app_version(again, "arena")
    made = await client.applications.get_app_version("arena", "v2")
    for name in set(made.__struct_fields__) - {"name", "create_time", "last_updated"}:
        assert getattr(made, name) == getattr(read, name), name
