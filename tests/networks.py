"""Networks of the tests' own: one for each worker, and hosts at a bridge for the tests of hosts that come and go.

    with Network() as network:
        first = network.host()      # has an address of its own; start programs in it with ``first.inside(...)``
        network.cut(first)          # its cable is pulled; what runs there runs on
        network.mend(first)

Only root can make them.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"


_CLONE_NEWNS, _CLONE_NEWNET = 0x00020000, 0x40000000
_outside: list[int] = []


def stand_apart() -> None:
    """Put this process on a network of its own, which has loopback and nothing else, and its mounts too, if it may.

    Then nothing that a test starts meets the ports, addresses and firewall rules of another worker (two container
    engines that start at once on one network take each other's rules away), no test's traffic leaves this machine, and
    no container of another worker holds a disk that a test unmounts. Call it before there are threads: those that run
    already stay where they are.
    """
    if _outside or os.geteuid() != 0 or any(shutil.which(name) is None for name in ("ip", "nsenter", "mount")):
        return
    before = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET | _CLONE_NEWNS) != 0:  # root of a container may not
        os.close(before)
        return
    _outside.append(before)
    _run("mount", "--make-rprivate", "/")
    _run("ip", "link", "set", "lo", "up")


def outside(*words: str) -> list[str]:
    """The command that runs a program on the network which this process came from: for what is fetched."""
    if not _outside:
        return list(words)
    return ["nsenter", f"--net=/proc/{os.getpid()}/fd/{_outside[0]}", *words]


@dataclass(frozen=True)
class NetworkHost:
    """A machine of the network."""

    namespace: str
    address: str
    cable: str  #: our end of it

    def inside(self, *words: str | Path) -> list[str]:
        """The command that runs a program there. It sees our files and control groups."""
        return ["nsenter", f"--net=/var/run/netns/{self.namespace}", *map(str, words)]


class Network:
    """A bridge on this machine, which is the first address, and hosts at it."""

    def __init__(self) -> None:
        # One of 250 networks of our own; two test runs at once on one machine get different ones.
        self._tag = os.getpid() % 250
        self.hosts: list[NetworkHost] = []
        self._bridge = f"inn{self._tag}"

    @property
    def address(self) -> str:
        """This machine's."""
        return f"10.213.{self._tag}.1"

    def __enter__(self) -> Network:
        self._remove()
        _run("ip", "link", "add", self._bridge, "type", "bridge", "forward_delay", "0", "stp_state", "0")
        _run("ip", "address", "add", f"{self.address}/24", "dev", self._bridge)
        _run("ip", "link", "set", self._bridge, "up")
        return self

    def host(self) -> NetworkHost:
        """One more host."""
        number = len(self.hosts) + 2
        name = f"{self._bridge}h{number}"
        made = NetworkHost(name, f"10.213.{self._tag}.{number}", f"{name}c")
        _run("ip", "netns", "add", made.namespace)
        self.hosts.append(made)
        _run("ip", "link", "add", made.cable, "type", "veth", "peer", "name", "eth0", "netns", made.namespace)
        _run("ip", "link", "set", made.cable, "master", self._bridge, "up")
        for words in (
            ("link", "set", "lo", "up"),
            ("address", "add", f"{made.address}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("route", "add", "default", "via", self.address),
        ):
            _run("ip", "-n", made.namespace, *words)
        return made

    def cut(self, host: NetworkHost) -> None:
        """Pull its cable."""
        _run("ip", "link", "set", host.cable, "down")

    def mend(self, host: NetworkHost) -> None:
        """Plug it in again."""
        _run("ip", "link", "set", host.cable, "up")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._remove()

    def _remove(self) -> None:
        for name in (path.name for path in Path("/var/run/netns").glob(f"{self._bridge}h*")):
            with contextlib.suppress(AssertionError):
                _run("ip", "netns", "delete", name)
        with contextlib.suppress(AssertionError):
            _run("ip", "link", "delete", self._bridge)
