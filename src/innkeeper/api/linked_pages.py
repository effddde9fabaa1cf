"""Pages for people who hold a signed link: an invoice, the list of an organisation's invoices, the proof of an
e-mail address. Used by ``pages.py``.

The link is all the proof there is, so it must not leak: nothing is fetched, nothing is kept by caches, and whoever is
led on is not told where they come from. What is not ours is escaped. A page that changes something does so by its
button: programs that look at mails before people do follow links, and press no buttons.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from innkeeper.billing.model import Invoice
from innkeeper.kit.errors import HouseError, NotFound, Unauthorized
from innkeeper.kit.months import month_name
from innkeeper.kit.stamps import moment

if TYPE_CHECKING:
    from .visits import Wings

INVOICES, PORTAL, VERIFY = "/invoices/", "/account/", "/verify/"

_HTML = "text/html; charset=utf-8"
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .3rem 1rem .3rem 0; border-bottom: 1px solid #8884; }
td.amount { text-align: right; }
"""
#: For every one of these pages.
SAFE = (
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none';"
     b" frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
)  # fmt: skip


class Page(NamedTuple):
    """What is sent."""

    status: int
    kind: str
    body: bytes
    headers: Sequence[tuple[bytes, bytes]] = SAFE


class LinkedPages:
    """Answers the paths that signed links lead to."""

    def __init__(self, wings: Wings) -> None:
        self._wings = wings

    async def answer(self, method: str, path: str) -> Page | None:
        """The page at a path; None where there is none."""
        reading = method in ("GET", "HEAD")
        try:
            if path.startswith(INVOICES) and reading:
                return await self._invoice(path.removeprefix(INVOICES))
            if path.startswith(PORTAL) and reading:
                return await self._portal(path.removeprefix(PORTAL))
            if path.startswith(VERIFY) and (reading or method == "POST"):
                return await self._verify(path.removeprefix(VERIFY), pressed=method == "POST")
        except (Unauthorized, NotFound) as error:
            return _page("This link does not work", f"<p>{escape(_sentence(error))}</p>", 401)
        return None

    async def _invoice(self, token: str) -> Page:
        from innkeeper.billing.pdf import invoice_pdf

        wings = self._wings
        invoice = await wings.billing.invoice(wings.billing_links.read_invoice(token.removesuffix(".pdf")))
        buyer = (await wings.organisations.get(invoice.org_id)).name
        seller = (await wings.organisations.get(wings.operator)).name
        pdf = await asyncio.to_thread(invoice_pdf, invoice, buyer, seller, wings.settings.invoice_font)
        name = f'inline; filename="invoice-{month_name(invoice.month)}.pdf"'
        return Page(200, "application/pdf", pdf, (*SAFE, (b"content-disposition", name.encode())))

    async def _portal(self, token: str) -> Page:
        wings = self._wings
        org_id, back = wings.billing_links.read_portal(token)
        name = (await wings.organisations.get(org_id)).name
        now = wings.clock.now()
        rows = [self._row(invoice, now) for invoice in await wings.billing.invoices(org_id)]
        head = "<tr><th>Month</th><th>Due</th><th>State</th><th>Amount</th><th></th></tr>"
        told = f"<table>{head}{''.join(rows)}</table>" if rows else "<p>There is no invoice yet.</p>"
        return _page(f"Invoices of {name}", f'{told}<p><a href="{escape(back)}" rel="noreferrer">Back</a></p>')

    def _row(self, invoice: Invoice, now: int) -> str:
        link = f"../invoices/{self._wings.billing_links.invoice(invoice.id)}.pdf"  # beside this page, wherever that is
        return (
            f"<tr><td>{month_name(invoice.month)}</td><td>{moment(invoice.due_at).date().isoformat()}</td>"
            f'<td>{invoice.state(now)}</td><td class="amount">{invoice.due} {escape(invoice.currency)}</td>'
            f'<td><a href="{link}">PDF</a></td></tr>'
        )

    async def _verify(self, token: str, *, pressed: bool) -> Page:
        verifying = self._wings.verifying
        if pressed:
            email = await verifying.confirm(token)
            return _page("Confirmed", f"<p>{escape(email)} is confirmed. You can close this page.</p>")
        email = verifying.read(token)
        form = '<form method="post"><button>Confirm</button></form>'
        return _page("Confirm your e-mail address", f"<p>Is {escape(email)} your address?</p>{form}")


def _sentence(error: HouseError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def _page(title: str, body: str, status: int = 200) -> Page:
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><h1>{escape(title)}</h1>{body}</body></html>"
    )
    return Page(status, _HTML, text.encode())
