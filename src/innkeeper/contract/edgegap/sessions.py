"""Sessions: players who get sockets of a deployment. Declared here, answered in ``api/edgegap/sessions.py``."""

from __future__ import annotations

from msgspec import field

from innkeeper.contract.paging import by_page
from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Snake, UnsetType
from innkeeper.contract.words import Word

from . import operation
from .words import (
    CALL,
    NAMED,
    AppName,
    Coordinates,
    CustomId,
    Deployment,
    DeploymentSessionContext,
    FilterType,
    GeoIp,
    Ip,
    Limit,
    LocationFilter,
    Page,
    Paged,
    RequestId,
    Selector,
    SessionId,
    Stamp,
    VersionName,
    WebhookUrl,
)


class SessionModel(Snake):
    """Who plays what, and where that may be.

    Players are told by ``ip_list`` or by ``geo_ip_list``; coordinates win. The five fields from ``city`` to ``region``
    are older than ``filters``, and each is one filter of one value.
    """

    app_name: AppName
    version_name: VersionName | UnsetType | None = UNSET  #: the one that was created last when left out
    ip_list: list[Ip] | UnsetType | None = UNSET
    geo_ip_list: list[GeoIp] | UnsetType | None = UNSET
    deployment_request_id: RequestId | UnsetType | None = UNSET  #: this deployment and no other
    location: Coordinates | UnsetType | None = UNSET  #: near this point, instead of near the players
    city: str | UnsetType | None = UNSET
    country: str | UnsetType | None = UNSET
    continent: str | UnsetType | None = UNSET
    administrative_division: str | UnsetType | None = UNSET  #: province, state
    region: str | UnsetType | None = UNSET
    selectors: list[Selector] | UnsetType | None = UNSET  #: a deployment has to suit all of them
    webhook_url: WebhookUrl | UnsetType | None = UNSET  #: gets the session when it is linked, or cannot be
    filters: list[LocationFilter] | UnsetType | None = UNSET
    skip_telemetry: bool | UnsetType | None = UNSET  #: judge by distance over the ground, without measuring the network


class PatchSessionModel(Snake):
    """The players who come or go."""

    ip_list: list[Ip]


class SessionRequest(Snake):
    """A new session."""

    session_id: SessionId
    custom_id: CustomId | UnsetType | None = UNSET  #: None where the caller chose none
    app: AppName
    version: VersionName
    deployment_request_id: RequestId | UnsetType | None = UNSET  #: None while it waits for a deployment
    selectors: list[Selector] | UnsetType | None = UNSET
    webhook_url: str | UnsetType | None = UNSET


class SessionUser(Snake):
    """A player of a session."""

    ip: Ip
    latitude: float | UnsetType | None = UNSET  #: as told, or as the address seems to be
    longitude: float | UnsetType | None = UNSET


class SessionContext(DeploymentSessionContext):
    """A session as lists and webhooks tell it."""

    custom_id: CustomId | UnsetType | None = UNSET  #: None where the caller chose none
    deployment_request_id: RequestId | UnsetType | None = UNSET  #: None while it waits for a deployment
    webhook_url: str | UnsetType | None = UNSET


class SessionGet(DeploymentSessionContext):
    """A session with its players and its deployment."""

    custom_id: CustomId | UnsetType | None = UNSET  #: None where the caller chose none
    app_version: int  #: the version's number, not its name
    create_time: Stamp
    elapsed: int  #: seconds since then
    error: str | UnsetType | None = UNSET  #: why there is no deployment for it
    session_users: list[SessionUser] | UnsetType | None = UNSET
    session_ips: list[SessionUser] | UnsetType | None = UNSET  #: the same players, under an older name
    deployment: Deployment | UnsetType | None = UNSET  #: None while it waits for one
    webhook_url: str | UnsetType | None = UNSET


class SessionDelete(Snake):
    """A session that is over."""

    message: str  #: for people
    session_id: SessionId
    custom_id: CustomId | UnsetType | None = UNSET  #: None where the caller chose none


