"""TLS ended for games, decided: which numbers a server takes, where each port leads, which certificate is shown."""

from __future__ import annotations

import ssl
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.engines.fake import FakeEngine
from innkeeper.engines.ports import NoPortLeft, PortTable
from innkeeper.engines.tls.identity import OWN, OWN_PUBLIC, Certificates, NoIdentity, read, self_signed, serves
from innkeeper.engines.tls.wire import FOLDER, Backend, changes
from innkeeper.hosting.hosts import TLS, Host, TlsDoor, held_numbers
from innkeeper.hosting.model import GivenPort, PortSpec, Server, ServerState
from innkeeper.hosting.tls import listens_on, routes_of
from innkeeper.kit.clock import SECOND, ManualClock

NOW = 1_800_000_000 * SECOND
DAY = 24 * 3600 * SECOND


def table(first: int, last: int, quarantine: float = 60.0) -> PortTable:
    return PortTable(first, last, quarantine, lambda *_: True)


def host(ports: PortTable, door: TlsDoor | None = None) -> Host:
    return Host("h", FakeEngine(ManualClock()), ports, "203.0.113.9", tls=door)


def server(state: ServerState, *ports: GivenPort, address: str | None = "203.0.113.9") -> Server:
    fields = dict.fromkeys(Server.__struct_fields__)
    fields |= {
        "id": "s", "app_id": "a", "release_id": "r", "location": "tokyo", "state": state, "accepting": 0, "seats": 1,
        "taken": 0, "cause": "room", "handle": "", "created_at": 0, "address": address,
        "ports": msgspec.json.encode(list(ports)).decode(),
    }  # fmt: skip
    return Server(**fields)


# -- numbers -----------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.sampled_from(["udp", "tcp", "tls"]), min_size=1, max_size=3), st.integers(1, 8), st.integers(0, 3),
    st.booleans(),
)  # fmt: skip
def test_a_server_gets_all_its_numbers_or_none_and_gives_them_back(
    transports: list[str], own: int, dialled: int, elsewhere: bool
) -> None:
    ports = table(100, 99 + own)
    door = TlsDoor(table(200, 199 + dialled), "198.51.100.7") if elsewhere and dialled else None
    one = host(ports, door)
    wanted = [PortSpec(f"p{at}", transport, 1) for at, transport in enumerate(transports)]
    secret = transports.count("tls")
    fits = len(wanted) <= own and secret <= dialled if door else len(wanted) + secret <= own
    tables = {"h": ports} | ({TLS: door.ports} if door else {})
    if not fits:
        with pytest.raises(NoPortLeft):
            one.give_ports(wanted, 0)
        assert not any(each.in_use for each in tables.values())
        assert ports.free_count(0) == own  # none rests for having been asked for
        return
    given = one.give_ports(wanted, 0)
    assert [(port.name, port.transport) for port in given] == [(spec.name, spec.transport) for spec in wanted]
    assert all((port.behind > 0) == (port.transport == "tls") for port in given)
    assert all(port.host == ("198.51.100.7" if door and port.behind else "") for port in given)
    held = list(held_numbers("h", given))
    assert len(set(held)) == len(held) == len(wanted) + secret
    assert {name: {number for owner, number in held if owner == name} for name in tables} == {
        name: set(each.in_use) for name, each in tables.items()
    }
    assert one.tls_moves == secret
    one.take_back(given, 0)
    assert not any(each.in_use for each in tables.values())
    assert one.tls_moves == 2 * secret


def test_a_port_that_two_hosts_of_a_machine_had_rests_as_long_as_the_later_one_says() -> None:
    ports = table(100, 100)
    ports.hold(100, 50 * SECOND)
    ports.hold(100, 0)
    assert ports.free_count(100 * SECOND) == 0
    assert ports.free_count(110 * SECOND) == 1


# -- routes ------------------------------------------------------------------------------------------------------------

HERE, FAR = GivenPort("default", "tls", 10, behind=11), GivenPort("web", "tls", 20, behind=21, host="198.51.100.7")


@pytest.mark.parametrize(
    ("servers", "routes"),
    [
        ([], {}),
        ([server(ServerState.RUNNING, GivenPort("default", "tcp", 5))], {}),
        ([server(ServerState.STARTING, HERE)], {10: Backend("127.0.0.1", 11)}),
        ([server(ServerState.STOPPING, HERE, FAR)], {10: Backend("127.0.0.1", 11), 20: Backend("203.0.113.9", 21)}),
        ([server(ServerState.RUNNING, GivenPort("a", "udp", 9), FAR)], {20: Backend("203.0.113.9", 21)}),
        ([server(ServerState.FAILED, HERE), server(ServerState.STOPPED, FAR)], {}),
        ([server(ServerState.WANTED)], {}),
    ],
)
def test_each_port_leads_to_what_the_program_bound(servers: list[Server], routes: dict[int, Backend]) -> None:
    assert routes_of(servers) == routes


