"""How results are told: as columns and lines for people, as JSON for programs. Used by all commands.

Results go to standard output; what is told along the way (progress, build logs) to standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import click
import msgspec


def document(value: Any) -> None:
    """One JSON document, indented."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def line(value: Any) -> None:
    """One JSON document on one line: a stream is made of them."""
    click.echo(msgspec.json.encode(value).decode())
    sys.stdout.flush()


def aside(text: str) -> None:
    """Something for the person who waits."""
    click.echo(text, err=True)


def columns(heads: Sequence[str], rows: Iterable[Sequence[object]], nothing: str = "none") -> None:
    """A table; nothing is cut, so that ids can be copied. ``nothing`` is said where there are no rows."""
    lines = [[_word(cell) for cell in row] for row in rows]
    if not lines:
        aside(nothing)
        return
    lines.insert(0, [head.upper() for head in heads])
    widths = [max(len(row[at]) for row in lines) for at in range(len(heads))]
    for row in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """What is known of one thing, a line each; what is not known is left out."""
    known = [(name, _word(value)) for name, value in pairs if value is not None and value is not msgspec.UNSET]
    width = max((len(name) for name, _ in known), default=0)
    for name, value in known:
        click.echo(f"{name:{width}}  {value}")


def _word(value: object) -> str:
    match value:
        case None | msgspec.UNSET:
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return moment(value)
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def moment(value: datetime) -> str:
    """A point in time, to the second, in UTC."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def size(count: float) -> str:
    """Bytes, for people."""
    if count < 1000:
        return many(round(count), "byte")
    for unit in ("kB", "MB"):
        count /= 1000
        if count < 1000:
            return f"{count:.1f} {unit}"
    return f"{count / 1000:.1f} GB"


def many(count: int, what: str) -> str:
    """So many of something whose plural ends in s: ``1 file``, ``2 files``."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def hours(count: float) -> str:
    """Hours, for people."""
    return "less than 0.01" if 0 < count < 0.01 else f"{count:.2f}"
