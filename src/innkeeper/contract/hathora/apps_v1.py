"""Applications as old tools know them. ``apps_v2.py`` took over.

Declared here, answered in ``api/hathora/apps_v1.py``.
"""

from __future__ import annotations

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, UNSET, UnsetType

from . import operation
from .apps_v2 import Application, CreateAppConfig
from .builds_v2 import Build
from .deployments_v2 import DeploymentV2
from .words import READ, WRITE, AppId


class DeploymentV2WithBuild(DeploymentV2):
    """A deployment and the build it runs."""

    build: Build


class ApplicationWithLatestDeploymentAndBuildDeprecated(Application):
    """An application and what its new rooms run."""

    deployment: DeploymentV2WithBuild | UnsetType = UNSET  #: the newest; left out before the first


class AppsV1(Resource[M]):
    """Applications as old tools know them."""

    @operation(
        "POST", "/apps/v1/create", status=201, scope="applications:read-write", errors=WRITE,
        id="CreateAppV1Deprecated", replaced_by="apps_v2.create_app",
    )  # fmt: skip
    def create_app(self, params: CreateAppConfig) -> Application:
        """Create an application. Its name must be new in the organisation."""
        ...

    @operation(
        "GET", "/apps/v1/list", scope="applications:read", errors=(401, 408, 429), id="GetAppsV1Deprecated",
        replaced_by="apps_v2.get_apps",
    )  # fmt: skip
    def get_apps(self) -> list[ApplicationWithLatestDeploymentAndBuildDeprecated]:
        """List all applications of the organisation, each with its newest deployment and build."""
        ...

    @operation(
        "GET", "/apps/v1/info/{appId}", scope="applications:read", errors=READ, id="GetAppInfoV1Deprecated",
        replaced_by="apps_v2.get_app",
    )  # fmt: skip
    def get_app_info(self, app_id: AppId = GLOBAL) -> Application:
        """Tell what is set of an application."""
        ...

    @operation(
        "POST", "/apps/v1/update/{appId}", scope="applications:read-write", errors=WRITE, id="UpdateAppV1Deprecated",
        replaced_by="apps_v2.update_app",
    )  # fmt: skip
    def update_app(self, params: CreateAppConfig, app_id: AppId = GLOBAL) -> Application:
        """Set name and logins of an application anew. How it runs as a service stays as it is."""
        ...

    @operation(
        "DELETE", "/apps/v1/delete/{appId}", status=204, scope="applications:read-write", errors=WRITE,
        id="DeleteAppV1Deprecated", replaced_by="apps_v2.delete_app",
    )  # fmt: skip
    def delete_app(self, app_id: AppId = GLOBAL) -> None:
        """Delete an application. Its rooms and servers end; its players' tokens are no longer good for anything."""
        ...
