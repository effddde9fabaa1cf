"""One call for each of several things, and what was done when one of them fails. For commands that take many."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from .failures import failure_of
from .telling import document

if TYPE_CHECKING:
    from .talk import Talk


def each(talk: Talk, things: Iterable[str], call: Callable[[str], object], *, word: str, told: str) -> int:
    """Call for one thing after the other, and tell what is done; returns how many there were.

    ``word`` is the list of them in JSON, ``told`` begins the line for people, with ``{}`` where the thing stands. The
    first that fails ends it: with JSON its failure has the list of what was done before.
    """
    done: list[str] = []
    for thing in things:
        try:
            call(thing)
        except Exception as error:
            failure = failure_of(error, talk.url)
            if failure is None:
                raise
            failure.facts[word] = done
            raise failure from error
        done.append(thing)
        if not talk.as_json:
            click.echo(told.format(thing))
    if talk.as_json:
        document({word: done})
    return len(done)
