"""The UDP echo: what is answered, and that it cannot be made to harm others."""

from __future__ import annotations

import asyncio
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.hosting.echo import MOST_BYTES, EchoGuard, UdpEcho
from innkeeper.kit.clock import ManualClock


def test_a_source_gets_so_many_answers_a_second() -> None:
    clock = ManualClock()
    guard = EchoGuard(clock, per_second=3)
    assert [guard.answers("10.0.0.1", 5000 + n, 10) for n in range(5)] == [True] * 3 + [False] * 2
    assert guard.answers("10.0.0.2", 5000, 10)
    clock.advance(1)
    assert guard.answers("10.0.0.1", 5000, 10)


def test_an_ipv6_network_is_one_source() -> None:
    guard = EchoGuard(ManualClock(), per_second=1)
    assert guard.answers("2001:db8::1", 5000, 10)
    assert not guard.answers("2001:db8::2", 5000, 10)
    assert guard.answers("2001:db8:1::1%eth0", 5000, 10)


@pytest.mark.parametrize(
    ("port", "size", "answered"), [(5000, 1024, True), (5000, 1025, False), (53, 10, False), (5000, 0, False)]
)
def test_long_packets_and_other_services_get_no_answer(port: int, size: int, answered: bool) -> None:
    assert EchoGuard(ManualClock()).answers("10.0.0.1", port, size) is answered


@given(st.lists(st.tuples(st.integers(0, 30), st.floats(0, 0.4)), max_size=200))
def test_whoever_asks_memory_and_answers_are_bounded(packets: list[tuple[int, float]]) -> None:
    clock = ManualClock()
    guard = EchoGuard(clock, per_second=4, sources=10)
    answered: dict[tuple[int, int], int] = {}
    for source, pause in packets:
        clock.advance(pause)
        second = clock.now() // 1_000_000
        if guard.answers(f"10.0.0.{source}", 5000, 1):
            answered[second, source] = answered.get((second, source), 0) + 1
        assert guard.remembered <= 10
    assert all(count <= 4 for count in answered.values())


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_packets_come_back_as_they_went(host: str) -> None:
    loop = asyncio.get_running_loop()
    echo = UdpEcho(EchoGuard(ManualClock(), per_second=3))
    port = await echo.start(host, 0)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as player:
        player.setblocking(False)
        player.bind((host, 0))
        packets = [b"", b"1", b"ping", bytes(MOST_BYTES + 1), b"\xff" * MOST_BYTES, b"one too many"]
        for packet in packets:
            await loop.sock_sendto(player, packet, (host, port))
        async with asyncio.timeout(10):
            answers = [await loop.sock_recv(player, 2048) for _ in range(3)]
        assert answers == [packets[1], packets[2], packets[4]]
        await echo.close()
        with pytest.raises(BlockingIOError):
            player.recv(2048)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind((host, port))  # the port is free
    await echo.close()


async def test_a_taken_port_is_an_error() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        echo = UdpEcho(EchoGuard(ManualClock()))
        with pytest.raises(OSError, match="in use"):
            await echo.start("127.0.0.1", other.getsockname()[1])
        await echo.close()
