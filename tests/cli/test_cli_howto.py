"""How a build shall be run: options, variables and the deployment before, put together."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from innkeeper.cli.failures import Failure
from innkeeper.cli.howto import DEFAULTS, config_of, lost, masked
from innkeeper.contract.hathora.deployments_v3 import DeploymentV3

NOTHING: dict[str, Any] = {
    **dict.fromkeys([*DEFAULTS, "deployment_tag", "fleet_id"]), "env": (), "additional": ()
}  # fmt: skip

LATEST: dict[str, Any] = {
    "buildId": "old", "requestedCPU": 2, "requestedMemoryMB": 4096, "idleTimeoutEnabled": False,
    "deploymentId": "dep", "appId": "app", "roomsPerProcess": 7, "createdAt": "2026-01-01T00:00:00Z",
    "createdBy": "x", "deploymentTag": "old",
    "defaultContainerPort": {"name": "default", "port": 1234, "transportType": "tcp"},
    "additionalContainerPorts": [{"name": "ws", "port": 1, "transportType": "tcp"}],
    "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
}  # fmt: skip


def made(environ: dict[str, str] | None = None, latest: DeploymentV3 | None = None, **given: Any) -> dict[str, Any]:
    config = config_of("bld", NOTHING | given, latest, environ or {})
    plain: dict[str, Any] = msgspec.to_builtins(config)
    return plain


def test_defaults() -> None:
    assert made() == {
        "buildId": "bld", "requestedCPU": 0.5, "requestedMemoryMB": 1024, "idleTimeoutEnabled": True,
        "containerPort": 7777, "transportType": "udp", "additionalContainerPorts": [], "roomsPerProcess": 1, "env": [],
    }  # fmt: skip


@pytest.mark.parametrize("value", ["", "=", "a=b", "a,b", 'a="b c",d', "two\nlines", "{}"])
def test_any_value_of_a_variable_goes_through(value: str) -> None:
    assert made(env=[f"NAME={value}"])["env"] == [{"name": "NAME", "value": value}]


def test_variables_from_the_environment() -> None:
    assert made({"HATHORA_ENV": '{"A": "1,=2", "B": ""}'})["env"] == [
        {"name": "A", "value": "1,=2"}, {"name": "B", "value": ""},
    ]  # fmt: skip
    assert made({"HATHORA_ENV": "A=1=2\n\nB=x y"})["env"] == [
        {"name": "A", "value": "1=2"},
        {"name": "B", "value": "x y"},
    ]
    assert made({"HATHORA_ENV": "A=1"}, env=["C=3"])["env"] == [{"name": "C", "value": "3"}]
    ports = made({"HATHORA_ADDITIONAL_CONTAINER_PORTS": "ws:1/tcp,web:2/UDP"})["additionalContainerPorts"]
    assert [(port["name"], port["port"], port["transportType"]) for port in ports] == [
        ("ws", 1, "tcp"),
        ("web", 2, "udp"),
    ]


@pytest.mark.parametrize(
    "environ", [{"HATHORA_ENV": "{"}, {"HATHORA_ENV": "A"}, {"HATHORA_ADDITIONAL_CONTAINER_PORTS": "a:b/udp"}]
)
def test_variables_that_cannot_be_read(environ: dict[str, str]) -> None:
    with pytest.raises(Failure) as caught:
        made(environ)
    assert caught.value.exit_code == 2


def test_what_is_given_goes_before_the_latest_and_the_latest_before_the_defaults() -> None:
    latest = msgspec.convert(LATEST, DeploymentV3)
    assert made(latest=latest, rooms_per_process=3, idle_timeout_enabled=True, env=["B=3"], additional=["x:9/udp"]) == {
        "buildId": "bld", "requestedCPU": 2, "requestedMemoryMB": 4096, "idleTimeoutEnabled": True,
        "containerPort": 1234, "transportType": "tcp", "roomsPerProcess": 3,
        "additionalContainerPorts": [
            {"name": "ws", "port": 1, "transportType": "tcp"}, {"name": "x", "port": 9, "transportType": "udp"},
        ],
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "3"}],
    }  # fmt: skip
    assert made(latest=latest, idle_timeout_enabled=False)["idleTimeoutEnabled"] is False


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"additional": ["ws:99999/tcp"]}, "--port ws:99999/tcp: write a port from 1 to 65535, not 99999"),
    ({"additional": ["Ws:1/tcp"]}, "--port Ws:1/tcp: a name has small letters, digits and `-`, a letter first"),
    ({"additional": ["default:1/tcp"]}, "`default` is the port of --container-port"),
    ({"additional": ["a:1/tcp", "b:2/tcp", "c:3/tcp"]}, "up to two ports besides its default one, not 3"),
    ({"container_port": 0}, "--container-port: write a port from 1 to 65535, not 0"),
    ({"rooms_per_process": 0}, "--rooms-per-process: write a number from 1 to 10,000, not 0"),
    ({"requested_cpu": -1.0}, "--requested-cpu: write a number above 0, not -1"),
    ({"requested_cpu": float("nan")}, "--requested-cpu: write a number above 0, not nan"),
    ({"requested_memory_mb": float("inf")}, "--requested-memory-mb: write a number above 0, not inf"),
    ({"env": ["1A=x"]}, "--env: a name has up to 100 letters, digits and `_`, and no digit first, not '1A'"),
    ({"env": [f"A{number}=x" for number in range(101)]}, "up to 100 variables, not 101"),
    ({"env": [f"SECRET={'x' * 5001}"]}, "--env SECRET: a value has up to 5000 characters, not 5001"),
]


@pytest.mark.parametrize(("given", "told"), REFUSED)
def test_what_would_be_refused_is_refused_before_anything_is_sent(given: dict[str, Any], told: str) -> None:
    with pytest.raises(Failure) as caught:
        made(**given)
    assert told in caught.value.message
    assert "xxx" not in caught.value.message  # a value may be a secret
    assert caught.value.exit_code == 2


def test_the_fleet_of_the_latest_goes_on_unless_another_is_given() -> None:
    latest = msgspec.convert(LATEST | {"fleetId": "fleet-old"}, DeploymentV3)
    assert made(latest=latest)["fleetId"] == "fleet-old"
    assert made(latest=latest, fleet_id="fleet-new")["fleetId"] == "fleet-new"
    assert made(fleet_id="fleet-new")["fleetId"] == "fleet-new"
    assert "fleetId" not in made(latest=latest, fleet_id="")
    assert "fleetId" not in made(latest=msgspec.convert(LATEST, DeploymentV3))


def test_a_variable_that_has_no_effect_is_told() -> None:
    assert "--env PORT has no effect" in lost(config_of("b", NOTHING | {"env": ["PORT=5", "A=1"]}, None, {}))[0]
    assert lost(config_of("b", NOTHING | {"env": ["MY_PORT=5"]}, None, {})) == []


def test_values_of_variables_are_masked() -> None:
    told = masked(msgspec.convert(LATEST, DeploymentV3))
    assert [(variable.name, variable.value) for variable in told.env] == [("A", "***"), ("B", "***")]