@pytest.mark.parametrize(
    ("address", "listens"),
    [("127.0.0.1", "127.0.0.1"), ("127.0.0.2", "127.0.0.2"), ("::1", "::1"), ("localhost", "localhost"),
     ("203.0.113.9", ""), ("2001:db8::1", ""), ("inn.example.org", "")],
)  # fmt: skip
def test_a_house_on_loopback_opens_no_door(address: str, listens: str) -> None:
    assert listens_on(address) == listens


_ROUTES = st.dictionaries(st.integers(1, 6), st.builds(Backend, st.just("h"), st.integers(1, 2)))


@given(_ROUTES, _ROUTES)
def test_changes_make_one_table_the_other(have: dict[int, Backend], want: dict[int, Backend]) -> None:
    close, fresh, moved = changes(have, want)
    after = {port: backend for port, backend in have.items() if port not in close}
    assert not set(fresh) & set(after)
    after |= {port: want[port] for port in [*fresh, *moved]}
    assert after == want
    assert changes(want, want) == ([], [], [])


# -- certificates ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["127.0.0.1", "2001:db8::1", "inn.example.org", "localhost", "gasthäuser.example"])
def test_a_certificate_of_our_own_is_for_its_address(address: str) -> None:
    made = self_signed(address, NOW)
    assert serves(made, address, NOW)
    assert not serves(made, "other.example.org", NOW)
    assert not serves(made, address, NOW + 336 * DAY)  # a month before its end
    assert not serves(made, address, NOW - 3 * DAY)
    assert "PRIVATE KEY" not in made.chain
    assert "PRIVATE" not in repr(made)


def test_it_is_kept_and_made_anew_before_it_ends(tmp_path: Path) -> None:
    first = Certificates(tmp_path, "127.0.0.1", None).current(NOW)
    again = Certificates(tmp_path, "127.0.0.1", None)
    assert again.current(NOW + 300 * DAY) == first
    folder = tmp_path / FOLDER
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {OWN: 0o600, OWN_PUBLIC: 0o600}
    assert (folder / OWN_PUBLIC).read_text() == first.chain
    later = again.current(NOW + 340 * DAY)
    assert later != first
    assert again.current(NOW + 340 * DAY) is later
    assert Certificates(tmp_path, "inn.example.org", None).current(NOW + 340 * DAY) != later
    (folder / OWN).write_text("rubbish")
    assert Certificates(tmp_path, "127.0.0.1", None).current(NOW) not in (first, later)


def test_a_name_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(NoIdentity, match="no host name"):
        Certificates(tmp_path, "a" * 70 + ".example", None).current(NOW)


def written(folder: Path, address: str) -> tuple[str, str]:
    made = self_signed(address, NOW)
    (folder / "chain.pem").write_text(made.chain)
    (folder / "key.pem").write_text(made.key)
    return str(folder / "chain.pem"), str(folder / "key.pem")


def test_the_operators_files_are_read_again_when_they_change(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = written(tmp_path, "a.example")
    certificates = Certificates(tmp_path, "a.example", files)
    first = certificates.current(NOW)
    assert certificates.current(NOW) is first
    half = self_signed("a.example", NOW)
    (tmp_path / "chain.pem").write_text(half.chain)  # in the middle of a renewal
    assert certificates.current(NOW) is first
    assert certificates.current(NOW) is first
    assert len(caplog.records) == 1
    assert "players are shown the certificate before it" in caplog.text
    (tmp_path / "key.pem").write_text(half.key)
    assert certificates.current(NOW) == half
    (tmp_path / "key.pem").unlink()
    assert certificates.current(NOW) == half
    with pytest.raises(NoIdentity, match="No such file"):
        Certificates(tmp_path, "a.example", files).current(NOW)


def test_a_key_with_a_passphrase_is_refused_and_not_asked_for(tmp_path: Path) -> None:
    chain, key = written(tmp_path, "a.example")
    plain = serialization.load_pem_private_key(Path(key).read_bytes(), None)
    sealed = plain.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
    )
    Path(key).write_bytes(sealed)
    with pytest.raises(NoIdentity, match="without a passphrase"):
        read(chain, key)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate(tmp_path: Path, content: bytes) -> None:
    chain, key = written(tmp_path, "a.example")
    Path(chain).write_bytes(content)
    with pytest.raises(NoIdentity, match="cannot be used"):
        read(chain, key)


def test_the_strictest_clients_can_trust_it() -> None:
    made = self_signed("inn.example.org", NOW)
    context = ssl.create_default_context(cadata=made.chain)
    assert len(context.get_ca_certs(binary_form=True)) <= 1  # it is no authority: it can sign nothing else
    found = x509.load_pem_x509_certificate(made.chain.encode())
    assert not found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
