"""Which ports are bound on this machine, and by which socket. Called by the spawner for all starting servers at once.

It asks the kernel by netlink (``sock_diag``), which walks the table of listening TCP sockets alone and filters by port:
about 20 us a question, where reading ``/proc/net/tcp`` takes 5 ms on a machine with a large hash table. That file is
the fallback on kernels without ``sock_diag``.
"""

from __future__ import annotations

import os
import socket
import struct

_NETLINK_SOCK_DIAG, _BY_FAMILY, _DUMP = 4, 20, 0x301
_DONE, _ERROR = 3, 2
_LISTEN, _ESTABLISHED, _ALL = 1 << 10, 1 << 1, 0xFFFFFFFF
_PROTOCOLS = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP}


class Table:
    """Asks which sockets there are. One of it lives as long as the spawner."""

    def __init__(self, *, netlink: bool = True) -> None:
        self._netlink: socket.socket | None = None
        if netlink:
            try:
                self._netlink = socket.socket(
                    socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG
                )
                self._netlink.settimeout(1.0)
                self._ask("udp", _ALL, 1, 1)
            except OSError:  # an old kernel, or one built without it
                self._netlink = None

    def close(self) -> None:
        """Give its socket back."""
        if self._netlink is not None:
            self._netlink.close()
            self._netlink = None

    def bound(self, transport: str, first: int, last: int) -> dict[int, set[int]]:
        """Port -> inodes of the sockets that serve it: UDP sockets bound to it, TCP sockets that listen on it."""
        return self._find(transport, _ALL if transport == "udp" else _LISTEN, first, last)

    def connected(self, first: int, last: int) -> dict[int, int]:
        """Port -> how many TCP connections to it are open."""
        return {port: len(inodes) for port, inodes in self._find("tcp", _ESTABLISHED, first, last).items()}

    def _find(self, transport: str, states: int, first: int, last: int) -> dict[int, set[int]]:
        if self._netlink is not None:
            return self._ask(transport, states, first, last)
        return _from_files(transport, states, first, last)

    def _ask(self, transport: str, states: int, first: int, last: int) -> dict[int, set[int]]:
        found: dict[int, set[int]] = {}
        assert self._netlink is not None
        # The kernel runs this filter: source port >= first, else past the end (refused); <= last, else the same.
        rule = struct.pack("=BBHBBHBBHBBH", 2, 8, 20, 0, 0, first, 3, 8, 12, 0, 0, last)
        for family in (socket.AF_INET, socket.AF_INET6):
            body = struct.pack("=BBBxI48xHH", family, _PROTOCOLS[transport], 0, states, 4 + len(rule), 1) + rule
            self._netlink.send(struct.pack("=IHHII", 16 + len(body), _BY_FAMILY, _DUMP, 1, 0) + body)
            while self._read_answer(self._netlink.recv(1 << 18), found):
                pass
        return found

    @staticmethod
    def _read_answer(data: bytes, found: dict[int, set[int]]) -> bool:
        """Note what one datagram tells; whether more are to come."""
        at = 0
        while at < len(data):
            length, kind = struct.unpack_from("=IH", data, at)
            if kind == _DONE:
                return False
            if kind == _ERROR:
                raise OSError(-struct.unpack_from("=i", data, at + 16)[0], "sock_diag")
            port = struct.unpack_from(">H", data, at + 20)[0]
            inode = struct.unpack_from("=I", data, at + 84)[0]
            if inode:
                found.setdefault(port, set()).add(inode)
            at += (length + 3) & ~3
        return True


def _from_files(transport: str, states: int, first: int, last: int) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for name in (transport, transport + "6"):
        try:
            fd = os.open(f"/proc/net/{name}", os.O_RDONLY)
        except OSError:  # no IPv6
            continue
        with open(fd, "rb") as lines:
            next(lines)
            for line in lines:
                fields = line.split()
                port = int(fields[1].rpartition(b":")[2], 16)
                if first <= port <= last and states >> int(fields[3], 16) & 1 and fields[9] != b"0":
                    found.setdefault(port, set()).add(int(fields[9]))
    return found
