"""The engine's parts by themselves: start commands, verdicts, sockets, users, messages."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innkeeper.engines.process import wire
from innkeeper.engines.process.command import step_aside
from innkeeper.engines.process.proc import Stat
from innkeeper.engines.process.scratch import Scratch
from innkeeper.engines.process.site import users_exist
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


# -- sockets, processes, users, messages ---------------------------------------------------------------------------


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


def test_no_user_is_given_twice_in_a_row(tmp_path: Path) -> None:
    scratch = Scratch(str(tmp_path))
    assert [scratch.free_user(10, 3) for _ in range(4)] == [10, 11, 12, 10]  # whoever was unused longest comes first


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives folders away")
def test_users_are_taken_as_long_as_their_folders_stand(tmp_path: Path) -> None:
    scratch = Scratch(str(tmp_path))
    for server_id in ("s-1", "s-2", "s-3"):
        user = scratch.free_user(10, 3)
        scratch.make(server_id, (user, user))
    again = Scratch(str(tmp_path))
    with pytest.raises(OSError, match="all 3 users for servers are taken"):
        again.free_user(10, 3)
    again.remove("s-2")
    assert again.free_user(10, 3) == 11


def test_a_user_namespace_may_have_too_few_users(tmp_path: Path) -> None:
    for name in ("uid_map", "gid_map"):
        (tmp_path / name).write_text("         0          0 4294967295\n")
    assert users_exist(range(2_000_000_000, 2_000_100_000), tmp_path)
    (tmp_path / "gid_map").write_text("         0     100000      65536\n")
    assert not users_exist(range(2_000_000_000, 2_000_100_000), tmp_path)
    assert not users_exist(range(65_000, 66_000), tmp_path)
    assert users_exist(range(65_000, 65_536), tmp_path)
