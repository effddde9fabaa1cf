"""The managed matchmaker: components and matchmakers. Declared in ``contract/edgegap/matchmaker.py``."""

from __future__ import annotations

from collections.abc import Sequence

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.edgegap.matchmaker import (
    ComponentCredentials,
    ComponentCredentialsTold,
    MatchmakerComponentCreate,
    MatchmakerComponentEnvListResponse,
    MatchmakerComponentEnvsCreate,
    MatchmakerComponentEnvsResponse,
    MatchmakerComponentEnvsUpdate,
    MatchmakerComponentListResponse,
    MatchmakerComponentResponse,
    MatchmakerComponentUpdate,
    MatchmakerCreate,
    MatchmakerListResponse,
    MatchmakerResponse,
    MatchmakerUpdate,
)
from innkeeper.contract.edgegap.matchmaker import Matchmaker as Operations
from innkeeper.contract.edgegap.words import Message
from innkeeper.contract.shape import UnsetType, given
from innkeeper.matchmaking.components import Login
from innkeeper.matchmaking.records import Component, Matchmaker, Variable

from .times import stamp


def _login(said: ComponentCredentials | UnsetType | None) -> Login | None:
    login = given(said)
    return None if login is None else (login.username, login.token)


def component_data(visit: Visit, component: Component) -> MatchmakerComponentResponse:
    """A component as Edgegap tells it. The password is nobody's to be told."""
    login = visit.wings.components.login_of(component)
    user = None if login is None else login[0]
    return MatchmakerComponentResponse(
        created_at=stamp(component.created_at),
        updated_at=stamp(component.changed_at),
        name=component.name,
        repository=component.registry,
        image=component.image,
        tag=component.tag,
        credentials=ComponentCredentialsTold(username=user, token=None),
    )


@implements(Operations.create_component)
async def create_component(visit: Visit, params: MatchmakerComponentCreate) -> MatchmakerComponentResponse:
    login = _login(params.credentials)
    made = await visit.wings.components.create(
        visit.org, params.name, params.repository, params.image, params.tag, login
    )
    return component_data(visit, made)


@implements(Operations.update_component)
async def update_component(
    visit: Visit, params: MatchmakerComponentUpdate, component_name: str
) -> MatchmakerComponentResponse:
    changed = await visit.wings.components.change(
        visit.org,
        component_name,
        new_name=given(params.name),
        registry=given(params.repository),
        image=given(params.image),
        tag=given(params.tag),
        login=_login(params.credentials),
    )
    return component_data(visit, changed)


@implements(Operations.delete_component)
async def delete_component(visit: Visit, component_name: str) -> Message:
    await visit.wings.components.delete(visit.org, component_name)
    return Message(message=f"the component {component_name} is deleted")


@implements(Operations.get_component)
async def get_component(visit: Visit, component_name: str) -> MatchmakerComponentResponse:
    return component_data(visit, await visit.wings.components.get(visit.org, component_name))


@implements(Operations.list_components)
async def list_components(visit: Visit) -> MatchmakerComponentListResponse:
    found = [component_data(visit, one) for one in await visit.wings.components.all(visit.org)]
    return MatchmakerComponentListResponse(count=len(found), data=found)


# -- variables ------------------------------------------------------------------------------------------------------


def env_data(visit: Visit, variable: Variable) -> MatchmakerComponentEnvsResponse:
    """A variable as Edgegap tells it."""
    return MatchmakerComponentEnvsResponse(
        created_at=stamp(variable.created_at),
        updated_at=stamp(variable.changed_at),
        key=variable.name,
        value=visit.wings.components.value_of(variable),
    )


@implements(Operations.create_component_env)
async def create_component_env(
    visit: Visit, params: MatchmakerComponentEnvsCreate, component_name: str
) -> MatchmakerComponentEnvsResponse:
    added = await visit.wings.components.add_variable(visit.org, component_name, params.key, params.value)
    return env_data(visit, added)


@implements(Operations.update_component_env)
async def update_component_env(
    visit: Visit, params: MatchmakerComponentEnvsUpdate, component_name: str, env_key: str
) -> MatchmakerComponentEnvsResponse:
    changed = await visit.wings.components.change_variable(
        visit.org, component_name, env_key, new_name=given(params.key), value=given(params.value)
    )
    return env_data(visit, changed)


@implements(Operations.delete_component_env)
async def delete_component_env(visit: Visit, component_name: str, env_key: str) -> Message:
    await visit.wings.components.remove_variable(visit.org, component_name, env_key)
    return Message(message=f"the variable {env_key} of the component {component_name} is deleted")


@implements(Operations.get_component_env)
async def get_component_env(visit: Visit, component_name: str, env_key: str) -> MatchmakerComponentEnvsResponse:
    return env_data(visit, await visit.wings.components.variable(visit.org, component_name, env_key))


@implements(Operations.list_component_envs)
async def list_component_envs(visit: Visit, component_name: str) -> MatchmakerComponentEnvListResponse:
    found = [env_data(visit, one) for one in await visit.wings.components.variables(visit.org, component_name)]
    return MatchmakerComponentEnvListResponse(count=len(found), data=found)


# -- matchmakers ----------------------------------------------------------------------------------------------------


async def matchmaker_data(visit: Visit, found: Sequence[Matchmaker]) -> list[MatchmakerResponse]:
    """Matchmakers as Edgegap tells them."""
    addresses = await visit.wings.setups.addresses(found, visit.base_url)
    return [
        MatchmakerResponse(
            created_at=stamp(one.created_at), updated_at=stamp(one.changed_at), name=one.name, url=addresses.get(one.id)
        )
        for one in found
    ]


@implements(Operations.create_matchmaker)
async def create_matchmaker(visit: Visit, params: MatchmakerCreate) -> MatchmakerResponse:
    made = await visit.wings.setups.create_matchmaker(visit.org, params.name)
    return (await matchmaker_data(visit, [made]))[0]


@implements(Operations.update_matchmaker)
async def update_matchmaker(visit: Visit, params: MatchmakerUpdate, matchmaker_name: str) -> MatchmakerResponse:
    setups = visit.wings.setups
    name = given(params.name)
    if name is None:
        found = await setups.matchmaker(visit.org, matchmaker_name)
    else:
        found = await setups.rename_matchmaker(visit.org, matchmaker_name, name)
    return (await matchmaker_data(visit, [found]))[0]


@implements(Operations.delete_matchmaker)
async def delete_matchmaker(visit: Visit, matchmaker_name: str) -> Message:
    await visit.wings.setups.delete_matchmaker(visit.org, matchmaker_name)
    return Message(message=f"the matchmaker {matchmaker_name} is deleted")


@implements(Operations.get_matchmaker)
async def get_matchmaker(visit: Visit, matchmaker_name: str) -> MatchmakerResponse:
    found = await visit.wings.setups.matchmaker(visit.org, matchmaker_name)
    return (await matchmaker_data(visit, [found]))[0]


@implements(Operations.list_matchmakers)
async def list_matchmakers(visit: Visit) -> MatchmakerListResponse:
    found = await matchmaker_data(visit, await visit.wings.setups.matchmakers(visit.org))
    return MatchmakerListResponse(count=len(found), data=found)
