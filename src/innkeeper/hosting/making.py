"""Making the image of a build: on which host, from what, and what is done when that host goes away. For ``builds.py``.

Which host builds is a pure choice. One that stops answering in the middle is left, and the work is done anew on the
next, as long as there is one; what the first has half done has no name there.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from enum import Enum, auto
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any

from innkeeper.engines.base import HostUnavailable
from innkeeper.engines.images import Image, ImageRefused, Tell
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import HouseError, Invalid, TooLarge, Unavailable
from innkeeper.kit.secrets import Box

from .answering import while_it_answers
from .archives.packing import packed
from .hosts import Host
from .images import Images
from .model import Build
from .registries import RegistrySource, login_as_text, login_of

log = logging.getLogger(__name__)

#: Seconds that a build waits for a host with a container engine to answer, where there is nothing else to do.
PATIENCE = 20
NO_ENGINE = (
    "no host of this house has a container engine; start Docker or Podman on this machine (setting container_engine),"
    " or add a machine that has one with `innkeeper hosts add`"
)

#: A warning and no failure: another API may say what to run.
NO_PROGRAM = "Warning: the image does not say which program to run (no CMD, no ENTRYPOINT): its servers cannot start"


class NoBuilder(Unavailable):
    """No host is there to make an image on. The text is a sentence without its capital and its end."""


class Way(Enum):
    """How an archive is made runnable."""

    IMAGE = auto()  #: its Dockerfile is built
    PROGRAM = auto()  #: its Procfile says what to start
    WAIT = auto()  #: by its Dockerfile, and no host that could build it answers
    NONE = auto()  #: it has neither


def way_of(*, dockerfile: bool, procfile: bool, engine: bool) -> Way:
    """How to make an archive runnable that has these at its top, where a container engine answers or not. Pure."""
    if dockerfile and engine:
        return Way.IMAGE
    if procfile:
        return Way.PROGRAM
    return Way.WAIT if dockerfile else Way.NONE


def choose_builder(
    hosts: Iterable[Host], tried: Collection[str] = (), busy: Mapping[str, int] | None = None
) -> Host | None:
    """The host to make an image on: one that answers and was not tried, or None. Pure.

    One that is not drained comes first, then the one that makes the fewest now, of which ``busy`` tells by host.
    """
    making = busy or {}
    able = [
        host for host in hosts if host.images is not None and host.engine.silent_since is None and host.id not in tried
    ]
    return min(able, key=lambda host: (host.draining, making.get(host.id, 0)), default=None)


class ImageMaker:
    """Builds and pulls images, and keeps their archives. ``images`` brings them to hosts afterwards."""

    def __init__(self, images: Images, box: Box, clock: Clock) -> None:
        self.images, self._box, self._clock = images, box, clock
        self._busy: Counter[str] = Counter()  #: by host: how many images are made there now

    @property
    def can(self) -> bool:
        """Whether a host answers that can make images."""
        return choose_builder(self.images.hosts) is not None

    def seal(self, source: RegistrySource, key: str) -> str | None:
        """Who we are to a registry, for the row of the build with this key."""
        return None if source.login is None else self._box.seal(login_as_text(source.login), place=key)

    async def build(self, build: Build, folder: Path, tell: Tell, engine_says: Tell) -> Image:
        """Build the files of a folder, which has a Dockerfile. Raises :class:`HouseError` and ``OSError``.

        ``tell`` is given the lines of the house, ``engine_says`` those of the engine.
        """

        async def work(host: Host) -> Image:
            assert host.images is not None
            tell(f"Building the Dockerfile on host {host.id}")
            return await host.images.build(
                packed(folder),
                self.images.name(build.key),
                engine_says,
                # A build may have what the host has to give out; what is beyond is not Innkeeper's.
                cpu=host.cpu if isfinite(host.cpu) else None,
                memory_mb=round(host.memory_mb) if isfinite(host.memory_mb) else None,
            )

        return await self._make(build, work, tell)

    async def pull(self, build: Build, tell: Tell, engine_says: Tell) -> Image:
        """Get the image from the registry that the build's row names. Raises as :meth:`build`."""
        if build.source is None:
            raise Invalid("it is not on record where its image comes from; create another build")
        login = None if build.login_sealed is None else login_of(self._box.open(build.login_sealed, place=build.key))
        reference = build.source

        async def work(host: Host) -> Image:
            assert host.images is not None
            tell(f"Pulling {reference} to host {host.id}")
            return await host.images.pull(reference, self.images.name(build.key), engine_says, login)

        return await self._make(build, work, tell)

    async def _make(self, build: Build, work: Callable[[Host], Coroutine[Any, Any, Image]], tell: Tell) -> Image:
        tried: dict[str, str] = {}
        while True:
            host = await self._next(tried, tell)
            self._busy[host.id] += 1
            image: Image | None = None
            try:
                image = await while_it_answers(host, self._clock, partial(work, host))
                await self._check(host, image)
                if not image.startable:
                    tell(NO_PROGRAM)
                tell(f"Keeping the image: {image.bytes / 1e6:,.1f} MB, {image.architecture}")
                await while_it_answers(host, self._clock, partial(self.images.keep, host, build.key))
                return image
            except HostUnavailable as error:
                tried[host.id] = str(error)
                tell(f"Host {host.id} stopped answering: {error}")
                log.warning("host %s stopped answering in the middle of build %s: %s", host.id, build.id, error)
            except ImageRefused as error:
                raise Invalid(str(error)) from error
            except Exception as error:
                if image is not None:
                    await self._drop(host, build)
                if isinstance(error, KeyError):
                    text = f"the image is gone from host {host.id} again: somebody removes images there"
                    raise Unavailable(text) from error
                raise
            finally:
                self._busy[host.id] -= 1

    async def _next(self, tried: dict[str, str], tell: Tell) -> Host:
        """The host to work on. Raises :class:`NoBuilder`, or :class:`Unavailable` when those there were are gone."""
        for second in range(PATIENCE + 1):
            host = choose_builder(self.images.hosts, tried, self._busy)
            if host is not None:
                return host
            if tried or not self.images.hosts:
                break
            if second == 0:
                tell(f"No host with a container engine answers; waiting for {self._names()}")
            if second < PATIENCE:
                await self._clock.sleep(1)
        if not tried:
            raise NoBuilder(self.why_not())
        said = "; ".join(f"host {host_id} stopped answering in the middle ({why})" for host_id, why in tried.items())
        raise Unavailable(f"{said}, and no other host with a container engine answers; create the build again later")

    def why_not(self) -> str:
        """Why no image can be made now, for the person whose build it is."""
        if not self.images.hosts:
            return NO_ENGINE
        return f"no host with a container engine answers now ({self._names()}); try again later"

    def _names(self) -> str:
        return " and ".join(f"host {host.id}" for host in self.images.hosts)

    async def _check(self, host: Host, image: Image) -> None:
        """Whether the image is one that the host can run."""
        assert host.images is not None
        runs = await host.images.architecture()
        if (image.system, image.architecture) != ("linux", runs):
            made = image.architecture if image.system == "linux" else f"{image.system} on {image.architecture}"
            raise Invalid(
                f"the image is made for {made}, and host {host.id} runs {runs}: make it for {runs}, or for both"
            )
        if image.bytes > self.images.most_bytes:
            raise TooLarge(f"the image has {image.bytes} bytes; {self.images.most_bytes} are taken")

    async def _drop(self, host: Host, build: Build) -> None:
        try:
            await self.images.drop(host, build.key)
        except (HostUnavailable, HouseError) as error:
            log.info("the image of build %s stays on host %s until it answers: %s", build.id, host.id, error)
