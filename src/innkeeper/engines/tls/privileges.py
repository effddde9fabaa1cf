"""What the terminator gives up before it hears the first stranger. Called by ``terminator.py`` as it starts.

It holds the private key in memory and reads what anybody on the internet sends, so it is nobody: as root it becomes a
user of its own, that no file belongs to and no other program is. The key comes to it over its socket, from Innkeeper,
which alone has to be able to read the file.
"""

from __future__ import annotations

import ctypes
import os
import resource

_PR_SET_DUMPABLE, _PR_SET_NAME, _PR_SET_NO_NEW_PRIVS = 4, 15, 38
#: Below the numbers that game servers get (see ``engines/process``), which no entry in /etc/passwd names either.
USER = 1_999_999_999


def name_process(name: str) -> None:
    """What ``ps`` and ``top`` call us."""
    ctypes.CDLL(None).prctl(_PR_SET_NAME, ctypes.c_char_p(name.encode()), 0, 0, 0)


def give_up() -> str | None:
    """Keep what it takes to pass bytes on. A sentence where we stay root, else None.

    Nobody but root can look into this process's memory from now on, and it leaves none behind where it crashes.
    """
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    note = _become(USER) if os.geteuid() == 0 else None
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    return note


def _become(user: int) -> str | None:
    try:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    except OSError as error:  # a user namespace with few users, as in some containers
        return f"TLS is ended by root, not by a user of its own: user {user} cannot be had here ({error.strerror})"
    return None
