"""How lists of deployments are asked for, times are read, and pages counted."""

from __future__ import annotations

import json

import pytest

from innkeeper.api.edgegap.metrics import step_of, time_of
from innkeeper.api.edgegap.pages import cut, paged, slice_of
from innkeeper.api.edgegap.queries import STATES, read_query
from innkeeper.api.edgegap.times import micros_of, stamp
from innkeeper.contract.edgegap.words import DeploymentStatus
from innkeeper.hosting.model import ServerState
from innkeeper.hosting.searching import Condition, Field, Operator, Ordering, order_by, where
from innkeeper.kit.clock import HOUR
from innkeeper.kit.errors import Invalid


def test_filters_and_an_order_are_read() -> None:
    query = {
        "filters": [
            {"field": "status", "operator": "in", "value": ["ready", "Status.ERROR"]},
            {"field": "application", "operator": "eq", "value": "arena"},
            {"field": "created_at", "operator": "gte", "value": "2026-11-22 10:00:00"},
        ],
        "order_by": [{"field": "created_at", "order": "desc"}],
    }
    conditions, orderings = read_query(json.dumps(query))
    assert conditions == [
        Condition(Field.STATE, Operator.IN, ["running", "draining", "failed"]),
        Condition(Field.APP, Operator.IN, ["arena"]),
        Condition(Field.CREATED, Operator.FROM, [1795341600000000]),
    ]
    assert orderings == [Ordering(Field.CREATED, True)]
    text, values = where(conditions, 3)
    assert text.count(" and ") == 3
    assert values == ['["running", "draining", "failed"]', '["arena"]', 1795341600000000]
    assert order_by(orderings) == "s.created_at desc, s.id"
    assert read_query(None) == read_query("{}") == ([], [])


ONE = '{"field":"tags","operator":"eq","value":"a"}'


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("[]", "is no JSON such as"),
        ('{"filters":[{"field":"age","operator":"eq","value":"1"}]}', "there is no field age"),
        ('{"filters":[{"field":"tags","operator":"near","value":"1"}]}', "there is no operator near"),
        ('{"filters":[{"field":"tags","operator":"eq","value":1}]}', "has to be a text"),
        ('{"filters":[{"field":"tags","operator":"eq","value":[]}]}', "has to be a text"),
        ('{"filters":[{"field":"status","operator":"eq","value":"asleep"}]}', "there is no status asleep"),
        ('{"filters":[{"field":"tags","operator":"contains","value":["a","b"]}]}', "takes one value"),
        (f'{{"filters":[{ONE},{ONE}]}}', "one filter"),
        ('{"filters":[{"field":"created_at","operator":"lt","value":"now"}]}', "is no time"),
        ('{"order_by":[{"field":"created_at","order":"up"}]}', "asc or desc"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named(query: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        read_query(query)


def test_what_makes_no_sense_is_refused() -> None:
    for condition in (Condition(Field.TAG, Operator.BELOW, ["a"]), Condition(Field.READY, Operator.LIKE, ["1"])):
        with pytest.raises(Invalid):
            where([condition], 1)
    with pytest.raises(Invalid):
        order_by([Ordering(Field.TAG)])


def test_every_state_of_a_server_has_a_status_to_be_found_by() -> None:
    assert {state for states in STATES.values() for state in states} == set(ServerState)
    assert set(STATES) == {status.value.removeprefix("Status.").lower() for status in DeploymentStatus}


def test_times_are_written_and_read() -> None:
    micros = 1795341600123456
    assert stamp(micros) == "2026-11-22 10:00:00.123456"
    assert micros_of(stamp(micros), "start_time") == micros
    assert micros_of("2026-11-22 10:00:00", "start_time") == 1795341600000000
    assert time_of("2026-11-22T10:00:00Z", "start_time") == 1795341600000000
    for wrong in ("2026-11-22T10:00:00", "yesterday", "2026-11-22T99", ""):
        with pytest.raises(Invalid):
            time_of(wrong, "start_time")


@pytest.mark.parametrize(
    ("steps", "span", "seconds"),
    [
        ("30s", HOUR, 30), ("5m", HOUR, 300), ("1h", HOUR, 3600),
        (None, HOUR // 2, 30), (None, HOUR, 60), (None, 48 * HOUR, 600),
    ],
)  # fmt: skip
def test_steps(steps: str | None, span: int, seconds: int) -> None:
    assert step_of(steps, span) == seconds


@pytest.mark.parametrize(
    ("page", "limit", "total", "items", "following", "before", "pages"),
    [
        (None, None, 0, [], None, None, 1),
        (None, None, 10, list(range(10)), None, None, 1),
        (1, 4, 10, [0, 1, 2, 3], 2, None, 3),
        (3, 4, 10, [8, 9], None, 2, 3),
        (9, 4, 10, [], None, 3, 3),
    ],
)
def test_pages(
    page: int | None, limit: int | None, total: int, items: list[int], following: int | None, before: int | None,
    pages: int,
) -> None:  # fmt: skip
    part = slice_of(page, limit)
    assert cut(part, list(range(total))) == items
    told = paged(part, total)["pagination"]
    assert (told.next_page_number, told.previous_page_number, told.paginator.num_pages) == (following, before, pages)
    assert (told.has_next, told.has_previous) == (following is not None, before is not None)
    assert slice_of(None, 10_000_000).size == 1000
