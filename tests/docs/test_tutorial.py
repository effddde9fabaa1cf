"""The tutorial, done as a reader does it: files written, commands given, in order, against a real Innkeeper."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from inns import PATIENCE, REPOSITORY, RunningInn, running_inn

PAGE = REPOSITORY / "docs" / "tutorial.md"
README = REPOSITORY / "README.md"
#: A file that the reader writes, a command that they give, or what they should see.
_STEP = re.compile(r"(?:`([\w./-]+)`[^`]*?:\n\n)?^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
#: What the test has done already, or cannot do: installing, and the program of the first terminal.
DONE = ("python3 -m venv", "innkeeper up\n")


@pytest.fixture
def inn() -> Iterator[RunningInn]:
    with running_inn() as inn:
        yield inn


@pytest.fixture
def folder(inn: RunningInn, tmp_path: Path) -> Path:
    """Where the reader is: beside Innkeeper's data, with the commands at hand."""
    (tmp_path / "inn-data").symlink_to(inn.data)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(sys.executable)
    command = tmp_path / "bin" / "innkeeper"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m innkeeper "$@"\n')
    command.chmod(0o755)
    return tmp_path


def shell(inn: RunningInn, folder: Path, code: str, **variables: str) -> str:
    """Give commands; what they printed. The first that fails ends it."""
    env = inn.environment() | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"} | variables
    del env["INNKEEPER_DATA"]
    # A link to the environment's Python would not know its packages.
    code = code.replace("python3 play.py", f"{sys.executable} play.py")
    done = subprocess.run(
        ["bash", "-euc", code], cwd=folder, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, f"{code}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_tutorial_works_as_it_is_written(inn: RunningInn, folder: Path) -> None:
    printed = ""
    written = 0
    for name, language, code in _STEP.findall(PAGE.read_text()):
        if language in ("python", "procfile"):
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(code)
            written += 1
        elif language == "sh" and not code.startswith(DONE):
            printed = shell(inn, folder, code)
        elif not language:
            assert code == printed
    assert written == 3
    with inn.client() as client:
        app = client.apps_v2.get_apps().applications[0]
        ended = client.processes_v3.get_latest_processes(app.app_id)
    assert len(ended) == 2
    logs = [inn.run("logs", server.process_id, "--all").stdout for server in ended]
    assert sorted(log.splitlines()[0] for log in logs) == ["open: parlour", "open: salon"]
    assert any("Ada is here" in log for log in logs)


def test_the_readmes_python_opens_a_room(inn: RunningInn, folder: Path) -> None:
    example = REPOSITORY / "examples" / "01-first-room"
    shell(inn, folder, f"innkeeper deploy {example} --app first --create-app")
    [code] = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    (folder / "play.py").write_text(code)
    where = {"INNKEEPER_URL": inn.url, "INNKEEPER_TOKEN": inn.token}
    assert re.fullmatch(r"play at 127\.0\.0\.1:\d+\n", shell(inn, folder, "python3 play.py", **where))


def test_the_readmes_three_commands(inn: RunningInn, folder: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    [code] = [block for block in blocks if "Procfile" in block]
    server = folder / "game" / "my-server"
    server.parent.mkdir()
    server.write_text('#!/bin/sh\nexec python3 -m http.server "$2"\n')
    server.chmod(0o755)
    code = code.replace("--create-app", "--create-app --transport-type tcp")
    (folder / ".venv" / "bin").mkdir(parents=True)  # the reader's; here the commands are there already
    (folder / ".venv" / "bin" / "activate").touch()
    assert re.search(r"address +127\.0\.0\.1:\d+/tcp", shell(inn, folder, code))
