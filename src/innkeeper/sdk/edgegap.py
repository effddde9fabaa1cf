"""Clients of the Edgegap API, sync and async: of the vendor, or of an Innkeeper.

``from innkeeper.sdk import Edgegap``. The operations are declared in ``contract/edgegap``; this module adds how a
client is made and the helpers that take several calls (``edgegap_waiting.py``). What a game server asks about itself
from inside is in ``edgegap_inside.py``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urlsplit

from innkeeper.contract.edgegap import EDGEGAP
from innkeeper.contract.resource import Async, M, Sync

from .clients import AsyncClient, Client, SyncClient
from .edgegap_groups import Groups
from .engine import Engine
from .wire import AsyncTransport, Transport

if TYPE_CHECKING:
    from innkeeper.contract.edgegap.deployments import Status
    from innkeeper.contract.edgegap.sessions import SessionGet
    from innkeeper.kit.retry import Backoff

    from .edgegap_inside import AsyncInside, Inside
    from .edgegap_waiting import Progress, Wanted
    from .engine import OnRequest, OnResponse, Token
    from .wire import World

T = TypeVar("T")


def whom(
    token: Token, server: str | int | None, stub: str | None, environ: Mapping[str, str]
) -> tuple[Token, str | int]:
    """Which token goes to which server, where the caller has not said both.

    The vendor is asked unless another server is named. A token of an Innkeeper (``INNKEEPER_TOKEN``) never goes to the
    vendor by itself.
    """
    if server is None:
        server = environ.get("INNKEEPER_URL") or environ.get("EDGEGAP_BASE_URL") or stub or 0
    if token is None:
        names = ["EDGEGAP_TOKEN", "EDGEGAP_API_TOKEN"]
        for name in names if _is_vendors(server) else ["INNKEEPER_TOKEN", *names]:
            if environ.get(name):
                return environ[name], server
    return token, server


def _is_vendors(server: str | int) -> bool:
    """Whether a server is the vendor's, or one of those that the vendor has for trials."""
    if isinstance(server, int):
        return True
    try:
        host = (urlsplit(server).hostname or "").rstrip(".")
    except ValueError:
        return False  # the client says what is wrong with it
    return f".{host}".endswith(".edgegap.com")


class _Edgegap(Client[T], Groups[M], Generic[M, T]):
    """The vendor's constructor and resources, for both modes."""

    def __init__(
        self,
        token: Token = None,
        *,
        secret: Token = None,
        server: str | int | None = None,
        timeout: float | None = 60.0,
        retry: Backoff | None = None,
        transport: T | None = None,
        headers: Mapping[str, str] | None = None,
        on_request: OnRequest | None = None,
        on_response: OnResponse | None = None,
        world: World | None = None,
    ) -> None:
        """Make a client; nothing is sent yet.

        ``token`` is an organisation's token, with the word ``token`` before it or without, or a function that brings
        one and is asked for every call; without it ``EDGEGAP_TOKEN``, then ``EDGEGAP_API_TOKEN`` of the environment are
        taken, and before them ``INNKEEPER_TOKEN`` unless the server is the vendor's. ``secret`` is what a game server
        was given for calls about itself; :meth:`inside` takes it from where it stands.

        ``server`` is the base URL, which may have a path and end in a slash, or 0, which is the vendor's. Without it
        ``INNKEEPER_URL``, then ``EDGEGAP_BASE_URL`` are taken, and without either the vendor is asked.

        ``timeout`` is in seconds, for a whole call with all its attempts and waits (None: no limit). ``retry`` says
        when to try again. ``transport`` is another way to send (see ``innkeeper.sdk.transports``).
        ``headers`` go out with every call. ``on_request`` and ``on_response`` are called for every attempt.
        ``world`` is for tests: time and chance.
        """
        token, server = whom(token, server, getattr(transport, "server", None), os.environ)
        engine = Engine(
            EDGEGAP.servers,
            server=server,
            tokens={"org": token, "server": secret},
            defaults={},
            timeout=timeout,
            retry=retry,
            headers=headers,
            on_request=on_request,
            on_response=on_response,
            world=world,
        )
        super().__init__(engine, transport)


