"""The operations of today, each part of one life; ``test_our_sdk.py`` plays them in order."""

from __future__ import annotations

import os
import re
import socket
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from websockets.asyncio.client import connect

from innkeeper.contract.hathora.apps_v2 import (
    AppConfigWithServiceConfig,
    AuthConfiguration,
    CreateAppConfig,
    GoogleLogin,
    PartialAppConfigWithServiceConfig,
    RecordStringNever,
)
from innkeeper.contract.hathora.auth_v1 import GoogleIdTokenObject, NicknameObject
from innkeeper.contract.hathora.builds_v3 import BuildStatus, CreateBuildV3Params, RegistryConfig
from innkeeper.contract.hathora.deployments_v3 import DeploymentConfigV3, EnvVariable
from innkeeper.contract.hathora.lobbies_v3 import CreateLobbyV3Params, LobbyVisibility
from innkeeper.contract.hathora.organizations_v1 import CreateUserInvite, RescindUserInvite, UpdateUserInvite
from innkeeper.contract.hathora.processes_v3 import ProcessMetricName, ProcessStatus
from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams, UpdateRoomConfigParams
from innkeeper.contract.hathora.tokens_v1 import CreateOrgToken, OrgTokenStatus
from innkeeper.contract.hathora.words import Region, RoomReadyStatus, RoomStatus, Scope, TransportType, UserRole
from innkeeper.sdk import BadRequest, Invalid, NotFound, Unauthorized
from inns import RunningInn

from .drivers import Drive, eventually
from .games import PROCFILES, archive, ask_bzflag, ask_teeworlds
from .people import CLIENT_ID, Google, invited_by_others

MORE_THAN_A_PAGE = 55


async def organisation(drive: Drive, client: Any, inn: RunningInn) -> None:
    orgs, friend = client.organizations_v1, "friend@example.com"
    assert [org.org_id for org in (await drive(orgs.get_orgs)).orgs] == [inn.org_id]
    assert len((await drive(orgs.get_org_members)).members) == 1
    invite = await drive(orgs.invite_user, CreateUserInvite(user_email=friend, scopes=UserRole.VIEWER))
    assert invite.scopes == UserRole.VIEWER
    change = UpdateUserInvite(user_email=friend, scopes=[Scope.BUILDS_READ])
    assert await drive(orgs.update_user_invite, change) is True
    assert [one.scopes for one in (await drive(orgs.get_org_pending_invites)).invites] == [[Scope.BUILDS_READ]]
    await drive(orgs.rescind_invite, RescindUserInvite(user_email=friend))
    assert (await drive(orgs.get_org_pending_invites)).invites == []
    first, second = invited_by_others(inn)
    assert {one.org_id for one in (await drive(orgs.get_user_pending_invites)).invites} == {first, second}
    await drive(orgs.accept_invite, first)
    await drive(orgs.reject_invite, second)
    assert {org.org_id for org in (await drive(orgs.get_orgs)).orgs} == {inn.org_id, first}
    assert (await drive(orgs.get_usage_limits)).monthly_process_vcpu_hours_consumed == 0
    wish = CreateOrgToken(name="reader", scopes=[Scope.APPLICATIONS_READ])
    made = await drive(client.tokens_v1.create_org_token, wish)
    reader = drive.client(token=made.plain_text_token)
    await drive(reader.apps_v2.get_apps)
    with pytest.raises(Unauthorized, match="builds:read"):
        await drive(reader.builds_v3.get_builds)
    assert await drive(client.tokens_v1.revoke_org_token, made.org_token.org_token_id) is True
    with pytest.raises(Unauthorized):
        await drive(reader.apps_v2.get_apps)
    await drive.close(reader)
    listed = (await drive(client.tokens_v1.get_org_tokens)).tokens
    assert listed[0].status == OrgTokenStatus.REVOKED
    assert listed[0].last_four_chars_of_key == made.plain_text_token[-4:]


async def an_app(drive: Drive, client: Any) -> str:
    nobody = CreateAppConfig(app_name="walk", auth_configuration=AuthConfiguration())
    app_id: str = (await drive(client.apps_v2.create_app, nobody)).app_id
    everybody = AuthConfiguration(
        anonymous=RecordStringNever(), nickname=RecordStringNever(), google=GoogleLogin(client_id=CLIENT_ID)
    )
    await drive(
        client.apps_v2.update_app, AppConfigWithServiceConfig(app_name="w2", auth_configuration=everybody), app_id
    )
    patched = await drive(client.apps_v2.patch_app, PartialAppConfigWithServiceConfig(app_name="w3"), app_id)
    assert patched == await drive(client.apps_v2.get_app, app_id)
    assert (patched.app_name, patched.auth_configuration) == ("w3", everybody)
    assert [app.app_id for app in (await drive(client.apps_v2.get_apps)).applications] == [app_id]
    with pytest.raises(Invalid, match="appName"):
        await drive(client.apps_v2.create_app, CreateAppConfig(app_name="No!", auth_configuration=everybody))
    return app_id


