"""A build that was unpacked is on the disk: on all roads there, and when the power goes out right afterwards."""

from __future__ import annotations

import errno
import io
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from small_disk import mounted, small_disk
from tars import directory, file, hardlink, symlink, tgz

from innkeeper.hosting.archives.flushing import FEW, Flush, flush_file_system, is_refusal, tells_failures
from innkeeper.hosting.archives.unpacking import UnpackCancelled, unpack
from innkeeper.kit.errors import Unavailable

EXT4, XFS, OVERLAY, FUSE, NFS, TMPFS = 0xEF53, 0x58465342, 0x794C7630, 0x65735546, 0x6969, 0x01021994
MANY = FEW + 20


def archive(files: int = MANY) -> io.BytesIO:
    """A build of so many files, with a directory that is empty and links of both kinds."""
    content = [file(f"part{number % 7}/f{number}", b"%d" % number * 500) for number in range(files)]
    return tgz(*content, directory("empty"), hardlink("twin", "part0/f0"), symlink("way", "part0/f0"))


def whole(build: Path, files: int = MANY) -> bool:
    """Whether all of that archive is there."""
    try:
        return (
            all((build / f"part{number % 7}/f{number}").read_bytes() == b"%d" % number * 500 for number in range(files))
            and (build / "empty").is_dir()
            and (build / "twin").read_bytes() == (build / "way").read_bytes() == b"0" * 500
        )
    except FileNotFoundError:
        return False


def refuse(descriptor: int) -> bool:
    """As flush_file_system answers where it cannot be had."""
    return False


def pretend(descriptor: int) -> bool:
    """Say that all is on disk, and do nothing for it."""
    return True


@pytest.mark.parametrize(
    ("release", "file_system", "relied_on"),
    [
        ("6.1.0-18-amd64", EXT4, True),
        ("5.8.0", XFS, True),
        ("5.7.19-generic", EXT4, False),  # says that all went well, always
        ("4.4.0", EXT4, False),
        ("10.0", EXT4, True),
        ("unheard of", EXT4, False),
        ("6.1.0", OVERLAY, False),  # these hand on what they are given
        ("6.1.0", FUSE, False),
        ("6.1.0", NFS, False),
        ("6.1.0", TMPFS, False),
        ("6.1.0", 0, False),
    ],
)
def test_where_a_sync_of_the_file_system_is_relied_on(release: str, file_system: int, relied_on: bool) -> None:
    assert tells_failures(release, file_system) is relied_on


@pytest.mark.parametrize(
    ("code", "refused"),
    [
        (errno.ENOSYS, True),
        (errno.EPERM, True),
        (errno.EINVAL, True),
        (errno.EOPNOTSUPP, True),
        (errno.EIO, False),
        (errno.ENOSPC, False),
        (errno.EDQUOT, False),
        (errno.EBADF, False),
    ],
)
def test_a_refusal_is_told_from_a_disk_that_fails(code: int, refused: bool) -> None:
    assert is_refusal(code) is refused


def test_what_is_on_no_disk_is_not_vouched_for() -> None:
    descriptor = os.open("/proc/self", os.O_RDONLY)
    assert flush_file_system(descriptor) is False
    os.close(descriptor)
    assert flush_file_system(descriptor) is False


class Road:
    """Notes by which road the files came to the disk."""

    def __init__(self, answer: bool) -> None:
        self.answer, self.at_once, self.by_itself = answer, 0, 0

    def all_at_once(self, descriptor: int) -> bool:
        self.at_once += 1
        return self.answer

    def between(self) -> None:
        self.by_itself += 1


@pytest.mark.parametrize(
    ("count", "answer", "at_once", "by_itself"),
    [
        (FEW, True, 0, FEW),  # so few that nobody else's writing is waited for
        (FEW + 1, True, 1, 0),
        (FEW + 1, False, 1, FEW + 1),  # refused, or missing
    ],
)
def test_the_roads_to_the_disk(tmp_path: Path, count: int, answer: bool, at_once: int, by_itself: int) -> None:
    road = Road(answer)
    flush = Flush(tmp_path, road.all_at_once)
    paths = [tmp_path / str(number) for number in range(count)]
    for path in paths:
        path.write_bytes(b"x")
    flush.finish(count, paths, road.between)
    flush.close()
    assert (road.at_once, road.by_itself) == (at_once, by_itself)


def test_unpacking_can_be_called_off_while_files_are_synced_one_by_one(tmp_path: Path) -> None:
    road = Road(False)
    with pytest.raises(UnpackCancelled):
        unpack(archive(), tmp_path / "b1", all_at_once=road.all_at_once, cancelled=lambda: road.at_once > 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("code", "says"), [(errno.EIO, "disk failed"), (errno.ENOSPC, "disk is full")])
def test_a_disk_that_fails_at_the_end_leaves_nothing(tmp_path: Path, code: int, says: str) -> None:
    def fail(descriptor: int) -> bool:
        raise OSError(code, os.strerror(code))

    with pytest.raises(Unavailable, match=says):
        unpack(archive(), tmp_path / "b1", all_at_once=fail)
    assert list(tmp_path.iterdir()) == []


# The power goes out --------------------------------------------------------------------------------------------------


def empty_disk(path: Path) -> Path:
    """An empty ext4 disk in a file."""
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("there is no mkfs.ext4 here")
    path.touch()
    os.truncate(path, 16 << 20)
    subprocess.run(["mkfs.ext4", "-q", path], check=True)
    return path


@pytest.mark.parametrize(
    ("all_at_once", "kept"),
    [(flush_file_system, True), (refuse, True), (pretend, False)],
    ids=["at-once", "one-by-one", "not-at-all"],
)
def test_a_build_that_was_unpacked_outlives_the_power(
    tmp_path: Path, all_at_once: Callable[[int], bool], kept: bool
) -> None:
    """What the disk was given by the time ``unpack`` returned is the whole build. That it can fail is shown as well."""
    answers: list[bool] = []

    def noted(descriptor: int) -> bool:
        answers.append(all_at_once(descriptor))
        return answers[-1]

    image, after = empty_disk(tmp_path / "disk.img"), tmp_path / "after.img"
    with mounted("-o", "loop", image, at=tmp_path / "disk"):
        unpack(archive(), tmp_path / "disk/b1", all_at_once=noted)
        shutil.copyfile(image, after)
    if all_at_once is flush_file_system and answers == [False]:
        pytest.skip("this kernel has no syncfs to be relied on")
    assert answers == [all_at_once is not refuse]
    with mounted("-o", "loop", after, at=tmp_path / "again"):
        assert whole(tmp_path / "again/b1") is kept


@pytest.mark.parametrize("all_at_once", [flush_file_system, refuse], ids=["at-once", "one-by-one"])
def test_a_disk_that_fails_after_a_file_was_written_is_noticed(
    tmp_path: Path, all_at_once: Callable[[int], bool]
) -> None:
    """Writing goes into memory and succeeds; only later has the disk no room for what it promised to hold."""
    backing = tmp_path / "backing"
    backing.mkdir()
    build = tgz(*(file(f"f{number}", os.urandom(30_000)) for number in range(MANY)))
    with (
        small_disk(backing, "2m"),
        mounted("-o", "loop", empty_disk(backing / "disk.img"), at=tmp_path / "disk"),
        pytest.raises(Unavailable, match="disk"),
    ):
        unpack(build, tmp_path / "disk/b1", all_at_once=all_at_once)
