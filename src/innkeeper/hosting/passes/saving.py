"""Keeps the output of servers that have ended in the buckets that were named for it. ``inn.py`` runs its loop.

That it shall be kept is on record from when the server was asked for, and which object it becomes before the first
attempt. So each attempt can be cut off anywhere: the next one writes the same object again. A bucket that does not
take it is asked again for a day. What is kept on the host goes when its own time is over, stored or not.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence

from innkeeper.db.database import Database
from innkeeper.engines.base import HostUnavailable
from innkeeper.hosting.model import Server
from innkeeper.hosting.plans import short_id
from innkeeper.hosting.queries import saved as queries
from innkeeper.hosting.queries.saved import Due
from innkeeper.hosting.storages import StorageDoor
from innkeeper.hosting.storing.bucket import Trouble
from innkeeper.hosting.storing.lines import as_ndjson
from innkeeper.hosting.storing.model import OutputForm, SaveState, after_failure, form_of, key_of
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import Gone, Unavailable
from innkeeper.kit.ids import Chance

log = logging.getLogger(__name__)

#: Attempts at once, of all organisations and of each: a slow store holds up nobody else's.
_MOST, _MOST_OF_EACH = 8, 2
#: Due ones that are looked through for those.
_LOOKED_THROUGH = 200
#: Seconds between two looks, when nobody rings.
_EVERY = 5.0
#: Seconds that one attempt may take in all.
_PATIENCE = 1800.0

#: All that a server has printed. Raises Gone and Unavailable, and KeyError where it printed nothing.
Open = Callable[[Server], AsyncIterator[bytes]]


class Saving:
    """Makes attempts, some at once. ``bell`` is rung when one has ended."""

    def __init__(
        self, db: Database, clock: Clock, chance: Chance, bell: Bell, door: StorageDoor, open_output: Open
    ) -> None:
        self._db, self._clock, self._chance, self.bell = db, clock, chance, bell
        self._door, self._open = door, open_output
        self._tasks: dict[str, tuple[str, asyncio.Task[None]]] = {}  # server -> its organisation, and who tries

    async def keep(self) -> float:
        """Begin the attempts that are due. Returns the seconds until the next look."""
        while len(self._tasks) < _MOST:
            busy = Counter(org_id for org_id, _ in self._tasks.values())
            full = sorted(org_id for org_id, count in busy.items() if count >= _MOST_OF_EACH)
            found = await self._db.read(queries.due, self._clock.now(), _LOOKED_THROUGH, full)
            # One organisation's may fill the page: behind them may be those of others.
            if not self._begin(found, busy) or len(found) < _LOOKED_THROUGH:
                break
        return _EVERY

    def _begin(self, found: Sequence[Due], busy: Counter[str]) -> bool:
        """Begin as many as there may be at once. False: none."""
        before = len(self._tasks)
        for one in found:
            server_id, org_id = one.server.id, one.output.org_id
            if server_id in self._tasks or busy[org_id] >= _MOST_OF_EACH:
                continue
            if len(self._tasks) >= _MOST:
                break
            busy[org_id] += 1
            task = asyncio.create_task(self._save(one))
            self._tasks[server_id] = org_id, task
            task.add_done_callback(lambda done, server_id=server_id: self._done(server_id, done))  # type: ignore[misc]
        return len(self._tasks) > before

    async def rest(self) -> None:
        """Return when no attempt is under way."""
        while self._tasks:
            await asyncio.wait([task for _, task in self._tasks.values()])
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Break off what is under way. The next house tries it again."""
        tasks = [task for _, task in self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _done(self, server_id: str, task: asyncio.Task[None]) -> None:
        self._tasks.pop(server_id, None)
        if not task.cancelled() and task.exception() is not None:
            log.error("keeping the output of server %s failed; it is tried again", server_id, exc_info=task.exception())
        else:
            self.bell.ring()

    async def _save(self, one: Due) -> None:
        output, storage = one.output, one.output.storage
        if storage is None:
            await self._give_up(one, "its endpoint storage was deleted")
            return
        key = output.key or key_of(output.app_name, output.label, short_id(one.server.id), storage.form)
        if output.key is None:
            await self._db.write(queries.begin, one.server.id, key)
        try:
            async with asyncio.timeout(_PATIENCE):
                size = await self._door.buckets.put(self._door.where(storage), key, self._output(one, key))
        except (Trouble, Unavailable, HostUnavailable) as error:
            await self._failed(one, str(error))
        except TimeoutError:
            await self._failed(one, f"it was not done within {_PATIENCE:g} s")
        except Gone as error:
            await self._give_up(one, str(error))
        except Exception:
            log.exception("keeping the output of server %s failed", one.server.id)
            await self._failed(one, "Innkeeper could not do it: its own log says why")
        else:
            await self._db.write(queries.kept, one.server.id, size, self._clock.now())
            log.info("the output of server %s is kept as %s, %d bytes", one.server.id, key, size)

    async def _output(self, one: Due, key: str) -> AsyncIterator[bytes]:
        if one.server.booted_at is None:
            return
        try:
            pieces = self._open(one.server)
        except KeyError:  # it printed nothing
            return
        async for piece in pieces if form_of(key) is OutputForm.TEXT else as_ndjson(pieces):
            yield piece

    async def _give_up(self, one: Due, error: str) -> None:
        await self._db.write(queries.failed, one.server.id, SaveState.GIVEN_UP, None, error, self._clock.now())

    async def _failed(self, one: Due, error: str) -> None:
        now, attempts = self._clock.now(), one.output.attempts + 1
        verdict = after_failure(attempts, one.output.server_ended_at, now, self._chance.fraction())
        await self._db.write(queries.failed, one.server.id, verdict.state, verdict.next_at, error, now)
        log.info(
            "the output of server %s is not kept yet (attempt %d%s): %s", one.server.id, attempts,
            "" if verdict.state is SaveState.WAITING else ", the last", error,
        )  # fmt: skip
