"""Answers to ``contract/edgegap/deployment_tags.py``."""

from __future__ import annotations

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.edgegap.deployment_tags import (
    DeploymentTagListResponse,
    DeploymentTagPayload,
    DeploymentTagResponse,
    DeploymentTags,
)
from innkeeper.hosting.plans import Tag

from .pages import cut, paged, slice_of
from .times import stamp


async def _server(visit: Visit, request_id: str) -> str:
    return (await visit.wings.orders.get(visit.org, request_id)).ordered.server.id


def _told(tag: Tag) -> DeploymentTagResponse:
    return DeploymentTagResponse(name=tag.name, create_time=stamp(tag.created_at), last_updated=stamp(tag.changed_at))


@implements(DeploymentTags.list_deployment_tags)
async def list_deployment_tags(
    visit: Visit, request_id: str, *, page: int | None = None, limit: int | None = None
) -> DeploymentTagListResponse:
    """The oldest first."""
    told = await visit.wings.orders.get(visit.org, request_id)
    part, tags = slice_of(page, limit), list(told.tags)
    return DeploymentTagListResponse(
        tags=[_told(tag) for tag in cut(part, tags)], count=len(tags), **paged(part, len(tags))
    )


@implements(DeploymentTags.create_deployment_tag)
async def create_deployment_tag(visit: Visit, params: DeploymentTagPayload, request_id: str) -> DeploymentTagResponse:
    """One more."""
    return _told(await visit.wings.orders.add_tag(await _server(visit, request_id), params.name))


@implements(DeploymentTags.get_deployment_tag)
async def get_deployment_tag(visit: Visit, request_id: str, tag_name: str) -> DeploymentTagResponse:
    """One of them."""
    return _told(await visit.wings.orders.tag(await _server(visit, request_id), tag_name))


@implements(DeploymentTags.update_deployment_tag)
async def update_deployment_tag(
    visit: Visit, params: DeploymentTagPayload, request_id: str, tag_name: str
) -> DeploymentTagResponse:
    """The same under another name."""
    return _told(await visit.wings.orders.rename_tag(await _server(visit, request_id), tag_name, params.name))


@implements(DeploymentTags.delete_deployment_tag)
async def delete_deployment_tag(visit: Visit, request_id: str, tag_name: str) -> None:
    """One less."""
    await visit.wings.orders.remove_tag(await _server(visit, request_id), tag_name)
