"""Real container engines for tests: Docker and Podman, each in a folder and on a network of its own. Only root can.

    with DockerDaemon() as docker:
        docker.take_image(...)
        Endpoint(docker.url)

Nothing that they started outlives the ``with``: containers, networks, mounts and helpers go with the engine.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from contexts import image_files, tarball
from inns import needed, needs_root, until

#: What tests run: a Python with its library, a shell, and the program that does as it is told.
IMAGE = "localhost/innkeeper-tests:python"
PROGRAM = Path(__file__).parent / "engines" / "program.py"
#: How it is said to an engine: it does what ``ORDERS`` says.
IMAGE_SAYS = ('CMD ["python3","-I","-S","/program.py"]',)
_numbers = itertools.count()


def _has_link(name: str) -> bool:
    return subprocess.run(["ip", "link", "show", name], capture_output=True, check=False).returncode == 0


class _Unix(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=120)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _run(*words: str, check: bool = True) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not check, f"{' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout


def python_image() -> bytes:
    """The files of :data:`IMAGE` in a tar archive."""
    return tarball(python_files(), gzipped=False)


def python_files() -> dict[str, Path | bytes | str]:
    """The files of :data:`IMAGE`, from this machine, by their place in it."""
    python = needed("/usr/bin/python3", "python3").resolve()
    shell = needed("/bin/dash", "dash")
    library = next(Path("/usr/lib").glob(f"{python.name}*/os.py")).parent
    files: dict[str, Path | bytes | str] = dict(
        image_files([python, shell, Path("/bin/cat"), Path("/bin/sleep")], [library])
    )
    files |= {
        "/bin/sh": shell,
        "/usr/bin/python3": python,
        "/program.py": PROGRAM,
        "/tmp/.here": b"",
        "/etc/hosts": b"",
    }
    return files


class Daemon:
    """An engine as a program: started, killed and started again on the same folder. ``inside`` puts it elsewhere.

    ``inside`` turns a command into one that runs it in another network namespace. ``more`` are arguments of its own.
    """

    kind = ""
    binary = ""

    def __init__(self, *more: str, inside: Callable[..., list[str]] | None = None) -> None:
        needs_root("start a container engine in a folder of its own")
        needed(shutil.which(self.binary) or f"/usr/bin/{self.binary}", self.binary)
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.kind}-"))
        self.folder.chmod(0o755)
        self.socket = self.folder / "engine.sock"
        self.more, self._inside = more, inside
        self._number = (os.getpid() * 7 + next(_numbers) * 53) % 240
        while any(_has_link(f"inn{letter}{self._number}") for letter in "dp"):
            self._number = (self._number + 1) % 240
        self.bridge = f"inn{self.kind[0]}{self._number}"
        self.program: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def output(self) -> str:
        return (self.folder / "output").read_text(errors="replace")

    def command(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        return os.environ

    def start(self) -> None:
        """Start it, and return when it answers."""
        words = self.command() + list(self.more)
        if self._inside is not None:
            words = self._inside(*words)
        with (self.folder / "output").open("ab") as output:
            self.program = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(self.environment()),
                cwd=self.folder,
            )
        until(self._answers, what=f"{self.kind} to answer")

    def _answers(self) -> bool:
        assert self.program is not None
        assert self.program.poll() is None, f"{self.kind} ended:\n{self.output[-3000:]}"
        try:
            return self.ask("GET", "/_ping")[0] == 200
        except OSError:
            return False

    def kill(self) -> None:
        """End it as nothing can prepare for."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it as an operator does."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """It stands still, and answers nobody."""
        assert self.program is not None
        self.program.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self.program is not None
        self.program.send_signal(signal.SIGCONT)

    def _end(self, number: int) -> None:
        if self.program is not None:
            self.program.send_signal(number)
            self.program.wait(60)
            self.program = None

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Ask it something, without any of our own code."""
        connection = _Unix(self.socket)
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        kind = "application/x-tar" if isinstance(body, bytes) else "application/json"
        try:
            connection.request(method, path, data, {"Content-Type": kind})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        status, text = self.ask("GET", path)
        assert status == 200, text
        return json.loads(text)

    def take_image(self, tar: bytes, name: str, *changes: str) -> None:
        """Make an image of the files in a tar archive. ``changes`` are lines of a Dockerfile: ``CMD [...]``."""
        repository, _, tag = name.rpartition(":")
        asked = [("fromSrc", "-"), ("repo", repository), ("tag", tag), *(("changes", change) for change in changes)]
        status, text = self.ask("POST", f"/images/create?{urlencode(asked)}", tar)
        assert status == 200, text
        assert b'"error"' not in text, text
        if self.kind == "podman" and tag != "latest":  # it hears no tag
            assert (
                self.ask("POST", f"/images/{repository}:latest/tag?{urlencode({'repo': repository, 'tag': tag})}")[0]
                == 201
            )
            self.ask("DELETE", f"/images/{repository}:latest")

    def run_stranger(self, name: str, *command: str, host: Mapping[str, Any] | None = None) -> str:
        """Start a container that is not the house's; its id."""
        if self.kind == "podman":
            limits = [{"Name": "nofile", "Soft": 1024, "Hard": 4096}, {"Name": "nproc", "Soft": 4096, "Hard": 16384}]
            host = {"Ulimits": limits, **(host or {})}
        status, text = self.ask(
            "POST", f"/containers/create?name={name}", {"Image": IMAGE, "Cmd": list(command), "HostConfig": host or {}}
        )
        assert status == 201, text
        container: str = json.loads(text)["Id"]
        status, text = self.ask("POST", f"/containers/{container}/start")
        assert status == 204, text
        return container

    def containers(self) -> list[dict[str, Any]]:
        """All containers, those that ended too."""
        found: list[dict[str, Any]] = self.get("/containers/json?all=1")
        return found

    def remove(self) -> None:
        """End it with everything that it started, and remove its folder."""
        try:
            if self.program is not None:
                with contextlib.suppress(OSError, AssertionError):
                    self.program.send_signal(signal.SIGCONT)
                    for container in self.containers():
                        self.ask("DELETE", f"/containers/{container['Id']}?force=1&v=1")
            self.stop()
        finally:
            self._sweep()

    def _sweep(self) -> None:
        if self.program is not None:
            self.kill()
        with contextlib.suppress(AssertionError):  # Podman's helpers take a container's network down after its end
            until(lambda: not any(b"cleanup" in words for _, words in self._helpers()), 5.0)
        for pid, _ in self._helpers():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while True:
            mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
            for mount in sorted((one for one in mounts if one.startswith(f"{self.folder}/")), reverse=True):
                subprocess.run(["umount", "-l", mount], capture_output=True, check=False)
            shutil.rmtree(self.folder, ignore_errors=True)
            if not self.folder.exists():
                break
            assert time.monotonic() < deadline, f"{self.folder} cannot be removed"
            time.sleep(0.05)
        if self._inside is None:
            _run("ip", "link", "delete", self.bridge, check=False)
            _forget_rules(self.bridge, self._number)

    def _helpers(self) -> list[tuple[int, bytes]]:
        """What it started and still runs, with command lines; one that does not name the folder got it by TMPDIR."""
        found: list[tuple[int, bytes]] = []
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (path / "cmdline").read_bytes()
                left = words.startswith(b"/usr/lib/podman/aardvark-dns") and self._is_temporary_of(path)
                if left or f"{self.folder}/".encode() in words:
                    found.append((int(path.name), words))
        return found

    def _is_temporary_of(self, process: Path) -> bool:
        return f"TMPDIR={self.folder}".encode() in (process / "environ").read_bytes().split(b"\0")

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._sweep()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.remove()


