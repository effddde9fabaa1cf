"""``innkeeper callbacks``: what requests asked to be told of at URLs of their own, and what became of the telling."""

from __future__ import annotations

from collections.abc import Sequence

import click

from . import completing
from .several import each
from .talk import Talk, talks
from .telling import aside, columns, document


@click.group()
def callbacks() -> None:
    """What was asked to be told, once, at a URL that came with a request."""


@callbacks.command("list")
@click.option("--state", type=click.Choice(["pending", "delivered", "given_up"]), help="Those in this state alone.")
@click.option("--subject", metavar="ID", help="Those about one thing: its id, or the last twelve digits of it.")
@click.option("--limit", type=click.IntRange(1, 200), metavar="N", help="How many at most; 50 unless told.")
@click.option("--before", metavar="CALLBACK", shell_complete=completing.callbacks, help="Those older than this one.")
@talks
def list_callbacks(talk: Talk, state: str | None, subject: str | None, limit: int | None, before: str | None) -> None:
    """List what was told, is still to be told, or was given up; the newest first."""
    from innkeeper.contract.house.callbacks_v1 import CallbackState
    from innkeeper.sdk import UNSET

    page = talk.client.house.callbacks_v1.get_callbacks(
        state=None if state is None else CallbackState(state), subject=subject, limit=limit, before=before
    )
    if talk.as_json:
        document(page.callbacks)
        return
    columns(
        ("id", "kind", "of", "occasion", "state", "attempts", "last", "next", "answer", "why", "url"),
        (
            [
                one.callback_id, one.kind, one.subject, one.occasion, one.state, one.attempts, one.last_at,
                one.next_at, one.last_status, one.last_error or "", one.url,
            ]
            for one in page.callbacks
        ),
        "There is none.",
    )  # fmt: skip
    if page.before is not UNSET:
        aside(f"There are older ones: --before {page.before}")


@callbacks.command()
@click.argument("callback_ids", metavar="CALLBACK...", nargs=-1, required=True, shell_complete=completing.callbacks)
@talks
def retry(talk: Talk, callback_ids: Sequence[str]) -> None:
    """Have callbacks told once more, byte for byte as before. One that is on its way still is tried now."""
    again = talk.client.house.callbacks_v1.retry_callback
    each(talk, callback_ids, again, word="retried", told="On its way again: {}")


@callbacks.command()
@click.option("--rotate", is_flag=True, help="Make another one first. For a day the one before signs as well.")
@talks
def secret(talk: Talk, rotate: bool) -> None:
    """Print what all callbacks of the organisation are signed with, alone on its line."""
    house = talk.client.house.callbacks_v1
    found = house.rotate_callback_secret() if rotate else house.get_callback_secret()
    if talk.as_json:
        document(found)
        return
    click.echo(found.secret)
    if found.old_until is not None:
        aside(f"Until {found.old_until:%Y-%m-%d %H:%M:%SZ} the one before signs as well.")
