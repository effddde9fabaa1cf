"""Fleets, nodes, bills, mails: what a studio's console shows and does. ``test_our_sdk.py`` plays it at the end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import urllib3

from innkeeper.contract.hathora.billing_v1 import CustomerPortalUrl, PaymentMethod
from innkeeper.contract.hathora.fleets_v1 import CreateFleet, NodeShape, UpdateFleet
from innkeeper.contract.hathora.fleets_v2 import (
    AutoscalerConfig,
    CreateFleetV2,
    FleetMetricName,
    FleetRegionConfig,
    FleetRegionConfigV2,
    NodeShapeId,
    UpdateFleetV2,
)
from innkeeper.contract.hathora.management_v1 import VerificationEmailRequest, VerificationEmailSuccess
from innkeeper.contract.hathora.nodes_v1 import NodeStatus
from innkeeper.contract.hathora.words import Region
from innkeeper.sdk import UNSET, Invalid, NotFound, RateLimited

from .drivers import Drive, eventually
from .people import OWNER


async def fleets(drive: Drive, client: Any) -> None:
    v1, v2, nodes = client.fleets_v1, client.fleets_v2, client.nodes_v1
    assert {shape.node_shape_id for shape in await drive(v2.get_node_shapes)} == set(NodeShapeId)
    wish = CreateFleetV2(
        name="arena", node_shape_id=NodeShapeId.AMD64_4_8, autoscaler_config=AutoscalerConfig(scale_up_threshold=80)
    )
    fleet_id = (await drive(v2.create_fleet, wish)).fleet_id
    change = UpdateFleetV2(autoscaler_config=AutoscalerConfig(scale_up_threshold=75), name="arena-2")
    await drive(v2.update_fleet, fleet_id, change)
    fleet = await drive(v2.get_fleet, fleet_id)
    assert (fleet.name, fleet.autoscaler_config.scale_up_threshold) == ("arena-2", 75)
    assert (await drive(v2.get_fleets)).fleets == [fleet]

    await drive(v2.update_fleet_region, fleet_id, Region.TOKYO, FleetRegionConfigV2(node_baseline=2))
    told = await drive(v2.get_fleet_region, fleet_id, Region.TOKYO)
    assert (told.node_baseline, told.cloud_min_vcpus, told.scale_increment_vcpus) == (2, 8, 4)
    assert await drive(v1.get_fleet_region, fleet_id, Region.TOKYO) == told
    again = v2.update_fleet_region.options(retry=drive.no_retry)
    with pytest.raises(RateLimited):
        await drive(again, fleet_id, Region.TOKYO, FleetRegionConfigV2(node_baseline=3))
    cpus = FleetRegionConfig(cloud_min_vcpus=4)
    await drive(v2.deprecated_update_fleet_region_v2, fleet_id, Region.LONDON, cpus)
    await drive(v1.update_fleet_region, fleet_id, Region.SYDNEY, cpus)
    assert (await drive(v2.get_fleet_region, fleet_id, Region.LONDON)).node_baseline == 1

    old = CreateFleet(
        name="old", node_shape=NodeShape.CPU_8_16, autoscaler_config=AutoscalerConfig(scale_up_threshold=90)
    )
    old_id = (await drive(v1.create_fleet, old)).fleet_id
    await drive(v1.update_fleet, old_id, UpdateFleet(autoscaler_config=AutoscalerConfig(scale_up_threshold=60)))
    assert (await drive(v1.get_fleet, old_id)).autoscaler_config.scale_up_threshold == 60
    assert {each.fleet_id for each in (await drive(v1.get_fleets)).fleets} == {fleet_id, old_id}
    with pytest.raises(NotFound):
        await drive(v2.get_fleet, "fleet-none")

    asked = {"metrics": [FleetMetricName.PROVISIONED_TOTAL, FleetMetricName.UTILIZED], "step": 60}
    for figures in (  # counted once a minute: there may be none yet
        await drive(v2.get_fleet_metrics, fleet_id, **asked),
        await drive(v1.get_fleet_metrics, fleet_id, **asked),
        await drive(v2.get_fleet_region_metrics, fleet_id, Region.TOKYO, **asked),
        await drive(v1.get_fleet_region_metrics, fleet_id, Region.TOKYO, **asked),
    ):
        assert (figures.provisioned_cloud, figures.system_overhead) == (UNSET, UNSET)
        assert all(point.value > 0 for point in figures.provisioned_total)

    [node] = await drive(nodes.list_provisioned_nodes, fleet_id, region=Region.TOKYO)
    assert (node.status, node.region, node.stopped_at) == (NodeStatus.RUNNING, Region.TOKYO, None)
    assert (await drive(nodes.get_node, node.node_id)).started_at == node.started_at
    with pytest.raises(NotFound):
        await drive(nodes.get_node, "no-such-machine")


async def bills(drive: Drive, client: Any) -> None:
    billing = client.billing_v1

    async def bill() -> Any:
        items = (await drive(billing.get_upcoming_invoice_items)).invoice_items
        value = (await drive(billing.get_upcoming_invoice_total)).value
        return items if value > 0 and sum(item.amount for item in items) == pytest.approx(value, abs=0.005) else None

    items = await eventually(bill)
    assert max(item.unit_price for item in items) == 1000
    assert await drive(billing.get_balance) < 0
    assert await drive(billing.get_invoices) == []  # no month is over yet
    assert await drive(billing.get_payment_method) == PaymentMethod()
    back = "https://studio.example/back"
    link = await drive(billing.init_stripe_customer_portal_url, CustomerPortalUrl(return_url=back))
    page = await asyncio.to_thread(urllib3.request, "GET", link)
    assert page.status == 200
    assert back.encode() in page.data
    with pytest.raises(Invalid, match="returnUrl"):
        await drive(billing.init_stripe_customer_portal_url, CustomerPortalUrl(return_url="javascript:alert(1)"))


async def mails(drive: Drive, client: Any) -> None:
    send = client.management_v1.send_verification_email
    asked = VerificationEmailRequest(user_id=OWNER)
    assert await drive(send, asked) == VerificationEmailSuccess.SUCCESS
    with pytest.raises(RateLimited):
        await drive(send.options(retry=drive.no_retry), asked)
    stranger = VerificationEmailRequest(user_id="nobody@example.com")
    assert await drive(send, stranger) == VerificationEmailSuccess.SUCCESS
