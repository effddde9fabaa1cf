"""``innkeeper apps``: the games of an organisation, or the environments of one game."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from . import completing
from .fitting import fitting_app_name
from .talk import Talk, talks
from .telling import columns, document, facts

if TYPE_CHECKING:
    from innkeeper.contract.hathora.apps_v2 import Application


@click.group()
def apps() -> None:
    """The games, or environments of games."""


@apps.command("list")
@talks
def list_apps(talk: Talk) -> None:
    """List all apps, with what their new rooms run."""
    found = talk.apps()
    if talk.as_json:
        document(found)
        return
    columns(
        ("id", "name", "deployment", "created"),
        ([app.app_id, app.app_name, app.deployment and app.deployment.deployment_id, app.created_at] for app in found),
        "There is no app yet. Make one with `innkeeper apps create NAME`.",
    )


@apps.command()
@click.argument("name")
@click.option(
    "--login", type=click.Choice(["anonymous", "nickname"]), multiple=True, default=["anonymous"], show_default=True,
    help="How players may log in; again for more.",
)  # fmt: skip
@click.option("--no-login", is_flag=True, help="No built-in login: the game makes player tokens itself.")
@click.option("--google-client-id", metavar="ID", help="Players may log in with Google, for this client id.")
@talks
def create(talk: Talk, name: str, login: Sequence[str], no_login: bool, google_client_id: str | None) -> None:
    """Make an app. NAME has small letters, digits and `-`."""
    fitting_app_name(name, "NAME")
    app = make_app(talk, name, () if no_login else login, google_client_id)
    document(app) if talk.as_json else click.echo(f"Made app {app.app_name}, {app.app_id}")


def make_app(
    talk: Talk, name: str, login: Sequence[str] = ("anonymous",), google_client_id: str | None = None
) -> Application:
    """Make an app whose players may log in in these ways."""
    from innkeeper.contract.hathora.apps_v2 import AuthConfiguration, CreateAppConfig, GoogleLogin, RecordStringNever
    from innkeeper.contract.shape import UNSET

    yes = RecordStringNever()
    logins = AuthConfiguration(
        anonymous=yes if "anonymous" in login else UNSET,
        nickname=yes if "nickname" in login else UNSET,
        google=GoogleLogin(client_id=google_client_id) if google_client_id else UNSET,
    )
    return talk.client.apps_v2.create_app(CreateAppConfig(app_name=name, auth_configuration=logins))


@apps.command()
@click.argument("app", required=False, shell_complete=completing.apps)
@click.option("--secret", is_flag=True, help="Show the secret that signs players' tokens.")
@talks
def info(talk: Talk, app: str | None, secret: bool) -> None:
    """Tell what is set of an app, by its name or id."""
    found = talk.client.apps_v2.get_app(talk.app_id(app))
    if talk.as_json:
        document(found)
        return
    auth, service = found.auth_configuration, found.service_config
    logins = [name for name in ("anonymous", "nickname", "google") if getattr(auth, name)]
    facts(
        [
            ("id", found.app_id),
            ("name", found.app_name),
            ("organisation", found.org_id),
            ("logins", ", ".join(logins) or "none"),
            ("created", found.created_at),
            ("by", found.created_by),
            ("secret", found.app_secret if secret else "not shown (--secret)"),
            *(
                (f"kept alive in {each.region}", f"{each.min_processes} to {each.max_processes} servers")
                for each in (service.static_process_allocation if service else ())
            ),
        ]
    )


@apps.command()
@click.argument("app", shell_complete=completing.apps)
@click.option("--yes", is_flag=True, help="Do not ask.")
@talks
def delete(talk: Talk, app: str, yes: bool) -> None:
    """Delete an app, by its name or id. Its rooms and servers end."""
    app_id = talk.app_id(app)
    if not yes:
        click.confirm(f"Delete app {app} with all its rooms and servers?", abort=True, err=True)
    talk.client.apps_v2.delete_app(app_id)
    document({"deleted": [app_id]}) if talk.as_json else click.echo(f"Deleted {app_id}")
