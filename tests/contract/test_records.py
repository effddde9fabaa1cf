"""What the audit log keeps of calls: the subject that makes sense alone, what was asked for, and never a secret."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from types import SimpleNamespace, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from innkeeper.contract.edgegap import EDGEGAP
from innkeeper.contract.hathora import HATHORA
from innkeeper.contract.hathora.apps_v1 import AppsV1
from innkeeper.contract.hathora.apps_v2 import (
    AppsV2,
    AuthConfiguration,
    CreateAppConfig,
    GoogleLogin,
    RecordStringNever,
)
from innkeeper.contract.hathora.builds_v2 import BuildsV2
from innkeeper.contract.hathora.builds_v3 import BuildsV3, RegistryConfig
from innkeeper.contract.hathora.deployments_v1 import DeploymentsV1
from innkeeper.contract.hathora.fleets_v2 import FleetsV2
from innkeeper.contract.hathora.processes_v3 import ProcessesV3
from innkeeper.contract.house import HOUSE
from innkeeper.contract.house.billing_v1 import BillingV1
from innkeeper.contract.house.hosts_v1 import HostsV1
from innkeeper.contract.house.orgs_v1 import ChangedLimits, OrgsV1
from innkeeper.contract.house.webhooks_v1 import Replay, WebhookChange, WebhooksV1
from innkeeper.contract.operation import Declared
from innkeeper.contract.records import KEPT_BACK, details_of, subject_of

TABLE = Path(__file__).with_name("recorded.txt")
RECORDED = [operation for api in (HATHORA, EDGEGAP, HOUSE) for operation in api.operations() if operation.recorded]


def made(**fields: str) -> Any:
    return SimpleNamespace(**fields)


@pytest.mark.parametrize(
    ("operation", "path", "answer", "subject"),
    [
        (AppsV2.create_app, [], made(app_id="app-1", org_id="org-1"), "app-1"),
        (AppsV2.create_app, [], None, ""),
        (AppsV1.update_app, ["app-1"], made(app_id="app-1"), "app-1"),
        (DeploymentsV1.create_deployment, ["app-1", "7"], made(deployment_id="1", build_id="7"), "app-1/1"),
        (DeploymentsV1.create_deployment, ["app-1", "7"], None, "app-1/7"),
        (BuildsV2.create_build, ["app-1"], made(build_id="7", app_id="app-1"), "app-1/7"),
        (BuildsV2.run_build, ["app-1", "7"], None, "app-1/7"),
        (BuildsV3.create_build, [], made(build_id="bld-1", org_id="org-1"), "bld-1"),
        (ProcessesV3.create_process, ["app-1", "Tokyo"], made(process_id="p-1", app_id="app-1"), "app-1/p-1"),
        (FleetsV2.create_fleet, [], made(fleet_id="fleet-1", org_id="org-1", name="eu"), "fleet-1"),
        (OrgsV1.set_limits, ["org-1"], made(org_id="org-1", name="My studio"), "org-1"),
        (BillingV1.set_paid, ["inv-1"], made(invoice_id="inv-1", org_id="org-1"), "inv-1"),
        (HostsV1.add_host, [], made(name="fra-1"), "fra-1"),
        (WebhooksV1.rotate_secret, ["hook-1"], made(webhook_id="hook-1", app_id="app-1"), "hook-1"),
        (WebhooksV1.redeliver, ["hook-1", "dlv-1"], made(delivery_id="dlv-2"), "hook-1/dlv-1"),
        (AppsV2.delete_app, ["x" * 900], None, "x" * 297 + "..."),
    ],
)  # fmt: skip
def test_a_subject_makes_sense_alone(operation: Declared, path: list[str], answer: Any, subject: str) -> None:
    assert subject_of(operation, path, answer) == subject


def login() -> CreateAppConfig:
    return CreateAppConfig(
        app_name="chess",
        auth_configuration=AuthConfiguration(anonymous=RecordStringNever(), google=GoogleLogin(client_id="a b")),
    )


@pytest.mark.parametrize(
    ("operation", "arguments", "details"),
    [
        (
            WebhooksV1.change_webhook,
            {"params": WebhookChange(url="https://me:pw@example.org:8443/in?key=7", app_id=None)},
            "url=https://example.org:8443/in?... app_id=none",
        ),
        (
            WebhooksV1.change_webhook,
            {"params": WebhookChange(kinds=["room.*", "build.failed"], note="for Ann", enabled=False)},
            'kinds=room.*,build.failed note="for Ann" enabled=false',
        ),
        (WebhooksV1.replay_events, {"params": Replay(since=datetime(2030, 1, 31, tzinfo=UTC))},
         "since=2030-01-31T00:00:00Z"),
        (OrgsV1.set_limits, {"params": ChangedLimits(memory_mb=512, cpus=None, server_hours=1.5)},
         "memory_mb=512 server_hours=1.5 cpus=none"),
        (HostsV1.remove_host, {"name": "fra-1", "force": True}, "force=true"),
        (HostsV1.remove_host, {"name": "fra-1", "force": None}, ""),
        (AppsV2.create_app, {"params": login(), "org_id": "org-1"},
         'app_name=chess auth_configuration={anonymous={} google={client_id="a b"}}'),
        (BuildsV3.run_build_registry, {"params": RegistryConfig(image="ann:pw@reg.example/game:1", auth="ann:pw")},
         f"image=reg.example/game:1 auth={KEPT_BACK}"),
        (WebhooksV1.change_webhook, {"params": WebhookChange(kinds=["*"] * 23)},
         f"kinds={','.join(['*'] * 20)},and 3 more"),
        (AppsV2.delete_app, {"app_id": "app-1"}, ""),
    ],
)  # fmt: skip
def test_what_was_asked_for_is_told(operation: Declared, arguments: dict[str, Any], details: str) -> None:
    assert details_of(operation, arguments) == details


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("https://example.org/a/b", "https://example.org/a/b"),
        ("tcp://10.0.0.7:2376", "tcp://10.0.0.7:2376"),
        ("https://[::1]:80/x#part", "https://[::1]:80/x?..."),
        ("ssh://ann@host/run/docker.sock", "ssh://host/run/docker.sock"),
        ("https://ann:p@w@host/", "https://host/"),
        ("https://ann:p/w@host/", "https://host/"),
        ("https://ann:p?w@host/", f"https://{KEPT_BACK}"),
        ("https://ann:p#w@host/", f"https://{KEPT_BACK}"),
        ("https://host/in?mail=ann@example.org", f"https://{KEPT_BACK}"),
        ("see https://ann:pw@a/ and https://b/?k=1", "see https://a/ and https://b/?..."),
        ("https://ann:p w@host/", KEPT_BACK),
        ("ann:p w@host/game", KEPT_BACK),
        ("for ann@example.org", "for ann@example.org"),
        ("nginx:1.25@sha256:abc", "nginx:1.25@sha256:abc"),
        ("ann:pw@reg:5000/game:1@sha256:abc", "reg:5000/game:1@sha256:abc"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE", KEPT_BACK),
        ("two\nlines\x00", "two lines "),
        ("x" * 500, "x" * 117 + "..."),
    ],
)  # fmt: skip
def test_addresses_lose_who_asks_and_what_for(text: str, told: str) -> None:
    said = details_of(WebhooksV1.change_webhook, {"params": WebhookChange(note=text)})
    assert said.removeprefix("note=").strip('"') == told


@given(st.text(max_size=30), st.sampled_from(["@host/", "@host", ":1@h/x?y"]))
def test_no_password_of_an_address_is_told(word: str, end: str) -> None:
    for before in ("https://ann:", "ssh://", "ann:"):
        note = f"{before}S3CRET{word}S3CRET{end}"
        assert "S3CRET" not in details_of(WebhooksV1.change_webhook, {"params": WebhookChange(note=note)})


# All of them


def filled(hint: Any, where: str, marks: dict[str, str]) -> Any:
    """A value of a type in which everything is given; each text is a mark of its own, by which it can be found."""
    origin, arms = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return filled(arms[0], where, marks)
    if origin in (Union, UnionType):
        return filled(next(arm for arm in arms if arm not in (msgspec.UnsetType, type(None))), where, marks)
    if origin is list:
        return [filled(arms[0], where, marks)]
    if hint is str:
        marks[where] = f"mark{len(marks)}x"
        return marks[where]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        fields = msgspec.structs.fields(hint)
        return hint(**{f.name: filled(f.type, f"{where}.{f.name}".lstrip("."), marks) for f in fields})
    return {int: 1, float: 1.5, bool: True, datetime: datetime(2030, 1, 1, tzinfo=UTC)}.get(hint, UNSET)


def row(operation: Declared) -> str:
    """How the table tells an operation: each text of its body and query, the ones kept back in brackets."""
    marks: dict[str, str] = {}
    body = operation.plan.body
    arguments = {p.name: filled(p.type, p.name, marks) for p in operation.plan.query if p.name != "org_id"}
    if body is not None and operation.body == "json":
        arguments[body.name] = filled(body.type, "", marks)
    told = details_of(operation, arguments)
    words = [where if mark in told else f"({where})" for where, mark in marks.items()]
    module = operation.function.__module__.rpartition(".")[2]
    within = f"{operation.api.within}." if operation.api.within else ""
    return f"{within}{module}.{operation.name}: {' '.join(words)}".rstrip()


def test_each_operation_tells_just_what_the_table_says() -> None:
    """Whoever declares a field decides here, where it is read, whether everybody who may read the log may know it."""
    lines = [line for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]
    assert lines == [row(operation) for operation in RECORDED]


def test_what_sounds_like_a_secret_is_kept_back_in_all_of_them() -> None:
    secret = re.compile(r"secret|password|token|auth$|value$|credential|login|key$", re.IGNORECASE)
    told = [word for operation in RECORDED for word in row(operation).split()[1:] if not word.startswith("(")]
    found = [word for word in told if secret.search(word.rpartition(".")[2])]
    # Names of variables, and the name of a file.
    assert sorted(set(found)) == ["envs.key", "key", "tls_key"]
