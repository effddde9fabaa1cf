"""The engine's parts by themselves: start commands, verdicts, the journal, control groups, sockets."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innkeeper.engines.process import cgroups, wire
from innkeeper.engines.process.command import step_aside
from innkeeper.engines.process.proc import Stat
from innkeeper.engines.process.records import Journal, Record
from innkeeper.engines.process.sockets import Table
from innkeeper.engines.process.verdict import verdict

# -- start commands ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("./server -p $PORT", "exec ./server -p $PORT"),
        ("  ./server > log 2>&1", "  exec ./server > log 2>&1"),
        ('"./my server" "a; b" && true', '"./my server" "a; b" && exec true'),
        ("cd game && ./server", "cd game && exec ./server"),
        ("set -e; ./prepare; ./server", "set -e; ./prepare; exec ./server"),
        ("./a\n./b\n", "./a\nexec ./b\n"),
        ("A=1 B=$X ./server", "A=1 B=$X exec ./server"),
        ("./server # the (real) one", "exec ./server # the (real) one"),
        ("./a || ./b", "./a || exec ./b"),
        ("./server 'it is; odd'", "exec ./server 'it is; odd'"),
        ('./server "\\"; x"', 'exec ./server "\\"; x"'),
    ],
)
def test_the_shell_steps_aside(command: str, expected: str) -> None:
    assert step_aside(command) == expected


@pytest.mark.parametrize(
    "command",
    [
        "exec ./server",
        "./server | cat",
        "./server &",
        "./helper & ./server",
        "./server &> log",
        "(cd x; ./server)",
        "{ ./a; ./b; }",
        "while true; do ./server; done",
        "if test -e x; then ./a; fi",
        "./server $(hostname)",
        "./server `hostname`",
        'A="x y" ./server',
        "A=1",
        "cat << END\nx\nEND",
        "trap 'echo bye' EXIT; ./server",
        "f() { ./server; }; f",
        "> log ./server",
        "cd x",
        "./server 'open",
        "",
        "# nothing",
    ],
)
def test_the_shell_stays_where_it_is_needed(command: str) -> None:
    assert step_aside(command) == command


_WORDS = st.sampled_from(
    ["echo a", "true", "false", "printf %s 'x y'", 'echo "$V;"', "V=2 env | grep ^V", "cd /", "pwd"]
)
_LISTS = st.lists(st.tuples(_WORDS, st.sampled_from([" && ", " || ", "; ", "\n"])), min_size=1, max_size=4)


@settings(max_examples=40, deadline=None)
@given(_LISTS)
def test_stepping_aside_changes_nothing_that_can_be_seen(pieces: list[tuple[str, str]]) -> None:
    command = "".join(word + joint for word, joint in pieces[:-1]) + pieces[-1][0]
    outcomes = [
        subprocess.run(
            ["/bin/sh", "-c", one], capture_output=True, env={"V": "1", "PATH": "/usr/bin:/bin"}, check=False
        )
        for one in (command, step_aside(command))
    ]
    assert outcomes[0].stdout == outcomes[1].stdout
    assert outcomes[0].returncode == outcomes[1].returncode


# -- verdicts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ((0, False, False, 0, 0), ("exit", 0)),
        ((3, False, False, 0, 0), ("exit", 3)),
        ((-11, False, False, 0, 0), ("signal", 11)),
        ((-15, False, False, 0, 0), ("signal", 15)),
        ((0, True, False, 0, 0), ("stopped", 0)),
        ((143, True, False, 0, 0), ("stopped", 143)),
        ((-15, True, False, 0, 0), ("stopped", 15)),
        ((-11, True, False, 0, 0), ("signal", 11)),
        ((-9, True, True, 0, 0), ("killed", 9)),
        ((0, True, True, 0, 2), ("killed", 0)),
        ((-9, False, False, 1, 0), ("memory", 9)),
        ((137, False, False, 1, 0), ("memory", 137)),
        ((0, False, False, 1, 0), ("exit", 0)),
        ((-9, True, True, 1, 0), ("killed", 9)),
        ((None, False, False, 0, 0), ("lost", None)),
        ((None, True, True, 0, 0), ("killed", None)),
    ],
)
def test_how_it_ended(seen: tuple[int | None, bool, bool, int, int], expected: tuple[str, int | None]) -> None:
    status, asked, killed, oom_kills, left = seen
    assert verdict(status, asked=asked, killed=killed, oom_kills=oom_kills, left=left)[:2] == expected


def test_the_detail_says_what_to_do() -> None:
    detail = verdict(0, asked=False, killed=False, oom_kills=0, left=2, words="bye")[2]
    assert detail.startswith("it left 2 processes behind")
    assert detail.endswith("in the foreground; bye")
    assert verdict(1, asked=False, killed=False, oom_kills=0, left=0, words="no such map")[2] == "no such map"


# -- the journal ---------------------------------------------------------------------------------------------------


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


# -- control groups, where the kernel is played by a folder --------------------------------------------------------


def plays_the_kernel(group: Path, controllers: str) -> None:
    group.mkdir(parents=True, exist_ok=True)
    (group / "cgroup.controllers").write_text(controllers)
    (group / "cgroup.subtree_control").write_text("")
    (group / "cgroup.procs").write_text("")


def test_version_two_below_a_delegated_group(tmp_path: Path) -> None:
    own = tmp_path / "system.slice" / "innkeeper.service"
    plays_the_kernel(own, "cpu memory pids io")
    (own / "cgroup.subtree_control").write_text("cpu memory pids")
    parent = own / "innkeeper-abc"
    plays_the_kernel(parent, "cpu memory pids")
    membership = tmp_path / "membership"
    membership.write_text("0::/system.slice/innkeeper.service\n")
    groups = cgroups.Cgroups("abc", root=str(tmp_path), membership=str(membership))
    assert groups.version == 2
    assert groups.describe("memory") == groups.describe("cpu") == "cgroup v2"
    assert (parent / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"
    group = parent / "s-1"
    group.mkdir()
    for name in ("memory.max", "memory.swap.max", "memory.oom.group", "cpu.max", "pids.max"):
        (group / name).touch()
    assert groups.make("s-1", cpu=1.5, memory_mb=512) == [f"{group}/cgroup.procs"]
    assert (group / "memory.max").read_text() == str(512 << 20)
    assert (group / "memory.swap.max").read_text() == "0"
    assert (group / "memory.oom.group").read_text() == "1"
    assert (group / "cpu.max").read_text() == "150000 100000"
    assert (group / "pids.max").read_text() == "4096"
    (group / "cgroup.procs").write_text("12\n13\n")
    (group / "memory.events").write_text("low 0\noom 1\noom_kill 1\n")
    (group / "cpu.stat").write_text("usage_usec 1500000\nuser_usec 1\n")
    (group / "memory.stat").write_text("anon 4096\nfile 1\nfile_mapped 8192\n")
    assert groups.members("s-1") == [12, 13]
    assert groups.oom_kills("s-1") == 1
    assert groups.usage("s-1") == (1.5, 12288)
    (group / "cgroup.kill").touch()
    groups.kill("s-1")
    assert (group / "cgroup.kill").read_text() == "1"
    assert groups.known() == {"s-1"}


def test_without_any_there_are_none(tmp_path: Path) -> None:
    membership = tmp_path / "membership"
    membership.write_text("0::/\n")
    groups = cgroups.Cgroups("abc", root=str(tmp_path / "nothing"), membership=str(membership))
    assert groups.version == 0
    assert groups.describe("memory") == ""
    assert groups.members("s-1") == []
    assert groups.known() == set()
    assert groups.remove("s-1")


# -- sockets, processes, messages ----------------------------------------------------------------------------------


@pytest.mark.parametrize("netlink", [True, False])
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_bound_sockets_are_found_by_port(netlink: bool, family: socket.AddressFamily) -> None:
    table = Table(netlink=netlink)
    address = "127.0.0.1" if family == socket.AF_INET else "::1"
    with (
        socket.socket(family, socket.SOCK_DGRAM) as udp,
        socket.socket(family, socket.SOCK_STREAM) as tcp,
        socket.socket(family, socket.SOCK_STREAM) as client,
    ):
        udp.bind((address, 0))
        tcp.bind((address, 0))
        uport, tport = udp.getsockname()[1], tcp.getsockname()[1]
        assert table.bound("udp", uport, uport) == {uport: {os.fstat(udp.fileno()).st_ino}}
        assert table.bound("udp", uport + 1, 65_535).get(uport) is None
        assert table.bound("tcp", tport, tport) == {}  # bound, but nobody listens
        tcp.listen()
        assert table.bound("tcp", 1, 65_535)[tport] == {os.fstat(tcp.fileno()).st_ino}
        assert table.connected(tport, tport) == {}
        client.connect((address, tport))
        with tcp.accept()[0]:
            assert table.connected(tport, tport) == {tport: 1}
    table.close()


def test_a_process_may_be_called_what_it_likes() -> None:
    numbers = " ".join(str(number) for number in range(4, 53))
    stat = Stat(f"77 (a) S 1 ) (b) R {numbers}".encode())
    assert (stat.pid, stat.state, stat.ppid, stat.session, stat.started) == (77, "R", 4, 6, 22)


@given(st.lists(st.dictionaries(st.text(), st.integers() | st.text())), st.integers(1, 50))
def test_messages_arrive_however_they_are_cut(messages: list[wire.Message], step: int) -> None:
    stream = b"".join(wire.encode(message) for message in messages)
    lines = wire.Lines()
    heard = [message for at in range(0, len(stream), step) for message in lines.feed(stream[at : at + step])]
    assert heard == messages


@pytest.mark.parametrize("bad", ["", "../x", "a/b", "a b", "x" * 129, "\u00e9", ".", "a\0"])
def test_ids_that_could_leave_the_folder_are_none(bad: str) -> None:
    assert not wire.safe_id(bad)
    assert wire.safe_id("0f8c-A_b")


def test_the_numbers_of_signals_are_those_of_this_machine() -> None:
    assert verdict(-signal.SIGTERM, asked=True, killed=False, oom_kills=0, left=0)[:2] == ("stopped", signal.SIGTERM)
