"""Applications. Declared in ``contract/hathora/apps_v2.py``."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.apps_v2 import (
    AppConfigWithServiceConfig,
    Application,
    ApplicationsPage,
    ApplicationWithLatestDeploymentAndBuild,
    AppsV2,
    AuthConfiguration,
    CreateAppConfig,
    DeploymentV3WithBuild,
    GoogleLogin,
    LoadBalancerConfig,
    PartialAppConfigWithServiceConfig,
    RecordStringNever,
    ServiceConfig,
    ServiceConfigWrite,
    StaticProcessAllocationConfig,
)
from innkeeper.contract.hathora.words import Region
from innkeeper.contract.shape import GLOBAL, given
from innkeeper.hosting.apps import login_of, service_of
from innkeeper.hosting.model import App, LoginRules, Service, StandingOrder
from innkeeper.kit.errors import Invalid
from innkeeper.kit.stamps import moment, moment_or_none

from .builds_v3 import build_data
from .deployments_v3 import deployment_data
from .words import location_of, region_of

#: The platform's own limit, for an allocation that names none.
_MOST_SERVERS = 10_000


def app_fields(visit: Visit, app: App) -> dict[str, Any]:
    """What every generation tells of an app."""
    login = login_of(app)
    return {
        "app_id": app.id,
        "app_name": app.name,
        "app_secret": visit.wings.apps.secret_of(app),
        "auth_configuration": AuthConfiguration(
            anonymous=RecordStringNever() if login.anonymous else UNSET,
            nickname=RecordStringNever() if login.nickname else UNSET,
            google=GoogleLogin(client_id=login.google) if login.google is not None else UNSET,
        ),
        "service_config": _service_config(service_of(app)),
        "org_id": app.org_id,
        "created_at": moment(app.created_at),
        "created_by": app.created_by,
        "deleted_at": moment_or_none(app.deleted_at),
        "deleted_by": app.deleted_by,
    }


def _service_config(service: Service | None) -> ServiceConfig | None:
    if service is None:
        return None
    return ServiceConfig(
        static_process_allocation=[
            StaticProcessAllocationConfig(
                region=region_of(order.location),
                min_processes=order.least,
                target_processes=order.target,
                max_processes=order.most,
                autoscaling_enabled=UNSET if order.autoscale is None else order.autoscale,
            )
            for order in service.orders
        ],
        load_balancer=UNSET if service.load_balancer is None else LoadBalancerConfig(**service.load_balancer),
    )


def _rules(config: AuthConfiguration) -> LoginRules:
    google = config.google
    return LoginRules(
        anonymous=config.anonymous is not UNSET,
        nickname=config.nickname is not UNSET,
        google=None if isinstance(google, UnsetType) else google.client_id,
    )


def service_in(config: ServiceConfigWrite) -> Service:
    """The standing orders in a request. What this house does not do yet is refused, not stored in silence."""
    balancer = config.load_balancer
    if not isinstance(balancer, UnsetType) and balancer.enabled:
        raise Invalid("serviceConfig.loadBalancer: load balancers are not served by this house yet; leave it disabled")
    if config.process_autoscaler_config is not UNSET:
        raise Invalid(
            "serviceConfig.processAutoscalerConfig: autoscaling is not served by this house yet; leave it out"
        )
    orders: dict[Region, StandingOrder] = {}
    for at, wanted in enumerate(config.static_process_allocation):
        where = f"serviceConfig.staticProcessAllocation[{at}]"
        if wanted.region in orders:
            raise Invalid(f"{where}.region: {wanted.region} stands there twice")
        if wanted.autoscaling_enabled is True:
            raise Invalid(f"{where}.autoscalingEnabled: autoscaling is not served by this house yet; leave it false")
        most = _MOST_SERVERS if wanted.max_processes is None else wanted.max_processes
        target = wanted.min_processes if isinstance(wanted.target_processes, UnsetType) else wanted.target_processes
        if not 0 <= wanted.min_processes <= target <= most <= _MOST_SERVERS:
            raise Invalid(f"{where}: must be 0 <= minProcesses <= targetProcesses <= maxProcesses <= {_MOST_SERVERS}")
        autoscale = given(wanted.autoscaling_enabled)
        orders[wanted.region] = StandingOrder(location_of(wanted.region), wanted.min_processes, target, most, autoscale)
    stored = None if isinstance(balancer, UnsetType) else msgspec.to_builtins(balancer)
    return Service(list(orders.values()), stored)


@implements(AppsV2.create_app)
async def create_app(visit: Visit, params: CreateAppConfig, *, org_id: str | None = GLOBAL) -> Application:
    service = None
    if not isinstance(params.load_balancer, UnsetType):
        service = service_in(ServiceConfigWrite(static_process_allocation=[], load_balancer=params.load_balancer))
    app = await visit.wings.apps.create(
        visit.org, visit.by, params.app_name, _rules(params.auth_configuration), service
    )
    return Application(**app_fields(visit, app))


@implements(AppsV2.get_apps)
async def get_apps(visit: Visit, *, org_id: str | None = GLOBAL) -> ApplicationsPage:
    wings = visit.wings
    releases = await wings.releases.newest(visit.org)
    builds = {build.key: build for build in await wings.builds.all(visit.org)}
    page: list[ApplicationWithLatestDeploymentAndBuild] = []
    for app in await wings.apps.all(visit.org):
        release = releases.get(app.id)
        build = builds.get(release.build_key) if release is not None else None
        latest: DeploymentV3WithBuild | UnsetType = UNSET
        if release is not None and build is not None:
            told = deployment_data(visit, release)
            fields = {name: getattr(told, name) for name in told.__struct_fields__}
            latest = DeploymentV3WithBuild(**fields, build=build_data(build))
        page.append(ApplicationWithLatestDeploymentAndBuild(**app_fields(visit, app), deployment=latest))
    return ApplicationsPage(applications=page)


@implements(AppsV2.get_app)
async def get_app(visit: Visit, app_id: str = GLOBAL) -> Application:
    return Application(**app_fields(visit, await visit.wings.apps.get(visit.org, app_id)))


@implements(AppsV2.update_app)
async def update_app(visit: Visit, params: AppConfigWithServiceConfig, app_id: str = GLOBAL) -> Application:
    service = params.service_config
    app = await visit.wings.apps.change(
        visit.org,
        app_id,
        name=params.app_name,
        login=_rules(params.auth_configuration),
        service=(None if isinstance(service, UnsetType) else service_in(service),),
    )
    return Application(**app_fields(visit, app))


@implements(AppsV2.patch_app)
async def patch_app(visit: Visit, params: PartialAppConfigWithServiceConfig, app_id: str = GLOBAL) -> Application:
    login, service = params.auth_configuration, params.service_config
    app = await visit.wings.apps.change(
        visit.org,
        app_id,
        name=given(params.app_name),
        login=None if isinstance(login, UnsetType) else _rules(login),
        service=None if isinstance(service, UnsetType) else (service_in(service),),
    )
    return Application(**app_fields(visit, app))


@implements(AppsV2.delete_app)
async def delete_app(visit: Visit, app_id: str = GLOBAL) -> None:
    await visit.wings.apps.delete(visit.org, app_id, visit.by)
