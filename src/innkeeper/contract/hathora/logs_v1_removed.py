"""What many servers print, as one stream: two operations that the vendor took away in 2024. ``logs_v1.py`` took over.

Declared here, answered in ``api/hathora/logs_v1_removed.py``.
"""

from __future__ import annotations

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL

from . import stream
from .logs_v1 import TailLines
from .words import AppId, Region

_ERRORS = (401, 404)


class LogV1(Resource[M]):
    """What many servers print, as one stream."""

    @stream(
        "GET", "/logs/v1/{appId}/all", scope="processes:read", errors=_ERRORS,
        replaced_by="logs_v1.get_logs_for_process",
    )  # fmt: skip
    def get_logs_for_app(
        self,
        app_id: AppId = GLOBAL,
        *,
        follow: bool | None = None,
        tail_lines: TailLines | None = None,
        region: Region | None = None,
    ) -> None:
        """Read the last lines of all servers of an application, 100 in all unless told, the oldest server's first.

        With ``follow`` also those that come, of servers that start later too, until the caller goes. Lines are whole;
        which server printed one is not told.
        """
        ...

    @stream(
        "GET", "/logs/v1/{appId}/deployment/{deploymentId}", scope="processes:read", errors=_ERRORS,
        replaced_by="logs_v1.get_logs_for_process",
    )  # fmt: skip
    def get_logs_for_deployment(
        self,
        deployment_id: str,
        app_id: AppId = GLOBAL,
        *,
        follow: bool | None = None,
        tail_lines: TailLines | None = None,
    ) -> None:
        """Read the last lines of all servers of a deployment, 100 in all unless told, the oldest server's first.

        The deployment is named by its number or by its id. With ``follow`` also the lines that come, of servers that
        start later too, until the caller goes. Lines are whole; which server printed one is not told.
        """
        ...
