"""Images on hosts: brought where a server needs one, and taken away where none does any more.

The house keeps the archive of every image build beside its programs (``archives/keeping.py``), so that any host can be
given it, also one that was added later or made anew. ``builds.py`` hands new ones in and calls ``collect``;
``passes/placing.py`` calls ``bring`` when a host lacks an image; ``inn.py`` makes the object and closes it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path

from innkeeper.db.database import Database
from innkeeper.engines.base import HostUnavailable, NotStarted
from innkeeper.engines.images import ImageName, ImageRefused, ImageStore
from innkeeper.kit.clock import HOUR, MINUTE, SECOND, Clock
from innkeeper.kit.errors import HouseError

from .answering import while_it_answers
from .archives.disk import off_loop
from .archives.keeping import is_kept, keep, kept
from .hosts import Host
from .model import Build
from .queries.images import Need, needs

log = logging.getLogger(__name__)

#: An image that nothing needs stays on a host so long after it came, or was last needed.
SPARED = 24 * HOUR
#: Hosts are looked through this often at most.
_EVERY = MINUTE


def unneeded(there: Mapping[str, int], needed: Mapping[str, Need], now: int) -> list[str]:
    """Which images to take from a host. Pure.

    ``there`` has, by the key of its build, when each came or was last seen to be needed; ``needed`` what those on
    record are good for; times in microseconds. One that is not on record may belong to what is being written just
    now, or to a database that was restored: it is spared as long as one that may be needed again.
    """
    going: list[str] = []
    for key, since in there.items():
        need = needed.get(key, Need.SPARE)
        if need is Need.NONE or (need is Need.SPARE and now - since >= SPARED):
            going.append(key)
    return sorted(going)


class Images:
    """All that is to be done about images. ``hosts`` are walked anew each time; ``directory`` is that of builds.

    ``house`` is the name that the house's images carry; ``most_bytes`` the size of the largest that is kept.
    """

    def __init__(
        self, db: Database, clock: Clock, hosts: Iterable[Host], directory: Path, *, house: str, most_bytes: int
    ) -> None:
        self._db, self._clock, self._hosts, self._directory = db, clock, hosts, directory
        self._house, self.most_bytes = house, most_bytes
        self._bringing: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._spreading: set[asyncio.Task[None]] = set()
        self._since: dict[tuple[str, str], int] = {}  # when it came to a host or was last needed there, by both
        self._next_look = 0

    def name(self, key: str) -> ImageName:
        """What the image of a build is called, on every host."""
        return f"localhost/innkeeper-{self._house}:{key}"

    @property
    def hosts(self) -> list[Host]:
        """Those of this moment that have a container engine, whether it answers or not."""
        return [host for host in self._hosts if host.images is not None]

    @property
    def busy(self) -> bool:
        """Whether an image is on its way to a host."""
        return bool(self._spreading or self._bringing)

    async def close(self) -> None:
        """Stop bringing, and let go of the hosts."""
        tasks = [*self._spreading, *self._bringing.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for host in self.hosts:
            await _store(host).close()

    async def keep(self, host: Host, key: str) -> None:
        """Keep the archive of an image that a host has. On disk when this returns.

        Raises :class:`HostUnavailable`, and :class:`innkeeper.kit.errors.HouseError` where the disk does not take it.
        """
        await keep(self._directory / key, _store(host).save(self.name(key)), self.most_bytes)
        self._note(host, key)

    async def bring(self, host: Host, build: Build) -> None:
        """Return once a host has the image of a build; once for each, however many wait for it.

        Raises :class:`HostUnavailable`, and :class:`NotStarted` where asking again would not help.
        """
        mark = host.id, build.key
        task = self._bringing.get(mark)
        if task is None:
            task = self._bringing[mark] = asyncio.create_task(
                while_it_answers(host, self._clock, lambda: self._bring(host, build))
            )
            task.add_done_callback(lambda done: self._brought(mark, done))
        # Who waits may be called off; the others, and the host, are not.
        await asyncio.shield(task)

    def _brought(self, mark: tuple[str, str], task: asyncio.Task[None]) -> None:
        self._bringing.pop(mark, None)
        if not task.cancelled():
            task.exception()  # seen: it is told to those who wait, if there are any

    async def _bring(self, host: Host, build: Build) -> None:
        store, name = host.images, self.name(build.key)
        if store is None:
            raise NotStarted(f"build {build.id} is an image, and host {host.id} runs programs")
        if await store.find(name) is None:
            architecture = await store.architecture()
            if build.architecture not in (None, architecture):
                raise NotStarted(
                    f"build {build.id} is an image for {build.architecture}, and host {host.id} runs {architecture}"
                )
            began = self._clock.now()
            log.info("host %s is given the image of build %s", host.id, build.id)
            try:
                image = await store.load(await self._archive(host, build), name)
            except ImageRefused as error:
                raise NotStarted(f"host {host.id} does not take the image of build {build.id}: {error}") from error
            except OSError as error:
                raise NotStarted(f"the image of build {build.id} cannot be read: {error.strerror or error}") from error
            seconds = (self._clock.now() - began) / SECOND
            log.info(
                "host %s has the image of build %s, %d bytes, after %.1f s", host.id, build.id, image.bytes, seconds
            )
        self._note(host, build.key)

    async def _archive(self, host: Host, build: Build) -> AsyncIterator[bytes]:
        """The archive that the house keeps; where it was lost, it is got back from another host that has the image."""
        directory = self._directory / build.key
        if not await off_loop(is_kept, directory):
            for other in self.hosts:
                try:
                    if other.id != host.id and await _store(other).find(self.name(build.key)) is not None:
                        log.warning("the archive of build %s is missing; host %s has the image", build.id, other.id)
                        await self.keep(other, build.key)
                        break
                except (HostUnavailable, HouseError, KeyError) as error:
                    log.warning("the image of build %s cannot be had from host %s: %s", build.id, other.id, error)
            else:
                raise NotStarted(f"the image of build {build.id} is no longer kept; create the build again")
        return kept(directory)

    def share(self, key: str) -> float:
        """The share of the hosts with a container engine that are known to have an image, from 0 to 1."""
        there = [(host.id, key) in self._since for host in self.hosts]
        return sum(there) / len(there) if there else 0.0

    def spread(self, build: Build) -> None:
        """Begin to bring an image to all hosts that could run it. Failures are logged: who needs it brings it again."""
        task = asyncio.create_task(self._spread(build))
        self._spreading.add(task)
        task.add_done_callback(self._spreading.discard)

    async def _spread(self, build: Build) -> None:
        for host in self.hosts:  # one after the other: nobody waits for it, and the disk is one
            if host.draining or host.engine.silent_since is not None:
                continue
            try:
                await self.bring(host, build)
            except (HostUnavailable, NotStarted) as error:
                log.info("host %s has not got the image of build %s yet: %s", host.id, build.id, error)
            except Exception:
                log.exception("bringing the image of build %s to host %s failed", build.id, host.id)

    async def collect(self) -> None:
        """Take from the hosts what nothing needs any more; about once a minute, however often this is called."""
        now = self._clock.now()
        if now < self._next_look:
            return
        self._next_look = now + _EVERY
        for host in self.hosts:
            if host.engine.silent_since is None:
                try:
                    await self._collect(host, now)
                except HostUnavailable as error:
                    log.info("the images of host %s are looked through another time: %s", host.id, error)

    async def _collect(self, host: Host, now: int) -> None:
        prefix = self.name("")
        keys = [name.removeprefix(prefix) for name in await _store(host).names() if name.startswith(prefix)]
        if not keys:
            return
        needed = await self._db.read(needs, keys)
        for key in keys:
            if needed.get(key) in (Need.RUNNING, Need.LIVING, Need.NEWEST):
                self._note(host, key)
        for key in unneeded({key: self._since.setdefault((host.id, key), now) for key in keys}, needed, now):
            if (host.id, key) not in self._bringing:
                await self.drop(host, key)

    async def drop(self, host: Host, key: str) -> None:
        """Take the image of a build from a host. Raises :class:`HostUnavailable`."""
        await _store(host).remove(self.name(key))
        if self._since.pop((host.id, key), None) is not None:
            log.info("host %s no longer keeps the image of the build with the key %s", host.id, key)

    def _note(self, host: Host, key: str) -> None:
        self._since[host.id, key] = self._clock.now()


def _store(host: Host) -> ImageStore:
    assert host.images is not None
    return host.images
