"""The values that a shell completes: apps, regions, rooms and processes of the Innkeeper that the line speaks to.

Handed to click by the options and arguments of the commands. It asks the API quietly: where nobody answers soon, or
the token is not good, nothing is completed and nothing is said.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from .talk import Talk

_SECONDS = 1.0  # for each question: somebody waits with a finger on the key
_MOST_SERVERS = 20  # whose rooms are asked for, one call each


def apps(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Names of apps."""
    return _asked(ctx, incomplete, lambda talk: (app.app_name for app in talk.apps()))


def regions(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The regions that are served."""
    return _asked(ctx, incomplete, lambda talk: map(_region, talk.client.discovery_v2.get_ping_service_endpoints()))


def rooms(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Rooms that are open."""
    return _asked(ctx, incomplete, lambda talk: _rooms(talk, talk.app_id(ctx.params.get("app"))))


def processes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Servers that run."""
    return _asked(ctx, incomplete, lambda talk: _processes(talk, talk.app_id(ctx.params.get("app"))))


def hosts(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Hosts of the house."""
    return _asked(ctx, incomplete, lambda talk: (host.name for host in talk.client.house.hosts_v1.get_hosts().hosts))


def rooms_and_processes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """What has a log."""
    return rooms(ctx, param, incomplete) + processes(ctx, param, incomplete)


def _asked(ctx: click.Context, incomplete: str, ask: Callable[[Talk], Iterable[str]]) -> list[str]:
    from .talk import DEFAULT_DATA, Talk

    said = ctx.params
    talk = Talk(said.get("url"), said.get("token"), said.get("data") or DEFAULT_DATA, as_json=False, timeout=_SECONDS)
    try:
        with closing(talk):
            return [word for word in ask(talk) if word.startswith(incomplete)]
    except Exception:  # whatever it is: a line that is being written is no place to tell it
        return []


def _region(ping: Any) -> str:
    return str(ping.region)


def _processes(talk: Talk, app_id: str) -> Iterator[str]:
    from .processes import ALIVE, each_process

    return (one.process_id for one in each_process(talk, app_id, ALIVE))


def _rooms(talk: Talk, app_id: str) -> Iterator[str]:
    for server in itertools.islice(_processes(talk, app_id), _MOST_SERVERS):
        for room in talk.client.rooms_v2.get_active_rooms_for_process(server, app_id):
            yield room.room_id
