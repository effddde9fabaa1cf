"""Tags of images in the registry that the operator named for an organisation: listed and deleted. For the doors.

The house keeps no images for others: it asks the registry each time, and remembers nothing. An organisation has what
lies in its project there, and nothing beside it.

Registries delete images, not tags: with an image all of its tags are gone. So an image goes only with its last tag.
From one that has others a tag is taken as newer registries allow it; with an older one the tag is moved to a copy of
the image's description, which shares all its layers, and that copy is deleted. Cut off in between and repeated, it
comes to the same.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from innkeeper.engines.images import RegistryLogin
from innkeeper.kit.errors import HouseError, Invalid, NotFound, NotSetUp, Unavailable
from innkeeper.registryspecs import RegistrySpec

from .descriptions import (
    bytes_of,
    config_of,
    copy_to_delete,
    is_digest,
    is_tag,
    is_within,
    made_at,
    members_of,
    next_page,
    tags_in,
)
from .registrytalk import KINDS, Heard, Line, Talk, registry_line

A = TypeVar("A")
R = TypeVar("R")

#: Tags of an image that are looked at, and those that one call deletes.
MOST_TAGS, MOST_DELETED = 5_000, 100
#: Names on a page of a registry's list, questions at a time, and seconds for all questions of a list or a deletion.
_PAGE, _AT_ONCE, _SECONDS = 1000, 8, 30.0
_ACCEPT = {"Accept": KINDS}


@dataclass(frozen=True, slots=True)
class TaggedImage:
    """A tag, and the image that it stands for."""

    tag: str
    digest: str
    tags: list[str]  #: all tags of the image, by name
    bytes: int  #: in the registry, packed; of an image for several kinds of machines, all together
    made_at: int  #: microseconds; 0 where the image does not tell


@dataclass(frozen=True, slots=True)
class DeletedTag:
    """A tag that is gone, and the image that it stood for."""

    tag: str
    digest: str
    left: list[str]  #: the tags that the image still has; it is gone where there is none
    bytes: int


class ImageTags:
    """Verbs on images in registries. ``line`` opens a way to ask one."""

    def __init__(self, registries: Mapping[str, RegistrySpec], line: Line = registry_line) -> None:
        self._registries = registries  #: by the id of the organisation
        self._line = line
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)  #: who deletes, by organisation

    def registry(self, org_id: str) -> RegistrySpec:
        """The organisation's registry, with its password. Raises NotFound where it has none."""
        found = self._registries.get(org_id)
        if found is None:
            raise NotFound(
                "there is no image registry for your organisation: whoever runs this house names one in its settings"
                " file, a table [[registries]]"
            )
        return found

    async def page(self, org_id: str, image: str, skip: int, size: int) -> tuple[int, list[TaggedImage]]:
        """How many tags an image has, and some of them by name. Raises NotFound, NotSetUp, Unavailable."""
        async with self._images(org_id, image) as images, _in_time(images.host):
            digests = await images.digests()
            shown = list(digests.items())[skip : skip + size]
            told = dict(await _each({digest for _, digest in shown}, images.told))
            return len(digests), [
                TaggedImage(tag, digest, _tags_of(digest, digests), *told[digest]) for tag, digest in shown
            ]

    async def delete(self, org_id: str, image: str, tag: str) -> DeletedTag:
        """Delete a tag, and its image where it has no other. Raises NotFound, NotSetUp, Unavailable, and Invalid where
        the registry deletes nothing.
        """
        async with self._images(org_id, image) as images, self._turns[org_id], _in_time(images.host):
            return await images.delete(tag, await images.digests())

    async def delete_several(
        self, org_id: str, image: str, tags: Sequence[str]
    ) -> list[tuple[str, DeletedTag | HouseError]]:
        """What became of each. Raises as :meth:`delete` for what keeps all of them from being deleted."""
        wanted = list(dict.fromkeys(tags))
        if not wanted or len(wanted) > MOST_DELETED:
            raise Invalid(f"tags: name from 1 to {MOST_DELETED} tags")
        results: list[tuple[str, DeletedTag | HouseError]] = []
        async with self._images(org_id, image) as images, self._turns[org_id]:
            async with _in_time(images.host):
                digests = await images.digests()
            for tag in wanted:
                try:
                    async with _in_time(images.host):
                        results.append((tag, await images.delete(tag, digests)))
                    del digests[tag]
                except HouseError as error:
                    if isinstance(error, Invalid | NotSetUp) and not any(_is_done(became) for _, became in results):
                        raise  # it would be said of each
                    results.append((tag, error))
        return results

    @asynccontextmanager
    async def _images(self, org_id: str, image: str) -> AsyncGenerator[_Images]:
        spec = self.registry(org_id)
        if not is_within(image, spec.project):
            raise NotFound(f"there is no image {image!r}: images of your organisation begin with {spec.project}/")
        async with self._line() as ask:
            yield _Images(spec, image, Talk(RegistryLogin(spec.username, spec.password), ask))


