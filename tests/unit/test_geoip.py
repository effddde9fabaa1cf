"""Looking addresses up in a real database file, which may be renewed, spoiled, or missing."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoip import write
from innkeeper.geoip import GeoIp, Whereabouts, read_address, whereabouts_of
from innkeeper.kit.clock import ManualClock
from innkeeper.kit.errors import Invalid
from innkeeper.kit.geo import Point
from inns import REPOSITORY


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "city.mmdb")


@pytest.mark.parametrize(
    ("address", "city", "country"),
    [
        ("192.0.2.7", "Montreal", "CA"),
        (" 198.51.100.200 ", "London", "GB"),
        ("::ffff:203.0.113.9", "Tokyo", "JP"),
        ("2001:db8::1", "Sao Paulo", "BR"),
    ],
)
def test_an_address_is_somewhere(file: Path, address: str, city: str, country: str) -> None:
    found = GeoIp(file, ManualClock()).find(address)
    assert found is not None
    assert (found.city, found.country_code) == (city, country)
    assert found.point is not None


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "8.8.8.8", "fe80::1"])
def test_what_is_not_in_it_is_nowhere(file: Path, address: str) -> None:
    assert GeoIp(file, ManualClock()).find(address) is None
    assert GeoIp(None, ManualClock()).find(address) is None


@pytest.mark.parametrize("address", ["", "1.2.3", "1.2.3.4.5", "example.org", "1.2.3.4/24", "\u0661.2.3.4"])
def test_what_is_no_address_is_refused(file: Path, address: str) -> None:
    for geoip in (GeoIp(file, ManualClock()), GeoIp(None, ManualClock())):
        with pytest.raises(Invalid, match="no IP address"):
            geoip.find(address)


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    with contextlib.suppress(Invalid):
        read_address(text)


def test_a_new_file_is_read_and_a_spoiled_one_is_not(
    file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    geoip = GeoIp(file, clock)
    place = {"country": {"iso_code": "XX", "names": {"fr": "Ailleurs"}}}
    write(tmp_path / "new", {"192.0.2.0/24": place}).replace(file)
    found = geoip.find("192.0.2.7")
    assert found is not None
    assert found.country_code == "CA", "it is not looked every time"
    clock.advance(11)
    assert geoip.find("192.0.2.7") == Whereabouts(country_code="XX", country="Ailleurs")
    (tmp_path / "bad").write_bytes(b"not a database")
    (tmp_path / "bad").replace(file)
    clock.advance(11)
    with caplog.at_level(logging.WARNING):
        assert geoip.find("192.0.2.7") == Whereabouts(country_code="XX", country="Ailleurs")
    assert "cannot be used" in caplog.text
    geoip.close()
    assert geoip.find("192.0.2.7") is None


def test_a_part_that_is_damaged_tells_nothing(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    name = b"Montreal"
    text = file.read_bytes()
    at = text.index(name) - 1
    assert text[at] == 0x40 | len(name)
    file.write_bytes(text[:at] + b"\x00\xff" + text[at + 2 :])  # of a kind that there is not
    geoip = GeoIp(file, ManualClock())
    with caplog.at_level(logging.WARNING):
        assert geoip.find("192.0.2.7") is None
    assert "cannot be used for 192.0.2.7" in caplog.text
    assert geoip.find("203.0.113.9") is not None


def test_a_file_that_cannot_be_used_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"not a database")
    for name, why in (("bad", r".*bad.*"), ("missing", "No such file or directory")):
        with pytest.raises(Invalid, match=rf"^geoip: .* cannot be used: {why}; name a file in MaxMind's format"):
            GeoIp(tmp_path / name, ManualClock())


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ({}, Whereabouts()),
        ({"country": None, "subdivisions": [], "location": {"latitude": 1.5}}, Whereabouts()),
        ({"location": {"latitude": 1.5, "longitude": 2}}, Whereabouts(point=Point(1.5, 2.0))),
        ({"location": {"latitude": 100, "longitude": 2}}, Whereabouts()),
        ({"registered_country": {"iso_code": "FR"}}, Whereabouts(country_code="FR")),
    ],
)
def test_records_of_other_makers(record: dict[str, object], found: Whereabouts) -> None:
    assert whereabouts_of(record) == found


def test_a_database_of_one_s_own_is_made_from_a_list(tmp_path: Path) -> None:
    """By the script that the page about regions names."""
    (tmp_path / "networks.csv").write_text(
        "network,latitude,longitude,city,country_code,country\n10.1.0.0/16,50.11,8.68,Frankfurt am Main,DE,Germany\n"
        "fd00::/8,35.68,139.69,,,\n"
    )
    script, made = REPOSITORY / "scripts" / "geoip", tmp_path / "networks.mmdb"
    subprocess.run([sys.executable, script, tmp_path / "networks.csv", made], check=True)
    geoip = GeoIp(made, ManualClock())
    assert geoip.find("10.1.2.3") == Whereabouts(
        country_code="DE", country="Germany", city="Frankfurt am Main", point=Point(50.11, 8.68)
    )
    assert geoip.find("fd00::1") == Whereabouts(point=Point(35.68, 139.69))
    assert geoip.find("10.2.0.1") is None
