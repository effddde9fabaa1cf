"""The managed matchmaker: what it runs. Declared in ``contract/edgegap/matchmaker_releases.py``."""

from __future__ import annotations

from typing import Any

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.edgegap.matchmaker_releases import (
    MatchmakerManagedReleaseCreate,
    MatchmakerManagedReleaseResponse,
    MatchmakerManagedReleaseUpdate,
    MatchmakerReleaseConfigCreate,
    MatchmakerReleaseConfigListResponse,
    MatchmakerReleaseConfigResponse,
    MatchmakerReleaseConfigUpdate,
    MatchmakerReleaseCreate,
    MatchmakerReleaseListed,
    MatchmakerReleaseListResponse,
    MatchmakerReleaseResponse,
    MatchmakerReleases,
    MatchmakerReleaseUpdate,
)
from innkeeper.contract.edgegap.words import Message
from innkeeper.contract.shape import given
from innkeeper.matchmaking.records import NewSetup, Rulebook, ToldSetup

from .matchmaker_rules import read_rules
from .times import stamp


def _shared(told: ToldSetup) -> dict[str, Any]:
    setup = told.setup
    return {
        "created_at": stamp(setup.created_at),
        "updated_at": stamp(setup.changed_at),
        "app_name": setup.app_name,
        "version_name": setup.label_name,
        "version": setup.name,
    }


def _components(told: ToldSetup) -> dict[str, str]:
    return {
        "frontend_component_name": told.frontend or "",
        "director_component_name": told.director or "",
        "match_function_component_name": told.function or "",
    }


def release_data(told: ToldSetup) -> MatchmakerReleaseResponse:
    """A setup of components as Edgegap tells it."""
    return MatchmakerReleaseResponse(**_shared(told), **_components(told))


def managed_data(told: ToldSetup) -> MatchmakerManagedReleaseResponse:
    """A setup with a rulebook as Edgegap tells it."""
    return MatchmakerManagedReleaseResponse(**_shared(told), release_config_name=told.rulebook or "")


def listed(told: ToldSetup) -> MatchmakerReleaseListed:
    """A setup of either kind in a list."""
    made_of = _components(told) if told.rulebook is None else {"release_config_name": told.rulebook}
    return MatchmakerReleaseListed(**_shared(told), **made_of)


def _said(params: MatchmakerReleaseCreate | MatchmakerReleaseUpdate) -> NewSetup:
    return NewSetup(
        name=given(params.version),
        app_name=given(params.app_name),
        label_name=given(params.version_name),
        frontend=given(params.frontend_component_name),
        director=given(params.director_component_name),
        function=given(params.match_function_component_name),
    )


def _said_of_managed(params: MatchmakerManagedReleaseCreate | MatchmakerManagedReleaseUpdate) -> NewSetup:
    return NewSetup(
        name=given(params.version),
        app_name=given(params.app_name),
        label_name=given(params.version_name),
        rulebook=given(params.release_config_name),
    )


@implements(MatchmakerReleases.create_release)
async def create_release(
    visit: Visit, params: MatchmakerReleaseCreate, matchmaker_name: str
) -> MatchmakerReleaseResponse:
    return release_data(await visit.wings.setups.create(visit.org, matchmaker_name, _said(params)))


@implements(MatchmakerReleases.create_managed_release)
async def create_managed_release(
    visit: Visit, params: MatchmakerManagedReleaseCreate, matchmaker_name: str
) -> MatchmakerManagedReleaseResponse:
    return managed_data(await visit.wings.setups.create(visit.org, matchmaker_name, _said_of_managed(params)))


@implements(MatchmakerReleases.update_managed_release)
async def update_managed_release(
    visit: Visit, params: MatchmakerManagedReleaseUpdate, matchmaker_name: str, release_version: str
) -> MatchmakerManagedReleaseResponse:
    said = _said_of_managed(params)
    return managed_data(
        await visit.wings.setups.change(visit.org, matchmaker_name, release_version, said, managed=True)
    )


