"""What is asked again and again costs what stands, not what there was: SQLite takes the indexes that were made for it.

PostgreSQL chooses by what is in its tables, and has the same indexes.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from innkeeper.db.database import Many, Row, Steps, drive
from innkeeper.db.migrate import migrations
from innkeeper.db.sql import for_sqlite
from innkeeper.hosting.plans import Booking, SeatKind
from innkeeper.hosting.queries import bookings, orders, reserves, retiring, saved

BOOKING = Booking("room", "org", "app", "label", None, None, SeatKind.PLAYER, "[]", "[]", None, None, 0)
WANT: Any = SimpleNamespace(kind=SeatKind.SERVER)
#: The tables that keep what is over for days or weeks.
_LONG = re.compile(r"(?:SCAN|SEARCH) ([srko]|servers|rooms)\b(?: USING (?:COVERING )?INDEX (\w+ \([^)]*\)))?")


@pytest.fixture(scope="module")
def store() -> Iterator[sqlite3.Connection]:
    with sqlite3.connect(":memory:") as connection:
        for migration in migrations():
            for text in migration.statements:
                connection.execute(for_sqlite(text))
        yield connection
    connection.close()


def indexes(store: sqlite3.Connection, steps: Steps[Any], answers: Sequence[list[Row]]) -> set[str]:
    """The indexes by which large tables are looked through; empty texts for those that are read whole."""
    found, left = set[str](), list(answers)

    def run(statement: Any) -> list[Row]:
        assert not isinstance(statement, Many)
        text = for_sqlite(statement.sql)
        for _, _, _, told in store.execute(f"explain query plan {text}", ['["x"]'] * len(statement.values)):
            if (one := _LONG.match(told)) is not None and not (one[2] or "").startswith("sqlite_autoindex"):
                found.add(one[2] or "")
        return left.pop(0) if left else []

    drive(steps, run)
    return found


@pytest.mark.parametrize(
    ("steps", "answers", "used"),
    [
        (
            lambda: orders.standing("org", 0, "", [], "s.created_at desc, s.id", 0, 10), [[], [[0]]],
            {"servers_alive (app_id=?)", "servers_failed (app_id=? AND ended_at>?)"},
        ),
        (
            lambda: bookings.standing("org", 0, 10), [[], [[0]]],
            {"servers_alive (app_id=?)", "rooms_server (server_id=?)", "rooms_suspended (app_id=?)"},
        ),
        (
            lambda: bookings._candidate(  # pyright: ignore[reportPrivateUsage]
                bookings.Book(BOOKING, "release", ["release"], ["here"], frozenset(), None, None, "", "stay"), 1
            ),
            [], {"servers_alive (app_id=?)"},
        ),
        (lambda: retiring.standing("app"), [[["release", 1, None]]], {"servers_alive (app_id=?)"}),
        (lambda: saved.due(0, 10), [], {"saved_outputs_due (next_at<?)"}),
        (
            lambda: reserves.short_lives("policy", "label", "release", 0), [],
            {"reserved_servers_policy (policy_id=? AND label_id=? AND created_at>?)"},
        ),
        (
            lambda: reserves.want_for("policy", "label", WANT),
            [[], [[0, 1, 0.5]], []], {"servers_state (state=?)"},
        ),
    ],
)  # fmt: skip
def test_what_is_over_is_passed_over(
    store: sqlite3.Connection, steps: Callable[[], Steps[Any]], answers: Sequence[list[Row]], used: set[str]
) -> None:
    assert indexes(store, steps(), answers) == used
