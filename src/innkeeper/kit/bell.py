"""A bell: rung when there may be work, awaited by the keeper who does it.

It carries no message on purpose. A keeper looks at the database and finds out what there is to do, so that the
woken pass and the periodic pass are the same code.
"""

from __future__ import annotations

import asyncio


class Bell:
    """Ring it from the event loop's thread; any number of rings before a wait count as one."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """There may be work."""
        self._event.set()

    @property
    def rung(self) -> bool:
        """Whether it was rung since the last wait ended."""
        return self._event.is_set()

    async def wait(self) -> None:
        """Return once it was rung, and be ready for the next ring."""
        await self._event.wait()
        self._event.clear()
