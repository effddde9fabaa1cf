"""The audit log: a line for every change by an organisation's token, before it is made, and what came of it."""

from __future__ import annotations

import contextlib

import pytest

from factories import TOKYO, TestInn
from innkeeper.contract.errors import CallError
from innkeeper.contract.hathora import HATHORA
from innkeeper.contract.hathora.apps_v2 import AuthConfiguration, CreateAppConfig
from innkeeper.contract.hathora.builds_v3 import CreateBuildV3Params, RegistryConfig
from innkeeper.contract.hathora.deployments_v1 import DeploymentConfig, PlanName
from innkeeper.contract.hathora.deployments_v3 import EnvVariable
from innkeeper.contract.hathora.tokens_v1 import CreateOrgToken
from innkeeper.contract.hathora.words import TransportType
from innkeeper.contract.house import HOUSE
from innkeeper.contract.house.apps_v1 import AdoptedApp
from innkeeper.contract.house.audit_v1 import AuditEntry
from innkeeper.contract.house.hosts_v1 import NewHost
from innkeeper.contract.house.orgs_v1 import ChangedLimits
from innkeeper.contract.house.webhooks_v1 import NewWebhook, WebhookChange
from innkeeper.db.database import Statement, Steps


@pytest.fixture
def inn(inn: TestInn) -> TestInn:
    """Lines of one moment have no order: the house was founded a second ago."""
    inn.clock.advance(1)
    return inn


async def log(inn: TestInn, **filters: str) -> list[AuditEntry]:
    """The log; what is done next is done later."""
    page = await inn.client().house.audit_v1.get_entries(**filters)
    inn.clock.advance(1)
    return page.entries


async def test_a_change_is_told_with_who_and_from_where_and_what_it_made(inn: TestInn) -> None:
    app = await inn.client().apps_v2.create_app(
        CreateAppConfig(app_name="chess", auth_configuration=AuthConfiguration())
    )
    [made, *_] = await log(inn)
    assert (made.verb, made.subject, made.outcome) == ("apps_v2.create_app", app.app_id, "done")
    assert "@" in made.who
    assert str(made.token_id).startswith("org-token-")
    await inn.client().apps_v2.delete_app(app.app_id)
    [deleted, *_] = await log(inn)
    assert (deleted.verb, deleted.subject) == ("apps_v2.delete_app", app.app_id)


async def test_what_is_refused_is_told_with_the_reason_and_what_is_only_read_is_not(inn: TestInn) -> None:
    with pytest.raises(CallError):
        await inn.client().apps_v2.delete_app("app-none")
    [refused, *before] = await log(inn)
    assert (refused.verb, refused.subject) == ("apps_v2.delete_app", "app-none")
    assert str(refused.outcome).startswith("refused: there is no app")
    await inn.client().apps_v2.get_apps()
    assert await log(inn) == [refused, *before]


async def test_rooms_are_no_part_of_it(inn: TestInn) -> None:
    game = await inn.game()
    before = await log(inn)
    room = await game.room()
    await game.cloud.rooms_v2.destroy_room(room.room_id)
    assert await log(inn) == before
    inn.clock.advance(1)
    server = await game.cloud.processes_v3.create_process(TOKYO)
    [started, *_] = await log(inn)
    assert (started.verb, started.subject) == ("processes_v3.create_process", f"{game.app_id}/{server.process_id}")


async def test_a_deployment_of_an_old_client_is_told_with_its_app(inn: TestInn) -> None:
    game = await inn.game()
    config = DeploymentConfig(
        plan_name=PlanName.TINY, container_port=4000, transport_type=TransportType.TCP, rooms_per_process=3,
        env=[EnvVariable(name="MODE", value="ranked")],
    )  # fmt: skip
    inn.clock.advance(1)
    with pytest.warns(DeprecationWarning, match="deployments_v3.create_deployment"):
        await game.cloud.deployments_v1.create_deployment(1, config)
    [line, *_] = await log(inn)
    assert (line.verb, line.subject) == ("deployments_v1.create_deployment", f"{game.app_id}/2")
    assert line.detail == "plan_name=tiny container_port=4000 transport_type=tcp rooms_per_process=3 env=MODE"


async def test_what_was_changed_of_a_webhook_is_told(inn: TestInn) -> None:
    hooks = inn.client().house.webhooks_v1
    made = await hooks.create_webhook(NewWebhook(url="https://example.org/in?key=1"))
    inn.clock.advance(1)
    await hooks.change_webhook(made.webhook_id, WebhookChange(url="https://example.net/in?key=2", enabled=False))
    inn.clock.advance(1)
    with pytest.raises(CallError):
        await hooks.change_webhook(made.webhook_id, WebhookChange(url="ftp://example.net/"))
    [refused, changed, created, *_] = await log(inn)
    assert (created.subject, created.detail) == (made.webhook_id, "url=https://example.org/in?...")
    assert (changed.subject, changed.detail) == (made.webhook_id, "url=https://example.net/in?... enabled=false")
    assert (refused.subject, refused.detail) == (made.webhook_id, "url=ftp://example.net/")


async def test_changed_limits_write_one_line_in_each_log(inn: TestInn) -> None:
    own, before = inn.inn.founded.org_id, await log(inn)
    await inn.client().house.orgs_v1.set_limits(own, ChangedLimits(memory_mb=512, server_hours=None))
    [line, *rest] = await log(inn)
    assert rest == before
    assert (line.verb, line.subject, line.detail) == (
        "house.orgs_v1.set_limits", own, "memory_mb=512 server_hours=none",
    )  # fmt: skip
    token = await inn.another_org()
    [org] = (await inn.client(token).organizations_v1.get_orgs()).orgs
    inn.clock.advance(1)
    await inn.client().house.orgs_v1.set_limits(org.org_id, ChangedLimits(cpus=16, memory_mb=16384))
    [here, *_] = await log(inn)
    [there, *_] = (await inn.client(token).house.audit_v1.get_entries()).entries
    assert (here.verb, here.subject, here.detail) == (
        "house.orgs_v1.set_limits", org.org_id, "memory_mb=16384 cpus=16",
    )  # fmt: skip
    assert (there.verb, there.subject, there.detail) == ("org.limits", org.org_id, "cpus=16 (before: none)")


