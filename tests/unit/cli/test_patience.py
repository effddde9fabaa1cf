"""Going on over a restart: how long one asks again, what is told, and where a log goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from innkeeper.cli.patience import MOST_LINES, Patience, followed, heard_out, unseen
from innkeeper.contract.errors import CallError, ConnectionFailed, Invalid, NotFound, ServerError
from innkeeper.contract.hathora.builds_v3 import BuildStatus, BuildV3

AWAY = ConnectionFailed("the connection broke", sent=True)
WHEN = datetime(2026, 1, 1, tzinfo=UTC)
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
    away = ["innkeeper: http://inn does not answer; asking again for 30 s", "innkeeper: it answers again"]
    assert wait.told == away
    assert 0 < wait.now < 5
    assert patience.ask(script("there")) == "there"
    assert wait.told == away
    assert patience.ask(script(AWAY, "there")) == "there"
    assert wait.told == away * 2


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


def build(status: str) -> BuildV3:
    return BuildV3(
        build_id="b", status=BuildStatus(status), image_size=0, org_id="org", created_at=WHEN, created_by="me",
        started_at=None, finished_at=None, deleted_at=None,
    )  # fmt: skip


FINISHED = Invalid("build b is failed already; create another one", status=422, headers={}, body=b"")
NONE = Invalid("image: there is no such thing", status=422, headers={}, body=b"")


@pytest.mark.parametrize(
    ("logs", "looks", "heard", "status", "whole"),
    [
        ([Log(["a", "b"])], ["succeeded"], "ab", "succeeded", True),
        # cut off; the next Innkeeper runs it again, with a log of its own
        ([Log(["a"], AWAY), AWAY, Log(["x"])], [AWAY, "running", "running", "succeeded"], "ax", "succeeded", True),
        # ended in good order, because Innkeeper was told to end
        ([Log(["a"]), Log(["x"])], ["running", "failed"], "ax", "failed", True),
        # only the connection broke: the same log comes once more, and may break off again
        ([Log(["a", "b"], AWAY), Log(["a"], AWAY), Log([*"abc"])], ["running"] * 2 + ["failed"], "abc", "failed", True),
        # over between the two questions
        ([Log(["a"], AWAY), FINISHED], ["running", "failed"], "a", "failed", False),
        ([Log(["a"], AWAY)], ["failed"], "a", "failed", False),
        ([Log(["a"])], [AWAY, "failed"], "a", "failed", False),
        # had begun, and is not taken up again yet
        ([Log(["a"], AWAY), FINISHED, Log(["x"])], ["running", "running", "succeeded"], "ax", "succeeded", True),
        # the request never came through
        ([AWAY, Log(["a"])], ["created", "succeeded"], "a", "succeeded", True),
    ],
)  # fmt: skip
def test_a_build_is_heard_out(logs: list[object], looks: list[object], heard: str, status: str, whole: bool) -> None:
    wait, told = Wait(), list[str]()
    listen: Any = script(*logs)
    look: Any = script(*(build(one) if isinstance(one, str) else one for one in looks))
    assert heard_out(listen, look, told.append, wait.patience()) == (build(status), whole)
    assert "".join(told) == heard
    assert len(wait.told) == 2 * wait.told.count("innkeeper: it answers again")


def test_a_build_that_is_refused_or_away_for_too_long_is_not_waited_for() -> None:
    def outcome(listen: Any, look: Any) -> type[BaseException]:
        with pytest.raises(CallError) as raised:
            heard_out(listen, look, print, Wait().patience())
        return raised.type

    gone = NotFound("there is no build b", status=404, headers={}, body=b"")
    assert outcome(script(NONE), script(build("created"))) is Invalid
    assert outcome(script(AWAY), script(*[AWAY] * 100)) is ConnectionFailed
    assert outcome(script(Log(["a"], AWAY)), script(gone)) is NotFound
