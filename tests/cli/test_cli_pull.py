"""``innkeeper builds pull``: what is wrong is said before anything is asked of a server, and no password is told."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from innkeeper.cli.program import program

NOWHERE = {"INNKEEPER_URL": "http://127.0.0.1:1", "INNKEEPER_TOKEN": "x"}


@pytest.mark.parametrize(
    ("arguments", "typed", "said"),
    [
        (["--password-stdin"], "alohomora", "--password-stdin needs --login"),
        (["--login", "me"], "", "cannot be asked for without a terminal; add --password-stdin"),
        (["--login", "me", "--password-stdin"], "", "the password is empty"),
        (["--login", "me", "--password-stdin"], "\n", "the password is empty"),
        (["--login", "me:too", "--password-stdin"], "alohomora", "is no user of a registry"),
        (["--login", "", "--password-stdin"], "alohomora", "is no user of a registry"),
        (["--build-id", "no id", "--login", "me", "--password-stdin"], "alohomora", "--build-id: write up to"),
    ],
)
def test_what_cannot_be_meant_is_said_first(arguments: list[str], typed: str, said: str) -> None:
    result = CliRunner().invoke(program, ["builds", "pull", "game", *arguments], input=typed, env=NOWHERE)
    assert result.exit_code == 2
    told = f"{result.output} {result.exception}"
    assert said in told
    assert "alohomora" not in told


def test_a_server_that_is_not_there_learns_and_tells_no_password() -> None:
    arguments = ["builds", "pull", "game", "--login", "me", "--password-stdin"]
    result = CliRunner().invoke(program, arguments, input="alohomora\n", env=NOWHERE)
    assert result.exit_code != 0
    assert "alohomora" not in f"{result.output} {result.exception!r}"
