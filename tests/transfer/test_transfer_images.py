"""The archive of an image that went to another house: real engines load it under the new house's name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from contexts import tarball
from daemons import Daemon, DockerDaemon, PodmanService
from innkeeper.engines.docker.client import Endpoint
from innkeeper.engines.docker.images import DockerImages
from innkeeper.engines.images import ImageRefused
from innkeeper.transfer.checking import Unsound
from innkeeper.transfer.repacking import image_again
from unit.hosting.tars import file, header, tar

from .houses import IMAGE_KEY

OLD, NEW = "0123456789ab", "fedcba987654"
SMALL = 'FROM scratch\nCOPY game /game\nCMD ["/game"]\n'


@pytest.fixture(scope="module", params=[DockerDaemon, PodmanService], ids=["docker", "podman"])
def daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    with request.param() as daemon:
        yield daemon


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data


@pytest.mark.slow
async def test_an_engine_knows_it_by_the_new_name(daemon: Daemon) -> None:
    old, new = (DockerImages(Endpoint(daemon.url), house=house) for house in (OLD, NEW))
    names = [f"localhost/innkeeper-{house}:{IMAGE_KEY}" for house in (OLD, NEW)]
    context = tarball({"Dockerfile": SMALL, "game": f"a layer that says /innkeeper-{OLD}"}, gzipped=False)
    try:
        made = await old.build(pieces(context), names[0], lambda line: None, cpu=None, memory_mb=None)
        saved = b"".join([piece async for piece in old.save(names[0])])
        await old.remove(names[0])
        moved = b"".join(image_again(iter([saved]), OLD.encode(), NEW.encode()))
        with pytest.raises(ImageRefused):
            await new.load(pieces(saved), names[1])
        await old.remove(names[0])
        taken = await new.load(pieces(moved), names[1])
        assert taken.id == made.id, "its layers are untouched"
        assert list(await new.names()) == [names[1]]
        assert list(await old.names()) == []
    finally:
        await old.remove(names[0])
        await new.remove(names[1])
        await old.close()
        await new.close()


def test_only_the_entries_with_names_are_changed() -> None:
    said = b'{"/innkeeper-' + OLD.encode() + b'": 1}'
    archive = tar(file("index.json", said), file("deep/index.json", said), file("./manifest.json", said)).getvalue()
    moved = b"".join(image_again(iter([archive[:700], archive[700:]]), OLD.encode(), NEW.encode()))
    assert moved.count(NEW.encode()) == 2
    assert moved.count(OLD.encode()) == 1


def test_too_many_names() -> None:
    archive = header(b"index.json", 5 << 20) + bytes((5 << 20) + 1024)
    with pytest.raises(Unsound, match="bytes of names"):
        b"".join(image_again(iter([archive]), OLD.encode(), NEW.encode()))
