"""A real PostgreSQL server for tests, started and ended by them. ``tests/conftest.py`` makes fixtures of it.

The server belongs to an unprivileged user, as it insists, keeps its data in a temporary folder, listens on loopback and
in that folder, and syncs to disk as one in production does; one ``in_memory`` does too, and its disk is memory. It ends
with the test process, also when that is killed.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import asyncpg

MISSING = "the tests need PostgreSQL's server: apt-get install postgresql (Debian), which brings initdb and postgres"
_MEMORY = "/dev/shm"
USER, PASSWORD = "keeper", "sesame"


def programs() -> Path:
    """The folder with ``initdb`` and ``postgres``. Raises RuntimeError, saying what to install, when there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    if initdb := shutil.which("initdb"):
        return Path(initdb).resolve().parent
    raise RuntimeError(MISSING)


def free_port() -> int:
    """A port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class PostgresServer:
    """One server. ``start`` and ``stop`` may be called again and again; the data and the port stay."""

    def __init__(self, *settings: str, in_memory: bool = False) -> None:
        """``settings`` are further ones, as ``max_connections=20``."""
        self._programs = programs()
        self._home = Path(tempfile.mkdtemp(prefix="innkeeper-pg-", dir=_memory() if in_memory else None))
        self.port = free_port()
        self._settings = settings
        self._server: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)
        # setpriv sends a signal to the server when we die, and as root makes us somebody else.
        self._as_user = ["setpriv", "--pdeathsig", "KILL"]
        if os.geteuid() == 0:
            somebody = _unprivileged()
            os.chown(self._home, somebody.pw_uid, somebody.pw_gid)
            ids = [f"--reuid={somebody.pw_uid}", f"--regid={somebody.pw_gid}", "--clear-groups"]
            self._as_user += ids
        initdb = [self._programs / "initdb", "--pgdata", self._home / "data", "--username", USER, "--no-sync"]
        secret = self._home / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        options = ["--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", f"--pwfile={secret}"]
        words = [*self._as_user, *map(str, initdb), *options]
        done = subprocess.run(words, text=True, capture_output=True, cwd=self._home, check=False)
        if done.returncode:
            self.remove()
            raise RuntimeError(f"initdb failed: {done.stdout}{done.stderr}")

    def url(self, database: str, password: str = PASSWORD) -> str:
        """How to reach a database of this server."""
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.port}/{database}"

    @property
    def data(self) -> Path:
        """The server's own folder."""
        return self._home / "data"

    def start(self) -> None:
        """Start the server and return once it takes connections."""
        settings = ["listen_addresses=127.0.0.1", f"unix_socket_directories={self._home}", *self._settings]
        settings.append("dynamic_shared_memory_type=mmap")  # in the data folder, which goes with us
        command = [*self._as_user, self._programs / "postgres", "-D", self._home / "data", "-p", str(self.port)]
        for setting in settings:
            command += ["-c", setting]
        with open(self._home / "log", "ab") as log:
            self._server = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._home)
        deadline = time.monotonic() + 60
        pid_file = self._home / "data" / "postmaster.pid"
        while not (pid_file.exists() and _says_ready(pid_file.read_text(), self._server.pid)):
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {(self._home / 'log').read_text()[-2000:]}")
            time.sleep(0.01)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server: SIGINT drops connections and ends in order, SIGQUIT is as if it had crashed."""
        if self._server is not None:
            server, self._server = self._server, None
            server.send_signal(how)
            server.wait(60)

    def remove(self) -> None:
        """Stop and delete everything."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._home, ignore_errors=True)

    async def fresh(self) -> str:
        """The URL of a new, empty database."""
        name = f"house{next(self._numbers)}"
        line = await asyncpg.connect(self.url("postgres"))
        try:
            await line.execute(f"create database {name}")
        finally:
            await line.close()
        return self.url(name)

    async def drop(self, url: str) -> None:
        """Delete a database, whoever is connected to it."""
        line = await asyncpg.connect(self.url("postgres"))
        try:
            await line.execute(f"drop database {url.rpartition('/')[2]} with (force)")
        finally:
            await line.close()


def _memory() -> str | None:
    """A folder in memory with room for some databases, where there is one."""
    try:
        room = os.statvfs(_MEMORY)
    except OSError:
        return None
    return _MEMORY if room.f_bavail * room.f_frsize > 1 << 30 and os.access(_MEMORY, os.W_OK) else None


def _says_ready(text: str, pid: int) -> bool:
    lines = text.split("\n")
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("the tests run as root and find no user postgres or nobody to run PostgreSQL as")
