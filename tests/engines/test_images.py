"""Images on real Docker, real Podman and a real registry: the promise of ``engines/images.py``."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from contexts import tarball
from daemons import IMAGE, IMAGE_SAYS, Daemon, DockerDaemon, PodmanService, python_image
from flows.image_yard import HOUSE, ImageYard
from innkeeper.db.database import Database
from innkeeper.engines.base import HostUnavailable
from innkeeper.engines.docker.client import Endpoint
from innkeeper.engines.docker.images import DockerImages
from innkeeper.engines.docker.outliving import kill_marked
from innkeeper.engines.images import ImageRefused, RegistryLogin
from registry import PASSWORD, USER, Registry
from unit.hosting.tars import file, tgz

from .conftest import until

_houses = itertools.count()
LOGIN = RegistryLogin(USER, PASSWORD)
SMALL = 'FROM scratch\nCOPY game /game\nCMD ["/game"]\n'


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with Registry() as registry:
        yield registry


@pytest.fixture
def docker(docker_daemon: DockerDaemon) -> Daemon:
    return docker_daemon


@pytest.fixture(scope="module")
def podman(registry: Registry) -> Iterator[Daemon]:
    daemon = PodmanService()
    daemon.trusted = registry.address
    with daemon:
        daemon.take_image(python_image(), IMAGE, *IMAGE_SAYS)
        yield daemon


@pytest.fixture(params=["docker", "podman"])
def daemon(request: pytest.FixtureRequest) -> Daemon:
    found: Daemon = request.getfixturevalue(request.param)
    return found


class Ground:
    """The images of a house that nobody else has, on one engine."""

    def __init__(self, daemon: Daemon, house: str = "") -> None:
        self.daemon = daemon
        self.house = house or f"h{os.getpid()}n{next(_houses)}"
        self.images = DockerImages(Endpoint(daemon.url), house=self.house)
        self.lines: list[str] = []

    def name(self, key: str = "k") -> str:
        return f"localhost/innkeeper-{self.house}:{key}"

    async def build(self, dockerfile: str, key: str = "k", *, memory_mb: int | None = None, **files: str) -> str:
        """Build and give back the id."""
        image = await self.images.build(
            context(dockerfile, **files), self.name(key), self.lines.append, cpu=1.5, memory_mb=memory_mb
        )
        return image.id

    async def pull(self, reference: str, login: RegistryLogin | None = LOGIN, key: str = "k") -> str:
        image = await self.images.pull(reference, self.name(key), self.lines.append, login)
        return image.id

    def tags(self) -> set[str]:
        """Every name on the engine."""
        return {tag for image in self.daemon.get("/images/json") for tag in image["RepoTags"] or ()}

    async def over(self) -> None:
        for name in await self.images.names():
            await self.images.remove(name)
        assert await self.images.names() == []
        await self.images.close()


async def context(dockerfile: str, **files: str) -> AsyncIterator[bytes]:
    yield tarball({"Dockerfile": dockerfile, **files}, gzipped=False)


@pytest.fixture
async def ground(daemon: Daemon) -> AsyncIterator[Ground]:
    ground = Ground(daemon)
    yield ground
    await ground.over()


async def test_a_dockerfile_is_built(ground: Ground) -> None:
    before = ground.tags()
    image_id = await ground.build(f"FROM {IMAGE}\nCOPY game /game\nRUN cat /game\n", game="the sheep\n")
    found = await ground.images.find(ground.name())
    assert found is not None
    assert (found.id, found.system, found.architecture) == (image_id, "linux", await ground.images.architecture())
    assert found.bytes > 1_000_000
    assert "the sheep" in ground.lines
    assert [line for line in ground.lines if line.upper().startswith("STEP 1/")]
    assert not [line for line in ground.lines if "\x1b" in line or line != line.strip()]
    labels = ground.daemon.get(f"/images/{ground.name()}/json")["Config"]["Labels"]
    assert (labels["innkeeper.house"], labels["innkeeper.build"]) == (ground.house, "k")
    assert ground.tags() - before == {ground.name()}
    again = await ground.build(f'FROM {IMAGE}\nCMD ["x"]\n')
    assert again != image_id
    assert found.startable, "its base says what to run"
    await ground.build("FROM scratch\nCOPY game /game\n", game="no program")
    silent = await ground.images.find(ground.name())
    assert silent is not None
    assert not silent.startable
    assert list(await ground.images.names()) == [ground.name()]


@pytest.mark.parametrize(
    ("dockerfile", "said"),
    [
        (f"FROM {IMAGE}\nRUN echo sheep; exit 3\n", "RUN echo sheep; exit 3.*3$"),
        (f"FROM {IMAGE}\nCOPY nothing /\n", "COPY nothing /.*no such file|file does not exist"),
        ("FROMM x\n", "cannot be built: .*FROM"),
        ("", "cannot be built: .*(empty|no contents)"),
        ("FROM 127.0.0.1:1/no:1\n", "FROM 127.0.0.1:1/no:1: .*connection refused"),
    ],
)
async def test_a_build_that_fails_names_its_step(ground: Ground, dockerfile: str, said: str) -> None:
    with pytest.raises(ImageRefused, match=said):
        await ground.build(dockerfile)
    assert await ground.images.find(ground.name()) is None
    assert ground.daemon.containers() == []


async def test_a_step_that_needs_more_memory_than_it_has_fails(ground: Ground) -> None:
    with pytest.raises(ImageRefused, match="137"):
        await ground.build(f"FROM {IMAGE}\nRUN python3 -c \"a='x'*500000000\"\n", memory_mb=64)


def running(word: str) -> list[str]:
    """Programs with this word among their arguments."""
    found: list[str] = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if word in words:
            found.append(" ".join(words))
    return found


async def test_a_build_that_is_called_off_ends_on_the_engine_too(ground: Ground) -> None:
    seconds = str(700_000 + os.getpid())
    building = asyncio.create_task(
        ground.build(f'FROM {IMAGE}\nRUN ["sleep", "{seconds}"]\nRUN ["sleep", "{seconds}"]\n')
    )
    await until(lambda: running(seconds), 30)
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building
    await until(lambda: not running(seconds), 10)
    assert await ground.images.find(ground.name()) is None


def test_nobody_is_ended_for_a_name_that_he_does_not_have() -> None:
    """This machine's own files have the name, and are not looked at: only what lives on others is."""
    assert "localhost" in Path("/etc/hosts").read_text()
    assert kill_marked("innkeeper-build-nobody") == 0