@implements(MatchmakerReleases.delete_managed_release)
async def delete_managed_release(visit: Visit, matchmaker_name: str, release_version: str) -> Message:
    await visit.wings.setups.delete(visit.org, matchmaker_name, release_version, managed=True)
    return Message(message=f"the managed release {release_version} is deleted")


@implements(MatchmakerReleases.get_managed_release)
async def get_managed_release(
    visit: Visit, matchmaker_name: str, release_version: str
) -> MatchmakerManagedReleaseResponse:
    return managed_data(await visit.wings.setups.get(visit.org, matchmaker_name, release_version, managed=True))


@implements(MatchmakerReleases.update_release)
async def update_release(
    visit: Visit, params: MatchmakerReleaseUpdate, matchmaker_name: str, release_version: str
) -> MatchmakerReleaseResponse:
    said = _said(params)
    return release_data(
        await visit.wings.setups.change(visit.org, matchmaker_name, release_version, said, managed=False)
    )


@implements(MatchmakerReleases.delete_release)
async def delete_release(visit: Visit, matchmaker_name: str, release_version: str) -> Message:
    await visit.wings.setups.delete(visit.org, matchmaker_name, release_version, managed=False)
    return Message(message=f"the release {release_version} is deleted")


@implements(MatchmakerReleases.get_release)
async def get_release(visit: Visit, matchmaker_name: str, release_version: str) -> MatchmakerReleaseResponse:
    return release_data(await visit.wings.setups.get(visit.org, matchmaker_name, release_version, managed=False))


@implements(MatchmakerReleases.list_releases)
async def list_releases(visit: Visit, matchmaker_name: str) -> MatchmakerReleaseListResponse:
    found = [listed(one) for one in await visit.wings.setups.all(visit.org, matchmaker_name)]
    return MatchmakerReleaseListResponse(count=len(found), data=found)


# -- configurations -------------------------------------------------------------------------------------------------


def config_data(visit: Visit, rulebook: Rulebook) -> MatchmakerReleaseConfigResponse:
    """A rulebook as Edgegap tells it: as its owner wrote it."""
    return MatchmakerReleaseConfigResponse(
        created_at=stamp(rulebook.created_at),
        updated_at=stamp(rulebook.changed_at),
        name=rulebook.name,
        configuration=visit.wings.setups.text_of(rulebook),
    )


@implements(MatchmakerReleases.create_release_config)
async def create_release_config(visit: Visit, params: MatchmakerReleaseConfigCreate) -> MatchmakerReleaseConfigResponse:
    rules = read_rules(params.configuration)
    made = await visit.wings.setups.create_rulebook(visit.org, params.name, params.configuration, rules)
    return config_data(visit, made)


@implements(MatchmakerReleases.update_release_config)
async def update_release_config(
    visit: Visit, params: MatchmakerReleaseConfigUpdate, config_name: str
) -> MatchmakerReleaseConfigResponse:
    text = given(params.configuration)
    written = None if text is None else (text, read_rules(text))
    changed = await visit.wings.setups.change_rulebook(
        visit.org, config_name, new_name=given(params.name), written=written
    )
    return config_data(visit, changed)


@implements(MatchmakerReleases.delete_release_config)
async def delete_release_config(visit: Visit, config_name: str) -> Message:
    await visit.wings.setups.delete_rulebook(visit.org, config_name)
    return Message(message=f"the release config {config_name} is deleted")


@implements(MatchmakerReleases.get_release_config)
async def get_release_config(visit: Visit, config_name: str) -> MatchmakerReleaseConfigResponse:
    return config_data(visit, await visit.wings.setups.rulebook(visit.org, config_name))


@implements(MatchmakerReleases.list_release_configs)
async def list_release_configs(visit: Visit) -> MatchmakerReleaseConfigListResponse:
    found = [config_data(visit, one) for one in await visit.wings.setups.rulebooks(visit.org)]
    return MatchmakerReleaseConfigListResponse(count=len(found), data=found)
