"""Webhooks on both stores: what happened reaches a real receiver, signed, in order, at least once, and no stranger."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from factories import TestInn
from innkeeper.contract.house.webhooks_v1 import (
    Delivery,
    DeliveryState,
    LineList,
    NewWebhook,
    Replay,
    WebhookChange,
    WebhooksV1,
    WebhookWithSecret,
)
from innkeeper.db.database import Statement, Steps
from innkeeper.db.outbox import News, tell
from innkeeper.kit.clock import SECOND
from innkeeper.sdk import Invalid, LimitReached, NotFound, Unauthorized, verify_webhook
from receivers import Got, Receiver, receiver


@pytest.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiver() as found:
        yield found


def hooks_of(inn: TestInn, token: str = "") -> WebhooksV1:  # type: ignore[type-arg]
    return inn.client(token or inn.token).house.webhooks_v1


async def added(inn: TestInn, hook: Receiver, *kinds: str, token: str = "", **more: Any) -> WebhookWithSecret:
    return await hooks_of(inn, token).create_webhook(NewWebhook(url=hook.url, kinds=list(kinds) or ["*"], **more))


async def happens(inn: TestInn, *news: str, org_id: str | None = None) -> None:
    """Each is ``KIND SUBJECT``. All in one transaction."""
    org_id = org_id or inn.inn.founded.org_id
    pairs = [one.split() for one in news]
    await inn.inn.db.write(
        tell, [News(kind, subject, inn.clock.now(), {"of": subject}, None, org_id) for kind, subject in pairs]
    )


async def passes(inn: TestInn, seconds: float = 0) -> None:
    """Passes of the keeper until nothing is due any more."""
    inn.clock.advance(seconds)
    keeper = inn.inn.notices.keeper
    keeper.bell.ring()
    while keeper.bell.rung:
        await keeper.bell.wait()
        await keeper.keep()
        await keeper.settled()


async def deliveries(inn: TestInn, webhook_id: str, **filters: Any) -> list[Delivery]:
    return (await hooks_of(inn).get_deliveries(webhook_id, **filters)).deliveries


def told(hook: Receiver, subject: str) -> list[str]:
    return [got.json["type"] for got in hook.got if got.json["data"]["of"] == subject]


async def test_what_happened_arrives_signed_and_in_order(inn: TestInn, hook: Receiver) -> None:
    made = await added(inn, hook, "room.*")
    assert (made.enabled, made.kinds, made.failures, made.secret[:6]) == (True, ["room.*"], 0, "whsec_")
    await happens(inn, "room.opened r1", "room.active r1", "server.running s1", "room.opened r2", "room.ended r1")
    await passes(inn)
    assert (told(hook, "r1"), told(hook, "r2"), told(hook, "s1")) == (
        ["room.opened", "room.active", "room.ended"], ["room.opened"], [],
    )  # fmt: skip
    now = inn.clock.now() / SECOND
    assert hook.wrong([made.secret], now) == []
    first = hook.got[0]
    event = verify_webhook(made.secret, first.headers, first.body, now=now)
    assert (event.type, event.number, event.data, event.id) == ("room.opened", 1, {"of": "r1"}, first.id)
    assert first.headers["content-type"] == "application/json"
    assert b" " not in first.body
    assert sorted(got.json["number"] for got in hook.got) == [1, 2, 4, 5]  # 3 is nobody's here
    assert {one.state for one in await deliveries(inn, made.webhook_id)} == {DeliveryState.DELIVERED}
    assert (await hooks_of(inn).get_webhook(made.webhook_id)).delivered_at is not None
    hook.got.clear()
    await passes(inn, 3600)
    assert hook.got == []  # once is enough


async def test_a_receiver_that_fails_for_a_minute_gets_all_and_each_room_in_order(inn: TestInn, hook: Receiver) -> None:
    made = await added(inn, hook)
    hook.answer, hook.text = 500, "no\x00 room\nfor more"
    await happens(inn, "room.opened r1", "room.active r1", "room.opened r2", "room.active r2")
    await passes(inn)
    assert [sorted(told(hook, room)) for room in ("r1", "r2")] == [["room.opened"], ["room.opened"]]
    [waiting, first, *_] = reversed(await deliveries(inn, made.webhook_id))
    assert (waiting.state, waiting.attempts, waiting.last_status) == (DeliveryState.PENDING, 1, 500)
    assert waiting.last_error == "no room for more"
    assert (first.state, first.attempts, first.next_at) == (DeliveryState.PENDING, 0, None)
    for _ in range(60):
        await passes(inn, 1)
    assert (await hooks_of(inn).get_webhook(made.webhook_id)).failures >= 5
    assert set(told(hook, "r1")) == {"room.opened"}, "a later one overtook it"
    hook.answer = 200
    await passes(inn, 600)
    for room in ("r1", "r2"):
        kinds = told(hook, room)
        assert kinds[-2:] == ["room.opened", "room.active"]
        assert set(kinds[:-2]) == {"room.opened"}
    assert len({got.id for got in hook.got}) == 4  # the same at every attempt
    for got in hook.got:
        verify_webhook(made.secret, got.headers, got.body, now=float(got.headers["webhook-timestamp"]))
    assert (await hooks_of(inn).get_webhook(made.webhook_id)).failures == 0


async def test_a_receiver_that_is_back_gets_all_that_waited_at_once(inn: TestInn, hook: Receiver) -> None:
    made = await added(inn, hook)
    hook.answer = 503
    await happens(inn, *(f"room.opened r{number}" for number in range(10)))
    for _ in range(8):
        await passes(inn, 7200)
    waits = [one.next_at for one in await deliveries(inn, made.webhook_id) if one.next_at]
    assert len(waits) == 10
    hook.answer = 200
    hook.got.clear()
    await happens(inn, "room.opened fresh")
    await passes(inn)
    assert len(hook.got) == 11


async def test_the_power_goes_out_anywhere_and_nothing_is_lost(inn: TestInn, hook: Receiver) -> None:
    made = await added(inn, hook)
    from troubled import Cut

    rooms = 0
    for after in (False, True):
        for deed in range(1, 6):
            await happens(inn, *(f"{kind} room{rooms}" for kind in ("room.opened", "room.active", "room.ended")))
            rooms += 1
            inn.trouble.arm(deed, after=after)
            with contextlib.suppress(Cut):
                await passes(inn)
            for task in (under_way := inn.inn.notices.keeper.busy):
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
            inn.trouble.arm(None)
            await inn.restart()
    await passes(inn, 5)
    for number in range(rooms):
        assert list(dict.fromkeys(told(hook, f"room{number}"))) == ["room.opened", "room.active", "room.ended"]
    numbers = sorted({got.json["number"] for got in hook.got})
    assert numbers == list(range(1, 3 * rooms + 1))
    assert {one.state for one in await deliveries(inn, made.webhook_id, limit=200)} == {DeliveryState.DELIVERED}


async def test_three_days_and_it_is_given_up_and_kept_a_week(inn: TestInn, hook: Receiver) -> None:
    made = await added(inn, hook)
    hook.answer = 500
    await happens(inn, "room.opened r1", "room.ended r1")
    for _ in range(90):
        await passes(inn, 3600)
    found = await deliveries(inn, made.webhook_id, state=DeliveryState.GIVEN_UP)
    # The second had what time was left when the first was given up: an attempt at least.
    assert [(one.type, one.attempts > 5 * first) for first, one in enumerate(found)] == [
        ("room.ended", True), ("room.opened", True),
    ]  # fmt: skip
    hook.got.clear()
    await passes(inn, 24 * 3600)
    assert hook.got == []
    hook.answer = 200
    again = await hooks_of(inn).redeliver(made.webhook_id, found[1].delivery_id)
    assert (again.state, again.replay_of, again.event_id) == (
        DeliveryState.PENDING, found[1].delivery_id, found[1].event_id,
    )  # fmt: skip
    await passes(inn)
    assert told(hook, "r1") == ["room.opened"]
    await passes(inn, 8 * 24 * 3600)
    assert await deliveries(inn, made.webhook_id) == []
    with pytest.raises(NotFound, match="not kept any more"):
        await hooks_of(inn).redeliver(made.webhook_id, found[1].delivery_id)
    await happens(inn, "room.opened r2")  # numbers go on though nearly all before it is forgotten
    await passes(inn)
    assert hook.got[-1].json["number"] == 3


async def test_a_receiver_that_is_gone_is_not_asked_again(inn: TestInn, hook: Receiver) -> None:
    made = await added(inn, hook)
    hook.answer = 410
    await happens(inn, "room.opened r1", "room.opened r2", "room.ended r1")
    await passes(inn)
    found = await hooks_of(inn).get_webhook(made.webhook_id)
    assert (found.enabled, found.disabled_why) == (False, "the receiver answered 410 Gone")
    asked = len(hook.got)
    await happens(inn, "room.opened r3")
    await passes(inn, 3600)
    assert len(hook.got) == asked
    with pytest.raises(Invalid, match="is disabled"):
        await hooks_of(inn).replay_events(made.webhook_id, Replay(after=0))
    hook.answer = 200
    hook.got.clear()
    found = await hooks_of(inn).change_webhook(made.webhook_id, WebhookChange(enabled=True))
    assert (found.enabled, found.disabled_why, found.failures) == (True, None, 0)
    await passes(inn)
    assert told(hook, "r1") == ["room.ended"]  # what waited went on waiting


async def test_retry_after_is_heeded_up_to_an_hour(inn: TestInn, hook: Receiver) -> None:
    made = await added(inn, hook)
    hook.answer, hook.headers = 429, {"Retry-After": "1800"}
    await happens(inn, "room.opened r1")
    await passes(inn)
    [one] = await deliveries(inn, made.webhook_id)
    assert one.next_at is not None
    assert one.last_at is not None
    assert (one.next_at - one.last_at).total_seconds() == 1800
    assert (one.last_error, one.last_status) == ("the receiver answered 429, and nothing else", 429)
    hook.answer = 302
    hook.headers = {"Location": hook.url, "Retry-After": "9999999"}
    await passes(inn, 1800)
    assert len(hook.got) == 2  # no redirect was followed
    [one] = await deliveries(inn, made.webhook_id)
    assert one.next_at is not None
    assert one.last_at is not None
    assert (one.next_at - one.last_at).total_seconds() == 3600


async def test_a_secret_is_rotated_without_a_wrong_signature(inn: TestInn, hook: Receiver) -> None:
    made = await added(inn, hook)
    await happens(inn, "room.opened r1")
    await passes(inn)
    rotated = await hooks_of(inn).rotate_secret(made.webhook_id)
    assert rotated.secret != made.secret
    await happens(inn, "room.active r1")
    await passes(inn, 23 * 3600)
    now = inn.clock.now() / SECOND
    for secret in (made.secret, rotated.secret):
        assert verify_webhook(secret, hook.got[-1].headers, hook.got[-1].body, now=now).type == "room.active"
    await happens(inn, "room.ended r1")
    await passes(inn, 2 * 3600)
    now = inn.clock.now() / SECOND
    assert hook.wrong([rotated.secret], now)[-1:] != [hook.got[-1]]
    assert hook.wrong([made.secret], now)[-1:] == [hook.got[-1]]
    kept = await inn.inn.db.read(_everything_kept)
    assert made.secret not in kept
    assert rotated.secret not in kept


async def test_what_waits_is_signed_by_the_new_secret_too_once_it_is_rotated(inn: TestInn, hook: Receiver) -> None:
    """Though it was read ahead: only what was under way already has the old signature alone."""
    made = await added(inn, hook)
    under_way: list[int] = []

    async def rotate(got: Got) -> None:
        if not under_way:
            under_way.append(0)
            await hooks_of(inn).rotate_secret(made.webhook_id)
            under_way[0] = len(hook.got)

    hook.hold = rotate
    await happens(inn, *[f"server.running s{number}" for number in range(40)])
    await passes(inn)
    signatures = [len(got.headers["webhook-signature"].split()) for got in hook.got]
    assert len(signatures) == 40
    assert 1 <= under_way[0] < 40
    assert set(signatures[under_way[0] :]) == {2}


async def test_a_test_is_signed_as_what_really_happens_is(inn: TestInn, hook: Receiver) -> None:
    """Also between a rotation and the hour in which the receiver is given the new secret."""
    made = await added(inn, hook)
    rotated = await hooks_of(inn).rotate_secret(made.webhook_id)
    for hours, good in ((0, [made.secret, rotated.secret]), (25, [rotated.secret])):
        inn.clock.advance(hours * 3600)
        assert (await hooks_of(inn).test_webhook(made.webhook_id)).delivered
        await happens(inn, "room.opened r1")
        await passes(inn)
        for got in hook.got[-2:]:
            signatures = got.headers["webhook-signature"].split()
            assert len(signatures) == len(good)
            for secret in good:
                verify_webhook(secret, got.headers, got.body, now=inn.clock.now() / SECOND)


async def test_one_that_is_always_refused_is_seen_and_skipped(inn: TestInn, hook: Receiver) -> None:
    made = await added(inn, hook)
    hook.answer = lambda got: 422 if got.json["type"] == "room.opened" else 204
    await happens(inn, "room.opened r1", "room.active r1", "room.ended r1", "server.running s1")
    await passes(inn)
    held = await hooks_of(inn).get_lines(made.webhook_id)
    [line] = held.lines
    assert (line.first.type, line.first.attempts, line.first.last_status, line.behind) == ("room.opened", 1, 422, 2)
    assert held.waiting == 3
    [_, ended, active, opened] = await deliveries(inn, made.webhook_id)
    assert (ended.waits_for, active.waits_for, opened.waits_for) == (opened.delivery_id, opened.delivery_id, None)
    skipped = await hooks_of(inn).skip_delivery(made.webhook_id, opened.delivery_id)
    assert (skipped.state, skipped.next_at, skipped.ended_at is not None) == (DeliveryState.GIVEN_UP, None, True)
    assert str(skipped.last_error).startswith("skipped by ")
    assert str(skipped.last_error).endswith("; before: the receiver answered 422, and nothing else")
    await passes(inn)
    assert told(hook, "r1") == ["room.opened", "room.active", "room.ended"]
    assert await hooks_of(inn).get_lines(made.webhook_id) == LineList(lines=[], waiting=0)
    for ended_id, says in ((opened.delivery_id, "given up already"), (active.delivery_id, "was delivered already")):
        with pytest.raises(Invalid, match=says):
            await hooks_of(inn).skip_delivery(made.webhook_id, ended_id)
    with pytest.raises(NotFound, match="there is no delivery dlv-none"):
        await hooks_of(inn).skip_delivery(made.webhook_id, "dlv-none")
    hook.answer = 204
    await hooks_of(inn).redeliver(made.webhook_id, opened.delivery_id)
    await passes(inn)
    assert told(hook, "r1")[-1] == "room.opened"


async def test_one_in_the_middle_is_skipped_and_one_under_way(inn: TestInn, hook: Receiver) -> None:
    made = await added(inn, hook)
    gate, asked = asyncio.Event(), asyncio.Event()

    async def hold(got: Got) -> None:
        asked.set()
        await gate.wait()

    hook.hold = hold
    await happens(inn, "room.opened r1", "room.active r1", "room.ended r1")
    keeper = inn.inn.notices.keeper
    await keeper.keep()
    await asyncio.wait_for(asked.wait(), 5)
    [_, active, opened] = await deliveries(inn, made.webhook_id)
    for one in (active, opened):
        await hooks_of(inn).skip_delivery(made.webhook_id, one.delivery_id)
    await keeper.keep()
    assert told(hook, "r1") == ["room.opened"]  # one after the other, though it was skipped
    gate.set()
    await passes(inn)
    assert told(hook, "r1") == ["room.opened", "room.ended"]
    states = [one.state for one in await deliveries(inn, made.webhook_id)]
    assert states == [DeliveryState.DELIVERED, DeliveryState.GIVEN_UP, DeliveryState.GIVEN_UP]


def _everything_kept() -> Steps[str]:
    rows = yield Statement("select secret_sealed, old_secret_sealed, url, note, kinds from webhooks")
    return repr([tuple(row) for row in rows])


async def test_filters_by_app_and_kind(inn: TestInn, hook: Receiver) -> None:
    game, other = await inn.game(), await inn.game()
    made = await added(inn, hook, "room.opened", "server.*", app_id=game.app_id, note="mine")
    with pytest.raises(NotFound, match="there is no app app-none"):
        await added(inn, hook, app_id="app-none")
    news = [
        News(kind, app_id, inn.clock.now(), {"of": app_id}, app_id)
        for kind in ("room.opened", "room.ended", "server.running")
        for app_id in (game.app_id, other.app_id)
    ]
    await inn.inn.db.write(tell, news)
    await passes(inn)
    assert told(hook, game.app_id) == ["room.opened", "server.running"]
    assert told(hook, other.app_id) == []
    assert all(got.json["app"] == game.app_id for got in hook.got)
    changed = await hooks_of(inn).change_webhook(made.webhook_id, WebhookChange(app_id=None, kinds=["room.ended"]))
    assert (changed.app_id, changed.kinds, changed.note) == (None, ["room.ended"], "mine")
    await inn.inn.db.write(tell, news)
    await passes(inn)
    assert told(hook, other.app_id) == ["room.ended"]


async def test_replays_from_a_number_or_a_time(inn: TestInn, hook: Receiver) -> None:
    made = await added(inn, hook, "room.*")
    await happens(inn, "room.opened r1", "build.failed b1", "room.ended r1")
    await passes(inn)
    inn.clock.advance(60)
    late = inn.clock.now()
    await happens(inn, "room.opened r2")
    await passes(inn)
    hook.got.clear()
    replay = hooks_of(inn).replay_events
    done = await replay(made.webhook_id, Replay(after=1))
    assert (done.deliveries, done.after) == (2, None)
    await passes(inn)
    assert [got.json["number"] for got in hook.got if got.json["data"]["of"] == "r1"] == [3]
    from innkeeper.kit.stamps import moment

    hook.got.clear()
    assert (await replay(made.webhook_id, Replay(since=moment(late)))).deliveries == 1
    assert (await replay(made.webhook_id, Replay(since=moment(late)))).deliveries == 0  # it is on its way
    await passes(inn)
    assert [got.json["number"] for got in hook.got] == [4]
    for wrong in (Replay(), Replay(after=1, since=moment(late))):
        with pytest.raises(Invalid, match="say from where"):
            await replay(made.webhook_id, wrong)
    with pytest.raises(Invalid, match="one of the two alone"):
        await replay(made.webhook_id, Replay(after=1, since=moment(late)))
    with pytest.raises(Invalid, match="there is no event 5 on this Innkeeper, the last one is 4"):
        await replay(made.webhook_id, Replay(after=5))


async def test_a_long_replay_goes_on_where_it_came_to(small_inn: TestInn, hook: Receiver) -> None:
    made = await added(small_inn, hook)
    for start in range(0, 1100, 100):
        await happens(small_inn, *(f"room.opened r{number}" for number in range(start, start + 100)))
    await passes(small_inn)
    assert len(hook.got) == 1100
    replay = hooks_of(small_inn).replay_events
    done = await replay(made.webhook_id, Replay(after=0))
    assert (done.deliveries, done.after) == (1000, 1000)
    done = await replay(made.webhook_id, Replay(after=done.after or 0))
    assert (done.deliveries, done.after) == (100, None)
    pages = [page async for page in hooks_of(small_inn).get_deliveries.pages(made.webhook_id, limit=200)]
    assert [len(page.deliveries) for page in pages] == [200] * 11
    ids = [one.delivery_id for page in pages for one in page.deliveries]
    assert len(set(ids)) == 2200


async def test_a_slow_webhook_holds_up_nobody_and_one_line_is_never_doubled(inn: TestInn, hook: Receiver) -> None:
    gate, under_way, most = asyncio.Event(), list[str](), 0

    async def hold(got: Got) -> None:
        nonlocal most
        subject = got.json["data"]["of"]
        assert subject not in under_way
        under_way.append(subject)
        most = max(most, len(under_way))
        await gate.wait()
        under_way.remove(subject)

    async with receiver() as slow:
        slow.hold = hold
        await added(inn, slow, "room.*")
        await added(inn, hook, "room.*")
        await happens(inn, *(f"{kind} r{room}" for kind in ("room.opened", "room.ended") for room in range(20)))
        keeper = inn.inn.notices.keeper
        async with asyncio.timeout(20):
            while len(hook.got) < 40:
                await keeper.bell.wait()
                await keeper.keep()
        assert (most, len(slow.got)) == (8, 8)
        gate.set()
        await passes(inn)
        assert len(slow.got) == 40
        for room in range(20):
            assert told(slow, f"r{room}") == ["room.opened", "room.ended"]


async def test_changes_while_it_is_on_its_way(inn: TestInn, hook: Receiver) -> None:
    made = await added(inn, hook)
    hook.answer = 500
    await happens(inn, "room.opened r1")
    await passes(inn)
    async with receiver() as other:
        await hooks_of(inn).change_webhook(made.webhook_id, WebhookChange(url=other.url))
        [one] = await deliveries(inn, made.webhook_id)
        hurried = await hooks_of(inn).redeliver(made.webhook_id, one.delivery_id)
        assert hurried.delivery_id == one.delivery_id
        await passes(inn)
        assert told(other, "r1") == ["room.opened"]
        hook.answer = 200
        await hooks_of(inn).change_webhook(made.webhook_id, WebhookChange(enabled=False))
        await happens(inn, "room.active r1")
        await passes(inn)
        assert len(other.got) == 1
        await hooks_of(inn).delete_webhook(made.webhook_id)
        await passes(inn, 60)
    with pytest.raises(NotFound, match="there is no webhook"):
        await hooks_of(inn).get_webhook(made.webhook_id)
    assert await inn.inn.db.read(_rows) == (0, 0)


def _rows() -> Steps[tuple[int, int]]:
    hooks = yield Statement("select count(*) from webhooks")
    owed = yield Statement("select count(*) from deliveries")
    return hooks[0][0], owed[0][0]


async def test_nothing_is_written_for_those_that_nobody_listens_for(inn: TestInn, hook: Receiver) -> None:
    await happens(inn, "room.opened r1")
    await passes(inn)
    made = await added(inn, hook)
    await happens(inn, "room.ended r1")
    await passes(inn)
    assert [got.json["number"] for got in hook.got] == [1]
    await hooks_of(inn).delete_webhook(made.webhook_id)
    await passes(inn, 11 * 60)
    await happens(inn, "room.opened r2")
    page = await inn.client().house.events_v1.get_events(after=0)
    assert [event.number for event in page.events] == [1]


async def test_a_test_tells_what_came_back(inn: TestInn, hook: Receiver) -> None:
    made = await added(inn, hook, "host.lost")
    hook.text, hook.answer = "thank you", 200
    test = hooks_of(inn).test_webhook
    done = await test(made.webhook_id)
    assert (done.delivered, done.status, done.told) == (True, 200, "thank you")
    event = verify_webhook(made.secret, hook.got[0].headers, hook.got[0].body, now=inn.clock.now() / SECOND)
    assert (event.type, event.number, event.id) == ("webhook.test", 0, done.event_id)
    hook.answer = 404
    assert (await test(made.webhook_id)).delivered is False
    await hooks_of(inn).change_webhook(made.webhook_id, WebhookChange(url="http://127.0.0.1:9/"))
    done = await test(made.webhook_id)
    assert (done.status, done.told) == (None, "the connection failed: Connection refused")
    assert await deliveries(inn, made.webhook_id) == []


@pytest.mark.parametrize(
    ("new", "says"),
    [
        (NewWebhook(url="ftp://example.org/"), "write the whole one"),
        (NewWebhook(url="https://me:secret@example.org/"), "may hold no user or password"),
        (NewWebhook(url="https://example.org/", kinds=["room.close"]), "did you mean room.closed|did you mean room"),
        (NewWebhook(url="https://example.org/", note="x" * 201), "at most 200 characters"),
        (NewWebhook(url="http://127.1/"), "127.1 is no address"),
        (NewWebhook(url="https://example.org/", kinds=[]), "kinds: the list is empty"),
    ],
    ids=["scheme", "user", "kind", "note", "short", "none"],
)
async def test_what_is_refused(small_inn: TestInn, new: NewWebhook, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        await hooks_of(small_inn).create_webhook(new)


async def test_twenty_are_enough(small_inn: TestInn, hook: Receiver) -> None:
    for _ in range(20):
        await added(small_inn, hook)
    with pytest.raises(LimitReached, match="20 webhooks"):
        await added(small_inn, hook)


# Strangers


async def test_organisations_know_nothing_of_each_other(inn: TestInn, hook: Receiver) -> None:
    token = await inn.another_org()
    made = await added(inn, hook)
    await happens(inn, "room.opened r1")
    await passes(inn)
    [one] = await deliveries(inn, made.webhook_id)
    theirs = hooks_of(inn, token)
    assert (await theirs.get_webhooks()).webhooks == []
    page = await inn.client(token).house.events_v1.get_events(after=0)
    assert (page.events, page.upto) == ([], 0)
    for call in (
        theirs.get_webhook(made.webhook_id),
        theirs.change_webhook(made.webhook_id, WebhookChange(enabled=False)),
        theirs.rotate_secret(made.webhook_id),
        theirs.delete_webhook(made.webhook_id),
        theirs.test_webhook(made.webhook_id),
        theirs.get_deliveries(made.webhook_id),
        theirs.get_lines(made.webhook_id),
        theirs.skip_delivery(made.webhook_id, one.delivery_id),
        theirs.redeliver(made.webhook_id, one.delivery_id),
        theirs.replay_events(made.webhook_id, Replay(after=0)),
    ):
        with pytest.raises(NotFound, match=f"there is no webhook {made.webhook_id}"):
            await call
    game = await inn.game()
    with pytest.raises(NotFound, match=f"there is no app {game.app_id}"):
        await theirs.create_webhook(NewWebhook(url="https://example.org/", app_id=game.app_id))
    assert len(hook.got) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "10.0.0.8", "169.254.169.254", "[::ffff:127.0.0.1]", "0.0.0.0"])
async def test_strangers_may_not_name_private_addresses(small_inn: TestInn, host: str) -> None:
    theirs = hooks_of(small_inn, await small_inn.another_org())
    with pytest.raises(Invalid, match="is not a public address"):
        await theirs.create_webhook(NewWebhook(url=f"http://{host}/"))
    made = await theirs.create_webhook(NewWebhook(url="https://example.org/"))
    with pytest.raises(Invalid, match="is not a public address"):
        await theirs.change_webhook(made.webhook_id, WebhookChange(url=f"http://{host}/"))


async def test_nor_names_that_stand_for_them(small_inn: TestInn, hook: Receiver) -> None:
    token = await small_inn.another_org()
    theirs = hooks_of(small_inn, token)
    port = hook.url.split(":")[2]
    made = await theirs.create_webhook(NewWebhook(url=f"http://localhost:{port}"))
    done = await theirs.test_webhook(made.webhook_id)
    assert (done.status, "is not a public address" in done.told) == (None, True)
    [org_id] = [org.org_id for org in (await small_inn.client(token).organizations_v1.get_orgs()).orgs]
    await happens(small_inn, "room.opened r1", org_id=org_id)
    await passes(small_inn)
    [one] = (await theirs.get_deliveries(made.webhook_id)).deliveries
    assert one.last_error is not None
    assert "is not a public address" in one.last_error
    # The operator's connections to the same name are no way around it.
    own = await hooks_of(small_inn).create_webhook(NewWebhook(url=f"http://localhost:{port}"))
    assert (await hooks_of(small_inn).test_webhook(own.webhook_id)).delivered
    assert not (await theirs.test_webhook(made.webhook_id)).delivered
    assert len(hook.got) == 1


async def test_who_may(inn: TestInn, hook: Receiver) -> None:
    from innkeeper.accounts.scopes import Grant

    made = await added(inn, hook)
    wings = inn.inn.wings
    admin = await wings.callers.recognise(inn.token)
    reader = (await wings.tokens.create(admin, "reader", Grant.of(["orgs:read"]))).plain
    nobody = (await wings.tokens.create(admin, "nobody", Grant.of(["processes:read"]))).plain
    assert len((await hooks_of(inn, reader).get_webhooks()).webhooks) == 1
    await hooks_of(inn, reader).get_deliveries(made.webhook_id)
    for token, call in (
        (reader, "delete_webhook"), (reader, "rotate_secret"), (reader, "test_webhook"), (nobody, "get_webhook"),
        (nobody, "get_deliveries"), ("nonsense", "get_webhook"),
    ):  # fmt: skip
        with pytest.raises(Unauthorized):
            await getattr(hooks_of(inn, token), call)(made.webhook_id)
    with pytest.raises(Unauthorized, match=r"an admin of the organisation that runs the house.*no scope opens it"):
        await inn.client(reader).house.orgs_v1.get_orgs()
    with pytest.raises(Unauthorized, match="processes:read"):
        await inn.client(reader).house.events_v1.get_events()
    assert (await inn.client(nobody).house.events_v1.get_events()).events == []


async def test_figures(small_inn: TestInn, hook: Receiver) -> None:
    await added(small_inn, hook)
    hook.answer = lambda got: 500 if got.json["data"]["of"] == "bad" else 200
    await happens(small_inn, "room.opened good", "room.opened bad")
    await passes(small_inn)
    await small_inn.client().house.orgs_v1.get_orgs()
    await small_inn.client().organizations_v1.get_orgs()
    text = await _metrics(small_inn)
    for api in ("hathora", "house"):  # each has its own of this name
        assert f'innkeeper_requests_total{{api="{api}",operation="GetOrgs",status="200"}} 1.0' in text
    assert "innkeeper_deliveries_pending 1.0" in text
    assert 'innkeeper_delivery_attempts_total{outcome="delivered"} 1.0' in text
    assert 'innkeeper_delivery_attempts_total{outcome="failed"} 1.0' in text


async def _metrics(inn: TestInn) -> str:
    from api.wire import ask

    return (await ask(inn, "GET", "/metrics")).body.decode()
