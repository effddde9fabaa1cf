"""schemathesis reads our OpenAPI document and asks whatever it allows, and what it does not: against the real inn.

No 5xx, no answer outside its schema, no status that the operation does not document. The examples are made from the
document alone and are the same in every run.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.wire import real_ids
from factories import TestInn
from innkeeper.contract.hathora import HATHORA
from innkeeper.contract.openapi import document

schema = schemathesis.openapi.from_dict(document(HATHORA))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


class Running:
    """An inn on a loop in a thread of its own: schemathesis calls from this one."""

    def __init__(self, folder: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.folder = folder
        self.ids: dict[str, str] = {}
        self.player = ""

    def do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    async def open(self) -> None:
        self.inn = TestInn(self.folder / "data", f"sqlite:///{self.folder / 'innkeeper.db'}")
        # Mails are taken, and handed in by a pass that is not made here.
        self.inn.settings = msgspec.structs.replace(self.inn.settings, smtp_url="smtp://127.0.0.1:9")
        await self.inn.start()
        game = await self.inn.game(seats=10_000)
        self.ids = await real_ids(self.inn, game)
        self.player = (await self.inn.client(None, app_id=game.app_id).auth_v1.login_anonymous()).token

    def close(self) -> None:
        self.do(self.inn.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    found = Running(tmp_path_factory.mktemp("inn"))
    try:
        found.do(found.open())
        yield found
    finally:
        found.close()


#: What would end the very things the other examples are about.
_ENDS = {"DeleteApp", "StopProcess", "RevokeOrgToken", "DeleteBuild"}


@schema.parametrize()
@settings(
    max_examples=8,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_documented(case: Any, running: Running) -> None:
    name = case.operation.definition.raw.get("operationId", "")
    # Half of what is asked is about things that are there.
    if name not in _ENDS and len(str(case.path_parameters)) % 2:
        for wire in case.path_parameters or {}:
            if wire in running.ids and wire != "shortCode":
                case.path_parameters[wire] = running.ids[wire]
    token = running.player if name.startswith("CreateLobby") else running.inn.token
    case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}
    response = case.call(base_url="http://inn", session=session_of(running))
    if response.status_code == 400 and not {"400", "404", "422"} & set(case.operation.definition.raw["responses"]):
        return  # the vendor documents no refusal of what cannot be used; 400 is in `docs/reference/hathora.md`
    case.validate_response(response, checks=CHECKS)


def session_of(running: Running) -> Any:
    """A requests session whose only way out is the inn."""
    import io

    import requests
    from requests.adapters import BaseAdapter
    from urllib3 import HTTPResponse

    from api.wire import ask

    class Adapter(BaseAdapter):
        def send(self, request: Any, **_: Any) -> requests.Response:
            path = request.path_url
            body = request.body.encode() if isinstance(request.body, str) else request.body
            headers = {
                (k.decode() if isinstance(k, bytes) else k): (v.decode("latin-1") if isinstance(v, bytes) else v)
                for k, v in request.headers.items()
            }
            headers.pop("Content-Length", None)
            follows = "follow=" in path  # a log that is followed ends with its server, or when its reader goes
            answer = running.do(ask(running.inn, request.method, path, body, headers=headers, leaves=follows))
            made = requests.Response()
            made.status_code = answer.status
            made.headers = requests.structures.CaseInsensitiveDict(answer.headers)
            made.raw = HTTPResponse(io.BytesIO(answer.body), headers=answer.headers, preload_content=False)
            made._content = answer.body
            made.request, made.url = request, request.url
            return made

        def close(self) -> None:
            pass

    session = requests.Session()
    session.mount("http://inn", Adapter())
    return session
