"""Accounts and invoices of all organisations. Declared here, answered in ``api/house/billing_v1.py``."""

from __future__ import annotations

from typing import Annotated

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import Camel, Moment, checked
from innkeeper.contract.words import Word

from . import operation

_READ = (401, 404)
_CHANGED = (400, 401, 404, 422)

#: A calendar month in UTC: ``2026-11``.
Month = Annotated[str, checked(pattern="^[0-9]{4}-(0[1-9]|1[0-2])$")]


class InvoiceState(Word):
    """How an invoice stands."""

    PENDING = "pending"  #: to be paid
    PAID = "paid"
    OVERDUE = "overdue"  #: to be paid, and the due date is past


class AccountItem(Camel):
    """A line of an account: one product. Decimal numbers are texts, so that none is rounded on the way."""

    product: str
    unit: str
    quantity: str
    unit_price: str
    amount: str  #: quantity times price, in whole cents, before the discount
    discount: str  #: what the month's credit takes off it


class Invoice(Camel):
    """The account of a month that is over. Its numbers never change."""

    invoice_id: str
    org_id: str
    month: str  #: `2030-01`
    state: InvoiceState
    currency: str
    amount_due: str  #: the whole sum, paid or not
    made_at: Moment
    due_date: Moment
    paid_at: Moment | None  #: None while it is not
    paid_by: str | None  #: who said so; empty where there was nothing to pay
    items: list[AccountItem]
    pdf_url: str  #: a signed link, good for a day


class InvoiceList(Camel):
    """Invoices of the house."""

    invoices: list[Invoice]  #: the newest month first


class AppUsage(Camel):
    """What an app's servers used in a month."""

    app_id: str
    app_name: str  #: for people; of one that was deleted its last name
    cpu_hours: float  #: a server with two processors uses two in an hour
    egress_bytes: int  #: sent by servers whose hosts can measure it


class Account(Camel):
    """A month of an organisation, up to now, at the prices of now."""

    org_id: str
    month: str  #: `2030-01`
    currency: str
    total: str  #: discounts taken off
    items: list[AccountItem]
    apps: list[AppUsage]


class BillingV1(Resource[M]):
    """Accounts and invoices of all organisations. For admins of the organisation that runs the house alone."""

    @operation("GET", "/house/v1/invoices", scope="hosts:read", errors=_READ)
    def get_invoices(self, *, of: str | None = None) -> InvoiceList:
        """List the invoices of all organisations, or of one."""
        ...

    @operation(
        "POST", "/house/v1/invoices/{invoiceId}/paid", scope="hosts:read-write", errors=_CHANGED, idempotent=True
    )
    def set_paid(self, invoice_id: str) -> Invoice:
        """Write down that an invoice was paid. One that was already stays as it is."""
        ...

    @operation("GET", "/house/v1/usage", scope="hosts:read", errors=_CHANGED)
    def get_account(self, of: str, *, month: Month | None = None) -> Account:
        """Tell what an organisation used in a month, and what it costs."""
        ...
