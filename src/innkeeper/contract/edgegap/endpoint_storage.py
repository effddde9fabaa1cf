"""Endpoint storage: buckets of the caller's own. Declared here, answered in ``api/edgegap/endpoint_storage.py``.

What deployments print is put there when they end; pull profiles bring files from there into containers that start.
The vendor's documents have no status of their own for a name that is taken: it is 400.
"""

from __future__ import annotations

from innkeeper.contract.paging import by_page
from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Snake, UnsetType
from innkeeper.contract.words import Word

from . import operation
from .words import CALL, NAMED, AppName, Limit, Message, NewName, Page, Paged, Stamp, VersionName


class OutputFormat(Word):
    """How logs are written into a bucket.

    The vendor's documents leave it without a name.
    """

    TEXT = "TEXT"  #: lines as they were printed
    NDJSON = "NDJSON"  #: a JSON object on each line


class SourceType(Word):
    """What a pull profile brings.

    The vendor's documents leave it without a name.
    """

    FILE = "File"
    FOLDER = "Folder"  #: all that is below it


class EndpointStoragePostPayload(Snake):
    """A bucket, and how to get at it."""

    name: NewName  #: unique in the organisation
    access_key_id: str
    endpoint: str  #: the store's address, ``http`` or ``https``, better without the bucket's name in it
    bucket: str  #: its name
    secret_access_key: str  #: never told again
    output_format: OutputFormat | UnsetType | None = UNSET  #: ``TEXT`` unless said


class EndpointStoragePatchPayload(Snake):
    """What becomes different of an endpoint storage. What is left out or None stays."""

    name: NewName | UnsetType | None = UNSET  #: unique in the organisation
    access_key_id: str | UnsetType | None = UNSET
    endpoint: str | UnsetType | None = UNSET  #: the store's address, ``http`` or ``https``
    bucket: str | UnsetType | None = UNSET  #: its name
    secret_access_key: str | UnsetType | None = UNSET  #: never told again
    output_format: OutputFormat | UnsetType | None = UNSET


class EndpointStorageGetResponse(Snake):
    """A bucket. The secret key is not told.

    The vendor's other names: ``EndpointStoragePostResponse``, ``EndpointStoragePatchResponse``.
    """

    name: str
    access_key_id: str
    endpoint: str  #: the store's address
    bucket: str  #: its name
    create_time: Stamp | UnsetType | None = UNSET
    last_updated: Stamp | UnsetType | None = UNSET
    output_format: OutputFormat | UnsetType | None = UNSET


class EndpointStorageListResponse(Paged):
    """Some endpoint storages of the organisation."""

    endpoints: list[EndpointStorageGetResponse] | UnsetType | None = UNSET


class PullProfilePostPayload(Snake):
    """What to bring from a bucket into containers."""

    name: NewName  #: unique in the endpoint storage
    source: str  #: where it is: the bucket's name and the path in it, as ``/my-bucket/config.cfg``
    source_type: SourceType
    #: a path in the container that its user may write to. Below protected ones, as ``/etc/``, the deployment fails
    destination: str


class PullProfilePatchPayload(Snake):
    """What becomes different of a pull profile. What is left out or None stays."""

    name: NewName | UnsetType | None = UNSET  #: unique in the endpoint storage
    source: str | UnsetType | None = UNSET  #: where it is: the bucket's name and the path in it
    source_type: SourceType | UnsetType | None = UNSET
    destination: str | UnsetType | None = UNSET  #: a path in the container that its user may write to


class PullProfileGetResponse(Snake):
    """What is brought from a bucket into the containers of the app versions that are linked to it.

    The vendor's other names: ``PullProfilePostResponse``, ``PulloProfilePatchResponse``.
    """

    name: str
    source: str  #: where it is: the bucket's name and the path in it
    source_type: SourceType
    destination: str  #: a path in the container
    create_time: Stamp | UnsetType | None = UNSET
    last_updated: Stamp | UnsetType | None = UNSET


class PullProfilesListResponse(Paged):
    """Some pull profiles of an endpoint storage."""

    pull_profiles: list[PullProfileGetResponse] | UnsetType | None = UNSET


class PullProfileAppVersionLinkResponse(Snake):
    """An app version whose containers get what a pull profile brings."""

    app: AppName
    app_version: VersionName
    endpoint: str  #: the endpoint storage's name
    pull_profile: str  #: its name
    create_time: Stamp | UnsetType | None = UNSET
    last_updated: Stamp | UnsetType | None = UNSET


