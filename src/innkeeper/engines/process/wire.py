"""What the engine and its spawner say to each other: JSON objects, one a line, over a unix socket.

The engine asks ``{"do": verb, "n": number, ...}``; the spawner answers ``{"re": number, ...}``, or, when it cannot,
``{"re": number, "error": text, "again": whether trying again may help}``. Unasked it sends ``{"hello": ...}`` first
and ``{"report": ...}`` when a server is ready or ended. Used by ``link.py`` and ``spawner.py``; see the verbs there.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Message = dict[str, Any]

#: Raised when a message changes its meaning. A spawner of another version is asked to leave; its successor adopts.
VERSION = 3

SOCKET = "spawner.sock"  #: in DIR/run
LOCK = "spawner.lock"
JOURNAL = "servers.journal"
GROUPS = "groups"  #: where the control groups of servers are
MARK = "mark"  #: a random word that marks the programs of this directory

_encode = json.JSONEncoder(separators=(",", ":")).encode


def encode(message: Message) -> bytes:
    """One line."""
    return _encode(message).encode() + b"\n"


class Lines:
    """Cuts a stream of bytes into messages."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Message]:
        """The messages that ``data`` completes."""
        if b"\n" not in data:
            self._rest += data
            return []
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in lines]


def safe_id(server_id: str) -> bool:
    """Whether the id is one that may name a file: letters, digits, ``-`` and ``_``."""
    return 0 < len(server_id) <= 128 and server_id.replace("-", "a").replace("_", "a").isalnum() and server_id.isascii()
