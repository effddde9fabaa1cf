"""``innkeeper orgs``: the organisations of a house, who belongs to them, and what they use."""

from __future__ import annotations

from typing import Any

import click

from . import completing
from .failures import Failure
from .talk import Talk, org_option, talks
from .telling import aside, columns, document, facts, hours


@click.group()
def orgs() -> None:
    """The organisations of a house, and who belongs to them."""


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
@org_option
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


@orgs.command()
@click.argument("name")
@click.option("--owner", required=True, metavar="EMAIL", help="Its first admin.")
@talks
def create(talk: Talk, name: str, owner: str) -> None:
    """Make an organisation. The token of its owner is printed, alone on its line, this once.

    For admins of the organisation that runs the house.
    """
    from innkeeper.contract.house.orgs_v1 import NewOrg

    made = talk.client.house.orgs_v1.create_org(NewOrg(name=name, owner_email=owner))
    if talk.as_json:
        document(made)
        return
    click.echo(made.token)
    aside(f"Made organisation {made.org_id}. The token is {made.owner_email}'s: keep it, it is not shown again.")


@orgs.command()
@click.argument("org", metavar="ORG", shell_complete=completing.orgs)
@click.argument("name")
@talks
def rename(talk: Talk, org: str, name: str) -> None:
    """Give an organisation another name. For admins of the organisation that runs the house."""
    from innkeeper.contract.house.orgs_v1 import ChangedOrg

    changed = talk.client.house.orgs_v1.change_org(org, ChangedOrg(name=name))
    document(changed) if talk.as_json else click.echo(f"{changed.org_id} is called {changed.name} now.")


@orgs.command()
@org_option
@talks
def members(talk: Talk, org: str | None) -> None:
    """List who belongs to an organisation, and who is invited."""
    of, org_id = talk.client.organizations_v1, org or talk.org_id()
    there, invited = of.get_org_members(org_id).members, of.get_org_pending_invites(org_id).invites
    if talk.as_json:
        document({"members": there, "invited": invited})
        return
    columns(
        ("person", "may", "since", "invited by"),
        [
            *([one.user_email, _may(one.scopes), one.joined_at, one.invited_by] for one in there),
            *([one.user_email, _may(one.scopes), "invited", one.invited_by] for one in invited),
        ],
    )


def _may(scopes: Any) -> str:
    return " ".join(map(str, scopes)) if isinstance(scopes, list) else str(scopes)


@orgs.command()
@click.argument("email")
@click.option(
    "--role", type=click.Choice(["admin", "member", "viewer"]), default="member", show_default=True,
    help="What they may do: everything; all but change members and payment; look.",
)  # fmt: skip
@org_option
@talks
def invite(talk: Talk, email: str, role: str, org: str | None) -> None:
    """Invite a person into an organisation. No mail is sent: make them a token by `innkeeper tokens create --for`."""
    from innkeeper.contract.hathora.organizations_v1 import CreateUserInvite
    from innkeeper.contract.hathora.words import UserRole

    wish = CreateUserInvite(user_email=email, scopes=UserRole(role))
    made = talk.client.organizations_v1.invite_user(wish, org or talk.org_id())
    if talk.as_json:
        document(made)
        return
    click.echo(f"Invited {made.user_email} as {role}.")
    more = ("--org", org) if org else ()
    aside(f"To let them in: {talk.again('tokens', 'create', 'NAME', '--for', made.user_email, *more)}")


def _limit(context: click.Context, parameter: click.Parameter, value: str | None) -> float | str | None:
    """A number, or ``none`` for no limit."""
    if value is None or value == "none":
        return value
    try:
        return float(value)
    except ValueError:
        raise click.BadParameter(f"write a number, or none for no limit, not {value!r}") from None


@orgs.command()
@click.argument("org", metavar="[ORG]", required=False, shell_complete=completing.orgs)
@click.option("--cpus", callback=_limit, metavar="N|none", help="Processors of all servers together.")
@click.option("--cpu-hours-a-month", callback=_limit, metavar="N|none", help="Processor hours of all servers together.")
@click.option("--server-hours", callback=_limit, metavar="N|none", help="A server lives before it takes no more rooms.")
@click.option("--memory-mb", type=int, metavar="N", help="MiB that one server may ask for.")
@click.option("--cloud-baseline", type=int, metavar="N", help="Nodes that a fleet may keep ready in a region.")
@click.option("--connections", type=int, metavar="N", help="Of one server; told to clients, and not enforced.")
@click.option("--log-hours", type=int, metavar="N", help="Told to clients; keep_hours is what counts.")
@talks
def limits(talk: Talk, /, org: str | None, **given: Any) -> None:
    """Tell what organisations may use, or change it for one. For admins of the organisation that runs the house."""
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
