"""A disk that is soon full, for tests of what happens then."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest


def small_disk(at: Path, size: str = "256k") -> AbstractContextManager[None]:
    """Mount a disk of that size over a directory; skips the test where we may not."""
    return mounted("-t", "tmpfs", "-o", f"size={size}", "tmpfs", at=at)


@contextmanager
def mounted(*how: str | Path, at: Path) -> Iterator[None]:
    """Mount something over a directory, by the words that ``mount`` takes; skips the test where we may not."""
    at.mkdir(exist_ok=True)
    if subprocess.run(["mount", *how, at], capture_output=True).returncode:
        pytest.skip("a disk of our own cannot be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", at], check=True)
