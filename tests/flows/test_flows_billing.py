"""What is used is counted once and for ever, costs what the prices say, and becomes one invoice a month."""

from __future__ import annotations

import asyncio
import re
from decimal import Decimal as D
from io import BytesIO
from typing import Any

import msgspec
import pytest
from pypdf import PdfReader

from factories import Game, TestInn
from innkeeper.accounts.audit import Audit
from innkeeper.contract.hathora.billing_v1 import CustomerPortalUrl, Invoice, InvoiceStatus
from innkeeper.contract.house.billing_v1 import InvoiceState
from innkeeper.db.database import Statement, Steps
from innkeeper.engines.base import EndedBy, Usage
from innkeeper.hosting.usage import UsageAccount
from innkeeper.kit.clock import HOUR, SECOND
from innkeeper.kit.months import month_end, month_of
from innkeeper.sdk import AsyncHathoraCloud, NotFound, StatusError, Unauthorized
from troubled import Cut

#: ``get_balance`` is of old clients.
pytestmark = pytest.mark.filterwarnings("ignore:GetBalance is deprecated:DeprecationWarning")

MONTH = 202701  # of the tests' clock
DAY = 24 * 3600.0


def counted() -> Steps[list[tuple[int, int, int]]]:
    rows = yield Statement(
        "select month, sum(cpu_micros), sum(egress_bytes) from usage_months group by month order by month"
    )
    return [(row[0], int(row[1]), int(row[2])) for row in rows]


def rows_of(table: str) -> Steps[int]:
    rows = yield Statement(f"select count(*) from {table}")
    return int(rows[0][0])


async def lines(cloud: AsyncHathoraCloud) -> dict[str, float]:
    """Quantities of the running month, by unit."""
    return {one.unit: one.quantity for one in (await cloud.billing_v1.get_upcoming_invoice_items()).invoice_items}


async def priced(inn: TestInn, **prices: Any) -> None:
    """Open the house anew with other prices."""
    await inn.stop()
    inn.settings = msgspec.structs.replace(inn.settings, **prices)
    await inn.start()


async def to(inn: TestInn, at: int) -> None:
    """Move to a point in time."""
    await inn.advance((at - inn.clock.now()) / SECOND)


async def ran(inn: TestInn, game: Game, hours: float, sent: int) -> str:
    """A room's server runs for so long, sends so many bytes, and ends; its id."""
    room = await game.room()
    await inn.settle()
    await inn.advance(hours * 3600 - 1)
    await inn.measure({room.process_id: Usage(1.0, 1, 0, sent)})
    await inn.advance(1)
    inn.engine.end(room.process_id, EndedBy.EXIT, 0)
    await inn.settle()
    return room.process_id


async def test_the_running_month_is_told_as_it_goes(inn: TestInn) -> None:
    await priced(inn, cpu_hour_price=D("0.08"), egress_gb_price=D("0.12"), monthly_credit=D("0.10"))
    game = await inn.game()
    billing = game.cloud.billing_v1
    assert await lines(game.cloud) == {"vCPU hour": 0, "GB": 0}
    assert await billing.get_balance() == 0.10
    room = await game.room()
    await inn.settle()
    await inn.advance(2 * 3600)
    await inn.measure({room.process_id: Usage(1.0, 1, 0, 3 * 10**9)})
    for _ in range(3):  # told from what is not counted yet, and the same when it is, however often
        processors, sent = (await billing.get_upcoming_invoice_items()).invoice_items
        assert (processors.quantity, processors.unit_price, processors.amount) == (1.0, 0.08, 0.08)
        assert (processors.unit, processors.product_name) == ("vCPU hour", "Processor time")
        assert processors.discount == 0.08
        assert (sent.quantity, sent.unit, sent.unit_price, sent.amount, sent.discount) == (3.0, "GB", 0.12, 0.36, 0.02)
        assert (await billing.get_upcoming_invoice_total()).value == 0.34
        assert await billing.get_balance() == -0.34
        used = await game.cloud.organizations_v1.get_usage_limits(org_id=inn.inn.founded.org_id)
        assert used.monthly_process_vcpu_hours_consumed == pytest.approx(1)
        await inn.inn.wings.usage.count()
    await game.cloud.apps_v2.delete_app()
    await inn.settle()
    assert await lines(game.cloud) == {"vCPU hour": 1.0, "GB": 3.0}
    stranger = inn.client(await inn.another_org())
    assert await lines(stranger) == {"vCPU hour": 0, "GB": 0}


