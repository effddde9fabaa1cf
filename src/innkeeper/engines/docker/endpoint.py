"""Where a container engine listens and who we are to it. Made by ``settings.py``'s readers, used by ``client.py``."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

#: Where an engine listens that is reached by SSH and whose URL names no path.
DEFAULT_SOCKET = "/var/run/docker.sock"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One container engine. Raises ``ValueError``, for the operator to read, when it is none that may be used.

    ``url`` is ``unix:///path``, ``tcp://host:port`` or ``ssh://[user@]host[:port][/path/of/socket]``.
    """

    url: str
    tls_ca: Path | None = None  #: who signs the engine's certificate; without it those that the machine trusts
    tls_certificate: Path | None = None  #: ours, which the engine asks for
    tls_key: Path | None = None
    tls: bool = False  #: TLS though none of the files is given
    ssh_config: Path | None = None  #: options of the SSH client; None: those of the user that Innkeeper runs as
    insecure: bool = False  #: an engine elsewhere may be spoken to without TLS

    def __post_init__(self) -> None:
        parts = _split(self.url)
        if parts.password is not None:
            raise ValueError("the URL of an engine holds no password: use a key of SSH or a certificate")
        if parts.scheme == "unix":
            if parts.netloc or not parts.path.startswith("/"):
                raise ValueError(f"{self.url!r} names no socket: write unix:///path/of/the.sock")
        elif parts.scheme == "tcp":
            if not parts.hostname or parts.port is None:
                raise ValueError(f"{self.url!r} names no host and port: write tcp://host:2376")
            if not self.uses_tls and not self.insecure and not _is_loopback(parts.hostname):
                raise ValueError(
                    f"{self.url!r} without TLS gives that machine to everybody on the way: "
                    "name the TLS files, or say that insecure is meant"
                )
        elif parts.scheme == "ssh":
            if not parts.hostname:
                raise ValueError(f"{self.url!r} names no host: write ssh://user@host")
        else:
            raise ValueError(f"{self.url!r} is no engine's URL: it begins with unix://, tcp:// or ssh://")
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("a TLS certificate and its key are given together")

    @property
    def parts(self) -> SplitResult:
        """The URL, taken apart."""
        return _split(self.url)

    @property
    def uses_tls(self) -> bool:
        """Whether TLS is spoken."""
        return self.tls or self.tls_ca is not None or self.tls_certificate is not None

    @property
    def is_local(self) -> bool:
        """Whether the engine may be on this very machine; that its processes are seen here has to be found out."""
        parts = self.parts
        return parts.scheme == "unix" or (parts.scheme == "tcp" and _is_loopback(parts.hostname or ""))

    def context(self) -> ssl.SSLContext:
        """For TLS with this engine, both sides verified. Raises ``ValueError`` when a file is missing or is none."""
        for path in (self.tls_ca, self.tls_certificate, self.tls_key):
            try:
                if path is not None:
                    path.open("rb").close()
            except OSError as error:
                raise ValueError(f"the TLS file {path} for {self.url} cannot be read: {error.strerror}") from error
        try:
            context = ssl.create_default_context(cafile=None if self.tls_ca is None else str(self.tls_ca))
            if self.tls_certificate is not None:
                context.load_cert_chain(self.tls_certificate, self.tls_key)
        except (OSError, ssl.SSLError) as error:
            raise ValueError(f"the TLS files for {self.url} cannot be used: {error}") from error
        return context


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # refuses what is no number
    except ValueError as error:
        raise ValueError(f"an engine's URL is no URL: {error}") from None
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
