"""``innkeeper apps``: the games of an organisation, or the environments of one game."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

import click

from . import completing
from .fitting import fitting_app_name
from .talk import Talk, talks
from .telling import columns, document, facts

if TYPE_CHECKING:
    from innkeeper.contract.hathora.apps_v2 import Application
    from innkeeper.contract.house.apps_v1 import App


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
@click.option("--keep-id", metavar="ID", help="The id that shipped clients know it by. For the operator of the house.")
@click.option(
    "--secret-file", type=click.File("r"), help="With --keep-id: a file with the secret that backends know, or -."
)
@talks
def create(
    talk: Talk,
    name: str,
    login: Sequence[str],
    no_login: bool,
    google_client_id: str | None,
    keep_id: str | None,
    secret_file: TextIO | None,
) -> None:
    """Make an app. NAME has small letters, digits and `-`."""
    fitting_app_name(name, "NAME")
    if secret_file is not None and keep_id is None:
        raise click.UsageError("--secret-file goes with --keep-id: an app with a new id has a new secret")
    logins = () if no_login else login
    app: Application | App
    if keep_id is None:
        app = make_app(talk, name, logins, google_client_id)
    else:
        secret = None if secret_file is None else secret_file.read().strip()
        app = _adopt(talk, name, keep_id, secret, logins, google_client_id)
    document(app) if talk.as_json else click.echo(f"Made app {app.app_name}, {app.app_id}")


def _adopt(
    talk: Talk, name: str, app_id: str, secret: str | None, login: Sequence[str], google_client_id: str | None
) -> App:
    from innkeeper.contract.house.apps_v1 import AdoptedApp
    from innkeeper.contract.shape import UNSET

    return talk.client.house.apps_v1.adopt_app(
        AdoptedApp(
            app_name=name,
            app_id=app_id,
            app_secret=secret or UNSET,
            anonymous="anonymous" in login,
            nickname="nickname" in login,
            google_client_id=google_client_id or UNSET,
        )
    )


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