async def test_what_was_used_outlives_servers_and_measurements(inn: TestInn) -> None:
    game = await inn.game()
    await ran(inn, game, 3, 700)
    await ran(inn, game, 1, 50)
    await inn.advance(60)
    await inn.sweep()
    assert await inn.inn.db.read(counted) == [(MONTH, 2 * HOUR, 750)]
    await inn.advance(40 * DAY)
    await inn.sweep()
    await inn.sweep()
    assert await inn.inn.db.read(rows_of, "servers") == 0
    assert await inn.inn.db.read(rows_of, "usage_samples") == 0
    assert await inn.inn.db.read(rows_of, "usage_marks") == 0
    assert await inn.inn.db.read(counted) == [(MONTH, 2 * HOUR, 750)]


async def test_nothing_is_forgotten_before_it_is_counted(inn: TestInn) -> None:
    """The house was closed for long: what it finds then is counted before it is swept."""
    game = await inn.game()
    room = await game.room()
    await inn.settle()
    await inn.measure({room.process_id: Usage(1.0, 1, 0, 900)})
    await inn.advance(3600)
    inn.engine.end(room.process_id, EndedBy.EXIT, 0)
    await inn.settle()
    await inn.advance(40 * DAY)
    await inn._sweeping.keep()
    assert (await inn.inn.db.read(rows_of, "servers"), await inn.inn.db.read(rows_of, "usage_samples")) == (1, 1)
    await inn.sweep()
    await inn.sweep()
    assert (await inn.inn.db.read(rows_of, "servers"), await inn.inn.db.read(rows_of, "usage_samples")) == (0, 0)
    assert await inn.inn.db.read(counted) == [(MONTH, HOUR // 2, 900)]


@pytest.mark.parametrize("after", [False, True])
async def test_cut_off_or_at_the_same_time_nothing_is_counted_twice(inn: TestInn, after: bool) -> None:
    game = await inn.game()
    room = await game.room()
    await inn.settle()
    for hour in range(1, 5):
        await inn.advance(3600)
        await inn.measure({room.process_id: Usage(1.0, 1, 0, 100 * hour)})
        inn.trouble.arm(1, after=after)
        with pytest.raises(Cut):
            await inn.inn.wings.usage.count()
        inn.trouble.arm(None)
        if hour % 2:
            await inn.restart()
        usage = inn.inn.wings.usage
        await asyncio.gather(*(usage.count() for _ in range(5)))
        assert await inn.inn.db.read(counted) == [(MONTH, hour * HOUR // 2, 100 * hour)]


async def test_many_servers_are_counted_in_portions(inn: TestInn) -> None:
    game = await inn.game()
    rooms = [await game.room() for _ in range(7)]
    await inn.settle()
    await inn.advance(3600)
    await inn.measure({room.process_id: Usage(1.0, 1, 0, 10) for room in rooms})
    await UsageAccount(inn.inn.db, inn.clock, at_once=3).count()
    assert await inn.inn.db.read(counted) == [(MONTH, 7 * HOUR // 2, 70)]


async def test_a_month_that_is_over_becomes_one_invoice(inn: TestInn) -> None:
    await priced(inn, cpu_hour_price=D("0.08"), egress_gb_price=D("0.12"), invoice_due_days=14)
    game = await inn.game()
    billing = game.cloud.billing_v1
    await to(inn, month_end(MONTH) - 20 * HOUR)
    room = await game.room()  # lives on into the next month
    await inn.settle()
    await to(inn, month_end(MONTH) - HOUR)
    await inn.measure({room.process_id: Usage(1.0, 1, 0, 10**9)})
    await to(inn, month_end(MONTH) + 5 * 60 * SECOND)
    await inn.inn.wings.billing.keep()
    assert await billing.get_invoices() == []  # late measurements may still come
    await to(inn, month_end(MONTH) + 10 * 60 * SECOND)
    await asyncio.gather(*(inn.inn.wings.billing.keep() for _ in range(3)))
    [invoice] = await billing.get_invoices()
    assert (invoice.year, invoice.month, invoice.status) == (2027, 1, InvoiceStatus.PENDING)
    assert invoice.amount_due == 0.92  # 10 h at 0.08 and 1 GB at 0.12
    made_at = month_end(MONTH) + 10 * 60 * SECOND
    assert invoice.due_date.timestamp() == made_at // SECOND + 14 * DAY
    # Its numbers stay, whatever the prices become and however often the house looks.
    await priced(inn, cpu_hour_price=D(5), egress_gb_price=D(5), monthly_credit=D(100))
    await inn.advance(3600)
    await inn.inn.wings.billing.keep()
    [again] = await billing.get_invoices()
    assert (again.id, again.amount_due, again.due_date) == (invoice.id, 0.92, invoice.due_date)
    # What is not paid is overdue in time, and is owed.
    assert await billing.get_balance() == pytest.approx(100 - 0.92 - round((3600 + 600) / 7200, 3) * 5, abs=0.01)
    await inn.advance(15 * DAY)
    [late] = await billing.get_invoices()
    assert late.status == InvoiceStatus.OVERDUE
    house = inn.client().house.billing_v1
    assert (await house.set_paid(invoice.id)).state == InvoiceState.PAID
    paid = (await house.get_invoices()).invoices[0]
    assert (paid.paid_by, paid.amount_due, paid.currency) == ("owner@localhost", "0.92", "USD")
    await inn.advance(1)
    assert (await house.set_paid(invoice.id)).paid_at == paid.paid_at
    assert [one.status for one in await billing.get_invoices()] == [InvoiceStatus.PAID]
    history = await Audit(inn.inn.db, inn.clock, None).history(inn.inn.founded.org_id)  # type: ignore[arg-type]
    assert [(one.who, one.subject) for one in history if one.verb == "invoice.paid"] == [
        ("owner@localhost", invoice.id)
    ]
    with pytest.raises(NotFound):
        await house.set_paid("inv-none")


@pytest.mark.parametrize("after", [False, True])
async def test_an_invoice_is_made_once_however_it_is_cut_off(inn: TestInn, after: bool) -> None:
    game = await inn.game()
    await ran(inn, game, 2, 10)
    await to(inn, month_end(MONTH) + HOUR)
    await inn.restart()
    await inn.inn.wings.billing.keep()
    assert await game.cloud.billing_v1.get_invoices() == []  # the house has only just opened
    await inn.advance(600)
    deed = 0
    while True:
        deed += 1
        inn.trouble.arm(deed, after=after)
        try:
            await inn.inn.wings.billing.keep()
            break
        except Cut:
            pass
    inn.trouble.arm(None)
    assert deed > 1
    [invoice] = await game.cloud.billing_v1.get_invoices()
    # Without prices there is nothing to pay, and quantities are told nevertheless.
    assert (invoice.status, invoice.amount_due) == (InvoiceStatus.PAID, 0)
    [told] = (await inn.client().house.billing_v1.get_invoices()).invoices
    assert [item.quantity for item in told.items] == ["1.000", "0.000"]
    assert await inn.inn.db.read(rows_of, "invoices") == 1


async def test_others_do_not_see_it(inn: TestInn) -> None:
    game = await inn.game()
    await ran(inn, game, 1, 0)
    await to(inn, month_end(MONTH) + HOUR)
    await inn.inn.wings.billing.keep()
    rival = inn.client(await inn.another_org())
    assert len(await game.cloud.billing_v1.get_invoices()) == 1
    assert await rival.billing_v1.get_invoices() == []
    with pytest.raises(Unauthorized):
        await inn.client(org_id="org-other").billing_v1.get_invoices()
    for call in (
        rival.house.billing_v1.get_invoices(),
        rival.house.billing_v1.get_account(inn.inn.founded.org_id),
        rival.house.billing_v1.set_paid("inv-1"),
        rival.house.orgs_v1.get_orgs(),
    ):
        with pytest.raises(NotFound):
            await call
    assert await rival.billing_v1.get_payment_method() == await game.cloud.billing_v1.get_payment_method()


async def test_the_operator_is_told_of_months(inn: TestInn) -> None:
    await priced(inn, cpu_hour_price=D("0.10"), currency="EUR")
    game, other = await inn.game(), await inn.game()
    await ran(inn, game, 2, 5)
    await ran(inn, other, 4, 7)
    house, org_id = inn.client().house.billing_v1, inn.inn.founded.org_id
    for month in (None, "2027-01"):
        account = await house.get_account(org_id, month=month)
        assert {one.app_id: (one.cpu_hours, one.egress_bytes) for one in account.apps} == {
            game.app_id: (1.0, 5), other.app_id: (2.0, 7),
        }  # fmt: skip
        assert (account.month, account.total, account.currency) == ("2027-01", "0.30", "EUR")
    assert (await house.get_account(org_id, month="2026-12")).apps == []
    with pytest.raises(NotFound):
        await house.get_account("org-none")
    with pytest.raises(StatusError, match="month: must be a month, written YYYY-MM, for example 2026-11"):
        await house.get_account(org_id, month="2027-13")
    await game.cloud.apps_v2.delete_app()
    account = await house.get_account(org_id)
    assert {one.app_id: one.app_name for one in account.apps} == {game.app_id: "game-1", other.app_id: "game-2"}


# -- pages ----------------------------------------------------------------------------------------------------------


async def page(inn: TestInn, url: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """What a browser gets."""
    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    path = url.removeprefix("http://inn")
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"", "headers": [],
    }  # fmt: skip
    await inn.app(scope, None, send)
    head, body = sent
    headers = {name.decode(): value.decode() for name, value in head["headers"]}  # type: ignore[attr-defined]
    return head["status"], headers, body["body"]  # type: ignore[return-value]


async def invoiced(inn: TestInn) -> tuple[Game, Invoice]:
    """A game whose organisation has an invoice."""
    game = await inn.game()
    await ran(inn, game, 1, 0)
    await to(inn, month_end(month_of(inn.clock.now())) + HOUR)
    await inn.inn.wings.billing.keep()
    [invoice] = await game.cloud.billing_v1.get_invoices()
    return game, invoice


async def test_an_invoice_is_a_document_for_those_who_hold_its_link(small_inn: TestInn) -> None:
    inn = small_inn
    _, invoice = await invoiced(inn)
    assert invoice.pdf_url.startswith("http://inn/invoices/")
    status, headers, body = await page(inn, invoice.pdf_url)
    assert (status, headers["content-type"], headers["cache-control"]) == (200, "application/pdf", "no-store")
    assert invoice.id in PdfReader(BytesIO(body)).pages[0].extract_text()
    assert (await page(inn, invoice.pdf_url, "HEAD"))[::2] == (200, b"")
    assert (await page(inn, invoice.pdf_url, "POST"))[0] == 404
    for wrong in (invoice.pdf_url.replace("/invoices/", "/account/"), "http://inn/invoices/", invoice.pdf_url[:-9]):
        status, headers, body = await page(inn, wrong)
        assert (status, headers["content-type"]) == (401, "text/html; charset=utf-8")
    await inn.advance(DAY)
    assert b"time is over" in (await page(inn, invoice.pdf_url))[2]


async def test_the_list_of_invoices_leads_to_them_and_back(small_inn: TestInn) -> None:
    inn = small_inn
    game, _ = await invoiced(inn)
    back = "https://game.example/account?a=1&b='2'"
    url = await game.cloud.billing_v1.init_stripe_customer_portal_url(CustomerPortalUrl(return_url=back))
    assert url.startswith("http://inn/account/")
    status, headers, body = await page(inn, url)
    assert (status, headers["referrer-policy"]) == (200, "no-referrer")
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "access-control-allow-origin" not in headers
    text = body.decode()
    assert 'href="https://game.example/account?a=1&amp;b=&#x27;2&#x27;"' in text
    assert "2027-01" in text
    [link] = re.findall(r'href="\.\.(/invoices/[^"]+)"', text)
    assert (await page(inn, link))[1]["content-type"] == "application/pdf"
    await inn.advance(3600)
    assert (await page(inn, url))[0] == 401
    for hostile in ("javascript:alert(1)", "https://x/'><script>\"", "file:///etc/passwd"):
        with pytest.raises(StatusError, match="returnUrl"):
            await game.cloud.billing_v1.init_stripe_customer_portal_url(CustomerPortalUrl(return_url=hostile))


async def test_a_name_is_text_on_the_page(small_inn: TestInn) -> None:
    inn = small_inn

    def rename() -> Steps[None]:
        yield Statement("update orgs set name = '<script>alert(1)</script>'")

    await inn.inn.db.write(rename)
    url = await inn.client().billing_v1.init_stripe_customer_portal_url(CustomerPortalUrl(return_url="http://x/"))
    text = (await page(inn, url))[2].decode()
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "There is no invoice yet." in text
