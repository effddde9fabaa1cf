"""To a build that servers can run, from a directory or a registry, telling how it goes. For ``deploy``, ``builds``."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from .failures import Failure
from .pack import CannotPack, check_directory, pack
from .patience import Patience, heard_out
from .telling import aside, many, size

if TYPE_CHECKING:
    from innkeeper.contract.hathora.builds_v3 import BuildV3
    from innkeeper.contract.resource import ByteStream
    from innkeeper.sdk import HathoraCloud

_EVERY = 3.0  # seconds between two lines that tell how far it is


def check(directory: Path) -> None:
    """Say what is wrong with a directory before anything is made of it. Raises :class:`Failure`."""
    try:
        check_directory(directory)
    except CannotPack as error:
        raise Failure(str(error)) from error


def build_directory(
    client: HathoraCloud,
    directory: Path,
    patience: Patience,
    *,
    build_tag: str | None = None,
    build_id: str | None = None,
) -> BuildV3:
    """Pack, upload and run a build; its log goes to standard error. Raises :class:`Failure`."""
    began = time.monotonic()
    try:
        with bar("Packing") as progress:
            packed = pack(directory, progress=progress)
    except CannotPack as error:
        raise Failure(str(error)) from error
    without = " (without .git)" if packed.without_git else ""
    aside(f"Packed {many(packed.files, 'file')}, {size(packed.unpacked)}, into {size(packed.size)}{without}")
    try:
        with bar("Uploading") as progress:
            created = client.upload_build(packed.path, build_tag=build_tag, build_id=build_id, progress=progress)
    finally:
        packed.path.unlink()
    # A build takes as long as it takes; the log tells that it goes on.
    run = client.builds_v3.run_build.options(timeout=None)
    return _finished(client, created.build_id, partial(run, created.build_id), patience, "Built", began)


def build_image(
    client: HathoraCloud,
    image: str,
    patience: Patience,
    *,
    registry: str | None = None,
    auth: str | None = None,
    build_tag: str | None = None,
    build_id: str | None = None,
) -> BuildV3:
    """Make a build of an image in a registry; its log goes to standard error. Raises :class:`Failure`."""
    from innkeeper.contract.hathora.builds_v3 import CreateBuildV3Params, RegistryConfig
    from innkeeper.sdk import UNSET, BadRequest, Invalid

    began = time.monotonic()
    params = CreateBuildV3Params(
        build_id=UNSET if build_id is None else build_id, build_tag=UNSET if build_tag is None else build_tag
    )
    created = client.builds_v3.create_build_registry(params)
    source = RegistryConfig(
        image=image, registry_url=UNSET if registry is None else registry, auth=UNSET if auth is None else auth
    )
    run = client.builds_v3.run_build_registry.options(timeout=None)
    hint = "" if auth else "; if the registry asks who you are, add --login USER"
    try:
        listen = partial(run, created.build_id, source)
        return _finished(client, created.build_id, listen, patience, "Pulled", began, hint)
    except (BadRequest, Invalid):  # what was asked for is none: nothing ever comes of the build
        client.builds_v3.delete_build(created.build_id)
        raise


def _finished(
    client: HathoraCloud,
    build_id: str,
    listen: Callable[[], ByteStream],
    patience: Patience,
    done: str,
    began: float,
    hint: str = "",
) -> BuildV3:
    """Have a build run and tell its log as it comes, over a restart of Innkeeper too; the build, if it succeeded."""
    look = partial(client.builds_v3.get_build, build_id)
    build, heard = heard_out(listen, look, lambda line: aside(f"  {line}"), patience)
    if build.status != "succeeded":
        why = f"its log above says why{hint}" if heard else "the end of its log is lost; create it again to see why"
        raise Failure(f"build {build_id} has {build.status}; {why}", build=build_id)
    aside(f"{done} {build_id} in {time.monotonic() - began:.1f} s")
    return build


@contextmanager
def bar(text: str) -> Generator[Callable[[int, int], None]]:
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
