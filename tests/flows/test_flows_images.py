"""Builds that are images: from a Dockerfile or a registry to every host that needs them, and away again."""

from __future__ import annotations

import asyncio
import io
import logging
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from flows.image_yard import DOCKERFILE, GAME, HOUSE, PROCFILE, ImageYard
from innkeeper.db.database import Database
from innkeeper.engines.base import HostUnavailable, ImageMissing, NotStarted
from innkeeper.engines.images import RegistryLogin
from innkeeper.hosting.builds import RUN_LIFE
from innkeeper.hosting.model import Build, BuildState
from innkeeper.hosting.registries import RegistrySource
from innkeeper.kit.clock import SECOND
from unit.hosting.small_disk import small_disk
from unit.hosting.tars import file, tgz

GAME_IMAGE = "ghcr.io/studio/game:1"
SECRET = "alohomora-1234"
SOURCE = RegistrySource(GAME_IMAGE, RegistryLogin("hermione", SECRET))


@pytest.fixture
async def yard(db: Database, tmp_path: Path) -> AsyncIterator[ImageYard]:
    """Two hosts with container engines."""
    (tmp_path / "yard").mkdir()
    opened = ImageYard(db, tmp_path / "yard", hosts=2)
    yield opened
    await opened.close()


# -- from a Dockerfile -------------------------------------------------------------------------------------------------


async def test_an_archive_with_a_dockerfile_becomes_an_image_on_every_host(yard: ImageYard) -> None:
    yard.on().lines = ["Step 1/3 : FROM scratch", "Error is not a word of ours"]
    build, log = await yard.begin()
    text = await yard.rest(log)
    assert text.startswith(f"Build {build.id}\n")
    assert "Building the Dockerfile on host h1\nStep 1/3 : FROM scratch\nError is not a word of ours\n" in text
    assert text.endswith("Keeping the image: 0.0 MB, amd64\nBuild succeeded.\n")
    build = await yard.find(build)
    name = f"localhost/innkeeper-{HOUSE}:{build.key}"
    assert (build.state, build.image, build.architecture) == (BuildState.SUCCEEDED, name, "amd64")
    assert (build.bytes, build.command, build.kind) == (1000, None, "archive")
    assert build.content_hash is not None
    await yard.at_rest()
    assert [await yard.on(host).names() for host in ("h1", "h2")] == [[name], [name]]
    assert yard.files() == ["image.tar"]  # neither the upload nor what was unpacked
    with tarfile.open(fileobj=io.BytesIO(yard.on().contexts[name])) as context:
        assert [(entry.name, entry.mode) for entry in context] == [("Dockerfile", 0o644), ("game", 0o755)]


async def test_the_same_files_have_the_same_hash_as_a_program_of_them(yard: ImageYard) -> None:
    both = tgz(DOCKERFILE, PROCFILE, GAME).read()
    image = await yard.made(both)
    for host in yard.hosts:
        host.images = None
    program = await yard.made(both)
    assert image.content_hash == program.content_hash
    assert (program.image, program.command) == (None, "./game --port $PORT")


async def test_a_build_gets_no_more_than_its_host_has_to_give(yard: ImageYard) -> None:
    yard.host().cpu, yard.host().memory_mb = 1.5, 2048.0
    await yard.made()
    assert yard.on().limits == (1.5, 2048)


async def test_builds_at_the_same_time_go_to_different_hosts(yard: ImageYard) -> None:
    hold = yard.on("h1").hold = yard.on("h2").hold = asyncio.Event()
    logs = [(await yard.begin())[1] for _ in range(2)]
    await yard.until(lambda: yard.on("h1").begun == yard.on("h2").begun == 1)
    hold.set()
    texts = [await yard.rest(log) for log in logs]
    assert [f"on host h{number}\n" in text for number, text in enumerate(texts, 1)] == [True, True]
    _, log = await yard.begin()  # and none is counted for ever
    assert "on host h1\n" in await yard.rest(log)