async def some_builds(drive: Drive, client: Any) -> dict[str, str]:
    sent: list[tuple[int, int]] = []
    ballast = os.urandom((10 << 20) + 4321)  # more than a part
    content = {"teeworlds": {"ballast.bin": ballast, "Procfile": PROCFILES["teeworlds"]}}
    packed = archive(content["teeworlds"])
    made = await drive(
        client.upload_build, packed, build_tag="teeworlds-1", progress=lambda done, of: sent.append((done, of))
    )
    assert len(made.upload_parts) == 2
    assert sent[-1] == (len(packed), len(packed))
    assert "succeeded" in await drive.read(client.builds_v3.run_build, made.build_id)
    drive.walked.add("CreateBuild")  # the helper calls it
    assert (await drive(client.builds_v3.get_build, made.build_id)).status == BuildStatus.SUCCEEDED
    bzflag = await drive(client.upload_build, archive({"Procfile": PROCFILES["bzflag"]}), build_id="bzflag")
    await drive.read(client.builds_v3.run_build, bzflag.build_id)
    await drive(client.builds_v3.create_build_registry, CreateBuildV3Params(build_id="image"))
    log = await drive.read(client.builds_v3.run_build_registry, "image", RegistryConfig(image="example/game:1"))
    assert re.search("^Error", log, re.MULTILINE)
    assert (await drive(client.builds_v3.get_build, "image")).status == BuildStatus.FAILED
    await drive(client.builds_v3.delete_build, "image")
    listed = {build.build_id for build in (await drive(client.builds_v3.get_builds)).builds if not build.deleted_at}
    assert {made.build_id, "bzflag"} <= listed
    return {"teeworlds": made.build_id, "bzflag": "bzflag"}


async def some_deployments(drive: Drive, client: Any, app_id: str, builds: dict[str, str]) -> None:
    deployments = client.deployments_v3
    with pytest.raises(NotFound):
        await drive(deployments.get_latest_deployment, app_id)
    made = []
    wishes = [("bzflag", "tcp", 5154)] * MORE_THAN_A_PAGE + [("teeworlds", "udp", 8303)]
    for at, (name, transport, port) in enumerate(wishes):
        how = DeploymentConfigV3(
            build_id=builds[name], container_port=port, transport_type=TransportType(transport), requested_cpu=0.5,
            requested_memory_mb=512, rooms_per_process=2, idle_timeout_enabled=False, deployment_tag=f"{name}-{at}",
            env=[EnvVariable(name="WORDS", value="a=b, c")],
        )  # fmt: skip
        made.append(await drive(deployments.create_deployment, how, app_id))
    assert await drive(deployments.get_latest_deployment, app_id) == made[-1]
    assert await drive(deployments.get_deployment, made[0].deployment_id, app_id) == made[0]
    pages = await drive.pages(deployments.get_deployments, app_id)
    assert len(pages) == 2
    assert [one for page in pages for one in page.deployments] == made[::-1]
    tagged = await drive(deployments.get_deployments, app_id, deployment_tag="bzflag-0")
    assert tagged.deployments == [made[0]]


async def distances(drive: Drive, client: Any) -> None:
    places = await drive(client.discovery_v2.get_ping_service_endpoints)
    assert {place.region for place in places} == set(Region)
    host, port = places[0].host, places[0].port
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as player:
        player.settimeout(5)
        player.sendto(b"how far?", (host, port))
        assert player.recv(100) == b"how far?"
    async with connect(f"ws://{host}:{port}/ws", proxy=None) as line:
        await line.send("ping")
        assert await line.recv() == "ping"


async def some_rooms(drive: Drive, client: Any, app_id: str) -> tuple[str, str]:
    rooms = client.rooms_v2
    wish = CreateRoomParams(region=Region.TOKYO, room_config="ctf", client_ips=["127.0.0.1"])
    room = await drive(rooms.create_room, wish, app_id)
    info = await drive(client.wait_until_active, room.room_id, app_id, every=0.05)
    assert b"inf3" in ask_teeworlds(info.exposed_port.host, info.exposed_port.port)
    again = await drive(rooms.create_room, CreateRoomParams(region=Region.TOKYO), app_id, room_id="chosen")
    assert (again.room_id, again.process_id, again.status) == ("chosen", room.process_id, RoomReadyStatus.ACTIVE)
    with pytest.raises(BadRequest, match="room id"):
        await drive(rooms.create_room, CreateRoomParams(region=Region.TOKYO), app_id, room_id="chosen")
    here = await drive(rooms.get_active_rooms_for_process, room.process_id, app_id)
    assert [one.room_id for one in here] == [room.room_id, "chosen"]
    await drive(rooms.update_room_config, "chosen", UpdateRoomConfigParams(room_config="next"), app_id)
    await drive(rooms.suspend_room, "chosen", app_id)
    told = await drive(rooms.get_room_info, "chosen", app_id)
    assert (told.status, told.room_config, told.current_allocation) == (RoomStatus.SUSPENDED, "next", None)
    assert (await drive(rooms.resume_room, "chosen", app_id)).status == RoomReadyStatus.ACTIVE
    assert (await drive(rooms.get_connection_info, "chosen", app_id)).exposed_port == info.exposed_port
    await drive(rooms.destroy_room, "chosen", app_id)
    with pytest.raises(NotFound, match="over"):
        await drive(rooms.get_connection_info, "chosen", app_id)
    gone = await drive(rooms.get_inactive_rooms_for_process, room.process_id, app_id)
    assert gone[0].room_id == "chosen"
    first = (await drive(client.deployments_v3.get_deployments, app_id, deployment_tag="bzflag-0")).deployments[0]
    wish = CreateRoomParams(region=Region.LONDON, deployment_id=first.deployment_id)
    pinned = await drive(rooms.create_room, wish, app_id)
    info = await drive(client.wait_until_active, pinned.room_id, app_id, every=0.05)
    assert ask_bzflag(info.exposed_port.host, info.exposed_port.port).startswith(b"BZFS")
    return room.process_id, pinned.process_id


