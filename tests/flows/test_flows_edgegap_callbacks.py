"""Webhooks of single deployments, from the request that names a URL to what its receiver gets, on both stores."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import msgspec
import pytest

from arenas import version
from factories import Game, TestInn
from innkeeper.contract.edgegap.applications import AppVersionCreateSessionConfig
from innkeeper.contract.edgegap.deployments import DeployModel
from innkeeper.contract.edgegap.deployments_v2 import BasicWebhook, DeploymentCreate, IpUser, UserAddress
from innkeeper.contract.edgegap.sessions import SessionModel
from innkeeper.contract.edgegap.telemetry import ActiveDeploymentTelemetryRequest
from innkeeper.contract.edgegap.words import SessionKind
from innkeeper.contract.house.callbacks_v1 import CallbackState
from innkeeper.engines.base import EndedBy
from innkeeper.kit.clock import SECOND
from innkeeper.sdk import BadRequest, verify_callback
from receivers import Receiver, receiver

pytestmark = pytest.mark.filterwarnings("ignore:deploy is deprecated")


@pytest.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiver() as found:
        yield found


@pytest.fixture
async def game(inn: TestInn) -> Game:
    found = await inn.game()
    await inn.settle()  # its host answers
    return found


async def passes(inn: TestInn, seconds: float = 0) -> None:
    """Passes of the keeper of callbacks until nothing is due any more."""
    inn.clock.advance(seconds)
    keeper = inn.inn.notices.calling
    keeper.bell.ring()
    while keeper.bell.rung:
        await keeper.bell.wait()
        await keeper.keep()
        await keeper.settled()


async def deploy(inn: TestInn, url: str | None) -> str:
    """By V1: one URL, for ready and failed."""
    params = DeployModel(app_name="game-1", version_name="release-1", ip_list=["192.0.2.7"])
    if url is not None:
        params.webhook_url = url
    return (await inn.edgegap().deployments.create_deployment(params)).request_id


async def deploy_v2(inn: TestInn, url: str) -> str:
    """By V2: a URL for each, which says what it is for."""
    params = DeploymentCreate(
        application="game-1", version="release-1",
        users=[IpUser(user_data=UserAddress(ip_address="192.0.2.7"))],
        webhook_on_ready=BasicWebhook(url=f"{url}/ready"), webhook_on_error=BasicWebhook(url=f"{url}/error"),
        webhook_on_terminated=BasicWebhook(url=f"{url}/terminated"),
    )  # fmt: skip
    return (await inn.edgegap().deployments_v2.create_deployment(params)).request_id


async def status(inn: TestInn, request_id: str) -> object:
    found = await inn.edgegap().deployments.get_deployment_status(request_id)
    return json.loads(msgspec.json.encode(found))


async def server_of(inn: TestInn, game: Game, request_id: str) -> str:
    [found] = [one.process_id for one in await game.processes() if one.process_id.endswith(request_id)]
    return found


async def test_ready_is_told_in_the_words_of_the_status(inn: TestInn, game: Game, hook: Receiver) -> None:
    request_id = await deploy(inn, hook.url)
    await passes(inn)
    assert hook.got == []  # it is not ready yet
    await inn.settle()
    await passes(inn)
    [got] = hook.got
    assert got.json == await status(inn, request_id)
    assert (got.json["request_id"], got.json["current_status"], got.json["running"]) == (
        request_id, "Status.READY", True,
    )  # fmt: skip
    secret = (await inn.client().house.callbacks_v1.get_callback_secret()).secret
    verify_callback(secret, got.headers, got.body, now=inn.clock.now() / SECOND)
    await inn.edgegap().deployments.stop_deployment(request_id)
    await inn.settle()
    await passes(inn, 60)
    assert len(hook.got) == 1  # V1 tells nothing of an end that was asked for


async def test_every_hook_of_v2_is_told_once_and_in_order(inn: TestInn, game: Game, hook: Receiver) -> None:
    request_id = await deploy_v2(inn, hook.url)
    await inn.settle()
    await passes(inn)
    await inn.edgegap().deployments.stop_deployment(request_id)
    await inn.settle()
    await passes(inn)
    assert [(got.path, got.json["current_status"]) for got in hook.got] == [
        ("/hook/ready", "Status.READY"), ("/hook/terminated", "Status.TERMINATED"),
    ]  # fmt: skip
    assert hook.got[-1].json == await status(inn, request_id)
    [ended, ready] = (await inn.client().house.callbacks_v1.get_callbacks(subject=request_id)).callbacks
    assert (ready.occasion, ended.occasion, ready.kind) == ("ready", "ended", "edgegap.deployment")
    assert ready.subject == ended.subject == await server_of(inn, game, request_id)


@pytest.mark.parametrize("version", [1, 2])
async def test_a_failure_is_told_with_its_reason(inn: TestInn, game: Game, hook: Receiver, version: int) -> None:
    inn.behave(never_ready=True)
    request_id = await (deploy if version == 1 else deploy_v2)(inn, hook.url)
    await inn.settle()
    inn.engine.end(await server_of(inn, game, request_id), EndedBy.EXIT, 3)
    await inn.settle()
    await passes(inn)
    assert [got.path for got in hook.got] == (["/hook"] if version == 1 else ["/hook/error", "/hook/terminated"])
    for got in hook.got:
        assert (got.json["current_status"], got.json["running"], got.json["error"]) == ("Status.ERROR", False, True)
        assert "exited with code 3" in got.json["error_detail"]


async def test_what_was_told_first_is_told_again_whatever_has_come_since(
    inn: TestInn, game: Game, hook: Receiver
) -> None:
    hook.answer = 503
    request_id = await deploy_v2(inn, hook.url)
    await inn.settle()
    await passes(inn)
    await inn.edgegap().deployments.stop_deployment(request_id)
    await inn.settle()
    await inn.restart()
    await passes(inn, 3600)
    hook.answer = 204
    await passes(inn, 3600)
    assert {got.path for got in hook.got[:-1]} == {"/hook/ready"}
    assert len({(got.id, got.body) for got in hook.got[:-1]}) == 1
    assert [got.json["current_status"] for got in hook.got[-2:]] == ["Status.READY", "Status.TERMINATED"]


async def test_what_was_owed_survives_a_restart(inn: TestInn, game: Game, hook: Receiver) -> None:
    await deploy(inn, hook.url)
    await inn.settle()
    await inn.restart()
    await passes(inn)
    assert [got.json["current_status"] for got in hook.got] == ["Status.READY"]


async def test_who_names_no_url_is_owed_nothing(inn: TestInn, game: Game) -> None:
    await deploy(inn, None)
    await game.room()
    await inn.settle()
    assert (await inn.client().house.callbacks_v1.get_callbacks()).callbacks == []
    assert not inn.inn.notices.calling.bell.rung


async def test_a_private_address_is_refused_with_the_request(inn: TestInn, hook: Receiver) -> None:
    theirs = inn.edgegap(await inn.another_org())
    for url in (hook.url, "http://10.0.0.8/", "https://me:secret@example.org/", "ftp://example.org/"):
        with pytest.raises(BadRequest, match="url"):
            await theirs.deployments.create_deployment(
                DeployModel(app_name="none", ip_list=["192.0.2.7"], webhook_url=url)
            )


async def test_a_server_that_is_alive_keeps_what_it_was_told(inn: TestInn, game: Game, hook: Receiver) -> None:
    """So that it is not told once more when it comes to the same again."""
    request_id = await deploy(inn, hook.url)
    await inn.settle()
    await passes(inn)
    await passes(inn, 8 * 24 * 3600)
    callbacks = inn.client().house.callbacks_v1
    assert [one.state for one in (await callbacks.get_callbacks()).callbacks] == [CallbackState.DELIVERED]
    await inn.edgegap().deployments.stop_deployment(request_id)
    await inn.settle()
    await passes(inn, 120)
    assert (await callbacks.get_callbacks()).callbacks == []


async def test_what_was_measured_for_players_is_told(inn: TestInn, game: Game, hook: Receiver) -> None:
    request_id = await deploy(inn, None)
    await inn.settle()
    asked = ActiveDeploymentTelemetryRequest(deployments=[request_id], ips=["192.0.2.7"], webhook_url=hook.url)
    begun = await inn.edgegap().telemetry.measure_deployments(asked)
    await passes(inn)
    [got] = hook.got
    assert got.json == {
        "retrieval_key": begun.retrieval_key, "scores": [{"request_id": request_id}], "is_partial": True,
    }  # fmt: skip
    [told] = (await inn.client().house.callbacks_v1.get_callbacks()).callbacks
    assert (told.kind, told.subject, told.state) == (
        "edgegap.telemetry", begun.retrieval_key, CallbackState.DELIVERED,
    )  # fmt: skip


async def test_a_session_is_told_as_long_as_there_is_one(inn: TestInn, hook: Receiver) -> None:
    config = AppVersionCreateSessionConfig(kind=SessionKind.SEAT, sockets=4)
    await version(inn, inn.edgegap(), session_config=config)
    await inn.edgegap().deployments.create_deployment(DeployModel(app_name="arena"))
    await inn.settle()
    sessions = inn.edgegap().sessions
    asked = SessionModel(app_name="arena", ip_list=["192.0.2.7"], webhook_url=hook.url)
    kept, deleted = [(await sessions.create_session(asked)).session_id for _ in range(2)]
    await sessions.delete_session(deleted)
    await passes(inn)
    [got] = hook.got
    assert (got.json["session_id"], got.json["status"], got.json["kind"]) == (kept, "Ready", "Seat")
    [told] = (await inn.client().house.callbacks_v1.get_callbacks(subject=deleted)).callbacks
    assert (told.state, told.attempts) == (CallbackState.GIVEN_UP, 1)
    assert "nothing left to tell" in (told.last_error or "")
