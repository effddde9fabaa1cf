"""What is said of a host: read from the settings file or given by command, and refused in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from innkeeper.hostspecs import HostSpec, clashes, read_spec
from innkeeper.kit.errors import Invalid
from innkeeper.settings import WrongSetting, load_settings

ENGINES = "write unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST[/PATH]"
FILES = {"tls_ca": "ca.pem", "tls_certificate": "c.pem", "tls_key": "k.pem"}


def said(**more: Any) -> dict[str, Any]:
    return {"name": "fra-1", "engine": "ssh://me@fra-1.example.org", **more}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("fra", "a host is a table with at least name and engine"),
        ({}, "name: write up to 63 small letters, digits, `.`, `_` and `-`, not None"),
        (said(name="Fra"), "name: write up to 63 small letters, digits, `.`, `_` and `-`, not 'Fra'"),
        (said(name="../x"), "name: write up to 63 small letters, digits, `.`, `_` and `-`, not '../x'"),
        (said(name="local"), "name: local is the house's own; write another"),
        ({"name": "fra"}, f"host fra: engine: {ENGINES}"),
        (said(engine=3), "host fra-1: engine: write a text, not 3"),
        *(
            (said(engine=engine), f"host fra-1: engine: {ENGINES}, not {engine!r}")
            for engine in (
                "docker.sock", "http://x", "unix://", "unix:///", "unix://x/y", "tcp://x", "tcp://x:0", "tcp://x:99999",
                "tcp://x:1/y", "ssh://", "ssh://me:secret@x", "ssh://x y", "ssh://x?y",
            )
        ),
        (said(engine="tcp://x:2376"), "host fra-1: tls_ca: an engine at tcp:// is open to everybody who can reach it"
         " unless it asks for certificates: name tls_ca, tls_certificate and tls_key, or reach it by ssh://"),
        (said(engine="tcp://x:2376", tls_ca="ca.pem"),
         "host fra-1: tls_ca: name all three files: tls_ca, tls_certificate and tls_key"),
        (said(**FILES), "host fra-1: tls_ca: TLS is for engines at tcp:// alone"),
        (said(ports="9-1"), "host fra-1: ports: write a range from 1 to 65535, the lower port first, such as"
         " 20000-29999, not '9-1'"),
        (said(cpu="two"), "host fra-1: cpu: write a number of processors above 0, such as 8, not 'two'"),
        (said(cpu=0), "host fra-1: cpu: write a number of processors above 0, such as 8, not 0.0"),
        (said(memory_mb=-1), "host fra-1: memory_mb: write a number of MiB above 0, such as 16384, not -1.0"),
        (said(locations="x"), "host fra-1: locations: write a list of names, such as [\"frankfurt\"], not 'x'"),
        (said(locations=[3]), "host fra-1: locations: write a list of names, such as [\"frankfurt\"], not [3]"),
        (said(address="a b"), "host fra-1: address: write a name or an address that players can dial, not 'a b'"),
        (said(network="bridge"), "host fra-1: network: write one of published, isolated, host, not 'bridge'"),
        (said(read_only="yes"), "host fra-1: read_only: write true or false, not 'yes'"),
        (said(colour="red"), "host fra-1: colour: there is nothing of this name; there is name, engine, address,"
         " locations, ports, cpu, memory_mb, tls_ca, tls_certificate, tls_key, network, read_only, fleet, hosting"),
        (said(fleet="arena"), "host fra-1: fleet: write the id of a fleet, such as"
         " fleet-6f706e83-0ec1-437a-9a46-7d4281eb2f39, not 'arena'"),
        (said(hosting="moon"), "host fra-1: hosting: write one of metal, cloud, shared, not 'moon'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(given: Any, told: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_spec(given)
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("given", "address", "here"),
    [
        (said(), "fra-1.example.org", False),
        (said(engine="ssh://fra-1"), "fra-1", False),
        (said(engine="tcp://127.0.0.1:2375"), "127.0.0.1", False),
        (said(engine="tcp://[2001:db8::1]:2376", **FILES), "2001:db8::1", False),
        (said(engine="unix:///run/podman/podman.sock"), "this.machine", True),
        (said(address="play.example.org"), "play.example.org", False),
    ],
)
def test_what_is_right(given: dict[str, Any], address: str, here: bool) -> None:
    spec = read_spec(given)
    assert (spec.address_or("this.machine"), spec.is_here) == (address, here)


def test_names_and_defaults() -> None:
    spec = read_spec(said(locations=["Los Angeles", "tokyo", "los-angeles"], cpu=4, ports="30000-30001"))
    assert spec.locations == ("los_angeles", "tokyo")
    assert (spec.cpu, spec.memory_mb, spec.network, spec.read_only) == (4.0, None, "published", False)
    assert (spec.port_range_or(), read_spec(said()).port_range_or()) == ((30000, 30001), (20000, 29999))


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ({}, {}, "two hosts have the name fra-1"),
        ({}, {"name": "b"}, "the hosts fra-1 and b have the same engine, ssh://me@fra-1.example.org"),
        ({}, {"name": "b", "engine": "ssh://you@fra-1.example.org"},
         "the hosts fra-1 and b have one address and overlapping ports: part them"),
        ({}, {"name": "b", "engine": "ssh://you@fra-1.example.org", "ports": "30000-30009"}, None),
        ({}, {"name": "b", "engine": "ssh://me@other"}, None),
        ({"engine": "unix:///a"}, {"name": "b", "engine": "unix:///b"}, None),  # they share the machine's ports
    ],
)  # fmt: skip
def test_hosts_that_cannot_be_together(first: dict[str, Any], second: dict[str, Any], told: str | None) -> None:
    assert clashes([read_spec(said(**first)), read_spec(said(**second))]) == told


HOSTS = """
container_engine = "none"
programs = false
lost_seconds = 30
[[hosts]]
name = "fra-1"
engine = "ssh://me@fra-1"
locations = ["Frankfurt"]
[[hosts]]
name = "tokyo"
engine = "unix:///run/docker.sock"
cpu = 8
"""


def test_hosts_of_the_settings_file(tmp_path: Path) -> None:
    (tmp_path / "innkeeper.toml").write_text(HOSTS)
    settings = load_settings({"data": str(tmp_path)}, {})
    assert settings.hosts == (
        HostSpec(name="fra-1", engine="ssh://me@fra-1", locations=("frankfurt",)),
        HostSpec(name="tokyo", engine="unix:///run/docker.sock", cpu=8.0),
    )
    assert (settings.container_engine, settings.programs, settings.lost_seconds) == ("none", False, 30.0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[hosts]]\nname = "a"', "host a: engine: " + ENGINES),
        ('[hosts]\nname = "a"', "hosts are tables of the settings file: [[hosts]], and below it name and engine"),
        ('[[hosts]]\nname = "a"\nengine = "ssh://x"\n[[hosts]]\nname = "a"\nengine = "ssh://y"',
         "two hosts have the name a"),
        ("hosts = 3", "hosts are tables of the settings file: [[hosts]], and below it name and engine"),
        ('container_engine = "docker"', "write auto, none, or where it answers: unix:///PATH, not 'docker'"),
        ('programs = "perhaps"', "write true or false, not 'perhaps'"),
        ("lost_seconds = 0", "write a number from 1 to 86400, not 0"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_file_is_told_with_the_file(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "innkeeper.toml").write_text(text)
    with pytest.raises(WrongSetting) as caught:
        load_settings({"data": str(tmp_path)}, {})
    name = text.strip("[").split()[0].strip("]")
    assert str(caught.value) == f"{name} in {tmp_path / 'innkeeper.toml'}: {told}"


def test_hosts_are_not_for_the_environment() -> None:
    with pytest.raises(WrongSetting, match="INNKEEPER_HOSTS: hosts are tables of the settings file"):
        load_settings({}, {"INNKEEPER_HOSTS": "fra-1"})