class Edgegap(_Edgegap[Sync, Transport], SyncClient):
    """A client whose calls return the answer. It may be used from many threads; use it with ``with``, or close it."""

    @classmethod
    def inside(
        cls,
        environ: Mapping[str, str] | None = None,
        *,
        timeout: float | None = 60.0,
        retry: Backoff | None = None,
        transport: Transport | None = None,
        world: World | None = None,
    ) -> Inside:
        """The deployment that this program runs in, as its environment tells it (``ARBITRIUM_...``).

        The rest is as for the client. Raises ``ValueError`` where nothing of it is set.
        """
        from .edgegap_inside import Inside, doors

        found = doors(os.environ if environ is None else environ)
        # A game server has no token of the organisation, and takes none from its surroundings.
        client = cls("", server=found.server, timeout=timeout, retry=retry, transport=transport, world=world)
        return Inside(found, client)

    def deploy(self, params: Wanted) -> str:
        """Start a deployment and return its id at once; nothing runs yet.

        A ``DeployModel`` is asked for by V1; a ``DeploymentCreate``, and one for a private fleet, by V2.
        """
        from .edgegap_waiting import deploy

        return self._run(deploy(self._engine, params))

    def deploy_and_wait(
        self, params: Wanted, *, timeout: float = 120.0, every: float = 1.0, progress: Progress | None = None
    ) -> Status:
        """Start a deployment and wait until players can connect; ``timeout`` is for all of it.

        Raises what :meth:`wait_until_ready` raises; the deployment stands then: the ``request_id`` of
        :class:`DeploymentFailed` and :class:`WaitTimedOut` is its id, to look into it or to stop it, and any other
        error has a note that names it.
        """
        from .edgegap_waiting import deploy_and_wait

        return self._run(deploy_and_wait(self._engine, params, timeout, every, progress))

    def wait_until_ready(
        self, request_id: str, *, timeout: float = 120.0, every: float = 1.0, progress: Progress | None = None
    ) -> Status:
        """Ask how a deployment stands until players can connect. ``progress`` is told each answer.

        The questions are 0.1 s apart at first, then farther, ``every`` seconds at most. Raises
        :class:`DeploymentFailed`, which says why, once it has failed or is stopped, :class:`WaitTimedOut` (a
        :class:`DeadlineExceeded`) with the last state after ``timeout`` seconds, and whatever the call raises.
        """
        from .edgegap_waiting import until_ready

        return self._run(until_ready(self._engine, request_id, timeout, every, progress))

    def wait_until_terminated(self, request_id: str, *, timeout: float = 120.0, every: float = 1.0) -> Status | None:
        """Ask how a deployment stands until it has ended; None where it is not known any more by then.

        Nothing is stopped by it. Raises :class:`WaitTimedOut` and whatever the call raises.
        """
        from .edgegap_waiting import until_terminated

        return self._run(until_terminated(self._engine, request_id, timeout, every))

    def stop_and_wait(self, request_id: str, *, timeout: float = 120.0, every: float = 1.0) -> Status | None:
        """Stop a deployment and wait until it has ended. One that had ended before is no error (None is returned)."""
        from .edgegap_waiting import stop

        return self._run(stop(self._engine, request_id, timeout, every))

    def wait_for_session(self, session_id: str, *, timeout: float = 60.0, every: float = 0.5) -> SessionGet:
        """Ask how a session stands until it is linked to a deployment that is ready.

        Raises :class:`SessionFailed`, which says why, where there will be none, :class:`WaitTimedOut`, and whatever the
        call raises.
        """
        from .edgegap_waiting import until_linked

        return self._run(until_linked(self._engine, session_id, timeout, every))


class AsyncEdgegap(_Edgegap[Async, AsyncTransport], AsyncClient):
    """A client whose calls are awaited. It may be used in several event loops; use ``async with``, or close it."""

    @classmethod
    def inside(
        cls,
        environ: Mapping[str, str] | None = None,
        *,
        timeout: float | None = 60.0,
        retry: Backoff | None = None,
        transport: AsyncTransport | None = None,
        world: World | None = None,
    ) -> AsyncInside:
        """The deployment that this program runs in: see :meth:`Edgegap.inside`."""
        from .edgegap_inside import AsyncInside, doors

        found = doors(os.environ if environ is None else environ)
        # A game server has no token of the organisation, and takes none from its surroundings.
        client = cls("", server=found.server, timeout=timeout, retry=retry, transport=transport, world=world)
        return AsyncInside(found, client)

    async def deploy(self, params: Wanted) -> str:
        """Start a deployment and return its id at once: see :meth:`Edgegap.deploy`."""
        from .edgegap_waiting import deploy

        return await self._run(deploy(self._engine, params))

    async def deploy_and_wait(
        self,
        params: Wanted,
        *,
        timeout: float = 120.0,  # noqa: ASYNC109 - the same signature in both modes
        every: float = 1.0,
        progress: Progress | None = None,
    ) -> Status:
        """Start a deployment and wait until players can connect: see :meth:`Edgegap.deploy_and_wait`."""
        from .edgegap_waiting import deploy_and_wait

        return await self._run(deploy_and_wait(self._engine, params, timeout, every, progress))

    async def wait_until_ready(
        self,
        request_id: str,
        *,
        timeout: float = 120.0,  # noqa: ASYNC109 - as above
        every: float = 1.0,
        progress: Progress | None = None,
    ) -> Status:
        """Wait until players can connect: see :meth:`Edgegap.wait_until_ready`."""
        from .edgegap_waiting import until_ready

        return await self._run(until_ready(self._engine, request_id, timeout, every, progress))

    async def wait_until_terminated(
        self,
        request_id: str,
        *,
        timeout: float = 120.0,  # noqa: ASYNC109 - as above
        every: float = 1.0,
    ) -> Status | None:
        """Wait until a deployment has ended: see :meth:`Edgegap.wait_until_terminated`."""
        from .edgegap_waiting import until_terminated

        return await self._run(until_terminated(self._engine, request_id, timeout, every))

    async def stop_and_wait(
        self,
        request_id: str,
        *,
        timeout: float = 120.0,  # noqa: ASYNC109 - as above
        every: float = 1.0,
    ) -> Status | None:
        """Stop a deployment and wait until it has ended: see :meth:`Edgegap.stop_and_wait`."""
        from .edgegap_waiting import stop

        return await self._run(stop(self._engine, request_id, timeout, every))

    async def wait_for_session(
        self,
        session_id: str,
        *,
        timeout: float = 60.0,  # noqa: ASYNC109 - as above
        every: float = 0.5,
    ) -> SessionGet:
        """Wait for a session's deployment: see :meth:`Edgegap.wait_for_session`."""
        from .edgegap_waiting import until_linked

        return await self._run(until_linked(self._engine, session_id, timeout, every))
