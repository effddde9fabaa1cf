"""``innkeeper tokens``: the tokens that open this API. ``reset`` works on the data folder; the others speak to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import completing
from .failures import told
from .options import setting_options, settings_of
from .several import each
from .talk import Talk, org_option, talks
from .telling import aside, columns, document

if TYPE_CHECKING:
    from innkeeper.accounts.credentials import Credentials
    from innkeeper.settings import Settings


@click.group()
def tokens() -> None:
    """The tokens that open this API."""


@tokens.command("list")
@org_option
@talks
def list_tokens(talk: Talk, org: str | None) -> None:
    """List an organisation's tokens, without their secrets."""
    found = talk.client.tokens_v1.get_org_tokens(org or talk.org_id()).tokens
    if talk.as_json:
        document(found)
        return
    columns(
        ("id", "name", "status", "last 4", "scopes", "created", "by"),
        (
            [
                one.org_token_id, one.name, one.status, one.last_four_chars_of_key, _scopes(one.scopes),
                one.created_at, one.created_by,
            ]
            for one in found
        ),
    )  # fmt: skip


def _scopes(scopes: Any) -> str:
    return " ".join(map(str, scopes)) if isinstance(scopes, list) else "all"


@tokens.command()
@click.argument("name")
@click.option(
    "--scope",
    multiple=True,
    shell_complete=completing.scopes,
    help="One thing it may do, such as builds:read-write; again for more.",
)
@click.option("--admin", is_flag=True, help="It may do everything that you may.")
@click.option(
    "--for", "person", metavar="EMAIL",
    help="Make it for a member, or an invited person, who joins by that. It may do what they may, or less by --scope.",
)  # fmt: skip
@org_option
@talks
def create(talk: Talk, name: str, scope: Sequence[str], admin: bool, person: str | None, org: str | None) -> None:
    """Make a token. Its secret is printed, alone on its line, this once.

    One that is made --for somebody else acts as that person, in this organisation alone; it takes an admin.
    """
    from innkeeper.contract.hathora.tokens_v1 import CreateOrgToken
    from innkeeper.contract.hathora.words import Scope

    if person is not None and admin:
        raise click.UsageError(
            "a token --for somebody may do what they may: leave --admin out, or narrow it by --scope"
        )
    if person is None and admin == bool(scope):
        raise click.UsageError("say what the token may do: --scope (again for more), or --admin for everything")
    for word in scope:
        if not Scope(word).known:
            raise click.UsageError(f"there is no scope {word!r}; there is: {', '.join(map(str, Scope))}")
    if person is not None:
        _create_for(talk, name, person, scope, org)
        return
    scopes = None if admin else [Scope(word) for word in scope]
    made = talk.client.tokens_v1.create_org_token(
        CreateOrgToken(name=name, scopes="admin" if scopes is None else scopes), org or talk.org_id()
    )
    if talk.as_json:
        document(made)
    else:
        click.echo(made.plain_text_token)
        aside(f"Keep it: it is not shown again. Its id is {made.org_token.org_token_id}")


def _create_for(talk: Talk, name: str, person: str, scope: Sequence[str], org: str | None) -> None:
    from innkeeper.contract.house.tokens_v1 import NewTokenFor
    from innkeeper.contract.shape import UNSET

    wish = NewTokenFor(name=name, user_email=person, scopes=list(scope) if scope else UNSET)
    made = talk.client.house.tokens_v1.create_token_for(wish, org or talk.org_id())
    if talk.as_json:
        document(made)
        return
    click.echo(made.token)
    joined = f"{made.user_email} has joined by it. " if made.joined else ""
    aside(f"{joined}Hand it to {made.user_email}: it is not shown again. Its id is {made.org_token_id}")


@tokens.command()
@click.argument("token_ids", metavar="TOKEN_ID...", nargs=-1, required=True, shell_complete=completing.tokens)
@org_option
@talks
def revoke(talk: Talk, token_ids: Sequence[str], org: str | None) -> None:
    """End tokens, for ever and at once."""
    org_id = org or talk.org_id()
    revoke_one = talk.client.tokens_v1.revoke_org_token
    each(talk, token_ids, lambda token_id: revoke_one(token_id, org_id), word="revoked", told="Revoked {}")


def _needed(command: Any) -> Any:
    return setting_options(command, only=("data", "database", "host", "port", "public_url"))


@tokens.command()
@click.option(
    "--org", metavar="ID", shell_complete=completing.orgs,
    help="Another organisation than the one that runs the house: its new token is printed, and written nowhere.",
)  # fmt: skip
@_needed
@click.option("--json", "as_json", is_flag=True, help="Tell the result as JSON.")
def reset(org: str | None, config: Path | None, as_json: bool, **given: Any) -> None:
    """Make a new admin token, write it into credentials.json, and end the one before.

    For when the file was lost, or seen by others, or the house came by an import. It needs no token but the data
    folder, and Innkeeper may go on running: it refuses the old token within five seconds.
    """
    with told(as_json=as_json):
        settings = settings_of(config, given)
        made, written = asyncio.run(_reset(settings, org))
        file = settings.folder / "credentials.json"
        if as_json:
            where = {"credentials": str(file)} if written else {"token": made.token}
            document({"url": made.url, "orgId": made.org_id, **where})
        elif not written:
            click.echo(made.token)
            aside(f"The token of {made.org_id} that was called admin is no longer good. Keep the new one.")
        else:
            click.echo(f"A new admin token is in {file}; the one before is no longer good.")


async def _reset(settings: Settings, org_id: str | None) -> tuple[Credentials, bool]:
    """The new token, and whether it is in the file."""
    from innkeeper import belonging
    from innkeeper.accounts.callers import Callers
    from innkeeper.accounts.credentials import read_credentials
    from innkeeper.accounts.founding import Founding
    from innkeeper.db.connect import connect
    from innkeeper.kit.clock import SystemClock
    from innkeeper.kit.errors import Invalid
    from innkeeper.kit.ids import Chance

    if not settings.folder.is_dir():
        raise Invalid(f"there is no data folder {settings.folder}; name it with --data")
    clock, chance = SystemClock(), Chance()
    await belonging.check(settings, None)
    db = await connect(settings.database_url, clock=clock)
    try:
        await belonging.check(settings, db)
        try:
            known = read_credentials(settings.folder)
        except Invalid:
            known = None  # what cannot be read is replaced: that is what this command is for
        founding = Founding(db, clock, chance, Callers(db, clock), settings.folder)
        # Where it listens may have been said on its own command line: the file knows.
        made = await founding.reissue_admin(known.url if known else settings.local_url, org_id)
        try:
            kept = read_credentials(settings.folder)
        except Invalid:
            kept = None
        return made, kept == made
    finally:
        await db.close()
