"""Which numbers the ports of a server get: one that players dial and the program binds, and one for both transports."""

from __future__ import annotations

import msgspec
import pytest

from innkeeper.engines.base import Transport
from innkeeper.engines.fake import FakeEngine
from innkeeper.engines.fake_images import FakeImages
from innkeeper.engines.ports import NoPortLeft, PortTable
from innkeeper.hosting.addresses import awaited_ports
from innkeeper.hosting.hosts import Host, transports_of
from innkeeper.hosting.model import GivenPort, PortSpec
from innkeeper.kit.clock import ManualClock

UDP, TCP = Transport.UDP, Transport.TCP


def host(
    first: int, last: int, *, containers: bool = True, taken: frozenset[tuple[int, Transport]] = frozenset()
) -> Host:
    table = PortTable(first, last, 60, lambda *port: port not in taken)
    engine = FakeEngine(ManualClock())
    return Host("h", engine, table, "203.0.113.9", images=FakeImages(engine) if containers else None)


@pytest.mark.parametrize(
    ("transport", "transports"),
    [("udp", (UDP,)), ("tcp", (TCP,)), ("tls", (TCP,)), ("tcp+udp", (TCP, UDP))],
)
def test_by_what_a_port_is_reached(transport: str, transports: tuple[Transport, ...]) -> None:
    assert transports_of(transport) == transports


@pytest.mark.parametrize(
    ("spec", "containers", "given"),
    [
        (PortSpec("a", "udp", 7777), True, GivenPort("a", "udp", 100, inside=7777)),
        (PortSpec("a", "udp", 7777), False, GivenPort("a", "udp", 100)),
        (PortSpec("a", "udp", 0), True, GivenPort("a", "udp", 100)),
        (PortSpec("a", "tcp+udp", 0, awaited=False), True, GivenPort("a", "tcp+udp", 100, awaited=False)),
        (PortSpec("a", "tls", 0), True, GivenPort("a", "tls", 101, 100, inside=101)),
        (PortSpec("a", "tls", 0), False, GivenPort("a", "tls", 101, 100)),
        (PortSpec("a", "tls", 80, awaited=False), True, GivenPort("a", "tls", 101, 100, inside=80, awaited=False)),
    ],
)
def test_a_port_of_zero_is_the_one_that_players_dial(spec: PortSpec, containers: bool, given: GivenPort) -> None:
    found = host(100, 109, containers=containers).give_ports([spec], 0)
    assert found == [given]
    assert msgspec.json.decode(msgspec.json.encode(found), type=list[GivenPort]) == found


def test_two_ports_of_a_container_are_never_one_inside() -> None:
    wanted = [PortSpec("fixed", "udp", 100), PortSpec("own", "udp", 0)]
    given = host(100, 109).give_ports(wanted, 0)
    assert [port.inside or port.number for port in given] == [100, 102]
    assert [port.number for port in given] == [101, 102]
    with pytest.raises(NoPortLeft):
        host(100, 101).give_ports(wanted, 0)


def test_a_number_for_both_transports_is_free_for_both() -> None:
    taken = frozenset({(100, UDP), (101, TCP)})
    wanted = [PortSpec("a", "tcp+udp", 7777), PortSpec("b", "tcp", 7778)]
    assert [port.number for port in host(100, 109, taken=taken).give_ports(wanted, 0)] == [102, 103]


def test_nobody_is_told_to_bind_what_is_not_awaited() -> None:
    ports = [GivenPort("a", "udp", 100), GivenPort("b", "tcp", 101, awaited=False)]
    assert awaited_ports(msgspec.json.encode(ports).decode(), ()) == "udp 100 (a)"
