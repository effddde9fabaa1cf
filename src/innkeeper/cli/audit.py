"""``innkeeper audit``: who changed what, or tried to."""

from __future__ import annotations

import click

from .talk import Talk, talks
from .telling import columns, document


@click.command()
@click.option("--who", metavar="EMAIL", help="What one person asked for; `innkeeper` for what the machine's owner did.")
@click.option("--verb", metavar="VERB", help="One kind of change, such as apps_v2.create_app.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many, the latest ones.")
@talks
def audit(talk: Talk, who: str | None, verb: str | None, limit: int) -> None:
    """Tell who changed what in the organisation, or tried to: the latest first."""
    found = []
    for page in talk.client.house.audit_v1.get_entries.pages(who=who, verb=verb, limit=min(limit, 1000)):
        found += page.entries
        if len(found) >= limit:
            break
    found = found[:limit]
    if talk.as_json:
        document(found)
        return
    columns(
        ("at", "who", "verb", "to", "outcome", "from", "what"),
        (
            [one.at, one.who, one.verb, one.subject or "-", one.outcome or "broken off", one.client, one.detail]
            for one in found
        ),
    )
