"""Applications: one for each environment of a game. Declared here, answered in ``api/hathora/apps_v2.py``."""

from __future__ import annotations

from typing import Annotated

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, UNSET, Camel, Moment, UnsetType, checked
from innkeeper.contract.words import Word

from . import operation
from .builds_v3 import BuildV3
from .deployments_v3 import DeploymentV3
from .words import READ, WRITE, AppId, AppNameTold, OrgId, Region

#: Lower-case letters, digits and ``-``; unique in its organisation.
AppName = Annotated[str, checked(max_length=64, pattern="^[a-z0-9-]+$")]


class RecordStringNever(Camel):
    """An object without fields: that it is there is what it says."""


class GoogleLogin(Camel):
    """Players log in with a Google account."""

    client_id: str  #: the game's own id at Google; ID tokens have to be made for it


class AuthConfiguration(Camel):
    """Which logins of players are open. None at all is fine where a game makes player tokens itself."""

    anonymous: RecordStringNever | UnsetType = UNSET  #: there: players can log in without saying who they are
    nickname: RecordStringNever | UnsetType = UNSET  #: there: players can log in with a name of their choice
    google: GoogleLogin | UnsetType = UNSET


class LoadBalancerConfig(Camel):
    """One address for all servers of an application."""

    enabled: bool


class AutoscalerMetric(Word):
    """What can be kept at a target by starting and stopping servers."""

    CONCURRENT_REQUESTS = "concurrent-requests"  #: how many requests one server handles at the same time


class AutoscalerTargetMetric(Camel):
    """What the number of servers follows."""

    metric_name: AutoscalerMetric
    metric_value: float  #: the figure to keep each server at


class ProcessAutoscalerConfig(Camel):
    """How the number of servers follows their load."""

    target_metric: AutoscalerTargetMetric


class StaticProcessAllocationConfigWrite(Camel):
    """How many servers to keep alive in a region whether or not there are rooms for them."""

    region: Region
    min_processes: int  #: as many stay alive while old servers are replaced by new ones; 0 or more
    target_processes: int | UnsetType = UNSET  #: as many are kept alive; left out where autoscaling decides
    max_processes: int | None  #: never more than so many, old and new together; None: the platform's own limit
    autoscaling_enabled: bool | UnsetType = UNSET  #: whether the target follows the load in this region


class StaticProcessAllocationConfig(Camel):
    """How many servers are kept alive in a region whether or not there are rooms for them."""

    region: Region
    min_processes: int  #: as many stay alive while old servers are replaced by new ones
    target_processes: int  #: as many are kept alive
    max_processes: int  #: never more than so many, old and new together
    autoscaling_enabled: bool | UnsetType = UNSET  #: whether the target follows the load in this region


class ServiceConfigWrite(Camel):
    """How an application runs as a service: servers that stay alive, one address for them, autoscaling."""

    static_process_allocation: list[StaticProcessAllocationConfigWrite]  #: one for each region
    load_balancer: LoadBalancerConfig | UnsetType = UNSET
    process_autoscaler_config: ProcessAutoscalerConfig | UnsetType = UNSET


class ServiceConfig(Camel):
    """How an application runs as a service: servers that stay alive, one address for them, autoscaling."""

    static_process_allocation: list[StaticProcessAllocationConfig]  #: one for each region
    load_balancer: LoadBalancerConfig | UnsetType = UNSET
    process_autoscaler_config: ProcessAutoscalerConfig | UnsetType = UNSET


class CreateAppConfig(Camel):
    """What a new application is called, and who may log in."""

    app_name: AppName
    auth_configuration: AuthConfiguration
    load_balancer: LoadBalancerConfig | UnsetType = UNSET


class AppConfigWithServiceConfig(Camel):
    """All that can be set of an application."""

    app_name: AppName
    auth_configuration: AuthConfiguration
    service_config: ServiceConfigWrite | UnsetType = UNSET


class PartialAppConfigWithServiceConfig(Camel):
    """What shall change of an application. What is left out stays."""

    app_name: AppName | UnsetType = UNSET
    auth_configuration: AuthConfiguration | UnsetType = UNSET
    service_config: ServiceConfigWrite | UnsetType = UNSET


class Application(Camel):
    """A game, or one environment of it."""

    app_id: AppId
    app_name: AppNameTold
    app_secret: str  #: signs the tokens of its players; whoever has it can speak for any player
    auth_configuration: AuthConfiguration
    service_config: ServiceConfig | None  #: None where servers start for rooms alone
    org_id: OrgId
    created_at: Moment
    created_by: str  #: an e-mail address, or the id of a token
    deleted_at: Moment | None
    deleted_by: str | None


class DeploymentV3WithBuild(DeploymentV3):
    """A deployment and the build it runs."""

    build: BuildV3


class ApplicationWithLatestDeploymentAndBuild(Application):
    """An application and what its new rooms run."""

    deployment: DeploymentV3WithBuild | UnsetType = UNSET  #: the newest; left out before the first


class ApplicationsPage(Camel):
    """All applications, in one page."""

    applications: list[ApplicationWithLatestDeploymentAndBuild]


class AppsV2(Resource[M]):
    """Applications: one for each environment of a game."""

    @operation("POST", "/apps/v2/apps", status=201, scope="applications:read-write", errors=WRITE)
    def create_app(self, params: CreateAppConfig, *, org_id: OrgId | None = GLOBAL) -> Application:
        """Create an application. Its name must be new in the organisation."""
        ...

    @operation("GET", "/apps/v2/apps", scope="applications:read", errors=READ)
    def get_apps(self, *, org_id: OrgId | None = GLOBAL) -> ApplicationsPage:
        """List all applications of the organisation, each with its newest deployment and build."""
        ...

    @operation("GET", "/apps/v2/apps/{appId}", scope="applications:read", errors=READ)
    def get_app(self, app_id: AppId = GLOBAL) -> Application:
        """Tell what is set of an application."""
        ...

    @operation("POST", "/apps/v2/apps/{appId}", scope="applications:read-write", errors=WRITE)
    def update_app(self, params: AppConfigWithServiceConfig, app_id: AppId = GLOBAL) -> Application:
        """Set everything of an application anew. What is left out is reset; ``patch_app`` keeps it."""
        ...

    @operation("PATCH", "/apps/v2/apps/{appId}", scope="applications:read-write", errors=WRITE)
    def patch_app(self, params: PartialAppConfigWithServiceConfig, app_id: AppId = GLOBAL) -> Application:
        """Change some of what is set of an application. What is left out stays."""
        ...

    @operation("DELETE", "/apps/v2/apps/{appId}", status=204, scope="applications:read-write", errors=WRITE)
    def delete_app(self, app_id: AppId = GLOBAL) -> None:
        """Delete an application. Its rooms and servers end; its players' tokens are no longer good for anything."""
        ...
