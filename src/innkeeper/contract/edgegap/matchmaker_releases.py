"""The managed matchmaker: what it runs. Declared here, answered in ``api/edgegap/matchmaker_releases.py``.

A release names three components of the caller's own, a managed one a release config for the platform's matchmaker.
Both kinds of a matchmaker are told apart by their ``version``. The vendor's documents have no status of their own for a
name that is taken, and one for an unknown name only where a release is read (404): elsewhere it is 400.
"""

from __future__ import annotations

from typing import Annotated

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Snake, UnsetType, private

from . import operation
from .matchmaker import Dated
from .words import CALL, NAMED, AppName, Message, NewName, VersionName


class MatchmakerReleaseCreateBase(Snake):
    """What every new release says."""

    version: NewName  #: the release's name, unique in its matchmaker
    #: The app that matches are played on. The vendor's documents have it and ``version_name`` in answers alone.
    app_name: AppName | UnsetType | None = UNSET
    version_name: VersionName | UnsetType | None = UNSET  #: the version of that app


class MatchmakerReleaseUpdateBase(Snake):
    """What may become different of every release. What is left out or None stays."""

    version: NewName | UnsetType | None = UNSET  #: the release's name, unique in its matchmaker
    #: The app that matches are played on. The vendor's documents have it and ``version_name`` in answers alone.
    app_name: AppName | UnsetType | None = UNSET
    version_name: VersionName | UnsetType | None = UNSET  #: the version of that app


class MatchmakerReleaseResponseBase(Dated):
    """What is told of every release."""

    app_name: str  #: the app that matches are played on; empty where nobody has said it
    version_name: str  #: the version of that app; empty where nobody has said it
    version: str  #: the release's name


class MatchmakerReleaseCreate(MatchmakerReleaseCreateBase):
    """A release of the caller's own programs, in the manner of Open Match."""

    frontend_component_name: str  #: the component that takes tickets
    director_component_name: str  #: the component that asks for matches and deploys for them
    match_function_component_name: str  #: the component that makes matches out of tickets


class MatchmakerReleaseUpdate(MatchmakerReleaseUpdateBase):
    """What becomes different of a release. What is left out or None stays."""

    frontend_component_name: str | UnsetType | None = UNSET  #: the component that takes tickets
    director_component_name: str | UnsetType | None = UNSET  #: the component that asks for matches and deploys for them
    match_function_component_name: str | UnsetType | None = UNSET  #: the component that makes matches out of tickets


class MatchmakerReleaseResponse(MatchmakerReleaseResponseBase):
    """A release of the caller's own programs."""

    frontend_component_name: str  #: the component that takes tickets
    director_component_name: str  #: the component that asks for matches and deploys for them
    match_function_component_name: str  #: the component that makes matches out of tickets


class MatchmakerManagedReleaseCreate(MatchmakerReleaseCreateBase):
    """A release of the platform's own matchmaker."""

    release_config_name: str  #: the release config that says how it matches


class MatchmakerManagedReleaseUpdate(MatchmakerReleaseUpdateBase):
    """What becomes different of a managed release. What is left out or None stays."""

    release_config_name: str | UnsetType | None = UNSET  #: the release config that says how it matches


class MatchmakerManagedReleaseResponse(MatchmakerReleaseResponseBase):
    """A release of the platform's own matchmaker."""

    release_config_name: str  #: the release config that says how it matches


class MatchmakerReleaseListed(MatchmakerReleaseResponseBase):
    """A release of either kind: three components, or a release config.

    The vendor's names: ``MatchmakerReleaseResponse`` or ``MatchmakerManagedReleaseResponse``.
    """

    frontend_component_name: str | UnsetType = UNSET  #: the component that takes tickets; not of a managed release
    director_component_name: str | UnsetType = UNSET  #: the one that deploys for matches; not of a managed release
    match_function_component_name: str | UnsetType = UNSET  #: the one that makes matches; not of a managed release
    release_config_name: str | UnsetType = UNSET  #: how it matches; of a managed release alone


class MatchmakerReleaseListResponse(Snake):
    """All releases of a matchmaker, of both kinds, in one page.

    The vendor's documents name the wrong list here, that of a component's variables.
    """

    count: int
    data: list[MatchmakerReleaseListed]


class MatchmakerReleaseConfigCreate(Snake):
    """How the platform's own matchmaker shall match."""

    name: NewName  #: unique among the organisation's release configs
    configuration: Annotated[str, private()]  #: JSON, as a text; it may hold the token of the matchmaker


class MatchmakerReleaseConfigUpdate(Snake):
    """What becomes different of a release config. What is left out or None stays."""

    name: NewName | UnsetType | None = UNSET  #: unique among the organisation's release configs
    configuration: Annotated[str, private()] | UnsetType | None = UNSET  #: JSON, as a text


class MatchmakerReleaseConfigResponse(Dated):
    """How the platform's own matchmaker matches. Managed releases name it."""

    name: str
    configuration: str  #: JSON, as a text


class MatchmakerReleaseConfigListResponse(Snake):
    """All release configs, in one page.

    The vendor's documents name the wrong list here, that of a component's variables.
    """

    count: int
    data: list[MatchmakerReleaseConfigResponse]


