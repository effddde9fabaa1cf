"""Keeps the trouble of one from being that of all: a pass goes on with the others. Used by the keepers of this wing."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager

from innkeeper.kit.clock import MINUTE, Clock
from innkeeper.kit.errors import Unavailable

log = logging.getLogger(__name__)

#: How long one that failed is left alone, in microseconds.
_HOLD = MINUTE


class Holding:
    """Which of the things that a keeper looks at are left alone for a while, by their ids."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[str, int] = {}

    def free(self, id: str) -> bool:
        """Whether it may be looked at now."""
        until = self._until.get(id)
        if until is None or until <= self._clock.now():
            self._until.pop(id, None)
            return True
        return False

    @contextmanager
    def one(self, id: str, what: str) -> Generator[None]:
        """Look at it inside. What nobody foresaw is told in the log, and it is left alone for a minute.

        That the house itself cannot go on (:class:`Unavailable`) is raised: it is nobody's own trouble.
        """
        try:
            yield
        except Unavailable:
            raise
        except Exception:
            log.exception("%s %s is left alone for a minute", what, id)
            now = self._clock.now()
            self._until = {other: until for other, until in self._until.items() if until > now}
            self._until[id] = now + _HOLD
