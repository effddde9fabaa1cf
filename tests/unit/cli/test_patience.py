"""Going on over a restart: how long one asks again, what is told, and where a log goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from innkeeper.cli.patience import MOST_LINES, Patience, followed, unseen
from innkeeper.contract.errors import ConnectionFailed, NotFound, ServerError

AWAY = ConnectionFailed("the connection broke", sent=True)
BUSY = ServerError("the database does not answer", status=503, headers={}, body=b"")


class Wait:
    """A clock that goes on by sleeping alone, and what was told meanwhile."""

    def __init__(self) -> None:
        self.now = 0.0
        self.told: list[str] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def patience(self, seconds: float = 30) -> Patience:
        return Patience("http://inn", seconds, now=lambda: self.now, sleep=self.sleep, tell=self.told.append)


def script(*steps: object) -> Callable[[], object]:
    """A call that raises or brings what comes next."""
    rest = iter(steps)

    def call() -> object:
        step = next(rest)
        if isinstance(step, Exception):
            raise step
        return step

    return call


def test_it_asks_again_and_says_so_once_each_time() -> None:
    wait = Wait()
    patience = wait.patience()
    assert patience.ask(script(AWAY, BUSY, AWAY, "there")) == "there"
    assert wait.told == ["innkeeper: http://inn does not answer; asking again for 30 s"]
    assert 0 < wait.now < 5
    assert patience.ask(script(AWAY, "there")) == "there"
    assert len(wait.told) == 2


def test_it_gives_up_in_time() -> None:
    wait = Wait()

    def never() -> None:
        raise AWAY

    with pytest.raises(ConnectionFailed):
        wait.patience(30).ask(never)
    assert 29 < wait.now <= 30


def test_what_time_does_not_mend_is_raised_at_once() -> None:
    wait = Wait()
    with pytest.raises(NotFound):
        wait.patience().ask(script(NotFound("no such room", status=404, headers={}, body=b"")))
    assert (wait.now, wait.told) == (0, [])


@pytest.mark.parametrize(
    ("told", "lines", "new"),
    [
        ([], ["a", "b"], ["a", "b"]),
        (["a", "b"], ["a", "b"], []),
        (["a", "b"], ["a", "b", "c", "d"], ["c", "d"]),
        (["b", "c"], ["a", "b", "c", "d"], ["d"]),
        (["a", "a"], ["b", "a", "a", "a"], ["a"]),  # the first place counts
        (["a", "b"], ["b", "b", "a", "b", "c"], ["c"]),
        (["gone"], ["x", "y"], ["x", "y"]),  # the log ended, and was cut meanwhile
    ],
)
def test_where_a_log_goes_on(told: list[str], lines: list[str], new: list[str]) -> None:
    assert list(unseen(told, lines)) == new


def test_a_log_that_printed_too_much_meanwhile_goes_on_at_once() -> None:
    def endless() -> Iterator[str]:
        for number in range(MOST_LINES + 1):
            yield str(number)
        pytest.fail("it must not wait for the line after the last one there is")

    lines = unseen(["gone"], endless())
    assert [next(lines) for _ in range(MOST_LINES + 1)][-1] == str(MOST_LINES)


class Log:
    """A log's answer: its lines, and how it ends."""

    def __init__(self, lines: list[str], end: Exception | None = None) -> None:
        self._lines, self._end = lines, end
        self.status, self.headers = 200, dict[str, str]()

    headers: Mapping[str, str]

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[bytes]:
        return (f"{line}\n".encode() for line in self._lines)

    def lines(self) -> Iterator[str]:
        yield from self._lines
        if self._end is not None:
            raise self._end

    def read(self) -> bytes:
        return b"".join(self)

    def close(self) -> None:
        pass


def test_a_log_is_followed_over_breaks_and_restarts_to_its_end() -> None:
    wait, tails = Wait(), list[int | None]()
    logs = iter(
        [
            Log([], AWAY),  # broken before anything came: the tail asked for still holds
            Log(["a", "b"], AWAY),
            AWAY,
            Log(["a", "b", "c"]),  # ended in good order, as Innkeeper does when it is told to end
            Log(["a", "b", "c", "d"]),
        ]
    )

    def open_at(tail: int | None) -> Log:
        tails.append(tail)
        one = next(logs)
        if isinstance(one, Exception):
            raise one
        return one

    over = iter([False, True])
    assert list(followed(open_at, lambda: next(over), 10, wait.patience())) == ["a", "b", "c", "d"]
    assert tails == [10, 10, MOST_LINES, MOST_LINES, MOST_LINES]
