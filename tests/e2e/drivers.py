"""One text for two clients: a walk says ``await drive(client.rooms_v2.create_room, ...)`` whichever client it is."""

from __future__ import annotations

import asyncio
import inspect
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import pytest

from innkeeper.contract.hathora import HATHORA
from innkeeper.sdk import NO_RETRY, AsyncHathoraCloud, HathoraCloud
from innkeeper.settings import FILE
from inns import PATIENCE, RunningInn

Client = HathoraCloud | AsyncHathoraCloud


class Drive:
    """Makes the calls, and notes which operations were answered. ``clients`` is the class to use.

    A call of a deprecated operation must warn, and name one that is there and is not deprecated itself.
    """

    no_retry = NO_RETRY  #: for a call that is refused on purpose

    def __init__(self, clients: type[HathoraCloud] | type[AsyncHathoraCloud], inn: RunningInn) -> None:
        self._clients, self._inn = clients, inn
        self.walked: set[str] = set()
        self.warned: set[str] = set()

    def client(self, **given: Any) -> Any:
        """A client of the kind that is driven; close it with :meth:`close`."""
        given = {"token": self._inn.token, "org_id": self._inn.org_id, **given}
        return self._clients(server=self._inn.url, **given)

    async def close(self, client: Any) -> None:
        await _result(client.close())

    async def __call__(self, call: Any, *args: Any, **kwargs: Any) -> Any:
        """The answer of an operation, or of a helper of the client."""
        with self._warning(call):
            answer = call(*args, **kwargs)
        answer = await _result(answer)
        self._note(call)
        return answer

    async def read(self, call: Any, *args: Any, **kwargs: Any) -> str:
        """All of an answer that comes bit by bit."""
        with self._warning(call):
            stream = call(*args, **kwargs)
        stream = await _result(stream)
        self._note(call)
        text: bytes = await _result(stream.read())
        return text.decode()

    async def pages(self, call: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """All pages of an answer."""
        pages = call.pages(*args, **kwargs)
        found = [page async for page in pages] if isinstance(pages, AsyncIterator) else list(pages)
        self._note(call)
        return found

    def _warning(self, call: Any) -> AbstractContextManager[Any]:
        operation = getattr(call, "operation", None)
        if operation is None or operation.replacement is None:
            return nullcontext()
        group, _, method = operation.replacement.partition(".")
        assert getattr(HATHORA.resource(group), method).replaced_by is None
        self.warned.add(operation.id)
        text = f"{operation.id} is deprecated: use {operation.replacement} instead"
        return pytest.warns(DeprecationWarning, match=f"^{re.escape(text)}$")

    def _note(self, call: Any) -> None:
        operation = getattr(call, "operation", None)
        if operation is not None:
            self.walked.add(operation.id)


@contextmanager
def mailing_inn(smtp_url: str, **settings: Any) -> Generator[RunningInn]:
    """A running Innkeeper that hands its mails in there, ended with all it started."""
    inn = RunningInn(None, **settings)
    inn.data.mkdir()
    (inn.data / FILE).write_text(f'smtp_url = "{smtp_url}"\n')  # may hold a password, so no option of the command line
    try:
        inn.start()
        yield inn
    finally:
        inn.end()


async def _result(answer: Any) -> Any:
    return await answer if inspect.isawaitable(answer) else answer


async def eventually(look: Callable[[], Awaitable[Any]], seconds: float = PATIENCE) -> Any:
    """Ask again and again until there is an answer."""
    end = time.monotonic() + seconds
    while (found := await look()) is None:
        assert time.monotonic() < end
        await asyncio.sleep(0.02)
    return found
