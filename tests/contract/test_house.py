"""The house's own document and page: valid, current, and everything on them explained."""

from __future__ import annotations

import json
import re

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from innkeeper.accounts.scopes import SCOPES
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


@pytest.mark.parametrize(
    ("owner", "name", "says"),
    [
        ("Host", "name", "the host's name"),
        ("remove_host", "name", "the host's name"),
        ("Org", "name", "what people call it"),
        ("MadeOrg", "name", "what people call it"),
        ("TokenFor", "name", "the token's name"),
        ("anything_else", "name", ""),
        ("get_invoices", "of", "those of all when left out"),
        ("get_account", "of", "the id of the organisation"),
        ("get_events", "kinds", "all when left out"),
        ("Webhook", "kinds", "which is all"),
    ],
)
def test_a_name_means_what_it_means_of_its_owner(owner: str, name: str, says: str) -> None:
    found = meaning(HOUSE, owner, name)
    assert says in found if says else not found


def test_no_scope_is_named_that_no_token_can_be_given() -> None:
    given = {operation.scope for operation in HOUSE.operations() if operation.whose is None}
    assert given <= set(SCOPES)
    for text in (page(HOUSE), json.dumps(document(HOUSE))):
        assert set(re.findall(r"[a-z]+:read(?:-write)?(?=`|\")", text)) <= set(SCOPES)
    assert "Takes a token of an admin of the organisation that runs the house; no scope opens it" in page(HOUSE)
    [add_host] = [o for o in HOUSE.operations() if o.name == "add_host"]
    described = document(HOUSE)["paths"]["/house/v1/hosts"]["post"]
    assert add_host.scope not in described["security"][0]["operatorToken"]
    assert described["description"].endswith("For an admin of the organisation that runs the house; no scope opens it.")


def test_its_paths_are_not_a_vendors() -> None:
    assert all(operation.path.startswith("/house/") for operation in HOUSE.operations())
    assert not any(operation.path.startswith("/house/") for operation in HATHORA.operations())
    assert all(operation.key == "org" and operation.scope for operation in HOUSE.operations())
