"""How a build shall be run: options, variables and the deployment before, put together."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from innkeeper.cli.failures import Failure
from innkeeper.cli.howto import DEFAULTS, config_of
from innkeeper.contract.hathora.deployments_v3 import DeploymentV3

NOTHING: dict[str, Any] = {**dict.fromkeys(DEFAULTS), "env": (), "additional": (), "deployment_tag": None}


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
    ports = made({"HATHORA_ADDITIONAL_CONTAINER_PORTS": "ws:1/tcp,web:2/TLS"})["additionalContainerPorts"]
    assert [(port["name"], port["port"], port["transportType"]) for port in ports] == [
        ("ws", 1, "tcp"),
        ("web", 2, "tls"),
    ]


@pytest.mark.parametrize(
    "environ", [{"HATHORA_ENV": "{"}, {"HATHORA_ENV": "A"}, {"HATHORA_ADDITIONAL_CONTAINER_PORTS": "a:b/udp"}]
)
def test_variables_that_cannot_be_read(environ: dict[str, str]) -> None:
    with pytest.raises(Failure) as caught:
        made(environ)
    assert caught.value.exit_code == 2


def test_what_is_given_goes_before_the_latest_and_the_latest_before_the_defaults() -> None:
    latest = msgspec.convert(
        {
            "buildId": "old", "requestedCPU": 2, "requestedMemoryMB": 4096, "idleTimeoutEnabled": False,
            "deploymentId": "dep", "appId": "app", "roomsPerProcess": 7, "createdAt": "2026-01-01T00:00:00Z",
            "createdBy": "x", "deploymentTag": "old",
            "defaultContainerPort": {"name": "default", "port": 1234, "transportType": "tcp"},
            "additionalContainerPorts": [{"name": "ws", "port": 1, "transportType": "tcp"}],
            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        },
        DeploymentV3,
    )  # fmt: skip
    assert made(latest=latest, rooms_per_process=3, idle_timeout_enabled=True, env=["B=3"], additional=["x:9/udp"]) == {
        "buildId": "bld", "requestedCPU": 2, "requestedMemoryMB": 4096, "idleTimeoutEnabled": True,
        "containerPort": 1234, "transportType": "tcp", "roomsPerProcess": 3,
        "additionalContainerPorts": [
            {"name": "ws", "port": 1, "transportType": "tcp"}, {"name": "x", "port": 9, "transportType": "udp"},
        ],
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "3"}],
    }  # fmt: skip
    assert made(latest=latest, idle_timeout_enabled=False)["idleTimeoutEnabled"] is False