async def test_an_image_that_says_no_program_is_warned_of(yard: ImageYard) -> None:
    yard.on().startable = False
    _, log = await yard.begin()
    text = await yard.rest(log)
    assert "Warning: the image does not say which program to run (no CMD, no ENTRYPOINT)" in text
    assert text.endswith("Build succeeded.\n")


async def test_hostile_archives_do_not_reach_the_engine(yard: ImageYard) -> None:
    _, log = await yard.begin(tgz(DOCKERFILE, file("../../etc/cron.d/x", b"boo")).read())
    assert "Error: `../../etc/cron.d/x` leads out of the build" in await yard.rest(log)
    assert yard.on().begun == 0
    assert yard.files() == []


async def test_without_an_engine_that_answers_a_procfile_is_taken(yard: ImageYard) -> None:
    for host_id in ("h1", "h2"):
        yard.engine(host_id).cut_off = True
    build, log = await yard.begin(tgz(DOCKERFILE, PROCFILE, GAME).read())
    text = await yard.rest(log)
    assert "The Dockerfile is not used: no host with a container engine answers now (host h1 and host h2)" in text
    assert "Servers start by: ./game --port $PORT" in text
    assert (await yard.find(build)).image is None


async def test_without_an_engine_and_a_procfile_the_error_says_what_to_do(yard: ImageYard) -> None:
    for host in yard.hosts:
        host.images = None
    build, log = await yard.begin()
    text = await yard.rest(log)
    assert "Error: The build has a Dockerfile, but no host of this house has a container engine" in text
    for word in ("container_engine", "`innkeeper hosts add`", "`Procfile`", "server: ./my-server"):
        assert word in text
    assert (await yard.find(build)).state is BuildState.FAILED
    assert yard.files() == []


async def test_a_host_that_is_silent_for_a_moment_is_waited_for(yard: ImageYard) -> None:
    for host_id in ("h1", "h2"):
        yard.engine(host_id).cut_off = True
    _, log = await yard.begin()
    await yard.until(lambda: yard.clock.waiting)
    yard.clock.advance(5)
    yard.engine("h2").cut_off = False
    text = await yard.rest(log)
    assert (
        "No host with a container engine answers; waiting for host h1 and host h2\nBuilding the Dockerfile on host h2\n"
        in text
    )
    assert text.endswith("Build succeeded.\n")


async def test_a_host_that_stays_silent_is_not_waited_for_any_longer(yard: ImageYard) -> None:
    for host_id in ("h1", "h2"):
        yard.engine(host_id).cut_off = True
    began = yard.clock.now()
    _, log = await yard.begin()
    text = await yard.rest(log)
    assert "Error: The build has a Dockerfile, but no host with a container engine answers now (host h1 and" in text
    assert yard.clock.now() - began < 25 * SECOND


# -- what goes wrong ---------------------------------------------------------------------------------------------------


async def test_a_step_that_fails_is_told(yard: ImageYard) -> None:
    yard.on().refuse = "the Dockerfile cannot be built: Step 2/3: exit code 3"
    build, log = await yard.begin()
    assert (await yard.rest(log)).endswith("\nError: the Dockerfile cannot be built: Step 2/3: exit code 3\n")
    build = await yard.find(build)
    assert (build.state, build.image, build.bytes) == (BuildState.FAILED, None, 0)
    assert yard.files() == []


async def test_when_the_engine_is_lost_in_the_middle_another_one_builds(yard: ImageYard) -> None:
    yard.on().lose_answers = True
    build, log = await yard.begin()
    text = await yard.rest(log)
    assert "Host h1 stopped answering: the connection broke off\nBuilding the Dockerfile on host h2\n" in text
    assert (await yard.find(build)).state is BuildState.SUCCEEDED


async def test_when_the_only_engine_is_lost_in_the_middle_the_build_fails_with_the_reason(yard: ImageYard) -> None:
    yard.host("h2").images = None
    yard.on().lose_answers = True
    build, log = await yard.begin()
    text = await yard.rest(log)
    assert "Error: host h1 stopped answering in the middle (the connection broke off), and no other host" in text
    assert (await yard.find(build)).state is BuildState.FAILED


