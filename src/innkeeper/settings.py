"""Every setting of the house, typed, each with its reason. Read once by the command line and handed to ``inn.py``.

A setting comes from, in this order: the command line, the environment (``INNKEEPER_PORT``), a TOML file, its default.
What is wrong with one is said in plain words, with where it came from.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from innkeeper.kit.errors import Invalid
from innkeeper.kit.smtp import FORM as SMTP_FORM
from innkeeper.kit.smtp import read_smtp_url

from .hostspecs import HostSpec, clashes, location_name, port_range, read_spec
from .placespecs import PlaceSpec, known_places, read_place, twice
from .ranges import RANGES
from .registryspecs import RegistrySpec, read_registry, registry_clash

#: Addresses that stand for all of a machine's, and so cannot be dialled.
_ANY = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  # compared with, never bound

#: The settings file, in the data folder, that is read when no other is named.
FILE = "innkeeper.toml"
#: What the names of settings begin with in the environment.
PREFIX = "INNKEEPER_"
#: Variables with that beginning that are no settings: for the command line and clients, and those that an engine gives
#: to servers.
OTHER_VARIABLES = frozenset({"URL", "TOKEN", "PASSPHRASE", "APP_ID", "REGION", "CONFIG", "SERVER_ID", "MARK"})
#: Whose values are never shown: they are secrets, or may have one in them.
HIDDEN = frozenset({"secret_key", "database", "smtp_url", "registries"})
#: The URL of a database that can be used; what has no scheme is the path of an SQLite file.
_DATABASE = re.compile(r"sqlite:///.|postgres(?:ql)?://")
_DOMAIN = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(\.(?!-)[A-Za-z0-9-]{1,63})*")
LOG_LEVELS = ("debug", "info", "warning", "error")
CONTAINER_ENGINES = "auto, none, or where it answers: unix:///PATH"
FIREWALLS = ("nftables", "none")
_MOST_ID = 2**32 - 2  # the number above it means nobody at all to the system
_PORTS = "a range from 1 to 65535, the lower port first, such as 20000-29999"
_KINDS: Mapping[Any, str] = {
    int: "a whole number",
    str: "a text",
    bool: "true or false",
    frozenset[str]: "a list of names",
}


class WrongSetting(Invalid):
    """A setting that cannot be used; the text says which, where it came from and what to write."""


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
    locations: frozenset[str] = frozenset()  #: regions this machine serves, such as ``frankfurt``; empty is every one
    host_cpu: float | None = None  #: processors to give out; none is no limit, as servers are idle most of the time
    host_memory_mb: float | None = None  #: MiB to give out; none is no limit
    #: whether this machine also runs builds that have a Procfile, as programs without a container
    programs: bool = True
    #: of this machine, for builds that have a Dockerfile: ``auto`` is the one whose socket answers, else ``none``, or
    #: where it is: ``unix:///PATH``
    container_engine: str = "auto"
    #: what keeps people away from servers of this machine that have rules of access; ``none``: no such server is
    #: started here
    firewall: str = "nftables"
    #: further machines with a container engine, each a table ``[[hosts]]``; in the settings file alone
    hosts: tuple[HostSpec, ...] = ()
    #: further locations, or others in place of the house's own, each a table ``[[places]]``; in the settings file alone
    places: tuple[PlaceSpec, ...] = ()
    #: whether the house knows cities by itself, where Hathora's regions are; false leaves ``places`` alone
    default_places: bool = True
    #: image registries that you run, for those who push by Edgegap's plugins and delete tags by its API, each a table
    #: ``[[registries]]``; in the settings file alone
    registries: tuple[RegistrySpec, ...] = ()
    geoip: str = ""  #: database that says where addresses are: a file in MaxMind's format (``.mmdb``); empty is none
    #: UDP and TCP port that sends back what players send to measure their distance, told as this machine's beacons;
    #: 0 is none
    beacon_port: int = 0
    #: zone of DNS in which each server has a name of its own, ``<its twelve digits>.ZONE``, for Edgegap's API; empty
    #: tells the address of its host
    server_domain: str = ""
    lost_seconds: float = 10.0  #: a host that is silent for so long is lost, and its rooms end
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
    #: proxies in front whose ``X-Forwarded-For`` says who really asks: addresses and networks, with commas between them
    trusted_proxies: str = "127.0.0.1"
    tls_certificate: str = ""  #: PEM file; with ``tls_key`` the API speaks HTTPS
    tls_key: str = ""  #: PEM file
    #: PEM file: what players see on ports with the transport ``tls``, with ``server_tls_key``; empty is
    #: ``tls_certificate``, else one that the house makes for itself, for development
    server_tls_certificate: str = ""
    server_tls_key: str = ""  #: PEM file
    #: of one processor for an hour, for accounts and invoices; 0 tells quantities and asks for nothing: on one's own
    #: machines nobody bills
    cpu_hour_price: Decimal = Decimal(0)
    egress_gb_price: Decimal = Decimal(0)  #: of 10^9 bytes that servers sent, where their hosts can measure it
    monthly_credit: Decimal = Decimal(0)  #: taken off what each organisation used in a month, as far as that goes
    currency: str = "USD"  #: of prices: three capital letters; amounts have two decimals in all of them
    invoice_due_days: int = 14  #: from the making of an invoice, after the end of its month, to its due date
    #: TrueType file that names are written in on invoices where they have other letters than Western Europe's; empty
    #: is DejaVu Sans where the machine has it
    invoice_font: str = ""
    lobbies_a_minute: int = 10  #: that one player can make; 0 is no limit
    #: logins of players, and mails that prove an address, from one client address; 0 is no limit
    logins_a_minute: int = 600
    requests_a_minute: int = 0  #: with one token of an organisation; 0 is no limit
    #: where mails are handed in: ``smtp://HOST`` or ``smtps://USER:PASSWORD@HOST:PORT``; empty sends none
    smtp_url: str = ""
    mail_from: str = "innkeeper@localhost"  #: the sender of mails
    events_hours: float = 168.0  #: how long events are kept, and what became of deliveries and callbacks
    webhook_retry_seconds: float = 1.0  #: until a delivery or callback that failed is tried again; later in proportion
    #: whether webhooks, callbacks, storages and the registries that are looked into (``verify_image``) of every
    #: organisation may be at private addresses; those of the first one always may
    webhook_private_networks: bool = False
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
    def all_places(self) -> list[PlaceSpec]:
        """Every location of which it is known where it is."""
        return known_places(self.places, with_default=self.default_places)

    @property
    def server_address(self) -> str:
        """Where players reach the servers of this machine."""
        if self.public_host:
            return self.public_host
        return "127.0.0.1" if self.host in _ANY else self.host

    @property
    def server_identity(self) -> tuple[str, str] | None:
        """Certificate and key that players are shown; None for one that the house makes for itself."""
        if self.server_tls_certificate:
            return self.server_tls_certificate, self.server_tls_key
        return (self.tls_certificate, self.tls_key) if self.tls_certificate else None

    @property
    def scheme(self) -> str:
        """Of the API's URL."""
        return "https" if self.tls_certificate else "http"

    @property
    def local_url(self) -> str:
        """Where this machine reaches the API."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host = "127.0.0.1" if self.host in _ANY else self.host
        return f"{self.scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"

    def port_range(self, usual: tuple[int, int]) -> tuple[int, int]:
        """First and last port for servers; ``usual`` where none is set. Raises :class:`WrongSetting`."""
        found = port_range(self.ports, usual)
        if found is None:
            raise WrongSetting(f"ports: write {_PORTS}, not {self.ports!r}")
        return found

    @property
    def run_as_ids(self) -> tuple[int, int] | None:
        """The user and group that servers run as, or None for the usual. Raises :class:`WrongSetting`."""
        if not self.run_as:
            return None
        user, _, group = self.run_as.partition(":")
        if not (user.isdecimal() and group.isdecimal() and max(int(user), int(group)) <= _MOST_ID):
            raise WrongSetting(f"run_as: write numbers such as 1000:1000, not {self.run_as!r}")
        return int(user), int(group)


def _can_be_asked(check: Callable[[Settings], object]) -> Callable[[Settings], bool]:
    def holds(settings: Settings) -> bool:
        try:
            check(settings)
        except Invalid:
            return False
        return True

    return holds


def _are_networks(text: str) -> bool:
    try:
        return all(ip_network(one.strip(), strict=False) for one in text.split(",") if one.strip())
    except ValueError:
        return False


#: What neither the type of a setting nor its range says: whether its value will do, and what to write.
_RULES: Mapping[str, tuple[Callable[[Settings], bool], str]] = {
    "database": (
        lambda it: "://" not in it.database or bool(_DATABASE.match(it.database)),
        "sqlite:///PATH or postgresql://USER@HOST/NAME",
    ),
    "public_url": (
        lambda it: not it.public_url or is_url(it.public_url),
        "the whole URL, such as https://inn.example.org",
    ),
    "google_keys_url": (lambda it: is_url(it.google_keys_url), "the whole URL"),
    "ports": (_can_be_asked(lambda it: it.port_range((1, 1))), _PORTS),
    "run_as": (_can_be_asked(lambda it: it.run_as_ids), "numbers such as 1000:1000"),
    "container_engine": (
        lambda it: it.container_engine in ("auto", "none") or it.container_engine.startswith("unix:///"),
        CONTAINER_ENGINES,
    ),
    "firewall": (lambda it: it.firewall in FIREWALLS, f"one of {', '.join(FIREWALLS)}"),
    "currency": (lambda it: bool(re.fullmatch("[A-Z]{3}", it.currency)), "three capital letters, such as USD"),
    "invoice_font": (lambda it: not it.invoice_font or Path(it.invoice_font).is_file(), "the path of a TrueType file"),
    "trusted_proxies": (lambda it: _are_networks(it.trusted_proxies), "addresses or networks, such as 10.0.0.0/8"),
    "beacon_port": (
        lambda it: not it.beacon_port or it.beacon_port != it.port,
        "another port than the API's, whose TCP port is taken, or 0 for none",
    ),
    "server_domain": (
        lambda it: not it.server_domain or bool(_DOMAIN.fullmatch(it.server_domain)),
        "a domain such as play.example.org",
    ),
    "smtp_url": (_can_be_asked(lambda it: it.smtp_url and read_smtp_url(it.smtp_url)), SMTP_FORM),
    "mail_from": (lambda it: bool(re.fullmatch(r"[^@\s]+@[^@\s]+", it.mail_from)), "an e-mail address"),
    "log_level": (lambda it: it.log_level in LOG_LEVELS, f"one of {', '.join(LOG_LEVELS)}"),
}


def is_url(text: str) -> bool:
    """Whether this is where an HTTP server can be: ``http`` or ``https``, a host, perhaps a port and a path."""
    try:
        parts = urlsplit(text)
        if any(character.isspace() for character in text):
            return False
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, brackets that do not close
        return False


def load_settings(
    given: Mapping[str, Any], environ: Mapping[str, str] = os.environ, file: Path | None = None
) -> Settings:
    """Put the settings together; ``given`` are those of the command line, None where it says nothing.

    Raises :class:`WrongSetting`, naming the setting, where it came from and what to write.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    from_environ = {
        name: environ[PREFIX + name.upper()] for name in Settings.__struct_fields__ if PREFIX + name.upper() in environ
    }
    folder = chosen.get("data") or from_environ.get("data") or "inn-data"
    path = file or Path(folder) / FILE
    from_file = _read(path, must=file is not None)

    def where(name: str) -> str:
        if name in chosen:
            return "--" + name.replace("_", "-")
        return PREFIX + name.upper() if name in from_environ else f"{name} in {path}"

    merged: dict[str, Any] = {**from_file, **from_environ, **chosen}
    settings = Settings(**{name: _typed(name, value, where(name)) for name, value in merged.items()})
    for name, span in RANGES.items():
        value = getattr(settings, name)
        if name in merged and value is not None and not span.has(value):
            raise _wrong(name, merged[name], where(name), str(span))
    for name, (holds, what) in _RULES.items():
        if name in merged and not holds(settings):
            raise _wrong(name, merged[name], where(name), what)
    return settings


