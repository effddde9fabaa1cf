"""A managed matchmaker that makes duels, and the players who wait there: for the tests of matchmaking."""

from __future__ import annotations

import json
from typing import Any

import pytest

from factories import TestInn
from innkeeper.contract.edgegap.matchmaker import (
    MatchmakerCreate,
)
from innkeeper.contract.edgegap.matchmaker_releases import (
    MatchmakerManagedReleaseCreate,
    MatchmakerReleaseConfigCreate,
)
from innkeeper.contract.edgegap.tickets import TicketCreate, TicketMatchmakingData, TicketResponse
from innkeeper.db.database import Statement, Steps
from innkeeper.sdk import UNSET, AsyncEdgegap, StatusError


def profile(**changes: Any) -> dict[str, Any]:
    return {
        "profile_id": "duel", "app": "game-1", "version": "release-1", "game_port": "default", "refresh": 5,
        "match_player_count": 2,
        "selectors": [{"key": "mode", "default": "casual", "inject_env": True, "items": ["casual", "ranked"]}],
        "filters": [{"key": "score", "difference": {"negative": 50, "positive": 50}, "minimum": 0}],
        **changes,
    }  # fmt: skip


def config(auth: Any = None, retries: int = 2, **changes: Any) -> str:
    whole = {"max_deployment_retry_count": retries, "profiles": [profile(**changes)]}
    return json.dumps(whole if auth is None else {**whole, "auth": auth})


async def refused(call: Any) -> tuple[int, str]:
    with pytest.raises(StatusError) as caught:
        await call
    return caught.value.status, caught.value.message


async def rows(inn: TestInn, text: str) -> list[tuple[Any, ...]]:
    def steps() -> Steps[list[tuple[Any, ...]]]:
        found = yield Statement(text)
        return [tuple(row) for row in found]

    return await inn.inn.db.read(steps)


async def play(inn: TestInn) -> None:
    """What the house does in a second or two; the clock does not move."""
    for _ in range(3):
        await inn.inn.play.matches.keep()
        await inn.settle()


async def managed(inn: TestInn, text: str | None = None) -> tuple[AsyncEdgegap, str]:
    """A matchmaker that runs a configuration; its owner's client, and its id."""
    client = inn.edgegap()
    await client.matchmaker_releases.create_release_config(
        MatchmakerReleaseConfigCreate(name="rules", configuration=text or config())
    )
    await client.matchmaker.create_matchmaker(MatchmakerCreate(name="arena"))
    await client.matchmaker_releases.create_managed_release(
        MatchmakerManagedReleaseCreate(version="r1", release_config_name="rules"), "arena"
    )
    url = (await client.matchmaker.get_matchmaker("arena")).url
    assert isinstance(url, str)
    assert url.startswith("http://inn/aom/")
    return client, url.rpartition("/")[2]


async def queue(inn: TestInn, matchmaker: str, player: str = "", **data: Any) -> str:
    """A player waits; the ticket's id."""
    body = TicketCreate(
        edgegap_profile_id="duel", player_id=player,
        matchmaking_data=TicketMatchmakingData(
            selector_data={"mode": data["mode"]} if "mode" in data else UNSET,
            filter_data={"score": data["score"]} if "score" in data else UNSET,
        ),
    )  # fmt: skip
    inn.clock.advance(0.001)
    made = await inn.edgegap("nobody").tickets.create_ticket(body, matchmaker)
    assert (made.data.assignment, made.error) == (None, None)
    return made.data.ticket_id


async def ticket(inn: TestInn, matchmaker: str, id: str) -> TicketResponse:
    return await inn.edgegap("nobody").tickets.get_ticket(matchmaker, id)


def host_of(told: TicketResponse) -> str | None:
    return None if told.data.assignment is None else told.data.assignment.server_host