async def test_what_cannot_be_read_is_no_fault_of_the_engine(ground: Ground) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield tarball({"Dockerfile": SMALL}, gzipped=False)[:512]
        raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        await ground.images.build(broken(), ground.name(), print, cpu=None, memory_mb=None)
    with pytest.raises(OSError, match="Input/output error"):
        await ground.images.load(broken(), ground.name())


async def test_an_image_goes_from_each_engine_to_the_other(docker: Daemon, podman: Daemon) -> None:
    one = Ground(docker)
    other = Ground(podman, one.house)
    for giver, taker in ((one, other), (other, one)):
        image_id = await giver.build(SMALL, game=f"from {giver.daemon.kind}")
        taken = await taker.images.load(giver.images.save(giver.name()), giver.name())
        assert taken.id == image_id
        assert list(await taker.images.names()) == [giver.name()]
        await taker.images.load(giver.images.save(giver.name()), giver.name())  # once more: nothing happens
        await giver.images.remove(giver.name())
        assert await giver.images.find(giver.name()) is None
        await taker.images.remove(giver.name())
    await one.over()
    await other.over()


async def test_what_is_no_archive_is_refused_and_what_is_not_there_not_given(ground: Ground) -> None:
    async def nonsense() -> AsyncIterator[bytes]:
        yield b"nonsense" * 10_000

    with pytest.raises(ImageRefused, match="the archive is not one of an image: "):
        await ground.images.load(nonsense(), ground.name())
    await ground.build(SMALL, "other", game="x")
    data = [piece async for piece in ground.images.save(ground.name("other"))]

    async def other() -> AsyncIterator[bytes]:
        for piece in data:
            yield piece

    with pytest.raises(ImageRefused, match="holds another image"):
        await ground.images.load(other(), ground.name())
    with pytest.raises(KeyError):
        await anext(ground.images.save(ground.name("nothing")))
    await ground.images.remove(ground.name("nothing"))


