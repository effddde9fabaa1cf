"""``innkeeper apps``: the games of an organisation, or the environments of one game."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from . import completing
from .failures import Code, Failure
from .fitting import fitting_app_name
from .talk import Talk, talks
from .telling import aside, columns, document, facts

if TYPE_CHECKING:
    from innkeeper.contract.hathora.apps_v2 import Application
    from innkeeper.contract.house.apps_v1 import App


@click.group()
def apps() -> None:
    """The games, or environments of games."""


@apps.command("list")
@click.option("--secret", is_flag=True, help="With --json: with the apps' secrets and the values of variables, too.")
@talks
def list_apps(talk: Talk, secret: bool) -> None:
    """List all apps, with what their new rooms run."""
    found = talk.apps()
    if talk.as_json:
        document(found if secret else [without_secrets(app) for app in found])
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
    "--secret-file", type=click.File("rb"), help="With --keep-id: a file with the secret that backends know, or -."
)
@click.option(
    "--org",
    metavar="ID",
    shell_complete=completing.orgs,
    help="With --keep-id: the organisation it shall belong to, the operator's own unless told.",
)
@talks
def create(
    talk: Talk,
    name: str,
    login: Sequence[str],
    no_login: bool,
    google_client_id: str | None,
    keep_id: str | None,
    secret_file: BinaryIO | None,
    org: str | None,
) -> None:
    """Make an app. NAME has small letters, digits and `-`.

    With --keep-id, the id of an app of yours that was deleted brings that one back, with its history and deployments.
    """
    fitting_app_name(name, "NAME")
    if secret_file is not None and keep_id is None:
        raise click.UsageError("--secret-file goes with --keep-id: an app with a new id has a new secret")
    if org is not None and keep_id is None:
        raise click.UsageError("--org goes with --keep-id: other apps belong to the organisation of the token")
    logins = () if no_login else login
    app: Application | App
    if keep_id is None:
        app = make_app(talk, name, logins, google_client_id)
    else:
        secret = None if secret_file is None else secret_in(secret_file.read(), secret_file.name)
        app = _adopt(talk, name, keep_id, secret, logins, google_client_id, org)
    document(app) if talk.as_json else click.echo(f"Made app {app.app_name}, {app.app_id}")


def secret_in(content: bytes, file: str) -> str:
    """The secret that a file holds. Raises :class:`Failure` for what can be none, and shows nothing of it."""
    from innkeeper.contract.house.apps_v1 import FEWEST_CHARACTERS, MOST_CHARACTERS

    length = f"text of {FEWEST_CHARACTERS} to {MOST_CHARACTERS} characters"
    needs = f"it has to hold the app's secret and nothing else: {length}"
    try:
        secret = content.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise Failure(f"--secret-file: {file} is no text; {needs}", Code.USAGE) from None
    if not secret:
        raise Failure(f"--secret-file: {file} is empty; {needs}", Code.USAGE)
    if not secret.isprintable():  # lines above all
        raise Failure(f"--secret-file: {file} has more than one line, or characters of no text; {needs}", Code.USAGE)
    if not FEWEST_CHARACTERS <= len(secret) <= MOST_CHARACTERS:
        raise Failure(f"--secret-file: {file} has {len(secret)} characters; {needs}", Code.USAGE)
    return secret


def without_secrets(app: Application) -> Any:
    """What is told of an app where its secrets were not asked for: neither its own nor the values of its variables."""
    import msgspec

    told: dict[str, Any] = msgspec.to_builtins(app)
    told.pop("appSecret", None)
    for variable in told.get("deployment", {}).get("env", []):
        variable["value"] = "***"
    return told


def _adopt(
    talk: Talk,
    name: str,
    app_id: str,
    secret: str | None,
    login: Sequence[str],
    google_client_id: str | None,
    org: str | None,
) -> App:
    from innkeeper.contract.house.apps_v1 import AdoptedApp
    from innkeeper.contract.shape import UNSET

    return talk.client.house.apps_v1.adopt_app(
        AdoptedApp(
            app_name=name,
            app_id=app_id,
            app_secret=UNSET if secret is None else secret,
            org_id=org or UNSET,
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
        document(found if secret else without_secrets(found))
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


@apps.command("set-secret")
@click.argument("app", shell_complete=completing.apps)
@click.option("--secret-file", type=click.File("rb"), help="A file with the secret that backends know, or -.")
@click.option("--new", is_flag=True, help="Make up a new one.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@talks
def set_secret(talk: Talk, app: str, secret_file: BinaryIO | None, new: bool, yes: bool) -> None:
    """Have another secret sign an app's player tokens, by its name or id.

    Logins that the one before has signed end at once: players log in again. Game servers that run have the one before
    in their environment, and keep it until they end. `innkeeper apps info APP --secret` shows the secret.
    """
    from innkeeper.contract.house.apps_v1 import ChangedSecret
    from innkeeper.contract.shape import UNSET

    if new == (secret_file is not None):
        raise click.UsageError("say which secret: --secret-file FILE, or --new for one that is made up")
    secret = None if secret_file is None else secret_in(secret_file.read(), secret_file.name)
    app_id = talk.app_id(app)
    if not yes:
        click.confirm(f"Change the secret of app {app}? All of its players have to log in again.", abort=True, err=True)
    made = talk.client.house.apps_v1.set_secret(app_id, ChangedSecret(app_secret=UNSET if secret is None else secret))
    if talk.as_json:
        document(made)
        return
    click.echo(f"The secret of {app_id} is another one. Servers that run keep the one before until they end.")
    if new:
        aside(f"To see it: {talk.again('apps', 'info', app, '--secret')}")


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