@dataclass(slots=True)
class _Images:
    """What lies under one name in a registry."""

    spec: RegistrySpec
    name: str
    talk: Talk
    host: str = field(init=False)

    def __post_init__(self) -> None:
        self.host = self.spec.host

    async def digests(self) -> dict[str, str]:
        """The digest of each tag, by name. Raises NotFound where the registry does not know the image."""
        url: str | None = self._url(f"tags/list?n={_PAGE}")
        asked, tags = set[str](), set[str]()
        while url is not None and url not in asked:
            asked.add(url)
            heard = await self._ask("GET", url)
            if heard.status == 404:
                raise NotFound(f"there is no image {self.name} in the registry {self.host}")
            tags.update(tags_in(self._good(heard).body))
            if len(tags) > MOST_TAGS:  # which share an image is known only when all were looked at
                raise Invalid(f"{self.name} has more than {MOST_TAGS} tags: delete some with the registry's own tools")
            url = next_page(heard.headers.get("link", ""), url)
        found_digests = dict(await _each(tags, self._digest))
        return {tag: digest for tag in sorted(tags) if (digest := found_digests[tag])}

    async def told(self, digest: str) -> tuple[int, int]:
        """Bytes of an image, and when it was made."""
        manifest = self._good(await self._ask("GET", self._manifest(digest), _ACCEPT)).body
        members = members_of(manifest)
        if members:
            parts = [found for _, found in await _each(set(members), self.told)]
            return sum(size for size, _ in parts), max(at for _, at in parts)
        config, at = config_of(manifest), 0
        if config is not None:
            heard = await self._ask("GET", self._url(f"blobs/{config}"))
            at = made_at(heard.body) if heard.status == 200 else 0
        return bytes_of(manifest), at

    async def delete(self, tag: str, digests: Mapping[str, str]) -> DeletedTag:
        """Delete a tag of those that there are."""
        digest = digests.get(tag)
        if digest is None:
            raise NotFound(f"there is no tag {tag!r} of {self.name} in the registry {self.host}")
        size, _ = await self.told(digest)
        left = [other for other in _tags_of(digest, digests) if other != tag]
        if left:
            await self._untag(tag)
        else:
            self._deleted(await self._ask("DELETE", self._manifest(digest)))
        return DeletedTag(tag, digest, left, size)

    async def _untag(self, tag: str) -> None:
        """Take a tag from an image that has others."""
        if _is_good(await self._ask("DELETE", self._manifest(tag))):
            return
        whole = self._good(await self._ask("GET", self._manifest(tag), _ACCEPT))
        copy, kind = copy_to_delete(whole.body, tag), whole.headers.get("content-type", "")
        if copy is None:
            raise Unavailable(f"the registry {self.host} tells nothing of {self.name}:{tag} that can be read")
        place = self._manifest(f"sha256:{hashlib.sha256(copy).hexdigest()}")
        self._deleted(await self._ask("DELETE", place))  # which is not there: whether anything can be deleted
        self._good(await self._ask("PUT", self._manifest(tag), {"Content-Type": kind}, copy))
        try:
            self._deleted(await self._ask("DELETE", place))
        except HouseError:
            await self._ask("PUT", self._manifest(tag), {"Content-Type": kind}, whole.body)
            raise

    async def _digest(self, tag: str) -> str:
        """The digest of a tag; empty where it is gone."""
        heard = await self._ask("HEAD", self._manifest(tag), _ACCEPT)
        if heard.status == 404:
            return ""
        digest = self._good(heard).headers.get("docker-content-digest", "")
        if is_digest(digest):
            return digest
        heard = await self._ask("GET", self._manifest(tag), _ACCEPT)
        return f"sha256:{hashlib.sha256(self._good(heard).body).hexdigest()}"

    def _manifest(self, reference: str) -> str:
        assert is_tag(reference) or is_digest(reference)
        return self._url(f"manifests/{reference}")

    def _url(self, rest: str) -> str:
        return f"{self.spec.origin}/v2/{self.name}/{rest}"

    async def _ask(self, method: str, url: str, headers: Mapping[str, str] = {}, body: bytes = b"") -> Heard:
        try:
            heard = await self.talk.say(method, url, headers, body)
        except OSError as error:  # a question that took too long, too
            raise Unavailable(
                f"the registry {self.host} does not answer: {str(error) or type(error).__name__}"
            ) from None
        if heard.status in (401, 403):
            raise NotSetUp(
                f"the registry {self.host} does not let the user {self.spec.username} of the setting registries"
                f" {'delete' if method == 'DELETE' else 'do this'}: it answers {heard.status}"
            )
        return heard

    def _good(self, heard: Heard) -> Heard:
        if not _is_good(heard):
            raise Unavailable(f"the registry {self.host} answers {heard.status} when it is asked for {self.name}")
        return heard

    def _deleted(self, heard: Heard) -> None:
        if heard.status == 405:
            raise Invalid(
                f"the registry {self.host} deletes nothing: whoever runs it allows it with"
                " REGISTRY_STORAGE_DELETE_ENABLED=true (storage: delete: enabled: true in its configuration)"
            )
        if heard.status != 404:  # what is gone is gone
            self._good(heard)


def _is_good(heard: Heard) -> bool:
    return 200 <= heard.status < 300


def _is_done(became: DeletedTag | HouseError) -> bool:
    return isinstance(became, DeletedTag)


def _tags_of(digest: str, digests: Mapping[str, str]) -> list[str]:
    return [tag for tag, other in digests.items() if other == digest]


@asynccontextmanager
async def _in_time(host: str) -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(_SECONDS):
            yield
    except TimeoutError:
        raise Unavailable(f"the registry {host} does not answer all questions within {_SECONDS:g} s") from None


async def _each(items: Iterable[A], ask: Callable[[A], Awaitable[R]]) -> list[tuple[A, R]]:
    """What is answered for each, with a few questions at a time."""
    waiting, found = list(items), list[tuple[A, R]]()
    for at in range(0, len(waiting), _AT_ONCE):
        some = waiting[at : at + _AT_ONCE]
        found += zip(some, await asyncio.gather(*map(ask, some)), strict=True)
    return found