async def test_an_image_is_pulled_and_its_reference_is_gone_again(ground: Ground, registry: Registry) -> None:
    digest = registry.put("studio/game", "1")
    before = ground.tags()
    by_tag = await ground.pull(registry.reference("studio/game:1"))
    assert ground.tags() - before == {ground.name()}
    assert [line for line in ground.lines if line.startswith("Layer ")]
    by_digest = await ground.pull(registry.reference(f"studio/game@{digest}"), key="digest")
    assert by_digest == by_tag
    assert ground.tags() - before == {ground.name(), ground.name("digest")}
    assert PASSWORD not in "\n".join(ground.lines)


async def test_a_reference_that_was_there_means_what_it_meant(ground: Ground, registry: Registry) -> None:
    """Somebody else has an older image of that name here, and goes on having it."""
    reference = registry.reference("studio/old:1")
    repository, _, tag = reference.rpartition(":")
    old = await ground.build(SMALL, "theirs", game="older")
    ground.daemon.ask("POST", f"/images/{ground.name('theirs')}/tag?repo={repository}&tag={tag}")
    registry.put("studio/old", "1")
    new = await ground.pull(reference)
    assert new != old
    assert ground.daemon.get(f"/images/{reference}/json")["Id"] == old
    ground.daemon.ask("DELETE", f"/images/{reference}")


async def test_two_pulls_of_one_reference_at_once_both_have_it(ground: Ground, registry: Registry) -> None:
    registry.put("studio/twice", "1")
    before = ground.tags()
    reference = registry.reference("studio/twice:1")
    one, two = await asyncio.gather(ground.pull(reference, key="one"), ground.pull(reference, key="two"))
    assert one == two
    assert ground.tags() - before == {ground.name("one"), ground.name("two")}


@pytest.mark.parametrize(
    ("what", "login", "said"),
    [
        ("studio/secret:1", None, "wants a credential"),
        ("studio/secret:1", RegistryLogin(USER, "wrong-word-123"), "refuses the credential"),
        ("studio/secret:2", LOGIN, "has no such image"),
        ("studio/arm:list", LOGIN, "is not made for amd64, which this host runs"),
    ],
    ids=["nobody", "somebody else", "missing", "other processors"],
)
async def test_a_pull_that_fails_says_why_and_no_password(
    ground: Ground, registry: Registry, what: str, login: RegistryLogin | None, said: str
) -> None:
    registry.put("studio/secret", "1")
    registry.put("studio/arm", "list", architecture="arm64", listed=True)
    before = ground.tags()
    with pytest.raises(ImageRefused, match=said) as refused:
        await ground.pull(registry.reference(what), login)
    assert ground.tags() == before
    chain = [refused.value, refused.value.__cause__, refused.value.__context__]
    for word in (PASSWORD, "wrong-word-123"):
        assert word not in f"{chain!r} {ground.lines}"


async def test_an_image_for_other_processors_tells_what_it_is_for(ground: Ground, registry: Registry) -> None:
    registry.put("studio/arm", "1", architecture="arm64")
    image = await ground.images.pull(registry.reference("studio/arm:1"), ground.name(), print, LOGIN)
    assert image.architecture == "arm64"


async def test_an_image_that_a_container_needs_is_not_removed(ground: Ground) -> None:
    await ground.build(f'FROM {IMAGE}\nCMD ["sleep", "1000"]\n')
    body = {"Image": ground.name(), "HostConfig": {}}
    status, _ = ground.daemon.ask("POST", f"/containers/create?name=needs-{ground.house}", body)
    assert status == 201
    await ground.images.remove(ground.name())
    assert await ground.images.find(ground.name()) is not None
    ground.daemon.ask("DELETE", f"/containers/needs-{ground.house}?force=1")
    await ground.images.remove(ground.name())
    assert await ground.images.find(ground.name()) is None


