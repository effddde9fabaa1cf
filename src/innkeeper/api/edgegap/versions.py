"""Versions of applications: the house's labels. Declared in ``contract/edgegap/applications.py``.

A release that stands under no label, made through another API, is told as a version named by its number.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.edgegap.applications import (
    Applications,
    AppVersion,
    AppVersionCreateResponse,
    AppVersionDelete,
    AppVersionList,
    AppVersionPayload,
    AppVersionPort,
    AppVersionProbe,
    AppVersionSessionConfig,
    AppVersionUpdatePayload,
    BuildType,
    RestartPolicy,
)
from innkeeper.contract.edgegap.words import Env, Protocol, SessionKind
from innkeeper.hosting.labels import Standing
from innkeeper.hosting.releases import ports_of

from .absent import or_nothing
from .forms import BUILD, UNITS, changed_terms, new_terms
from .pages import paged, slice_of
from .times import stamp

#: What was not said is told with these; the house's own times come beside them.
_USUAL: Mapping[str, Any] = {
    "req_video": 0, "max_duration": 0, "use_telemetry": True, "inject_context_env": True, "whitelisting_active": False,
    "force_cache": False, "cache_min_hour": None, "cache_max_hour": None, "enable_all_locations": False,
    "verify_image": False, "endpoint_storage": None, "command": None, "arguments": None,
    "will_deploy_in_mainland_china": False, "dns_config": None,
}  # fmt: skip


def app_version(visit: Visit, standing: Standing) -> AppVersion:
    """A version as Edgegap tells it."""
    serving, settings = standing.serving, visit.wings.settings
    label, release = serving.label, serving.release
    said: dict[str, Any] = _of_release(standing) if label is None else json.loads(label.said)
    changed_at = release.created_at if label is None else label.changed_at
    login = standing.login
    told = {name: said.get(name, usual) for name, usual in _USUAL.items()}
    config, probe = said.get("session_config"), said.get("probe")
    return AppVersion(
        name=serving.name,
        is_active=label is None or bool(label.active),
        docker_repository=said["docker_repository"],
        docker_image=said["docker_image"],
        docker_tag=said["docker_tag"],
        private_username=None if login is None else login.user,
        private_token=None,
        req_cpu=said["req_cpu"],
        req_memory=said["req_memory"],
        caching_percent=visit.wings.labels.spread(serving),
        time_to_deploy=said.get("time_to_deploy", round(settings.ready_seconds)),
        session_config=or_nothing(None if config is None else _session_config(config)),
        ports=[_port(port) for port in said.get("ports", [])],
        probe=or_nothing(None if probe is None else AppVersionProbe(**probe)),
        envs=[_env(env, standing.env) for env in said.get("envs", [])],
        termination_grace_period_seconds=said.get("termination_grace_period_seconds", round(settings.grace_seconds)),
        build_type=or_nothing(BuildType(said["build_type"]) if "build_type" in said else None),
        restart_policy=RestartPolicy(said.get("restart_policy", "always")),
        create_time=stamp(release.created_at if label is None else label.created_at),
        last_updated=stamp(changed_at),
        **told,
    )


def _of_release(standing: Standing) -> dict[str, Any]:
    """What would have been said of a release that was made through another API."""
    release = standing.serving.release
    return {
        "docker_repository": BUILD,
        "docker_image": release.build_id,
        "docker_tag": release.build_tag or "",
        "req_cpu": round(release.cpu * UNITS),
        "req_memory": round(release.memory_mb),
        "ports": [
            {"port": port.port, "protocol": port.speaks or _spoken(port.transport), "name": port.name,
             "to_check": port.awaited, "tls_upgrade": port.transport == "tls"}
            for port in ports_of(release)
        ],
        "envs": [{"key": key, "is_hidden": key in standing.hidden} for key in standing.env],
        "restart_policy": "never",
    }  # fmt: skip


def _spoken(transport: str) -> str:
    return {"udp": Protocol.UDP.value, "tcp+udp": Protocol.TCP_UDP.value}.get(transport, Protocol.TCP.value)


def _session_config(said: Mapping[str, Any]) -> AppVersionSessionConfig:
    return AppVersionSessionConfig(
        kind=SessionKind(said["kind"]),
        sockets=said["sockets"],
        autodeploy=said.get("autodeploy", False),
        empty_ttl=said.get("empty_ttl"),
        session_max_duration=said.get("session_max_duration", 60),
    )


def _port(said: Mapping[str, Any]) -> AppVersionPort:
    return AppVersionPort(
        port=said["port"],
        protocol=Protocol(said["protocol"]),
        to_check=said.get("to_check", True),
        tls_upgrade=said.get("tls_upgrade", False),
        name=said.get("name") or str(said["port"]),
    )


def _env(said: Mapping[str, Any], values: Mapping[str, str]) -> Env:
    """A variable; the value of a hidden one is nobody's any more to read."""
    hidden = bool(said["is_hidden"])
    value = "" if hidden else values.get(said["key"], "")
    return Env(key=said["key"], value=value, is_secret=hidden, is_hidden=hidden)


async def _most_memory(visit: Visit) -> float:
    return (await visit.wings.organisations.get(visit.org)).limits.memory_mb


@implements(Applications.create_app_version)
async def create_app_version(visit: Visit, params: AppVersionPayload, app_name: str) -> AppVersionCreateResponse:
    app = await visit.wings.apps.named(visit.org, app_name)
    terms = new_terms(params, await _most_memory(visit))
    made = await visit.wings.labels.create(visit.org, app.id, visit.by, terms)
    return AppVersionCreateResponse(success=True, version=app_version(visit, made))


@implements(Applications.get_app_version)
async def get_app_version(visit: Visit, app_name: str, version_name: str) -> AppVersion:
    return app_version(visit, await visit.wings.labels.get(visit.org, app_name, version_name))


@implements(Applications.update_app_version)
async def update_app_version(
    visit: Visit, params: AppVersionUpdatePayload, app_name: str, version_name: str
) -> AppVersionCreateResponse:
    most = await _most_memory(visit)
    made = await visit.wings.labels.change(
        visit.org, app_name, version_name, visit.by, lambda before: changed_terms(before, params, most)
    )
    return AppVersionCreateResponse(success=True, version=app_version(visit, made))


@implements(Applications.delete_app_version)
async def delete_app_version(visit: Visit, app_name: str, version_name: str) -> AppVersionDelete:
    await visit.wings.labels.delete(visit.org, app_name, version_name)
    return AppVersionDelete(
        success=True, message=f"version {version_name} of {app_name} is deleted; what runs of it runs on"
    )


@implements(Applications.list_app_versions)
async def list_app_versions(
    visit: Visit, app_name: str, *, page: int | None = None, limit: int | None = None
) -> AppVersionList:
    part = slice_of(page, limit)
    found, total = await visit.wings.labels.page(visit.org, app_name, part.skip, part.size)
    return AppVersionList(versions=[app_version(visit, one) for one in found], **paged(part, total))
