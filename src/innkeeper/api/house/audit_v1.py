"""The audit log of the caller's organisation. Declared in ``contract/house/audit_v1.py``."""

from __future__ import annotations

from msgspec import UNSET

from innkeeper.accounts.model import Entry
from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.house.audit_v1 import AuditEntry, AuditPage, AuditV1
from innkeeper.kit.errors import Invalid
from innkeeper.kit.stamps import moment

_USUAL = 100


def entry_data(entry: Entry) -> AuditEntry:
    """A line as this API tells it."""
    return AuditEntry(
        entry_id=entry.id,
        at=moment(entry.at),
        who=entry.who,
        verb=entry.verb,
        subject=entry.subject,
        detail=entry.detail,
        outcome=entry.outcome,
        token_id=UNSET if entry.token_id is None else entry.token_id,
        client=UNSET if entry.client is None else entry.client,
    )


def _after(token: str | None) -> tuple[int, str] | None:
    """What a page's token says: the last line told before."""
    if token is None:
        return None
    at, _, entry_id = token.partition("-")
    if not at.isdecimal() or len(at) > 18 or not entry_id:
        raise Invalid("nextPageToken: it is not one that this list gave out")
    return int(at), entry_id


@implements(AuditV1.get_entries)
async def get_entries(
    visit: Visit,
    *,
    who: str | None = None,
    verb: str | None = None,
    limit: int | None = None,
    next_page_token: str | None = None,
) -> AuditPage:
    most = limit or _USUAL
    found = await visit.wings.audit.history(visit.org, most, before=_after(next_page_token), who=who, verb=verb)
    more = len(found) == most
    return AuditPage(
        entries=[entry_data(entry) for entry in found],
        next_page_token=f"{found[-1].at}-{found[-1].id}" if more else UNSET,
    )
