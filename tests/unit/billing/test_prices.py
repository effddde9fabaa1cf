"""From quantities to money: rounding, credit, totals."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.billing.links import BillingLinks
from innkeeper.billing.model import Invoice, InvoiceState, Prices, Usage
from innkeeper.billing.prices import balance, items_of, total
from innkeeper.kit.clock import HOUR, ManualClock
from innkeeper.kit.errors import Invalid, Unauthorized

D = Decimal
LIST = Prices(cpu_hour=D("0.08"), egress_gb=D("0.12"))


@pytest.mark.parametrize(
    ("cpu_micros", "egress", "credit", "quantities", "amounts", "discounts", "due"),
    [
        (0, 0, "0", ("0.000", "0.000"), ("0.00", "0.00"), ("0", "0"), "0.00"),
        (10 * HOUR, 5 * 10**9, "0", ("10.000", "5.000"), ("0.80", "0.60"), ("0", "0"), "1.40"),
        (10 * HOUR, 5 * 10**9, "1", ("10.000", "5.000"), ("0.80", "0.60"), ("0.80", "0.20"), "0.40"),
        (10 * HOUR, 5 * 10**9, "500", ("10.000", "5.000"), ("0.80", "0.60"), ("0.80", "0.60"), "0.00"),
        # 0.0625 h times 0.08 is half a cent: up. Quantities are rounded before they are multiplied.
        (HOUR // 16, 0, "0", ("0.063", "0.000"), ("0.01", "0.00"), ("0", "0"), "0.01"),
        (HOUR // 2000 - 1, 499_999, "0", ("0.000", "0.000"), ("0.00", "0.00"), ("0", "0"), "0.00"),
        (HOUR // 2000, 500_000, "0", ("0.001", "0.001"), ("0.00", "0.00"), ("0", "0"), "0.00"),
        (-5, 0, "0", ("0.000", "0.000"), ("0.00", "0.00"), ("0", "0"), "0.00"),
    ],
)
def test_lines(
    cpu_micros: int,
    egress: int,
    credit: str,
    quantities: tuple[str, str],
    amounts: tuple[str, str],
    discounts: tuple[str, str],
    due: str,
) -> None:
    items = items_of(Usage(cpu_micros, egress), Prices(LIST.cpu_hour, LIST.egress_gb, D(credit)))
    assert tuple(str(item.quantity) for item in items) == quantities
    assert tuple(str(item.amount) for item in items) == amounts
    assert tuple(item.discount for item in items) == tuple(map(D, discounts))
    assert str(total(items)) == due


prices = st.decimals(0, 1000, places=4)


@given(st.integers(0, 10**16), st.integers(0, 10**16), prices, prices, prices)
def test_what_is_on_the_lines_adds_up(cpu: int, egress: int, hour: D, gb: D, credit: D) -> None:
    asked = Prices(hour, gb, credit)
    items = items_of(Usage(cpu, egress), asked)
    gross = sum(item.amount for item in items)
    off = sum(item.discount for item in items)
    assert all(0 <= item.discount <= item.amount for item in items)
    assert all(item.amount == item.amount.quantize(D("0.01")) for item in items)
    assert off == min(gross, credit.quantize(D("0.01"), "ROUND_HALF_UP"))
    assert total(items) == gross - off
    # What is left of the credit and what is to be paid beyond it are never both there.
    left = balance(items, asked, D(0))
    assert left == (-total(items) if total(items) else left)
    assert balance(items, asked, D("7.50")) == left - D("7.50")


@pytest.mark.parametrize(
    ("paid_at", "now", "state"),
    [
        (None, 99, InvoiceState.PENDING),
        (None, 100, InvoiceState.OVERDUE),
        (50, 99, InvoiceState.PAID),
        (150, 200, InvoiceState.PAID),
    ],
)
def test_an_invoice_is_overdue_by_the_clock(paid_at: int | None, now: int, state: InvoiceState) -> None:
    invoice = Invoice("inv-1", "org-1", 203001, 0, 100, "USD", (), D(1), paid_at, None)
    assert invoice.state(now) == state


HOSTILE = [
    "javascript:alert(1)",
    "data:text/html,x",
    "//evil.example",
    "/there",
    "https://",
    "https://[::1",
    "https://x:0/",
    'https://x/"><script>',
    "https://x/\nSet-Cookie: a",
    "https://x/ y",
    " https://x/",
    "java\tscript:x",
    "ftp://x/",
    "https://x/" + "a" * 3000,
    "https://пример/",
    "",
]


@pytest.mark.parametrize("url", HOSTILE)
def test_people_are_led_back_to_the_web_alone(url: str) -> None:
    with pytest.raises(Invalid, match="returnUrl"):
        BillingLinks(b"k" * 32, ManualClock()).portal("org-1", url)


def test_links_open_what_they_were_made_for_and_end() -> None:
    clock = ManualClock()
    links = BillingLinks(b"k" * 32, clock)
    invoice, portal = links.invoice("inv-1"), links.portal("org-1", "https://x.example/a?b=c&d=e")
    assert links.read_invoice(invoice) == "inv-1"
    assert links.read_portal(portal) == ("org-1", "https://x.example/a?b=c&d=e")
    for wrong in (portal, invoice + "x", "", "a.b.c", "é.1.x"):
        with pytest.raises(Unauthorized):
            links.read_invoice(wrong)
    with pytest.raises(Unauthorized):
        links.read_portal(invoice)
    clock.advance(3600)
    with pytest.raises(Unauthorized, match="time is over"):
        links.read_portal(portal)
    assert links.read_invoice(invoice) == "inv-1"
    clock.advance(23 * 3600)
    with pytest.raises(Unauthorized, match="time is over"):
        links.read_invoice(invoice)
