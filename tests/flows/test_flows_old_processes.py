"""Processes and metrics of the old generations: what they tell is the house's own record."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from api.wire import Answer, ask
from factories import TOKYO, Game, TestInn
from innkeeper.contract.hathora.deployments_v3 import ContainerPort
from innkeeper.contract.hathora.words import Region, TransportType
from innkeeper.engines.base import EndedBy, Usage
from innkeeper.kit.clock import SECOND


async def call(game: Game, method: str, path: str, token: str | None = None) -> Answer:
    return await ask(game.inn, method, path.format(app=game.app_id), token=token or game.inn.token)


async def told(game: Game, path: str) -> Any:
    answer = await call(game, "GET", path)
    assert answer.status == 200, answer
    return answer.json


def now(inn: TestInn) -> str:
    """The clock's time as the wire has it."""
    at = datetime.fromtimestamp(inn.clock.now() / SECOND, UTC)
    return at.isoformat().replace("+00:00", "Z")


async def test_a_process_of_v1_from_its_wish_to_its_end(inn: TestInn) -> None:
    web = ContainerPort(name="web", port=80, transport_type=TransportType.TCP)
    game = await inn.game(seats=3, ports=[web])
    await game.release(seats=3, ports=[web])
    inn.behave(start_takes=5)
    asked_at = now(inn)
    made = await call(game, "POST", "/processes/v2/{app}/create/Tokyo")
    assert (made.status, made.json["deploymentId"], made.json["status"]) == (201, 2, "starting")
    info = "/processes/v1/{app}/info/" + made.json["processId"]
    wanted = await told(game, info)
    assert wanted == {
        "processId": made.json["processId"], "appId": game.app_id, "deploymentId": 2, "region": "Tokyo",
        "host": "", "port": 0, "exposedPort": None, "additionalExposedPorts": [], "draining": False,
        "roomsAllocated": 0, "roomsAllocatedUpdatedAt": asked_at, "roomsPerProcess": 3,
        "roomSlotsAvailable": 3, "roomSlotsAvailableUpdatedAt": asked_at, "activeConnections": 0,
        "activeConnectionsUpdatedAt": asked_at, "egressedBytes": 0, "startingAt": asked_at, "startedAt": None,
        "stoppingAt": None, "terminatedAt": None, "idleSince": asked_at,
    }  # fmt: skip

    await inn.settle()
    placed = await told(game, info)
    assert (placed["host"], placed["port"], placed["exposedPort"]) == ("198.51.100.7", 30_000, None)

    await inn.advance(5)
    started_at = now(inn)
    running = await told(game, info)
    assert running["exposedPort"] == {
        "name": "default", "transportType": "udp", "host": "198.51.100.7", "port": 30_000,
    }  # fmt: skip
    assert [port["name"] for port in running["additionalExposedPorts"]] == ["web"]
    assert (running["startedAt"], running["idleSince"]) == (started_at, started_at)

    await inn.advance(10)
    seated_at = now(inn)
    rooms = [await game.room(), await game.room(room_config="x")]
    seated = await told(game, info)
    assert (seated["roomsAllocated"], seated["roomSlotsAvailable"], seated["idleSince"]) == (2, 1, None)
    assert seated["roomsAllocatedUpdatedAt"] == seated["roomSlotsAvailableUpdatedAt"] == seated_at

    await inn.advance(10)
    measured_at = now(inn)
    await inn.measure({made.json["processId"]: Usage(1.0, 1000, 4, 12_345)})
    await inn.advance(10)
    left_at = now(inn)
    await game.cloud.rooms_v2.destroy_room(rooms[0].room_id)
    left = await told(game, info)
    assert (left["activeConnections"], left["egressedBytes"]) == (4, 12_345)
    assert left["activeConnectionsUpdatedAt"] == measured_at
    assert (left["roomsAllocatedUpdatedAt"], left["roomSlotsAvailable"]) == (left_at, 2)

    assert (await call(game, "POST", "/processes/v2/{app}/stop/" + made.json["processId"])).status == 204
    await inn.settle()
    over = await told(game, info)
    assert (over["stoppingAt"], over["terminatedAt"], over["idleSince"]) == (left_at, left_at, None)
    assert (over["roomsAllocated"], over["roomSlotsAvailable"], over["draining"]) == (0, 0, False)
    assert (over["activeConnections"], over["egressedBytes"]) == (4, 12_345)


async def test_a_suspended_room_counts_as_one_that_left(inn: TestInn) -> None:
    game = await inn.game(seats=2)
    room = await game.room()
    await inn.settle()
    await inn.advance(20)
    await call(game, "POST", f"/rooms/v2/{{app}}/suspend/{room.room_id}")
    await inn.advance(20)
    await game.release()
    resumed = await game.cloud.rooms_v2.resume_room(room.room_id)
    assert resumed.process_id != room.process_id
    process = await told(game, f"/processes/v1/{{app}}/info/{room.process_id}")
    at = datetime.fromisoformat(process["roomsAllocatedUpdatedAt"])
    assert at == datetime.fromtimestamp(inn.clock.now() / SECOND - 20, UTC)