async def test_images_of_others_are_not_seen_and_not_removed(ground: Ground) -> None:
    stranger = Ground(ground.daemon, f"{ground.house}0")  # a name that begins like ours
    theirs = await stranger.build(SMALL, game="theirs")
    await ground.build(SMALL, game="ours")
    assert list(await ground.images.names()) == [ground.name()]
    await ground.images.remove(ground.name())
    found = await stranger.images.find(stranger.name())
    assert found is not None
    assert found.id == theirs
    assert IMAGE in ground.tags()
    await stranger.over()


async def test_an_engine_that_is_away_is_said_and_taken_up_again() -> None:
    with PodmanService() as daemon:
        ground = Ground(daemon)
        try:
            assert await ground.images.names() == []
            daemon.kill()
            with pytest.raises(HostUnavailable):
                await ground.images.names()
            with pytest.raises(HostUnavailable):
                await ground.build(SMALL, game="x")
            daemon.start()
            assert await ground.images.names() == []
            await ground.build(SMALL, game="x")
            arrived = asyncio.Event()

            async def slow() -> AsyncIterator[bytes]:
                yield tarball({"Dockerfile": SMALL}, gzipped=False)[:512]
                arrived.set()
                await asyncio.sleep(600)

            building = asyncio.create_task(ground.images.build(slow(), ground.name(), print, cpu=None, memory_mb=None))
            await arrived.wait()
            daemon.kill()
            with pytest.raises(HostUnavailable):
                await building
        finally:
            await ground.images.close()


@pytest.fixture
async def house(db: Database, docker: Daemon, podman: Daemon, tmp_path: Path) -> AsyncIterator[ImageYard]:
    """A house with two hosts: a real Docker and a real Podman."""
    (tmp_path / "yard").mkdir()
    yard = ImageYard(db, tmp_path / "yard", hosts=2)
    yard.images.most_bytes = 1 << 30
    for host_id, daemon in (("h1", docker), ("h2", podman)):
        yard.host(host_id).images = DockerImages(Endpoint(daemon.url), house=HOUSE)
    yield yard
    await yard.close()


async def test_a_build_of_the_house_runs_on_both_engines_until_it_is_deleted(
    house: ImageYard, docker: Daemon, podman: Daemon
) -> None:
    """All of it: upload, build on one, keep, bring to the other, run there, delete, collect."""
    stores = [store for host in house.hosts if (store := host.images) is not None]
    dockerfile = f'FROM {IMAGE}\nCOPY game /game\nCMD ["cat", "/game"]\n'
    build = await house.made(tgz(file("Dockerfile", dockerfile.encode()), file("game", b"the sheep jumped\n")).read())
    found = [await store.find(build.image or "") for store in stores]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0].id == found[1].id
    assert house.files() == ["image.tar"]
    limits = [{"Name": "nofile", "Soft": 1024, "Hard": 4096}, {"Name": "nproc", "Soft": 4096, "Hard": 16384}]
    for daemon in (docker, podman):
        body = {"Image": build.image, "HostConfig": {"Ulimits": limits, "NetworkMode": "none"}}
        assert daemon.ask("POST", "/containers/create?name=sheep", body)[0] == 201
        assert daemon.ask("POST", "/containers/sheep/start")[0] == 204
        daemon.ask("POST", "/containers/sheep/wait")
        assert b"the sheep jumped" in daemon.ask("GET", "/containers/sheep/logs?stdout=1")[1]
        daemon.ask("DELETE", "/containers/sheep?force=1")
    await house.builds.delete("org", build.id)
    house.clock.advance(3600)
    await house.builds.sweep()
    assert [list(await store.names()) for store in stores] == [[], []]
    assert house.files() == []
