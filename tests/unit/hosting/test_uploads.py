"""Uploads: parts in any order and number, whole or not at all; the list that ends them; what is swept away."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_disk import small_disk

from innkeeper.hosting.archives.uploads import UploadStore, parse_complete
from innkeeper.kit.errors import Invalid, NotFound, TooLarge, Unavailable, Unreadable

FUTURE = 1 << 62


async def pieces(*data: bytes) -> AsyncIterator[bytes]:
    for piece in data:
        yield piece


def etag(data: bytes) -> str:
    return f'"{hashlib.md5(data).hexdigest()}"'


def names(directory: Path) -> list[str]:
    return sorted(path.name.partition("-")[0] for path in directory.rglob("*") if path.is_file())


@pytest.fixture
def store(tmp_path: Path) -> UploadStore:
    return UploadStore(tmp_path / "uploads", chunk_size=10, most_bytes=100)


async def content(store: UploadStore, build: str) -> bytes:
    with await store.open_stream(build) as stream:
        return stream.read()


@pytest.mark.parametrize(
    ("size", "plan"),
    [(1, [(1, 1)]), (10, [(1, 10)]), (11, [(1, 10), (2, 1)]), (30, [(1, 10), (2, 10), (3, 10)])],
)
def test_a_plan_covers_the_build(store: UploadStore, size: int, plan: list[tuple[int, int]]) -> None:
    assert store.plan(size) == plan


@pytest.mark.parametrize("size", [0, -5, 101])
def test_a_size_that_cannot_be_is_refused(store: UploadStore, size: int) -> None:
    with pytest.raises(Invalid, match="build"):
        store.plan(size)


@given(size=st.integers(1, 10**9), chunk=st.integers(10**6, 10**8))
def test_plans_add_up(size: int, chunk: int) -> None:
    plan = UploadStore(Path("nowhere"), chunk).plan(size)
    assert sum(part for _, part in plan) == size
    assert [number for number, _ in plan] == list(range(1, len(plan) + 1))
    assert all(part == chunk for _, part in plan[:-1])


async def test_parts_come_in_any_order_and_are_read_in_theirs(store: UploadStore) -> None:
    parts = {1: b"0123456789", 2: b"abcdefghij", 3: b"XYZ"}
    tags = await asyncio.gather(
        *(
            store.receive("b", number, pieces(data[:4], b"", data[4:]), len(data))
            for number, data in reversed(parts.items())
        )
    )
    assert tags == [etag(data) for data in reversed(parts.values())]
    listed = [(number, etag(data)) for number, data in reversed(parts.items())]
    assert await store.complete("b", listed) == 23
    assert await store.complete("b", sorted(listed)) == 23
    assert await content(store, "b") == b"0123456789abcdefghijXYZ"


async def test_large_chunks_are_written_whole(tmp_path: Path) -> None:
    store = UploadStore(tmp_path)
    data = os.urandom(5_000_001)
    tag = await store.receive("b", 1, pieces(data[:10], data[10:3_000_000], data[3_000_000:]), len(data))
    assert tag == etag(data)
    assert await store.complete("b", [(1, tag.strip('"').upper())]) == len(data)
    assert await content(store, "b") == data


async def test_a_part_that_comes_again_replaces_the_first(store: UploadStore, tmp_path: Path) -> None:
    first = await store.receive("b", 1, pieces(b"first"), 5)
    second = await store.receive("b", 1, pieces(b"later"), 5)
    assert await store.receive("b", 1, pieces(b"later"), 5) == second
    assert names(tmp_path) == ["00001"]
    with pytest.raises(Invalid, match="Part 1 has another ETag"):
        await store.complete("b", [(1, first)])
    await store.complete("b", [(1, second)])
    assert await content(store, "b") == b"later"


@pytest.mark.parametrize(
    ("data", "says"), [(b"1234", "has 4 of 5 bytes"), (b"123456", "longer than the 5"), (b"", "0 of 5")]
)
async def test_a_part_of_another_size_leaves_nothing(
    store: UploadStore, tmp_path: Path, data: bytes, says: str
) -> None:
    kept = await store.receive("b", 1, pieces(b"right"), 5)
    with pytest.raises(Invalid, match=says):
        await store.receive("b", 1, pieces(data), 5)
    assert names(tmp_path) == ["00001"]
    await store.complete("b", [(1, kept)])
    assert await content(store, "b") == b"right"


async def test_a_part_without_a_planned_size_is_held_to_the_largest_build(store: UploadStore) -> None:
    assert await store.receive("b", 1, pieces(b"x" * 60, b"y" * 40)) == etag(b"x" * 60 + b"y" * 40)
    endless = (b"x" for _ in iter(int, 1))

    async def forever() -> AsyncIterator[bytes]:
        for piece in endless:
            yield piece

    with pytest.raises(TooLarge):
        await store.receive("b", 1, forever())


async def test_a_caller_that_goes_away_leaves_nothing(store: UploadStore, tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"1234"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.receive("b", 1, broken(), 10)
    assert names(tmp_path) == []

    reading = asyncio.Event()

    async def hanging() -> AsyncIterator[bytes]:
        yield b"x" * (1 << 20)
        reading.set()
        await asyncio.Event().wait()

    big = UploadStore(tmp_path)
    task = asyncio.create_task(big.receive("b", 1, hanging(), 1 << 21))
    await reading.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ([], "No parts are named"),
        ([(1, "one")], "Part 1 has another ETag"),
        ([(1, etag(b"one")), (1, etag(b"one"))], "named twice"),
        ([(1, etag(b"one")), (3, etag(b"three"))], "Part 2 is not named"),
        ([(1, etag(b"one")), (2, etag(b"two"))], "Part 2 was not uploaded"),
        ([(1, "../../etc/passwd")], "Part 1 has another ETag"),
        ([(0, etag(b"one"))], "Part 1 is not named"),
    ],
)
async def test_a_list_that_does_not_fit_is_refused(store: UploadStore, parts: list[tuple[int, str]], says: str) -> None:
    await store.receive("b", 1, pieces(b"one"), 3)
    await store.receive("b", 3, pieces(b"three"), 5)
    with pytest.raises(Invalid, match=says):
        await store.complete("b", parts)
    with pytest.raises(NotFound):
        await store.open_stream("b")


async def test_a_completed_upload_is_settled(store: UploadStore, tmp_path: Path) -> None:
    listed = [(1, await store.receive("b", 1, pieces(b"one"), 3)), (2, await store.receive("b", 2, pieces(b"two"), 3))]
    await store.receive("b", 3, pieces(b"more"), 4)
    await store.complete("b", listed)
    assert names(tmp_path) == ["00001", "00002", "parts.json"]
    with pytest.raises(Invalid, match="no longer taken"):
        await store.receive("b", 1, pieces(b"new"), 3)
    with pytest.raises(Invalid, match="completed before, with other parts"):
        await store.complete("b", listed[:1])
    assert await content(UploadStore(tmp_path / "uploads"), "b") == b"onetwo"  # another start of the house


async def test_parts_that_do_not_add_up_are_not_settled(store: UploadStore) -> None:
    first = (1, await store.receive("b", 1, pieces(b"one"), 3))
    second = (2, await store.receive("b", 2, pieces(b"two"), 3))
    with pytest.raises(Invalid, match="have 3 of the build's 6 bytes"):
        await store.complete("b", [first], 6)
    assert await store.complete("b", [first, second], 6) == 6
    assert await content(store, "b") == b"onetwo"


async def test_what_a_crash_left_is_no_part(store: UploadStore, tmp_path: Path) -> None:
    tag = await store.receive("b", 1, pieces(b"one"), 3)
    (tmp_path / "uploads/b/00002-0-1.incoming").write_bytes(b"half")
    (tmp_path / "uploads/b/parts.json.incoming").write_bytes(b"[")
    with pytest.raises(Invalid, match="Part 2 was not uploaded"):
        await store.complete("b", [(1, tag), (2, tag)])
    await store.complete("b", [(1, tag)])
    assert names(tmp_path) == ["00001", "parts.json"]


@pytest.mark.parametrize("build", ["../up", "/etc", "..", ".", "", "a/b", "ü" * 200, "x\0y", ".hidden", "Σ\ud800"])
async def test_any_build_id_stays_in_the_directory(store: UploadStore, tmp_path: Path, build: str) -> None:
    tag = await store.receive(build, 1, pieces(b"data"), 4)
    await store.complete(build, [(1, tag)])
    assert await content(store, build) == b"data"
    assert len(names(tmp_path)) == len(names(tmp_path / "uploads")) == 2
    await store.discard(build)
    await store.discard(build)
    assert names(tmp_path) == []


async def test_only_abandoned_uploads_are_swept(store: UploadStore, tmp_path: Path) -> None:
    assert await store.sweep(FUTURE) == 0
    for build in ("old", "kept", "../kept", "new"):
        await store.receive(build, 1, pieces(b"data"), 4)
    for path in [*(tmp_path / "uploads").rglob("*")]:
        if "new" not in path.parts:
            os.utime(path, (1000, 1000))
    assert await store.sweep(500 * 1_000_000, keep=["kept"]) == 0
    assert await store.sweep(1001 * 1_000_000, keep=["kept", "../kept"]) == 1
    assert sorted(path.name[:4] for path in (tmp_path / "uploads").iterdir())[1:] == ["kept", "new"]
    assert await store.sweep(FUTURE) == 3


async def test_a_full_disk_is_said_and_cleaned_away(tmp_path: Path) -> None:
    store = UploadStore(tmp_path)
    with small_disk(tmp_path):
        with pytest.raises(Unavailable, match="disk is full"):
            await store.receive("b", 1, pieces(b"x" * 2_000_000), 2_000_000)
        assert names(tmp_path) == []
        assert await store.receive("b", 1, pieces(b"small"), 5) == etag(b"small")


# The list of parts ---------------------------------------------------------------------------------------------------

MD5 = "d41d8cd98f00b204e9800998ecf8427e"
S3 = "http://s3.amazonaws.com/doc/2006-03-01/"


@pytest.mark.parametrize(
    "xml",
    [
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part></CompleteMultipartUpload>",
        '<?xml version="1.0" encoding="UTF-8"?>\n<CompleteMultipartUpload xmlns="' + S3 + '">\n  <Part>\n'
        "    <ETag>\n&quot;{}&quot; </ETag>\n    <PartNumber> 1 </PartNumber>\n  </Part>\n</CompleteMultipartUpload>\n",
        '\ufeff<a:CompleteMultipartUpload xmlns:a="x"><Other/><a:Part><a:PartNumber>01</a:PartNumber>'
        '<a:ETag>"{}"</a:ETag><a:Checksum>x</a:Checksum></a:Part></a:CompleteMultipartUpload>',
    ],
)
def test_spellings_of_the_list(xml: str) -> None:
    assert parse_complete(xml.replace("{}", MD5).encode()) == [(1, MD5)]


def test_the_list_comes_back_in_order() -> None:
    part = "<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>"
    shuffled = "".join(part.format(number, f"tag{number}") for number in (3, 10000, 1, 2))
    parts = parse_complete(f"<CompleteMultipartUpload>{shuffled}</CompleteMultipartUpload>".encode())
    assert parts == [(1, "tag1"), (2, "tag2"), (3, "tag3"), (10000, "tag10000")]


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><CompleteMultipartUpload>&b;'
BAD_LISTS = {
    "empty": (b"", "not XML"),
    "text": (b"hello", "not XML"),
    "cut off": (b"<CompleteMultipartUpload><Part>", "not XML"),
    "other": (b"<Delete/>", "is a <Delete>"),
    "no parts": (b"<CompleteMultipartUpload/>", "list of parts is empty"),
    "bomb": (BOMB.encode(), "document type"),
    "bomb in UTF-16": (BOMB.encode("utf-16"), "not UTF-8"),
    "bomb in EBCDIC": (b"<?xml version='1.0' encoding='cp037'?>" + BOMB.encode("cp037"), "not UTF-8|not XML"),
    "bomb behind comments": (b"<?p <!-- ?>" + BOMB.encode() + b"<?p --> ?>", "document type"),
    "unknown entity": (b"<CompleteMultipartUpload>&x;</CompleteMultipartUpload>", "not XML"),
    "NUL": (b"<CompleteMultipartUpload>\0</CompleteMultipartUpload>", "not XML"),
    "no number": (b"<CompleteMultipartUpload><Part><ETag>x</ETag></Part></CompleteMultipartUpload>", "number ``"),
    "no etag": (
        b"<CompleteMultipartUpload><Part><PartNumber>7</PartNumber></Part></CompleteMultipartUpload>", "Part 7.*ETag"),
    "number": (
        b"<CompleteMultipartUpload><Part><PartNumber>10001</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>",
        "1 to 10000"),
}  # fmt: skip


@pytest.mark.parametrize(("xml", "says"), BAD_LISTS.values(), ids=BAD_LISTS.keys())
def test_lists_that_are_refused(xml: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        parse_complete(xml)


def test_a_list_without_end_is_refused_unread() -> None:
    with pytest.raises(TooLarge):
        parse_complete(b" " * (3 << 20))


@settings(max_examples=200)
@given(st.one_of(st.binary(), st.text(alphabet='<>/CP"&;! artNumberETag[]').map(str.encode)))
def test_whatever_the_bytes_only_invalid_is_raised(data: bytes) -> None:
    try:
        parts = parse_complete(data)
    except Invalid:
        return
    assert parts
