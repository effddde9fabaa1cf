"""How servers live and end, and what that does to their rooms."""

from __future__ import annotations

from typing import Any

import pytest

from factories import TOKYO, Game, TestInn
from innkeeper.contract.hathora.deployments_v3 import ContainerPort
from innkeeper.contract.hathora.processes_v3 import ProcessStatus
from innkeeper.contract.hathora.rooms_v2 import RoomConnectionData
from innkeeper.contract.hathora.words import Region, RoomReadyStatus, RoomStatus, TransportType
from innkeeper.engines.base import EndedBy, Usage
from innkeeper.sdk import UNSET, NotFound


async def over(game: Game, room: RoomConnectionData, status: ProcessStatus, reason: str) -> None:
    """The server of the room has ended so, and the room with it. The room's reason may end before the bracket."""
    process = await game.process(room.process_id)
    assert process.status == status
    assert process.summary_exit_reason is not UNSET
    assert reason in process.summary_exit_reason
    assert process.terminated_at is not None
    assert (await game.info(room)).status == RoomStatus.DESTROYED
    with pytest.raises(NotFound) as gone:
        await game.connection(room)
    assert reason.partition(" (it")[0] in str(gone.value)


@pytest.mark.parametrize(
    ("by", "code", "status", "reason"),
    [
        (EndedBy.EXIT, 0, ProcessStatus.STOPPED, "exited by itself with code 0"),
        (EndedBy.EXIT, 3, ProcessStatus.FAILED, "exited with code 3"),
        (EndedBy.SIGNAL, 11, ProcessStatus.FAILED, "killed by signal 11 (SIGSEGV)"),
        (EndedBy.MEMORY, 9, ProcessStatus.FAILED, "ran out of memory: it needed more than its 512 MiB"),
        (EndedBy.LOST, None, ProcessStatus.FAILED, "ended while nobody could see how"),
    ],
)
async def test_the_rooms_of_a_server_that_ends_are_over_with_its_reason(
    inn: TestInn, by: EndedBy, code: int | None, status: ProcessStatus, reason: str
) -> None:
    game = await inn.game(seats=2)
    rooms = [await game.room(), await game.room()]
    await inn.settle()
    inn.engine.end(rooms[0].process_id, by, code)
    await inn.settle()
    for room in rooms:
        await over(game, room, status, reason)
    assert inn.engine.reports() == {}  # what is on record, the host may forget
    assert (await game.room()).process_id != rooms[0].process_id


async def test_a_server_that_ends_before_it_is_ready_has_failed(inn: TestInn) -> None:
    inn.behave(never_ready=True)
    game = await inn.game()
    room = await game.room()
    await inn.settle()
    inn.engine.end(room.process_id, EndedBy.EXIT, 0)
    await inn.settle()
    await over(game, room, ProcessStatus.FAILED, "exited with code 0 before it had bound its ports")


async def test_a_server_that_never_binds_is_ended_after_100_seconds(inn: TestInn) -> None:
    inn.behave(never_ready=True, ignore_term=True)
    game = await inn.game()
    room = await game.room()
    await inn.settle()
    await inn.advance(99)
    assert (await game.process(room.process_id)).status == ProcessStatus.STARTING
    await inn.advance(1)
    assert (await game.process(room.process_id)).status == ProcessStatus.STOPPING
    assert (await game.info(room)).status == RoomStatus.DESTROYED
    await inn.advance(10)
    await over(game, room, ProcessStatus.FAILED, "did not bind its ports within 100 s: udp 30000 (default)")


async def test_only_the_ports_that_are_missing_are_named(small_inn: TestInn) -> None:
    inn = small_inn
    inn.behave(never_ready=True)
    more = ContainerPort(transport_type=TransportType.TCP, port=7778, name="ws")
    game = await inn.game(ports=[more])
    room = await game.room()
    await inn.settle()
    inn.engine.bind(room.process_id, 30_000)
    await inn.advance(100)
    await inn.advance(10)
    said = "did not bind its ports within 100 s: tcp 30001 (ws); the others are bound"
    await over(game, room, ProcessStatus.FAILED, said)


async def test_a_server_that_cannot_be_started_says_why(inn: TestInn) -> None:
    inn.behave(refuse="there is no file ./game")
    game = await inn.game()
    room = await game.room()
    await inn.settle()
    await over(game, room, ProcessStatus.FAILED, "could not be started: there is no file ./game")


