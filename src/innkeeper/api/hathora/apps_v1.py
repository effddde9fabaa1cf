"""Applications as old tools know them, by the verbs of ``apps_v2.py``. Declared in ``contract/hathora/apps_v1.py``."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.apps_v1 import (
    ApplicationWithLatestDeploymentAndBuildDeprecated,
    AppsV1,
    DeploymentV2WithBuild,
)
from innkeeper.contract.hathora.apps_v2 import (
    Application,
    CreateAppConfig,
    PartialAppConfigWithServiceConfig,
    ServiceConfigWrite,
)
from innkeeper.contract.shape import GLOBAL

from . import apps_v2
from .apps_v2 import app_fields, service_in
from .builds_v2 import old_build
from .deployments_v2 import old_deployments


@implements(AppsV1.create_app)
async def create_app(visit: Visit, params: CreateAppConfig) -> Application:
    return await apps_v2.create_app(visit, params)


@implements(AppsV1.get_apps)
async def get_apps(visit: Visit) -> list[ApplicationWithLatestDeploymentAndBuildDeprecated]:
    wings = visit.wings
    builds = {build.key: build for build in await wings.builds.all(visit.org)}
    found = await wings.releases.newest(visit.org)
    standing = [release for release in found.values() if release.build_key in builds]
    latest: dict[str, DeploymentV2WithBuild] = {}
    for release, told in zip(standing, await old_deployments(visit, standing), strict=True):
        fields = {name: getattr(told, name) for name in told.__struct_fields__}
        build = old_build(visit, builds[release.build_key], release.app_id)
        latest[release.app_id] = DeploymentV2WithBuild(**fields, build=build)
    return [
        ApplicationWithLatestDeploymentAndBuildDeprecated(
            **app_fields(visit, app), deployment=latest.get(app.id, UNSET)
        )
        for app in await wings.apps.all(visit.org)
    ]


@implements(AppsV1.get_app_info)
async def get_app_info(visit: Visit, app_id: str = GLOBAL) -> Application:
    return await apps_v2.get_app(visit, app_id)


@implements(AppsV1.update_app)
async def update_app(visit: Visit, params: CreateAppConfig, app_id: str = GLOBAL) -> Application:
    if not isinstance(params.load_balancer, UnsetType):
        # Refused where it asks for one. That there is none needs no writing down: the service stays as it is.
        service_in(ServiceConfigWrite(static_process_allocation=[], load_balancer=params.load_balancer))
    changes = PartialAppConfigWithServiceConfig(app_name=params.app_name, auth_configuration=params.auth_configuration)
    return await apps_v2.patch_app(visit, changes, app_id)


@implements(AppsV1.delete_app)
async def delete_app(visit: Visit, app_id: str = GLOBAL) -> None:
    await apps_v2.delete_app(visit, app_id)
