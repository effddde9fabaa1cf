"""Signed links for uploads: whoever holds one may send the parts of one build, for a day, and nothing else.

Made when a build is created, read by the doors that take uploads.
"""

from __future__ import annotations

from innkeeper.kit.clock import HOUR, Clock
from innkeeper.kit.secrets import derive_key, sign, verify

#: How long a link is good for, in microseconds. An upload that takes longer is given up as well.
LINK_LIFE = 24 * HOUR


class UploadLinks:
    """Makes and reads the token inside an upload link."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key, self._clock = derive_key(key, "upload links"), clock

    def make(self, build_key: str) -> str:
        """A token that allows sending the parts of a build."""
        return sign(self._key, build_key, self._clock.now() + LINK_LIFE)

    def read(self, token: str) -> str:
        """The build's key. Raises Unauthorized for a token that is not ours or too old."""
        return verify(self._key, token, self._clock.now())
