"""An invoice as a document: what stands in it, in whatever letters. Read back by pypdf."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from innkeeper.billing.model import Invoice, Prices, Usage
from innkeeper.billing.pdf import USUAL_FONTS, invoice_pdf
from innkeeper.billing.prices import items_of, total
from innkeeper.kit.clock import HOUR, SECOND

ITEMS = items_of(
    Usage(1000 * HOUR, 5 * 10**9), Prices(cpu_hour=Decimal("0.08"), egress_gb=Decimal("0.12"), credit=Decimal(10))
)
INVOICE = Invoice(
    "inv-17", "org-9", 202701, 1_801_500_000 * SECOND, 1_802_700_000 * SECOND, "EUR", ITEMS, total(ITEMS), None, None
)


def text_of(pdf: bytes) -> str:
    (page,) = PdfReader(BytesIO(pdf)).pages
    return page.extract_text()


def test_it_says_what_the_invoice_says_and_is_the_same_for_ever() -> None:
    pdf = invoice_pdf(INVOICE, "Studio Ål & Söhne", "My house")
    text = text_of(pdf)
    for said in (
        "Invoice for 2027-01", "inv-17", "org-9", "Studio Ål & Söhne", "My house", "2027-02-01", "2027-02-15",
        "1000.000", "0.08", "80.00", "10.00", "5.000", "0.60", "70.60", "Amount, EUR",
    ):  # fmt: skip
        assert said in text, said
    assert invoice_pdf(INVOICE, "Studio Ål & Söhne", "My house") == pdf


@pytest.mark.parametrize("name", ["Студия «Гостиница»", "Ξενώνας", "Zażółć gęślą jaźń"])
@pytest.mark.skipif(not any(Path(one).is_file() for one in USUAL_FONTS), reason="no DejaVu Sans on this machine")
def test_names_in_other_letters_are_written_where_there_is_a_font(name: str) -> None:
    assert name in text_of(invoice_pdf(INVOICE, name, "My house"))


@pytest.mark.parametrize("name", ["日本スタジオ", "🎲" * 200, "a" * 5000, "", "\u202eflip", "tab\tand\nline", "(a\\)"])
def test_no_name_breaks_it(name: str) -> None:
    assert "70.60" in text_of(invoice_pdf(INVOICE, name, name))


def test_without_a_font_letters_are_told_as_question_marks(tmp_path: Path) -> None:
    nothing = tmp_path / "no-font.ttf"
    assert "To: ?????? (org-9)" in text_of(invoice_pdf(INVOICE, "Студия", "x", str(nothing)))
    nothing.write_bytes(b"this is no font")
    assert "To: ????? (org-9)" in text_of(invoice_pdf(INVOICE, "Игрок", "x", str(nothing)))
