"""``innkeeper up``: an Innkeeper in the foreground, until Ctrl-C or SIGTERM. The game servers outlive it."""

from __future__ import annotations

import asyncio
import json
import logging
import shlex
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from innkeeper.settings import Settings, strange_variables

from .checks import check_font, check_locations, check_tls, with_port
from .failures import Failure, told
from .options import setting_options, settings_of
from .telling import aside, many

if TYPE_CHECKING:
    from innkeeper.hosting.hosts import Host
    from innkeeper.inn import Inn


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
        for text in strange_variables():
            aside(f"innkeeper: {text}")
        settings = settings_of(config, given)
        check_locations(settings)
        check_tls(settings)
        check_font(settings)
        settings = with_port(settings)
        logging.basicConfig(
            level=settings.log_level.upper(),
            stream=sys.stderr,
            format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
        )
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(settings, as_json=as_json))


async def _run(settings: Settings, *, as_json: bool) -> None:
    from innkeeper.serving import serve

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


def _welcome(inn: Inn, *, as_json: bool) -> None:
    """Tell where it is open; on the first start, who the operator is from now on."""
    from innkeeper.accounts.founding import Standing

    founded, url = inn.founded, inn.settings.local_url
    if founded.advice:
        aside(f"innkeeper: {founded.advice}")
    is_new = founded.standing is Standing.NEW
    if as_json:
        print(
            json.dumps(
                {
                    "url": url,
                    "orgId": founded.org_id,
                    "credentials": str(founded.file),
                    "new": is_new,
                    "hosts": [{"name": host.id, "runs": _runs(host)} for host in inn.keeper.hosts],
                }
            ),
            flush=True,
        )
        return
    if not is_new:
        print(
            f"Innkeeper is open at {url} (data in {inn.settings.data}). Servers run {_ways(inn)}."
            f"{_found(_servers(inn))} Ctrl-C ends it; servers run on.",
            flush=True,
        )
        return
    # The output of a service ends up in a journal that others read: there a secret has no place.
    secret = f"{founded.token}  (shown this once)" if sys.stdout.isatty() else "only in the file below"
    data = "" if inn.settings.data == Settings().data else f" --data {shlex.quote(inn.settings.data)}"
    print(
        f"""Innkeeper is open at {url}

  organisation  {founded.org_id}
  token         {secret}
  kept in       {founded.file}
  servers run   {_ways(inn)}

Next, in a second terminal:

  innkeeper deploy DIR --app my-game --create-app{data}
  innkeeper rooms create --wait{data}

The API is described at {url}/docs. Ctrl-C ends Innkeeper; game servers run on.""",
        flush=True,
    )


def _runs(host: Host) -> str:
    """What servers are on a host: programs, or containers by which engine."""
    if host.images is None:
        return "programs"
    where = host.spec.engine if host.spec is not None else "an engine"
    if not host.answers:  # what it told of itself is out of date, or is but that it does not answer
        return f"containers by {where}, which does not answer now"
    told = host.abilities.notes[:1] if host.abilities is not None else ()
    return f"containers by {''.join(told) or where}"


def _ways(inn: Inn) -> str:
    """The same of all hosts, for people."""
    hosts = list(inn.keeper.hosts)
    runs = list(dict.fromkeys(_runs(host) for host in hosts))
    return ways(runs, has_images=any(host.images is not None for host in hosts), settings=inn.settings)


def ways(runs: Sequence[str], *, has_images: bool, settings: Settings) -> str:
    """How servers run, given what runs on each host. ``has_images``: one of them has a container engine."""
    found = "none is used" if settings.container_engine == "none" else "none was found"
    if not runs:
        return (
            f"nowhere yet: programs are off (programs = false), and of container engines {found} here;"
            " set one of the two, or take a machine in with `innkeeper hosts add`"
        )
    told = [f"as {each}" for each in runs]
    if not has_images:
        told.append(f"builds need a Procfile, as of container engines {found}")
    return "; ".join(told)


def _servers(inn: Inn) -> int:
    return sum(report.alive for host in inn.keeper.hosts for report in host.engine.reports().values())


def _found(servers: int) -> str:
    if not servers:
        return ""
    return f" It took over {many(servers, 'game server')}."


def _farewell(servers: int) -> str:
    if not servers:
        return "Innkeeper has ended. No game server runs."
    who = "1 game server runs" if servers == 1 else f"{servers} game servers run"
    return (
        f"Innkeeper has ended. {who} on; the next `innkeeper up` takes over."
        " To end them, call `innkeeper processes stop --all` while Innkeeper is open."
    )
