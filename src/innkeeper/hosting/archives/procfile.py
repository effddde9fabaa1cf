"""How a build says what it is: by the ``server:`` line of its ``Procfile``, or by a ``Dockerfile``. For ``builds.py``.

    # comments and blank lines are fine
    server: ./game --port $PORT

Each line is ``name: command``; other names than ``server`` are kept and not run.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from innkeeper.kit.errors import Invalid

NAME = "Procfile"
DOCKERFILE = "Dockerfile"
SERVER = "server"
EXAMPLE = "server: ./my-server --port $PORT"

_MOST_BYTES = 64 * 1024
_LINE = re.compile(r"([A-Za-z0-9_-]+)\s*:\s*(.*)")


def parse(text: bytes | str) -> dict[str, str]:
    """The commands by name, in the order of the file. Raises :class:`Invalid` with the line that cannot be read."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise Invalid("The Procfile is not UTF-8 text: save it as UTF-8.") from None
    commands: dict[str, str] = {}
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text.removeprefix("\ufeff")), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        if found is None or "\0" in line:
            raise Invalid(f"Line {number} of the Procfile is not `name: command`. Write, for example: {EXAMPLE}")
        name, command = found[1], found[2]
        if not command:
            raise Invalid(f"Line {number} of the Procfile names no command for `{name}`. Write, for example: {EXAMPLE}")
        if name in commands:
            raise Invalid(f"Line {number} of the Procfile gives a second command for `{name}`: keep one of them.")
        commands[name] = command
    return commands


def server_command(build: Path) -> str:
    """The shell command line that starts the server of an unpacked build.

    Raises :class:`Invalid` with what is missing and what to write, for the person who packed the build.
    """
    path = build / NAME
    if not path.is_file():
        if os.path.lexists(path):
            raise Invalid(
                f"The Procfile of the build is not a file. Make it a text file with a line such as: {EXAMPLE}"
            )
        raise Invalid(_missing(build))
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise Invalid(f"The Procfile has more than {_MOST_BYTES} bytes; a line per program is all it holds.")
    commands = parse(data)
    if SERVER not in commands:
        others = f" It names {', '.join(f'`{name}`' for name in commands)} only." if commands else ""
        raise Invalid(
            f"The Procfile has no `server:` line.{others} Add the one that starts the game, such as: {EXAMPLE}"
        )
    return commands[SERVER]


def starters(build: Path) -> tuple[bool, bool]:
    """Whether an unpacked build has a Dockerfile and something called Procfile at its top."""
    return (build / DOCKERFILE).is_file(), os.path.lexists(build / NAME)


def without_engine(why: str) -> str:
    """What to say of a build that has a Dockerfile and nothing else, when no image can be made. ``why``: a sentence."""
    return (
        f"The build has a {DOCKERFILE}, but {why}. Or say how to start it as a program of the machine: add a file"
        f" `{NAME}` with a line such as: {EXAMPLE}"
    )


def _missing(build: Path) -> str:
    """What to say about a build without a Procfile, and without a Dockerfile that could be built, by what it has."""
    names = sorted(entry.name for entry in build.iterdir())
    for wanted in (NAME, DOCKERFILE):
        other_case = next((name for name in names if name.lower() == wanted.lower() and name != wanted), None)
        if other_case is not None:
            return f"The build has no `{wanted}`, but a `{other_case}`: rename it, for capitals count."
    if DOCKERFILE in names:
        return "The Dockerfile of the build is not a file. Make it one, and upload again."
    for wanted in (NAME, DOCKERFILE):
        if len(names) == 1 and (build / names[0] / wanted).is_file():
            return (
                f"The {wanted} lies in the directory `{names[0]}`, not at the top of the build: pack what is inside"
                f" `{names[0]}` instead of the directory itself."
            )
    return f"The build has no {NAME} and no {DOCKERFILE}. Add a {NAME} at its top with a line such as: {EXAMPLE}"
