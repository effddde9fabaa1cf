"""Waiting for deployments and sessions: what an answer means, by tables, and the questions over real sockets."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from innkeeper.contract.edgegap.deployments import DeployModel, Status
from innkeeper.contract.edgegap.deployments_v2 import (
    DeploymentCreate,
    IpUser,
    PrivateFleetDeploymentCreate,
    UserAddress,
)
from innkeeper.contract.edgegap.sessions import SessionGet
from innkeeper.sdk import DeadlineExceeded, DeploymentFailed, NotFound, ServerError, SessionFailed, WaitTimedOut
from innkeeper.sdk.edgegap_waiting import has_ended, linkedness, readiness

from .conftest import Flavour
from .edgegap_bodies import FAILED, GONE, ID, MADE, NOTED, READY, SESSION, SUMMARY, session, status, told
from .scripted import Drop, Reply, Server

USERS: list[Any] = [IpUser(user_data=UserAddress(ip_address="1.2.3.4"))]


@pytest.mark.parametrize(
    ("state", "more", "ready", "ended"),
    [
        ("INITIALIZING", {}, "wait", "wait"),
        ("SEEKING", {}, "wait", "wait"),
        ("SCANNING", {}, "wait", "wait"),
        ("DEPLOYING", {}, "wait", "wait"),
        # Something went wrong on the way, and it goes on.
        ("DEPLOYING", {"error": True}, "wait", "wait"),
        ("READY", {}, "done", "wait"),
        ("READY", {"error": True}, "done", "wait"),
        ("TERMINATING", {}, "failed", "wait"),
        ("TERMINATED", {}, "failed", "done"),
        ("ERROR", {}, "failed", "wait"),
        ("ERROR", {"removal_time": "2026-01-01 00:00:00.000000"}, "failed", "done"),
        ("WARMING_UP", {}, "wait", "wait"),
        ("EXPLODED", {"error": True}, "failed", "wait"),
    ],
)
def test_what_a_status_means(state: str, more: dict[str, Any], ready: str, ended: str) -> None:
    found = msgspec.convert(status(state, **more), Status)
    assert (readiness(found), has_ended(found)) == (ready, ended)


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ("Waiting", "wait"),
        ("Waiting...", "wait"),
        ("Linked", "wait"),
        ("Ready", "done"),
        ("Unprocessable", "failed"),
        ("Error", "failed"),
    ],
)
def test_what_a_session_means(state: str, verdict: str) -> None:
    assert linkedness(msgspec.convert(session(state), SessionGet)) == verdict


@pytest.mark.parametrize(
    ("params", "target", "made"),
    [
        (DeployModel(app_name="game"), "/v1/deploy", MADE),
        (DeploymentCreate(application="game", version="v1", users=USERS), "/v2/deployments", None),
        (
            PrivateFleetDeploymentCreate(application="game", version="v1", users=USERS, private_host_ids=["h"]),
            "/v2/private-fleets/deployments",
            None,
        ),
    ],
)
def test_a_deployment_is_asked_for_and_waited_for(
    default_flavour: Flavour, params: Any, target: str, made: Reply | None
) -> None:
    script: list[Reply | Drop] = [made or Reply(202, {"request_id": ID}), told("SEEKING"), told("DEPLOYING"), READY]
    with Server(script) as server:
        ready = default_flavour.run(default_flavour.edgegap(server.url).deploy_and_wait(params))
        assert [seen.target for seen in server.seen] == [target, *[f"/v1/status/{ID}"] * 3]
    assert (ready.request_id, ready.running) == (ID, True)
    assert default_flavour.time.waits == [0.1, 0.2]


def test_questions_are_asked_ever_less_often(default_flavour: Flavour) -> None:
    with Server([*[told("DEPLOYING")] * 7, READY]) as server:
        default_flavour.run(default_flavour.edgegap(server.url).wait_until_ready(ID, every=2.0))
    assert default_flavour.time.waits == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


def test_one_that_failed_says_why(default_flavour: Flavour) -> None:
    failed = told("ERROR", error_detail="Unable to pull image from registry")
    with Server([MADE, told("DEPLOYING"), failed]) as server:
        client = default_flavour.edgegap(server.url)
        error = default_flavour.fails(DeploymentFailed, lambda: client.deploy_and_wait(DeployModel(app_name="game")))
    text = f"deployment {ID} of game v1 is ERROR: Unable to pull image from registry"
    assert (str(error), error.detail, error.request_id) == (text, "Unable to pull image from registry", ID)
    assert (error.attempts, error.status.current_status) == (2, "Status.ERROR")


def test_one_that_is_stopped_is_not_waited_for(default_flavour: Flavour) -> None:
    with Server(told("TERMINATED")) as server:
        client = default_flavour.edgegap(server.url)
        error = default_flavour.fails(DeploymentFailed, lambda: client.wait_until_ready(ID))
    assert str(error) == f"deployment {ID} of game v1 is TERMINATED"


def test_the_time_is_for_all_of_it(default_flavour: Flavour) -> None:
    with Server([MADE, told("DEPLOYING")]) as server:
        client = default_flavour.edgegap(server.url)
        error = default_flavour.fails(
            WaitTimedOut, lambda: client.deploy_and_wait(DeployModel(app_name="game"), timeout=3)
        )
    assert issubclass(WaitTimedOut, DeadlineExceeded)
    assert str(error) == f"deployment {ID} is still DEPLOYING after 3 s"
    assert (error.request_id, error.last.current_status) == (ID, "Status.DEPLOYING")
    assert default_flavour.time.now < 1003


def test_no_answer_in_time_is_the_same_error(default_flavour: Flavour) -> None:
    with Server(told("DEPLOYING")) as server:
        client = default_flavour.edgegap(server.url)
        error = default_flavour.fails(WaitTimedOut, lambda: client.wait_until_ready(ID, timeout=0))
        assert not server.seen
    assert str(error) == f"deployment {ID} has not been told after 0 s"
    assert (error.last, error.request_id) == (None, ID)


def test_any_other_error_names_the_deployment_too(default_flavour: Flavour) -> None:
    with Server([MADE, Reply(500)]) as server:
        client = default_flavour.edgegap(server.url)
        error = default_flavour.fails(ServerError, lambda: client.deploy_and_wait(DeployModel(app_name="game")))
    assert error.__notes__ == [f"the deployment that was asked for is {ID}"]


@pytest.mark.parametrize(
    ("script", "state"),
    [
        ([SUMMARY, told("TERMINATING"), told("TERMINATED")], "Status.TERMINATED"),
        ([NOTED, told("DEPLOYING"), READY, told("TERMINATED")], "Status.TERMINATED"),
        ([SUMMARY, told("ERROR"), FAILED], "Status.ERROR"),
        ([GONE], None),
        ([SUMMARY, Reply(404, {"message": "unknown"})], None),
        ([SUMMARY, told("TERMINATING"), Reply(400, {"message": "unknown"})], None),
        ([SUMMARY, GONE], None),
    ],
)
def test_a_deployment_is_stopped_and_its_end_waited_for(
    default_flavour: Flavour, script: list[Reply | Drop], state: str | None
) -> None:
    with Server(script) as server:
        ended = default_flavour.run(default_flavour.edgegap(server.url).stop_and_wait(ID))
        assert [seen.method for seen in server.seen] == ["DELETE", *["GET"] * (len(script) - 1)]
        assert server.seen[0].target == f"/v1/stop/{ID}"
    assert (ended and ended.current_status) == state


def test_one_that_never_was_has_not_ended(default_flavour: Flavour) -> None:
    with Server(Reply(404, {"message": "unknown"})) as server:
        client = default_flavour.edgegap(server.url)
        default_flavour.fails(NotFound, lambda: client.wait_until_terminated(ID))
        default_flavour.fails(NotFound, lambda: client.stop_and_wait(ID))


def test_a_session_is_waited_for(default_flavour: Flavour) -> None:
    script: list[Reply | Drop] = [Reply(200, session(state)) for state in ("Waiting...", "Linked", "Ready")]
    with Server(script) as server:
        assert default_flavour.run(default_flavour.edgegap(server.url).wait_for_session(SESSION)).ready
        assert {seen.target for seen in server.seen} == {f"/v1/session/{SESSION}"}
    assert default_flavour.time.waits == [0.1, 0.2]


def test_a_session_without_a_deployment_says_why(default_flavour: Flavour) -> None:
    with Server(Reply(200, session("Unprocessable", error="all are full"))) as server:
        client = default_flavour.edgegap(server.url)
        error = default_flavour.fails(SessionFailed, lambda: client.wait_for_session(SESSION))
    assert str(error) == f"session {SESSION} is Unprocessable: all are full"
    with Server(Reply(200, session("Waiting"))) as server:
        client = default_flavour.edgegap(server.url)
        late = default_flavour.fails(WaitTimedOut, lambda: client.wait_for_session(SESSION, timeout=1))
    assert (str(late), late.request_id) == (f"session {SESSION} is still Waiting after 1 s", "")
