"""Builds, for the oldest pipelines. Declared in ``contract/hathora/builds_v1.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.builds_v1 import BuildsV1
from innkeeper.contract.hathora.builds_v2 import Build, CreateBuildParams
from innkeeper.contract.shape import GLOBAL, Content

from . import builds_v2 as numbered
from .builds_v3 import given


@implements(BuildsV1.create_build)
async def create_build(visit: Visit, params: CreateBuildParams, app_id: str = GLOBAL) -> Build:
    return numbered.old_build(visit, await numbered.create(visit, app_id, given(params.build_tag)), app_id)


@implements(BuildsV1.get_builds)
async def get_builds(visit: Visit, app_id: str = GLOBAL) -> list[Build]:
    return await numbered.listed(visit, app_id)


@implements(BuildsV1.get_build_info)
async def get_build_info(visit: Visit, build_id: int, app_id: str = GLOBAL) -> Build:
    return numbered.old_build(visit, await numbered.find(visit, app_id, build_id), app_id)


@implements(BuildsV1.run_build)
async def run_build(visit: Visit, build_id: int, content: Content, app_id: str = GLOBAL) -> AsyncIterator[bytes]:
    return await numbered.run(visit, app_id, build_id, content)


@implements(BuildsV1.delete_build)
async def delete_build(visit: Visit, build_id: int, app_id: str = GLOBAL) -> None:
    await numbered.delete(visit, app_id, build_id)
