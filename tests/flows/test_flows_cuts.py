"""The power goes out at every single write to the database and every call of the host, one after the other.

Each time the same life is lived with one deed cut off, before or after it was done; the house goes on in the same
process or in a new one; and it must come to the same end: nothing started twice, no room over without a reason.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from typing import Any

import pytest

from factories import Game, TestInn
from innkeeper.contract.hathora.processes_v3 import ProcessStatus
from innkeeper.engines.base import EndedBy, Launch
from innkeeper.engines.fake import Behaviour
from troubled import Cut

#: How the server of a room behaves, by the room's config.
BEHAVIOURS = {
    "well": Behaviour(),
    "slow": Behaviour(start_takes=2),
    "refused": Behaviour(refuse="no such file"),
    "crashes": Behaviour(crash_after=1, crash_code=7),
    "stubborn": Behaviour(ignore_term=True),
}


def plan(launch: Launch) -> Behaviour:
    return BEHAVIOURS.get(launch.env["HATHORA_INITIAL_ROOM_CONFIG"], Behaviour())


async def passes(inn: TestInn, restart: bool) -> None:
    """Settle. Where the power goes out, go on as told."""
    while True:
        inn.trouble.on = True
        try:
            await inn.settle()
            return
        except Cut:
            inn.trouble.on = False
            if restart:
                await inn.restart()
        finally:
            inn.trouble.on = False


async def life(inn: TestInn, game: Game, *, restart: bool) -> Any:
    """Everything that a keeper has to do, and what came of it."""
    rooms = {config: await game.room(room_config=config) for config in BEHAVIOURS}
    kept = await inn.game()
    await kept.order(1, 2, 3)
    await passes(inn, restart)
    for seconds in (1, 1):
        inn.clock.advance(seconds)
        await passes(inn, restart)
    await game.cloud.processes_v3.stop_process(rooms["stubborn"].process_id)
    await game.cloud.rooms_v2.destroy_room(rooms["slow"].room_id)
    await kept.release(seats=1)
    for seconds in (1, 10, 6, 1, 300, 1, 20, 1):
        inn.clock.advance(seconds)
        await passes(inn, restart)
    standing = Counter(str(process.status) for process in await kept.processes())
    newest = {process.deployment_id for process in await kept.processes(status=[ProcessStatus.RUNNING])}
    assert newest == {kept.deployment.deployment_id}
    await kept.cloud.apps_v2.delete_app()
    processes = await game.processes()
    ended = [await game.info(room) for room in rooms.values()]
    told: Counter[Any] = Counter()
    for process in processes:
        reason = re.sub(r"; .*|\d{5}", "", str(process.summary_exit_reason or ""))
        told[str(process.status), reason] += 1
    return standing, told, [str(room.status) for room in ended]


@pytest.mark.slow
@pytest.mark.parametrize("restart", [False, True], ids=["goes-on", "restarts"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_wherever_a_pass_is_cut_off_the_end_is_the_same(small_inn: TestInn, after: bool, restart: bool) -> None:
    await every_cut(small_inn, after, restart)


@pytest.mark.slow
@pytest.mark.parametrize("house_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("restart", [False, True], ids=["goes-on", "restarts"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_the_same_on_postgresql(inn: TestInn, after: bool, restart: bool) -> None:
    await every_cut(inn, after, restart)


async def every_cut(inn: TestInn, after: bool, restart: bool) -> None:
    """Live the life again and again, and cut it off at its first deed, its second, and so on to the last."""
    inn.engine.plan = plan
    inn.trouble.arm(None)
    expected = await life(inn, await inn.game(), restart=False)
    assert expected[0] == {"running": 2, "stopped": 2}
    assert {status for status, _ in expected[1]} == {"running", "stopped", "failed"}
    number, cut = 0, 0
    while True:
        number += 1
        game = await inn.game()
        inn.trouble.arm(number, after=after)
        inn.engine.started.clear()
        found = await life(inn, game, restart=restart)
        was_cut = inn.trouble.was_cut
        inn.trouble.arm(None)
        assert found == expected, f"cut off at deed {number}"
        assert set(inn.engine.started.values()) <= {0, 1}, f"started twice after a cut at deed {number}"
        cut += was_cut
        await game.cloud.apps_v2.delete_app()
        await inn.advance(1)
        await inn.advance(30)
        living = [report for report in inn.engine.reports().values() if report.alive]
        apps = {inn.engine.launches[report.server_id].env["HATHORA_APP_ID"] for report in living}
        assert game.app_id not in apps
        if not was_cut:
            break
    assert cut > 15


async def test_a_room_is_never_over_without_a_reason(inn: TestInn) -> None:
    """The host is killed under the house, with everything on it."""
    game = await inn.game()
    rooms = [await game.room() for _ in range(3)]
    await inn.settle()
    inn.engine.forget_on_restart = True
    await inn.restart()
    await inn.settle()
    for room in rooms:
        process = await game.process(room.process_id)
        assert process.status == ProcessStatus.FAILED
        assert "nobody could see" in str(process.summary_exit_reason)
        assert "was the machine restarted" in str(process.summary_exit_reason)
    answers = await asyncio.gather(*(game.connection(room) for room in rooms), return_exceptions=True)
    assert all("its server ended: ended while nobody" in str(answer) for answer in answers)


async def test_a_server_that_runs_and_is_not_on_record_is_stopped(inn: TestInn) -> None:
    game = await inn.game()
    room = await game.room()
    await inn.settle()
    launch = inn.engine.launches[room.process_id]
    stray = Launch("stray-1", launch.build, launch.command, {}, [], 1, 1)
    await inn.engine.start(stray)
    inn.engine.end("stray-1", EndedBy.EXIT, 0)
    await inn.engine.forget("stray-1")
    await inn.engine.start(stray)
    await inn.advance(31)
    assert set(inn.engine.reports()) == {room.process_id}
