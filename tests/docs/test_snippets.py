"""The Python on the pages, and of the example that uses the SDK, is what a strict type checker takes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from inns import REPOSITORY

from .test_pages import PAGES, blocks, named

BACKEND = REPOSITORY / "examples" / "03-matchmade-by-your-backend" / "backend.py"


@pytest.fixture(scope="module")
def snippets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file for each piece of code, named after its page."""
    folder = tmp_path_factory.mktemp("snippets")
    for page in PAGES:
        if page.parent.name in ("decisions", "why"):
            continue  # these show pieces of the house's own code
        for number, code in enumerate(blocks(page, "python"), 1):
            (folder / f"{re.sub('[^a-zA-Z0-9]+', '_', named(page)[:-3])}_{number}.py").write_text(code)
    shutil.copy(BACKEND, folder)
    assert len(list(folder.iterdir())) > 10
    return folder


@pytest.mark.slow
def test_mypy_takes_them(snippets: Path) -> None:
    # Kept beside mypy's other cache: from the second time on this takes a second.
    cache = str(REPOSITORY / ".mypy_cache" / "snippets")
    told = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", "", "--cache-dir", cache, *snippets.glob("*.py")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.slow
def test_pyright_takes_them(snippets: Path) -> None:
    command = Path(sys.executable).with_name("pyright")
    if not command.exists() or shutil.which("node") is None:
        pytest.skip("pyright and node are needed")
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "reportUnusedExpression": False}
    (snippets / "pyrightconfig.json").write_text(json.dumps(settings))
    told = subprocess.run(
        [command, "--project", snippets, "--pythonpath", sys.executable], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
