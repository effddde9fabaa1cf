"""The managed matchmaker as its owner and its players know it: records, tickets, and the rules that they keep."""

from __future__ import annotations

import json

import pytest

from api.wire import ask
from factories import TestInn
from flows.duels import config, host_of, managed, play, queue, refused, rows, ticket
from innkeeper.contract.edgegap.matchmaker import (
    ComponentCredentials,
    MatchmakerComponentCreate,
    MatchmakerComponentEnvsCreate,
    MatchmakerComponentEnvsUpdate,
    MatchmakerComponentUpdate,
    MatchmakerCreate,
    MatchmakerUpdate,
)
from innkeeper.contract.edgegap.matchmaker_releases import (
    MatchmakerManagedReleaseCreate,
    MatchmakerManagedReleaseUpdate,
    MatchmakerReleaseConfigCreate,
    MatchmakerReleaseConfigUpdate,
    MatchmakerReleaseCreate,
)
from innkeeper.contract.edgegap.tickets import TicketCreate, TicketMatchmakingData

SAID = b'{"edgegap_profile_id": "duel"}'


async def test_components_and_their_variables_are_kept(inn: TestInn) -> None:
    client = inn.edgegap()
    calls = client.matchmaker
    login = ComponentCredentials(username="studio", token="alohomora")
    made = await calls.create_component(
        MatchmakerComponentCreate(name="front", repository="ghcr.io", image="studio/front", tag="1", credentials=login)
    )
    assert made.credentials is not None
    assert (made.name, made.tag, made.credentials.username, made.credentials.token) == ("front", "1", "studio", None)
    plain = MatchmakerComponentCreate(name="front", repository="ghcr.io", image="i", tag="2")
    assert await refused(calls.create_component(plain)) == (
        400, "there is a component front already; choose another name",
    )  # fmt: skip
    changed = await calls.update_component(
        MatchmakerComponentUpdate(name="door", tag=None, image="studio/door"), "front"
    )
    assert (changed.name, changed.image, changed.tag) == ("door", "studio/door", "1")
    assert (await refused(calls.get_component("front")))[0] == 400
    await calls.create_component_env(MatchmakerComponentEnvsCreate(key="A", value="1"), "door")
    assert (await refused(calls.create_component_env(MatchmakerComponentEnvsCreate(key="A", value="2"), "door")))[
        0
    ] == 400
    env = await calls.update_component_env(MatchmakerComponentEnvsUpdate(key="B", value=None), "door", "A")
    assert (env.key, env.value) == ("B", "1")
    assert [one.key for one in (await calls.list_component_envs("door")).data or ()] == ["B"]
    assert (await calls.list_components()).count == 1
    rival = inn.edgegap(await inn.another_org())
    assert (await rival.matchmaker.list_components()).count == 0
    assert (await refused(rival.matchmaker.get_component_env("door", "B")))[0] == 400
    await calls.delete_component_env("door", "B")
    assert (await refused(calls.get_component_env("door", "B")))[0] == 400
    told = await rows(inn, "select login_sealed from components")
    assert "alohomora" not in str(told)
    assert (await calls.delete_component("door")).message == "the component door is deleted"
    assert (await refused(calls.delete_component("door")))[0] == 400


async def test_what_a_matchmaker_runs_is_kept(inn: TestInn) -> None:
    client, _ = await managed(inn)
    releases = client.matchmaker_releases
    assert (await refused(client.matchmaker.create_matchmaker(MatchmakerCreate(name="arena"))))[0] == 400
    assert await refused(releases.delete_release_config("rules")) == (
        400, "the release config rules is used by the release r1 of the matchmaker arena: delete that one first",
    )  # fmt: skip
    wrong = MatchmakerReleaseConfigUpdate(configuration='{"profiles": [{"profile_id": "x"}]}')
    assert await refused(releases.update_release_config(wrong, "rules")) == (
        400, "configuration: profiles[0].match_player_count: is required",
    )  # fmt: skip
    nameless = json.dumps({"profiles": [{"profile_id": "x", "match_player_count": 1}]})
    await releases.create_release_config(MatchmakerReleaseConfigCreate(name="bare", configuration=nameless))
    bare = MatchmakerManagedReleaseCreate(version="r2", release_config_name="bare")
    assert (await refused(releases.create_managed_release(bare, "arena")))[1].startswith("app_name: the profile x of")
    bare = MatchmakerManagedReleaseCreate(version="r2", release_config_name="bare", app_name="game-1")
    made = await releases.create_managed_release(bare, "arena")
    assert (made.app_name, made.version_name, made.release_config_name) == ("game-1", "", "bare")
    assert [one.version for one in (await releases.list_releases("arena")).data] == ["r1", "r2"]
    changed = await releases.update_managed_release(
        MatchmakerManagedReleaseUpdate(version="r3", release_config_name="rules"), "arena", "r2"
    )
    assert (changed.version, changed.app_name, changed.release_config_name) == ("r3", "game-1", "rules")
    assert (await refused(releases.get_managed_release("arena", "r2")))[0] == 404
    assert (await refused(releases.get_release("arena", "r3")))[0] == 404
    missing = MatchmakerReleaseCreate(
        version="c", frontend_component_name="f", director_component_name="d", match_function_component_name="m"
    )
    assert await refused(releases.create_release(missing, "arena")) == (400, "there is no component f")
    assert (await releases.get_release_config("bare")).configuration == nameless
    await client.matchmaker.update_matchmaker(MatchmakerUpdate(name="ring"), "arena")
    assert [one.name for one in (await client.matchmaker.list_matchmakers()).data] == ["ring"]
    await client.matchmaker.delete_matchmaker("ring")
    assert (await client.matchmaker.list_matchmakers()).data == []
    await releases.delete_release_config("rules")
    assert [one.name for one in (await releases.list_release_configs()).data] == ["bare"]


