"""What a server asks about itself, tags, lists and bulk stops, and what both APIs see of one server."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from api.wire import ask
from arenas import launch_of, version
from factories import TestInn
from innkeeper.contract.edgegap.applications import AppVersionCreateSessionConfig, RestartPolicy
from innkeeper.contract.edgegap.deployment_tags import DeploymentTagPayload
from innkeeper.contract.edgegap.deployments import (
    DeploymentAvailablePayload,
    DeploymentBulkStopFilter,
    DeploymentBulkStopPayload,
    DeploymentUpdatePayload,
    DeployModel,
    StopFilterField,
)
from innkeeper.contract.edgegap.sessions import SessionModel
from innkeeper.contract.edgegap.words import Coordinates, FilterType, SessionKind, SessionStatus
from innkeeper.contract.hathora.processes_v3 import ProcessStatus
from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams
from innkeeper.contract.hathora.words import Region, RoomStatus
from innkeeper.engines.base import EndedBy, Usage
from innkeeper.sdk import CallError

pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated. use :DeprecationWarning")


async def refused(call: Any) -> int:
    with pytest.raises(CallError) as error:
        await call
    assert error.value.status is not None
    return error.value.status


async def test_a_server_asks_about_itself_and_ends_itself(inn: TestInn) -> None:
    client = inn.edgegap()
    await version(inn, client)
    made = await client.deployments.create_deployment(DeployModel(app_name="arena", tags=["blue"]))
    await inn.settle()
    env = launch_of(inn, made.request_id).env
    url, token = env["ARBITRIUM_CONTEXT_URL"].removeprefix("http://inn"), env["ARBITRIUM_CONTEXT_TOKEN"]

    async def call(method: str, path: str, secret: str | None, body: Any = None) -> Any:
        sent = None if body is None else json.dumps(body).encode()
        headers = {} if secret is None else {"authorization": secret}
        return await ask(inn, method, path, sent, token=None, headers=headers)

    told = await call("GET", url, token)
    assert told.status == 200
    assert told.json["request_id"] == made.request_id
    assert (told.json["ready"], told.json["tags"], told.json["sockets"]) == (True, ["blue"], 1)
    assert told.json["location"]["city"]
    assert (await call("POST", f"{url}/tags", token, {"name": "red"})).status == 200
    assert (await call("POST", f"{url}/tags", token, {"name": "red"})).status == 409
    assert (await call("DELETE", f"{url}/tags/blue", token)).status == 204
    tags = await client.deployment_tags.list_deployment_tags(made.request_id)
    assert [tag.name for tag in tags.tags or []] == ["red"]
    stop, secret = env["ARBITRIUM_DELETE_URL"].removeprefix("http://inn"), env["ARBITRIUM_DELETE_TOKEN"]
    for method, path, wrong in (
        ("GET", url, secret), ("GET", url, None), ("GET", f"{url}1", token), ("DELETE", stop, token),
        ("DELETE", stop, inn.token), ("GET", url.replace(made.request_id, "0123456789ab"), token),
    ):  # fmt: skip
        assert (await call(method, path, wrong)).status == 401, path
    assert (await call("DELETE", f"/{stop}/", secret)).status == 200
    await inn.settle()
    assert (await call("DELETE", stop, secret)).status == 410


async def test_tags_lists_and_bulk_stops(inn: TestInn) -> None:
    client = inn.edgegap()
    await version(inn, client)
    await version(inn, client, name="v2")
    named = {}
    for name, tags in (("v1", ["a"]), ("v1", ["a", "b"]), ("v2", ["b"])):
        made = await client.deployments.create_deployment(
            DeployModel(
                app_name="arena", version_name=name, tags=tags, location=Coordinates(latitude=35, longitude=139)
            )
        )
        assert made.city == "Tokyo"
        inn.clock.advance(1)
        named[made.request_id] = tags
    await inn.settle()
    one, two, three = named

    async def found(*filters: tuple[str, str, Any], order: str = "asc") -> list[str]:
        query = json.dumps(
            {
                "filters": [{"field": f, "operator": o, "value": v} for f, o, v in filters],
                "order_by": [{"field": "created_at", "order": order}],
            }
        )
        told = await client.deployments.list_deployments(query=query)
        return [one.request_id for one in told.data or []]

    assert await found(("status", "eq", "ready")) == [one, two, three]
    assert await found(("version", "eq", "v2")) == [three]
    assert await found(("tags", "eq", "b"), order="desc") == [three, two]
    assert await found(("tags", "neq", "a")) == [three]
    assert await found(("application", "in", ["arena"]), ("tags", "contains", "A")) == [one, two]
    assert await found(("created_at", "gte", "2001-01-01 00:00:00")) == [one, two, three]
    assert await found(("request_id", "in", [one, three])) == [one, three]
    for query in ("{", '{"filters":[{"field":"age","operator":"eq","value":"1"}]}',
                  '{"filters":[{"field":"tags","operator":"lt","value":"1"}]}'):  # fmt: skip
        assert await refused(client.deployments.list_deployments(query=query)) == 400
    page = await client.deployments.list_deployments(page=2, limit=2)
    assert (page.total_count, len(page.data or [])) == (3, 1)

    tags = client.deployment_tags
    assert (await tags.create_deployment_tag(DeploymentTagPayload(name="c"), one)).name == "c"
    assert await refused(tags.create_deployment_tag(DeploymentTagPayload(name="c"), one)) == 409
    assert (await tags.update_deployment_tag(DeploymentTagPayload(name="d"), one, "c")).name == "d"
    assert (await tags.get_deployment_tag(one, "d")).name == "d"
    await tags.delete_deployment_tag(one, "d")
    assert await refused(tags.get_deployment_tag(one, "d")) == 404

    assert await refused(client.deployments.bulk_stop_deployments(DeploymentBulkStopPayload(filters=[]))) == 400
    wanted = [
        DeploymentBulkStopFilter(field=StopFilterField.DEPLOYMENT_TAGS, values=["b"], filter_type=FilterType.ANY),
        DeploymentBulkStopFilter(field=StopFilterField.REQUEST_ID, values=[two], filter_type=FilterType.NOT),
    ]
    stopped = await client.deployments.bulk_stop_deployments(DeploymentBulkStopPayload(filters=wanted))
    assert [one.request_id for one in stopped.processable] == [three]
    await inn.settle()
    assert await found() == [one, two]


@pytest.mark.parametrize("match", [FilterType.ALL, FilterType.NOT])
async def test_a_filter_without_values_stops_nothing(inn: TestInn, match: FilterType) -> None:
    client = inn.edgegap()
    await version(inn, client)
    made = await client.deployments.create_deployment(DeployModel(app_name="arena"))
    await inn.settle()
    wanted = DeploymentBulkStopFilter(field=StopFilterField.DEPLOYMENT_TAGS, values=[], filter_type=match)
    assert await refused(client.deployments.bulk_stop_deployments(DeploymentBulkStopPayload(filters=[wanted]))) == 400
    assert (await client.deployments.get_deployment_status(made.request_id)).running is True


async def test_two_bulk_stops_at_one_moment_are_both_answered(inn: TestInn) -> None:
    client = inn.edgegap()
    await version(inn, client, restart_policy=RestartPolicy.NEVER)
    inn.behave(never_ready=True)
    asked = DeployModel(app_name="arena", tags=["lost"])
    lost = {(await client.deployments.create_deployment(asked)).request_id for _ in range(3)}
    await inn.settle()
    for server_id in list(inn.engine.launches):
        inn.engine.end(server_id, EndedBy.EXIT, 3)
    await inn.settle()
    wanted = DeploymentBulkStopFilter(
        field=StopFilterField.DEPLOYMENT_TAGS, values=["lost"], filter_type=FilterType.ANY
    )
    stop = DeploymentBulkStopPayload(filters=[wanted])
    told = await asyncio.gather(*(client.deployments.bulk_stop_deployments(stop) for _ in range(4)))
    # Each has ended by somebody, and by one alone.
    assert sorted(one.request_id for each in told for one in each.processable) == sorted(lost)
    assert (await client.deployments.list_deployments()).total_count == 0


async def test_its_time_is_over_and_what_was_measured_is_told(inn: TestInn) -> None:
    client = inn.edgegap()
    await version(inn, client, max_duration=10)
    made = await client.deployments.create_deployment(DeployModel(app_name="arena"))
    await inn.settle()
    assert await refused(client.metrics.get_deployment_metrics(made.request_id)) == 422
    (server,) = inn.engine.launches
    for seconds in range(1, 5):
        inn.clock.advance(30)
        await inn.measure({server: Usage(seconds * 3.0, 64 << 20, 0, seconds * 3000)})
    told = await client.metrics.get_deployment_metrics(made.request_id, steps="30s")
    assert told.cpu is not None
    assert told.cpu.datasets == pytest.approx([40.0, 40.0, 40.0])  # 0.1 of the 0.25 processors that it was given
    assert told.mem.datasets == [64.0] * 4  # type: ignore[union-attr]
    assert told.total.transmit_total.datasets == [3000.0, 6000.0, 9000.0, 12000.0]  # type: ignore[union-attr]
    assert await refused(client.metrics.get_deployment_metrics(made.request_id, end_time="1970-01-01 00:00:00")) == 400
    status = await client.deployments.get_deployment_status(made.request_id)
    assert (status.max_duration, status.running, status.elapsed_time) == (10, True, 120)
    await inn.advance(481)
    status = await client.deployments.get_deployment_status(made.request_id)
    assert status.running is False


async def test_both_apis_see_one_house(inn: TestInn) -> None:
    client, cloud = inn.edgegap(), inn.client()
    await version(inn, client)
    made = await client.deployments.create_deployment(DeployModel(app_name="arena"))
    await inn.settle()
    (app,) = [one for one in (await cloud.apps_v2.get_apps()).applications if one.app_name == "arena"]
    (process,) = await cloud.processes_v3.get_latest_processes(app.app_id)
    assert process.process_id.endswith(made.request_id)
    assert process.status is ProcessStatus.RUNNING
    room = await cloud.rooms_v2.get_room_info(made.request_id, app.app_id)
    assert room.status is RoomStatus.ACTIVE
    connection = await cloud.rooms_v2.get_connection_info(made.request_id, app.app_id)
    told = await client.deployments.get_deployment_status(made.request_id)
    assert connection.exposed_port is not None
    assert told.ports is not None
    assert connection.exposed_port.port == told.ports["gameport"].external
    # And the other way round: a room of Hathora's is a session, its process a deployment.
    config = AppVersionCreateSessionConfig(kind=SessionKind.MATCH, sockets=3)
    await version(inn, client, name="rooms", session_config=config)
    opened = await cloud.rooms_v2.create_room(CreateRoomParams(region=Region.TOKYO), app.app_id)
    await inn.settle()
    session = await client.sessions.get_session(opened.room_id)
    assert (session.status, session.kind) == (SessionStatus.READY, SessionKind.MATCH)
    assert session.deployment is not None
    deployment = await client.deployments.get_deployment_status(session.deployment.request_id)
    assert (deployment.running, deployment.app_name) == (True, "arena")
    linked = await client.sessions.create_session(SessionModel(app_name="arena", ip_list=["192.0.2.1"]))
    assert linked.deployment_request_id == session.deployment.request_id
    free = await client.deployments.list_available_deployments(
        DeploymentAvailablePayload(app_name="arena", app_version="rooms")
    )
    assert [one.available_sockets for one in free.data] in ([1], [])
    await cloud.processes_v3.stop_process(process.process_id, app.app_id)
    await inn.settle()
    assert (await client.deployments.get_deployment_status(made.request_id)).running is False


async def test_one_takes_no_sessions_any_more(inn: TestInn) -> None:
    client = inn.edgegap()
    config = AppVersionCreateSessionConfig(kind=SessionKind.MATCH, sockets=3)
    await version(inn, client, session_config=config)
    made = await client.deployments.create_deployment(DeployModel(app_name="arena"))
    await inn.settle()
    changed = await client.deployments.update_deployment(
        DeploymentUpdatePayload(is_joinable_by_session=False), made.request_id
    )
    assert changed.is_joinable_by_session is False
    session = await client.sessions.create_session(SessionModel(app_name="arena", ip_list=["192.0.2.1"]))
    assert session.deployment_request_id is None
    pinned = await client.sessions.create_session(
        SessionModel(app_name="arena", ip_list=["192.0.2.1"], deployment_request_id=made.request_id)
    )
    assert pinned.deployment_request_id == made.request_id
