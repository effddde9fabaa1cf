"""What servers print. Declared here, answered in ``api/hathora/logs_v1.py``."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, told

from . import stream
from .words import READ, AppId, ProcessId

TailLines = Annotated[int, Meta(ge=1, le=5000), told(default=100)]


class LogsV1(Resource[M]):
    """What servers print, live and afterwards."""

    @stream("GET", "/logs/v1/{appId}/process/{processId}", scope="processes:read", errors=(400, *READ, 410, 500))
    def get_logs_for_process(
        self,
        process_id: ProcessId,
        app_id: AppId = GLOBAL,
        *,
        follow: bool | None = None,
        tail_lines: TailLines | None = None,
    ) -> None:
        """Read the last lines of a server's output, 100 unless told.

        With ``follow`` also those that come, as they come, until it ends.
        """
        ...

    @stream("GET", "/logs/v1/{appId}/process/{processId}/download", scope="processes:read", errors=(400, *READ, 410))
    def download_log_for_process(self, process_id: ProcessId, app_id: AppId = GLOBAL) -> None:
        """Read all output of a server that is kept."""
        ...