async def test_a_cable_that_is_pulled_in_the_middle_is_noticed(yard: ImageYard) -> None:
    """The connection stays open; only the engine's pings tell."""
    yard.on().hold = asyncio.Event()
    _, log = await yard.begin()
    await yard.until(lambda: yard.on().begun)
    yard.engine().cut_off = True
    text = await yard.rest(log)
    assert "Host h1 stopped answering: it has been silent for 10 s\nBuilding the Dockerfile on host h2\n" in text
    assert text.endswith("Build succeeded.\n")
    assert yard.on().cancelled == 1


async def test_a_build_that_runs_for_ever_is_called_off(yard: ImageYard) -> None:
    yard.on().hold = asyncio.Event()
    build, log = await yard.begin()
    await yard.until(lambda: yard.on().begun)
    yard.clock.advance(RUN_LIFE / SECOND)
    await yard.builds.sweep()
    text = await yard.rest(log)
    assert text.endswith("\nError: it took too long and was called off\n")
    assert (await yard.find(build)).state is BuildState.FAILED
    assert yard.on().cancelled == 1
    assert yard.files() == []


async def test_a_build_that_is_deleted_while_it_is_made_is_called_off(yard: ImageYard) -> None:
    yard.on().hold = asyncio.Event()
    build, log = await yard.begin()
    await yard.until(lambda: yard.on().begun)
    await yard.builds.delete("org", build.id)
    assert (await yard.rest(log)).endswith("\nError: it was called off\n")
    assert yard.on().cancelled == 1
    assert yard.files() == []


async def test_a_restart_in_the_middle_runs_it_again(yard: ImageYard) -> None:
    yard.on().hold = asyncio.Event()
    build, log = await yard.begin()
    await yard.until(lambda: yard.on().begun)
    closing = asyncio.create_task(yard.restart())
    assert "Building" in await yard.rest(log)
    await closing
    assert yard.on().cancelled == 1
    assert (await yard.find(build)).state is BuildState.RUNNING
    yard.on().hold.set()
    again = await yard.builds.run("org", build.id)
    text = await yard.rest(again)
    assert text.startswith("The house was restarted; this build is run again.\n")
    assert text.endswith("Build succeeded.\n")
    assert yard.files() == ["image.tar"]


@pytest.mark.parametrize("pulled", [False, True], ids=["built", "pulled"])
async def test_an_image_for_other_processors_is_refused(yard: ImageYard, pulled: bool) -> None:
    yard.on().architecture_built, yard.on().registry = "arm64", {GAME_IMAGE: "arm64"}
    build, log = await (yard.begin_pull(RegistrySource(GAME_IMAGE)) if pulled else yard.begin())
    assert "\nError: the image is made for arm64, and host h1 runs amd64: make it for amd64" in await yard.rest(log)
    assert (await yard.find(build)).state is BuildState.FAILED
    assert await yard.on().names() == []


async def test_an_image_that_is_too_large_is_refused(yard: ImageYard) -> None:
    yard.on().size = yard.most_bytes + 1
    _, log = await yard.begin()
    assert f"\nError: the image has {yard.most_bytes + 1} bytes; {yard.most_bytes} are taken\n" in await yard.rest(log)
    assert await yard.on().names() == []
    assert yard.files() == []


async def test_an_archive_of_an_image_that_is_too_large_is_refused(yard: ImageYard) -> None:
    yard.on().size, yard.images.most_bytes = 10, 15
    _, log = await yard.begin()
    assert "\nError: The image has more than 15 bytes; make it smaller.\n" in await yard.rest(log)
    assert await yard.on().names() == []
    assert yard.files() == []


async def test_a_disk_that_is_full_is_told_and_nothing_of_the_image_stays(yard: ImageYard) -> None:
    with small_disk(yard.folder / "builds", "64k"):
        yard.on().archive_ballast = 1 << 18
        build, log = await yard.begin()
        text = await yard.rest(log)
        assert "\nError: The disk is full: keeping the image was given up and cleaned away." in text
        assert (await yard.find(build)).state is BuildState.FAILED
        assert await yard.on().names() == []
        assert yard.files() == []


