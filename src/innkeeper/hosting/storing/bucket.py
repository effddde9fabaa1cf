"""Speaks to object stores: puts a stream, lists, fetches, makes links. The one place that knows the library for it.

Called by ``hosting/storages.py``, ``hosting/pulling.py`` and ``passes/saving.py``. Memory is bounded: an object travels
in parts. What goes wrong is told as :class:`Trouble`, in words for the bucket's owner.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from innkeeper import __version__

from .guard import Guard
from .model import LINK_SECONDS, MOST_TOLD

if TYPE_CHECKING:
    from obstore.store import S3Store

T = TypeVar("T")

#: Bytes of one part; of so many of them at once.
_PART, _PARTS = 8 << 20, 2
_READ = 1 << 20
#: Seconds for one request, and for it with its repetitions.
_REQUEST, _REPEATED = timedelta(seconds=120), timedelta(seconds=150)
_REPETITIONS = 2
#: Seconds in which a store may tell its region; what does not is taken to be where most are.
_PATIENCE = 10.0
#: A secret of fewer characters is looked for in no text: it would be found in words.
_LEAST_SECRET = 8
#: What is used where nobody says which it is.
_USUAL_REGION = "us-east-1"
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d+")
_REGION_SAID = re.compile(r"<Region>([A-Za-z0-9-]{1,64})</Region>")
_CODE = re.compile(r"<Code>([A-Za-z0-9_.]{1,64})</Code>")
_MESSAGE = re.compile(r"<Message>([^<]{1,300})</Message>")


class Trouble(Exception):
    """The object store did not do what was asked. The text says why, for the bucket's owner."""


class Missing(Trouble):
    """There is no such object."""


@dataclass(frozen=True, slots=True)
class Where:
    """A bucket that is about to be reached."""

    endpoint: str
    bucket: str
    key_id: str
    secret: str = field(repr=False)
    anywhere: bool  #: whether its address may be a private one


@dataclass(frozen=True, slots=True)
class Found:
    """An object in a list."""

    path: str
    size: int  #: bytes


class Buckets:
    """Object stores, through the guard."""

    def __init__(self, guard: Guard, *, patience: float = _PATIENCE) -> None:
        self._guard, self._patience = guard, patience
        self._regions: dict[tuple[str, str], str] = {}  # endpoint and bucket -> where the store says that it is

    async def put(self, where: Where, key: str, pieces: AsyncIterator[bytes]) -> int:
        """Make an object of a stream, or none where the stream is empty; the bytes that it has.

        Raises Trouble, and whatever the stream raises. One that is there is overwritten, at once and as a whole.
        """
        obstore = await _library()
        source = _Source(pieces)
        first = await source.first(_PART)
        if not first:
            return 0
        if source.over:
            await self._do(where, lambda store: obstore.put_async(store, key, first, use_multipart=False), key)
            return source.taken
        # A wrong region is found out by the first request of several, before a byte of the stream was used.
        await self._learn(where, key)
        try:
            await self._do(
                where,
                lambda store: obstore.put_async(
                    store, key, source.all(first), use_multipart=True, chunk_size=_PART, max_concurrency=_PARTS
                ),
                key,
                once=True,
            )
        except Trouble:
            source.settle()
            raise
        return source.taken

    async def list(self, where: Where, folder: str, most: int) -> list[Found]:
        """The objects below a folder (empty: all), ``most`` and one more at most. Raises Trouble."""
        obstore = await _library()

        async def listed(store: S3Store) -> list[Found]:
            found: list[Found] = []
            async for batch in obstore.list(store, folder or None, chunk_size=1000):
                found += (Found(one["path"], one["size"]) for one in batch)
                if len(found) > most:
                    break
            return found[: most + 1]

        return await self._do(where, listed, folder)

    async def fetch(self, where: Where, path: str, into: Path, take: Callable[[int], None]) -> None:
        """Write an object into a new file. ``take`` is told of bytes before they are written, and may raise.

        Raises Trouble, and then there is no file.
        """
        obstore = await _library()

        async def fetched(store: S3Store) -> None:
            answer = await obstore.get_async(store, path)
            file: IO[bytes] = await asyncio.to_thread(open, into, "xb")
            try:
                async for chunk in answer.stream(min_chunk_size=_READ):
                    take(len(chunk))
                    await asyncio.to_thread(file.write, bytes(chunk))
            finally:
                await asyncio.to_thread(file.close)

        try:
            await self._do(where, fetched, path)
        except BaseException:
            await asyncio.to_thread(into.unlink, missing_ok=True)
            raise

    async def link(self, where: Where, key: str) -> str:
        """A URL by which anybody can read an object for an hour. Raises Trouble."""
        obstore = await _library()
        await self._learn(where, key)
        return await self._do(
            where, lambda store: obstore.sign_async(store, "GET", key, timedelta(seconds=LINK_SECONDS)), key
        )

    async def _learn(self, where: Where, key: str) -> None:
        """Find out the region of a store whose address does not say it: a request that tells it."""
        obstore = await _library()
        if region_of(where.endpoint) is not None or (where.endpoint, where.bucket) in self._regions:
            return
        try:
            async with asyncio.timeout(self._patience):
                await self._do(where, lambda store: obstore.list(store, key, chunk_size=1).collect_async(), key)
        except (Trouble, TimeoutError):
            return  # what is asked next says it better: to list may be forbidden
        self._regions.setdefault((where.endpoint, where.bucket), _USUAL_REGION)

    async def _do(self, where: Where, deed: Callable[[S3Store], Awaitable[T]], path: str, *, once: bool = False) -> T:
        """Do it; once more where the store says that its region is another than was thought."""
        from obstore.exceptions import BaseError

        for last in (once, True):
            try:
                return await deed(await self._store(where))
            except (BaseError, OSError, ValueError) as error:
                said = _REGION_SAID.search(str(error))
                known = self._regions.get((where.endpoint, where.bucket))
                if said is not None and not last and said[1] != known:
                    self._regions[where.endpoint, where.bucket] = said[1]
                    continue
                kind = Missing if isinstance(error, FileNotFoundError) else Trouble
                raise kind(self._told(where, path, error)) from None
        raise AssertionError("the second try is the last")

    async def _store(self, where: Where) -> S3Store:
        proxy = await self._guard.url(anywhere=where.anywhere)
        return make_store(where, self._region(where), proxy)

    def _region(self, where: Where) -> str:
        known = self._regions.get((where.endpoint, where.bucket))
        return known or region_of(where.endpoint) or _USUAL_REGION

    def _told(self, where: Where, path: str, error: Exception) -> str:
        host = urlsplit(where.endpoint).hostname or ""
        trouble = self._guard.trouble(host) or self._guard.trouble(f"{where.bucket}.{host}")
        return told(where, path, str(error), trouble)


