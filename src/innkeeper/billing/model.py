"""What billing keeps and tells. Read by the modules of this wing and by the doors.

Money is :class:`~decimal.Decimal` in whole cents; months are numbers such as 203001 (``kit/months.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class InvoiceState(StrEnum):
    """How an invoice stands. Only PAID is written down; the others follow from the clock."""

    PENDING = "pending"  #: not paid, and not due yet
    PAID = "paid"  #: its operator says so, or there was nothing to pay
    OVERDUE = "overdue"  #: not paid, and its due date is past


@dataclass(frozen=True, slots=True)
class Prices:
    """What the house asks for."""

    cpu_hour: Decimal = Decimal(0)  #: for one processor for an hour
    egress_gb: Decimal = Decimal(0)  #: for 10^9 bytes sent
    credit: Decimal = Decimal(0)  #: taken off every month's sum, as far as that goes
    currency: str = "USD"
    due_days: int = 14  #: from the making of an invoice to its due date


@dataclass(frozen=True, slots=True)
class Usage:
    """What an organisation used in a month."""

    cpu_micros: int = 0  #: processor microseconds
    egress_bytes: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.cpu_micros + other.cpu_micros, self.egress_bytes + other.egress_bytes)


@dataclass(frozen=True, slots=True)
class Item:
    """A line of an account: one product."""

    product: str
    unit: str
    quantity: Decimal  #: three decimals
    unit_price: Decimal
    amount: Decimal  #: quantity times price, in whole cents, before the discount
    discount: Decimal  #: what the month's credit takes off it


@dataclass(frozen=True, slots=True)
class Invoice:
    """The account of a month that is over. Its numbers never change."""

    id: str  #: ``inv-<uuid>``
    org_id: str
    month: int
    made_at: int
    due_at: int
    currency: str
    items: tuple[Item, ...]
    due: Decimal
    paid_at: int | None
    paid_by: str | None  #: who said that it is paid; empty where there was nothing to pay

    def state(self, now: int) -> InvoiceState:
        """How it stands at a time."""
        if self.paid_at is not None:
            return InvoiceState.PAID
        return InvoiceState.OVERDUE if now >= self.due_at else InvoiceState.PENDING
