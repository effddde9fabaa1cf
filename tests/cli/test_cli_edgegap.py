"""``innkeeper edgegap`` against a server that answers as it is told: what is asked, and what is told to people."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

from innkeeper.cli.edgegap_asking import deploy_params, question
from innkeeper.cli.failures import Code, Failure
from innkeeper.cli.program import program
from innkeeper.contract.edgegap.applications import ApplicationPost, AppVersionPayload, AppVersionPort
from innkeeper.contract.edgegap.words import Protocol
from innkeeper.sdk import Edgegap
from inns import RunningInn
from sdk.edgegap_bodies import GONE, ID, MADE, NOTED, PLACE, READY, SUMMARY, told
from sdk.scripted import Drop, Reply, Seen, Server

from .conftest import EXAMPLE, Line

PORT = {"external": 31587, "internal": 7777, "protocol": "UDP", "name": "game", "link": f"{ID}.play.example:31587"}
OPEN = told("READY", ports={"game": PORT}, location=PLACE, sockets=5, sockets_usage=2, tags=["a", "b"])
NOTHING: dict[str, Any] = {
    "version": None, "ips": (), "near": None, "wheres": (), "envs": (), "tags": (), "webhook": None,
}  # fmt: skip


def called(server: Server, *line: str, code: int = 0) -> Result:
    env = {"INNKEEPER_URL": server.url, "INNKEEPER_TOKEN": "secret", "INNKEEPER_DATA": "/nowhere"}
    result = CliRunner().invoke(program, ["edgegap", *line], env=env)
    assert result.exit_code == code, f"{line}: {result.output}\n{result.exception!r}"
    return result


@pytest.mark.parametrize(
    ("said", "body"),
    [
        ({}, {}),
        ({"version": "v1", "ips": ("1.2.3.4", "::1")}, {"version_name": "v1", "ip_list": ["1.2.3.4", "::1"]}),
        ({"near": "48.86, 2.35"}, {"location": {"latitude": 48.86, "longitude": 2.35}}),
        (
            {"envs": ("MOTTO=a=b", "EMPTY=")},
            {"env_vars": [{"key": "MOTTO", "value": "a=b"}, {"key": "EMPTY", "value": ""}]},
        ),
        ({"tags": ("x",), "webhook": "http://a/"}, {"tags": ["x"], "webhook_url": "http://a/"}),
        (
            {"wheres": ("city=Paris", "country=France", "city=Lyon")},
            {
                "filters": [
                    {"field": "city", "values": ["Paris", "Lyon"], "filter_type": "any"},
                    {"field": "country", "values": ["France"], "filter_type": "any"},
                ]
            },
        ),
    ],
)
def test_what_is_asked_for(said: dict[str, Any], body: dict[str, Any]) -> None:
    assert msgspec.to_builtins(deploy_params("game", **NOTHING | said)) == {"app_name": "game", **body}


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"near": "north"}, "write degrees north and east, such as 48.86,2.35"),
        ({"near": "91,0"}, "'91,0' is no point"),
        ({"envs": ("MOTTO",)}, "--env: 'MOTTO' has no value; write NAME=VALUE"),
        ({"wheres": ("=x",)}, "--in: '=x' has no value; write city=Paris"),
        ({"wheres": ("town=x",)}, "--in: there is no field 'town'; there is: city, country"),
    ],
)
def test_what_cannot_be_understood(said: dict[str, Any], text: str) -> None:
    with pytest.raises(Failure, match=text) as caught:
        deploy_params("game", **NOTHING | said)
    assert caught.value.exit_code == Code.USAGE


def test_a_list_is_asked_for_what_was_said_alone() -> None:
    assert question(application=None, status=None) is None
    filters = [{"field": "application", "operator": "eq", "value": "game"}]
    assert json.loads(question(application="game", status=None) or "") == {"filters": filters}


def test_a_deployment_is_waited_for_with_its_states_told() -> None:
    with Server([MADE, told("SEEKING"), told("DEPLOYING"), told("DEPLOYING"), OPEN]) as server:
        result = called(server, "deploy", "game", "--version", "v1", "--ip", "1.2.3.4", "--wait")
        assert server.seen[0].json == {"app_name": "game", "version_name": "v1", "ip_list": ["1.2.3.4"]}
        assert server.seen[0].headers["authorization"] == "token secret"
    *states, last = result.stderr.splitlines()
    assert states == [f"deployment {ID}", "SEEKING", "DEPLOYING", "READY"]
    assert last.startswith("ready after ")
    shown = [line.split(maxsplit=2) for line in result.stdout.splitlines()]
    for line in (
        ["status", "READY"], ["location", "Tokyo,", "Japan"], ["port", "game", f"{ID}.play.example:31587 UDP"],
        ["sockets", "2/5"],
    ):  # fmt: skip
        assert line in shown


def test_who_does_not_wait_gets_the_id() -> None:
    with Server(MADE) as server:
        assert called(server, "deploy", "game").stdout == f"{ID}\n"
        assert json.loads(called(server, "deploy", "game", "--json").stdout) == {"request_id": ID}


def test_programs_get_what_the_api_says() -> None:
    with Server([MADE, OPEN]) as server:
        result = called(server, "deploy", "game", "--wait", "--json")
    assert result.stderr == ""
    assert json.loads(result.stdout)["ports"]["game"] == PORT


@pytest.mark.parametrize(
    ("script", "line", "text"),
    [
        (
            [MADE, told("ERROR", error_detail="no such image")],
            ("deploy", "game", "--wait"),
            f"deployment {ID} of game v1 is ERROR: no such image. What it printed: innkeeper edgegap logs {ID}",
        ),
        (
            [MADE, told("DEPLOYING")],
            ("deploy", "game", "--wait", "--timeout", "0.05"),
            f"deployment {ID} is not ready after 0.05 s: it is DEPLOYING. "
            f"To go on waiting: innkeeper edgegap status {ID} --wait",
        ),
    ],
)
def test_who_waits_in_vain_is_told_why(script: list[Reply | Drop], line: tuple[str, ...], text: str) -> None:
    with Server(script) as server:
        assert called(server, *line, code=Code.FAILED).stderr.splitlines()[-1] == f"innkeeper: {text}"
    with Server(script) as server:
        error = json.loads(called(server, *line, "--json", code=Code.FAILED).stderr)["error"]
    assert error == {"message": text, "request_id": ID}


def test_an_error_tells_the_fields() -> None:
    with Server(Reply(400, {"message": "no", "errors": {"ip_list.0": "is no address"}})) as server:
        result = called(server, "deploy", "game", "--ip", "x", code=Code.FAILED)
    assert result.stderr == "innkeeper: no (ip_list.0: is no address)\n"


def test_a_status_is_told() -> None:
    with Server([OPEN, told("DEPLOYING"), READY, Reply(404, {"message": "there is no deployment x"})]) as server:
        assert "READY" in called(server, "status", ID).stdout
        assert called(server, "status", ID, "--wait").stderr.splitlines() == ["DEPLOYING", "READY"]
        assert called(server, "status", "x", code=Code.NOT_FOUND).stderr == "innkeeper: there is no deployment x\n"


def paged(key: str, *pages: list[dict[str, Any]]) -> Callable[[Seen], Reply]:
    def answer(seen: Seen) -> Reply:
        number = int(parse_qs(urlsplit(seen.target).query).get("page", ["1"])[0])
        following = number + 1 if number < len(pages) else None
        return Reply(200, {key: pages[number - 1], "pagination": {"number": number, "next_page_number": following}})

    return answer


def row(request_id: str, **more: Any) -> dict[str, Any]:
    return {
        "request_id": request_id, "fqdn": "", "start_time": "2026-01-01 00:00:00.123456", "ready": True,
        "public_ip": "", "ports": None, "status": "Status.READY", **more,
    }  # fmt: skip


def test_deployments_are_listed() -> None:
    with Server(paged("data", [row("a" * 12, ports={"game": PORT}, tags=["x"])], [row("b" * 12)])) as server:
        lines = [line.split() for line in called(server, "list", "--app", "game").stdout.splitlines()]
        asked = json.loads(parse_qs(urlsplit(server.seen[0].target).query)["query"][0])
        assert len(json.loads(called(server, "list", "--json", "--limit", "1").stdout)) == 1
    assert asked == {"filters": [{"field": "application", "operator": "eq", "value": "game"}]}
    assert lines[1] == ["a" * 12, "READY", PORT["link"], "-", "2026-01-01", "00:00:00", "x"]
    assert lines[2][:3] == ["b" * 12, "READY", "-"]
    with Server(paged("data", [])) as server:
        assert called(server, "list").stderr == "There is no deployment.\n"


@pytest.mark.parametrize(
    ("script", "more", "text"),
    [
        ([SUMMARY], (), f"Told {ID} to end\n"),
        ([NOTED], (), f"Told {ID} to end\n"),
        ([GONE], (), f"Told {ID} to end\n"),
        ([SUMMARY, told("TERMINATING"), told("TERMINATED")], ("--wait",), f"Stopped {ID}\n"),
        ([GONE], ("--wait",), f"Stopped {ID}\n"),
    ],
)
def test_deployments_are_stopped(script: list[Reply | Drop], more: tuple[str, ...], text: str) -> None:
    with Server(script) as server:
        assert called(server, "stop", ID, *more).stdout == text


def test_what_was_stopped_before_one_failed_is_told() -> None:
    with Server([SUMMARY, Reply(404, {"message": "there is no deployment x"})]) as server:
        result = called(server, "stop", ID, "x", "--json", code=Code.NOT_FOUND)
    assert json.loads(result.stderr)["error"]["stopped"] == [ID]
    with Server([SUMMARY, told("TERMINATING")]) as server:
        result = called(server, "stop", ID, "--wait", "--timeout", "0.05", code=Code.FAILED)
    assert result.stderr == f"innkeeper: deployment {ID} is still TERMINATING after 0.05 s\n"


@pytest.mark.parametrize(
    ("body", "out", "aside"),
    [
        ({"logs": "one\ntwo\n", "crash_data": None}, "one\ntwo\n", ""),
        ({"logs": "one"}, "one\n", ""),
        ({"logs": "", "logs_link": "https://a/b"}, "", "It is stored at https://a/b\n"),
        ({}, "", "It has printed nothing yet.\n"),
        (
            {"logs": "one\n", "crash_data": {"exit_code": 3, "message": "it ended with 3"}},
            "one\n",
            "how its program came to its end: it ended with 3\n",
        ),
    ],
)
def test_what_was_printed_is_told(body: dict[str, Any], out: str, aside: str) -> None:
    with Server(Reply(200, body)) as server:
        result = called(server, "logs", ID)
        assert json.loads(called(server, "logs", ID, "--json").stdout) == body
    assert (result.stdout, result.stderr) == (out, aside)


STAMPS = {"create_time": "2026-01-01 00:00:00.000000", "last_updated": "2026-01-02 00:00:00.000000"}
VERSION = {
    "name": "v1", "is_active": True, "docker_repository": "docker.io", "docker_image": "me/game", "docker_tag": "1",
    "req_cpu": 512, "req_memory": 256, "ports": [{"port": 7777, "protocol": "UDP", "name": "game"}],
    "session_config": {"kind": "Seat", "sockets": 5}, **STAMPS,
}  # fmt: skip


def test_apps_versions_and_locations_are_listed() -> None:
    with Server(paged("applications", [{"name": "game", "is_active": True, **STAMPS}])) as server:
        assert called(server, "apps").stdout.splitlines()[1].split()[:2] == ["game", "yes"]
    with Server(paged("versions", [VERSION], [{**VERSION, "name": "v2", "ports": None}])) as server:
        shown = called(server, "versions", "game").stdout.splitlines()
        assert server.seen[0].target.startswith("/v1/app/game/versions?")
    assert shown[1].split()[:9] == [
        "v1", "yes", "docker.io/me/game:1", "0.5", "256", "game:7777/UDP", "Seat", "5", "2026-01-02",
    ]  # fmt: skip
    assert shown[2].split()[0] == "v2"
    place = {**PLACE, "type": "standard", "tags": [{"key": "owner", "value": "us"}]}
    with Server(paged("locations", [place])) as server:
        shown = called(server, "locations").stdout.splitlines()
    assert shown[1].split() == ["Tokyo", "-", "Japan", "Asia", "35.7", "139.7", "standard", "owner=us"]


def test_a_version_without_its_app_is_refused() -> None:
    with Server(Reply(200, {})) as server:
        refused = called(server, "locations", "--app", "game", code=Code.USAGE)
    assert "--app and --version go together" in refused.stderr


def test_ids_are_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    def completed(*line: str) -> dict[str, str | None]:
        found = ShellComplete(program, {}, "innkeeper", "_X").get_completions(["edgegap", *line], "")
        return {one.value: one.help for one in found}

    monkeypatch.setenv("INNKEEPER_TOKEN", "secret")
    monkeypatch.setenv("INNKEEPER_DATA", "/nowhere")
    for script, line, found in (
        (paged("data", [row("a" * 12)]), ("stop",), {"a" * 12: "READY"}),
        (paged("applications", [{"name": "game", "is_active": True, **STAMPS}]), ("versions",), {"game": None}),
        (paged("versions", [VERSION]), ("deploy", "game", "--version"), {"v1": "me/game:1"}),
        (paged("versions", [VERSION]), ("list", "--version"), {}),
    ):
        with Server(script) as server:
            monkeypatch.setenv("INNKEEPER_URL", server.url)
            assert completed(*line) == found


def test_a_real_game_server_from_its_app_to_its_end(innkeeper: Line, inn: RunningInn) -> None:
    build = innkeeper.json("builds", "create", EXAMPLE)["buildId"]
    with Edgegap(inn.token, server=inn.url) as client:
        client.applications.create_application(ApplicationPost(name="arena", is_active=True, image="AAAA"))
        port = AppVersionPort(port=7777, protocol=Protocol.UDP, name="game")
        client.applications.create_app_version(
            AppVersionPayload(
                name="v1", docker_repository="build", docker_image=build, docker_tag="", req_cpu=100, req_memory=100,
                ports=[port],
            ),
            "arena",
        )  # fmt: skip
    assert [row[0] for row in innkeeper.lines("edgegap", "apps")] == ["NAME", "arena"]
    assert [row[0] for row in innkeeper.lines("edgegap", "versions", "arena")] == ["NAME", "v1"]
    assert len(innkeeper.lines("edgegap", "locations")) > 1
    ready = innkeeper.json("edgegap", "deploy", "arena", "--tag", "blue", "--wait")
    request_id = ready["request_id"]
    assert (ready["current_status"], ready["tags"]) == ("Status.READY", ["blue"])
    [row] = innkeeper.json("edgegap", "list", "--app", "arena", "--status", "READY")
    assert row["request_id"] == request_id
    assert innkeeper.json("edgegap", "list", "--status", "error") == []
    assert innkeeper("edgegap", "logs", request_id).stdout
    assert innkeeper("edgegap", "stop", request_id, "--wait").stdout == f"Stopped {request_id}\n"
    assert innkeeper.lines("edgegap", "status", request_id)[1] == ["status", "TERMINATED"]
    assert "There is no deployment." in innkeeper("edgegap", "list").stderr
