"""How a server ended, told from what was seen: a pure decision. Called by the spawner.

The words are those of ``engines.base.EndedBy``, which is not imported here because the spawner stays small.
"""

from __future__ import annotations

import signal

#: Signals by which a program that was asked to end may end without that being news.
_POLITE = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def verdict(
    status: int | None, *, asked: bool, killed: bool, oom_kills: int, left: int, words: str = ""
) -> tuple[str, int | None, str]:
    """``(by, code, detail)``.

    ``status`` is the exit code, or minus the number of the signal, or None when nobody could see it. ``asked`` and
    ``killed`` say what we did; ``oom_kills`` is how often the kernel killed one of its processes for memory; ``left``
    counts the processes it left behind; ``words`` are its last words.
    """
    code = None if status is None else abs(status)
    detail = words
    if left and not asked:
        detail = (
            f"it left {left} process{'es' if left > 1 else ''} behind, which were ended; "
            "a server that goes to the background has to be started in the foreground"
        ) + (f"; {words}" if words else "")
    if oom_kills and status != 0 and not killed:
        return "memory", code, detail or "it needed more memory than it was given"
    if killed:
        return "killed", code, detail
    if status is None:
        return "lost", None, detail or "it ended while nobody could see how"
    if asked and (status >= 0 or -status in _POLITE):
        return "stopped", code, detail
    if status < 0:
        return "signal", code, detail
    return "exit", code, detail
