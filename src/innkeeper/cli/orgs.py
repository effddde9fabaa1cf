"""``innkeeper orgs``: the organisations that a token belongs to, and what they use."""

from __future__ import annotations

from typing import Any

import click

from .failures import Failure
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


def _limit(context: click.Context, parameter: click.Parameter, value: str | None) -> float | str | None:
    """A number, or ``none`` for no limit."""
    if value is None or value == "none":
        return value
    try:
        return float(value)
    except ValueError:
        raise click.BadParameter(f"write a number, or none for no limit, not {value!r}") from None


@orgs.command()
@click.argument("org", metavar="ORG", required=False)
@click.option("--cpus", callback=_limit, metavar="N|none", help="Processors of all servers together.")
@click.option("--cpu-hours-a-month", callback=_limit, metavar="N|none", help="Processor hours of all servers together.")
@click.option("--server-hours", callback=_limit, metavar="N|none", help="A server lives before it takes no more rooms.")
@click.option("--memory-mb", type=int, metavar="N", help="MiB that one server may ask for.")
@click.option("--cloud-baseline", type=int, metavar="N", help="Nodes that a fleet may keep ready in a region.")
@click.option("--connections", type=int, metavar="N", help="Of one server; told to clients, and not enforced.")
@click.option("--log-hours", type=int, metavar="N", help="Told to clients; keep_hours is what counts.")
@talks
def limits(talk: Talk, /, org: str | None, **given: Any) -> None:
    """Tell what organisations may use, or change it for one. For admins of the first organisation."""
    from innkeeper.contract.house.orgs_v1 import ChangedLimits

    changes: dict[str, Any] = {
        name: None if value == "none" else value for name, value in given.items() if value is not None
    }
    house = talk.client.house.orgs_v1
    if changes and org is None:
        raise Failure("whose limits? Name the organisation: innkeeper orgs limits ORG --cpus 16")
    if changes and org is not None:
        found = [house.set_limits(org, ChangedLimits(**changes))]
    else:
        found = [one for one in house.get_orgs().orgs if org in (None, one.org_id)]
        if org is not None and not found:
            raise Failure(f"there is no organisation {org}")
    if talk.as_json:
        document(found)
        return
    columns(
        ("id", "name", "cpus", "cpu hours a month", "server hours", "MiB of a server", "cloud baseline"),
        (
            [
                one.org_id, one.name, _told(one.limits.cpus), _told(one.limits.cpu_hours_a_month),
                _told(one.limits.server_hours), one.limits.memory_mb, one.limits.cloud_baseline,
            ]
            for one in found
        ),
    )  # fmt: skip


def _told(limit: float | None) -> str:
    return "no limit" if limit is None else f"{limit:g}"
