"""Points in time as Edgegap's V1 writes them. Used by the modules beside this one."""

from __future__ import annotations

from datetime import UTC, datetime

from innkeeper.kit.clock import SECOND
from innkeeper.kit.errors import Invalid
from innkeeper.kit.stamps import moment

_FORM = "%Y-%m-%d %H:%M:%S"


def stamp(micros: int) -> str:
    """``YYYY-MM-DD HH:MM:SS.ffffff`` in UTC, without a zone."""
    return moment(micros).strftime(f"{_FORM}.%f")


def stamp_or_none(micros: int | None) -> str | None:
    """The same, and None for what has not happened."""
    return None if micros is None else stamp(micros)


def micros_of(text: str, field: str) -> int:
    """A time that was asked for, with or without a fraction of a second. Raises :class:`Invalid`."""
    for form in (_FORM, f"{_FORM}.%f"):
        try:
            found = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return int(found.replace(microsecond=0).timestamp()) * SECOND + found.microsecond
    raise Invalid(f"{field}: {text!r} is no time such as 2026-11-22 18:30:00 (UTC)")
