"""Whoever asks for JSON is told what is wrong with the line as JSON, by every command alike."""

from __future__ import annotations

import json

import click
import pytest
from click.testing import CliRunner, Result

from innkeeper.cli.failures import Code, wants_json
from innkeeper.cli.program import program

from .walking import commands

EVERY = [pytest.param(words, command, id=" ".join(words)) for words, command in commands()]
#: Never spoken to: what is wrong is found before.
NOBODY = {"INNKEEPER_URL": "http://127.0.0.1:1", "INNKEEPER_TOKEN": "t", "INNKEEPER_DATA": "/nowhere"}


def called(*line: str) -> Result:
    return CliRunner().invoke(program, line, env=NOBODY)


def error(result: Result) -> str:
    """What a refused line is told as JSON, and nothing besides."""
    assert result.exit_code == Code.USAGE, result.output
    assert result.stdout == ""
    told: dict[str, dict[str, str]] = json.loads(result.stderr)
    return told["error"]["message"]


@pytest.mark.parametrize(("words", "command"), EVERY)
def test_a_wrong_line_is_told_as_it_was_asked_for(words: tuple[str, ...], command: click.Command) -> None:
    assert "No such option" in error(called(*words, "--json", "--no-such-option"))
    assert "No such option" in error(called(*words, "--no-such-option", "--json"))
    plain = called(*words, "--no-such-option")
    assert plain.exit_code == Code.USAGE
    assert plain.stderr.startswith("Usage: ")
    takes_json = any("--json" in one.opts for one in command.params)
    if takes_json and any(isinstance(one, click.Argument) and one.required for one in command.params):
        assert "Missing " in error(called(*words, "--json"))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("tokens create t --scope foo", "there is no scope 'foo'"),
        ("tokens create t", "say what the token may do"),
        ("processes stop", "name the servers to end, or say --all"),
        ("rooms create --timeout soon", "'soon' is not a valid float range"),
        ("rooms info", "Missing argument 'ROOM'"),
        ("rooms nothing", "No such command 'nothing'"),
        ("nothing", "No such command 'nothing'"),
        ("--nothing", "No such option"),
        ("orgs limits x --cpus many", "write a number, or none"),
        ("billing usage --month 2020-13", "--month: write YYYY-MM, for example 2026-11"),
        ("apps create Big.Game", "NAME: write up to 64 small letters"),
        ("webhooks replay w", "say from where"),
        ("deploy --build-id -x", "--build-id"),
    ],
)
def test_what_a_command_finds_wrong_is_told_so_too(line: str, words: str) -> None:
    assert words in error(called(*line.split(), "--json"))
    assert words in called(*line.split()).stderr.replace("\n       ", " ")


@pytest.mark.parametrize(
    ("line", "is_json"),
    [("", False), ("rooms list --json", True), ("--json", True), ("rooms info -- --json", False), ("a --jsonx", False)],
)
def test_a_line_asks_for_json_by_the_option_alone(line: str, is_json: bool) -> None:
    assert wants_json(line.split()) is is_json
