"""What callbacks are decided by: pure functions, by tables and by chance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.db.database import Many, Row, Statement, drive
from innkeeper.db.outbox import OWE, Owed
from innkeeper.hosting.model import ServerState
from innkeeper.hosting.plans import Hooks
from innkeeper.hosting.queries.notices import CALLED as TOLD
from innkeeper.hosting.queries.notices import occasions
from innkeeper.hosting.queries.servers import move
from innkeeper.kit.clock import HOUR, SECOND
from innkeeper.notices.calling import LIMITS
from innkeeper.notices.model import CALLED, DeliveryState, DueCallback
from innkeeper.notices.schedule import Answer, choose, verdict

NOW = 1_800_000_000 * SECOND
R, F, E = "https://r/", "https://f/", "https://e/"


@pytest.mark.parametrize(
    ("hooks", "state", "told"),
    [
        (Hooks(R, F, E), ServerState.RUNNING, [("ready", R)]),
        (Hooks(R, F, E), ServerState.FAILED, [("failed", F), ("ended", E)]),
        (Hooks(R, F, E), ServerState.STOPPED, [("ended", E)]),
        (Hooks(R, F, None), ServerState.STOPPED, []),
        (Hooks(R, F, None), ServerState.FAILED, [("failed", F)]),
        (Hooks(None, None, E), ServerState.FAILED, [("ended", E)]),
        (Hooks(None, F, E), ServerState.RUNNING, []),
        (Hooks("", "", ""), ServerState.FAILED, []),
        *[
            (Hooks(R, F, E), state, [])
            for state in ServerState
            if state not in (ServerState.RUNNING, ServerState.FAILED, ServerState.STOPPED)
        ],
    ],
)
def test_what_is_told_of_a_server(hooks: Hooks, state: ServerState, told: list[tuple[str, str]]) -> None:
    assert occasions(hooks, state) == told
    assert (state in TOLD) or told == []  # for other states its order is not even looked at


def statements(state: ServerState, hooks: str | None) -> list[str]:
    """What a move to a state asks of the database, where nobody listens."""
    said: list[str] = []

    def answer(statement: Statement | Many) -> list[Row]:
        said.append(statement.sql)
        return [["org-1"]] if "select org_id" in statement.sql else [[hooks, None]] if len(said) == 1 else []

    assert drive(move("s1", state, at=NOW), answer)
    return said


@pytest.mark.parametrize("state", [state for state in ServerState if state is not ServerState.WANTED])
def test_who_asked_for_nothing_pays_nothing(state: ServerState) -> None:
    assert len(statements(state, None)) == 2  # the move itself, and whether anybody listens
    if state in TOLD:
        told = '{"ready":"https://r/","failed":"https://r/","ended":"https://r/","api":"edgegap.deployment"}'
        assert statements(state, told)[-1] == OWE
        assert len(statements(state, '{"api":"edgegap.deployment"}')) == 2


@pytest.mark.parametrize(
    ("url", "receiver"),
    [
        ("https://Example.org/hook?a=b", "https://example.org"),
        ("http://example.org:8080", "http://example.org:8080"),
        ("http://me:secret@example.org/x", "http://example.org"),
        ("https://[::1]:9/x", "https://[::1]:9"),
        ("http://[bad", ""),
    ],
)
def test_who_is_sent_to(url: str, receiver: str) -> None:
    assert Owed("org-1", "edgegap.deployment", "s", "ready", url, NOW).receiver == receiver


def test_an_id_says_what_is_told_and_nothing_else() -> None:
    one = Owed("org-1", "edgegap.deployment", "s1", "ready", R, NOW)
    assert one.id == one._replace(url=F, at=NOW + 1).id
    assert len({one.id, *(one._replace(**{name: "x"}).id for name in ("kind", "subject", "occasion"))}) == 4


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=100, max_size=100))
def test_a_receiver_that_never_answers_is_given_up_within_a_day(chances: list[float]) -> None:
    now, attempts = NOW, 0
    for chance in chances:
        attempts += 1
        found = verdict(Answer(None, "away"), attempts, NOW, now, chance, 1.0, CALLED)
        if found.state is DeliveryState.GIVEN_UP:
            break
        assert found.next_at is not None
        now = found.next_at
    assert NOW + CALLED - 10 * HOUR < now <= NOW + CALLED
    assert 8 <= attempts <= 20


def due(name: str, org: str, receiver: str, subject: str) -> DueCallback:
    return DueCallback(name, org, "edgegap.deployment", subject, f"{receiver}/x", receiver, None, 0, NOW)


def test_eight_at_once_and_one_receiver_holds_up_nobody_else() -> None:
    slow = [due(f"a{at}", "o1", "https://slow", f"s{at}") for at in range(20)]
    busy = choose({slow[0].queue: slow}, [], LIMITS)
    assert len(busy) == 8
    other = [due("b", "o2", "https://slow", "t")]
    assert choose({slow[0].queue: slow[8:], other[0].queue: other}, busy, LIMITS) == other


def test_one_thing_is_told_to_one_receiver_in_order_and_to_others_meanwhile() -> None:
    ready, ended = due("a", "o", "https://one", "s"), due("b", "o", "https://one", "s")
    elsewhere = due("c", "o", "https://two", "s")
    chosen = choose({ready.queue: [ready, ended], elsewhere.queue: [elsewhere]}, [], LIMITS)
    assert chosen == [ready, elsewhere]
