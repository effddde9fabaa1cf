"""Ends all that an Innkeeper left running on this machine. Called by ``demo`` when it is over, and by tests.

The Innkeeper itself must have ended. Servers are ended by the engine that knows them, so that none is missed, not
even one whose start was never recorded.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

from innkeeper.engines.process.engine import ProcessEngine
from innkeeper.kit.clock import Clock, SystemClock

_LOOK = 0.02


async def end_all(folder: Path, *, grace: float = 0.0, seconds: float = 30.0, clock: Clock | None = None) -> int:
    """End the servers of a data folder and their spawner; returns how many servers there were.

    ``grace`` is the seconds between SIGTERM and SIGKILL. Raises TimeoutError when they have not ended in time.
    """
    if not (folder / "run").is_dir():
        return 0
    clock = clock or SystemClock()
    engine = ProcessEngine(folder, clock, linger=0.5)
    await engine.open()
    spawner = engine.spawner_pid
    try:
        async with asyncio.timeout(seconds):
            alive = [server_id for server_id, report in engine.reports().items() if report.alive]
            for server_id in alive:
                await engine.stop(server_id, grace)
            while any(report.alive for report in engine.reports().values()):
                await clock.sleep(_LOOK)
            for server_id in engine.reports():
                await engine.forget(server_id)
                await engine.discard(server_id)
    finally:
        await engine.close()
    with contextlib.suppress(ProcessLookupError):
        os.kill(spawner, signal.SIGTERM)
    async with asyncio.timeout(seconds):
        while _runs(spawner):
            await clock.sleep(_LOOK)
    _let_go(engine.homes, folder)
    return len(alive)


def _let_go(homes: Path, folder: Path) -> None:
    """Remove the servers' scratch folder where it could not be in the data folder, and so does not go with that."""
    if not homes.is_relative_to(folder.resolve()):
        with contextlib.suppress(OSError):  # whatever is left inside is not ours to delete
            homes.rmdir()


def _runs(pid: int) -> bool:
    """Whether a process lives; one that only waits for its parent to look does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
