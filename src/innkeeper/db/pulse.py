"""How the last transactions went that changed something: taken, or refused. Counted by both stores as they commit.

Read by ``hosting/writing.py``, which makes of it whether the house can write.
"""

from __future__ import annotations


class Pulse:
    """Two counts that only grow, and the words of the last refusal."""

    __slots__ = ("commits", "refusals", "said")

    def __init__(self) -> None:
        self.commits = 0  #: that brought a change to disk; one commit may be that of many transactions
        self.refusals = 0  #: of the store itself: its disk, its server, or the way there
        self.said = ""

    def took(self) -> None:
        """A change is on disk."""
        self.commits += 1

    def refused(self, text: str) -> None:
        """The store did not take a change. What a transaction itself did wrong is none of this."""
        self.refusals += 1
        self.said = text
