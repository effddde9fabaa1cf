"""Reading JWTs that strangers send. Used by ``players.py`` and ``google.py``; both say themselves what claims mean.

The algorithm is always ours to choose, never the token's. ``joserfc`` is loaded by whoever first needs it: it takes a
third of a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from joserfc.jwk import OctKey, RSAKey

#: A token longer than this is not read.
MOST_CHARACTERS = 8192


def signed_claims(token: str, key: OctKey | RSAKey, algorithm: str) -> dict[str, Any] | None:
    """What the token claims; None unless this key signed it with this algorithm."""
    from joserfc import jwt

    if len(token) > MOST_CHARACTERS:
        return None
    try:
        return jwt.decode(token, key, [algorithm]).claims
    except Exception:
        # Not only JoseError: some malformed headers make the library stumble (TypeError, RecursionError). Whatever it
        # stumbles over, the token is not good; and the cause may hold the token, so it goes no further.
        return None


def key_named_by(token: str) -> str | None:
    """The name of the key that the token says it is signed with; None where it says nothing that can be read."""
    from joserfc import jws

    if len(token) > MOST_CHARACTERS:
        return None
    try:
        name = jws.extract_compact(token.encode()).headers().get("kid")
    except Exception:  # as above
        return None
    return name if isinstance(name, str) else None
