"""``innkeeper builds``: what game servers run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from . import completing
from .failures import Code, Failure
from .fitting import fitting_build_words
from .patience import Patience
from .several import each
from .talk import Talk, talks
from .telling import columns, document, facts, size
from .uploading import build_directory, build_image


@click.group()
def builds() -> None:
    """What game servers run. All apps of an organisation can use a build."""


@builds.command("list")
@talks
def list_builds(talk: Talk) -> None:
    """List all builds, the newest first."""
    found = talk.client.builds_v3.get_builds().builds
    if talk.as_json:
        document(found)
        return
    columns(
        ("id", "tag", "status", "size", "created"),
        ([build.build_id, build.build_tag, build.status, size(build.image_size), build.created_at] for build in found),
        "There is no build yet. Make one with `innkeeper deploy DIR`.",
    )


@builds.command()
@click.argument("build_id", metavar="BUILD", shell_complete=completing.builds)
@talks
def info(talk: Talk, build_id: str) -> None:
    """Tell how a build stands."""
    build = talk.client.builds_v3.get_build(build_id)
    if talk.as_json:
        document(build)
        return
    facts(
        [
            ("id", build.build_id),
            ("tag", build.build_tag),
            ("status", build.status),
            ("size", size(build.image_size)),
            ("content", build.content_hash),
            ("created", build.created_at),
            ("by", build.created_by),
            ("finished", build.finished_at),
            ("deleted", build.deleted_at),
        ]
    )


@builds.command()
@click.argument("directory", type=click.Path(path_type=Path), metavar="[DIR]", default=Path())
@click.option("--build-tag", envvar="HATHORA_BUILD_TAG", metavar="TEXT", help="Your own version of the build.")
@click.option("--build-id", envvar="HATHORA_BUILD_ID", metavar="ID", help="An id of your choice for the new build.")
@talks
def create(talk: Talk, directory: Path, build_tag: str | None, build_id: str | None) -> None:
    """Pack DIR (this one unless told), upload and build it. Nothing runs it until there is a deployment of it."""
    fitting_build_words(build_id, build_tag)
    build = build_directory(talk.client, directory, Patience(talk.url), build_tag=build_tag, build_id=build_id)
    document(build) if talk.as_json else click.echo(build.build_id)


@builds.command()
@click.argument("image", metavar="IMAGE")
@click.option("--registry", metavar="URL", help="Where the image is, if its name does not say so: https://ghcr.io.")
@click.option("--login", metavar="USER", help="Who you are to the registry; the password is asked for.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead.")
@click.option("--build-tag", envvar="HATHORA_BUILD_TAG", metavar="TEXT", help="Your own version of the build.")
@click.option("--build-id", envvar="HATHORA_BUILD_ID", metavar="ID", help="An id of your choice for the new build.")
@talks
def pull(
    talk: Talk,
    image: str,
    registry: str | None,
    login: str | None,
    password_stdin: bool,
    build_tag: str | None,
    build_id: str | None,
) -> None:
    """Make a build of IMAGE in a registry, such as ghcr.io/studio/game:1.2. It needs a host with a container engine.

    The password is sealed while the image is pulled, and forgotten afterwards. In a pipeline:
    `echo "$TOKEN" | innkeeper builds pull IMAGE --login USER --password-stdin`.
    """
    fitting_build_words(build_id, build_tag)
    auth = None if login is None else f"{login}:{_password(login, password_stdin)}"
    if login is None and password_stdin:
        raise Failure("--password-stdin needs --login: say whose password it is", Code.USAGE)
    build = build_image(
        talk.client, image, Patience(talk.url),
        registry=registry, auth=auth, build_tag=build_tag, build_id=build_id,
    )  # fmt: skip
    document(build) if talk.as_json else click.echo(build.build_id)


def _password(login: str, from_input: bool) -> str:
    """The password for a registry. It is no argument: those are seen by everybody on the machine."""
    if ":" in login or not login:
        raise Failure(f"--login: {login!r} is no user of a registry; the password does not belong there", Code.USAGE)
    if from_input:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = click.prompt(f"Password of {login}", hide_input=True, err=True)
    else:
        raise Failure("the password cannot be asked for without a terminal; add --password-stdin", Code.USAGE)
    if not password:
        raise Failure("the password is empty", Code.USAGE)
    return password


@builds.command()
@click.argument("build_ids", metavar="BUILD...", nargs=-1, required=True, shell_complete=completing.builds)
@talks
def delete(talk: Talk, build_ids: Sequence[str]) -> None:
    """Delete builds. Servers that run them run on; no new ones can start."""
    each(talk, build_ids, talk.client.builds_v3.delete_build, word="deleted", told="Deleted {}")
