"""Google's logins: whose ID tokens are taken, and when the keys are fetched. A key set of our own stands in."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from innkeeper.accounts.fetching import fetch, max_age
from innkeeper.accounts.google import Fetched, GoogleKeys, read_keys
from innkeeper.accounts.players import Players
from innkeeper.kit.clock import HOUR, SECOND, ManualClock
from innkeeper.kit.errors import Unauthorized, Unavailable
from innkeeper.kit.ids import Chance

from .jwts import by_hand

SECRET = "secret-2f5e1a9c-0000-4000-8000-000000000001"
CLIENT = "848412826788-abc.apps.googleusercontent.com"
NOW = 1_800_000_000
KEYS = {kid: RSAKey.generate_key(2048, {"kid": kid}) for kid in ("one", "two")}


class Google:
    """Publishes keys, counts who asks for them, and can be away."""

    def __init__(self, *kids: str) -> None:
        self.kids, self.asked, self.away = list(kids), 0, False
        self.max_age: float | None = None

    def key_set(self) -> bytes:
        return json.dumps({"keys": [KEYS[kid].as_dict(private=False) for kid in self.kids]}).encode()

    async def fetch(self, url: str) -> Fetched:
        assert url == "http://keys.test/certs"
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise OSError("no route to host")
        return Fetched(self.key_set(), self.max_age)


class Desk:
    """Players that log in with this Google."""

    def __init__(self, google: Google) -> None:
        self.clock = ManualClock(NOW * SECOND)
        self.keys = GoogleKeys(google.fetch, self.clock, "http://keys.test/certs")
        self.players = Players(self.clock, Chance(random.Random(1)), self.keys)

    async def login(self, id_token: str) -> Any:
        token = await self.players.google(SECRET, CLIENT, id_token)
        return await self.players.recognise(SECRET, token)


def claims(**changes: Any) -> dict[str, Any]:
    """What Google says of somebody, changed; None leaves a claim out."""
    said = {
        "iss": "https://accounts.google.com",
        "aud": CLIENT,
        "sub": "114542330727156133776",
        "name": "Ada L",
        "email": "ada@example.com",
        "iat": NOW - 10,
        "exp": NOW + 3600,
    }
    return {name: value for name, value in {**said, **changes}.items() if value is not None}


def id_token(kid: str = "one", *, key: RSAKey | None = None, alg: str = "RS256", **changes: Any) -> str:
    """An ID token, signed with the key of this name unless another is handed in."""
    return jwt.encode({"alg": alg, "kid": kid}, claims(**changes), key or KEYS[kid], [alg])


async def test_a_person_has_the_same_id_at_every_login() -> None:
    desk = Desk(Google("one"))
    first, second = await desk.login(id_token()), await desk.login(id_token(iat=NOW - 5, iss="accounts.google.com"))
    assert first == second
    assert (first.id, first.kind, first.name) == ("114542330727156133776", "google", "Ada L")


async def test_an_address_never_becomes_a_name() -> None:
    player = await Desk(Google("one")).login(id_token(name=None))
    assert player.name.count("-") == 2


@pytest.mark.parametrize(
    "make",
    [
        lambda: "",
        lambda: "x.y.z",
        lambda: "x" * 9000,
        lambda: id_token(aud="another-client"),
        lambda: id_token(aud=[CLIENT]),
        lambda: id_token(aud=None),
        lambda: id_token(iss="https://evil.example.com"),
        lambda: id_token(iss=None),
        lambda: id_token(sub=None),
        lambda: id_token(sub=""),
        lambda: id_token(sub=7),
        lambda: id_token(exp=None),
        lambda: id_token(exp="later"),
        lambda: id_token(exp=NOW - 61),
        lambda: id_token(exp=float("nan")),
        lambda: id_token(iat=NOW + 61),
        lambda: id_token("one", key=KEYS["two"]),  # signed by somebody else under a known name
        lambda: id_token("unknown", key=KEYS["two"]),
        lambda: by_hand(KEYS["one"].as_pem(private=False).decode(), {"alg": "HS256", "kid": "one"}, claims()),
        lambda: by_hand(SECRET, {"alg": "HS256", "kid": "one"}, claims()),
        lambda: id_token("one", alg="PS256"),
        lambda: id_token()[:-4],
    ],
)
async def test_what_google_did_not_sign_for_this_app_is_refused(make: Callable[[], str]) -> None:
    desk = Desk(Google("one"))
    with pytest.raises(Unauthorized, match="idToken:"):
        await desk.login(make())


async def test_clocks_may_differ_by_a_minute() -> None:
    desk = Desk(Google("one"))
    await desk.login(id_token(exp=NOW - 59))
    await desk.login(id_token(iat=NOW + 59))


async def test_keys_are_fetched_once_and_again_when_their_time_is_over() -> None:
    google = Google("one")
    google.max_age = 7200
    desk = Desk(google)
    await asyncio.gather(*(desk.login(id_token()) for _ in range(20)))
    assert google.asked == 1
    desk.clock.advance(7199)
    await desk.login(id_token(exp=NOW + 99999))
    assert google.asked == 1
    desk.clock.advance(1)
    await desk.login(id_token(exp=NOW + 99999))
    assert google.asked == 2


async def test_a_new_key_is_looked_for_at_once_and_invented_ones_not_again_and_again() -> None:
    google = Google("one")
    desk = Desk(google)
    await desk.login(id_token())
    google.kids = ["one", "two"]
    desk.clock.advance(60)
    await desk.login(id_token("two"))
    assert google.asked == 2
    for number in range(20):
        with pytest.raises(Unauthorized):
            await desk.login(id_token(f"invented-{number}", key=KEYS["one"]))
    assert google.asked == 2
    desk.clock.advance(60)
    with pytest.raises(Unauthorized):
        await desk.login(id_token("invented", key=KEYS["one"]))
    assert google.asked == 3


async def test_while_google_is_away_known_keys_are_used_for_a_day() -> None:
    google = Google("one")
    desk = Desk(google)
    await desk.login(id_token())
    google.away = True
    desk.clock.advance(HOUR / SECOND)
    for _ in range(20):
        await desk.login(id_token(exp=NOW + 999999))
    assert google.asked == 2  # nobody waits for another fetch so soon after one that failed
    desk.clock.advance(24 * 3600)
    with pytest.raises(Unavailable, match="Google's keys cannot be fetched"):
        await desk.login(id_token(exp=NOW + 999999))


async def test_while_google_was_never_reached_nobody_waits_long_and_then_all_is_well() -> None:
    google = Google("one")
    google.away = True
    desk = Desk(google)
    for _ in range(20):
        with pytest.raises(Unavailable):
            await desk.login(id_token())
    assert google.asked == 1
    google.away = False
    desk.clock.advance(5)
    assert (await desk.login(id_token())).name == "Ada L"


def test_other_keys_of_a_set_are_passed_over() -> None:
    good = KEYS["one"].as_dict(private=False)
    other = ECKey.generate_key("P-256", {"kid": "ec"}).as_dict(private=False)
    broken = {"kty": "RSA", "kid": "broken", "n": "!", "e": 5}
    said = {"keys": [other, broken, "text", {"kty": "RSA"}, good]}
    assert list(read_keys(json.dumps(said).encode())) == ["one"]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"keys": []}', b'{"keys": 3}'])
def test_a_set_without_keys_is_an_error(body: bytes) -> None:
    with pytest.raises((ValueError, TypeError)):
        read_keys(body)


async def test_a_login_over_real_sockets_from_a_set_behind_a_url() -> None:
    google = Google("one")

    async def certs(request: web.Request) -> web.Response:
        return web.Response(body=google.key_set(), headers={"Cache-Control": "public, max-age=600, must-revalidate"})

    async def large(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * (1 << 20) + b"x")

    app = web.Application()
    app.add_routes([web.get("/certs", certs), web.get("/large", large)])
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        clock = ManualClock(NOW * SECOND)
        players = Players(clock, Chance(), GoogleKeys(fetch, clock, f"{base}/certs"))
        token = await players.google(SECRET, CLIENT, id_token())
        assert (await players.recognise(SECRET, token)).name == "Ada L"
        assert (await fetch(f"{base}/certs")).max_age == 600
        with pytest.raises(ValueError, match="larger than"):
            await fetch(f"{base}/large")
        elsewhere = Players(clock, Chance(), GoogleKeys(fetch, clock, f"{base}/missing"))
        with pytest.raises(Unavailable):
            await elsewhere.google(SECRET, CLIENT, id_token())
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Cache-Control": "no-store"}, None),
        ({"Cache-Control": "Max-Age=60"}, 60),
        ({"Cache-Control": "private, max-age=60", "Age": "20"}, 40),
        ({"Cache-Control": "max-age=60", "Age": "90"}, 0),
        ({"Cache-Control": "max-age=soon"}, None),
    ],
)
def test_how_long_an_answer_may_be_kept(headers: dict[str, str], expected: float | None) -> None:
    assert max_age(headers) == expected
