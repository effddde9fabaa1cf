"""A real Innkeeper as a program of its own, on loopback, with a data folder of its own. For all tests that need one.

    @pytest.fixture
    def inn(tmp_path_factory) -> Iterator[RunningInn]:
        with running_inn() as inn:
            yield inn

Nothing that it started outlives ``end``: neither game servers nor their spawner.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from innkeeper.cli.ending import end_all
from innkeeper.sdk import AsyncHathoraCloud, HathoraCloud

REPOSITORY = Path(__file__).parents[1]
PATIENCE = 60.0  # seconds for anything to happen, on a machine that has much to do


def until(condition: Callable[[], object], seconds: float = PATIENCE, what: str = "it") -> Any:
    """Ask again and again until the answer is true; the answer. Fails after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        if found := condition():
            return found
        assert time.monotonic() < end, f"{what} did not come true within {seconds:g} s"
        time.sleep(0.01)


def needed(path: str | Path, package: str) -> Path:
    """A program or package that a test needs from outside; without it the test is skipped, or fails where all must run.

    ``scripts/test`` installs what it can; ``.ci/run`` sets ``TESTS_NEED_ALL``.
    """
    if not Path(path).exists():
        text = f"{path} is missing: install {package}, as scripts/test does"
        if os.environ.get("TESTS_NEED_ALL"):
            pytest.fail(text)
        pytest.skip(text)
    return Path(path)


def needs_root(what: str) -> None:
    """For what only root can do: without it the test is skipped, or fails where all must run."""
    if os.geteuid() != 0:
        text = f"only root can {what}"
        if os.environ.get("TESTS_NEED_ALL"):
            pytest.fail(text)
        pytest.skip(text)


def clean_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without what would lead a client or an Innkeeper elsewhere."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("INNKEEPER_", "HATHORA_")) and not name.lower().endswith("_proxy")
    }
    return kept | dict(more or {})


_slices = itertools.count()


def own_ports() -> str:
    """A range of ports for servers that no other Innkeeper of this run, or of a run beside it, is likely to have."""
    first = 10_000 + 100 * ((os.getpid() + next(_slices)) % 95)
    return f"{first}-{first + 99}"


class RunningInn:
    """One Innkeeper: started, stopped, killed and started again at will, always on the same folder and port.

    ``settings`` are those of ``innkeeper.settings``, by name. The folder is one that any user may enter, so that
    servers that run as nobody reach their builds.
    """

    def __init__(self, folder: Path | None = None, **settings: Any) -> None:
        self._made = folder is None
        self.folder = Path(tempfile.mkdtemp(prefix="inn-")) if folder is None else folder
        self.folder.chmod(0o755)
        self.data = self.folder / "data"
        self.output = self.folder / "innkeeper.log"  #: what all runs printed
        self.settings: dict[str, Any] = {
            "grace_seconds": 2, "port_quarantine": 0, "ports": own_ports(), "container_engine": "none", **settings
        }  # fmt: skip
        self.program: subprocess.Popen[bytes] | None = None
        self.url = self.token = self.org_id = ""
        self._clients: list[HathoraCloud] = []

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def pid(self) -> int:
        assert self.program is not None
        return self.program.pid

    @property
    def log(self) -> str:
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    def start(self) -> None:
        """Start it, and return once it answers."""
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in self.settings.items()]
        if "port" not in self.settings:
            arguments.append(f"--port={self.url.rpartition(':')[2] or 0}")
        # Each run's own last line of JSON says where it is; --json comes out when requests are taken.
        reads, writes = os.pipe()
        with self.output.open("ab") as log:
            self.program = subprocess.Popen(
                [sys.executable, "-m", "innkeeper", "up", f"--data={self.data}", "--json", *arguments],
                stdin=subprocess.DEVNULL, stdout=writes, stderr=log, env=clean_environment(), cwd=self.folder,
            )  # fmt: skip
        os.close(writes)
        with open(reads, "rb") as out:
            said = out.readline()
        assert said, f"Innkeeper did not start:\n{self.log}"
        self.url = json.loads(said)["url"]
        until(self.is_healthy, what="/healthz")
        credentials = json.loads((self.data / "credentials.json").read_text())
        self.token, self.org_id = credentials["token"], credentials["orgId"]

    def is_healthy(self) -> bool:
        """Whether ``/healthz`` says that all is well."""
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                f"{self.url}/healthz", timeout=5
            ) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def stop(self) -> None:
        """End it as an operator does (SIGTERM). Servers run on."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as nothing can prepare for (SIGKILL). Servers run on."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        if self.program is not None:
            self.program.send_signal(number)
            self.program.wait(PATIENCE)
            self.program = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def client(self, app_id: str | None = None, **more: Any) -> HathoraCloud:
        """A client with the admin's token; closed at the end."""
        client = HathoraCloud(self.token, server=self.url, org_id=self.org_id, app_id=app_id, **more)
        self._clients.append(client)
        return client

    def async_client(self, app_id: str | None = None, **more: Any) -> AsyncHathoraCloud:
        """The same, awaited; for ``async with``."""
        return AsyncHathoraCloud(self.token, server=self.url, org_id=self.org_id, app_id=app_id, **more)

    def command(self, *arguments: str | Path) -> list[str]:
        """The command line that speaks to this Innkeeper."""
        return [sys.executable, "-m", "innkeeper", *map(str, arguments)]

    def environment(self) -> dict[str, str]:
        """For commands that shall find this Innkeeper by its data folder."""
        return clean_environment({"INNKEEPER_DATA": str(self.data)})

    def run(
        self, *arguments: str | Path, code: int = 0, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run ``innkeeper ARGUMENTS`` against it; it must end with this code."""
        done = subprocess.run(
            self.command(*arguments), env=self.environment() | dict(env or {}), cwd=cwd or self.folder,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert done.returncode == code, (
            f"innkeeper {arguments} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
        return done

    def json(self, *arguments: str | Path, **more: Any) -> Any:
        """Run it with ``--json``; the document that it printed."""
        return json.loads(self.run(*arguments, "--json", **more).stdout)

    def end(self) -> None:
        """End it, its servers and their spawner, and remove the folder if it was made here."""
        for client in self._clients:
            client.close()
        self.stop()
        try:
            apart(lambda: asyncio.run(end_all(self.data)))
        finally:
            self._sweep()
            if self._made:
                shutil.rmtree(self.folder)

    def _sweep(self) -> None:
        """Kill what ``end_all`` could not end, as when the engine itself is what is broken."""
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "cwd").readlink().is_relative_to(self.data):
                    os.kill(int(process.name), signal.SIGKILL)
            except OSError:
                continue  # it has ended, or is not ours to look at


def apart(work: Callable[[], object]) -> None:
    """Do it in a thread of its own: an event loop may be running in this one."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]


@contextmanager
def running_inn(folder: Path | None = None, **settings: Any) -> Generator[RunningInn]:
    """A running Innkeeper, ended with all it started."""
    inn = RunningInn(folder, **settings)
    try:
        inn.start()
        yield inn
    finally:
        inn.end()


def deploy(
    inn: RunningInn, directory: Path, name: str, *options: str, transport: str = "udp", env: Sequence[str] = ()
) -> str:
    """Deploy a directory as a new app through the command line; the app's id."""
    told = inn.json(
        "deploy", directory, "--app", name, "--create-app", "--transport-type", transport, *options,
        *(word for pair in env for word in ("--env", pair)),
    )  # fmt: skip
    return str(told["deployment"]["appId"])
