"""Limits that the kernel holds for a server and all it starts: control groups, version 1 or 2. Called by the spawner.

Each server has a group of its own below ``innkeeper-MARK``, which lies below the group that the spawner itself is in,
so that what limits Innkeeper limits its servers too. The group is also the surest list of a server's processes: none
can leave it.
"""

from __future__ import annotations

import errno
import json
import os
import signal

from . import proc

_PROCESSES = 4096  # what a server may have at most, threads counted
_PERIOD = 100_000  # microseconds; what a new group has
_HOUSE = "innkeeper-house"  # where we go ourselves, where groups with processes may have no groups below (v2)


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _numbers(path: str) -> dict[str, int]:
    """A file of lines ``name number``."""
    lines = (line.split() for line in (proc.read(path) or b"").decode().splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) == 2 and words[1].isdigit()}


class Cgroups:
    """The groups of one directory's servers.

    ``root`` is where control groups are mounted and ``membership`` tells which groups this process is in. ``ours``
    are processes that may be moved to a group of their own: the spawner and who started it. ``memory`` names a file
    in which to remember the parent groups: a spawner's successor may be in other groups and has to find its servers.
    """

    def __init__(
        self,
        mark: str,
        *,
        root: str = "/sys/fs/cgroup",
        membership: str = "/proc/self/cgroup",
        ours: frozenset[int] = frozenset(),
        memory: str = "",
        processors: int = os.cpu_count() or 1,
    ) -> None:
        self._processors = processors
        self._name = f"innkeeper-{mark}"
        self._parents: dict[str, str] = {}  # controller (v1) or "" (v2) -> our parent group
        self.version = 0  #: 1, 2, or 0 where none may be used
        self.controllers: frozenset[str] = frozenset()  #: those that hold: memory, cpu, pids
        if memory and self._recall(memory):
            return
        own = dict(line.split(":", 2)[1:] for line in (proc.read(membership) or b"").decode().splitlines())
        if not self._open_first(root, own):
            self._open_second(root, own.get("", "/"), ours)
        if memory:
            fd = os.open(memory, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            os.write(fd, json.dumps([self.version, sorted(self.controllers), self._parents]).encode())
            os.close(fd)

    def _recall(self, memory: str) -> bool:
        try:
            version, controllers, parents = json.loads(proc.read(memory) or b"")
        except ValueError:
            return False
        if not version or not all(os.path.isdir(parent) for parent in parents.values()):
            return False
        self.version, self.controllers, self._parents = version, frozenset(controllers), parents
        return True

    def _open_first(self, root: str, own: dict[str, str]) -> bool:
        places = {name: path for names, path in own.items() for name in names.split(",")}
        for controller in ("pids", "memory", "cpu", "cpuacct"):
            mount = f"{root}/{controller}"
            if controller not in places or not os.path.isdir(mount):
                continue
            base = mount + places[controller].rstrip("/")
            parent = f"{base if os.path.isdir(base) else mount}/{self._name}"
            try:
                os.makedirs(parent, exist_ok=True)
            except OSError:
                continue
            self._parents[controller] = parent
        if "memory" not in self._parents and "pids" not in self._parents:
            self._parents.clear()
            return False
        self.version, self.controllers = 1, frozenset(self._parents) - {"cpuacct"}
        return True

    def _open_second(self, root: str, own: str, ours: frozenset[int]) -> None:
        base = root + own.rstrip("/").removesuffix("/" + _HOUSE)
        for place in dict.fromkeys((base, root)):
            if not os.path.exists(f"{place}/cgroup.controllers"):
                continue
            parent = f"{place}/{self._name}"
            try:
                os.makedirs(parent, exist_ok=True)
                self._delegate(place, ours)
                held = self._delegate(parent, frozenset())
            except OSError:
                continue
            if held:
                self._parents[""] = parent
                self.version, self.controllers = 2, held
                return

    @staticmethod
    def _delegate(group: str, ours: frozenset[int]) -> frozenset[str]:
        """Let groups below this one have limits; which they may have then."""
        there = set((proc.read(f"{group}/cgroup.controllers") or b"").decode().split())
        wanted = there & {"memory", "cpu", "pids"}
        if not wanted <= set((proc.read(f"{group}/cgroup.subtree_control") or b"").decode().split()):
            order = " ".join(f"+{name}" for name in sorted(wanted))
            try:
                _write(f"{group}/cgroup.subtree_control", order)
            except OSError as error:
                inside = {int(pid) for pid in (proc.read(f"{group}/cgroup.procs") or b"").split()}
                if error.errno != errno.EBUSY or not inside <= ours:
                    raise
                os.makedirs(f"{group}/{_HOUSE}", exist_ok=True)
                for pid in inside:
                    _write(f"{group}/{_HOUSE}/cgroup.procs", str(pid))
                _write(f"{group}/cgroup.subtree_control", order)
        return frozenset(wanted)

    def describe(self, controller: str) -> str:
        """How this limit is held: "cgroup v1", "cgroup v2", or "" where it is not."""
        return f"cgroup v{self.version}" if controller in self.controllers else ""

    def make(self, name: str, *, cpu: float, memory_mb: int) -> list[str]:
        """Make a server's group; the files that its first process has to write ``0`` to. Raises ``OSError``.

        One that may have all processors has no limit of them.
        """
        joins: list[str] = []
        for controller, parent in self._parents.items():
            if controller == "cpu" and cpu >= self._processors:
                continue
            try:
                os.mkdir(f"{parent}/{name}")
            except FileExistsError:
                pass
            joins.append(f"{parent}/{name}/cgroup.procs")
        self._limit(name, cpu, memory_mb)
        return joins

    def _limit(self, name: str, cpu: float, memory_mb: int) -> None:
        memory, quota = str(memory_mb << 20), max(1000, round(cpu * _PERIOD))
        held = cpu < self._processors
        for controller, parent in self._parents.items():
            group = f"{parent}/{name}"
            if controller == "memory":
                _write(f"{group}/memory.limit_in_bytes", memory)
                self._may(f"{group}/memory.memsw.limit_in_bytes", memory)
            elif controller == "cpu" and held:
                _write(f"{group}/cpu.cfs_quota_us", str(quota))
            elif controller == "pids":
                _write(f"{group}/pids.max", str(_PROCESSES))
            elif controller == "":
                if "memory" in self.controllers:
                    _write(f"{group}/memory.max", memory)
                    self._may(f"{group}/memory.swap.max", "0")
                    self._may(f"{group}/memory.oom.group", "1")
                if "cpu" in self.controllers and held:
                    _write(f"{group}/cpu.max", f"{quota} {_PERIOD}")
                if "pids" in self.controllers:
                    _write(f"{group}/pids.max", str(_PROCESSES))

    @staticmethod
    def _may(path: str, text: str) -> None:
        """Write what not every kernel has."""
        try:
            _write(path, text)
        except OSError:
            pass

    def members(self, server_id: str) -> list[int]:
        """Its processes. Those that ended are not listed."""
        for parent in self._parents.values():
            return [int(pid) for pid in (proc.read(f"{parent}/{server_id}/cgroup.procs") or b"").split()]
        return []

    def kill(self, server_id: str) -> None:
        """Kill all that is in it."""
        if self.version == 2:
            try:
                _write(f"{self._parents['']}/{server_id}/cgroup.kill", "1")
                return
            except OSError:  # before Linux 5.14
                pass
        for pid in self.members(server_id):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def oom_kills(self, server_id: str) -> int:
        """How often the kernel killed one of its processes because the group had used up its memory."""
        if self.version == 2:
            return _numbers(f"{self._parents['']}/{server_id}/memory.events").get("oom_kill", 0)
        if "memory" in self._parents:
            return _numbers(f"{self._parents['memory']}/{server_id}/memory.oom_control").get("oom_kill", 0)
        return 0

    def usage(self, server_id: str) -> tuple[float | None, int | None]:
        """CPU seconds since its start and resident bytes now; None for what these groups do not tell.

        The kernel adds a group's memory up every two seconds only, so a young one's is 0: that is not told yet.
        """
        cpu: float | None = None
        memory: int | None = None
        if self.version == 2:
            group = f"{self._parents['']}/{server_id}"
            used = _numbers(f"{group}/cpu.stat").get("usage_usec")
            cpu = None if used is None else used / 1e6
            figures = _numbers(f"{group}/memory.stat")
            if "anon" in figures:
                memory = figures["anon"] + figures.get("file_mapped", 0)
            return cpu, memory or None
        if "cpuacct" in self._parents:
            used_ns = proc.read(f"{self._parents['cpuacct']}/{server_id}/cpuacct.usage")
            cpu = int(used_ns) / 1e9 if used_ns else None
        if "memory" in self._parents:
            figures = _numbers(f"{self._parents['memory']}/{server_id}/memory.stat")
            if "total_rss" in figures:
                memory = figures["total_rss"] + figures.get("total_mapped_file", 0)
        return cpu, memory or None

    def remove(self, server_id: str) -> bool:
        """Remove its group; False while something is still in it."""
        gone = True
        for parent in self._parents.values():
            try:
                os.rmdir(f"{parent}/{server_id}")
            except FileNotFoundError:
                pass
            except OSError:
                gone = False
        return gone

    def remove_all(self) -> None:
        """Remove our parent groups, if no server is left in them."""
        for parent in self._parents.values():
            try:
                os.rmdir(parent)
            except OSError:
                pass

    def known(self) -> set[str]:
        """The servers that have a group."""
        found: set[str] = set()
        for parent in self._parents.values():
            try:
                found.update(entry.name for entry in os.scandir(parent) if entry.is_dir())
            except FileNotFoundError:
                pass
        return found
