"""An Innkeeper to be killed: opens an engine in the directory it is told, starts two servers, says so, and waits."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import uvloop

from innkeeper.engines.base import Launch, Port, Transport
from innkeeper.engines.process.engine import ProcessEngine
from innkeeper.kit.clock import SystemClock


async def main() -> None:
    directory, port, stays, ends = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
    engine = ProcessEngine(directory, SystemClock(), run_as=(os.getuid(), os.getgid()), linger=2.0)
    await engine.open()
    ports = [Port("default", Transport.UDP, port)]
    await engine.start(Launch("stays", Path("/"), stays, {}, ports, 1, 256))
    report = await engine.start(Launch("ends", Path("/"), ends, {}, (), 1, 256))
    print(engine.spawner_pid, engine.reports()["stays"].handle, report.handle, flush=True)
    await asyncio.Event().wait()


uvloop.run(main())  # as the real one does