def _read(path: Path, *, must: bool) -> dict[str, Any]:
    """What a settings file says. One that is not there says nothing, unless it ``must`` be."""
    try:
        said = tomllib.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        if must:
            raise WrongSetting(f"there is no settings file {path}") from None
        return {}
    except OSError as error:
        raise WrongSetting(f"the settings file {path} cannot be read: {error.strerror}") from None
    except ValueError as error:  # neither TOML nor UTF-8
        raise WrongSetting(f"{path} is not TOML: {error}") from None
    for name in said:
        if name not in Settings.__struct_fields__:
            raise WrongSetting(f"{path}: there is no setting {name!r}{_meant(name)}")
    return said


def _typed(name: str, value: Any, where: str) -> Any:
    kind = _TYPES[name]
    if name in _TABLES:
        return _tables(name, value, where)
    if name == "locations":
        names = value.split(",") if isinstance(value, str) else value
        if not (isinstance(names, list | frozenset) and all(isinstance(each, str) for each in names)):
            raise _wrong(name, value, where, _KINDS[kind])
        return frozenset(location_name(each) for each in names if each.strip())
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError:
        raise _wrong(name, value, where, _KINDS.get(kind, "a number")) from None


def _tables(name: str, value: Any, where: str) -> tuple[Any, ...]:
    kind, read, clash, fields = _TABLES[name]
    if not isinstance(value, list | tuple):
        raise WrongSetting(f"{where}: {name} are tables of the settings file: [[{name}]], and below it {fields}")
    try:
        specs = tuple(each if isinstance(each, kind) else read(each) for each in value)
    except Invalid as error:
        raise WrongSetting(f"{where}: {error}") from None
    if why := clash(specs):
        raise WrongSetting(f"{where}: {why}")
    return specs


