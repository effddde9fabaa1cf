"""The Procfile: which lines are understood, and what is said about those that are not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.hosting.archives.procfile import parse, server_command, starters, without_engine
from innkeeper.kit.errors import Invalid


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("server: ./run --port $PORT", {"server": "./run --port $PORT"}),
        ("server:./run", {"server": "./run"}),
        ("\n# first\n\n  server :  ./run  # not a comment \n", {"server": "./run  # not a comment"}),
        ("server: a\r\nworker: b: c\r\n", {"server": "a", "worker": "b: c"}),
        ("\ufeffserver: a", {"server": "a"}),
        ("server: a\rworker-2_x: b", {"server": "a", "worker-2_x": "b"}),
        ("server: café --name 'x y'", {"server": "café --name 'x y'"}),
        ("", {}),
    ],
)
def test_lines_are_understood(text: str, commands: dict[str, str]) -> None:
    assert parse(text) == commands
    assert parse(text.encode()) == commands


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"server ./run", "Line 1 .* is not `name: command`.*server: ./my-server"),
        (b"# x\nserver:\n", "Line 2 .* no command for `server`"),
        (b"server: a\nserver: b", "Line 2 .* second command for `server`"),
        (b"my server: a", "Line 1 .* is not"),
        (b"server: caf\xe9", "not UTF-8"),
        (b"server: a\0b", "Line 1"),
    ],
)
def test_lines_that_are_not_are_named(text: bytes, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        parse(text)


@given(st.binary(max_size=200))
def test_whatever_the_bytes_only_invalid_is_raised(data: bytes) -> None:
    try:
        commands = parse(data)
    except Invalid:
        return
    assert all(name and command for name, command in commands.items())


def test_the_command_of_a_build(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_bytes(b"# game\r\nworker: x\r\nserver: python3 server.py\r\n")
    assert server_command(tmp_path) == "python3 server.py"


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "has no Procfile and no Dockerfile. Add a Procfile.*server: ./my-server"),
        ({"dockerfile": "FROM scratch"}, "but a `dockerfile`: rename it"),
        ({"game/Dockerfile": "FROM scratch"}, "The Dockerfile lies in the directory `game`.*pack what is inside"),
        ({"Dockerfile/x": ""}, "The Dockerfile of the build is not a file"),
        ({"procfile": "server: x"}, "but a `procfile`: rename it"),
        ({"game/Procfile": "server: x"}, "in the directory `game`.*pack what is inside"),
        ({"Procfile": "# nothing"}, "no `server:` line. Add the one"),
        ({"Procfile": "web: x\nworker: y"}, "no `server:` line. It names `web`, `worker` only"),
        ({"Procfile/x": ""}, "not a file"),
        ({"Procfile": "server: " + "x" * 70_000}, "more than 65536 bytes"),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, files: dict[str, str], says: str) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with pytest.raises(Invalid, match=says):
        server_command(tmp_path)


def test_a_procfile_may_be_a_link_but_not_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "Procfile").symlink_to("deploy.txt")
    with pytest.raises(Invalid, match="not a file"):
        server_command(tmp_path)
    (tmp_path / "deploy.txt").write_text("server: x")
    assert server_command(tmp_path) == "x"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ((), (False, False)),
        (("Procfile",), (False, True)),
        (("Dockerfile",), (True, False)),
        (("Dockerfile", "Procfile"), (True, True)),
        (("Dockerfile/x", "Procfile/x"), (False, True)),
        (("game/Dockerfile", "procfile"), (False, False)),
    ],
)
def test_what_a_build_can_be_started_by(tmp_path: Path, files: tuple[str, ...], found: tuple[bool, bool]) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert starters(tmp_path) == found


def test_without_an_engine_both_ways_out_are_told() -> None:
    said = without_engine("no host has an engine; add one")
    assert said.startswith("The build has a Dockerfile, but no host has an engine; add one. Or")
    assert "server: ./my-server" in said
