"""What a host's silence, or its end, leads to. Pure; called by ``passes/living.py``."""

from __future__ import annotations

from enum import Enum, auto


class Step(Enum):
    """What is due for a host now."""

    REST = auto()  #: nothing
    SHUN = auto()  #: it has gone silent: nothing is placed there until it was compared again
    WRITE_OFF = auto()  #: it has been silent for too long: its servers are over, or wanted elsewhere
    COMPARE = auto()  #: it answers (again): what it runs is held against the record


def next_step(*, silent_since: int | None, settled: bool, lost: bool, now: int, lost_after: int) -> Step:
    """The next step in a host's life.

    ``silent_since`` is what its engine says. ``settled``: it was compared since it last came up. ``lost``: its servers
    were written off since then. ``lost_after`` and the times are microseconds.
    """
    if silent_since is None:
        return Step.REST if settled else Step.COMPARE
    if settled:  # first of all nothing more goes there
        return Step.SHUN
    if not lost and now - silent_since >= lost_after:
        return Step.WRITE_OFF
    return Step.REST
