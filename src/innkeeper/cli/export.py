"""``innkeeper export``: everything that a house keeps, or some apps of it, in one file. Works on the data folder."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .failures import told
from .options import setting_options, settings_of
from .passphrase import new_passphrase, passphrase_option
from .telling import aside, document, many, size
from .uploading import bar

if TYPE_CHECKING:
    from innkeeper.transfer.words import Manifest


def _needed(command: Any) -> Any:
    return setting_options(command, only=("data", "database"))


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--app", "apps", multiple=True, metavar="NAME|ID",
    help="Take this app alone, with its organisation; again for more. The whole house unless told.",
)  # fmt: skip
@click.option("--without-images", is_flag=True, help="Leave the images of builds out, which are large.")
@passphrase_option
@_needed
@click.option("--json", "as_json", is_flag=True, help="Tell the result as JSON.")
def export(
    file: Path,
    apps: Sequence[str],
    without_images: bool,
    passphrase_file: Path | None,
    config: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Write everything that a house keeps into FILE, for `innkeeper import` elsewhere.

    It needs no token but the data folder, and Innkeeper may go on running. The secrets in the file are encrypted with a
    passphrase: from --passphrase-file, INNKEEPER_PASSPHRASE, or asked for. Game servers that run, rooms that are open
    and builds that are not finished are not in it.
    """
    with told(as_json=as_json):
        settings = settings_of(config, given)
        from innkeeper.kit.clock import SystemClock
        from innkeeper.transfer.leaving import Wish, export_house

        passphrase = new_passphrase(passphrase_file)
        wish = Wish(file, apps, images=not without_images)
        with bar("Exporting") as progress:
            manifest = asyncio.run(export_house(settings, wish, passphrase, SystemClock(), progress))
        for text in manifest.left_out:
            aside(f"Left out: {text}")
        if as_json:
            document(found_in(file, manifest))
            return
        click.echo(f"Wrote {file}, {size(file.stat().st_size)}: {sentence(manifest)}.")
        if manifest.standing:
            aside(f"Not in it: {standing(manifest)}.")


def found_in(file: Path, manifest: Manifest) -> dict[str, Any]:
    """What is in a file, as JSON."""
    return {
        "file": str(file),
        "innkeeper": manifest.innkeeper,
        "madeAt": moment_of(manifest),
        "apps": manifest.apps or "all",
        "rows": {one.name: one.rows for one in manifest.tables if one.rows},
        "builds": [{"buildId": one.build_id, "image": one.image, "bytes": one.bytes} for one in manifest.contents],
        "leftOut": manifest.left_out,
        "notMoved": manifest.standing,
    }


def moment_of(manifest: Manifest) -> Any:
    """When a file was written."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(manifest.made_at / 1_000_000, UTC)


def sentence(manifest: Manifest) -> str:
    """What is in a file, for people."""
    rows = {one.name: one.rows for one in manifest.tables}
    words = ("orgs", "organisation"), ("apps", "app"), ("releases", "deployment"), ("org_tokens", "token")
    parts = [many(rows[name], word) for name, word in words if rows.get(name)]
    if manifest.contents:
        parts.append(f"the files of {many(len(manifest.contents), 'build')}")
    over = [many(rows[name], word) for name, word in (("servers", "game server"), ("rooms", "room")) if rows.get(name)]
    if over:
        parts.append(f"the history of {' and '.join(over)}")
    return ", ".join(parts)


def standing(manifest: Manifest) -> str:
    """What there was and is never in a file, for people."""
    return ", ".join(many(count, what) for what, count in manifest.standing.items())
