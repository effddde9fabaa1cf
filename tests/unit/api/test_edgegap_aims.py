"""How the data of a fleet's policy is read."""

from __future__ import annotations

from typing import Any

import pytest

from innkeeper.api.edgegap.fleets import read_aim
from innkeeper.hosting.geography import Filter, Match
from innkeeper.hosting.policies import Aim, PolicyKind
from innkeeper.kit.errors import Invalid
from innkeeper.kit.geo import Point

FILTERS, TAGS, POINTS = PolicyKind.FILTERS, PolicyKind.TAGS, PolicyKind.POINTS
_CITY = {"field": "city", "values": ["Tokyo"], "filter_type": "any"}
_TOKYO = {"latitude": 35.7, "longitude": 139.7}


@pytest.mark.parametrize(
    ("kind", "data", "aim"),
    [
        (FILTERS, {"filters": [_CITY]}, Aim((Filter("city", ("Tokyo",), Match.ANY),))),
        (FILTERS, {"filters": []}, Aim()),
        (TAGS, {"tags": ["gpu", "owner=us"]}, Aim((Filter("location_tags", ("gpu", "owner=us"), Match.ANY),))),
        (TAGS, {"filters": [{"field": "location_tags", "values": ["gpu"], "filter_type": "not"}]},
         Aim((Filter("location_tags", ("gpu",), Match.NOT),))),
        (POINTS, _TOKYO, Aim((), (Point(35.7, 139.7),))),
        (POINTS, {"location": _TOKYO}, Aim((), (Point(35.7, 139.7),))),
        (POINTS, {"coordinates": [_TOKYO, {"latitude": 0, "longitude": 1}], "filters": [_CITY]},
         Aim((Filter("city", ("Tokyo",), Match.ANY),), (Point(35.7, 139.7), Point(0, 1)))),
    ],
)  # fmt: skip
def test_where(kind: PolicyKind, data: dict[str, Any], aim: Aim) -> None:
    assert read_aim(kind, data) == aim


@pytest.mark.parametrize(
    ("kind", "data", "why"),
    [
        (FILTERS, {}, "data: a policy of type Location says filters"),
        (FILTERS, {"tags": ["gpu"]}, "data: a policy of type Location says filters"),
        (FILTERS, {"filters": [{**_CITY, "field": "planet"}]}, "data.filters: "),
        (FILTERS, {"filters": [{**_CITY, "values": []}]}, "has no values"),
        (TAGS, {}, "data: a policy of type Tag says tags, or filters"),
        (TAGS, {"tags": []}, "data.tags: name one"),
        (TAGS, {"tags": "gpu"}, "data.tags: Expected"),
        (POINTS, {}, "data.coordinates: "),
        (POINTS, {"coordinates": []}, "data.coordinates: say one"),
        (POINTS, {"location": {"latitude": 91, "longitude": 0}}, "data.location: "),
    ],
)
def test_what_says_nothing_is_refused(kind: PolicyKind, data: dict[str, Any], why: str) -> None:
    with pytest.raises(Invalid, match=why):
        read_aim(kind, data)