#: Settings that are tables: what each becomes, who reads and compares them, and what one needs.
_TABLES: Mapping[str, tuple[type, Callable[[Any], Any], Callable[[Any], str | None], str]] = {
    "hosts": (HostSpec, read_spec, clashes, "name and engine"),
    "places": (PlaceSpec, read_place, twice, "name, latitude and longitude"),
    "registries": (RegistrySpec, read_registry, registry_clash, "url, project, username and password"),
}
_TYPES: Mapping[str, Any] = {field.name: field.type for field in msgspec.structs.fields(Settings)}


def _wrong(name: str, value: Any, where: str, what: str) -> WrongSetting:
    return WrongSetting(f"{where}: write {what}" + ("" if name in HIDDEN else f", not {value!r}"))


def _meant(name: str, *, prefix: str = "") -> str:
    """A question for a name that is not known, where one that is looks like it."""
    import difflib  # for those who mistyped alone

    near = difflib.get_close_matches(name.lower(), Settings.__struct_fields__, n=1, cutoff=0.6)
    return f"; did you mean {prefix + (near[0].upper() if prefix else near[0])}?" if near else ""


def strange_variables(environ: Mapping[str, str] = os.environ) -> list[str]:
    """A sentence for each variable that looks like a setting and is none, as a slip of the finger makes it."""
    known = {name.upper() for name in Settings.__struct_fields__} | OTHER_VARIABLES
    return [
        f"{name} in the environment is no setting{_meant(word, prefix=PREFIX)}"
        for name in sorted(environ)
        if name.startswith(PREFIX) and (word := name.removeprefix(PREFIX)) not in known
    ]
