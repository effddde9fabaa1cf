"""Unpacking: what a sound archive becomes, and that a hostile one becomes nothing at all."""

from __future__ import annotations

import gzip
import io
import itertools
import os
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest
import tars
from hypothesis import given, settings
from hypothesis import strategies as st
from small_disk import small_disk
from tars import directory, file, gnu_long, hardlink, header, pax, symlink, tar, tgz

from innkeeper.hosting.archives.unpacking import Limits, UnpackCancelled, clear_leftovers, unpack
from innkeeper.kit.errors import Invalid, TooLarge, Unavailable


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """A directory in which nothing but the build may appear."""
    (tmp_path / "builds").mkdir()
    return tmp_path


def tree(root: Path) -> dict[str, str]:
    """Everything under a directory: modes and contents of files, targets of links."""
    found = {}
    for path in sorted(root.rglob("*")):
        name, mode = str(path.relative_to(root)), stat.S_IMODE(path.lstat().st_mode)
        if path.is_symlink():
            found[name] = f"-> {os.readlink(path)}"
        else:
            found[name] = f"{mode:o}/" if path.is_dir() else f"{mode:o} {path.read_bytes().decode()}"
    return found


def refused(room: Path, archive: io.BytesIO, says: str, limits: Limits | None = None) -> None:
    """The archive is refused with this text, and no trace of it is left."""
    with pytest.raises(Invalid, match=says) as caught:
        unpack(archive, room / "builds" / "b1", limits=limits)
    assert str(caught.value).isprintable()
    assert tree(room) == {"builds": "755/"}


# What a sound archive becomes ----------------------------------------------------------------------------------------


def test_modes_and_owners_are_made_ours(room: Path) -> None:
    lines: list[str] = []
    archive = tgz(
        directory("./", 0o700), file("./Procfile", b"server: ./run", mode=0o600), directory("./bin", 0o2777),
        file("./bin/run", b"#!", mode=0o6711), file("deep/er/data", b"1234"),
    )  # fmt: skip
    old = os.umask(0o077)
    try:
        report = unpack(archive, room / "builds" / "b1", progress=lines.append)
    finally:
        os.umask(old)
    assert tree(room / "builds") == {
        "b1": "755/", "b1/Procfile": "644 server: ./run", "b1/bin": "755/", "b1/bin/run": "755 #!",
        "b1/deep": "755/", "b1/deep/er": "755/", "b1/deep/er/data": "644 1234",
    }  # fmt: skip
    assert (room / "builds/b1/Procfile").stat().st_uid == os.geteuid()
    assert (report.files, report.bytes) == (3, 19)
    assert lines == ["Unpacked 3 files, 19 bytes"]


def test_what_python_and_tar_pack_is_understood(room: Path) -> None:
    source = room / "source"
    long = "a" * 120 + "/" + "b" * 130
    (source / long).parent.mkdir(parents=True)
    (source / long).write_text("far")
    (source / "déjà vu").write_text("seen")
    (source / "Procfile").write_text("server: ./x")
    os.link(source / "Procfile", source / "again")
    (source / "link").symlink_to(long)
    expected = tree(source)
    for style in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        packed = io.BytesIO()
        try:
            with tarfile.open(fileobj=packed, mode="w:gz", format=style) as archive:
                archive.add(source, arcname=".")
        except ValueError:
            assert style == tarfile.USTAR_FORMAT  # cannot spell such names at all
            continue
        packed.seek(0)
        unpack(packed, room / "builds" / str(style))
        assert tree(room / "builds" / str(style)) == expected
    for style in ("gnu", "pax", "oldgnu"):
        packed = io.BytesIO(subprocess.check_output(["tar", "cz", f"--format={style}", "-C", source, "."]))
        unpack(packed, room / "builds" / style)
        assert tree(room / "builds" / style) == expected


