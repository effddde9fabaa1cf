"""Deployments: start, watch, list, stop. Declared here, answered in ``api/edgegap/deployments.py``."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from innkeeper.contract.paging import by_page
from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Snake, UnsetType, checked, told
from innkeeper.contract.words import Word

from . import operation
from .words import (
    CALL,
    MOST,
    NAMED,
    AppName,
    Coordinates,
    DeploymentLocation,
    DeploymentSessionContext,
    DeploymentStatus,
    Env,
    FilterType,
    GeoIp,
    Ip,
    Latitude,
    Limit,
    LocationFilter,
    Longitude,
    Page,
    Paged,
    Pagination,
    Ports,
    RequestId,
    Stamp,
    Tag,
    Tags,
    VersionName,
    WebhookUrl,
)


class SortStrategy(Word):
    """How a site is chosen among those that the filters leave."""

    BASIC = "basic"
    WEIGHTED = "weighted"


class StopFilterField(Word):
    """What a filter of deployments to stop looks at."""

    REQUEST_ID = "request_id"
    DEPLOYMENT_TAGS = "deployment_tags"


class LogFormat(Word):
    """How lines of output are written."""

    TEXT = "text"  #: as they were printed
    NDJSON = "ndjson"  #: one JSON object a line


class ContainerLogStorageModel(Snake):
    """Whether a deployment's output is kept when it ends, and where. It goes before what its version says."""

    enabled: bool
    #: Name of an endpoint storage; the version's when left out. Where there is none of that name nothing is kept.
    endpoint_storage: str | UnsetType | None = UNSET


class Status(Snake):
    """A deployment as it stands. Polled until ``running``, and sent as it is to webhooks."""

    request_id: RequestId
    fqdn: str  #: name to dial; may be empty until it is ready
    app_name: AppName
    app_version: VersionName
    current_status: DeploymentStatus
    running: bool  #: whether it is ready for players
    whitelisting_active: bool  #: whether only listed addresses reach it
    start_time: Stamp  #: when it became ready; when it was asked for, until then
    removal_time: Stamp | UnsetType | None = UNSET  #: when it ended; None while it has not
    elapsed_time: int  #: seconds since ``start_time``
    last_status: DeploymentStatus | UnsetType | None = UNSET  #: the one before
    error: bool  #: whether something went wrong
    error_detail: str | UnsetType | None = UNSET  #: what went wrong, for people
    ports: Ports | UnsetType | None = UNSET  #: None until it is ready
    public_ip: str  #: address to dial; may be empty until it is ready
    sessions: list[DeploymentSessionContext] | UnsetType | None = UNSET  #: those on it, where its version has sessions
    location: DeploymentLocation | UnsetType | None = UNSET  #: where it runs; None until a site is chosen
    tags: list[Tag] | UnsetType | None = UNSET
    sockets: int | UnsetType | None = UNSET  #: how many players or sessions it takes, where its version has sessions
    sockets_usage: int | UnsetType | None = UNSET  #: how many of those are taken
    command: str | UnsetType | None = UNSET  #: what is run in place of the image's own entry point; None: nothing is
    arguments: str | UnsetType | None = UNSET  #: what it is run with in place of the image's own; None: those
    #: Minutes after which it is stopped; 0 and -1 stand for no such limit.
    max_duration: Annotated[int, told(minimum=-1, maximum=1440)] | UnsetType | None = UNSET
    current_status_label: str | UnsetType | None = UNSET  #: the state in a word for people: ``Ready``


class Delete(Snake):
    """What became of a request to stop. The vendor's name where the status is 202: ``DeleteRequestReceived``."""

    message: str  #: for people
    deployment_summary: Status | UnsetType | None = UNSET  #: left out with status 202


class DeployModel(Snake):
    """What to deploy, and for whom. Players are given by ``ip_list``, by ``geo_ip_list`` or by a ``location``."""

    app_name: AppName
    version_name: VersionName | UnsetType | None = UNSET  #: the one created last when left out
    is_public_app: bool | UnsetType | None = UNSET  #: whether the app is one for everybody; False unless said
    ip_list: list[Ip] | UnsetType | None = UNSET  #: the players' addresses
    geo_ip_list: list[GeoIp] | UnsetType | None = UNSET  #: the same with where each of them is
    telemetry_profile_uuid_list: list[str] | UnsetType | None = UNSET  #: earlier measurements to choose by
    env_vars: list[Env] | UnsetType | None = UNSET
    skip_telemetry: bool | UnsetType | None = UNSET  #: choose by distance, measure nothing; True unless said
    location: Coordinates | UnsetType | None = UNSET  #: a point to be near to, in place of players
    city: str | UnsetType | None = UNSET  #: older than ``filters``, which replace it; as are the next four
    country: str | UnsetType | None = UNSET
    continent: str | UnsetType | None = UNSET
    region: str | UnsetType | None = UNSET
    administrative_division: str | UnsetType | None = UNSET
    webhook_url: WebhookUrl | UnsetType | None = UNSET  #: gets a POST of the status once it is ready or failed
    tags: Tags | UnsetType | None = UNSET
    container_log_storage: ContainerLogStorageModel | UnsetType | None = UNSET
    filters: list[LocationFilter] | UnsetType | None = UNSET  #: which sites may be chosen
    ap_sort_strategy: SortStrategy | UnsetType | None = UNSET
    command: str | UnsetType | None = UNSET  #: what to run in place of the image's own entry point
    arguments: str | UnsetType | None = UNSET  #: what to run it with in place of the image's own


