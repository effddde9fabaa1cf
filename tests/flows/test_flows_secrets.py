"""A whole life with the most talkative log there is: no secret is in it."""

from __future__ import annotations

import logging

import pytest

from api.wire import ask
from factories import TestInn, archive
from innkeeper.contract.hathora.builds_v3 import CreateMultipartBuildParams
from innkeeper.contract.hathora.lobbies_v3 import CreateLobbyV3Params, LobbyVisibility
from innkeeper.contract.hathora.tokens_v1 import CreateOrgToken
from innkeeper.contract.hathora.words import Region
from innkeeper.engines.base import EndedBy
from innkeeper.sdk import StatusError


async def test_no_secret_is_ever_logged(inn: TestInn, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    game = await inn.game(env={"API_KEY": "sesame-open-1234"})
    app = await game.cloud.apps_v2.get_app()
    org_id = inn.inn.founded.org_id
    made = await game.cloud.tokens_v1.create_org_token(CreateOrgToken(name="ci"), org_id)
    player = await inn.client(None, app_id=game.app_id).auth_v1.login_anonymous()
    lobbies = inn.client(None, app_id=game.app_id, player_token=player.token).lobbies_v3
    await lobbies.create_lobby(CreateLobbyV3Params(visibility=LobbyVisibility.PUBLIC, region=Region.TOKYO))
    upload = await game.cloud.builds_v3.create_build(CreateMultipartBuildParams(build_size_in_bytes=len(archive())))
    link = upload.upload_parts[0].put_request_url
    rooms = [await game.room(room_config="config-secret") for _ in range(3)]
    await inn.settle()
    inn.engine.end(rooms[0].process_id, EndedBy.SIGNAL, 11)
    inn.behave(refuse="no")
    await game.room()
    await inn.settle()
    await inn.restart()
    # Refusals and failures are where secrets like to slip out.
    for token in (made.plain_text_token + "x", "hathora_org_st_wrong"):
        await ask(inn, "GET", "/apps/v2/apps", token=token)
    await ask(inn, "PUT", link.removeprefix("http://inn"), b"x")
    await ask(inn, "PUT", link.removeprefix("http://inn")[:-3], b"x")
    inn.trouble.away = True
    with pytest.raises(StatusError):
        await game.room()
    inn.trouble.away = False
    said = "\n".join(f"{record.name} {record.getMessage()} {record.exc_text or ''}" for record in caplog.records)
    assert "is ready" in said  # it was listened to
    secrets = {
        "admin token": inn.token,
        "new token": made.plain_text_token,
        "app secret": app.app_secret,
        "player token": player.token,
        "env value": "sesame-open-1234",
        "upload link": link.split("/")[5],
        "room config": "config-secret",
    }
    assert [name for name, secret in secrets.items() if secret in said] == []
    key = (inn.settings.folder / "secret.key").read_text().strip()
    assert key not in said
    database = inn.settings.folder.parent / "innkeeper.db"
    if database.exists():  # nor are they readable in the file
        stored = database.read_bytes() + database.with_name("innkeeper.db-wal").read_bytes()
        for name in ("admin token", "new token", "app secret", "env value"):
            assert secrets[name].encode() not in stored, name
