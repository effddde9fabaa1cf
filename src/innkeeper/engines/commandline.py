"""What a launch says is to be run in place of what its build says. Pure; called by the engines.

Whoever says it writes words as for a shell. A container is given them split, and no shell reads them there; a program's
start command is a line for the shell as it is, so that ``$PORT`` can be named in it.
"""

from __future__ import annotations

import re
import shlex

from .base import NotStarted

#: One word of a shell line that is one plain program with its arguments, and such a line.
_WORD = re.compile(r"""(?:[^\s'"\\();<>|&`#]|\\.|'[^']*'|"(?:[^"\\`]|\\.)*+")++""")
_PLAIN = re.compile(rf"[ \t]*(?:{_WORD.pattern}[ \t]*+)++")
#: What may stand before the program.
_BEFORE_IT = re.compile(r"exec$|[A-Za-z_][A-Za-z0-9_]*=")


def words(text: str, what: str) -> list[str]:
    """The words of a command or of its arguments, ``what`` says which. Raises ``NotStarted`` where a quote stays open.

    ``$`` and the like mean nothing: a container's words are handed to its program as they are.
    """
    try:
        return shlex.split(text)
    except ValueError as error:
        raise NotStarted(f"its {what} cannot be split into words: {error}") from None


def program_line(command: str, entrypoint: str, arguments: str) -> str:
    """The shell line of a program whose build's own is ``command``. Raises ``NotStarted``.

    An entrypoint takes the place of the whole line. Arguments alone take the place of those behind the program that
    the line names, and so it has to be one plain program with its arguments.
    """
    words(entrypoint, "command")
    words(arguments, "arguments")
    if entrypoint.strip():
        return f"{entrypoint.strip()} {arguments.strip()}".strip()
    if not arguments.strip():
        return command
    return f"{_program_of(command)} {arguments.strip()}"


def _program_of(command: str) -> str:
    """The line up to its program, with what is set for it."""
    kept: list[str] = []
    if _PLAIN.fullmatch(command):
        for word in _WORD.findall(command):
            kept.append(word)
            if not _BEFORE_IT.match(word):
                return " ".join(kept)
    raise NotStarted(
        "it was given arguments alone, and the start command of its build is not one program with its arguments: "
        f"{command!r}; say the command too"
    )
