"""Images through the API: an archive with a Dockerfile, or a registry, to a room on a container that runs it."""

from __future__ import annotations

import base64
import json
import logging

import pytest

from factories import TestInn
from flows.image_yard import CONTEXT
from innkeeper.contract.hathora.builds_v3 import (
    BuildV3,
    CreateBuildV3Params,
    CreateMultipartBuildParams,
    RegistryConfig,
)
from innkeeper.db.database import Statement, Steps
from innkeeper.engines.fake import FakeEngine
from innkeeper.engines.fake_images import FakeImages
from innkeeper.engines.ports import PortTable
from innkeeper.hosting.hosts import Host
from innkeeper.sdk import UNSET, StatusError

GAME_IMAGE = "ghcr.io/studio/game:1"
SECRET = "alohomora-1234"


class ImageInn:
    """The inn with one further host, which has a container engine."""

    def __init__(self, inn: TestInn) -> None:
        self.inn = inn
        self.engine = FakeEngine(inn.clock)
        self.images = FakeImages(self.engine)
        table = PortTable(31_000, 31_099, 0, self.engine.port_is_free)
        inn.further_hosts.append(Host("boxes", self.engine, table, "198.51.100.8", images=self.images))

    async def upload(self, data: bytes = CONTEXT) -> tuple[BuildV3, str]:
        """Build an archive; what became of it, and its log."""
        client = self.inn.client()
        path = self.inn.settings.folder.parent / "context.tgz"
        path.write_bytes(data)
        created = await client.upload_build(path)
        async with await client.builds_v3.run_build(created.build_id) as log:
            text = (await log.read()).decode()
        return await client.builds_v3.get_build(created.build_id), text

    async def pull(
        self, image: str = GAME_IMAGE, registry: str | None = None, auth: str | None = None
    ) -> tuple[BuildV3, str]:
        """Make a build of an image in a registry."""
        builds = self.inn.client().builds_v3
        created = await builds.create_build_registry(CreateBuildV3Params())
        source = RegistryConfig(
            image=image, registry_url=UNSET if registry is None else registry, auth=UNSET if auth is None else auth
        )
        async with await builds.run_build_registry(created.build_id, source) as log:
            text = (await log.read()).decode()
        return await builds.get_build(created.build_id), text


@pytest.fixture
async def boxes(inn: TestInn) -> ImageInn:
    found = ImageInn(inn)
    await inn.restart()
    return found


async def test_an_archive_with_a_dockerfile_becomes_a_room_on_a_container(boxes: ImageInn) -> None:
    inn = boxes.inn
    game = await inn.game()
    build, text = await boxes.upload()
    assert text.endswith("Build succeeded.\n")
    assert (build.status, build.image_size) == ("succeeded", 1000)
    await inn.release(game.app_id, build.build_id)
    room = await game.room()
    await inn.settle()
    assert (await game.connection(room)).status == "active"
    launch = boxes.engine.launches[room.process_id]
    assert launch.image in await boxes.images.names()
    assert launch.image.endswith(f":{launch.build.name}")


async def test_a_host_that_lost_the_image_is_given_it_before_the_room_opens(boxes: ImageInn) -> None:
    inn = boxes.inn
    game = await inn.game()
    build, _ = await boxes.upload()
    await inn.release(game.app_id, build.build_id)
    boxes.images.wipe()
    room = await game.room()
    await inn.settle()
    assert (await game.connection(room)).status == "active"
    assert boxes.images.loads == 1


@pytest.mark.parametrize(
    ("image", "registry", "auth"),
    [
        (GAME_IMAGE, None, f"hermione:{SECRET}"),
        ("studio/game:1", "https://ghcr.io", base64.b64encode(f"hermione:{SECRET}".encode()).decode()),
        ("game:1", "ghcr.io/studio/", json.dumps({"username": "hermione", "password": SECRET})),
    ],
)
async def test_an_image_is_pulled_and_no_password_is_told(
    boxes: ImageInn, image: str, registry: str | None, auth: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    boxes.images.registry, boxes.images.logins = {GAME_IMAGE: "amd64"}, {GAME_IMAGE: ("hermione", SECRET)}
    build, text = await boxes.pull(image, registry, auth)
    assert text.endswith("Build succeeded.\n")
    assert (build.status, build.image_size) == ("succeeded", 1000)
    refused, told = await boxes.pull("ghcr.io/studio/none:1", None, auth)
    assert refused.status == "failed"
    assert "\nError: " in told
    rows = repr(await boxes.inn.inn.db.read(_builds))
    for where in (text, told, caplog.text, rows):
        assert SECRET not in where
        assert base64.b64encode(f"hermione:{SECRET}".encode()).decode() not in where


@pytest.mark.parametrize(
    ("image", "auth", "said"),
    [
        ("No Image", None, "image: "),
        ("ghcr.io/studio/game:1", SECRET, "auth: it is no credential"),
    ],
)
async def test_what_cannot_be_meant_is_refused_before_anything_runs(
    boxes: ImageInn, image: str, auth: str | None, said: str
) -> None:
    with pytest.raises(StatusError, match=said) as refused:
        await boxes.pull(image, None, auth)
    assert refused.value.status == 422
    assert SECRET not in str(refused.value)
    assert boxes.images.begun == 0


async def test_without_a_container_engine_a_registry_build_says_what_is_missing(small_inn: TestInn) -> None:
    builds = small_inn.client().builds_v3
    created = await builds.create_build_registry(CreateBuildV3Params())
    async with await builds.run_build_registry(created.build_id, RegistryConfig(image="game")) as log:
        text = (await log.read()).decode()
    assert "Error: no host of this house has a container engine" in text
    upload = await builds.create_build(CreateMultipartBuildParams(build_size_in_bytes=5))
    with pytest.raises(StatusError, match="made from an uploaded archive"):
        await builds.run_build_registry(upload.build_id, RegistryConfig(image="game"))


def _builds() -> Steps[object]:
    return [tuple(row) for row in (yield Statement("select * from builds", ()))]
