"""What goes wrong is told in a sentence to act on, with a code for scripts, and never as a traceback."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from innkeeper.cli.pack import pack
from inns import RunningInn

from .conftest import EXAMPLE, Line


@pytest.mark.usefixtures("deployed")
def test_what_is_not_there(innkeeper: Line) -> None:
    assert innkeeper("rooms", "info", "nowhere", code=4).stderr == "innkeeper: there is no room nowhere\n"
    assert "no process and no room nowhere" in innkeeper("logs", "nowhere", code=4).stderr
    error = json.loads(innkeeper("builds", "info", "none", "--json", code=4).stderr)["error"]
    assert error["status"] == 404
    assert error["message"]


@pytest.mark.usefixtures("deployed")
def test_what_is_refused(innkeeper: Line) -> None:
    innkeeper("rooms", "create", "--room-id", "twice")
    assert "twice" in innkeeper("rooms", "create", "--room-id", "twice", code=1).stderr
    assert "there is: Seattle, " in innkeeper("rooms", "create", "--region", "Mars", code=2).stderr
    assert innkeeper("rooms", "create", "--room-id", "no spaces", code=2).stderr.startswith("innkeeper: --room-id: ")
    long = innkeeper("rooms", "create", "--config", "x" * 10_001, code=2).stderr
    words = "innkeeper: --config: write up to 10,000 characters, not 10,001 characters that begin "
    assert long == f"{words}'{'x' * 60}'\n"
    late = innkeeper("rooms", "create", "--wait", "--timeout", "0", "--room-id", "late", "--app", "first", code=1)
    assert "To go on looking: innkeeper rooms watch late --app first\n" in late.stderr
    innkeeper("processes", "stop", "--all")


def test_options_that_cannot_be_read(innkeeper: Line) -> None:
    for arguments, text in (
        (["--env", "NOVALUE"], "--env: write NAME=VALUE, not 'NOVALUE'"),
        (["--port", "ws/7778"], "--port: write NAME:PORT/udp, /tcp or /tls, such as ws:7778/tcp, not 'ws/7778'"),
        (["--port", "ws:99999/tcp"], "write a port from 1 to 65535"),
        (["--transport-type", "quic"], "'quic' is not one of 'udp', 'tcp', 'tls'"),
        (["--build-id", "-x"], "--build-id: write"),
        (["--app", "Big Game", "--create-app"], "--app: write up to 64 small letters"),
    ):
        told = innkeeper("deploy", EXAMPLE, *arguments, code=2).stderr
        assert text in told
        assert "Packed" not in told
    assert "NAME: write up to 64 small letters" in innkeeper("apps", "create", "Big Game", code=2).stderr
    assert "there is no scope 'fly'" in innkeeper("tokens", "create", "x", "--scope", "fly", code=2).stderr
    assert "--scope (again for more), or --admin" in innkeeper("tokens", "create", "x", code=2).stderr
    assert "name the servers to end, or say --all" in innkeeper("processes", "stop", code=2).stderr


def test_tokens_and_urls_that_cannot_be(innkeeper: Line, inn: RunningInn) -> None:
    assert innkeeper("orgs", "list", "--token", f" {inn.token}\r\n").stdout  # as it comes out of a file
    assert "--token is empty" in innkeeper("orgs", "list", "--token", "", code=2).stderr
    assert "was it copied whole?" in innkeeper("orgs", "list", "--token", "a\nb", code=2).stderr
    assert "was it copied whole?" in innkeeper("orgs", "list", "--token", "x\u2026", code=2).stderr
    told = innkeeper("orgs", "list", "--url", "http://a b:18081", "--token", "x", code=2).stderr
    assert "is not the URL of an Innkeeper" in told


def test_nothing_is_made_for_a_directory_that_cannot_be_deployed(innkeeper: Line, tmp_path: Path) -> None:
    for directory in (tmp_path / "nothere", tmp_path):
        told = innkeeper("deploy", directory, "--app", "never-made", "--create-app", code=1).stderr
        assert "Made app" not in told
    assert "never-made" not in innkeeper("apps", "list").stdout


@pytest.mark.usefixtures("deployed")
def test_what_was_done_before_it_failed_is_told(innkeeper: Line) -> None:
    def error(*arguments: str) -> dict[str, object]:
        found: dict[str, object] = json.loads(innkeeper(*arguments, "--json", code=4).stderr)["error"]
        return found

    for build_id in ("one", "two"):
        innkeeper("builds", "create", EXAMPLE, "--build-id", build_id)
    failed = error("builds", "delete", "one", "none", "two")
    assert (failed["deleted"], failed["status"]) == (["one"], 404)
    assert failed["message"]
    assert error("builds", "delete", "none")["deleted"] == []
    plain = innkeeper("builds", "delete", "two", "none", code=4)
    assert (plain.stdout, plain.stderr) == ("Deleted two\n", "innkeeper: there is no build none\n")
    token_id = innkeeper("tokens", "create", "short", "--scope", "builds:read").stderr.split()[-1]
    assert error("tokens", "revoke", token_id, "none")["revoked"] == [token_id]
    process_id = innkeeper.json("processes", "start")["processId"]
    assert error("processes", "stop", process_id, "none")["stopped"] == [process_id]


def test_directories_that_cannot_be_deployed(innkeeper: Line, tmp_path: Path) -> None:
    assert "no Procfile" in innkeeper("deploy", tmp_path, "--app", "first", "--create-app", code=1).stderr
    assert "not a directory" in innkeeper("builds", "create", tmp_path / "none", code=1).stderr
    (tmp_path / "Procfile").write_text("nothing\n")
    result = innkeeper("builds", "create", tmp_path, "--json", code=1)
    assert "Line 1 of the Procfile" in result.stderr
    last = json.loads(result.stderr.splitlines()[-1])["error"]
    assert "has failed" in last["message"]
    assert innkeeper.json("builds", "info", last["build"])["status"] == "failed"


def test_nobody_answers(innkeeper: Line) -> None:
    told = innkeeper("apps", "list", "--url", "http://127.0.0.1:1", "--token", "t", code=3).stderr
    assert "http://127.0.0.1:1 does not answer (connection refused)" in told
    assert "`innkeeper up`" in told
    for arguments in (["--token", "t"], []):
        told = innkeeper("rooms", "list", "--url", "127.0.0.1:18080", *arguments, code=2).stderr
        assert "write http://127.0.0.1:18080" in told


def test_a_wrong_token(innkeeper: Line) -> None:
    told = innkeeper("apps", "list", "--token", "hathora_org_st_wrong", code=5).stderr
    assert "--token or INNKEEPER_TOKEN" in told
    assert "hathora_org_st_wrong" not in told


def test_the_folders_token_goes_to_the_folders_innkeeper_alone(
    innkeeper: Line, inn: RunningInn, tmp_path: Path
) -> None:
    told = innkeeper("apps", "list", "--url", "http://127.0.0.1:1", code=5).stderr
    assert "is for another Innkeeper" in told
    innkeeper("apps", "list", "--url", inn.url + "/")
    assert "is not there" in innkeeper("apps", "list", "--data", tmp_path, code=5).stderr
    innkeeper("apps", "list", "--data", tmp_path, "--url", inn.url, env={"HATHORA_TOKEN": inn.token})


def test_a_credentials_file_that_is_broken(innkeeper: Line, tmp_path: Path) -> None:
    (tmp_path / "credentials.json").write_text("{")
    assert "must be a JSON object" in innkeeper("apps", "list", "--data", tmp_path, code=1).stderr


def test_ctrl_c_ends_with_its_own_code(inn: RunningInn) -> None:
    with subprocess.Popen(
        inn.command("rooms", "watch", "never"), env=inn.environment(), stderr=subprocess.PIPE, text=True
    ) as ended:
        assert ended.stderr is not None
        assert "Traceback" not in ended.stderr.read()
    assert ended.returncode == 4


def test_the_data_folder_of_an_innkeeper_never_goes_along(inn: RunningInn, tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("server: ./game\n")
    shutil.copytree(inn.data, tmp_path / "inn-data", ignore=lambda folder, names: {"run", "logs", "home"} & set(names))
    packed = pack(tmp_path)
    with tarfile.open(packed.path) as archive:
        assert archive.getnames() == ["Procfile"]
    packed.path.unlink()
