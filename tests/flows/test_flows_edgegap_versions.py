"""Applications and versions through Edgegap's API, and what becomes of them in the house, on both stores."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from factories import TestInn
from innkeeper.contract.edgegap.applications import (
    ApplicationPatch,
    ApplicationPost,
    AppVersion,
    AppVersionPayload,
    AppVersionUpdatePayload,
)
from innkeeper.contract.hathora.apps_v2 import AuthConfiguration, CreateAppConfig
from innkeeper.db.database import Statement, Steps
from innkeeper.engines.fake import FakeEngine
from innkeeper.engines.fake_images import FakeImages
from innkeeper.engines.ports import PortTable
from innkeeper.hosting.hosts import Host
from innkeeper.hosting.model import BuildState
from innkeeper.hosting.plans import Serving
from innkeeper.hosting.queries.labels import serving
from innkeeper.kit.errors import Invalid, NotFound
from innkeeper.sdk import StatusError

GAME = "ghcr.io/studio/game:1"
LEAST: dict[str, Any] = {
    "name": "v1", "docker_repository": "ghcr.io", "docker_image": "studio/game", "docker_tag": "1", "req_cpu": 512,
    "req_memory": 1024,
}  # fmt: skip
PORTS = [{"port": 7777, "protocol": "UDP", "name": "gameport"}]


class Studio:
    """The inn with a host that has a container engine, and an application called chess."""

    def __init__(self, inn: TestInn) -> None:
        self.inn = inn
        self.engine = FakeEngine(inn.clock)
        self.images = FakeImages(self.engine)
        self.images.registry[GAME] = "amd64"
        table = PortTable(31_000, 31_099, 0, self.engine.port_is_free)
        inn.further_hosts.append(Host("boxes", self.engine, table, "198.51.100.8", images=self.images))

    @property
    def api(self) -> Any:
        return self.inn.edgegap().applications

    async def create(self, app: str = "chess", **more: Any) -> AppVersion:
        params = msgspec.convert({**LEAST, **more}, AppVersionPayload)
        return (await self.api.create_app_version(params, app)).version

    async def change(self, name: str = "v1", /, **params: Any) -> AppVersion:
        changes = msgspec.convert(params, AppVersionUpdatePayload)
        return (await self.api.update_app_version(changes, "chess", name)).version

    async def fetched(self) -> None:
        """Wait for what is being fetched."""
        for _ in range(5000):
            if not await self.inn.inn.db.read(self._running) and not self.inn.inn.images.busy:
                return
            await asyncio.sleep(0.002)
        raise AssertionError("an image is being fetched for ever")

    def _running(self) -> Steps[int]:
        rows = yield Statement("select count(*) from builds where state = 'running' and deleted_at is null")
        return rows[0][0]

    async def serving(self, label: str | None = None) -> Serving:
        return await self.inn.inn.db.read(serving, self.inn.inn.founded.org_id, "chess", label)

    async def builds(self) -> list[tuple[str, str, bool]]:
        def rows() -> Steps[list[tuple[str, str, bool]]]:
            found = yield Statement("select source, state, deleted_at from builds order by number")
            return [(source, state, deleted is not None) for source, state, deleted in found]

        return await self.inn.inn.db.read(rows)


async def opened(inn: TestInn) -> Studio:
    found = Studio(inn)
    await inn.restart()
    await inn.edgegap().applications.create_application(ApplicationPost(name="chess", is_active=True, image="aGk="))
    return found


@pytest.fixture
async def studio(inn: TestInn) -> Studio:
    return await opened(inn)


@pytest.fixture
async def small_studio(small_inn: TestInn) -> Studio:
    """The same on SQLite alone: for what the other tests ask of both stores already."""
    return await opened(small_inn)


async def status_of(call: Any) -> tuple[int, str]:
    with pytest.raises(StatusError) as caught:
        await call
    return caught.value.status, str(caught.value)


async def test_an_application_from_its_beginning_to_its_end(studio: Studio) -> None:
    inn, api = studio.inn, studio.api
    made = await api.get_application("chess")
    assert (made.name, made.is_active, made.image, made.is_telemetry_agent_active) == ("chess", True, "aGk=", False)
    assert made.create_time == made.last_updated
    assert (await status_of(api.create_application(ApplicationPost(name="chess", is_active=True, image=""))))[0] == 409
    inn.clock.advance(1.5)
    changed = await api.update_application(ApplicationPatch(is_active=False, image=None), "chess")
    assert (changed.is_active, changed.image) == (False, "aGk=")
    assert changed.last_updated > changed.create_time
    await api.create_application(ApplicationPost(name="go", is_active=True, image="", is_telemetry_agent_active=True))
    assert (await status_of(api.update_application(ApplicationPatch(name="go"), "chess")))[0] == 409
    assert (await api.update_application(ApplicationPatch(name="draughts"), "chess")).name == "draughts"
    listed = await api.list_applications()
    assert ([app.name for app in listed.applications], listed.total_count) == (["go", "draughts"], 2)
    second = await api.list_applications(page=2, limit=1)
    assert ([app.name for app in second.applications], second.pagination.has_next) == (["draughts"], False)
    assert "go is deleted" in (await api.delete_application("go")).message
    for call in (api.get_application("go"), api.delete_application("go"), api.list_app_versions("go")):
        assert (await status_of(call))[0] == 404
    # Hathora's API knows the same apps by ids of their own.
    assert [app.app_name for app in (await inn.client().apps_v2.get_apps()).applications] == ["draughts"]


async def test_applications_of_others_do_not_exist(studio: Studio) -> None:
    rivals = studio.inn.edgegap(await studio.inn.another_org()).applications
    await studio.create()
    for call in (
        rivals.get_application("chess"), rivals.delete_application("chess"), rivals.list_app_versions("chess"),
        rivals.get_app_version("chess", "v1"), rivals.delete_app_version("chess", "v1"),
        rivals.update_application(ApplicationPatch(is_active=False), "chess"),
        rivals.create_app_version(msgspec.convert(LEAST, AppVersionPayload), "chess"),
        rivals.update_app_version(AppVersionUpdatePayload(req_cpu=200), "chess", "v1"),
    ):  # fmt: skip
        assert (await status_of(call))[0] == 404
    assert (await rivals.list_applications()).total_count == 0


async def test_a_version_is_told_as_it_was_said_without_its_secrets(studio: Studio) -> None:
    studio.images.logins[GAME] = ("ann", "alohomora")
    said = {
        **LEAST, "ports": PORTS, "private_username": "ann", "private_token": "alohomora", "max_duration": 60,
        "session_config": {"kind": "Seat", "sockets": 5}, "probe": {"optimal_ping": 20, "rejected_ping": 80},
        "envs": [{"key": "A", "value": "1"}, {"key": "B", "value": "hush", "is_secret": True}], "command": "/game",
        "build_type": "Development", "termination_grace_period_seconds": 7,
    }  # fmt: skip
    studio.images.hold = asyncio.Event()
    made = await studio.create(**said)
    found = await studio.api.get_app_version("chess", "v1")
    assert found == made
    told = msgspec.to_builtins(found)
    for name in ("name", "docker_image", "docker_tag", "req_cpu", "req_memory", "max_duration", "probe", "command",
                 "build_type", "private_username", "termination_grace_period_seconds"):  # fmt: skip
        assert told[name] == said[name], name
    assert told["private_token"] is None
    assert told["session_config"] == {
        "kind": "Seat", "sockets": 5, "autodeploy": False, "empty_ttl": None, "session_max_duration": 60,
    }  # fmt: skip
    assert told["ports"] == [
        {"port": 7777, "protocol": "UDP", "name": "gameport", "to_check": True, "tls_upgrade": False}
    ]
    assert [(env["key"], env["value"], env["is_hidden"]) for env in told["envs"]] == [
        ("A", "1", False),
        ("B", "", True),
    ]
    assert (told["is_active"], told["restart_policy"], told["caching_percent"]) == (True, "always", 0.0)
    studio.images.hold.set()
    await studio.fetched()
    assert (await studio.api.get_app_version("chess", "v1")).caching_percent == 1.0
    # Through Hathora's API it is a deployment, and tells no more.
    [app] = (await studio.inn.client().apps_v2.get_apps()).applications
    deployment = await studio.inn.client().deployments_v3.get_latest_deployment(app.app_id)
    assert {env.name: env.value for env in deployment.env} == {"A": "1", "B": ""}
    assert (await studio.serving()).plan.grace_seconds == 7


async def test_a_version_is_there_before_its_image(studio: Studio) -> None:
    studio.images.hold = asyncio.Event()
    await studio.create()
    waiting = await studio.serving()
    assert (waiting.build_state, waiting.name) == (BuildState.RUNNING, "v1")
    # A crash of the house does not lose it.
    await studio.inn.restart()
    studio.images.hold.set()
    await studio.fetched()
    assert (await studio.serving()).build_state is BuildState.SUCCEEDED
    assert await studio.builds() == [(GAME, "succeeded", False)]


async def test_an_image_that_cannot_be_had_is_tried_anew_by_a_change(small_studio: Studio) -> None:
    studio = small_studio
    del studio.images.registry[GAME]
    await studio.create()
    await studio.fetched()
    failed = await studio.serving()
    assert (failed.build_state, failed.build_detail) == (BuildState.FAILED, f"there is no image {GAME}")
    studio.images.registry[GAME] = "amd64"
    await studio.change(is_active=True)
    await studio.fetched()
    mended = await studio.serving()
    assert (mended.build_state, mended.label and mended.label.number) == (BuildState.SUCCEEDED, 1)
    assert await studio.builds() == [(GAME, "failed", True), (GAME, "succeeded", False)]


async def test_changes_make_releases_only_where_they_have_to(studio: Studio) -> None:
    await studio.create(ports=PORTS)
    await studio.fetched()
    first = await studio.serving()
    studio.inn.clock.advance(1)
    renamed = await studio.change(name="stable", max_duration=90, verify_image=False)
    assert (renamed.name, renamed.max_duration) == ("stable", 90)
    assert renamed.last_updated != renamed.create_time
    assert (await status_of(studio.api.get_app_version("chess", "v1")))[0] == 404
    second = await studio.serving("stable")
    assert (second.release.id, second.plan.life_minutes) == (first.release.id, 90)
    await studio.change("stable", req_cpu=2048)
    third = await studio.serving("stable")
    assert (third.release.number, third.release.cpu, third.release.build_id) == (2, 2.0, first.release.build_id)
    assert third.label is not None
    assert first.label is not None
    assert (third.label.id, third.label.number) == (first.label.id, 1)
    # Another image is fetched, and what nobody needs any more goes.
    studio.images.registry["ghcr.io/studio/game:2"] = "amd64"
    await studio.change("stable", docker_tag="2")
    await studio.fetched()
    assert await studio.builds() == [(GAME, "succeeded", True), ("ghcr.io/studio/game:2", "succeeded", False)]
    assert (await studio.serving()).release.number == 3


async def test_names_are_had_once(studio: Studio) -> None:
    await studio.create()
    await studio.create(name="v2")
    assert (await status_of(studio.create()))[0] == 409
    assert (await status_of(studio.change("v2", name="v1")))[0] == 409
    listed = await studio.api.list_app_versions("chess")
    assert ([one.name for one in listed.versions], listed.total_count) == (["v2", "v1"], 2)
    gone = await studio.api.delete_app_version("chess", "v2")
    assert gone.success
    assert (await status_of(studio.api.delete_app_version("chess", "v2")))[0] == 404
    assert (await studio.serving()).name == "v1"
    await studio.create(name="v2")
    assert (await studio.serving()).name == "v2"


async def test_two_changes_at_once_are_both_made(studio: Studio) -> None:
    await studio.create()
    await studio.fetched()
    await asyncio.gather(studio.change(req_cpu=2048), studio.change(req_memory=2048), studio.change(max_duration=9))
    found = await studio.api.get_app_version("chess", "v1")
    assert (found.req_cpu, found.req_memory, found.max_duration) == (2048, 2048, 9)
    await asyncio.gather(*(studio.create(name=f"n{at}") for at in range(5)))
    assert (await studio.api.list_app_versions("chess")).total_count == 6


async def test_a_version_runs_what_was_uploaded(studio: Studio) -> None:
    build = await studio.inn.build(build_tag="nightly")
    made = await studio.create(docker_repository="BUILD", docker_image=build, docker_tag="")
    assert (made.docker_repository, made.docker_image, made.caching_percent) == ("BUILD", build, 1.0)
    assert (await studio.serving()).release.build_id == build
    newer = await studio.inn.build(build_tag="nightly")
    await studio.create(name="v2", docker_repository="build", docker_image="", docker_tag="nightly")
    assert (await studio.serving()).release.build_id == newer
    await studio.inn.build(build_tag="nightly")
    await studio.change("v2", req_cpu=2048)
    assert (await studio.serving()).release.build_id == newer
    # A build that somebody uploaded is not the version's to delete.
    await studio.api.delete_app_version("chess", "v2")
    assert [deleted for _, _, deleted in await studio.builds()] == [False, False, False]
    status, text = await status_of(studio.create(name="v3", docker_repository="build", docker_image="bld-0"))
    assert (status, "no build of the organisation has bld-0 or 1" in text) == (400, True)


async def test_a_build_that_has_not_succeeded_is_refused(small_studio: Studio) -> None:
    studio = small_studio
    from innkeeper.contract.hathora.builds_v3 import CreateMultipartBuildParams

    client = studio.inn.client()
    created = await client.builds_v3.create_build(CreateMultipartBuildParams(build_size_in_bytes=10))
    status, text = await status_of(studio.create(docker_repository="build", docker_image=created.build_id))
    assert (status, "is created; upload and run another one" in text) == (400, True)
    assert (await studio.api.list_app_versions("chess")).total_count == 0


async def test_what_is_put_out_of_use_starts_no_servers(small_studio: Studio) -> None:
    studio = small_studio
    await studio.create(is_active=False)
    with pytest.raises(Invalid, match="v1 of app chess is not active"):
        await studio.serving()
    await studio.change(is_active=True)
    await studio.api.update_application(ApplicationPatch(is_active=False), "chess")
    with pytest.raises(Invalid, match="app chess is not active"):
        await studio.serving("v1")
    with pytest.raises(NotFound):
        await studio.serving("v2")


async def test_releases_of_hathoras_api_are_versions_called_by_their_numbers(studio: Studio) -> None:
    inn = studio.inn
    config = CreateAppConfig(app_name="go", auth_configuration=AuthConfiguration())
    app = await inn.client().apps_v2.create_app(config)
    deployment = await inn.release(app.app_id, await inn.build(), env={"MAP": "ctf"})
    found = await studio.api.get_app_version("go", "release-1")
    assert (found.docker_repository, found.docker_image, found.req_cpu) == ("build", deployment.build_id, 512)
    assert [(port.name, port.port, port.protocol) for port in found.ports] == [("default", 7777, "UDP")]
    assert [(env.key, env.value) for env in found.envs] == [("MAP", "ctf")]
    assert (await studio.api.list_app_versions("go")).total_count == 0
    org = inn.inn.founded.org_id
    assert (await inn.inn.db.read(serving, org, "go", None)).release.id == deployment.deployment_id
    assert (await inn.inn.db.read(serving, org, "go", "release-1")).label is None
    assert (await status_of(studio.api.delete_app_version("go", "release-1")))[0] == 400
    changes = AppVersionUpdatePayload(req_cpu=200)
    assert (await status_of(studio.api.update_app_version(changes, "go", "release-1")))[0] == 400
    assert (await status_of(studio.api.get_app_version("go", "release-2")))[0] == 404
    # One that a label has left behind is not run any more, with what the label alone says.
    await studio.create("go")
    await studio.fetched()
    with pytest.raises(NotFound):
        await inn.inn.db.read(serving, org, "go", "release-2")


async def test_rooms_go_where_what_is_run_is_there(studio: Studio) -> None:
    inn = studio.inn
    game = await inn.game(seats=2)
    api = studio.api
    studio.images.hold = asyncio.Event()
    await studio.create("game-1", ports=[])
    room = await game.room()
    await inn.settle()
    assert (await game.connection(room)).status == "active"
    studio.images.hold.set()
    await studio.fetched()
    # Without ports: ready as soon as it runs, with nothing to dial.
    other = await game.room()
    await inn.settle()
    assert other.process_id != room.process_id
    connection = await game.connection(other)
    assert (connection.status, connection.exposed_port) == ("active", msgspec.UNSET)
    process = await game.process(other.process_id)
    assert (process.status, process.exposed_port) == ("running", None)
    deployment = await game.cloud.deployments_v3.get_latest_deployment(game.app_id)
    assert (deployment.default_container_port.name, deployment.default_container_port.port) == ("default", 1)
    # A version that is deleted serves nobody any more; what runs of it runs on.
    await api.delete_app_version("game-1", "v1")
    third = await game.room()
    assert third.process_id == room.process_id
    assert (await game.process(other.process_id)).status == "running"


async def test_deleting_an_application_ends_all_that_it_has(studio: Studio) -> None:
    await studio.create()
    await studio.fetched()
    org = studio.inn.inn.founded.org_id
    app = await studio.inn.inn.wings.apps.named(org, "chess")
    room = await studio.inn.client(app_id=app.id).rooms_v2.create_room(msgspec.convert({"region": "Tokyo"}, _room()))
    await studio.inn.settle()
    await studio.api.delete_application("chess")
    await studio.inn.advance(1)
    assert room.process_id not in studio.engine.reports()
    assert await studio.builds() == [(GAME, "succeeded", True)]
    await studio.api.create_application(ApplicationPost(name="chess", is_active=True, image=""))
    assert (await studio.api.list_app_versions("chess")).total_count == 0


def _room() -> Any:
    from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams

    return CreateRoomParams


async def test_an_image_is_looked_for_where_that_is_wished(small_studio: Studio) -> None:
    studio = small_studio
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.split(b"\r\n")[0])
        found = b"/game/manifests/1 " in head
        login = b"Authorization: Basic YW5uOmFsb2hvbW9yYQ==" in head
        state = b"404 Not Found" if not found else b"200 OK" if login else b"401 Unauthorized"
        more = b'WWW-Authenticate: Basic realm="x"\r\n' if found and not login else b""
        writer.write(b"HTTP/1.1 " + state + b"\r\n" + more + b"Content-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    wish = {"docker_repository": host, "verify_image": True}
    studio.images.registry[f"{host}/studio/game:1"] = "amd64"
    async with server:
        status, text = await status_of(studio.create(**wish, docker_tag="7"))
        assert (status, f"has no image {host}/studio/game:7" in text) == (424, True)
        status, text = await status_of(studio.create(**wish))
        assert (status, f"wants a login for {host}/studio/game:1" in text) == (424, True)
        status, text = await status_of(studio.create(**wish, private_username="ann", private_token="x"))
        assert (status, "unable to log in" in text) == (424, True)
        assert (await studio.api.list_app_versions("chess")).total_count == 0
        await studio.create(**wish, private_username="ann", private_token="alohomora")
        before = len(asked)
        await studio.change(req_cpu=2048)  # not looked for again: nothing of the image is changed
        assert len(asked) == before
        assert (await status_of(studio.change(docker_tag="7")))[0] == 424
    assert (await studio.api.get_app_version("chess", "v1")).docker_tag == "1"
