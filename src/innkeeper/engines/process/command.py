"""Makes the shell step aside, so that a start command's program is the main program. Called by ``engine.py``.

A shell that stays as the program's parent dies by the SIGTERM meant for the program and hides its exit code. Not every
``sh -c`` runs its last command in its own place, so ``exec`` is put before it where that changes nothing else.
"""

from __future__ import annotations

import re

#: Words at a command's beginning that are the shell's own, so that there is no program to step aside for.
_SHELLS = frozenset(
    re.split(
        " ",
        "if then elif else fi for while until do done case esac in { } ! . : [ [[ alias bg break cd command continue "
        "eval exec exit export fg function getopts hash jobs local read readonly return select set shift source test "
        "time times trap type ulimit umask unalias unset wait",
    )
)
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")


def step_aside(command: str) -> str:
    """The command line with ``exec`` before its last program, or as it is where it is not plain enough to tell."""
    pieces = _pieces(command)
    if pieces is None or any(_first_word(command[begin:end]) == "trap" for begin, end in pieces):
        return command
    begin, end = pieces[-1]
    last = command[begin:end]
    at, word = _program(last)
    if not word or word in _SHELLS or word.startswith("#"):
        return command
    return f"{command[: begin + at]}exec {command[begin + at :]}"


def _pieces(command: str) -> list[tuple[int, int]] | None:
    """Where the commands of a list lie; None when there is more to it than commands after one another.

    Separators are ``;``, ``&&``, ``||`` and newlines. A pipe, a command in the background, brackets, a substitution or
    a here document make it too much.
    """
    pieces: list[tuple[int, int]] = []
    begin, at, quote = 0, 0, ""
    while at < len(command):
        letter, pair = command[at], command[at : at + 2]
        if quote == "'":
            quote = "" if letter == "'" else quote
        elif letter == "\\":
            at += 1
        elif letter == "`" or pair in ("$(", "<<"):
            return None
        elif quote == '"':
            quote = "" if letter == '"' else quote
        elif letter in "'\"":
            quote = letter
        elif letter == "#" and (at == 0 or command[at - 1] in " \t\n;"):
            newline = command.find("\n", at)
            if newline < 0:
                break
            at = newline
            continue
        elif letter in "()":
            return None
        elif pair in ("&&", "||"):
            pieces.append((begin, at))
            at += 1
            begin = at + 1
        elif letter == "|" or (letter == "&" and (at == 0 or command[at - 1] not in "<>")):
            return None
        elif letter in ";\n":
            if command[begin:at].strip():
                pieces.append((begin, at))
            begin = at + 1
        at += 1
    if quote:
        return None
    if command[begin:].strip() and not command[begin:].lstrip().startswith("#"):
        pieces.append((begin, len(command)))
    return pieces or None


def _first_word(piece: str) -> str:
    words = piece.split(None, 1)
    return words[0] if words else ""


def _program(piece: str) -> tuple[int, str]:
    """Where the program's name begins, behind assignments, and its first word; no word when that is hard to tell."""
    at = len(piece) - len(piece.lstrip())
    while True:
        word = _first_word(piece[at:])
        if not _ASSIGNMENT.match(word):
            return at, "" if word[:1] in "<>" else word
        if any(letter in word for letter in "'\"\\"):  # a value with blanks, perhaps
            return at, ""
        at += len(word)
        at += len(piece[at:]) - len(piece[at:].lstrip())
