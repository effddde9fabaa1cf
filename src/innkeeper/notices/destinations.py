"""Where a webhook may send to: which URLs can be one, and which addresses are public. Pure.

URLs come from strangers. What a name stands for is looked at by ``sending.py``, on the address that it connects to.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from innkeeper.kit.errors import Invalid

from .model import MOST_URL

#: Translators of IPv6: an address of IPv4 in the last 32 bits (RFC 6052), and what means something at home alone.
_TRANSLATED = ip_network("64:ff9b::/96")
_TRANSLATED_AT_HOME = ip_network("64:ff9b:1::/48")
_LAST_32 = (1 << 32) - 1


def check_url(text: str, *, anywhere: bool) -> str:
    """A URL that webhooks can send to; ``anywhere`` allows private addresses. Raises Invalid, naming what is wrong."""
    if len(text) > MOST_URL:
        raise Invalid(f"url: must have at most {MOST_URL} characters")
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise Invalid("url: holds a character that no URL has: percent-encode it, and write names of hosts in ASCII")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Invalid(f"url: cannot be read: {error}") from None
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise Invalid("url: write the whole one, such as https://example.org/hooks")
    if "@" in parts.netloc:
        raise Invalid("url: may hold no user or password: the signature proves who sends")
    if parts.fragment or text.endswith("#"):
        raise Invalid("url: may hold no #")
    literal = literal_of(host)
    if literal is not None and not anywhere and not is_public(literal):
        raise Invalid(f"url: {not_public(host)}")
    return text


def literal_of(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host of a URL is, None for a name. Raises Invalid for numbers that are none, such as 127.1."""
    if ":" not in host and not host.rstrip(".").replace(".", "").isdecimal():
        return None
    try:
        return ip_address(host)
    except ValueError:
        raise Invalid(f"url: {host} is no address: write four numbers, or a name") from None


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
