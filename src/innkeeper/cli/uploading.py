"""From a directory to a build that servers can run, telling the person how it goes. For ``deploy`` and ``builds``."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .failures import Failure
from .pack import CannotPack, check_directory, pack
from .telling import aside, many, size

if TYPE_CHECKING:
    from innkeeper.contract.hathora.builds_v3 import BuildV3
    from innkeeper.sdk import HathoraCloud

_EVERY = 3.0  # seconds between two lines that tell how far it is


def check(directory: Path) -> None:
    """Say what is wrong with a directory before anything is made of it. Raises :class:`Failure`."""
    try:
        check_directory(directory)
    except CannotPack as error:
        raise Failure(str(error)) from error


def build_directory(
    client: HathoraCloud, directory: Path, *, build_tag: str | None = None, build_id: str | None = None
) -> BuildV3:
    """Pack, upload and run a build; its log goes to standard error. Raises :class:`Failure`."""
    began = time.monotonic()
    try:
        with _bar("Packing") as progress:
            packed = pack(directory, progress=progress)
    except CannotPack as error:
        raise Failure(str(error)) from error
    without = " (without .git)" if packed.without_git else ""
    aside(f"Packed {many(packed.files, 'file')}, {size(packed.unpacked)}, into {size(packed.size)}{without}")
    try:
        with _bar("Uploading") as progress:
            created = client.upload_build(packed.path, build_tag=build_tag, build_id=build_id, progress=progress)
    finally:
        packed.path.unlink()
    # A build takes as long as it takes; the log tells that it goes on.
    with client.builds_v3.run_build.options(timeout=None)(created.build_id) as log:
        for line in log.lines():
            aside(f"  {line}")
    build = client.builds_v3.get_build(created.build_id)
    if build.status != "succeeded":
        raise Failure(f"build {build.build_id} has {build.status}; its log above says why", build=build.build_id)
    aside(f"Built {build.build_id} in {time.monotonic() - began:.1f} s")
    return build


@contextmanager
def _bar(text: str) -> Generator[Callable[[int, int], None]]:
    """A progress bar, on a terminal; elsewhere a line now and then."""
    if not sys.stderr.isatty():
        yield now_and_then(text, time.monotonic, aside)
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(text, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def now_and_then(
    text: str, now: Callable[[], float], tell: Callable[[str], None], every: float = _EVERY
) -> Callable[[int, int], None]:
    """Progress as lines, none for what is soon done: a log shows that it goes on, and is not filled with it."""
    last = now()

    def progress(done: int, total: int) -> None:
        nonlocal last
        if now() - last >= every and done < total:
            last = now()
            tell(f"{text}: {size(done)} of {size(total)}")

    return progress
