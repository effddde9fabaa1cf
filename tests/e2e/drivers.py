"""One text for two clients: a walk says ``await drive(client.rooms_v2.create_room, ...)`` whichever client it is."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from typing import Any

from innkeeper.sdk import AsyncHathoraCloud, HathoraCloud
from inns import RunningInn

Client = HathoraCloud | AsyncHathoraCloud


class Drive:
    """Makes the calls, and notes which operations were answered. ``clients`` is the class to use."""

    def __init__(self, clients: type[HathoraCloud] | type[AsyncHathoraCloud], inn: RunningInn) -> None:
        self._clients, self._inn = clients, inn
        self.walked: set[str] = set()

    def client(self, **given: Any) -> Any:
        """A client of the kind that is driven; close it with :meth:`close`."""
        given = {"token": self._inn.token, "org_id": self._inn.org_id, **given}
        return self._clients(server=self._inn.url, **given)

    async def close(self, client: Any) -> None:
        await _result(client.close())

    async def __call__(self, call: Any, *args: Any, **kwargs: Any) -> Any:
        """The answer of an operation, or of a helper of the client."""
        answer = await _result(call(*args, **kwargs))
        self._note(call)
        return answer

    async def read(self, call: Any, *args: Any, **kwargs: Any) -> str:
        """All of an answer that comes bit by bit."""
        stream = await _result(call(*args, **kwargs))
        self._note(call)
        text: bytes = await _result(stream.read())
        return text.decode()

    async def pages(self, call: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """All pages of an answer."""
        pages = call.pages(*args, **kwargs)
        found = [page async for page in pages] if isinstance(pages, AsyncIterator) else list(pages)
        self._note(call)
        return found

    def _note(self, call: Any) -> None:
        operation = getattr(call, "operation", None)
        if operation is not None:
            self.walked.add(operation.id)


async def _result(answer: Any) -> Any:
    return await answer if inspect.isawaitable(answer) else answer
