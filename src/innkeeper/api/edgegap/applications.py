"""Applications: the house's apps, by their names. Their versions are answered in ``versions.py``, and who may reach
those in ``access.py``.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.edgegap.applications import (
    Application,
    ApplicationList,
    ApplicationPatch,
    ApplicationPost,
    Applications,
)
from innkeeper.contract.edgegap.words import Message
from innkeeper.contract.shape import given
from innkeeper.hosting.model import App, LoginRules
from innkeeper.hosting.plans import Details, details_of

from .pages import paged, slice_of
from .times import stamp


def application(app: App) -> Application:
    """An app as Edgegap tells it."""
    details = details_of(app)
    return Application(
        name=app.name,
        is_active=details.active,
        is_telemetry_agent_active=bool(details.measured),
        image=details.picture or "",
        create_time=stamp(app.created_at),
        last_updated=stamp(app.created_at if app.changed_at is None else app.changed_at),
    )


def revised(details: Details, params: ApplicationPatch) -> Details:
    """What is said of an app after a change. What is left out or null stays."""
    said: dict[str, Any] = {
        "active": given(params.is_active), "picture": given(params.image),
        "measured": given(params.is_telemetry_agent_active),
    }  # fmt: skip
    return replace(details, **{name: value for name, value in said.items() if value is not None})


@implements(Applications.create_application)
async def create_application(visit: Visit, params: ApplicationPost) -> Application:
    details = Details(params.is_active, params.image, given(params.is_telemetry_agent_active))
    return application(await visit.wings.apps.create(visit.org, visit.by, params.name, LoginRules(), details=details))


@implements(Applications.get_application)
async def get_application(visit: Visit, app_name: str) -> Application:
    return application(await visit.wings.apps.named(visit.org, app_name))


@implements(Applications.update_application)
async def update_application(visit: Visit, params: ApplicationPatch, app_name: str) -> Application:
    name = given(params.name)
    return application(
        await visit.wings.apps.revise(visit.org, app_name, name, lambda details: revised(details, params))
    )


@implements(Applications.delete_application)
async def delete_application(visit: Visit, app_name: str) -> Message:
    app = await visit.wings.apps.named(visit.org, app_name)
    await visit.wings.apps.delete(visit.org, app.id, visit.by)
    return Message(message=f"{app_name} is deleted with all its versions; what runs of it is being stopped")


@implements(Applications.list_applications)
async def list_applications(visit: Visit, *, page: int | None = None, limit: int | None = None) -> ApplicationList:
    part = slice_of(page, limit)
    found, total = await visit.wings.apps.page(visit.org, part.skip, part.size)
    return ApplicationList(applications=[application(app) for app in found], **paged(part, total))
