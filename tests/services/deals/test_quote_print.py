"""DEAL-8: a quote as the customer is handed it, read back by other libraries than those that write it."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from io import BytesIO
from typing import Any, get_args
from uuid import UUID

import pytest
from pypdf import PdfReader

from services.deals.domain.quote.pricing import priced
from services.deals.quote_print.page import POLICY, page_of
from services.deals.quote_print.pdf import Unprintable, pdf_of
from services.deals.quote_print.sheet import Mark, PrintedQuote, Sheet, number_of, sheet_of
from shared.events.deals.quote import QuoteDiscount, QuoteLine
from shared.events.money import Money
from shared.languages.shipped import SHIPPED

NOON = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)
HOSTILE = '<script>alert("1 & 2")</script> #panic("no") $x$ *bold* _it_ [link](x) @ref \\'
EVERY_ALPHABET = (
    "Zażółć gęślą jaźń, Iğdır ışık, Nguyễn Thị Ánh, Щёлково, Їжак, Ξεσκεπάζω, Łódź, 1 200,50 € ½ ≥ – „“ ß ẞ"
)


def eur(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


def line(name: str, quantity: str, price: str, *, tax: str = "19", off: QuoteDiscount | None = None) -> QuoteLine:
    return QuoteLine(
        name=name, unit="hour", quantity=Decimal(quantity), price=eur(price), discount=off, tax_percent=Decimal(tax)
    )


TEN_PERCENT = QuoteDiscount(percent=Decimal("10.000000"))
LINES = (
    line("Workshop", "2.500000", "1200.00", off=TEN_PERCENT),
    line("Handbook", "3", "19.99", tax="7.00"),
)


def quote(
    lines: Sequence[QuoteLine] = LINES, *, discount: QuoteDiscount | None = None, mark: Mark | None = None
) -> PrintedQuote:
    return PrintedQuote(
        number="4f1c-9a03-77be",
        version=2,
        mark=mark,
        company="Lantern & Sons",
        account="Northwind",
        deal="Servers",
        on=date(2026, 3, 16),
        valid_until=date(2026, 4, 15),
        lines=tuple(lines),
        discount=discount,
        totals=priced(lines, discount, currency="EUR", rounding="per-line"),
    )


def english(of: PrintedQuote) -> Sheet:
    return sheet_of(of, SHIPPED["en"])


def test_deal_8_positions_and_sums_are_written_as_the_customer_reads_them() -> None:
    sheet = english(quote())
    assert [column.name for column in sheet.columns] == [
        *("No.", "Description", "Quantity", "Price in EUR", "Discount in EUR", "Tax", "Net in EUR")
    ]
    workshop, handbook = sheet.rows
    assert workshop.cells == ("1", "Workshop", "2.5 hour", "1,200.00", "-300.00", "19%", "2,700.00")
    assert workshop.note == "Discount of 10%"
    assert handbook.cells == ("2", "Handbook", "3 hour", "19.99", "0.00", "7%", "59.97")
    assert handbook.note is None
    assert [(each.name, each.text) for each in (*sheet.sums, sheet.total)] == [
        ("Before discounts", "3,059.97\u00a0EUR"),
        ("Discounts", "-300.00\u00a0EUR"),
        ("Net total", "2,759.97\u00a0EUR"),
        ("7% tax on 59.97\u00a0EUR", "4.20\u00a0EUR"),
        ("19% tax on 2,700.00\u00a0EUR", "513.00\u00a0EUR"),
        ("Total", "3,277.17\u00a0EUR"),
    ]


def test_deal_8_it_is_written_in_the_language_of_the_customer() -> None:
    sheet = sheet_of(quote(), SHIPPED["de"])
    assert (sheet.language, sheet.title) == ("de", "Angebot 4f1c-9a03-77be")
    assert sheet.rows[0].cells == ("1", "Workshop", "2,5 hour", "1.200,00", "-300,00", "19\u00a0%", "2.700,00")
    assert sheet.total.text == "3.277,17\u00a0EUR"
    assert [(fact.name, fact.text) for fact in sheet.facts] == [
        ("Kunde", "Northwind"),
        ("Betreff", "Servers"),
        ("Datum", "16. März 2026"),
        ("Gültig bis", "15. April 2026"),
        ("Fassung", "2"),
    ]


def test_deal_8_amounts_have_the_decimals_of_their_currency() -> None:
    yen = replace(line("Chair", "0.333333", "0"), price=Money(amount=Decimal(10_000), currency="JPY"))
    totals = priced([yen], None, currency="JPY", rounding="per-line")
    sheet = english(replace(quote(), lines=(yen,), totals=totals))
    assert sheet.rows[0].cells[2:] == ("0.333333 hour", "10,000", "19%", "3,333")
    assert sheet.total.text == "3,966\u00a0JPY"


def test_deal_8_without_discounts_nothing_is_said_of_them() -> None:
    sheet = english(quote([line("Handbook", "100", "5.00", tax="7.5")]))
    assert sheet.rows[0].cells == ("1", "Handbook", "100 hour", "5.00", "7.5%", "500.00")
    assert len(sheet.columns) == len(sheet.rows[0].cells)
    assert [each.name for each in sheet.sums] == ["Net total", "7.5% tax on 500.00\u00a0EUR"]
    assert sheet.remark is None


@pytest.mark.parametrize(
    ("discount", "said"),
    [(TEN_PERCENT, "10%"), (QuoteDiscount(amount=eur("59.97")), "59.97\u00a0EUR")],
    ids=["percent", "amount"],
)
def test_deal_8_a_discount_on_the_whole_is_said_to_be_shared(discount: QuoteDiscount, said: str) -> None:
    sheet = english(quote(discount=discount))
    assert sheet.remark == f"The discounts contain {said} on the whole, shared among the positions."


def test_deal_8_the_net_amounts_of_the_positions_add_up_to_what_stands_below() -> None:
    of = quote(discount=QuoteDiscount(percent=Decimal("3.333333")))
    nets = [Decimal(row.cells[-1].replace(",", "")) for row in english(of).rows]
    assert sum(nets) == of.totals.net
    taxes = sum(Decimal(each.text[:-4].replace(",", "")) for each in english(of).sums[3:])
    assert sum(nets) + taxes == of.totals.total


def test_deal_8_a_quote_is_called_by_the_random_end_of_its_id() -> None:
    assert number_of(UUID("0199d3a4-5b7c-7d2e-9f10-3a4b5c6d7e8f")) == "3a4b-5c6d-7e8f"


class Page(HTMLParser):
    """What a browser would find on a page."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page_of(sheet))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_deal_8_the_page_says_all_that_the_sheet_says() -> None:
    sheet = english(quote(discount=TEN_PERCENT, mark="draft"))
    page = Page(sheet)
    assert page.tags[0] == ("html", {"lang": "en"})
    assert all_of(sheet) <= {*page.texts}
    heads = [attributes["scope"] for tag, attributes in page.tags if tag == "th"]
    assert heads.count("col") == len(sheet.columns)
    assert heads.count("row") == len(sheet.rows) + len(sheet.sums) + 1


