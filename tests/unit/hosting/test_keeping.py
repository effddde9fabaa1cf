"""Archives of images on their way to the disk, and trees of files on their way to an engine."""

from __future__ import annotations

import asyncio
import io
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from small_disk import small_disk

from innkeeper.hosting.archives.keeping import NAME, is_kept, keep, kept
from innkeeper.hosting.archives.packing import packed
from innkeeper.hosting.archives.unpacking import clear_leftovers
from innkeeper.kit.errors import TooLarge, Unavailable


async def pieces(*data: bytes, then: Exception | None = None) -> AsyncIterator[bytes]:
    for piece in data:
        yield piece
    if then is not None:
        raise then


async def read(directory: Path) -> bytes:
    return b"".join([piece async for piece in kept(directory)])


def names(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


async def test_an_archive_takes_the_place_of_what_was_unpacked(tmp_path: Path) -> None:
    build = tmp_path / "b"
    build.mkdir()
    (build / "Dockerfile").write_text("FROM scratch")
    assert not is_kept(build)
    assert await keep(build, pieces(b"one", b"", b"two"), 6) == 6
    assert is_kept(build)
    assert names(tmp_path) == ["b", f"b/{NAME}"]
    assert await read(build) == b"onetwo"
    assert (build.stat().st_mode & 0o777, (build / NAME).stat().st_mode & 0o777) == (0o700, 0o600)
    await keep(build, pieces(b"x" * 3_000_000), 1 << 30)
    assert await read(build) == b"x" * 3_000_000


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (lambda: pieces(b"1234", b"567"), TooLarge),
        (lambda: pieces(b"1", then=KeyError("gone")), KeyError),
        (lambda: pieces(then=OSError(5, "broken")), OSError),
    ],
    ids=["too large", "gone", "broken"],
)
async def test_what_fails_leaves_what_was_there(tmp_path: Path, source: object, error: type[Exception]) -> None:
    build = tmp_path / "b"
    await keep(build, pieces(b"old"), 6)
    assert callable(source)
    with pytest.raises(error):
        await keep(build, source(), 6)
    assert await read(build) == b"old"
    assert names(tmp_path) == ["b", f"b/{NAME}"]


async def test_a_full_disk_is_said_and_cleaned_away(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk"):
        with pytest.raises(Unavailable, match="disk is full"):
            await keep(tmp_path / "disk" / "b", pieces(*[b"x" * 100_000] * 10), 1 << 30)
        assert names(tmp_path / "disk") == []


async def test_who_is_called_off_leaves_nothing(tmp_path: Path) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x"
            await asyncio.sleep(0)

    keeping = asyncio.create_task(keep(tmp_path / "b", endless(), 1 << 30))
    await asyncio.sleep(0.05)
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    assert names(tmp_path) == []


async def test_what_a_crash_leaves_is_cleared(tmp_path: Path) -> None:
    left = tmp_path / ".b.unpacking"
    left.mkdir()
    (left / NAME).write_bytes(b"half")
    clear_leftovers(tmp_path)
    assert names(tmp_path) == []


async def test_no_archive_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await read(tmp_path / "b")


async def test_a_tree_is_packed_as_it_is(tmp_path: Path) -> None:
    deep = tmp_path / "a folder" / ("x" * 90) / ("y" * 90)
    deep.mkdir(parents=True)
    (deep / "game é").write_bytes(b"g" * 2_500_000)
    (deep / "game é").chmod(0o755)
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "odd").write_bytes(b"1" * 511)
    (tmp_path / "again").hardlink_to(tmp_path / "odd")
    (tmp_path / "link").symlink_to("a folder")
    (tmp_path / "nowhere").symlink_to("not/there")
    data = b"".join([piece async for piece in packed(tmp_path)])
    assert data == b"".join([piece async for piece in packed(tmp_path)])
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        found = {entry.name: entry for entry in archive}
        assert list(found) == [
            "a folder", f"a folder/{'x' * 90}", f"a folder/{'x' * 90}/{'y' * 90}",
            f"a folder/{'x' * 90}/{'y' * 90}/game é", "again", "empty", "link", "nowhere", "odd",
        ]  # fmt: skip
        game = found[f"a folder/{'x' * 90}/{'y' * 90}/game é"]
        content = archive.extractfile(game)
        assert content is not None
        assert content.read() == b"g" * 2_500_000
        assert (game.mode, game.mtime, game.uid, game.uname) == (0o755, 0, 0, "")
        assert (found["odd"].mode, found["again"].isreg(), found["again"].size) == (0o644, True, 511)
        assert (found["link"].issym(), found["link"].linkname) == (True, "a folder")
        assert found["empty"].size == 0


async def test_an_empty_tree_is_an_empty_archive(tmp_path: Path) -> None:
    data = b"".join([piece async for piece in packed(tmp_path)])
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert archive.getnames() == []
