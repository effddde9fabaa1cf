"""Every setting of the house, typed, each with its reason. Read once by the command line and handed to ``inn.py``.

A setting comes from, in this order: the command line, the environment (``INNKEEPER_PORT``), a TOML file, its default.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from innkeeper.kit.errors import Invalid

#: Addresses that stand for all of a machine's, and so cannot be dialled.
_ANY = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  # compared with, never bound

#: The settings file, in the data folder, that is read when no other is named.
FILE = "innkeeper.toml"


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one Innkeeper is set up."""

    data: str = "inn-data"  #: folder of everything that is kept: database, builds, output, credentials
    host: str = "127.0.0.1"  #: address that the API listens on; loopback until the operator opens the house
    port: int = 8080  #: of the API; UDP packets to the same number are echoed for players who measure their distance
    database: str = ""  #: URL; empty is SQLite in the data folder
    public_url: str = ""  #: where clients reach the API, for links in answers; empty is as each request came in
    public_host: str = ""  #: where players reach servers; empty is ``host``, or loopback where that is every address
    #: range that servers' ports come from, ``20000-29999``; empty is one that no outgoing connection uses
    ports: str = ""
    port_quarantine: float = 60.0  #: seconds that a port rests after use: late packets shall not reach a stranger
    locations: frozenset[str] = frozenset()  #: names of the places this machine serves; empty is every place
    host_cpu: float | None = None  #: processors to give out; none is no limit, as servers are idle most of the time
    host_memory_mb: float | None = None  #: MiB to give out; none is no limit
    placing_seconds: float = 100.0  #: how long a wanted server waits for a host
    ready_seconds: float = 100.0  #: how long a started server has to bind its ports: as Hathora's
    idle_seconds: float = 300.0  #: how long a server without rooms and connections lives: as Hathora's
    grace_seconds: float = 10.0  #: between SIGTERM and SIGKILL: a game saves and says good-bye
    draining_seconds: float = 86400.0  #: how long a server of an old release may serve its rooms to their end
    keep_hours: float = 72.0  #: how long output, measurements and ended rooms are kept: as Hathora's
    measure_seconds: float = 15.0  #: time between two measurements of a server
    log_megabytes: int = 256  #: of output kept for each server; the oldest goes first
    build_megabytes: int = 8192  #: of the largest archive that is taken
    unpacked_megabytes: int = 16384  #: of the largest build that is unpacked
    run_as: str = ""  #: ``uid:gid`` of servers where Innkeeper runs as root; empty is a user of its own for each
    owner_email: str = "owner@localhost"  #: the person that the first token acts as
    organisation: str = "My studio"  #: name of the first organisation
    #: base64 of 32 bytes that secrets are encrypted with; empty is ``secret.key`` in the data folder
    secret_key: str = ""
    google_keys_url: str = "https://www.googleapis.com/oauth2/v3/certs"  #: where Google's keys for logins are
    tls_certificate: str = ""  #: PEM file; with ``tls_key`` the API speaks HTTPS
    tls_key: str = ""  #: PEM file
    log_level: str = "info"  #: of Innkeeper's own log: debug, info, warning, error

    @property
    def folder(self) -> Path:
        """The data folder."""
        return Path(self.data)

    @property
    def database_url(self) -> str | Path:
        """Where the database is."""
        return self.database or self.folder / "innkeeper.db"

    @property
    def server_address(self) -> str:
        """Where players reach the servers of this machine."""
        if self.public_host:
            return self.public_host
        return "127.0.0.1" if self.host in _ANY else self.host

    @property
    def scheme(self) -> str:
        """Of the API's URL."""
        return "https" if self.tls_certificate else "http"

    @property
    def local_url(self) -> str:
        """Where this machine reaches the API."""
        if self.public_url:
            return self.public_url
        host = "127.0.0.1" if self.host in _ANY else self.host
        return f"{self.scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"

    def port_range(self, usual: tuple[int, int]) -> tuple[int, int]:
        """First and last port for servers; ``usual`` where none is set. Raises Invalid."""
        if not self.ports:
            return usual
        first, dash, last = self.ports.partition("-")
        if not (dash and first.strip().isdecimal() and last.strip().isdecimal()):
            raise Invalid(f"ports: write a range such as 20000-29999, not {self.ports!r}")
        return int(first), int(last)

    @property
    def run_as_ids(self) -> tuple[int, int] | None:
        """The user and group that servers run as, or None for the usual. Raises Invalid."""
        if not self.run_as:
            return None
        user, _, group = self.run_as.partition(":")
        if not (user.isdecimal() and group.isdecimal()):
            raise Invalid(f"run_as: write numbers such as 1000:1000, not {self.run_as!r}")
        return int(user), int(group)


def load_settings(
    given: Mapping[str, Any], environ: Mapping[str, str] = os.environ, file: Path | None = None
) -> Settings:
    """Put the settings together; ``given`` are those of the command line, None where it says nothing.

    Raises Invalid, naming the setting and where it came from.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    from_environ = {
        name: environ[f"INNKEEPER_{name.upper()}"]
        for name in Settings.__struct_fields__
        if f"INNKEEPER_{name.upper()}" in environ
    }
    folder = chosen.get("data") or from_environ.get("data") or "inn-data"
    path = file or Path(folder) / FILE
    from_file: dict[str, Any] = {}
    if path.is_file():
        try:
            from_file = tomllib.loads(path.read_text())
        except tomllib.TOMLDecodeError as error:
            raise Invalid(f"{path} is not TOML: {error}") from None
    elif file is not None:
        raise Invalid(f"there is no settings file {file}")
    merged: dict[str, Any] = {**from_file, **from_environ, **chosen}
    if isinstance(merged.get("locations"), str):
        merged["locations"] = [name.strip() for name in merged["locations"].split(",") if name.strip()]
    try:
        return msgspec.convert(merged, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(f"settings: {error}") from None
