"""What people read: errors of connections, figures, times, and progress."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from innkeeper.cli.failures import Failure, unreachable
from innkeeper.cli.fitting import fitting_app_name, fitting_build_words
from innkeeper.cli.rooms import since
from innkeeper.cli.talk import Talk, checked_url, first_region
from innkeeper.cli.telling import hours, many, size
from innkeeper.cli.uploading import now_and_then
from innkeeper.contract.errors import ConnectionFailed
from innkeeper.contract.hathora.discovery_v2 import PingEndpoints
from innkeeper.contract.hathora.rooms_v2 import Room
from innkeeper.contract.hathora.words import Region


def untrusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    return error


def no_tls() -> ssl.SSLError:
    error = ssl.SSLError(1, "wrong version number")
    error.reason = "WRONG_VERSION_NUMBER"
    return error


@pytest.mark.parametrize(
    ("beneath", "told"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "does not answer (connection refused). Start an Innkeeper"),
        (socket.gaierror(-2, "Name or service not known"), "does not answer (there is no host of that name)."),
        (Exception("IncompleteRead(0 bytes read)", ValueError("IncompleteRead")), "(the connection broke off)"),
        (Exception(untrusted()), "is not trusted (self-signed certificate). If it is one of your own"),
        (Exception(no_tls()), "speaks no TLS that can be understood (wrong version number)."),
    ],
)
def test_why_nobody_can_be_reached(beneath: Exception, told: str) -> None:
    try:
        raise ConnectionFailed("the connection failed: ...", sent=False) from beneath
    except ConnectionFailed as error:
        text = unreachable(error, "https://inn")
    assert told in text
    assert "https://inn" in text
    assert "IncompleteRead" not in text
    assert ("SSL_CERT_FILE" in text) is ("not trusted" in text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("127.0.0.1:8080", "write http://127.0.0.1:8080"),
        ("inn.example.org", "write http://inn.example.org"),
        ("ftp://x", "write a whole one, such as http://127.0.0.1:8080"),
        ("http://x:99999", "write a whole one"),
    ],
)
def test_what_is_no_url_of_an_innkeeper(text: str, told: str) -> None:
    with pytest.raises(Failure, match=told) as caught:
        checked_url(text, "--url")
    assert caught.value.exit_code == 2


def test_the_next_command_is_told_whole_and_without_the_token() -> None:
    talk = Talk("http://x", "secret", "my data", as_json=False, said={"url", "token", "data"})
    told = talk.again("rooms", "watch", "r1", app="my game")
    assert told == "innkeeper rooms watch r1 --app 'my game' --url http://x --data 'my data' --token TOKEN"
    talk = Talk("http://x", "secret", "my data", as_json=False)  # all of it from the environment
    assert talk.again("rooms", "create") == "innkeeper rooms create"


def test_the_region_where_none_is_named() -> None:
    served = [PingEndpoints(region=region, host="h", port=1) for region in (Region.TOKYO, Region.LONDON)]
    assert first_region(served, "http://inn") is Region.TOKYO
    with pytest.raises(Failure, match="http://inn serves no region"):
        first_region([], "http://inn")


@pytest.mark.parametrize(
    ("count", "told"),
    [(0, "0 bytes"), (1, "1 byte"), (697, "697 bytes"), (1000, "1.0 kB"), (5_230_000, "5.2 MB"), (3.1e9, "3.1 GB")],
)
def test_sizes(count: float, told: str) -> None:
    assert size(count) == told


def test_counts_and_hours() -> None:
    assert [many(count, "file") for count in (0, 1, 2)] == ["0 files", "1 file", "2 files"]
    assert [hours(count) for count in (0, 0.004, 0.0212267, 12.345)] == ["0.00", "less than 0.01", "0.02", "12.35"]


def test_progress_is_told_now_and_then_where_there_is_no_terminal() -> None:
    now, told = [0.0], list[str]()
    progress = now_and_then("Packing", lambda: now[0], told.append, every=3)
    for second in range(10):
        now[0] = second
        progress(second * 1000, 9000)
    assert told == ["Packing: 3.0 kB of 9.0 kB", "Packing: 6.0 kB of 9.0 kB"]


NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "ends", "told"),
    [
        ("active", [None], NOW),
        ("scheduling", [], NOW),
        ("suspended", ["2026-01-01T00:00:00Z"], NOW),
        ("destroyed", ["2026-01-01T00:00:00Z", "2025-12-31T00:00:00Z"], datetime(2026, 1, 1, tzinfo=UTC)),
        ("destroyed", [], NOW),  # it never had a server
    ],
)
def test_the_time_told_of_a_room(status: str, ends: list[str | None], told: datetime) -> None:
    stays: list[dict[str, Any]] = [
        {"roomAllocationId": "a", "processId": "p", "scheduledAt": "2025-12-30T00:00:00Z", "unscheduledAt": end}
        for end in ends
    ]
    said = {"appId": "a", "roomId": "r", "status": status, "currentAllocation": None, "allocations": stays}
    assert since(msgspec.convert(said, Room), NOW) == told


def test_names_are_checked_in_our_own_words() -> None:
    for check, told in (
        (
            lambda: fitting_app_name("My Game", "NAME"),
            "NAME: write up to 64 small letters, .* not 'My Game'",
        ),
        (lambda: fitting_build_words("-x", None), "--build-id: write up to 100 letters"),
        (lambda: fitting_build_words(None, "x" * 1001), "--build-tag: write up to 1000 characters"),
    ):
        with pytest.raises(Failure, match=told) as caught:
            check()
        assert caught.value.exit_code == 2
    fitting_app_name("my-game-2", "NAME")
    fitting_build_words(None, None)
