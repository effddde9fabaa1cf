"""Whether a registry has an image for us: asked before something is made that needs it. Called by ``depot.py``.

It speaks the protocol that registries share: the description of an image is asked for, with a login or with what is
got for one where the registry says so. Nothing is fetched but answers' heads.
"""

from __future__ import annotations

import asyncio

from innkeeper.hostspecs import is_loopback
from innkeeper.kit.errors import Unobtainable

from .registries import HUB, RegistrySource
from .registrytalk import KINDS, SECONDS, Ask, Talk

#: Where the public default answers.
_HUB_ANSWERS = "registry-1.docker.io"


async def check_image(source: RegistrySource, ask: Ask) -> None:
    """Return when the image can be had. Raises :class:`Unobtainable`, saying why not."""
    name, url = _place(source.reference)
    try:
        async with asyncio.timeout(SECONDS):
            status = await _status(source, url, ask)
    except (OSError, TimeoutError) as error:
        why = f"does not answer: {error}" if str(error) else f"does not answer within {SECONDS:g} s"
        raise Unobtainable(f"the registry {name} {why}") from None
    if status == 200:
        return
    as_whom = "without a login" if source.login is None else f"for the user {source.login.user}"
    raise Unobtainable(
        {
            401: f"unable to log in: the registry {name} does not take the user name and the password that were given"
            if source.login
            else f"the registry {name} wants a login for {source.reference}: give a user name and a password",
            403: f"the registry {name} refuses {source.reference} {as_whom}",
            404: f"the registry {name} has no image {source.reference}, or not {as_whom}",
            429: f"the registry {name} was asked too often; try again later",
        }.get(status, f"the registry {name} answers {status} when it is asked for {source.reference}")
    )


async def _status(source: RegistrySource, url: str, ask: Ask) -> int:
    return (await Talk(source.login, ask).say("HEAD", url, {"Accept": KINDS})).status


def _place(reference: str) -> tuple[str, str]:
    """The registry of a whole reference, and where its description of the image is."""
    registry, _, path = reference.partition("/")
    repository, at, mark = path.partition("@")
    if not at:
        repository, _, mark = path.rpartition(":")
    host = _HUB_ANSWERS if registry == HUB else registry
    scheme = "http" if is_loopback(f"//{host}") else "https"  # with this machine engines speak without TLS too
    return registry, f"{scheme}://{host}/v2/{repository}/manifests/{mark}"
