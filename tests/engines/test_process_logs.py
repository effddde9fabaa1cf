# ruff: noqa: ASYNC240
"""Log files: their tails, their ceilings, and following them while they grow."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innkeeper.engines.logfiles import LogFile, read_all
from innkeeper.engines.process import logfile

from .promise import collect


async def never() -> None:
    raise AssertionError("nobody is waited for")


async def read(path: Path, tail: int | None) -> bytes:
    return await collect(read_all(LogFile(path), tail=tail, follow=False, ended=lambda: True, pause=never))


@given(
    st.lists(st.binary(max_size=70_000).map(lambda text: text.replace(b"\n", b"x")), max_size=6),
    st.integers(0, 8),
    st.booleans(),
)
@settings(max_examples=30, deadline=None)
def test_the_tail_is_the_last_lines(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], tail: int, ended: bool
) -> None:
    path = tmp_path_factory.mktemp("log") / "s.log"
    text = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    path.write_bytes(text)
    expected = b"".join(_lines(text)[-tail:]) if tail else b""
    assert asyncio.run(read(path, tail)) == expected
    assert asyncio.run(read(path, None)) == text
    from_now = read_all(LogFile(path), tail=0, follow=True, ended=lambda: True, pause=never)
    assert asyncio.run(collect(from_now)) == text[text.rfind(b"\n") + 1 :], "what is half printed, from its beginning"


def _lines(text: bytes) -> list[bytes]:
    """With their ends; unlike ``splitlines`` knowing no end but a newline."""
    lines = [line + b"\n" for line in text.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


@pytest.mark.parametrize("punching", [True, False])
async def test_a_log_over_its_ceiling_keeps_the_newest_and_goes_on(tmp_path: Path, punching: bool) -> None:
    path = tmp_path / "s.log"
    fd = logfile.create(str(path))
    for number in range(20_000):
        os.write(fd, b"%08d %s\n" % (number, b"x" * 90))
    before = LogFile(path)
    logfile.trim(str(path), 1 << 20, punching=punching)
    assert logfile.kept(path.stat()) <= 1 << 20
    os.write(fd, b"after\n")
    text = await read(path, None)
    lines = text.splitlines()
    assert lines[-1] == b"after"
    assert [int(line[:8]) for line in lines[:-1]] == list(range(20_001 - len(lines), 20_000))
    assert len(lines) > 3000
    assert (await read(path, 1)) == b"after\n"
    position = before.read(0)[0]  # who was reading the head goes on behind it
    assert position > 0
    before.close()
    os.close(fd)
    logfile.remove(str(path))
    assert list(tmp_path.iterdir()) == []


class Flooded(LogFile):
    """A log whose head is cut off, past what was its end, while its last lines are looked for the first time."""

    flood: tuple[int, Path] | None = None

    def tail(self, lines: int, end: int) -> int:
        if self.flood is not None:
            (fd, path), self.flood = self.flood, None
            for number in range(40_000):
                os.write(fd, b"%08d %s\n" % (number, b"x" * 90))
            logfile.trim(str(path), 1 << 20, punching=True)
        return super().tail(lines, end)


async def test_last_lines_are_told_of_a_program_that_floods_its_log(tmp_path: Path) -> None:
    path = tmp_path / "s.log"
    fd = logfile.create(str(path))
    os.write(fd, b"first\n")
    file = Flooded(path)
    file.flood = fd, path
    text = await collect(read_all(file, tail=2, follow=False, ended=lambda: True, pause=never))
    assert [line[:8] for line in text.splitlines()] == [b"00039998", b"00039999"]
    os.close(fd)


async def test_a_follower_gets_what_comes_and_ends_with_its_server(tmp_path: Path) -> None:
    path = tmp_path / "s.log"
    path.write_bytes(b"one\n")
    script = [b"two\n", b"", b"x" * 300_000 + b"\n", b"last"]
    over = False

    async def pause() -> None:
        nonlocal over
        if script:
            with path.open("ab") as log:
                log.write(script.pop(0))
        else:
            over = True

    text = await collect(read_all(LogFile(path), tail=1, follow=True, ended=lambda: over, pause=pause))
    assert text == b"one\ntwo\n" + b"x" * 300_000 + b"\nlast"


def test_no_log_is_a_key_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="s-9"):
        LogFile(tmp_path / "s-9.log")
