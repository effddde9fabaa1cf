"""One Innkeeper for all commands of a module, and the command line called in this process, which is quick."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from innkeeper.cli.program import program
from inns import REPOSITORY, RunningInn, running_inn

EXAMPLE = REPOSITORY / "examples" / "01-first-room"


class Line:
    """The command line, as somebody has it who is on the machine of an Innkeeper."""

    def __init__(self, inn: RunningInn) -> None:
        self.inn = inn

    def __call__(self, *arguments: str | Path, code: int = 0, env: dict[str, str] | None = None) -> Result:
        """Call ``innkeeper ARGUMENTS``, which must end with this code."""
        result = self._invoke(arguments, env or {})
        assert result.exit_code == code, f"{arguments}: {result.exit_code}\n{result.output}\n{result.exception!r}"
        return result

    def code(self, *arguments: str | Path) -> int:
        """What it ends with."""
        return self._invoke(arguments, {}).exit_code

    def _invoke(self, arguments: tuple[str | Path, ...], env: dict[str, str]) -> Result:
        surroundings: dict[str, str | None] = {"INNKEEPER_DATA": str(self.inn.data)}
        for name in (
            "INNKEEPER_URL",
            "HATHORA_CLOUD_ENDPOINT",
            "INNKEEPER_TOKEN",
            "HATHORA_TOKEN",
            "INNKEEPER_APP_ID",
            "HATHORA_APP_ID",
        ):
            surroundings[name] = None
        return CliRunner().invoke(program, [str(one) for one in arguments], env=surroundings | env)

    def json(self, *arguments: str | Path, **more: Any) -> Any:
        return json.loads(self(*arguments, "--json", **more).stdout)

    def lines(self, *arguments: str | Path, **more: Any) -> list[list[str]]:
        """The words of each line of the result."""
        return [line.split() for line in self(*arguments, **more).stdout.splitlines()]


@pytest.fixture(scope="module")
def inn() -> Iterator[RunningInn]:
    with running_inn() as inn:
        yield inn


@pytest.fixture(scope="module")
def innkeeper(inn: RunningInn) -> Line:
    return Line(inn)


@pytest.fixture(scope="module")
def deployed(innkeeper: Line) -> dict[str, Any]:
    """The first example, deployed to the app ``first``: what ``deploy --json`` said."""
    told: dict[str, Any] = innkeeper.json(
        "deploy", EXAMPLE, "--app", "first", "--create-app", "--rooms-per-process", "10",
        "--additional-container-ports", "ws:7778/tcp", "--build-tag", "v1", "--env", "MOTTO=a=b, c d",
    )  # fmt: skip
    return told


@pytest.fixture
def house() -> Iterator[RunningInn]:
    """An Innkeeper that is not started yet."""
    inn = RunningInn()
    yield inn
    inn.end()