class Request(Snake):
    """A deployment that was asked for. Nothing runs yet: ask ``get_deployment_status``."""

    request_id: RequestId
    request_dns: str  #: the name that will be dialled
    request_app: AppName
    request_version: VersionName
    request_user_count: int  #: how many players it was asked for
    city: str | UnsetType | None = UNSET  #: where it will run, as far as that is known already; so the next three
    country: str | UnsetType | None = UNSET
    continent: str | UnsetType | None = UNSET
    administrative_division: str | UnsetType | None = UNSET
    tags: list[Tag] | UnsetType | None = UNSET
    container_log_storage: ContainerLogStorageModel
    filters: list[LocationFilter] | UnsetType | None = UNSET


class DeploymentListData(Snake):
    """A deployment in a list."""

    request_id: RequestId
    fqdn: str  #: name to dial; may be empty until it is ready
    start_time: Stamp  #: when it became ready; when it was asked for, until then
    ready: bool  #: whether it is ready for players
    public_ip: str  #: address to dial; may be empty until it is ready
    ports: Ports | UnsetType | None = UNSET  #: None until it is ready
    tags: list[Tag] | UnsetType | None = UNSET
    sockets: int | UnsetType | None = UNSET  #: how many players or sessions it takes, where its version has sessions
    sockets_usage: int | UnsetType | None = UNSET  #: how many of those are taken
    is_joinable_by_session: bool | UnsetType | None = UNSET  #: whether further sessions may be linked to it
    status: DeploymentStatus | UnsetType | None = UNSET


class DeploymentList(Paged):
    """A page of the deployments that have not ended. The vendor's name: ``Deployments``."""

    data: list[DeploymentListData] | UnsetType | None = UNSET
    message: list[str] | UnsetType | None = UNSET  #: remarks about the query, for people


class DeploymentBulkStopFilter(Snake):
    """Which deployments to stop.

    The vendor's name: ``DeploymentBulkStopFiltersPayload``.
    """

    field: StopFilterField
    values: list[str]
    filter_type: FilterType


class DeploymentBulkStopPayload(Snake):
    """Which deployments to stop: those for which all filters hold."""

    filters: list[DeploymentBulkStopFilter]


class DeploymentStopResponse(Snake):
    """A deployment that is going to be stopped."""

    request_id: RequestId


class DeploymentBulkStopResponse(Snake):
    """The deployments that are going to be stopped."""

    processable: list[DeploymentStopResponse]


class DeploymentUpdatePayload(Snake, forbid_unknown_fields=True):
    """What is to change. Other fields than this one are refused."""

    is_joinable_by_session: bool | UnsetType | None = UNSET  #: whether further sessions may be linked to it


class DeploymentUpdateResponse(Snake):
    """What holds now."""

    is_joinable_by_session: bool


class DeploymentReportPayload(Snake):
    """Why a deployment is reported."""

    reason: Annotated[str, checked(min_length=1, max_length=255)]
    metadata: dict[str, Any] | UnsetType | None = UNSET  #: anything that helps to look into it


class DeploymentAvailablePayload(Snake):
    """Which deployments are looked for, and near whom."""

    app_name: AppName
    app_version: VersionName
    minimum_sockets: Annotated[int, Meta(ge=0, le=MOST)] | UnsetType | None = UNSET  #: how many have to be free
    ip_list: list[Ip] | UnsetType | None = UNSET  #: the players' addresses
    location: str | UnsetType | None = UNSET  #: name of a place to be near to
    latitude: Latitude | UnsetType | None = UNSET  #: of the players, with ``longitude``
    longitude: Longitude | UnsetType | None = UNSET  #: of the players, with ``latitude``


class DeploymentAvailable(Snake):
    """A deployment with room for more."""

    request_id: RequestId
    app_name: AppName
    app_version: VersionName
    available_sockets: int  #: how many are free


class DeploymentAvailableResponse(Snake):
    """Deployments with room for more, the nearest first."""

    data: list[DeploymentAvailable]
    pagination: Pagination


class ContainerCrashData(Snake):
    """How a program came to its end, the last time that it did by itself."""

    exit_code: int | UnsetType | None = UNSET
    message: str | UnsetType | None = UNSET  #: for people
    restart_count: int | UnsetType | None = UNSET  #: how often it was started again


