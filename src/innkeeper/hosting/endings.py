"""How a server's end is told: its last state, and a sentence that a person understands. Pure; called by the passes."""

from __future__ import annotations

import signal

from innkeeper.engines.base import Ended, EndedBy

from .model import Server, ServerState, StopWhy

_WORDS = {
    StopWhy.ASKED: ServerState.STOPPED,
    StopWhy.IDLE: ServerState.STOPPED,
    StopWhy.DRAINED: ServerState.STOPPED,
    StopWhy.LIFE: ServerState.STOPPED,
    StopWhy.SURPLUS: ServerState.STOPPED,
    StopWhy.APP_DELETED: ServerState.STOPPED,
    StopWhy.NOT_READY: ServerState.FAILED,
}
#: How a server ended that was asked to.
_STOPPED = {
    EndedBy.STOPPED: "it ended when asked",
    EndedBy.KILLED: "it did not end within its grace and was killed",
}


def ending(server: Server, ended: Ended, memory_mb: float) -> tuple[ServerState, str]:
    """The state in which ``server`` ends, and why, given what its host says."""
    if ended.by is EndedBy.NOT_STARTED:
        return ServerState.FAILED, f"could not be started: {ended.detail}"
    if ended.by is EndedBy.MEMORY:
        return ServerState.FAILED, _told(f"ran out of memory: it needed more than its {memory_mb:g} MiB", ended)
    if server.stop_why is not None:
        how = _STOPPED.get(ended.by) or _how(ended)
        return _WORDS[StopWhy(server.stop_why)], f"{server.stop_reason} ({how})"
    early = "" if server.ready_at is not None else " before it had bound its ports"
    if ended.by is EndedBy.EXIT and ended.code == 0 and not early:
        return ServerState.STOPPED, _told("exited by itself with code 0", ended)
    return ServerState.FAILED, _told(f"{_how(ended)}{early}", ended)


def lost(server: Server, reason: str) -> tuple[ServerState, str] | None:
    """How a server ends whose host is gone for good as far as players go, ``reason`` says why.

    None: it does not end. Nobody was told where it is yet, so that another host can take it; which is not so of one
    that has run, and is being started again.
    """
    if server.state in (ServerState.WANTED, ServerState.STARTING) and server.ready_at is None:
        return None
    if server.stop_why is not None:
        return _WORDS[StopWhy(server.stop_why)], f"{server.stop_reason} ({reason})"
    return ServerState.FAILED, reason


def _how(ended: Ended) -> str:
    if ended.by is EndedBy.SIGNAL:
        return f"killed by signal {ended.code} ({_signal_name(ended.code)})"
    if ended.by is EndedBy.LOST:
        return "ended while nobody could see how"
    if ended.code is None:
        return "ended"
    return f"exited with code {ended.code}"


def _told(reason: str, ended: Ended) -> str:
    return f"{reason}; {ended.detail}" if ended.detail else reason


def _signal_name(number: int | None) -> str:
    try:
        return signal.Signals(number or 0).name
    except ValueError:
        return "not a signal of this machine"
