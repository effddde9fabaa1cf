"""A deployment through Edgegap's API, from an app to its end, on both stores and with a pretended host."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from arenas import launch_of, version
from factories import TestInn, opened_inn
from innkeeper.contract.edgegap.deployment_tags import DeploymentTagPayload
from innkeeper.contract.edgegap.deployments import DeployModel
from innkeeper.contract.edgegap.deployments_v2 import DeploymentCreate, IpUser, UserAddress
from innkeeper.contract.edgegap.words import DeploymentStatus, Env, FilterType, LocationField, LocationFilter, Protocol
from innkeeper.sdk import UNSET, CallError

pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated. use :DeprecationWarning")


async def test_a_deployment_goes_its_way(inn: TestInn) -> None:
    client = inn.edgegap()
    await version(inn, client, envs=[Env(key="MAP", value="dust"), Env(key="SECRET", value="s3", is_hidden=True)])
    made = await client.deployments.create_deployment(
        DeployModel(
            app_name="arena", version_name="v1", ip_list=["192.0.2.7"], tags=["blue", "ranked"],
            env_vars=[Env(key="MAP", value="mill")],
        )
    )  # fmt: skip
    assert len(made.request_id) == 12
    assert made.request_user_count == 1
    assert made.tags == ["blue", "ranked"]
    status = await client.deployments.get_deployment_status(made.request_id)
    assert (status.current_status, status.running, status.ports) == (DeploymentStatus.INITIALIZING, False, UNSET)
    await inn.settle()
    status = await client.deployments.get_deployment_status(made.request_id)
    assert (status.current_status, status.running, status.error) == (DeploymentStatus.READY, True, False)
    assert status.public_ip == "198.51.100.7"
    assert status.ports is not None
    port = status.ports["gameport"]
    assert (port.protocol, port.name, port.tls_upgrade) == (Protocol.UDP, "gameport", False)
    assert port.link == f"198.51.100.7:{port.external}"
    env = launch_of(inn, made.request_id).env
    assert env["MAP"] == "mill"
    assert env["SECRET"] == "s3"
    assert env["ARBITRIUM_REQUEST_ID"] == made.request_id
    assert env["ARBITRIUM_DEPLOYMENT_TAGS"] == "blue,ranked"
    assert env["ARBITRIUM_PORT_GAMEPORT_EXTERNAL"] == str(port.external)
    assert json.loads(env["ARBITRIUM_PORTS_MAPPING"])["ports"]["gameport"]["external"] == port.external
    assert env["PORT"] == str(port.external)
    listed = await client.deployments.list_deployments()
    assert [one.request_id for one in listed.data or []] == [made.request_id]
    stopped = await client.deployments.stop_deployment(made.request_id)
    assert stopped.deployment_summary is not None
    status = await client.deployments.get_deployment_status(made.request_id)
    assert status.current_status is DeploymentStatus.TERMINATING
    await inn.settle()
    status = await client.deployments.get_deployment_status(made.request_id)
    assert (status.current_status, status.running) == (DeploymentStatus.TERMINATED, False)
    assert status.removal_time is not None
    with pytest.raises(CallError) as refused:
        await client.deployments.stop_deployment(made.request_id)
    assert refused.value.status == 410
    assert (await client.deployments.list_deployments()).total_count == 0


async def test_one_that_fails_says_why_and_is_told_until_it_is_stopped(inn: TestInn) -> None:
    client = inn.edgegap()
    await version(inn, client)
    inn.behave(refuse="there is no such program")
    made = await client.deployments_v2.create_deployment(
        DeploymentCreate(
            application="arena", version="v1", users=[IpUser(user_data=UserAddress(ip_address="192.0.2.7"))]
        )
    )
    await inn.settle()
    status = await client.deployments.get_deployment_status(made.request_id)
    assert (status.current_status, status.error, status.running) == (DeploymentStatus.ERROR, True, False)
    assert "there is no such program" in (status.error_detail or "")
    query = json.dumps({"filters": [{"field": "status", "operator": "eq", "value": "error"}]})
    assert (await client.deployments.list_deployments(query=query)).total_count == 1
    told = await client.deployments.stop_deployment(made.request_id)
    assert told.deployment_summary is not None
    status = await client.deployments.get_deployment_status(made.request_id)
    assert (status.current_status, status.last_status) == (DeploymentStatus.TERMINATED, DeploymentStatus.ERROR)
    with pytest.raises(CallError) as refused:
        await client.deployments.stop_deployment(made.request_id)
    assert refused.value.status == 410


async def test_what_cannot_be_placed_says_which_wish_refused_it(inn: TestInn) -> None:
    client = inn.edgegap()
    await version(inn, client)
    nowhere = LocationFilter(field=LocationField.CITY, values=["Atlantis"], filter_type=FilterType.ANY)
    with pytest.raises(CallError) as refused:
        await client.deployments.create_deployment(DeployModel(app_name="arena", filters=[nowhere]))
    assert refused.value.status == 422
    assert "city" in str(refused.value)
    assert "Atlantis" in str(refused.value)
    for app, wanted, code in (("nothing", None, 404), ("arena", "v9", 404)):
        with pytest.raises(CallError) as unknown:
            await client.deployments.create_deployment(
                DeployModel(app_name=app, **({} if wanted is None else {"version_name": wanted}))
            )
        assert unknown.value.status == code
    with pytest.raises(CallError) as gone:
        await client.deployments.get_deployment_status("0123456789ab")
    assert gone.value.status == 404


async def test_two_tags_that_get_one_name_at_the_same_moment(inn: TestInn) -> None:
    client = inn.edgegap()
    await version(inn, client)
    rounds = range(10)
    tags = [f"{side}-{number}" for number in rounds for side in ("red", "blue")]
    made = await client.deployments.create_deployment(DeployModel(app_name="arena", tags=tags))

    async def renamed(old: str, new: str) -> int:
        try:
            await client.deployment_tags.update_deployment_tag(DeploymentTagPayload(name=new), made.request_id, old)
        except CallError as error:
            return error.status or 0
        return 200

    for number in rounds:
        new = f"green-{number}"
        both = await asyncio.gather(renamed(f"red-{number}", new), renamed(f"blue-{number}", new))
        assert sorted(both) == [200, 409]


async def test_what_kept_a_deployment_waiting_is_forgotten_with_it(tmp_path: Path) -> None:
    async with opened_inn(tmp_path / "data", f"sqlite:///{tmp_path / 'innkeeper.db'}", ports=(30_000, 30_000)) as inn:
        client = inn.edgegap()
        await version(inn, client)
        made = [await client.deployments.create_deployment(DeployModel(app_name="arena")) for _ in range(2)]
        await inn.settle()
        told = [await client.deployments.get_deployment_status(one.request_id) for one in made]
        (waiting,) = [one.request_id for one in told if one.current_status is DeploymentStatus.SEEKING]
        assert len(inn.inn.keeper.placing.trouble) == 1
        await inn.advance(61)  # it waits still
        assert len(inn.inn.keeper.placing.trouble) == 1
        await client.deployments.stop_deployment(waiting)
        await inn.advance(61)
        assert inn.inn.keeper.placing.trouble == {}
