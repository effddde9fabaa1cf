"""Hosts through the command line, against a real Innkeeper that has its own machine alone."""

from __future__ import annotations

from innkeeper.cli.failures import Code
from inns import RunningInn, until

from .conftest import EXAMPLE, Line


def test_the_hosts_of_a_new_house(innkeeper: Line) -> None:
    [own, *_] = innkeeper.json("hosts", "list")
    assert (own["name"], own["source"], own["state"], own["servers"]) == ("local", "machine", "up", 0)
    assert own["cpu"] is None
    [heads, row, *_] = innkeeper.lines("hosts", "list")
    assert heads[:3] == ["NAME", "STATE", "SINCE"]
    assert row[:2] == ["local", "up"]


def test_draining_and_taking_up_again(innkeeper: Line, inn: RunningInn) -> None:
    assert innkeeper.json("hosts", "drain", "local", "--wait")["state"] == "draining"
    inn.restart()
    assert innkeeper.json("hosts", "list")[0]["state"] in ("draining", "silent")  # until the first pass is over
    told = innkeeper("hosts", "resume", "local").stdout
    assert "local" in told
    assert "no limit" in told


def test_what_goes_wrong_is_told(innkeeper: Line) -> None:
    refused = innkeeper("hosts", "add", "fra", "--engine", "http://x", code=Code.FAILED)
    assert (
        "host fra: engine: write unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST[/PATH], not 'http://x'"
        in refused.stderr
    )
    refused = innkeeper("hosts", "add", "fra", "--engine", "ssh://x", "--location", "mars", code=Code.FAILED)
    assert "no client can ask for 'mars'" in refused.stderr
    refused = innkeeper("hosts", "add", "fra", "--engine", "ssh://x", "--fleet", "arena", code=Code.FAILED)
    assert "host fra: fleet: write the id of a fleet" in refused.stderr
    refused = innkeeper("hosts", "remove", "local", code=Code.FAILED)
    assert "was not added by command" in refused.stderr
    refused = innkeeper("hosts", "drain", "nobody", code=Code.NOT_FOUND)
    assert "there is no host nobody" in refused.stderr


def test_a_host_that_does_not_answer_is_not_taken_in(innkeeper: Line, inn: RunningInn) -> None:
    refused = innkeeper("hosts", "add", "fra", "--engine", "unix:///nowhere/engine.sock", code=Code.FAILED)
    assert "host fra: engine: unix:///nowhere/engine.sock cannot be reached: No such file" in refused.stderr
    assert [one["name"] for one in innkeeper.json("hosts", "list")] == ["local"]
    assert "host fra was not taken in" in inn.log
    assert not (inn.data / "hosts" / "fra").exists()


def test_the_servers_of_a_host(innkeeper: Line) -> None:
    nothing = innkeeper("hosts", "servers")
    assert (nothing.stdout, nothing.stderr) == ("", "There is no server.\n")
    assert innkeeper("hosts", "servers", "local").stderr == "No server is on local.\n"
    assert "there is no host nobody" in innkeeper("hosts", "servers", "nobody", code=Code.NOT_FOUND).stderr
    app_id = innkeeper.json("deploy", EXAMPLE, "--app", "first", "--create-app")["deployment"]["appId"]
    opened = innkeeper.json("rooms", "create", "--wait", "--region", "tokyo")
    listed = innkeeper("hosts", "servers", "local")
    [server] = innkeeper.json("hosts", "servers")
    innkeeper("processes", "stop", "--all")
    until(lambda: innkeeper.json("hosts", "servers") == [], what="its end")
    [_, row] = (line.split() for line in listed.stdout.splitlines())
    port = opened["exposedPort"]
    assert row[:6] == [opened["processId"], "local", "first", "tokyo", "running", "1"]
    assert row[-1] == f"{port['host']}:{port['port']}"
    assert listed.stderr == ""
    assert (server["appId"], server["waits"]) == (app_id, None)
