"""Where strangers may send the house: which URLs can be a destination, and which addresses are public.

Used by whoever connects to what a caller has named: ``notices`` for webhooks, ``hosting/storing`` for buckets. All but
:func:`is_own` and :func:`is_forbidden` is pure. What a name stands for has to be looked at on the address that is
connected to, at every connection.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from .errors import Invalid

#: Characters of a URL.
MOST_URL = 2000
#: Translators of IPv6: an address of IPv4 in the last 32 bits (RFC 6052), and what means something at home alone.
_TRANSLATED = ip_network("64:ff9b::/96")
_TRANSLATED_AT_HOME = ip_network("64:ff9b:1::/48")
_LAST_32 = (1 << 32) - 1


def check_url(
    text: str,
    *,
    anywhere: bool,
    field: str = "url",
    example: str = "https://example.org/hooks",
    instead: str = "the signature proves who sends",
) -> str:
    """A URL that the house may be sent to; ``anywhere`` allows private addresses. Raises Invalid, naming what is wrong
    with the ``field``. ``instead`` says why no user and password are needed in it.
    """
    if len(text) > MOST_URL:
        raise Invalid(f"{field}: must have at most {MOST_URL} characters")
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise Invalid(
            f"{field}: holds a character that no URL has: percent-encode it, and write names of hosts in ASCII"
        )
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Invalid(f"{field}: cannot be read: {error}") from None
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise Invalid(f"{field}: write the whole one, such as {example}")
    if "@" in parts.netloc:
        raise Invalid(f"{field}: may hold no user or password: {instead}")
    if parts.fragment or text.endswith("#"):
        raise Invalid(f"{field}: may hold no #")
    literal = literal_of(host, field)
    if literal is not None and not anywhere and not is_public(literal):
        raise Invalid(f"{field}: {not_public(host)}")
    return text


def literal_of(host: str, field: str = "url") -> IPv4Address | IPv6Address | None:
    """The address that a host of a URL is, None for a name. Raises Invalid for numbers that are none, such as 127.1."""
    if ":" not in host and not host.rstrip(".").replace(".", "").isdecimal():
        return None
    try:
        return ip_address(host)
    except ValueError:
        raise Invalid(f"{field}: {host} is no address: write four numbers, or a name") from None


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether it is one of the whole internet's: not this machine, its network, a link, a group or a reserved one."""
    if isinstance(address, IPv6Address):
        if address in _TRANSLATED_AT_HOME or address.teredo is not None:
            return False
        inner = address.ipv4_mapped or address.sixtofour
        if address in _TRANSLATED:
            inner = IPv4Address(int(address) & _LAST_32)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def not_public(host: str) -> str:
    """Said of an address that may not be sent to."""
    return f"{host} is not a public address; the operator may allow others by the setting webhook_private_networks"


async def is_forbidden(address: str) -> bool:
    """Whether an address is not public, or is one of this machine, where no firewall stands before what listens."""
    return not is_public(ip_address(address)) or await asyncio.to_thread(is_own, address)


def is_own(address: str) -> bool:
    """Whether this machine itself has the address: then it would be its own source. Nothing is sent for it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            own: str = probe.getsockname()[0]
            return own == address
    except OSError:
        return False  # there is no way there: the attempt will say so
