"""The statements of this wing, as steps. Called by ``invoices.py``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal

from innkeeper.db.database import Row, Statement, Steps

from .model import Invoice, Item

_INVOICE = "id, org_id, month, made_at, due_at, currency, items, due_cents, paid_at, paid_by"


def _invoice(row: Row) -> Invoice:
    items = tuple(Item(product, unit, *map(Decimal, numbers)) for product, unit, *numbers in json.loads(row[6]))
    id, org_id, month, made_at, due_at, currency = row[:6]
    return Invoice(
        id, org_id, month, made_at, due_at, currency, items, Decimal(row[7]).scaleb(-2), row[8], row[9]
    )  # fmt: skip


def _items_text(items: Sequence[Item]) -> str:
    return json.dumps(
        [
            [one.product, one.unit, *map(str, (one.quantity, one.unit_price, one.amount, one.discount))]
            for one in items
        ]
    )  # fmt: skip


def add_invoice(new: Invoice) -> Steps[bool]:
    """Keep an invoice. False where the organisation has one for that month already, which stays as it is."""
    rows = yield Statement(
        f"insert into invoices ({_INVOICE}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        " on conflict (org_id, month) do nothing returning id",
        (
            new.id, new.org_id, new.month, new.made_at, new.due_at, new.currency, _items_text(new.items),
            int(new.due.scaleb(2)), new.paid_at, new.paid_by,
        ),
    )  # fmt: skip
    return bool(rows)


def made() -> Steps[set[tuple[str, int]]]:
    """Organisations and months that have an invoice."""
    rows = yield Statement("select org_id, month from invoices")
    return {(row[0], row[1]) for row in rows}


def invoice(invoice_id: str) -> Steps[Invoice | None]:
    """An invoice, whosever it is."""
    rows = yield Statement(f"select {_INVOICE} from invoices where id = $1", (invoice_id,))
    return _invoice(rows[0]) if rows else None


def invoices(org_id: str | None) -> Steps[list[Invoice]]:
    """Invoices of an organisation, or of all, the newest month first."""
    order = "order by month desc, org_id, id"
    rows = yield (
        Statement(f"select {_INVOICE} from invoices {order}")
        if org_id is None
        else Statement(f"select {_INVOICE} from invoices where org_id = $1 {order}", (org_id,))
    )
    return [_invoice(row) for row in rows]


def owed(org_id: str) -> Steps[Decimal]:
    """The sum of an organisation's invoices that are not paid."""
    rows = yield Statement(
        "select coalesce(sum(due_cents), 0) from invoices where org_id = $1 and paid_at is null", (org_id,)
    )
    return Decimal(int(rows[0][0])).scaleb(-2)


def set_paid(invoice_id: str, now: int, by: str) -> Steps[bool]:
    """Write down that an invoice was paid. False where there is none, or it was paid before."""
    rows = yield Statement(
        "update invoices set paid_at = $2, paid_by = $3 where id = $1 and paid_at is null returning id",
        (invoice_id, now, by),
    )
    return bool(rows)
