"""What an organisation's servers cost. Declared here, answered in ``api/hathora/billing_v1.py``."""

from __future__ import annotations

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, UNSET, Camel, Moment, UnsetType
from innkeeper.contract.words import Word

from . import operation
from .words import WRITE, OrgId


class InvoiceStatus(Word):
    """How an invoice stands."""

    PENDING = "pending"  #: to be paid
    PAID = "paid"
    OVERDUE = "overdue"  #: to be paid, and the due date is past


class Invoice(Camel):
    """The account of a month that is over."""

    status: InvoiceStatus
    amount_due: float  #: the whole sum, paid or not, in the currency of the house
    pdf_url: str  #: a signed link to the invoice as a PDF, for a day
    due_date: Moment  #: when it is to be paid by
    year: int  #: of the month that it is about
    month: int  #: from 1 to 12
    id: str  #: of the invoice


class InvoiceItem(Camel):
    """A line of the account: one product."""

    discount: float | UnsetType = UNSET  #: what the month's credit takes off the amount; left out where it is nothing
    amount: float  #: quantity times price, in whole cents, before the discount
    unit_price: float  #: of one of them
    quantity: float  #: how much was used, to three decimals
    unit: str  #: what the quantity counts
    product_name: str  #: what was used


class InvoiceItemPage(Camel):
    """All lines, in one page."""

    invoice_items: list[InvoiceItem]


class UpcomingInvoiceTotal(Camel):
    """What the month costs so far."""

    value: float  #: in the currency of the house


class CardBrand(Word):
    """Whose card it is."""

    AMEX = "amex"
    CARTES_BANCAIRES = "cartes_bancaires"
    DINERS = "diners"
    DISCOVER = "discover"
    JCB = "jcb"
    MASTERCARD = "mastercard"
    VISA = "visa"
    UNIONPAY = "unionpay"
    CARD = "card"  #: any other


class CardPaymentMethod(Camel):
    """A card."""

    last4: str  #: the end of its number
    brand: CardBrand


class AchPaymentMethod(Camel):
    """An account at a bank in the United States."""

    last4: str | UnsetType = UNSET  #: the end of its number
    bank_name: str | UnsetType = UNSET  #: of the bank


class LinkPaymentMethod(Camel):
    """An account at Stripe's Link."""

    email: str | UnsetType = UNSET  #: of the account


class PaymentMethod(Camel):
    """How invoices are paid. Innkeeper takes no payments, so that it says nothing here."""

    card: CardPaymentMethod | UnsetType = UNSET
    ach: AchPaymentMethod | UnsetType = UNSET
    link: LinkPaymentMethod | UnsetType = UNSET


class CustomerPortalUrl(Camel):
    """Where to lead people back to."""

    return_url: str  #: ``http`` or ``https``


class BillingV1(Resource[M]):
    """What an organisation's servers cost, and what is to be paid."""

    @operation(
        "GET", "/billing/v1/balance", scope="billing:read-write", errors=WRITE,
        replaced_by="get_upcoming_invoice_total",
    )  # fmt: skip
    def get_balance(self, *, org_id: OrgId | None = GLOBAL) -> float:
        """What is left of the month's credit, less what is owed. Below zero it is a debt."""
        ...

    @operation("GET", "/billing/v1/paymentmethod", scope="billing:read-write", errors=WRITE)
    def get_payment_method(self, *, org_id: OrgId | None = GLOBAL) -> PaymentMethod:
        """Tell how invoices are paid."""
        ...

    @operation("POST", "/billing/v1/customerportalurl", scope="billing:read-write", errors=WRITE)
    def init_stripe_customer_portal_url(self, params: CustomerPortalUrl, *, org_id: OrgId | None = GLOBAL) -> str:
        """Make a link, good for an hour, to a page that lists the invoices."""
        ...

    @operation("GET", "/billing/v1/invoices", scope="billing:read-write", errors=WRITE)
    def get_invoices(self, *, org_id: OrgId | None = GLOBAL) -> list[Invoice]:
        """List the invoices of the months that are over, the newest first."""
        ...

    @operation("GET", "/billing/v1/upcoming/items", scope="billing:read-write", errors=WRITE)
    def get_upcoming_invoice_items(self, *, org_id: OrgId | None = GLOBAL) -> InvoiceItemPage:
        """List what was used this month (UTC) so far, and what it costs."""
        ...

    @operation("GET", "/billing/v1/upcoming/total", scope="billing:read-write", errors=WRITE)
    def get_upcoming_invoice_total(self, *, org_id: OrgId | None = GLOBAL) -> UpcomingInvoiceTotal:
        """Tell what this month (UTC) costs so far, discounts taken off."""
        ...
