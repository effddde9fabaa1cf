"""Images on a pretended host, which does what it is told, misbehaviour included. Ships for tests of ours and of users.

It goes with a :class:`FakeEngine`: what is here can be started there, and when that host does not answer nor does this.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Collection, Sequence

from .base import HostUnavailable
from .fake import FakeEngine
from .images import Image, ImageName, ImageRefused, RegistryLogin, Tell

_MARK = b"pretended image "


class FakeImages:
    """Keeps the promise of :class:`innkeeper.engines.images.ImageStore` about images that do not exist.

    All attributes may be changed while it works. ``registry`` has what can be pulled: the architecture of each image
    by its reference; ``logins`` who may pull those that are not for everybody. ``refuse`` is what building, pulling and
    loading are refused with; ``lines`` what the engine says meanwhile. ``hold``, when it is given, is waited for in
    the middle of each of these; ``lose_answers`` breaks the connection there. ``architecture_built`` is of what is
    built here, if it is not that of the host.
    """

    def __init__(self, engine: FakeEngine, architecture: str = "amd64") -> None:
        self._engine, self._architecture = engine, architecture
        engine.images = set()
        self.architecture_built: str | None = None
        self.registry: dict[str, str] = {}
        self.logins: dict[str, tuple[str, str]] = {}
        self.refuse: str | None = None
        self.lines: Sequence[str] = ()
        self.size = 1000  #: bytes of what comes next
        self.startable = True  #: what comes next says which program to run
        self.archive_ballast = 0  #: bytes that archives have beside what they need
        self.hold: asyncio.Event | None = None
        self.lose_answers = False
        self.contexts: dict[ImageName, bytes] = {}  #: what each was built from
        self.limits: tuple[float | None, int | None] | None = None  #: processors and MiB of the last build
        self.begun = 0  #: builds, pulls and loads
        self.cancelled = 0  #: those of them that were called off
        self.loads = 0  #: those that took in an archive
        self._kept: dict[ImageName, Image] = {}

    async def architecture(self) -> str:
        self._answering()
        return self._architecture

    async def close(self) -> None:
        pass

    async def build(
        self, context: AsyncIterator[bytes], name: ImageName, tell: Tell, *, cpu: float | None, memory_mb: int | None
    ) -> Image:
        self._answering()
        self.limits = cpu, memory_mb
        data = b"".join([piece async for piece in context])
        await self._work(tell)
        self.contexts[name] = data
        return self._keep(name, self.architecture_built or self._architecture)

    async def pull(self, reference: str, name: ImageName, tell: Tell, login: RegistryLogin | None) -> Image:
        self._answering()
        await self._work(tell)
        if reference not in self.registry:
            raise ImageRefused(f"there is no image {reference}")
        if reference in self.logins and (login is None or (login.user, login.password) != self.logins[reference]):
            raise ImageRefused(f"the registry wants to know who asks for {reference}")
        return self._keep(name, self.registry[reference])

    async def save(self, name: ImageName) -> AsyncIterator[bytes]:
        self._answering()
        image = self._kept[name]
        yield _MARK + f"{image.architecture} {image.bytes} {image.id}".encode() + b" " * self.archive_ballast
        await asyncio.sleep(0)
        self._answering()
        yield b"\n"

    async def load(self, archive: AsyncIterator[bytes], name: ImageName) -> Image:
        self._answering()
        self.loads += 1
        data = b"".join([piece async for piece in archive])
        await self._work(lambda line: None)
        if not data.startswith(_MARK) or not data.endswith(b"\n"):
            raise ImageRefused("the archive holds no image")
        architecture, size, image_id = data.removeprefix(_MARK).split()
        return self._put(name, Image(image_id.decode(), architecture.decode(), "linux", int(size)))

    async def find(self, name: ImageName) -> Image | None:
        self._answering()
        return self._kept.get(name)

    async def names(self) -> Collection[ImageName]:
        self._answering()
        return list(self._kept)

    async def remove(self, name: ImageName) -> None:
        self._answering()
        used = {self._engine.launches[one.server_id].image for one in self._engine.reports().values() if one.alive}
        if name not in used and self._engine.images is not None:
            self._kept.pop(name, None)
            self._engine.images.discard(name)

    # -- what a test makes happen ------------------------------------------------------------------------------------

    def wipe(self) -> None:
        """All images are gone, as on a machine that was made anew."""
        self._kept.clear()
        self._engine.images = set()

    # -- inside ------------------------------------------------------------------------------------------------------

    def _answering(self) -> None:
        if self._engine.unavailable or self._engine.cut_off:
            raise HostUnavailable("the host does not answer")

    async def _work(self, tell: Tell) -> None:
        self.begun += 1
        for line in self.lines:
            tell(line)
        if self.hold is not None:
            try:
                await self.hold.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        self._answering()
        if self.lose_answers:
            raise HostUnavailable("the connection broke off")
        if self.refuse is not None:
            raise ImageRefused(self.refuse)

    def _keep(self, name: ImageName, architecture: str) -> Image:
        digest = hashlib.sha256(name.encode()).hexdigest()
        return self._put(name, Image(f"sha256:{digest}", architecture, "linux", self.size, self.startable))

    def _put(self, name: ImageName, image: Image) -> Image:
        assert self._engine.images is not None
        self._kept[name] = image
        self._engine.images.add(name)
        return image
