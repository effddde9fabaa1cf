"""The scratch folder of each server: its HOME and its place for temporary files. Called by ``servers.py``."""

from __future__ import annotations

import errno
import os


class Scratch:
    """The scratch folders below ``homes``. Whose they are also says which users are taken.

    A server with a user of its own has a folder of that user from its start until it is discarded. So no two that are
    alive have the same, and nobody is given one to whom a folder with somebody else's data belongs; this holds after a
    restart too, for it is read from the folders.
    """

    def __init__(self, homes: str) -> None:
        self._homes = homes
        self._taken = dict[str, int]()
        for entry in os.scandir(homes):
            self._taken[entry.name] = entry.stat(follow_symlinks=False).st_uid
        self._users = set(self._taken.values())
        self._last = max(self._users, default=0)

    def user_of(self, server_id: str, first: int, count: int) -> int:
        """Whose a server's folder is, if it has one already of such a user; else see :meth:`free_user`."""
        number = self._taken.get(server_id, -1)
        return number if first <= number < first + count else self.free_user(first, count)

    def free_user(self, first: int, count: int) -> int:
        """A user number that no folder belongs to, of ``count`` from ``first`` on; one used long ago, if any was."""
        at = self._last - first + 1
        for number in range(max(at, 0), max(at, 0) + count):
            user = first + number % count
            if user not in self._users:
                self._last = user
                return user
        raise OSError(errno.EAGAIN, f"all {count} users for servers are taken; discard ended servers")

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
            self._taken[server_id] = owner[0]
            self._users.add(owner[0])
        return home

    def rename(self, name: str, server_id: str) -> None:
        """Give a folder to another, who has none or an empty one. Raises ``OSError``."""
        os.rename(self.path(name), self.path(server_id))
        if name in self._taken:
            self._taken[server_id] = self._taken.pop(name)

    def sweep(self, prefix: str) -> None:
        """Delete the folders whose names begin so."""
        for name in os.listdir(self._homes):
            if name.startswith(prefix):
                self.remove(name)

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
                self._users.discard(self._taken.pop(server_id, -1))
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
            else:
                self._users.discard(self._taken.pop(server_id, -1))
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
