"""The managed matchmaker: components and matchmakers. Declared here, answered in ``api/edgegap/matchmaker.py``.

Its releases are in ``matchmaker_releases.py``. The vendor ended this product in November 2024; its documents have no
status of their own for a name that is unknown or taken: both are 400. Lists are told whole, without pages.
"""

from __future__ import annotations

from typing import Annotated

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Snake, UnsetType, checked, private

from . import operation
from .words import CALL, Message, NewName, Stamp

#: The name of an environment variable. It stands in paths, too: no slash, and not of dots alone.
NewEnvKey = Annotated[str, checked(min_length=1, max_length=255, pattern="^[^=/]*[^=/.][^=/]*$")]


class Dated(Snake):
    """When something was made and last changed. The vendor's name: ``BaseModel``."""

    created_at: Stamp
    updated_at: Stamp


class ComponentCredentials(Snake):
    """How an image is fetched from a private registry."""

    username: str
    token: str  #: the password, or what the registry takes for one


class ComponentCredentialsTold(Snake):
    """The same as it is told. Both are None where the image is public."""

    username: str | None
    token: str | None


class MatchmakerComponentCreate(Snake):
    """A program of a matchmaker, as an image."""

    name: NewName  #: unique among the organisation's components
    repository: str  #: the registry's host
    image: str  #: without registry and tag
    tag: str
    credentials: ComponentCredentials | UnsetType | None = UNSET  #: none for a public image


class MatchmakerComponentUpdate(Snake):
    """What becomes different of a component. What is left out or None stays."""

    name: NewName | UnsetType | None = UNSET  #: unique among the organisation's components
    repository: str | UnsetType | None = UNSET  #: the registry's host
    image: str | UnsetType | None = UNSET  #: without registry and tag
    tag: str | UnsetType | None = UNSET
    credentials: ComponentCredentials | UnsetType | None = UNSET


class MatchmakerComponentResponse(Dated):
    """A program of a matchmaker. A release says which part it plays: frontend, director or match function."""

    name: str
    repository: str  #: the registry's host
    image: str
    tag: str
    credentials: ComponentCredentialsTold


class MatchmakerComponentListResponse(Snake):
    """All components, in one page. The vendor's documents have a single component in ``data``: a slip of theirs."""

    count: int
    data: list[MatchmakerComponentResponse]


class MatchmakerComponentEnvsCreate(Snake):
    """An environment variable of a component."""

    key: NewEnvKey  #: unique in the component
    value: Annotated[str, private()]


class MatchmakerComponentEnvsUpdate(Snake):
    """What becomes different of a variable. What is left out or None stays."""

    key: NewEnvKey | UnsetType | None = UNSET  #: unique in the component
    value: Annotated[str, private()] | UnsetType | None = UNSET


class MatchmakerComponentEnvsResponse(Dated):
    """An environment variable of a component."""

    key: str
    value: str


class MatchmakerComponentEnvListResponse(Snake):
    """All variables of a component, in one page."""

    count: int
    data: list[MatchmakerComponentEnvsResponse] | UnsetType | None = UNSET


class MatchmakerCreate(Snake):
    """A new matchmaker."""

    name: NewName  #: unique among the organisation's matchmakers


class MatchmakerUpdate(Snake):
    """What becomes different of a matchmaker. What is left out or None stays."""

    name: NewName | UnsetType | None = UNSET  #: unique among the organisation's matchmakers


class MatchmakerResponse(Dated):
    """A matchmaker. What it runs is said by its releases."""

    name: str
    #: where players ask for tickets, at ``/v1/tickets`` below it; None until a release is live
    url: str | UnsetType | None = UNSET


class MatchmakerListResponse(Snake):
    """All matchmakers, in one page."""

    count: int
    data: list[MatchmakerResponse]


