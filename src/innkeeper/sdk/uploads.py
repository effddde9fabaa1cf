"""Uploading a build: create, send the parts side by side, complete. One dialogue for both modes, for ``hathora.py``.

The parts go to signed links, so no credential travels with them. What is sent is read from the source while it is
sent, in pieces; a part that must be sent again is read again.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from innkeeper.contract.errors import AnswerUnreadable
from innkeeper.contract.hathora.builds_v3 import BuildsV3, CreatedBuildV3WithMultipartUrls, CreateMultipartBuildParams
from innkeeper.contract.shape import UNSET

from .decoding import lowered
from .engine import USER_AGENT
from .wire import Response, Steps, Together

if TYPE_CHECKING:
    from .engine import Engine

_PIECE = 1 << 18
#: Bytes a second that a part moves at least: it gets the client's timeout and the time this takes.
_SLOWEST = 100_000
_TOO_SHORT = "the source changed while it was sent and is too short now"


class Archive:
    """Bytes that can be read at any place, by several threads. ``read_at`` may answer less at the end only."""

    def __init__(self, size: int, read_at: Callable[[int, int], bytes]) -> None:
        self.size, self.read_at = size, read_at


@contextmanager
def opened(source: bytes | Path | BinaryIO) -> Generator[Archive]:
    """The source as an :class:`Archive`. A file object is read from where it stands; it stays open."""
    if isinstance(source, bytes):
        yield Archive(len(source), lambda at, count: source[at : at + count])
    elif isinstance(source, Path):
        with source.open("rb") as file:
            number = file.fileno()
            yield Archive(os.fstat(number).st_size, lambda at, count: os.pread(number, count, at))
    elif source.seekable():
        yield _of_file(source)
    else:
        with tempfile.TemporaryFile() as copy:
            while piece := source.read(_PIECE):
                copy.write(piece)
            copy.seek(0)
            yield _of_file(copy)


def _of_file(file: Any) -> Archive:
    lock, start = threading.Lock(), file.tell()

    def read_at(at: int, count: int) -> bytes:
        with lock:
            file.seek(start + at)
            read: bytes = file.read(count)
            return read

    return Archive(file.seek(0, os.SEEK_END) - start, read_at)


class Tally:
    """Adds up what the parts have sent and tells it; never less than before, though a part be sent again."""

    def __init__(self, total: int, tell: Callable[[int, int], object] | None) -> None:
        self._total, self._tell = total, tell
        self._sent: dict[int, int] = {}
        self._told = 0
        self._lock = threading.Lock()

    def note(self, part: int, sent: int) -> None:
        """So many bytes of this part are sent now."""
        if self._tell is None:
            return
        with self._lock:
            self._sent[part] = sent
            now = sum(self._sent.values())
            if now > self._told:
                self._told = now
                self._tell(now, self._total)


class Part:
    """One part of an archive as the body of a request."""

    def __init__(self, archive: Archive, number: int, at: int, length: int, tally: Tally) -> None:
        self.number, self.length = number, length
        self.short = False  #: whether the source had fewer bytes than it said
        self._archive, self._at, self._tally = archive, at, tally

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        while sent < self.length:
            piece = self._archive.read_at(self._at + sent, min(_PIECE, self.length - sent))
            if not piece:
                self.short = True
                raise ValueError(_TOO_SHORT)
            yield piece
            sent += len(piece)
            self._tally.note(self.number, sent)

    def arrived(self) -> None:
        """All of it is there: not every HTTP library comes back for the end."""
        self._tally.note(self.number, self.length)


def upload(
    engine: Engine,
    archive: Archive,
    build_tag: str | None,
    build_id: str | None,
    org_id: Any,
    progress: Callable[[int, int], object] | None,
    parallel: int,
) -> Steps[CreatedBuildV3WithMultipartUrls]:
    """Create a build, send its archive, and say so. Returns the build as it was created."""
    params = CreateMultipartBuildParams(
        build_size_in_bytes=archive.size,
        build_tag=UNSET if build_tag is None else build_tag,
        build_id=UNSET if build_id is None else build_id,
    )
    build: CreatedBuildV3WithMultipartUrls = yield from engine.call(
        BuildsV3.create_build, (params,), {"org_id": org_id}, {}
    )
    tally = Tally(archive.size, progress)
    puts: list[Steps[str]] = []
    for told in build.upload_parts:
        at = (told.part_number - 1) * build.max_chunk_size
        length = max(0, min(build.max_chunk_size, archive.size - at))
        part = Part(archive, told.part_number, at, length, tally)
        puts.append(_put(engine, told.put_request_url, part))
    etags: list[str] = yield Together(puts, parallel)
    numbered = zip(build.upload_parts, etags, strict=True)
    parts = "".join(
        f"<Part><PartNumber>{part.part_number}</PartNumber><ETag>{escape(etag, quote=False)}</ETag></Part>"
        for part, etag in numbered
    )
    # Completing twice is harmless: the second finds it complete, or says that there is nothing to complete.
    answer, attempts = yield from engine.exchange(
        "POST",
        build.complete_upload_post_request_url,
        {"content-type": "application/xml", "user-agent": USER_AGENT},
        f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode(),
        safe=True,
        name="CompleteUpload",
        options={},
    )
    if b"<Error>" in answer.body:
        # Object stores begin a long answer with 200 before they know how it ends.
        raise _unreadable("CompleteUpload", "the store could not put the parts together", answer, attempts)
    return build


def _put(engine: Engine, url: str, part: Part) -> Steps[str]:
    """Send one part; returns the ``ETag`` it was given."""
    try:
        answer, attempts = yield from engine.exchange(
            "PUT",
            url,
            {"content-type": "application/octet-stream", "user-agent": USER_AGENT},
            part,
            safe=True,
            name=f"UploadPart {part.number}",
            options={"timeout": None if engine.timeout is None else engine.timeout + part.length / _SLOWEST},
        )
    except Exception as error:
        if part.short:  # whatever the HTTP library made of that
            raise ValueError(_TOO_SHORT) from error
        raise
    part.arrived()
    etag = lowered(answer.headers).get("etag")
    if etag is None:
        raise _unreadable(f"UploadPart {part.number}", "the answer has no ETag", answer, attempts)
    return etag


def _unreadable(name: str, why: str, answer: Response, attempts: int) -> AnswerUnreadable:
    return AnswerUnreadable(
        f"{name}: {why}",
        status=answer.status,
        headers=lowered(answer.headers),
        body=answer.body,
        operation=name,
        attempts=attempts,
    )
