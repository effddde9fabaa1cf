"""The house's own document and page: valid, current, and everything on them explained."""

from __future__ import annotations

import re

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from innkeeper.contract.hathora import HATHORA
from innkeeper.contract.house import HOUSE
from innkeeper.contract.openapi import document, main
from innkeeper.contract.reference import meaning, page
from inns import REPOSITORY

PAGE = REPOSITORY / "docs" / "reference" / "house-operations.md"


def test_the_document_is_valid_and_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(document(HOUSE)).iter_errors()] == []
    main(["house"])
    assert (REPOSITORY / "openapi" / "house.json").read_text() == capsys.readouterr().out, "run scripts/openapi"


def test_the_page_is_current_and_explains_everything() -> None:
    assert PAGE.read_text() == page(HOUSE), "run python -m innkeeper.contract.reference --write"
    for operation in HOUSE.operations():
        for parameter in operation.plan.parameters:
            assert meaning(HOUSE, operation.name, parameter.name), (operation.id, parameter.name)
    empty = re.findall(r"^\| `([a-z_]+)` \| .* \|  \|$", PAGE.read_text(), re.MULTILINE)
    assert set(empty) <= {"name", "app_name"}  # which say it


def test_its_paths_are_not_a_vendors() -> None:
    assert all(operation.path.startswith("/house/") for operation in HOUSE.operations())
    assert not any(operation.path.startswith("/house/") for operation in HATHORA.operations())
    assert all(operation.key == "org" and operation.scope for operation in HOUSE.operations())