async def test_an_engine_that_says_too_much_is_cut_short(yard: ImageYard) -> None:
    yard.on().lines = ["x" * 1000] * 5000
    _, log = await yard.begin()
    text = await yard.rest(log)
    assert len(text) < 4_100_000
    assert "(the engine says more than is kept here)\nKeeping the image" in text
    assert text.endswith("Build succeeded.\n")


# -- from a registry ---------------------------------------------------------------------------------------------------


async def test_an_image_is_pulled_with_a_login_that_is_sealed_and_then_forgotten(
    yard: ImageYard, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    yard.on().registry, yard.on().logins = {GAME_IMAGE: "amd64"}, {GAME_IMAGE: ("hermione", SECRET)}
    yard.on().hold = asyncio.Event()
    yard.on().lines = ["Layer 1: here"]
    build, log = await yard.begin_pull(SOURCE)
    await yard.until(lambda: yard.on().begun)
    running = await yard.find(build)
    assert running.source == GAME_IMAGE
    assert running.login_sealed is not None
    yard.on().hold.set()
    text = await yard.rest(log)
    assert f"Pulling {GAME_IMAGE} to host h1\nLayer 1: here\nKeeping the image" in text
    build = await yard.find(build)
    assert (build.state, build.source, build.login_sealed) == (BuildState.SUCCEEDED, GAME_IMAGE, None)
    assert (build.kind, build.bytes, build.architecture, build.command) == ("image", 1000, "amd64", None)
    assert len(build.content_hash or "") == 64
    for where in (text, caplog.text, await yard.text(), repr(running), repr(SOURCE)):
        assert SECRET not in where


async def test_a_registry_that_refuses_is_told_and_the_login_forgotten(
    yard: ImageYard, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    yard.on().registry, yard.on().logins = {GAME_IMAGE: "amd64"}, {GAME_IMAGE: ("hermione", "another")}
    build, log = await yard.begin_pull(SOURCE)
    text = await yard.rest(log)
    assert f"\nError: the registry wants to know who asks for {GAME_IMAGE}\n" in text
    build = await yard.find(build)
    assert (build.state, build.login_sealed) == (BuildState.FAILED, None)
    assert SECRET not in text + caplog.text + await yard.text()


async def test_a_restart_in_the_middle_of_a_pull_knows_where_from_and_as_whom(yard: ImageYard) -> None:
    yard.on().registry, yard.on().logins = {GAME_IMAGE: "amd64"}, {GAME_IMAGE: ("hermione", SECRET)}
    yard.on().hold = asyncio.Event()
    build, _ = await yard.begin_pull(SOURCE)
    await yard.until(lambda: yard.on().begun)
    await yard.restart()
    yard.on().hold.set()
    assert (await yard.rest(await yard.builds.run("org", build.id, source=SOURCE))).endswith("Build succeeded.\n")
    assert (await yard.find(build)).login_sealed is None


@pytest.mark.parametrize("how", ["deleted", "overdue"])
async def test_a_login_is_forgotten_however_the_build_ends(yard: ImageYard, how: str) -> None:
    yard.on().hold = asyncio.Event()
    build, _ = await yard.begin_pull(SOURCE)
    await yard.until(lambda: yard.on().begun)
    await yard.builds.close()
    if how == "deleted":
        await yard.builds.delete("org", build.id)
    else:
        yard.clock.advance(RUN_LIFE / SECOND)
        await yard.builds.sweep()
    assert (await yard.find(build)).login_sealed is None


# -- on every host that needs it ---------------------------------------------------------------------------------------


async def test_a_host_that_was_added_or_made_anew_is_given_the_image_when_it_needs_it(yard: ImageYard) -> None:
    build = await yard.made()
    yard.add("h3")
    yard.on().wipe()
    for host_id in ("h1", "h3"):
        with pytest.raises(ImageMissing):
            await yard.engine(host_id).start(yard.launch(build))
        await yard.images.bring(yard.host(host_id), build)
        assert (await yard.engine(host_id).start(yard.launch(build))).alive


async def test_many_servers_wait_for_one_transfer(yard: ImageYard) -> None:
    build = await yard.made()
    images = yard.on()
    images.wipe()
    images.hold, before = asyncio.Event(), images.begun
    waiting = [asyncio.create_task(yard.images.bring(yard.host(), build)) for _ in range(20)]
    await yard.until(lambda: images.begun > before)
    waiting[0].cancel()  # its server was stopped meanwhile; the others wait on
    images.hold.set()
    done = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(done[0], asyncio.CancelledError)
    assert done[1:] == [None] * 19
    assert images.begun == before + 1
    await yard.images.bring(yard.host(), build)
    assert images.begun == before + 1


async def test_a_transfer_to_a_host_that_falls_silent_ends_and_is_begun_anew(yard: ImageYard) -> None:
    build = await yard.made()
    images = yard.on()
    images.wipe()
    images.hold, before = asyncio.Event(), images.begun
    bringing = asyncio.create_task(yard.images.bring(yard.host(), build))
    await yard.until(lambda: yard.clock.waiting and images.begun > before)
    yard.engine().cut_off = True
    for _ in range(12):
        yard.clock.advance(1)
        await asyncio.sleep(0.01)
    with pytest.raises(HostUnavailable, match="silent for 10 s"):
        await bringing
    yard.engine().cut_off, images.hold = False, None
    await yard.images.bring(yard.host(), build)
    assert await images.names() == [build.image]


async def test_an_archive_that_was_lost_is_got_back_from_another_host(yard: ImageYard) -> None:
    build = await yard.made()
    (yard.folder / "builds" / build.key / "image.tar").unlink()
    yard.add("h3")
    await yard.images.bring(yard.host("h3"), build)
    assert await yard.on("h3").names() == [build.image]
    assert yard.files() == ["image.tar"]


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ("lost", "is no longer kept; create the build again"),
        ("damaged", "host h1 does not take the image of build .*: the archive holds no image"),
        ("other processors", "is an image for amd64, and host h3 runs arm64"),
        ("programs", "is an image, and host programs runs programs"),
    ],
)
async def test_what_cannot_be_brought_is_said_and_not_tried_again(yard: ImageYard, trouble: str, said: str) -> None:
    build = await yard.made()
    for host_id in ("h1", "h2"):
        yard.on(host_id).wipe()
    archive = yard.folder / "builds" / build.key / "image.tar"
    if trouble == "lost":
        archive.unlink()
    elif trouble == "damaged":
        archive.write_bytes(b"nonsense")
    yard.add("h3", "arm64")
    host_id = {"other processors": "h3", "programs": "programs"}.get(trouble, "h1")
    with pytest.raises(NotStarted, match=said):
        await yard.images.bring(yard.host(host_id), build)


