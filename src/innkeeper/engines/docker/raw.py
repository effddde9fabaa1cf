"""What is asked of an engine in words that aiodocker has not: the one place that reaches below its typed calls.

Called by the other modules of this folder, inside :meth:`Client.call` or with what it needs of it.
"""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import json
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiodocker import Docker

from .client import SECONDS, Client, DockerError

_FRAME = struct.Struct(">BxxxL")  # which stream, and how many bytes follow
_FOREVER = aiohttp.ClientTimeout(total=None, sock_read=None, sock_connect=5.0)
_CHUNK = 1 << 16
#: A line of events is small; aiohttp's own ceiling is 64 KiB.
_LONGEST_EVENT = 1 << 20


def filters(labels: Mapping[str, str], **more: list[str]) -> str:
    """The filter that finds what has all these labels."""
    return json.dumps({"label": [f"{name}={value}" for name, value in labels.items()], **more})


async def ping(client: Client, seconds: float) -> None:
    """Whether the engine answers at all. Raises :class:`innkeeper.engines.base.HostUnavailable`."""
    async with (
        client.call("answering a ping", seconds),
        client.docker._query("_ping", versioned_api=False) as response,
    ):
        await response.read()


@asynccontextmanager
async def events(client: Client, labels: Mapping[str, str]) -> AsyncGenerator[AsyncIterator[dict[str, Any]]]:
    """What happens to containers with these labels, from the time that this is entered until the connection breaks."""
    asked = {"filters": filters(labels, type=["container"])}
    async with client.call("beginning to tell events"):
        response = await client.docker._do_query("events", "GET", params=asked, timeout=_FOREVER)

    async def read() -> AsyncIterator[dict[str, Any]]:
        rest = b""
        async with client.call("telling events", None):
            async for part in response.content.iter_any():
                *lines, rest = (rest + part).split(b"\n")
                for line in lines:
                    if line.strip():
                        yield json.loads(line)
                if len(rest) > _LONGEST_EVENT:
                    raise DockerError(500, "its events are no lines")

    try:
        yield read()
    finally:
        response.close()


async def list_containers(docker: Docker, labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """All containers with these labels, those that ended too, briefly."""
    found: list[dict[str, Any]] = await docker._query_json(
        "containers/json", params={"all": "1", "filters": filters(labels)}
    )
    return found


async def containers_in(docker: Docker, network: str) -> int:
    """How many containers are in a network, those that ended too."""
    asked = {"all": "1", "filters": json.dumps({"network": [network]})}
    return len(await docker._query_json("containers/json", params=asked))


async def stats(docker: Docker, container: str) -> dict[str, Any] | None:
    """What a container uses now, not measured twice to tell a rate. None when the engine says nothing about it."""
    asked = {"stream": "false", "one-shot": "true"}
    async with docker._query(f"containers/{container}/stats", params=asked) as response:
        text = await response.read()  # Podman does not say that it is JSON
    found = json.loads(text) if text.strip() else None
    return found if isinstance(found, dict) else None


async def logs(client: Client, container: str, *, tail: int | None, follow: bool) -> AsyncGenerator[bytes]:
    """What a container printed, both streams as they came. ``DockerError`` of status 404: it is not there."""
    asked = {
        "stdout": "1",
        "stderr": "1",
        "follow": "1" if follow else "0",
        "tail": "all" if tail is None else str(tail),
    }
    async with client.call("telling a log"):
        response = await client.docker._do_query(f"containers/{container}/logs", "GET", params=asked, timeout=_FOREVER)
    try:
        async with client.call("telling a log", None if follow else 4 * SECONDS):
            frames = Frames()
            async for part in response.content.iter_chunked(_CHUNK):
                if text := frames.feed(part):
                    yield text
    finally:
        response.close()


class Frames:
    """Takes the frames away that an engine puts around what each of the two streams printed."""

    def __init__(self) -> None:
        self._head = b""
        self._left = 0  # of the frame's text, still to come

    def feed(self, data: bytes) -> bytes:
        """The text that is in these bytes."""
        found: list[bytes] = []
        at = 0
        while at < len(data):
            if self._left:
                part = data[at : at + self._left]
                found.append(part)
                at += len(part)
                self._left -= len(part)
                continue
            need = _FRAME.size - len(self._head)
            self._head += data[at : at + need]
            at += need
            if len(self._head) == _FRAME.size:
                self._left = _FRAME.unpack(self._head)[1]
                self._head = b""
        return b"".join(found)


async def put_archive(docker: Docker, container: str, archive: AsyncIterator[bytes]) -> None:
    """Unpack an archive over the root of a container, which need not run."""
    response = await docker._do_query(
        f"containers/{container}/archive",
        "PUT",
        params={"path": "/"},
        data=archive,
        headers={"content-type": "application/x-tar"},
        chunked=True,
        timeout=_FOREVER,
    )
    async with response:
        await response.read()