@pytest.mark.parametrize(
    "spelling",
    [
        tar(file("Procfile"), file("data")),
        tgz(file("data"), file("Procfile")),
        tgz(file("data", b"older"), file("./Procfile"), file("data")),
        tgz(pax({"path": "data", "mtime": "1.5"}), file("short"), gnu_long("Procfile"), file("short")),
        tgz(header(b"data", b"\x80" + b"\0" * 10 + b"\x07") + tars.padded(b"content"), hardlink("Procfile", "data")),
        tgz(pax({"size": "7"}), header(b"data", 0) + tars.padded(b"content"), file("Procfile")),
        tgz(header(b"data", 7, b"\0", magic=b"\0" * 8) + tars.padded(b"content"), file("Procfile")),
        io.BytesIO(gzip.compress(file("data")) + gzip.compress(file("Procfile") + tars.END) + b"\0" * 300),
        io.BytesIO(gzip.compress(file("data") + file("Procfile"))),  # without an end mark, but gzip says it is whole
        tgz(pax({"comment": "0123"}, b"g"), file("Procfile"), file("data")),
    ],
    ids=["tar", "order", "twice", "extended", "base256", "paxsize", "v7", "members", "no end mark", "global"],
)
def test_the_same_files_give_the_same_build_however_spelled(room: Path, spelling: io.BytesIO) -> None:
    spelling.seek(0)
    report = unpack(spelling, room / "builds" / "b1")
    assert tree(room / "builds" / "b1") == {"Procfile": "644 content", "data": "644 content"}
    assert (report.files, report.bytes) == (2, 14)
    assert report.content_hash == unpack(tar(file("data"), file("Procfile")), room / "builds" / "b2").content_hash


def test_the_hash_tells_contents_names_and_modes_apart(room: Path) -> None:
    archives = [tar(file("a")), tar(file("b")), tar(file("a", b"x")), tar(file("a", mode=0o755))]
    archives.append(tar(file("a"), symlink("b", "a")))
    hashes = {unpack(archive, room / "builds" / "b").content_hash for archive in archives}
    assert len(hashes) == 5


def test_links_inside_the_build_are_kept(room: Path) -> None:
    links = {"lib/libx.so": "libx.so.1", "up": "lib/../lib", "lib/dangling": "not/there", "through": "up/libx.so.1"}
    members = [file("lib/libx.so.1", b"elf"), *(symlink(name, target) for name, target in links.items())]
    unpack(tgz(*members, hardlink("twin", "up")), room / "builds" / "b1")
    build = room / "builds" / "b1"
    assert {name: os.readlink(build / name) for name in [*links, "twin"]} == links | {"twin": "lib/../lib"}
    assert (build / "through").read_bytes() == b"elf"


def test_names_that_differ_by_case_are_two_files(room: Path) -> None:
    unpack(tgz(file("Data", b"1"), file("data", b"2")), room / "builds" / "b1")
    assert tree(room / "builds" / "b1") == {"Data": "644 1", "data": "644 2"}


# What is refused -----------------------------------------------------------------------------------------------------

