"""What registries tell of images, read: names of tags, sizes, times, and what an image is made of. Pure.

For ``imagetags.py``. What others wrote may be anything; what is not understood counts as not told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from innkeeper.kit.clock import SECOND
from innkeeper.registryspecs import REPOSITORY

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[A-Za-z0-9=_-]{32,}")
_NEXT = re.compile(r'<([^>]+)>\s*;\s*rel="?next"?')
#: Marks a copy of a description that is made to be deleted: a tag goes with it, and the image stays.
_MARK = "io.innkeeper.tag-to-delete"


def is_within(image: str, project: str) -> bool:
    """Whether this names an image of the project: nothing else may reach a registry in a path."""
    return len(image) <= 255 and image.startswith(f"{project}/") and REPOSITORY.fullmatch(image) is not None


def is_tag(text: str) -> bool:
    """Whether a tag can have this name. No digest is one."""
    return _TAG.fullmatch(text) is not None


def is_digest(text: str) -> bool:
    """Whether this is ``sha256:`` and digits, or the like."""
    return _DIGEST.fullmatch(text) is not None


def tags_in(body: bytes) -> list[str]:
    """The names in a page of a list of tags."""
    tags = _object(body).get("tags")
    return [tag for tag in tags if isinstance(tag, str) and is_tag(tag)] if isinstance(tags, list) else []


def next_page(link: str, url: str) -> str | None:
    """Where the next page of a list is, by its header ``Link``: always at the address that was asked.

    What a registry tells of its scheme, host and path can be wrong behind a proxy.
    """
    found = _NEXT.search(link)
    return None if found is None else urlsplit(url)._replace(query=urlsplit(found[1]).query).geturl()


def bytes_of(manifest: bytes) -> int:
    """How large an image is in its registry, by its description: configuration and layers, packed."""
    said = _object(manifest)
    layers = said.get("layers")
    parts = [said.get("config"), *(layers if isinstance(layers, list) else [])]
    sizes = [part.get("size") for part in parts if isinstance(part, dict)]
    return sum(size for size in sizes if isinstance(size, int) and size > 0)


def config_of(manifest: bytes) -> str | None:
    """The digest of an image's configuration; None where the description has none."""
    return _digest_in(_object(manifest).get("config"))


def members_of(manifest: bytes) -> list[str]:
    """The digests of the images that a list of images for several machines has; empty for one image."""
    members = _object(manifest).get("manifests")
    found = [_digest_in(member) for member in members] if isinstance(members, list) else []
    return [digest for digest in found if digest]


def made_at(config: bytes) -> int:
    """When an image was made, in microseconds since 1970, by its configuration; 0 where that does not tell."""
    text = _object(config).get("created")
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
        at = at and at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        at = None
    return 0 if at is None else max(0, int(at.replace(microsecond=0).timestamp()) * SECOND + at.microsecond)


def copy_to_delete(manifest: bytes, tag: str) -> bytes | None:
    """A description of the same image with another digest, the same for a tag each time; None where there is none."""
    said = dict(_object(manifest))
    if "config" not in said and "manifests" not in said:
        return None
    notes = said.get("annotations")
    said["annotations"] = {**(notes if isinstance(notes, dict) else {}), _MARK: tag}
    return json.dumps(said).encode()


def _digest_in(piece: Any) -> str | None:
    digest = piece.get("digest") if isinstance(piece, dict) else None
    return digest if isinstance(digest, str) and is_digest(digest) else None


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