async def test_no_secret_gets_in(inn: TestInn) -> None:
    """Each that can be given, and each that is handed out. Refused, too: the line is written before."""
    game, cloud = await inn.game(), inn.client()
    await inn.release(game.app_id, await inn.build(), env={"PASSWORD": "S3CRET-env"})
    registered = await cloud.builds_v3.create_build_registry(CreateBuildV3Params())
    config = RegistryConfig(
        image="S3CRET-user:S3CRET-login@reg.example/game", registry_url="https://u:S3CRET-url@reg.example",
        auth="u:S3CRET-auth",
    )  # fmt: skip
    with contextlib.suppress(CallError):
        async with await cloud.builds_v3.run_build_registry(registered.build_id, config) as told:
            await told.read()
    await cloud.house.apps_v1.adopt_app(AdoptedApp(app_name="old", app_id="app-old", app_secret="S3CRET-app"))
    hook = await cloud.house.webhooks_v1.create_webhook(NewWebhook(url="https://example.org/?k=S3CRET-query"))
    rotated = await cloud.house.webhooks_v1.rotate_secret(hook.webhook_id)
    change = WebhookChange(url="https://u:S3CRET-pw@example.org/")
    with pytest.raises(CallError):
        await cloud.house.webhooks_v1.change_webhook(hook.webhook_id, change)
    made = await cloud.tokens_v1.create_org_token(CreateOrgToken(name="ci"), inn.inn.founded.org_id)
    app = await cloud.apps_v2.get_app(game.app_id)
    host = NewHost(name="x", engine="ssh://S3CRET-me:pw@host/", tls_key="PRIVATE KEY\n")
    with pytest.raises(CallError, match="S3CRET-me"):
        await cloud.house.hosts_v1.add_host(host)
    kept = await inn.inn.db.read(_kept)
    assert "app_secret=(kept back)" in kept
    assert "env=PASSWORD" in kept
    for secret in ("S3CRET", hook.secret, rotated.secret, made.plain_text_token, app.app_secret, inn.token):
        assert secret not in kept


def _kept() -> Steps[str]:
    rows = yield Statement("select * from audit")
    return repr([tuple(row) for row in rows])


async def test_tokens_write_one_line_and_no_secret(inn: TestInn) -> None:
    before = await log(inn)
    made = await inn.client().tokens_v1.create_org_token(CreateOrgToken(name="ci"), inn.inn.founded.org_id)
    [line, *rest] = await log(inn)
    assert rest == before
    assert line.verb == "token.create"
    assert made.plain_text_token not in repr(await log(inn))


async def test_others_have_a_log_of_their_own(inn: TestInn) -> None:
    rival = inn.client(await inn.another_org())
    await inn.client().apps_v2.create_app(CreateAppConfig(app_name="a", auth_configuration=AuthConfiguration()))
    mine = [line.verb for line in (await rival.house.audit_v1.get_entries()).entries]
    assert "apps_v2.create_app" not in mine


async def test_pages_and_filters(inn: TestInn) -> None:
    cloud = inn.client()
    for number in range(5):  # at one moment: the order holds all the same
        await cloud.apps_v2.create_app(CreateAppConfig(app_name=f"a{number}", auth_configuration=AuthConfiguration()))
    told = [line async for page in cloud.house.audit_v1.get_entries.pages(limit=2) for line in page.entries]
    assert len(told) == len({line.entry_id for line in told}) == len(await log(inn))
    assert len(await log(inn, verb="apps_v2.create_app")) == 5
    assert await log(inn, who="nobody@example.com") == []
    with pytest.raises(CallError, match="nextPageToken"):
        await cloud.house.audit_v1.get_entries(next_page_token="x")


async def test_a_change_that_is_broken_off_leaves_a_line_without_an_outcome(inn: TestInn) -> None:
    caller = await inn.inn.wings.callers.recognise(inn.token)
    await inn.inn.wings.audit.begin(caller, "apps_v2.delete_app", "app-x", "192.0.2.1")
    await inn.restart()
    [line, *_] = await log(inn)
    assert (line.subject, line.outcome, line.client) == ("app-x", None, "192.0.2.1")


#: What changes something and has no line of the door's: it writes one itself, or is play and no administration.
WRITE_THEIR_OWN = {
    "CreateOrgToken", "RevokeOrgToken", "InviteUser", "UpdateUserInvite", "RescindInvite", "AcceptInvite",
    "RejectInvite", "CreateTokenFor",
}  # fmt: skip
PLAY = {
    "CreateRoom", "DestroyRoom", "SuspendRoomV2Deprecated", "ResumeRoom", "UpdateRoomConfig", "CreateRoomDeprecated",
    "DestroyRoomDeprecated", "SuspendRoomDeprecated", "SetLobbyState",
}  # fmt: skip


def test_every_change_is_recorded_but_those_named_here() -> None:
    operations = [*HATHORA.operations(), *HOUSE.operations()]
    silent = {o.id for o in operations if o.key == "org" and o.method != "GET" and not o.recorded}
    assert silent - WRITE_THEIR_OWN <= PLAY | {"SetLimits", "SetPaid"}
    assert not [o.id for o in operations if o.recorded and o.method == "GET"]
