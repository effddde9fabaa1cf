"""The audit log: who changed what, or tried to. Declared here, answered in ``api/house/audit_v1.py``."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from innkeeper.contract.paging import by_token
from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Camel, Moment, UnsetType

from . import operation


class AuditEntry(Camel):
    """One change that was asked for."""

    entry_id: str
    at: Moment  #: when it was asked for
    who: str  #: e-mail address of the person a token acts for; `innkeeper` for what was done on the machine itself
    verb: str  #: what was asked for: the name of the call, such as `apps_v2.create_app`
    subject: str  #: what it was done to, or what it has made: ids, with `/` between them, an app before what is its
    detail: str  #: what was asked for, such as `kinds=room.* enabled=false`, without secrets; for people
    outcome: str | None  #: `done`, or `refused:` and why; None while it is under way, and where it was broken off
    token_id: str | UnsetType = UNSET  #: the token that was shown, which may be revoked by now
    client: str | UnsetType = UNSET  #: address that it was asked from


class AuditPage(Camel):
    """Some of the log."""

    entries: list[AuditEntry]  #: the newest first
    next_page_token: str | UnsetType = UNSET  #: left out on the last page


class AuditV1(Resource[M]):
    """The audit log of an organisation: who changed what, or tried to. Rooms are no part of it."""

    @operation("GET", "/house/v1/audit", scope="orgs:read", errors=(401, 422), paging=by_token("next_page_token"))
    def get_entries(
        self,
        *,
        who: str | None = None,
        verb: str | None = None,
        limit: Annotated[int, Meta(ge=1, le=1000)] | None = None,
        next_page_token: str | None = None,
    ) -> AuditPage:
        """List what was asked for, the newest first: by anybody or by one person, any verb or one; 100 at a time."""
        ...
