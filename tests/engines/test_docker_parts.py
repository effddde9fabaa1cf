"""The decisions about containers, as tables: no engine is asked."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from innkeeper.engines.base import EndedBy, ImageMissing, Launch, NotStarted, Port, PortTaken, Transport, Usage
from innkeeper.engines.docker import nets, raw, spec, usage
from innkeeper.engines.docker.abilities import abilities
from innkeeper.engines.docker.ending import micros
from innkeeper.engines.docker.endpoint import Endpoint
from innkeeper.engines.docker.readiness import bound_of, pause
from innkeeper.engines.docker.records import Note, Notes
from innkeeper.engines.docker.silence import Silence
from innkeeper.engines.docker.verdict import Death, cannot_run, name_taken, refusal, verdict
from innkeeper.kit.clock import SECOND, ManualClock

UDP, TCP = Transport.UDP, Transport.TCP
TINI = "[FATAL tini (7)] exec /game failed: "
CATATONIT = "ERROR (catatonit:6): failed to exec pid1: "


@pytest.mark.parametrize(
    ("death", "by", "code", "told"),
    [
        (Death(0), EndedBy.EXIT, 0, ""),
        (Death(3, words="no map"), EndedBy.EXIT, 3, "no map"),
        (Death(3, words="no map", ready=True), EndedBy.EXIT, 3, ""),
        (Death(139, memory_known=True), EndedBy.SIGNAL, 11, ""),
        (Death(137, memory_known=True), EndedBy.SIGNAL, 9, ""),
        (Death(137), EndedBy.SIGNAL, 9, "perhaps it needed more memory"),
        (Death(137, memory=True), EndedBy.MEMORY, 9, ""),
        (Death(1, memory=True), EndedBy.MEMORY, 1, ""),  # a child was killed, and it gave up
        (Death(0, memory=True), EndedBy.EXIT, 0, ""),  # a child was killed, and it did not mind
        (Death(0, asked=True), EndedBy.STOPPED, 0, ""),
        (Death(7, asked=True), EndedBy.STOPPED, 7, ""),
        (Death(143, asked=True), EndedBy.STOPPED, 15, ""),
        (Death(139, asked=True), EndedBy.SIGNAL, 11, ""),
        (Death(137, asked=True, killed=True), EndedBy.KILLED, 9, ""),
        (Death(137, asked=True, killed=True, memory=True), EndedBy.KILLED, 9, ""),
        (Death(0, asked=True, killed=True), EndedBy.STOPPED, 0, ""),  # it ended just before it was killed
        (Death(143), EndedBy.SIGNAL, 15, ""),
        (Death(255), EndedBy.EXIT, 255, ""),
        (Death(127, words=TINI + "No such file or directory"), EndedBy.NOT_STARTED, None, "/game could not be run: No"),
        (Death(1, words=CATATONIT + "Permission denied"), EndedBy.NOT_STARTED, None, "not be run: Permission denied"),
        (
            Death(1, words=CATATONIT + "Exec format error", architecture="arm64"),
            EndedBy.NOT_STARTED,
            None,
            "for other processors than this host's (arm64)",
        ),
        (Death(127, words="sh: 1: game: not found"), EndedBy.EXIT, 127, "game: not found"),
    ],
)  # fmt: skip
def test_how_it_ended(death: Death, by: EndedBy, code: int | None, told: str) -> None:
    found = verdict(death)
    assert found[:2] == (by, code)
    assert told in found[2]
    assert bool(told) == bool(found[2])


@pytest.mark.parametrize("lost", ["ERROR ", "ERROR (catatonit:6): ", "ERROR (catatonit:6): failed to ", CATATONIT])
def test_a_failure_of_the_init_is_known_without_the_beginning_of_its_line(lost: str) -> None:
    """Podman loses it now and then."""
    words = (CATATONIT + "Exec format error").removeprefix(lost)
    assert "not be run: exec format error. Its image is for other processors" in cannot_run(words, "arm64")


@pytest.mark.parametrize(
    "words", ["exec /game failed: No such file or directory", "No such file or directory", "no Exec format error here"]
)
def test_what_is_no_failure_of_the_init_is_not_taken_for_one(words: str) -> None:
    assert cannot_run(words, "amd64") == ""


@pytest.mark.parametrize(
    ("status", "message", "kind", "told"),
    [
        (500, "starting userland proxy: listen tcp4 127.0.0.1:2: bind: address already in use", PortTaken, "in use"),
        (500, "Bind for 127.0.0.1:27997 failed: port is already allocated", PortTaken, "27997"),
        (500, "cannot listen on the UDP port: listen udp4 :1: bind: address already in use", PortTaken, "UDP"),
        (404, "No such image: localhost/x:1", ImageMissing, "localhost/x:1"),
        (404, "no such image: localhost/x:1: image not known", ImageMissing, "localhost/x:1"),
        (404, "No such container: x", NotStarted, "No such container"),
        (400, "No command specified", NotStarted, "neither CMD nor ENTRYPOINT"),
        (500, "no command or entrypoint provided, and no CMD or ENTRYPOINT from image", NotStarted, "neither CMD"),
        (400, 'exec: "/x": exec format error: unknown', NotStarted, "processors than this host's (amd64)"),
        (400, 'exec: "x": executable file not found in $PATH', NotStarted, "does not have the program"),
    ],
)  # fmt: skip
def test_why_it_was_not_started(status: int, message: str, kind: type[NotStarted], told: str) -> None:
    error = refusal(status, message, "amd64")
    assert type(error) is kind
    assert told in str(error)


@pytest.mark.parametrize(
    ("status", "message", "taken"),
    [
        (409, 'Conflict. The container name "/a" is already in use by container "b".', True),
        (500, 'creating container storage: the container name "a-x" is already in use by b: that name is in use', True),
        (500, "listen tcp4 127.0.0.1:27999: bind: address already in use", False),
    ],
)  # fmt: skip
def test_whether_the_name_is_taken(status: int, message: str, taken: bool) -> None:
    assert name_taken(status, message) is taken


def launch(**more: object) -> Launch:
    ports = [Port("default", UDP, 20_001, 7777), Port("query", TCP, 20_002, 7777)]
    told: dict[str, object] = {"image": "localhost/i:1", **more}
    return Launch("s-1", Path("/b"), "", {"KEY": "s3cret!"}, ports, 0.5, 256, **told)  # type: ignore[arg-type]


def test_a_container_is_always_held() -> None:
    for kind in ("docker", "podman"):
        body = spec.configuration(launch(log_limit=1 << 20), spec.Ground("h", "far", kind, bind="127.0.0.1"))
        host = body["HostConfig"]
        assert (host["Init"], host["PidsLimit"], host["RestartPolicy"]) == (True, 1024, {"Name": "no"})
        assert (host["Memory"], host["MemorySwap"], host["NanoCpus"]) == (256 << 20, 256 << 20, 500_000_000)
        assert host["CapDrop"] == ["ALL"]
        assert host["SecurityOpt"] == ["no-new-privileges"]
        assert "Privileged" not in host
        assert "Binds" not in host
        assert body["Labels"] == {
            "innkeeper.house": "h",
            "innkeeper.host": "far",
            "innkeeper.server": "s-1",
            "innkeeper.ports": "udp:7777:20001,tcp:7777:20002",
        }
        assert spec.read_ports(body["Labels"]["innkeeper.ports"]) == tuple(
            Port("", port.transport, port.number, port.inside) for port in launch().ports
        )
        assert host["PortBindings"] == {
            "7777/udp": [{"HostIp": "127.0.0.1", "HostPort": "20001"}],
            "7777/tcp": [{"HostIp": "127.0.0.1", "HostPort": "20002"}],
        }
        assert ("Ulimits" in host) is (kind == "podman")


def test_what_a_container_runs_and_which_ports_nobody_waits_for() -> None:
    ground = spec.Ground("h", "far")
    plain = spec.configuration(launch(), ground)
    assert not plain.keys() & {"Entrypoint", "Cmd"}
    said = spec.configuration(launch(entrypoint="/a 'b c'", arguments='--map "$HOME"'), ground)
    assert (said["Entrypoint"], said["Cmd"]) == (["/a", "b c"], ["--map", "$HOME"])
    assert "Entrypoint" not in spec.configuration(launch(arguments="x"), ground)
    ports = [Port("", UDP, 20_001, 7777), Port("", TCP, 20_001, 20_001, awaited=False)]
    label = spec.write_ports(ports)
    assert label == "udp:7777:20001,tcp:20001:20001:unawaited"
    assert spec.read_ports(label) == tuple(ports)
    for wrong in ({"entrypoint": "a 'b"}, {"arguments": 'a "b'}, {"arguments": "a \0"}, {"entrypoint": "\udcff"}):
        with pytest.raises(NotStarted):
            spec.check(launch(**wrong))


def test_networks() -> None:
    def made(network: spec.Network) -> tuple[object, bool, bool]:
        body = spec.configuration(launch(), spec.Ground("h", "far", network=network))
        host = body["HostConfig"]
        return host["NetworkMode"], "PortBindings" in host, "NET_BIND_SERVICE" in host["CapAdd"]

    assert made("published") == ("bridge", True, True)
    assert made("isolated") == ("innkeeper-h", True, True)
    assert made("host") == ("host", False, False)  # there it could take the machine's own low ports


def test_read_only() -> None:
    host = spec.configuration(launch(), spec.Ground("h", "far", read_only=True))["HostConfig"]
    assert host["ReadonlyRootfs"] is True
    assert "/tmp" in host["Tmpfs"]


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ({"image": ""}, "runs containers alone"),
        ({"env": {"A=B": ""}}, "'A=B'"),
        ({"env": {"A": "x\0y"}}, "'A'"),
        ({"env": {"A": "\udc80"}}, "no text"),
        ({"server_id": "../x"}, "no id"),
    ],
)
def test_what_no_engine_would_start(bad: dict[str, object], told: str) -> None:
    fields = {name: getattr(launch(), name) for name in ("server_id", "build", "command", "env", "ports", "cpu")}
    wrong = Launch(**{**fields, "memory_mb": 1, "image": "i", **bad})  # type: ignore[arg-type]
    with pytest.raises(NotStarted, match=told):
        spec.check(wrong)


def test_secrets_are_taken_out_of_an_engines_words() -> None:
    assert spec.without_values("invalid: KEY=s3cret!", launch()) == "invalid: KEY=***"


@pytest.mark.parametrize("label", ["nonsense", "udp:x:1", "sctp:1:2", "udp:1"])
def test_a_label_that_somebody_else_wrote(label: str) -> None:
    assert spec.read_ports(label) == ()


TABLE = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1E61 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0000 100 0 0 10 0
   1: 0100007F:1E62 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12 1 0000 100 0 0 10 0
   2: 020011AC:1E61 030011AC:D431 01 00000000:00000000 00:00000000 00000000     0        0 13 1 0000 100 0 0 10 0
"""


