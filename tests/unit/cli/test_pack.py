"""Packing: Docker's rules for `.dockerignore`, the same bytes for the same files, and errors that say what to do."""

from __future__ import annotations

import io
import itertools
import os
import socket
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from innkeeper.cli.ignore import IgnoreRules
from innkeeper.cli.pack import CannotPack, pack
from innkeeper.hosting.archives.unpacking import unpack

RULES = [  # the file's text, what it leaves out, what it does not
    ("", [], ["a", "a/b"]),
    ("# a\n\n  \n", [], ["a", "# a"]),
    (" # a", ["# a"], ["a"]),  # a comment starts in the first column only
    ("\ufeffa", ["a"], ["b"]),
    ("foo/bar", ["foo/bar", "foo/bar/deep/er"], ["bar", "x/foo/bar", "foo"]),
    ("/foo/bar/", ["foo/bar", "foo/bar/x"], ["bar"]),
    ("  foo  \r\n", ["foo"], ["foo2"]),
    ("./a/../b", ["b"], ["a"]),
    ("../x", ["x"], ["y"]),
    ("*/temp*", ["somedir/temporary.txt", "somedir/temp", "somedir/temp/x"], ["temp", "a/b/temp"]),
    ("*/*/temp*", ["a/b/temporary.txt"], ["a/temp"]),
    ("temp?", ["tempa", "tempb", "tempa/x"], ["temp", "tempab", "x/tempa"]),
    ("*.md", ["README.md"], ["docs/README.md"]),
    ("**/*.go", ["main.go", "a/main.go", "a/b/c/main.go"], ["main.goo"]),
    ("**", ["a", "a/b"], []),
    ("*", ["a", "a/b", ".hidden"], []),
    ("dir/**", ["dir/file", "dir/a/b"], ["dir", "dirs"]),
    ("**/dir2/*", ["a/dir2/x", "dir2/x"], ["dir2"]),
    ("**/foo/bar", ["foo/bar", "a/b/foo/bar"], ["xfoo/bar"]),
    ("**/.foo", [".foo", "x/.foo"], ["bar.foo"]),
    ("**file", ["file", "dir/file", "dir/myfile"], ["files"]),
    ("**file*", ["file", "dir/file.txt"], ["dir/myfile"]),
    ("a**b", ["ab", "ax/b", "ax/y/b"], ["axb"]),
    ("a**/*.txt", ["a/file.txt", "a/dir/dir/file.txt", "ab/file.txt"], ["b/file.txt"]),
    ("a/*.txt", ["a/file.txt"], ["a/dir/file.txt"]),
    ("a[b-d]e", ["ace"], ["ae", "aae", "a-e"]),
    ("a[^b-d]e", ["aze"], ["ace", "a/e"]),
    ("[\\]a]x", ["]x", "ax"], ["bx"]),
    ("a\\*b", ["a*b"], ["axb"]),
    ("a.b", ["a.b"], ["axb"]),
    ("a.|)$(}+{bc", ["a.|)$(}+{bc"], ["a"]),
    ("*.md\n!README.md", ["a.md"], ["README.md"]),
    ("*.md\n!README*.md\nREADME-secret.md", ["a.md", "README-secret.md"], ["README.md", "README-x.md"]),
    ("*.md\nREADME-secret.md\n!README*.md", ["a.md"], ["README.md", "README-secret.md"]),
    ("!a.go\n*.go", ["a.go"], []),
    ("docs\n!docs/README.md", ["docs", "docs/x"], ["docs/README.md"]),
    ("docs/*\n!docs/README.md", ["docs/x"], ["docs", "docs/README.md"]),
    ("**\n!util/web", ["util", "util/x"], ["util/web", "util/web/foo"]),
    ("**\n!util/web\nutil/web/foo", ["util/web/foo"], ["util/web", "util/web/bar"]),
    ("*\n!**/*.py", ["a", "a/b.txt"], ["x.py", "a/b/c.py"]),
    ("! a\nb", ["b"], ["a"]),
]


@pytest.mark.parametrize(("text", "out", "kept"), RULES)
def test_what_the_rules_leave_out(text: str, out: list[str], kept: list[str]) -> None:
    rules = IgnoreRules(text)
    assert {path: rules.ignores(path) for path in [*out, *kept]} == dict.fromkeys(out, True) | dict.fromkeys(
        kept, False
    )


@pytest.mark.parametrize("text", ["!", "a[", "[]a]", "[-x]", "[x-]", "a\\"])
def test_patterns_that_are_none_are_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"line 2"):
        IgnoreRules(f"# x\n{text}")


@pytest.mark.parametrize(
    ("text", "directory", "searched"),
    [
        ("a\n!a/b", "a", True),
        ("a\n!a/b", "c", False),
        ("*\n!**/x", "a/b", True),
        ("a/b\n!a/b/c/d", "a/b", True),
        ("a", "a", False),
    ],
)  # fmt: skip
def test_a_directory_left_out_is_searched_only_if_need_be(text: str, directory: str, searched: bool) -> None:
    assert IgnoreRules(text).may_keep_within(directory) is searched


@pytest.fixture
def game(tmp_path: Path) -> Path:
    root = tmp_path / "game"
    for name, text in {
        "Procfile": "server: ./run\n", "run": "#!/bin/sh\n", "data/level1": "x" * 5000, "data/level2": "y",
        "node_modules/a/b.js": "big", "node_modules/keep/me.js": "small", ".git/HEAD": "ref",
    }.items():  # fmt: skip
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "run").chmod(0o700)
    (root / "empty").mkdir()
    (root / "latest").symlink_to("data/level2")
    return root


