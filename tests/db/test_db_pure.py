"""What is decided without a store: texts of statements, and what to try when a member of a group fails."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.db.group import Apart, Cut, Failed, Tried, tries
from innkeeper.db.postgres_errors import translated
from innkeeper.db.sql import FOR_UPDATE, for_postgres, for_sqlite, listed


def test_parameters_become_places_and_what_is_quoted_stays() -> None:
    text = "select '$1 it''s $2', \"$3\", $10 /* $4 */ -- $5\n where a = $1"
    assert for_sqlite(text) == "select '$1 it''s $2', \"$3\", ?10 /* $4 */ -- $5\n where a = ?1"
    assert for_postgres(text) == text


def test_marks() -> None:
    text = f"select id from things where size in ({listed('$1', 'bigint')}) {FOR_UPDATE}"
    assert for_sqlite(text) == "select id from things where size in (select value from json_each(?1)) "
    assert "[[" not in for_postgres(text)
    assert for_postgres(text).endswith(") for update")
    for turn in (for_sqlite, for_postgres):
        with pytest.raises(ValueError, match="no store knows"):
            turn("select [[nonsense]]")


@given(st.lists(st.sampled_from(["fine", "fails", "cut", "apart"]), max_size=40))
def test_every_member_is_settled_once_and_run_a_bounded_number_of_times(members: list[str]) -> None:
    runs = [0] * len(members)
    settled: list[int] = []
    plan = tries(len(members))
    tried: Tried = None
    cuts: set[int] = set()
    try:
        part = next(plan)
        while True:
            tried = None
            for at, number in enumerate(part):
                runs[number] += 1
                alone = len(part) == 1
                if members[number] == "fails" and not alone:
                    tried = Failed(at)
                    break
                if members[number] == "cut" and at and number not in cuts:
                    cuts.add(number)  # time is up: those before it are settled, it was not begun
                    runs[number] -= 1
                    settled += part[:at]
                    tried = Cut(at)
                    break
            else:
                if len(part) > 1 and any(members[number] == "apart" for number in part):
                    tried = Apart()
                else:
                    settled += part
            part = plan.send(tried)
    except StopIteration:
        pass
    assert sorted(settled) == list(range(len(members)))
    assert settled == sorted(settled)  # in the order in which they came
    assert all(count <= 4 for count in runs)


def test_an_error_that_is_no_ones_stays_itself() -> None:
    mistake = KeyError("x")
    assert translated(mistake, "here") is mistake
