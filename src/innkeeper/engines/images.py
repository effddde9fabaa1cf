"""What a host with a container engine promises about images. Called by ``hosting/making.py`` and ``hosting/images.py``.

Images of the house go by names that the house makes up (:data:`ImageName`), so that those of others on the same engine
are never touched. ``docker/images.py`` keeps the promise on real engines, ``fake_images.py`` pretends.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from typing import Protocol

#: ``localhost/innkeeper-<house>:<build key>``: a name that no registry has.
ImageName = str
#: Takes a line of progress, for the log of a build.
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Image:
    """An image as its engine knows it."""

    id: str  #: the digest of its configuration: ``sha256:...``; the same on every engine that has it
    architecture: str  #: as engines spell it: ``amd64``, ``arm64``
    system: str  #: ``linux``
    bytes: int  #: unpacked
    startable: bool = True  #: whether it says which program to run


@dataclass(frozen=True, slots=True, repr=False)
class RegistryLogin:
    """Who we are to a registry. Never shown: it has no ``repr``, and no line of progress holds the password."""

    user: str
    password: str
    server: str = ""  #: the registry; empty is the one in the image's name


class ImageRefused(Exception):
    """The image cannot be had: a step of its Dockerfile failed, a registry refused, an archive is none.

    The text says why, for the person who made the build. Trying the same again would not help.
    """


class ImageStore(Protocol):
    """Images on one host. Every call may raise :class:`innkeeper.engines.base.HostUnavailable`."""

    async def architecture(self) -> str:
        """Of the programs that this host can run: ``amd64``, ``arm64``."""
        ...

    async def close(self) -> None:
        """Let go of the engine. The next call takes it up again."""
        ...

    async def build(
        self, context: AsyncIterator[bytes], name: ImageName, tell: Tell, *, cpu: float | None, memory_mb: int | None
    ) -> Image:
        """Build what a tar archive (gzipped or not) with a Dockerfile at its top says, and give it the name.

        Its steps see the network as the engine gives it, and get at most so many processors and MiB each, as far as
        the engine can hold them to it. Raises :class:`ImageRefused`. Cancelled: the engine stops. Building a name that
        is there replaces it. ``tell`` is given lines of the engine as they come, without their ends.
        """
        ...

    async def pull(self, reference: str, name: ImageName, tell: Tell, login: RegistryLogin | None) -> Image:
        """Get an image from a registry and give it the name. Raises :class:`ImageRefused`.

        ``reference`` is whole: registry, repository and tag or digest. It is gone from the host again afterwards,
        unless it was there before; then it means what it meant.
        """
        ...

    def save(self, name: ImageName) -> AsyncIterator[bytes]:
        """The image as an archive that any engine can :meth:`load`. Reading raises ``KeyError`` when there is none."""
        ...

    async def load(self, archive: AsyncIterator[bytes], name: ImageName) -> Image:
        """Take in what :meth:`save` gave; it has its name again. Raises :class:`ImageRefused`."""
        ...

    async def find(self, name: ImageName) -> Image | None:
        """The image of that name, if it is here."""
        ...

    async def names(self) -> Collection[ImageName]:
        """Those of the house's names that are here."""
        ...

    async def remove(self, name: ImageName) -> None:
        """Take the name away, and what no other name and no container needs. Not here, or still needed: nothing."""
        ...