async def test_a_host_that_does_not_answer_gets_the_server_when_it_is_back(inn: TestInn) -> None:
    game = await inn.game()
    inn.engine.unavailable = True
    room = await game.room()
    await inn.settle()
    for _ in range(5):
        await inn.advance(1)
    assert (await game.process(room.process_id)).status == ProcessStatus.STARTING
    inn.engine.unavailable = False
    await inn.advance(1)
    assert (await game.connection(room)).status == RoomReadyStatus.ACTIVE
    assert inn.engine.started == {room.process_id: 1}


async def test_a_host_that_never_answers_is_given_up(inn: TestInn) -> None:
    game = await inn.game()
    inn.engine.unavailable = True
    room = await game.room()
    await inn.settle()
    await inn.advance(101)
    inn.engine.unavailable = False
    await inn.advance(20)
    await over(game, room, ProcessStatus.FAILED, "could not be started within 100 s: host fake does not answer")
    assert inn.engine.starts == 0


async def test_a_silent_host_holds_nobody_else_up(inn: TestInn) -> None:
    """Stops, idle looks and standing orders go on while the host of other servers does not answer."""
    game = await inn.game()
    room, idle = await game.room(), await game.room()
    await inn.settle()
    await game.cloud.rooms_v2.destroy_room(idle.room_id)
    inn.engine.unavailable = True
    await inn.advance(301)
    await game.cloud.processes_v3.stop_process(room.process_id)
    await inn.advance(1)
    assert (await game.process(room.process_id)).status == ProcessStatus.STOPPING
    # Nobody could say whether there are connections, so it lives.
    assert (await game.process(idle.process_id)).status == ProcessStatus.RUNNING
    inn.engine.unavailable = False
    await inn.advance(20)
    assert (await game.process(room.process_id)).status == ProcessStatus.STOPPED
    assert (await game.process(idle.process_id)).status == ProcessStatus.STOPPED


@pytest.mark.parametrize("obeys", [True, False])
async def test_a_stopped_server_has_its_grace(inn: TestInn, obeys: bool) -> None:
    inn.behave(stop_takes=4, ignore_term=not obeys)
    game = await inn.game()
    room = await game.room()
    await inn.settle()
    await game.cloud.processes_v3.stop_process(room.process_id)
    assert (await game.info(room)).status == RoomStatus.DESTROYED  # at once
    await inn.settle()
    process = await game.process(room.process_id)
    assert (process.status, process.terminated_at) == (ProcessStatus.STOPPING, None)
    assert process.stopping_at is not None
    await inn.advance(4 if obeys else 10)
    how = "it ended when asked" if obeys else "it did not end within its grace and was killed"
    await over(game, room, ProcessStatus.STOPPED, f"stopped by owner@localhost ({how})")
    await game.cloud.processes_v3.stop_process(room.process_id)  # once more: nothing changes


async def test_a_server_can_be_stopped_before_any_host_has_it(inn: TestInn) -> None:
    game = await inn.game()
    room = await game.room()
    await game.cloud.processes_v3.stop_process(room.process_id)
    assert (await game.process(room.process_id)).status == ProcessStatus.STOPPED
    await inn.settle()
    assert inn.engine.starts == 0
    assert inn.host.ports.in_use == frozenset()


async def test_a_server_can_be_stopped_while_it_starts(inn: TestInn) -> None:
    inn.behave(start_takes=30)
    game = await inn.game()
    room = await game.room()
    await inn.settle()
    await game.cloud.processes_v3.stop_process(room.process_id)
    await inn.advance(1)
    await over(game, room, ProcessStatus.STOPPED, "stopped by owner@localhost")
    assert not inn.engine.reports()


async def test_a_process_made_in_advance_makes_a_room_instant(inn: TestInn) -> None:
    game = await inn.game(seats=2)
    process = await game.cloud.processes_v3.create_process(TOKYO)
    assert process.status == ProcessStatus.STARTING
    assert process.exposed_port is None
    await inn.settle()
    assert inn.engine.launches[process.process_id].env["HATHORA_INITIAL_ROOM_ID"] == ""
    room = await game.room()
    assert room.process_id == process.process_id
    assert room.status == RoomReadyStatus.ACTIVE
    assert room.exposed_port is not UNSET


async def test_an_idle_server_is_stopped_after_five_minutes(inn: TestInn) -> None:
    game = await inn.game()
    made = await game.cloud.processes_v3.create_process(TOKYO)
    room = await game.room(region=Region.SYDNEY)
    await inn.settle()
    await inn.advance(299)
    assert (await game.process(made.process_id)).status == ProcessStatus.RUNNING
    await inn.advance(1)
    process = await game.process(made.process_id)
    assert process.status == ProcessStatus.STOPPED
    assert "idle: no rooms and no connections for 5 minutes" in str(process.summary_exit_reason)
    assert (await game.process(room.process_id)).status == ProcessStatus.RUNNING  # it has a room
    await game.cloud.rooms_v2.destroy_room(room.room_id)
    await inn.advance(299)
    assert (await game.process(room.process_id)).status == ProcessStatus.RUNNING
    await inn.advance(1)
    assert (await game.process(room.process_id)).status == ProcessStatus.STOPPED


