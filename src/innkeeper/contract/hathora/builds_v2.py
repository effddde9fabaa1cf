"""Builds as old pipelines know them: whole numbers, each made for one application. ``builds_v3.py`` took over.

Declared here, answered in ``api/hathora/builds_v2.py``.
"""

from __future__ import annotations

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, UNSET, Camel, Content, Moment, UnsetType

from . import operation, stream
from .builds_v3 import BuildPart, BuildStatus, CreateMultipartBuildParams
from .words import READ, WRITE, AppId, BuildTag, BuildTagTold, Region

#: A build's number in its organisation.
BuildNumber = int


class CreateBuildParams(Camel):
    """What a new build is called."""

    build_tag: BuildTag | UnsetType = UNSET


class RegionalContainerTag(Camel):
    """Where an image lies, and its name there."""

    region: Region
    container_tag: str  #: the image's name on hosts of that region


class Build(Camel):
    """Something to run. It never changes once it succeeded."""

    build_id: BuildNumber
    app_id: AppId
    build_tag: BuildTagTold | UnsetType | None = UNSET
    status: BuildStatus
    image_size: int  #: bytes, 0 until it succeeded
    regional_container_tags: list[RegionalContainerTag]  #: empty for what runs as a program
    created_at: Moment
    created_by: str  #: an e-mail address, or the id of a token
    started_at: Moment | None  #: when making it ready began
    finished_at: Moment | None  #: when it succeeded or failed
    deleted_at: Moment | None
    expired_at: Moment | UnsetType = UNSET


class UploadField(Camel):
    """One field of the form that an archive is sent with."""

    key: str
    value: str


class BuildWithUploadUrl(Build):
    """A new build, and where its archive goes in one piece."""

    upload_url: str  #: POST a form there: first ``upload_body_params``, then the archive as ``file``
    upload_body_params: list[UploadField]


class BuildWithMultipartUrls(Build):
    """A new build, and where its archive goes in parts."""

    upload_parts: list[BuildPart]
    max_chunk_size: int  #: bytes in each part but the last
    complete_upload_post_request_url: str  #: POST the list of parts there when all have been sent


class BuildsV2(Resource[M]):
    """Builds as old pipelines know them."""

    @operation(
        "POST", "/builds/v2/{appId}/create", status=201, scope="builds:read-write", errors=WRITE,
        id="CreateBuildV2Deprecated", replaced_by="builds_v3.create_build",
    )  # fmt: skip
    def create_build(self, params: CreateBuildParams, app_id: AppId = GLOBAL) -> Build:
        """Create a build whose archive is sent when it is run."""
        ...

    @operation(
        "POST", "/builds/v2/{appId}/createWithUploadUrl", status=201, scope="builds:read-write", errors=WRITE,
        id="CreateBuildWithUploadUrlV2Deprecated", replaced_by="builds_v3.create_build",
    )  # fmt: skip
    def create_build_with_upload_url(self, params: CreateBuildParams, app_id: AppId = GLOBAL) -> BuildWithUploadUrl:
        """Create a build and get a link to send its archive to, in one piece. Then run it."""
        ...

    @operation(
        "POST", "/builds/v2/{appId}/createWithMultipartUploads", status=201, scope="builds:read-write",
        errors=(400, *WRITE), id="CreateWithMultipartUploadsV2Deprecated", replaced_by="builds_v3.create_build",
    )  # fmt: skip
    def create_with_multipart_uploads(
        self, params: CreateMultipartBuildParams, app_id: AppId = GLOBAL
    ) -> BuildWithMultipartUrls:
        """Create a build and get links to send its archive to, in parts. Then complete the upload and run the build."""
        ...

    @operation(
        "GET", "/builds/v2/{appId}/list", scope="builds:read", errors=READ, id="GetBuildsV2Deprecated",
        replaced_by="builds_v3.get_builds",
    )  # fmt: skip
    def get_builds(self, app_id: AppId = GLOBAL) -> list[Build]:
        """List the builds that an application can use, the newest first."""
        ...

    @operation(
        "GET", "/builds/v2/{appId}/info/{buildId}", scope="builds:read", errors=READ, id="GetBuildInfoV2Deprecated",
        replaced_by="builds_v3.get_build",
    )  # fmt: skip
    def get_build_info(self, build_id: BuildNumber, app_id: AppId = GLOBAL) -> Build:
        """Tell how a build stands."""
        ...

    @stream(
        "POST", "/builds/v2/{appId}/run/{buildId}", scope="builds:read-write", errors=(400, *WRITE), body="form",
        id="RunBuildV2Deprecated", replaced_by="builds_v3.run_build",
    )  # fmt: skip
    def run_build(self, build_id: BuildNumber, content: Content | None = None, app_id: AppId = GLOBAL) -> None:
        """Make a build ready to run, and read the log of it until that ends. ``content`` is its archive, if not sent.

        Whether it succeeded is not in the status of this answer: ``get_build_info`` tells it afterwards.
        """
        ...

    @operation(
        "DELETE", "/builds/v2/{appId}/delete/{buildId}", status=204, scope="builds:read-write", errors=WRITE,
        id="DeleteBuildV2Deprecated", replaced_by="builds_v3.delete_build",
    )  # fmt: skip
    def delete_build(self, build_id: BuildNumber, app_id: AppId = GLOBAL) -> None:
        """Delete a build. Servers that run it run on; no new ones can start."""
        ...
