"""What tests have in common in which schemathesis asks whatever a document allows: an inn in a thread, and a way to it.

For ``test_api_schemas.py`` here, and for that of Edgegap's API.
"""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import requests
from hypothesis import HealthCheck, Phase, settings
from requests.adapters import BaseAdapter
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from urllib3 import HTTPResponse

from api.wire import ask
from factories import TestInn

R = TypeVar("R", bound="Running")

#: No 5xx, no answer outside its schema, no status that the operation does not document.
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def few(count: int) -> settings:
    """So many examples of each operation, made from the document alone: the same in every run."""
    return settings(
        max_examples=count,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


class Running:
    """An inn on a loop in a thread of its own: schemathesis calls from this one. ``fill`` says what is in it."""

    def __init__(self, folder: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.inn = TestInn(folder / "data", f"sqlite:///{folder / 'innkeeper.db'}")
        self.session = requests.Session()
        self.session.mount("http://inn", _Door(self))

    def do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    async def open(self) -> None:
        # Mails are taken, and handed in by a pass that is not made here.
        self.inn.settings = msgspec.structs.replace(self.inn.settings, smtp_url="smtp://127.0.0.1:9")
        await self.inn.start()
        await self.fill()

    async def fill(self) -> None:
        """Put things in that questions can be about."""

    def close(self) -> None:
        self.do(self.inn.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@contextmanager
def opened(kind: type[R], folder: Path) -> Generator[R]:
    """One that is open, and is closed afterwards."""
    found = kind(folder)
    try:
        found.do(found.open())
        yield found
    finally:
        found.close()


class _Door(BaseAdapter):
    """The only way out of a session of requests: to the inn."""

    def __init__(self, running: Running) -> None:
        super().__init__()
        self._running = running

    def send(self, request: Any, **_: Any) -> requests.Response:
        path = request.path_url
        body = request.body.encode() if isinstance(request.body, str) else request.body
        headers = {
            (k.decode() if isinstance(k, bytes) else k): (v.decode("latin-1") if isinstance(v, bytes) else v)
            for k, v in request.headers.items()
        }
        headers.pop("Content-Length", None)
        follows = "follow=" in path  # a log that is followed ends with its server, or when its reader goes
        running = self._running
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