class SessionList(Paged):
    """Some sessions. The vendor's name: ``Sessions``."""

    data: list[SessionContext] = field(default_factory=list[SessionContext])


class SessionUserContext(Snake):
    """The players of a session."""

    session_users: list[SessionUser]


class SessionField(Word):
    """What sessions to be stopped are found by."""

    SESSION_ID = "session_id"
    DEPLOYMENT_TAGS = "deployment_tags"  #: of the deployment that has the session
    REQUEST_ID = "request_id"  #: of the deployment that has the session


class SessionBulkStopFiltersPayload(Snake):
    """Which sessions are meant."""

    field: SessionField
    values: list[str]
    filter_type: FilterType


class SessionBulkStopPayload(Snake):
    """Which sessions end: those that every filter takes."""

    filters: list[SessionBulkStopFiltersPayload]


class SessionStopResponse(Snake):
    """A session that ends."""

    session_id: SessionId


class SessionBulkStopResponse(Snake):
    """The sessions that end."""

    processable: list[SessionStopResponse]


class Sessions(Resource[M]):
    """Sessions: players who get sockets of a deployment, found or started for them."""

    @operation(
        "POST", "/v1/session", recorded=False, scope="processes:read-write", id="session-post",
        errors=(400, 401, 403, 404, 409, 422, 429),
    )  # fmt: skip
    def create_session(self, params: SessionModel) -> SessionRequest:
        """Open a session of a version that has sessions.

        It is linked to a ready deployment with free sockets, at once if there is one; else one is started where the
        version says ``autodeploy``. Ask ``get_session`` until it is ready. Sockets stay taken until it is deleted.
        """
        ...

    @operation("GET", "/v1/session/{session_id}", scope="processes:read", id="get-session", errors=NAMED)
    def get_session(self, session_id: SessionId) -> SessionGet:
        """Tell how a session stands, who plays and where. It is kept for a while after its deployment has ended."""
        ...

    @operation(
        "DELETE", "/v1/session/{session_id}", recorded=False, scope="processes:read-write", id="session-delete",
        errors=(400, 401, 403, 404, 410, 429),
    )  # fmt: skip
    def delete_session(self, session_id: SessionId) -> SessionDelete:
        """End a session and free its sockets. Nothing of it is kept; its deployment runs on."""
        ...

    @operation("GET", "/v1/session/{session_id}/users", scope="processes:read", id="get-users-session", errors=NAMED)
    def get_session_users(self, session_id: SessionId) -> SessionUserContext:
        """List the players of a session."""
        ...

    @operation(
        "PUT", "/v1/session/{session_id}/users", recorded=False, scope="processes:read-write",
        id="put-users-session", errors=(400, 401, 403, 404, 422, 429),
    )  # fmt: skip
    def add_session_users(self, params: PatchSessionModel, session_id: SessionId) -> SessionUserContext:
        """Add players to a session. Of kind ``Seat`` it takes a socket for each, and is refused (422) without."""
        ...

    @operation(
        "DELETE", "/v1/session/{session_id}/users", recorded=False, scope="processes:read-write",
        id="delete-users-session", errors=NAMED,
    )  # fmt: skip
    def remove_session_users(self, params: PatchSessionModel, session_id: SessionId) -> SessionUserContext:
        """Take players out of a session, and tell who is left."""
        ...

    @operation("GET", "/v1/sessions", scope="processes:read", id="list-sessions", errors=CALL, paging=by_page())
    def list_sessions(self, *, page: Page | None = None, limit: Limit | None = None) -> SessionList:
        """List the sessions of the organisation that are not over."""
        ...

    @operation(
        "POST", "/v1/sessions/bulk-stop", scope="processes:read-write", id="sessions-bulk-stop", errors=CALL,
    )  # fmt: skip
    def bulk_stop_sessions(self, params: SessionBulkStopPayload) -> SessionBulkStopResponse:
        """End all sessions that the filters take, and tell which. Their deployments run on."""
        ...
