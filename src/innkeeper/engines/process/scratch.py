"""The scratch folder of each server: its HOME and its place for temporary files. Called by ``servers.py``."""

from __future__ import annotations

import os


class Scratch:
    """The scratch folders below ``homes``."""

    def __init__(self, homes: str) -> None:
        self._homes = homes

    def path(self, server_id: str) -> str:
        """Where a server's folder is, or would be."""
        return f"{self._homes}/{server_id}"

    def make(self, server_id: str, owner: tuple[int, int] | None) -> str:
        """Make it, for its owner (user and group number) or for us; its path. It may be there already."""
        home = self.path(server_id)
        try:
            os.mkdir(home, 0o700)
        except FileExistsError:
            pass
        if owner is not None:
            os.chown(home, *owner)
        return home

    def remove(self, server_id: str) -> None:
        """Delete it, as the user that it belongs to and, if there is something in it, not in our own time."""
        home = self.path(server_id)
        try:
            owner = os.lstat(home)
            folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return
        try:
            if not os.listdir(folder):
                os.rmdir(home)
            elif os.fork() == 0:
                try:
                    if os.getuid() == 0:
                        os.setgroups([])
                        os.setegid(owner.st_gid)
                        os.seteuid(owner.st_uid)
                    _remove_below(folder)
                    os.seteuid(os.getuid())
                    os.rmdir(home)
                finally:
                    os._exit(0)
        finally:
            os.close(folder)


def _remove_below(folder: int) -> None:
    """Delete everything in an open folder, following no link."""
    for _, folders, files, at in os.fwalk(".", topdown=False, dir_fd=folder, follow_symlinks=False):
        for name in files:
            os.unlink(name, dir_fd=at)
        for name in folders:
            try:
                os.rmdir(name, dir_fd=at)
            except NotADirectoryError:  # a link to a folder
                os.unlink(name, dir_fd=at)