async def test_a_host_that_does_not_get_it_at_once_harms_nothing(yard: ImageYard) -> None:
    yard.on("h2").refuse = "its disk is full"
    build = await yard.made()
    assert build.state is BuildState.SUCCEEDED
    assert await yard.on("h2").names() == []
    yard.on("h2").refuse = None
    await yard.images.bring(yard.host("h2"), build)


async def test_the_context_is_the_same_for_the_same_files(yard: ImageYard) -> None:
    one, two = await yard.made(), await yard.made(tgz(GAME, DOCKERFILE).read())
    assert yard.on().contexts[one.image or ""] == yard.on().contexts[two.image or ""]


# -- and away again ----------------------------------------------------------------------------------------------------


async def names(yard: ImageYard, *builds: Build) -> list[list[bool]]:
    """Which hosts have which of these."""
    there = [await yard.on(host_id).names() for host_id in ("h1", "h2")]
    return [[build.image in found for found in there] for build in builds]


async def look(yard: ImageYard, hours: float = 0) -> None:
    """Time goes on, and the house looks through the hosts."""
    yard.clock.advance(hours * 3600 + 61)
    await yard.builds.sweep()


async def test_images_that_nothing_needs_are_collected_after_a_day_and_brought_back_when_needed(
    yard: ImageYard,
) -> None:
    build = await yard.made()
    await look(yard, 23)
    assert await names(yard, build) == [[True, True]]
    await look(yard, 2)
    assert await names(yard, build) == [[False, False]]
    assert yard.files() == ["image.tar"]  # a release may name it any time
    await yard.images.bring(yard.host(), build)
    await look(yard, 1)
    assert await names(yard, build) == [[True, False]]


