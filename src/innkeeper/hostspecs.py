"""What an operator says about a machine that servers may run on. Written in the settings file or given by command.

Read by ``settings.py`` and ``hosting/hostbook.py``, which keeps the JSON of those that were added by command. What is
wrong with one is said in words for the person who wrote it; nothing is reached from here.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from innkeeper.kit.errors import Invalid

#: This machine where it runs servers as programs, and the container engine of this machine.
LOCAL, LOCAL_CONTAINERS = "local", "local-containers"
#: Whose names nobody else may have: those above, and what holds the public ports of ``tls`` servers.
RESERVED = frozenset({LOCAL, LOCAL_CONTAINERS, "tls"})
#: The ports of a host elsewhere that names none.
USUAL_PORTS = (20_000, 29_999)
NETWORKS = ("published", "isolated", "host")
#: Whose machine a host is: one that stays, one that is rented by the hour, or one with strangers on it.
METAL, CLOUD, SHARED = "metal", "cloud", "shared"
HOSTINGS = (METAL, CLOUD, SHARED)
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_ENGINES = "unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST[/PATH]"
_FLEET = re.compile(r"fleet-[0-9a-f-]{36}")
_ADDRESS = re.compile(r"[A-Za-z0-9_.:-]+")
_KINDS = {
    "cpu": "a number of processors above 0, such as 8",
    "memory_mb": "a number of MiB above 0, such as 16384",
    "locations": 'a list of names, such as ["frankfurt"]',
    "read_only": "true or false",
}


def port_range(text: str, usual: tuple[int, int]) -> tuple[int, int] | None:
    """First and last port of a text such as ``20000-29999``; ``usual`` for an empty one, None for what is no range."""
    if not text:
        return usual
    first, dash, last = (part.strip() for part in text.partition("-"))
    good = dash and first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last) <= 65535
    return (int(first), int(last)) if good else None


def location_name(text: str) -> str:
    """The name of a location as the house writes it: ``Los Angeles`` and ``los-angeles`` are ``los_angeles``."""
    return text.strip().lower().replace(" ", "_").replace("-", "_")


class HostSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A host: a container engine, and what it has to give out. Make one with :func:`read_spec`, which checks it."""

    name: str  #: of the host: small letters, digits, `.`, `_` and `-`; unique, and never used for another machine
    engine: str  #: where its Docker or Podman answers: `unix:///PATH`, `tcp://HOST:PORT` or `ssh://USER@HOST[/PATH]`
    address: str = ""  #: where players reach it; empty is the engine's host, or this machine's own for a socket
    locations: tuple[str, ...] = ()  #: regions it serves, such as `frankfurt`; empty is every one
    ports: str = ""  #: range that its servers' ports come from; empty is `20000-29999`, or this machine's for a socket
    cpu: float | None = None  #: processors to give out; none is no limit
    memory_mb: float | None = None  #: MiB to give out; none is no limit
    tls_ca: str = ""  #: PEM file of who signed the engine's certificate
    tls_certificate: str = ""  #: PEM file that we show to the engine
    tls_key: str = ""  #: PEM file
    #: `published`: each server has a network namespace of its own on the engine's default bridge, and its ports are
    #: published; `isolated`: the same on one network of the house, `innkeeper-<house>`, where servers cannot reach each
    #: other (Docker alone; a start takes longer); `host`: servers share the host's network and have to bind `PORT`,
    #: for servers of your own that you trust
    network: str = "published"
    read_only: bool = False  #: whether servers may write nowhere but to `/tmp`
    fleet: str = ""  #: id of the fleet that it is set aside for; empty is none: it is common, and takes every server
    hosting: str = METAL  #: `metal`, `cloud` or `shared`: told to who asks where a server runs

    @property
    def is_here(self) -> bool:
        """Whether it is an engine of this very machine."""
        return self.engine.startswith("unix://")

    @property
    def is_ours(self) -> bool:
        """Whether nobody named it: the house found it on this machine."""
        return self.name in RESERVED

    @property
    def shares_ports(self) -> bool:
        """Whether its servers have ports out of this machine's own range."""
        return self.is_here and not self.ports

    def address_or(self, this_machine: str) -> str:
        """Where players reach it, given where they reach this machine."""
        if self.address or self.is_here:
            return self.address or this_machine
        return urlsplit(self.engine).hostname or this_machine

    def port_range_or(self, usual: tuple[int, int] = USUAL_PORTS) -> tuple[int, int]:
        """First and last port of its servers; ``usual`` where it names none."""
        found = port_range(self.ports, usual)
        assert found is not None  # read_spec has looked
        return found


def read_spec(said: Any) -> HostSpec:
    """Check what was said of a host. Raises ``Invalid`` with the field, and what to write there."""
    if not isinstance(said, Mapping):
        raise Invalid("a host is a table with at least name and engine")
    name = said.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Invalid(f"name: write up to 63 small letters, digits, `.`, `_` and `-`, not {name!r}")
    if name in RESERVED:
        raise Invalid(f"name: {name} is the house's own; write another")
    for field in said:
        if field not in HostSpec.__struct_fields__:
            raise _wrong(
                name, field, f"there is nothing of this name; there is {', '.join(HostSpec.__struct_fields__)}"
            )
    values = dict(said)
    if isinstance(values.get("locations"), list | tuple):
        texts = [each for each in values["locations"] if isinstance(each, str)]
        if len(texts) == len(values["locations"]):
            values["locations"] = sorted({location_name(each) for each in texts if each.strip()})
    spec = _converted(name, values)
    for field, fault in _faults(spec):
        raise _wrong(name, field, fault)
    return spec


