"""Who reaches which ports of this machine, and the same as a script for ``nft``. Pure; used by ``nftables.py``.

A packet is judged where it arrives, before anything leads it on to a container, and, when it comes from this machine
itself, where it leaves. It passes when its sender is listed, or when it answers what the server sent first. Nothing
else passes a port that is named here, and nothing is done to packets of ports that are not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

Network = IPv4Network | IPv6Network
Networks = tuple[Network, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """Some addresses. Two with one name are the same: names are made of what is listed."""

    name: str
    networks: Networks = field(compare=False)  #: no two of them overlap, as nft wants it


@dataclass(frozen=True, slots=True)
class Walls:
    """What shall stand. Numbers are those of this machine, for UDP and TCP alike."""

    open_to: Mapping[int, Listed] = field(default_factory=dict[int, Listed])  #: who reaches a port; nobody else
    #: where plain bytes arrive of ports whose TLS is ended on this machine: for those who end it, and nobody else
    inner: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        """Whether any port is guarded."""
        return bool(self.open_to or self.inner)


def listed(networks: Iterable[Network]) -> Listed:
    """These addresses, in as few networks as there can be, in one order."""
    four: list[IPv4Network] = []
    six: list[IPv6Network] = []
    for one in networks:
        if isinstance(one, IPv4Network):
            four.append(one)
        else:  # without a zone (``fe80::1%eth0``): that is any text, and what goes into a script is none of it
            six.append(IPv6Network((int(one.network_address), one.prefixlen)))
    joined: list[Network] = [*collapse_addresses(four), *collapse_addresses(six)]
    return Listed("list-" + hashlib.sha256(" ".join(map(str, joined)).encode()).hexdigest()[:16], tuple(joined))


def table_of(house: str) -> str:
    """The name of a house's table: several houses can be on one machine."""
    return f"innkeeper-{house}"


def script(table: str, walls: Walls, insiders: Collection[int]) -> str:
    """One transaction that makes the table what ``walls`` say, whatever it was before; without walls there is none.

    ``insiders`` are the users of this machine that end TLS.
    """
    gone = f"add table inet {table}\ndelete table inet {table}\n"
    return gone + _table(table, walls, insiders) if walls else gone


def proof(table: str, insiders: Collection[int]) -> str:
    """A transaction that needs all that :func:`script` needs of the kernel, and leaves nothing behind."""
    walls = Walls({1: listed([IPv4Network("192.0.2.0/24"), IPv6Network("2001:db8::/32")])}, frozenset({2}))
    name = f"{table}-proof"
    return f"{script(name, walls, insiders)}delete table inet {name}\n"


def _table(table: str, walls: Walls, insiders: Collection[int]) -> str:
    lists = {one.name: one.networks for one in walls.open_to.values()}  # servers with the same list share it
    verdicts = dict.fromkeys(walls.inner, "goto inside")
    verdicts.update((port, f"goto {one.name}") for port, one in walls.open_to.items())
    ports = sorted(verdicts)
    parts = [
        _set("set guarded", "inet_service", [str(port) for port in ports]),
        _chain("inside", f"meta skuid {_braced(map(str, sorted(insiders)))} accept", "counter drop"),
    ]
    for name in sorted(lists):
        parts += _list(name, lists[name])
    parts += [
        _set("map verdicts", "inet_service : verdict", [f"{port} : {verdicts[port]}" for port in ports]),
        _chain(
            "judge",
            # What the server began itself. Whoever was listed and is not any more began it, and is judged anew.
            "ct direction reply accept",
            "th dport vmap @verdicts",
            "drop",
        ),
        # After packets were told from their answers (-200), and before a port is led on to a container (-100).
        _chain(
            "arriving",
            "type filter hook prerouting priority -150; policy accept;",
            'iif "lo" accept',  # judged as it left
            "fib daddr type unicast accept",  # on its way to another machine, or to a container's own address
            "meta l4proto { tcp, udp } th dport @guarded goto judge",
        ),
        _chain(
            "leaving",
            "type filter hook output priority -150; policy accept;",
            "meta l4proto { tcp, udp } th dport @guarded fib daddr type local goto judge",
        ),
    ]
    return f"table inet {table} {{\n{''.join(parts)}}}\n"


def _list(name: str, networks: Networks) -> list[str]:
    """The chain of those who may pass, and whoever may not."""
    four = [str(one) for one in networks if one.version == 4]
    six = [str(one) for one in networks if one.version == 6]
    return [
        _set(f"set {name}-4", "ipv4_addr", four, "interval"),
        _set(f"set {name}-6", "ipv6_addr", six, "interval"),
        _chain(name, f"ip saddr @{name}-4 accept", f"ip6 saddr @{name}-6 accept", "counter drop"),
    ]


def _set(name: str, kind: str, elements: Collection[str], flags: str = "") -> str:
    return (
        f"  {name} {{\n    type {kind}\n"
        + (f"    flags {flags}\n" if flags else "")
        + (f"    elements = {_braced(elements)}\n" if elements else "")
        + "  }\n"
    )


def _chain(name: str, *rules: str) -> str:
    lines = "".join(f"    {rule}\n" for rule in rules)
    return f"  chain {name} {{\n{lines}  }}\n"


def _braced(words: Iterable[str]) -> str:
    return f"{{ {', '.join(words)} }}"