def contents(path: Path) -> dict[str, str]:
    with tarfile.open(path) as archive:
        return {entry.name: f"{entry.mode:o}" + (f" -> {entry.linkname}" if entry.issym() else "") for entry in archive}


def test_what_is_packed_and_what_comes_out(game: Path, tmp_path: Path) -> None:
    (game / ".dockerignore").write_text(".git\nnode_modules\n!node_modules/keep\nProcfile\n.dockerignore\n")
    seen: list[tuple[int, int]] = []
    packed = pack(game, progress=lambda done, total: seen.append((done, total)), into=tmp_path)
    assert contents(packed.path) == {
        "Procfile": "644", "data": "755", "data/level1": "644", "data/level2": "644", "empty": "755",
        "latest": "777 -> data/level2", "node_modules/keep": "755", "node_modules/keep/me.js": "644", "run": "755",
    }  # fmt: skip
    assert (packed.files, packed.unpacked, packed.size) == (5, 5030, packed.path.stat().st_size)
    assert seen[-1] == (5030, 5030)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    with packed.path.open("rb") as archive:
        report = unpack(archive, tmp_path / "build")
    assert (report.files, report.bytes) == (5, 5030)
    assert (tmp_path / "build/latest").read_text() == "y"
    assert os.access(tmp_path / "build/run", os.X_OK)


def test_the_same_files_give_the_same_bytes(game: Path, tmp_path: Path) -> None:
    first = pack(game, into=tmp_path)
    for path in game.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
    assert pack(game, into=tmp_path).path.read_bytes() == first.path.read_bytes()


@pytest.mark.parametrize(
    ("rules", "inside", "without"),
    [(None, [], True), ("data\n", [], True), ("!.git\n", [".git", ".git/HEAD"], False), (".git\n", [], True)],
)
def test_git_stays_behind_unless_it_is_asked_for(
    game: Path, tmp_path: Path, rules: str | None, inside: list[str], without: bool
) -> None:
    (game / "data/.git").write_text("gitdir: ../.git/modules/data")  # as a submodule has it
    if rules is not None:
        (game / ".dockerignore").write_text(rules)
    packed = pack(game, into=tmp_path)
    assert sorted(name for name in contents(packed.path) if name.startswith(".git")) == inside
    assert "data/.git" not in contents(packed.path)
    assert packed.without_git is without


@pytest.mark.parametrize(("ignored", "there"), [("", False), ("!__pycache__\n", True)])
def test_what_python_makes_anew_stays_behind_unless_it_is_asked_for(game: Path, ignored: str, there: bool) -> None:
    (game / ".dockerignore").write_text(ignored)
    (game / "__pycache__").mkdir()
    (game / "__pycache__/server.pyc").write_text("made")
    assert ("__pycache__/server.pyc" in contents(pack(game).path)) is there


def test_packing_tells_how_far_it_is_within_a_large_file(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("server: x")
    with (tmp_path / "world").open("wb") as file:
        file.truncate(2_000_000)
    seen: list[tuple[int, int]] = []
    pack(tmp_path, progress=lambda done, total: seen.append((done, total))).path.unlink()
    steps = [done for done, _ in seen]
    assert steps == sorted(steps)
    assert max(later - before for before, later in itertools.pairwise(steps)) < 500_000
    assert seen[-1] == (2_000_009, 2_000_009)


def test_sockets_and_pipes_stay_behind(game: Path) -> None:
    os.mkfifo(game / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(game / "socket"))
        packed = pack(game)
    assert not {"pipe", "socket"} & contents(packed.path).keys()
    packed.path.unlink()


def test_errors_say_what_to_do_and_leave_no_file(game: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()

    def refused(directory: Path, says: str) -> None:
        with pytest.raises(CannotPack, match=says):
            pack(directory, into=out)
        assert list(out.iterdir()) == []

    refused(tmp_path / "nowhere", "not a directory")
    refused(game / "Procfile", "not a directory")
    refused(game / "data", "no Procfile and no Dockerfile.*server: ./my-server")
    (game / "up").symlink_to("../secret")
    refused(game, "up is a link to ../secret, outside.*dockerignore")
    (game / ".dockerignore").write_text("up\n[\n")
    refused(game, "line 2.*Correct the line")
    (game / ".dockerignore").write_bytes(b"up\n\xff")
    refused(game, "cannot be understood")
    (game / ".dockerignore").write_text("up\n")
    (game / "loop").symlink_to("/etc")
    refused(game, "loop is a link to /etc")


def test_a_file_that_cannot_be_read_is_named() -> None:
    with as_nobody(), tempfile.TemporaryDirectory() as scratch:
        Path(scratch).joinpath("Procfile").write_text("server: x")
        Path(scratch).joinpath("data").mkdir()
        Path(scratch).joinpath("data/level1").touch(0)
        with pytest.raises(CannotPack, match=r"level1 cannot be packed: Permission denied.*dockerignore"):
            pack(Path(scratch))
        Path(scratch).joinpath("data").chmod(0)
        with pytest.raises(CannotPack, match=r"data cannot be packed: Permission denied.*dockerignore"):
            pack(Path(scratch))
        Path(scratch).joinpath("data").chmod(0o700)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the superuser's right to read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_dockerfile_will_do(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_bytes(b"FROM scratch")
    (tmp_path / ".dockerignore").write_text("**")
    packed = pack(tmp_path)
    assert contents(packed.path) == {"Dockerfile": "644"}
    assert io.BytesIO(packed.path.read_bytes()).read(2) == b"\x1f\x8b"
    packed.path.unlink()
