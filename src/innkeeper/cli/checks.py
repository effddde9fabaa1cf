"""What can be told about the settings before the house is opened. Called by ``up``, which ends where one is wrong."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from pathlib import Path

import msgspec

from innkeeper.engines.tls.identity import NoIdentity, read
from innkeeper.settings import Settings

from .failures import Code, Failure

#: What people can put right about an address, by the error of binding it.
_BINDING = {
    errno.EADDRINUSE: "port {port} of {host} is taken, perhaps by an Innkeeper that runs already;"
    " choose another with --port",
    errno.EACCES: "port {port} of {host} may not be used by this user; choose one above 1023 with --port",
    errno.EADDRNOTAVAIL: "{host} is no address of this machine; choose another with --host",
}


def with_port(settings: Settings) -> Settings:
    """The settings with a port that can be bound; 0 becomes a free one. Raises :class:`Failure`."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            settings.host or None, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            port: int = probe.getsockname()[1]
    except socket.gaierror as error:
        raise Failure(f"host {settings.host!r} cannot be found: {error.strerror}; choose another with --host") from None
    except OSError as error:
        what = _BINDING.get(error.errno or 0, f"port {{port}} of {{host}} cannot be bound: {error.strerror}")
        raise Failure(what.format(port=settings.port, host=settings.host)) from None
    return msgspec.structs.replace(settings, port=port)


def check_locations(settings: Settings) -> None:
    """Every location must be one that a client can ask for. Raises :class:`Failure`.

    Those are Hathora's regions, which rooms are asked for by, and the places of which it is known where they are: a
    server at any other one would never be given a room.
    """
    named = {"locations": settings.locations}
    named |= {f"host {spec.name}: locations": frozenset(spec.locations) for spec in settings.hosts}
    if not any(named.values()):
        return
    from innkeeper.contract.hathora.words import Region

    places = [spec.name for spec in settings.all_places]
    known = list(dict.fromkeys([*(region.value.lower() for region in Region), *places]))
    for where, locations in named.items():
        if unknown := sorted(locations - set(known)):
            raise Failure(
                f"{where}: no client can ask for {' or '.join(map(repr, unknown))}; there is: {', '.join(known)};"
                " a table [[places]] in the settings file adds another",
                Code.USAGE,
            )


def check_tls(settings: Settings) -> None:
    """A certificate and its key, of the API's and of players', must be usable together. Raises :class:`Failure`."""
    for beginning, certificate, key in (
        ("", settings.tls_certificate, settings.tls_key),
        ("server_", settings.server_tls_certificate, settings.server_tls_key),
    ):
        if bool(certificate) != bool(key):
            raise Failure(
                f"{beginning}tls_certificate and {beginning}tls_key go together: set both or none", Code.USAGE
            )
        if certificate and (
            faults := tls_faults(f"{beginning}tls_certificate", certificate, f"{beginning}tls_key", key)
        ):
            raise Failure("; ".join(faults))


def tls_faults(certificate_setting: str, certificate: str, key_setting: str, key: str) -> list[str]:
    """What is wrong with each of the two files, by setting; empty where they can be used together."""
    faults = [
        f"{setting}: {path} {fault}"
        for setting, path, fault in (
            (certificate_setting, certificate, _fault_of(certificate, _no_certificate)),
            (key_setting, key, _fault_of(key, _no_key)),
        )
        if fault
    ]
    if not faults:
        try:
            read(certificate, key)
        except NoIdentity as error:
            faults.append(f"{certificate_setting} and {key_setting}: {error}")
    return faults


def _fault_of(path: str, unfit: Callable[[bytes], str]) -> str:
    try:
        return unfit(Path(path).read_bytes())
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _no_certificate(content: bytes) -> str:
    from cryptography import x509

    try:
        x509.load_pem_x509_certificates(content)
    except ValueError:
        return "is no certificate: it has to be PEM, the server's own one first"
    return ""


def _no_key(content: bytes) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        load_pem_private_key(content, None)
    except TypeError:  # it asks for a password
        return "is encrypted; Innkeeper needs it without a passphrase, in a file for it alone"
    except (ValueError, UnsupportedAlgorithm):
        return "is no private key: it has to be PEM"
    return ""


def check_font(settings: Settings) -> None:
    """The font of invoices must be one that invoices can be written with. Raises :class:`Failure`."""
    if not settings.invoice_font:
        return
    from innkeeper.billing.pdf import is_font

    if not is_font(settings.invoice_font):
        raise Failure(f"invoice_font: {settings.invoice_font} is no TrueType font that can be read; name another file")
