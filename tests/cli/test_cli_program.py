"""The program as such: quick to start, light for those who do not serve, completing, and documented."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from innkeeper.cli.program import COMMANDS, program
from inns import REPOSITORY, clean_environment

#: What a command that only speaks to an Innkeeper has no use for.
SERVER = (
    "innkeeper.inn",
    "innkeeper.hosting",
    "innkeeper.api",
    "uvicorn",
    "asyncpg",
    "cryptography",
    "aiohttp",
    "rich",
)


def test_the_help_names_every_command() -> None:
    result = CliRunner().invoke(program, ["--help"])
    assert result.exit_code == 0
    for name, entry in COMMANDS.items():
        assert f"{name} " in result.output
        assert entry.help.split(".")[0].split()[0] in result.output


@pytest.mark.parametrize("arguments", [["--help"], ["rooms", "list", "--url", "http://127.0.0.1:1", "--token", "x"]])
def test_a_command_loads_nothing_of_the_server(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom innkeeper.cli import main\n"
        f"sys.argv[1:] = {arguments!r}\ntry: main()\nexcept SystemExit: pass\n"
        f"print([name for name in sys.modules if name.startswith({SERVER!r})], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=clean_environment(), capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines()[-1] == "[]"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    script = CliRunner().invoke(program, ["completion", shell]).stdout
    assert "_INNKEEPER_COMPLETE" in script
    env = clean_environment(
        {"_INNKEEPER_COMPLETE": "bash_complete", "COMP_WORDS": "innkeeper rooms cr", "COMP_CWORD": "2"}
    )
    done = subprocess.run([sys.executable, "-m", "innkeeper"], env=env, capture_output=True, text=True, check=False)
    assert done.stdout == "plain,create\n"


def test_the_reference_pages_are_those_of_the_program() -> None:
    subprocess.run([sys.executable, "-m", "innkeeper.cli.reference", "--check"], cwd=REPOSITORY, check=True)
