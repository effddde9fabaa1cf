"""Tags of deployments, to find and stop them by. Declared here, answered in ``api/edgegap/deployment_tags.py``."""

from __future__ import annotations

from innkeeper.contract.paging import by_page
from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Snake, UnsetType

from . import operation
from .words import NAMED, Limit, NewTag, Page, Paged, RequestId, Stamp, Tag


class DeploymentTagPayload(Snake):
    """What a tag shall be called."""

    name: NewTag


class DeploymentTagResponse(Snake):
    """A tag of a deployment."""

    name: Tag
    create_time: Stamp | UnsetType | None = UNSET
    last_updated: Stamp | UnsetType | None = UNSET


class DeploymentTagListResponse(Paged):
    """A page of a deployment's tags."""

    tags: list[DeploymentTagResponse] | UnsetType | None = UNSET
    count: int | UnsetType | None = UNSET  #: the same as ``total_count``, in older answers


class DeploymentTags(Resource[M]):
    """Tags of deployments, to find and stop them by. What a deployment's own variables say of them never changes."""

    @operation("GET", "/v1/deployments/{request_id}/tags", scope="processes:read", id="deployments-tags-list",
               errors=NAMED, paging=by_page())  # fmt: skip
    def list_deployment_tags(
        self, request_id: RequestId, *, page: Page | None = None, limit: Limit | None = None
    ) -> DeploymentTagListResponse:
        """List a deployment's tags."""
        ...

    @operation("POST", "/v1/deployments/{request_id}/tags", recorded=False, scope="processes:read-write",
               id="deployments-tags-create", errors=(*NAMED, 409))  # fmt: skip
    def create_deployment_tag(self, params: DeploymentTagPayload, request_id: RequestId) -> DeploymentTagResponse:
        """Give a deployment a tag. Status 409: it has that tag."""
        ...

    @operation("GET", "/v1/deployments/{request_id}/tags/{tag_name}", scope="processes:read",
               id="deployments-tags-read", errors=NAMED)  # fmt: skip
    def get_deployment_tag(self, request_id: RequestId, tag_name: Tag) -> DeploymentTagResponse:
        """Tell since when a deployment has a tag."""
        ...

    @operation("PATCH", "/v1/deployments/{request_id}/tags/{tag_name}", recorded=False, scope="processes:read-write",
               id="deployments-tags-update", errors=(*NAMED, 409))  # fmt: skip
    def update_deployment_tag(
        self, params: DeploymentTagPayload, request_id: RequestId, tag_name: Tag
    ) -> DeploymentTagResponse:
        """Put another name in place of a tag. Status 409: the deployment has a tag of that name."""
        ...

    @operation("DELETE", "/v1/deployments/{request_id}/tags/{tag_name}", status=204, recorded=False,
               scope="processes:read-write", id="deployments-tags-delete", errors=NAMED)  # fmt: skip
    def delete_deployment_tag(self, request_id: RequestId, tag_name: Tag) -> None:
        """Take a tag from a deployment."""
        ...
