"""Where those wait who have read all that there is. The keeper calls them when their organisation has news."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable


class Board:
    """One future for each organisation that somebody waits for."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[None]] = {}

    def watch(self, org_id: str) -> asyncio.Future[None]:
        """Done with the organisation's next news. Watch first and read then, so that none is missed between."""
        found = self._waiting.get(org_id)
        if found is None:
            found = self._waiting[org_id] = asyncio.get_running_loop().create_future()
        return found

    def call(self, org_ids: Iterable[str]) -> None:
        """These have news."""
        for org_id in org_ids:
            found = self._waiting.pop(org_id, None)
            if found is not None and not found.done():
                found.set_result(None)
