"""Reads the kernel's tables of sockets: ``/proc/net/{udp,tcp}`` and their like for IPv6. Pure but for :func:`look`."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from innkeeper.engines.base import Transport

_ESTABLISHED, _LISTEN = "01", "0A"


@dataclass(frozen=True, slots=True)
class Socket:
    """One line of a table."""

    transport: Transport
    port: int
    loopback: bool  #: it is bound to an address that is not reached from elsewhere
    serves: bool  #: bound (UDP) or listening (TCP)
    connected: bool  #: an open TCP connection
    inode: int


def read_table(transport: Transport, text: str) -> Iterable[Socket]:
    """The sockets of one file."""
    for line in text.splitlines():
        if one := read_line(transport, line.split()):
            yield one


def read_line(transport: Transport, fields: list[str]) -> Socket | None:
    """One line, at least its first four fields; None for the headline and for what is none."""
    if len(fields) < 4 or ":" not in fields[1]:
        return None
    address, _, port = fields[1].rpartition(":")
    state = fields[3].upper()
    try:
        return Socket(
            transport,
            int(port, 16),
            _is_loopback(address),
            transport is Transport.UDP or state == _LISTEN,
            transport is Transport.TCP and state == _ESTABLISHED,
            int(fields[9]) if len(fields) > 9 else 0,
        )
    except ValueError:
        return None


def _is_loopback(address: str) -> bool:
    """Whether an address, written as the kernel does it (words of 32 bits in the machine's order), is loopback."""
    if len(address) == 8:
        return address.endswith("7F")
    mapped = address.startswith("0000000000000000FFFF0000") and address.endswith("7F")
    return mapped or address == "00000000000000000000000001000000"


def look(pid: int, transports: Collection[Transport]) -> list[Socket]:
    """The sockets of the network that a process of this machine is in. None of them when it is gone."""
    found: list[Socket] = []
    for transport in transports:
        for name in (transport.value, transport.value + "6"):
            try:
                fd = os.open(f"/proc/{pid}/net/{name}", os.O_RDONLY | os.O_CLOEXEC)
            except OSError:  # it has ended, or there is no IPv6
                continue
            try:
                with open(fd, encoding="ascii", errors="replace") as file:
                    found += read_table(transport, file.read())
            except OSError:
                continue
    return found
