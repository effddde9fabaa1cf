"""What webhooks and events are decided by: pure functions, by tables and by chance."""

from __future__ import annotations

from collections import Counter
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.kit.clock import HOUR, SECOND
from innkeeper.kit.errors import Invalid
from innkeeper.notices.destinations import check_url, is_public
from innkeeper.notices.events import other_row
from innkeeper.notices.kinds import EVERY, KINDS, TOPICS, Kinds
from innkeeper.notices.model import TRIED, DeliveryState, Due, Event, Seen, Webhook
from innkeeper.notices.queries.events import numbered, owed_to
from innkeeper.notices.schedule import WAITS, Answer, Limits, choose, retry_after, verdict, wait_after
from innkeeper.notices.signing import signed_headers

NOW = 1_800_000_000 * SECOND


# When


@pytest.mark.parametrize(
    ("answer", "attempts", "age_hours", "expected"),
    [
        (Answer(200, ""), 1, 0, (DeliveryState.DELIVERED, None, False)),
        (Answer(204, "x"), 9, 90, (DeliveryState.DELIVERED, None, False)),
        (Answer(500, ""), 1, 0, (DeliveryState.PENDING, 1.0, False)),
        (Answer(None, "no"), 2, 0, (DeliveryState.PENDING, 5.0, False)),
        (Answer(302, ""), 3, 0, (DeliveryState.PENDING, 30.0, False)),
        (Answer(404, ""), 4, 0, (DeliveryState.PENDING, 120.0, False)),
        (Answer(429, "", 0.5), 1, 0, (DeliveryState.PENDING, 1.0, False)),
        (Answer(429, "", 900.0), 1, 0, (DeliveryState.PENDING, 900.0, False)),
        (Answer(503, "", 90_000.0), 1, 0, (DeliveryState.PENDING, 3600.0, False)),
        (Answer(500, ""), 8, 30, (DeliveryState.PENDING, 6 * 3600.0, False)),
        (Answer(500, ""), 30, 65, (DeliveryState.PENDING, 6 * 3600.0, False)),
        (Answer(500, ""), 30, 67, (DeliveryState.GIVEN_UP, None, False)),
        (Answer(500, ""), 1, 73, (DeliveryState.GIVEN_UP, None, False)),
        (Answer(410, "bye"), 1, 0, (DeliveryState.GIVEN_UP, None, True)),
    ],
)
def test_what_follows_from_an_answer(
    answer: Answer, attempts: int, age_hours: int, expected: tuple[DeliveryState, float | None, bool]
) -> None:
    found = verdict(answer, attempts, NOW - age_hours * HOUR, NOW, 0.5)
    state, wait, gone = expected
    assert found == (state, None if wait is None else NOW + round(wait * SECOND), gone)


@given(
    attempts=st.integers(1, 1000), chance=st.floats(0, 1, exclude_max=True), unit=st.floats(0.01, 60),
    asked=st.none() | st.floats(0, 1e9),
)  # fmt: skip
def test_waits_are_around_the_schedule(attempts: int, chance: float, unit: float, asked: float | None) -> None:
    step = WAITS[min(attempts, len(WAITS)) - 1] * unit
    wait = wait_after(attempts, asked, chance, unit)
    assert wait >= step / 2 or asked is not None
    assert wait <= max(1.5 * step, 3600.0 if asked is not None else 0)
    assert asked is None or wait >= min(asked, 3600.0)


@given(first=st.floats(0, 1, exclude_max=True), data=st.data())
def test_a_receiver_that_never_answers_is_given_up_within_three_days(first: float, data: st.DataObject) -> None:
    now, attempts = NOW, 0
    while True:
        attempts += 1
        chance = first if attempts == 1 else data.draw(st.floats(0, 1, exclude_max=True))
        found = verdict(Answer(None, "away"), attempts, NOW, now, chance)
        if found.state is DeliveryState.GIVEN_UP:
            break
        assert found.next_at is not None
        assert now < found.next_at <= NOW + TRIED
        now = found.next_at
    assert 12 <= attempts <= 40
    assert now > NOW + TRIED - 10 * HOUR


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None), ("", None), ("120", 120.0), (" 7 ", 7.0), ("-1", None), ("1.5", None), ("soon", None),
        ("Fri, 15 Jan 2027 08:01:00 GMT", 60.0), ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0), ("²", None), ("9" * 101, None),
        ("Fri, 99 Jan 2027 08:01:00 GMT", None),
    ],
)  # fmt: skip
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


# Which


def due(name: str, webhook: str, org: str, subject: str) -> Due:
    event = Event(f"evt-{name}", org, 1, None, "room.opened", subject, NOW, "{}")
    return Due(name, webhook, org, "http://x", "s", None, None, 0, NOW, event)


