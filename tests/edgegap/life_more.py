"""More of the life in ``life.py``: the managed matchmaker, the registry, and what the vendor's second document has."""

from __future__ import annotations

import json
from typing import Any

from e2e.drivers import eventually
from innkeeper.contract.hathora.fleets_v2 import AutoscalerConfig, CreateFleetV2, NodeShapeId

from .drivers import Do
from .life import APP, ready, say

_PROFILE = {
    "profile_id": "duel", "app": APP, "version": "v1", "game_port": "gameport", "refresh": 1, "match_player_count": 2,
    "selectors": [], "filters": [],
}  # fmt: skip
RULES = json.dumps({"max_deployment_retry_count": 2, "profiles": [_PROFILE]})
PARTS = {f"{part}_component_name": "front" for part in ("frontend", "director", "match_function")}


async def components(do: Do) -> None:
    """Programs of a matchmaker, and a release of them that nothing comes of: their image is nowhere."""
    image = {"repository": "127.0.0.1:9", "image": "studio/front", "tag": "1"}
    login = {"username": "studio", "token": "alohomora"}
    made = await do("post-matchmaker-component", {"name": "door", **image, "credentials": login})
    assert made["credentials"] == {"username": "studio", "token": None}
    await do.refused("post-matchmaker-component", 400, {"name": "door", **image, "credentials": login})
    await do("patch-matchmaker-component", {"name": "front"}, component_name="door")
    assert (await do("get-matchmaker-component", component_name="front"))["tag"] == "1"
    assert (await do("get-component-list"))["count"] == 1
    await do("post-matchmaker-component-env", {"key": "MODE", "value": "casual"}, component_name="front")
    variable = {"component_name": "front", "env_key": "MODE"}
    await do("patch-matchmaker-component-env", {"value": "ranked"}, **variable)
    assert (await do("get-matchmaker-component-env", **variable))["value"] == "ranked"
    assert (await do("get-envs-list", component_name="front"))["count"] == 1
    await do("delete-matchmaker-component-env", **variable)
    await do.refused("get-matchmaker-component-env", 400, **variable)

    await do("post-matchmaker", {"name": "draft"})
    await do("patch-matchmaker", {"name": "own"}, matchmaker_name="draft")
    assert (await do("get-matchmaker", matchmaker_name="own"))["url"] is None
    await do("post-matchmaker-release", {"version": "r1", **PARTS}, matchmaker_name="own")
    there = {"matchmaker_name": "own", "release_version": "r1"}
    await do("patch-matchmaker-release", {"version": "r2"}, **there)
    await do.refused("get-matchmaker-release", 404, **there)
    there["release_version"] = "r2"
    assert (await do("get-matchmaker-release", **there))["frontend_component_name"] == "front"
    await do("delete-matchmaker-release", **there)
    await do("delete-matchmaker-component", component_name="front")


async def a_managed_matchmaker(do: Do) -> None:
    """One that the house runs; two players meet where the client knows tickets."""
    await do.refused("post-matchmaker-release-config", 400, {"name": "rules", "configuration": "{"})
    await do("post-matchmaker-release-config", {"name": "draft", "configuration": RULES})
    await do("patch-matchmaker-release-config", {"name": "rules"}, config_name="draft")
    assert json.loads((await do("get-matchmaker-release-config", config_name="rules"))["configuration"])["profiles"]
    assert (await do("get-release-configs-list"))["count"] == 1
    released = {"version": "m1", "release_config_name": "rules"}
    await do("post-matchmaker-managed-release", released, matchmaker_name="own")
    there = {"matchmaker_name": "own", "release_version": "m1"}
    await do("patch-matchmaker-managed-release", {"version": "m2"}, **there)
    there["release_version"] = "m2"
    assert (await do("get-matchmaker-managed-release", **there))["release_config_name"] == "rules"
    assert [one["version"] for one in (await do("get-release-list", matchmaker_name="own"))["data"]] == ["m2"]
    [matchmaker] = (await do("get-matchmaker-list"))["data"]
    assert matchmaker["url"].startswith(do.inn.url)
    if do.knows("ticket-create"):
        await a_match(do, matchmaker["url"].rpartition("/")[2])
    await do("delete-matchmaker-managed-release", **there)
    await do("delete-matchmaker-release-config", config_name="rules")
    await do("delete-matchmaker", matchmaker_name="own")
    await do.refused("get-matchmaker", 400, matchmaker_name="own")


