"""Builds. Declared in ``contract/hathora/builds_v3.py``; their archives come in by ``uploads.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from msgspec import UNSET, UnsetType

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.builds_v3 import (
    BuildPart,
    BuildStatus,
    BuildsV3,
    BuildsV3Page,
    BuildV3,
    CreateBuildV3Params,
    CreatedBuildV3WithMultipartUrls,
    CreateMultipartBuildParams,
    DeletedBuild,
    RegistryConfig,
)
from innkeeper.contract.shape import GLOBAL
from innkeeper.hosting.model import Build
from innkeeper.hosting.registries import RegistrySource, login_of, whole_reference
from innkeeper.kit.errors import Invalid
from innkeeper.kit.stamps import moment, moment_or_none


def _fields(build: Build) -> dict[str, Any]:
    return {
        "build_id": build.id,
        "build_tag": UNSET if build.tag is None else build.tag,
        "status": BuildStatus(build.state.value),
        "image_size": build.bytes,
        "org_id": build.org_id,
        "created_at": moment(build.created_at),
        "created_by": build.created_by,
        "started_at": moment_or_none(build.started_at),
        "finished_at": moment_or_none(build.finished_at),
        "deleted_at": moment_or_none(build.deleted_at),
        "content_hash": UNSET if build.content_hash is None else build.content_hash,
    }


def build_data(build: Build) -> BuildV3:
    """A build as Hathora tells it."""
    return BuildV3(**_fields(build))


def _given(text: str | UnsetType) -> str | None:
    return None if isinstance(text, UnsetType) else text or None


@implements(BuildsV3.create_build)
async def create_build(
    visit: Visit, params: CreateMultipartBuildParams, *, org_id: str | None = GLOBAL
) -> CreatedBuildV3WithMultipartUrls:
    builds = visit.wings.builds
    try:
        builds.check_size(params.build_size_in_bytes)
    except Invalid as error:
        raise type(error)(f"buildSizeInBytes: {error}") from None
    build = await builds.create(
        visit.org,
        visit.by,
        upload_bytes=params.build_size_in_bytes,
        build_id=_given(params.build_id),
        tag=_given(params.build_tag),
    )
    link = f"{visit.base_url}/uploads/v1/{visit.wings.links.make(build.key)}"
    return CreatedBuildV3WithMultipartUrls(
        **_fields(build),
        upload_parts=[
            BuildPart(part_number=number, put_request_url=f"{link}/parts/{number}") for number in builds.parts(build)
        ],
        max_chunk_size=builds.part_bytes,
        complete_upload_post_request_url=f"{link}/complete",
    )


@implements(BuildsV3.create_build_registry)
async def create_build_registry(visit: Visit, params: CreateBuildV3Params, *, org_id: str | None = GLOBAL) -> BuildV3:
    build = await visit.wings.builds.create(
        visit.org, visit.by, upload_bytes=None, build_id=_given(params.build_id), tag=_given(params.build_tag)
    )
    return build_data(build)


@implements(BuildsV3.get_builds)
async def get_builds(visit: Visit, *, org_id: str | None = GLOBAL) -> BuildsV3Page:
    return BuildsV3Page(builds=[build_data(build) for build in await visit.wings.builds.all(visit.org)])


@implements(BuildsV3.get_build)
async def get_build(visit: Visit, build_id: str, *, org_id: str | None = GLOBAL) -> BuildV3:
    return build_data(await visit.wings.builds.get(visit.org, build_id))


@implements(BuildsV3.run_build)
async def run_build(visit: Visit, build_id: str, *, org_id: str | None = GLOBAL) -> AsyncIterator[bytes]:
    return await visit.wings.builds.run(visit.org, build_id)


@implements(BuildsV3.run_build_registry)
async def run_build_registry(
    visit: Visit, build_id: str, params: RegistryConfig, *, org_id: str | None = GLOBAL
) -> AsyncIterator[bytes]:
    auth = _given(params.auth)
    source = RegistrySource(
        whole_reference(params.image, _given(params.registry_url)), None if auth is None else login_of(auth)
    )
    return await visit.wings.builds.run(visit.org, build_id, source=source)


@implements(BuildsV3.delete_build)
async def delete_build(visit: Visit, build_id: str, *, org_id: str | None = GLOBAL) -> DeletedBuild:
    await visit.wings.builds.delete(visit.org, build_id)
    return DeletedBuild()
