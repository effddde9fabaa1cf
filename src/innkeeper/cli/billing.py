"""``innkeeper billing``: what organisations used and owe, for the operator of the house."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from . import completing
from .fitting import fitting
from .talk import Talk, org_option, talks
from .telling import columns, document, facts, hours, size

if TYPE_CHECKING:
    from innkeeper.contract.house.billing_v1 import AccountItem, Invoice


@click.group()
def billing() -> None:
    """Accounts and invoices. For admins of the first organisation."""


@billing.command("list")
@click.option("--org", metavar="ID", shell_complete=completing.orgs, help="Of this organisation; of all unless told.")
@talks
def list_invoices(talk: Talk, org: str | None) -> None:
    """List invoices, the newest month first."""
    found = talk.client.house.billing_v1.get_invoices(of=org).invoices
    if talk.as_json:
        document(found)
        return
    columns(
        ("id", "organisation", "month", "state", "due", "amount"),
        (
            [one.invoice_id, one.org_id, one.month, one.state, one.due_date, f"{one.amount_due} {one.currency}"]
            for one in found
        ),
        "There is no invoice. They are made when a month is over.",
    )


@billing.command()
@click.argument("invoice", metavar="INVOICE", shell_complete=completing.invoices)
@talks
def paid(talk: Talk, invoice: str) -> None:
    """Write down that an invoice was paid."""
    _tell(talk, talk.client.house.billing_v1.set_paid(invoice))


@billing.command()
@org_option
@click.option("--month", metavar="YYYY-MM", help="In UTC; the running one unless told.")
@talks
def usage(talk: Talk, org: str | None, month: str | None) -> None:
    """Tell what an organisation's apps used in a month, and what that costs at the prices of now."""
    from innkeeper.contract.house.billing_v1 import Month

    fitting(month, Month, "--month: write YYYY-MM, for example 2026-11")
    account = talk.client.house.billing_v1.get_account(org or talk.org_id() or "", month=month)
    if talk.as_json:
        document(account)
        return
    columns(
        ("app", "id", "processor hours", "sent"),
        ([one.app_name or None, one.app_id, hours(one.cpu_hours), size(one.egress_bytes)] for one in account.apps),
        f"Nothing was used in {account.month}.",
    )
    facts([*_lines(account.items), ("total", f"{account.total} {account.currency}")])


def _tell(talk: Talk, one: Invoice) -> None:
    if talk.as_json:
        document(one)
        return
    facts(
        [
            ("id", one.invoice_id),
            ("organisation", one.org_id),
            ("month", one.month),
            ("state", one.state),
            ("due", one.due_date),
            ("paid", one.paid_at),
            ("by", one.paid_by or None),
            *_lines(one.items),
            ("total", f"{one.amount_due} {one.currency}"),
        ]
    )


def _lines(items: list[AccountItem]) -> list[tuple[str, str]]:
    return [
        (
            item.product.lower(),
            f"{item.quantity} {item.unit} at {item.unit_price}: {item.amount}"
            + (f" less {item.discount}" if item.discount != "0.00" else ""),
        )
        for item in items
    ]
