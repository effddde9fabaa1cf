"""One call for each of several things, and what was done when one of them fails. For commands that take many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import click

from .failures import Failure, failure_of
from .telling import document

if TYPE_CHECKING:
    from .talk import Talk


def until_none(look: Callable[[], Iterable[str]], most: int, left: Callable[[int], Failure]) -> Iterator[str]:
    """All things that a look finds, each once, and those of further looks until one finds nothing new.

    Things that come while others are ended are found as well. Where there are new ones in each of ``most`` looks,
    ``left`` makes the failure that says so, of the number of things that the last look found.
    """
    told: set[str] = set()
    for _ in range(most):
        found = [thing for thing in dict.fromkeys(look()) if thing not in told]
        if not found:
            return
        told.update(found)
        yield from found
    if late := [thing for thing in dict.fromkeys(look()) if thing not in told]:
        raise left(len(late))


def each(talk: Talk, things: Iterable[str], call: Callable[[str], object], *, word: str, told: str) -> int:
    """Call for one thing after the other, and tell what is done; returns how many there were.

    ``word`` is the list of them in JSON, ``told`` begins the line for people, with ``{}`` where the thing stands. The
    first that fails ends it, and so does a failure to find the next one: with JSON the failure has the list of what was
    done before.
    """
    done: list[str] = []
    try:
        for thing in things:
            call(thing)
            done.append(thing)
            if not talk.as_json:
                click.echo(told.format(thing))
    except Exception as error:
        failure = failure_of(error, talk.url)
        if failure is None:
            raise
        failure.facts[word] = done
        raise failure from error
    if talk.as_json:
        document({word: done})
    return len(done)
