"""What is told of servers is on disk first: the journal with those who wait for its sync. Called by ``servers.py``,
``starting.py`` and ``spawner.py``.
"""

from __future__ import annotations

from .records import Journal, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .loop import Loop

_AGAIN = 0.5  # seconds until a write is tried again that the disk did not take


class Ledger:
    """The records, and an outbox. ``tell`` is called with a record that changed, once that is durable."""

    def __init__(self, loop: Loop, journal: Journal, tell: Callable[[Record], None]) -> None:
        self._loop, self._journal, self._tell = loop, journal, tell
        self._outbox: list[Callable[[], None]] = []
        self._troubled = False
        self.records = journal.records

    def when_durable(self, call: Callable[[], None]) -> None:
        """Call once all that is in the journal now is on disk."""
        self._outbox.append(call)

    def settle(self) -> None:
        """After each round: one sync for all that happened in it, then tell."""
        if not self._outbox:
            return
        try:
            self._journal.sync()
        except OSError:  # the disk's trouble: nobody is told before it is over
            if not self._troubled:
                self._troubled = True
                self._loop.at(self._loop.now() + _AGAIN, self._settle_again)
            return
        outbox, self._outbox = self._outbox, []
        for call in outbox:
            call()

    def _settle_again(self) -> None:
        self._troubled = False  # and the loop's round ends by settling

    def open(self, record: Record) -> None:
        """Write a new one. Raises ``OSError`` when there is no room."""
        self._journal.put(record, new=True)

    def put(self, record: Record, *, lasting: bool, tell: bool = False) -> None:
        """Write it and, when asked to, tell; if the disk does not take it, try again until it does."""
        if record.id not in self.records:
            return
        try:
            self._journal.put(record, lasting=lasting)
        except OSError:
            self._loop.at(self._loop.now() + _AGAIN, lambda: self.put(record, lasting=lasting, tell=tell))
            return
        if tell:
            self.when_durable(lambda: self._tell(record))

    def drop(self, record: Record) -> None:
        """Forget it."""
        self._journal.drop(record)
        self._journal.tidy()
