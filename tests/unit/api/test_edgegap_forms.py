"""Between versions as Edgegap writes them and the house's labels: tables of what becomes of what is said."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from innkeeper.api.edgegap.forms import changed_terms, new_terms, port_specs
from innkeeper.contract.edgegap.applications import AppVersionPayload, AppVersionPort, AppVersionUpdatePayload
from innkeeper.engines.images import RegistryLogin
from innkeeper.hosting.labels import Standing, Terms, Uploaded, same_release
from innkeeper.hosting.model import App, BuildState, PortSpec, Release
from innkeeper.hosting.plans import Label, Plan, Restart, SeatKind, Serving, release_name, release_number, unready
from innkeeper.hosting.registries import RegistrySource
from innkeeper.kit.clock import SECOND
from innkeeper.kit.errors import Invalid

IMAGE = {"docker_repository": "ghcr.io", "docker_image": "studio/game", "docker_tag": "1"}
LEAST: dict[str, Any] = {"name": "v1", **IMAGE, "req_cpu": 512, "req_memory": 1024}
LOGIN = RegistryLogin("ann", "alohomora")


def payload(**more: Any) -> AppVersionPayload:
    return msgspec.convert({**LEAST, **more}, AppVersionPayload)


def terms(**more: Any) -> Terms:
    return new_terms(payload(**more), 4096)


def standing(state: BuildState = BuildState.SUCCEEDED, gone: bool = False, **more: Any) -> Standing:
    """What stands under a label that these terms have made."""
    made = terms(**more)
    app = App("app-1", "org", "chess", "", "{}", None, 0, "me", None, None)
    release = Release(
        "dep-1", app.id, 1, "key", "bld-1", None, None, None, made.seats, made.cpu, made.memory_mb, made.gpu,
        msgspec.json.encode(list(made.ports)).decode(), "", 0, 0, "me",
    )  # fmt: skip
    plan = msgspec.json.encode(made.plan).decode()
    label = Label("lbl-1", app.id, 1, made.name, release.id, plan, made.said, None, int(made.active), 0, "me", 0, None)
    serving = Serving(app, label, release, made.plan, state, "it broke", 0, None, gone)
    return Standing(serving, dict(made.env), frozenset(made.hidden), made.login)


def changed(before: Standing, **params: Any) -> Terms:
    return changed_terms(before, msgspec.convert(params, AppVersionUpdatePayload), 4096)


def test_the_least_that_can_be_said() -> None:
    found = terms()
    assert (found.cpu, found.memory_mb, found.gpu, found.seats, found.active) == (0.5, 1024, None, 1, True)
    assert found.runs == RegistrySource("ghcr.io/studio/game:1")
    assert found.plan == Plan(restart=Restart.ALWAYS)
    assert (found.ports, found.env, found.login, found.check) == ([], [], None, False)


@pytest.mark.parametrize(
    ("said", "plan", "seats"),
    [
        ({"max_duration": 0}, Plan(), 1),
        ({"max_duration": -1}, Plan(), 1),
        ({"max_duration": 90}, Plan(life_minutes=90), 1),
        ({"restart_policy": "never"}, Plan(restart=Restart.NEVER), 1),
        ({"restart_policy": "on_failure"}, Plan(restart=Restart.ON_FAILURE), 1),
        ({"time_to_deploy": 120, "termination_grace_period_seconds": 30}, Plan(start_seconds=120, grace_seconds=30), 1),
        ({"command": "/game", "arguments": "--map 'a b'"}, Plan(command="/game", arguments="--map 'a b'"), 1),
        ({"whitelisting_active": True, "endpoint_storage": "logs"}, Plan(guarded=True, storage="logs"), 1),
        ({"endpoint_storage": ""}, Plan(), 1),
        ({"session_config": {"kind": "Default", "sockets": 7, "autodeploy": True, "empty_ttl": 3}}, Plan(), 1),
        (
            {"session_config": {"kind": "Seat", "sockets": 7, "autodeploy": True, "empty_ttl": 3}},
            Plan(seat_kind=SeatKind.PLAYER, starts_servers=True, empty_minutes=3),
            7,
        ),
        (
            {"session_config": {"kind": "Match", "sockets": 4, "session_max_duration": 90}},
            Plan(seat_kind=SeatKind.ROOM, room_kept_minutes=90),
            4,
        ),
    ],
)
def test_how_servers_are_run(said: dict[str, Any], plan: Plan, seats: int) -> None:
    found = terms(**said)
    restart = found.plan.restart if "restart_policy" in said else Restart.NEVER
    assert (msgspec.structs.replace(found.plan, restart=restart), found.seats) == (plan, seats)


@pytest.mark.parametrize(
    ("said", "spec"),
    [
        ({"port": 7777, "protocol": "UDP"}, PortSpec("7777", "udp", 7777, "UDP")),
        ({"port": 7777, "protocol": "udp", "name": ""}, PortSpec("7777", "udp", 7777, "UDP")),
        ({"port": 80, "protocol": "HTTP", "name": "web"}, PortSpec("web", "tcp", 80, "HTTP")),
        ({"port": 80, "protocol": "WS", "tls_upgrade": True}, PortSpec("80", "tls", 80, "WS")),
        ({"port": 443, "protocol": "WSS", "to_check": False}, PortSpec("443", "tcp", 443, "WSS", awaited=False)),
        ({"port": 9, "protocol": "TCP/UDP", "name": "both"}, PortSpec("both", "tcp+udp", 9, "TCP/UDP")),
        ({"port": 0, "protocol": "TCP", "name": "same"}, PortSpec("same", "tcp", 0, "TCP")),
    ],
)
def test_a_port(said: dict[str, Any], spec: PortSpec) -> None:
    assert port_specs([msgspec.convert(said, AppVersionPort)]) == [spec]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"req_memory": 8192}, "req_memory: .* 4096 MiB at most"),
        ({"ports": [{"port": 0, "protocol": "UDP"}]}, r"ports\[0\].name: .* needs a name"),
        ({"ports": [{"port": 1, "protocol": "TCP", "tls_upgrade": True}]}, r"ports\[0\].tls_upgrade: .* not for TCP"),
        ({"ports": [{"port": 1, "protocol": "TCP", "name": "a=b"}]}, r"ports\[0\].name: up to 255"),
        ({"ports": [{"port": 1, "protocol": "TCP"}, {"port": 1, "protocol": "UDP"}]}, r"ports\[1\].name: .* called 1"),
        ({"private_username": "ann"}, "private_username and private_token go together"),
        ({"private_token": "x"}, "private_username and private_token go together"),
        ({"docker_image": "Studio/Game"}, "docker_image: .* is not the name of an image"),
        ({"docker_repository": "not a host"}, "docker_repository: "),
    ],
)  # fmt: skip
def test_what_is_refused(said: dict[str, Any], why: str) -> None:
    with pytest.raises(Invalid, match=f"^{why}"):
        terms(**said)


@pytest.mark.parametrize(
    ("said", "runs"),
    [
        ({"docker_repository": "docker.io", "docker_image": "nginx"}, RegistrySource("docker.io/library/nginx:1")),
        ({"docker_repository": "https://registry.example:5000/v2/", "docker_image": "a/b"},
         RegistrySource("registry.example:5000/a/b:1")),
        ({"docker_repository": "", "docker_image": "ghcr.io/a/b"}, RegistrySource("ghcr.io/a/b:1")),
        ({"docker_tag": ""}, RegistrySource("ghcr.io/studio/game:latest")),
        ({"docker_tag": f"sha256:{'0' * 64}"}, RegistrySource(f"ghcr.io/studio/game@sha256:{'0' * 64}")),
        ({"private_username": "ann", "private_token": "alohomora"}, RegistrySource("ghcr.io/studio/game:1", LOGIN)),
        ({"docker_repository": "build", "docker_image": "bld-7"}, Uploaded(("bld-7", "1"))),
        ({"docker_repository": "Build", "docker_image": ""}, Uploaded(("", "1"))),
    ],
)  # fmt: skip
def test_what_is_run(said: dict[str, Any], runs: object) -> None:
    assert terms(**said).runs == runs


def test_nothing_secret_is_kept_with_what_was_said() -> None:
    found = terms(
        private_username="ann", private_token="alohomora",
        envs=[{"key": "A", "value": "open"}, {"key": "B", "value": "hush", "is_secret": True}],
    )  # fmt: skip
    assert (list(found.env), set(found.hidden), found.login) == ([("A", "open"), ("B", "hush")], {"B"}, LOGIN)
    assert json.loads(found.said)["envs"] == [{"key": "A", "is_hidden": False}, {"key": "B", "is_hidden": True}]
    for word in ("open", "hush", "ann", "alohomora"):
        assert word not in found.said


ENVS = [{"key": "A", "value": "1"}, {"key": "B", "value": "2", "is_hidden": True}]


@pytest.mark.parametrize(
    ("said", "env", "hidden"),
    [
        ({}, {"A": "1", "B": "2"}, {"B"}),
        ({"envs": None}, {"A": "1", "B": "2"}, {"B"}),
        ({"envs": []}, {}, set()),
        ({"envs": [{"key": "A", "value": ""}]}, {"A": ""}, set()),
        # As it was told: the value of a hidden one is an empty text there.
        ({"envs": [{"key": "B", "value": "", "is_hidden": True}]}, {"B": "2"}, {"B"}),
        ({"envs": [{"key": "B", "value": "3", "is_hidden": True}]}, {"B": "3"}, {"B"}),
        # Nobody brings a hidden value to light.
        ({"envs": [{"key": "B", "value": "", "is_hidden": False}]}, {"B": ""}, set()),
        ({"envs": [{"key": "A", "value": "", "is_hidden": True}]}, {"A": ""}, {"A"}),
    ],
)
def test_variables_after_a_change(said: dict[str, Any], env: dict[str, str], hidden: set[str]) -> None:
    found = changed(standing(envs=ENVS), **said)
    assert (dict(found.env), set(found.hidden)) == (env, hidden)


@pytest.mark.parametrize(
    ("state", "gone", "said", "login", "runs"),
    [
        ("succeeded", False, {}, LOGIN, None),
        ("succeeded", False, {"docker_tag": "1", "docker_repository": "ghcr.io"}, LOGIN, None),
        ("running", False, {"req_cpu": 1024}, LOGIN, None),
        ("failed", False, {}, LOGIN, "ghcr.io/studio/game:1"),
        ("succeeded", True, {}, LOGIN, "ghcr.io/studio/game:1"),
        ("succeeded", False, {"docker_tag": "2"}, LOGIN, "ghcr.io/studio/game:2"),
        ("succeeded", False, {"private_token": "n"}, RegistryLogin("ann", "n"), "ghcr.io/studio/game:1"),
        ("succeeded", False, {"private_username": ""}, None, "ghcr.io/studio/game:1"),
        ("succeeded", False, {"private_username": "", "private_token": ""}, None, "ghcr.io/studio/game:1"),
        # What was meant for one registry is not said to another.
        ("succeeded", False, {"docker_repository": "r.example"}, None, "r.example/studio/game:1"),
    ],
)
def test_what_is_run_after_a_change(
    state: str, gone: bool, said: dict[str, Any], login: RegistryLogin | None, runs: str | None
) -> None:
    before = standing(BuildState(state), gone, private_username="ann", private_token="alohomora")
    found = changed(before, **said)
    assert found.login == login
    assert found.runs == (None if runs is None else RegistrySource(runs, login))


def test_an_uploaded_build_stays_until_another_one_is_named() -> None:
    before = standing(docker_repository="build", docker_image="bld-1")
    assert changed(before, docker_image="bld-1").runs is None
    assert changed(before, docker_image="bld-2").runs == Uploaded(("bld-2", "1"))
    assert changed(replace(before, serving=replace(before.serving, build_gone=True)), is_active=False).runs is None


def test_sessions_are_changed_field_by_field() -> None:
    before = standing(session_config={"kind": "Seat", "sockets": 7, "empty_ttl": 3})
    found = changed(before, session_config={"sockets": 9, "kind": None})
    assert (found.seats, found.plan.seat_kind, found.plan.empty_minutes) == (9, SeatKind.PLAYER, 3)
    with pytest.raises(Invalid, match="its kind and its sockets"):
        changed(standing(), session_config={"sockets": 9})
    assert changed(standing(), session_config={"kind": "Match", "sockets": 9}).seats == 9


def test_what_is_left_out_or_null_stays() -> None:
    before = standing(max_duration=90, ports=[{"port": 7777, "protocol": "UDP"}], is_active=False)
    found = changed(before, max_duration=None, req_memory=2048)
    assert (found.name, found.active, found.memory_mb, found.plan.life_minutes) == ("v1", False, 2048, 90)
    assert found.ports == [PortSpec("7777", "udp", 7777, "UDP")]
    assert changed(before, name="v2", is_active=True).name == "v2"


@pytest.mark.parametrize(
    ("said", "same"),
    [
        ({}, True),
        ({"name": "v9", "is_active": False, "max_duration": 7, "restart_policy": "never"}, True),
        ({"req_cpu": 1024}, False),
        ({"req_memory": 2048}, False),
        ({"ports": [{"port": 7777, "protocol": "TCP"}]}, False),
        ({"session_config": {"kind": "Match", "sockets": 2}}, False),
        ({"envs": [{"key": "B", "value": "2"}, {"key": "A", "value": "1"}]}, False),
        ({"envs": [{"key": "B", "value": "2", "is_hidden": True}, {"key": "A", "value": "1"}]}, True),
    ],
)
def test_a_release_is_made_only_for_what_it_holds(said: dict[str, Any], same: bool) -> None:
    before = standing(envs=ENVS, ports=[{"port": 7777, "protocol": "UDP"}])
    assert same_release(before, "bld-1", changed(before, **said)) is same
    assert not same_release(before, "bld-2", changed(before, **said))


@pytest.mark.parametrize(
    ("name", "number"),
    [("release-7", 7), ("release-07", None), ("release-", None), ("release--1", None), ("v7", None),
     ("release-0", None), ("release-\u0661", None), (f"release-{'9' * 30}", None)],
)  # fmt: skip
def test_releases_without_a_label_are_called_by_their_numbers(name: str, number: int | None) -> None:
    assert release_number(name) == number
    assert number is None or release_name(number) == name


def test_why_no_server_can_be_started_yet() -> None:
    assert unready(standing().serving, 0) is None
    assert "could not be had: it broke." in (unready(standing(BuildState.FAILED).serving, 0) or "")
    assert "still being fetched (9 s so far)" in (unready(standing(BuildState.RUNNING).serving, 9 * SECOND) or "")
