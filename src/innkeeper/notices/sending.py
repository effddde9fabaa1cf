"""Sends a signed event to a URL that a stranger has chosen. Called by ``keeper.py`` and ``webhooks.py``.

No redirect is followed, no proxy used, no cookie kept, and of an answer no more than four kibibytes are read. Unless
``anywhere`` is allowed, the very address that is connected to has to be a public one, whatever the name stood for
before.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from importlib import import_module
from typing import TYPE_CHECKING, Any

from innkeeper import __version__
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import Invalid

from .destinations import is_forbidden, literal_of, not_public
from .model import MOST_TOLD
from .schedule import Answer, retry_after

if TYPE_CHECKING:
    import aiohttp

log = logging.getLogger(__name__)

#: Seconds that a receiver has, from the connection to the head of its answer.
SECONDS = 10.0
_MOST_READ = 4096
#: An idle connection is used again within so many seconds: many servers close it after five.
_KEPT = 2.0


class NotPublic(OSError):
    """A name stands for an address that may not be sent to."""


class Sender:
    """Sends, over connections of its own."""

    def __init__(self, clock: Clock, *, seconds: float = SECONDS) -> None:
        self._clock, self._seconds = clock, seconds
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def send(self, url: str, headers: dict[str, str], body: bytes, *, anywhere: bool) -> Answer:
        """Make one attempt, and say what came of it. Raises nothing but to be cancelled."""
        if not self._sessions:
            await asyncio.to_thread(import_module, "aiohttp")  # a quarter of a second, which nobody else shall wait for
        import aiohttp
        from yarl import URL

        where = URL(url, encoded=True)
        status: int | None = None
        try:
            literal = literal_of(where.host or "")
            if literal is not None and not anywhere and await is_forbidden(str(literal)):
                return Answer(None, not_public(str(literal)))
            async with asyncio.timeout(self._seconds):
                answer = await self._session(anywhere).post(
                    where, headers=headers, data=body, allow_redirects=False, proxy=None
                )
                status = answer.status
                try:
                    text = await _beginning(answer)
                finally:
                    answer.release() if answer.content.at_eof() else answer.close()
            return Answer(status, _told(text), retry_after(answer.headers.get("Retry-After"), self._clock.now()))
        except TimeoutError:
            return Answer(status, "" if status else f"no answer within {self._seconds:g} s")
        except Invalid as error:
            return Answer(None, str(error))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(status, "" if status else _why(error))

    async def close(self) -> None:
        """Let go of all connections."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    def _session(self, anywhere: bool) -> aiohttp.ClientSession:
        """Those who may send anywhere and those who may not share no connection."""
        found = self._sessions.get(anywhere)
        if found is None:
            found = self._sessions[anywhere] = _make(anywhere)
        return found


def _make(anywhere: bool) -> aiohttp.ClientSession:
    import aiohttp
    from aiohttp.abc import AbstractResolver, ResolveResult
    from aiohttp.resolver import ThreadedResolver

    class PublicResolver(AbstractResolver):
        """The addresses that a name stands for, where all of them may be sent to: aiohttp connects to these."""

        def __init__(self) -> None:
            self._inner = ThreadedResolver()

        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            found = await self._inner.resolve(host, port, family)
            for one in found:
                if await is_forbidden(one["host"]):
                    raise NotPublic(not_public(one["host"]))
            return found

        async def close(self) -> None:
            await self._inner.close()

    resolver = ThreadedResolver() if anywhere else PublicResolver()
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEPT, resolver=resolver),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        skip_auto_headers=("accept-encoding",),
        headers={"user-agent": f"innkeeper/{__version__}", "content-type": "application/json", "accept": "*/*"},
        timeout=aiohttp.ClientTimeout(total=None),  # ours is around all of it
    )


async def _beginning(answer: aiohttp.ClientResponse) -> bytes:
    text = b""
    while len(text) < _MOST_READ and (piece := await answer.content.read(_MOST_READ - len(text))):
        text += piece
    return text


def _told(text: bytes) -> str:
    """What a receiver said, fit to be kept and shown: printable, and not long."""
    words = "".join(one if one.isprintable() else " " for one in text.decode("utf-8", "replace"))
    return " ".join(words.split())[:MOST_TOLD]


def _why(error: Exception) -> str:
    """Why there was no answer, in plain words, without the URL."""
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"the certificate is not trusted: {_told(str(error.certificate_error).encode())}"
    inner: Any = getattr(error, "os_error", None) or error
    while isinstance(inner, OSError) and not isinstance(inner, NotPublic) and isinstance(inner.__cause__, NotPublic):
        inner = inner.__cause__
    if isinstance(inner, NotPublic):
        return str(inner)
    if isinstance(inner, socket.gaierror):
        return "there is no host of that name"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the receiver closed the connection without an answer"
    if isinstance(inner, OSError) and inner.errno:
        return f"the connection failed: {os.strerror(inner.errno)}"
    log.debug("a webhook's attempt failed", exc_info=error)
    return f"the connection failed: {_told(type(error).__name__.encode())}"