class DockerDaemon(Daemon):
    """A dockerd."""

    kind = "docker"
    binary = "dockerd"

    def command(self) -> list[str]:
        words = [
            "dockerd", "--data-root", f"{self.folder}/data", "--exec-root", f"{self.folder}/exec",
            "-H", self.url, "-p", f"{self.folder}/pid", "--exec-opt", "native.cgroupdriver=cgroupfs",
            "--default-ulimit", "nofile=1024:4096",
        ]  # fmt: skip
        if self._inside is None:  # other engines of this machine have docker0
            if not _has_link(self.bridge):
                _run("ip", "link", "add", self.bridge, "type", "bridge")
                _run("ip", "address", "add", f"10.214.{self._number}.1/24", "dev", self.bridge)
                _run("ip", "link", "set", self.bridge, "up")
            # No --default-address-pool: with that, a dockerd that starts again removes docker0, whosever it is.
            words += ["--bridge", self.bridge]
        return words

    def start(self) -> None:
        """As every engine. What a killed one left would keep it from starting: its pid, and that of its containerd."""
        (self.folder / "pid").unlink(missing_ok=True)
        helper = self.folder / "exec" / "containerd" / "containerd.pid"
        if helper.exists():
            state = Path(f"/proc/{helper.read_text().strip()}/stat")
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                until(lambda: state.read_text().rpartition(")")[2].split()[0] in "ZX", what="containerd to end")
            helper.unlink()  # nobody took note of its end, perhaps: then it would count as alive
        super().start()


