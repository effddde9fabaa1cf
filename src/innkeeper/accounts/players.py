"""Players' logins: tokens that an App's secret signs and that its game servers can check without asking us.

A player's token is a JWT, signed with HS256 and the App's secret; its header is ``{"alg":"HS256","typ":"JWT"}`` and its
claims are ``type``, ``id``, ``name`` and ``iat``. It has no end. Studios may sign their own in the same format.
Called by the login and lobby doors, which know whether an App allows a kind of login and what its secret is.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from innkeeper.kit.clock import HOUR, SECOND, Clock
from innkeeper.kit.errors import Invalid, Unauthorized
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import digest

from .google import GoogleKeys, google_identity
from .jwts import signed_claims
from .names import made_up_name
from .remembered import Remembered

if TYPE_CHECKING:
    from joserfc.jwk import OctKey

ALGORITHM = "HS256"
MOST_NICKNAME_CHARACTERS = 200
MOST_REMEMBERED = 10_000
_ID_CHARACTERS = 11


class Login(StrEnum):
    """How a player said who they are."""

    ANONYMOUS = "anonymous"  #: they did not
    NICKNAME = "nickname"  #: by a name of their choice, which anybody may choose
    GOOGLE = "google"  #: Google says so


@dataclass(frozen=True, slots=True)
class Player:
    """A player who is logged in to one App."""

    id: str | int  #: theirs for good with Google, for this login otherwise; a studio's own tokens may use numbers
    kind: str  #: a :class:`Login`, or what a studio writes into its own tokens
    name: str | None


def mint(secret: str, kind: Login, player_id: str, name: str, now: int) -> str:
    """A player's token. ``now`` is in microseconds. Pure: the same values make the same token."""
    from joserfc import jwt

    claims: dict[str, Any] = {"type": kind.value, "id": player_id, "name": name, "iat": now // SECOND}
    header = {"alg": ALGORITHM, "typ": "JWT"}
    return jwt.encode(header, claims, _key(secret), [ALGORITHM], default_type=None)


def check(secret: str, token: str, now: int) -> tuple[Player, float]:
    """The player whose token this is, and when it ends (microseconds; infinite for never, as ours do).

    Raises ``Unauthorized`` for a token that this secret did not sign, with another algorithm (``none`` above all), or
    that is over; and for one that names no player.
    """
    claims = signed_claims(token, _key(secret), ALGORITHM)
    if claims is None:
        raise Unauthorized("the player's token is not one of this App")
    player_id, kind, name, ends = (claims.get(key) for key in ("id", "type", "name", "exp"))
    if not isinstance(player_id, str | int) or isinstance(player_id, bool) or player_id == "":
        raise Unauthorized("the player's token has no id")
    if ends is None:
        ends = math.inf
    if not isinstance(ends, int | float) or not now < ends * SECOND:
        raise Unauthorized("the player's token is over; log in again")
    player = Player(player_id, kind if isinstance(kind, str) else "", name if isinstance(name, str) else None)
    return player, ends * SECOND


@lru_cache(maxsize=1024)
def _key(secret: str) -> OctKey:
    from joserfc.jwk import OctKey

    return OctKey.import_key(secret)


class Players:
    """Verbs on logins. ``secret`` is always the App's secret."""

    def __init__(self, clock: Clock, chance: Chance, google: GoogleKeys) -> None:
        self._clock, self._chance, self._google = clock, chance, google
        self._known: Remembered[str, Player] = Remembered(MOST_REMEMBERED, clock.now)
        self._ready = False

    async def anonymous(self, secret: str) -> str:
        """A token for somebody new, with a name that is made up."""
        return await self._mint(secret, Login.ANONYMOUS, self._new_id(), made_up_name(self._chance))

    async def nickname(self, secret: str, nickname: str) -> str:
        """A token for somebody new, with the name they gave. Raises ``Invalid`` for one that is empty or too long."""
        if not 1 <= len(nickname) <= MOST_NICKNAME_CHARACTERS:
            raise Invalid(f"nickname: must have from 1 to {MOST_NICKNAME_CHARACTERS} characters")
        return await self._mint(secret, Login.NICKNAME, self._new_id(), nickname)

    async def google(self, secret: str, client_id: str, id_token: str) -> str:
        """A token for the person that Google's ``id_token`` names, whose id is the same at every login.

        ``client_id`` is the App's, for which the ``id_token`` must have been made. Raises ``Unauthorized`` for one that
        is not good, ``Unavailable`` when Google's keys cannot be had.
        """
        await self._prepare()
        who = await google_identity(self._google, client_id, id_token, self._clock.now())
        return await self._mint(secret, Login.GOOGLE, who.id, who.name or made_up_name(self._chance))

    async def recognise(self, secret: str, token: str) -> Player:
        """The player whose token this is. Raises ``Unauthorized``; see :func:`check`."""
        key = digest(f"{secret}\n{token}")
        player = self._known.get(key)
        if player is None:
            await self._prepare()
            now = self._clock.now()
            player, ends = check(secret, token, now)
            self._known.keep(key, player, int(min(now + HOUR, ends)))
        return player

    def _new_id(self) -> str:
        return self._chance.base36(_ID_CHARACTERS)

    async def _mint(self, secret: str, kind: Login, player_id: str, name: str) -> str:
        await self._prepare()
        return mint(secret, kind, player_id, name, self._clock.now())

    async def _prepare(self) -> None:
        """Load what signs and checks, off the loop: it takes a third of a second the first time."""
        if not self._ready:
            await asyncio.to_thread(import_module, "joserfc.jwt")
            self._ready = True
