"""An invoice as a PDF, made when somebody asks for it, from its numbers that never change. Called by a page.

ReportLab is loaded then and not before. Its standard letters are those of Western Europe; a name in others needs a
font that has them: the setting ``invoice_font``, or DejaVu Sans where the machine has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from innkeeper.kit.months import month_name
from innkeeper.kit.stamps import moment

from .model import Invoice

#: Where machines keep DejaVu Sans.
USUAL_FONTS = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf",
    "/usr/share/fonts/TTF/DejaVuSans.ttf",
    "/usr/share/fonts/dejavu/DejaVuSans.ttf",
)
_PLAIN = "Helvetica"
#: Edges and columns of the page, in points: A4 is 595 by 842.
_LEFT, _RIGHT, _TOP = 56, 539, 780
_COLUMNS = (300, 370, 450)
#: The longest line of text that stands on the page; longer ones are cut.
_MOST = 90


def invoice_pdf(invoice: Invoice, organisation: str, seller: str, font: str = "") -> bytes:
    """The document. ``organisation`` pays and ``seller`` is paid, both by name; ``font`` is a TrueType file.

    It tells what the invoice says and not whether it is paid, so that it is the same for ever.
    """
    from reportlab.pdfgen.canvas import Canvas

    out = BytesIO()
    page = Canvas(out, pagesize=(595, 842), invariant=1)
    page.setTitle(f"Invoice {invoice.id}")
    page.setProducer("Innkeeper")
    y = _TOP
    for size, text in _head(invoice, organisation, seller):
        _write(page, _LEFT, y, text, size, font)
        y -= size + 8
    y -= 16
    for row in _table(invoice):
        _write(page, _LEFT, y, row[0], 10, font)
        for x, text in zip((*_COLUMNS, _RIGHT), row[1:], strict=True):
            _write(page, x, y, text, 10, font, right=True)
        y -= 18
    page.line(_LEFT, y + 32, _RIGHT, y + 32)
    page.showPage()
    page.save()
    return out.getvalue()


def _head(invoice: Invoice, organisation: str, seller: str) -> Iterator[tuple[int, str]]:
    yield 20, f"Invoice for {month_name(invoice.month)}"
    yield 10, f"Number: {invoice.id}"
    yield 10, f"From: {seller}"
    yield 10, f"To: {organisation} ({invoice.org_id})"
    yield 10, f"Date: {_day(invoice.made_at)}"
    yield 10, f"Due: {_day(invoice.due_at)}"


def _table(invoice: Invoice) -> Iterator[Sequence[str]]:
    yield "Product", "Quantity", "Unit price", "Discount", f"Amount, {invoice.currency}"
    for item in invoice.items:
        price = f"{item.unit_price:f}"
        yield f"{item.product} ({item.unit})", f"{item.quantity}", price, f"{item.discount}", f"{item.amount}"
    yield "To be paid", "", "", "", f"{invoice.due}"


def _day(at: int) -> str:
    return moment(at).date().isoformat()


def _write(page: Any, x: float, y: float, text: str, size: int, font: str, *, right: bool = False) -> None:
    name, written = _fitting(text if len(text) <= _MOST else text[: _MOST - 3] + "...", font)
    page.setFont(name, size)
    (page.drawRightString if right else page.drawString)(x, y, written)


def _fitting(text: str, font: str) -> tuple[str, str]:
    """The font that can write a text, and the text with ``?`` for what none here can."""
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        found = _loaded(font)
        if found is None:
            return _PLAIN, text.encode("cp1252", "replace").decode("cp1252")
        name, letters = found
        return name, "".join(one if ord(one) in letters else "?" for one in text)
    return _PLAIN, text


def is_font(path: str) -> bool:
    """Whether a file is a font that invoices can be written with. ``cli/checks.py`` asks before the house opens."""
    return _loaded(path) is not None


@cache
def _loaded(font: str) -> tuple[str, frozenset[int]] | None:
    """The font for names: what it is called here, and the characters it has. None where there is none."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFError, TTFont

    for path in [font] if font else USUAL_FONTS:
        if Path(path).is_file():
            try:
                loaded = TTFont(f"names-{path}", path)
            except TTFError:  # of a kind that ReportLab cannot read
                continue
            pdfmetrics.registerFont(loaded)
            return loaded.fontName, frozenset(loaded.face.charToGlyph)
    return None
