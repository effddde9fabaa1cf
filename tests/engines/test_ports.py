"""Ports are handed out once, as late as possible again, and never to two servers."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from innkeeper.engines.base import Transport
from innkeeper.engines.ports import (
    NoPortLeft,
    PortTable,
    can_bind,
    default_range,
    ephemeral_range,
    lowest_open_port,
    overlap_note,
)
from innkeeper.kit.clock import SECOND

UDP, TCP = Transport.UDP, Transport.TCP


def free(port: int, transport: Transport) -> bool:
    return True


def test_a_port_is_reused_as_late_as_possible() -> None:
    table = PortTable(1, 4, 10, free)
    assert table.take(2, [UDP, TCP], now=0) == [1, 2]
    table.release(1, now=0)
    assert table.take(1, [UDP], now=0) == [3]
    table.release(3, now=5 * SECOND)
    assert table.take(1, [UDP], now=10 * SECOND) == [4]  # 1 is free again, behind 4
    assert table.take(1, [UDP], now=10 * SECOND) == [1]
    with pytest.raises(NoPortLeft):
        table.take(1, [UDP], now=14 * SECOND)
    assert table.take(1, [UDP], now=15 * SECOND) == [3]


def test_exhaustion_says_what_there_is_and_what_to_do() -> None:
    table = PortTable(100, 104, 60, lambda port, transport: port != 103, setting="ports.range")
    table.take(2, [UDP, UDP], now=0)
    table.release(100, now=0)
    with pytest.raises(NoPortLeft) as caught:
        table.take(3, [UDP, UDP, UDP], now=0)
    assert str(caught.value) == (
        "no 3 free ports: of the 5 ports 100-104, 1 are in use, 1 in quarantine and 1 taken by other programs; "
        "widen the range with the setting 'ports.range'"
    )
    assert table.in_use == {101}  # all or none
    assert table.take(2, [UDP, UDP], now=0) == [102, 104]


def test_a_port_of_a_stranger_is_passed_over_and_asked_about_again() -> None:
    strangers = {(1, UDP)}
    table = PortTable(1, 3, 0, lambda port, transport: (port, transport) not in strangers)
    assert table.take(1, [UDP], now=0) == [2]
    strangers.clear()
    assert table.take(2, [UDP, UDP], now=0) == [3, 1]


def test_the_database_knows_better_after_a_restart() -> None:
    table = PortTable(1, 4, 10, free)
    table.hold(1)
    table.hold(2, released_at=5 * SECOND)
    table.hold(3, released_at=1 * SECOND)
    table.hold(9)  # of a wider range, in its days
    assert table.in_use == {1, 9}
    assert table.take(1, [UDP], now=5 * SECOND) == [4]
    assert table.take(1, [UDP], now=11 * SECOND) == [3]
    table.release(9, now=11 * SECOND)
    assert table.take(1, [UDP], now=15 * SECOND) == [2]
    with pytest.raises(NoPortLeft):
        table.take(1, [UDP], now=100 * SECOND)


@pytest.mark.parametrize(("first", "last"), [(0, 5), (5, 4), (1, 65536)])
def test_a_range_that_is_none_is_refused(first: int, last: int) -> None:
    with pytest.raises(ValueError, match="ports: a port range"):
        PortTable(first, last, 0, free)


@pytest.mark.parametrize(
    ("ephemeral", "expected"),
    [
        (None, (20_000, 29_999)),
        ((32_768, 60_999), (20_000, 29_999)),
        ((15_000, 65_000), (5_000, 14_999)),
        ((1_024, 39_999), (40_000, 49_999)),
        ((1_024, 65_000), (65_001, 65_535)),
        ((1_024, 65_535), (20_000, 29_999)),
    ],
)
def test_the_default_range_keeps_clear_of_outgoing_connections(
    ephemeral: tuple[int, int] | None, expected: tuple[int, int]
) -> None:
    assert default_range(ephemeral) == expected


def test_an_overlap_is_told() -> None:
    assert overlap_note(20_000, 29_999, (32_768, 60_999)) is None
    note = overlap_note(30_000, 39_999, (32_768, 60_999))
    assert note is not None
    assert "30000-39999" in note
    assert "32768-60999" in note
    assert "20000-29999" in note


def test_the_ephemeral_range_is_read_where_the_machine_tells(tmp_path: Path) -> None:
    path = tmp_path / "range"
    assert ephemeral_range(path) is None
    path.write_text("32768\t60999\n")
    assert ephemeral_range(path) == (32_768, 60_999)
    path.write_text("nonsense")
    assert ephemeral_range(path) is None


@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::1")]
)
@pytest.mark.parametrize(("transport", "kind"), [(UDP, socket.SOCK_DGRAM), (TCP, socket.SOCK_STREAM)])
def test_whoever_holds_a_port_it_cannot_be_bound(
    family: socket.AddressFamily, address: str, transport: Transport, kind: socket.SocketKind
) -> None:
    with socket.socket(family, kind) as stranger:
        stranger.bind((address, 0))
        if kind is socket.SOCK_STREAM:
            stranger.listen()
        port = stranger.getsockname()[1]
        assert not can_bind(port, transport)
    assert can_bind(port, transport)


class TableRules(RuleBasedStateMachine):
    """Whatever is done to it: nobody gets what somebody has, or what rests."""

    def __init__(self) -> None:
        super().__init__()
        self.strangers: set[int] = set()
        self.table = PortTable(1, 8, 10, lambda port, transport: port not in self.strangers)
        self.now = 0
        self.used: set[int] = set()
        self.resting: dict[int, int] = {}

    @rule(count=st.integers(1, 4))
    def take(self, count: int) -> None:
        there = {
            port
            for port in range(1, 9)
            if port not in self.used and port not in self.strangers and self.resting.get(port, 0) <= self.now
        }
        if len(there) < count:
            with pytest.raises(NoPortLeft):
                self.table.take(count, [UDP] * count, self.now)
            return
        ports = self.table.take(count, [UDP] * count, self.now)
        assert len(set(ports)) == count
        assert set(ports) <= there
        self.used |= set(ports)

    @rule(port=st.integers(1, 8))
    def release(self, port: int) -> None:
        self.table.release(port, self.now)
        if port in self.used:
            self.used.discard(port)
            self.resting[port] = self.now + 10 * SECOND

    @rule(port=st.integers(1, 8), ago=st.none() | st.integers(0, 20))
    def hold(self, port: int, ago: int | None) -> None:
        released_at = None if ago is None else self.now - ago * SECOND
        self.table.hold(port, released_at)
        if port not in self.used:
            if released_at is None:
                self.resting.pop(port, None)
                self.used.add(port)
            else:
                self.resting[port] = max(self.resting.get(port, 0), released_at + 10 * SECOND)

    @rule(count=st.integers(1, 4))
    def take_and_put_back(self, count: int) -> None:
        try:
            ports = self.table.take(count, [UDP] * count, self.now)
        except NoPortLeft:
            return
        self.table.put_back(ports)
        assert self.table.take(count, [UDP] * count, self.now) == ports
        self.table.put_back(ports)

    @rule(seconds=st.integers(0, 15))
    def wait(self, seconds: int) -> None:
        self.now += seconds * SECOND

    @rule(ports=st.sets(st.integers(1, 8), max_size=3))
    def strangers_come_and_go(self, ports: set[int]) -> None:
        self.strangers = ports

    @invariant()
    def nothing_is_lost(self) -> None:
        assert self.table.in_use == self.used
        resting = sum(1 for port, until in self.resting.items() if port not in self.used and until > self.now)
        assert self.table.free_count(self.now) == 8 - len(self.used) - resting


TestTableRules = TableRules.TestCase
TestTableRules.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_the_lowest_port_for_programs_without_privileges_is_read_where_the_machine_tells(tmp_path: Path) -> None:
    path = tmp_path / "start"
    assert lowest_open_port(path) == 1024
    path.write_text("80\n")
    assert lowest_open_port(path) == 80
