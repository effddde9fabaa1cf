"""Values of Hathora's on the wire: what is null, what is left out, what is refused; every object there and back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innkeeper.contract.hathora import HATHORA
from innkeeper.contract.hathora.apps_v2 import AuthConfiguration, CreateAppConfig, RecordStringNever
from innkeeper.contract.hathora.builds_v3 import CreateMultipartBuildParams, DeletedBuild
from innkeeper.contract.hathora.deployments_v3 import DeploymentConfigV3
from innkeeper.contract.hathora.lobbies_v3 import LobbyV3, LobbyVisibility
from innkeeper.contract.hathora.organizations_v1 import UsageLimits
from innkeeper.contract.hathora.processes_v3 import ProcessStatus, ProcessV3
from innkeeper.contract.hathora.rooms_v2 import ConnectionInfoV2, CreateRoomParams, Room, RoomAllocation
from innkeeper.contract.hathora.tokens_v1 import CreateOrgToken
from innkeeper.contract.hathora.words import (
    ExposedPort,
    Region,
    RoomId,
    RoomReadyStatus,
    RoomStatus,
    Scope,
    TransportType,
)
from innkeeper.contract.openapi import document, kinds_in
from innkeeper.contract.words import strictly

PORT = {"name": "web", "port": 1, "transportType": "tcp"}
NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
SCHEMAS: dict[str, Any] = document(HATHORA)["components"]["schemas"]


def sent(value: Any) -> Any:
    """What a client of the vendor's would read."""
    return json.loads(msgspec.json.encode(value))


def test_a_server_that_does_not_run_yet_has_a_null_port() -> None:
    process = ProcessV3(
        process_id="p", app_id="app-1", deployment_id="dep-1", region=Region.TOKYO, status=ProcessStatus.STARTING,
        exposed_port=None, additional_exposed_ports=[], rooms_allocated=0, rooms_per_process=3, created_at=NOW,
        scheduled_at=None, booted_at=None, started_at=None, stopping_at=None, terminated_at=None,
    )  # fmt: skip
    assert sent(process) == {
        "processId": "p", "appId": "app-1", "deploymentId": "dep-1", "region": "Tokyo", "status": "starting",
        "exposedPort": None, "additionalExposedPorts": [], "roomsAllocated": 0, "roomsPerProcess": 3,
        "createdAt": "2026-01-02T03:04:05.678901Z", "scheduledAt": None, "bootedAt": None, "startedAt": None,
        "stoppingAt": None, "terminatedAt": None,
    }  # fmt: skip


def test_connection_info_leaves_the_port_out_until_there_is_one() -> None:
    waiting = ConnectionInfoV2(room_id="r", status=RoomReadyStatus.STARTING, additional_exposed_ports=[])
    assert sent(waiting) == {"roomId": "r", "status": "starting", "additionalExposedPorts": []}
    port = ExposedPort(name="default", transport_type=TransportType.UDP, host="127.0.0.1", port=8000)
    ready = ConnectionInfoV2(room_id="r", status=RoomReadyStatus.ACTIVE, additional_exposed_ports=[], exposed_port=port)
    assert sent(ready)["exposedPort"] == {"name": "default", "transportType": "udp", "host": "127.0.0.1", "port": 8000}
    body = b'{"roomId":"r","status":"active","additionalExposedPorts":[],"exposedPort":null}'
    with pytest.raises(msgspec.ValidationError, match="exposedPort"):
        msgspec.json.decode(body, type=ConnectionInfoV2)


def test_a_room_says_that_it_has_no_config_and_who_left_when() -> None:
    stay = RoomAllocation(room_allocation_id="a", process_id="p", scheduled_at=NOW, unscheduled_at=None)
    room = Room(
        app_id="app-1",
        room_id="r",
        status=RoomStatus.ACTIVE,
        current_allocation=stay,
        allocations=[stay],
        room_config=None,
    )
    assert sent(room)["roomConfig"] is None
    assert sent(room)["currentAllocation"]["unscheduledAt"] is None


def test_a_lobby_knows_its_player_by_text_or_number() -> None:
    body = b"""{"appId":"a","roomId":"r","region":"Tokyo","visibility":"public","shortCode":"LFG","roomConfig":null,
                "createdAt":"2026-01-02T03:04:05Z","createdBy":%s}"""
    for by in ("wh08", 12):
        lobby = msgspec.json.decode(body % json.dumps(by).encode(), type=LobbyV3)
        assert lobby.created_by == by
        assert sent(lobby)["createdBy"] == by
    assert lobby.visibility is LobbyVisibility.PUBLIC


def test_irregular_names_travel_as_the_vendor_spells_them() -> None:
    config = DeploymentConfigV3(
        build_id="b", container_port=4000, transport_type=TransportType.UDP, requested_cpu=0.5, env=[],
        requested_memory_mb=1024, requested_gpu=0, experimental_requested_gpu=0, rooms_per_process=1,
        idle_timeout_enabled=True,
    )  # fmt: skip
    assert {"requestedCPU", "requestedMemoryMB", "requestedGPU", "experimentalRequestedGPU"} <= set(sent(config))
    assert sent(CreateRoomParams(region=Region.TOKYO, client_ips=["192.0.2.1"]))["clientIPs"] == ["192.0.2.1"]
    limits = UsageLimits(concurrent_process_vcpus_7_day_max=1, monthly_process_vcpu_hours_consumed=2)
    assert sent(limits) == {"concurrentProcessVcpus7DayMax": 1, "monthlyProcessVcpuHoursConsumed": 2}


