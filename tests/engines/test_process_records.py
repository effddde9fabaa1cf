"""The journal: what it was told it knows after a crash, on a full disk too."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innkeeper.engines.process.records import Journal, Record


def record(server_id: str, **fields: object) -> Record:
    one = Record(server_id)
    one.pid, one.ports = 4711, [("udp", 20_000)]
    for name, value in fields.items():
        setattr(one, name, value)
    return one


def test_the_journal_knows_after_a_crash_what_it_was_told(tmp_path: Path) -> None:
    path = str(tmp_path / "journal")
    journal = Journal(path)
    journal.put(record("s-1"), new=True)
    journal.put(record("s-2"), new=True)
    journal.put(record("s-1", ended=["exit", 3, 99, ""]))
    journal.drop(record("s-2"))
    journal.put(record("s-3", stop_at=1.5), new=True)
    journal.sync()
    again = Journal(path).records
    assert list(again) == ["s-1", "s-3"]
    assert again["s-1"].ended == ["exit", 3, 99, ""]
    assert again["s-1"].ports == [("udp", 20_000)]
    assert again["s-3"].stop_at == 1.5


@given(st.integers(0, 400))
@settings(max_examples=40, deadline=None)
def test_a_line_that_was_cut_off_costs_itself_alone(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal"
    journal = Journal(str(path))
    journal.put(record("s-1"), new=True)
    whole = len(path.read_bytes().rstrip(b"\0"))
    journal.put(record("s-2"), new=True)
    text = path.read_bytes().rstrip(b"\0")
    path.write_bytes(text[: whole + cut] + b"\0" * 100)
    again = Journal(str(path))
    assert list(again.records) == (["s-1", "s-2"] if whole + cut >= len(text) else ["s-1"])
    again.put(record("s-3"), new=True)
    assert "s-3" in Journal(str(path)).records


def test_history_is_thrown_away(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = Journal(str(path))
    for number in range(6000):
        journal.put(record(f"s-{number}"), new=True)
        journal.drop(record(f"s-{number}"))
        journal.tidy()
    assert path.stat().st_size <= 2 << 20
    journal.put(record("s-1"), new=True)
    assert list(Journal(str(path)).records) == ["s-1"]


def fill(path: Path) -> None:
    """Write until the disk is full."""
    with contextlib.suppress(OSError), open(path, "wb", buffering=0) as filler:
        while True:
            filler.write(b"x" * 65536)


def put_many(journal: Journal) -> None:
    for number in range(100, 10_000):
        journal.put(record(f"s-{number}"), new=True)


@pytest.mark.skipif(os.getuid() != 0, reason="a small file system can only be mounted by root")
def test_on_a_full_disk_ends_can_be_written_and_starts_are_refused(tmp_path: Path) -> None:
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", tmp_path], check=False).returncode:
        pytest.skip("may not mount")
    try:
        journal = Journal(str(tmp_path / "journal"))
        for number in range(100):
            journal.put(record(f"s-{number}"), new=True)
        fill(tmp_path / "filler")
        with pytest.raises(OSError, match="no room"):
            put_many(journal)
        for server_id in list(journal.records):
            journal.put(record(server_id, ended=["exit", 0, 1, "x" * 400]))
        journal.sync()
        assert all(one.ended for one in Journal(str(tmp_path / "journal")).records.values())
        (tmp_path / "filler").unlink()
        journal.put(record("s-new"), new=True)
    finally:
        subprocess.run(["umount", "-l", tmp_path], check=True)
