"""Between a version as Edgegap writes it and the house's label, release and plan. Pure; used by ``versions.py``.

What is said of a version is kept as it was said, so that it can be told again and a change can be laid over it. What is
secret of it is kept elsewhere: the values of variables with the release, who we are to a registry with the label.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from innkeeper.contract.edgegap.applications import AppVersionPayload, AppVersionPort, AppVersionUpdatePayload
from innkeeper.contract.edgegap.words import Env, Protocol, SessionKind
from innkeeper.contract.shape import given
from innkeeper.engines.images import RegistryLogin
from innkeeper.hosting.labels import Standing, Terms, Uploaded
from innkeeper.hosting.model import BuildState, PortSpec
from innkeeper.hosting.plans import Plan, Restart, SeatKind
from innkeeper.hosting.registries import RegistrySource, whole_reference
from innkeeper.kit.errors import Invalid

#: The registry that stands for what was uploaded.
BUILD = "build"
#: Of Edgegap's units, those of one processor.
UNITS = 1024
_TRANSPORT = {Protocol.UDP: "udp", Protocol.TCP_UDP: "tcp+udp"}
_UPGRADED = frozenset({Protocol.HTTP, Protocol.WS})
_PORT_NAME = re.compile(r"[^=\x00-\x1f\x7f]{1,255}")
_KINDS = {SessionKind.DEFAULT: SeatKind.SERVER, SessionKind.SEAT: SeatKind.PLAYER, SessionKind.MATCH: SeatKind.ROOM}
_RESTARTS = {"always": Restart.ALWAYS, "never": Restart.NEVER, "on_failure": Restart.ON_FAILURE}
#: What is not kept with what was said.
_SECRET = ("name", "is_active", "private_username", "private_token")


def new_terms(params: AppVersionPayload, most_memory_mb: float) -> Terms:
    """What a new version is to be. Raises Invalid."""
    login = _login(given(params.private_username) or "", given(params.private_token) or "")
    return _terms(params, login, _runs(params, login), most_memory_mb)


def changed_terms(before: Standing, params: AppVersionUpdatePayload, most_memory_mb: float) -> Terms:
    """What a version is to be after a change. What is left out or null stays. Raises Invalid."""
    label = before.serving.label
    assert label is not None
    said: dict[str, Any] = json.loads(label.said)
    changes = plain(params)
    whole = {"name": label.name, "is_active": bool(label.active), **said, **changes}
    if "session_config" in changes:
        whole["session_config"] = {**said.get("session_config", {}), **changes["session_config"]}
    whole["envs"] = _envs(said.get("envs", []), before.env, changes.get("envs"))
    try:
        form = msgspec.convert(whole, AppVersionPayload)
    except msgspec.ValidationError:  # each was read by its own declaration before; what is missing is what that needs
        raise Invalid("session_config: the version has none yet, so its kind and its sockets have to be said") from None
    login = _login_after(before.login, form, said, changes)
    return _terms(form, login, _runs_after(before, form, said, login), most_memory_mb)


def plain(params: msgspec.Struct) -> dict[str, Any]:
    """What is said in a request, without what is left out or null."""
    said: dict[str, Any] = _without_nulls(msgspec.to_builtins(params))
    return said


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def is_hidden(env: Mapping[str, Any]) -> bool:
    """Whether the value of a variable is never told again: either of its two words says so."""
    return bool(env.get("is_hidden") or env.get("is_secret"))


def _terms(
    form: AppVersionPayload, login: RegistryLogin | None, runs: RegistrySource | Uploaded | None, most_memory_mb: float
) -> Terms:
    if form.req_memory > most_memory_mb:
        raise Invalid(f"req_memory: the organisation's servers may have {most_memory_mb:.12g} MiB at most")
    whole = plain(form)
    plan, seats = _plan(whole)
    env: Sequence[Env] = given(form.envs) or []
    ports: Sequence[AppVersionPort] = given(form.ports) or []
    said = {name: value for name, value in whole.items() if name not in _SECRET}
    if "envs" in said:
        said["envs"] = [{"key": one["key"], "is_hidden": is_hidden(one)} for one in said["envs"]]
    return Terms(
        name=form.name,
        runs=runs,
        cpu=form.req_cpu / UNITS,
        memory_mb=form.req_memory,
        gpu=whole.get("req_video", 0) / UNITS or None,
        seats=seats,
        ports=port_specs(ports),
        env=list({one.key: one.value for one in env}.items()),
        hidden={one["key"] for one in said.get("envs", []) if one["is_hidden"]},
        plan=plan,
        said=json.dumps(said),
        login=login,
        active=whole.get("is_active", True),
        check=whole.get("verify_image", False),
    )


def _plan(whole: Mapping[str, Any]) -> tuple[Plan, int]:
    """How servers are run, and their seats."""
    config = whole.get("session_config", {})
    kind = _KINDS[SessionKind(config.get("kind", SessionKind.DEFAULT))]
    sessions = config if kind is not SeatKind.SERVER else {}
    minutes = whole.get("max_duration", 0)
    plan = Plan(
        seat_kind=kind,
        starts_servers=sessions.get("autodeploy", False),
        empty_minutes=sessions.get("empty_ttl"),
        room_kept_minutes=sessions.get("session_max_duration", 60),
        life_minutes=minutes if minutes > 0 else None,
        grace_seconds=whole.get("termination_grace_period_seconds"),
        start_seconds=whole.get("time_to_deploy"),
        restart=_RESTARTS[whole.get("restart_policy", "always")],
        command=whole.get("command", ""),
        arguments=whole.get("arguments", ""),
        guarded=whole.get("whitelisting_active", False),
        storage=whole.get("endpoint_storage") or None,
    )
    return plan, sessions.get("sockets", 1)


def port_specs(ports: Sequence[AppVersionPort]) -> list[PortSpec]:
    """The ports of a release. Raises Invalid."""
    specs: list[PortSpec] = []
    for at, port in enumerate(ports):
        name, tls = given(port.name), port.tls_upgrade is True
        if port.port == 0 and not name:
            raise Invalid(f"ports[{at}].name: a port that is the same inside and outside (0) needs a name")
        name = name or str(port.port)
        if not _PORT_NAME.fullmatch(name):
            raise Invalid(f"ports[{at}].name: up to 255 characters, without = and line ends")
        if tls and port.protocol not in _UPGRADED:
            raise Invalid(f"ports[{at}].tls_upgrade: TLS is ended for HTTP and WS alone, not for {port.protocol}")
        if any(other.name == name for other in specs):
            raise Invalid(f"ports[{at}].name: another port is called {name} too; give each a name of its own")
        transport = "tls" if tls else _TRANSPORT.get(port.protocol, "tcp")
        specs.append(PortSpec(name, transport, port.port, port.protocol.value, port.to_check is not False))
    return specs


def _envs(
    said: Sequence[Mapping[str, Any]], values: Mapping[str, str], changes: Sequence[Mapping[str, Any]] | None
) -> list[dict[str, Any]]:
    """The variables after a change.

    A hidden one is told as an empty text: whoever says that again has not changed it.
    """
    if changes is None:
        return [{**one, "value": values.get(one["key"], "")} for one in said]
    hidden = {one["key"] for one in said if is_hidden(one)}
    kept = {key: value for key, value in values.items() if key in hidden}
    return [{**one, "value": one["value"] or (kept.get(one["key"], "") if is_hidden(one) else "")} for one in changes]


def _login(user: str, token: str) -> RegistryLogin | None:
    if bool(user) != bool(token):
        raise Invalid(
            "private_username and private_token go together: give both, or leave both out for an image that is for"
            " everybody"
        )
    return RegistryLogin(user, token) if user else None


def _login_after(
    before: RegistryLogin | None, form: AppVersionPayload, said: Mapping[str, Any], changes: Mapping[str, Any]
) -> RegistryLogin | None:
    """Who we are to the registry after a change. What was meant for one registry is not said to another."""
    if "private_token" not in changes and form.docker_repository != said["docker_repository"]:
        before = None
    user = changes.get("private_username", "" if before is None else before.user)
    if user == "":
        return _login("", changes.get("private_token", ""))
    return _login(user, changes.get("private_token", "" if before is None else before.password))


def _runs(form: AppVersionPayload, login: RegistryLogin | None) -> RegistrySource | Uploaded:
    image, tag = form.docker_image.strip(), form.docker_tag.strip()
    if form.docker_repository.strip().lower() == BUILD:
        return Uploaded((image, tag))
    mark = "@" if tag.startswith("sha256:") else ":"
    try:
        reference = whole_reference(f"{image}{mark}{tag}" if tag else image, form.docker_repository)
    except Invalid as error:
        text = str(error).replace("registryUrl", "docker_repository")
        raise Invalid(text.replace("image:", "docker_image:", 1) if text.startswith("image:") else text) from None
    return RegistrySource(reference, login)


def _runs_after(
    before: Standing, form: AppVersionPayload, said: Mapping[str, Any], login: RegistryLogin | None
) -> RegistrySource | Uploaded | None:
    """What is run after a change; None: what is run already. What could not be had is tried anew."""
    serving = before.serving
    image = (form.docker_repository, form.docker_image, form.docker_tag)
    same = image == (said["docker_repository"], said["docker_image"], said["docker_tag"])
    runs = _runs(form, login)
    if isinstance(runs, Uploaded):
        return None if same else runs
    lost = serving.build_state is BuildState.FAILED or serving.build_gone
    return None if same and not lost and login == before.login else runs
