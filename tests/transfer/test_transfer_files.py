"""Files that are damaged, changed or made by somebody hostile: they are refused, and the house stays as it was."""

from __future__ import annotations

import asyncio
import gzip
import random
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innkeeper.hosting.archives.tarball import Kind
from innkeeper.kit.errors import HouseError, Invalid, NotFound, Unavailable
from innkeeper.transfer.arriving import Arrived, look_into
from innkeeper.transfer.parcel import Sum
from innkeeper.transfer.sealing import WrongPassphrase, key_of, new_lock
from innkeeper.transfer.words import Content, Lock, Manifest, Rows
from unit.hosting.tars import header

from .forging import Members, members_of, named, written
from .houses import CHEAP, IMAGE_KEY, PASSPHRASE, House, empty


def replaced(members: Members, name: str, change: Callable[[bytes], bytes]) -> Members:
    at = named(members, name)
    return [*members[:at], (members[at][0], change(members[at][1])), *members[at + 1 :]]


def with_entry(members: Members, at: int, name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> Members:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, link
    return [*members[:at], (entry, b""), *members[at:]]


def manifest_with(members: Members, **changes: Any) -> Members:
    return replaced(
        members,
        "manifest.json",
        lambda data: msgspec.json.encode(msgspec.structs.replace(msgspec.json.decode(data, type=Manifest), **changes)),
    )


def lock_with(members: Members, **changes: Any) -> Members:
    lock = msgspec.json.decode(members[0][1], type=Manifest).lock
    return manifest_with(members, lock=msgspec.structs.replace(lock, **changes))


def digest_again(members: Members) -> Members:
    """With another row, and a checksum that fits, by somebody who does not know the passphrase."""
    changed = replaced(members, "tables/orgs.jsonl", lambda data: data.replace(b"My studio", b"My stud10"))
    kinds = {tarfile.DIRTYPE: Kind.DIRECTORY, tarfile.SYMTYPE: Kind.SYMLINK}
    total = Sum()
    for entry, data in changed[:-1]:
        kind = kinds.get(entry.type, Kind.FILE)
        total.entry(entry.name, kind, len(data), executable=bool(entry.mode & 0o111), target=entry.linkname)
        total.content(data)
    return replaced(changed, "checksums.json", lambda _: msgspec.json.encode(total.seal(bytes(32))))


CHANGES: dict[str, tuple[Callable[[Members], Members], str]] = {
    "a row": (
        lambda it: replaced(it, "tables/orgs.jsonl", lambda data: data.replace(b"My studio", b"My stud10")),
        "its checksum is another one",
    ),
    "a row and its checksum": (digest_again, "somebody who does not know the passphrase"),
    "a row more": (lambda it: replaced(it, "tables/orgs.jsonl", lambda data: data * 2), "not as long as it says"),
    "no checksums": (lambda it: it[:-1], "cut off or damaged"),
    "no tables": (lambda it: [it[0], it[-1]], r"`checksums.json` where `tables/orgs.jsonl` should be"),
    "an entry behind": (lambda it: with_entry(it, len(it), "more"), "something follows its end"),
    "an entry between": (lambda it: with_entry(it, 3, "../../escaped"), r"it has `../../escaped` where"),
    "an absolute path": (lambda it: with_entry(it, 3, "/tmp/escaped"), "/tmp/escaped"),
    "a link for a table": (
        lambda it: with_entry([*it[:1], *it[2:]], 1, "tables/orgs.jsonl", tarfile.SYMTYPE, "/etc/passwd"),
        "it has `tables/orgs.jsonl` where",
    ),
    "a device": (lambda it: with_entry(it, 3, "tables/x", tarfile.CHRTYPE), "cut off or damaged"),
    "a pipe in a build": (lambda it: with_entry(it, len(it) - 1, "builds/x", tarfile.FIFOTYPE), "is a named pipe"),
    "a hard link": (lambda it: with_entry(it, 3, "tables/x", tarfile.LNKTYPE, "/etc/shadow"), "tables/x"),
    "another order": (lambda it: [it[0], it[2], it[1], *it[3:]], "should be"),
    "another format": (lambda it: manifest_with(it, version=2), "of another format"),
    "not a manifest": (lambda it: replaced(it, "manifest.json", lambda _: b"[1]"), "cut off or damaged"),
    "newer tables": (lambda it: manifest_with(it, schema=9999), "has tables of version 9999"),
    "other tables": (lambda it: manifest_with(it, tables=[]), r"`tables/orgs.jsonl`|other tables|not on its list"),
    "a strange table": (
        lambda it: manifest_with(it, tables=[Rows("sqlite_master", 0, 0, [])]), "other tables than this version"
    ),
    "a build not on record": (
        lambda it: manifest_with(it, contents=[Content("../../x", "x", False, 1)]), "a build `../../x` that is not on"
    ),
    "more than there is": (
        lambda it: manifest_with(it, contents=[Content("x", "x", False, 1 << 60)]), "bytes left, and"
    ),
    "other apps": (lambda it: manifest_with(it, apps=["app-1"]), "its checksum is another one"),
    "a costly lock": (lambda it: lock_with(it, n=1 << 40), "its lock cannot be opened"),
    "a lock of many lanes": (lambda it: lock_with(it, p=1 << 20), "its lock cannot be opened"),
    "a wide lock": (lambda it: lock_with(it, r=1 << 20), "its lock cannot be opened"),
    "a lock that is none": (lambda it: lock_with(it, n=3), "its lock cannot be opened"),
    "another salt": (lambda it: lock_with(it, salt="00" * 16), "the passphrase is not the one"),
    "a file that grows": (
        lambda it: [(entry, data + b"x" if entry.name.endswith("/game") else data) for entry, data in it],
        "not as long as it says",
    ),
    "a program that is not one": (
        lambda it: [(entry, data[::-1] if entry.name.endswith("/game") else data) for entry, data in it],
        "its checksum is another one",
    ),
    "an image that is none": (
        lambda it: replaced(it, f"images/{IMAGE_KEY}.tar", lambda data: b"x" * len(data)), "cut off or damaged"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
async def test_a_changed_file_is_refused(made: Path, target: House, tmp_path: Path, name: str) -> None:
    change, told = CHANGES[name]
    path = written(tmp_path / "changed.inn", change(members_of(made)))
    with pytest.raises((Invalid, Unavailable), match=told):
        await target.take(path)


async def test_a_file_that_says_it_is_huge(target: House, made: Path, tmp_path: Path) -> None:
    members = members_of(made)
    for name, size in ((b"manifest.json", 1 << 40), (b"tables/orgs.jsonl", 1 << 50)):
        data = b"" if name == b"manifest.json" else whole_entry(members[0])
        field = b"\x80" + size.to_bytes(11, "big")
        path = tmp_path / "huge.inn"
        path.write_bytes(gzip.compress(data + header(name, field) + bytes(5000)))
        with pytest.raises(Invalid, match=r"cut off or damaged|not as long as it says"):
            await target.take(path)


def whole_entry(member: tuple[tarfile.TarInfo, bytes]) -> bytes:
    entry, data = member
    return entry.tobuf(tarfile.PAX_FORMAT) + data + bytes(-len(data) % 512)


async def test_what_is_no_export_at_all(target: House, tmp_path: Path) -> None:
    for content in (b"", b"x", b"PK\x03\x04zip", gzip.compress(b"no tar"), gzip.compress(bytes(1024)), bytes(10_240)):
        (tmp_path / "x").write_bytes(content)
        with pytest.raises(Invalid, match="is not a file that `innkeeper export` wrote"):
            await target.take(tmp_path / "x")
    with pytest.raises(NotFound, match="cannot be read: No such file"):
        await target.take(tmp_path / "none")
    with pytest.raises(NotFound, match="cannot be read: Is a directory"):
        await target.take(tmp_path)


async def test_a_wrong_passphrase(made: Path, target: House) -> None:
    for passphrase in ("", PASSPHRASE + " ", PASSPHRASE.upper()):
        with pytest.raises(WrongPassphrase, match="is not the one that the file was written with"):
            await target.take(made, passphrase)
    with pytest.raises(Invalid, match="must have 8 characters or more"):
        new_lock("short", bytes(16))


@pytest.fixture(scope="module")
def expected(made: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """What a sound file brings."""
    house = empty(tmp_path_factory.mktemp("sound"))
    return asyncio.run(house.take(made, dry_run=True)).outcome.new


def tried(made: Path, data: bytes) -> Arrived | None:
    """What would come of a file; None where it is refused."""
    path = made.with_name(f"tried-{random.getrandbits(64):x}")
    path.write_bytes(data)
    try:
        return asyncio.run(empty(made.parent).take(path, dry_run=True))
    except HouseError:
        return None
    finally:
        path.unlink()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_flipped_and_cut_bytes(made: Path, expected: dict[str, int], data: st.DataObject) -> None:
    """Wherever it is hit, as it lies on the disk or beneath its compression: refused, or nothing has changed."""
    packed = made.read_bytes()
    inside = data.draw(st.booleans(), "inside")
    whole = gzip.decompress(packed) if inside else packed
    at = data.draw(st.integers(0, len(whole) - 1), "at")
    if data.draw(st.booleans(), "cut"):
        changed = whole[:at]
    else:
        changed = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255), "flip")]) + whole[at + 1 :]
    arrived = tried(made, gzip.compress(changed, 1) if inside else changed)
    assert arrived is None or arrived.outcome.new == expected


def test_a_lock_is_what_it_was_made_to_be() -> None:
    lock, key = new_lock(PASSPHRASE, bytes(16), CHEAP)
    assert key_of(lock, PASSPHRASE) == key
    assert PASSPHRASE not in repr(lock)
    with pytest.raises(Invalid, match="lock cannot be opened"):
        key_of(Lock("no hex", 2, 8, 1, ""), PASSPHRASE)


def test_looking_into_it_tells_what_is_there(made: Path) -> None:
    manifest = look_into(made)
    assert {one.build_id for one in manifest.contents} >= {"bld-image"}
    assert manifest.bytes > 1000
