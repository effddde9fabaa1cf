"""Which files `.dockerignore` leaves out, by the rules that `docker build` goes by. Used by ``pack.py``.

- One pattern a line, relative to the directory; a leading or trailing ``/`` changes nothing. ``#`` in the first
  column starts a comment.
- ``*`` and ``?`` match within a name, ``**`` any number of directories, ``[a-z]`` and ``[^a-z]`` one letter; ``\\``
  takes the next letter as it is.
- A pattern that matches a directory leaves out all that is in it.
- ``!`` takes back in; of all patterns that match, the last one counts, also for what lies in a directory left out.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass

_SPECIAL = set("*?[]\\")


@dataclass(frozen=True, slots=True)
class _Rule:
    keeps: bool
    pattern: str
    matches: re.Pattern[str]


class IgnoreRules:
    """The rules of one file. Raises ``ValueError`` with the line that is no pattern.

    ``usual`` are patterns that count before the file's first one, so that it can take back in what they leave out.
    """

    def __init__(self, text: str, usual: Iterable[str] = ()) -> None:
        self._rules = [_rule(line) for line in usual]
        for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
            if not line.startswith("#") and (line := line.strip()):
                try:
                    self._rules.append(_rule(line))
                except ValueError as error:
                    raise ValueError(f"line {number}, `{line}`: {error}") from None

    def ignores(self, path: str) -> bool:
        """Whether the file or directory at this path, relative and with ``/``, is left out."""
        ignored = False
        for rule in self._rules:
            # A rule that would not change the verdict needs no look.
            if rule.keeps == ignored and _matches_it_or_above(rule, path):
                ignored = not rule.keeps
        return ignored

    def may_keep_within(self, directory: str) -> bool:
        """Whether something in a directory that is left out might be taken back in, so that it has to be searched."""
        return any(rule.keeps and _could_reach(rule.pattern, directory) for rule in self._rules)


def _rule(line: str) -> _Rule:
    keeps = line.startswith("!")
    pattern = line[1:].strip() if keeps else line
    if not pattern:
        raise ValueError("`!` needs a pattern after it")
    pattern = posixpath.normpath("/" + pattern).lstrip("/") or "."
    return _Rule(keeps, pattern, _compiled(pattern))


def _matches_it_or_above(rule: _Rule, path: str) -> bool:
    if rule.matches.fullmatch(path):
        return True
    slash = path.find("/")
    while slash >= 0:
        if rule.matches.fullmatch(path, 0, slash):
            return True
        slash = path.find("/", slash + 1)
    return False


def _could_reach(pattern: str, directory: str) -> bool:
    """Whether a pattern could match something under a directory; True when in doubt."""
    for ours, theirs in zip(pattern.split("/"), directory.split("/"), strict=False):
        if _SPECIAL & set(ours):
            return True
        if ours != theirs:
            return False
    return True


def _compiled(pattern: str) -> re.Pattern[str]:
    out: list[str] = []
    at = 0
    while at < len(pattern):
        letter = pattern[at]
        at += 1
        if letter == "*" and pattern.startswith("*", at):
            at += 1
            if pattern.startswith("/", at):
                at += 1
            # At the end it takes everything; before plain letters at the start any ending will do, as Docker has it.
            anything = at == len(pattern) or (pattern[at - 1] == "*" and at == 2 and not _SPECIAL & set(pattern[at:]))
            out.append(".*" if anything else "(?:.*/)?")
        elif letter == "*":
            out.append("[^/]*")
        elif letter == "?":
            out.append("[^/]")
        elif letter == "\\":
            if at == len(pattern):
                raise ValueError("a `\\` at the end escapes nothing")
            out.append(re.escape(pattern[at]))
            at += 1
        elif letter == "[":
            found, at = _letters(pattern, at)
            out.append(found)
        else:
            out.append(re.escape(letter))
    return re.compile("".join(out), re.DOTALL)


def _letters(pattern: str, at: int) -> tuple[str, int]:
    """One bracket expression from after its ``[``, as a regular expression, and where it ends."""
    negated = pattern.startswith("^", at)
    at += negated
    ranges: list[str] = []
    while not (pattern.startswith("]", at) and ranges):
        low, at = _letter(pattern, at)
        high = low
        if pattern.startswith("-", at):
            high, at = _letter(pattern, at + 1)
        if low <= high:
            ranges.append(f"{re.escape(low)}-{re.escape(high)}")
        else:
            ranges.append("")  # an empty range is allowed and matches nothing
    body = "".join(ranges)
    if negated:
        return f"[^/{body}]", at + 1
    return (f"(?!/)[{body}]" if body else "(?!)"), at + 1


def _letter(pattern: str, at: int) -> tuple[str, int]:
    if pattern.startswith("\\", at):
        at += 1
    elif pattern.startswith(("-", "]"), at):
        raise ValueError("`-` and `]` in brackets are written with a `\\` before them")
    if at >= len(pattern):
        raise ValueError("a `[` without its `]`")
    return pattern[at], at + 1
