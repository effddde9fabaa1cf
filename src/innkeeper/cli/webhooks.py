"""``innkeeper webhooks``: where to tell of events, and what became of the telling."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click
import msgspec

from . import completing
from .events import kinds_of, kinds_option, only_app_option
from .failures import Failure
from .several import each
from .talk import Talk, talks
from .telling import aside, columns, document, facts, many
from .times import time_option

if TYPE_CHECKING:
    from innkeeper.contract.house.webhooks_v1 import Delivery, LineList, Webhook, WebhookWithSecret


@click.group()
def webhooks() -> None:
    """URLs of yours that events are posted to, signed."""


def webhook_argument(command: Any) -> Any:
    """The webhook that a command is about."""
    return click.argument("webhook_id", metavar="WEBHOOK", shell_complete=completing.webhooks)(command)


@webhooks.command()
@click.argument("where", metavar="URL")
@kinds_option
@only_app_option
@click.option("--note", metavar="TEXT", help="For people.")
@talks
def add(talk: Talk, where: str, kinds: Sequence[str], app: str | None, note: str | None) -> None:
    """Have events posted to a URL. The secret is printed, alone on its line, this once."""
    from innkeeper.contract.house.webhooks_v1 import NewWebhook
    from innkeeper.sdk import UNSET

    new = NewWebhook(
        url=where, kinds=kinds_of(kinds) or UNSET, app_id=UNSET if app is None else talk.app_id(app), note=note or UNSET
    )
    _tell_secret(talk, talk.client.house.webhooks_v1.create_webhook(new), "")


def _tell_secret(talk: Talk, made: WebhookWithSecret, more: str) -> None:
    if talk.as_json:
        document(made)
        return
    click.echo(made.secret)
    aside(f"Keep it: it is not shown again. The receiver checks signatures with it.{more} Its id is {made.webhook_id}")


@webhooks.command("list")
@talks
def list_webhooks(talk: Talk) -> None:
    """List the webhooks, and how they stand."""
    found = talk.client.house.webhooks_v1.get_webhooks().webhooks
    if talk.as_json:
        document(found)
        return
    columns(
        ("id", "state", "delivered", "failures", "kinds", "app", "url", "note"),
        (
            [
                one.webhook_id, _state(one), one.delivered_at, one.failures, ",".join(one.kinds), one.app_id or "all",
                one.url, one.note,
            ]
            for one in found
        ),
        "There is no webhook. Make one with `innkeeper webhooks add URL`.",
    )  # fmt: skip


def _state(one: Webhook) -> str:
    if not one.enabled:
        return "disabled"
    return "failing" if one.failures else "well"


@webhooks.command()
@webhook_argument
@talks
def show(talk: Talk, webhook_id: str) -> None:
    """Look at one webhook, and at what waits for it: a delivery holds back the later ones of its room or server."""
    house = talk.client.house.webhooks_v1
    found, lines = house.get_webhook(webhook_id), house.get_lines(webhook_id)
    if talk.as_json:
        document({**msgspec.to_builtins(found), **msgspec.to_builtins(lines)})
        return
    _tell(talk, found, waiting=lines.waiting)
    _tell_lines(webhook_id, lines)


def _tell_lines(webhook_id: str, lines: LineList) -> None:
    if not lines.lines:
        return
    click.echo("\nDeliveries that hold back others:")
    columns(
        ("id", "number", "event", "of", "behind it", "attempts", "next", "answer", "why"),
        (
            [
                one.first.delivery_id, one.first.number, one.first.type, one.first.subject, one.behind,
                one.first.attempts, one.first.next_at, one.first.last_status, one.first.last_error or "",
            ]
            for one in lines.lines
        ),
    )  # fmt: skip
    aside(f"One that is always refused can be skipped: innkeeper webhooks skip {webhook_id} DELIVERY")


@webhooks.command()
@webhook_argument
@click.option("--to", "where", metavar="URL", help="Where to send; what waits goes there, too.")
@kinds_option
@only_app_option
@click.option("--every-app", is_flag=True, help="Events of all apps again.")
@click.option("--note", metavar="TEXT", help="For people.")
@click.option("--enable/--disable", "enabled", default=None, help="Whether it is sent anything.")
@talks
def change(
    talk: Talk,
    webhook_id: str,
    where: str | None,
    kinds: Sequence[str],
    app: str | None,
    every_app: bool,
    note: str | None,
    enabled: bool | None,
) -> None:
    """Change a webhook, disable it, or enable it again. What waits for a disabled one waits on, for three days."""
    from innkeeper.contract.house.webhooks_v1 import WebhookChange
    from innkeeper.sdk import UNSET

    if app is not None and every_app:
        raise click.UsageError("--app goes not with --every-app")
    given: dict[str, Any] = {"url": where, "kinds": kinds_of(kinds), "note": note, "enabled": enabled}
    params = WebhookChange(**{name: UNSET if value is None else value for name, value in given.items()})
    if app is not None or every_app:
        params.app_id = None if app is None else talk.app_id(app)
    _tell(talk, talk.client.house.webhooks_v1.change_webhook(webhook_id, params))


@webhooks.command()
@webhook_argument
@talks
def rotate(talk: Talk, webhook_id: str) -> None:
    """Make another secret, which is printed this once. For a day the one before signs as well."""
    made = talk.client.house.webhooks_v1.rotate_secret(webhook_id)
    _tell_secret(talk, made, " For a day the one before is good as well.")


@webhooks.command()
@click.argument("webhook_ids", metavar="WEBHOOK...", nargs=-1, required=True, shell_complete=completing.webhooks)
@talks
def remove(talk: Talk, webhook_ids: Sequence[str]) -> None:
    """Remove webhooks, with what waits for them and their history."""
    each(talk, webhook_ids, talk.client.house.webhooks_v1.delete_webhook, word="removed", told="Removed {}")


@webhooks.command()
@webhook_argument
@talks
def test(talk: Talk, webhook_id: str) -> None:
    """Send an event `webhook.test` now, once, and tell what came back."""
    found = talk.client.house.webhooks_v1.test_webhook(webhook_id)
    what = f"nobody answered: {found.told}" if found.status is None else f"the answer was {found.status}"
    if found.status is not None and found.told:
        what += f": {found.told}"
    if not found.delivered:
        raise Failure(f"{what} ({found.milliseconds} ms)", event=found.event_id, answer=found.status)
    if talk.as_json:
        document(found)
    else:
        click.echo(f"Delivered, {what} ({found.milliseconds} ms)")


@webhooks.command()
@webhook_argument
@click.option("--state", type=click.Choice(["pending", "delivered", "given_up"]), help="Those in this state alone.")
@click.option("--limit", type=click.IntRange(1, 200), metavar="N", help="How many at most; 50 unless told.")
@click.option("--before", metavar="DELIVERY", shell_complete=completing.deliveries, help="Those older than this one.")
@talks
def deliveries(talk: Talk, webhook_id: str, state: str | None, limit: int | None, before: str | None) -> None:
    """List what was delivered, is on its way, or was given up; the newest first."""
    from innkeeper.contract.house.webhooks_v1 import DeliveryState
    from innkeeper.sdk import UNSET

    page = talk.client.house.webhooks_v1.get_deliveries(
        webhook_id, state=None if state is None else DeliveryState(state), limit=limit, before=before
    )
    if talk.as_json:
        document(page.deliveries)
        return
    columns(
        ("id", "number", "event", "of", "state", "attempts", "last", "next", "answer", "why"),
        (
            [
                one.delivery_id, one.number, one.type, one.subject, one.state, one.attempts, one.last_at, _next(one),
                one.last_status, one.last_error or "",
            ]
            for one in page.deliveries
        ),
        "There is none.",
    )  # fmt: skip
    if page.before is not UNSET:
        aside(f"There are older ones: --before {page.before}")


def _next(one: Delivery) -> object:
    """When it is tried next, or what has to end before."""
    return one.next_at if one.waits_for is None else f"behind {one.waits_for}"


@webhooks.command()
@webhook_argument
@click.argument("delivery_ids", metavar="DELIVERY...", nargs=-1, required=True, shell_complete=completing.deliveries)
@talks
def skip(talk: Talk, webhook_id: str, delivery_ids: Sequence[str]) -> None:
    """Give up deliveries that are on their way, so that those behind them go out.

    `innkeeper webhooks show` tells which ones hold back others. Each can be redelivered later.
    """
    end = talk.client.house.webhooks_v1.skip_delivery
    each(talk, delivery_ids, lambda one: end(webhook_id, one), word="skipped", told="Skipped {}")


@webhooks.command()
@webhook_argument
@click.argument("delivery_ids", metavar="DELIVERY...", nargs=-1, required=True, shell_complete=completing.deliveries)
@talks
def redeliver(talk: Talk, webhook_id: str, delivery_ids: Sequence[str]) -> None:
    """Have events delivered again. One that is on its way still is tried now."""
    again = talk.client.house.webhooks_v1.redeliver
    each(talk, delivery_ids, lambda one: again(webhook_id, one), word="redelivered", told="On its way again: {}")


@webhooks.command()
@webhook_argument
@click.option("--after", type=click.IntRange(0), metavar="N", help="The events behind this number.")
@time_option("--since", help="The events since this time, UTC: 2030-01-31T12:00, or as events are printed.")
@talks
def replay(talk: Talk, webhook_id: str, after: int | None, since: datetime | None) -> None:
    """Have all events that a webhook is for delivered again, from somewhere on. They are kept for a week."""
    from innkeeper.contract.house.webhooks_v1 import Replay

    if after is not None and since is not None:
        raise click.UsageError("give one of --after and --since: either says from where")
    if after is None and since is None:
        raise click.UsageError("say from where: --after N, or --since TIME")
    again = talk.client.house.webhooks_v1.replay_events
    count = 0
    params = Replay(after=after or 0) if since is None else Replay(since=since)
    while True:
        done = again(webhook_id, params)
        count += done.deliveries
        if done.after is None:
            break
        params = Replay(after=done.after)
    if talk.as_json:
        document({"deliveries": count})
    else:
        click.echo(f"{many(count, 'event')} on their way again" if count else "There is no event to deliver again")


def _tell(talk: Talk, one: Webhook, waiting: int | None = None) -> None:
    if talk.as_json:
        document(one)
        return
    facts(
        [
            ("id", one.webhook_id),
            ("url", one.url),
            ("state", _state(one)),
            ("why", one.disabled_why),
            ("kinds", ", ".join(one.kinds)),
            ("app", one.app_id or "all"),
            ("last delivery", one.delivered_at),
            ("failures since", one.failures),
            ("on their way", waiting),
            ("note", one.note or None),
            ("made", one.created_at),
            ("by", one.created_by),
        ]
    )
