"""Events on both stores: listed, followed as they come, resumed where a reader was, for their organisation alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from factories import TestInn
from innkeeper.accounts.scopes import Grant
from innkeeper.contract.house.events_v1 import Event
from innkeeper.db.database import Statement, Steps
from innkeeper.db.outbox import News, tell
from innkeeper.sdk import Gone, Invalid, RateLimited, Unauthorized
from innkeeper.sdk.events import Frames


async def happens(inn: TestInn, *news: str, app_id: str | None = None, org_id: str | None = None) -> None:
    """Each is ``KIND SUBJECT``; then a pass."""
    pairs = [one.split() for one in news]
    org_id = None if app_id else org_id or inn.inn.founded.org_id
    await inn.inn.db.write(
        tell, [News(kind, subject, inn.clock.now(), {"of": subject}, app_id, org_id) for kind, subject in pairs]
    )
    await inn.inn.notices.keeper.keep()


class Reader:
    """Reads a stream by hand."""

    def __init__(self, stream: Any) -> None:
        self._lines = stream.lines()
        self._frames = Frames()
        self.comments = 0
        self.last = ""

    async def next(self) -> tuple[str | None, str | None]:
        """Id and data of the next block."""
        async with asyncio.timeout(5):
            while True:
                line = await anext(self._lines)
                self.comments += line.startswith(":")
                if frame := self._frames.feed(line):
                    self.last = frame.id or self.last
                    return frame


@asynccontextmanager
async def stream(inn: TestInn, token: str = "", last_id: str | None = None, **filters: Any) -> AsyncIterator[Reader]:
    call = inn.client(token or inn.token).house.events_v1.stream_events
    if last_id is not None:
        call = call.options(headers={"Last-Event-ID": last_id})
    async with await call(**filters) as found:
        assert found.headers["content-type"] == "text/event-stream"
        yield Reader(found)


async def numbers(inn: TestInn, **filters: Any) -> tuple[list[int], int, bool]:
    page = await inn.client().house.events_v1.get_events(**filters)
    return [event.number for event in page.events], page.upto, page.more


async def test_the_list(inn: TestInn) -> None:
    assert await numbers(inn) == ([], 0, False)  # whoever asks is listened for from then on
    game = await inn.game()
    await inn.inn.notices.keeper.keep()
    _, start, _ = await numbers(inn)
    await happens(inn, "room.opened r1", "server.running s1", "room.ended r1")
    await happens(inn, "room.opened r2", app_id=game.app_id)
    assert await numbers(inn, after=start) == ([start + each for each in (1, 2, 3, 4)], start + 4, False)
    assert await numbers(inn, limit=2) == ([start + 3, start + 4], start + 4, False)
    assert await numbers(inn, after=start, limit=3) == ([start + 1, start + 2, start + 3], start + 3, True)
    assert await numbers(inn, after=start + 4) == ([], start + 4, False)
    assert await numbers(inn, after=start, kinds=["room.*"]) == ([start + 1, start + 3, start + 4], start + 4, False)
    assert await numbers(inn, kinds=["server.running"], limit=1) == ([start + 2], start + 4, False)
    assert await numbers(inn, after=start, app_id=game.app_id) == ([start + 4], start + 4, False)
    [event] = (await inn.client().house.events_v1.get_events(limit=1)).events
    assert (event.type, event.app, event.data) == ("room.opened", game.app_id, {"of": "r2"})
    for wrong, says in (
        ({"kinds": ["rom.*"]}, "did you mean room"),
        ({"limit": 501}, "limit"),
        ({"after": -1}, "after"),
    ):
        with pytest.raises(Invalid, match=says):
            await numbers(inn, **wrong)


async def test_pages_go_on_to_the_end(small_inn: TestInn) -> None:
    await numbers(small_inn)
    for at in range(25):
        await happens(small_inn, *(f"room.opened r{at * 100 + number}" for number in range(99)), f"host.lost h{at}")
    found: list[int] = []
    pages = 0
    async for page in small_inn.client().house.events_v1.get_events.pages(after=0, kinds=["host.*"]):
        found += [event.number for event in page.events]
        pages += 1
    assert found == [100 * (at + 1) for at in range(25)]
    assert pages == 2  # of 2,000 events looked at, though few are told


async def test_events_come_as_they_happen(inn: TestInn) -> None:
    async with stream(inn) as reader:
        assert await reader.next() == ("0", None)
        await happens(inn, "room.opened r1", "room.active r1")
        found = [await reader.next(), await reader.next()]
        assert [id_ for id_, _ in found] == ["1", "2"]
        assert found[0][1] is not None
        assert '"type":"room.opened","number":1' in found[0][1]
        await happens(inn, "room.ended r1")
        assert (await reader.next())[0] == "3"
        before = reader.comments
        await inn.quiet()
        inn.clock.advance(15)
        assert await reader.next() == ("3", None)  # a sign of life
        assert reader.comments == before + 1
    assert await numbers(inn, after=2) == ([3], 3, False)


async def test_who_comes_back_goes_on_where_they_were(inn: TestInn) -> None:
    async with stream(inn) as reader:
        await reader.next()
        await happens(inn, "room.opened r1")
        await reader.next()
    await happens(inn, "room.active r1", "server.running s1")
    await inn.restart()
    for how in ({"last_id": reader.last}, {"after": 1}, {"last_id": "1", "after": 0}):
        async with stream(inn, **how) as again:  # type: ignore[arg-type]
            assert await again.next() == ("1", None)
            assert [(await again.next())[0] for _ in range(2)] == ["2", "3"]
    async with stream(inn, last_id="0", kinds=["server.*"]) as again:
        await again.next()
        assert (await again.next())[0] == "3"
    for wrong in ("x", "-1", "", "99999999999999999999"):
        with pytest.raises(Invalid, match="Last-Event-ID"):
            async with stream(inn, last_id=wrong):
                pass


async def test_who_is_ahead_of_the_house_is_told_so(inn: TestInn) -> None:
    await numbers(inn)
    await happens(inn, "room.opened r1", "room.ended r1")
    assert await numbers(inn, after=2) == ([], 2, False)
    with pytest.raises(Gone, match="there is no event 5000 on this Innkeeper, the last one is 2"):
        await numbers(inn, after=5000)
    for how in ({"after": 3}, {"last_id": "5000"}, {"last_id": "3", "after": 1}):
        with pytest.raises(Gone, match="restored from an older backup"):
            async with stream(inn, **how):  # type: ignore[arg-type]
                pass
    with pytest.raises(Gone, match="go on after 2, or without a number"):
        async for _ in inn.client().house.follow_events(after=5000):
            pass


async def test_who_read_what_a_restored_house_has_forgotten_is_told_so(inn: TestInn) -> None:
    """The numbers have come to where the reader was, so that they alone tell nothing."""
    await numbers(inn)
    await happens(inn, "room.opened r1", "room.opened r2", "room.opened r3")
    [*_, last] = (await inn.client().house.events_v1.get_events()).events
    seen = f"{last.number}:{last.id}"
    events = inn.client().house.follow_events(after=2)
    assert (await anext(events)).id == last.id
    assert await numbers(inn, after=3, seen=seen) == ([], 3, False)
    inn.inn.app.close()  # as a stop does: streams end
    await inn.inn.db.write(_forget_last)
    await inn.restart()
    await happens(inn, "room.ended r1", "room.ended r2")
    assert (await numbers(inn, after=3))[0] == [4]
    for read in (numbers(inn, after=3, seen=seen), anext(inn.client().house.follow_events(after=3, seen=seen))):
        with pytest.raises(Gone, match="event 3 is another one on this Innkeeper"):
            await read
    with pytest.raises(Gone, match="event 3 is another one"):
        await asyncio.wait_for(anext(events), 20)
    with pytest.raises(Invalid, match="seen: write the number and the id"):
        await numbers(inn, after=3, seen="3")


def _forget_last() -> Steps[None]:
    """As if the database were that of before the last event."""
    yield Statement("delete from events where number = 3")


async def test_what_is_left_out_is_not_looked_at_again(inn: TestInn) -> None:
    async with stream(inn, kinds=["host.*"]) as reader:
        await reader.next()
        await happens(inn, "room.opened r1", "host.lost h1", "room.ended r1")
        assert (await reader.next())[0] == "2"
        assert await reader.next() == ("3", None)


async def test_a_long_tail_is_read_in_pieces(small_inn: TestInn) -> None:
    await numbers(small_inn)
    for at in range(10):
        await happens(small_inn, *(f"room.opened r{at * 100 + number}" for number in range(100)))
    async with stream(small_inn, after=0) as reader:
        await reader.next()
        assert [(await reader.next())[0] for _ in range(1000)] == [str(number) for number in range(1, 1001)]


async def test_streams_are_for_their_own_organisation(inn: TestInn) -> None:
    token = await inn.another_org()
    [org] = (await inn.client(token).organizations_v1.get_orgs()).orgs
    async with stream(inn) as own, stream(inn, token) as theirs:
        await own.next()
        await theirs.next()
        await happens(inn, "room.opened r1", "room.ended r1")
        await happens(inn, "room.opened r2", org_id=org.org_id)
        assert [(await own.next())[0] for _ in range(2)] == ["1", "2"]
        number, data = await theirs.next()
        assert number == "1"  # each organisation counts its own
        assert data is not None
        assert '"of":"r2"' in data


async def test_news_of_hosts_are_the_operators(inn: TestInn) -> None:
    await inn.another_org()
    async with stream(inn) as own:
        await own.next()
        await inn.inn.db.write(tell, [News("host.lost", "fra-1", inn.clock.now(), {"of": "fra-1"})])
        await inn.inn.notices.keeper.keep()
        _, data = await own.next()
        assert data is not None
        assert "host.lost" in data


async def test_a_stream_ends_when_its_token_is_revoked(inn: TestInn) -> None:
    wings = inn.inn.wings
    admin = await wings.callers.recognise(inn.token)
    made = await wings.tokens.create(admin, "reader", Grant.of(["processes:read"]))
    async with stream(inn, made.plain) as reader:
        await reader.next()
        await wings.tokens.revoke(admin, made.token.id)
        await inn.quiet()
        inn.clock.advance(15)
        with pytest.raises(StopAsyncIteration):
            await reader.next()
    with pytest.raises(Unauthorized):
        async with stream(inn, made.plain):
            pass


async def test_a_hundred_streams_are_enough(small_inn: TestInn) -> None:
    from contextlib import AsyncExitStack

    async with AsyncExitStack() as stack:
        for _ in range(100):
            reader = await stack.enter_async_context(stream(small_inn))
            await reader.next()
        with pytest.raises(RateLimited, match="100 streams"):
            await stack.enter_async_context(stream(small_inn))
    for _ in range(50):
        await asyncio.sleep(0)
    async with stream(small_inn) as reader:
        await reader.next()


async def test_who_reads_is_listened_for_while_they_read(inn: TestInn) -> None:
    async with stream(inn) as reader:
        await reader.next()
        for _ in range(50):
            await inn.quiet()
            inn.clock.advance(20)
            await reader.next()
            await inn.inn.notices.keeper.keep()
        await happens(inn, "room.opened r1")
        assert (await reader.next())[0] == "1"
    inn.clock.advance(11 * 60)
    await inn.inn.notices.keeper.keep()
    await happens(inn, "room.ended r1")
    assert await inn.inn.db.read(_told) == (1, 0, 0)


def _told() -> Steps[tuple[int, int, int]]:
    events = yield Statement("select count(*) from events")
    outbox = yield Statement("select count(*) from outbox")
    listeners = yield Statement("select count(*) from listeners")
    return events[0][0], outbox[0][0], listeners[0][0]


async def test_the_sdk_follows_over_a_restart(inn: TestInn) -> None:
    events = inn.client().house.follow_events(kinds=["room.*"])
    found: list[Event] = []
    following = asyncio.ensure_future(_collect(events, found, 3))
    while not await inn.inn.db.read(_listens):
        await inn.quiet()
    await inn.quiet()
    await happens(inn, "room.opened r1", "server.running s1")
    while not found:
        await inn.quiet()
    inn.inn.app.close()  # as a stop does: streams end
    await inn.restart()
    await happens(inn, "room.active r1", "room.ended r1")
    await asyncio.wait_for(following, 20)
    assert [(event.number, event.type) for event in found] == [
        (1, "room.opened"),
        (3, "room.active"),
        (4, "room.ended"),
    ]


def _listens() -> Steps[bool]:
    rows = yield Statement("select 1 from listeners")
    return bool(rows)


async def _collect(events: Any, found: list[Event], count: int) -> None:
    async for event in events:
        found.append(event)
        if len(found) == count:
            break
    await events.aclose()


async def test_what_the_house_does_is_told(inn: TestInn) -> None:
    """From the seat of a room to its end, each with what it happened to."""
    await numbers(inn)
    game = await inn.game()
    room = await game.room("chess-1", room_config="{}")
    await inn.settle()
    await game.cloud.rooms_v2.destroy_room(room.room_id)
    await inn.settle()
    await inn.inn.notices.keeper.keep()
    page = await inn.client().house.events_v1.get_events(after=0, app_id=game.app_id)
    of_room = [event.type for event in page.events if event.data.get("room") == "chess-1"]
    assert (of_room[0], of_room[-1]) == ("room.opened", "room.ended")
    assert "room.active" in of_room
    of_server = [event.type for event in page.events if event.data.get("server") and event.type.startswith("server.")]
    assert of_server[:3] == ["server.wanted", "server.starting", "server.running"]
    assert [event.number for event in page.events] == sorted(event.number for event in page.events)