def test_sockets_are_read() -> None:
    every, loopback, connection = nets.read_table(TCP, TABLE)
    assert (every.port, every.loopback, every.serves, every.connected, every.inode) == (7777, False, True, False, 11)
    assert (loopback.port, loopback.loopback, loopback.serves) == (7778, True, True)
    assert (connection.port, connection.serves, connection.connected) == (7777, False, True)


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("00000000000000000000000000000000", False),
        ("00000000000000000000000001000000", True),
        ("0000000000000000FFFF00000100007F", True),
        ("0000000000000000FFFF0000020011AC", False),
    ],
)
def test_loopback_of_both_families(address: str, loopback: bool) -> None:
    one = nets.read_line(UDP, ["0:", f"{address}:1E61", "0", "07"])
    assert one is not None
    assert one.loopback is loopback


def test_which_ports_are_bound() -> None:
    ports = [Port("a", TCP, 20_001, 7777), Port("b", TCP, 20_002, 7778), Port("c", UDP, 20_003, 7777)]
    sockets = list(nets.read_table(TCP, TABLE))
    assert bound_of(ports, sockets, own_network=True, own=None) == [ports[0]]  # on loopback nobody reaches it
    there = [Port("a", TCP, 7777), Port("b", TCP, 7778)]
    assert bound_of(there, sockets, own_network=False, own=None) == there
    assert bound_of(there, sockets, own_network=False, own=frozenset({12})) == [there[1]]  # the other is a neighbour's


