"""Tags of images in the registry that the operator named. Declared in ``contract/edgegap/container_registry.py``."""

from __future__ import annotations

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.edgegap.container_registry import (
    ArtifactPayload,
    ContainerRegistry,
    DeletedArtifact,
    ImageTagDeletion,
    ImageTagDeletionSummary,
    ImageTagList,
    ImageTagPayload,
    ImageTagsDeletePayload,
    ImageTagsDeleteResponse,
    RegistryArtifactTagDeleteResponse,
)
from innkeeper.hosting.imagetags import DeletedTag, TaggedImage
from innkeeper.kit.errors import HouseError, NotFound

from .pages import paged, slice_of
from .times import stamp

_MEGABYTE = 10**6


def _tag(found: TaggedImage) -> ImageTagPayload:
    artifact = ArtifactPayload(
        artifact_deleted=False, remaining_tags=found.tags, image_hash=found.digest, size_mb=found.bytes / _MEGABYTE
    )
    return ImageTagPayload(tag=found.tag, last_push_at=stamp(found.made_at), artifact=artifact)


def _result(tag: str, became: DeletedTag | HouseError) -> ImageTagDeletion:
    if isinstance(became, HouseError):
        return ImageTagDeletion(tag=tag, status=404 if isinstance(became, NotFound) else 500, message=str(became))
    return ImageTagDeletion(tag=tag, status=204, message=_words(became))


def _words(deleted: DeletedTag) -> str:
    left = ", ".join(deleted.left)
    return f"deleted; its image has other tags: {left}" if left else "deleted, and its image"


@implements(ContainerRegistry.list_image_tags)
async def list_image_tags(
    visit: Visit, image_name: str, *, page: int | None = None, limit: int | None = None
) -> ImageTagList:
    part = slice_of(page, limit)
    total, found = await visit.wings.image_tags.page(visit.org, image_name, part.skip, part.size)
    return ImageTagList(data=[_tag(one) for one in found], **paged(part, total))


@implements(ContainerRegistry.delete_image_tag)
async def delete_image_tag(visit: Visit, image_name: str, tag_name: str) -> RegistryArtifactTagDeleteResponse:
    deleted = await visit.wings.image_tags.delete(visit.org, image_name, tag_name)
    artifact = DeletedArtifact(
        artifact_deleted=not deleted.left, remaining_tags=deleted.left, image_hash=deleted.digest,
        size_mb=deleted.bytes / _MEGABYTE,
    )  # fmt: skip
    return RegistryArtifactTagDeleteResponse(deleted_tag=deleted.tag, artifact=artifact)


@implements(ContainerRegistry.delete_image_tags)
async def delete_image_tags(visit: Visit, params: ImageTagsDeletePayload, image_name: str) -> ImageTagsDeleteResponse:
    became = await visit.wings.image_tags.delete_several(visit.org, image_name, params.tags)
    done = sum(isinstance(each, DeletedTag) for _, each in became)
    return ImageTagsDeleteResponse(
        results=[_result(tag, each) for tag, each in became],
        summary=ImageTagDeletionSummary(total=len(became), success=done, failed=len(became) - done),
    )