BAD = {
    "absolute": ([file("/etc/passwd")], "`/etc/passwd` is an absolute path"),
    "parent": ([file("../out")], "leads out of the build"),
    "parent within": ([file("a/../../out")], "leads out"),
    "parent by pax": ([pax({"path": "../out"}), file("in")], "leads out"),
    "parent by long name": ([gnu_long("../out"), file("in")], "leads out"),
    "parent by prefix": ([header(b"out", 0, prefix=b"a/..")], "leads out"),
    "absolute link": ([symlink("a", "/etc")], "links may stay inside"),
    "link up": ([symlink("a", "../out")], "leads out"),
    "link up from below": ([directory("d"), symlink("d/a", "../../out")], "leads out"),
    "link through a link": ([directory("d/e"), symlink("x", "d/e"), symlink("y", "x/../../..")], "leads out"),
    "link made bad later": ([symlink("a", "b/../../.."), symlink("b", "c/d"), symlink("a2", "a")], "leads out"),
    "link replaced": ([directory("d/e"), symlink("d/e/s", "../../x"), symlink("z", "d/e/s/../..")], "leads out"),
    "links in a circle": ([symlink("a", "b"), symlink("b", "a")], "circle"),
    "write through a link": ([directory("d"), symlink("s", "d"), file("s/x")], "lies under `s`, which is a symbolic"),
    "file under a file": ([file("a"), file("a/b")], "lies under `a`, which is a file"),
    "link over a directory": ([directory("a"), symlink("a", "b")], "both as a directory and as a symbolic link"),
    "directory over a file": ([file("a"), directory("a")], "both as a file and as a directory"),
    "hard link out": ([file("a"), hardlink("b", "../out")], "leads out"),
    "hard link absolute": ([file("a"), hardlink("b", "/etc/passwd")], "absolute"),
    "hard link to nothing": ([hardlink("b", "a"), file("a")], "not a file before it"),
    "hard link to a directory": ([directory("a"), hardlink("b", "a")], "not a file before it"),
    "hard link to itself": ([file("a"), hardlink("a", "a")], "not a file before it"),
    "hard link to a link that leads out elsewhere": (
        [file("d/f"), symlink("d/e/s", "../../f"), hardlink("s", "d/e/s")], "leads out"),
    "device": ([header(b"null", kind=b"3")], "`null` is a character device"),
    "block device": ([header(b"sda", kind=b"4")], "block device"),
    "pipe": ([header(b"p", kind=b"6")], "named pipe"),
    "sparse": ([header(b"s", kind=b"S")], "sparse file: pack again"),
    "sparse by pax": ([pax({"GNU.sparse.major": "1", "GNU.sparse.name": "x"}), file("s")], "sparse"),
    "unknown": ([header(b"s", kind=b"Z")], "kind that is not known"),
    "no name": ([header(b"", 0), file("x")], "without a name"),
    "newline": ([file("a\nError: b")], "control character"),
    "not UTF-8": ([file(b"caf\xe9")], "not UTF-8"),
    "NUL by pax": ([pax({"path": "a\0b"}), file("x")], "control character"),
    "long name": ([gnu_long("x" * 300), file("x")], "more than 255 bytes"),
    "long path": ([gnu_long("x/" * 600 + "y"), file("x")], "longer than 1024 bytes"),
    "deep path": ([gnu_long("x/" * 100 + "y"), file("x")], "deeper than 64"),
    "negative size": ([header(b"x", b"\xff" * 11 + b"\x00")], "no sound size"),
    "size by pax": ([pax({"size": "-1"}), file("x")], "size that is not a number"),
    "endless size": ([pax({"size": "9" * 5000}), file("x")], "size that is not a number"),
    "beyond all": ([header(b"x", b"\x80" + b"\x7f" * 11)], "a build may have"),
    "pax record": ([header(b"p", 6, b"x") + tars.padded(b"99 a=b\n"), file("x")], "extended header cannot be read"),
    "pax zero": ([header(b"p", 6, b"x") + tars.padded(b"0 a=b\n"), file("x")], "extended header cannot be read"),
    "pax path for all": ([pax({"path": "../x"}, b"g"), file("x")], "global header"),
    "pax at the end": ([file("x"), pax({"path": "y"})], "cut off"),
    "checksum": ([file("x"), header(b"y", checksum=1)], "header 2 does not match"),
    "nothing": ([], "no files"),
    "directories only": ([directory("a/b")], "no files"),
}  # fmt: skip


@pytest.mark.parametrize(("members", "says"), BAD.values(), ids=BAD.keys())
def test_hostile_archives_leave_nothing(room: Path, members: list[bytes], says: str) -> None:
    refused(room, tgz(*members), says)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty: nothing was uploaded"),
        (b"PK\x03\x04" + b"\0" * 600, "zip archive.*tar czf"),
        (b"BZh9" + b"\0" * 600, "bzip2"),
        (b"hello", "cut off"),
        (b"#!/bin/sh\n" * 200, "not a tar archive"),
        (gzip.compress(b"hello" * 200), "not a tar archive"),
        (gzip.compress(file("x") + tars.END)[:-9], "cut off"),
        (gzip.compress(file("x") + tars.END)[:-4], "cut off"),
        (gzip.compress(file("x"))[:-4], "cut off"),
        (gzip.compress(file("x") + tars.END)[:-8] + b"\0" * 8, "damaged"),
        (gzip.compress(file("x") + tars.END) + b"trailing", "damaged"),
        (gzip.compress(file("x") + tars.END) * 2, "follows the end"),
        (file("x"), "cut off"),
        (file("x", b"1" * 2000)[:1024], "cut off"),
        (b"\x1f\x8b" + b"\xff" * 100, "damaged"),
    ],
    ids=itertools.count(1),  # the bytes of a gzip hold the time, and every worker must see the same names
)
def test_what_is_no_sound_archive_is_called_by_its_name(room: Path, data: bytes, says: str) -> None:
    refused(room, io.BytesIO(data), says)


