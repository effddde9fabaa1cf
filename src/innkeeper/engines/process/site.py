"""The folders of the process engine, and the users that its servers can be. Called by ``engine.py`` as it opens."""

from __future__ import annotations

import hashlib
import os
import pwd
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from innkeeper.engines.base import HostUnavailable


@dataclass(frozen=True, slots=True)
class Site:
    """Where and as whom servers run: ``run_as`` for all, or each as one of ``own_users``, or, both None, as we do."""

    homes: Path  #: where scratch folders go
    run_as: tuple[int, int] | None
    own_users: range | None
    notes: Sequence[str]  #: what the operator should know, one sentence each


def prepare(directory: Path, run_as: tuple[int, int] | None, own_users: range | None) -> Site:
    """Make the folders, and see what the wished users can do here. Raises :class:`HostUnavailable`."""
    homes, notes = directory / "home", list[str]()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, mode in (("run", 0o700), ("logs", 0o700), ("home", 0o711)):
            (directory / name).mkdir(mode=mode, exist_ok=True)
            (directory / name).chmod(mode)
        if own_users is not None and not users_exist(own_users):
            run_as, own_users = _nobody(), None
            notes.append(
                "all servers are one user, nobody, and can look into each other: there are too few users here to "
                "give each its own"
            )
        user = (own_users.start, own_users.start) if own_users is not None else run_as
        if user is not None:
            if user[0] == 0:
                notes.append("servers run as root: anybody's game server owns this machine")
            elif not _may_enter(homes, *user):
                notes.append(
                    f"user {user[0]} cannot enter {directory}: programs reach their build by relative paths alone; "
                    "put the directory where everybody may enter"
                )
                homes = _homes_elsewhere(directory)
    except OSError as error:
        raise HostUnavailable(f"the engine's directory cannot be used: {error}") from error
    return Site(homes, run_as, own_users, tuple(notes))


def users_exist(users: range, folder: Path = Path("/proc/self")) -> bool:
    """Whether these numbers, as users and as groups, can be had here: a user namespace may have fewer."""
    for name in ("uid_map", "gid_map"):
        try:
            lines = [[int(word) for word in line.split()] for line in (folder / name).read_text().splitlines()]
        except (OSError, ValueError):
            return False
        if not any(first <= users[0] and users[-1] < first + count for first, _, count in lines):
            return False
    return True


def _homes_elsewhere(directory: Path) -> Path:
    word = hashlib.sha256(str(directory).encode()).hexdigest()[:12]
    homes = Path("/tmp") / f"innkeeper-{word}"  # noqa: S108  made by us and nobody else, as is seen to here
    homes.mkdir(mode=0o711, exist_ok=True)
    info = homes.lstat()
    if info.st_uid != os.geteuid() or info.st_mode & 0o022 or homes.is_symlink():
        raise PermissionError(f"{homes} belongs to somebody else")
    homes.chmod(0o711)
    return homes


def _nobody() -> tuple[int, int]:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return 65534, 65534
    return entry.pw_uid, entry.pw_gid


def _may_enter(folder: Path, user: int, group: int) -> bool:
    """Whether that user may pass through the folder and all above it."""
    for place in (folder, *folder.parents):
        info = place.stat()
        bit = 0o100 if info.st_uid == user else 0o010 if info.st_gid == group else 0o001
        if not info.st_mode & bit:
            return False
    return True
