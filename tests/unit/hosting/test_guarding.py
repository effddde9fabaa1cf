"""Which ports are guarded for whom, decided from what is on record; and what a rule of access stands for."""

from __future__ import annotations

from ipaddress import ip_network

import msgspec
import pytest

from innkeeper.hosting.access import network_of
from innkeeper.hosting.model import GivenPort, Server, ServerState
from innkeeper.hosting.passes.guarding import numbers_of, walls_of
from innkeeper.hosting.queries.access import Guarded
from innkeeper.kit.errors import Invalid


def guarded(server_id: str, *ports: GivenPort, label: str | None = "lbl") -> Guarded:
    fields = dict.fromkeys(Server.__struct_fields__)
    fields |= {"id": server_id, "state": ServerState.RUNNING, "ports": msgspec.json.encode(list(ports)).decode()}
    return Guarded(Server(**fields), label)


GAME = GivenPort("default", "udp", 20001)
TLS = GivenPort("web", "tls", 20002, behind=20003)
CIDRS = {"lbl": ["192.0.2.7/24", "192.0.2.9"], "other": ["::/0"]}


def open_to(alive: list[Guarded], left: list[Guarded], *used: int) -> tuple[dict[int, list[str]], set[int]]:
    walls = walls_of(alive, left, CIDRS, lambda port: port in used)
    return {port: [str(one) for one in listed.networks] for port, listed in walls.open_to.items()}, set(walls.inner)


def test_every_port_of_a_server_is_for_those_on_its_list() -> None:
    assert open_to([guarded("s", GAME, TLS)], []) == ({20001: ["192.0.2.0/24"], 20002: ["192.0.2.0/24"]}, {20003})
    assert numbers_of(guarded("s", GAME, TLS).server) == [20001, 20002, 20003]


def test_each_has_its_own_list_and_nobody_is_on_none() -> None:
    other = guarded("t", GivenPort("default", "tcp+udp", 20009), label="other")
    without = guarded("u", GivenPort("default", "udp", 20010), label="empty")
    nobodys = guarded("v", GivenPort("default", "udp", 20011), label=None)
    assert open_to([guarded("s", GAME), other, without, nobodys], [])[0] == {
        20001: ["192.0.2.0/24"], 20009: ["::/0"], 20010: [], 20011: [],
    }  # fmt: skip


def test_what_is_left_is_guarded_unless_somebody_else_has_the_number() -> None:
    gone = guarded("s", GAME, TLS)
    assert open_to([], [gone]) == ({20001: ["192.0.2.0/24"], 20002: ["192.0.2.0/24"]}, {20003})
    assert open_to([], [gone], 20001, 20003) == ({20002: ["192.0.2.0/24"]}, set())
    living = guarded("t", GAME, label="other")
    assert open_to([living], [guarded("s", GAME)])[0] == {20001: ["::/0"]}


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("192.0.2.1/32", "192.0.2.1/32"),
        ("1.2.3.4/16", "1.2.0.0/16"),  # as the vendor's own example has it
        (" 192.0.2.1 ", "192.0.2.1/32"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("2001:DB8::1/32", "2001:db8::/32"),
    ],
)
def test_what_a_rule_stands_for(text: str, network: str) -> None:
    assert network_of(text) == ip_network(network)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "all",
        "192.0.2",
        "192.0.2.1/33",
        "192.0.2.1-9",
        "::ffff:192.0.2.1",
        "1.2.3.4,5",
        "fe80::1%eth0",
        "fe80::%a }\nflush ruleset\n/64",
    ],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(Invalid, match="cidr: write"):
        network_of(text)
