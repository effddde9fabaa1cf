"""``innkeeper events``: what happened to rooms, servers, builds and hosts, and what happens now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click
import msgspec

from . import completing
from .talk import Talk, talks
from .telling import aside, document, line, moment

if TYPE_CHECKING:
    from innkeeper.contract.house.events_v1 import Event

C = TypeVar("C", bound=Callable[..., Any])


def kinds_option(command: C) -> C:
    """The option that names kinds of events; a command passes it to :func:`kinds_of`."""
    return click.option(
        "--kinds", multiple=True, metavar="KINDS", shell_complete=completing.kinds,
        help="Such as room.*,build.failed; again for more. All unless told.",
    )(command)  # fmt: skip


def kinds_of(given: Sequence[str]) -> list[str] | None:
    """The kinds that were named, with commas or again and again; None where the option was not given at all."""
    kinds = [word.strip() for words in given for word in words.split(",") if word.strip()]
    if given and not kinds:
        raise click.UsageError("--kinds names no event: write such as room.*,build.failed, or '*' for all")
    return kinds or None


def only_app_option(command: C) -> C:
    """The option that names an app where none means all: what the environment says is not asked."""
    return click.option(
        "--app", metavar="NAME|ID", shell_complete=completing.apps, help="Of this app alone; of all unless told."
    )(command)


@click.command()
@click.option("-f", "--follow", is_flag=True, help="Go on with those that come, over a restart of Innkeeper too.")
@click.option("--after", type=click.IntRange(0), metavar="N", help="Those behind this number, the oldest first.")
@click.option("--limit", type=click.IntRange(1, 500), metavar="N", help="How many at most; 100 unless told.")
@kinds_option
@only_app_option
@talks
def events(
    talk: Talk, follow: bool, after: int | None, limit: int | None, kinds: Sequence[str], app: str | None
) -> None:
    """List the newest events, the oldest of them first, or follow them.

    They are written down while somebody listens: while there is a webhook, or somebody has asked within ten minutes.
    """
    wanted, app_id = kinds_of(kinds), None if app is None else talk.app_id(app)
    if follow:
        _follow(talk, after, wanted, app_id)
    page = talk.client.house.events_v1.get_events(after=after, kinds=wanted, app_id=app_id, limit=limit)
    if talk.as_json:
        document(page.events)
        return
    for event in page.events:
        _tell(event)
    if page.more:
        aside(f"There are more: --after {page.upto}")
    elif not page.events:
        aside("None is kept. They are written down from now on, for ten minutes, or while there is a webhook.")


def _follow(talk: Talk, after: int | None, kinds: list[str] | None, app_id: str | None) -> NoReturn:
    """Tell events as they come. Where Innkeeper was restored from an older backup meanwhile, that is said, and those
    that come after its newest one are told from then on.
    """
    from innkeeper.sdk import Gone

    house = talk.client.house
    # Asked at once: where nobody answers, or may not, or there is no such number, that is told now.
    page = house.events_v1.get_events(after=after, kinds=kinds, app_id=app_id, limit=1)
    place = page.upto if after is None else after
    while True:
        try:
            for event in house.follow_events(after=place, kinds=kinds, app_id=app_id):
                line(event) if talk.as_json else _tell(event)
        except Gone as error:
            place = house.events_v1.get_events(limit=1).upto
            aside(f"innkeeper: {error.message}. Those behind {place} are told from here on.")


def _tell(event: Event) -> None:
    facts = " ".join(f"{name}={_short(value)}" for name, value in event.data.items() if value is not None)
    click.echo(f"{event.number}  {moment(event.at)}  {event.type}  {facts}".rstrip())


def _short(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
