"""Players' tokens: the exact format, and everything that is refused."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.accounts.google import Fetched, GoogleKeys
from innkeeper.accounts.jwts import MOST_CHARACTERS
from innkeeper.accounts.names import made_up_name
from innkeeper.accounts.players import Login, Player, Players, check, mint
from innkeeper.kit.clock import SECOND, ManualClock
from innkeeper.kit.errors import Invalid, Unauthorized
from innkeeper.kit.ids import Chance

from .jwts import by_hand, segment

SECRET, OTHER_SECRET = "secret-2f5e1a9c-0000-4000-8000-000000000001", "secret-2f5e1a9c-0000-4000-8000-000000000002"
NOW = 1_689_349_197 * SECOND + 123_456


async def no_google(url: str) -> Fetched:
    raise AssertionError(f"nobody logs in with Google here, and {url} was asked for")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def players(clock: ManualClock) -> Players:
    return Players(clock, Chance(random.Random(5)), GoogleKeys(no_google, clock))


HEADER = {"alg": "HS256", "typ": "JWT"}
CLAIMS = {"type": "anonymous", "id": "wh08ycwy2p9", "name": "jittery-salmon-gull", "iat": 1689349197}


def test_a_token_is_what_the_vendor_made_byte_for_byte() -> None:
    token = mint(SECRET, Login.ANONYMOUS, "wh08ycwy2p9", "jittery-salmon-gull", NOW)
    assert token == by_hand(SECRET, HEADER, CLAIMS)
    # The first two parts of the vendor's published example.
    assert token.startswith(
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
        "eyJ0eXBlIjoiYW5vbnltb3VzIiwiaWQiOiJ3aDA4eWN3eTJwOSIsIm5hbWUiOiJqaXR0ZXJ5LXNhbG1vbi1ndWxsIiwiaWF0IjoxNjg5MzQ5MTk3fQ."
    )


async def test_an_anonymous_player_gets_an_id_and_a_name(players: Players) -> None:
    token = await players.anonymous(SECRET)
    player = await players.recognise(SECRET, token)
    assert player.kind == "anonymous"
    assert isinstance(player.id, str)
    assert re.fullmatch(r"[0-9a-z]{11}", player.id)
    assert player.name is not None
    assert re.fullmatch(r"[a-z]+-[a-z]+-[a-z]+", player.name)
    another = await players.recognise(SECRET, await players.anonymous(SECRET))
    assert another.id != player.id


async def test_a_nickname_is_kept_as_it_was_given(players: Players) -> None:
    for nickname in ("squiddytwoshoes", ' Ünï \N{SQUID} "x" ', "n" * 200):
        player = await players.recognise(SECRET, await players.nickname(SECRET, nickname))
        assert (player.kind, player.name) == ("nickname", nickname)
    for nickname in ("", "n" * 201):
        with pytest.raises(Invalid, match="nickname: must have from 1 to 200"):
            await players.nickname(SECRET, nickname)


@pytest.mark.parametrize(
    ("claims", "player"),
    [
        ({"id": "p1", "type": "nickname", "name": "n", "iat": 1}, Player("p1", "nickname", "n")),
        ({"id": "p1", "type": "steam", "more": [1]}, Player("p1", "steam", None)),
        ({"id": 77}, Player(77, "", None)),
        ({"id": "p1", "exp": NOW // SECOND + 2}, Player("p1", "", None)),
        ({"id": "p1", "exp": 1e400}, Player("p1", "", None)),
    ],
)
async def test_tokens_that_a_studio_made_are_taken(players: Players, claims: dict[str, Any], player: Player) -> None:
    assert await players.recognise(SECRET, by_hand(SECRET, HEADER, claims)) == player
    assert await players.recognise(SECRET, by_hand(SECRET, {"alg": "HS256"}, claims)) == player


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        "\ud800.x.y",
        by_hand(OTHER_SECRET, HEADER, CLAIMS),
        by_hand(SECRET, HEADER, CLAIMS)[:-2],
        by_hand("", HEADER, CLAIMS),
        f"{segment({'alg': 'none', 'typ': 'JWT'})}.{segment(CLAIMS)}.",
        by_hand(SECRET, {"alg": "none", "typ": "JWT"}, CLAIMS),
        by_hand(SECRET, {"alg": "HS512", "typ": "JWT"}, CLAIMS, "sha512"),
        by_hand(SECRET, {"alg": "RS256", "typ": "JWT"}, CLAIMS),
        by_hand(SECRET, {"alg": ["HS256"]}, CLAIMS),
        by_hand(SECRET, {"typ": "JWT"}, CLAIMS),
        by_hand(SECRET, ["HS256"], CLAIMS),
        by_hand(SECRET, {**HEADER, "crit": ["x"], "x": 1}, CLAIMS),
        by_hand(SECRET, {**HEADER, "b64": False, "crit": ["b64"]}, CLAIMS),
        by_hand(SECRET, HEADER, ["id"]),
        by_hand(SECRET, HEADER, {}),
        by_hand(SECRET, HEADER, {"id": ""}),
        by_hand(SECRET, HEADER, {"id": None}),
        by_hand(SECRET, HEADER, {"id": True}),
        by_hand(SECRET, HEADER, {"id": 1.5}),
        by_hand(SECRET, HEADER, {"id": "p1", "exp": NOW // SECOND}),
        by_hand(SECRET, HEADER, {"id": "p1", "exp": "tomorrow"}),
        by_hand(SECRET, HEADER, {"id": "p1", "exp": float("nan")}),
        by_hand(SECRET, HEADER, {"id": "p1", "name": "n" * MOST_CHARACTERS}),
        f"{'W1tb' * 1500}.e30.AA",  # a header of some thousand lists in each other
        by_hand(SECRET, {**HEADER, "crit": None}, CLAIMS),
    ],
)
async def test_everything_else_is_refused(players: Players, token: str) -> None:
    with pytest.raises(Unauthorized, match="the player's token") as caught:
        await players.recognise(SECRET, token)
    assert SECRET not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "b64", "zip", "id", "exp", "jwk"]), inner)
    ),
    max_leaves=5,
)


@given(JSON, JSON)
def test_no_header_and_no_claims_break_the_check(header: Any, claims: Any) -> None:
    for head in (header, HEADER):
        try:
            player, _ = check(SECRET, by_hand(SECRET, head, claims), NOW)
            assert player.id == claims["id"]
        except Unauthorized:
            pass


async def test_a_token_that_ends_is_not_remembered_beyond_its_end(players: Players, clock: ManualClock) -> None:
    token = by_hand(SECRET, HEADER, {"id": "p1", "exp": NOW // SECOND + 10})
    await players.recognise(SECRET, token)
    clock.advance(9)
    await players.recognise(SECRET, token)
    clock.advance(1)
    with pytest.raises(Unauthorized, match="is over"):
        await players.recognise(SECRET, token)


async def test_a_remembered_token_is_still_one_app_s_only(players: Players) -> None:
    token = await players.anonymous(SECRET)
    await players.recognise(SECRET, token)
    with pytest.raises(Unauthorized):
        await players.recognise(OTHER_SECRET, token)


def test_names_are_repeatable_by_the_chance_handed_in() -> None:
    assert made_up_name(Chance(random.Random(3))) == made_up_name(Chance(random.Random(3)))
    assert len({made_up_name(Chance(random.Random(seed))) for seed in range(200)}) > 190
