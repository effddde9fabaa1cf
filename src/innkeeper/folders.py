"""The folders of a house: made so that servers pass through them, and held by one house at a time.

Used by ``inn.py`` and by ``transfer``, which puts a house into a folder.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

from innkeeper.kit.errors import Invalid


def make_folder(folder: Path, mode: int) -> None:
    """Make it with this mode, whatever our umask. One that is there keeps its own."""
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(mode)
    except OSError as error:
        raise Invalid(f"the data folder {folder} cannot be made: {error.strerror}") from None


def lock_folder(folder: Path) -> Any:
    """Hold the data folder for this process: two houses on one folder would start everything twice."""
    # For us alone: a server that could open it could hold it, and we would never start again.
    path = folder / "innkeeper.lock"
    file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600), "a")
    path.chmod(0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise Invalid(f"another Innkeeper runs on {folder}; stop it, or choose another folder with --data") from None
    return file
