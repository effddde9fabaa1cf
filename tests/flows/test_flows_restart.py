"""The house is closed and opened again, and nobody notices; the database goes away, and everybody is told."""

from __future__ import annotations

import pytest

from factories import TestInn
from innkeeper.contract.hathora.processes_v3 import ProcessStatus
from innkeeper.contract.hathora.words import RoomReadyStatus, RoomStatus
from innkeeper.sdk import ServerError
from troubled import Cut

pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated. use :DeprecationWarning")  # suspended rooms


async def test_every_state_survives_a_restart(inn: TestInn) -> None:
    inn.behave(start_takes=5, stop_takes=5)
    game = await inn.game(seats=1)
    token = inn.token
    ready, suspended, over, stopping = [await game.room() for _ in range(4)]
    await inn.settle()
    await inn.advance(5)
    await game.cloud.rooms_v2.suspend_room(suspended.room_id)
    await game.cloud.rooms_v2.destroy_room(over.room_id)
    await game.cloud.processes_v3.stop_process(stopping.process_id)
    await inn.settle()
    pinned = await game.room()  # on one of the two that have space now
    starting = await game.room()
    starting_too = await game.room()
    await inn.settle()
    wanted = await game.room()

    async def told() -> list[object]:
        return [
            [await game.info(room) for room in (ready, suspended, over, stopping, pinned, starting, wanted)],
            await game.processes(),
            await game.cloud.apps_v2.get_apps(),
            await game.cloud.deployments_v3.get_deployments(),
            await game.cloud.builds_v3.get_builds(),
            await game.cloud.organizations_v1.get_usage_limits(),
        ]

    before = await told()
    await inn.restart()
    assert await told() == before
    assert inn.token == token
    await inn.settle()
    await inn.advance(5)
    for room in (ready, pinned, starting, starting_too, wanted):
        assert (await game.connection(room)).status == RoomReadyStatus.ACTIVE
    assert (await game.process(stopping.process_id)).status == ProcessStatus.STOPPED
    assert (await game.info(suspended)).status == RoomStatus.SUSPENDED
    assert set(inn.engine.started.values()) == {1}


@pytest.mark.parametrize("by_crash", [False, True])
async def test_a_server_that_nobody_told_its_host_of_is_started_once(inn: TestInn, by_crash: bool) -> None:
    game = await inn.game()
    room = await game.room()
    if by_crash:  # the intent is on record, and the next deed is the host's
        inn.trouble.arm(2)
        with pytest.raises(Cut):
            await settle_until_cut(inn)
        inn.trouble.arm(None)
    await inn.restart()
    await inn.settle()
    assert inn.engine.started == {room.process_id: 1}
    assert (await game.connection(room)).status == RoomReadyStatus.ACTIVE


async def settle_until_cut(inn: TestInn) -> None:
    """Settle. A cut in a task that tells the host ends that task alone: here the power goes out everywhere."""
    for _ in range(3):
        await inn.settle()
        if inn.trouble.was_cut:
            raise Cut


async def test_what_ends_while_the_house_is_closed_is_told_afterwards(inn: TestInn) -> None:
    from innkeeper.engines.base import EndedBy

    game = await inn.game()
    rooms = [await game.room() for _ in range(2)]
    await inn.settle()
    await inn.stop()
    inn.engine.end(rooms[0].process_id, EndedBy.EXIT, 0)
    inn.engine.end(rooms[1].process_id, EndedBy.EXIT, 9)
    await inn.start()
    await inn.settle()
    told = [str((await game.process(room.process_id)).summary_exit_reason) for room in rooms]
    assert told == ["exited by itself with code 0", "exited with code 9"]


async def test_a_deadline_passes_while_the_house_is_closed(inn: TestInn) -> None:
    inn.behave(never_ready=True)
    game = await inn.game()
    room = await game.room()
    await inn.settle()
    await inn.stop()
    inn.clock.advance(500)
    await inn.start()
    await inn.settle()
    await inn.advance(10)
    assert (await game.process(room.process_id)).status == ProcessStatus.FAILED


async def test_while_the_database_is_away_callers_are_told_so(inn: TestInn) -> None:
    game = await inn.game()
    room = await game.room()
    await inn.settle()
    inn.trouble.away = True
    for call in (game.room(), game.info(room), game.connection(room), game.cloud.apps_v2.get_apps()):
        with pytest.raises(ServerError, match="the database does not answer") as away:
            await call
        assert away.value.status == 503
        assert away.value.headers["retry-after"] == "1"
    inn.trouble.away = False
    assert (await game.connection(room)).status == RoomReadyStatus.ACTIVE
    second = await game.room()
    await inn.settle()
    assert (await game.connection(second)).status == RoomReadyStatus.ACTIVE


async def test_reports_that_come_while_the_database_is_away_are_not_lost(inn: TestInn) -> None:
    from innkeeper.engines.base import EndedBy
    from innkeeper.kit.errors import Unavailable

    game = await inn.game()
    room = await game.room()
    await inn.settle()
    inn.trouble.away = True
    inn.engine.end(room.process_id, EndedBy.SIGNAL, 6)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await inn.settle()
    inn.trouble.away = False
    await inn.settle()
    assert "SIGABRT" in str((await game.process(room.process_id)).summary_exit_reason)
