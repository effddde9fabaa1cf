"""Rules of access: the script word for word, and what real packets make of it, in network namespaces of the test's own.

A guarded machine is one namespace, with programs that answer on its ports; players are in others, and on that machine.
"""

from __future__ import annotations

import ctypes
import os
import select
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any, TypeVar

import pytest

from innkeeper.engines.firewall.belonging import elsewhere
from innkeeper.engines.firewall.nftables import FirewallAway, Nftables, first_line, may_set_rules, run_nft
from innkeeper.engines.firewall.walls import Listed, Walls, listed, proof, script, table_of
from inns import needed, needs_root
from networks import Network, NetworkHost

T = TypeVar("T")
_CLONE_NEWNET = 0x40000000
#: How long an answer is waited for that does not come.
_SILENCE = 0.15


def addresses(*texts: str) -> Listed:
    return listed(ip_network(text) for text in texts)


NOBODY = addresses()


# -- the script -------------------------------------------------------------------------------------------------------


def test_without_walls_there_is_no_table() -> None:
    assert script("innkeeper-ab", Walls(), [0]) == "add table inet innkeeper-ab\ndelete table inet innkeeper-ab\n"


def test_the_whole_script() -> None:
    walls = Walls({20001: addresses("192.0.2.0/24", "2001:db8::/32"), 20002: NOBODY, 20003: NOBODY}, frozenset({20004}))
    assert script("innkeeper-ab", walls, [0, 7]).splitlines() == [
        "add table inet innkeeper-ab",
        "delete table inet innkeeper-ab",
        "table inet innkeeper-ab {",
        "  set guarded {",
        "    type inet_service",
        "    elements = { 20001, 20002, 20003, 20004 }",
        "  }",
        "  chain inside {",
        "    meta skuid { 0, 7 } accept",
        "    counter drop",
        "  }",
        "  set list-09034c5503048194-4 {",
        "    type ipv4_addr",
        "    flags interval",
        "    elements = { 192.0.2.0/24 }",
        "  }",
        "  set list-09034c5503048194-6 {",
        "    type ipv6_addr",
        "    flags interval",
        "    elements = { 2001:db8::/32 }",
        "  }",
        "  chain list-09034c5503048194 {",
        "    ip saddr @list-09034c5503048194-4 accept",
        "    ip6 saddr @list-09034c5503048194-6 accept",
        "    counter drop",
        "  }",
        "  set list-e3b0c44298fc1c14-4 {",
        "    type ipv4_addr",
        "    flags interval",
        "  }",
        "  set list-e3b0c44298fc1c14-6 {",
        "    type ipv6_addr",
        "    flags interval",
        "  }",
        "  chain list-e3b0c44298fc1c14 {",
        "    ip saddr @list-e3b0c44298fc1c14-4 accept",
        "    ip6 saddr @list-e3b0c44298fc1c14-6 accept",
        "    counter drop",
        "  }",
        "  map verdicts {",
        "    type inet_service : verdict",
        "    elements = { 20001 : goto list-09034c5503048194, 20002 : goto list-e3b0c44298fc1c14,"
        " 20003 : goto list-e3b0c44298fc1c14, 20004 : goto inside }",
        "  }",
        "  chain judge {",
        "    ct direction reply accept",
        "    th dport vmap @verdicts",
        "    drop",
        "  }",
        "  chain arriving {",
        "    type filter hook prerouting priority -150; policy accept;",
        '    iif "lo" accept',
        "    fib daddr type unicast accept",
        "    meta l4proto { tcp, udp } th dport @guarded goto judge",
        "  }",
        "  chain leaving {",
        "    type filter hook output priority -150; policy accept;",
        "    meta l4proto { tcp, udp } th dport @guarded fib daddr type local goto judge",
        "  }",
        "}",
    ]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], []),
        (["192.0.2.1/32", "192.0.2.0/24"], ["192.0.2.0/24"]),  # one within the other: nft would refuse both together
        (["192.0.2.128/25", "192.0.2.0/25", "192.0.2.0/25"], ["192.0.2.0/24"]),
        (["fe80::%a }\nflush ruleset #/64"], ["fe80::/64"]),
        (["::/0", "2001:db8::1/128", "0.0.0.0/0", "10.0.0.0/8"], ["0.0.0.0/0", "::/0"]),
        (["198.51.100.0/24", "192.0.2.0/24", "::1/128"], ["192.0.2.0/24", "198.51.100.0/24", "::1/128"]),
    ],
)
def test_networks_are_joined(texts: list[str], expected: list[str]) -> None:
    assert [str(one) for one in addresses(*texts).networks] == expected


