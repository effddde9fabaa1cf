"""The page of operations is what the declarations say now, and says something of everything."""

from __future__ import annotations

import re

import pytest

from innkeeper.contract.hathora import HATHORA
from innkeeper.contract.reference import limits, meaning, page, spelled
from inns import REPOSITORY

PAGE = REPOSITORY / "docs" / "reference" / "hathora-operations.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(HATHORA), "run python -m innkeeper.contract.reference --write"


def test_headings_can_be_linked() -> None:
    heads = [head.lower() for head in re.findall(r"^#+ (.*)$", PAGE.read_text(), re.MULTILINE)]
    assert len(heads) == len(set(heads))


def test_every_parameter_and_field_is_explained() -> None:
    for operation in HATHORA.operations():
        if operation.public:
            for parameter in operation.plan.parameters:
                assert meaning(HATHORA, operation.name, parameter.name), (operation.id, parameter.name)
    assert re.findall(r"^\| `([a-z_]+)` \| .* \|  \|$", PAGE.read_text(), re.MULTILINE) == []


@pytest.mark.parametrize(
    ("operation", "parameter", "kind", "limit"),
    [
        ("GetLogsForProcess", "tail_lines", "int", "1 to 5,000"),
        ("GetLatestProcesses", "status", "list[ProcessStatus]", ""),
        ("CreateLobby", "short_code", "str", "at most 100 characters"),
        ("CreateRoom", "room_id", "str", "1 to 100 characters, `^[a-zA-Z0-9_-]*$`"),
        ("GetProcessMetrics", "step", "int", "1 or more"),
    ],
)
def test_types_and_limits_in_words(operation: str, parameter: str, kind: str, limit: str) -> None:
    [declared] = [each for each in HATHORA.operations() if each.id == operation]
    hint = declared.plan.by_name[parameter].type
    assert (spelled(hint), limits(hint)) == (kind, limit)