async def a_match(do: Do, matchmaker_id: str) -> None:
    """Two tickets and the game that they are sent to."""
    tickets = [
        (await do("ticket-create", {"edgegap_profile_id": "duel", "player_id": who}, matchmaker_id=matchmaker_id))
        for who in ("ann", "ben")
    ]
    ids = [one["data"]["ticket_id"] for one in tickets]

    async def assigned() -> Any:
        told = [await do("ticket-get", matchmaker_id=matchmaker_id, ticket_id=id) for id in ids]
        hosts = [one["data"]["assignment"] for one in told]
        return hosts if all(hosts) else None

    first, second = await eventually(assigned)
    assert first == second
    host, _, port = first["server_host"].rpartition(":")
    request_id = say({"link": f"{host}:{port}", "external": int(port)}, "who")
    assert (await do("deployment-status-get", request_id=request_id))["running"] is True
    for id in ids:
        await do("ticket-delete", matchmaker_id=matchmaker_id, ticket_id=id)
    await do("deployment-delete", request_id=request_id)


async def images(do: Do) -> None:
    """Tags of images in the registry that the operator has named; ``studio/game`` has ``1``, ``2`` and ``3``."""
    told = await do("wizard-registry-credentials")
    assert told["project"] == "studio"
    await do("wizard-init-quick-start", {"source": "unity"})
    image = {"image_name": "studio/game"}
    assert {one["tag"] for one in (await do("registry-image-tag-list", **image))["data"]} == {"1", "2", "3"}
    assert (await do("registry-image-tag-delete", **image, tag_name="1"))["deleted_tag"] == "1"
    told = await do("registry-image-tag-bulk-delete", {"tags": ["2", "9"]}, **image)
    assert (told["summary"]["success"], told["summary"]["failed"]) == (1, 1)
    assert [one["tag"] for one in (await do("registry-image-tag-list", **image))["data"]] == ["3"]


async def the_second_version(do: Do) -> None:
    """V2, which has a document of its own: the vendor's current clients deploy by it."""
    if not do.knows("deployment-create"):
        return
    player = {"user_type": "geo_coordinates", "user_data": {"latitude": 35.7, "longitude": 139.7}}
    wish = {"application": APP, "version": "v1", "users": [player]}
    request_id = (await do("deployment-create", wish))["request_id"]
    status = await ready(do, request_id)
    assert status["location"]["city"] == "Tokyo"
    assert say(status["ports"]["gameport"], "who") == request_id
    await do.refused("deployment-create", 400, {**wish, "application": "none"})
    other = (await do("private-fleets-deployment-create", {**wish, "private_host_ids": ["none"]}))["request_id"]
    await do.refused("private-fleet-hosts-list", 400, fleet_name="own hosts")
    with do.inn.client() as cloud:  # private fleets are made for customers by hand, not through this API
        size = {"node_shape_id": NodeShapeId.AMD64_4_8, "autoscaler_config": AutoscalerConfig(scale_up_threshold=80)}
        cloud.fleets_v2.create_fleet(CreateFleetV2(name="own hosts", **size))
    assert (await do("private-fleet-hosts-list", fleet_name="own hosts"))["data"] == []
    herd = {"filters": [{"field": "request_id", "values": [request_id, other], "filter_type": "any"}]}
    assert len((await do("deployments-bulk-delete", herd))["processable"]) == 2
