"""What servers print. Declared in ``contract/hathora/logs_v1.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.logs_v1 import LogsV1
from innkeeper.contract.shape import GLOBAL

#: Lines told when nobody says how many.
USUAL_TAIL = 100


@implements(LogsV1.get_logs_for_process)
async def get_logs_for_process(
    visit: Visit, process_id: str, app_id: str = GLOBAL, *, follow: bool | None = None, tail_lines: int | None = None
) -> AsyncIterator[bytes]:
    tail = USUAL_TAIL if tail_lines is None else tail_lines
    return await visit.wings.logs.read(visit.org, app_id, process_id, tail=tail, follow=bool(follow))


@implements(LogsV1.download_log_for_process)
async def download_log_for_process(visit: Visit, process_id: str, app_id: str = GLOBAL) -> AsyncIterator[bytes]:
    return await visit.wings.logs.read(visit.org, app_id, process_id, tail=None, follow=False)