def test_a_login_is_open_when_its_object_is_there() -> None:
    config = CreateAppConfig(app_name="chess", auth_configuration=AuthConfiguration(anonymous=RecordStringNever()))
    assert sent(config) == {"appName": "chess", "authConfiguration": {"anonymous": {}}}
    assert sent(DeletedBuild()) == {}


def test_scopes_are_a_list_or_one_word() -> None:
    read = msgspec.json.Decoder(CreateOrgToken).decode
    assert read(b'{"name":"ci","scopes":"admin"}').scopes == "admin"
    assert read(b'{"name":"ci","scopes":["builds:read"]}').scopes == [Scope.BUILDS_READ]
    assert read(b'{"name":"ci"}').scopes is msgspec.UNSET
    with pytest.raises(msgspec.ValidationError, match="scopes"):
        read(b'{"name":"ci","scopes":"root"}')


@pytest.mark.parametrize("text", ["", "a" * 101, "a b", "../admin", "room\n", "räum", "a/b"])
def test_a_bad_room_id_is_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, RoomId)


@pytest.mark.parametrize("text", [".", "..", "-a", "a/b", "a\n", "", "a" * 101])
def test_a_build_id_that_cannot_stand_in_a_path_is_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="buildId"):
        msgspec.convert({"buildSizeInBytes": 1, "buildId": text}, CreateMultipartBuildParams)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"containerPort": 0}, "containerPort"),
        ({"containerPort": 65536}, "containerPort"),
        ({"containerPort": "4000"}, "containerPort"),
        ({"roomsPerProcess": 0}, "roomsPerProcess"),
        ({"roomsPerProcess": 10001}, "roomsPerProcess"),
        ({"transportType": "quic"}, "transportType"),
        ({"env": [{"name": "A", "value": ""}] * 101}, "env"),
        ({"env": [{"name": "1A", "value": ""}]}, r"env\[0\]\.name"),
        ({"env": [{"name": "A", "value": "x" * 5001}]}, r"env\[0\]\.value"),
        ({"additionalContainerPorts": [PORT | {"name": "Web"}]}, "name"),
        ({"additionalContainerPorts": [PORT] * 3}, "additionalContainerPorts"),
        ({"requestedCPU": None}, "requestedCPU"),
    ],
)  # fmt: skip
def test_a_bad_deployment_is_refused_by_the_name_of_its_field(change: dict[str, Any], place: str) -> None:
    good: dict[str, Any] = {
        "buildId": "b", "containerPort": 4000, "transportType": "udp", "requestedCPU": 0.5, "requestedMemoryMB": 1024,
        "roomsPerProcess": 1, "idleTimeoutEnabled": True, "env": [], "unknown": "is ignored",
    }  # fmt: skip
    msgspec.convert(good, DeploymentConfigV3)
    with strictly(), pytest.raises(msgspec.ValidationError, match=place):
        msgspec.convert(good | change, DeploymentConfigV3)


def test_answers_are_not_held_to_limits() -> None:
    long = {"roomId": "r" * 300, "status": "active", "additionalExposedPorts": []}
    assert msgspec.convert(long, ConnectionInfoV2).room_id == "r" * 300


def test_times_carry_their_offset() -> None:
    body = b'{"roomAllocationId":"a","processId":"p","scheduledAt":"2026-01-02T03:04:05%s","unscheduledAt":null}'
    stay = msgspec.json.decode(body % b"+09:00", type=RoomAllocation)
    assert stay.scheduled_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=9)))
    with pytest.raises(msgspec.ValidationError, match="scheduledAt"):
        msgspec.json.decode(body % b"", type=RoomAllocation)


def fitting(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a schema of the document allows."""
    if "$ref" in schema:
        return fitting(SCHEMAS[schema["$ref"].rsplit("/", 1)[1]])
    if "anyOf" in schema:
        return st.one_of([fitting(arm) for arm in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "type" not in schema:
        return st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
            max_leaves=5,
        )
    match schema["type"]:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(schema.get("minimum", -(2**53)), schema.get("maximum", 2**53))
        case "number":
            return st.floats(allow_nan=False, allow_infinity=False)
        case "array":
            return st.lists(fitting(schema["items"]), max_size=min(2, schema.get("maxItems", 2)))
        case "string" if schema.get("format") == "date-time":
            return st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat().replace("+00:00", "Z"))
        case "string" if "pattern" in schema:
            longest = schema.get("maxLength", 1000)
            return st.from_regex(schema["pattern"].replace("$", r"\Z")).filter(
                lambda s: schema.get("minLength", 0) <= len(s) <= longest
            )
        case "string":
            return st.text(max_size=5)
        case _:
            required, properties = schema.get("required", ()), schema["properties"]
            return st.fixed_dictionaries(
                {key: fitting(properties[key]) for key in required},
                optional={key: fitting(value) for key, value in properties.items() if key not in required},
            )


def structs() -> dict[str, Any]:
    roots = [kind for o in HATHORA.operations() for kind in (o.plan.returns, *(p.type for p in o.plan.parameters))]
    return {kind.__name__: kind for root in roots for kind in kinds_in(root) if issubclass(kind, msgspec.Struct)}


@pytest.mark.parametrize("kind", structs().values(), ids=structs())
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_every_object_that_fits_its_schema_comes_back_as_it_went(kind: Any, data: st.DataObject) -> None:
    value = data.draw(fitting(SCHEMAS[kind.__name__]))
    with strictly():
        assert sent(msgspec.json.decode(json.dumps(value), type=kind)) == value
