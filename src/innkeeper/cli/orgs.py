"""``innkeeper orgs``: the organisations that a token belongs to, and what they use."""

from __future__ import annotations

import click

from .talk import Talk, talks
from .telling import columns, document, facts, hours


@click.group()
def orgs() -> None:
    """The organisations that a token belongs to."""


@orgs.command("list")
@talks
def list_orgs(talk: Talk) -> None:
    """List the organisations that the token belongs to."""
    found = talk.client.organizations_v1.get_orgs().orgs
    if talk.as_json:
        document(found)
        return
    columns(
        ("id", "name", "most memory of a server", "scopes"),
        ([org.org_id, org.name, f"{org.max_requested_memory_mb:g} MiB", len(org.scopes)] for org in found),
    )


@orgs.command()
@click.option("--org", metavar="ID", help="The organisation; the token's own unless told.")
@talks
def usage(talk: Talk, org: str | None) -> None:
    """Tell what an organisation uses, and what it may."""
    used = talk.client.organizations_v1.get_usage_limits(org_id=org or talk.org_id())
    if talk.as_json:
        document(used)
        return
    facts(
        [
            ("most processors at a time in seven days", used.concurrent_process_vcpus_7_day_max),
            ("allowed at a time", used.concurrent_process_vcpus_limit or "no limit"),
            ("processor hours this month", hours(used.monthly_process_vcpu_hours_consumed)),
            ("allowed in a month", used.monthly_process_vcpu_hours_limit or "no limit"),
        ]
    )
