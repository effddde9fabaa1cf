"""Answers to ``contract/edgegap/context.py``: a server that has shown its own secret asks about itself."""

from __future__ import annotations

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.edgegap.context import Context, ContextDeploymentTagResponse, ContextTagPayload
from innkeeper.contract.edgegap.words import Deployment
from innkeeper.hosting.plans import Tag

from .deployments import telling
from .times import stamp


@implements(Context.get_context)
async def get_context(visit: Visit, request_id: str, security_number: int) -> Deployment:
    """How it stands."""
    return telling(visit).deployment(visit.server)


@implements(Context.add_context_tag)
async def add_context_tag(
    visit: Visit, params: ContextTagPayload, request_id: str, security_number: int
) -> ContextDeploymentTagResponse:
    """It gives itself a tag."""
    return _told(await visit.wings.orders.add_tag(visit.server.ordered.server.id, params.name))


@implements(Context.remove_context_tag)
async def remove_context_tag(visit: Visit, request_id: str, security_number: int, tag_name: str) -> None:
    """It takes a tag from itself."""
    await visit.wings.orders.remove_tag(visit.server.ordered.server.id, tag_name)


def _told(tag: Tag) -> ContextDeploymentTagResponse:
    return ContextDeploymentTagResponse(
        name=tag.name, create_time=stamp(tag.created_at), last_updated=stamp(tag.changed_at)
    )