def test_deal_8_the_page_loads_and_runs_nothing() -> None:
    sheet = english(quote())
    page = Page(sheet)
    assert not {"script", "link", "img", "iframe", "form", "a", "object"} & {tag for tag, _ in page.tags}
    assert not {name for _, attributes in page.tags for name in attributes} & {"src", "href", "style", "srcset"}
    (style,) = re.findall("<style>(.*?)</style>", page_of(sheet), re.DOTALL)
    assert "url(" not in style
    assert "@import" not in style
    fingerprint = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = POLICY["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", f"style-src 'sha256-{fingerprint}'", "frame-ancestors 'none'"} <= {*policy}


@pytest.mark.parametrize("mark", get_args(Mark))
@pytest.mark.parametrize("language", SHIPPED)
def test_deal_8_what_is_no_offer_says_so(mark: Mark, language: str) -> None:
    sheet = sheet_of(quote(mark=mark), SHIPPED[language])
    assert sheet.mark is not None
    assert sheet.mark in Page(sheet).texts
    (page,) = pages_of(sheet)
    assert sheet.mark in page


@pytest.mark.parametrize("text", [HOSTILE, EVERY_ALPHABET, "}} {page} \u202e"], ids=["hostile", "alphabets", "braces"])
def test_deal_8_whatever_people_write_is_text(text: str) -> None:
    named = quote([line(text, "1", "1.00")])
    sheet = english(replace(named, deal=text, account=text, company=text))
    page = Page(sheet)
    assert page.texts.count(text) == 4
    assert "script" not in {tag for tag, _ in page.tags}
    printed = pages_of(sheet)
    assert sum(each.count(plain(text)) for each in printed) >= 4


