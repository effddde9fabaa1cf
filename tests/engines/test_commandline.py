"""What a launch says is to be run in place of its build's own command."""

from __future__ import annotations

import pytest

from innkeeper.engines.base import NotStarted
from innkeeper.engines.commandline import program_line, words


@pytest.mark.parametrize(
    ("command", "entrypoint", "arguments", "line"),
    [
        ("./server --port $PORT", "", "", "./server --port $PORT"),
        ("cd game && ./server", "", " ", "cd game && ./server"),
        ("cd game && ./server", "./other", "", "./other"),
        ("./server --old", "./other -x", "--port $PORT", "./other -x --port $PORT"),
        ("./server --old 'a|b'", "", "--new", "./server --new"),
        ("exec ./server --old", "", "--new", "exec ./server --new"),
        ("MAP='old town' A=1 ./server --old", "", "--new", "MAP='old town' A=1 ./server --new"),
        (r"./my\ server --old", "", "--new", r"./my\ server --new"),
        ('"./my server" --old', "", "--new", '"./my server" --new'),
    ],
)
def test_what_a_program_runs(command: str, entrypoint: str, arguments: str, line: str) -> None:
    assert program_line(command, entrypoint, arguments) == line


@pytest.mark.parametrize(
    "command",
    ["", "A=1", "exec", "./a; ./b", "./a | b", "cd a && ./b", "./a\n./b", "./a $(b)", "./a `b`", "./a 'open", "./a # b",
     "a" * 5000 + "'"],
)  # fmt: skip
def test_arguments_alone_need_one_plain_program(command: str) -> None:
    with pytest.raises(NotStarted, match="say the command too"):
        program_line(command, "", "--new")


def test_words_are_as_a_shell_splits_them() -> None:
    assert words("", "command") == []
    assert words("a 'b c' \"d $E\"", "command") == ["a", "b c", "d $E"]
    with pytest.raises(NotStarted, match="its arguments cannot be split into words"):
        words("a 'b", "arguments")
