"""Where the entries of a build's archive may lie: a pure decision. Used by ``unpacking.py``, which carries it out.

A manifest is an index of everything unpacked so far. Paths and links are judged by it alone, so nothing that is on the
disk, or is put there meanwhile, can change a verdict.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from innkeeper.kit.errors import Invalid, TooLarge

from .inflow import Limits
from .tarball import Entry, Kind, shown

_MOST_HOPS = 40  # as the kernel follows


@dataclass(frozen=True, slots=True)
class Place:
    """What to do for one entry, in this order."""

    path: str  #: inside the build; empty for the build itself
    new_directories: list[str]  #: to be made, outermost first
    replaces_file: bool  #: a file of that path is to be removed first
    original: str | None  #: the file to hard link to


class Manifest:
    """Everything an archive has unpacked so far. Raises :class:`Invalid` for what must not be."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # By path: what it is, and a file's mode and hash or a link's target.
        self._index: dict[str, tuple[Kind, str]] = {}
        self._names_bytes = 0
        self._steps = 0

    def place(self, entry: Entry) -> Place:
        """Find the place of the next entry and note it."""
        path = self._checked_path(entry.path)
        if not path:
            if entry.kind is not Kind.DIRECTORY:
                raise Invalid(f"The archive has a {entry.kind.value} without a name. Pack it again.")
            return Place(path, [], False, None)
        directories = self._parents(path)
        known = self._index.get(path, (None, ""))[0]
        if known is not None and (known is Kind.DIRECTORY) != (entry.kind is Kind.DIRECTORY):
            raise Invalid(f"{shown(path)} is in the archive both as a {known.value} and as a {entry.kind.value}.")
        original = None
        if entry.kind is Kind.DIRECTORY:
            if known is None:
                self._add(path, Kind.DIRECTORY, "")
                directories.append(path)
        elif entry.kind is Kind.FILE:
            self._add(path, Kind.FILE, "")
        elif entry.kind is Kind.SYMLINK:
            self._check_name(entry.target, path)
            if not entry.target or entry.target.startswith("/"):
                raise Invalid(
                    f"{shown(path)} is a link to {shown(entry.target)}; links may stay inside the build only."
                )
            self._add(path, Kind.SYMLINK, entry.target)
        else:
            original = self._original(path, entry.target)
        return Place(path, directories, known is Kind.FILE, original)

    def written(self, path: str, detail: str) -> None:
        """Note the mode and hash of a file."""
        self._index[path] = (Kind.FILE, detail)

    def symlinks(self) -> Iterator[tuple[str, str]]:
        """All symbolic links with their targets, once each was followed and found to stay in the build."""
        links = [(path, target) for path, (kind, target) in self._index.items() if kind is Kind.SYMLINK]
        for path, _ in links:
            self._follow(path)
        return iter(links)

    def __len__(self) -> int:
        """How many files, directories and links there are."""
        return len(self._index)

    def on_disk(self) -> Iterator[str]:
        """The paths of all files and directories; links are in the directories."""
        return (path for path, (kind, _) in self._index.items() if kind is not Kind.SYMLINK)

    def hash(self) -> str:
        """SHA-256 over everything, in the order of paths."""
        digest = hashlib.sha256()
        for path, (kind, detail) in sorted(self._index.items()):
            digest.update(f"{kind.value} {path}\0{detail}\n".encode())
        return digest.hexdigest()

    def _checked_path(self, path: str) -> str:
        """The path without needless parts."""
        self._check_name(path, path)
        if path.startswith("/"):
            raise Invalid(f"{shown(path)} is an absolute path: pack with paths that start inside the build directory.")
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if ".." in parts:
            raise Invalid(f"{shown(path)} leads out of the build by `..`: pack with paths inside the build directory.")
        if len(parts) > self._limits.depth:
            raise Invalid(f"{shown(path)} lies deeper than {self._limits.depth} directories.")
        if any(len(part.encode()) > 255 for part in parts):
            raise Invalid(f"{shown(path)} has a name of more than 255 bytes: shorten it.")
        return "/".join(parts)

    def _check_name(self, name: str, path: str) -> None:
        size = len(name.encode())
        self._names_bytes += size
        if size > self._limits.path_bytes:
            raise Invalid(f"{shown(path)} is longer than {self._limits.path_bytes} bytes, or links to such a path.")
        if self._names_bytes > self._limits.names_bytes:
            raise TooLarge(f"The names in the archive are longer than {self._limits.names_bytes} bytes in all.")
        if any(letter < " " or letter == "\x7f" for letter in name):
            raise Invalid(f"{shown(path)} has a control character in its name: rename it.")

    def _parents(self, path: str) -> list[str]:
        """The directories above that are new."""
        new: list[str] = []
        slash = path.find("/")
        while slash >= 0:
            parent = path[:slash]
            known = self._index.get(parent, (None, ""))[0]
            if known is None:
                self._add(parent, Kind.DIRECTORY, "")
                new.append(parent)
            elif known is not Kind.DIRECTORY:
                raise Invalid(f"{shown(path)} lies under {shown(parent)}, which is a {known.value}.")
            slash = path.find("/", slash + 1)
        return new

    def _add(self, path: str, kind: Kind, detail: str) -> None:
        if path not in self._index and len(self._index) >= self._limits.entries:
            raise TooLarge(f"The archive has more than {self._limits.entries} files, directories and links.")
        self._index[path] = (kind, detail)

    def _original(self, path: str, target: str) -> str | None:
        """The file a hard link goes to; None where it goes to a symbolic link, which is then made once more."""
        original = self._checked_path(target)
        kind, detail = self._index.get(original, (Kind.DIRECTORY, ""))
        if kind is Kind.DIRECTORY or original == path:
            raise Invalid(
                f"{shown(path)} is a hard link to {shown(target)}, which is not a file before it in the archive."
            )
        self._add(path, kind, detail)
        return original if kind is Kind.FILE else None

    def _follow(self, link: str) -> None:
        """Follow a link by the index; raises unless every step stays in the build. What it leads to need not exist."""
        at: list[str] = []
        ahead = link.split("/")[::-1]
        hops = 0
        while ahead:
            self._steps += 1
            if self._steps > self._limits.link_steps:
                raise Invalid("The links in the archive are too tangled to follow.")
            part = ahead.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if not at:
                    raise Invalid(f"{shown(link)} is a link that leads out of the build; links may stay inside only.")
                at.pop()
                continue
            at.append(part)
            kind, target = self._index.get("/".join(at), (Kind.FILE, ""))
            if kind is Kind.SYMLINK:
                hops += 1
                if hops > _MOST_HOPS:
                    raise Invalid(f"{shown(link)} is a link that goes round in a circle, or through too many others.")
                at.pop()
                ahead.extend(target.split("/")[::-1])