class ContainerLogs(Snake):
    """What a deployment has printed."""

    logs: str | UnsetType | None = UNSET
    encoding: str | UnsetType | None = UNSET  #: of the bytes that ``logs`` was made of, such as ``utf-8``
    crash_logs: str | UnsetType | None = UNSET  #: what the run before printed, if it ended by itself
    crash_data: ContainerCrashData | UnsetType | None = UNSET  #: None where no run ended by itself
    logs_link: str | UnsetType | None = UNSET  #: where all of it can be downloaded once it is stored


class Deployments(Resource[M]):
    """Deployments: start, watch, list, stop."""

    @operation(
        "POST", "/v1/deploy", recorded=False, scope="processes:read-write", id="deploy",
        errors=(*NAMED, 409, 422), replaced_by="deployments_v2.create_deployment",
    )  # fmt: skip
    def create_deployment(self, params: DeployModel) -> Request:
        """Start a server of an app version near its players.

        Answers at once; ask ``get_deployment_status`` until it is running, or wait for ``webhook_url``. Status 422
        means that no site has room for it or that the filters leave none.
        """
        ...

    @operation("GET", "/v1/status/{request_id}", scope="processes:read", id="deployment-status-get",
               errors=NAMED)  # fmt: skip
    def get_deployment_status(self, request_id: RequestId) -> Status:
        """Tell how a deployment stands, and where players connect once it is ready."""
        ...

    @operation("GET", "/v1/deployments", scope="processes:read", id="deployments-get", errors=CALL,
               paging=by_page())  # fmt: skip
    def list_deployments(
        self, *, query: str | None = None, page: Page | None = None, limit: Limit | None = None
    ) -> DeploymentList:
        """List the deployments that have not ended.

        ``query`` is JSON text: ``{"filters": [{"field", "operator", "value"}], "order_by": [{"field", "order"}]}``,
        one filter a field at most. Operators are words such as ``eq``, ``neq`` and ``in``; states are lower case.
        """
        ...

    @operation("DELETE", "/v1/stop/{request_id}", also=(202,), recorded=False, scope="processes:read-write",
               id="deployment-delete", errors=(*NAMED, 410))  # fmt: skip
    def stop_deployment(self, request_id: RequestId, *, container_log_storage: str | None = None) -> Delete:
        """Stop a deployment.

        Status 202: it was neither ready nor failed yet. Innkeeper stops it at once all the same; the vendor as soon as
        it is one of them. Status 410: it has ended before.
        ``container_log_storage`` is ``true``, ``false`` or the name of the endpoint storage that gets its output.
        """
        ...

    @operation("DELETE", "/v1/self/stop/{request_id}/{access_point_id}", also=(202,), key="server",
               id="self-deployment-delete", errors=(*NAMED, 410))  # fmt: skip
    def stop_deployment_from_inside(
        self, request_id: RequestId, access_point_id: int, *, container_log_storage: str | None = None
    ) -> Delete:
        """Stop the deployment that the caller runs in.

        The whole address is in its variable ``ARBITRIUM_DELETE_URL``; ``ARBITRIUM_DELETE_TOKEN`` is sent without any
        word before it.
        """
        ...

    @operation("POST", "/v1/deployments/bulk-stop", also=(202,), scope="processes:read-write",
               id="deployments-bulk-delete", errors=CALL)  # fmt: skip
    def bulk_stop_deployments(self, params: DeploymentBulkStopPayload) -> DeploymentBulkStopResponse:
        """Stop all deployments for which every filter holds. It tells which; they stop one after the other."""
        ...

    @operation("PATCH", "/v1/deployments/{request_id}", scope="processes:read-write", id="deployment-update",
               errors=NAMED)  # fmt: skip
    def update_deployment(self, params: DeploymentUpdatePayload, request_id: RequestId) -> DeploymentUpdateResponse:
        """Say whether further sessions may be linked to a deployment. Those on it stay."""
        ...

    @operation("GET", "/v1/deployment/{request_id}/container-logs", scope="processes:read", id="deployment-get-logs",
               errors=NAMED)  # fmt: skip
    def get_container_logs(self, request_id: RequestId, *, format: LogFormat | None = None) -> ContainerLogs:
        """Read what a deployment has printed.

        It may be gone once the deployment has ended, unless an endpoint storage was named for it.
        """
        ...

    @operation("POST", "/v1/deployments/{deployment_id}:report", scope="processes:read-write", id="deployment-report",
               errors=(*CALL, 503))  # fmt: skip
    def report_deployment(self, params: DeploymentReportPayload, deployment_id: RequestId) -> None:
        """Report a deployment to those who look after the machines, with a reason."""
        ...

    @operation("POST", "/v1/deployments:available", recorded=False, idempotent=True, scope="processes:read",
               id="deployments-available", errors=CALL)  # fmt: skip
    def list_available_deployments(self, params: DeploymentAvailablePayload) -> DeploymentAvailableResponse:
        """List the deployments of an app version that have sockets free, the nearest to the players first."""
        ...
