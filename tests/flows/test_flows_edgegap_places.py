"""Edgegap's locations, beacons, addresses, telemetry and monitor, asked for as a client does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.wire import ask
from factories import TestInn, opened_inn
from geoip import write
from innkeeper.contract.edgegap.ip_lookup import IPAddressesLookupPayload, IPAddressLookupResponse
from innkeeper.contract.edgegap.telemetry import ActiveDeploymentTelemetryRequest
from innkeeper.contract.hathora.words import Region
from innkeeper.hosting.comparing import KEPT
from innkeeper.hostspecs import LOCAL
from innkeeper.kit.clock import SECOND
from innkeeper.placespecs import PlaceSpec
from innkeeper.sdk import UNSET, StatusError
from unit.hosting.test_beacons import free_port

MONTREAL = PlaceSpec(
    name="montreal", latitude=45.5, longitude=-73.57, city="Montreal", country="Canada", tags={"owner": "us", "b": "2"}
)


async def refused(call: Any) -> StatusError:
    with pytest.raises(StatusError) as caught:
        await call
    return caught.value


async def again(inn: TestInn, **changes: Any) -> None:
    """Open the house anew, with other settings."""
    await inn.stop()
    inn.settings = msgspec.structs.replace(inn.settings, **changes)
    await inn.start()


async def test_locations_are_those_where_a_host_stands(inn: TestInn) -> None:
    client = inn.edgegap()
    told = await client.locations.list_locations()
    cities = [location.city for location in told.locations]
    assert (len(cities), cities[0], told.total_count) == (14, "Seattle", 14)  # all: nobody asked for a page
    assert told.locations[0].tags is UNSET
    second = await client.locations.list_locations(page=2, limit=10)
    assert [location.city for location in second.locations] == cities[10:]
    inn.locations = frozenset({"montreal", "tokyo", "atlantis"})
    await again(inn, places=(MONTREAL,))
    client = inn.edgegap()
    told = await client.locations.list_locations(tags="true")
    assert [location.city for location in told.locations] == ["Tokyo", "Montreal"]
    assert [(tag.key, tag.value) for tag in told.locations[1].tags or ()] == [("b", "2"), ("owner", "us")]
    assert (told.locations[1].type, told.locations[1].longitude) == ("standard", -73.57)
    assert (await client.locations.list_locations(type="gpu")).locations == []
    await again(inn, places=(), default_places=False)
    told = await inn.edgegap().locations.list_locations()
    assert (told.locations, told.total_count) == ([], 0)
    assert "[[places]]" in (told.messages or [""])[0]


async def test_locations_without_space_for_a_version_are_left_out(inn: TestInn) -> None:
    await inn.game()
    await inn.settle()
    client = inn.edgegap()
    locations = client.locations
    assert (await locations.list_locations(app="game-1", version="release-1")).total_count == 14
    assert (await locations.list_locations(app="game-1")).total_count == 14
    inn.host.cpu = 0.25  # the release needs half a processor
    told = await locations.list_locations(app="game-1")
    assert (told.locations, told.messages) == ([], ["no location has space for this version now"])
    assert (await locations.list_locations()).total_count == 14
    assert (await refused(locations.list_locations(app="game-2"))).status == 404
    assert (await refused(locations.list_locations(app="game-1", version="release-7"))).status == 404
    assert (await refused(locations.list_locations(version="release-1"))).status == 400
    rival = inn.edgegap(await inn.another_org())
    assert (await refused(rival.locations.list_locations(app="game-1"))).status == 404


async def test_beacons_are_this_machine_s_and_told_while_they_answer(inn: TestInn) -> None:
    port = free_port()
    inn.locations = frozenset({"tokyo", "sydney"})
    await again(inn, beacon_port=port, public_host="play.example.org")
    client = inn.edgegap()
    assert (await client.locations.list_beacons()).locations == []
    inn.host.machine = LOCAL
    beacons = inn.inn.wings.beacons
    await beacons.start("127.0.0.1")
    try:
        told = await client.locations.list_beacons()
        assert [(one.host, one.fqdn, one.udp_port, one.tcp_port, one.location.city) for one in told.locations] == [
            ("play.example.org", "play.example.org", port, port, city) for city in ("Tokyo", "Sydney")
        ]
        assert told.count == 2
        sites = await client.statics.list_sites()
        assert [(site.url, site.city) for site in sites.sites or ()] == [
            (f"play.example.org:{port}", "Tokyo"), (f"play.example.org:{port}", "Sydney")
        ]  # fmt: skip
        inn.host.machine = "elsewhere"
        assert (await client.locations.list_beacons()).count == 0
    finally:
        await beacons.close()
    inn.host.machine = LOCAL
    assert (await client.locations.list_beacons()).count == 0
    assert (await client.statics.list_sites()).total_count == 0


def short(told: IPAddressLookupResponse) -> Any:
    place = told.location
    if not place:
        return told.type, told.ip_address, None
    continent, country = place.continent, place.country
    assert continent
    assert country
    return told.type, told.ip_address, continent.code, country.name, place.latitude


async def test_addresses(inn: TestInn, tmp_path: Path) -> None:
    async def own(**headers: str) -> Any:
        answer = await ask(inn, "GET", "/v1/ip", headers={"authorization": f"token {inn.token}", **headers})
        return answer.json

    # Whose header is believed is decided where connections come in (``trusted_proxies``), not by who sends it.
    assert await own() == await own(**{"X-Forwarded-For": "192.0.2.7"}) == {"public_ip": "127.0.0.1"}
    lookup = inn.edgegap().ip_lookup
    assert short(await lookup.lookup_ip("192.0.2.7")) == ("ipv4", "192.0.2.7", None)  # there is no database
    await again(inn, geoip=str(write(tmp_path / "city.mmdb")))
    lookup = inn.edgegap().ip_lookup
    assert short(await lookup.lookup_ip("192.0.2.7")) == ("ipv4", "192.0.2.7", "NA", "Canada", 45.5)
    assert short(await lookup.lookup_ip("2001:DB8:0::1")) == ("ipv6", "2001:db8::1", "SA", "Brazil", -23.55)
    asked = ["203.0.113.9", "10.0.0.1", "::ffff:198.51.100.9"]
    many = await lookup.lookup_ips(IPAddressesLookupPayload(addresses=asked))
    assert [short(one) for one in many.addresses] == [
        ("ipv4", "203.0.113.9", "AS", "Japan", 35.68),
        ("ipv4", "10.0.0.1", None),
        ("ipv4", "198.51.100.9", "EU", "Germany", 50.11),
    ]
    fault = await refused(lookup.lookup_ip("example.org"))
    assert (fault.status, fault.message) == (400, "'example.org' is no IP address")
    twenty_one = {"addresses": ["192.0.2.7"] * 21}
    answer = await ask(
        inn, "POST", "/v1/ips/lookup", json.dumps(twenty_one).encode(),
        headers={"authorization": f"token {inn.token}", "content-type": "application/json"},
    )  # fmt: skip
    assert answer.status == 400


@pytest.fixture
async def two_places(tmp_path: Path, inn: TestInn) -> dict[str, str]:
    """A server that runs in Tokyo, one in London and one that is only wanted, by what Edgegap calls them."""
    await again(inn, geoip=str(write(tmp_path / "city.mmdb")))
    game = await inn.game()
    found: dict[str, str] = {}
    for region in (Region.TOKYO, Region.LONDON):
        room = await game.room(region=region)
        await inn.settle()
        info = await game.info(room)
        found[region.value] = str(info.allocations[0].process_id)[-12:]
    inn.behave(never_ready=True)
    await game.room(region=Region.SYDNEY)
    await inn.settle()
    found["Sydney"] = next(
        one.process_id[-12:] for one in await game.processes() if one.process_id[-12:] not in found.values()
    )
    return found


GERMAN, JAPANESE, NOWHERE = "198.51.100.9", "203.0.113.9", "10.0.0.1"


async def test_the_deployment_that_suits_players_best(inn: TestInn, two_places: dict[str, str]) -> None:
    tokyo, london, sydney = (two_places[name] for name in ("Tokyo", "London", "Sydney"))
    telemetry = inn.edgegap().telemetry

    async def scores(deployments: list[str], *ips: str) -> tuple[list[str], bool]:
        asked = ActiveDeploymentTelemetryRequest(deployments=deployments, ips=list(ips))
        begun = await telemetry.measure_deployments(asked)
        found = await telemetry.get_measurement(begun.retrieval_key)
        assert found.retrieval_key == begun.retrieval_key
        return [score.request_id for score in found.scores], found.partial_result

    assert await scores([tokyo, london], GERMAN) == ([london, tokyo], False)
    assert await scores([tokyo, london], JAPANESE, JAPANESE, GERMAN) == ([tokyo, london], False)
    assert await scores([tokyo, london], GERMAN, NOWHERE) == ([london, tokyo], True)
    assert await scores([tokyo, london, sydney], GERMAN) == ([london, tokyo], True)  # Sydney's is not ready
    begun = await telemetry.measure_deployments(ActiveDeploymentTelemetryRequest(deployments=[tokyo], ips=[GERMAN]))
    rival = inn.edgegap(await inn.another_org())
    assert (await refused(rival.telemetry.get_measurement(begun.retrieval_key))).status == 404
    for deployments, ips, status in (
        (["0123456789ab"], [GERMAN], 404), ([], [GERMAN], 400), ([tokyo], [], 400), ([tokyo], ["here"], 400),
    ):  # fmt: skip
        asked = ActiveDeploymentTelemetryRequest(deployments=deployments, ips=ips)
        assert (await refused(telemetry.measure_deployments(asked))).status == status
    theirs = ActiveDeploymentTelemetryRequest(deployments=[tokyo], ips=[GERMAN])
    assert (await refused(rival.telemetry.measure_deployments(theirs))).status == 404
    await inn.restart()
    telemetry = inn.edgegap().telemetry
    assert (await telemetry.get_measurement(begun.retrieval_key)).scores[0].request_id == tokyo
    inn.clock.advance(KEPT / SECOND + 1)
    assert (await refused(telemetry.get_measurement(begun.retrieval_key))).status == 404


async def test_monitor_tells_what_does_not_work(inn: TestInn) -> None:
    monitor = await inn.edgegap().monitoring.get_monitor()
    assert (monitor.host, monitor.host_url, monitor.errors) == ("inn", "http://inn", [])
    document = await ask(inn, "GET", monitor.spec_url.removeprefix("http://inn"))
    assert "/v1/locations" in document.json["paths"]
    inn.inn.keeper.loop.failures = 9
    monitor = await inn.edgegap().monitoring.get_monitor()
    assert monitor.errors == ["keeper: its last 9 passes failed; the log says why"]


async def test_hosts_at_places_that_nobody_knows_are_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened_inn(tmp_path, f"sqlite:///{tmp_path / 'x.db'}") as inn:
        inn.locations = frozenset({"tokyo", "atlantis"})
        caplog.clear()
        await inn.restart()
        assert [line.message.partition(",")[0] for line in caplog.records] == ["host fake serves atlantis"]