def test_limits_hold(room: Path) -> None:
    refused(room, tgz(file("a", b"x" * 5000)), "`a` has 5000 bytes", Limits(unpacked_bytes=4000))
    refused(room, tgz(file("a", b"x" * 3000), file("b", b"x" * 3000)), "unpacks to more", Limits(unpacked_bytes=4000))
    refused(room, tgz(*(file(f"f{i}", b"") for i in range(11))), "more than 10 files", Limits(entries=10))
    refused(room, tgz(file("/".join("abcdefghijk"))), "more than 10 files", Limits(entries=10))
    refused(room, tgz(*[pax({"a": "b"})] * 1100, file("x")), "more than 10 entries", Limits(entries=10))
    refused(room, tgz(*(file("x" * 90 + f"{i}") for i in range(20))), "names", Limits(names_bytes=1000))
    refused(room, tgz(pax({"comment": "x" * 5000}), file("a")), "extended header", Limits(extra_bytes=4096))
    refused(room, tgz(file("a", b"\0" * 100_000)), "more than 250 times", Limits(ratio_from=50_000))
    trailing = io.BytesIO(gzip.compress(file("a") + b"\0" * 500_000))
    refused(room, trailing, "unpacks to more than", Limits(unpacked_bytes=100_000))


def test_a_chain_of_links_cannot_eat_the_time_of_the_host(room: Path) -> None:
    doubling = [symlink("l0", "x")] + [symlink(f"l{i}", f"l{i - 1}/../l{i - 1}") for i in range(1, 30)]
    refused(room, tgz(file("x/y"), *doubling), "circle, or through too many")
    winding = [symlink(f"l{i}", "x/../" * 20) for i in range(20)]
    refused(room, tgz(file("x/y"), *winding), "too tangled", Limits(link_steps=500))


def test_a_bomb_is_not_held_in_memory(room: Path) -> None:
    class Counted(io.BytesIO):
        largest = 0

        def read(self, size: int | None = -1, /) -> bytes:
            assert size is not None
            assert size > 0
            self.largest = max(self.largest, size)
            return super().read(size)

    archive = Counted(tgz(file("zeros", b"\0" * 20_000_000)).getvalue())
    report = unpack(archive, room / "builds" / "b1")
    assert report.bytes == 20_000_000
    assert archive.largest <= 256 * 1024


# Crashes, cancelling, full disks -------------------------------------------------------------------------------------


def test_a_build_unpacked_again_is_replaced_whole(room: Path) -> None:
    target = room / "builds" / "b1"
    unpack(tgz(file("old"), file("both", b"1")), target)
    unpack(tgz(file("new"), file("both", b"2")), target)
    assert tree(room / "builds") == {"b1": "755/", "b1/both": "644 2", "b1/new": "644 content"}
    with pytest.raises(Invalid):
        unpack(tgz(file("../x")), target)
    assert tree(room / "builds") == {"b1": "755/", "b1/both": "644 2", "b1/new": "644 content"}


def test_leftovers_of_a_crash_are_cleared_and_do_not_hinder(room: Path) -> None:
    builds = room / "builds"
    (builds / ".b1.unpacking" / "half").mkdir(parents=True)
    unpack(tgz(file("x")), builds / "b1")
    assert tree(builds) == {"b1": "755/", "b1/x": "644 content"}

    (builds / ".b2.unpacking").mkdir()
    (builds / "b1").rename(builds / ".b1.replaced")  # cut off between the two renames
    assert clear_leftovers(builds) == [".b2.unpacking"]
    assert tree(builds) == {"b1": "755/", "b1/x": "644 content"}
    assert clear_leftovers(room / "absent") == []


