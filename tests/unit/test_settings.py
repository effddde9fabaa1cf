"""Settings: what is wrong with one is said in plain words, with where it came from."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, get_args
from zoneinfo import available_timezones

import msgspec
import pytest

from innkeeper.contract.hathora.words import Region
from innkeeper.placespecs import DEFAULT
from innkeeper.ranges import RANGES
from innkeeper.settings import Settings, WrongSetting, is_url, load_settings, strange_variables

RANGE = "a range from 1 to 65535, the lower port first, such as 20000-29999"
DATABASES = "sqlite:///PATH or postgresql://USER@HOST/NAME"


def kinds(annotated: Any) -> tuple[Any, ...]:
    """The types that a setting can have."""
    return get_args(annotated) or (annotated,)


WRONG: list[tuple[dict[str, Any], dict[str, str], str]] = [
    ({}, {"INNKEEPER_PORT": "abc"}, "INNKEEPER_PORT: write a whole number, not 'abc'"),
    ({"port": 70000}, {}, "--port: write a port, or 0 for a free one, from 0 to 65535, not 70000"),
    ({}, {"INNKEEPER_HOST_CPU": "two"}, "INNKEEPER_HOST_CPU: write a number, not 'two'"),
    ({"ports": "27000-26000"}, {}, f"--ports: write {RANGE}, not '27000-26000'"),
    ({"ports": "1-70000"}, {}, f"--ports: write {RANGE}, not '1-70000'"),
    ({}, {"INNKEEPER_RUN_AS": "joe"}, "INNKEEPER_RUN_AS: write numbers such as 1000:1000, not 'joe'"),
    ({"public_url": "foo"}, {}, "--public-url: write the whole URL, such as https://inn.example.org, not 'foo'"),
    ({"run_as": "0:9999999999"}, {}, "--run-as: write numbers such as 1000:1000, not '0:9999999999'"),
    ({"google_keys_url": "certs"}, {}, "--google-keys-url: write the whole URL, not 'certs'"),
    ({"keep_hours": -5.0}, {}, "--keep-hours: write a number from 0.01 to 100000, not -5.0"),
    ({"log_level": "loud"}, {}, "--log-level: write one of debug, info, warning, error, not 'loud'"),
    # It may have a password in it, so it is not shown.
    ({}, {"INNKEEPER_DATABASE": "mysql://me:secret@x"}, f"INNKEEPER_DATABASE: write {DATABASES}"),
    ({"database": "sqlite:///"}, {}, f"--database: write {DATABASES}"),
    # The command line goes before the environment, and is then the one to name.
    ({"ports": "x"}, {"INNKEEPER_PORTS": "1-2"}, f"--ports: write {RANGE}, not 'x'"),
]


@pytest.mark.parametrize(("given", "environ", "told"), WRONG)
def test_a_wrong_value_is_told_with_where_it_came_from(
    given: dict[str, Any], environ: dict[str, str], told: str
) -> None:
    with pytest.raises(WrongSetting) as caught:
        load_settings(given, environ)
    assert str(caught.value) == told


NUMBERS = [field for field in msgspec.structs.fields(Settings) if {float, int, Decimal} & set(kinds(field.type))]


def test_every_number_has_a_range_and_nothing_else_has() -> None:
    assert [field.name for field in NUMBERS] == list(RANGES)
    assert len(NUMBERS) > 20


@pytest.mark.parametrize("field", NUMBERS, ids=lambda field: field.name)
def test_a_number_outside_its_range_is_refused_from_everywhere(field: Any, tmp_path: Path) -> None:
    name, span = field.name, RANGES[field.name]
    variable = f"INNKEEPER_{name.upper()}"
    beyond = [span.least - 0.0005, span.least - 1, span.most + 1, -1, 10**12, 1e300]
    for value in ["inf", "-inf", "nan", "sNaN", "-0x1", "1" * 400, *map(str, beyond)]:
        with pytest.raises(WrongSetting, match=f"^{variable}: write "):
            load_settings({}, {variable: value})
    for wrong in (-1, 10**12, float("inf"), float("nan")):
        with pytest.raises(WrongSetting, match=r"^--.*: write "):
            load_settings({name: wrong}, {})
    for line in ("inf", "nan", "-1", "1e300", '"inf"'):
        (tmp_path / "innkeeper.toml").write_text(f"{name} = {line}\n")
        with pytest.raises(WrongSetting, match=rf"^{name} in .*innkeeper\.toml: write "):
            load_settings({"data": str(tmp_path)}, {})
    for good in (span.least, span.most):
        text = f"{good:.0f}" if float(good).is_integer() else str(good)
        assert float(getattr(load_settings({}, {variable: text}), name)) == good
    assert field.default is None or span.has(field.default)


def test_no_sum_of_times_leaves_64_bits() -> None:
    """Times are microseconds since the epoch; the house adds a setting, in hours at most, to the present."""
    assert (4_000_000_000 + max(span.most for name, span in RANGES.items() if "hours" in name) * 3600) * 1e6 < 2**63


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('port = "x"', "port in {}: write a whole number, not 'x'"),
        ('locations = ["tokyo", 3]', "locations in {}: write a list of names, not ['tokyo', 3]"),
        ("secret_key = 3", "secret_key in {}: write a text"),
        ("prot = 3", "{}: there is no setting 'prot'; did you mean port?"),
        ("qqqqqqqq = 3", "{}: there is no setting 'qqqqqqqq'"),
        ("[", "{} is not TOML: "),
    ],
)
def test_a_wrong_line_of_the_file_is_told_with_the_file(text: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "innkeeper.toml"
    file.write_text(text)
    with pytest.raises(WrongSetting) as caught:
        load_settings({"data": str(tmp_path)}, {})
    assert str(caught.value).startswith(told.format(file))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(WrongSetting, match=r"there is no settings file .*none\.toml"):
        load_settings({}, {}, tmp_path / "none.toml")
    with pytest.raises(WrongSetting, match="cannot be read: Is a directory"):
        load_settings({}, {}, tmp_path)


def test_values_of_all_kinds_from_everywhere(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text('host_memory_mb = 28000\norganisation = "File"\nports = "1-2"\n')
    environ = {"INNKEEPER_HOST_CPU": "2.5", "INNKEEPER_ORGANISATION": "Environment", "INNKEEPER_DATABASE": "x.db"}
    settings = load_settings({"ports": "20000-20001", "run_as": None}, environ, file)
    assert (settings.host_memory_mb, settings.host_cpu, settings.organisation) == (28000.0, 2.5, "Environment")
    assert (settings.port_range((1, 1)), settings.database_url, settings.run_as) == ((20000, 20001), "x.db", "")
    empty = str(tmp_path / "none")
    assert load_settings({"data": empty}, {}) == Settings(data=empty)


@pytest.mark.parametrize("said", ["Los Angeles, tokyo,", ["los-angeles", "Tokyo"], frozenset({"LOS_ANGELES", "tokyo"})])
def test_locations_in_any_spelling(said: Any) -> None:
    assert load_settings({"locations": said}, {}).locations == {"los_angeles", "tokyo"}


def test_variables_that_look_like_settings_are_told() -> None:
    environ = dict.fromkeys(
        ["INNKEEPER_PRT", "INNKEEPER_ZZZ", "INNKEEPER_PORT", "INNKEEPER_URL", "INNKEEPER_APP_ID", "INNKEEPER_CONFIG",
         "INNKEEPER_TOKEN", "HATHORA_TOKEN", "_INNKEEPER_COMPLETE"], "1",
    )  # fmt: skip
    assert strange_variables(environ) == [
        "INNKEEPER_PRT in the environment is no setting; did you mean INNKEEPER_PORT?",
        "INNKEEPER_ZZZ in the environment is no setting",
    ]


@pytest.mark.parametrize(
    ("text", "so"),
    [
        ("http://127.0.0.1:8080", True), ("https://inn.example.org/games", True), ("http://[::1]:8080", True),
        ("127.0.0.1:8080", False), ("localhost:8080", False), ("foo", False), ("ftp://x", False), ("http://", False),
        ("http://x:99999", False), ("http://x:y", False), ("http://[::1", False), ("", False),
    ],
)  # fmt: skip
def test_what_is_a_url(text: str, so: bool) -> None:
    assert is_url(text) is so


PLACE = {"name": "montreal", "latitude": 45.5, "longitude": -73.57}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": None}, "name: write up to 63 letters, digits, `.` and `_`, such as frankfurt, not None"),
        ({"name": "Köln"}, "name: write up to 63 letters, digits, `.` and `_`, such as frankfurt, not 'Köln'"),
        ({"latitude": 90.5}, "location montreal: latitude: write degrees from -90 to 90, north is positive, such as"
         " 50.11, not 90.5"),
        ({"longitude": float("nan")}, "location montreal: longitude: write degrees from -180 to 180, east is positive,"
         " such as 8.68, not nan"),
        ({"latitude": "north"}, "location montreal: latitude: write degrees from -90 to 90, north is positive, such as"
         " 50.11, not 'north'"),
        ({"city": 3}, "location montreal: city: write a text, not 3"),
        ({"tags": ["a"]}, 'location montreal: tags: write a table of texts, such as { provider = "ours" }, not'
         " ['a']"),
        ({"town": "Montreal"}, "location montreal: town: there is nothing of this name; there is name, latitude,"
         " longitude, city, country, continent, region, administrative_division, timezone, tags"),
    ],
)  # fmt: skip
def test_a_wrong_place_is_told_with_its_name(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(WrongSetting) as caught:
        load_settings({"places": [{**PLACE, **changes}]}, {})
    assert str(caught.value) == f"--places: {told}"


@pytest.mark.parametrize(
    ("places", "told"),
    [
        ("montreal", "places are tables of the settings file: [[places]], and below it name, latitude and longitude"),
        (["montreal"], "a location is a table with at least name, latitude and longitude"),
        ([{"name": "montreal", "latitude": 1}], "location montreal: longitude: write degrees from -180 to 180, east"
         " is positive, such as 8.68"),
        ([PLACE, {**PLACE, "name": "Montreal"}], "two locations have the name montreal"),
    ],
)  # fmt: skip
def test_wrong_places(places: Any, told: str) -> None:
    with pytest.raises(WrongSetting) as caught:
        load_settings({"places": places}, {})
    assert str(caught.value) == f"--places: {told}"


def test_places_are_added_to_the_house_s_own_and_replace_those_of_their_name(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(
        '[[places]]\nname = "Los Angeles"\nlatitude = 34\nlongitude = -118\n'
        '[[places]]\nname = "montreal"\nlatitude = 45.5\nlongitude = -73.57\ntags = { owner = "us" }\n'
    )
    settings = load_settings({}, {}, file)
    places = {place.name: place for place in settings.all_places}
    assert [*places] == [*(place.name for place in DEFAULT), "montreal"]
    assert (places["los_angeles"].point, places["los_angeles"].city) == ((34, -118), "")
    assert (places["montreal"].tags, places["frankfurt"].city) == ({"owner": "us"}, "Frankfurt am Main")
    alone = load_settings({"default_places": False}, {}, file)
    assert [place.name for place in alone.all_places] == ["los_angeles", "montreal"]


def test_every_region_is_a_place_of_the_house() -> None:
    assert [place.name for place in DEFAULT] == [region.value.lower() for region in Region]
    assert all(place.point.is_real and place.city and place.country and place.continent for place in DEFAULT)
    assert {place.timezone for place in DEFAULT} <= available_timezones()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"beacon_port": 8080}, "--beacon-port: write another port than the API's, whose TCP port is taken, or 0 for"
         " none, not 8080"),
        ({"server_domain": "https://x"}, "--server-domain: write a domain such as play.example.org, not 'https://x'"),
        ({"server_domain": "-x.org"}, "--server-domain: write a domain such as play.example.org, not '-x.org'"),
        ({"server_domain": "x..org"}, "--server-domain: write a domain such as play.example.org, not 'x..org'"),
    ],
)  # fmt: skip
def test_wrong_settings_of_places(given: dict[str, Any], told: str) -> None:
    with pytest.raises(WrongSetting) as caught:
        load_settings(given, {})
    assert str(caught.value) == told
    assert load_settings({"server_domain": "play.example.org", "beacon_port": 8081}, {}).beacon_port == 8081


REGISTRY = {"url": "Registry.example.org:5000", "project": "studio", "username": "ci", "password": "alohomora"}
THEIRS = {**REGISTRY, "project": "rivals", "organisation": "org-6f706e83-0ec1-437a-9a46-7d4281eb2f39"}


@pytest.mark.parametrize(
    ("registries", "told"),
    [
        ("alohomora", "registries are tables of the settings file: [[registries]], and below it url, project, username"
         " and password"),
        (["alohomora"], "a registry is a table with at least url, project, username and password"),
        ([{**REGISTRY, "token": "alohomora"}], "registry: token: there is nothing of this name; there is url, project,"
         " username, password, organisation"),
        ([{**REGISTRY, "url": "https://ann:alohomora@r.example"}], "registry: url: write the host of the registry,"
         " perhaps with a port, such as registry.example.org"),
        ([{**REGISTRY, "url": "r.example/studio"}], "registry: url: write the host of the registry, perhaps with a"
         " port, such as registry.example.org"),
        ([{**REGISTRY, "project": "Studio"}], "registry: project: write what names of images begin with there, in"
         " small letters, such as studio"),
        ([{**REGISTRY, "project": "studio/.."}], "registry: project: write what names of images begin with there, in"
         " small letters, such as studio"),
        ([{**REGISTRY, "username": "a:b"}], "registry: username: write whom the registry knows"),
        ([{**REGISTRY, "password": ["alohomora"]}], "registry: password: write its password, or what the registry"
         " takes for one"),
        ([{**REGISTRY, "password": " "}], "registry: password: write its password, or what the registry takes for one"),
        ([{name: REGISTRY[name] for name in ("url", "project", "username")}], "registry: password: write its password,"
         " or what the registry takes for one"),
        ([{**REGISTRY, "organisation": "rivals"}], "registry: organisation: write the id of an organisation, such as"
         " org-6f706e83-0ec1-437a-9a46-7d4281eb2f39"),
        ([REGISTRY, {**REGISTRY, "project": "b"}], "two registries are for the first organisation; leave one"),
        ([THEIRS, {**THEIRS, "project": "b"}], "two registries are for org-6f706e83-0ec1-437a-9a46-7d4281eb2f39; leave"
         " one"),
        ([REGISTRY, {**THEIRS, "project": "studio"}], "two organisations have the images of"
         " registry.example.org:5000/studio/ together; give each a project of its own"),
        ([{**THEIRS, "project": "studio/a"}, {**REGISTRY, "url": "http://registry.example.org:5000/"}], "two"
         " organisations have the images of registry.example.org:5000/studio/ together; give each a project of its"
         " own"),
    ],
)  # fmt: skip
def test_wrong_registries_are_told_without_passwords(registries: Any, told: str) -> None:
    with pytest.raises(WrongSetting) as caught:
        load_settings({"registries": registries}, {})
    assert str(caught.value) == f"--registries: {told}"
    assert "alohomora" not in str(caught.value)
    with pytest.raises(WrongSetting, match="INNKEEPER_REGISTRIES: registries are tables"):
        load_settings({}, {"INNKEEPER_REGISTRIES": "alohomora"})


@pytest.mark.parametrize(
    ("url", "host", "origin"),
    [
        ("registry.example.org", "registry.example.org", "https://registry.example.org"),
        ("https://Registry.example.org:5000/", "registry.example.org:5000", "https://registry.example.org:5000"),
        ("http://10.0.0.7:5000", "10.0.0.7:5000", "http://10.0.0.7:5000"),
        ("HTTP://registry.lan", "registry.lan", "http://registry.lan"),
        ("127.0.0.1:5000", "127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("https://localhost:5000", "localhost:5000", "https://localhost:5000"),
        ("[::1]:5000", "[::1]:5000", "http://[::1]:5000"),
    ],
)
def test_where_a_registry_is(url: str, host: str, origin: str, tmp_path: Path) -> None:
    file = tmp_path / "innkeeper.toml"
    file.write_text(
        f'[[registries]]\nurl = "{url}"\nproject = "studio"\nusername = "ci"\npassword = "alohomora"\n'
        f'[[registries]]\nurl = "{url}"\nproject = "studio-2"\nusername = "ci"\npassword = "alohomora"\n'
        f'organisation = "{THEIRS["organisation"]}"\n'
    )
    settings = load_settings({}, {}, file)
    ours, theirs = settings.registries
    assert (ours.host, ours.origin, ours.organisation) == (host, origin, "")
    assert (theirs.project, theirs.organisation) == ("studio-2", THEIRS["organisation"])
    assert "alohomora" not in repr(settings)
