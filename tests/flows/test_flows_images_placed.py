"""Servers that are images: placed where images run, given the image where it lacks, told where to listen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from factories import Game, TestInn
from innkeeper.api.hathora.environment import environment
from innkeeper.contract.hathora.deployments_v3 import ContainerPort
from innkeeper.contract.hathora.words import RoomReadyStatus, RoomStatus, TransportType
from innkeeper.db.database import Statement, Steps
from innkeeper.engines.base import NotStarted
from innkeeper.engines.fake_images import FakeImages
from innkeeper.hosting.hosts import Host
from innkeeper.hosting.keeper import HostingKeeper
from innkeeper.hosting.launching import Launches
from innkeeper.hosting.model import Build
from innkeeper.inn import rules_of
from innkeeper.kit.ids import Chance
from manyhosts import another, engine_of, reason, where

IMAGE = "localhost/innkeeper-house:one"


def make_images(architecture: str) -> Steps[None]:
    yield Statement("update builds set image = $1, architecture = $2, command = null", (IMAGE, architecture))


@pytest.fixture
async def inn(house_url: str, tmp_path: Path) -> AsyncIterator[TestInn]:
    """An inn with the usual host, which runs programs, and one that runs images."""
    inn = TestInn(tmp_path / "data", house_url)
    yard = another(inn, "yard")
    yard.images = FakeImages(yard.engine)  # type: ignore[arg-type]
    inn.further_hosts = [yard]
    try:
        await inn.start()
        yield inn
    finally:
        await inn.stop()


async def image_game(inn: TestInn, architecture: str = "amd64", **release: object) -> Game:
    game = await inn.game(**release)
    await inn.inn.db.write(make_images, architecture)
    return game


class Bringing:
    """Brings images, or refuses to; and a keeper that has it do so."""

    def __init__(self, inn: TestInn, refuse: str = "") -> None:
        self.brought: list[tuple[str, str]] = []
        self.refuse = refuse
        old = inn.inn.keeper
        launches = Launches(inn.inn.wings.apps, inn.inn.wings.releases, Path("builds"), environment, 1000)
        inn.inn.keeper = HostingKeeper(
            inn.inn.db, inn.clock, Chance(), inn.inn.bell, old.hosts, launches, rules_of(inn.settings), self.bring
        )

    async def bring(self, host: Host, build: Build) -> None:
        self.brought.append((host.id, build.image or ""))
        if self.refuse:
            raise NotStarted(self.refuse)
        assert isinstance(host.engine.images, set)  # type: ignore[attr-defined]
        host.engine.images.add(build.image)  # type: ignore[attr-defined]


async def test_an_image_is_brought_and_its_server_listens_where_the_release_says(inn: TestInn) -> None:
    bringing = Bringing(inn)
    ports = [ContainerPort(name="voice", port=9999, transport_type=TransportType.TCP)]
    game = await image_game(inn, ports=ports)
    rooms = [await game.room() for _ in range(2)]
    await inn.settle()
    for room in rooms:
        assert await where(inn, room.process_id) == ("yard", "starting")
    await inn.inn.keeper.open()  # it listens from now on
    await inn.settle()
    for room in rooms:
        assert await where(inn, room.process_id) == ("yard", "running")
    assert set(bringing.brought) == {("yard", IMAGE)}
    launch = engine_of(inn, "yard").launches[rooms[0].process_id]
    assert launch.image == IMAGE
    assert {(port.name, port.inside) for port in launch.ports} == {("default", 7777), ("voice", 9999)}
    assert launch.env["PORT"] == "7777"
    assert launch.env["HATHORA_DEFAULT_PORT"] == str(launch.ports[0].number)
    connection = await game.connection(rooms[0])
    assert connection.exposed_port is not None
    assert connection.exposed_port.port == launch.ports[0].number
    await inn.inn.keeper.close()


async def test_on_the_hosts_own_network_it_binds_the_number_that_players_dial(inn: TestInn) -> None:
    inn.further_hosts[0].published = False
    engine_of(inn, "yard").images = {IMAGE}
    game = await image_game(inn)
    room = await game.room()
    await inn.settle()
    launch = engine_of(inn, "yard").launches[room.process_id]
    [port] = launch.ports
    assert (port.inside, launch.env["PORT"]) == (0, str(port.number))


async def test_an_image_that_cannot_be_brought_ends_the_room_with_the_reason(inn: TestInn) -> None:
    Bringing(inn, "the disk of host yard is full")
    game = await image_game(inn)
    room = await game.room()
    await inn.settle()
    assert (await game.info(room)).status == RoomStatus.DESTROYED
    assert await reason(inn, room.room_id) == "its server ended: could not be started: the disk of host yard is full"


async def test_an_image_waits_where_no_host_can_run_it(inn: TestInn) -> None:
    game = await image_game(inn, "arm64")
    room = await game.room()
    await inn.settle()
    await inn.advance(101)
    told = "its server ended: could not be placed: the build is for arm64, and the hosts at tokyo are amd64"
    assert await reason(inn, room.room_id) == told


async def test_a_program_does_not_go_where_images_run(inn: TestInn) -> None:
    game = await inn.game()
    rooms = [await game.room() for _ in range(4)]
    await inn.settle()
    for room in rooms:
        assert await where(inn, room.process_id) == ("fake", "running")
        assert (await game.connection(room)).status == RoomReadyStatus.ACTIVE
