"""Points in time on the command line: read as people write them, and as this program prints them. Used by all commands
that take one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

C = TypeVar("C", bound=Callable[..., Any])

#: A date, and with it, after a ``T`` or a blank, a time to the minute, second or less, and an offset or ``Z``.
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?( ?(Z|[+-]\d\d:?\d\d))?)?", re.ASCII | re.IGNORECASE
)


def read_time(text: str) -> datetime:
    """The time that a text tells; in UTC where it names no offset. Raises ``ValueError``."""
    text = text.strip()
    if not _TIME.fullmatch(text):
        raise ValueError(text)
    date, time = text[:10], text[10:].replace(" ", "").upper().removeprefix("T")
    found = datetime.fromisoformat(f"{date}T{time}" if time else date)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def time_option(name: str, help: str) -> Callable[[C], C]:
    """An option that takes a point in time: an aware ``datetime``, or None."""
    return click.option(name, callback=_read, metavar="TIME", help=help)


def _read(context: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
    try:
        return None if value is None else read_time(value)
    except ValueError:
        how = "write one such as 2030-01-31, 2030-01-31T12:00 or 2030-01-31 12:00:00Z"
        raise click.BadParameter(f"{value!r} is no time: {how}") from None
