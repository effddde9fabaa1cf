"""Builds: what servers run. Declared here, answered in ``api/hathora/builds_v3.py``."""

from __future__ import annotations

from typing import Annotated

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, UNSET, Camel, Moment, UnsetType, checked, private
from innkeeper.contract.words import Word

from . import operation, stream
from .words import CHECKED_READ, READ, WRITE, BuildId, BuildTag, BuildTagTold, OrgId

#: An id of the caller's choice: letters, digits, ``_``, ``.`` and ``-``, the first one a letter or digit.
NewBuildId = Annotated[str, checked(min_length=1, max_length=100, pattern="^[a-zA-Z0-9][a-zA-Z0-9_.-]*$")]


class BuildStatus(Word):
    """Where a build stands."""

    CREATED = "created"  #: waits for its upload and for being run
    RUNNING = "running"  #: is being made ready
    SUCCEEDED = "succeeded"  #: servers can run it
    FAILED = "failed"  #: its log says why


class CreateBuildV3Params(Camel):
    """What a new build is called."""

    build_id: NewBuildId | UnsetType = UNSET  #: must be new in the organisation; made up when left out
    build_tag: BuildTag | UnsetType = UNSET


class CreateMultipartBuildParams(CreateBuildV3Params):
    """What a new build is called, and how large its archive is."""

    build_size_in_bytes: int  #: of the archive (tar, gzipped), exactly


class BuildPart(Camel):
    """Where one part of a build's archive goes."""

    part_number: int  #: from 1; part n begins at byte ``(n - 1) * max_chunk_size``
    put_request_url: str  #: PUT the bytes there, without credentials; the answer's ``ETag`` is needed at the end


class BuildV3(Camel):
    """Something to run. All applications of its organisation can use it. It never changes once it succeeded."""

    build_id: BuildId
    build_tag: BuildTagTold | UnsetType = UNSET
    status: BuildStatus
    image_size: int  #: bytes, 0 until it succeeded
    org_id: OrgId
    created_at: Moment
    created_by: str  #: an e-mail address, or the id of a token
    started_at: Moment | None  #: when making it ready began
    finished_at: Moment | None  #: when it succeeded or failed
    deleted_at: Moment | None
    expired_at: Moment | UnsetType = UNSET
    content_hash: str | UnsetType = UNSET  #: the same for the same content
    share_url: str | UnsetType = UNSET  #: a page for people with its log


class CreatedBuildV3WithMultipartUrls(BuildV3):
    """A new build, and where its archive goes."""

    upload_parts: list[BuildPart]
    max_chunk_size: int  #: bytes in each part but the last
    complete_upload_post_request_url: str  #: POST the list of parts there when all have been sent


class BuildsV3Page(Camel):
    """All builds, in one page."""

    builds: list[BuildV3]


class DeletedBuild(Camel):
    """An empty answer: the build is deleted."""


class RegistryConfig(Camel):
    """Where to get an image from."""

    image: str  #: name and tag or digest; with its registry, unless ``registry_url`` names that
    registry_url: str | UnsetType = UNSET  #: the public default when left out
    #: A credential for the registry: ``user:password``, that in base64, or a JSON object with username and password.
    auth: Annotated[str, private()] | UnsetType = UNSET


class BuildsV3(Resource[M]):
    """Builds: what servers run."""

    @operation("POST", "/builds/v3/builds", status=201, scope="builds:read-write", errors=(400, *WRITE))
    def create_build(
        self, params: CreateMultipartBuildParams, *, org_id: OrgId | None = GLOBAL
    ) -> CreatedBuildV3WithMultipartUrls:
        """Create a build and get links to send its archive to, in parts. Then complete the upload and run the build."""
        ...

    @operation("POST", "/builds/v3/builds/registry", status=201, scope="builds:read-write", errors=(400, *WRITE))
    def create_build_registry(self, params: CreateBuildV3Params, *, org_id: OrgId | None = GLOBAL) -> BuildV3:
        """Create a build that will come from an image registry by ``run_build_registry``; nothing is uploaded."""
        ...

    @operation("GET", "/builds/v3/builds", scope="builds:read", errors=CHECKED_READ)
    def get_builds(self, *, org_id: OrgId | None = GLOBAL) -> BuildsV3Page:
        """List all builds of the organisation, the newest first."""
        ...

    @operation("GET", "/builds/v3/builds/{buildId}", scope="builds:read", errors=READ)
    def get_build(self, build_id: BuildId, *, org_id: OrgId | None = GLOBAL) -> BuildV3:
        """Tell how a build stands."""
        ...

    @stream("POST", "/builds/v3/builds/{buildId}/run", scope="builds:read-write", errors=(400, *WRITE))
    def run_build(self, build_id: BuildId, *, org_id: OrgId | None = GLOBAL) -> None:
        """Make an uploaded build ready to run, and read the log of it, line by line, until that ends.

        Whether it succeeded is not in the status of this answer: ``get_build`` tells it afterwards.
        """
        ...

    @stream("POST", "/builds/v3/builds/{buildId}/runRegistry", scope="builds:read-write", errors=(400, *WRITE))
    def run_build_registry(self, build_id: BuildId, params: RegistryConfig, *, org_id: OrgId | None = GLOBAL) -> None:
        """Get a build from an image registry, and read the log of it, line by line, until that ends.

        Whether it succeeded is not in the status of this answer: ``get_build`` tells it afterwards.
        """
        ...

    @operation("DELETE", "/builds/v3/builds/{buildId}", scope="builds:read-write", errors=WRITE)
    def delete_build(self, build_id: BuildId, *, org_id: OrgId | None = GLOBAL) -> DeletedBuild:
        """Delete a build. Servers that run it run on; no new ones can start."""
        ...