async def test_a_server_with_connections_is_not_idle(inn: TestInn) -> None:
    game = await inn.game(transport=TransportType.TCP)
    made = await game.cloud.processes_v3.create_process(TOKYO)
    await inn.settle()
    inn.engine.usages[made.process_id] = Usage(0, 0, 2)
    await inn.advance(400)
    assert (await game.process(made.process_id)).status == ProcessStatus.RUNNING
    inn.engine.usages[made.process_id] = Usage(0, 0, 0)
    await inn.advance(1)
    assert (await game.process(made.process_id)).status == ProcessStatus.STOPPED


async def test_a_deployment_can_keep_idle_servers(inn: TestInn) -> None:
    game = await inn.game(idle=False)
    made = await game.cloud.processes_v3.create_process(TOKYO)
    await inn.settle()
    await inn.advance(86_400)
    assert (await game.process(made.process_id)).status == ProcessStatus.RUNNING


async def test_latest_processes_are_filtered_counted_and_paged(inn: TestInn) -> None:
    game = await inn.game()
    made = []
    for number in range(13):
        made.append(
            (await game.cloud.processes_v3.create_process(Region.SYDNEY if number % 3 == 0 else TOKYO)).process_id
        )
        await inn.advance(1)
    made.reverse()
    found = await game.processes()
    assert [process.process_id for process in found] == made[:10]
    rest = await game.processes(before=found[-1].created_at.timestamp())
    assert [process.process_id for process in rest] == made[10:]
    await game.cloud.processes_v3.stop_process(made[0])
    await inn.settle()

    async def count(**filters: Any) -> int:
        return (await game.cloud.processes_v3.get_processes_count_experimental(**filters)).count

    assert await count() == 13
    assert await count(region=[Region.SYDNEY]) == 5
    assert await count(region=[Region.SYDNEY, TOKYO], status=[ProcessStatus.RUNNING]) == 12
    assert await count(status=[ProcessStatus.STOPPED, ProcessStatus.FAILED]) == 1
    assert [p.process_id for p in await game.processes(status=[ProcessStatus.STOPPED])] == [made[0]]
    assert await count(before=found[-1].created_at.timestamp()) == 3


async def test_the_environment_of_a_server_is_complete(inn: TestInn) -> None:
    from innkeeper.contract.hathora.deployments_v3 import ContainerPort

    extra = ContainerPort(name="voice-chat", port=9000, transport_type=TransportType.TCP)
    game = await inn.game(seats=3, env={"MODE": "ranked", "PORT": "1"}, ports=[extra])
    room = await game.room(room_config="cfg")
    await inn.settle()
    app = await game.cloud.apps_v2.get_app()
    launch = inn.engine.launches[room.process_id]
    edgegaps = {name: value for name, value in launch.env.items() if name.startswith("ARBITRIUM_")}
    assert edgegaps["ARBITRIUM_REQUEST_ID"] == room.process_id[-12:]  # each API's words, whichever asked for it
    assert {name: value for name, value in launch.env.items() if name not in edgegaps} == {
        "HATHORA_APP_ID": game.app_id,
        "HATHORA_APP_SECRET": app.app_secret,
        "HATHORA_PROCESS_ID": room.process_id,
        "HATHORA_DEPLOYMENT_ID": game.deployment.deployment_id,
        "HATHORA_BUILD_TAG": "",
        "HATHORA_REGION": "Tokyo",
        "HATHORA_ROOMS_PER_PROCESS": "3",
        "HATHORA_INITIAL_ROOM_ID": room.room_id,
        "HATHORA_INITIAL_ROOM_CONFIG": "cfg",
        "HATHORA_HOSTNAME": "198.51.100.7",
        "HATHORA_PRIVATE_IP": "198.51.100.7",
        "HATHORA_DEFAULT_PORT": "30000",
        "HATHORA_VOICE_CHAT_PORT": "30001",
        "HATHORA_ALLOCATED_CPU": "0.5",
        "HATHORA_ALLOCATED_MEMORY_MB": "512",
        "MODE": "ranked",
        "PORT": "30000",
        "PORT_VOICE_CHAT": "30001",
    }
    told = await game.connection(room)
    assert [(port.name, port.port) for port in told.additional_exposed_ports] == [("voice-chat", 30001)]
