"""What Innkeeper and its terminator say to each other: JSON objects, one a line, over a unix socket.

The terminator says first ``{"hello": {"version", "pid", "identity"}}``. Innkeeper asks ``{"do": verb, "n": number,
...}`` and is answered ``{"re": number, ...}``, or ``{"re": number, "error": text}`` where it cannot be done.

``identify`` (chain, key) gives it the certificate that it shows from now on; ``serve`` (table) the whole table of
routes, and is answered with those that cannot be listened on; ``retire`` has it take no more players, serve those it
has to the end, and let a successor have the ports. A table that is served already changes nothing. Used by
``link.py`` and ``terminator.py``.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

#: Raised when a message changes its meaning. A terminator of another version is asked to retire; ``retire``, its
#: number and the hello never change.
VERSION = 1

FOLDER = "tls"  #: in the data folder: everything named below
SOCKET = "terminator.sock"
LOCK = "terminator.lock"
LOG = "terminator.log"

#: Of one message: a table of every port is two megabytes.
LONGEST = 16 << 20


class Backend(Struct, frozen=True, array_like=True):
    """Where the plain bytes go."""

    host: str
    port: int


class Limits(Struct, frozen=True):
    """What one port puts up with. Times are in seconds."""

    players: int = 4096  #: connections at a time
    handshake: float = 10.0  #: for a player to get through the handshake
    connect: float = 5.0  #: for the game to take the connection
    last: float = 10.0  #: without any progress, where one side is gone for good, until the other one is cut
    silent: float = 60.0  #: the same where the game has said its last word, and the player could go on but does not


class Table(Struct, frozen=True):
    """Everything that is served."""

    routes: Mapping[int, Backend]  #: by the port that players dial
    address: str = ""  #: of this machine that players dial; empty is every one
    limits: Limits = Limits()


class Ask(Struct, frozen=True, omit_defaults=True):
    """What Innkeeper asks."""

    do: str
    n: int
    table: Table | None = None
    chain: str = ""  #: PEM
    key: str = ""  #: PEM


class Hello(Struct, frozen=True):
    """What the terminator says of itself."""

    version: int
    pid: int
    identity: str  #: digest of the certificate and key that it has; empty until it was given one


class Said(Struct, frozen=True, omit_defaults=True):
    """What the terminator says: its hello, or an answer."""

    hello: Hello | None = None
    re: int = 0
    refused: Mapping[int, str] = {}  #: ports that it cannot listen on, with why
    error: str = ""


def changes(have: Mapping[int, Backend], want: Mapping[int, Backend]) -> tuple[list[int], list[int], list[int]]:
    """What makes one table of routes the other: ports to close, to open, and to lead elsewhere. Pure."""
    close = [port for port in have if port not in want]
    fresh = [port for port in want if port not in have]
    moved = [port for port, backend in want.items() if port in have and have[port] != backend]
    return close, fresh, moved
