"""Sessions in the life of ``life.py``: seats, matches, and those that the caller gives ids to."""

from __future__ import annotations

from typing import Any

from e2e.drivers import eventually

from .drivers import Do
from .life import APP, ready, say


async def sessions(do: Do) -> None:
    """Seats, matches, and sessions of the caller's own."""
    version = {"app_name": APP, "version_name": "seats"}
    request_id = (await do("deploy", version))["request_id"]
    await ready(do, request_id)
    made = await do("session-post", {**version, "ip_list": ["192.0.2.1"]})
    assert made["deployment_request_id"] == request_id
    there = {"session_id": made["session_id"]}
    told = await do("get-session", **there)
    assert (told["status"], told["kind"], told["user_count"]) == ("Ready", "Seat", 1)
    assert (told["deployment"]["request_id"], told["deployment"]["sockets_usage"]) == (request_id, 1)
    users = await do("put-users-session", {"ip_list": ["192.0.2.2"]}, **there)
    assert [one["ip"] for one in users["session_users"]] == ["192.0.2.1", "192.0.2.2"]
    await do.refused("put-users-session", 422, {"ip_list": ["192.0.2.3", "192.0.2.4"]}, **there)
    await do("delete-users-session", {"ip_list": ["192.0.2.2"]}, **there)
    assert len((await do("get-users-session", **there))["session_users"]) == 1
    free = {"app_name": APP, "app_version": "seats", "minimum_sockets": 2}
    if do.knows("deployments-available"):
        [found] = (await do("deployments-available", free))["data"]
        assert (found["request_id"], found["available_sockets"]) == (request_id, 2)
    closed = await do("deployment-update", {"is_joinable_by_session": False}, request_id=request_id)
    assert closed == {"is_joinable_by_session": False}
    lost = await do("session-post", {**version, "ip_list": ["192.0.2.9"]})
    assert (await do("get-session", session_id=lost["session_id"]))["status"] == "Unprocessable"
    await do("deployment-update", {"is_joinable_by_session": True}, request_id=request_id)
    assert {one["session_id"] for one in (await do("list-sessions"))["data"]} >= {made["session_id"]}
    await own_sessions(do, request_id)
    assert (await do("session-delete", **there))["session_id"] == made["session_id"]
    await do.refused("get-session", 404, **there)
    await do("deployment-delete", request_id=request_id)

    made = await do("session-post", {"app_name": APP, "version_name": "matches", "ip_list": ["192.0.2.1"]})

    async def linked() -> Any:
        found = await do("get-session", session_id=made["session_id"])
        return found if found["ready"] else None

    told = await eventually(linked)
    assert (told["kind"], told["deployment"]["sockets_usage"]) == ("Match", 1)
    port = told["deployment"]["ports"]["gameport"]
    assert say(port, "who") == made["deployment_request_id"]
    chosen = {"filters": [{"field": "session_id", "values": [made["session_id"]], "filter_type": "any"}]}
    assert (await do("sessions-bulk-stop", chosen))["processable"] == [{"session_id": made["session_id"]}]
    await do("deployment-delete", request_id=made["deployment_request_id"])


async def own_sessions(do: Do, request_id: str) -> None:
    """Sessions with ids of the caller's; the deployment has two sockets left."""
    there = {"request_id": request_id}
    made = await do("post-custom-session", {"ip_list": ["192.0.2.5"]}, **there, custom_id="duel")
    assert made["custom_id"] == "duel"
    await do.refused("post-custom-session", 409, {"ip_list": ["192.0.2.5"]}, **there, custom_id="duel")
    await do.refused("post-custom-session", 422, {"ip_list": ["192.0.2.5", "192.0.2.6"]}, **there, custom_id="more")
    assert (await do("get-custom-session", **there, custom_id="duel"))["user_count"] == 1
    changed = await do("patch-custom-session", {"ip_list": ["192.0.2.6"]}, **there, custom_id="duel")
    assert [one["ip"] for one in changed["session_users"]] == ["192.0.2.6"]
    several = [{"custom_id": name, "ip_list": ["192.0.2.7"]} for name in ("one", "two")]
    told = await do("post-custom-sessions", {"sessions": several}, **there)
    assert ([one["custom_id"] for one in told["sessions"]], len(told["errors"])) == (["one"], 1)
    assert (await do("get-custom-sessions", **there))["total_count"] == 2
    told = await do("delete-custom-sessions", {"sessions": ["one", "none"]}, **there)
    assert ([one["custom_id"] for one in told["sessions"]], len(told["errors"])) == (["one"], 1)
    assert (await do("delete-custom-session", **there, custom_id="duel"))["custom_id"] == "duel"
    await do.refused("get-custom-session", 404, **there, custom_id="duel")