class PodmanService(Daemon):
    """A Podman that answers on a socket."""

    kind = "podman"
    binary = "podman"
    trusted = ""  #: the address of a registry that it speaks to without TLS, as Docker does to all on loopback

    def command(self) -> list[str]:
        needed("/usr/bin/conmon", "conmon")
        (self.folder / "containers.conf").write_text(
            '[containers]\ndefault_ulimits = ["nofile=1024:4096","nproc=4096:16384"]\nlog_driver="k8s-file"\n'
            '[engine]\ncgroup_manager="cgroupfs"\nevents_logger="file"\nruntime="runc"\n'
            '[network]\nnetwork_backend="netavark"\n'
        )
        networks = self.folder / "networks"
        networks.mkdir(exist_ok=True)
        (networks / "podman.json").write_text(json.dumps(self._network()))
        return [
            "podman", "--root", f"{self.folder}/root", "--runroot", f"{self.folder}/run",
            "--tmpdir", f"{self.folder}/libpod", "--network-config-dir", str(networks),
            "system", "service", "--time=0", self.url,
        ]  # fmt: skip

    def _network(self) -> dict[str, Any]:
        subnet = f"10.216.{self._number}"
        return {
            "name": "podman",
            "id": "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9",
            "driver": "bridge",
            "network_interface": self.bridge,
            "created": "2026-01-01T00:00:00Z",
            "subnets": [{"subnet": f"{subnet}.0/24", "gateway": f"{subnet}.1"}],
            "ipv6_enabled": False,
            "internal": False,
            "dns_enabled": False,
            "ipam_options": {"driver": "host-local"},
        }

    def environment(self) -> Mapping[str, str]:
        found = {**os.environ, "CONTAINERS_CONF": f"{self.folder}/containers.conf", "TMPDIR": str(self.folder)}
        if self.trusted:
            path = self.folder / "registries.conf"
            path.write_text(f'[[registry]]\nlocation = "{self.trusted}"\ninsecure = true\n')
            found["CONTAINERS_REGISTRIES_CONF"] = str(path)
        return found


def _forget_rules(bridge: str, number: int) -> None:
    """Take the firewall's rules for a bridge and its subnet away, which an engine that was killed leaves behind.

    A rule that still leads a port to a container of before would keep packets from the next one.
    """
    if shutil.which("iptables-save") is None:
        return
    table, ours = "", re.compile(rf"\b{bridge}\b|\b10\.21[46]\.{number}\.")
    for line in _run("iptables-save", check=False).splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith("-A ") and ours.search(line):
            subprocess.run(["iptables", "-t", table, "-D", *_words(line)[1:]], capture_output=True, check=False)


def _words(line: str) -> Sequence[str]:
    return [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', line)]
