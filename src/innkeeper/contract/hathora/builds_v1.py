"""Builds as the oldest pipelines know them: made, and then run with their archive in a form.

``builds_v3.py`` took over. Declared here, answered in ``api/hathora/builds_v1.py``.
"""

from __future__ import annotations

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, Content

from . import operation, stream
from .builds_v2 import Build, BuildNumber, CreateBuildParams
from .words import READ, WRITE, AppId


class BuildsV1(Resource[M]):
    """Builds as the oldest pipelines know them."""

    @operation(
        "POST", "/builds/v1/{appId}/create", status=201, scope="builds:read-write", errors=WRITE,
        id="CreateBuildDeprecated", replaced_by="builds_v3.create_build",
    )  # fmt: skip
    def create_build(self, params: CreateBuildParams, app_id: AppId = GLOBAL) -> Build:
        """Create a build whose archive is sent when it is run."""
        ...

    @operation(
        "GET", "/builds/v1/{appId}/list", scope="builds:read", errors=READ, id="GetBuildsDeprecated",
        replaced_by="builds_v3.get_builds",
    )  # fmt: skip
    def get_builds(self, app_id: AppId = GLOBAL) -> list[Build]:
        """List the builds that an application can use, the newest first."""
        ...

    @operation(
        "GET", "/builds/v1/{appId}/info/{buildId}", scope="builds:read", errors=READ, id="GetBuildInfoDeprecated",
        replaced_by="builds_v3.get_build",
    )  # fmt: skip
    def get_build_info(self, build_id: BuildNumber, app_id: AppId = GLOBAL) -> Build:
        """Tell how a build stands."""
        ...

    @stream(
        "POST", "/builds/v1/{appId}/run/{buildId}", scope="builds:read-write", errors=(400, *WRITE), body="form",
        media="text/plain", id="RunBuildDeprecated", replaced_by="builds_v3.run_build",
    )  # fmt: skip
    def run_build(self, build_id: BuildNumber, content: Content, app_id: AppId = GLOBAL) -> None:
        """Send a build's archive, make it ready to run, and read the log of it until that ends.

        Whether it succeeded is not in the status of this answer: ``get_build_info`` tells it afterwards.
        """
        ...

    @operation(
        "DELETE", "/builds/v1/{appId}/delete/{buildId}", status=204, scope="builds:read-write", errors=WRITE,
        id="DeleteBuildDeprecated", replaced_by="builds_v3.delete_build",
    )  # fmt: skip
    def delete_build(self, build_id: BuildNumber, app_id: AppId = GLOBAL) -> None:
        """Delete a build. Servers that run it run on; no new ones can start."""
        ...
