"""Apps and deployments of the old generations: one model underneath, whoever made a thing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from api.wire import Answer, ask
from factories import Game, TestInn
from innkeeper.contract.hathora.apps_v2 import RecordStringNever
from innkeeper.contract.hathora.builds_v3 import CreateMultipartBuildParams
from innkeeper.contract.hathora.deployments_v3 import ContainerPort
from innkeeper.contract.hathora.words import TransportType
from innkeeper.sdk import UNSET

V1: dict[str, Any] = {
    "planName": "small",
    "containerPort": 4000,
    "transportType": "tcp",
    "roomsPerProcess": 3,
    "env": [],
}
V2: dict[str, Any] = {
    "requestedCPU": 0.25, "requestedMemoryMB": 700.5, "containerPort": 4000, "transportType": "udp",
    "roomsPerProcess": 2, "env": [{"name": "MODE", "value": "ranked"}], "idleTimeoutEnabled": False,
    "additionalContainerPorts": [{"name": "debug", "port": 4001, "transportType": "tcp"}],
}  # fmt: skip


async def call(game: Game, method: str, path: str, body: Any = None, token: str | None = None) -> Answer:
    sent = None if body is None else json.dumps(body).encode()
    return await ask(game.inn, method, path.format(app=game.app_id), sent, token=token or game.inn.token)


async def told(game: Game, path: str) -> Any:
    answer = await call(game, "GET", path)
    assert answer.status == 200, answer
    return answer.json


async def test_what_v1_makes_v3_sees(inn: TestInn) -> None:
    game = await inn.game()
    made = await call(game, "POST", "/deployments/v1/{app}/create/1", V1)
    assert made.status == 201
    told_v1 = made.json
    assert {name: told_v1.pop(name) for name in ("deploymentId", "buildId", "appId")} == {
        "deploymentId": 2, "buildId": 1, "appId": game.app_id,
    }  # fmt: skip
    assert told_v1.pop("createdAt")
    assert told_v1.pop("createdBy")
    assert told_v1 == {
        "planName": "small", "requestedCPU": 1, "requestedMemoryMB": 2048, "containerPort": 4000,
        "transportType": "tcp", "roomsPerProcess": 3, "env": [], "idleTimeoutEnabled": True,
        "defaultContainerPort": {"name": "default", "port": 4000, "transportType": "tcp"},
        "additionalContainerPorts": [],
    }  # fmt: skip
    latest = await game.cloud.deployments_v3.get_latest_deployment()
    assert (latest.requested_cpu, latest.requested_memory_mb, latest.rooms_per_process) == (1, 2048, 3)
    assert (latest.build_id, latest.idle_timeout_enabled) == (game.deployment.build_id, True)
    assert latest.default_container_port.transport_type == TransportType.TCP
    room = await game.room()
    assert (await game.process(room.process_id)).deployment_id == latest.deployment_id
    off = await call(game, "POST", "/deployments/v1/{app}/create/1", {**V1, "idleTimeoutEnabled": False})
    assert off.json["idleTimeoutEnabled"] is False
    assert (await game.cloud.deployments_v3.get_latest_deployment()).idle_timeout_enabled is False


async def test_what_v2_makes_all_see(inn: TestInn) -> None:
    game = await inn.game()
    made = await call(game, "POST", "/deployments/v2/{app}/create/1", V2)
    assert made.status == 201
    ports = [{"name": "default", "port": 4000, "transportType": "udp"}, *V2["additionalContainerPorts"]]
    told_v2 = made.json
    same = ("requestedCPU", "requestedMemoryMB", "roomsPerProcess", "env", "idleTimeoutEnabled")
    assert {name: told_v2[name] for name in same} == {name: V2[name] for name in same}
    assert [told_v2["defaultContainerPort"], *told_v2["additionalContainerPorts"]] == ports
    assert (told_v2["deploymentId"], told_v2["buildId"]) == (2, 1)
    assert "planName" not in told_v2
    assert await told(game, "/deployments/v2/{app}/latest") == told_v2
    assert await told(game, "/deployments/v2/{app}/info/2") == told_v2
    old = await told(game, "/deployments/v1/{app}/info/2")
    assert (old["planName"], old["requestedCPU"], old["requestedMemoryMB"]) == ("tiny", 0.25, 701)
    assert old["env"] == V2["env"]
    latest = await game.cloud.deployments_v3.get_latest_deployment()
    assert (latest.requested_memory_mb, latest.additional_container_ports[0].name) == (700.5, "debug")


async def test_what_v3_makes_the_old_see(inn: TestInn) -> None:
    """A deployment of another size is told as the smallest plan that holds it; numbers count in each app."""
    game, other = await inn.game(), await inn.game()
    debug = ContainerPort(name="debug", port=1, transport_type=TransportType.TCP)
    newest = await game.release(env={"A": "b"}, ports=[debug], seats=5, deployment_tag="x")
    for generation in ("v1", "v2"):
        listed = await told(game, f"/deployments/{generation}/{{app}}/list")
        assert [one["deploymentId"] for one in listed] == [2, 1]
        assert listed[0] == await told(game, f"/deployments/{generation}/{{app}}/latest")
        assert listed[1] == await told(game, f"/deployments/{generation}/{{app}}/info/1")
        assert (listed[0]["appId"], listed[0]["buildId"]) == (game.app_id, 1)
        assert listed[0]["env"] == [{"name": "A", "value": "b"}]
        assert listed[0]["additionalContainerPorts"][0]["name"] == "debug"
        assert listed[0]["roomsPerProcess"] == 5
        assert not {"deploymentTag", "buildTag"} & set(listed[0])
        assert [one["deploymentId"] for one in await told(other, f"/deployments/{generation}/{{app}}/list")] == [1]
    first = (await told(game, "/deployments/v1/{app}/latest"))["planName"]
    assert first == "tiny"
    assert newest.requested_memory_mb == 512


async def test_a_deployment_of_a_deleted_build_is_told_still(inn: TestInn) -> None:
    game = await inn.game()
    await game.cloud.builds_v3.delete_build(game.deployment.build_id)
    assert (await told(game, "/deployments/v1/{app}/latest"))["buildId"] == 1
    refused = await call(game, "POST", "/deployments/v2/{app}/create/1", V2)
    assert (refused.status, "no build 1" in refused.message) == (404, True)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("GET", "/deployments/v1/{app}/info/2", None, 404, "no deployment 2"),
        ("GET", "/deployments/v2/{app}/info/0", None, 404, "no deployment 0"),
        ("GET", "/deployments/v2/{app}/info/none", None, 404, "deploymentId: must be a whole number"),
        ("GET", "/deployments/v1/{app}/info/99999999999999999999999", None, 404, ""),
        ("POST", "/deployments/v1/{app}/create/77", V1, 404, "no build 77"),
        ("POST", "/deployments/v1/{app}/create/2", V1, 422, "succeeded"),
        ("POST", "/deployments/v1/{app}/create/one", V1, 422, "buildId: must be a whole number"),
        ("POST", "/deployments/v1/{app}/create/1", {**V1, "planName": "huge"}, 422, "planName: there is no 'huge'"),
        ("POST", "/deployments/v1/{app}/create/1", {**V1, "roomsPerProcess": 0}, 422, "roomsPerProcess"),
        ("POST", "/deployments/v2/{app}/create/1", {**V2, "requestedMemoryMB": 99_999}, 422, "requestedMemoryMB"),
        ("POST", "/deployments/v2/{app}/create/1", {**V2, "requestedCPU": 0}, 422, "CPU"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_named(
    small_inn: TestInn, method: str, path: str, body: Any, status: int, said: str
) -> None:
    game = await small_inn.game()
    await game.cloud.builds_v3.create_build(CreateMultipartBuildParams(build_size_in_bytes=10))
    answer = await call(game, method, path, body)
    assert (answer.status, said in answer.message) == (status, True), answer
    assert len(await told(game, "/deployments/v1/{app}/list")) == 1


async def test_others_see_nothing(small_inn: TestInn) -> None:
    game, rival = await small_inn.game(), await small_inn.another_org()
    for path in ("/deployments/v1/{app}/list", "/deployments/v2/{app}/latest", "/deployments/v1/{app}/info/1"):
        assert (await call(game, "GET", path, token=rival)).status == 404
    assert (await call(game, "POST", "/deployments/v1/{app}/create/1", V1, token=rival)).status == 404
    assert (await call(game, "GET", "/apps/v1/list", token=rival)).json == []


async def test_apps_of_old_tools(inn: TestInn) -> None:
    game = await inn.game()
    made = await call(game, "POST", "/apps/v1/create", {"appName": "old", "authConfiguration": {"nickname": {}}})
    assert made.status == 201
    old = made.json["appId"]
    assert (await game.cloud.apps_v2.get_app(old)).auth_configuration.nickname == RecordStringNever()
    assert await told(game, f"/apps/v1/info/{old}") == made.json
    listed = {app["appId"]: app for app in await told(game, "/apps/v1/list")}
    assert set(listed) == {old, game.app_id}
    assert "deployment" not in listed[old]
    deployment = listed[game.app_id]["deployment"]
    assert deployment.pop("build") == await told(game, "/builds/v2/{app}/info/1")
    assert deployment == await told(game, "/deployments/v2/{app}/latest")
    await game.cloud.builds_v3.delete_build(game.deployment.build_id)
    assert "deployment" not in {app["appId"]: app for app in await told(game, "/apps/v1/list")}[game.app_id]
    assert (await call(game, "DELETE", f"/apps/v1/delete/{old}")).status == 204
    assert [app.app_id for app in (await game.cloud.apps_v2.get_apps()).applications] == [game.app_id]


async def test_an_old_tool_sets_anew_what_it_knows_and_keeps_the_rest(inn: TestInn) -> None:
    game = await inn.game()
    await game.order(1, 2, 3)
    config: dict[str, Any] = {"appName": "renamed", "authConfiguration": {"google": {"clientId": "me"}}}
    answer = await call(game, "POST", "/apps/v1/update/{app}", {**config, "loadBalancer": {"enabled": False}})
    assert answer.status == 200
    app = await game.cloud.apps_v2.get_app()
    assert (answer.json["appId"], app.app_name) == (game.app_id, "renamed")
    assert app.auth_configuration.anonymous is UNSET
    assert app.auth_configuration.google is not UNSET
    assert app.service_config is not None
    assert app.service_config.static_process_allocation[0].target_processes == 2
    balanced = await call(game, "POST", "/apps/v1/update/{app}", {**config, "loadBalancer": {"enabled": True}})
    assert (balanced.status, "loadBalancer" in balanced.message) == (422, True)
