"""What many servers print, as one stream. Declared in ``contract/hathora/logs_v1_removed.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.logs_v1_removed import LogV1
from innkeeper.contract.hathora.words import Region
from innkeeper.contract.shape import GLOBAL

from .logs_v1 import USUAL_TAIL
from .words import location_of


@implements(LogV1.get_logs_for_app)
async def get_logs_for_app(
    visit: Visit,
    app_id: str = GLOBAL,
    *,
    follow: bool | None = None,
    tail_lines: int | None = None,
    region: Region | None = None,
) -> AsyncIterator[bytes]:
    return await visit.wings.logs.read_many(
        visit.org,
        app_id,
        location=None if region is None else location_of(region),
        tail=USUAL_TAIL if tail_lines is None else tail_lines,
        follow=bool(follow),
    )


@implements(LogV1.get_logs_for_deployment)
async def get_logs_for_deployment(
    visit: Visit,
    deployment_id: str,
    app_id: str = GLOBAL,
    *,
    follow: bool | None = None,
    tail_lines: int | None = None,
) -> AsyncIterator[bytes]:
    releases = visit.wings.releases
    if deployment_id.isdecimal() and deployment_id.isascii() and len(deployment_id) <= 18:
        release = await releases.numbered(visit.org, app_id, int(deployment_id))
    else:
        release = await releases.get(visit.org, app_id, deployment_id)
    return await visit.wings.logs.read_many(
        visit.org,
        app_id,
        release_id=release.id,
        tail=USUAL_TAIL if tail_lines is None else tail_lines,
        follow=bool(follow),
    )
