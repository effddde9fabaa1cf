"""A whole life through the command line, against a real Innkeeper."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from inns import RunningInn, until

from .conftest import EXAMPLE, Line

pytestmark = pytest.mark.usefixtures("deployed")


def test_deploying_makes_a_build_and_a_deployment_with_what_was_asked(deployed: dict[str, Any]) -> None:
    build, deployment = deployed["build"], deployed["deployment"]
    assert (build["status"], build["buildTag"]) == ("succeeded", "v1")
    assert deployment["buildId"] == build["buildId"]
    assert deployment["roomsPerProcess"] == 10
    assert deployment["env"] == [{"name": "MOTTO", "value": "***"}]  # it ends up in the logs of pipelines
    assert deployment["additionalContainerPorts"] == [{"name": "ws", "port": 7778, "transportType": "tcp"}]


def test_deploying_tells_people_how_it_goes(innkeeper: Line) -> None:
    result = innkeeper("deploy", EXAMPLE, "--app", "first", "--from-latest", "--data", innkeeper.inn.data)
    assert "Deployed dep-" in result.stdout
    again = f"Open one with: innkeeper rooms create --wait --app first --data {innkeeper.inn.data}\n"
    for told in (again, "Packed 4 files", "  Servers start by: python3 server.py", "Built bld-"):
        assert told in result.stderr


def test_what_is_not_given_is_taken_from_the_latest(innkeeper: Line, deployed: dict[str, Any]) -> None:
    build_id = deployed["build"]["buildId"]
    more = ("--from-latest", "--env", "TONE=high", "--requested-cpu", "0.25", "--deployment-tag", "second")
    created = innkeeper.json("deployments", "create", build_id, *more)
    assert {"name": "TONE", "value": "***"} in created["env"]
    made = innkeeper.json("deployments", "info", created["deploymentId"])  # which shows values, when asked for JSON
    assert made | {"env": []} == created | {"env": []}
    assert made["roomsPerProcess"] == 10
    assert made["requestedCPU"] == 0.25
    assert {"name": "MOTTO", "value": "a=b, c d"} in made["env"]
    assert {"name": "TONE", "value": "high"} in made["env"]
    assert made["deploymentTag"] == "second"
    assert innkeeper.json("deployments", "latest")["deploymentId"] == made["deploymentId"]
    listed = innkeeper.json("deployments", "list")
    assert listed[0]["deploymentId"] == made["deploymentId"]
    assert innkeeper.json("deployments", "info", made["deploymentId"]) == made
    shown = innkeeper("deployments", "latest").stdout
    assert "MOTTO, TONE" in shown
    assert "high" not in shown  # values may be secrets


def test_a_room_from_its_opening_to_its_end(innkeeper: Line, inn: RunningInn) -> None:
    opened = innkeeper.json("rooms", "create", "--wait", "--room-id", "arena", "--config", '{"map":"docks"}')
    assert opened["status"] == "active"
    assert [port["name"] for port in opened["additionalExposedPorts"]] == ["ws"]

    info = innkeeper.json("rooms", "info", "arena")
    process_id = info["currentAllocation"]["processId"]
    assert opened["processId"] == process_id
    assert info["roomConfig"] == '{"map":"docks"}'
    assert ["arena", "active", process_id] in [row[:3] for row in innkeeper.lines("rooms", "list")]
    shown = innkeeper.lines("rooms", "info", "arena")
    for head, port, transport in (
        (["address"], opened["exposedPort"], "udp"),
        (["port", "ws"], opened["additionalExposedPorts"][0], "tcp"),
    ):
        assert [*head, f"{port['host']}:{port['port']}/{transport}"] in shown
    assert [one["processId"] for one in innkeeper.json("processes", "list")] == [process_id]
    assert innkeeper.json("processes", "info", process_id)["status"] == "running"

    watching = subprocess.Popen(
        inn.command("rooms", "watch", "arena", "--json"), env=inn.environment(), stdout=subprocess.PIPE
    )
    with watching:
        assert watching.stdout is not None
        assert json.loads(watching.stdout.readline())["status"] == "active"
        assert "Ended room arena" in innkeeper("rooms", "destroy", "arena").stdout
        assert json.loads(watching.stdout.readline())["status"] == "destroyed"
    assert watching.returncode == 0
    ended = innkeeper("rooms", "info", "arena").stdout
    assert "why it ended  room arena is over: destroyed by" in ended
    over = innkeeper.json("rooms", "info", "arena")["allocations"][0]["unscheduledAt"]
    seen = innkeeper("rooms", "watch", "arena").stdout
    assert seen.startswith(f"{over[:19].replace('T', ' ')}Z destroyed room arena is over")
    assert "arena" not in innkeeper("rooms", "list").stdout
    assert innkeeper.lines("rooms", "list", "--process", process_id, "--ended")[1][:2] == ["arena", "destroyed"]


def test_the_log_is_read_by_process_and_by_room_and_followed_to_its_end(innkeeper: Line, inn: RunningInn) -> None:
    innkeeper("rooms", "create", "--wait", "--room-id", "logged")
    process_id = innkeeper.json("rooms", "info", "logged")["currentAllocation"]["processId"]
    first = innkeeper("logs", "logged").stdout.splitlines()[0]
    assert process_id in first
    assert (
        innkeeper("logs", process_id, "--tail", "1", "--json").stdout
        == json.dumps({"line": first}, separators=(",", ":")) + "\n"
    )

    following = subprocess.Popen(
        inn.command("logs", "-f", "logged"), env=inn.environment(), stdout=subprocess.PIPE, text=True
    )
    with following:
        assert following.stdout is not None
        assert following.stdout.readline() == first + "\n"
        assert f"Told {process_id} to end" in innkeeper("processes", "stop", process_id).stdout
        assert following.stdout.read() == "The game is over\n"
    assert following.returncode == 0
    until(lambda: innkeeper.json("processes", "info", process_id)["status"] == "stopped")
    assert "stopped by" in innkeeper("processes", "info", process_id).stdout
    assert innkeeper("logs", "logged", "--all").stdout.splitlines() == [first, "The game is over"]


def test_watching_until_active_fails_for_a_room_that_ends_before(innkeeper: Line) -> None:
    innkeeper("rooms", "create", "--wait", "--room-id", "gone")
    innkeeper("rooms", "destroy", "gone")
    assert "has ended before it was open" in innkeeper("rooms", "watch", "gone", "--until", "active", code=1).stderr


def test_servers_are_started_in_advance_and_all_ended(innkeeper: Line) -> None:
    started = innkeeper.json("processes", "start", "--region", "los angeles")
    assert started["region"] == "Los_Angeles"
    doomed = {one["processId"] for one in innkeeper.json("processes", "list")}
    assert started["processId"] in doomed
    assert set(innkeeper.json("processes", "stop", "--all")["stopped"]) <= doomed
    until(lambda: innkeeper.json("processes", "list") == [])
    ended = innkeeper.json("processes", "list", "--all")
    assert {one["status"] for one in ended} <= {"stopped", "failed"}
    assert len(innkeeper.json("processes", "list", "--all", "--limit", "1")) == 1


def test_apps(innkeeper: Line) -> None:
    made = innkeeper.json("apps", "create", "second", "--login", "nickname", "--google-client-id", "g")
    try:
        assert set(made["authConfiguration"]) == {"nickname", "google"}
        assert {app["appName"] for app in innkeeper.json("apps", "list")} == {"first", "second"}
        assert made["appSecret"] not in innkeeper("apps", "info", "second").stdout
        assert made["appSecret"] in innkeeper("apps", "info", made["appId"], "--secret").stdout
        assert "appSecret" not in innkeeper.json("apps", "info", "second")
        assert innkeeper.json("apps", "info", "second", "--secret")["appSecret"] == made["appSecret"]
        listed = innkeeper("apps", "list", "--json").stdout  # it ends up in logs and tickets
        assert '"MOTTO"' in listed
        assert made["appSecret"] not in listed
        assert "a=b, c d" not in listed
        whole = innkeeper("apps", "list", "--json", "--secret").stdout
        assert made["appSecret"] in whole
        assert "a=b, c d" in whole
        assert "several apps (" in innkeeper("rooms", "list", code=2).stderr
        assert innkeeper.json("rooms", "list", "--app", "second") == []
        assert innkeeper.json("rooms", "list", env={"HATHORA_APP_ID": made["appId"]}) == []
        assert "there is: " in innkeeper("rooms", "list", "--app", "third", code=4).stderr
        assert "Aborted" in innkeeper("apps", "delete", "second", code=1).stderr
    finally:
        innkeeper("apps", "delete", "second", "--yes")
    assert [app["appName"] for app in innkeeper.json("apps", "list")] == ["first"]


def test_builds(innkeeper: Line) -> None:
    built = innkeeper.json("builds", "create", EXAMPLE, "--build-id", "mine")
    assert built["buildId"] == "mine"
    assert innkeeper.lines("builds", "list")[1][0] == "mine"
    assert "succeeded" in innkeeper("builds", "info", "mine").stdout
    assert innkeeper.json("builds", "delete", "mine") == {"deleted": ["mine"]}
    assert "mine" not in [row[0] for row in innkeeper.lines("builds", "list")]


def test_tokens_are_made_used_and_revoked(innkeeper: Line, inn: RunningInn) -> None:
    made = innkeeper("tokens", "create", "watcher", "--scope", "processes:read", "--scope", "applications:read")
    secret = made.stdout.strip()
    token_id = made.stderr.split()[-1]
    assert innkeeper.json("rooms", "list", "--token", secret, "--app", "first") == []
    assert "refuses" in innkeeper("rooms", "create", "--token", secret, "--app", "first", code=5).stderr
    listed = innkeeper("tokens", "list").stdout
    assert "watcher" in listed
    assert "LAST 4" in listed
    assert secret not in listed
    assert innkeeper.json("tokens", "revoke", token_id) == {"revoked": [token_id]}
    assert "revoked" in innkeeper("apps", "list", "--token", secret, code=5).stderr
    assert secret not in inn.log


def test_the_shell_completes_what_the_innkeeper_has(innkeeper: Line, inn: RunningInn) -> None:
    innkeeper("rooms", "create", "--wait", "--room-id", "typed")
    process_id = innkeeper.json("rooms", "info", "typed")["currentAllocation"]["processId"]

    def completed(line: str, **env: str) -> list[str]:
        words = {"_INNKEEPER_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
        done = subprocess.run(
            inn.command(), env=inn.environment() | words | env, capture_output=True, text=True, check=False
        )
        assert done.stderr == ""
        return [word.removeprefix("plain,") for word in done.stdout.split()]

    assert completed("innkeeper rooms create --region Lo") == ["Los_Angeles", "London"]
    assert completed("innkeeper rooms list --app f") == ["first"]
    assert completed("innkeeper rooms watch ty") == ["typed"]
    assert completed("innkeeper logs --app first ty") == ["typed"]
    assert completed(f"innkeeper processes stop {process_id[:8]}") == [process_id]
    for away in ("http://127.0.0.1:1", "nonsense"):
        assert completed("innkeeper rooms watch ", INNKEEPER_URL=away, INNKEEPER_TOKEN="t") == []


def test_orgs(innkeeper: Line, inn: RunningInn) -> None:
    assert innkeeper.lines("orgs", "list")[1][0] == inn.org_id
    assert "no limit" in innkeeper("orgs", "usage").stdout
    assert "concurrentProcessVcpus7DayMax" in innkeeper.json("orgs", "usage")