def _converted(name: str, values: dict[str, Any]) -> HostSpec:
    for field in msgspec.structs.fields(HostSpec):
        if field.name in values:
            try:
                msgspec.convert(values[field.name], field.type)
            except msgspec.ValidationError:
                what = _KINDS.get(field.name, "a text")
                raise _wrong(name, field.name, f"write {what}, not {values[field.name]!r}") from None
        elif field.name == "engine":
            raise _wrong(name, "engine", f"write {_ENGINES}")
    return msgspec.convert(values, HostSpec)


def _faults(spec: HostSpec) -> list[tuple[str, str]]:
    """The fields that cannot be, and what to write."""
    checks = [
        ("engine", _is_engine(spec.engine), f"write {_ENGINES}, not {spec.engine!r}"),
        ("address", not spec.address or bool(_ADDRESS.fullmatch(spec.address)),
         f"write a name or an address that players can dial, not {spec.address!r}"),
        ("ports", port_range(spec.ports, USUAL_PORTS) is not None,
         f"write a range from 1 to 65535, the lower port first, such as 20000-29999, not {spec.ports!r}"),
        ("cpu", spec.cpu is None or 0 < spec.cpu < float("inf"), f"write {_KINDS['cpu']}, not {spec.cpu}"),
        ("memory_mb", spec.memory_mb is None or 0 < spec.memory_mb < float("inf"),
         f"write {_KINDS['memory_mb']}, not {spec.memory_mb}"),
        ("network", spec.network in NETWORKS, f"write one of {', '.join(NETWORKS)}, not {spec.network!r}"),
        ("fleet", not spec.fleet or bool(_FLEET.fullmatch(spec.fleet)),
         f"write the id of a fleet, such as fleet-6f706e83-0ec1-437a-9a46-7d4281eb2f39, not {spec.fleet!r}"),
        ("hosting", spec.hosting in HOSTINGS, f"write one of {', '.join(HOSTINGS)}, not {spec.hosting!r}"),
        *_tls_checks(spec),
    ]  # fmt: skip
    return [(field, words) for field, holds, words in checks if not holds]


def _tls_checks(spec: HostSpec) -> list[tuple[str, bool, str]]:
    files = [spec.tls_ca, spec.tls_certificate, spec.tls_key]
    by_tcp = spec.engine.startswith("tcp://")
    return [
        ("tls_ca", by_tcp or not any(files), "TLS is for engines at tcp:// alone"),
        ("tls_ca", all(files) or not any(files), "name all three files: tls_ca, tls_certificate and tls_key"),
        ("tls_ca", not by_tcp or all(files) or is_loopback(spec.engine),
         "an engine at tcp:// is open to everybody who can reach it unless it asks for certificates: name tls_ca, "
         "tls_certificate and tls_key, or reach it by ssh://"),
    ]  # fmt: skip


def clashes(specs: Sequence[HostSpec], here: tuple[str, tuple[int, int]] | None = None) -> str | None:
    """Why these hosts cannot be together, if so: one name, one engine or one port of one address for two of them.

    ``here`` is where players reach this machine and the first and last port of its own servers, when that is known.
    """
    address = "" if here is None else here[0]
    for at, one in enumerate(specs):
        for other in specs[:at]:
            if one.name == other.name:
                return f"two hosts have the name {one.name}"
            if one.engine == other.engine:
                return f"the hosts {other.name} and {one.name} have the same engine, {one.engine}"
            if one.shares_ports or other.shares_ports or one.address_or(address) != other.address_or(address):
                continue
            (first, last), (low, high) = one.port_range_or(), other.port_range_or()
            if first <= high and low <= last:
                return f"the hosts {other.name} and {one.name} have one address and overlapping ports: part them"
    for one in specs if here is not None else ():
        (first, last), (low, high) = one.port_range_or(), here[1] if here else USUAL_PORTS
        if not one.shares_ports and one.address_or(address) == address and first <= high and low <= last:
            return (
                f"host {one.name} has the ports {first}-{last} and this machine's address, whose own servers have"
                f" {low}-{high} (the setting ports): part them"
            )
    return None


def _wrong(name: str, field: str, what: str) -> Invalid:
    return Invalid(f"host {name}: {field}: {what}")


def _is_engine(text: str) -> bool:
    if any(character.isspace() for character in text):
        return False
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    if parts.query or parts.fragment or parts.password:
        return False
    if parts.scheme == "unix":
        return not parts.netloc and len(parts.path) > 1
    bare = parts.path in ("", "/")
    if parts.scheme == "tcp":
        return bare and bool(parts.hostname) and bool(port) and not parts.username
    return parts.scheme == "ssh" and bool(parts.hostname) and port != 0


def is_loopback(url: str) -> bool:
    """Whether the host of a URL is this very machine. Without a scheme it begins with two slashes."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