class EndpointStorage(Resource[M]):
    """Endpoint storage: buckets for logs of deployments and for files that these need."""

    @operation("POST", "/v1/storage/endpoint", id="endpoint-create", scope="applications:read-write", errors=CALL)
    def create_endpoint(self, params: EndpointStoragePostPayload) -> EndpointStorageGetResponse:
        """Name a bucket. App versions and deployments that name it keep their logs there when they end."""
        ...

    @operation(
        "DELETE", "/v1/storage/endpoint/{endpoint_name}", also=(204,), id="endpoint-delete",
        scope="applications:read-write", errors=(401, 403, 404, 429),
    )  # fmt: skip
    def delete_endpoint(self, endpoint_name: str) -> Message | None:
        """Forget a bucket and its pull profiles; what is in it stays.

        App versions that name it keep no logs from then on. The answer is empty (None) where the status is 204.
        """
        ...

    @operation(
        "GET", "/v1/storage/endpoint/{endpoint_name}", id="endpoint-get", scope="applications:read", errors=NAMED
    )
    def get_endpoint(self, endpoint_name: str) -> EndpointStorageGetResponse:
        """Read an endpoint storage, all but its secret key."""
        ...

    @operation(
        "PATCH", "/v1/storage/endpoint/{endpoint_name}", id="endpoint-update", scope="applications:read-write",
        errors=NAMED,
    )  # fmt: skip
    def update_endpoint(self, params: EndpointStoragePatchPayload, endpoint_name: str) -> EndpointStorageGetResponse:
        """Change an endpoint storage."""
        ...

    @operation(
        "GET", "/v1/storage/endpoints", id="endpoints-list", scope="applications:read", errors=CALL, paging=by_page()
    )
    def list_endpoints(self, *, page: Page | None = None, limit: Limit | None = None) -> EndpointStorageListResponse:
        """List the organisation's endpoint storages."""
        ...

    @operation(
        "POST", "/v1/storage/endpoint/{endpoint_name}/pull-profile", id="pull-profile-create",
        scope="applications:read-write", errors=NAMED,
    )  # fmt: skip
    def create_pull_profile(self, params: PullProfilePostPayload, endpoint_name: str) -> PullProfileGetResponse:
        """Say what to bring from a bucket. It does nothing until an app version is linked to it."""
        ...

    @operation(
        "DELETE", "/v1/storage/endpoint/{endpoint_name}/pull-profile/{pull_profile_name}", status=204,
        id="pull-profile-delete", scope="applications:read-write", errors=NAMED,
    )  # fmt: skip
    def delete_pull_profile(self, endpoint_name: str, pull_profile_name: str) -> None:
        """Delete a pull profile and its links. New containers of those versions go without; the bucket stays."""
        ...

    @operation(
        "GET", "/v1/storage/endpoint/{endpoint_name}/pull-profile/{pull_profile_name}", id="pull-profile-get",
        scope="applications:read", errors=NAMED,
    )  # fmt: skip
    def get_pull_profile(self, endpoint_name: str, pull_profile_name: str) -> PullProfileGetResponse:
        """Read a pull profile."""
        ...

    @operation(
        "PATCH", "/v1/storage/endpoint/{endpoint_name}/pull-profile/{pull_profile_name}", id="pull-profile-update",
        scope="applications:read-write", errors=NAMED,
    )  # fmt: skip
    def update_pull_profile(
        self, params: PullProfilePatchPayload, endpoint_name: str, pull_profile_name: str
    ) -> PullProfileGetResponse:
        """Change a pull profile. Containers that start later get it so."""
        ...

    @operation(
        "DELETE",
        "/v1/storage/endpoint/{endpoint_name}/pull-profile/{pull_profile_name}/app/{app_name}/version/{version_name}",
        status=204, id="pull-profile-unlink-app-version", scope="applications:read-write", errors=NAMED,
    )  # fmt: skip
    def unlink_pull_profile(
        self, endpoint_name: str, pull_profile_name: str, app_name: AppName, version_name: VersionName
    ) -> None:
        """Have a pull profile bring nothing to an app version any more. Both stay."""
        ...

    @operation(
        "PUT",
        "/v1/storage/endpoint/{endpoint_name}/pull-profile/{pull_profile_name}/app/{app_name}/version/{version_name}",
        id="pull-profile-link-app-version", scope="applications:read-write", errors=NAMED,
    )  # fmt: skip
    def link_pull_profile(
        self, endpoint_name: str, pull_profile_name: str, app_name: AppName, version_name: VersionName
    ) -> PullProfileAppVersionLinkResponse:
        """Have a pull profile bring its files into every container of an app version that starts from now on."""
        ...

    @operation(
        "GET", "/v1/storage/endpoint/{endpoint_name}/pull-profiles", id="pull-profile-list",
        scope="applications:read", errors=NAMED, paging=by_page(),
    )  # fmt: skip
    def list_pull_profiles(
        self, endpoint_name: str, *, page: Page | None = None, limit: Limit | None = None
    ) -> PullProfilesListResponse:
        """List the pull profiles of an endpoint storage."""
        ...