@st.composite
def waiting(draw: st.DrawFn) -> tuple[list[Due], list[Due], Limits]:
    count = draw(st.integers(0, 60))
    ones = [due(f"d{at}", f"h{draw(st.integers(0, 4))}", "", f"s{draw(st.integers(0, 6))}") for at in range(count)]
    ones = [one._replace(org_id=f"o{int(one.webhook_id[1:]) % 2}") for one in ones]
    busy: dict[tuple[str, str], Due] = {}
    for one in draw(st.lists(st.sampled_from(ones), max_size=8)) if ones else []:
        busy.setdefault(one.line, one)
    limits = Limits(draw(st.integers(1, 12)), draw(st.integers(1, 8)), draw(st.integers(1, 5)))
    return ones, list(busy.values()), limits


@given(waiting())
def test_lanes(given: tuple[list[Due], list[Due], Limits]) -> None:
    ones, busy, limits = given
    by_webhook: dict[str, list[Due]] = {}
    for one in ones:
        by_webhook.setdefault(one.webhook_id, []).append(one)
    chosen = choose(by_webhook, busy, limits)
    lines = Counter(one.line for one in [*busy, *chosen])
    assert all(lines[one.line] == 1 for one in chosen)  # one after the other
    of_webhook = Counter(one.webhook_id for one in [*busy, *chosen])
    of_org = Counter(one.org_id for one in [*busy, *chosen])
    for one in chosen:
        assert of_webhook[one.webhook_id] <= limits.each_webhook
        assert of_org[one.org_id] <= limits.each_org
    assert len(chosen) <= max(0, limits.all - len(busy))
    # Nobody is left standing who has a free line and a place.
    left = len(busy) + len(chosen) < limits.all
    for one in ones:
        has_place = of_webhook[one.webhook_id] < limits.each_webhook and of_org[one.org_id] < limits.each_org
        assert one.line in lines or not (left and has_place)


def test_webhooks_take_turns() -> None:
    many = [due(f"a{at}", "a", "o", f"s{at}") for at in range(9)]
    few = [due("b0", "b", "o", "s0")]
    assert [one.id for one in choose({"a": many, "b": few}, [], Limits(4, 9, 9))] == ["a0", "b0", "a1", "a2"]
    busy = [due("a9", "a", "o", "s9")]
    assert [one.id for one in choose({"a": many, "b": few}, busy, Limits(2, 9, 9))] == ["b0"]


# What


@pytest.mark.parametrize(
    ("words", "yes", "no"),
    [
        (None, ["room.opened", "host.lost", "new.thing"], []),
        (["*", "room.ended"], ["build.failed"], []),
        (["room.*"], ["room.opened", "room.new-word"], ["server.failed", "rooms.x"]),
        (["room.ended", "build.*"], ["room.ended", "build.failed"], ["room.opened", "host.up"]),
    ],
)
def test_kinds(words: list[str] | None, yes: list[str], no: list[str]) -> None:
    kinds = Kinds.of(words)
    assert Kinds.stored(kinds.text) == kinds
    assert [kind for kind in (*yes, *no) if kinds.match(kind)] == yes


@pytest.mark.parametrize("word", ["room", "room.", "room.close", "*.ended", "**", "", "webhook.test"])
def test_kinds_that_there_are_not(word: str) -> None:
    with pytest.raises(Invalid, match="there is no event"):
        Kinds.of([word])


def test_an_empty_list_is_a_mistake_and_not_everything() -> None:
    with pytest.raises(Invalid, match=r"kinds: the list is empty"):
        Kinds.of([])


def test_the_catalogue() -> None:
    assert TOPICS == ("room", "server", "build", "host")
    assert all(Kinds.of([kind]).match(kind) for kind in KINDS)
    assert EVERY.every


def webhook(name: str, org_id: str, *words: str, app_id: str | None = None) -> Webhook:
    return Webhook(name, org_id, app_id, "http://x", Kinds.of(words or None), "", True, None, 0, None, NOW, "me")


def test_numbers_and_debts() -> None:
    ids = [f"evt-00000000-0000-4000-8000-00000000000{at}" for at in range(5)]
    rows = [
        (1, "room.opened", "r1", NOW, "{}", "app-1", "o1"),
        (4, "room.opened", "r2", NOW, "{}", "app-2", "o2"),
        (5, "room.ended", "r1", NOW, "{}", "app-1", "o1"),
    ]
    events = numbered(rows, {"o1": 41}, ids)
    assert [(event.org_id, event.number, event.id) for event in events] == [
        ("o1", 42, ids[0]), ("o2", 1, ids[1]), ("o1", 43, ids[2]),
    ]  # fmt: skip
    hooks = [
        webhook("h1", "o1"), webhook("h2", "o1", "room.ended"), webhook("h3", "o2"),
        webhook("h4", "o1", app_id="app-2"),
    ]  # fmt: skip
    owed = owed_to(hooks, events)
    assert [(one.webhook_id, one.event_id) for one in owed] == [
        ("h1", ids[0]), ("h3", ids[1]), ("h1", ids[2]), ("h2", ids[2]),
    ]  # fmt: skip
    assert owed == owed_to(hooks, events)  # the same again: the same deliveries
    assert len({one.id for one in owed}) == 4


