"""What the pages say is true: links lead somewhere, commands exist with their options, settings are settings."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

from innkeeper.cli.program import program
from innkeeper.settings import load_settings
from inns import REPOSITORY

PAGES = sorted(
    [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md"), *(REPOSITORY / "examples").rglob("*.md")]
)
_BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
#: Words of a shell that may stand before a command.
_BEFORE = re.compile(r"^(?:export \w+=\$\(|export \w+=\S+ |[A-Z_]+=\S+ |sudo )+")


def named(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def blocks(page: Path, language: str) -> list[str]:
    """The code of a page in one language."""
    return [code for _, found, code in _BLOCK.findall(page.read_text()) if found == language]


def anchors(page: Path) -> set[str]:
    """What the headings of a page can be linked by."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(re.sub(r"`[^`\n]*`", "", page.read_text())):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def commands(page: Path) -> Iterator[str]:
    """Each call of ``innkeeper`` in the page's shell code, lines that go on joined."""
    for code in blocks(page, "sh"):
        for line in code.replace("\\\n", " ").splitlines():
            line = _BEFORE.sub("", line.strip())
            if line.startswith("innkeeper "):
                yield re.split(r"\s[|>#]|\)$", line)[0]


def all_commands() -> list[Any]:
    return [pytest.param(line, id=f"{named(page)}: {line}") for page in PAGES for line in commands(page)]


@pytest.mark.parametrize("line", all_commands())
def test_commands_exist_with_their_options(line: str) -> None:
    command: click.Command = program
    context = click.Context(program, info_name="innkeeper")
    words = shlex.split(line)[1:]
    while isinstance(command, click.Group):
        name = words.pop(0)
        found = command.get_command(context, name)
        assert found is not None, name
        context = click.Context(found, info_name=name, parent=context)
        command = found
    command.make_parser(context).parse_args(words)


def test_there_are_commands_to_check() -> None:
    assert len(all_commands()) > 30


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "toml")], ids=named)
def test_settings_are_settings(page: Path, tmp_path: Path) -> None:
    for code in blocks(page, "toml"):
        file = tmp_path / "innkeeper.toml"
        file.write_text(code)
        settings = load_settings({}, {}, file)
        for name, value in tomllib.loads(code).items():
            found = getattr(settings, name)
            plain = msgspec.json.decode(msgspec.json.encode(found))
            assert (sorted(plain) if name == "locations" else plain) == value


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_python_is_python(page: Path) -> None:
    for code in blocks(page, "python"):
        compile(code, named(page), "exec")


def test_the_glossary_has_the_words_of_the_house() -> None:
    text = (REPOSITORY / "docs" / "glossary.md").read_text()
    for word in ("App", "Build", "Release", "Location", "Host", "Server", "Room", "Address", "Lobby", "Keeper"):
        assert f"| **{word}** |" in text


def test_every_page_is_in_the_index() -> None:
    folder = REPOSITORY / "docs"
    links = {(folder / link).resolve() for link in _LINK.findall((folder / "README.md").read_text())}
    assert {page for page in folder.rglob("*.md") if page.name != "README.md"} <= links
