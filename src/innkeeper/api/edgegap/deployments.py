"""Answers to ``contract/edgegap/deployments.py``."""

from __future__ import annotations

from math import inf
from typing import Any

import msgspec

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit, Wings
from innkeeper.contract.edgegap.deployments import (
    ContainerCrashData,
    ContainerLogs,
    ContainerLogStorageModel,
    Delete,
    DeploymentAvailable,
    DeploymentAvailablePayload,
    DeploymentAvailableResponse,
    DeploymentBulkStopPayload,
    DeploymentBulkStopResponse,
    DeploymentList,
    DeploymentReportPayload,
    Deployments,
    DeploymentStopResponse,
    DeploymentUpdatePayload,
    DeploymentUpdateResponse,
    DeployModel,
    LogFormat,
    Request,
    Status,
    StopFilterField,
)
from innkeeper.contract.edgegap.words import DeploymentStatus
from innkeeper.contract.shape import given
from innkeeper.hosting.orders import Ask, Told
from innkeeper.hosting.plans import Hooks
from innkeeper.hosting.searching import Condition, Field, Operator
from innkeeper.kit.errors import Gone, Invalid
from innkeeper.kit.geo import Point

from .absent import or_nothing
from .asking import check_hooks, guests_of, points_of, variables, wishes_of
from .callbacks import DEPLOYMENT, composes
from .linking import short_of
from .output import crash_of, keep_output, output_before, output_of, stored_link
from .pages import paged, slice_of
from .queries import read_query
from .statuses import Telling, status_of, version_of
from .stopping import AT_ONCE, conditions_of, stop_filters

encode = msgspec.json.Encoder().encode
#: What deployments to be stopped are found by.
_FIELDS = {StopFilterField.REQUEST_ID: Field.NAME, StopFilterField.DEPLOYMENT_TAGS: Field.TAG}
#: Deployments that are looked at for one list of those with room, the newest.
_MOST_AVAILABLE = 1000


def telling(visit: Visit) -> Telling:
    """Tells of servers in the vendor's words."""
    return Telling(visit.wings.atlas, visit.wings.settings.server_domain)


@implements(Deployments.create_deployment)
async def create_deployment(visit: Visit, params: DeployModel) -> Request:
    """Want a server, and say what it will be called."""
    wishes, players = wishes_of(visit, params)
    storage = given(params.container_log_storage)
    url = given(params.webhook_url)
    filters = given(params.filters) or []
    ask = Ask(
        wishes=wishes,
        env=variables(given(params.env_vars)),
        tags=given(params.tags) or [],
        command=given(params.command) or None,
        arguments=given(params.arguments) or None,
        hooks=Hooks(ready=url, failed=url, api=DEPLOYMENT) if url else None,
        keep_output=None if storage is None else storage.enabled,
        storage=given(storage.endpoint_storage) if storage is not None and storage.enabled else None,
        said={"users": players},
    )
    orders = visit.wings.orders
    check_hooks(visit, url)
    told, _ = await orders.ask(visit.org, params.app_name, given(params.version_name), ask)
    where = telling(visit).location(told.ordered.server.location)
    return Request(
        request_id=told.ordered.short_id,
        request_dns=telling(visit).fqdn(told),
        request_app=told.ordered.app_name,
        request_version=version_of(told),
        request_user_count=players,
        city=where.city,
        country=where.country,
        continent=where.continent,
        administrative_division=where.administrative_division,
        tags=[tag.name for tag in told.tags],
        container_log_storage=ContainerLogStorageModel(
            enabled=told.plan.storage is not None, endpoint_storage=told.plan.storage
        ),
        filters=filters,
    )


async def status(visit: Visit, told: Told) -> Status:
    """A deployment with the sessions that it has."""
    return await status_body(visit.wings, told)


async def status_body(wings: Wings, told: Told) -> Status:
    """The same, for webhooks too."""
    found = await wings.bookings.on([told.ordered.server.id])
    sessions = [short_of(one) for one in found.get(told.ordered.server.id, [])]
    telling = Telling(wings.atlas, wings.settings.server_domain)
    return telling.status(told, wings.clock.now(), sessions)


@composes(DEPLOYMENT)
async def compose(wings: Wings, server_id: str) -> bytes | None:
    """What a webhook is sent: the deployment's status."""
    told = (await wings.orders.every([server_id])).get(server_id)
    return None if told is None else encode(await status_body(wings, told))


@implements(Deployments.get_deployment_status)
async def get_deployment_status(visit: Visit, request_id: str) -> Status:
    """Alive or over."""
    return await status(visit, await visit.wings.orders.get(visit.org, request_id))


@implements(Deployments.list_deployments)
async def list_deployments(
    visit: Visit, *, query: str | None = None, page: int | None = None, limit: int | None = None
) -> DeploymentList:
    """Those that are not over; one that failed is told until it is stopped, for an hour."""
    conditions, orderings = read_query(query)
    part = slice_of(page, limit)
    found, count = await visit.wings.orders.page(visit.org, conditions, orderings, skip=part.skip, most=part.size)
    return DeploymentList(data=[telling(visit).listed(one) for one in found], message=[], **paged(part, count))


@implements(Deployments.stop_deployment)
async def stop_deployment(visit: Visit, request_id: str, *, container_log_storage: str | None = None) -> Delete:
    """One that is ready or failed is told as it is then (200); of any other it is noted (202). It begins at once."""
    told = await visit.wings.orders.get(visit.org, request_id)
    return await stopped(visit, told, container_log_storage, f"stopped by {visit.by}")