async def test_a_ticket_is_given_back(inn: TestInn) -> None:
    await inn.game()
    _, arena = await managed(inn)
    calls = inn.edgegap("nobody").tickets
    ann = await queue(inn, arena)
    assert (await calls.delete_ticket(arena, ann)).data.ticket_id == ann
    assert (await refused(calls.get_ticket(arena, ann)))[0] == 404
    assert (await refused(calls.delete_ticket(arena, ann)))[0] == 404
    # Who all leave a match before it is ready need no server.
    inn.behave(start_takes=5)
    bob, cid = await queue(inn, arena), await queue(inn, arena)
    await play(inn)
    await calls.delete_ticket(arena, bob)
    await calls.delete_ticket(arena, cid)
    await play(inn)
    await inn.advance(6)
    assert [row[0] for row in await rows(inn, "select state from servers")] == ["stopped"]
    assert [row[0] for row in await rows(inn, "select state from matches")] == ["left"]


async def test_a_ticket_expires_and_is_forgotten(inn: TestInn) -> None:
    await inn.game()
    _, arena = await managed(inn, config(ticket_expiration_period="30s", ticket_removal_period="1m"))
    ann = await queue(inn, arena)
    await play(inn)
    inn.clock.advance(30)
    await play(inn)
    told = await ticket(inn, arena, ann)
    assert (told.data.assignment, told.error) == (None, "no match was found in time; ask again")
    inn.clock.advance(59)
    await play(inn)
    await ticket(inn, arena, ann)
    inn.clock.advance(1)
    await play(inn)
    assert (await refused(ticket(inn, arena, ann)))[0] == 404


async def test_tickets_are_for_who_shows_the_token(inn: TestInn) -> None:
    await inn.game()
    _, arena = await managed(inn, config({"type": "Token", "configuration": {"token": "alohomora"}}))
    body = TicketCreate(edgegap_profile_id="duel")
    assert (await refused(inn.edgegap("nobody").tickets.create_ticket(body, arena)))[0] == 401
    path = f"/aom/{arena}/v1/tickets"
    for shown in ("alohomora", "token alohomora"):
        told = await ask(inn, "POST", path, SAID, headers={"authorization": shown})
        assert told.status == 200, told.body
    assert (await ask(inn, "POST", path, SAID)).status == 401


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (TicketCreate(edgegap_profile_id="chess"), (400, "there is no profile 'chess'; there is duel")),
        (
            TicketCreate(edgegap_profile_id="duel", matchmaking_data=TicketMatchmakingData(selector_data={"map": "x"})),
            (400, "map: the profile duel does not ask for it; it asks for mode"),
        ),
    ],
)
async def test_tickets_that_the_rules_refuse(small_inn: TestInn, body: TicketCreate, expected: tuple[int, str]) -> None:
    _, arena = await managed(small_inn)
    assert await refused(small_inn.edgegap("nobody").tickets.create_ticket(body, arena)) == expected
    assert (await refused(small_inn.edgegap("nobody").tickets.create_ticket(body, "elsewhere")))[0] == 404


async def test_the_release_that_was_touched_last_is_the_one_that_runs(inn: TestInn) -> None:
    await inn.game()
    client, arena = await managed(inn)
    releases = client.matchmaker_releases
    trio = config(match_player_count=3)
    await releases.create_release_config(MatchmakerReleaseConfigCreate(name="trio", configuration=trio))
    inn.clock.advance(1)
    await releases.create_managed_release(
        MatchmakerManagedReleaseCreate(version="r2", release_config_name="trio"), "arena"
    )
    ids = [await queue(inn, arena), await queue(inn, arena)]
    await play(inn)
    assert host_of(await ticket(inn, arena, ids[0])) is None
    inn.clock.advance(5)
    await releases.update_managed_release(MatchmakerManagedReleaseUpdate(), "arena", "r1")
    await play(inn)
    assert host_of(await ticket(inn, arena, ids[0])) is not None
    await releases.delete_managed_release("arena", "r1")
    await releases.delete_managed_release("arena", "r2")
    assert (await client.matchmaker.get_matchmaker("arena")).url is None
    assert (await refused(ticket(inn, arena, ids[0])))[0] == 404
