"""Archives on their way to and from an engine, and what it says of them, as objects in lines. For ``images.py``."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp

from innkeeper.engines.images import Image

from .client import DockerError

#: No line of what engines say is longer, but for a Dockerfile's step that is.
_LONGEST = 4 << 20


class Source:
    """The archive on its way to the engine. What goes wrong in reading it is no fault of the connection."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self._error: Exception | None = None

    async def pieces(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._pieces:
                yield piece
        except Exception as error:
            self._error = error
            raise

    def settle(self) -> None:
        """Raise what went wrong in reading, if anything did."""
        if self._error is not None:
            raise self._error


async def messages(content: aiohttp.StreamReader) -> AsyncIterator[dict[str, Any]]:
    """The objects of a stream, one a line or several: Podman does not end each."""
    decoder = json.JSONDecoder()
    rest = b""
    async for part in content.iter_any():
        *lines, rest = (rest + part).split(b"\n")
        if len(rest) > _LONGEST:
            raise DockerError(500, "what the engine says has no lines")
        for line in lines:
            for message in _objects(line, decoder):
                yield message
    for message in _objects(rest, decoder):
        yield message


def _objects(line: bytes, decoder: json.JSONDecoder) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    text = line.decode(errors="replace").strip()
    while text:
        try:
            value, end = decoder.raw_decode(text)
        except ValueError:
            break  # no JSON: nothing that a sentence could be made of
        if isinstance(value, dict):
            found.append(value)
        text = text[end:].lstrip()
    return found


def split(reference: str) -> tuple[str, str]:
    """The repository, and the tag or digest."""
    repository, at, digest = reference.partition("@")
    if at:
        return repository, digest
    repository, _, tag = reference.rpartition(":")
    return repository, tag


def image_of(found: Mapping[str, Any]) -> Image:
    """An image from what an engine tells of it."""
    image_id, config = str(found["Id"]), found.get("Config") or {}
    return Image(
        image_id if image_id.startswith("sha256:") else f"sha256:{image_id}",
        str(found.get("Architecture") or ""),
        str(found.get("Os") or ""),
        int(found.get("Size") or 0),
        bool(config.get("Cmd") or config.get("Entrypoint")),
    )


def goes_by(found: Mapping[str, Any], reference: str) -> bool:
    """Whether an image, as an engine tells of it, has this very reference, where that is one by digest.

    One by tag is nobody else's. Docker leaves the usual registry out.
    """
    if "@" not in reference:
        return True
    names = {*(found.get("RepoTags") or ()), *(found.get("RepoDigests") or ())}
    short = reference.removeprefix("docker.io/")
    return not names.isdisjoint((reference, short, short.removeprefix("library/")))