async def some_processes(drive: Drive, client: Any, app_id: str, bzflag_id: str) -> None:
    processes = client.processes_v3
    extra = await drive(processes.create_process, Region.SYDNEY, app_id)

    async def state(wanted: ProcessStatus) -> Any:
        found = await drive(processes.get_process, extra.process_id, app_id)
        return found if found.status == wanted else None

    running = await eventually(lambda: state(ProcessStatus.RUNNING))
    assert running.created_at <= running.scheduled_at <= running.booted_at <= running.started_at
    latest = [one for page in await drive.pages(processes.get_latest_processes, app_id) for one in page]
    assert (len(latest), latest[0].process_id) == (3, extra.process_id)
    london = await drive(processes.get_latest_processes, app_id, region=[Region.LONDON, Region.DUBAI])
    assert [one.process_id for one in london] == [bzflag_id]
    count = await drive(processes.get_processes_count_experimental, app_id, status=[ProcessStatus.RUNNING])
    assert count.count == 3
    await drive(processes.stop_process, extra.process_id, app_id)
    stopped = await eventually(lambda: state(ProcessStatus.STOPPED))
    assert "stopped by" in stopped.summary_exit_reason

    async def figures() -> Any:
        wanted = [ProcessMetricName.CPU, ProcessMetricName.MEMORY, ProcessMetricName.ACTIVE_CONNECTIONS]
        found = await drive(processes.get_process_metrics, bzflag_id, app_id, metrics=wanted, step=1)
        # The first measurement may be of a program that has only just begun, and uses next to nothing.
        return found if found.memory and found.memory[-1].value > 1 << 20 else None

    assert (await eventually(figures)).memory[-1].value < 512 << 20


async def logs(drive: Drive, client: Any, app_id: str, server_id: str) -> None:
    tail = await drive.read(client.logs_v1.get_logs_for_process, server_id, app_id, tail_lines=2)
    assert len(tail.splitlines()) == 2
    await drive(client.processes_v3.stop_process, server_id, app_id)
    # Follows to the end of the process, which may have come by now or not.
    whole = await drive.read(client.logs_v1.get_logs_for_process, server_id, app_id, follow=True, tail_lines=5000)
    assert whole == await drive.read(client.logs_v1.download_log_for_process, server_id, app_id)
    assert tail in whole


async def players(drive: Drive, client: Any, app_id: str, google: Google) -> None:
    auth, lobbies = client.auth_v1, client.lobbies_v3
    secret = OctKey.import_key((await drive(client.apps_v2.get_app, app_id)).app_secret)
    anybody = (await drive(auth.login_anonymous, app_id)).token
    robin = (await drive(auth.login_nickname, NicknameObject(nickname="Robin"), app_id)).token
    gold = (await drive(auth.login_google, GoogleIdTokenObject(id_token=google.id_token("gold")), app_id)).token
    claims = jwt.decode(robin, secret, algorithms=["HS256"]).claims
    assert (claims["type"], claims["name"]) == ("nickname", "Robin")
    with pytest.raises(Unauthorized, match="idToken"):
        await drive(auth.login_google, GoogleIdTokenObject(id_token="no"), app_id)
    made = {}
    for token, visibility in [(anybody, "private"), (robin, "public"), (gold, "local")]:
        player = drive.client(token=None, org_id=None, player_token=token, app_id=app_id)
        wish = CreateLobbyV3Params(visibility=LobbyVisibility(visibility), region=Region.CHICAGO, room_config="x")
        made[visibility] = await drive(player.lobbies_v3.create_lobby, wish, short_code=f"code-{visibility}")
        await drive.close(player)
    assert made["public"].created_by == claims["id"]
    assert await drive(lobbies.list_active_public_lobbies, app_id) == [made["public"]]
    assert await drive(lobbies.list_active_public_lobbies, app_id, region=Region.TOKYO) == []
    assert await drive(lobbies.get_lobby_info_by_short_code, "code-private", app_id) == made["private"]
    assert await drive(lobbies.get_lobby_info_by_room_id, made["local"].room_id, app_id) == made["local"]
    info = await drive(client.wait_until_active, made["public"].room_id, app_id, every=0.05)
    assert b"inf3" in ask_teeworlds(info.exposed_port.host, info.exposed_port.port)