class Matchmaker(Resource[M]):
    """The managed matchmaker: its programs and their variables, and the matchmakers themselves."""

    @operation(
        "POST", "/v1/aom/component", id="post-matchmaker-component", scope="applications:read-write", errors=CALL
    )
    def create_component(self, params: MatchmakerComponentCreate) -> MatchmakerComponentResponse:
        """Name an image that releases can use. Nothing starts before a release does."""
        ...

    @operation(
        "PATCH", "/v1/aom/component/{component_name}", id="patch-matchmaker-component",
        scope="applications:read-write", errors=CALL,
    )  # fmt: skip
    def update_component(self, params: MatchmakerComponentUpdate, component_name: str) -> MatchmakerComponentResponse:
        """Change a component."""
        ...

    @operation(
        "DELETE", "/v1/aom/component/{component_name}", id="delete-matchmaker-component",
        scope="applications:read-write", errors=CALL,
    )  # fmt: skip
    def delete_component(self, component_name: str) -> Message:
        """Delete a component and its variables. Matchmakers stay."""
        ...

    @operation(
        "GET", "/v1/aom/component/{component_name}", id="get-matchmaker-component", scope="applications:read",
        errors=CALL,
    )  # fmt: skip
    def get_component(self, component_name: str) -> MatchmakerComponentResponse:
        """Read a component."""
        ...

    @operation(
        "POST", "/v1/aom/component/{component_name}/env", id="post-matchmaker-component-env",
        scope="applications:read-write", errors=CALL,
    )  # fmt: skip
    def create_component_env(
        self, params: MatchmakerComponentEnvsCreate, component_name: str
    ) -> MatchmakerComponentEnvsResponse:
        """Give a component an environment variable."""
        ...

    @operation(
        "PATCH", "/v1/aom/component/{component_name}/env/{env_key}", id="patch-matchmaker-component-env",
        scope="applications:read-write", errors=CALL,
    )  # fmt: skip
    def update_component_env(
        self, params: MatchmakerComponentEnvsUpdate, component_name: str, env_key: str
    ) -> MatchmakerComponentEnvsResponse:
        """Change a variable of a component, its key included."""
        ...

    @operation(
        "DELETE", "/v1/aom/component/{component_name}/env/{env_key}", id="delete-matchmaker-component-env",
        scope="applications:read-write", errors=CALL,
    )  # fmt: skip
    def delete_component_env(self, component_name: str, env_key: str) -> Message:
        """Take a variable from a component, which stays."""
        ...

    @operation(
        "GET", "/v1/aom/component/{component_name}/env/{env_key}", id="get-matchmaker-component-env",
        scope="applications:read", errors=CALL,
    )  # fmt: skip
    def get_component_env(self, component_name: str, env_key: str) -> MatchmakerComponentEnvsResponse:
        """Read a variable of a component."""
        ...

    @operation(
        "GET", "/v1/aom/component/{component_name}/envs", id="get-envs-list", scope="applications:read", errors=CALL
    )
    def list_component_envs(self, component_name: str) -> MatchmakerComponentEnvListResponse:
        """List all variables of a component."""
        ...

    @operation("GET", "/v1/aom/components", id="get-component-list", scope="applications:read", errors=CALL)
    def list_components(self) -> MatchmakerComponentListResponse:
        """List all components of the organisation."""
        ...

    @operation("POST", "/v1/aom/matchmaker", id="post-matchmaker", scope="applications:read-write", errors=CALL)
    def create_matchmaker(self, params: MatchmakerCreate) -> MatchmakerResponse:
        """Create a matchmaker. It does nothing until it has a release."""
        ...

    @operation(
        "PATCH", "/v1/aom/matchmaker/{matchmaker_name}", id="patch-matchmaker", scope="applications:read-write",
        errors=CALL,
    )  # fmt: skip
    def update_matchmaker(self, params: MatchmakerUpdate, matchmaker_name: str) -> MatchmakerResponse:
        """Give a matchmaker another name."""
        ...

    @operation(
        "DELETE", "/v1/aom/matchmaker/{matchmaker_name}", id="delete-matchmaker", scope="applications:read-write",
        errors=CALL,
    )  # fmt: skip
    def delete_matchmaker(self, matchmaker_name: str) -> Message:
        """Delete a matchmaker and its releases. Components and release configs stay."""
        ...

    @operation(
        "GET", "/v1/aom/matchmaker/{matchmaker_name}", id="get-matchmaker", scope="applications:read", errors=CALL
    )
    def get_matchmaker(self, matchmaker_name: str) -> MatchmakerResponse:
        """Read a matchmaker: its ``url`` is told once a release is live."""
        ...

    @operation("GET", "/v1/aom/matchmakers", id="get-matchmaker-list", scope="applications:read", errors=CALL)
    def list_matchmakers(self) -> MatchmakerListResponse:
        """List all matchmakers of the organisation."""
        ...
