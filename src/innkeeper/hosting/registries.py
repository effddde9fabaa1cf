"""Where an image is pulled from, and as whom: what people write, made whole. Pure; for the doors and ``making.py``.

People write references as they know them: ``nginx``, ``ghcr.io/studio/game:1.2``, a registry beside the name, with a
scheme or without. Engines do not agree on what is left out, so nothing is: a reference here has a registry, a
repository, and a tag or a digest. No text of an error holds what was given as a credential.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from typing import Any

from innkeeper.engines.images import RegistryLogin
from innkeeper.kit.errors import Invalid

#: The registry of images that name none.
HUB = "docker.io"
_HUB_NAMES = frozenset({HUB, "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com", "hub.docker.com"})
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
_REGISTRY = re.compile(r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?")
_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_MOST = 1000
_AUTH_FORMS = (
    "write user:password, the same in base64, or the JSON object with username and password that registry tools use"
)


@dataclass(frozen=True, slots=True)
class RegistrySource:
    """An image in a registry."""

    reference: str  #: whole, as :func:`whole_reference` makes it
    login: RegistryLogin | None = field(default=None, repr=False)


def whole_reference(image: str, registry_url: str | None = None) -> str:
    """The image's registry, repository and tag or digest, as one text.

    ``registry_url`` is where to look for an image that names no registry itself: a host, perhaps with a port, a scheme
    and the beginning of the repository. Raises :class:`Invalid`.
    """
    given = _SCHEME.sub("", image.strip(), count=1)
    first, slash, _ = given.partition("/")
    if not given or len(given) > _MOST or (slash and "@" in first):  # what is before an @ there is a credential
        raise Invalid("image: write the name of an image, such as ghcr.io/studio/game:1.2")
    name, mark = _parted(given)
    named, path = _registry_in(name)
    registry, prefix = _of_url(registry_url) if registry_url and registry_url.strip() else (None, "")
    if named is not None and registry is not None and named != registry:
        raise Invalid(f"image: it names the registry {named}, and registryUrl names {registry}; leave one of them out")
    if prefix and named is None and not path.startswith(f"{prefix}/"):
        path = f"{prefix}/{path}"
    registry = named or registry or HUB
    if registry == HUB and "/" not in path:
        path = f"library/{path}"  # where the public default keeps what belongs to nobody
    if not _REPOSITORY.fullmatch(path):
        raise Invalid(
            f"image: {given!r} is not the name of an image: small letters and digits, with ., _, - and / between them"
        )
    return f"{registry}/{path}{mark}"


def login_of(auth: str) -> RegistryLogin:
    """Who we are to a registry, from what people have: see the error for the forms. Raises :class:`Invalid`."""
    found = _login(auth.strip(), True)
    if found is None or not found.user or not found.password:
        raise Invalid(f"auth: it is no credential; {_AUTH_FORMS}")
    return found


def login_as_text(login: RegistryLogin) -> str:
    """For sealing. :func:`login_of` reads it."""
    return json.dumps({"username": login.user, "password": login.password, "serveraddress": login.server})


def _parted(text: str) -> tuple[str, str]:
    """The name, and the tag or digest with its mark; the usual tag where there is none."""
    name, at, digest = text.partition("@")
    if at:
        if not _DIGEST.fullmatch(digest):
            raise Invalid("image: what follows the @ is not a digest: sha256: and 64 hexadecimal digits")
        head, colon, tag = name.rpartition(":")
        return head if colon and "/" not in tag else name, f"@{digest}"  # with a digest, a tag says nothing more
    head, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        return name, ":latest"
    if not _TAG.fullmatch(tag):
        raise Invalid(f"image: {tag[:140]!r} is not a tag: up to 128 letters, digits, _, . and -")
    return head, f":{tag}"


def _registry_in(name: str) -> tuple[str | None, str]:
    """The registry that a name begins with, if it does, and the rest."""
    first, slash, rest = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        return None, name
    if not _REGISTRY.fullmatch(first):
        raise Invalid(f"image: {first!r} is not the address of a registry")
    return _registry(first), rest


def _of_url(url: str) -> tuple[str, str]:
    """The registry, and what names of images begin with there."""
    host, _, path = _SCHEME.sub("", url.strip(), count=1).partition("/")
    if not _REGISTRY.fullmatch(host):  # also one with a credential in it
        raise Invalid("registryUrl: it is not the address of a registry; write it as https://ghcr.io")
    parts = [part for part in path.split("/") if part]
    if parts[:1] in (["v1"], ["v2"]):  # the way to a registry's API, which people copy along
        parts = parts[1:]
    return _registry(host), "/".join(parts)


def _registry(host: str) -> str:
    host = host.lower()
    return HUB if host in _HUB_NAMES else host


def _login(text: str, encoded: bool) -> RegistryLogin | None:
    if text.startswith("{"):
        try:
            return _from_object(json.loads(text))
        except ValueError:
            return None
    if ":" in text:
        user, _, password = text.partition(":")
        return RegistryLogin(user, password)
    if not encoded or not text:
        return None
    try:
        data = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
        return _login(data.decode().strip(), False)
    except (binascii.Error, UnicodeDecodeError):
        return None


def _from_object(found: Any) -> RegistryLogin | None:
    if not isinstance(found, dict):
        return None
    user, password, server = (found.get(name) for name in ("username", "password", "serveraddress"))
    if isinstance(user, str) and isinstance(password, str):
        return RegistryLogin(user, password, server if isinstance(server, str) else "")
    inner = found.get("auth")
    return _login(inner.strip(), True) if isinstance(inner, str) and not inner.strip().startswith("{") else None
