"""What is kept and told: builds, deployments, logs, metrics, usage, tokens and invitations."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from factories import TOKYO, TestInn, archive
from innkeeper.contract.hathora.builds_v3 import BuildStatus, CreateMultipartBuildParams
from innkeeper.contract.hathora.organizations_v1 import CreateUserInvite, RescindUserInvite, UpdateUserInvite
from innkeeper.contract.hathora.processes_v3 import ProcessMetricName
from innkeeper.contract.hathora.tokens_v1 import CreateOrgToken, OrgTokenStatus
from innkeeper.contract.hathora.words import Scope, UserRole
from innkeeper.engines.base import EndedBy, Usage
from innkeeper.kit.clock import SECOND
from innkeeper.sdk import UNSET, AsyncHathoraCloud, Gone, LimitReached, NotFound, StatusError, Unauthorized
from unit.hosting.tars import file, tgz


async def output(cloud: AsyncHathoraCloud, process_id: str, **how: int) -> bytes:
    async with await cloud.logs_v1.get_logs_for_process(process_id, **how) as log:
        return await log.read()


async def test_output_is_told_live_and_afterwards_and_is_gone_after_three_days(inn: TestInn) -> None:
    inn.behave(output=b"".join(b"line %d\n" % number for number in range(150)))
    game = await inn.game()
    room = await game.room()
    process_id = room.process_id
    assert await output(game.cloud, process_id) == b""  # no host has it yet
    await inn.settle()
    assert (await output(game.cloud, process_id)).splitlines()[0] == b"line 50"
    assert await output(game.cloud, process_id, tail_lines=2) == b"line 148\nline 149\n"

    async def followed() -> bytes:
        return await output(game.cloud, process_id, tail_lines=1, follow=True)

    following = asyncio.ensure_future(followed())
    await asyncio.sleep(0)
    inn.engine.say(process_id, b"and on\n")
    inn.engine.end(process_id, EndedBy.EXIT, 0)
    while not following.done():
        await inn.advance(0.1)
    assert (await following).endswith(b"and on\n")
    async with await game.cloud.logs_v1.download_log_for_process(process_id) as log:
        assert len((await log.read()).splitlines()) == 151
    await inn.advance(71 * 3600)
    await inn.sweep()
    assert await output(game.cloud, process_id)
    await inn.advance(3601)
    await inn.sweep()
    with pytest.raises(Gone):
        await output(game.cloud, process_id)
    with pytest.raises(NotFound):
        await output(game.cloud, "no-such-process")


async def test_metrics_are_told_from_what_was_measured(inn: TestInn) -> None:
    game = await inn.game()
    room = await game.room()
    await inn.settle()
    inn.clock.advance(60 - inn.clock.now() / SECOND % 60)
    start = inn.clock.now() / SECOND
    for minute in range(4):
        await inn.measure({room.process_id: Usage(minute * 30.0, 1000 * minute, 3, minute * 6000)})
        inn.clock.advance(60)
    names = list(ProcessMetricName)
    told = await game.cloud.processes_v3.get_process_metrics(room.process_id, metrics=names, start=start, step=60)
    assert told.memory is not UNSET
    assert [point.value for point in told.memory] == [0, 1000, 2000, 3000]
    assert [point.timestamp - start for point in told.memory] == [0, 60, 120, 180]
    assert told.cpu is not UNSET
    assert [point.value for point in told.cpu] == [0.5] * 3
    assert told.rate_egress is not UNSET
    assert [point.value for point in told.rate_egress] == [100] * 3
    assert told.active_connections is not UNSET
    assert {point.value for point in told.active_connections} == {3}
    assert told.gpu_memory == []
    usual = await game.cloud.processes_v3.get_process_metrics(room.process_id)
    assert usual.total_egress is UNSET
    assert usual.cpu


async def test_usage_is_added_up(inn: TestInn) -> None:
    game = await inn.game()
    rooms = [await game.room() for _ in range(3)]
    await inn.settle()
    await inn.advance(3600)
    await game.cloud.processes_v3.stop_process(rooms[0].process_id)
    await inn.settle()
    await inn.advance(3600)
    used = await game.cloud.organizations_v1.get_usage_limits()
    assert used.monthly_process_vcpu_hours_consumed == pytest.approx(0.5 * (1 + 2 + 2))
    assert used.concurrent_process_vcpus_7_day_max == pytest.approx(1.5)
    rival = inn.client(await inn.another_org())
    assert (await rival.organizations_v1.get_usage_limits()).monthly_process_vcpu_hours_consumed == 0


async def test_deployments_are_paged(inn: TestInn) -> None:
    game = await inn.game()
    made = [game.deployment.deployment_id]
    for number in range(119):
        made.append((await game.release(deployment_tag="even" if number % 2 else "odd")).deployment_id)
    pages = [page async for page in game.cloud.deployments_v3.get_deployments.pages()]
    assert [len(page.deployments) for page in pages] == [50, 50, 20]
    assert [one.deployment_id for page in pages for one in page.deployments] == made[::-1]
    odd = [page async for page in game.cloud.deployments_v3.get_deployments.pages(deployment_tag="odd")]
    assert sum(len(page.deployments) for page in odd) == 60
    assert (await game.cloud.deployments_v3.get_latest_deployment()).deployment_id == made[-1]
    with pytest.raises(StatusError, match="page token"):
        await game.cloud.deployments_v3.get_deployments(next_page_token="nonsense")


async def test_a_build_that_cannot_be_run_has_failed_and_says_why(inn: TestInn) -> None:
    cloud = inn.client()
    build = await cloud.upload_build(tgz(file("readme", b"no Procfile")).read(), build_id="bad")
    async with await cloud.builds_v3.run_build(build.build_id) as log:
        lines = (await log.read()).decode().splitlines()
    assert lines[-1].startswith("Error")
    assert "Procfile" in lines[-1]
    assert (await cloud.builds_v3.get_build("bad")).status == BuildStatus.FAILED
    game = await inn.game()
    with pytest.raises(StatusError, match="failed"):
        await inn.release(game.app_id, "bad")
    with pytest.raises(StatusError, match="bad") as taken:
        await cloud.builds_v3.create_build(CreateMultipartBuildParams(build_id="bad", build_size_in_bytes=5))
    assert taken.value.status == 400
    rival = inn.client(await inn.another_org())
    assert (await rival.upload_build(archive(), build_id="bad")).build_id == "bad"  # ids are the organisation's own


async def test_a_build_interrupted_by_a_restart_is_run_again(inn: TestInn) -> None:
    cloud = inn.client()
    build = await cloud.upload_build(archive())
    log = await cloud.builds_v3.run_build(build.build_id)
    await inn.restart()
    await log.close()
    with contextlib.suppress(StatusError):  # that it is over already
        async with await cloud.builds_v3.run_build(build.build_id) as again:
            assert b"run again" in await again.read()
    assert (await cloud.builds_v3.get_build(build.build_id)).status == BuildStatus.SUCCEEDED


async def test_an_upload_that_is_never_finished_is_given_up(inn: TestInn) -> None:
    cloud = inn.client()
    build = await cloud.builds_v3.create_build(CreateMultipartBuildParams(build_size_in_bytes=100))
    await inn.advance(24 * 3600)
    await inn.sweep()
    assert (await cloud.builds_v3.get_build(build.build_id)).status == BuildStatus.FAILED


async def test_tokens_do_what_their_scopes_say(inn: TestInn) -> None:
    game = await inn.game()
    org_id = inn.inn.founded.org_id
    admin = inn.client(app_id=game.app_id, org_id=org_id)
    made = await admin.tokens_v1.create_org_token(CreateOrgToken(name="ci", scopes=[Scope.PROCESSES_READ]))
    assert made.plain_text_token.endswith(made.org_token.last_four_chars_of_key)
    viewer = inn.client(made.plain_text_token, app_id=game.app_id, org_id=org_id)
    await viewer.processes_v3.get_latest_processes()
    for call in (
        viewer.processes_v3.create_process(TOKYO),
        viewer.apps_v2.get_apps(),
        viewer.tokens_v1.get_org_tokens(),
    ):
        with pytest.raises(Unauthorized, match="scope"):
            await call
    listed = await admin.tokens_v1.get_org_tokens()
    assert made.plain_text_token not in str(listed)
    assert {token.name for token in listed.tokens} == {"ci", "admin"}
    assert await admin.tokens_v1.revoke_org_token(made.org_token.org_token_id) is True
    with pytest.raises(Unauthorized):
        await viewer.processes_v3.get_latest_processes()
    listed = await admin.tokens_v1.get_org_tokens()
    assert {token.name: token.status for token in listed.tokens}["ci"] == OrgTokenStatus.REVOKED


async def test_an_invited_person_joins(inn: TestInn) -> None:
    org_id = inn.inn.founded.org_id
    admin = inn.client(org_id=org_id)
    guest_token = await inn.another_org("guest@example.com")
    guest = inn.client(guest_token, org_id=org_id)
    with pytest.raises(Unauthorized):
        await guest.organizations_v1.get_org_members()
    invite = CreateUserInvite(user_email="Guest@example.com", scopes=UserRole.VIEWER)
    assert (await admin.organizations_v1.invite_user(invite)).user_email == "guest@example.com"
    change = UpdateUserInvite(user_email="guest@example.com", scopes=UserRole.MEMBER)
    assert await admin.organizations_v1.update_user_invite(change) is True
    assert len((await admin.organizations_v1.get_org_pending_invites()).invites) == 1
    assert [one.org_id for one in (await guest.organizations_v1.get_user_pending_invites()).invites] == [org_id]
    await guest.organizations_v1.accept_invite()
    members = (await guest.organizations_v1.get_org_members()).members
    assert {member.user_email: member.scopes for member in members}["guest@example.com"] == UserRole.MEMBER
    assert len((await guest.organizations_v1.get_orgs()).orgs) == 2
    with pytest.raises(NotFound):
        await admin.organizations_v1.rescind_invite(RescindUserInvite(user_email="guest@example.com"))
    with pytest.raises(NotFound):
        await guest.organizations_v1.reject_invite()


async def test_a_location_that_no_host_serves_is_a_clear_error(small_inn: TestInn) -> None:
    inn = small_inn
    await inn.stop()
    inn.locations = frozenset({"sydney"})
    await inn.start()
    game = await inn.game()
    with pytest.raises(LimitReached, match="no host of this house serves tokyo"):
        await game.room()
