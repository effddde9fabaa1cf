"""What a caller wants of a deployment, in the house's words. Used by those of deployments and sessions.

Players are told by address, by place, or by one point for all of them; what a caller says counts most.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from innkeeper.api.visits import Visit
from innkeeper.contract.edgegap.deployments import DeployModel, SortStrategy
from innkeeper.contract.edgegap.deployments_v2 import DeploymentCreate, GeoUser
from innkeeper.contract.edgegap.sessions import SessionModel
from innkeeper.contract.edgegap.words import Coordinates, Env, GeoIp, LocationFilter
from innkeeper.contract.shape import given
from innkeeper.geoip import read_address
from innkeeper.hosting.choosing import Wishes
from innkeeper.hosting.geography import Filter, Match, Strategy
from innkeeper.hosting.plans import Guest
from innkeeper.kit.errors import Invalid
from innkeeper.kit.geo import Point

#: Addresses that one request may name.
MOST_PLAYERS = 10_000
#: The older fields of a request, each a filter of one value.
_OLDER = ("city", "country", "continent", "region", "administrative_division")


def check_hooks(visit: Visit, *urls: str | None) -> None:
    """Raises Invalid for one that the house may not send to."""
    for url in urls:
        if url:
            visit.wings.callbacks.check(visit.org, url)


def filters_of(params: DeployModel | SessionModel) -> list[Filter]:
    """What a location has to fulfil."""
    older = [Filter(name, (value,), Match.ANY) for name in _OLDER if (value := given(getattr(params, name)))]
    return older + read_filters(given(params.filters) or ())


def read_filters(filters: Iterable[LocationFilter]) -> list[Filter]:
    """Raises Invalid for a filter without values, which nothing fulfils."""
    found = [Filter(one.field.value, tuple(one.values), Match(one.filter_type.value)) for one in filters]
    for one in found:
        if not one.values:
            raise Invalid(f"filters: the one of {one.field} has no values")
    return found


def guests_of(visit: Visit, ips: Sequence[str] | None, places: Sequence[GeoIp] | None) -> list[Guest]:
    """The players, each with the place that is known of it. Raises Invalid for what is no address."""
    if ips and places:
        raise Invalid("ip_list and geo_ip_list: say one of them, not both")
    _check_players(len(ips or ()) + len(places or ()), "geo_ip_list" if places else "ip_list")
    found = [Guest(read_address(one.ip), one.latitude, one.longitude) for one in places or ()]
    for ip in ips or ():
        point = visit.wings.whereabouts(ip)
        found.append(Guest(read_address(ip), *((None, None) if point is None else (point.latitude, point.longitude))))
    return found


def _check_players(count: int, field: str) -> None:
    if count > MOST_PLAYERS:
        raise Invalid(f"{field}: at most {MOST_PLAYERS} players are taken at once")


def points_of(guests: Iterable[Guest], centre: Coordinates | None = None) -> list[Point]:
    """Where players are, as far as it is known; a point that was named for all of them counts instead."""
    if centre is not None:
        return [Point(centre.latitude, centre.longitude)]
    return [
        Point(guest.latitude, guest.longitude)
        for guest in guests
        if guest.latitude is not None and guest.longitude is not None
    ]


def wishes_of(visit: Visit, params: DeployModel) -> tuple[Wishes, int]:
    """Where a deployment shall be, and how many players were named for it."""
    guests = guests_of(visit, given(params.ip_list), given(params.geo_ip_list))
    strategy = given(params.ap_sort_strategy)
    wishes = Wishes(
        players=points_of(guests, given(params.location)),
        filters=filters_of(params),
        strategy=Strategy.WEIGHTED if strategy is SortStrategy.WEIGHTED else Strategy.BASIC,
    )
    return wishes, len(guests)


def wishes_of_users(visit: Visit, params: DeploymentCreate, hosts: Sequence[str] = ()) -> tuple[Wishes, int]:
    """The same as V2 says it."""
    _check_players(len(params.users), "users")
    guests = [
        Guest("", user.user_data.latitude, user.user_data.longitude)
        if isinstance(user, GeoUser)
        else guests_of(visit, [user.user_data.ip_address], None)[0]
        for user in params.users
    ]
    return Wishes(players=points_of(guests), hosts=tuple(hosts)), len(guests)


def variables(said: Sequence[Env] | None) -> list[tuple[str, str]]:
    """Raises Invalid for a name that stands there twice."""
    found = {one.key: one.value for one in said or ()}
    if len(found) < len(said or ()):
        raise Invalid("env_vars: a name stands there twice")
    return list(found.items())
