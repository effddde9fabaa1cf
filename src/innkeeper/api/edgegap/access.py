"""Answers to the rules of access in ``contract/edgegap/applications.py``."""

from __future__ import annotations

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.edgegap.applications import (
    Applications,
    AppVersionWhitelistEntry,
    AppVersionWhitelistEntryPayload,
    AppVersionWhitelistEntrySuccess,
    AppVersionWhitelistResponse,
)
from innkeeper.contract.shape import UNSET
from innkeeper.hosting.queries.access import Rule


def _told(rule: Rule) -> AppVersionWhitelistEntry:
    return AppVersionWhitelistEntry(
        id=rule.id, cidr=rule.cidr, label=UNSET if rule.note is None else rule.note, is_active=bool(rule.active)
    )


@implements(Applications.create_whitelist_entry)
async def create_whitelist_entry(
    visit: Visit, params: AppVersionWhitelistEntryPayload, app_name: str, version_name: str
) -> AppVersionWhitelistEntrySuccess:
    rule = await visit.wings.access.add(
        visit.org, app_name, version_name, params.cidr, params.label or None, active=params.is_active is not False
    )
    return AppVersionWhitelistEntrySuccess(success=True, whitelist_entry=_told(rule))


@implements(Applications.list_whitelist_entries)
async def list_whitelist_entries(visit: Visit, app_name: str, version_name: str) -> AppVersionWhitelistResponse:
    rules = await visit.wings.access.all(visit.org, app_name, version_name)
    return AppVersionWhitelistResponse(whitelist_entries=[_told(rule) for rule in rules])


@implements(Applications.get_whitelist_entry)
async def get_whitelist_entry(
    visit: Visit, app_name: str, version_name: str, entry_id: str
) -> AppVersionWhitelistEntry:
    return _told(await visit.wings.access.get(visit.org, app_name, version_name, entry_id))


@implements(Applications.delete_whitelist_entry)
async def delete_whitelist_entry(
    visit: Visit, app_name: str, version_name: str, entry_id: str
) -> AppVersionWhitelistEntrySuccess:
    rule = await visit.wings.access.remove(visit.org, app_name, version_name, entry_id)
    return AppVersionWhitelistEntrySuccess(success=True, whitelist_entry=_told(rule))
