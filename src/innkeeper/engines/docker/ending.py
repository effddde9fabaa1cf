"""Finds out how a container ended: from its engine, the kernel and its last words. Called by ``containers``."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from innkeeper.engines.base import Ended, HostUnavailable
from innkeeper.kit.clock import Clock

from . import raw
from .client import Client, DockerError
from .records import Record
from .verdict import Death, verdict

_LATE, _LOOKS = 0.2, 6  # Podman may know of an end before it has written down the output: seconds, and how often
_WORDS, _WORD_LINES = 400, 10  # bytes and lines of output that are told of who never was ready


async def ended(client: Client, record: Record, state: Mapping[str, Any], clock: Clock) -> Ended:
    """How it ended, ``state`` being what the engine says. The time is the clock's, if the engine does not tell it."""
    exit_code, note = int(state.get("ExitCode") or 0), record.note
    if record.local is not None and not note.memory and record.local.oom_kills():
        note.memory = True
    was_ready = record.report.ready_at is not None and bool(record.awaited)
    death = Death(
        exit_code,
        asked=note.asked,
        killed=note.killed,
        memory=note.memory or bool(state.get("OOMKilled")),
        memory_known=client.kind == "docker" or record.local is not None,
        ready=was_ready,
        words="" if note.asked or was_ready or exit_code == 0 else await _last_words(client, record.container, clock),
        architecture=client.architecture,
    )
    by, code, detail = verdict(death)
    return Ended(by, code, max(micros(state.get("FinishedAt")) or clock.now(), record.report.started_at), detail)


async def _last_words(client: Client, container: str, clock: Clock) -> str:
    words = b""
    for left in reversed(range(_LOOKS if client.kind == "podman" else 1)):
        with contextlib.suppress(HostUnavailable, DockerError):
            async for text in raw.logs(client, container, tail=_WORD_LINES, follow=False):
                words = (words + text)[-_WORDS:]
        if words or not left:
            break
        await clock.sleep(_LATE)
    return words.decode("utf-8", "replace").strip()


def micros(stamp: str | None) -> int:
    """An engine's time in microseconds since the epoch; 0 for none. Engines tell nanoseconds."""
    if not stamp or stamp.startswith("0001-"):
        return 0
    whole, dot, rest = stamp.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))] if dot else ""
    moment = datetime.fromisoformat((whole + rest[len(digits) :]).replace("Z", "+00:00"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp()) * 1_000_000 + int((digits + "000000")[:6])