def test_a_proof_leaves_nothing() -> None:
    first, *_, last = proof("innkeeper-ab", [0]).splitlines()
    assert (first, last) == ("add table inet innkeeper-ab-proof", "delete table inet innkeeper-ab-proof")


@pytest.mark.parametrize(
    ("status", "may"),
    [
        ("Name:\tx\nCapEff:\t000001ffffffffff\n", True),
        ("CapEff:\t0000000000001000\n", True),  # CAP_NET_ADMIN and nothing else
        ("CapEff:\t00000000a80425fb\n", False),  # root in a container as Docker makes it
        ("CapEff:\t0000000000000000\n", False),
        ("Name:\tx\n", False),
    ],
)
def test_who_may_set_rules(status: str, may: bool) -> None:
    assert may_set_rules(status) is may


def test_what_nft_complains_of_is_told_in_one_line() -> None:
    assert first_line("\nError: No such file or directory\nlist table inet nope\n     ^^^^\n") == (
        "Error: No such file or directory"
    )
    assert first_line("") == "it does not say why"


# -- how it is handed over --------------------------------------------------------------------------------------------


class PretendedNft:
    """Keeps the last script as if it were what the kernel tells."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.stands = ""
        self.refuses = ""

    def __call__(self, words: Sequence[str], told: str) -> tuple[int, str]:
        self.calls.append(words[-2] if words[0] == "-f" else "list")
        if self.refuses:
            return 1, self.refuses
        if words[0] == "-f":
            self.stands = told.partition("delete table")[2].partition("\n")[2]
            return 0, ""
        return (0, self.stands) if self.stands else (1, "Error: No such file or directory")


async def test_what_stands_is_not_written_again() -> None:
    nft = PretendedNft()
    firewall = Nftables("ab", nft)
    walls = Walls({20001: NOBODY})
    assert await firewall.hold(walls)
    assert not await firewall.hold(Walls({20001: NOBODY}))
    assert nft.calls == ["-f", "list", "list"]
    nft.stands = "flushed by somebody"
    assert await firewall.hold(walls)
    nft.stands = ""
    assert await firewall.hold(walls)
    assert await firewall.hold(Walls())
    assert not nft.stands
    assert not await firewall.hold(Walls())


async def test_another_house_writes_its_own_at_its_start() -> None:
    nft = PretendedNft()
    await Nftables("ab", nft).hold(Walls({20001: NOBODY}))
    assert await Nftables("ab", nft).hold(Walls({20002: NOBODY}))
    assert "20002" in nft.stands
    assert "20001" not in nft.stands


async def test_a_refusal_says_why() -> None:
    nft = PretendedNft()
    nft.refuses = "Error: Operation not supported"
    firewall = Nftables("ab", nft)
    assert await firewall.prove() == "this machine's kernel refuses the rules: Error: Operation not supported"
    with pytest.raises(FirewallAway, match="nft refuses the rules: Error: Operation not supported"):
        await firewall.hold(Walls({20001: NOBODY}))
    nft.refuses = ""
    assert await firewall.hold(Walls({20001: NOBODY}))  # nothing is believed to stand that was refused


# -- real packets -----------------------------------------------------------------------------------------------------


def within(place: NetworkHost, deed: Callable[[], T]) -> T:
    """Do it on a host of the network. Sockets that are made there stay there."""
    results: list[T] = []

    def go() -> None:
        fd = os.open(f"/var/run/netns/{place.namespace}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            assert ctypes.CDLL(None, use_errno=True).setns(fd, _CLONE_NEWNET) == 0
        finally:
            os.close(fd)
        results.append(deed())

    thread = threading.Thread(target=go)
    thread.start()
    thread.join()
    return results[0]


def address_of(place: NetworkHost, version: int = 4) -> str:
    return place.address if version == 4 else f"fd00:213::{place.address.rpartition('.')[2]}"


class Echo:
    """A game that says back what it hears, on one port, by UDP and by TCP, in both families."""

    def __init__(self, place: NetworkHost, number: int) -> None:
        self.udp = within(place, lambda: bound(socket.SOCK_DGRAM, number))
        self._tcp = within(place, lambda: bound(socket.SOCK_STREAM, number))
        self._tcp.listen()
        self._ends, self._end = socket.socketpair()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        waiting = [self._ends, self.udp, self._tcp]
        while self._ends not in (ready := select.select(waiting, [], [])[0]):
            for one in ready:
                if one is self._tcp:
                    waiting.append(one.accept()[0])
                elif one is self.udp:
                    said, sender = one.recvfrom(100)
                    if said == b"?":
                        one.sendto(said, sender)
                elif said := one.recv(100):
                    one.sendall(said)
                else:
                    waiting.remove(one)
                    one.close()
        for one in waiting:
            one.close()

    def close(self) -> None:
        self._end.close()
        self._thread.join()


def bound(kind: int, number: int) -> socket.socket:
    one = socket.socket(socket.AF_INET6, kind)
    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind(("::", number))
    return one


def reaches(place: NetworkHost, address: str, number: int, kind: int) -> bool:
    """Whether who is there gets an answer."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with within(place, lambda: socket.socket(family, kind)) as player:
        player.settimeout(_SILENCE)
        try:
            player.connect((address, number))
            player.send(b"?")
            return player.recv(100) == b"?"
        except (TimeoutError, PermissionError):  # who is on the machine itself is told at once
            return False


