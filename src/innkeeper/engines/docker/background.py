"""Work that nobody waits for: its failures are told in the log. Used by the modules of this folder."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from innkeeper.engines.base import HostUnavailable

log = logging.getLogger(__name__)


def tell_failure(doing: str) -> Callable[[asyncio.Task[Any]], None]:
    """A callback for a task: tells that ``doing`` failed. That the host does not answer is the link's to tell."""

    def tell(task: asyncio.Task[Any]) -> None:
        if task.cancelled() or (error := task.exception()) is None or isinstance(error, HostUnavailable):
            return
        log.error("%s failed", doing, exc_info=error)

    return tell