@pytest.mark.parametrize(
    ("age", "took", "far", "seconds"),
    [(0.1, 0, False, 0.002), (1, 0, False, 0.01), (60, 0, False, 0.25), (0.1, 0.02, False, 0.04), (0.1, 0, True, 0.02)],
)
def test_looks_are_seldom_enough(age: float, took: float, far: bool, seconds: float) -> None:
    assert pause(age, took, far=far) == seconds


def test_frames_are_taken_away_wherever_they_are_cut() -> None:
    stream = b"\1\0\0\0\0\0\0\3one" + b"\2\0\0\0\0\0\0\1\n" + b"\1\0\0\0\0\0\0\0" + b"\1\0\0\0\0\0\0\4two\n"
    for size in range(1, len(stream)):
        frames = raw.Frames()
        parts = [frames.feed(stream[at : at + size]) for at in range(0, len(stream), size)]
        assert b"".join(parts) == b"one\ntwo\n"


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2026-11-21T16:29:53.346651368Z", 1_795_278_593_346_651),
        ("2026-11-21T16:29:53Z", 1_795_278_593_000_000),
        ("2026-11-21T17:29:53.5+01:00", 1_795_278_593_500_000),
        ("0001-01-01T00:00:00Z", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_an_engines_time(stamp: str | None, expected: int) -> None:
    assert micros(stamp) == expected


def test_figures() -> None:
    docker = {
        "cpu_stats": {"cpu_usage": {"total_usage": 1_500_000_000}},
        "memory_stats": {"usage": 1000, "stats": {"total_inactive_file": 400}},
        "networks": {"eth0": {"tx_bytes": 7}, "eth1": {"tx_bytes": 5}},
    }
    assert usage.read(docker, 2) == Usage(1.5, 600, 2, 12)
    podman = {**docker, "memory_stats": {"usage": 900}, "networks": None}
    assert usage.read(podman, None) == Usage(1.5, 900, None, None)
    assert usage.read({"cpu_stats": {"cpu_usage": {"total_usage": 0}}, "memory_stats": {}}, None) is None
    assert usage.read({}, None) is None


def test_notes_are_kept(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "notes")
    assert notes.read() == {}
    note = Note("c", ready_at=1, asked=True, ended=("exit", 3, 5, "no map"))
    notes.write("s-1", note)
    notes.write("s-2", Note("d"))
    (tmp_path / "notes" / "s-3.json").write_text("{")  # of a disk that was full
    assert notes.read() == {"s-1": note, "s-2": Note("d")}
    notes.remove("s-1")
    notes.remove("s-1")
    assert set(notes.read()) == {"s-2"}


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("unix://docker.sock", "names no socket"),
        ("tcp://10.0.0.1", "names no host and port"),
        ("tcp://10.0.0.1:2375", "without TLS"),
        ("ssh:///x", "names no host"),
        ("ssh://me:word@far", "no password"),
        ("http://far:1", "begins with unix"),
        ("ssh://me:word@far:many", "no URL"),
        ("docker.sock", "begins with unix"),
    ],
)
def test_endpoints_that_may_not_be_used(url: str, told: str) -> None:
    with pytest.raises(ValueError, match=told) as refused:
        Endpoint(url)
    assert "word@" not in str(refused.value)


