"""schemathesis reads the document of Edgegap's API and asks whatever it allows, and what it does not: of the real inn.

No 5xx, no answer outside its schema, no status that the operation does not document. The examples are made from the
document alone and are the same in every run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis

from api.examples import CHECKS, Running, few, opened
from innkeeper.contract.edgegap import EDGEGAP
from innkeeper.contract.openapi import document

from .stage import BY_ID, Stage

schema = schemathesis.openapi.from_dict(document(EDGEGAP))


class Filled(Running):
    """With one of each thing."""

    async def fill(self) -> None:
        self.stage = await Stage(self.inn).build()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    with opened(Filled, tmp_path_factory.mktemp("inn")) as found:
        yield found


#: What would end the very things the other examples are about.
_ENDS = {
    "application-patch", "application-delete", "app-versions-patch", "app-version-delete", "deployment-delete",
    "deployments-bulk-delete", "self-deployment-delete", "app-version-whitelist-entry-delete", "endpoint-delete",
    "endpoint-update", "pull-profile-delete", "pull-profile-update", "session-delete", "delete-custom-session",
    "delete-custom-sessions", "fleet-delete", "fleet-update", "fleet-policies-delete", "fleet-policies-update",
}  # fmt: skip

#: Fields of bodies that name what is there too, and what that is.
_NAMED = {
    "app_name": "app_name",
    "application": "app_name",
    "version_name": "version_name",
    "app_version": "version_name",
}


def ends(name: str) -> bool:
    """Whether it would; so would all that changes a part of the matchmaker."""
    return name in _ENDS or (name.startswith(("patch-matchmaker", "delete-matchmaker")))


@schema.parametrize()
@few(4)
def test_every_answer_is_as_documented(case: Any, running: Filled) -> None:
    name = case.operation.definition.raw["operationId"]
    operation, stage = BY_ID[name], running.stage
    ids, shown = stage.ids, f"token {running.inn.token}"
    if operation.key == "server":
        stops = "/stop/" in operation.path  # that ends a server about which nothing else is asked
        ids = stage.other_ids if stops else {**ids, "tag_name": "mine"}
        shown = stage.other_secrets["stop"] if stops else stage.secrets["context"]
    elif "/managed/" in operation.path:
        ids = {**ids, "release_version": ids["managed_version"]}
    # Half of what is asked is about things that are there.
    if operation.key == "server" or (not ends(name) and len(str(case.path_parameters)) % 2):
        case.path_parameters = {wire: ids.get(wire, said) for wire, said in (case.path_parameters or {}).items()}
        if isinstance(case.body, dict):
            case.body = {field: ids.get(_NAMED.get(field, ""), said) for field, said in case.body.items()}
    case.headers = {**(case.headers or {}), "Authorization": shown}
    response = case.call(base_url="http://inn", session=running.session)
    case.validate_response(response, checks=CHECKS)
