"""Matches that the managed matchmaker makes: who is put together, where they play, and what comes between."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import msgspec
import pytest

from factories import TestInn
from flows.duels import config, host_of, managed, play, queue, rows, ticket
from innkeeper.contract.edgegap.matchmaker import (
    MatchmakerCreate,
)
from innkeeper.contract.edgegap.matchmaker_releases import (
    MatchmakerManagedReleaseCreate,
    MatchmakerReleaseConfigCreate,
)
from innkeeper.db.database import Many, Statement, Steps
from innkeeper.matchmaking.queries import tickets as queries
from innkeeper.matchmaking.records import Match, MatchState


async def test_players_who_fit_get_a_server(inn: TestInn) -> None:
    await inn.game()
    client, arena = await managed(inn)
    ann, bob = await queue(inn, arena, "ann", score=100), await queue(inn, arena, "bob", score=151)
    cid = await queue(inn, arena, "cid", score=140)
    other = await queue(inn, arena, "dan", score=100, mode="ranked")
    await play(inn)
    told = [await ticket(inn, arena, id) for id in (ann, cid, bob, other)]
    host = host_of(told[0])
    assert host is not None
    assert host.startswith("198.51.100.7:30")
    assert [host_of(one) for one in told] == [host, host, None, None]
    launch = next(iter(inn.engine.launches.values()))
    assert launch.env["mode"] == "casual"
    assert json.loads(launch.env["MM_TICKET_IDS"]) == [ann, cid]
    deployments = (await client.deployments.list_deployments()).data
    assert isinstance(deployments, list)
    tags = deployments[0].tags
    assert set(tags or ()) >= {ann, cid}
    # Who comes later plays with who waits still, in a match of their own.
    inn.clock.advance(5)
    eve = await queue(inn, arena, "eve", score=130)
    await play(inn)
    assert host_of(await ticket(inn, arena, eve)) == host_of(await ticket(inn, arena, bob)) != host
    assert len(inn.engine.launches) == 2


async def test_a_pass_that_is_repeated_starts_nothing_twice(inn: TestInn) -> None:
    await inn.game()
    _, arena = await managed(inn)
    ids = [await queue(inn, arena), await queue(inn, arena)]
    await inn.inn.play.matches.keep()

    def as_if_it_was_not_written_down() -> Steps[None]:
        yield Statement("update matches set state = 'wanted', server_id = null")

    await inn.inn.db.write(as_if_it_was_not_written_down)
    await inn.restart()
    await play(inn)
    assert len(inn.engine.launches) == 1
    hosts = [host_of(await ticket(inn, arena, id)) for id in ids]
    assert hosts[0] is not None
    assert hosts[0] == hosts[1]


async def test_a_server_that_was_asked_for_in_vain_ends(inn: TestInn) -> None:
    await inn.game()
    _, arena = await managed(inn)
    ids = [await queue(inn, arena), await queue(inn, arena)]
    await inn.inn.play.matches.keep()

    def as_if_it_was_not_written_down() -> Steps[None]:
        yield Statement("update matches set state = 'wanted', server_id = null")

    await inn.inn.db.write(as_if_it_was_not_written_down)
    for id in ids:
        await inn.edgegap("nobody").tickets.delete_ticket(arena, id)
    await inn.restart()
    await play(inn)
    assert [row[0] for row in await rows(inn, "select state from servers")] == ["stopped"]
    assert [row[0] for row in await rows(inn, "select state from matches")] == ["left"]


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("delete from matches where state in ('ready', 'left') and changed_at < 1", "matches_state (state=? AND ch"),
        ("select 1 from tickets where matchmaker_id = 'm' and state = 'waiting'", "tickets_waiting (matchmaker_id=? A"),
    ],
)
async def test_a_pass_looks_at_what_it_is_about_alone(small_inn: TestInn, text: str, index: str) -> None:
    if small_inn.inn.db.kind != "sqlite":
        pytest.skip("it is SQLite that is asked")
    assert index in str(await rows(small_inn, f"explain query plan {text}"))


async def test_others_are_answered_while_matches_are_looked_for(small_inn: TestInn) -> None:
    _, arena = await managed(small_inn)
    first = await queue(small_inn, arena, "ann")

    def many() -> Steps[None]:
        (row,) = yield Statement("select * from tickets where id = $1", (first,))
        places = ", ".join(f"${at + 1}" for at in range(len(row)))
        yield Many(f"insert into tickets values ({places})", [(f"{at:05}", *row[1:]) for at in range(3000)])

    await small_inn.inn.db.write(many)
    pauses, began = [0.0], time.monotonic()
    looking = asyncio.create_task(small_inn.inn.play.matches.keep())
    while not looking.done():
        seen = time.monotonic()
        await asyncio.wait([looking], timeout=0.01)
        pauses.append(time.monotonic() - seen)
    await looking
    assert max(pauses) < (time.monotonic() - began) / 2
    assert await rows(small_inn, "select id from matches") == []


async def test_players_wait_again_when_their_server_fails_and_give_up_at_last(inn: TestInn) -> None:
    await inn.game()
    _, arena = await managed(inn, config(retries=1))
    inn.behave(start_takes=5, crash_after=1)
    ann, bob = await queue(inn, arena), await queue(inn, arena)
    await play(inn)
    await inn.advance(2)
    await play(inn)
    assert [row[0] for row in await rows(inn, "select state from tickets")] == ["waiting", "waiting"]
    inn.clock.advance(5)
    await play(inn)
    await inn.advance(2)
    await play(inn)
    for id in (ann, bob):
        told = await ticket(inn, arena, id)
        assert told.data.assignment is None
        assert str(told.error).startswith("the server of the match ended before players could join")
    # What a program said last is nothing that players are told; who runs the game finds it.
    assert {"exit" in row[0] for row in await rows(inn, "select reason from matches")} == {True}
    assert len(await rows(inn, "select id from servers")) == 2
    # Once it runs again, so do matches.
    inn.behave()
    inn.clock.advance(5)
    ids = [await queue(inn, arena), await queue(inn, arena)]
    await play(inn)
    assert None not in [host_of(await ticket(inn, arena, id)) for id in ids]


async def test_a_match_that_nothing_can_be_started_for_says_why(inn: TestInn) -> None:
    await inn.game()
    _, arena = await managed(inn, config(retries=0, app="chess"))
    ann, _ = await queue(inn, arena), await queue(inn, arena)
    await play(inn)
    assert (await ticket(inn, arena, ann)).error == "there is no app chess"


async def test_a_port_that_is_not_there_is_said(inn: TestInn) -> None:
    await inn.game()
    _, arena = await managed(inn, config(retries=0, game_port="gameport"))
    ann, _ = await queue(inn, arena), await queue(inn, arena)
    await play(inn)
    assert (await ticket(inn, arena, ann)).error == (
        "the server has no port gameport, which the rules send players to; it has default"
    )
    assert [row[0] for row in await rows(inn, "select state from servers")] == ["stopped"]


async def test_where_there_is_no_space_players_wait_on(small_inn: TestInn) -> None:
    inn = small_inn
    await inn.game()
    _, arena = await managed(inn, config(retries=0, ticket_expiration_period="20s"))
    await inn.stop()
    inn.settings = msgspec.structs.replace(inn.settings, places=(), default_places=False)
    await inn.start()
    ann, _ = await queue(inn, arena), await queue(inn, arena)
    for _ in range(3):
        await play(inn)
        assert (await ticket(inn, arena, ann)).error is None
        inn.clock.advance(5)
    assert [row[0] for row in await rows(inn, "select tries from tickets")] == [0, 0]
    inn.clock.advance(5)
    await play(inn)
    assert "no host of this house serves" in str((await ticket(inn, arena, ann)).error)


async def test_a_player_who_leaves_in_that_very_moment_leaves_no_match(inn: TestInn) -> None:
    await inn.game()
    _, arena = await managed(inn)
    ann, bob = await queue(inn, arena), await queue(inn, arena)
    await play(inn)
    await inn.edgegap("nobody").tickets.delete_ticket(arena, ann)
    cid, dan = await queue(inn, arena), await queue(inn, arena)
    made = Match("m", arena, "o", "duel", "a", "l", "", "", 3, None, MatchState.WANTED, None, 0, 0)
    await inn.edgegap("nobody").tickets.delete_ticket(arena, cid)
    assert not await inn.inn.db.write(queries.add_match, made, [cid, dan])
    assert not await inn.inn.db.write(queries.add_match, made, [bob, dan])
    assert [row[0] for row in await rows(inn, f"select state from tickets where id = '{dan}'")] == ["waiting"]


async def change(inn: TestInn, text: str, *values: Any) -> None:
    def steps() -> Steps[None]:
        yield Statement(text, values)

    await inn.inn.db.write(steps)


async def test_what_cannot_be_read_of_one_holds_nobody_else_up(inn: TestInn, caplog: pytest.LogCaptureFixture) -> None:
    await inn.game()
    client, arena = await managed(inn)
    releases = client.matchmaker_releases
    await releases.create_release_config(MatchmakerReleaseConfigCreate(name="lost", configuration=config()))
    await client.matchmaker.create_matchmaker(MatchmakerCreate(name="aaa"))
    await releases.create_managed_release(
        MatchmakerManagedReleaseCreate(version="r1", release_config_name="lost"), "aaa"
    )
    [[other]] = await rows(inn, "select id from matchmakers where name = 'aaa'")
    third = [await queue(inn, other), await queue(inn, other)]
    sealed = await rows(inn, "select id, rules_sealed from rulebooks where name = 'lost'")
    await change(inn, "update rulebooks set rules_sealed = 'worn' where name = 'lost'")
    first = [await queue(inn, arena), await queue(inn, arena)]
    await inn.inn.play.matches.keep()
    await change(inn, "update matches set env_sealed = 'worn', state = 'wanted', server_id = null")
    inn.clock.advance(5)
    second = [await queue(inn, arena), await queue(inn, arena)]
    await play(inn)
    assert [host_of(await ticket(inn, arena, id)) is None for id in (*first, *second)] == [True, True, False, False]
    told = [record.message for record in caplog.records if "left alone" in record.message]
    assert len(told) == 2  # not with every pass
    # What can be read again is gone on with.
    await change(inn, "update rulebooks set rules_sealed = $2 where id = $1", *sealed[0])
    inn.clock.advance(61)
    await play(inn)
    assert None not in [host_of(await ticket(inn, other, id)) for id in third]