class MatchmakerReleases(Resource[M]):
    """The managed matchmaker: releases, managed releases, and how these match."""

    @operation(
        "POST", "/v1/aom/matchmaker/{matchmaker_name}/release", id="post-matchmaker-release",
        scope="applications:read-write", errors=CALL,
    )  # fmt: skip
    def create_release(self, params: MatchmakerReleaseCreate, matchmaker_name: str) -> MatchmakerReleaseResponse:
        """Run three components as a matchmaker. Its ``url`` is told by ``get_matchmaker`` once they are up."""
        ...

    @operation(
        "POST", "/v1/aom/matchmaker/{matchmaker_name}/release/managed", id="post-matchmaker-managed-release",
        scope="applications:read-write", errors=CALL,
    )  # fmt: skip
    def create_managed_release(
        self, params: MatchmakerManagedReleaseCreate, matchmaker_name: str
    ) -> MatchmakerManagedReleaseResponse:
        """Run the platform's own matchmaker by a release config. Its ``url`` is told by ``get_matchmaker``."""
        ...

    @operation(
        "PATCH", "/v1/aom/matchmaker/{matchmaker_name}/release/managed/{release_version}",
        id="patch-matchmaker-managed-release", scope="applications:read-write", errors=CALL,
    )  # fmt: skip
    def update_managed_release(
        self, params: MatchmakerManagedReleaseUpdate, matchmaker_name: str, release_version: str
    ) -> MatchmakerManagedReleaseResponse:
        """Change a managed release."""
        ...

    @operation(
        "DELETE", "/v1/aom/matchmaker/{matchmaker_name}/release/managed/{release_version}",
        id="delete-matchmaker-managed-release", scope="applications:read-write", errors=CALL,
    )  # fmt: skip
    def delete_managed_release(self, matchmaker_name: str, release_version: str) -> Message:
        """Delete a managed release. The matchmaker and the release config stay."""
        ...

    @operation(
        "GET", "/v1/aom/matchmaker/{matchmaker_name}/release/managed/{release_version}",
        id="get-matchmaker-managed-release", scope="applications:read", errors=NAMED,
    )  # fmt: skip
    def get_managed_release(self, matchmaker_name: str, release_version: str) -> MatchmakerManagedReleaseResponse:
        """Read a managed release."""
        ...

    @operation(
        "PATCH", "/v1/aom/matchmaker/{matchmaker_name}/release/{release_version}", id="patch-matchmaker-release",
        scope="applications:read-write", errors=CALL,
    )  # fmt: skip
    def update_release(
        self, params: MatchmakerReleaseUpdate, matchmaker_name: str, release_version: str
    ) -> MatchmakerReleaseResponse:
        """Change a release of the caller's own programs."""
        ...

    @operation(
        "DELETE", "/v1/aom/matchmaker/{matchmaker_name}/release/{release_version}", id="delete-matchmaker-release",
        scope="applications:read-write", errors=CALL,
    )  # fmt: skip
    def delete_release(self, matchmaker_name: str, release_version: str) -> Message:
        """Delete a release of the caller's own programs. The matchmaker and the components stay."""
        ...

    @operation(
        "GET", "/v1/aom/matchmaker/{matchmaker_name}/release/{release_version}", id="get-matchmaker-release",
        scope="applications:read", errors=NAMED,
    )  # fmt: skip
    def get_release(self, matchmaker_name: str, release_version: str) -> MatchmakerReleaseResponse:
        """Read a release of the caller's own programs."""
        ...

    @operation(
        "GET", "/v1/aom/matchmaker/{matchmaker_name}/releases", id="get-release-list", scope="applications:read",
        errors=CALL,
    )  # fmt: skip
    def list_releases(self, matchmaker_name: str) -> MatchmakerReleaseListResponse:
        """List all releases of a matchmaker, those of both kinds."""
        ...

    @operation(
        "POST", "/v1/aom/release/config", id="post-matchmaker-release-config", scope="applications:read-write",
        errors=CALL,
    )  # fmt: skip
    def create_release_config(self, params: MatchmakerReleaseConfigCreate) -> MatchmakerReleaseConfigResponse:
        """Say how a managed release shall match. Nothing starts before a release names it."""
        ...

    @operation(
        "PATCH", "/v1/aom/release/config/{config_name}", id="patch-matchmaker-release-config",
        scope="applications:read-write", errors=CALL,
    )  # fmt: skip
    def update_release_config(
        self, params: MatchmakerReleaseConfigUpdate, config_name: str
    ) -> MatchmakerReleaseConfigResponse:
        """Change a release config."""
        ...

    @operation(
        "DELETE", "/v1/aom/release/config/{config_name}", id="delete-matchmaker-release-config",
        scope="applications:read-write", errors=CALL,
    )  # fmt: skip
    def delete_release_config(self, config_name: str) -> Message:
        """Delete a release config."""
        ...

    @operation(
        "GET", "/v1/aom/release/config/{config_name}", id="get-matchmaker-release-config", scope="applications:read",
        errors=CALL,
    )  # fmt: skip
    def get_release_config(self, config_name: str) -> MatchmakerReleaseConfigResponse:
        """Read a release config."""
        ...

    @operation("GET", "/v1/aom/release/configs", id="get-release-configs-list", scope="applications:read", errors=CALL)
    def list_release_configs(self) -> MatchmakerReleaseConfigListResponse:
        """List all release configs of the organisation."""
        ...
