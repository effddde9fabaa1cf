"""The pure parts: whether to try again, how values travel, what an answer means, which proxy is named."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.contract.hathora import HATHORA
from innkeeper.contract.hathora.processes_v3 import ProcessesV3
from innkeeper.contract.hathora.rooms_v2 import RoomsV2
from innkeeper.contract.hathora.words import Region
from innkeeper.sdk import (
    AnswerUnreadable,
    Backoff,
    CallError,
    ConnectionFailed,
    DeadlineExceeded,
    NotFound,
    Response,
    ServerError,
    StatusError,
)
from innkeeper.sdk.decoding import decode, status_error
from innkeeper.sdk.encoding import arguments, encode, text
from innkeeper.sdk.retry import mends, retry_after, wait_after
from innkeeper.sdk.transports.proxies import proxy_for


def status(number: int, asked: float | None = None) -> StatusError:
    return StatusError("x", status=number, headers={}, body=b"", retry_after=asked)


@pytest.mark.parametrize(
    ("failure", "safe", "unsafe"),
    [
        (ConnectionFailed("x", sent=False), True, True),
        (ConnectionFailed("x", sent=True), True, False),
        (DeadlineExceeded("x"), False, False),
        (AnswerUnreadable("x", status=200, headers={}, body=b""), False, False),
        (status(429), True, True),
        (status(503), True, False),
        (status(500), True, False),
        (status(502), True, False),
        (status(504), True, False),
        (status(501), False, False),
        (status(408), True, False),
        *((status(number), False, False) for number in (302, 400, 401, 402, 403, 404, 409, 410, 422)),
    ],
)
def test_what_is_tried_again(failure: CallError, safe: bool, unsafe: bool) -> None:
    assert mends(failure, connection_errors=True, safe=True) is safe
    assert mends(failure, connection_errors=True, safe=False) is unsafe
    if isinstance(failure, ConnectionFailed):
        assert not mends(failure, connection_errors=False, safe=True)


@pytest.mark.parametrize(
    ("attempt", "failure", "left", "wait"),
    [
        (1, status(503), None, 0.25),
        (2, status(503), None, 0.5),
        (3, status(503), None, 1.0),
        (4, status(503), None, None),  # four tries are all
        (1, status(503, 7), None, 7),
        (1, status(503, 0), None, 0),
        (1, status(429, 60), None, 60),
        (1, status(429, 60.5), None, None),  # longer than is waited for
        (1, status(429, 7), 7.0, None),  # past the deadline
        (1, status(429, 7), 7.1, 7),
        (1, status(503), 0.2, None),
        (1, status(404, 7), None, None),
    ],
)
def test_how_long_is_waited(attempt: int, failure: CallError, left: float | None, wait: float | None) -> None:
    assert wait_after(failure, attempt, Backoff(tries=4), safe=True, left=left, chance=0.5) == wait


@given(st.integers(1, 60), st.floats(0, 1, exclude_max=True))
def test_waits_are_bounded(attempt: int, chance: float) -> None:
    wait = wait_after(status(503), attempt, Backoff(tries=100), safe=True, left=None, chance=chance)
    assert wait is not None
    assert 0 <= wait <= 8.0


NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None), ("", None), ("soon", None), ("-3", None), ("nan", None), ("inf", None),
        ("0", 0), ("7", 7), (" 1.5 ", 1.5), ("Fri, 99 Foo 2027 08:00:00 GMT", None),
        (format_datetime(datetime.fromtimestamp(NOW + 30, UTC), usegmt=True), 30),
        (format_datetime(datetime.fromtimestamp(NOW - 30, UTC), usegmt=True), 0),
    ],
)  # fmt: skip
def test_retry_after_is_a_number_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (True, "true"), (False, "false"), (3, "3"), (3.0, "3"), (0.25, "0.25"), (Region.TOKYO, "Tokyo"),
        (Region("Mars"), "Mars"), (date(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-01-31T12:00:00Z"),
        (datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=2))), "2026-01-31T12:00:00+02:00"),
    ],
)  # fmt: skip
def test_how_a_value_travels(value: Any, sent: str) -> None:
    assert text(value) == sent


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda word: word not in (".", "..")))
def test_any_id_stays_in_its_segment(word: str) -> None:
    values = arguments(RoomsV2.destroy_room, (word,), {"app_id": "app-1"})
    target, body = encode(RoomsV2.destroy_room, values, {})
    assert body is None
    assert target.isascii()
    segments = urlsplit("http://h" + target).path.split("/")
    assert segments[:5] == ["", "rooms", "v2", "app-1", "destroy"]
    assert [unquote(segment) for segment in segments[5:]] == [word]


@given(
    st.lists(st.sampled_from(Region)),
    st.none() | st.floats(allow_nan=False, allow_infinity=False, min_value=0, max_value=1e12),
)
def test_any_query_is_read_back(regions: list[Region], before: float | None) -> None:
    kwargs = {"app_id": "a&b=c", "region": regions, "before": before}
    target, _ = encode(ProcessesV3.get_latest_processes, arguments(ProcessesV3.get_latest_processes, (), kwargs), {})
    pairs = parse_qsl(urlsplit(target).query)
    assert [value for name, value in pairs if name == "region"] == [region.value for region in regions]
    assert [float(value) for name, value in pairs if name == "before"] == ([] if before is None else [before])


def test_every_operation_can_be_sent() -> None:
    """Each declaration compiles, and each path can be filled in."""
    for operation in HATHORA.operations():
        values: dict[str, Any] = {parameter.name: "x" for parameter in operation.plan.path}
        if operation.plan.body is not None:
            values[operation.plan.body.name] = b"x" if operation.plan.binary else {}
        target, _ = encode(operation, values, {})
        assert "{" not in target
        assert target.count("/") == operation.path.count("/")


@given(st.binary(max_size=200), st.sampled_from([400, 404, 418, 500, 599, 999]))
def test_no_body_hides_a_status(body: bytes, number: int) -> None:
    error = status_error("GetRoom", Response(number, {"Content-Type": "x"}, body), 1, NOW)
    assert error.status == number
    assert error.body == body
    assert error.message
    assert isinstance(error, NotFound) is (number == 404)
    assert isinstance(error, ServerError) is (number >= 500)
    assert str(error).isprintable()


@given(st.binary(max_size=200))
def test_no_body_of_a_success_raises_anything_else(body: bytes) -> None:
    with pytest.raises(AnswerUnreadable):
        decode(RoomsV2.get_room_info, Response(200, {}, body), 1)


@pytest.mark.parametrize(
    ("origin", "environ", "proxy"),
    [
        ("http://a.example", {}, None),
        ("http://a.example", {"HTTP_PROXY": "http://p:1"}, "http://p:1"),
        ("https://a.example", {"HTTP_PROXY": "http://p:1"}, None),
        ("https://a.example", {"https_proxy": "p:1", "HTTPS_PROXY": "http://q:1"}, "http://p:1"),
        ("https://a.example", {"ALL_PROXY": "http://p:1"}, "http://p:1"),
        ("http://a.example", {"HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}, None),
        ("http://a.example:80", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "b.example, a.example"}, None),
        ("http://x.a.example", {"HTTP_PROXY": "http://p:1", "NO_PROXY": ".a.example"}, None),
        ("http://x.a.example", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "*.a.example"}, None),
        ("http://xa.example", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "a.example"}, "http://p:1"),
        ("http://a.example:80", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "a.example:81"}, "http://p:1"),
        ("http://a.example:81", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "a.example:81"}, None),
        ("http://[::1]:81", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "::1"}, None),
        ("http://a.example", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
        ("http://a.example", {"HTTP_PROXY": "http://p:1", "NO_PROXY": ","}, "http://p:1"),
    ],
)
def test_which_proxy_the_environment_names(origin: str, environ: dict[str, str], proxy: str | None) -> None:
    assert proxy_for(origin, environ) == proxy
