"""Whether a container engine opens its ports on the network that we can guard. Used by ``nftables.py``.

Who listens at its socket tells: with Innkeeper in a container of its own, or an engine without root, it is on another
network, and rules of ours would hold nobody off.
"""

from __future__ import annotations

import socket
import struct
from pathlib import Path

_PROC = Path("/proc")
_PEER = struct.Struct("3i")  # of whoever called listen: process, user and group
_SECONDS = 2.0
#: Programs that pass the socket of another machine on.
_CARRIERS = ("ssh", "socat")


def elsewhere(path: str, proc: Path = _PROC) -> str:
    """Why the engine at a socket is not on our network, as far as can be told; empty when it is."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(_SECONDS)
            line.connect(path)
            pid, _, _ = _PEER.unpack(line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
        theirs, ours = (proc / str(pid) / "ns" / "net").stat(), (proc / "self" / "ns" / "net").stat()
        name = (proc / str(pid) / "comm").read_text().strip()
    except OSError:
        return "nobody can tell whether its engine opens ports on Innkeeper's network"
    if name.startswith(_CARRIERS):
        return f"its engine is reached through {name} and may be on another machine"
    if (theirs.st_dev, theirs.st_ino) != (ours.st_dev, ours.st_ino):
        return "its engine opens ports on another network than Innkeeper's"
    return ""
