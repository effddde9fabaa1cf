"""What can be told about the settings before the house is opened. Called by ``up``, which ends where one is wrong."""

from __future__ import annotations

import errno
import socket
import ssl

import msgspec

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
    if not settings.locations:
        return
    from innkeeper.contract.hathora.words import Region

    known = [region.value.lower() for region in Region]
    if unknown := sorted(settings.locations - set(known)):
        raise Failure(
            f"locations: no client can ask for {' or '.join(map(repr, unknown))}; there is: {', '.join(known)}",
            Code.USAGE,
        )


def check_tls(settings: Settings) -> None:
    """The certificate and its key, if there are any, must be usable together. Raises :class:`Failure`."""
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise Failure("tls_certificate and tls_key go together: set both or none", Code.USAGE)
    if settings.tls_certificate:
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(settings.tls_certificate, settings.tls_key)
        except OSError as error:  # ssl.SSLError is one
            text = error.strerror or str(error)
            raise Failure(f"{settings.tls_certificate} and {settings.tls_key} cannot be used: {text}") from None
