"""What would be refused of a deployment is told before there is a build, by the rules that refuse it."""

from __future__ import annotations

from typing import Any

import pytest

from factories import TestInn
from innkeeper.contract.hathora.fleets_v2 import AutoscalerConfig, CreateFleetV2, NodeShapeId
from innkeeper.contract.hathora.tokens_v1 import CreateOrgToken
from innkeeper.contract.hathora.words import Scope
from innkeeper.contract.house.orgs_v1 import ChangedLimits
from innkeeper.sdk import StatusError, Unauthorized

TOO_MUCH = "requestedMemoryMB: the organisation's servers may have 1000 MiB at most"
NONE = "fleet-00000000-0000-4000-8000-000000000000"


async def asked(inn: TestInn, token: str = "", **ask: Any) -> list[str]:
    wish = {"cpu": 0.5, "memory_mb": 512, **ask}
    return (await inn.client(token or inn.token).house.releases_v1.check_release(**wish)).refusals


async def test_what_is_refused_is_told_before_by_the_same_rules(inn: TestInn) -> None:
    game = await inn.game()
    limits = inn.client().house.orgs_v1.set_limits
    await limits(inn.inn.founded.org_id, ChangedLimits(memory_mb=1000))
    wish = CreateFleetV2(
        name="arena", node_shape_id=NodeShapeId.AMD64_4_8, autoscaler_config=AutoscalerConfig(scale_up_threshold=80)
    )
    ours = (await inn.client().fleets_v2.create_fleet(wish)).fleet_id
    rival = await inn.another_org()
    theirs = (await inn.client(rival).fleets_v2.create_fleet(wish)).fleet_id
    table: list[tuple[dict[str, Any], list[str]]] = [
        ({}, []),
        ({"memory_mb": 1000.0, "fleet_id": ours}, []),
        ({"memory_mb": 1000.5}, [TOO_MUCH]),
        ({"cpu": 0.0}, ["the CPU and the memory of a server must be more than 0"]),
        ({"fleet_id": NONE}, [f"fleetId: there is no fleet {NONE}"]),
        ({"fleet_id": theirs}, [f"fleetId: there is no fleet {theirs}"]),
        ({"memory_mb": 5000.0, "fleet_id": NONE},
         [TOO_MUCH, f"fleetId: there is no fleet {NONE}"]),
    ]  # fmt: skip
    before = len((await game.cloud.deployments_v3.get_deployments()).deployments)
    for ask, refusals in table:
        assert await asked(inn, **ask) == refusals
        words = {"cpu": "requested_cpu", "memory_mb": "requested_memory_mb"}
        changes = {words.get(name, name): value for name, value in ask.items()}
        if refusals:
            with pytest.raises(StatusError) as caught:
                await create(inn, game.app_id, game.deployment.build_id, **changes)
            assert caught.value.message == refusals[0]
        else:
            await create(inn, game.app_id, game.deployment.build_id, **changes)
    assert len((await game.cloud.deployments_v3.get_deployments()).deployments) == before + 2


async def create(inn: TestInn, app_id: str, build_id: str, **changes: Any) -> None:
    from msgspec.structs import replace

    from innkeeper.contract.hathora.deployments_v3 import DeploymentConfigV3
    from innkeeper.contract.hathora.words import TransportType

    config = DeploymentConfigV3(
        build_id=build_id, requested_cpu=0.5, requested_memory_mb=512, idle_timeout_enabled=True, container_port=7777,
        transport_type=TransportType.UDP, rooms_per_process=1, env=[],
    )  # fmt: skip
    await inn.client().deployments_v3.create_deployment(replace(config, **changes), app_id)


async def test_a_pipelines_token_may_ask_and_one_that_cannot_deploy_may_not(small_inn: TestInn) -> None:
    inn, org_id = small_inn, small_inn.inn.founded.org_id
    for scope, may in ((Scope("deployments:read-write"), True), (Scope("deployments:read"), False)):
        made = await inn.client().tokens_v1.create_org_token(CreateOrgToken(name=scope, scopes=[scope]), org_id)
        if may:
            assert await asked(inn, made.plain_text_token) == []
        else:
            with pytest.raises(Unauthorized):
                await asked(inn, made.plain_text_token)
