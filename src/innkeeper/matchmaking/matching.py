"""Makes matches of players who wait: who has waited longest chooses first. Pure; called by ``matches.py``.

Players of a match have chosen alike, and each pair of them is within the tolerance of both. A player who takes long
is easier to please (``rules.Loosened``): then fewer players are enough, and those further away fit.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from .rules import Profile, Tolerance, ease

#: Of so few candidates near somebody all are put in order; of more, everybody is gone through from the oldest.
_FEW = 512


@dataclass(frozen=True, slots=True)
class Waiting:
    """A player who waits, for the eyes of the kernel."""

    id: str
    player: str  #: two tickets of one player are never in one match; empty: nobody knows who it is
    since: int
    choices: tuple[str | None, ...]  #: in the order of the profile's
    numbers: tuple[float | None, ...]  #: in the order of the profile's


@dataclass(slots=True)
class _Candidate:
    ticket: Waiting
    place: int  #: 0 has waited longest
    enough: int
    tolerances: tuple[Tolerance, ...]
    gone: bool = field(default=False)


def matches(profile: Profile, waiting: Iterable[Waiting], now: int) -> list[list[Waiting]]:
    """Which of them play together, those who wait longest first. Everybody is in one match at most."""
    alike: dict[tuple[str | None, ...], list[_Candidate]] = {}
    ordered = sorted(waiting, key=lambda ticket: (ticket.since, ticket.id))
    for place, ticket in enumerate(ordered):
        enough, tolerances = ease(profile, now - ticket.since)
        alike.setdefault(ticket.choices, []).append(_Candidate(ticket, place, enough, tolerances))
    found = [match for group in alike.values() for match in _of_group(profile.size, group)]
    found.sort(key=lambda match: match[0].place)
    return [[one.ticket for one in match] for match in found]


def _of_group(size: int, group: Sequence[_Candidate]) -> Iterator[list[_Candidate]]:
    near = _Near(group)
    for first in group:
        if first.gone:
            continue
        match, players = [first], {first.ticket.player}
        if size > 1:
            for other in near.of(first):
                if other.gone or other is first or (other.ticket.player and other.ticket.player in players):
                    continue
                if all(_fit(one, other) for one in match):
                    match.append(other)
                    players.add(other.ticket.player)
                    if len(match) == size:
                        break
        if len(match) >= first.enough:
            near.take(match)
            yield match


class _Near:
    """Finds candidates by that number of theirs which leaves the fewest, so that one whom nobody fits is not held
    against everybody."""

    def __init__(self, group: Sequence[_Candidate]) -> None:
        self._group, self._all = group, group
        self._gone = 0
        self._placed: list[list[tuple[float, int]]] = []  # by span: who has said that number, in its order
        self._anywhere: list[list[int]] = []  # by span: who has not
        for said in zip(*(one.ticket.numbers for one in group), strict=True):
            self._placed.append(sorted((number, at) for at, number in enumerate(said) if number is not None))
            self._anywhere.append([at for at, number in enumerate(said) if number is None])

    def take(self, match: Sequence[_Candidate]) -> None:
        """They have a match, and are nobody's candidates any more."""
        for one in match:
            one.gone = True
        self._gone += len(match)
        if self._gone * 2 > len(self._all):  # else each would step over all who are gone
            self._all, self._gone = [one for one in self._all if not one.gone], 0

    def of(self, one: _Candidate) -> Iterable[_Candidate]:
        """Those who may fit, the one who has waited longest first."""
        fewest, found = _FEW + 1, None
        for span, number in enumerate(one.ticket.numbers):
            if number is None:
                continue
            placed, tolerance = self._placed[span], one.tolerances[span]
            begin = bisect_left(placed, (number - tolerance.below, -1))
            end = bisect_right(placed, (number + tolerance.above, len(self._group)))
            count = end - begin + len(self._anywhere[span])
            if count < fewest:
                fewest, found = count, (span, begin, end)
        if found is None:
            return self._all
        span, begin, end = found
        near = [at for _, at in self._placed[span][begin:end]]
        return [self._group[at] for at in sorted(near + self._anywhere[span])]


def _fit(one: _Candidate, other: _Candidate) -> bool:
    """Whether each is within the other's tolerance. Who has said no number fits everybody."""
    for at, mine in enumerate(one.ticket.numbers):
        theirs = other.ticket.numbers[at]
        if mine is None or theirs is None:
            continue
        apart = theirs - mine
        here, there = one.tolerances[at], other.tolerances[at]
        if not (-here.below <= apart <= here.above and -there.below <= -apart <= there.above):
            return False
    return True
