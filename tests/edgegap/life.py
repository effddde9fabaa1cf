"""A life through Edgegap's API, told once for every client: ``test_edgegap_lives.py`` plays its parts in order.

The parts are functions of what drives the client (``drivers.py``). The game is a real program, which answers real
packets; it is a few lines of Perl that starts in two milliseconds.
"""

from __future__ import annotations

import json
import socket
from typing import Any

from e2e.drivers import eventually
from e2e.games import PERL, archive

from .drivers import Do

APP = "arena"
#: Answers every packet: ``env NAME`` with that variable of its own, all else with its request id.
GAME = r"""
use strict; use Socket;
socket(my $s, AF_INET, SOCK_DGRAM, 0) or die $!;
bind($s, pack_sockaddr_in($ENV{ARBITRIUM_PORT_GAMEPORT_INTERNAL}, INADDR_ANY)) or die $!;
$| = 1; print "arena $ENV{ARBITRIUM_REQUEST_ID} on $ENV{MAP}\n";
while (1) {
    my $from = recv($s, my $packet, 1024, 0);
    next unless defined $from;
    send($s, $packet =~ /^env (\w+)/ ? ($ENV{$1} // "") : $ENV{ARBITRIUM_REQUEST_ID}, 0, $from);
}
"""


def say(port: dict[str, Any], text: str) -> str:
    """What the game answers a packet."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as player:
        player.settimeout(10)
        player.connect((port["link"].rpartition(":")[0], port["external"]))
        player.send(text.encode())
        return player.recv(2000).decode()


def version_of(name: str, build: str, **more: Any) -> dict[str, Any]:
    """A version that runs the build."""
    return {
        "name": name, "docker_repository": "build", "docker_image": build, "docker_tag": "", "req_cpu": 100,
        "req_memory": 100, "ports": [{"port": 7777, "protocol": "UDP", "name": "gameport"}],
        "termination_grace_period_seconds": 5, **more,
    }  # fmt: skip


def a_build(do: Do) -> str:
    """The game, uploaded; how versions name it."""
    with do.inn.client() as cloud:
        files = {"Procfile": f"server: {PERL} game.pl\n", "game.pl": GAME}
        build = cloud.upload_build(archive(files))
        with cloud.builds_v3.run_build(build.build_id) as log:
            log.read()
        return str(build.build_id)


async def ready(do: Do, request_id: str) -> dict[str, Any]:
    """Wait until players can connect; its status then."""

    async def look() -> Any:
        told = await do("deployment-status-get", request_id=request_id)
        assert not told["error"], told
        return told if told["current_status"] == "Status.READY" else None

    found: dict[str, Any] = await eventually(look)
    assert (found["running"], found["request_id"], found["app_name"]) == (True, request_id, APP)
    return found


async def terminated(do: Do, request_id: str) -> dict[str, Any]:
    """Wait until a deployment has ended; its status then."""

    async def look() -> Any:
        told = await do("deployment-status-get", request_id=request_id)
        return told if told["current_status"] == "Status.TERMINATED" else None

    found: dict[str, Any] = await eventually(look)
    return found


async def an_app(do: Do, build: str) -> None:
    """An application and its versions."""
    made = await do("application-post", {"name": "draft", "is_active": True, "image": "AAAA"})
    assert (made["name"], "message" in made) == ("draft", False)
    assert "draft" in await do.refused("application-post", 409, {"name": "draft", "is_active": True, "image": "A"})
    assert (await do("application-patch", {"name": APP}, app_name="draft"))["name"] == APP
    assert (await do("application-get", app_name=APP))["is_active"] is True
    assert [app["name"] for app in (await do("applications-get", page=1, limit=5))["applications"]] == [APP]
    await do.refused("application-get", 404, app_name="draft")
    env = [{"key": "MAP", "value": "dust", "is_secret": False}, {"key": "KEY", "value": "s3", "is_secret": True}]
    made = await do("app-version-post", version_of("v1", build, envs=env), app_name=APP)
    assert made["success"] is True
    assert {one["key"]: one["value"] for one in made["version"]["envs"]} == {"MAP": "dust", "KEY": ""}
    await do.refused("app-version-post", 409, version_of("v1", build), app_name=APP)
    assert await do.refused("app-version-post", 400, version_of("v0", "bld-none"), app_name=APP)
    for name, config in {
        "seats": {"kind": "Seat", "sockets": 3, "autodeploy": False},
        "matches": {"kind": "Match", "sockets": 2, "autodeploy": True, "empty_ttl": 5, "session_max_duration": 60},
    }.items():
        await do("app-version-post", version_of(name, build, session_config=config), app_name=APP)
    await do("app-version-post", version_of("spare", build), app_name=APP)
    changed = await do("app-versions-patch", {"max_duration": 90}, app_name=APP, version_name="v1")
    assert (changed["version"]["max_duration"], changed["version"]["req_cpu"]) == (90, 100)
    assert (await do("app-version-get", app_name=APP, version_name="v1"))["name"] == "v1"
    listed = await do("app-versions-get", app_name=APP, limit=3)
    assert (listed["total_count"], len(listed["versions"]), listed["pagination"]["has_next"]) == (4, 3, True)


async def access(do: Do) -> None:
    """Rules of access."""
    there = {"app_name": APP, "version_name": "v1"}
    made = await do("app-version-whitelist-post", {"cidr": "192.0.2.0/24", "label": "office"}, **there)
    rule = made["whitelist_entry"]["id"]
    assert [one["id"] for one in (await do("app-version-whitelist-get", **there))["whitelist_entries"]] == [rule]
    assert (await do("app-version-whitelist-entry-get", **there, entry_id=rule))["label"] == "office"
    assert (await do("app-version-whitelist-entry-delete", **there, entry_id=rule))["success"] is True
    await do.refused("app-version-whitelist-entry-get", 404, **there, entry_id=rule)


async def a_deployment(do: Do) -> str:
    """From the question to a packet that is answered, and what the game asks about itself; its id."""
    said = {
        "app_name": APP, "version_name": "v1", "ip_list": ["192.0.2.7"], "tags": ["blue"],
        "env_vars": [{"key": "MAP", "value": "mill", "is_hidden": False}],
    }  # fmt: skip
    await do.refused("deploy", 404, {**said, "version_name": "v9"})
    made = await do("deploy", said)
    assert (made["request_app"], made["request_version"], made["request_user_count"]) == (APP, "v1", 1)
    request_id: str = made["request_id"]
    status = await ready(do, request_id)
    port = status["ports"]["gameport"]
    assert (port["protocol"], port["name"], status["max_duration"]) == ("UDP", "gameport", 90)
    assert say(port, "who") == request_id
    assert [say(port, f"env {name}") for name in ("MAP", "KEY", "ARBITRIUM_DEPLOYMENT_TAGS")] == ["mill", "s3", "blue"]
    mapping = json.loads(say(port, "env ARBITRIUM_PORTS_MAPPING"))["ports"]
    assert mapping["gameport"]["external"] == port["external"]

    url, secret = say(port, "env ARBITRIUM_CONTEXT_URL"), say(port, "env ARBITRIUM_CONTEXT_TOKEN")
    assert url.startswith(f"{do.inn.url}/v1/context/{request_id}/")
    inside = {"request_id": request_id, "security_number": int(url.rpartition("/")[2]), "secret": secret}
    context = await do("context-get", **inside)
    assert (context["status"], context["ready"], context["tags"]) == ("Status.READY", True, ["blue"])
    assert context["ports"] == status["ports"]
    assert (await do("context-create-deployment-tag", {"name": "full"}, **inside))["name"] == "full"
    await do.refused("context-create-deployment-tag", 409, {"name": "full"}, **inside)
    await do("context-delete-deployment-tag", **inside, tag_name="full")
    await do.refused("context-get", 401, **{**inside, "secret": "wrong"})

    await do("deployments-tags-create", {"name": "green"}, request_id=request_id)
    await do.refused("deployments-tags-create", 409, {"name": "green"}, request_id=request_id)
    assert (await do("deployments-tags-read", request_id=request_id, tag_name="green"))["name"] == "green"
    await do("deployments-tags-update", {"name": "red"}, request_id=request_id, tag_name="green")
    tags = (await do("deployments-tags-list", request_id=request_id))["tags"]
    assert sorted(one["name"] for one in tags) == ["blue", "red"]
    await do("deployments-tags-delete", request_id=request_id, tag_name="red")
    await do.refused("deployments-tags-read", 404, request_id=request_id, tag_name="red")

    query = json.dumps({"filters": [{"field": "tags", "operator": "eq", "value": "blue"}]})
    [row] = (await do("deployments-get", query=query))["data"]
    assert (row["request_id"], row["ready"], row["ports"]) == (request_id, True, status["ports"])

    async def printed() -> Any:
        told = await do("deployment-get-logs", request_id=request_id)
        return told if told["logs"] else None

    assert (await eventually(printed))["logs"] == f"arena {request_id} on mill\n"
    await do("deployment-report", {"reason": "it stutters", "metadata": {"fps": 7}}, deployment_id=request_id)
    return request_id


async def measurements(do: Do, request_id: str) -> None:
    """What was measured of a server, and how far it is from players."""
    before = {"start_time": "2020-01-01 00:00:00", "end_time": "2020-01-02 00:00:00"}
    await do.refused("deployment-metrics-get", 422, request_id=request_id, **before)

    async def measured() -> Any:
        where = {"request_id": request_id, "steps": "30s"}
        return None if await do.is_refused("deployment-metrics-get", 422, **where) else where

    found = await do("deployment-metrics-get", **await eventually(measured))
    assert found["mem"]["datasets"][-1] > 0
    asked = {"deployments": [request_id], "ips": ["192.0.2.7"]}
    made = await do("active-deployment-telemetry-post", asked)
    told = await do("active-deployment-telemetry-get", retrieval_key=made["retrieval_key"])
    assert told["scores"] == [{"request_id": request_id}]
    await do.refused("active-deployment-telemetry-get", 404, retrieval_key="none")
    assert (await do("IP"))["public_ip"] == "127.0.0.1"
    assert (await do("IP lookup", ip="192.0.2.7"))["type"] == "ipv4"
    assert len((await do("IPs lookup", {"addresses": ["192.0.2.7", "2001:db8::7"]}))["addresses"]) == 2
    await do.refused("IP lookup", 400, ip="nowhere")
    places = await do("locations-get", app=APP, version="v1", tags="true", limit=50)
    assert places["total_count"] == len(places["locations"]) > 3
    await do.refused("locations-get", 404, app="none", version="v1")
    beacons = await do("location-beacon-list")
    assert beacons["count"] == len(beacons["locations"])
    sites = await do("statics-site-get")
    assert sites["total_count"] == len(sites["sites"])
    assert (await do("monitoring"))["errors"] == []


async def the_end(do: Do, request_id: str) -> None:
    """Stopped from outside, from inside, and by the dozen; what has ended is gone (410)."""
    stopped = await do("deployment-delete", request_id=request_id)
    assert stopped["deployment_summary"]["request_id"] == request_id
    told = await terminated(do, request_id)
    assert (told["running"], told["removal_time"] is None) == (False, False)
    assert request_id in await do.refused("deployment-delete", 410, request_id=request_id)
    await do.refused("deployment-delete", 404, request_id="0123456789ab")

    made = await do("deploy", {"app_name": APP, "version_name": "v1"})
    port = (await ready(do, made["request_id"]))["ports"]["gameport"]
    url, secret = say(port, "env ARBITRIUM_DELETE_URL"), say(port, "env ARBITRIUM_DELETE_TOKEN")
    inside = {"request_id": made["request_id"], "access_point_id": int(url.rpartition("/")[2])}
    await do.refused("self-deployment-delete", 401, **inside, secret="wrong")
    await do("self-deployment-delete", **inside, secret=secret)
    await terminated(do, made["request_id"])

    tagged = {"app_name": APP, "version_name": "v1", "tags": ["herd"]}
    ids = {(await do("deploy", tagged))["request_id"] for _ in range(2)}
    herd = {"filters": [{"field": "deployment_tags", "values": ["herd"], "filter_type": "any"}]}
    assert {one["request_id"] for one in (await do("deployments-bulk-delete", herd))["processable"]} == ids
    for one in ids:
        await terminated(do, one)


async def storages(do: Do) -> None:
    """Buckets and what is brought from them."""
    bucket = {
        "name": "logs", "access_key_id": "key", "endpoint": "https://s3.example.com", "bucket": "logs",
        "secret_access_key": "secret",
    }  # fmt: skip
    assert "secret_access_key" not in await do("endpoint-create", bucket)
    await do.refused("endpoint-create", 400, bucket)
    await do("endpoint-update", {"bucket": "logs-2"}, endpoint_name="logs")
    assert (await do("endpoint-get", endpoint_name="logs"))["bucket"] == "logs-2"
    assert (await do("endpoints-list"))["total_count"] == 1
    profile = {"name": "maps", "source": "/logs-2/maps", "source_type": "Folder", "destination": "/srv/maps"}
    await do("pull-profile-create", profile, endpoint_name="logs")
    named = {"endpoint_name": "logs", "pull_profile_name": "maps"}
    await do("pull-profile-update", {"destination": "/srv/map"}, **named)
    assert (await do("pull-profile-get", **named))["destination"] == "/srv/map"
    assert (await do("pull-profile-list", endpoint_name="logs"))["total_count"] == 1
    linked = await do("pull-profile-link-app-version", **named, app_name=APP, version_name="spare")
    assert (linked["app"], linked["app_version"]) == (APP, "spare")
    await do("pull-profile-unlink-app-version", **named, app_name=APP, version_name="spare")
    await do("pull-profile-delete", **named)
    await do.refused("pull-profile-get", 404, **named)
    await do("endpoint-delete", endpoint_name="logs")
    await do.refused("endpoint-get", 404, endpoint_name="logs")


async def fleets(do: Do) -> None:
    """Deployments that are kept ready."""
    assert (await do("fleet-create", {"name": "crowd", "enabled": True}))["name"] == "crowd"
    await do("fleet-update", {"enabled": True}, fleet_name="crowd")
    assert (await do("fleet-get", fleet_name="crowd"))["enabled"] is True
    assert [one["name"] for one in (await do("fleets"))["fleets"]] == ["crowd"]
    policy = {
        "name": "near", "enabled": True, "type": "Location", "minimum": 1, "maximum": 2, "threshold": 0.5,
        "data": {"filters": [{"field": "city", "values": ["Tokyo"], "filter_type": "any"}]},
    }  # fmt: skip
    await do("fleet-policies-create", policy, fleet_name="crowd")
    near = {"fleet_name": "crowd", "policy_name": "near"}
    linked = {"fleet_name": "crowd", "app_name": APP, "version_name": "seats"}
    await do("fleet-link-app-version", **linked)

    async def kept() -> Any:
        found = (await do("deployments-get"))["data"]
        return found if [one for one in found if one["ready"]] else None

    [kept_ready] = await eventually(kept)
    await do("fleet-policies-update", {"enabled": False}, **near)
    assert (await do("fleet-policies-get", **near))["minimum"] == 1
    assert [one["name"] for one in (await do("fleet-policies-list", fleet_name="crowd"))["policies"]] == ["near"]
    await do("fleet-policies-delete", **near)
    await do("fleet-unlink-app-version", **linked)
    await do("fleet-delete", fleet_name="crowd")
    await do.refused("fleet-get", 404, fleet_name="crowd")
    await do("deployment-delete", request_id=kept_ready["request_id"])


async def cleaning(do: Do) -> None:
    """A version and the application go."""
    gone = {"app_name": APP, "version_name": "spare"}
    assert (await do("app-version-delete", **gone))["success"] is True
    await do.refused("app-version-get", 404, **gone)
    await do("application-delete", app_name=APP)
    await do.refused("application-get", 404, app_name=APP)
