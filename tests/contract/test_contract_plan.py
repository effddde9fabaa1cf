"""A declaration compiled: where each value travels, in which order, and what a declaration may not say."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec
import pytest

from innkeeper.contract.hathora import HATHORA
from innkeeper.contract.hathora.builds_v3 import BuildsV3
from innkeeper.contract.hathora.deployments_v3 import DeploymentsV3, DeploymentsV3Page
from innkeeper.contract.hathora.processes_v3 import ProcessesV3, ProcessStatus, ProcessV3, UnixTime
from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams, RoomConnectionData, RoomsV2
from innkeeper.contract.hathora.uploads import Uploads
from innkeeper.contract.hathora.words import Region
from innkeeper.contract.operation import Declared
from innkeeper.contract.plan import is_global, reader, without_none
from innkeeper.contract.resource import Bound, Options
from innkeeper.contract.shape import GLOBAL, Camel
from innkeeper.contract.spelling import camel

from .things import Broken


def places(operation: Declared) -> dict[str, str]:
    return {p.wire: p.place for p in operation.plan.parameters}


def test_a_room_is_created_by_body_path_and_query() -> None:
    plan = RoomsV2.create_room.plan
    assert places(RoomsV2.create_room) == {"params": "body", "appId": "path", "roomId": "query"}
    assert plan.positional == ["params", "app_id", "room_id"]
    assert plan.path_pieces == ["/rooms/v2/", "/create"]
    assert plan.body is plan.by_name["params"]
    assert plan.body.type is CreateRoomParams
    assert plan.returns is RoomConnectionData
    assert [p.name for p in plan.parameters if is_global(p)] == ["app_id"]
    assert [p.name for p in plan.parameters if p.required] == ["params", "app_id"]


def test_path_values_stand_in_the_order_of_the_path() -> None:
    plan = ProcessesV3.create_process.plan
    assert [p.name for p in plan.parameters] == ["region", "app_id"]
    assert [p.name for p in plan.path] == ["app_id", "region"]
    assert plan.path_pieces == ["/processes/v3/apps/", "/processes/regions/", ""]


def test_lists_repeat_their_key_and_optional_values_lose_their_none() -> None:
    plan = ProcessesV3.get_latest_processes.plan
    assert [(p.name, p.many, p.required) for p in plan.query] == [
        ("status", True, False),
        ("region", True, False),
        ("before", False, False),
    ]
    assert plan.by_name["status"].type == list[ProcessStatus]
    assert plan.by_name["before"].type == UnixTime


def test_an_organisation_may_be_held_by_the_client_and_is_not_required_in_a_query() -> None:
    org = BuildsV3.get_builds.plan.by_name["org_id"]
    assert is_global(org)
    assert not org.required


def test_bytes_travel_as_they_are() -> None:
    plan = Uploads.put_part.plan
    assert plan.binary
    assert plan.body is not None
    assert plan.body.name == "content"
    assert places(Uploads.put_part) == {"content": "body", "uploadToken": "path", "partNumber": "path"}
    assert plan.by_name["part_number"].type is int


def test_idempotence_follows_the_method_unless_said() -> None:
    safe = {o.id: o.idempotent for o in HATHORA.operations()}
    assert safe["GetRoomInfo"]
    assert safe["InviteUser"]
    assert safe["Complete"]
    assert safe["DeleteBuild"]
    assert not safe["CreateRoom"]
    assert not safe["PatchApp"]


def test_operations_know_their_group_and_show_themselves() -> None:
    assert RoomsV2.create_room.tag == "RoomsV2"
    assert repr(RoomsV2.create_room) == "<operation hathora CreateRoom: POST /rooms/v2/{appId}/create>"
    assert RoomsV2.suspend_room.id == "SuspendRoomV2Deprecated"


class Recorder:
    """A client that writes down what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, tuple[Any, ...], dict[str, Any], Options]] = []

    def _write(self, face: str, operation: Declared, args: Any, kwargs: Any, options: Options) -> None:
        self.asked.append((face, operation.name, args, kwargs, options))

    def call(self, operation: Declared, args: Any, kwargs: Any, options: Options) -> Any:
        self._write("call", operation, args, kwargs, options)

    def raw(self, operation: Declared, args: Any, kwargs: Any, options: Options) -> Any:
        self._write("raw", operation, args, kwargs, options)

    def pages(self, operation: Declared, args: Any, kwargs: Any, options: Options) -> Any:
        self._write("pages", operation, args, kwargs, options)

    def stream(self, operation: Declared, args: Any, kwargs: Any, options: Options) -> Any:
        self._write("stream", operation, args, kwargs, options)


