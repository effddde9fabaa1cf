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


def given(text: str | UnsetType) -> str | None:
    """A text that may be left out or empty; None where it is."""
    return None if isinstance(text, UnsetType) else text or None


def upload_link(visit: Visit, build: Build) -> str:
    """Where a build's archive goes, without any credentials but the link."""
    return f"{visit.base_url}/uploads/v1/{visit.wings.links.make(build.key)}"


def announced(visit: Visit, size: int) -> int:
    """The size to plan parts for; 0 is one part of any size.

    Godot's plugin cuts an archive wrongly (all parts but the first are empty), so it is asked for one part.
    """
    return 0 if b"GodotEngine" in visit.headers.get(b"user-agent", b"") else size


def parts_to_send(visit: Visit, build: Build, size: int) -> dict[str, Any]:
    """The fields of an answer that tell where an archive of known size goes, in parts."""
    link, intake = upload_link(visit, build), visit.wings.intake
    return {
        "upload_parts": [
            BuildPart(part_number=number, put_request_url=f"{link}/parts/{number}") for number in intake.parts(build)
        ],
        "max_chunk_size": intake.part_bytes if build.upload_bytes else size,
        "complete_upload_post_request_url": f"{link}/complete",
    }


@implements(BuildsV3.create_build)
async def create_build(
    visit: Visit, params: CreateMultipartBuildParams, *, org_id: str | None = GLOBAL
) -> CreatedBuildV3WithMultipartUrls:
    intake = visit.wings.intake
    try:
        intake.check_size(params.build_size_in_bytes)
    except Invalid as error:
        raise type(error)(f"buildSizeInBytes: {error}") from None
    build = await visit.wings.builds.create(
        visit.org,
        visit.by,
        upload_bytes=announced(visit, params.build_size_in_bytes),
        build_id=given(params.build_id),
        tag=given(params.build_tag),
    )
    return CreatedBuildV3WithMultipartUrls(**_fields(build), **parts_to_send(visit, build, params.build_size_in_bytes))


@implements(BuildsV3.create_build_registry)
async def create_build_registry(visit: Visit, params: CreateBuildV3Params, *, org_id: str | None = GLOBAL) -> BuildV3:
    build = await visit.wings.builds.create(
        visit.org, visit.by, upload_bytes=None, build_id=given(params.build_id), tag=given(params.build_tag)
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
    auth = given(params.auth)
    source = RegistrySource(
        whole_reference(params.image, given(params.registry_url)), None if auth is None else login_of(auth)
    )
    return await visit.wings.builds.run(visit.org, build_id, source=source)


@implements(BuildsV3.delete_build)
async def delete_build(visit: Visit, build_id: str, *, org_id: str | None = GLOBAL) -> DeletedBuild:
    await visit.wings.builds.delete(visit.org, build_id)
    return DeletedBuild()
