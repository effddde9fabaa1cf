"""Builds by their numbers, for old pipelines. Declared in ``contract/hathora/builds_v2.py``; V1 uses the same verbs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from msgspec import UNSET

from innkeeper.api.forms import file_in
from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora import builds_v2 as contract
from innkeeper.contract.hathora.builds_v2 import BuildsV2, CreateBuildParams
from innkeeper.contract.hathora.builds_v3 import BuildStatus, CreateMultipartBuildParams
from innkeeper.contract.shape import GLOBAL, Content
from innkeeper.hosting.model import Build
from innkeeper.kit.errors import Invalid
from innkeeper.kit.stamps import moment, moment_or_none

from .builds_v3 import announced, given, parts_to_send, upload_link
from .uploads import pieces_of
from .words import region_of


def _fields(visit: Visit, build: Build, app_id: str) -> dict[str, Any]:
    image = build.image
    places = [] if image is None else sorted(visit.wings.host_book.locations())
    return {
        "build_id": build.number,
        "app_id": build.app_id or app_id,
        "build_tag": UNSET if build.tag is None else build.tag,
        "status": BuildStatus(build.state.value),
        "image_size": build.bytes,
        "regional_container_tags": [
            contract.RegionalContainerTag(region=region_of(place), container_tag=image or "") for place in places
        ],
        "created_at": moment(build.created_at),
        "created_by": build.created_by,
        "started_at": moment_or_none(build.started_at),
        "finished_at": moment_or_none(build.finished_at),
        "deleted_at": moment_or_none(build.deleted_at),
    }


def old_build(visit: Visit, build: Build, app_id: str) -> contract.Build:
    """A build as the old generations tell it to one of its organisation's apps."""
    return contract.Build(**_fields(visit, build, app_id))


async def create(
    visit: Visit, app_id: str, tag: str | None, upload_bytes: int = 0, build_id: str | None = None
) -> Build:
    """A new build of an app, of an archive in one piece unless its size is given. Raises NotFound."""
    await visit.wings.apps.get(visit.org, app_id)
    return await visit.wings.builds.create(
        visit.org, visit.by, upload_bytes=upload_bytes, build_id=build_id, tag=tag, app_id=app_id
    )


async def find(visit: Visit, app_id: str, number: int) -> Build:
    """A build by its number. Raises NotFound, also for an app of somebody else."""
    await visit.wings.apps.get(visit.org, app_id)
    return await visit.wings.builds.numbered(visit.org, number)


async def listed(visit: Visit, app_id: str) -> list[contract.Build]:
    """The builds that an app can use."""
    await visit.wings.apps.get(visit.org, app_id)
    return [old_build(visit, build, app_id) for build in await visit.wings.builds.all(visit.org, app_id)]


async def run(
    visit: Visit, app_id: str, number: int, content: Content | None, *, required: bool = True
) -> AsyncIterator[bytes]:
    """Take a build's archive, where one comes, and run it. ``required``: a form must have it."""
    build = await find(visit, app_id, number)
    if content is not None:
        kind = visit.headers.get(b"content-type", b"")
        if kind.startswith(b"multipart/"):
            file = file_in(kind, pieces_of(content), required=required)
            # Clients that sent the archive to a link run the build with a form that is empty.
            if (first := await anext(file, None)) is not None:
                await visit.wings.intake.take_whole(build.key, _from(first, file))
        else:
            await _nothing_in(content)
    return await visit.wings.builds.run(visit.org, build.id)


async def _from(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


async def _nothing_in(content: Content) -> None:
    """Clients that send an empty body, or ``{}``, sent the archive before."""
    body = b""
    async for piece in pieces_of(content):
        body += piece
        if len(body) > 16 or body.strip() not in (b"", b"{", b"{}"):
            raise Invalid("the body must be a form (multipart/form-data) with the archive as its file, or empty")


async def delete(visit: Visit, app_id: str, number: int) -> None:
    """Delete a build by its number."""
    build = await find(visit, app_id, number)
    await visit.wings.builds.delete(visit.org, build.id)


@implements(BuildsV2.create_build)
async def create_build(visit: Visit, params: CreateBuildParams, app_id: str = GLOBAL) -> contract.Build:
    return old_build(visit, await create(visit, app_id, given(params.build_tag)), app_id)


@implements(BuildsV2.create_build_with_upload_url)
async def create_build_with_upload_url(
    visit: Visit, params: CreateBuildParams, app_id: str = GLOBAL
) -> contract.BuildWithUploadUrl:
    build = await create(visit, app_id, given(params.build_tag))
    return contract.BuildWithUploadUrl(
        **_fields(visit, build, app_id),
        upload_url=f"{upload_link(visit, build)}/form",
        # The vendor's store wanted its signature in the form; ours is in the link. Clients send what they are told.
        upload_body_params=[contract.UploadField(key="key", value=build.id)],
    )


@implements(BuildsV2.create_with_multipart_uploads)
async def create_with_multipart_uploads(
    visit: Visit, params: CreateMultipartBuildParams, app_id: str = GLOBAL
) -> contract.BuildWithMultipartUrls:
    size = params.build_size_in_bytes
    try:
        visit.wings.intake.check_size(size)
    except Invalid as error:
        raise type(error)(f"buildSizeInBytes: {error}") from None
    build = await create(visit, app_id, given(params.build_tag), announced(visit, size), given(params.build_id))
    return contract.BuildWithMultipartUrls(**_fields(visit, build, app_id), **parts_to_send(visit, build, size))


@implements(BuildsV2.get_builds)
async def get_builds(visit: Visit, app_id: str = GLOBAL) -> list[contract.Build]:
    return await listed(visit, app_id)


@implements(BuildsV2.get_build_info)
async def get_build_info(visit: Visit, build_id: int, app_id: str = GLOBAL) -> contract.Build:
    return old_build(visit, await find(visit, app_id, build_id), app_id)


@implements(BuildsV2.run_build)
async def run_build(
    visit: Visit, build_id: int, content: Content | None = None, app_id: str = GLOBAL
) -> AsyncIterator[bytes]:
    return await run(visit, app_id, build_id, content, required=False)


@implements(BuildsV2.delete_build)
async def delete_build(visit: Visit, build_id: int, app_id: str = GLOBAL) -> None:
    await delete(visit, app_id, build_id)
