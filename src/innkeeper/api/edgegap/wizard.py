"""What the plugins of game engines call first. Declared in ``contract/edgegap/wizard.py``."""

from __future__ import annotations

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.edgegap.wizard import InitQuickStart, RegistryCredentials, Wizard


@implements(Wizard.init_quick_start)
async def init_quick_start(visit: Visit, params: InitQuickStart) -> None:
    """The token was good, or nobody would have come here."""


@implements(Wizard.get_registry_credentials)
async def get_registry_credentials(visit: Visit) -> RegistryCredentials:
    spec = visit.wings.image_tags.registry(visit.org)
    return RegistryCredentials(
        registry_url=spec.host, project=spec.project, username=spec.username, token=spec.password
    )