async def stopped(visit: Visit, told: Told, storage: str | None, reason: str) -> Delete:
    """End a server, and have its output go where the caller says."""
    before = status_of(told)
    if before is DeploymentStatus.TERMINATED:
        raise Gone(f"deployment {told.ordered.short_id} has ended already")
    await keep_output(visit, told, storage)
    after = await visit.wings.orders.end(told, reason)
    if before in (DeploymentStatus.READY, DeploymentStatus.ERROR):
        return Delete(
            message=f"{told.ordered.short_id} is being stopped", deployment_summary=await status(visit, after)
        )
    visit.status = 202
    return Delete(message=f"{told.ordered.short_id} - it will be stopped soon")


@implements(Deployments.stop_deployment_from_inside)
async def stop_deployment_from_inside(
    visit: Visit, request_id: str, access_point_id: int, *, container_log_storage: str | None = None
) -> Delete:
    """The server has shown that it is this one."""
    return await stopped(visit, visit.server, container_log_storage, "stopped by its own program")


@implements(Deployments.bulk_stop_deployments)
async def bulk_stop_deployments(visit: Visit, params: DeploymentBulkStopPayload) -> DeploymentBulkStopResponse:
    """All for which every filter holds. Without any filter it is refused: nobody stops all by mistake."""
    wanted = [
        condition
        for one in stop_filters(params.filters, "deployments")
        for condition in conditions_of(_FIELDS[one.field], one.filter_type, one.values)
    ]
    orders, stopping = visit.wings.orders, list[DeploymentStopResponse]()
    found, _ = await orders.page(visit.org, wanted, (), skip=0, most=AT_ONCE)
    while found:
        for told in found:
            if status_of(told) is not DeploymentStatus.TERMINATING:
                try:
                    await orders.end(told, f"stopped by {visit.by}")
                except Gone:  # somebody has done with one that had failed, a moment ago
                    continue
            stopping.append(DeploymentStopResponse(request_id=told.ordered.short_id))
        others = [*wanted, Condition(Field.STATE, Operator.NOT_IN, ["stopping"])]
        found = (await orders.page(visit.org, others, (), skip=0, most=AT_ONCE))[0] if len(found) == AT_ONCE else []
    return DeploymentBulkStopResponse(processable=stopping)


@implements(Deployments.update_deployment)
async def update_deployment(visit: Visit, params: DeploymentUpdatePayload, request_id: str) -> DeploymentUpdateResponse:
    """Null and nothing leave it as it is."""
    wanted = given(params.is_joinable_by_session)
    orders = visit.wings.orders
    told = await orders.get(visit.org, request_id)
    if wanted is not None:
        told = await orders.set_joinable(visit.org, request_id, wanted)
    order = told.ordered.order
    return DeploymentUpdateResponse(is_joinable_by_session=order is None or order.joinable == 1)


@implements(Deployments.get_container_logs)
async def get_container_logs(visit: Visit, request_id: str, *, format: LogFormat | None = None) -> ContainerLogs:
    """What is kept on its host; and once it is stored elsewhere, a link to all of it."""
    told = await visit.wings.orders.get(visit.org, request_id)
    text = await output_of(visit, told, as_objects=format is LogFormat.NDJSON)
    crash = crash_of(told)
    ended = None
    if crash is not None:
        ended = ContainerCrashData(exit_code=crash.code, message=crash.text, restart_count=crash.restarts)
    return ContainerLogs(
        logs=text,
        encoding="utf-8",
        crash_logs=await output_before(visit, told),
        crash_data=or_nothing(ended),
        logs_link=await stored_link(visit, told),
    )


@implements(Deployments.report_deployment)
async def report_deployment(visit: Visit, params: DeploymentReportPayload, deployment_id: str) -> None:
    """It is in the audit log with its reason, where those find it who look after the machines."""
    await visit.wings.orders.get(visit.org, deployment_id)


@implements(Deployments.list_available_deployments)
async def list_available_deployments(visit: Visit, params: DeploymentAvailablePayload) -> DeploymentAvailableResponse:
    """Ready ones with enough free sockets, the nearest first."""
    least = given(params.minimum_sockets) or 1
    guests = guests_of(visit, given(params.ip_list), None)
    latitude, longitude = given(params.latitude), given(params.longitude)
    if (latitude is None) != (longitude is None):
        raise Invalid("latitude and longitude: say both or none")
    point = None if latitude is None or longitude is None else Point(latitude, longitude)
    points = points_of(guests) if point is None else [point]
    orders = visit.wings.orders
    serving = await orders.serving(visit.org, params.app_name, params.app_version)
    wanted = [Condition(Field.APP, Operator.IN, [serving.app.name]), Condition(Field.STATE, Operator.IN, ["running"])]
    if serving.label is not None:
        wanted.append(Condition(Field.LABEL, Operator.IN, [serving.label.name]))
    found, _ = await orders.page(visit.org, wanted, (), skip=0, most=_MOST_AVAILABLE)
    free = {one.ordered.short_id: one.ordered.server.seats - one.ordered.server.taken for one in found}
    atlas = orders.chooser.atlas
    there = {one.ordered.server.location for one in found} & atlas.places.keys()
    far = {name: atlas.distance(points, name) for name in there}  # once for each: the players may be many
    near = sorted(
        (one for one in found if free[one.ordered.short_id] >= least),
        key=lambda one: (far.get(one.ordered.server.location, inf), one.ordered.short_id),
    )
    named: Any = given(params.location)
    if named:
        near = [one for one in near if one.ordered.server.location == named.casefold()]
    part = slice_of(1, max(1, len(near)))
    return DeploymentAvailableResponse(
        data=[
            DeploymentAvailable(
                request_id=one.ordered.short_id,
                app_name=one.ordered.app_name,
                app_version=version_of(one),
                available_sockets=free[one.ordered.short_id],
            )
            for one in near
        ],
        pagination=paged(part, len(near))["pagination"],
    )