def test_on_a_resource_an_operation_is_a_method_with_faces() -> None:
    client = Recorder()
    rooms: RoomsV2[Any] = RoomsV2(client)
    rooms.get_room_info("r")
    rooms.get_room_info.raw("r", app_id="a")
    rooms.get_room_info.options(timeout=1.0).options(token="t").pages("r")
    builds: BuildsV3[Any] = BuildsV3(client)
    builds.run_build("b")
    assert client.asked == [
        ("call", "get_room_info", ("r",), {}, {}),
        ("raw", "get_room_info", ("r",), {"app_id": "a"}, {}),
        ("pages", "get_room_info", ("r",), {}, {"timeout": 1.0, "token": "t"}),
        ("stream", "run_build", ("b",), {}, {}),
    ]
    bound = rooms.get_room_info
    assert isinstance(bound, Bound)
    assert (bound.__doc__ or "").startswith("Tell a room's state")
    assert RoomsV2.get_room_info.__doc__ == bound.__doc__


def test_a_name_in_the_path_needs_its_parameter() -> None:
    with pytest.raises(TypeError, match=r"GetBroken.*no parameter for \['brokenId'\]"):
        _ = Broken.get_broken.plan


@pytest.mark.parametrize(("name", "wire"), [("room_id", "roomId"), ("follow", "follow"), ("build_v3", "buildV3")])
def test_names_in_camel_case(name: str, wire: str) -> None:
    assert camel(name) == wire


def test_none_is_taken_from_a_union_and_from_nothing_else() -> None:
    assert without_none(int | None) is int
    assert without_none(int | str | None) == int | str
    assert without_none(list[int]) == list[int]


class Numbers(Camel):
    whole: int
    many: list[int]
    broken: float = 0.5


def test_a_whole_number_may_come_with_a_point() -> None:
    read = reader(Numbers)
    found = read(b'{"whole":8000.0,"many":[1,2.0,3e2],"broken":2.0}')
    assert found == Numbers(whole=8000, many=[1, 2, 300], broken=2.0)
    with pytest.raises(msgspec.ValidationError, match=r"Expected `int`, got `float` - at `\$.whole`"):
        read(b'{"whole":8000.5,"many":[]}')
    with pytest.raises(msgspec.ValidationError, match=r"Expected `int`, got `str` - at `\$.many\[1\]`"):
        read(b'{"whole":8000.0,"many":[1.0,"2"]}')
    with pytest.raises(msgspec.DecodeError, match="truncated"):
        read(b'{"whole":')


def test_global_is_one_thing_that_says_its_name() -> None:
    assert repr(GLOBAL) == "GLOBAL"
    assert not GLOBAL
    default = inspect.signature(RoomsV2.create_room.function).parameters["app_id"].default
    assert default is GLOBAL


def test_the_next_page_of_deployments_is_asked_for_by_token() -> None:
    follow = DeploymentsV3.get_deployments.paging
    assert follow is not None
    assert follow(DeploymentsV3Page(deployments=[], next_page_token="t")) == {"next_page_token": "t"}
    assert follow(DeploymentsV3Page(deployments=[])) is None


def test_the_next_page_of_processes_is_what_is_older_than_the_last() -> None:
    follow = ProcessesV3.get_latest_processes.paging
    assert follow is not None
    body = (
        b'{"processId":"p","appId":"a","deploymentId":"d","region":"Tokyo","status":"running","exposedPort":null,'
        b'"additionalExposedPorts":[],"roomsAllocated":0,"roomsPerProcess":1,"createdAt":"2026-01-02T03:04:05.000001Z",'
        b'"scheduledAt":null,"bootedAt":null,"startedAt":null,"stoppingAt":null,"terminatedAt":null}'
    )
    process = msgspec.json.decode(body, type=ProcessV3)
    assert process.region is Region.TOKYO
    assert follow([process] * 9) is None
    assert follow([process] * 10) == {"before": 1767323045.000001}
