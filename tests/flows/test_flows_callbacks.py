"""Callbacks on both stores: what a request asked to be told of reaches a real receiver once, signed, byte for byte the
same at every attempt, and no stranger.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from factories import TestInn
from innkeeper.accounts.scopes import Grant
from innkeeper.contract.house.callbacks_v1 import Callback, CallbackState, CallbacksV1
from innkeeper.db.database import Statement, Steps
from innkeeper.db.outbox import Owed, owe
from innkeeper.kit.clock import SECOND
from innkeeper.kit.errors import Invalid as HouseInvalid
from innkeeper.notices.queries.callbacks import keep_body
from innkeeper.sdk import Invalid, NotFound, Unauthorized, WebhookRejected, verify_callback
from receivers import Got, Receiver, receiver

KIND = "edgegap.deployment"
DAY = 24 * 3600


@pytest.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiver() as found:
        yield found


def of(inn: TestInn, token: str = "") -> CallbacksV1:  # type: ignore[type-arg]
    return inn.client(token or inn.token).house.callbacks_v1


def _owe_with_bodies(owed: list[Owed]) -> Steps[None]:
    yield from owe(owed)
    for one in owed:
        yield from keep_body(one.id, json.dumps({"of": one.subject, "is": one.occasion}))


async def owes(inn: TestInn, url: str, *words: str, org_id: str | None = None) -> None:
    """Each is ``OCCASION SUBJECT``, with a body of its own. All in one transaction."""
    org_id = org_id or inn.inn.founded.org_id
    pairs = [one.split() for one in words]
    await inn.inn.db.write(
        _owe_with_bodies, [Owed(org_id, KIND, subject, word, url, inn.clock.now()) for word, subject in pairs]
    )


async def passes(inn: TestInn, seconds: float = 0) -> None:
    """Passes of the keeper until nothing is due any more."""
    inn.clock.advance(seconds)
    keeper = inn.inn.notices.calling
    keeper.bell.ring()
    while keeper.bell.rung:
        await keeper.bell.wait()
        await keeper.keep()
        await keeper.settled()


async def all_of(inn: TestInn, **filters: Any) -> list[Callback]:
    """The oldest first."""
    return (await of(inn).get_callbacks(**filters)).callbacks[::-1]


def told(hook: Receiver) -> list[str]:
    return [f"{got.json['is']} {got.json['of']}" for got in hook.got]


async def test_it_arrives_once_and_signed(inn: TestInn, hook: Receiver) -> None:
    secret = (await of(inn).get_callback_secret()).secret
    await owes(inn, hook.url, "ready s1", "ready s2")
    assert inn.inn.notices.calling.bell.rung  # by the commit
    await passes(inn)
    await owes(inn, "http://127.0.0.1:9/elsewhere", "ready s1")  # once is enough
    await passes(inn, 3600)
    assert sorted(told(hook)) == ["ready s1", "ready s2"]
    found = {one.callback_id: one for one in await all_of(inn)}
    for got in hook.got:
        assert got.headers["content-type"] == "application/json"
        assert verify_callback(secret, got.headers, got.body, now=float(got.headers["webhook-timestamp"])) == got.body
        one = found[got.id]
        assert (one.kind, one.subject, one.occasion, one.url) == (KIND, got.json["of"], "ready", hook.url)
        assert (one.state, one.attempts, one.last_status, one.next_at) == (CallbackState.DELIVERED, 1, 204, None)


async def test_a_receiver_that_fails_and_is_back(inn: TestInn, hook: Receiver) -> None:
    hook.answer, hook.text = 500, "no\x00 room\nfor more"
    await owes(inn, hook.url, "ready s1", "ready s2")
    await passes(inn)
    await owes(inn, hook.url, "ended s1")
    await passes(inn)
    [first, _, ended] = await all_of(inn)
    assert (first.state, first.attempts, first.last_status) == (CallbackState.PENDING, 1, 500)
    assert first.last_error == "no room for more"
    assert (ended.state, ended.attempts, ended.next_at) == (CallbackState.PENDING, 0, None)  # behind the first
    async with receiver() as other:
        await owes(inn, other.url, "failed s1")
        await passes(inn)
        assert told(other) == ["failed s1"]  # another receiver is not held up
    for _ in range(30):
        await passes(inn, 2)
    assert "ended s1" not in told(hook)
    hook.answer = 200
    await passes(inn, 600)
    assert [one for one in told(hook) if one.endswith("s1")][-2:] == ["ready s1", "ended s1"]
    bodies: dict[str, set[bytes]] = {}
    for got in hook.got:
        bodies.setdefault(got.id, set()).add(got.body)
    assert [len(one) for one in bodies.values()] == [1, 1, 1]
    assert len(hook.got) > 6
    assert {one.state for one in await all_of(inn)} == {CallbackState.DELIVERED}


async def test_the_power_goes_out_anywhere_and_nothing_is_lost(inn: TestInn, hook: Receiver) -> None:
    from troubled import Cut

    rounds = 0
    for after in (False, True):
        for deed in range(1, 5):
            await owes(inn, hook.url, f"ready s{rounds}")
            await owes(inn, hook.url, f"ended s{rounds}")
            rounds += 1
            inn.trouble.arm(deed, after=after)
            with contextlib.suppress(Cut):
                await passes(inn)
            for task in (under_way := inn.inn.notices.calling.busy):
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
            inn.trouble.arm(None)
            await inn.restart()
    await passes(inn, 5)
    for number in range(rounds):
        firsts = list(dict.fromkeys(one for one in told(hook) if one.endswith(f" s{number}")))
        assert firsts == [f"ready s{number}", f"ended s{number}"]
    assert {one.state for one in await all_of(inn, limit=200)} == {CallbackState.DELIVERED}


async def test_a_day_and_it_is_given_up_and_told_once_more_where_asked(inn: TestInn, hook: Receiver) -> None:
    hook.answer = 503
    await owes(inn, hook.url, "ready s1")
    await owes(inn, hook.url, "ended s1")
    for _ in range(25):
        await passes(inn, 3600)
    [ready, ended] = await all_of(inn)
    assert (ready.state, ready.attempts > 5, ended.state) == (CallbackState.GIVEN_UP, True, CallbackState.PENDING)
    for _ in range(30):
        await passes(inn, 3600)
    [ready, ended] = await all_of(inn)
    assert (ended.state, ended.attempts > 5) == (CallbackState.GIVEN_UP, True)  # it had a day of its own
    hook.got.clear()
    await passes(inn, DAY)
    assert hook.got == []
    hook.answer = 200
    again = await of(inn).retry_callback(ready.callback_id)
    assert (again.state, again.ended_at, again.callback_id) == (CallbackState.PENDING, None, ready.callback_id)
    await passes(inn)
    assert told(hook) == ["ready s1"]
    assert hook.got[0].id == ready.callback_id
    await of(inn).retry_callback(ready.callback_id)  # one that was delivered, too
    hook.answer = 500
    await passes(inn)
    [ready, _] = await all_of(inn)
    assert ready.state is CallbackState.PENDING  # it has another day
    hook.answer = 200
    await of(inn).retry_callback(ready.callback_id)  # and one on its way is tried now
    await passes(inn)
    assert told(hook) == ["ready s1"] * 3
    await passes(inn, 8 * DAY)
    assert await all_of(inn) == []
    with pytest.raises(NotFound, match="not kept any more"):
        await of(inn).retry_callback(ready.callback_id)


async def test_a_receiver_that_is_gone_is_not_asked_again(inn: TestInn, hook: Receiver) -> None:
    hook.answer = 410
    await owes(inn, hook.url, "ready s1", "ended s1")
    await passes(inn)
    hook.answer = 204
    await passes(inn, 3600)
    assert told(hook) == ["ready s1", "ended s1"]  # each is ended by itself
    assert [one.state for one in await all_of(inn)] == [CallbackState.GIVEN_UP] * 2


async def test_what_cannot_be_told_is_said(inn: TestInn) -> None:
    """Of a server that is forgotten, nothing is left to tell; a fault of ours is tried again."""
    org_id = inn.inn.founded.org_id
    server_id = "0a8b6c1e-0000-4000-8000-000000000000"
    for kind in (KIND, "nobody.knows"):
        await inn.inn.db.write(owe, [Owed(org_id, kind, server_id, "ready", "http://127.0.0.1:9/", inn.clock.now())])
    await passes(inn)
    [gone, fault] = await all_of(inn)
    assert (gone.state, gone.next_at) == (CallbackState.GIVEN_UP, None)
    assert str(gone.last_error).startswith("there is nothing left to tell of")
    assert (fault.state, fault.attempts) == (CallbackState.PENDING, 1)
    assert str(fault.last_error).startswith("what is to be told could not be put together")


async def test_the_secret_is_made_once_and_rotated_without_a_wrong_signature(inn: TestInn, hook: Receiver) -> None:
    await owes(inn, hook.url, "ready s1")
    await passes(inn)  # made here
    first = await of(inn).get_callback_secret()
    assert first == await of(inn).get_callback_secret()
    assert first.old_until is None
    assert _believed(first.secret, hook.got[-1], inn)
    rotated = await of(inn).rotate_callback_secret()
    assert rotated.secret != first.secret
    assert rotated.old_until is not None
    await owes(inn, hook.url, "ready s2")
    await passes(inn, 23 * 3600)
    assert all(_believed(secret, hook.got[-1], inn) for secret in (first.secret, rotated.secret))
    await owes(inn, hook.url, "ready s3")
    await passes(inn, 2 * 3600)
    assert [_believed(secret, hook.got[-1], inn) for secret in (first.secret, rotated.secret)] == [False, True]
    assert (await of(inn).get_callback_secret()).old_until is None
    await inn.restart()
    assert (await of(inn).get_callback_secret()).secret == rotated.secret
    kept = str(await inn.inn.db.read(_everything_kept))
    assert first.secret not in kept
    assert rotated.secret not in kept


def _believed(secret: str, got: Got, inn: TestInn) -> bool:
    try:
        verify_callback(secret, got.headers, got.body, now=inn.clock.now() / SECOND)
    except WebhookRejected:
        return False
    return True


def _everything_kept() -> Steps[Any]:
    secrets = yield Statement("select * from callback_secrets")
    callbacks = yield Statement("select * from callbacks")
    return [tuple(row) for row in (*secrets, *callbacks)]


async def test_strangers_know_nothing_of_it_and_have_a_secret_of_their_own(inn: TestInn, hook: Receiver) -> None:
    token = await inn.another_org()
    await owes(inn, hook.url, "ready s1")
    await passes(inn)
    [one] = await all_of(inn)
    theirs = of(inn, token)
    assert (await theirs.get_callbacks()).callbacks == []
    assert (await theirs.get_callbacks(subject="s1")).callbacks == []
    with pytest.raises(NotFound, match=f"there is no callback {one.callback_id}"):
        await theirs.retry_callback(one.callback_id)
    with pytest.raises(NotFound, match=f"there is no callback {one.callback_id}"):
        await theirs.get_callbacks(before=one.callback_id)
    assert (await theirs.get_callback_secret()).secret != (await of(inn).get_callback_secret()).secret
    assert len(hook.got) == 1


async def test_private_addresses_are_for_the_operator_alone(inn: TestInn, hook: Receiver) -> None:
    token = await inn.another_org()
    [org] = (await inn.client(token).organizations_v1.get_orgs()).orgs
    port = hook.url.split(":")[2]
    callbacks = inn.inn.wings.callbacks
    assert callbacks.check(inn.inn.founded.org_id, hook.url) == hook.url
    assert callbacks.check(org.org_id, "https://example.org/hook")
    for url in (hook.url, "http://10.0.0.8/", "ftp://example.org/", "https://me:secret@example.org/"):
        with pytest.raises(HouseInvalid):
            callbacks.check(org.org_id, url)
    # And where a name stands for one, which is seen when it is sent.
    for url in (hook.url, f"http://localhost:{port}"):
        await owes(inn, url, f"ready {url}", org_id=org.org_id)
    await passes(inn)
    assert hook.got == []
    for one in (await of(inn, token).get_callbacks()).callbacks:
        assert (one.state, one.last_status) == (CallbackState.PENDING, None)
        assert "is not a public address" in str(one.last_error)


async def test_who_may(small_inn: TestInn) -> None:
    inn = small_inn
    wings = inn.inn.wings
    admin = await wings.callers.recognise(inn.token)
    reader = (await wings.tokens.create(admin, "reader", Grant.of(["orgs:read"]))).plain
    nobody = (await wings.tokens.create(admin, "nobody", Grant.of(["processes:read"]))).plain
    assert (await of(inn, reader).get_callbacks()).callbacks == []
    for token, call, args in (
        (reader, "get_callback_secret", ()), (reader, "rotate_callback_secret", ()), (reader, "retry_callback", ("c",)),
        (nobody, "get_callbacks", ()), ("nonsense", "get_callbacks", ()),
    ):  # fmt: skip
        with pytest.raises(Unauthorized):
            await getattr(of(inn, token), call)(*args)


async def test_pages_and_filters(inn: TestInn, hook: Receiver) -> None:
    hook.answer = lambda got: 500 if got.json["of"] == "s3" else 204
    servers = [f"0a8b6c1e-0000-4000-8000-00000000000{number}" for number in range(3)]
    await owes(inn, hook.url, *(f"ready {server}" for server in servers), "ready s3")
    await passes(inn)
    assert [one.subject for one in await all_of(inn)] == [*servers, "s3"]
    first = await of(inn).get_callbacks(limit=3)
    assert [one.subject for one in first.callbacks] == ["s3", *servers[:0:-1]]
    assert isinstance(first.before, str)
    rest = await of(inn).get_callbacks(limit=3, before=first.before)
    assert [one.subject for one in rest.callbacks] == servers[:1]
    assert not isinstance(rest.before, str)
    assert [one.subject for one in await all_of(inn, state=CallbackState.PENDING)] == ["s3"]
    for name in (servers[1], servers[1][-12:]):
        assert [one.subject for one in await all_of(inn, subject=name)] == [servers[1]]
    with pytest.raises(Invalid):
        await of(inn).get_callbacks(limit=201)
    with pytest.raises(NotFound, match="there is no callback cbk-none"):
        await of(inn).get_callbacks(before="cbk-none")


async def test_a_slow_receiver_gets_eight_at_once_and_holds_up_nobody(inn: TestInn, hook: Receiver) -> None:
    gate, full, under_way, most = asyncio.Event(), asyncio.Event(), 0, 0

    async def hold(got: Got) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        if under_way == 8:
            full.set()
        await gate.wait()
        under_way -= 1

    hook.hold = hold
    keeper = inn.inn.notices.calling
    await owes(inn, hook.url, *(f"ready s{number}" for number in range(20)))
    await keeper.keep()
    await asyncio.wait_for(full.wait(), 5)
    slow = keeper.busy
    token = await inn.another_org()
    [org] = (await inn.client(token).organizations_v1.get_orgs()).orgs
    await owes(inn, "http://127.0.0.1:9/", "ready t", org_id=org.org_id)
    await keeper.keep()
    await asyncio.wait(keeper.busy - slow, timeout=5)
    [theirs] = (await of(inn, token).get_callbacks()).callbacks
    assert theirs.attempts == 1
    gate.set()
    await passes(inn)
    assert most == 8
    assert len(hook.got) == len({got.id for got in hook.got}) == 20


async def test_receivers_that_are_slow_leave_room_for_another(inn: TestInn, hook: Receiver) -> None:
    gate, held = asyncio.Event(), 0

    async def hold(got: Got) -> None:
        nonlocal held
        held += 1
        await gate.wait()

    keeper = inn.inn.notices.calling
    async with contextlib.AsyncExitStack() as stack:
        for number in range(4):
            slow = await stack.enter_async_context(receiver())
            slow.hold = hold
            await owes(inn, slow.url, f"ready s{number}")
        await keeper.keep()
        under_way = keeper.busy
        assert len(under_way) == 4
        inn.clock.advance(1)  # the others have been due for longer
        await owes(inn, hook.url, "ready fifth")
        await keeper.keep()
        await asyncio.wait(keeper.busy - under_way, timeout=5)
        assert told(hook) == ["ready fifth"]
        gate.set()
        await passes(inn)
    assert held == 4


async def test_figures(small_inn: TestInn, hook: Receiver) -> None:
    from api.wire import ask

    hook.answer = lambda got: {"bad": 500, "gone": 410}.get(got.json["of"], 200)
    await owes(small_inn, hook.url, "ready good", "ready bad", "ready gone")
    await passes(small_inn)
    text = (await ask(small_inn, "GET", "/metrics")).body.decode()
    assert "innkeeper_callbacks_pending 1.0" in text
    assert 'innkeeper_callback_attempts_total{outcome="delivered"} 1.0' in text
    assert 'innkeeper_callback_attempts_total{outcome="failed"} 2.0' in text
    assert "innkeeper_callbacks_given_up_total 1.0" in text
