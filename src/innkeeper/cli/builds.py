"""``innkeeper builds``: what game servers run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from .fitting import fitting_build_words
from .talk import Talk, talks
from .telling import columns, document, facts, size
from .uploading import build_directory


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
@click.argument("build_id", metavar="BUILD")
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
    build = build_directory(talk.client, directory, build_tag=build_tag, build_id=build_id)
    document(build) if talk.as_json else click.echo(build.build_id)


@builds.command()
@click.argument("build_ids", metavar="BUILD...", nargs=-1, required=True)
@talks
def delete(talk: Talk, build_ids: Sequence[str]) -> None:
    """Delete builds. Servers that run them run on; no new ones can start."""
    for build_id in build_ids:
        talk.client.builds_v3.delete_build(build_id)
        if not talk.as_json:
            click.echo(f"Deleted {build_id}")
    if talk.as_json:
        document({"deleted": build_ids})
