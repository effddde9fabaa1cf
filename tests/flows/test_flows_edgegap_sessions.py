"""Sessions and custom sessions through Edgegap's API, on both stores and with a pretended host."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from arenas import launch_of, version
from factories import TestInn
from innkeeper.contract.edgegap.applications import AppVersionCreateSessionConfig
from innkeeper.contract.edgegap.custom_sessions import (
    CustomBulkSessionModel,
    CustomBulkSessionsModel,
    CustomSessionDeleteModel,
    CustomSessionModel,
)
from innkeeper.contract.edgegap.deployments import DeployModel
from innkeeper.contract.edgegap.sessions import (
    PatchSessionModel,
    SessionBulkStopFiltersPayload,
    SessionBulkStopPayload,
    SessionField,
    SessionModel,
)
from innkeeper.contract.edgegap.words import FilterType, Selector, SelectorEnv, SessionKind, SessionStatus
from innkeeper.db.database import Many, Statement, Steps
from innkeeper.sdk import UNSET, AsyncEdgegap, CallError

pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated. use :DeprecationWarning")


async def seated(inn: TestInn, kind: SessionKind, sockets: int, **more: Any) -> AsyncEdgegap:
    client = inn.edgegap()
    config = AppVersionCreateSessionConfig(kind=kind, sockets=sockets, **more)
    await version(inn, client, session_config=config)
    return client


def ips(*last: int) -> list[str]:
    return [f"192.0.2.{one}" for one in last]


async def refused(call: Any) -> int:
    with pytest.raises(CallError) as error:
        await call
    assert error.value.status is not None
    return error.value.status


async def test_seats_are_counted_by_players(inn: TestInn) -> None:
    client = await seated(inn, SessionKind.SEAT, 4)
    deployment = await client.deployments.create_deployment(DeployModel(app_name="arena"))
    await inn.settle()
    made = await client.sessions.create_session(SessionModel(app_name="arena", ip_list=ips(1, 2, 3)))
    assert made.deployment_request_id == deployment.request_id
    told = await client.sessions.get_session(made.session_id)
    assert (told.status, told.ready, told.linked, told.kind, told.user_count) == (
        SessionStatus.READY, True, True, SessionKind.SEAT, 3,
    )  # fmt: skip
    assert told.deployment is not None
    assert (told.deployment.sockets, told.deployment.sockets_usage) == (4, 3)
    assert told.app_version == 1
    # No deployment has two sockets left, and the version starts none.
    other = await client.sessions.create_session(SessionModel(app_name="arena", ip_list=ips(4, 5)))
    assert other.deployment_request_id is None
    lost = await client.sessions.get_session(other.session_id)
    assert (lost.status, lost.ready, lost.deployment) == (SessionStatus.UNPROCESSABLE, False, UNSET)
    assert lost.error
    users = await client.sessions.add_session_users(PatchSessionModel(ip_list=ips(3, 4)), made.session_id)
    assert [user.ip for user in users.session_users] == ips(1, 2, 3, 4)
    assert await refused(client.sessions.add_session_users(PatchSessionModel(ip_list=ips(5)), made.session_id)) == 422
    users = await client.sessions.remove_session_users(PatchSessionModel(ip_list=ips(1, 2, 9)), made.session_id)
    assert [user.ip for user in users.session_users] == ips(3, 4)
    status = await client.deployments.get_deployment_status(deployment.request_id)
    assert (status.sockets, status.sockets_usage) == (4, 2)
    assert [one.session_id for one in status.sessions or []] == [made.session_id]
    await client.sessions.delete_session(made.session_id)
    assert await refused(client.sessions.get_session(made.session_id)) == 404
    status = await client.deployments.get_deployment_status(deployment.request_id)
    assert (status.running, status.sockets_usage) == (True, 0)


async def test_a_match_is_one_socket_and_starts_a_deployment_where_there_is_none(inn: TestInn) -> None:
    client = await seated(inn, SessionKind.MATCH, 2, autodeploy=True, empty_ttl=5)
    env = Selector(tag="mode", tag_only=True, env=SelectorEnv(key="MODE", value="duel"))
    first = await client.sessions.create_session(SessionModel(app_name="arena", ip_list=ips(1, 2), selectors=[env]))
    assert first.deployment_request_id is not None
    assert (await client.sessions.get_session(first.session_id)).status is SessionStatus.LINKED
    await inn.settle()
    assert (await client.sessions.get_session(first.session_id)).status is SessionStatus.READY
    assert launch_of(inn, first.deployment_request_id).env["MODE"] == "duel"
    second = await client.sessions.create_session(SessionModel(app_name="arena", ip_list=ips(3)))
    third = await client.sessions.create_session(SessionModel(app_name="arena", ip_list=ips(4)))
    assert second.deployment_request_id == first.deployment_request_id
    assert third.deployment_request_id != first.deployment_request_id
    # Only where a session was marked so.
    marked = await client.sessions.create_session(
        SessionModel(app_name="arena", ip_list=ips(5), selectors=[Selector(tag="mode")])
    )
    assert marked.deployment_request_id not in (first.deployment_request_id, third.deployment_request_id)
    listed = await client.sessions.list_sessions()
    assert listed.total_count == 4
    wanted = SessionBulkStopFiltersPayload(
        field=SessionField.REQUEST_ID, values=[first.deployment_request_id], filter_type=FilterType.ANY
    )
    stopped = await client.sessions.bulk_stop_sessions(SessionBulkStopPayload(filters=[wanted]))
    assert {one.session_id for one in stopped.processable} == {first.session_id, second.session_id}
    await inn.settle()
    await inn.advance(5 * 60 + 2)
    status = await client.deployments.get_deployment_status(first.deployment_request_id)
    assert status.running is False
    status = await client.deployments.get_deployment_status(third.deployment_request_id or "")
    assert status.running is True


async def test_custom_sessions_have_the_callers_names(inn: TestInn) -> None:
    client = await seated(inn, SessionKind.SEAT, 3)
    deployment = (await client.deployments.create_deployment(DeployModel(app_name="arena"))).request_id
    await inn.settle()
    custom = client.custom_sessions
    made = await custom.create_custom_session(CustomSessionModel(ip_list=ips(1)), deployment, "red")
    assert (made.custom_id, made.deployment_request_id) == ("red", deployment)
    assert await refused(custom.create_custom_session(CustomSessionModel(ip_list=ips(1)), deployment, "red")) == 409
    many = [CustomBulkSessionModel(custom_id=name, ip_list=ips(7, 8)) for name in ("blue", "green")]
    opened = await custom.create_custom_sessions(CustomBulkSessionsModel(sessions=many), deployment)
    assert [one.custom_id for one in opened.sessions] == ["blue"]
    assert len(opened.errors) == 1
    told = await custom.update_custom_session(CustomSessionModel(ip_list=ips(9)), deployment, "blue")
    assert [user.ip for user in told.session_users or []] == ips(9)
    assert (await custom.list_custom_sessions(deployment)).total_count == 2
    gone = await custom.delete_custom_sessions(CustomSessionDeleteModel(sessions=["blue", "never"]), deployment)
    assert [one.custom_id for one in gone.sessions] == ["blue"]
    assert len(gone.errors) == 1
    await custom.delete_custom_session(deployment, "red")
    assert await refused(custom.get_custom_session(deployment, "red")) == 404


async def test_a_version_without_sessions_has_none(inn: TestInn) -> None:
    client = inn.edgegap()
    await version(inn, client)
    assert await refused(client.sessions.create_session(SessionModel(app_name="arena", ip_list=ips(1)))) == 400
    assert await refused(client.sessions.get_session("0123456789ab-S")) == 404


async def test_users_that_come_at_the_same_moment_are_all_there(inn: TestInn) -> None:
    client = await seated(inn, SessionKind.SEAT, 20)
    await client.deployments.create_deployment(DeployModel(app_name="arena"))
    await inn.settle()
    made = await client.sessions.create_session(SessionModel(app_name="arena", ip_list=ips(1)))
    sessions = client.sessions
    await asyncio.gather(
        *(sessions.add_session_users(PatchSessionModel(ip_list=ips(last)), made.session_id) for last in range(2, 12))
    )
    users = await sessions.get_session_users(made.session_id)
    assert sorted(user.ip for user in users.session_users) == sorted(ips(*range(1, 12)))
    gone = (sessions.remove_session_users(PatchSessionModel(ip_list=ips(last)), made.session_id) for last in (2, 3, 4))
    await asyncio.gather(*gone)
    status = await client.deployments.get_deployment_status(made.deployment_request_id or "")
    assert status.sockets_usage == 8


def image_lost() -> Steps[None]:
    yield Statement("update builds set state = 'failed', detail = 'there is no such image'")


async def test_seats_that_stand_are_given_though_no_further_deployment_can_start(inn: TestInn) -> None:
    client = await seated(inn, SessionKind.SEAT, 2, autodeploy=True, empty_ttl=5)
    deployment = await client.deployments.create_deployment(DeployModel(app_name="arena"))
    await inn.settle()
    await inn.inn.db.write(image_lost)
    made = await client.sessions.create_session(SessionModel(app_name="arena", ip_list=ips(1, 2)))
    assert made.deployment_request_id == deployment.request_id
    other = await client.sessions.create_session(SessionModel(app_name="arena", ip_list=ips(3)))
    lost = await client.sessions.get_session(other.session_id)
    assert lost.status is SessionStatus.UNPROCESSABLE
    assert "there is no such image" in (lost.error or "")


def opened_since(session_id: str, ids: list[str]) -> Steps[None]:
    """More sessions like one, each opened after it."""
    for table, key in (("rooms", "id"), ("bookings", "room_id")):
        same = "app_id, state, location, release_id, server_id, seated_at, places" if table == "rooms" else (
            "org_id, app_id, label_id, server_id, kind, players, selectors"
        )  # fmt: skip
        yield Many(
            f"insert into {table} ({key}, {same}, created_at) select $2, {same}, created_at + 1 from {table}"
            f" where {key} = $1",
            [(session_id, id) for id in ids],
        )


async def crowded(inn: TestInn) -> tuple[AsyncEdgegap, str, str]:
    """A deployment with 1,002 sessions: its id, and that of the oldest session."""
    client = await seated(inn, SessionKind.MATCH, 5000)
    deployment = await client.deployments.create_deployment(DeployModel(app_name="arena"))
    await inn.settle()
    asked = SessionModel(app_name="arena")
    first, second = [(await client.sessions.create_session(asked)).session_id for _ in range(2)]
    await inn.inn.db.write(opened_since, second, [f"{number:012x}-S" for number in range(1000)])
    return client, deployment.request_id, first


async def stopped(client: AsyncEdgegap, *filters: tuple[SessionField, list[str], FilterType]) -> list[str]:
    wanted = [SessionBulkStopFiltersPayload(field=f, values=v, filter_type=t) for f, v, t in filters]
    told = await client.sessions.bulk_stop_sessions(SessionBulkStopPayload(filters=wanted))
    return [one.session_id for one in told.processable]


async def test_a_bulk_stop_finds_the_oldest_of_many(inn: TestInn) -> None:
    client, request_id, first = await crowded(inn)
    by_id, by_tag = SessionField.SESSION_ID, SessionField.DEPLOYMENT_TAGS
    assert await stopped(client, (by_id, [first, "none"], FilterType.ALL)) == []
    assert await stopped(client, (by_tag, ["no"], FilterType.ANY)) == []
    assert await stopped(client, (SessionField.REQUEST_ID, [request_id], FilterType.NOT)) == []
    assert await stopped(client, (by_id, [first, "none"], FilterType.ANY), (by_tag, ["no"], FilterType.NOT)) == [first]
    assert (await client.sessions.list_sessions()).total_count == 1001


async def test_a_bulk_stop_ends_all_of_more_than_a_thousand(small_inn: TestInn) -> None:
    client, request_id, _ = await crowded(small_inn)
    ended = await stopped(client, (SessionField.REQUEST_ID, [request_id], FilterType.ANY))
    assert len(ended) == len(set(ended)) == 1002
    assert (await client.sessions.list_sessions()).total_count == 0


@pytest.mark.parametrize("match", [FilterType.ALL, FilterType.NOT])
async def test_a_filter_without_values_ends_nothing(inn: TestInn, match: FilterType) -> None:
    client = await seated(inn, SessionKind.MATCH, 2)
    await client.deployments.create_deployment(DeployModel(app_name="arena"))
    await inn.settle()
    made = await client.sessions.create_session(SessionModel(app_name="arena"))
    wanted = SessionBulkStopFiltersPayload(field=SessionField.SESSION_ID, values=[], filter_type=match)
    assert await refused(client.sessions.bulk_stop_sessions(SessionBulkStopPayload(filters=[wanted]))) == 400
    assert (await client.sessions.get_session(made.session_id)).ready is True
