"""Images on a machine with Docker or Podman: keeps the promise of ``engines/images.py``.

Images of the house go by names that no registry has, so whatever has such a name is the house's and nothing else is.
The classic way of building is used, which both engines know. Calls that take long hold a connection each, and end
with it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from innkeeper.engines.base import HostUnavailable
from innkeeper.engines.images import Image, ImageName, ImageRefused, RegistryLogin, Tell
from innkeeper.kit.clock import Clock, SystemClock

from .archives import Source, goes_by, image_of, messages, split
from .client import Client, DockerError, Endpoint
from .outliving import end_steps
from .said import Lines, PullProgress, Secrets, error_in, failed_step, no_image, refused_pull

log = logging.getLogger(__name__)

_FOREVER = aiohttp.ClientTimeout(total=None, sock_read=None, sock_connect=5.0)
_TAR = {"Content-Type": "application/x-tar"}
_PIECE = 1 << 20
_NOT_FOUND, _CONFLICT = 404, 409
#: What a build weighs against the servers of the machine, whose containers have 1024 each.
_SHARES = "128"
_PERIOD = 100_000


class DockerImages:
    """The images of one house on one engine. ``house`` is the name that they carry.

    Opens its line to the engine when it is first asked something, and again after it broke.
    """

    def __init__(self, endpoint: Endpoint, *, house: str, clock: Clock | None = None) -> None:
        self._client, self._house, self._clock = Client(endpoint), house, clock or SystemClock()
        self._is_open = False
        self._opening = asyncio.Lock()
        # Two pulls of one reference at once: which of them found it here before could not be told.
        self._pulling: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def architecture(self) -> str:
        await self._open()
        return self._client.architecture

    async def close(self) -> None:
        async with self._opening:
            self._is_open = False
            await self._client.close()

    async def build(
        self, context: AsyncIterator[bytes], name: ImageName, tell: Tell, *, cpu: float | None, memory_mb: int | None
    ) -> Image:
        labels = {"innkeeper.house": self._house, "innkeeper.build": name.rpartition(":")[2]}
        asked = {"t": name, "rm": "1", "forcerm": "1", "labels": json.dumps(labels), "cpushares": _SHARES}
        if memory_mb is not None:
            asked |= {"memory": str(memory_mb << 20), "memswap": str(memory_mb << 20)}
        if cpu is not None:
            asked |= {"cpuperiod": str(_PERIOD), "cpuquota": str(max(1000, round(cpu * _PERIOD)))}
        await self._open()
        marker = f"innkeeper-build-{name.rpartition(':')[2]}"
        outlives = self._client.kind == "podman" and self._client.endpoint.is_local
        if outlives:
            asked["extrahosts"] = json.dumps([f"{marker}:127.0.0.1"])
        lines = Lines()
        source = Source(context)
        try:
            async with self._stream("build", asked, source, _TAR, doing="building an image") as told:
                async for message in told:
                    if (said := error_in(message)) is not None:
                        _tell_all(tell, lines.end())
                        raise ImageRefused(failed_step(said, lines.step))
                    _tell_all(tell, lines.feed(str(message.get("stream") or "")))
        except DockerError as error:
            raise ImageRefused(failed_step(str(error.message), lines.step)) from None
        except asyncio.CancelledError:
            if outlives:
                await asyncio.shield(end_steps(marker, self._clock))
            raise
        finally:
            source.settle()
        _tell_all(tell, lines.end())
        return await self._made(name, "the engine says that it has built the image, and does not have it")

    async def pull(self, reference: str, name: ImageName, tell: Tell, login: RegistryLogin | None) -> Image:
        async with self._pulling[reference]:
            before = await self._inspect(reference)
            if before is not None and not goes_by(before, reference):
                before = None  # Podman finds what has the digest under any name
            try:
                await self._pull(reference, tell, login)
                await self._tag(reference, name)
            finally:
                await asyncio.shield(self._put_back(reference, before))
        return await self._made(name, f"the engine says that it has pulled {reference}, and does not have it")

    async def _pull(self, reference: str, tell: Tell, login: RegistryLogin | None) -> None:
        await self._open()
        secrets = Secrets(login)
        repository, mark = split(reference)
        headers: dict[str, str] = {}
        if login is not None:
            server = login.server or reference.partition("/")[0]
            word = {"username": login.user, "password": login.password, "serveraddress": server}
            headers["X-Registry-Auth"] = base64.urlsafe_b64encode(json.dumps(word).encode()).decode()
        progress = PullProgress(self._clock.now(), self._client.kind)

        def refused(said: str) -> ImageRefused:
            text = refused_pull(said, reference, self._client.architecture, with_login=login is not None)
            return ImageRefused(secrets.out_of(text))

        try:
            asked = {"fromImage": repository, "tag": mark}
            async with self._stream("images/create", asked, None, headers, doing="pulling an image") as told:
                async for message in told:
                    if (said := error_in(message)) is not None:
                        raise refused(said)
                    for line in progress.feed(message, self._clock.now()):
                        tell(secrets.out_of(line))
        except DockerError as error:
            raise refused(str(error.message)) from None
        except HostUnavailable as error:
            raise HostUnavailable(secrets.out_of(str(error))) from None

    async def _tag(self, reference: str, name: ImageName) -> None:
        repository, _, tag = name.rpartition(":")
        try:
            async with self._call("naming an image"):
                await self._client.docker.images.tag(reference, repository, tag=tag)
        except DockerError as error:
            raise ImageRefused(f"the image {reference} is not here after it was pulled: {error.message}") from None

    async def _put_back(self, reference: str, before: Mapping[str, Any] | None) -> None:
        """Let a reference of others mean what it meant before we pulled it."""
        try:
            if before is None:
                await self._untag(reference)
            else:
                now = await self._inspect(reference)
                if (now is None or now["Id"] != before["Id"]) and "@" not in reference:
                    repository, mark = split(reference)
                    async with self._call("naming an image"):
                        await self._client.docker.images.tag(before["Id"], repository, tag=mark)
        except (DockerError, HostUnavailable) as error:
            log.warning("%s stays on %s: %s", reference, self._client.endpoint.url, error)

    async def save(self, name: ImageName) -> AsyncIterator[bytes]:
        await self._open()
        if await self._inspect(name) is None:
            raise KeyError(name)
        try:
            async with (
                self._call("giving out an image", None),
                self._client.docker._query(  # pyright: ignore[reportPrivateUsage]  # the public call hides a broken line
                    f"images/{name}/get", timeout=_FOREVER
                ) as response,
            ):
                try:
                    async for piece in response.content.iter_chunked(_PIECE):
                        yield piece
                finally:
                    response.close()
        except DockerError as error:
            if error.status == _NOT_FOUND:
                raise KeyError(name) from None
            raise HostUnavailable(f"the engine does not give out the image: {error.message}") from None

    async def load(self, archive: AsyncIterator[bytes], name: ImageName) -> Image:
        source = Source(archive)
        try:
            async with self._stream("images/load", {"quiet": "1"}, source, _TAR, doing="taking in an image") as told:
                async for message in told:
                    if (said := error_in(message)) is not None:
                        raise ImageRefused(no_image(said))
        except DockerError as error:
            raise ImageRefused(no_image(str(error.message))) from None
        finally:
            source.settle()
        return await self._made(name, "the archive holds another image")

    async def find(self, name: ImageName) -> Image | None:
        found = await self._inspect(name)
        return None if found is None else image_of(found)

    async def names(self) -> Collection[ImageName]:
        repository = f"localhost/innkeeper-{self._house}"
        async with self._refusing("listing images"):
            found = await self._client.docker.images.list(filters={"reference": [repository]})
        names = {name for one in found for name in one.get("RepoTags") or ()}
        return sorted(name for name in names if name.rpartition(":")[0] == repository)

    async def remove(self, name: ImageName) -> None:
        async with self._refusing("removing an image"):
            await self._untag(name)

    # -- inside ------------------------------------------------------------------------------------------------------

    async def _untag(self, reference: str) -> None:
        """Take a name away, and with the last one the image. Not here, or needed by a container: nothing."""
        try:
            async with self._call("removing an image"):
                await self._client.docker.images.delete(reference)
        except DockerError as error:
            # Podman answers 500 where an image that has this name alone is in use.
            if error.status not in (_NOT_FOUND, _CONFLICT) and "in use" not in str(error.message):
                raise

    async def _inspect(self, reference: str) -> Mapping[str, Any] | None:
        try:
            async with self._refusing("looking at an image"):
                found: Mapping[str, Any] = await self._client.docker.images.inspect(reference)
                return found
        except KeyError:
            return None

    async def _made(self, name: ImageName, otherwise: str) -> Image:
        found = await self.find(name)
        if found is None:
            raise ImageRefused(otherwise)
        return found

    async def _open(self) -> None:
        async with self._opening:
            if not self._is_open:
                await self._client.open()
                self._is_open = True

    @asynccontextmanager
    async def _call(self, doing: str, seconds: float | None = 60.0) -> AsyncGenerator[None]:
        """As :meth:`Client.call`, on a line that is opened when it is not."""
        await self._open()
        async with self._client.call(doing, seconds):
            yield

    @asynccontextmanager
    async def _refusing(self, doing: str) -> AsyncGenerator[None]:
        """The same; what is not there is a ``KeyError``, and any other refusal counts for no answer."""
        try:
            async with self._call(doing):
                yield
        except DockerError as error:
            if error.status == _NOT_FOUND:
                raise KeyError(error.message) from None
            raise HostUnavailable(f"{self._client.endpoint.url} refuses, {doing}: {error.message}") from None

    @asynccontextmanager
    async def _stream(
        self, path: str, asked: Mapping[str, str], data: Source | None, headers: Mapping[str, str], *, doing: str
    ) -> AsyncGenerator[AsyncIterator[dict[str, Any]]]:
        """Post, and read what the engine says meanwhile. Left early, the connection ends, and the work with it."""
        await self._open()
        async with self._client.call(doing, None):
            response = await self._client.docker._do_query(  # pyright: ignore[reportPrivateUsage]  # no public one is left
                path,
                "POST",
                params=dict(asked),
                data=None if data is None else data.pieces(),
                headers=headers,
                timeout=_FOREVER,
                chunked=None if data is None else True,
            )
            try:
                yield messages(response.content)
            finally:
                response.close()


def _tell_all(tell: Callable[[str], None], lines: Any) -> None:
    for line in lines:
        tell(line)
