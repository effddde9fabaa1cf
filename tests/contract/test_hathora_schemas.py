"""Every object and enum of Hathora's against the vendor's: fields, required, null, words and limits, one by one."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from innkeeper.contract.hathora import HATHORA
from innkeeper.contract.openapi import document

from .vendor import canonical, differences, load, needs_specs

OURS: dict[str, Any] = document(HATHORA)["components"]["schemas"]
THEIRS: dict[str, Any] = load("hathora.openapi.json")["components"]["schemas"]

_WHOLE = "a number that can only be whole is an integer, for clients whose decoders refuse 1.0"
_BUILD_ID = "an id of the caller's choice has to stand in a path, and to name a directory"

#: How ours differ on purpose: the end of the place, and why. One that no longer differs fails.
ON_PURPOSE = {
    "buildSizeInBytes.type": _WHOLE,
    "partNumber.type": _WHOLE,
    "maxChunkSize.type": _WHOLE,
    "requestedGPU.type": _WHOLE,
    "experimentalRequestedGPU.type": _WHOLE,
    "maxProcessConnections.type": _WHOLE,
    "PingEndpoints.port.type": _WHOLE,
    "Invoice.year.type": _WHOLE,
    "Invoice.month.type": _WHOLE,
    "DeploymentV1.containerPort.type": _WHOLE,
    "Process.port.type": _WHOLE,
    "ProcessWithRooms.port.type": _WHOLE,
    "roomSlotsAvailable.type": _WHOLE,
    "Lobby.createdBy.any": _WHOLE,
    "LobbyV3.createdBy.any": _WHOLE,
    "ActiveConnectionInfo.port.type": _WHOLE,
    "ConnectionInfo.any": _WHOLE,
    "BuildV3Params.buildId.minLength": _BUILD_ID,
    "BuildV3Params.buildId.maxLength": _BUILD_ID,
    "BuildV3Params.buildId.pattern": _BUILD_ID,
    "MultipartBuildParams.buildId.minLength": _BUILD_ID,
    "MultipartBuildParams.buildId.maxLength": _BUILD_ID,
    "MultipartBuildParams.buildId.pattern": _BUILD_ID,
    "RoomStatus.enum": "suspended rooms were there until 2024, older plugins know the word, and suspending is served",
    "Room.status.enum": "as RoomStatus",
    "RoomWithoutAllocations.status.enum": "as RoomStatus",
    "ProcessWithRooms.rooms[].status.enum": "as RoomStatus",
}

#: Objects and enums that the vendor's document leaves without a name.
NAMED_BY_US = {
    "AutoscalerMetric",
    "DeploymentV2WithBuild",
    "DeploymentV3WithBuild",
    "EnvVariable",
    "GoogleLogin",
    "LobbyParams",
    "NodeStatus",
    "ProcessesCount",
    "RegionalContainerTag",
    "ServiceConfig",
    "UpcomingInvoiceTotal",
    "UploadField",
}


def compared(name: str) -> list[str]:
    return differences(canonical(OURS[name], OURS), canonical(THEIRS[name], THEIRS), name)


def reason(difference: str) -> str | None:
    place = difference.partition(": ")[0]
    return next((end for end in ON_PURPOSE if place.endswith(end)), None)


@needs_specs
@pytest.mark.parametrize("name", sorted(set(OURS) - NAMED_BY_US))
def test_it_is_the_vendors(name: str) -> None:
    assert [difference for difference in compared(name) if reason(difference) is None] == []


@needs_specs
def test_every_difference_on_purpose_is_still_one() -> None:
    found = {reason(difference) for name in set(OURS) - NAMED_BY_US for difference in compared(name)}
    assert found == set(ON_PURPOSE)


@needs_specs
def test_names_of_ours_are_not_the_vendors() -> None:
    assert set(OURS) - set(THEIRS) == NAMED_BY_US


@needs_specs
def test_a_comparison_that_finds_nothing_can_find_something() -> None:
    theirs = canonical(THEIRS["LobbyV3"], THEIRS)
    assert differences(theirs, theirs) == []
    ours = copy.deepcopy(theirs)
    ours["properties"]["shortCode"]["maxLength"] = 9
    ours["required"].remove("region")
    short_code, required = differences(ours, theirs, "LobbyV3")
    assert short_code == "LobbyV3.shortCode.maxLength: 9, not 100"
    assert required.startswith("LobbyV3.required: [")
