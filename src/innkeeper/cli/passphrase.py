"""The passphrase of an exported file: from a file, the environment, or a person. Used by ``export`` and ``import``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from .failures import Code, Failure

C = TypeVar("C", bound=Callable[..., Any])
VARIABLE = "INNKEEPER_PASSPHRASE"


def passphrase_option(command: C) -> C:
    """The option that names the file with the passphrase."""
    return click.option(
        "--passphrase-file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
        help=f"The passphrase is the first line of this file. [env: {VARIABLE} is the passphrase itself]",
    )(command)  # fmt: skip


def new_passphrase(file: Path | None) -> str:
    """The one to write with; a person is asked for it twice."""
    return _given(file) or _asked(twice=True)


def known_passphrase(file: Path | None) -> str:
    """The one that was written with."""
    return _given(file) or _asked(twice=False)


def _given(file: Path | None) -> str:
    if file is None:
        return os.environ.get(VARIABLE, "")
    try:
        lines = file.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Failure(f"--passphrase-file {file} cannot be read: {why}", Code.USAGE) from None
    if not lines or not lines[0]:
        raise Failure(f"--passphrase-file {file} has no first line", Code.USAGE)
    return lines[0]


def _asked(*, twice: bool) -> str:
    if not sys.stdin.isatty():
        raise Failure(f"there is no passphrase: give it in a file (--passphrase-file) or in {VARIABLE}", Code.USAGE)
    answer: str = click.prompt("Passphrase", hide_input=True, confirmation_prompt=twice, err=True)
    return answer