def test_deal_8_a_file_says_all_that_the_sheet_says() -> None:
    sheet = english(quote(discount=TEN_PERCENT))
    (page,) = pages_of(sheet)
    assert {plain(text) for text in all_of(sheet) if plain(text) not in page} == set()
    assert "Page 1 of 1" in page


def test_deal_8_two_hundred_positions_stand_on_pages_with_a_head_each() -> None:
    lines = [line(f"Position number {index}", "1", f"{index}.00") for index in range(1, 201)]
    sheet = english(quote(lines, mark="expired"))
    pages = pages_of(sheet)
    assert len(pages) > 3
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
        assert plain(sheet.title) in page
        assert plain(sheet.mark or "-") in page
        if "Position number" in page:
            assert "Net in EUR" in page, "the head of the table"
    found = re.findall(r"Position number (\d+)", " ".join(pages))
    assert [int(each) for each in found] == [*range(1, 201)]
    (last,) = [page for page in pages if "Net total" in page]
    assert plain(sheet.total.text) in last, "sums are kept together"


def test_deal_8_long_words_go_on_in_the_next_line() -> None:
    longest = line("Donaudampfschifffahrtsgesellschaftskapitän" * 4, "1000000000", "999.99")
    unit = "Verrechnungseinheiten-der-Zone-elf-und-12"
    sheet = english(replace(quote([replace(longest, unit=unit)]), account="X" * 200))
    for page in PdfReader(BytesIO(pdf_of(sheet, NOON))).pages:
        assert max(map(len, page.extract_text().splitlines())) < 100
        assert "X" * 200 in page.extract_text().replace("\n", ""), "with nothing in between"


def test_deal_8_the_same_quote_is_the_same_file() -> None:
    sheet = english(quote())
    assert pdf_of(sheet, NOON) == pdf_of(sheet, NOON)


def test_deal_8_a_file_can_be_read_aloud() -> None:
    reader = PdfReader(BytesIO(pdf_of(sheet_of(quote(), SHIPPED["de"]), NOON)))
    root: Any = reader.trailer["/Root"].get_object()
    assert root["/Lang"] == "de"
    assert root["/MarkInfo"]["/Marked"]
    assert reader.metadata is not None
    assert reader.metadata.title == "Angebot 4f1c-9a03-77be"
    assert reader.metadata.creation_date == NOON
    assert "pdfuaid" in str(reader.xmp_metadata.rdf_root.toxml() if reader.xmp_metadata else "")


def test_deal_8_no_font_of_the_machine_is_used() -> None:
    reader = PdfReader(BytesIO(pdf_of(english(quote([line(EVERY_ALPHABET, "1", "1.00")])), NOON)))
    resources: list[Any] = [page["/Resources"] for page in reader.pages]
    fonts = {font.get_object()["/BaseFont"] for each in resources for font in each["/Font"].values()}
    assert fonts
    assert all("Libertinus" in name for name in fonts), fonts


def test_deal_8_signs_that_the_font_lacks_come_from_another() -> None:
    (page,) = pages_of(english(quote([line("✓ ₺ ₹ ☎", "1", "1.00")])))
    assert "✓ ₺ ₹ ☎" in page


@pytest.mark.parametrize(("text", "lacking"), [("日本語 Tisch", "日"), ("Stuhl 🪑", "🪑"), ("عربي", "ي")])
def test_deal_8_letters_that_the_fonts_lack_are_refused_by_name(text: str, lacking: str) -> None:
    sheet = english(quote([line(text, "1", "1.00")]))
    with pytest.raises(Unprintable) as refused:
        pdf_of(sheet, NOON)
    assert refused.value.lacking == lacking
    assert text in Page(sheet).texts, "the page has them"


def all_of(sheet: Sheet) -> set[str]:
    """Every text of a sheet, but the one about pages."""

    def said() -> Iterator[str | None]:
        yield from (sheet.title, sheet.mark, sheet.company, sheet.remark)
        yield from (text for fact in (*sheet.facts, *sheet.sums, sheet.total) for text in (fact.name, fact.text))
        yield from (column.name for column in sheet.columns)
        yield from (text for row in sheet.rows for text in (*row.cells, row.note))

    return {*filter(None, said())}


def pages_of(sheet: Sheet) -> list[str]:
    """The texts of the pages of a file, with plain spaces."""
    return [plain(page.extract_text()) for page in PdfReader(BytesIO(pdf_of(sheet, NOON))).pages]


def plain(text: str) -> str:
    """A text without what tells where its lines break."""
    return re.sub(r"\s+", " ", re.sub("\u202e", "", text)).strip()
