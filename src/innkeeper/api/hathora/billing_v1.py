"""What an organisation's servers cost. Declared in ``contract/hathora/billing_v1.py``."""

from __future__ import annotations

from msgspec import UNSET

from innkeeper.api.linked_pages import INVOICES, PORTAL
from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.billing import model, prices
from innkeeper.contract.hathora.billing_v1 import (
    BillingV1,
    CustomerPortalUrl,
    Invoice,
    InvoiceItem,
    InvoiceItemPage,
    InvoiceStatus,
    PaymentMethod,
    UpcomingInvoiceTotal,
)
from innkeeper.contract.shape import GLOBAL
from innkeeper.kit.stamps import moment


def invoice_data(visit: Visit, invoice: model.Invoice) -> Invoice:
    """An invoice as Hathora tells it."""
    return Invoice(
        status=InvoiceStatus(invoice.state(visit.wings.clock.now()).value),
        amount_due=float(invoice.due),
        pdf_url=f"{visit.base_url}{INVOICES}{visit.wings.billing_links.invoice(invoice.id)}.pdf",
        due_date=moment(invoice.due_at),
        year=invoice.month // 100,
        month=invoice.month % 100,
        id=invoice.id,
    )


def item_data(item: model.Item) -> InvoiceItem:
    """A line as Hathora tells it."""
    return InvoiceItem(
        discount=float(item.discount) if item.discount else UNSET,
        amount=float(item.amount),
        unit_price=float(item.unit_price),
        quantity=float(item.quantity),
        unit=item.unit,
        product_name=item.product,
    )


@implements(BillingV1.get_balance)
async def get_balance(visit: Visit, *, org_id: str | None = GLOBAL) -> float:
    return float(await visit.wings.billing.balance(visit.org))


@implements(BillingV1.get_payment_method)
async def get_payment_method(visit: Visit, *, org_id: str | None = GLOBAL) -> PaymentMethod:
    return PaymentMethod()  # the house takes no payments: its operator says which invoices were paid


@implements(BillingV1.init_stripe_customer_portal_url)
async def init_stripe_customer_portal_url(
    visit: Visit, params: CustomerPortalUrl, *, org_id: str | None = GLOBAL
) -> str:
    return f"{visit.base_url}{PORTAL}{visit.wings.billing_links.portal(visit.org, params.return_url)}"


@implements(BillingV1.get_invoices)
async def get_invoices(visit: Visit, *, org_id: str | None = GLOBAL) -> list[Invoice]:
    return [invoice_data(visit, invoice) for invoice in await visit.wings.billing.invoices(visit.org)]


@implements(BillingV1.get_upcoming_invoice_items)
async def get_upcoming_invoice_items(visit: Visit, *, org_id: str | None = GLOBAL) -> InvoiceItemPage:
    return InvoiceItemPage(invoice_items=[item_data(item) for item in await visit.wings.billing.account(visit.org)])


@implements(BillingV1.get_upcoming_invoice_total)
async def get_upcoming_invoice_total(visit: Visit, *, org_id: str | None = GLOBAL) -> UpcomingInvoiceTotal:
    return UpcomingInvoiceTotal(value=float(prices.total(await visit.wings.billing.account(visit.org))))
