"""The house's own API, for clients of an Innkeeper: ``client.house.hosts_v1`` and more. Made by ``hathora.py``."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, overload

from innkeeper.contract.house import HOUSE
from innkeeper.contract.resource import Async, Caller, M, Sync

if TYPE_CHECKING:
    from innkeeper.contract.house.apps_v1 import AppsV1
    from innkeeper.contract.house.audit_v1 import AuditV1
    from innkeeper.contract.house.billing_v1 import BillingV1
    from innkeeper.contract.house.callbacks_v1 import CallbacksV1
    from innkeeper.contract.house.events_v1 import Event, EventsV1
    from innkeeper.contract.house.hosts_v1 import HostsV1
    from innkeeper.contract.house.orgs_v1 import OrgsV1
    from innkeeper.contract.house.releases_v1 import ReleasesV1
    from innkeeper.contract.house.servers_v1 import ServersV1
    from innkeeper.contract.house.tokens_v1 import TokensV1
    from innkeeper.contract.house.webhooks_v1 import WebhooksV1


class House(Generic[M]):
    """The groups of operations that no vendor has: some for every organisation, some for the operator alone."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @cached_property
    def apps_v1(self) -> AppsV1[M]:
        """Apps that come from elsewhere with the id and secret they had, and secrets that change."""
        return self._group("apps_v1")  # type: ignore[no-any-return]

    @cached_property
    def audit_v1(self) -> AuditV1[M]:
        """The audit log: who changed what, or tried to."""
        return self._group("audit_v1")  # type: ignore[no-any-return]

    @cached_property
    def billing_v1(self) -> BillingV1[M]:
        """Accounts and invoices of all organisations."""
        return self._group("billing_v1")  # type: ignore[no-any-return]

    @cached_property
    def callbacks_v1(self) -> CallbacksV1[M]:
        """Callbacks: what a request asked to be told of, posted to the URL that came with it."""
        return self._group("callbacks_v1")  # type: ignore[no-any-return]

    @cached_property
    def events_v1(self) -> EventsV1[M]:
        """What happened to rooms, servers, builds and hosts."""
        return self._group("events_v1")  # type: ignore[no-any-return]

    @cached_property
    def hosts_v1(self) -> HostsV1[M]:
        """Hosts: the machines that servers run on."""
        return self._group("hosts_v1")  # type: ignore[no-any-return]

    @cached_property
    def orgs_v1(self) -> OrgsV1[M]:
        """Organisations of the house, and what they may use."""
        return self._group("orgs_v1")  # type: ignore[no-any-return]

    @cached_property
    def releases_v1(self) -> ReleasesV1[M]:
        """What would be refused of a deployment, told before there is a build."""
        return self._group("releases_v1")  # type: ignore[no-any-return]

    @cached_property
    def servers_v1(self) -> ServersV1[M]:
        """Servers: what runs on the hosts, and what waits for a place there."""
        return self._group("servers_v1")  # type: ignore[no-any-return]

    @cached_property
    def tokens_v1(self) -> TokensV1[M]:
        """Tokens that an admin makes for others."""
        return self._group("tokens_v1")  # type: ignore[no-any-return]

    @cached_property
    def webhooks_v1(self) -> WebhooksV1[M]:
        """Webhooks: what happened, posted to a URL of yours and signed."""
        return self._group("webhooks_v1")  # type: ignore[no-any-return]

    @overload
    def follow_events(
        self: House[Sync],
        *,
        after: int | None = None,
        kinds: Sequence[str] | None = None,
        app_id: str | None = None,
        seen: str | None = None,
    ) -> Generator[Event, None, None]: ...
    @overload
    def follow_events(
        self: House[Async],
        *,
        after: int | None = None,
        kinds: Sequence[str] | None = None,
        app_id: str | None = None,
        seen: str | None = None,
    ) -> AsyncGenerator[Event, None]: ...
    def follow_events(
        self,
        *,
        after: int | None = None,
        kinds: Sequence[str] | None = None,
        app_id: str | None = None,
        seen: str | None = None,
    ) -> Any:
        """Events as they come, without an end: those behind a number first, or from now on.

        It goes on over breaks of the connection and restarts of Innkeeper, where it was; keep the ``number`` of the
        last event to go on after a restart of your own. A connection on which nothing is heard for 45 seconds counts as
        broken. Raises what the server refuses for good: a token that is no longer good, a kind that there is not, and
        :class:`~innkeeper.sdk.Gone` where the server's own numbers are others than those that were read, because it was
        restored from an older backup, or is another one: look at how things stand, and follow anew without ``after``.
        By the number alone that is noticed while the server has not come to it again. Who keeps the last event's id too
        and gives both as ``seen``, such as ``"115:evt-..."``, has it noticed then as well; between connections of one
        call that is done anyway.
        """
        from .clients import AsyncCaller
        from .events import afollow, follow

        caller: Any = self._caller
        if isinstance(caller, AsyncCaller):
            return afollow(caller, after, kinds, app_id, seen)
        return follow(caller, after, kinds, app_id, seen)

    def _group(self, name: str) -> Any:
        return HOUSE.resource(name)(self._caller)
