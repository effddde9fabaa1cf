"""Our own SDK walks a whole life, sync and async: one text, driven twice. Every operation, deprecated too, and two real
game servers.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from innkeeper.contract.hathora import HATHORA
from innkeeper.sdk import AsyncHathoraCloud, HathoraCloud, NotFound
from inns import RunningInn, until
from postoffice import PostOffice, post_office

from . import life_house, life_old, life_today
from .drivers import Drive, mailing_inn
from .games import REAL_GAMES
from .people import OWNER, Google, stand_in_for_google

pytestmark = REAL_GAMES
DEAR = 1000  #: what a processor costs for an hour, so that a few seconds cost something


@pytest.fixture(scope="module")
def google() -> Iterator[Google]:
    with stand_in_for_google() as google:
        yield google


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with post_office() as office:
        yield office


@pytest.fixture
def inn(google: Google, office: PostOffice) -> Iterator[RunningInn]:
    with mailing_inn(office.url, google_keys_url=google.url, measure_seconds=0.5, cpu_hour_price=DEAR) as inn:
        yield inn
        assert "Traceback" not in inn.log, inn.log


@pytest.fixture(params=[HathoraCloud, AsyncHathoraCloud])
def drive(request: pytest.FixtureRequest, inn: RunningInn) -> Drive:
    return Drive(request.param, inn)


async def test_a_whole_life(drive: Drive, inn: RunningInn, google: Google, office: PostOffice) -> None:
    client = drive.client()
    await life_today.organisation(drive, client, inn)
    app_id = await life_today.an_app(drive, client)
    builds = await life_today.some_builds(drive, client)
    await life_today.some_deployments(drive, client, app_id, builds)
    await life_today.distances(drive, client)
    server_ids = await life_today.some_rooms(drive, client, app_id)
    await life_today.some_processes(drive, client, app_id, server_ids[1])
    await life_today.logs(drive, client, app_id, server_ids[0])
    await life_today.players(drive, client, app_id, google)
    await drive(client.apps_v2.delete_app, app_id)
    with pytest.raises(NotFound, match="app"):
        await drive(client.apps_v2.get_app, app_id)

    old_app = await life_old.an_app(drive, client)
    numbers = await life_old.some_builds(drive, client, old_app)
    await life_old.some_deployments(drive, client, old_app, numbers, builds["teeworlds"])
    server_id = await life_old.some_rooms(drive, client, old_app)
    await life_old.some_processes(drive, client, old_app, server_id)
    await life_house.bills(drive, client)  # while a server runs: what there is to pay grows
    await life_old.some_lobbies(drive, client, old_app)
    await life_old.logs(drive, client, old_app)
    await life_old.the_end(drive, client, old_app)

    await life_house.fleets(drive, client)
    await life_house.mails(drive, client)
    until(lambda: office.mails, what="the mail")
    assert [recipients for recipients, _ in office.mails] == [[OWNER]]
    await drive.close(client)
    operations = [operation for operation in HATHORA.operations() if operation.public]
    assert len(operations) == 136
    assert drive.walked == {operation.id for operation in operations}
    assert drive.warned == {operation.id for operation in operations if operation.replaced_by}
