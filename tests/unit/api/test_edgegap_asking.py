"""What a caller wants of a deployment, read: how many players may be named for it."""

from __future__ import annotations

from typing import Any, cast

import pytest

from innkeeper.api.edgegap.asking import MOST_PLAYERS, guests_of, wishes_of_users
from innkeeper.contract.edgegap.deployments_v2 import DeploymentCreate, GeoUser
from innkeeper.contract.edgegap.words import Coordinates, GeoIp
from innkeeper.kit.errors import Invalid

NO_VISIT: Any = None


def test_no_more_players_are_taken_than_can_be_weighed_at_once() -> None:
    places = [GeoIp(ip="192.0.2.1", latitude=1, longitude=2)] * MOST_PLAYERS
    assert len(guests_of(NO_VISIT, None, places)) == MOST_PLAYERS
    with pytest.raises(Invalid, match="geo_ip_list: at most 10000 players"):
        guests_of(NO_VISIT, None, [*places, *places[:1]])
    with pytest.raises(Invalid, match="ip_list: at most 10000 players"):
        guests_of(NO_VISIT, ["192.0.2.1"] * (MOST_PLAYERS + 1), None)
    users = cast("list[Any]", [GeoUser(user_data=Coordinates(latitude=1, longitude=2))] * MOST_PLAYERS)
    wishes, count = wishes_of_users(NO_VISIT, DeploymentCreate(application="a", version="v", users=users), ["h"])
    assert (len(wishes.players), count, wishes.hosts) == (MOST_PLAYERS, MOST_PLAYERS, ("h",))
    with pytest.raises(Invalid, match="users: at most 10000 players"):
        wishes_of_users(NO_VISIT, DeploymentCreate(application="a", version="v", users=[*users, *users[:1]]))
