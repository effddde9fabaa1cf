"""``innkeeper up``: an Innkeeper in the foreground, until Ctrl-C or SIGTERM. The game servers outlive it."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import signal
import socket
import ssl
import sys
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from innkeeper.settings import Settings

from .failures import Code, Failure, told
from .options import setting_options, settings_of
from .telling import aside

if TYPE_CHECKING:
    from innkeeper.inn import Inn

_LEVELS = ("debug", "info", "warning", "error")
#: What people can put right about an address, by the error of binding it.
_BINDING = {
    errno.EADDRINUSE: "is taken, perhaps by an Innkeeper that runs already; choose another with --port",
    errno.EACCES: "may not be used by this user; choose one above 1023 with --port",
    errno.EADDRNOTAVAIL: "is no address of this machine; choose another with --host",
}


@click.command()
@setting_options
@click.option("--json", "as_json", is_flag=True, help="Tell where it is open as a line of JSON.")
def up(config: Path | None, as_json: bool, **given: Any) -> None:
    """Start an Innkeeper and keep it running until Ctrl-C.

    The first start makes an organisation and an admin token, kept in credentials.json in the data folder. Each option
    can be set in the environment (--public-host is INNKEEPER_PUBLIC_HOST) or in the settings file (public_host).
    --port 0 takes a free one. Game servers run on when Innkeeper ends, and the next start takes them over.
    """
    with told(as_json=as_json):
        settings = with_port(settings_of(config, given))
        _prepare_log(settings.log_level)
        _check_tls(settings)
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(settings, as_json=as_json))


def with_port(settings: Settings) -> Settings:
    """The settings with a port that can be bound; 0 becomes a free one. Raises :class:`Failure`."""
    if not 0 <= settings.port <= 65535:
        raise Failure(f"there is no port {settings.port}; choose one from 1 to 65535 with --port", Code.USAGE)
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
        what = _BINDING.get(error.errno or 0, f"cannot be bound: {error.strerror}")
        raise Failure(f"port {settings.port} of {settings.host} {what}") from None
    return msgspec.structs.replace(settings, port=port)


def _prepare_log(level: str) -> None:
    if level not in _LEVELS:
        raise Failure(f"log_level: write one of {', '.join(_LEVELS)}, not {level!r}", Code.USAGE)
    logging.basicConfig(
        level=level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    )


def _check_tls(settings: Settings) -> None:
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise Failure("tls_certificate and tls_key go together: set both or none", Code.USAGE)
    if settings.tls_certificate:
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(settings.tls_certificate, settings.tls_key)
        except OSError as error:  # ssl.SSLError is one
            text = error.strerror or str(error)
            raise Failure(f"{settings.tls_certificate} and {settings.tls_key} cannot be used: {text}") from None


async def _run(settings: Settings, *, as_json: bool) -> None:
    from innkeeper.inn import serve

    opening = asyncio.current_task()
    assert opening is not None
    loop = asyncio.get_running_loop()
    is_open = False

    def asked_to_end(number: int, frame: object) -> None:
        # Once requests are taken the HTTP server sees to it, and hands the signal on when it is done.
        if not is_open:
            loop.call_soon_threadsafe(opening.cancel)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, asked_to_end)
    try:
        async with AsyncExitStack() as stack:
            inn = await _open(stack, settings)

            def ready() -> None:
                nonlocal is_open
                is_open = True
                with suppress(OSError):  # nobody reads it (any more): no reason to close the house
                    _welcome(inn, as_json=as_json)

            await serve(inn, ready=ready)
            servers = _servers(inn)
    except asyncio.CancelledError:
        aside("Innkeeper was told to end before it was open.")
        return
    except SystemExit:
        raise Failure("requests cannot be taken; the log above says why") from None
    aside(_farewell(servers))


async def _open(stack: AsyncExitStack, settings: Settings) -> Inn:
    from innkeeper.db.migrate import SchemaMismatch
    from innkeeper.engines.base import HostUnavailable
    from innkeeper.inn import open_inn

    try:
        return await stack.enter_async_context(open_inn(settings))
    except (SchemaMismatch, HostUnavailable) as error:
        raise Failure(str(error)) from error
    except OSError as error:
        raise Failure(f"{error.filename or settings.data} cannot be used: {error.strerror}") from error
    except ValueError as error:  # a database URL of a kind that is not known
        raise Failure(f"{error} (--database)") from error


def _welcome(inn: Inn, *, as_json: bool) -> None:
    """Tell where it is open; on the first start, who the operator is from now on."""
    from innkeeper.accounts.founding import Standing

    founded, url = inn.founded, inn.settings.local_url
    if founded.advice:
        aside(f"innkeeper: {founded.advice}")
    is_new = founded.standing is Standing.NEW
    if as_json:
        print(
            json.dumps({"url": url, "orgId": founded.org_id, "credentials": str(founded.file), "new": is_new}),
            flush=True,
        )
        return
    if not is_new:
        print(f"Innkeeper is open at {url} (data in {inn.settings.data}). Ctrl-C ends it; servers run on.", flush=True)
        return
    # The output of a service ends up in a journal that others read: there a secret has no place.
    secret = f"{founded.token}  (shown this once)" if sys.stdout.isatty() else "only in the file below"
    data = "" if inn.settings.data == Settings().data else f" --data {inn.settings.data}"
    print(
        f"""Innkeeper is open at {url}

  organisation  {founded.org_id}
  token         {secret}
  kept in       {founded.file}

Next, in a second terminal:

  innkeeper deploy DIR --app my-game --create-app{data}
  innkeeper rooms create --wait{data}

The API is described at {url}/docs. Ctrl-C ends Innkeeper; game servers run on.""",
        flush=True,
    )


def _servers(inn: Inn) -> int:
    return sum(report.alive for host in inn.keeper.hosts for report in host.engine.reports().values())


def _farewell(servers: int) -> str:
    if not servers:
        return "Innkeeper has ended. No game server runs."
    who = "1 game server runs" if servers == 1 else f"{servers} game servers run"
    return (
        f"Innkeeper has ended. {who} on; the next `innkeeper up` takes over."
        " To end them, call `innkeeper processes stop --all` while Innkeeper is open."
    )
