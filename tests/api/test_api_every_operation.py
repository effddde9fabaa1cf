"""Every operation of the vendor's, played over HTTP: its exact status, its fields, and each of its refusals.

``every_operation.txt`` has a line for each operation: every status that the vendor documents besides success, and the
ways of ``ways.py`` that lead to it, or in brackets the reason why none does (``GAPS``). ``good.py`` has the requests.
The answers are held against the vendor's own document.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.stage import SETTINGS, Stage
from api.vendor_answers import complaints
from api.ways import WAYS
from api.wire import OPERATIONS
from contract.vendor import load, needs_specs
from e2e.people import Google, stand_in_for_google
from factories import TestInn
from innkeeper.contract.operation import Declared

#: Why no way leads to a status that the vendor documents. Where one does after all, the test fails.
GAPS = {
    "nothing-named": "it names nothing that could be missing; an organisation that is not the caller's is 401",
    "empty-list": "an app that is not there has no lobbies, which nobody can tell from one that has none",
    "readable": "it takes no JSON; what cannot be understood otherwise is 422, which the vendor documents beside 400",
    "unlimited": "nobody counts these requests: the clients of players ask again and again",
    "no-secret": "it asks for no credentials",
    "reads-nothing": "its answer is always the same, and nothing is there to break",
    "opens-nothing": "it opens no server, so that no limit is in its way",
}

_DOCUMENT = load("hathora.operations.json")
THEIRS: dict[str, Any] = {one["operationId"]: one for one in _DOCUMENT["operations"]}
#: Taken away by the vendor in 2024; they are told in another form.
REMOVED: dict[str, Any] = {
    one["operationId"]: {
        **one, "success": {"200": one["responses"]["200"]},
        "error_codes": sorted(int(status) for status in one["responses"] if status != "200"),
    }
    for one in _DOCUMENT.get("removed_operations", {"operations": []})["operations"]
}  # fmt: skip
ALL = {**THEIRS, **REMOVED}
OURS = {operation.id: operation for operation in OPERATIONS if operation.public}


def _table() -> dict[str, dict[int, list[str]]]:
    rows: dict[str, dict[int, list[str]]] = {}
    for line in (Path(__file__).parent / "every_operation.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, *cells = line.split()
            assert name not in rows, f"{name} stands there twice"
            rows[name] = {int(cell[:3]): cell[4:].split(",") for cell in cells}
    return rows


TABLE = _table()
each = pytest.mark.parametrize("name", sorted(OURS))


@pytest.fixture(scope="module")
def google() -> Iterator[Google]:
    with stand_in_for_google() as google:
        yield google


@pytest.fixture
async def stage(tmp_path: Path, google: Google) -> AsyncIterator[Stage]:
    inn = TestInn(tmp_path / "data", f"sqlite:///{tmp_path / 'innkeeper.db'}")
    inn.settings = msgspec.structs.replace(inn.settings, google_keys_url=google.url, **SETTINGS)
    try:
        await inn.start()
        yield await Stage(inn, google).build()
    finally:
        await inn.stop()


def test_the_table_has_a_row_for_each_operation() -> None:
    assert len(TABLE) == 136
    assert {name: sorted(row) for name, row in TABLE.items()} == {name: sorted(OURS[name].errors) for name in OURS}


def test_no_way_and_no_reason_is_left_over() -> None:
    used = {way for row in TABLE.values() for ways in row.values() for way in ways}
    assert used == {*WAYS, *(f"({gap})" for gap in GAPS)}


@needs_specs
def test_the_table_has_the_vendors_operations_and_statuses() -> None:
    assert len(THEIRS) == 134
    assert len(REMOVED) == 2
    assert {name: sorted(row) for name, row in TABLE.items()} == {
        name: theirs["error_codes"] for name, theirs in ALL.items()
    }


@needs_specs
@each
async def test_it_answers_as_the_vendor_says(stage: Stage, name: str) -> None:
    operation, theirs = OURS[name], ALL[name]
    assert (operation.method, operation.path) == (theirs["method"], theirs["path"])
    answer = await stage.play(operation)
    ((status, content),) = theirs["success"].items()
    assert answer.status == int(status), answer
    if content is None:
        assert (answer.body, "content-type" in answer.headers) == (b"", False)
        return
    ((media, told),) = content.items()
    assert answer.headers["content-type"] == media
    if media == "application/json":
        assert complaints(told.get("schema", told), answer.json) == []
        assert tells_nothing(answer.json) == (name in TELL_NOTHING)  # the schema of what is in a list was looked at
    else:
        assert answer.body


#: What has nothing in it by its nature: no payments are taken, and what is deleted is gone.
TELL_NOTHING = {"GetPaymentMethod", "DeleteBuild"}


def tells_nothing(told: Any) -> bool:
    """Whether it is empty, or a page of nothing."""
    return told in ([], {}) or (isinstance(told, dict) and all(value == [] for value in told.values()))


@each
async def test_it_refuses_as_the_vendor_says(stage: Stage, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Every way is tried, so that a reason for a gap that holds no more is found."""
    caplog.set_level(logging.CRITICAL)  # what breaks inside breaks on purpose
    found: dict[int, list[str]] = {status: [] for status in OURS[name].errors}
    for way in WAYS:
        status = await refused(stage, OURS[name], way)
        if status is not None:
            found[status].append(way)
    assert found == {status: [] if gap(ways) else ways for status, ways in TABLE[name].items()}


def gap(ways: list[str]) -> bool:
    """Whether it is a reason that stands there."""
    return ways[0].startswith("(")


#: Where none of the statuses before the colon is documented, the last one tells it all the same.
_NOTHING_FITS = {413: (422, 400), 400: (422, 400, 404), 408: (408,), 429: (429,), 500: (500,)}


async def refused(stage: Stage, operation: Declared, way: str) -> int | None:
    """The documented status that a way leads to, whose answer is an error as all are; None where it leads to none."""
    answer = await WAYS[way](stage, operation)
    if answer is None or answer.status == operation.status:
        return None
    assert answer.message
    if answer.status in operation.errors:
        return answer.status
    assert not set(_NOTHING_FITS[answer.status]) & set(operation.errors), (way, answer)
    return None
