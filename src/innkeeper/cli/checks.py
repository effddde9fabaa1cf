"""What can be told about the settings before the house is opened. Called by ``up``, which ends where one is wrong."""

from __future__ import annotations

import errno
import socket

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

    Today rooms are asked for by Hathora's regions alone: a server at any other place would never be given one.
    """
    named = {"locations": settings.locations}
    named |= {f"host {spec.name}: locations": frozenset(spec.locations) for spec in settings.hosts}
    if not any(named.values()):
        return
    from innkeeper.contract.hathora.words import Region

    known = [region.value.lower() for region in Region]
    for where, locations in named.items():
        if unknown := sorted(locations - set(known)):
            raise Failure(
                f"{where}: no client can ask for {' or '.join(map(repr, unknown))}; there is: {', '.join(known)}",
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
        if certificate:
            try:
                read(certificate, key)
            except NoIdentity as error:
                raise Failure(str(error)) from None
