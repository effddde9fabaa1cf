"""The verbs on builds and images over pretended hosts with container engines. For the tests of images."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from innkeeper.db.database import Database, Statement, Steps
from innkeeper.engines.base import Launch, Port, Transport
from innkeeper.engines.fake import FakeEngine
from innkeeper.engines.fake_images import FakeImages
from innkeeper.engines.ports import PortTable
from innkeeper.hosting.apps import Apps
from innkeeper.hosting.archives.unpacking import Limits
from innkeeper.hosting.archives.uploads import UploadStore
from innkeeper.hosting.builds import Builds
from innkeeper.hosting.hosts import Host
from innkeeper.hosting.images import Images
from innkeeper.hosting.intake import Intake
from innkeeper.hosting.making import ImageMaker
from innkeeper.hosting.model import Build, Cause, LoginRules, PortSpec, ServerState
from innkeeper.hosting.queries.builds import build_by_key
from innkeeper.hosting.queries.rooms import add_servers, wanted_server
from innkeeper.hosting.queries.servers import move
from innkeeper.hosting.registries import RegistrySource
from innkeeper.hosting.releases import Releases
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import SECOND
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import Box
from troubled import WatchedClock
from unit.hosting.tars import file, tgz

HOUSE = "0123456789ab"
DOCKERFILE = file("Dockerfile", b'FROM scratch\nCOPY game /\nCMD ["/game"]\n')
PROCFILE = file("Procfile", b"server: ./game --port $PORT\n")
GAME = file("game", b"#!/bin/sh\n", mode=0o755)
CONTEXT = tgz(DOCKERFILE, GAME).read()


class ImageYard:
    """A house with as many container hosts as asked for, which all answer, and one that runs programs."""

    def __init__(self, db: Database, folder: Path, hosts: int = 1) -> None:
        self.db, self.folder, self.clock = db, folder, WatchedClock()
        self.hosts = [self._host("programs")]
        for number in range(1, hosts + 1):
            self.add(f"h{number}")
        self.store = UploadStore(folder / "uploads")
        (folder / "builds").mkdir()
        self.most_bytes = 1 << 20
        self.box = Box(bytes(32))
        self._numbers = itertools.count(1)
        self._open()

    def _host(self, host_id: str) -> Host:
        engine = FakeEngine(self.clock)
        return Host(host_id, engine, PortTable(1, 2, 0, engine.port_is_free), "192.0.2.1")

    def add(self, host_id: str, architecture: str = "amd64") -> FakeImages:
        """A further host with a container engine."""
        host = self._host(host_id)
        engine = host.engine
        assert isinstance(engine, FakeEngine)
        images = FakeImages(engine, architecture)
        host.images = images
        self.hosts.append(host)
        return images

    def _open(self) -> None:
        self.images = Images(
            self.db, self.clock, self.hosts, self.folder / "builds", house=HOUSE, most_bytes=self.most_bytes
        )
        maker = ImageMaker(self.images, self.box, self.clock)
        bell = Bell()
        self.apps = Apps(self.db, self.clock, Chance(), self.box, bell)
        self.releases = Releases(self.db, self.clock, Chance(), self.box, bell)
        self.intake = Intake(self.db, self.store)
        self.builds = Builds(self.db, self.clock, Chance(), self.store, self.folder / "builds", Limits(), maker)

    async def close(self) -> None:
        await self.builds.close()
        await self.images.close()

    async def restart(self) -> None:
        """Close the house and open it again on the same database, folder and hosts."""
        await self.close()
        self._open()
        await self.builds.open()

    def host(self, host_id: str = "h1") -> Host:
        return next(host for host in self.hosts if host.id == host_id)

    def engine(self, host_id: str = "h1") -> FakeEngine:
        engine = self.host(host_id).engine
        assert isinstance(engine, FakeEngine)
        return engine

    def on(self, host_id: str = "h1") -> FakeImages:
        images = self.host(host_id).images
        assert isinstance(images, FakeImages)
        return images

    async def begin(self, data: bytes = CONTEXT) -> tuple[Build, AsyncIterator[bytes]]:
        """Upload a build and begin to run it; its log, too."""

        async def pieces() -> AsyncIterator[bytes]:
            yield data

        build = await self.builds.create("org", "me", upload_bytes=len(data))
        await self.intake.complete(build.key, [(1, await self.intake.take_part(build.key, 1, pieces()))])
        return build, await self.builds.run("org", build.id)

    async def begin_pull(self, source: RegistrySource) -> tuple[Build, AsyncIterator[bytes]]:
        build = await self.builds.create("org", "me", upload_bytes=None)
        return build, await self.builds.run("org", build.id, source=source)

    async def rest(self, log: AsyncIterator[bytes], step: float = 1.0) -> str:
        """The rest of a log, while time goes on."""

        async def read() -> str:
            return b"".join([lines async for lines in log]).decode()

        reading = asyncio.ensure_future(read())
        while not reading.done():
            if self.clock.waiting:
                self.clock.advance(step)
            await asyncio.wait({reading}, timeout=0.002)
        return reading.result()

    async def made(self, data: bytes = CONTEXT) -> Build:
        """A build that has succeeded, on every host."""
        build, log = await self.begin(data)
        text = await self.rest(log)
        assert text.endswith("Build succeeded.\n"), text
        await self.at_rest()
        return await self.find(build)

    async def at_rest(self) -> None:
        """Return once nothing is brought any more."""
        await self.until(lambda: not self.images.busy)

    async def until(self, condition: Any, seconds: float = 20.0) -> None:
        end = asyncio.get_running_loop().time() + seconds
        while not condition():
            assert asyncio.get_running_loop().time() < end, "it never came to that"
            await asyncio.sleep(0.001)

    async def find(self, build: Build) -> Build:
        found = await self.db.read(build_by_key, build.key)
        assert isinstance(found, Build)
        return found

    def launch(self, build: Build, server_id: str = "s-1") -> Launch:
        """A server of an image."""
        return Launch(
            server_id, Path("/"), "", {}, [Port("default", Transport.UDP, 1, 7777)], 1, 256, image=build.image or ""
        )

    def files(self) -> list[str]:
        """What is on the disk, but for folders, by its path below the keys of builds."""
        found = [path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file()]
        return sorted("/".join(path.parts[2:]) for path in found)

    async def app(self) -> str:
        """A new app; its id."""
        app = await self.apps.create("org", "me", f"game-{next(self._numbers)}", LoginRules())
        return app.id

    async def release(self, app_id: str, build: Build) -> str:
        """What new rooms of an app run on from now on; its id."""
        release = await self.releases.create(
            "org", app_id, "me", build_id=build.id, seats=1, cpu=1, memory_mb=256,
            ports=[PortSpec("default", "udp", 7777)], env=[], idle_rule=True,
        )  # fmt: skip
        return release.id

    async def server(self, release_id: str) -> str:
        """A server that is wanted; its id."""
        server_id, now = f"s-{next(self._numbers)}", self.clock.now()
        app_id: str = await self.db.read(_app_of, release_id)
        wanted = wanted_server(server_id, app_id, release_id, "tokyo", 1, 0, Cause.ASKED, None, now, now + SECOND)
        await self.db.write(add_servers, [wanted])
        return server_id

    async def end(self, server_id: str) -> None:
        """A server has ended."""
        await self.db.write(
            move, server_id, ServerState.STOPPED, at=self.clock.now(), ended_at=self.clock.now(), until=None
        )

    async def text(self) -> str:
        """All that the database has on builds."""
        return repr(await self.db.read(_everything))


def _app_of(release_id: str) -> Steps[str]:
    rows = yield Statement("select app_id from releases where id = $1", (release_id,))
    app_id: str = rows[0][0]
    return app_id


def _everything() -> Steps[Any]:
    return [tuple(row) for row in (yield Statement("select * from builds", ()))]