def make_store(where: Where, region: str, proxy: str) -> S3Store:
    """The library's own object for a bucket. The library would take settings, and keys, out of variables of the
    environment that are this machine's; nothing of those is for a stranger's bucket, so that they are taken away first.
    """
    from obstore.store import S3Store

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    host = urlsplit(where.endpoint).hostname or ""
    return S3Store(
        where.bucket,
        access_key_id=where.key_id,
        secret_access_key=where.secret,
        endpoint=where.endpoint.rstrip("/"),
        region=region,
        virtual_hosted_style_request=host.startswith(f"{where.bucket}."),
        client_options={
            "allow_http": True,
            "proxy_url": proxy,
            "timeout": _REQUEST,
            "user_agent": f"innkeeper/{__version__}",
            "pool_max_idle_per_host": "0",  # the guard serves one request by each connection
        },
        retry_config={"max_retries": _REPETITIONS, "retry_timeout": _REPEATED},
    )


def region_of(endpoint: str) -> str | None:
    """The region that an endpoint names, such as ``eu-west-1`` in ``https://s3.eu-west-1.example.com``. Pure."""
    host = urlsplit(endpoint).hostname or ""
    if host.endswith(".r2.cloudflarestorage.com"):
        return "auto"
    return next((label for label in host.split(".") if _REGION.fullmatch(label)), None)


def told(where: Where, path: str, error: str, trouble: str | None) -> str:
    """What went wrong, in words for people, without what a library says for its own developers. Pure."""
    code, message = _CODE.search(error), _MESSAGE.search(error)
    name = code[1] if code else ""
    if trouble is not None:
        text = f"{where.endpoint} cannot be reached: {trouble}"
    elif name == "NoSuchBucket":
        text = f"there is no bucket {where.bucket}"
    elif name == "NoSuchKey":
        text = f"there is no object {path} in bucket {where.bucket}"
    elif name:
        text = f"bucket {where.bucket} refuses {path}: {name}" + (f": {message[1]}" if message else "")
    elif "invalid path" in error or "Invalid path" in error:
        text = f"bucket {where.bucket} holds an object whose name is no path: {error.partition(chr(10))[0]}"
    elif found := re.search(r"status code: (\d{3})", error):
        text = f"bucket {where.bucket} answers {found[1]} to {path}"
    else:
        text = f"{where.endpoint} does not answer as an object store does"
    if len(where.secret) >= _LEAST_SECRET:  # a store that tells it back tells its owner; our records need not know
        text = text.replace(where.secret, "***")
    return "".join(one if one.isprintable() else " " for one in text)[:MOST_TOLD]


async def _library() -> Any:
    """Brought in where it is first needed, and not in anybody's way: it is large."""
    return await asyncio.to_thread(import_module, "obstore")


class _Source:
    """A stream on its way into a bucket. What goes wrong in reading it is no fault of the bucket's."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self._error: Exception | None = None
        self.taken, self.over = 0, False

    async def first(self, size: int) -> bytes:
        """So many bytes or a little more; fewer when it is over."""
        text = bytearray()
        while len(text) < size:
            piece = await anext(self._pieces, None)
            if piece is None:
                self.over = True
                break
            text += piece
        self.taken = len(text)
        return bytes(text)

    async def all(self, first: bytes) -> AsyncIterator[bytes]:
        """What was read already, and the rest."""
        yield first
        try:
            async for piece in self._pieces:
                self.taken += len(piece)
                yield piece
        except Exception as error:
            self._error = error
            raise

    def settle(self) -> None:
        """Raise what went wrong in reading, if anything did."""
        if self._error is not None:
            raise self._error