@pytest.mark.parametrize(
    ("endpoint", "local"),
    [
        (Endpoint("unix:///run/docker.sock"), True),
        (Endpoint("tcp://127.0.0.1:2375"), True),
        (Endpoint("tcp://10.0.0.1:2375", insecure=True), False),
        (Endpoint("tcp://10.0.0.1:2376", tls_ca=Path("ca.pem")), False),
        (Endpoint("ssh://me@far:22/run/podman/podman.sock"), False),
    ],
)
def test_endpoints_that_may_be_here(endpoint: Endpoint, local: bool) -> None:
    assert endpoint.is_local is local


def test_tls_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="given together"):
        Endpoint("tcp://far:1", tls_certificate=tmp_path)
    with pytest.raises(ValueError, match=r"TLS file .*/none for tcp://far:1 cannot be read: No such file"):
        Endpoint("tcp://far:1", tls_ca=tmp_path / "none").context()
    (tmp_path / "letter").write_text("Dear Innkeeper")
    with pytest.raises(ValueError, match="cannot be used"):
        Endpoint("tcp://far:1", tls_ca=tmp_path / "letter").context()


def test_our_own_standing_still_is_not_the_hosts_silence() -> None:
    clock = ManualClock()
    silence = Silence(clock)
    assert silence.ended() == 0
    for _ in range(4):
        clock.advance(0.5)
        silence.beat()
    assert (silence.since, silence.stalls, silence.late) == (None, 0, 0)
    fell = clock.now()
    assert silence.fell(fell)
    assert not silence.fell(fell + 1)  # silent already
    clock.advance(0.6)
    silence.beat()
    assert silence.since == fell
    clock.advance(31)  # the machine slept
    assert silence.since == fell + 30 * SECOND  # told at once, by whoever asks first
    silence.beat()
    assert (silence.since, silence.stalls) == (fell + 30 * SECOND, 1)
    clock.advance(0.4)
    silence.beat()
    assert silence.ended() == pytest.approx(2.0)
    assert silence.since is None


@pytest.mark.parametrize(
    ("info", "cpu", "memory_mb"),
    [({"NCPU": 8, "MemTotal": 16 << 30}, 8.0, 16384.0), ({}, None, None), ({"NCPU": 0, "MemTotal": 0}, None, None)],
)
def test_what_an_engine_says_of_its_machine(info: dict[str, int], cpu: float | None, memory_mb: float | None) -> None:
    told = abilities(
        SimpleNamespace(kind="docker", version="1", architecture="amd64", endpoint=Endpoint("unix:///x")),  # type: ignore[arg-type]
        info,
        SimpleNamespace(network="isolated"),  # type: ignore[arg-type]
    )
    assert (told.machine_cpu, told.machine_memory_mb) == (cpu, memory_mb)