async def test_lists_of_v1(inn: TestInn) -> None:
    game = await inn.game(seats=4)
    first = await game.room()
    again = [await game.room() for _ in range(2)]
    await inn.settle()
    inn.clock.advance(1)
    london = await game.room(region=Region.LONDON, room_config="x")
    await inn.settle()
    listed = await told(game, "/processes/v1/{app}/list/running")
    assert [one["processId"] for one in listed] == [london.process_id, first.process_id]
    assert listed[0]["rooms"] == [
        {
            "appId": game.app_id, "roomId": london.room_id, "status": "active", "roomConfig": "x",
            "currentAllocation": listed[0]["rooms"][0]["currentAllocation"],
        }
    ]  # fmt: skip
    assert listed[0]["rooms"][0]["currentAllocation"]["processId"] == london.process_id
    assert {room["roomId"] for room in listed[1]["rooms"]} == {first.room_id, *(room.room_id for room in again)}
    assert [one["totalRooms"] for one in listed] == [1, 3]
    only = await told(game, "/processes/v1/{app}/list/running?region=London")
    assert [one["processId"] for one in only] == [london.process_id]
    assert await told(game, "/processes/v1/{app}/list/stopped") == []

    await game.cloud.processes_v3.stop_process(london.process_id)
    await inn.settle()
    await inn.advance(1)
    inn.engine.end(first.process_id, EndedBy.EXIT, 3)
    await inn.settle()
    ended = await told(game, "/processes/v1/{app}/list/stopped")
    assert [one["processId"] for one in ended] == [first.process_id, london.process_id]  # the last to end first
    assert "rooms" not in ended[0]
    only = await told(game, "/processes/v1/{app}/list/stopped?region=London")
    assert [one["processId"] for one in only] == [london.process_id]
    assert await told(game, "/processes/v1/{app}/list/running") == []


async def test_ten_are_told_and_all_are_counted(inn: TestInn) -> None:
    game = await inn.game()
    for _ in range(12):
        inn.clock.advance(1)
        await game.cloud.processes_v3.create_process(TOKYO)
    await inn.settle()
    latest = [process.process_id for process in await game.processes()]
    for path in ("/processes/v1/{app}/list/running", "/processes/v2/{app}/list/latest"):
        assert [one["processId"] for one in await told(game, path)] == latest
    assert await told(game, "/processes/v2/{app}/count") == {"count": 12}
    for process_id in latest:
        await game.cloud.processes_v3.stop_process(process_id)
    await inn.settle()
    assert len(await told(game, "/processes/v1/{app}/list/stopped")) == 10
    assert await told(game, "/processes/v2/{app}/count?status=running&region=Tokyo") == {"count": 2}
    stopped = await told(game, "/processes/v2/{app}/list/latest?status=stopped&status=failed")
    assert [one["processId"] for one in stopped] == latest


async def test_a_process_of_v2_is_that_of_v3(inn: TestInn) -> None:
    game = await inn.game(seats=2)
    await game.release(seats=2)
    room = await game.room()
    await inn.settle()
    old = await told(game, f"/processes/v2/{{app}}/info/{room.process_id}")
    new = (await call(game, "GET", f"/processes/v3/apps/{{app}}/processes/{room.process_id}")).json
    assert new.pop("deploymentId") == game.deployment.deployment_id
    assert old.pop("deploymentId") == 2
    assert old == {name: new[name] for name in old}
    assert set(new) - set(old) == {"scheduledAt", "bootedAt", "hosting"}


async def test_a_draining_process_is_told_so(inn: TestInn) -> None:
    game = await inn.game(seats=2)
    await game.order(1, 1, 2)
    await inn.settle()
    room = await game.room()
    await inn.settle()
    await game.release(seats=2)
    await inn.settle()
    draining = await told(game, f"/processes/v1/{{app}}/info/{room.process_id}")
    assert (draining["draining"], draining["roomsAllocated"], draining["roomSlotsAvailable"]) == (True, 1, 0)


async def test_metrics_under_their_old_names(inn: TestInn) -> None:
    game = await inn.game()
    room = await game.room()
    await inn.settle()
    start = inn.clock.now() / SECOND
    for minute in range(3):
        await inn.measure({room.process_id: Usage(minute * 30.0, 1000, 3, minute * 6000)})
        inn.clock.advance(60)
    path = f"/metrics/v1/{{app}}/process/{room.process_id}?start={start}"
    asked = "".join(f"&metrics={name}" for name in ("rate_egress", "total_egress", "active_connections", "cpu"))
    found = await told(game, path + asked)
    assert list(found) == ["cpu", "rate_egress", "total_egress", "active_connections"]
    assert [point["value"] for point in found["rate_egress"]] == [100, 100]
    assert [point["value"] for point in found["total_egress"]] == [0, 6000, 12_000]
    assert {point["value"] for point in found["active_connections"]} == {3}
    new = await call(
        game, "GET", f"/processes/v3/apps/{{app}}/processes/process/{room.process_id}/metrics?start={start}"
    )
    usual = await told(game, path)
    assert usual == {"cpu": new.json["cpu"], "memory": new.json["memory"], "rate_egress": new.json["rateEgress"]}
    refused = await call(game, "GET", path + "&metrics=rateEgress")
    assert (refused.status, "there is no 'rateEgress'" in refused.message) == (422, True)


async def test_others_see_nothing(small_inn: TestInn) -> None:
    game, rival = await small_inn.game(), await small_inn.another_org()
    room = await game.room()
    paths = (
        "/processes/v1/{app}/list/running", "/processes/v1/{app}/list/stopped", "/processes/v2/{app}/list/latest",
        f"/processes/v1/{{app}}/info/{room.process_id}", f"/metrics/v1/{{app}}/process/{room.process_id}",
    )  # fmt: skip
    for path in paths:
        assert (await call(game, "GET", path, rival)).status == 404
    assert (await call(game, "POST", f"/processes/v2/{{app}}/stop/{room.process_id}", rival)).status == 404
