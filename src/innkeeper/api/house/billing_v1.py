"""Accounts and invoices of all organisations, for the operator. Declared in ``contract/house/billing_v1.py``."""

from __future__ import annotations

from innkeeper.api.linked_pages import INVOICES
from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.billing import model, prices
from innkeeper.contract.house.billing_v1 import (
    Account,
    AccountItem,
    AppUsage,
    BillingV1,
    Invoice,
    InvoiceList,
    InvoiceState,
)
from innkeeper.kit.clock import HOUR
from innkeeper.kit.months import month_name, month_of
from innkeeper.kit.stamps import moment, moment_or_none

from .operator import require_operator


def _item(item: model.Item) -> AccountItem:
    return AccountItem(
        product=item.product,
        unit=item.unit,
        quantity=str(item.quantity),
        unit_price=f"{item.unit_price:f}",
        amount=str(item.amount),
        discount=str(item.discount),
    )


def _invoice(visit: Visit, invoice: model.Invoice) -> Invoice:
    return Invoice(
        invoice_id=invoice.id,
        org_id=invoice.org_id,
        month=month_name(invoice.month),
        state=InvoiceState(invoice.state(visit.wings.clock.now()).value),
        currency=invoice.currency,
        amount_due=str(invoice.due),
        made_at=moment(invoice.made_at),
        due_date=moment(invoice.due_at),
        paid_at=moment_or_none(invoice.paid_at),
        paid_by=invoice.paid_by,
        items=[_item(item) for item in invoice.items],
        pdf_url=f"{visit.base_url}{INVOICES}{visit.wings.billing_links.invoice(invoice.id)}.pdf",
    )


@implements(BillingV1.get_invoices)
async def get_invoices(visit: Visit, *, of: str | None = None) -> InvoiceList:
    require_operator(visit)
    return InvoiceList(invoices=[_invoice(visit, one) for one in await visit.wings.billing.invoices(of)])


@implements(BillingV1.set_paid)
async def set_paid(visit: Visit, invoice_id: str) -> Invoice:
    require_operator(visit)
    return _invoice(visit, await visit.wings.billing.paid(invoice_id, visit.by))


@implements(BillingV1.get_account)
async def get_account(visit: Visit, of: str, *, month: str | None = None) -> Account:
    require_operator(visit)
    billing = visit.wings.billing
    await visit.wings.organisations.get(of)
    number = month_of(visit.wings.clock.now()) if month is None else int(month.replace("-", ""))
    items = await billing.account(of, number)
    apps = await billing.usage(of, number)
    names = await visit.wings.usage.app_names(sorted(apps))
    return Account(
        org_id=of,
        month=month_name(number),
        currency=billing.prices.currency,
        total=str(prices.total(items)),
        items=[_item(item) for item in items],
        apps=[
            AppUsage(
                app_id=app_id,
                app_name=names.get(app_id, ""),
                cpu_hours=used.cpu_micros / HOUR,
                egress_bytes=used.egress_bytes,
            )
            for app_id, used in sorted(apps.items())
        ],
    )