async def test_what_new_rooms_run_on_stays_and_what_came_before_goes_after_a_day(yard: ImageYard) -> None:
    app_id = await yard.app()
    old = await yard.made()
    await yard.release(app_id, old)
    await look(yard, 48)
    assert await names(yard, old) == [[True, True]]
    new = await yard.made()
    await yard.release(app_id, new)
    await look(yard, 23)
    assert await names(yard, old, new) == [[True, True], [True, True]]
    await look(yard, 2)
    assert await names(yard, old, new) == [[False, False], [True, True]]
    await yard.apps.delete("org", app_id, "me")
    await look(yard, 25)
    assert await names(yard, new) == [[False, False]]


async def test_what_living_servers_run_stays_and_a_deleted_build_goes_with_the_last(yard: ImageYard) -> None:
    app_id = await yard.app()
    build = await yard.made()
    server_id = await yard.server(await yard.release(app_id, build))
    await yard.release(app_id, await yard.made())
    await yard.builds.delete("org", build.id)
    await look(yard, 48)
    assert await names(yard, build) == [[True, True]]
    await yard.end(server_id)
    await look(yard)
    assert await names(yard, build) == [[False, False]]
    assert yard.files() == ["image.tar"]  # of the other


async def test_a_deleted_build_goes_at_once_with_its_archive(yard: ImageYard) -> None:
    build = await yard.made()
    await yard.builds.delete("org", build.id)
    await look(yard)
    assert await names(yard, build) == [[False, False]]
    assert yard.files() == []


async def test_what_a_container_still_needs_stays_and_a_silent_host_is_left_alone(yard: ImageYard) -> None:
    build = await yard.made()
    await yard.engine().start(yard.launch(build))
    yard.engine("h2").cut_off = True
    await yard.builds.delete("org", build.id)
    await look(yard)
    yard.engine("h2").cut_off = False
    assert await names(yard, build) == [[True, True]]
    await look(yard)
    assert await names(yard, build) == [[True, False]]


async def test_images_of_builds_that_are_being_made_and_of_other_houses_are_left_alone(yard: ImageYard) -> None:
    await yard.made()
    other = f"localhost/innkeeper-{'f' * 12}:k"

    async def nothing() -> AsyncIterator[bytes]:
        yield b""

    await yard.on().build(nothing(), other, print, cpu=None, memory_mb=None)
    yard.on().hold = asyncio.Event()
    making, _ = await yard.begin()
    await yard.until(lambda: yard.on().begun == 3)
    await yard.on("h2").build(nothing(), yard.images.name(making.key), print, cpu=None, memory_mb=None)
    yard.clock.advance(61)
    await yard.images.collect()
    assert yard.images.name(making.key) in await yard.on("h2").names()
    await look(yard, 25)
    assert await yard.on().names() == [other]


async def test_a_restart_does_not_make_images_look_old(yard: ImageYard) -> None:
    build = await yard.made()
    await look(yard, 23)
    await yard.restart()
    await look(yard, 2)
    assert await names(yard, build) == [[True, True]]


async def test_hosts_are_looked_through_about_once_a_minute(yard: ImageYard) -> None:
    build = await yard.made()
    await yard.images.collect()
    await yard.builds.delete("org", build.id)
    yard.clock.advance(30)
    await yard.images.collect()
    assert await names(yard, build) == [[True, True]]
    yard.clock.advance(31)
    await yard.images.collect()
    assert await names(yard, build) == [[False, False]]
