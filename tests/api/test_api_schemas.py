"""schemathesis reads our OpenAPI document and asks whatever it allows, and what it does not: against the real inn.

No 5xx, no answer outside its schema, no status that the operation does not document. The examples are made from the
document alone and are the same in every run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis

from api.examples import CHECKS, Running, few, opened
from api.wire import real_ids
from innkeeper.contract.hathora import HATHORA
from innkeeper.contract.openapi import document

schema = schemathesis.openapi.from_dict(document(HATHORA))


class Filled(Running):
    """With one of each thing, and a player."""

    async def fill(self) -> None:
        game = await self.inn.game(seats=10_000)
        self.ids = await real_ids(self.inn, game)
        self.player = (await self.inn.client(None, app_id=game.app_id).auth_v1.login_anonymous()).token


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    with opened(Filled, tmp_path_factory.mktemp("inn")) as found:
        yield found


#: What would end the very things the other examples are about.
_ENDS = {"DeleteApp", "StopProcess", "RevokeOrgToken", "DeleteBuild"}


@schema.parametrize()
@few(8)
def test_every_answer_is_as_documented(case: Any, running: Filled) -> None:
    name = case.operation.definition.raw.get("operationId", "")
    # Half of what is asked is about things that are there.
    if name not in _ENDS and len(str(case.path_parameters)) % 2:
        for wire in case.path_parameters or {}:
            if wire in running.ids and wire != "shortCode":
                case.path_parameters[wire] = running.ids[wire]
    token = running.player if name.startswith("CreateLobby") else running.inn.token
    case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}
    response = case.call(base_url="http://inn", session=running.session)
    if response.status_code == 400 and not {"400", "404", "422"} & set(case.operation.definition.raw["responses"]):
        return  # the vendor documents no refusal of what cannot be used; 400 is in `docs/reference/hathora.md`
    case.validate_response(response, checks=CHECKS)
