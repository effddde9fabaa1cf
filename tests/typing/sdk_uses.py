"""Right and wrong uses of the clients, for mypy and pyright: every wrong line carries an ignore, and an ignore that is
not needed is an error itself, so that this file fails when the types get weaker or stronger."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import assert_type

import httpx

from innkeeper.contract.edgegap.deployments import DeploymentList, Deployments, DeployModel, Status
from innkeeper.contract.edgegap.deployments_v2 import DeploymentCreate, DeploymentResponse, IpUser, UserAddress
from innkeeper.contract.edgegap.sessions import SessionGet
from innkeeper.contract.edgegap.words import Deployment
from innkeeper.contract.hathora.builds_v3 import BuildsV3Page, CreatedBuildV3WithMultipartUrls
from innkeeper.contract.hathora.deployments_v3 import DeploymentsV3Page
from innkeeper.contract.hathora.logs_v1 import LogsV1
from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams, Room, RoomConnectionData, RoomsV2
from innkeeper.contract.hathora.words import ExposedPort, Region
from innkeeper.contract.house.events_v1 import Event
from innkeeper.contract.house.hosts_v1 import HostList
from innkeeper.sdk import (
    ActiveRoom,
    AsyncByteStream,
    AsyncEdgegap,
    AsyncHathoraCloud,
    AsyncHttpxTransport,
    AsyncInside,
    AsyncStub,
    AsyncTransport,
    Backoff,
    ByteStream,
    DeploymentFailed,
    Edgegap,
    HathoraCloud,
    HttpxTransport,
    Inside,
    NotFound,
    RateLimited,
    Raw,
    Request,
    Response,
    Stub,
    Transport,
    Urllib3Transport,
    WaitTimedOut,
    verify_callback,
    verify_webhook,
)

PARAMS = CreateRoomParams(region=Region.TOKYO)
DEPLOY = DeployModel(app_name="game", ip_list=["198.51.100.7"])
CREATE = DeploymentCreate(
    application="game", version="v1", users=[IpUser(user_data=UserAddress(ip_address="198.51.100.7"))]
)


def sync() -> None:
    with HathoraCloud("t", app_id="a", retry=Backoff(tries=5), transport=Urllib3Transport()) as client:
        assert_type(client, HathoraCloud)
        assert_type(client.rooms_v2.create_room(PARAMS), RoomConnectionData)
        assert_type(client.rooms_v2.get_room_info.raw("r"), Raw[Room])
        assert_type(client.house.hosts_v1.get_hosts(), HostList)
        assert_type(client.house.follow_events(kinds=["room.*"]), Generator[Event, None, None])
        assert_type(client.house.events_v1.stream_events(after=3), ByteStream)
        assert_type(client.rooms_v2.get_room_info.options(timeout=3.0, token=None)("r"), Room)
        assert_type(client.builds_v3.get_builds(), BuildsV3Page)
        assert_type(client.deployments_v3.get_deployments.pages(build_tag="b"), Iterator[DeploymentsV3Page])
        assert_type(client.logs_v1.get_logs_for_process("p", follow=True), ByteStream)
        assert_type(client.upload_build(Path("a.tgz"), build_tag="v"), CreatedBuildV3WithMultipartUrls)
        assert_type(client.wait_until_active("r", timeout=3), ActiveRoom)
        assert_type(client.wait_until_active("r").exposed_port, ExposedPort)
        client.rooms_v2.create_room("Tokyo")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        client.rooms_v2.create_rooms(PARAMS)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        _ = client.rooms_v9  # type: ignore[attr-defined]  # pyright: ignore
        client.upload_build("a.tgz")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    HathoraCloud(lambda: "t", server=0, transport=HttpxTransport(httpx.Client()))
    HathoraCloud("t", app="a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    HathoraCloud("t", transport=AsyncHttpxTransport())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    HttpxTransport(httpx.AsyncClient())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def asynchronous() -> None:
    async with AsyncHathoraCloud("t", app_id="a", transport=AsyncHttpxTransport()) as client:
        assert_type(client, AsyncHathoraCloud)
        assert_type(await client.rooms_v2.create_room(PARAMS), RoomConnectionData)
        assert_type((await client.rooms_v2.get_room_info.raw("r")).value, Room)
        assert_type(client.deployments_v3.get_deployments.pages(), AsyncIterator[DeploymentsV3Page])
        assert_type(await client.upload_build(b"", parallel=2), CreatedBuildV3WithMultipartUrls)
        assert_type(await client.wait_until_active("r"), ActiveRoom)
        assert_type(client.house.follow_events(), AsyncGenerator[Event, None])
        async with await client.logs_v1.get_logs_for_process("p") as stream:
            assert_type(stream, AsyncByteStream)
            async for line in stream.lines():
                assert_type(line, str)
        _ = client.rooms_v2.create_room(PARAMS).room_id  # type: ignore[attr-defined]  # pyright: ignore
    AsyncHathoraCloud("t", transport=HttpxTransport())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def edgegap() -> None:
    with Edgegap("t", server="https://play.example/", transport=Urllib3Transport()) as client:
        assert_type(client, Edgegap)
        assert_type(client.deployments_v2.create_deployment(CREATE), DeploymentResponse)
        assert_type(client.deployments.get_deployment_status.raw("id"), Raw[Status])
        assert_type(client.deployments.list_deployments.pages(limit=25), Iterator[DeploymentList])
        assert_type(client.deploy(CREATE), str)
        assert_type(client.deploy_and_wait(DEPLOY, timeout=60, progress=print), Status)
        assert_type(client.stop_and_wait("id"), Status | None)
        assert_type(client.wait_for_session("id"), SessionGet)
        client.deploy({"app_name": "game"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        client.deployments.get_deployment_status()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        _ = client.rooms_v2  # type: ignore[attr-defined]  # pyright: ignore
        try:
            client.wait_until_ready("id")
        except DeploymentFailed as failed:
            assert_type(failed.status, Status)
            assert_type(failed.detail, str)
        except WaitTimedOut as late:
            assert_type(late.last, Status | SessionGet | None)
    with Edgegap.inside() as inside:
        assert_type(inside, Inside)
        assert_type(inside.context(), Deployment)
        inside.stop()
    Edgegap("t", app_id="a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Edgegap("t", transport=AsyncHttpxTransport())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Stub().expect(Deployments.get_deployment_status, "id").fails(404, "no")


async def asynchronous_edgegap() -> None:
    async with AsyncEdgegap("t") as client:
        assert_type(await client.deployments.get_deployment_status("id"), Status)
        assert_type(client.deployments.list_deployments.pages(), AsyncIterator[DeploymentList])
        assert_type(await client.deploy_and_wait(CREATE), Status)
        assert_type(await client.wait_until_terminated("id", timeout=5), Status | None)
    async with AsyncEdgegap.inside({}) as inside:
        assert_type(inside, AsyncInside)
        assert_type(await inside.context(), Deployment)


def received(headers: dict[str, str], body: bytes) -> None:
    assert_type(verify_webhook("whsec_x", headers, body), Event)
    assert_type(verify_callback(["whsec_x", "whsec_y"], headers, body), bytes)
    verify_webhook("whsec_x", headers, "body")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def errors(client: HathoraCloud) -> None:
    try:
        client.rooms_v2.destroy_room("r")
    except NotFound as missing:
        assert_type(missing.status, int)
        assert_type(missing.request_id, str | None)
    except RateLimited as limited:
        assert_type(limited.retry_after, float | None)


def stubs(stub: Stub, other: AsyncStub) -> None:
    stub.expect(RoomsV2.destroy_room, "r").answers(None)
    stub.expect(RoomsV2.get_room_info, "r").fails(404, "no")
    stub.expect_stream(LogsV1.get_logs_for_process, "p", follow=True).answers(b"line\n")
    stub.expect(RoomsV2.get_room_info, 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    stub.expect(RoomsV2.get_room_info, "r").answers("room")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    HathoraCloud("t", transport=stub)
    AsyncHathoraCloud("t", transport=other)


class Mine:
    def send(self, request: Request) -> Response:
        return Response(200, {}, request.method.encode())

    def close(self) -> None: ...


mine: Transport = Mine()
theirs: AsyncTransport = Mine()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
