"""The certificate that players are shown: the operator's, or one that the house made. For ``hosting/tls.py``.

Read and checked here, in Innkeeper, which is who may read the key; the terminator is handed the text.
"""

from __future__ import annotations

import datetime
import ipaddress
import logging
import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from innkeeper.kit.clock import SECOND

from .wire import FOLDER

if TYPE_CHECKING:
    from cryptography import x509

log = logging.getLogger(__name__)

#: Of what the house makes for itself, in the folder of the terminator: key and certificate, and the latter alone, for
#: those who want to trust it.
OWN, OWN_PUBLIC = "self-signed.pem", "self-signed.crt"
#: Days that it is valid, and that are left of them when the next one is made.
_VALID, _RENEWED = 365, 30
_DAY = 24 * 3600 * SECOND


class NoIdentity(Exception):
    """There is no certificate that can be used; the text says why, and never has a word of the key in it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate with what leads to its root, and its key. Both are PEM."""

    chain: str
    key: str = field(repr=False)


class Certificates:
    """Where the certificate comes from.

    ``files`` are the operator's certificate and key; with None the house makes its own for ``address``, kept in the
    terminator's part of the ``data`` folder.
    """

    def __init__(self, data: Path, address: str, files: tuple[str, str] | None) -> None:
        self._folder, self._address, self._files = data.absolute() / FOLDER, address, files
        self._seen: Sequence[int] = ()
        self._identity: Identity | None = None
        self._told = ""

    def current(self, now: int) -> Identity:
        """The one to show at a time (microseconds since the epoch). Reads files, and only where they have changed.

        While new files do not fit together, as in the middle of a renewal, the ones before them count. Raises
        :class:`NoIdentity` where there never were any.
        """
        if self._files is None:
            return self._own(now)
        seen = [_changed_at(name) for name in self._files]
        if self._identity is None or seen != self._seen:
            try:
                self._identity, self._seen = read(*self._files), seen
                self._told = ""
            except NoIdentity as error:
                if self._identity is None:
                    raise
                if str(error) != self._told:
                    log.warning("%s; players are shown the certificate before it", error)
                self._told = str(error)
        return self._identity

    def _own(self, now: int) -> Identity:
        path = self._folder / OWN
        if self._identity is None:
            try:
                key, begins, chain = path.read_text().partition("-----BEGIN CERTIFICATE-----")
                self._identity = Identity(begins + chain, key)
            except (OSError, ValueError):
                self._identity = None
        if self._identity is None or not serves(self._identity, self._address, now):
            self._identity = self_signed(self._address, now)
            try:
                _write(path, self._identity.key + self._identity.chain)
                _write(self._folder / OWN_PUBLIC, self._identity.chain)
            except OSError as error:
                raise NoIdentity(f"{path} cannot be written: {error.strerror}") from None
            log.warning(
                "TLS for players: the house made itself a certificate for %s, which browsers and games refuse unless "
                "they are told to trust %s; it is for development: set server_tls_certificate and server_tls_key",
                self._address, self._folder / OWN_PUBLIC,
            )  # fmt: skip
        return self._identity


def read(certificate: str, key: str) -> Identity:
    """Read and check a certificate and its key. Raises :class:`NoIdentity`."""

    def asked() -> str:
        raise NoIdentity(f"{key} is encrypted; Innkeeper needs it without a passphrase, in a file for it alone")

    try:
        identity = Identity(Path(certificate).read_text(), Path(key).read_text())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key, password=asked)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        why = getattr(error, "strerror", None) or str(error) or "it is no PEM"
        raise NoIdentity(f"{certificate} and {key} cannot be used: {why}") from None
    return identity


def serves(identity: Identity, address: str, now: int) -> bool:
    """Whether a certificate of our own is for this address and valid for a while yet."""
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificate(identity.chain.encode())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    end = found.not_valid_after_utc.timestamp() * SECOND
    begin = found.not_valid_before_utc.timestamp() * SECOND
    return _name(address) in list(names) and begin <= now <= end - _RENEWED * _DAY


def self_signed(address: str, now: int) -> Identity:
    """A certificate for an address, and for this machine as it calls itself, signed by nobody else."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    names = [_name(address)]
    names += [name for name in map(_name, ("localhost", "127.0.0.1", "::1")) if name not in names]
    whose = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Innkeeper, for development")])
    today = datetime.datetime.fromtimestamp(now / SECOND, datetime.UTC)
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    made = (
        x509.CertificateBuilder()
        .subject_name(whose)
        .issuer_name(whose)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))  # clocks differ
        .not_valid_after(today + datetime.timedelta(days=_VALID))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(own, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    secret = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain).decode()
    return Identity(made.public_bytes(encoding).decode(), secret)


def _name(address: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        try:
            return x509.DNSName(address.encode("idna").decode())
        except UnicodeError:
            raise NoIdentity(f"there can be no certificate for {address!r}: it is no host name") from None


def _changed_at(name: str) -> int:
    try:
        return Path(name).stat().st_mtime_ns
    except OSError:
        return 0


def _write(path: Path, text: str) -> None:
    """All of it or nothing, for us alone."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
