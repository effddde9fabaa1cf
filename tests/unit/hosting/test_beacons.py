"""A beacon sends back what comes by UDP and TCP, within bounds; it stands for locations of this machine."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import pytest

from innkeeper.engines.fake import FakeEngine
from innkeeper.engines.ports import PortTable
from innkeeper.hosting.beacons import MOST_BYTES, Beacon, Beacons, TcpEcho
from innkeeper.hosting.echo import EchoGuard
from innkeeper.hosting.hosts import Host, Hosts
from innkeeper.hostspecs import LOCAL
from innkeeper.kit.clock import ManualClock

HERE = "127.0.0.1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        return int(probe.getsockname()[1])


def host(name: str, machine: str, *locations: str) -> Host:
    clock = ManualClock()
    engine = FakeEngine(clock)
    table = PortTable(30_000, 30_009, 0, engine.port_is_free)
    return Host(name, engine, table, "198.51.100.7", frozenset(locations), machine=machine)


@pytest.fixture
async def tcp() -> AsyncGenerator[int, None]:
    echo = TcpEcho(EchoGuard(ManualClock(), per_second=3))
    port = await echo.start(HERE, 0)
    yield port
    await echo.close()


async def test_both_transports_answer_on_one_port() -> None:
    port = free_port()
    hosts = Hosts([host("here", LOCAL, "tokyo"), host("there", "fra-1", "frankfurt")])
    beacon = Beacons(ManualClock(), hosts, "play.example.org", port)
    assert beacon.of("tokyo") is None  # nobody answers yet
    await beacon.start(HERE)
    try:
        assert beacon.of("tokyo") == Beacon("play.example.org", port)
        assert beacon.of("frankfurt") is None  # players there would measure how far this machine is
        reader, writer = await asyncio.open_connection(HERE, port)
        writer.write(b"ping")
        assert await reader.readexactly(4) == b"ping"
        writer.close()
        await writer.wait_closed()
        assert await asyncio.to_thread(_udp, port, b"pong") == b"pong"
    finally:
        await beacon.close()
    assert beacon.of("tokyo") is None
    with pytest.raises(OSError, match=r"refused|Connect"):
        await asyncio.open_connection(HERE, port)


async def test_a_port_that_is_taken_leaves_nothing_behind() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((HERE, 0))
        port = taken.getsockname()[1]
        beacon = Beacons(ManualClock(), Hosts([host("here", LOCAL)]), HERE, port)
        with pytest.raises(OSError, match="in use"):
            await beacon.start(HERE)
        assert beacon.of("tokyo") is None
        with pytest.raises(OSError, match=r"refused|Connect"):
            await asyncio.open_connection(HERE, port)


async def test_without_a_port_there_is_none() -> None:
    beacon = Beacons(ManualClock(), Hosts([host("here", LOCAL)]), HERE, 0)
    await beacon.start(HERE)
    assert beacon.of("tokyo") is None
    await beacon.close()


async def test_a_connection_that_talks_too_much_is_closed(tcp: int) -> None:
    reader, writer = await asyncio.open_connection(HERE, tcp)
    writer.write(b"x" * (MOST_BYTES + 100))
    assert len(await reader.read()) == MOST_BYTES
    writer.close()


async def test_a_source_that_connects_too_often_is_cut_off(tcp: int) -> None:
    answers: list[Any] = []
    for _ in range(5):
        reader, writer = await asyncio.open_connection(HERE, tcp)
        try:
            writer.write(b"x")
            answers.append(await reader.read(1))
        except ConnectionError:
            answers.append(b"")
        writer.close()
    assert answers == [b"x", b"x", b"x", b"", b""]


async def test_one_that_stays_is_cut_off() -> None:
    echo = TcpEcho(EchoGuard(ManualClock()), stay=0.01)
    port = await echo.start(HERE, 0)
    try:
        reader, writer = await asyncio.open_connection(HERE, port)
        with suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
    finally:
        await echo.close()


def _udp(port: int, data: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(5)
        line.sendto(data, (HERE, port))
        return line.recv(100)