def ways(place: NetworkHost, address: str, number: int) -> tuple[bool, bool]:
    """Whether they get through by UDP, and by TCP."""
    return reaches(place, address, number, socket.SOCK_DGRAM), reaches(place, address, number, socket.SOCK_STREAM)


BOTH, NEITHER = (True, True), (False, False)


@dataclass
class Scene:
    """A guarded machine and two players."""

    machine: NetworkHost
    ada: NetworkHost
    ben: NetworkHost
    firewall: Nftables
    games: list[Echo] = field(default_factory=list)

    def game(self, number: int, place: NetworkHost | None = None) -> Echo:
        self.games.append(Echo(place or self.machine, number))
        return self.games[-1]

    def nft(self, words: Sequence[str], told: str) -> tuple[int, str]:
        return within(self.machine, lambda: run_nft(words, told))

    def table(self) -> str:
        return self.nft(["list", "ruleset"], "")[1]


def run(*words: str | Path) -> None:
    subprocess.run([*map(str, words)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def places() -> Iterator[list[NetworkHost]]:
    """A machine and two players' on a network, with addresses of both families."""
    needs_root("make networks")
    needed("/usr/sbin/nft", "nftables")
    with Network() as network:
        found = [network.host() for _ in range(3)]
        for place in found:
            run("ip", "-n", place.namespace, "address", "add", f"{address_of(place, 6)}/64", "dev", "eth0", "nodad")
        yield found


@pytest.fixture
def scene(places: list[NetworkHost]) -> Iterator[Scene]:
    found = Scene(*places, Nftables("ab"))
    found.firewall = Nftables("ab", found.nft)
    try:
        yield found
    finally:
        found.nft(["flush", "ruleset"], "")
        for game in found.games:
            game.close()


async def test_who_is_listed_gets_through_and_nobody_else(scene: Scene) -> None:
    machine, ada, ben = scene.machine, scene.ada, scene.ben
    for number in (20001, 20002, 20003, 20005):
        scene.game(number)
    assert await scene.firewall.prove() == ""
    assert scene.table() == ""
    walls = Walls(
        {
            20001: addresses(f"{ada.address}/32", f"{address_of(ada, 6)}/128"),
            20002: NOBODY,
            20005: addresses("0.0.0.0/0"),
        }
    )
    assert await scene.firewall.hold(walls)
    assert not await scene.firewall.hold(walls)
    for version in (4, 6):
        there = address_of(machine, version)
        assert ways(ada, there, 20001) == BOTH
        assert ways(ben, there, 20001) == NEITHER
        assert ways(machine, there, 20001) == NEITHER  # nor who is on that very machine
        assert ways(ada, there, 20002) == NEITHER
        assert ways(ben, there, 20003) == BOTH  # not guarded
        assert ways(ben, there, 20005) == (BOTH if version == 4 else NEITHER)
    assert ways(machine, "127.0.0.1", 20001) == NEITHER
    assert ways(machine, "::1", 20002) == NEITHER
    assert ways(machine, "127.0.0.1", 20003) == BOTH
    # What the machine's own programs ask of others is not meant, though the number is the same.
    scene.game(20002, ben)
    assert ways(machine, ben.address, 20002) == BOTH
    assert await scene.firewall.hold(Walls())
    assert scene.table() == ""
    assert ways(ben, machine.address, 20001) == BOTH


async def test_a_list_that_changes_changes_who_plays_on(scene: Scene) -> None:
    machine, ada = scene.machine, scene.ada
    game = scene.game(20001)
    scene.game(20002)
    listed = Walls({20001: addresses(f"{ada.address}/32")})
    await scene.firewall.hold(listed)
    with within(ada, lambda: socket.create_connection((machine.address, 20001))) as open_line:
        open_line.settimeout(_SILENCE)
        open_line.send(b"?")
        assert open_line.recv(1) == b"?"
        await scene.firewall.hold(Walls({20001: NOBODY}))
        open_line.send(b"?")
        with pytest.raises(TimeoutError):  # whoever was in is out
            open_line.recv(1)
        assert ways(ada, machine.address, 20001) == NEITHER
        await scene.firewall.hold(listed)
        open_line.settimeout(5)
        assert open_line.recv(1) == b"?"  # sent again, as TCP does
    await scene.firewall.hold(Walls({20001: NOBODY}))
    # The server asks somebody who is not listed, and hears the answer: nothing else is let in.
    with within(scene.ben, lambda: bound(socket.SOCK_DGRAM, 5000)) as stranger:
        stranger.settimeout(2)
        game.udp.sendto(b"whoami", (f"::ffff:{scene.ben.address}", 5000))
        said, sender = stranger.recvfrom(100)
        assert (said, sender[1]) == (b"whoami", 20001)
        stranger.sendto(b"?", sender)
        assert stranger.recv(100) == b"?"
    assert ways(scene.ben, machine.address, 20001) == NEITHER


async def test_a_port_that_leads_to_a_container_is_guarded_before(scene: Scene) -> None:
    """As container engines publish ports: their rules lead packets on, from elsewhere and from the machine itself."""
    machine, ada, ben = scene.machine, scene.ada, scene.ben
    scene.game(7777, ada)  # the container
    there = f"{ada.address}:7777"
    leads = f"meta l4proto {{ tcp, udp }} th dport 20001 fib daddr type local dnat ip to {there}"
    code, said = scene.nft(
        ["-f", "-"],
        f"""table inet docker {{
          chain in {{ type nat hook prerouting priority dstnat; {leads}
          }}
          chain out {{ type nat hook output priority -100; {leads}
          }}
          chain back {{ type nat hook postrouting priority srcnat; ip daddr {ada.address} masquerade
          }}
        }}""",
    )
    assert code == 0, said
    run(*machine.inside("sysctl", "-qw", "net.ipv4.ip_forward=1"))
    assert ways(ben, machine.address, 20001) == BOTH
    assert ways(machine, machine.address, 20001) == BOTH
    await scene.firewall.hold(Walls({20001: addresses("198.51.100.0/24")}))
    assert ways(ben, machine.address, 20001) == NEITHER
    assert ways(machine, machine.address, 20001) == NEITHER
    await scene.firewall.hold(Walls({20001: addresses(f"{ben.address}/32")}))
    assert ways(ben, machine.address, 20001) == BOTH
    assert ways(machine, machine.address, 20001) == NEITHER


async def test_behind_tls_only_those_are_heard_who_end_it(scene: Scene) -> None:
    machine = scene.machine
    scene.game(20001)
    walls = Walls({20002: NOBODY}, frozenset({20001}))
    await scene.firewall.hold(walls)
    assert ways(scene.ada, machine.address, 20001) == NEITHER
    assert ways(machine, "127.0.0.1", 20001) == BOTH  # this test is of the user who ends it
    strangers = Nftables("ab", lambda words, told: scene.nft(words, told.replace("skuid { 0, ", "skuid { ")))
    await strangers.hold(walls)
    assert ways(machine, "127.0.0.1", 20001) == NEITHER


async def test_rules_that_were_taken_away_stand_again(scene: Scene) -> None:
    machine, ben = scene.machine, scene.ben
    scene.game(20001)
    await scene.firewall.hold(Walls({20001: NOBODY}))
    scene.nft(["flush", "ruleset"], "")
    assert ways(ben, machine.address, 20001) == BOTH
    assert await scene.firewall.hold(Walls({20001: NOBODY}))
    assert ways(ben, machine.address, 20001) == NEITHER
    scene.nft(["flush", "chain", "inet", table_of("ab"), "arriving"], "")
    assert await scene.firewall.hold(Walls({20001: NOBODY}))
    assert ways(ben, machine.address, 20001) == NEITHER


async def test_many_ports_and_many_addresses(scene: Scene) -> None:
    """A thousand servers of one list, and one with a long list: one transaction, and the last of each is right."""
    scene.game(20999)
    many = addresses(*(f"10.99.{number >> 8}.{(number & 255) & ~1}/32" for number in range(2000)), "10.213.0.0/16")
    await scene.firewall.hold(Walls({**dict.fromkeys(range(20000, 20999), many), 20999: NOBODY}))
    assert ways(scene.ada, scene.machine.address, 20999) == NEITHER
    await scene.firewall.hold(Walls(dict.fromkeys(range(20000, 21000), many)))
    assert ways(scene.ada, scene.machine.address, 20999) == BOTH


# -- where an engine is -----------------------------------------------------------------------------------------------


def listening(path: Path) -> Any:
    one = socket.socket(socket.AF_UNIX)
    one.bind(str(path))
    one.listen()
    return one


def test_an_engine_on_our_network(tmp_path: Path) -> None:
    with listening(tmp_path / "engine.sock"):
        assert elsewhere(str(tmp_path / "engine.sock")) == ""
    assert elsewhere(str(tmp_path / "none.sock")) == (
        "nobody can tell whether its engine opens ports on Innkeeper's network"
    )


def test_an_engine_on_another_network(tmp_path: Path, scene: Scene) -> None:
    path = tmp_path / "engine.sock"
    code = (
        "import socket, sys\none = socket.socket(socket.AF_UNIX)\none.bind(sys.argv[1])\none.listen()\n"
        "print('listens', flush=True)\nsys.stdin.read()"
    )
    command = scene.machine.inside("/usr/bin/python3", "-c", code, path)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout
        assert engine.stdin
        assert engine.stdout.readline() == "listens\n"
        assert elsewhere(str(path)) == "its engine opens ports on another network than Innkeeper's"
        engine.stdin.close()


def test_an_engine_that_is_carried_here_from_elsewhere(tmp_path: Path) -> None:
    """A socket that SSH or the like forwards: it listens here, and the engine is somewhere else."""
    proc = tmp_path / "proc"
    for name in (str(os.getpid()), "self"):
        (proc / name / "ns").mkdir(parents=True)
        (proc / name / "ns" / "net").touch()
        (proc / name / "comm").write_text("ssh\n")
    with listening(tmp_path / "engine.sock"):
        assert elsewhere(str(tmp_path / "engine.sock"), proc) == (
            "its engine is reached through ssh and may be on another machine"
        )
