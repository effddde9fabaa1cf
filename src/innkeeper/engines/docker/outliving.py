"""Ends the step of a build that was called off and that Podman would run to its end. For ``images.py``.

Docker ends a build with its connection. Podman only looks between two steps whether anybody still listens, and has no
word for ending one. Where its processes are on this machine and ours to end, they are found by a name that only this
build has: a line in the ``/etc/hosts`` that it was given, which never gets into the image. Elsewhere the step goes on
until it ends by itself, and nothing comes of it.
"""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from innkeeper.kit.clock import Clock

#: Looked for so often, so many seconds apart: between two steps there is nothing to be found.
_LOOKS, _APART = 10, 0.2
_MOST = 1 << 16


async def end_steps(marker: str, clock: Clock) -> None:
    """Kill what runs in a step of the build with this name among its hosts, until nothing comes any more."""
    for _ in range(_LOOKS):
        await asyncio.to_thread(kill_marked, marker)
        await clock.sleep(_APART)


def kill_marked(marker: str, proc: Path = Path("/proc")) -> int:
    """Kill every process that sees this name in its own ``/etc/hosts``; how many there were."""
    killed = 0
    here = _identity(proc / "self" / "root")
    for entry in proc.iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            pidfd = os.pidfd_open(int(entry.name))
        except OSError:
            continue  # it has ended
        try:
            # The root is compared first: what sees our own files is no container.
            if _identity(entry / "root") not in (None, here) and _names(entry / "root" / "etc" / "hosts", marker):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
                killed += 1
        except OSError:
            continue  # it ended meanwhile, or is another user's
        finally:
            os.close(pidfd)
    return killed


def _identity(root: Path) -> tuple[int, int] | None:
    try:
        status = root.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _names(hosts: Path, marker: str) -> bool:
    # A link would be followed in our own files: what is not a file there was not put there by an engine.
    descriptor = os.open(hosts, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return marker.encode() in os.read(descriptor, _MOST).split()
    finally:
        os.close(descriptor)
