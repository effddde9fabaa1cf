"""What the plugins of game engines call first. Declared here, answered in ``api/edgegap/wizard.py``."""

from __future__ import annotations

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Snake, UnsetType

from . import operation


class InitQuickStart(Snake):
    """Who asks."""

    source: str | UnsetType | None = UNSET  #: which plugin: ``unity``, ``godot``...


class RegistryCredentials(Snake):
    """Where a plugin pushes images to, and as whom."""

    registry_url: str  #: host of the registry, without a scheme
    project: str  #: the first part of the images' names
    username: str
    token: str  #: the password, a secret


class Wizard(Resource[M]):
    """What the plugins of game engines call first."""

    @operation("POST", "/v1/wizard/init-quick-start", status=204, recorded=False, id="wizard-init-quick-start",
               errors=(400, 401, 403, 429))  # fmt: skip
    def init_quick_start(self, params: InitQuickStart) -> None:
        """Check a token: it is valid where this succeeds. Nothing is changed."""
        ...

    @operation("GET", "/v1/wizard/registry-credentials", scope="builds:read-write", id="wizard-registry-credentials",
               errors=(401, 403, 404, 429))  # fmt: skip
    def get_registry_credentials(self) -> RegistryCredentials:
        """Tell where to push images to, and with which credentials.

        Status 403: the token may not know. Status 404: there is no registry for the organisation.
        """
        ...
