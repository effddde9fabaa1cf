"""Webhooks over ``kill -9``: each event arrives at least once, each room's in their order, each with a right signature.

Rooms are opened and closed while Innkeeper is killed a seeded while later, again and again, and the receiver fails for
some of the rounds; in the midst of it the secret is rotated. At the end the list of events and what arrived are held
against each other.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams
from innkeeper.contract.hathora.words import Region
from innkeeper.contract.house.events_v1 import Event
from innkeeper.contract.house.webhooks_v1 import DeliveryState, NewWebhook
from innkeeper.sdk import NO_RETRY, AsyncHathoraCloud, CallError, verify_webhook
from inns import RunningInn, running_inn, until
from receivers import Receiver, receiver

from .games import deploy, tiny

#: Kills; in how many of the rounds the receiver fails, and how many rooms are asked for in each.
ROUNDS = 24
FAILING = range(8, 15)
ROOMS = 6


@pytest.fixture
def inn() -> Iterator[RunningInn]:
    with running_inn(grace_seconds=1, port_quarantine=0, log_level="warning", webhook_retry_seconds=0.001) as inn:
        yield inn


@pytest.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiver() as found:
        yield found


async def test_at_least_once_and_in_order_over_kills(
    inn: RunningInn, hook: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    app_id = await asyncio.to_thread(deploy, inn, "notices", tiny(), rooms_per_process=4)
    dice = random.Random(20261122)
    async with inn.async_client() as client:
        hooks = client.house.webhooks_v1
        made = await hooks.create_webhook(NewWebhook(url=hook.url))
    secrets, opened, failed = [made.secret], list[str](), 0
    rotated_at = 0.0
    for number in range(ROUNDS):
        if number == ROUNDS // 2:
            async with inn.async_client() as client:
                secrets.append((await client.house.webhooks_v1.rotate_secret(made.webhook_id)).secret)
            rotated_at = time.time()
        fails = number in FAILING
        hook.answer = (lambda got: dice.choice([500, 503, 200])) if fails else 200
        failed += fails
        await one_round(inn, app_id, dice, number, opened)
    hook.answer = 200
    async with inn.async_client(app_id) as client:
        await settle(client, made.webhook_id, inn)
        events = await all_events(client)
    arrived = [got.json for got in hook.got]
    with capsys.disabled():
        print(
            f"\n{ROUNDS} kills, {failed} rounds with a receiver that failed: {len(opened)} rooms, {len(events)} events,"
            f" {len(arrived)} requests; 0 lost, 0 out of order, 0 wrong signatures"
        )
    assert len(opened) > ROUNDS
    # All that was told, and nothing else, has arrived, each with what the list says of it.
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert {event.id: event.number for event in events} == {one["id"]: one["number"] for one in arrived}
    assert len(arrived) > len(events), "nothing was sent twice: the rounds prove nothing"
    # What was promised with 201 was told from its beginning to its end.
    by_room: dict[str, list[str]] = {}
    for event in events:
        if event.type.startswith("room."):
            by_room.setdefault(str(event.data["room"]), []).append(event.type)
    for room in opened:
        assert by_room[room][0] == "room.opened", room
        assert by_room[room][-1] == "room.ended", room
        assert "room.active" in by_room[room] or len(by_room[room]) == 2
    # Of one room, one server, one build: each for the first time only after all before it.
    firsts: dict[str, list[int]] = {}
    seen: set[str] = set()
    for one in arrived:
        if one["id"] not in seen:
            seen.add(one["id"])
            topic = one["type"].partition(".")[0]
            firsts.setdefault(f"{topic} {one['data'][topic]}", []).append(one["number"])
    assert firsts
    for subject, numbers in firsts.items():
        assert numbers == sorted(numbers), subject
    # Signatures: by a secret that was good then; what was begun after the rotation, by the new one too.
    for got in hook.got:
        stamp = float(got.headers["webhook-timestamp"])
        verify_webhook(secrets, got.headers, got.body, now=stamp)
        if stamp > rotated_at:
            verify_webhook(secrets[-1], got.headers, got.body, now=stamp)


async def one_round(inn: RunningInn, app_id: str, dice: random.Random, number: int, opened: list[str]) -> None:
    """Open rooms, close those of before, and kill it meanwhile; then start it again."""
    loop, program = asyncio.get_running_loop(), inn.program
    assert program is not None
    killing = loop.call_later(10 ** dice.uniform(-2.3, -0.3), program.kill)
    async with inn.async_client(app_id, retry=NO_RETRY, timeout=20) as client:
        wishes = [open_room(client, f"r{number}-{at}", opened) for at in range(ROOMS)]
        wishes += [close_room(client, room) for room in opened[-ROOMS:]]
        dice.shuffle(wishes)
        await asyncio.gather(*wishes)
        await asyncio.to_thread(until, lambda: program.poll() is not None, what="the kill")
    killing.cancel()
    inn.kill()
    await asyncio.to_thread(inn.start)


async def open_room(client: AsyncHathoraCloud, room_id: str, opened: list[str]) -> None:
    try:
        await client.rooms_v2.create_room(CreateRoomParams(region=Region.TOKYO), room_id=room_id)
    except CallError:
        return  # killed before it could answer
    opened.append(room_id)


async def close_room(client: AsyncHathoraCloud, room_id: str) -> None:
    try:
        await client.rooms_v2.destroy_room(room_id)
    except CallError:
        return


async def settle(client: AsyncHathoraCloud, webhook_id: str, inn: RunningInn) -> None:
    """End all rooms; return once all of it was told."""
    await client.apps_v2.delete_app()
    end = time.monotonic() + 60
    quiet, open_yet = 0, ["everything"]
    while quiet < 5:
        assert time.monotonic() < end, f"{open_yet}\n{inn.log}"
        events = await all_events(client)
        waiting = await client.house.webhooks_v1.get_deliveries(webhook_id, state=DeliveryState.PENDING, limit=1)
        states: dict[str, str] = {}
        for event in events:
            topic = event.type.partition(".")[0]
            states[f"{topic} {event.data.get(topic)}"] = event.type
        open_yet = [
            f"{subject}: {last}"
            for subject, last in states.items()
            if subject.startswith(("room", "server")) and last not in ("room.ended", "server.stopped", "server.failed")
        ]
        open_yet += [f"delivery of {one.number}: {one.last_error}" for one in waiting.deliveries]
        quiet = 0 if open_yet else quiet + 1
        await asyncio.sleep(0.2)


async def all_events(client: AsyncHathoraCloud) -> list[Event]:
    return [event async for page in client.house.events_v1.get_events.pages(after=0) for event in page.events]