@pytest.mark.parametrize(
    ("after", "seen", "last", "there", "says"),
    [
        (0, None, 0, None, None),
        (115, None, 115, None, None),
        (5000, None, 115, None, "there is no event 5000 on this Innkeeper, the last one is 115"),
        (1, None, 0, None, "go on after 0, or without a number"),
        (115, Seen(115, "evt-a"), 130, "evt-a", None),
        (115, Seen(110, "evt-a"), 130, None, None),  # it is not kept any more: nobody knows
        (115, Seen(115, "evt-a"), 130, "evt-b", "event 115 is another one on this Innkeeper"),
        (120, Seen(115, "evt-a"), 130, "evt-b", "restored from an older backup"),
    ],
)
def test_a_readers_place(after: int, seen: Seen | None, last: int, there: str | None, says: str | None) -> None:
    found = other_row(after, seen, last, there)
    assert found is None if says is None else found is not None and says in found


@pytest.mark.parametrize("text", ["", "115", "115:", ":evt-a", "-1:evt-a", "115:x", "٣:evt-a", "9" * 19 + ":evt-a"])
def test_what_is_no_event_that_was_seen(text: str) -> None:
    assert Seen.of("115:evt-a") == Seen(115, "evt-a")
    with pytest.raises(Invalid, match="the number and the id of an event"):
        Seen.of(text)


def test_the_body_is_compact_and_the_same_each_time() -> None:
    event = Event("evt-1", "o", 7, "app-1", "room.ended", "r1", NOW + 1, '{"room":"r1"}')
    assert event.body() == (
        b'{"id":"evt-1","type":"room.ended","number":7,"at":"2027-01-15T08:00:00.000001Z","app":"app-1",'
        b'"data":{"room":"r1"}}'
    )
    assert b'"app"' not in event._replace(app_id=None).body()


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of Standard Webhooks itself, which every library of it is tested by."""
    headers = signed_headers(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330 * SECOND,
        b'{"test": 2432232314}',
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


# Where to


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1:248:1893:25c8:1946", True), ("64:ff9b::5db8:d822", True),
        ("::ffff:93.184.216.34", True), ("2002:5db8:d822::1", True),
        ("127.0.0.1", False), ("127.9.9.9", False), ("::1", False), ("0.0.0.0", False), ("::", False),
        ("10.1.2.3", False), ("172.16.0.1", False), ("192.168.1.1", False), ("100.64.0.1", False),
        ("169.254.169.254", False), ("fe80::1", False), ("fe80::1%eth0", False), ("fc00::1", False),
        ("fd00:ec2::254", False),
        ("224.0.1.1", False), ("ff02::1", False), ("255.255.255.255", False), ("240.0.0.1", False),
        ("192.0.2.1", False), ("2001:db8::1", False), ("198.18.0.1", False),
        ("::ffff:127.0.0.1", False), ("::ffff:10.0.0.1", False), ("2002:7f00:1::", False), ("64:ff9b::7f00:1", False),
        ("64:ff9b::a9fe:a9fe", False), ("64:ff9b:1::1", False), ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),
    ],
)  # fmt: skip
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public(ip_address(address)) is public


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://example.org/hook?key=1", None), ("http://example.org:8080", None), ("https://[2606:2800::1]/", None),
        ("https://xn--bcher-kva.example/", None), ("https://8.8.8.8/", None),
        ("", "write the whole one"), ("example.org/hook", "write the whole one"),
        ("ftp://example.org", "write the whole"),
        ("https://", "write the whole"), ("https:///path", "write the whole"),
        ("file:///etc/passwd", "write the whole"),
        ("https://example.org:0/", "write the whole"), ("https://example.org:70000/", "cannot be read"),
        ("https://a:b@example.org/", "no user"), ("https://@example.org/", "no user"),
        ("https://example.org/#x", "no #"), ("https://example.org/#", "no #"),
        ("https://exam ple.org/", "no URL has"), ("https://example.org\\@10.0.0.1/", "no URL has"),
        ("https://bücher.example/", "no URL has"), ("https://example.org/\n", "no URL has"),
        ("http://127.0.0.1/", "not a public"), ("http://[::1]:9/", "not a public"),
        ("http://[fe80::1%25eth0]/", "public"),
        ("http://127.1/", "is no address"), ("http://2130706433/", "is no address"),
        ("http://127.0.0.1./", "is no address"),
        ("http://0177.0.0.1/", "is no address"), ("https://example.org/" + "x" * 2000, "at most 2000"),
    ],
)  # fmt: skip
def test_urls(url: str, says: str | None) -> None:
    if says is None:
        assert check_url(url, anywhere=False) == url
    else:
        with pytest.raises(Invalid, match=says):
            check_url(url, anywhere=False)


def test_the_operator_may_name_any_address() -> None:
    for url in ("http://127.0.0.1:9000/", "http://[::1]/", "http://10.0.0.8/x"):
        assert check_url(url, anywhere=True) == url
    with pytest.raises(Invalid, match="no user"):
        check_url("http://me@10.0.0.8/", anywhere=True)
