"""Servers that find no place, through the command line, against a real Innkeeper that has too little to give out."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from inns import RunningInn, running_inn, until

from .conftest import EXAMPLE, Line

WHY = "CPU and 512 MiB of memory left; the most that is free is 0.1 CPU, on host local"


@pytest.fixture(scope="module")
def inn() -> Iterator[RunningInn]:
    with running_inn(host_cpu=0.1) as inn:
        yield inn


@pytest.fixture(scope="module")
def waits(innkeeper: Line) -> str:
    """A room whose server has no place; the reason."""
    options = ("--app", "big", "--create-app", "--rooms-per-process", "10", "--requested-cpu", "0.5")
    innkeeper("deploy", EXAMPLE, *options, "--requested-memory-mb", "512")
    innkeeper("rooms", "create", "--room-id", "long")
    return str(until(lambda: innkeeper.json("hosts", "servers")[0]["waits"], what="the reason"))


def test_servers_that_wait_are_listed_with_the_reason(innkeeper: Line, waits: str) -> None:
    assert waits.endswith(WHY)
    [server] = innkeeper.json("hosts", "servers")
    told = {name: server[name] for name in ("host", "appName", "state", "rooms", "address")}
    assert told == {"host": None, "appName": "big", "state": "wanted", "rooms": 1, "address": None}
    listed = innkeeper("hosts", "servers")
    heads, row = (line.split() for line in listed.stdout.splitlines())
    assert heads == ["SERVER", "HOST", "APP", "REGION", "STATE", "ROOMS", "SINCE", "ADDRESS"]
    assert (row[:3], row[4:6], row[-1]) == ([server["serverId"], "-", "big"], ["wanted", "1"], "-")
    assert listed.stderr == f"{server['serverId']}: {waits}\n"
    assert innkeeper.json("hosts", "servers", "local") == []


def test_who_waits_for_a_room_is_told_why(innkeeper: Line, waits: str) -> None:
    late = innkeeper("rooms", "watch", "long", "--timeout", "0", code=1).stderr
    assert late == f"its server waits: {waits}\ninnkeeper: room long is still not destroyed after 0 s\n"
    late = innkeeper("rooms", "create", "--wait", "--timeout", "0", "--room-id", "late", code=1).stderr
    assert late.startswith(f"its server waits: {waits}\ninnkeeper: room late is not open after 0 s: its server ")
    assert " waits for a place on a host. To go on looking: innkeeper rooms watch late\n" in late
    told = json.loads(innkeeper("rooms", "watch", "long", "--timeout", "0", "--json", code=1).stderr)
    assert told["error"]["waits"] == waits
    long = innkeeper("rooms", "watch", "long", "--until", "active", "--timeout", "4", code=1).stderr
    assert long.count(waits) == 1


@pytest.mark.usefixtures("waits")
def test_who_is_not_the_operator_is_not_told(innkeeper: Line) -> None:
    scopes = [word for one in ("processes:read-write", "applications:read") for word in ("--scope", one)]
    token = innkeeper("tokens", "create", "player-service", *scopes).stdout.strip()
    late = innkeeper("rooms", "watch", "long", "--timeout", "0", "--token", token, code=1).stderr
    assert late == "innkeeper: room long is still not destroyed after 0 s\n"
    assert "refuses" in innkeeper("hosts", "servers", "--token", token, code=5).stderr
