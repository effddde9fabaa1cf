"""Custom sessions: sessions with ids of the caller's, in a deployment of the caller's choice. Declared here, answered
in ``api/edgegap/custom_sessions.py``.
"""

from __future__ import annotations

from innkeeper.contract.paging import by_page
from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Snake, UnsetType

from . import operation
from .sessions import SessionDelete, SessionGet, SessionList, SessionRequest
from .words import NAMED, CustomId, Ip, Limit, NewCustomId, Page, RequestId, WebhookUrl


class CustomSessionModel(Snake):
    """Who plays."""

    ip_list: list[Ip]
    webhook_url: WebhookUrl | UnsetType | None = UNSET  #: gets the session when it is linked, or cannot be


class CustomBulkSessionModel(CustomSessionModel):
    """Who plays, and what the session is called."""

    custom_id: NewCustomId


class CustomBulkSessionsModel(Snake):
    """The sessions to be opened."""

    sessions: list[CustomBulkSessionModel] | UnsetType | None = UNSET


class CustomSessionDeleteModel(Snake):
    """The sessions to end."""

    sessions: list[CustomId]


class BulkSessionPost(Snake):
    """What came of opening several sessions."""

    sessions: list[SessionRequest]  #: those that were opened
    errors: list[str]  #: why others were not, for people


class BulkSessionDelete(Snake):
    """What came of ending several sessions."""

    sessions: list[SessionDelete]  #: those that are over
    errors: list[str]  #: why others are not, for people


class CustomSessions(Resource[M]):
    """Custom sessions: sessions with ids of the caller's, in a deployment of the caller's choice."""

    @operation(
        "POST", "/v1/deployment/{request_id}/custom/session/{custom_id}", recorded=False,
        scope="processes:read-write", id="post-custom-session", errors=(400, 401, 403, 404, 409, 410, 422, 429),
    )  # fmt: skip
    def create_custom_session(
        self, params: CustomSessionModel, request_id: RequestId, custom_id: NewCustomId
    ) -> SessionRequest:
        """Open a session in a deployment. Its id must be new there (409), and sockets must be free (422)."""
        ...

    @operation(
        "GET", "/v1/deployment/{request_id}/custom/session/{custom_id}", scope="processes:read",
        id="get-custom-session", errors=NAMED,
    )  # fmt: skip
    def get_custom_session(self, request_id: RequestId, custom_id: CustomId) -> SessionGet:
        """Tell how a session stands, and who plays."""
        ...

    @operation(
        "PATCH", "/v1/deployment/{request_id}/custom/session/{custom_id}", recorded=False,
        scope="processes:read-write", id="patch-custom-session", errors=(400, 401, 403, 404, 410, 422, 429),
    )  # fmt: skip
    def update_custom_session(
        self, params: CustomSessionModel, request_id: RequestId, custom_id: CustomId
    ) -> SessionGet:
        """Say anew who plays: exactly these from now on. ``webhook_url`` stays as it is when left out."""
        ...

    @operation(
        "DELETE", "/v1/deployment/{request_id}/custom/session/{custom_id}", recorded=False,
        scope="processes:read-write", id="delete-custom-session", errors=(400, 401, 403, 404, 410, 429),
    )  # fmt: skip
    def delete_custom_session(self, request_id: RequestId, custom_id: CustomId) -> SessionDelete:
        """End a session and free its sockets. Its deployment runs on."""
        ...

    @operation(
        "GET", "/v1/deployment/{request_id}/custom/sessions", scope="processes:read", id="get-custom-sessions",
        errors=NAMED, paging=by_page(),
    )  # fmt: skip
    def list_custom_sessions(
        self, request_id: RequestId, *, page: Page | None = None, limit: Limit | None = None
    ) -> SessionList:
        """List the custom sessions of a deployment."""
        ...

    @operation(
        "POST", "/v1/deployment/{request_id}/custom/sessions", recorded=False, scope="processes:read-write",
        id="post-custom-sessions", errors=(400, 401, 403, 404, 410, 429),
    )  # fmt: skip
    def create_custom_sessions(self, params: CustomBulkSessionsModel, request_id: RequestId) -> BulkSessionPost:
        """Open several sessions in a deployment. Each succeeds or fails by itself; ``errors`` tells why one failed."""
        ...

    @operation(
        "DELETE", "/v1/deployment/{request_id}/custom/sessions", recorded=False, scope="processes:read-write",
        id="delete-custom-sessions", errors=(400, 401, 403, 404, 410, 429),
    )  # fmt: skip
    def delete_custom_sessions(self, params: CustomSessionDeleteModel, request_id: RequestId) -> BulkSessionDelete:
        """End several sessions. The ids travel in the body; ``errors`` tells which of them could not be ended."""
        ...
