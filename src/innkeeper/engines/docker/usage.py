"""What containers use now. Called by ``engine.py``."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from innkeeper.engines.base import HostUnavailable, ServerId, Transport, Usage

from . import raw
from .client import Client, DockerError
from .local import Local
from .nets import Socket
from .records import Record
from .shell import NoShell, Shell

_AT_ONCE = 8
_TCP = (Transport.TCP,)


async def usage(client: Client, records: Sequence[Record], *, own_network: bool) -> Mapping[ServerId, Usage]:
    """What these use; those that end meanwhile are left out. Raises :class:`HostUnavailable`."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(record: Record) -> Usage | None:
        near = None if record.local is None else await asyncio.to_thread(seen, record.local, record, own_network)
        if near is not None:
            return near if record.report.alive else None
        async with slots:
            try:
                async with client.call("telling what a container uses"):
                    stats = await raw.stats(client.docker, record.container)
            except DockerError:
                return None
            connections = await _connections(client, record, own_network)
            return read(stats or {}, connections) if record.report.alive else None

    found = await asyncio.gather(*(one(record) for record in records))
    return {record.server_id: used for record, used in zip(records, found, strict=True) if used is not None}


def seen(local: Local, record: Record, own_network: bool) -> Usage | None:
    """What a container on this machine uses, read from the kernel: Docker takes up to a second to tell the same."""
    cpu, memory = local.cpu_seconds(), local.memory_bytes()
    if cpu is None or memory is None:
        return None
    numbers = _tcp_numbers(record)
    connections = connected(local.sockets(_TCP), numbers) if numbers else None
    return Usage(cpu, memory, connections, local.sent_bytes() if own_network else None)


def read(stats: Mapping[str, Any], connections: int | None) -> Usage | None:
    """An engine's figures as ours; None when it told of a container that had ended.

    Pages of files that the kernel could drop are not counted as its memory, where the engine tells them apart.
    """
    cpu = ((stats.get("cpu_stats") or {}).get("cpu_usage") or {}).get("total_usage")
    memory = stats.get("memory_stats") or {}
    used = memory.get("usage")
    if cpu is None or (not used and not cpu):
        return None
    detail = memory.get("stats") or {}
    cached = next((int(detail[name]) for name in ("total_inactive_file", "inactive_file") if name in detail), 0)
    networks = stats.get("networks")
    sent = None if not networks else sum(int(one.get("tx_bytes", 0)) for one in networks.values())
    return Usage(int(cpu) / 1e9, max(0, int(used or 0) - cached), connections, sent)


def connected(sockets: Sequence[Socket], numbers: frozenset[int]) -> int:
    """How many TCP connections to these ports are open."""
    return sum(1 for socket in sockets if socket.connected and socket.port in numbers)


def _tcp_numbers(record: Record) -> frozenset[int]:
    tcp = [port for port in record.ports if port.transport is Transport.TCP]
    return frozenset(port.bound for port in tcp)


async def _connections(client: Client, record: Record, own_network: bool) -> int | None:
    numbers = _tcp_numbers(record)
    if not numbers:
        return None
    shell = Shell(client, record.container, own_network=own_network)
    try:
        return connected(await shell.sockets(_TCP), numbers)
    except (NoShell, DockerError, HostUnavailable, OSError):
        return None
    finally:
        await shell.close()
