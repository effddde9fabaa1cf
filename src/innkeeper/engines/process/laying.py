"""Lays files that a server gets into its scratch folder, before its program starts. Called by ``starting.py`` in the
spawner, and :func:`within_reach` by ``engine.py``.

The folder may be one that the server has used before, with what its program left there. No link in it is followed: what
is laid into a folder stays in that folder.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

#: What a folder of files on its way is called below the scratch folders; no server's id begins so.
SENT = ".files-"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def within_reach(files: Path, homes: Path) -> Path:
    """The files on the disk of the scratch folders, from which they need only be renamed: themselves, or a copy."""
    import shutil  # for the engine alone: the spawner is to stay light

    if files.stat().st_dev == homes.stat().st_dev:
        return files
    copy = homes / f"{SENT}{files.name}"
    shutil.rmtree(copy, ignore_errors=True)
    try:
        shutil.copytree(files, copy)
    except BaseException:
        shutil.rmtree(copy, ignore_errors=True)
        raise
    return copy


def lay(files: str, home: str) -> None:
    """Move all that is below a folder into another one of the same disk, and make it that one's owner's. What has the
    same name there is replaced. Raises ``OSError``."""
    try:
        source, into = os.open(files, _FOLDER), -1
        try:
            into = os.open(home, _FOLDER)
            owner = os.fstat(into)
            _lay(source, into, owner.st_uid, owner.st_gid)
        finally:
            os.close(source)
            if into >= 0:
                os.close(into)
    except OSError as error:
        where = f" ({error.filename})" if isinstance(error.filename, str) else ""
        text = f"the files that it gets could not be laid into its folder: {error.strerror}{where}"
        raise OSError(error.errno, text) from error


def _lay(source: int, into: int, user: int, group: int) -> None:
    for name in os.listdir(source):
        if not stat.S_ISDIR(os.stat(name, dir_fd=source, follow_symlinks=False).st_mode):
            os.rename(name, name, src_dir_fd=source, dst_dir_fd=into)
            os.chown(name, user, group, dir_fd=into, follow_symlinks=False)
            continue
        try:
            os.mkdir(name, 0o755, dir_fd=into)
            os.chown(name, user, group, dir_fd=into, follow_symlinks=False)
        except FileExistsError:
            pass
        below, there = os.open(name, _FOLDER, dir_fd=source), -1
        try:
            there = os.open(name, _FOLDER, dir_fd=into)
            _lay(below, there, user, group)
        finally:
            os.close(below)
            if there >= 0:
                os.close(there)
        os.rmdir(name, dir_fd=source)
