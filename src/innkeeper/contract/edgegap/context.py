"""What a deployment asks about itself. Declared here, answered in ``api/edgegap/context.py``."""

from __future__ import annotations

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Snake, UnsetType

from . import operation
from .words import OPEN, Deployment, NewTag, RequestId, Stamp, Tag


class ContextDeploymentTagResponse(Snake):
    """A tag of the deployment that asks."""

    name: Tag
    create_time: Stamp | UnsetType | None = UNSET
    last_updated: Stamp | UnsetType | None = UNSET


class ContextTagPayload(Snake):
    """The tag to add."""

    name: NewTag


class Context(Resource[M]):
    """What a deployment asks about itself, and the tags it gives itself.

    The whole address is in its variable ``ARBITRIUM_CONTEXT_URL``; ``ARBITRIUM_CONTEXT_TOKEN`` is sent without any word
    before it.
    """

    @operation("GET", "/v1/context/{request_id}/{security_number}", key="server", id="context-get", errors=OPEN)
    def get_context(self, request_id: RequestId, security_number: int) -> Deployment:
        """Tell how the deployment stands, where it runs and where players connect."""
        ...

    @operation("POST", "/v1/context/{request_id}/{security_number}/tags", key="server",
               id="context-create-deployment-tag", errors=(*OPEN, 409))  # fmt: skip
    def add_context_tag(
        self, params: ContextTagPayload, request_id: RequestId, security_number: int
    ) -> ContextDeploymentTagResponse:
        """Add a tag to the deployment. Status 409: it has that tag. Its variables stay as they are."""
        ...

    @operation("DELETE", "/v1/context/{request_id}/{security_number}/tags/{tag_name}", status=204, key="server",
               id="context-delete-deployment-tag", errors=(*OPEN, 404))  # fmt: skip
    def remove_context_tag(self, request_id: RequestId, security_number: int, tag_name: Tag) -> None:
        """Take a tag from the deployment. Its variables stay as they are."""
        ...
