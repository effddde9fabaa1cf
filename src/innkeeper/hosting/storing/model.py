"""Storages, pull profiles and outputs that are kept in them, and the rules that they keep. Pure but for its words.

A storage is a bucket of an organisation and how to get at it. A pull profile says what of a bucket is laid into servers
before they start; it does so for the labels that it is linked to. Rows of the tables come out as the dataclasses here,
in the order of their fields.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from innkeeper.kit.clock import HOUR, SECOND
from innkeeper.kit.destinations import check_url
from innkeeper.kit.errors import Invalid

#: Of one organisation; of one storage; of one label.
MOST_STORAGES = 100
MOST_PROFILES = 100
MOST_LINKS = 20
#: What is laid into one server: bytes, and files.
MOST_BYTES = 1 << 30
MOST_FILES = 10_000
#: Output is offered to its storage for so long after its server ended (microseconds), and once at least.
TRIED = 24 * HOUR
#: Seconds between an attempt that failed and the next one, about; the last is repeated.
WAITS = (10.0, 30.0, 120.0, 600.0, 1800.0, 3600.0)
#: A link to what was kept is good for so many seconds.
LINK_SECONDS = 3600
#: Characters that are kept of why an attempt failed.
MOST_TOLD = 500

#: Where nothing is laid: what a program, its system and its machine stand on.
_PROTECTED = (
    "/etc", "/proc", "/sys", "/dev", "/boot", "/run", "/var/run", "/bin", "/sbin", "/lib", "/lib32", "/lib64",
    "/libx32", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libx32", "/usr/libexec",
    "/usr/local/bin", "/usr/local/sbin", "/usr/local/lib",
)  # fmt: skip
#: The same for these alone; what is below them is open.
_OPEN_BELOW = ("/", "/usr", "/usr/local", "/var")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_KEY_ID = re.compile(r"[!-+\--~]{1,512}")  # no comma: it stands in a list
_MOST_SECRET = 1024
_MOST_PATH, _MOST_PARTS = 1024, 32


class OutputForm(StrEnum):
    """How output is written into a bucket."""

    TEXT = "text"  #: as it was printed
    NDJSON = "ndjson"  #: a JSON object for each line


class PullKind(StrEnum):
    """What a profile brings."""

    FILE = "file"
    FOLDER = "folder"  #: all that is below it


class SaveState(StrEnum):
    """How it stands with the output of a server."""

    WAITING = "waiting"  #: its server has not ended, or an attempt is due
    KEPT = "kept"  #: it is in the bucket
    NOTHING = "nothing"  #: the server printed nothing, and nothing was stored
    GIVEN_UP = "given up"  #: it could not be stored within its time, or its storage was deleted


@dataclass(frozen=True, slots=True)
class Storage:
    """A bucket, and how to get at it."""

    id: str
    org_id: str
    name: str  #: unique in the organisation
    endpoint: str  #: ``http`` or ``https``
    bucket: str
    key_id: str
    secret_sealed: str
    form: OutputForm
    created_at: int
    created_by: str
    changed_at: int


@dataclass(frozen=True, slots=True)
class Profile:
    """What is brought from a bucket."""

    id: str
    storage_id: str
    name: str  #: unique in the storage
    source: str  #: as its owner wrote it: the bucket and the path in it
    kind: PullKind
    destination: str  #: as its owner wrote it
    created_at: int
    changed_at: int


class Link(NamedTuple):
    """A label whose servers get what a profile brings."""

    app_name: str
    label: str
    created_at: int


class Pull(NamedTuple):
    """One profile that a server is about to get, with its storage."""

    profile: Profile
    storage: Storage


class DueOutput(NamedTuple):
    """Output whose time has come, and where it goes."""

    server_id: str
    org_id: str
    attempts: int  #: that were made
    key: str | None  #: of the object, once an attempt has begun
    server_ended_at: int
    app_name: str
    label: str
    storage: Storage | None  #: None: it was deleted in the moment in which the output was asked for


class Verdict(NamedTuple):
    """What becomes of an output after an attempt that failed."""

    state: SaveState
    next_at: int | None


def after_failure(attempts: int, server_ended_at: int, now: int, chance: float) -> Verdict:
    """What follows from the failure of attempt number ``attempts`` (from 1), ``chance`` being in [0, 1)."""
    next_at = now + round(WAITS[min(attempts, len(WAITS)) - 1] * (0.5 + chance) * SECOND)
    if next_at > server_ended_at + TRIED:
        return Verdict(SaveState.GIVEN_UP, None)
    return Verdict(SaveState.WAITING, next_at)


def check_endpoint(text: str, *, anywhere: bool) -> str:
    """The address of an object store. Raises Invalid."""
    check_url(
        text, anywhere=anywhere, field="endpoint", example="https://s3.eu-central-1.example.com",
        instead="they are access_key_id and secret_access_key",
    )  # fmt: skip
    if "?" in text:
        raise Invalid("endpoint: may hold no query: write scheme, host and perhaps a path")
    return text


def check_bucket(text: str) -> str:
    """The name of a bucket. Raises Invalid."""
    if not _BUCKET.fullmatch(text):
        raise Invalid("bucket: write its name alone: letters, digits, '.', '-' and '_'")
    return text


def check_key_id(text: str) -> str:
    """The name of a key. Raises Invalid."""
    if not _KEY_ID.fullmatch(text):
        raise Invalid("access_key_id: write the id of a key: visible ASCII characters without blanks and commas")
    return text


def check_secret(text: str) -> str:
    """The secret of a key. Raises Invalid, which does not tell it."""
    if not 1 <= len(text) <= _MOST_SECRET:
        raise Invalid(f"secret_access_key: must have 1 to {_MOST_SECRET} characters")
    return text


class Source(NamedTuple):
    """Where something is in an object store."""

    bucket: str
    path: str  #: without a slash at either end; empty is the whole bucket


def read_source(text: str, kind: PullKind) -> Source:
    """``/my-bucket/maps/arena.map`` in its parts. Raises Invalid."""
    bucket, _, path = text.removeprefix("/").partition("/")
    path = path.rstrip("/") if kind is PullKind.FOLDER else path
    if not _BUCKET.fullmatch(bucket) or len(text) > _MOST_PATH:
        raise Invalid("source: write the bucket and the path in it, such as /my-bucket/config.cfg")
    if kind is PullKind.FILE and (not path or path.endswith("/")):
        raise Invalid("source: names no file: write the bucket and the path in it, such as /my-bucket/config.cfg")
    if path:
        _check_parts("source", path.split("/"))
    return Source(bucket, path)


def read_destination(text: str) -> tuple[str, ...]:
    """The folders of a place where files may be laid, from the root on. Raises Invalid for protected ones."""
    if not text.startswith("/") or len(text) > _MOST_PATH:
        raise Invalid("destination: write the whole path, such as /app/config")
    parts = tuple(part for part in text.split("/") if part)
    _check_parts("destination", parts)
    path = "/" + "/".join(parts)
    if path in _OPEN_BELOW or any(path == each or path.startswith(f"{each}/") for each in _PROTECTED):
        raise Invalid(f"destination: {path} is protected: choose a folder of the program's own, such as /app/config")
    return parts


def place_of(profile: Profile, path: str = "") -> tuple[str, ...]:
    """Where an object of a profile is laid, from the root on. ``path`` is the object's, below the profile's folder.

    A file goes to its destination itself, and by its own name into one that is written with a slash at its end.
    Raises Invalid for a path that would lead elsewhere.
    """
    parts = read_destination(profile.destination)
    if profile.kind is PullKind.FILE:
        into = profile.destination.endswith("/")
        name = read_source(profile.source, profile.kind).path.rpartition("/")[2]
        return (*parts, name) if into else parts
    below = path.split("/")
    _check_parts("source", below)
    return (*parts, *below)


def _check_parts(field: str, parts: Sequence[str]) -> None:
    if len(parts) > _MOST_PARTS:
        raise Invalid(f"{field}: {'/'.join(parts)!r} is deeper than {_MOST_PARTS} folders")
    for part in parts:
        if part in ("", ".", "..") or "\0" in part or len(part.encode("utf-8", "replace")) > 255:
            raise Invalid(f"{field}: {'/'.join(parts)!r} holds a part that is no name of a file: {part!r}")
        if not part.isprintable() or "\\" in part:
            raise Invalid(f"{field}: {part!r} holds a character that no name of a file should have")


def overlap(places: Sequence[tuple[str, ...]]) -> str | None:
    """A place that would be a file and a folder at once; None where there is none."""
    files = set(places)
    for place in places:
        for length in range(1, len(place)):
            if place[:length] in files:
                return "/" + "/".join(place[:length])
    return None


def key_of(app_name: str, label: str, short_id: str, form: OutputForm) -> str:
    """What the output of a server is called in its bucket: ``my-game/v1/93924761ccde/container.log``.

    What object stores and file systems would take for something else becomes ``_``.
    """
    name = "container.log" if form is OutputForm.TEXT else "container.ndjson"
    return "/".join((_segment(app_name), _segment(label), short_id, name))


def form_of(key: str) -> OutputForm:
    """How the object of this key is written: the first attempt chose, and the later ones overwrite it."""
    return OutputForm.NDJSON if key.endswith(".ndjson") else OutputForm.TEXT


def _segment(name: str) -> str:
    safe = "".join(one if one.isalnum() or one in "-_. " else "_" for one in name).strip()
    return safe if safe.strip(".") else "_"
