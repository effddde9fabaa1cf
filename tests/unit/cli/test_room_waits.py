"""Why a room is not open yet: when it is asked, told once, and never told by those who may not know."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from innkeeper.cli.waiting import Waiting
from innkeeper.contract.errors import CallError, ConnectionFailed, NotFound, ServerError, Unauthorized
from innkeeper.contract.hathora.rooms_v2 import Room, RoomAllocation
from innkeeper.contract.hathora.words import RoomStatus

SEAT = RoomAllocation(
    room_allocation_id="a", process_id="s", scheduled_at=datetime(2026, 1, 1, tzinfo=UTC), unscheduled_at=None
)


def room(status: str = "scheduling", *, seated: bool = True) -> Room:
    seat = SEAT if seated else None
    return Room(
        app_id="app", room_id="r", status=RoomStatus(status), current_allocation=seat, allocations=[], room_config=None
    )


class Asked:
    """Answers questions out of a list, on a clock that a test moves, and keeps what was told."""

    def __init__(self, *answers: str | CallError | None) -> None:
        self.answers, self.at, self.now = list(answers), list[float](), 100.0
        self.told: list[str] = []
        self.waiting = Waiting(self.ask, now=lambda: self.now, tell=self.told.append)

    def ask(self, server_id: str) -> str | None:
        assert server_id == "s"
        self.at.append(self.now - 100)
        answer = self.answers.pop(0)
        if isinstance(answer, CallError):
            raise answer
        return answer

    def look(self, seconds: int, *, last: bool = False) -> Asked:
        """Look at a room that waits every half second for so long."""
        for _ in range(2 * seconds):
            self.waiting.look(room())
            self.now += 0.5
        self.waiting.look(room(), last=last)
        return self


def status(kind: type[Unauthorized | NotFound | ServerError], number: int) -> CallError:
    return kind("no", status=number, headers={}, body=b"")


def test_it_is_told_once_after_a_few_seconds() -> None:
    asked = Asked("it is full").look(60, last=True)
    assert (asked.at, asked.told) == ([3.0], ["its server waits: it is full"])
    assert asked.waiting.facts == {"waits": "it is full"}


def test_it_is_asked_ever_more_rarely_while_nothing_is_in_the_way() -> None:
    asked = Asked(None, None, None, None, None, "late").look(100)
    assert (asked.at, asked.told) == ([3.0, 6.0, 12.0, 24.0, 48.0, 96.0], ["its server waits: late"])


def test_it_is_asked_at_the_end_of_a_short_time() -> None:
    asked = Asked("it is full").look(1, last=True)
    assert (asked.at, asked.told) == ([1.0], ["its server waits: it is full"])
    assert Asked(None).look(1, last=True).waiting.facts == {}


@pytest.mark.parametrize("error", [status(Unauthorized, 401), status(NotFound, 404)])
def test_who_may_not_know_asks_once_and_is_told_nothing(error: CallError) -> None:
    asked = Asked(error).look(60, last=True)
    assert (asked.at, asked.told, asked.waiting.facts) == ([3.0], [], {})


@pytest.mark.parametrize("error", [status(ServerError, 503), ConnectionFailed("gone")])
def test_an_innkeeper_that_is_away_is_asked_again(error: CallError) -> None:
    asked = Asked(error, "it is full").look(10)
    assert (asked.at, asked.told) == ([3.0, 6.0], ["its server waits: it is full"])


def test_rooms_that_are_open_over_or_without_a_seat_are_not_asked_about() -> None:
    asked = Asked()
    for one in (room("active"), room("destroyed", seated=False), room("suspended", seated=False)):
        asked.waiting.look(one, last=True)
    assert asked.at == []
