"""From quantities to money. Pure, and without binary fractions; called by ``invoices.py``.

Quantities are rounded to three decimals first and amounts to whole cents afterwards, halves up, so that who multiplies
the numbers on an invoice gets the numbers on the invoice.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from innkeeper.kit.clock import HOUR

from .model import Item, Prices, Usage

_CENT = Decimal("0.01")
_THOUSANDTH = Decimal("0.001")
_GB = 1_000_000_000
PROCESSORS = "Processor time"
EGRESS = "Data sent"


def items_of(usage: Usage, prices: Prices) -> tuple[Item, ...]:
    """The lines of a month's account: one for each product, used or not. The credit goes to the first lines first."""
    left = cents(prices.credit)
    items: list[Item] = []
    for product, unit, used, each, price in (
        (PROCESSORS, "vCPU hour", usage.cpu_micros, HOUR, prices.cpu_hour),
        (EGRESS, "GB", usage.egress_bytes, _GB, prices.egress_gb),
    ):
        quantity = (Decimal(max(0, used)) / each).quantize(_THOUSANDTH, ROUND_HALF_UP)
        amount = cents(quantity * price)
        discount = min(left, amount)
        left -= discount
        items.append(Item(product, unit, quantity, price, amount, discount))
    return tuple(items)


def total(items: Sequence[Item]) -> Decimal:
    """What is to be paid for these lines."""
    return sum((item.amount - item.discount for item in items), Decimal("0.00"))


def balance(items: Sequence[Item], prices: Prices, owed: Decimal) -> Decimal:
    """What is left of the month's credit, less what the month's lines cost beyond it and ``owed`` on invoices.

    Below zero it is a debt.
    """
    return cents(prices.credit) - sum((item.amount for item in items), Decimal(0)) - owed


def cents(amount: Decimal) -> Decimal:
    """An amount in whole cents, halves up."""
    return amount.quantize(_CENT, ROUND_HALF_UP)
