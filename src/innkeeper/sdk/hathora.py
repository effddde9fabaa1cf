"""Clients of the Hathora Cloud API, sync and async: of an Innkeeper, or of any other server that answers it.

``from innkeeper.sdk import HathoraCloud``. The operations are declared in ``contract/hathora``; this module adds how a
client is made, and the two helpers that take several calls (``uploads.py``, ``waiting.py``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Generic, NoReturn, TypeVar

from innkeeper.contract.hathora import HATHORA
from innkeeper.contract.resource import Async, M, Sync
from innkeeper.contract.shape import GLOBAL

from .clients import AsyncClient, Client, SyncClient
from .engine import Engine
from .hathora_groups import Groups
from .hathora_old import OldGroups
from .wire import AsyncTransport, Transport

if TYPE_CHECKING:
    from innkeeper.contract.hathora.builds_v3 import CreatedBuildV3WithMultipartUrls
    from innkeeper.kit.retry import Backoff

    from .engine import OnRequest, OnResponse, Token
    from .house import House
    from .waiting import ActiveRoom
    from .wire import World

T = TypeVar("T")

#: Told how many bytes of how many are sent.
Progress = Callable[[int, int], object]


class _Hathora(Client[T], Groups[M], OldGroups[M], Generic[M, T]):
    """The vendor's constructor and resources, for both modes."""

    def __init__(
        self,
        token: Token = None,
        *,
        app_id: str | None = None,
        org_id: str | None = None,
        player_token: Token = None,
        server: str | int | None = None,
        server_variables: Mapping[str, str] | None = None,
        timeout: float | None = 60.0,
        retry: Backoff | None = None,
        transport: T | None = None,
        headers: Mapping[str, str] | None = None,
        on_request: OnRequest | None = None,
        on_response: OnResponse | None = None,
        world: World | None = None,
    ) -> None:
        """Make a client; nothing is sent yet.

        ``token`` is an organisation's token, or a function that brings one and is asked for every call; without it
        ``INNKEEPER_TOKEN``, then ``HATHORA_TOKEN`` of the environment are taken. ``player_token`` is used by the calls
        that a player makes (lobbies). ``app_id`` and ``org_id`` stand in wherever a call leaves them out.

        ``server`` is the base URL, which may have a path, or the number of one of the vendor's servers; without it
        ``INNKEEPER_URL`` is taken. Without either a ``ValueError`` is raised: a token goes nowhere that was not named.
        ``server_variables`` fill ``{names}`` in it.

        ``timeout`` is in seconds, for a whole call with all its attempts and waits (None: no limit). ``retry`` says
        when to try again. ``transport`` is another way to send (see ``innkeeper.sdk.transports``).
        ``headers`` go out with every call. ``on_request`` and ``on_response`` are called for every attempt.
        ``world`` is for tests: time and chance.
        """
        environ = os.environ
        if token is None:
            token = environ.get("INNKEEPER_TOKEN") or environ.get("HATHORA_TOKEN")
        if server is None:
            # A stub is its own server.
            server = environ.get("INNKEEPER_URL") or getattr(transport, "server", None)
        if server is None:
            _no_server(type(self).__name__)
        engine = Engine(
            HATHORA.servers,
            server=server,
            server_variables=server_variables,
            tokens={"org": token, "player": player_token},
            defaults={"app_id": app_id, "org_id": org_id},
            timeout=timeout,
            retry=retry,
            headers=headers,
            on_request=on_request,
            on_response=on_response,
            world=world,
        )
        super().__init__(engine, transport)

    @cached_property
    def house(self) -> House[M]:
        """What the operator of an Innkeeper does besides; no other server answers it."""
        from .house import House

        return House(self._caller)


def _no_server(client: str) -> NoReturn:
    raise ValueError(
        f'no server is named: make the client with its URL, {client}(token, server="http://127.0.0.1:8080"), or set '
        f"INNKEEPER_URL (server=0 is the vendor's own, {HATHORA.servers[0]})"
    )


class HathoraCloud(_Hathora[Sync, Transport], SyncClient):
    """A client whose calls return the answer. It may be used from many threads; use it with ``with``, or close it."""

    def upload_build(
        self,
        source: bytes | Path | BinaryIO,
        *,
        build_tag: str | None = None,
        build_id: str | None = None,
        org_id: str = GLOBAL,
        progress: Progress | None = None,
        parallel: int = 4,
    ) -> CreatedBuildV3WithMultipartUrls:
        """Make a build of a gzipped tar and upload it, ``parallel`` parts at a time; then it can be run.

        ``progress`` is told the bytes sent so far and in all. A part that fails is sent again as the client's
        ``retry`` says; the deadline is each request's own. Raises what calls raise.
        """
        from .uploads import opened, upload

        with opened(source) as content:
            return self._run(upload(self._engine, content, build_tag, build_id, org_id, progress, parallel))

    def wait_until_active(
        self, room_id: str, app_id: str = GLOBAL, *, timeout: float = 120.0, every: float = 1.0
    ) -> ActiveRoom:
        """Ask where players connect until the room's server is ready; what is answered has an ``exposed_port``.

        The questions are 0.1 s apart at first, then farther, ``every`` seconds at most. Raises
        :class:`DeadlineExceeded` after ``timeout`` seconds, :class:`AnswerUnreadable` where an active room has no port,
        and whatever the call raises.
        """
        from .waiting import until_active

        return self._run(until_active(self._engine, room_id, app_id, timeout, every))


class AsyncHathoraCloud(_Hathora[Async, AsyncTransport], AsyncClient):
    """A client whose calls are awaited. It may be used in several event loops; use ``async with``, or close it."""

    async def upload_build(
        self,
        source: bytes | Path | BinaryIO,
        *,
        build_tag: str | None = None,
        build_id: str | None = None,
        org_id: str = GLOBAL,
        progress: Progress | None = None,
        parallel: int = 4,
    ) -> CreatedBuildV3WithMultipartUrls:
        """Make a build of a gzipped tar and upload it: see :meth:`HathoraCloud.upload_build`."""
        from .uploads import opened, upload

        with opened(source) as content:
            return await self._run(upload(self._engine, content, build_tag, build_id, org_id, progress, parallel))

    async def wait_until_active(
        self,
        room_id: str,
        app_id: str = GLOBAL,
        *,
        timeout: float = 120.0,  # noqa: ASYNC109 - the same signature in both modes
        every: float = 1.0,
    ) -> ActiveRoom:
        """Wait for a room's server: see :meth:`HathoraCloud.wait_until_active`."""
        from .waiting import until_active

        return await self._run(until_active(self._engine, room_id, app_id, timeout, every))
