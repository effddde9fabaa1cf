"""Google's logins: fetching the keys it signs with, and reading an ID token. Used by ``players.py``.

How the keys are fetched is handed in; ``fetching.py`` has the way that ``inn.py`` uses.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from innkeeper.kit.clock import HOUR, MINUTE, SECOND, Clock
from innkeeper.kit.errors import Unauthorized, Unavailable

from .jwts import key_named_by, signed_claims

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

log = logging.getLogger(__name__)

#: Where Google publishes its keys; a setting, so that a test or a mirror can stand in.
GOOGLE_KEYS_URL = "https://www.googleapis.com/oauth2/v3/certs"
ISSUERS = ("accounts.google.com", "https://accounts.google.com")
#: Clocks may differ by so much.
LEEWAY = MINUTE

#: Keys are believed for as long as the answer says, within these bounds; without a word, for an hour.
_SHORTEST, _LONGEST, _USUAL = 5 * MINUTE, 24 * HOUR, HOUR
#: A token that names a key we do not have makes us look again, but not more often than this.
_LOOK_AGAIN = MINUTE
#: After a failed fetch nobody waits for another until this time is over. Keys that could not be fetched anew are used
#: for a day more.
_PAUSE = 5 * SECOND


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer with status 200."""

    body: bytes
    max_age: float | None  #: seconds for which it may be kept, where the answer says so


#: Gets a URL. Raises anything at all when it cannot.
Fetch = Callable[[str], Awaitable[Fetched]]


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom Google says somebody is."""

    id: str  #: Google's own id of the person, the same for good
    name: str | None


class GoogleKeys:
    """Google's keys, fetched when they are needed, kept while they may be, and kept longer when Google is away."""

    def __init__(self, fetch: Fetch, clock: Clock, url: str = GOOGLE_KEYS_URL) -> None:
        self._fetch, self._clock, self._url = fetch, clock, url
        self._keys: dict[str, RSAKey] = {}
        self._good_until = 0
        self._looked_at = 0
        self._not_before = 0
        self._lock = asyncio.Lock()

    async def key(self, kid: str) -> RSAKey | None:
        """The key of this name, or None. Raises ``Unavailable`` when there are no keys and none can be fetched."""
        if self._must_look(kid):
            async with self._lock:
                if self._must_look(kid):  # else whoever held the lock has fetched them
                    await self._look()
        if self._clock.now() >= self._good_until + _LONGEST:
            raise Unavailable("Google's keys cannot be fetched now; try again in a moment")
        return self._keys.get(kid)

    def _must_look(self, kid: str) -> bool:
        """Whether to fetch before answering."""
        now = self._clock.now()
        if now < self._not_before:
            return False
        return now >= self._good_until or (kid not in self._keys and now >= self._looked_at + _LOOK_AGAIN)

    async def _look(self) -> None:
        try:
            answer = await self._fetch(self._url)
            keys = read_keys(answer.body)
        except Exception as error:
            self._not_before = self._clock.now() + _PAUSE
            log.warning("Google's keys could not be fetched from %s: %r", self._url, error)
            return
        now = self._clock.now()
        stated = _USUAL if answer.max_age is None else int(answer.max_age * SECOND)
        self._keys, self._looked_at = keys, now
        self._good_until = now + min(max(stated, _SHORTEST), _LONGEST)


def read_keys(body: bytes) -> dict[str, RSAKey]:
    """The RSA keys of a published key set, by name; others are passed over. Raises ``ValueError`` when it has none."""
    from joserfc.errors import JoseError
    from joserfc.jwk import RSAKey

    said = json.loads(body)
    keys: dict[str, RSAKey] = {}
    for each in said.get("keys", []) if isinstance(said, dict) else []:
        if isinstance(each, dict) and each.get("kty") == "RSA" and isinstance(each.get("kid"), str):
            try:
                keys[each["kid"]] = RSAKey.import_key(each)
            except (JoseError, ValueError):
                log.warning("one of Google's keys cannot be read and is passed over")
    if not keys:
        raise ValueError("the answer holds no RSA key")
    return keys


async def google_identity(keys: GoogleKeys, client_id: str, id_token: str, now: int) -> Identity:
    """Whom the ID token names. Raises ``Unauthorized`` unless Google signed it, for this client, and it still holds."""
    refused = Unauthorized("idToken: is not a valid ID token of Google's for this App")
    kid = key_named_by(id_token)
    key = None if kid is None else await keys.key(kid)
    claims = None if key is None else signed_claims(id_token, key, "RS256")
    if claims is None:
        raise refused
    subject, ends, made = claims.get("sub"), claims.get("exp"), claims.get("iat", 0)
    if claims.get("iss") not in ISSUERS or claims.get("aud") != client_id:
        raise refused
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255:
        raise refused
    if not isinstance(ends, int | float) or not isinstance(made, int | float):
        raise refused
    if not made * SECOND - LEEWAY <= now < ends * SECOND + LEEWAY:
        raise Unauthorized("idToken: its time is over; log in with Google again")
    name = claims.get("name")
    # Nobody's e-mail address becomes a name that other players see.
    return Identity(subject, name if isinstance(name, str) and name else None)
