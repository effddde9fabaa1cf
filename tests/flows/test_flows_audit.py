"""The audit log: a line for every change by an organisation's token, before it is made, and what came of it."""

from __future__ import annotations

import pytest

from factories import TOKYO, TestInn
from innkeeper.contract.errors import CallError
from innkeeper.contract.hathora import HATHORA
from innkeeper.contract.hathora.apps_v2 import AuthConfiguration, CreateAppConfig
from innkeeper.contract.hathora.tokens_v1 import CreateOrgToken
from innkeeper.contract.house import HOUSE
from innkeeper.contract.house.audit_v1 import AuditEntry


async def log(inn: TestInn, **filters: str) -> list[AuditEntry]:
    page = await inn.client().house.audit_v1.get_entries(**filters)
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
    assert (started.verb, started.subject) == ("processes_v3.create_process", server.process_id)


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
    "RejectInvite",
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
