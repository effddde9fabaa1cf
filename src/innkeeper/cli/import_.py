"""``innkeeper import``: what ``innkeeper export`` wrote, into a house that is stopped. Works on the data folder."""

from __future__ import annotations

import asyncio
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from innkeeper.settings import Settings, load_settings

from .export import found_in, moment_of, sentence, standing
from .failures import Failure, told
from .options import setting_options, settings_of
from .passphrase import known_passphrase, passphrase_option
from .telling import aside, columns, document, facts, many, size
from .uploading import bar

if TYPE_CHECKING:
    from innkeeper.transfer.arriving import Arrived, Refused


def _needed(command: Any) -> Any:
    return setting_options(command, only=("data", "database"))


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--show", is_flag=True, help="Tell what is in the file, and do nothing. Needs no passphrase.")
@click.option("--dry-run", is_flag=True, help="Check the file and tell what would be imported; change nothing.")
@click.option(
    "--operator", metavar="NAME|ID",
    help="The organisation that shall run the house, where none does yet and several could.",
)  # fmt: skip
@passphrase_option
@_needed
@click.option("--json", "as_json", is_flag=True, help="Tell the result as JSON.")
def import_(
    file: Path,
    show: bool,
    dry_run: bool,
    operator: str | None,
    passphrase_file: Path | None,
    config: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Take in what `innkeeper export` wrote to FILE, with the same ids. Innkeeper must be stopped.

    Into an empty data folder, it becomes the house of the file, which founds nothing of its own: the organisation of
    the file runs it; where the file has apps of several, --operator says which one. Beside what a house has
    already: rows that are there, the same, are skipped; where any differs, all of them are listed and nothing is
    imported. The same import twice changes nothing, and one that was cut off can be repeated.
    """
    with told(as_json=as_json):
        settings = settings_of(config, given)
        from innkeeper.kit.clock import SystemClock
        from innkeeper.kit.ids import Chance
        from innkeeper.transfer.arriving import Refused, import_house, look_into

        if show:
            _show(file, as_json=as_json)
            return
        look_into(file)  # before anybody is asked for a passphrase
        passphrase = known_passphrase(passphrase_file)
        try:
            with bar("Checking") as progress:
                arrived = asyncio.run(
                    import_house(
                        settings,
                        file,
                        passphrase,
                        SystemClock(),
                        Chance(),
                        operator=operator,
                        dry_run=dry_run,
                        progress=progress,
                    )
                )
        except Refused as error:
            raise _refused(error) from error
        if as_json:
            document(_result(file, arrived, dry_run=dry_run))
        else:
            _tell(arrived, settings, config, dry_run=dry_run)


def _refused(error: Refused) -> Failure:
    facts = [{"table": one.table, "id": one.id, "why": one.why} for one in error.conflicts]
    return Failure(str(error), conflicts=facts)


def _show(file: Path, *, as_json: bool) -> None:
    from innkeeper.transfer.arriving import look_into

    manifest = look_into(file)
    if as_json:
        document(found_in(file, manifest))
        return
    apps = f"{many(len(manifest.apps), 'app')}: {', '.join(manifest.apps)}" if manifest.apps else "a whole house"
    facts(
        [
            ("written", moment_of(manifest)),
            ("by", f"Innkeeper {manifest.innkeeper}"),
            ("of", apps),
            ("unpacked", size(manifest.bytes)),
            ("not moved", standing(manifest) or None),
        ]
    )
    click.echo("")
    columns(("rows", "of"), [(one.rows, one.name) for one in manifest.tables if one.rows])
    if manifest.contents:
        click.echo("")
        kinds = {True: "image", False: "program"}
        columns(
            ("build", "kind", "size"),
            [(one.build_id, kinds[one.image], size(one.bytes)) for one in manifest.contents],
        )
    for text in manifest.left_out:
        aside(f"Left out: {text}")


def _result(file: Path, arrived: Arrived, *, dry_run: bool) -> dict[str, Any]:
    outcome = arrived.outcome
    return {
        "file": str(file),
        "imported": not dry_run,
        "new": {name: count for name, count in outcome.new.items() if count},
        "same": {name: count for name, count in outcome.same.items() if count},
        "builds": [one.build_id for one in arrived.builds],
        "operator": outcome.operator,
        "leftOut": arrived.manifest.left_out,
        "notMoved": arrived.manifest.standing,
    }


def starting(settings: Settings, config: Path | None) -> str:
    """The command that starts the house which was imported into, and a word on what cannot stand in it."""
    # What its settings file says, the start finds there too.
    filed = load_settings({} if config else {"data": settings.data}, {}, config)
    words, hint = ["innkeeper", "up"], ""
    if config is not None:
        words += ["--config", str(config)]
    if settings.data != (filed if config else Settings()).data:
        words += ["--data", settings.data]
    if settings.database != filed.database:
        shown = without_password(settings.database)
        words += ["--database", shown]
        if shown != settings.database:
            hint = ", with the database's password in the environment or in ~/.pgpass"
    return f"`{shlex.join(words)}`{hint}"


def without_password(url: str) -> str:
    """The URL of a database as it may be shown."""
    beginning, at, place = url.rpartition("@")
    scheme, slashes, user = beginning.partition("://")
    shown = f"{scheme}{slashes}{user.partition(':')[0]}{at}{place}"
    address, question, query = shown.partition("?")
    kept = [part for part in query.split("&") if part and not part.startswith(("password=", "sslpassword="))]
    return address + (question + "&".join(kept) if kept else "")


def _tell(arrived: Arrived, settings: Settings, config: Path | None, *, dry_run: bool) -> None:
    outcome, manifest = arrived.outcome, arrived.manifest
    columns(
        ("new", "there already", "of"),
        [(count, outcome.same[name], name) for name, count in outcome.new.items() if count or outcome.same[name]],
    )
    for text in manifest.left_out:
        aside(f"Not in the file: {text}")
    new = sum(outcome.new.values())
    if dry_run:
        click.echo(f"It can be imported: {sentence(manifest)}. Nothing was changed.")
    elif not new and not outcome.operator_new:
        click.echo("All of it was there already. Nothing was changed.")
    else:
        builds = many(len(arrived.builds), "build")
        what = f"{many(new, 'row')} and the files of {builds} into {settings.data}"
        click.echo(f"Imported {what}. Start it with {starting(settings, config)}.")
    if outcome.operator is not None:
        then = "would run" if dry_run else "runs"
        aside(f"{outcome.operator} ({outcome.operator_name}) {then} the house: its admins' tokens are the operator's.")
