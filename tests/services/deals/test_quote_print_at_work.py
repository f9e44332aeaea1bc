"""DEAL-8: a quote as the customer is handed it, over HTTP: who may, in which language, with which mark and name."""

import re
from io import BytesIO
from uuid import UUID

import httpx
from pypdf import PdfReader

from services.deals.quote_print.sheet import number_of
from shared.domain.roles import Role
from tests.services.deals.conftest import Office, Team
from tests.services.deals.test_quotes_at_work import INSTALLATION, Counter, counter, did
from tests.services.deals.test_service import codes, patched

__all__ = ["counter"]


async def test_deal_8_a_quote_is_handed_out_as_page_and_as_file(counter: Counter) -> None:
    at = await counter.drafts(INSTALLATION)
    name = f"quote-{number_of(UUID(at[-36:]))}-v1"
    page = await counter.rep.client.get(f"{at}/print.html")
    assert page.status_code == 200, page.text
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-disposition"] == f'inline; filename="{name}.html"'
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert (page.headers["content-language"], page.headers["etag"]) == ("en", '"1"')
    assert counter.name in page.text
    assert "Draft" in page.text
    file = await counter.rep.client.get(f"{at}/print.pdf?language=de-AT")
    assert file.headers["content-type"] == "application/pdf"
    assert file.headers["content-disposition"] == f'inline; filename="{name}.pdf"'
    assert file.headers["content-language"] == "de"
    (printed,) = PdfReader(BytesIO(file.content)).pages
    assert "3.570,00" in re.sub(r"\s", " ", printed.extract_text())
    assert (await counter.rep.client.get(f"{at}/print.pdf?language=de")).content == file.content
    await did(counter.rep, f"{at}/submit")


async def test_deal_8_what_cannot_be_printed_is_said(counter: Counter, office: Office, team: Team) -> None:
    at = await counter.drafts({**INSTALLATION, "name": "設置"})
    refused = await counter.rep.client.get(f"{at}/print.pdf")
    assert (refused.status_code, refused.json()["code"]) == (409, "letters-without-font")
    assert "設" in refused.json()["detail"]
    page = await counter.rep.client.get(f"{at}/print.html")
    assert "設置" in page.text
    unknown = await counter.rep.client.get(f"{at}/print.html?language=tlh")
    assert (unknown.status_code, unknown.json()["errors"][0]["parameter"]) == (400, "language")
    stranger = office.somebody(Role.REP, "somebody-else")
    for kind in ("html", "pdf"):
        assert await stranger.status(f"{at}/print.{kind}") == 404


async def test_deal_8_a_version_before_the_present_one_is_printed_as_replaced(counter: Counter) -> None:
    """With what it said, its own day, and the mark that it is no offer any more, whatever became of it."""
    at = await counter.sends(counter.servers(discount={"percent": "5"}))
    sent = (await counter.rep.sees(at))["valid_until"]
    await did(counter.rep, f"{at}/revise")
    shown = await counter.rep.sees(at)
    changed = await patched(counter.rep, at, shown["version"], {"lines": [INSTALLATION]})
    assert changed.status_code == 200, changed.text
    name = f"quote-{number_of(UUID(at[-36:]))}"

    async def page(query: str) -> httpx.Response:
        return await counter.rep.client.get(f"{at}/print.html{query}")

    before, now = await page("?version=1"), await page("")
    assert before.headers["content-disposition"] == f'inline; filename="{name}-v1.html"'
    assert now.headers["content-disposition"] == f'inline; filename="{name}-v2.html"'
    assert ("Replaced by a later version" in before.text, "Replaced by a later version" in now.text) == (True, False)
    assert ("9,120.00" in before.text, "9,120.00" in now.text) == (True, False)
    assert ("Installation" in before.text, "Installation" in now.text) == (False, True)
    assert (await page("?version=2")).text == now.text
    (kept,) = (await counter.rep.sees(at))["versions"]
    assert (kept["drafted_on"], kept["valid_until"]) == (shown["drafted_on"], sent)
    file = await counter.rep.client.get(f"{at}/print.pdf?version=1&language=de")
    assert file.headers["content-disposition"] == f'inline; filename="{name}-v1.pdf"'
    (printed,) = PdfReader(BytesIO(file.content)).pages
    assert "Durch eine spätere Fassung ersetzt" in re.sub(r"\s+", " ", printed.extract_text())
    for number in ("0", "3"):
        unknown = await page(f"?version={number}")
        assert (unknown.status_code, codes(unknown)) == (400, ["unknown-version"])
        assert unknown.json()["errors"][0]["parameter"] == "version"
