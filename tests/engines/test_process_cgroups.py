"""Control groups, where the kernel is played by a folder."""

from __future__ import annotations

from pathlib import Path

from innkeeper.engines.process import cgroups


def plays_the_kernel(group: Path, controllers: str) -> None:
    group.mkdir(parents=True, exist_ok=True)
    (group / "cgroup.controllers").write_text(controllers)
    (group / "cgroup.subtree_control").write_text("")
    (group / "cgroup.procs").write_text("")


def test_version_two_below_a_delegated_group(tmp_path: Path) -> None:
    own = tmp_path / "system.slice" / "innkeeper.service"
    plays_the_kernel(own, "cpu memory pids io")
    (own / "cgroup.subtree_control").write_text("cpu memory pids")
    parent = own / "innkeeper-abc"
    plays_the_kernel(parent, "cpu memory pids")
    membership = tmp_path / "membership"
    membership.write_text("0::/system.slice/innkeeper.service\n")
    groups = cgroups.Cgroups("abc", root=str(tmp_path), membership=str(membership), processors=2)
    assert groups.version == 2
    assert groups.describe("memory") == groups.describe("cpu") == "cgroup v2"
    assert (parent / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"
    group = parent / "s-1"
    group.mkdir()
    for name in ("memory.max", "memory.swap.max", "memory.oom.group", "cpu.max", "pids.max"):
        (group / name).touch()
    assert groups.make("s-1", cpu=1.5, memory_mb=512) == [f"{group}/cgroup.procs"]
    assert (group / "memory.max").read_text() == str(512 << 20)
    assert (group / "memory.swap.max").read_text() == "0"
    assert (group / "memory.oom.group").read_text() == "1"
    assert (group / "cpu.max").read_text() == "150000 100000"
    assert (group / "pids.max").read_text() == "4096"
    (group / "cgroup.procs").write_text("12\n13\n")
    (group / "memory.events").write_text("low 0\noom 1\noom_kill 1\n")
    (group / "cpu.stat").write_text("usage_usec 1500000\nuser_usec 1\n")
    (group / "memory.stat").write_text("anon 4096\nfile 1\nfile_mapped 8192\n")
    assert groups.members("s-1") == [12, 13]
    assert groups.oom_kills("s-1") == 1
    assert groups.usage("s-1") == (1.5, 12288)
    (group / "cgroup.kill").touch()
    groups.kill("s-1")
    assert (group / "cgroup.kill").read_text() == "1"
    assert groups.known() == {"s-1"}


def test_without_any_there_are_none(tmp_path: Path) -> None:
    membership = tmp_path / "membership"
    membership.write_text("0::/\n")
    groups = cgroups.Cgroups("abc", root=str(tmp_path / "nothing"), membership=str(membership))
    assert groups.version == 0
    assert groups.describe("memory") == ""
    assert groups.members("s-1") == []
    assert groups.known() == set()
    assert groups.remove("s-1")


def test_whoever_may_have_every_processor_is_in_no_group_for_them(tmp_path: Path) -> None:
    for controller in ("cpu", "memory", "pids"):
        (tmp_path / controller).mkdir()
    membership = tmp_path / "membership"
    membership.write_text("3:cpu:/\n2:memory:/\n1:pids:/\n")
    groups = cgroups.Cgroups("abc", root=str(tmp_path), membership=str(membership), processors=2)
    assert groups.version == 1
    for controller, limit in (("memory", "memory.limit_in_bytes"), ("pids", "pids.max"), ("cpu", "cpu.cfs_quota_us")):
        for name in ("s-1", "s-2"):
            (tmp_path / controller / "innkeeper-abc" / name).mkdir()
            (tmp_path / controller / "innkeeper-abc" / name / limit).touch()
    assert any("/cpu/" in join for join in groups.make("s-1", cpu=1.5, memory_mb=512))
    assert (tmp_path / "cpu" / "innkeeper-abc" / "s-1" / "cpu.cfs_quota_us").read_text() == "150000"
    assert not any("/cpu/" in join for join in groups.make("s-2", cpu=2, memory_mb=512))
