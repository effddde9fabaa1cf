"""Small programs of ours that outlive Innkeeper: how one is started, and how it becomes the only one of its folder.

Used by both ends of ``process/`` (the spawner) and of ``tls/`` (the terminator). Imports next to nothing: what is
imported here is held in memory by programs that live as long as the game servers.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any


def start(module: str, options: Mapping[str, Any], log: Path, *, site: bool = True) -> None:
    """Start ``main`` of a module of ours with these options; return when it, or another of its kind, answers.

    To be called in a thread: it blocks. ``posix_spawn`` shares nothing of our memory with it. What it prints goes to
    ``log``. Without ``site`` it has the standard library and us, and nothing that is installed besides. Raises
    ``OSError``.
    """
    from pathlib import Path  # who is started does without it

    package = str(Path(__file__).resolve().parents[2])
    code = f"import sys; sys.path.append(sys.argv[1]); from {module} import main; main(sys.argv[2])"
    told = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", *([] if site else ["-S"]), "-c", code, package, json.dumps(options)],
            {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDWR, 0),
                (os.POSIX_SPAWN_DUP2, 0, 1),
                (os.POSIX_SPAWN_DUP2, told, 2),
            ],
            setsid=True,
            setsigmask=(),
            setsigdef=(),
        )
    finally:
        os.close(told)
    os.waitpid(pid, 0)  # the first of its two processes, which ends as soon as the second answers


def become(folder: str, lock: str) -> tuple[int, int]:
    """In the program: be the one of its folder, or end. The lock that it holds, and where it writes that it answers.

    The first of two processes stays here, and ends when the second has written a byte there.
    """
    os.umask(0o077)
    os.chdir(folder)
    os.closerange(3, 65536)  # whatever our starter left open is none of our business
    waits, ready = os.pipe()
    if os.fork() != 0:
        os.close(ready)
        os._exit(0 if os.read(waits, 1) else 1)
    os.close(waits)
    held = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.write(ready, b"1")  # another one lives, or has just begun to
        os._exit(0)
    return held, ready