@pytest.mark.parametrize("after", [0, 1, 3, 5])
def test_cancelling_leaves_nothing(room: Path, after: int) -> None:
    asked = iter(range(1000))
    with pytest.raises(UnpackCancelled):
        unpack(tgz(file("a"), file("b")), room / "builds" / "b1", cancelled=lambda: next(asked) >= after)
    assert tree(room) == {"builds": "755/"}


def test_a_full_disk_is_said_and_cleaned_away(room: Path) -> None:
    with small_disk(room / "builds"):
        with pytest.raises(Unavailable, match="disk is full"):
            unpack(tgz(file("a", os.urandom(1_000_000))), room / "builds" / "b1")
        assert list((room / "builds").iterdir()) == []
        unpack(tgz(file("a")), room / "builds" / "b1")


def test_a_source_that_fails_is_not_the_archives_fault(room: Path) -> None:
    class Broken:
        def read(self, size: int, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(Unavailable, match="try again"):
        unpack(Broken(), room / "builds" / "b1")


# Whatever the bytes --------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "a/b", "./a", "..", "../x", "/x", "a/../..", "a//b", "é", "b/c/d", "", ".", "a/"])
MEMBERS = st.one_of(
    st.builds(file, NAMES, st.binary(max_size=600)),
    st.builds(directory, NAMES),
    st.builds(symlink, NAMES, NAMES),
    st.builds(hardlink, NAMES, NAMES),
    st.builds(gnu_long, NAMES, st.sampled_from([b"L", b"K"])),
    st.builds(pax, st.dictionaries(st.sampled_from(["path", "linkpath", "size", "x"]), NAMES, max_size=2)),
    st.builds(header, NAMES.map(str.encode), st.integers(0, 2000), st.binary(min_size=1, max_size=1)),
)
CHANGES = st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=3)


def unpacks_or_refuses(room: Path, data: bytes) -> None:
    (room / "canary").write_text("untouched")
    target = room / "builds" / "b1"
    target.parent.mkdir(exist_ok=True)
    limits = Limits(unpacked_bytes=1 << 20, entries=50)
    try:
        report = unpack(io.BytesIO(data), target, limits=limits)
    except Invalid:
        assert not target.exists()
    else:
        real = target.resolve()
        files = 0
        for path in target.rglob("*"):
            inside = os.path.realpath(path)
            assert inside == str(real) or inside.startswith(f"{real}/")
            assert path.is_symlink() or stat.S_IMODE(path.stat().st_mode) in (0o644, 0o755)
            files += path.is_file() and not path.is_symlink()
        assert files == report.files
        remove_again(target)
    assert tree(room) == {"builds": "755/", "canary": "644 untouched"}


def remove_again(target: Path) -> None:
    for path in sorted(target.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    target.rmdir()


@settings(max_examples=300, deadline=None)
@given(members=st.lists(MEMBERS, max_size=8), changes=CHANGES, zipped=st.booleans(), cut=st.integers(0, 40))
def test_whatever_the_archive_nothing_is_written_outside(
    tmp_path_factory: pytest.TempPathFactory,
    members: list[bytes],
    changes: list[tuple[int, int]],
    zipped: bool,
    cut: int,
) -> None:
    data = bytearray(b"".join(members) + tars.END)
    for at, value in changes:
        data[at % len(data)] = value
    packed = gzip.compress(bytes(data), 1) if zipped else bytes(data)
    unpacks_or_refuses(tmp_path_factory.mktemp("fuzz"), packed[: len(packed) - cut] if cut > 30 else packed)


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=2000), start=st.sampled_from([b"", b"\x1f\x8b\x08\0", b"\x1f\x8b"]))
def test_whatever_the_bytes_nothing_but_invalid_is_raised(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, start: bytes
) -> None:
    unpacks_or_refuses(tmp_path_factory.mktemp("fuzz"), start + data)


def test_too_large_is_invalid() -> None:
    assert issubclass(TooLarge, Invalid)
