"""What is told of rooms, servers, builds and hosts, in the transaction in which it happens."""

from __future__ import annotations

import json
from typing import Any

from factories import TestInn
from innkeeper.contract.hathora.rooms_v2 import UpdateRoomConfigParams
from innkeeper.db.database import Statement, Steps
from innkeeper.engines.base import EndedBy


def listen(org_id: str) -> Steps[None]:
    yield Statement("insert into listeners (org_id, until) values ($1, null)", (org_id,))


def told() -> Steps[list[tuple[str, str, dict[str, Any]]]]:
    rows = yield Statement("select kind, subject, data from outbox order by id")
    return [(kind, subject, json.loads(data)) for kind, subject, data in rows]


async def kinds(inn: TestInn, prefix: str = "", subject: str | None = None) -> list[str]:
    news = await inn.inn.db.read(told)
    return [kind for kind, about, _ in news if kind.startswith(prefix) and subject in (None, about)]


async def test_nothing_is_written_while_nobody_listens(inn: TestInn) -> None:
    game = await inn.game()
    await game.room()
    await inn.settle()
    assert await kinds(inn) == []


async def test_a_life_of_a_room_and_its_server(inn: TestInn) -> None:
    game = await inn.game(seats=2)
    await inn.inn.db.write(listen, inn.inn.founded.org_id)
    room = await game.room(room_config="a")
    await inn.settle()
    await game.cloud.rooms_v2.update_room_config(room.room_id, UpdateRoomConfigParams(room_config="b"))
    await inn.inn.wings.rooms.suspend(game.app_id, inn.inn.founded.org_id, room.room_id)
    await inn.inn.wings.rooms.suspend(game.app_id, inn.inn.founded.org_id, room.room_id)  # nothing happens
    await game.cloud.rooms_v2.resume_room(room.room_id)
    await game.cloud.rooms_v2.destroy_room(room.room_id)
    assert await kinds(inn, "room.", room.room_id) == [
        "room.opened", "room.active", "room.configured", "room.suspended", "room.resumed", "room.active", "room.ended",
    ]  # fmt: skip
    second = await game.room()
    await game.cloud.processes_v3.stop_process(second.process_id)
    await inn.settle()
    assert await kinds(inn, "room.", second.room_id) == ["room.opened", "room.active", "room.ended"]
    assert await kinds(inn, "server.", second.process_id) == [
        "server.wanted", "server.starting", "server.running", "server.stopping", "server.stopped",
    ]  # fmt: skip
    news = await inn.inn.db.read(told)
    active = next(data for kind, _, data in news if kind == "room.active")
    [address] = active["addresses"]
    assert (address["host"], address["transport"], address["name"]) == ("198.51.100.7", "udp", "default")
    assert active["server"] == room.process_id
    last = [data for kind, subject, data in news if (kind, subject) == ("room.ended", second.room_id)]
    assert last[0]["reason"].startswith("stopped by")


async def test_a_crash_ends_rooms_and_says_why(inn: TestInn) -> None:
    game = await inn.game()
    await inn.inn.db.write(listen, inn.inn.founded.org_id)
    room = await game.room()
    await inn.settle()
    inn.engine.end(room.process_id, EndedBy.EXIT, 3)
    await inn.settle()
    news = await inn.inn.db.read(told)
    assert [kind for kind, subject, _ in news if subject == room.process_id][-1] == "server.failed"
    (reason,) = [data["reason"] for kind, subject, data in news if kind == "room.ended"]
    assert "3" in reason


async def test_builds_and_apps_of_others_are_not_told(inn: TestInn) -> None:
    await inn.inn.db.write(listen, "org-somebody-else")
    await inn.game()
    assert await kinds(inn) == []
    await inn.inn.db.write(listen, inn.inn.founded.org_id)
    build = await inn.build()
    assert await kinds(inn, "build.", build) == ["build.created", "build.running", "build.succeeded"]
    await inn.client().builds_v3.delete_build(build)
    assert await kinds(inn, "build.", build) == [
        "build.created", "build.running", "build.succeeded", "build.deleted",
    ]  # fmt: skip


async def test_a_host_that_is_silent_lost_and_back(inn: TestInn) -> None:
    await inn.inn.db.write(listen, inn.inn.founded.org_id)
    await inn.settle()
    inn.engine.cut_off = True
    await inn.settle()
    await inn.advance(11)
    inn.engine.cut_off = False
    await inn.settle()
    assert await kinds(inn, "host.", "fake") == ["host.silent", "host.lost", "host.up"]
