"""Connections to PostgreSQL, made when they are needed and kept for the next one. Used by ``postgres.py``.

asyncpg's own pool asks the server to reset a connection at each return, which costs as much as a read of ours.
"""

from __future__ import annotations

import asyncio
import contextlib

import asyncpg

from .postgres_errors import not_connected

_CONNECT_WITHIN = 10
# Success is answered after the commit is on disk; a server may be set up to promise less.
_DURABLE = "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'"


class Lines:
    """At most ``most`` connections to one database."""

    def __init__(self, url: str, place: str, most: int, patience: float | None, *, read_only: bool) -> None:
        self._url, self._place, self._patience = url, place, patience
        self._free = asyncio.Semaphore(most)
        self._idle: list[asyncpg.Connection] = []
        self._settings = {
            "application_name": "innkeeper",
            "default_transaction_read_only": "on" if read_only else "off",
            "jit": "off",  # it takes longer than our statements
            # Where others hold what we need, an error is better than to stand still.
            "lock_timeout": str(round((patience or 0) * 1000 / 3)),
        }

    async def take(self) -> asyncpg.Connection:
        """A connection that is nobody else's until it is given back. Waits for one; raises DatabaseUnavailable."""
        await self._free.acquire()
        try:
            while self._idle:
                line = self._idle.pop()
                if not line.is_closed():
                    return line
            return await self._connect()
        except BaseException:
            self._free.release()
            raise

    def give(self, line: asyncpg.Connection) -> None:
        """Give a connection back; a closed one is forgotten."""
        if not line.is_closed():
            self._idle.append(line)
        self._free.release()

    async def close(self) -> None:
        """Close those that are idle."""
        idle, self._idle = self._idle, []
        for line in idle:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await line.close(timeout=5)

    async def _connect(self) -> asyncpg.Connection:
        try:
            line = await asyncpg.connect(
                self._url,
                timeout=_CONNECT_WITHIN,
                command_timeout=self._patience,
                statement_cache_size=1024,
                max_cached_statement_lifetime=0,
                server_settings=self._settings,
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            raise not_connected(error, self._place) from None  # its chain may show the password
        try:
            # `sum` of whole numbers is a decimal number to PostgreSQL, a whole one to SQLite and to us.
            await line.set_type_codec("numeric", schema="pg_catalog", encoder=str, decoder=_number)
            await line.execute(_DURABLE)
        except BaseException as error:
            line.terminate()
            if isinstance(error, (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
                raise not_connected(error, self._place) from None
            raise
        return line


def _number(text: str) -> int | float:
    return float(text) if "." in text or text == "NaN" else int(text)
