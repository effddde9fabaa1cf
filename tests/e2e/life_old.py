"""The old generations' operations; ``test_our_sdk.py`` plays them in order. What one makes the others see."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import urllib3

from innkeeper.contract.hathora.apps_v2 import AuthConfiguration, CreateAppConfig, RecordStringNever
from innkeeper.contract.hathora.builds_v2 import CreateBuildParams
from innkeeper.contract.hathora.builds_v3 import BuildStatus, CreateMultipartBuildParams
from innkeeper.contract.hathora.deployments_v1 import DeploymentConfig, PlanName
from innkeeper.contract.hathora.deployments_v2 import DeploymentConfigV2
from innkeeper.contract.hathora.deployments_v3 import DeploymentConfigV3
from innkeeper.contract.hathora.lobbies_v2 import CreateLobbyParams, LobbyParams, SetLobbyStateParams
from innkeeper.contract.hathora.lobbies_v3 import LobbyVisibility
from innkeeper.contract.hathora.metrics_v1 import DeprecatedProcessMetricName
from innkeeper.contract.hathora.processes_v3 import ProcessStatus
from innkeeper.contract.hathora.rooms_v1 import ActiveConnectionInfo
from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams
from innkeeper.contract.hathora.words import Region, RoomStatus, TransportType
from innkeeper.sdk import NotFound

from .drivers import Drive, eventually
from .games import PROCFILES, archive, ask_teeworlds

PORTS: dict[str, Any] = {
    "container_port": 8303, "transport_type": TransportType.UDP, "rooms_per_process": 2, "env": [],
    "idle_timeout_enabled": True,
}  # fmt: skip


async def an_app(drive: Drive, client: Any) -> str:
    config = CreateAppConfig(app_name="old", auth_configuration=AuthConfiguration(anonymous=RecordStringNever()))
    app_id: str = (await drive(client.apps_v1.create_app, config)).app_id
    config.app_name = "older"
    updated = await drive(client.apps_v1.update_app, config, app_id)
    assert await drive(client.apps_v1.get_app_info, app_id) == updated == await drive(client.apps_v2.get_app, app_id)
    return app_id


async def some_builds(drive: Drive, client: Any, app_id: str) -> tuple[int, int]:
    v1, v2, packed = client.builds_v1, client.builds_v2, archive({"Procfile": PROCFILES["bzflag"]})
    first = (await drive(v1.create_build, CreateBuildParams(build_tag="v1"), app_id)).build_id
    assert "succeeded" in await drive.read(v1.run_build, first, packed, app_id)
    assert (await drive(v1.get_build_info, first, app_id)).build_tag == "v1"
    second = (await drive(v2.create_build, CreateBuildParams(), app_id)).build_id
    assert "succeeded" in await drive.read(v2.run_build, second, packed, app_id)
    assert (await drive(v2.get_build_info, second, app_id)).status == BuildStatus.SUCCEEDED

    linked = await drive(v2.create_build_with_upload_url, CreateBuildParams(), app_id)
    fields = {field.key: field.value for field in linked.upload_body_params}
    form = {**fields, "file": ("game.tgz", packed)}
    sent = await asyncio.to_thread(urllib3.request, "POST", linked.upload_url, fields=form)
    assert sent.status == 204, sent.data
    assert "succeeded" in await drive.read(v2.run_build, linked.build_id, None, app_id)
    parts = CreateMultipartBuildParams(build_size_in_bytes=1 << 20)
    in_parts = await drive(v2.create_with_multipart_uploads, parts, app_id)
    assert len(in_parts.upload_parts) == 1
    await drive(v1.delete_build, linked.build_id, app_id)
    await drive(v2.delete_build, in_parts.build_id, app_id)
    listed = [build.build_id for build in await drive(v1.get_builds, app_id)]
    assert listed[:2] == [second, first]
    assert [build.build_id for build in await drive(v2.get_builds, app_id)] == listed
    return first, second


async def some_deployments(drive: Drive, client: Any, app_id: str, builds: tuple[int, int], teeworlds: str) -> None:
    v1, v2 = client.deployments_v1, client.deployments_v2
    planned = DeploymentConfig(plan_name=PlanName.SMALL, **PORTS)
    one = await drive(v1.create_deployment, builds[0], planned, app_id)
    assert (one.deployment_id, one.requested_cpu, one.requested_memory_mb) == (1, 1, 2048)
    sized: dict[str, Any] = {**PORTS, "requested_cpu": 0.5, "requested_memory_mb": 512}
    two = await drive(v2.create_deployment, builds[1], DeploymentConfigV2(**sized), app_id)
    newest = DeploymentConfigV3(build_id=teeworlds, **sized)  # the game that players are sent to below
    await drive(client.deployments_v3.create_deployment, newest, app_id)
    assert await drive(v1.get_deployment_info, 1, app_id) == one
    assert await drive(v2.get_deployment_info, 2, app_id) == two
    for group in (v1, v2):
        assert [each.deployment_id for each in await drive(group.get_deployments, app_id)] == [3, 2, 1]
        assert (await drive(group.get_latest_deployment, app_id)).deployment_id == 3
    apps = {app.app_id: app for app in await drive(client.apps_v1.get_apps)}
    assert apps[app_id].deployment.deployment_id == 3


async def some_rooms(drive: Drive, client: Any, app_id: str) -> str:
    rooms = client.rooms_v1
    wish = CreateRoomParams(region=Region.TOKYO)
    assert await drive(rooms.create_room, wish, app_id, room_id="old-room") == "old-room"

    async def connection() -> Any:
        found = await drive(rooms.get_connection_info, "old-room", app_id)
        return found if isinstance(found, ActiveConnectionInfo) else None

    info = await eventually(connection)
    assert b"inf3" in ask_teeworlds(info.host, info.port)
    server_id: str = (await drive(rooms.get_room_info, "old-room", app_id)).current_allocation.process_id
    here = await drive(rooms.get_active_rooms_for_process, server_id, app_id)
    assert [room.room_id for room in here] == ["old-room"]
    await drive(rooms.suspend_room, "old-room", app_id)
    gone = await drive(rooms.get_inactive_rooms_for_process, server_id, app_id)
    assert [room.status for room in gone] == [RoomStatus.SUSPENDED]
    await eventually(connection)  # asking puts it on a server again
    await drive(rooms.destroy_room, "old-room", app_id)
    with pytest.raises(NotFound):
        await drive(rooms.get_connection_info, "old-room", app_id)
    return server_id


async def some_processes(drive: Drive, client: Any, app_id: str, server_id: str) -> None:
    v1, v2 = client.processes_v1, client.processes_v2
    told = await drive(v1.get_process_info, server_id, app_id)
    assert (told.deployment_id, told.draining, told.room_slots_available) == (3, False, 2)
    running = await drive(v1.get_running_processes, app_id, region=Region.TOKYO)
    assert [(each.process_id, each.total_rooms) for each in running] == [(server_id, 0)]
    extra = (await drive(v2.create_process, Region.SYDNEY, app_id)).process_id

    async def state(wanted: ProcessStatus) -> Any:
        found = await drive(v2.get_process_info, extra, app_id)
        return found if found.status == wanted else None

    await eventually(lambda: state(ProcessStatus.RUNNING))
    latest = await drive(v2.get_latest_processes, app_id, status=[ProcessStatus.RUNNING], region=[Region.SYDNEY])
    assert [each.process_id for each in latest] == [extra]
    assert (await drive(v2.get_processes_count_experimental, app_id, status=[ProcessStatus.RUNNING])).count == 2
    await drive(v2.stop_process, extra, app_id)
    await eventually(lambda: state(ProcessStatus.STOPPED))
    assert [each.process_id for each in await drive(v1.get_stopped_processes, app_id)] == [extra]

    async def figures() -> Any:
        wanted = [DeprecatedProcessMetricName.MEMORY, DeprecatedProcessMetricName.ACTIVE_CONNECTIONS]
        found = await drive(client.metrics_v1.get_metrics, server_id, app_id, metrics=wanted, step=1)
        return found if found.memory and found.memory[-1].value > 1 << 20 else None

    await eventually(figures)


async def some_lobbies(drive: Drive, client: Any, app_id: str) -> None:
    token = (await drive(client.auth_v1.login_anonymous, app_id)).token
    player = drive.client(token=None, org_id=None, player_token=token, app_id=app_id)
    v1, v2, v3 = player.lobbies_v1, player.lobbies_v2, player.lobbies_v3
    seen = await drive(v1.create_public_lobby, region=Region.TOKYO)
    hidden = await drive(v1.create_private_lobby, region=Region.TOKYO)
    assert [each.room_id for each in await drive(v1.list_active_public_lobbies, region=Region.TOKYO)] == [seen]
    assert (await drive(v3.get_lobby_info_by_room_id, hidden)).visibility == LobbyVisibility.PRIVATE
    config = {"map": "ctf1", "bots": [1, 2.5, None]}
    wish = LobbyParams(region=Region.LONDON, initial_config=config)
    named = CreateLobbyParams(visibility=LobbyVisibility.PUBLIC, region=Region.LONDON, initial_config=config)
    made = [
        await drive(v2.create_lobby, named, room_id="old-1"),
        await drive(v2.create_public_lobby, wish, room_id="old-2"),
        await drive(v2.create_private_lobby, wish),
        await drive(v2.create_local_lobby, wish),
    ]
    assert [lobby.visibility.value for lobby in made] == ["public", "public", "private", "local"]
    assert [lobby.initial_config for lobby in made] == [config] * 4
    listed = await drive(v2.list_active_public_lobbies, region=Region.LONDON)
    assert [lobby.room_id for lobby in listed] == ["old-2", "old-1"]
    assert {lobby.room_id for lobby in await drive(v3.list_active_public_lobbies)} == {seen, "old-1", "old-2"}
    state = {"players": ["robin"], "open": True}
    told = await drive(client.lobbies_v2.set_lobby_state, "old-1", SetLobbyStateParams(state=state), app_id)
    assert told.state == state
    assert (await drive(v2.get_lobby_info, "old-1")).state == state
    await drive.close(player)
    for room_id in (seen, hidden, *(lobby.room_id for lobby in made[:3])):
        await drive(client.rooms_v2.destroy_room, room_id, app_id)


async def logs(drive: Drive, client: Any, app_id: str) -> None:
    alive = [ProcessStatus.STARTING, ProcessStatus.RUNNING, ProcessStatus.DRAINING, ProcessStatus.STOPPING]
    for server in await drive(client.processes_v3.get_latest_processes, app_id, status=alive):
        await drive(client.processes_v3.stop_process, server.process_id, app_id)

    async def still() -> Any:
        counted = await drive(client.processes_v3.get_processes_count_experimental, app_id, status=alive)
        return True if counted.count == 0 else None

    await eventually(still)
    everything = await drive.read(client.log_v1.get_logs_for_app, app_id, tail_lines=5000)
    assert "server name is 'inn'" in everything
    assert len((await drive.read(client.log_v1.get_logs_for_app, app_id, tail_lines=3)).splitlines()) == 3
    # The newest deployment ran all servers there were; those before it, none.
    assert await drive.read(client.log_v1.get_logs_for_deployment, "3", app_id, tail_lines=5000) == everything
    assert await drive.read(client.log_v1.get_logs_for_deployment, "1", app_id) == ""


async def the_end(drive: Drive, client: Any, app_id: str) -> None:
    places = {place.region for place in await drive(client.discovery_v1.get_ping_service_endpoints)}
    assert places == set(Region) - {Region.DALLAS, Region.JOHANNESBURG, Region.DUBAI}
    await drive(client.apps_v1.delete_app, app_id)
    with pytest.raises(NotFound):
        await drive(client.apps_v2.get_app, app_id)
