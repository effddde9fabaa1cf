"""The examples that speak the Edgegap API run, against a server that answers what they ask."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from .edgegap_bodies import ID, MADE, PLACE, SESSION, session, told
from .scripted import Reply, Seen, Server

DOCS = Path(__file__).parents[2] / "docs" / "how-to"
STAMPS = {"create_time": "2026-01-01 00:00:00.000000", "last_updated": "2026-01-02 00:00:00.000000"}
APP = {"name": "my-game", "is_active": True, "is_telemetry_agent_active": False, "image": "aWNvbg==", **STAMPS}
VERSION = {
    "name": "v1", "is_active": True, "docker_repository": "docker.io", "docker_image": "me/game", "docker_tag": "1",
    "private_username": None, "private_token": None, "req_cpu": 512, "req_memory": 256, "req_video": None,
    "ports": [{"port": 7777, "protocol": "UDP", "name": "game", "to_check": True, "tls_upgrade": False}],
    "envs": [{"key": "SECRET", "value": "", "is_hidden": True, "is_secret": True}],
    "session_config": {"kind": "Seat", "sockets": 5}, "caching_percent": 0.0, "time_to_deploy": 120, **STAMPS,
}  # fmt: skip
PORT = {"external": 31587, "internal": 7777, "protocol": "UDP", "name": "game", "link": f"{ID}.play.example:31587"}
CONTEXT = {
    "request_id": ID, "public_ip": "198.51.100.7", "status": "Status.READY", "ready": True,
    "whitelisting_active": False, "fqdn": f"{ID}.play.example", "location": PLACE,
}  # fmt: skip
ASKED = {"session_id": SESSION, "app": "my-game", "version": "v1", "deployment_request_id": None}


def blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


EXAMPLES = [
    *(code for code in blocks("use-the-sdk.md") if "Edgegap" in code),
    *blocks("move-from-edgegap.md"),
]


class House:
    """What an Innkeeper says to the examples; a second app of one name is refused."""

    def __init__(self) -> None:
        self.made: dict[str, Any] = {}
        self.stopped = False

    def answer(self, seen: Seen) -> Reply:
        path = seen.target.partition("?")[0]
        match seen.method, path.split("/")[1:]:
            case "POST", ["v1", "app", *_]:
                known = f"{path} {seen.json['name']}"
                if known in self.made:
                    return Reply(409, {"message": "there is one of that name"})
                self.made[known] = seen.json
                return Reply(200, APP if path == "/v1/app" else {"success": True, "version": VERSION})
            case "GET", ["v1", "apps"]:
                return Reply(200, {"applications": [APP], "total_count": 1})
            case "GET", ["v1", "app", "my-game", "versions"]:
                return Reply(200, {"versions": [VERSION], "total_count": 1})
            case "POST", ["v1", "deploy"]:
                return MADE
            case "POST", ["v2", "deployments"]:
                return Reply(202, {"request_id": ID})
            case "GET", ["v1", "status", _]:
                return told("TERMINATED" if self.stopped else "READY", ports={"game": PORT})
            case "DELETE", ["v1", "stop", _] | ["v1", "self", "stop", *_]:
                self.stopped = True
                return Reply(200, {"message": "it will be stopped"})
            case "GET", ["v1", "deployments"]:
                row = {
                    "request_id": ID,
                    "fqdn": "",
                    "start_time": STAMPS["create_time"],
                    "ready": True,
                    "public_ip": "",
                }
                return Reply(200, {"data": [row], "total_count": 1})
            case "POST", ["v1", "session"]:
                return Reply(200, ASKED)
            case "GET", ["v1", "session", _]:
                return Reply(200, session("Ready"))
            case "GET", ["v1", "context", *_]:
                return Reply(200, CONTEXT)
            case "POST", ["v1", "context", *_]:
                return Reply(200, {"name": seen.json["name"]})
            case _:
                raise AssertionError(seen)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 6


@pytest.mark.parametrize("code", EXAMPLES)
def test_an_example_runs(code: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    vendor, house = House(), House()
    with Server(vendor.answer) as elsewhere, Server(house.answer) as server:
        for name, value in {
            "INNKEEPER_URL": server.url,
            "INNKEEPER_TOKEN": "token",
            "EDGEGAP_BASE_URL": elsewhere.url,
            "EDGEGAP_TOKEN": "vendors",
            "ARBITRIUM_CONTEXT_URL": f"{server.url}/v1/context/{ID}/1",
            "ARBITRIUM_CONTEXT_TOKEN": "a",
            "ARBITRIUM_DELETE_URL": f"{server.url}/v1/self/stop/{ID}/2",
            "ARBITRIUM_DELETE_TOKEN": "b",
        }.items():
            monkeypatch.setenv(name, value)
        exec(compile(code, "example", "exec"), {"__name__": "example"})
        assert server.seen
        assert {seen.headers["authorization"] for seen in elsewhere.seen} <= {"token vendors"}
        if "AppVersionPayload" in code:
            assert not vendor.made
            assert house.made["/v1/app my-game"]["image"] == APP["image"]
            assert house.made["/v1/app/my-game/version v1"]["ports"] == VERSION["ports"]
            assert "caching_percent" not in house.made["/v1/app/my-game/version v1"]
            assert "hidden variables are not told" in capsys.readouterr().out
            exec(compile(code, "example", "exec"), {"__name__": "example"})
            assert "my-game v1 is there already" in capsys.readouterr().out
        else:
            assert not elsewhere.seen
