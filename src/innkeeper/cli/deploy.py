"""``innkeeper deploy``: from a directory to a game that takes rooms, in one command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from .failures import Failure
from .fitting import fitting_app_name, fitting_build_words
from .howto import config_of, howto_options, lost, masked
from .patience import Patience
from .talk import Talk, app_option, talks
from .telling import aside, document
from .uploading import build_directory, check

if TYPE_CHECKING:
    from innkeeper.contract.hathora.deployments_v3 import DeploymentConfigV3


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), metavar="[DIR]", default=Path())
@app_option
@click.option("--create-app", is_flag=True, help="Make the app if there is none of that name.")
@click.option("--build-tag", envvar="HATHORA_BUILD_TAG", metavar="TEXT", help="Your own version of the build.")
@click.option("--build-id", envvar="HATHORA_BUILD_ID", metavar="ID", help="An id of your choice for the new build.")
@howto_options
@talks
def deploy(
    talk: Talk,
    /,
    directory: Path,
    app: str | None,
    create_app: bool,
    build_tag: str | None,
    build_id: str | None,
    **howto: Any,
) -> None:
    """Pack DIR, build it, and serve new rooms with it from now on.

    DIR (this one unless told) has a Dockerfile, of which an image is built where a host has a container engine, or a
    Procfile whose line `server:` starts the game. What .dockerignore names stays behind, and so do .git and
    __pycache__, unless a line there says `!.git`. Rooms that are open stay on what they have. Values of variables are
    not told in the result.
    """
    # What is wrong with the options is said before anything is made or sent.
    config = config_of("", howto, None)
    fitting_build_words(build_id, build_tag)
    check(directory)
    if howto["from_latest"]:
        app_id = _app(talk, app, create_app, directory)
        config = config_of("", howto, talk.client.deployments_v3.get_latest_deployment(app_id))
        refuse_early(talk, config)
    else:
        refuse_early(talk, config)
        app_id = _app(talk, app, create_app, directory)
    for text in lost(config):
        aside(f"innkeeper: {text}")
    build = build_directory(talk.client, directory, Patience(talk.url), build_tag=build_tag, build_id=build_id)
    deployment = talk.client.deployments_v3.create_deployment(replace(config, build_id=build.build_id), app_id)
    if talk.as_json:
        document({"build": build, "deployment": masked(deployment)})
    else:
        click.echo(f"Deployed {deployment.deployment_id}: new rooms of {app or app_id} run on it from now on")
        aside(f"Open one with: {talk.again('rooms', 'create', '--wait', app=app)}")


def refuse_early(talk: Talk, config: DeploymentConfigV3) -> None:
    """Ask the server what it would refuse of a deployment, before there is a build. Raises :class:`Failure`.

    One that cannot be asked, because it is older or is none of ours, tells when the deployment is made.
    """
    from innkeeper.sdk import UNSET, StatusError

    fleet = None if config.fleet_id is UNSET else str(config.fleet_id)
    try:
        found = talk.client.house.releases_v1.check_release(
            cpu=config.requested_cpu, memory_mb=config.requested_memory_mb, fleet_id=fleet
        )
    except StatusError as error:
        if error.status in (404, 405):
            return
        raise
    if found.refusals:
        raise Failure("; ".join(found.refusals))


def _app(talk: Talk, app: str | None, create: bool, directory: Path) -> str:
    """The app to deploy to, made if that was asked for."""
    from .apps import make_app

    if not create:
        return talk.app_id(app)
    name = app or directory.resolve().name
    for known in talk.apps():
        if name in (known.app_name, known.app_id):
            return known.app_id
    if not app:
        raise Failure(f"--create-app needs a name: add --app {name.lower()!r}, or another one")
    fitting_app_name(name, "--app")
    made = make_app(talk, name)
    aside(f"Made app {made.app_name}, {made.app_id}")
    return made.app_id
