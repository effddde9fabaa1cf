"""Images in the organisation's registry. Declared here, answered in ``api/edgegap/container_registry.py``."""

from __future__ import annotations

from innkeeper.contract.paging import by_page
from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Snake, UnsetType

from . import operation
from .words import NAMED, Limit, Page, Paged, Stamp

#: Project and image, with a slash between: ``my-project/my-server``.
ImageName = str


class ArtifactPayload(Snake):
    """What a tag stands for: one image, which several tags may share."""

    artifact_deleted: bool  #: whether the image itself is gone
    remaining_tags: list[str]  #: the tags that it has
    image_hash: str  #: ``sha256:`` and its digest
    size_mb: float  #: megabytes


class ImageTagPayload(Snake):
    """A tag of an image."""

    tag: str
    last_push_at: Stamp  #: Innkeeper tells when the image was made, and 1970 where it does not say
    artifact: ArtifactPayload


class ImageTagList(Paged):
    """A page of an image's tags."""

    data: list[ImageTagPayload] | UnsetType | None = UNSET


class DeletedArtifact(Snake):
    """What a tag stood for. The vendor promises none of it."""

    artifact_deleted: bool | UnsetType | None = UNSET  #: whether the image itself is gone
    remaining_tags: list[str] | UnsetType | None = UNSET  #: the tags that it still has
    image_hash: str | UnsetType | None = UNSET  #: ``sha256:`` and its digest
    size_mb: float | UnsetType | None = UNSET  #: megabytes


class RegistryArtifactTagDeleteResponse(Snake):
    """A tag that is gone, and what it stood for."""

    deleted_tag: str | UnsetType | None = UNSET
    artifact: DeletedArtifact | UnsetType | None = UNSET


class ImageTagsDeletePayload(Snake):
    """Which tags to delete."""

    tags: list[str]


class ImageTagDeletion(Snake):
    """What became of one tag."""

    tag: str | UnsetType | None = UNSET
    status: int | UnsetType | None = UNSET  #: 204: deleted; 404: there was none; 500: it failed
    message: str | UnsetType | None = UNSET  #: for people


class ImageTagDeletionSummary(Snake):
    """How many tags were deleted."""

    total: int  #: of the request
    success: int  #: deleted
    failed: int  #: not deleted


class ImageTagsDeleteResponse(Snake):
    """What became of each tag."""

    results: list[ImageTagDeletion]
    summary: ImageTagDeletionSummary


class ContainerRegistry(Resource[M]):
    """Images in the organisation's registry. The slash of an image's name may stand in the path as it is or as %2F."""

    @operation("GET", "/v1/container-registry/images/{image_name}/tags", scope="builds:read",
               id="registry-image-tag-list", errors=NAMED, paging=by_page(), slashed="image_name")  # fmt: skip
    def list_image_tags(
        self, image_name: ImageName, *, page: Page | None = None, limit: Limit | None = None
    ) -> ImageTagList:
        """List an image's tags."""
        ...

    @operation("DELETE", "/v1/container-registry/images/{image_name}/tags/{tag_name}", scope="builds:read-write",
               id="registry-image-tag-delete", errors=NAMED, slashed="image_name")  # fmt: skip
    def delete_image_tag(self, image_name: ImageName, tag_name: str) -> RegistryArtifactTagDeleteResponse:
        """Delete a tag. The answer tells whether its image went with it."""
        ...

    @operation("POST", "/v1/container-registry/images/{image_name}/tags/bulk-delete", status=207,
               scope="builds:read-write", id="registry-image-tag-bulk-delete", errors=NAMED,
               slashed="image_name")  # fmt: skip
    def delete_image_tags(self, params: ImageTagsDeletePayload, image_name: ImageName) -> ImageTagsDeleteResponse:
        """Delete several tags. Each has a result of its own, and succeeds or fails for itself."""
        ...
