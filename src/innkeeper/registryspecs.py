"""What an operator says about an image registry of an organisation: where it is, and as whom. In the settings file.

Read by ``settings.py``; ``hosting/imagetags.py`` speaks to it. What is wrong with one is said in words for the person
who wrote it, and never with the password.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from innkeeper.kit.errors import Invalid

from .hostspecs import is_loopback

_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
#: Names of images, and beginnings of such names, without registry and tag.
REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_ORGANISATION = re.compile(r"org-[0-9a-f-]{36}")
_FORMS = {
    "url": "the host of the registry, perhaps with a port, such as registry.example.org",
    "project": "what names of images begin with there, in small letters, such as studio",
    "username": "whom the registry knows",
    "password": "its password, or what the registry takes for one",
    "organisation": "the id of an organisation, such as org-6f706e83-0ec1-437a-9a46-7d4281eb2f39",
}


class RegistrySpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A registry for one organisation. Make one with :func:`read_registry`, which checks it."""

    #: host of the registry, perhaps with a port; with `http://` before it, it is spoken to without TLS, as one on this
    #: machine is unless `https://` stands there
    url: str
    project: str  #: what names of images begin with there, before a slash; the organisation has nothing beside it
    username: str  #: who pushes, lists and deletes; the organisation is told it
    password: str  #: a secret, which the organisation is told, too
    organisation: str = ""  #: id of the organisation that it is for; empty is the first one

    def __repr__(self) -> str:
        return f"RegistrySpec({self.host}/{self.project})"

    @property
    def host(self) -> str:
        """The registry as names of images begin with it: host and port."""
        return _bare(self.url)

    @property
    def origin(self) -> str:
        """The beginning of its URLs."""
        scheme, mark, _ = self.url.strip().lower().partition("://")
        if not mark:
            scheme = "http" if is_loopback(f"//{self.host}") else "https"
        return f"{scheme}://{self.host}"


def read_registry(said: Any) -> RegistrySpec:
    """Check what was said of a registry. Raises ``Invalid`` with the field, and what to write there."""
    if not isinstance(said, Mapping):
        raise Invalid("a registry is a table with at least url, project, username and password")
    for field in said:
        if field not in RegistrySpec.__struct_fields__:
            there = ", ".join(RegistrySpec.__struct_fields__)
            raise Invalid(f"registry: {field}: there is nothing of this name; there is {there}")
    for known in msgspec.structs.fields(RegistrySpec):
        value = said.get(known.name, "" if known.required else known.default)
        if not isinstance(value, str) or (known.required and not value.strip()):
            raise _wrong(known.name)
    spec = msgspec.convert(dict(said), RegistrySpec)
    for name, holds in (
        ("url", _HOST.fullmatch(spec.host)),
        ("project", REPOSITORY.fullmatch(spec.project)),
        ("username", ":" not in spec.username),
        ("organisation", not spec.organisation or _ORGANISATION.fullmatch(spec.organisation)),
    ):
        if not holds:
            raise _wrong(name)
    return spec


def registry_clash(specs: Sequence[RegistrySpec]) -> str | None:
    """Why these cannot be together, if so: two for one organisation, or two organisations with the same images."""
    for at, one in enumerate(specs):
        for other in specs[:at]:
            if one.organisation == other.organisation:
                return f"two registries are for {one.organisation or 'the first organisation'}; leave one"
            first, second = f"{one.project}/", f"{other.project}/"
            if one.host == other.host and (first.startswith(second) or second.startswith(first)):
                return (
                    f"two organisations have the images of {one.host}/{min(first, second, key=len)} together;"
                    " give each a project of its own"
                )
    return None


def _bare(url: str) -> str:
    return re.sub(r"^https?://", "", url.strip().lower()).rstrip("/")


def _wrong(field: str) -> Invalid:
    return Invalid(f"registry: {field}: write {_FORMS[field]}")
