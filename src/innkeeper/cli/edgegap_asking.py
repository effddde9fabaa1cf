"""What ``innkeeper edgegap`` asks for, from what the line says. Pure; called by ``edgegap.py``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from .failures import Code, Failure

if TYPE_CHECKING:
    from innkeeper.contract.edgegap.deployments import DeployModel


def deploy_params(
    app: str,
    *,
    version: str | None,
    ips: Sequence[str],
    near: str | None,
    wheres: Sequence[str],
    envs: Sequence[str],
    tags: Sequence[str],
    webhook: str | None,
) -> DeployModel:
    """The body that asks for a deployment. Raises :class:`Failure` for what cannot be understood."""
    from innkeeper.contract.edgegap.deployments import DeployModel
    from innkeeper.contract.edgegap.words import Coordinates, Env, FilterType, LocationField, LocationFilter
    from innkeeper.contract.shape import UNSET

    places: dict[LocationField, list[str]] = {}
    for field, value in (_pair(one, "--in", "city=Paris") for one in wheres):
        word = LocationField(field)
        if not word.known:
            known = ", ".join(str(one) for one in LocationField)
            raise Failure(f"--in: there is no field {field!r}; there is: {known}", Code.USAGE)
        places.setdefault(word, []).append(value)
    point = UNSET if near is None else Coordinates(**dict(zip(("latitude", "longitude"), _point(near), strict=True)))
    return DeployModel(
        app_name=app,
        version_name=version or UNSET,
        ip_list=list(ips) or UNSET,
        location=point,
        filters=[LocationFilter(field=f, values=v, filter_type=FilterType.ANY) for f, v in places.items()] or UNSET,
        env_vars=[Env(key=key, value=value) for key, value in (_pair(one, "--env", "NAME=VALUE") for one in envs)]
        or UNSET,
        tags=list(tags) or UNSET,
        webhook_url=webhook or UNSET,
    )


def question(**fields: str | None) -> str | None:
    """The query of a list for what is equal in every field that is told; None where none is."""
    filters = [{"field": name, "operator": "eq", "value": value} for name, value in fields.items() if value is not None]
    return msgspec.json.encode({"filters": filters}).decode() if filters else None


def _pair(text: str, option: str, example: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise Failure(f"{option}: {text!r} has no value; write {example}", Code.USAGE)
    return name, value


def _point(text: str) -> tuple[float, float]:
    """Degrees north and east."""
    try:
        latitude, longitude = (float(part) for part in text.split(","))
        if abs(latitude) <= 90 and abs(longitude) <= 180:
            return latitude, longitude
    except ValueError:
        pass
    raise Failure(f"--near: {text!r} is no point; write degrees north and east, such as 48.86,2.35", Code.USAGE)
