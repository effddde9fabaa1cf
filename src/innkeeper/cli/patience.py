"""Going on over a restart of Innkeeper: game servers and rooms outlive it, so who watches them need not stop.

Used by ``logs --follow``, by what looks at a room again and again, and by what waits for a build.
"""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from .telling import aside

if TYPE_CHECKING:
    from innkeeper.contract.hathora.builds_v3 import BuildV3
    from innkeeper.contract.resource import ByteStream

T = TypeVar("T")

SECONDS = 30.0  #: how long an Innkeeper may be away
_EVERY = 0.5  # seconds between two tries
#: Most lines that the API gives of what was printed before.
MOST_LINES = 5000
_REMEMBERED = 200  # of the last lines told, to find the place again by


class Patience:
    """Asks again while nobody answers, for so many seconds, and says so once each time, and when it is over.

    ``now`` and ``sleep`` are monotonic seconds, ``tell`` takes a sentence for the person.
    """

    def __init__(
        self,
        url: str,
        seconds: float = SECONDS,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        tell: Callable[[str], None] = aside,
    ) -> None:
        self._url, self._seconds, self._now, self._sleep, self._tell = url, seconds, now, sleep, tell
        self._since: float | None = None
        self.times = 0  #: how often nobody answered at first

    def ask(self, call: Callable[[], T]) -> T:
        """What the call brings. Raises what it raises, and a failed connection when it failed for too long."""
        while True:
            try:
                brought = call()
            except Exception as error:
                self.bear(error)
            else:
                if self._since is not None:
                    self._since = None
                    self._tell("innkeeper: it answers again")
                return brought

    def bear(self, error: Exception) -> None:
        """Wait a little after an error that time may mend; raise it if it is another, or if it lasts too long."""
        from innkeeper.contract.errors import ConnectionFailed, DeadlineExceeded, ServerError

        if not isinstance(error, ConnectionFailed | DeadlineExceeded | ServerError):
            raise error
        if self._since is None:
            self._since = self._now()
            self.times += 1
            why = error.message if isinstance(error, ServerError) else f"{self._url} does not answer"
            self._tell(f"innkeeper: {why}; asking again for {self._seconds:g} s")
        if self._now() - self._since + _EVERY > self._seconds:
            raise error
        self.pause()

    def pause(self) -> None:
        """Wait a little before the next question."""
        self._sleep(_EVERY)


def followed(
    open_at: Callable[[int | None], ByteStream], is_over: Callable[[], bool], tail: int | None, patience: Patience
) -> Iterator[str]:
    """The lines of a log to its end, each told once, over breaks of the connection.

    ``open_at`` takes a tail. An Innkeeper that is told to end closes its logs in good order: only ``is_over`` says
    whether there can be more of it.
    """
    told: deque[str] = deque(maxlen=_REMEMBERED)
    while True:
        begin = MOST_LINES if told else tail
        try:
            with patience.ask(partial(open_at, begin)) as stream:
                for text in unseen(told, stream.lines()):
                    told.append(text)
                    yield text
            if patience.ask(is_over):
                return
            patience.pause()
        except Exception as error:
            patience.bear(error)


def heard_out(
    listen: Callable[[], ByteStream],
    look: Callable[[], BuildV3],
    tell: Callable[[str], None],
    patience: Patience,
) -> tuple[BuildV3, bool]:
    """Have a build run and tell its log, over breaks of the connection.

    Returns the build as it is when that is over, and whether the end of its log was told.
    ``listen`` has it run, or listens to the run there is: an Innkeeper that starts again runs again what was cut off,
    with a log of its own. Raises what ``listen`` raises where no run came of it, and what ``look`` raises.
    """
    from innkeeper.contract.errors import StatusError

    before: list[str] = []
    while True:
        refusal: StatusError | None = None
        heard: list[str] = []
        known, same = iter(before), True
        times = patience.times
        try:
            with listen() as log:
                for text in log.lines():
                    heard.append(text)
                    # A log comes from its beginning: that of the same run was told so far already.
                    same = same and next(known, None) == text
                    if not same:
                        tell(text)
        except StatusError as error:
            refusal = error
        except Exception as error:
            patience.bear(error)
        before = before if same else heard
        build = patience.ask(look)
        if build.status not in ("created", "running"):
            return build, refusal is None and patience.times == times
        if refusal is not None and build.status == "created":
            raise refusal
        patience.pause()


def unseen(told: Sequence[str], lines: Iterable[str]) -> Iterator[str]:
    """The lines behind those that were told last; all of them where these are not among as many as the API gives.

    A log that repeats itself may have the place more than once. The first counts: better a line twice than one never.
    """
    lines, last = iter(lines), list(told)
    if last:
        held: list[str] = []
        for text in itertools.islice(lines, MOST_LINES):
            held.append(text)
            if text == last[-1] and held[-len(last) :] == last:
                break
        else:
            yield from held
    yield from lines
