"""Rooms by the hundred thousand, by 64 clients at once: no seat is given twice, and nobody is told of no space falsely.

All servers there can be are running (no port is left), so whoever overlooks a free seat has to refuse a room.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from api.wire import ask
from factories import TOKYO, TestInn, opened_inn
from innkeeper.db.database import Statement, Steps

CLIENTS, SERVERS, SEATS = 64, 20, 100
#: Rooms that a client keeps open at most: all together fill the house but for a few seats.
KEPT = SERVERS * SEATS // CLIENTS


def standing() -> Steps[list[tuple[int, int, int]]]:
    """Of each server: its seats, how many are taken on record, and how many rooms sit there."""
    rows = yield Statement(
        "select s.seats, s.taken, (select count(*) from rooms r where r.server_id = s.id and r.state = 'seated')"
        " from servers s"
    )
    return [(row[0], row[1], row[2]) for row in rows]


async def crowd(inn: TestInn, rooms: int) -> float:
    """Open so many rooms and destroy nearly all of them; the seconds it took."""
    game = await inn.game(seats=SEATS)
    for _ in range(SERVERS):
        await game.cloud.processes_v3.create_process(TOKYO)
    await inn.settle()
    assert inn.host.ports.free_count(inn.clock.now()) == 0
    create, destroy = f"/rooms/v2/{game.app_id}/create", f"/rooms/v2/{game.app_id}/destroy/"
    held: Counter[str] = Counter()
    left = rooms

    async def client(number: int) -> None:
        nonlocal left
        chance = random.Random(number)
        mine: list[tuple[str, str]] = []
        while left > 0:
            left -= 1
            answer = await ask(inn, "POST", create, b'{"region":"Tokyo"}', token=inn.token)
            assert answer.status == 201, answer
            told = answer.json
            mine.append((told["roomId"], told["processId"]))
            held[told["processId"]] += 1
            assert held[told["processId"]] <= SEATS, "a seat was given twice"
            while len(mine) >= KEPT or (mine and chance.random() < 0.4):
                room, process = mine.pop(chance.randrange(len(mine)))
                held[process] -= 1  # from the moment it is asked for, somebody else may get the seat
                answer = await ask(inn, "POST", destroy + room, token=inn.token)
                assert answer.status == 204, answer

    begun = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    seconds = time.perf_counter() - begun
    for seats, taken, seated in await inn.inn.db.read(standing):
        assert taken == seated <= seats
    assert sum(taken for _, taken, _ in await inn.inn.db.read(standing)) == sum(held.values())
    return seconds


@pytest.mark.parametrize(
    ("house_url", "rooms"),
    [
        ("sqlite", 2_000),
        ("postgresql", 2_000),
        pytest.param("sqlite", 100_000, marks=pytest.mark.slow),
        pytest.param("postgresql", 20_000, marks=pytest.mark.slow),
    ],
    indirect=["house_url"],
)
async def test_a_crowd_gets_its_rooms(
    house_url: str, tmp_path: Path, rooms: int, capsys: pytest.CaptureFixture[str]
) -> None:
    async with opened_inn(tmp_path / "data", house_url, ports=(30_000, 30_000 + SERVERS - 1)) as inn:
        seconds = await crowd(inn, rooms)
        with capsys.disabled():
            print(f"\n{rooms} rooms by {CLIENTS} clients on {inn.inn.db.kind}: {rooms / seconds:,.0f}/s, no seat twice")
