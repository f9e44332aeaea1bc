"""The routes of a quote as the customer is handed it: a page, and a file to print (DEAL-8)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Response

from services.deals.domain.quote.state import (
    AnyQuote,
    DeclinedQuote,
    DraftedQuote,
    EndedVersion,
    ExpiredQuote,
    SentQuote,
    SetAsideQuote,
    SubmittedQuote,
    WithdrawnQuote,
    quote,
)
from services.deals.projections.deals import DEAL_PROJECTION
from services.deals.quote_print.page import MEDIA_TYPE as HTML
from services.deals.quote_print.page import POLICY, page_of
from services.deals.quote_print.pdf import MEDIA_TYPE as PDF
from services.deals.quote_print.pdf import Unprintable, pdf_of
from services.deals.quote_print.sheet import Mark, PrintedQuote, Sheet, number_of, sheet_of
from shared.directory.accounts import KNOWN_ACCOUNTS
from shared.domain.context import Actor
from shared.domain.roles import READING
from shared.http.context import ServiceContext
from shared.http.handwritten import CurrentActor, CurrentService, handwritten, operation
from shared.http.headers import etag
from shared.http.problems import Problem
from shared.projections.errors import InvalidQuery, invalid

router = handwritten("quotes")

EXAMPLE = '<!DOCTYPE html>\n<html lang="en"><head><title>Quote 3a4b-5c6d-7e8f</title></head></html>\n'
READS = (DEAL_PROJECTION.name, KNOWN_ACCOUNTS.name)
CUSTOMER = """
select coalesce((select name from {known_accounts}.account where id = $1),
                (select account_name from {deals}.deal where id = $2))
"""
MARKS: Mapping[type, Mark] = {
    DraftedQuote: "draft",
    SubmittedQuote: "draft",
    DeclinedQuote: "declined",
    ExpiredQuote: "expired",
    WithdrawnQuote: "withdrawn",
    SetAsideQuote: "set-aside",
    EndedVersion: "replaced",
}

OfVersion = Annotated[
    int | None,
    Query(description="Which version of the quote, counted from 1. Default: the present one.", alias="version"),
]
QuoteId = Annotated[UUID, Path(alias="id")]
OfCustomer = Annotated[
    str | None,
    Query(description="The customer's language (BCP 47), of those that texts ship in. Default: the company's."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Print:
    """A quote, ready to be set."""

    quote_id: UUID
    said: AnyQuote | EndedVersion
    """The version that is printed."""
    version: int
    """That of its stream."""
    sheet: Sheet

    def headers(self, suffix: str) -> dict[str, str]:
        """What an answer says of itself. The name of the file holds nothing that people write."""
        name = f"quote-{number_of(self.quote_id)}-v{self.said.quote_version}.{suffix}"
        return {
            "ETag": etag(self.version),
            "Content-Language": self.sheet.language,
            "Content-Disposition": f'inline; filename="{name}"',
        }


@router.get(
    "/v1/quotes/{id}/print.html",
    **operation(roles=READING, reads=READS, media_type=HTML, example=EXAMPLE, problems=("not-found",)),
    name="get_quote_page",
)
async def quote_page(
    asking: CurrentActor,
    service: CurrentService,
    quote_id: QuoteId,
    language: OfCustomer = None,
    number: OfVersion = None,
) -> Response:
    """Show a quote as the customer is handed it, as a page.

    It loads and runs nothing, and can be printed as it stands. What is no offer, or none any more, says so; so does a
    version before the present one, whatever became of it.
    """
    found = await _print(service, asking, quote_id, language, number)
    return Response(page_of(found.sheet), media_type=HTML, headers={**found.headers("html"), **POLICY})


@router.get(
    "/v1/quotes/{id}/print.pdf",
    **operation(roles=READING, reads=READS, media_type=PDF, example="%PDF-1.7", problems=("not-found", "refused")),
    name="get_quote_file",
)
async def quote_file(
    asking: CurrentActor,
    service: CurrentService,
    quote_id: QuoteId,
    language: OfCustomer = None,
    number: OfVersion = None,
) -> Response:
    """Show a quote as the customer is handed it, as a file to print (PDF/UA).

    In one language, a version is the same file as long as its state and last day stay, and the names of customer, deal
    and company. Letters that its fonts lack, like Chinese ones, are refused (`letters-without-font`); the page shows
    them.
    """
    found = await _print(service, asking, quote_id, language, number)
    begun = service.settings.company.start_of(found.said.drafted_on)
    try:
        content = await asyncio.to_thread(pdf_of, found.sheet, begun)
    except Unprintable as lacking:
        raise Problem("refused", f"{lacking} The page shows it.", code="letters-without-font") from lacking
    return Response(content, media_type=PDF, headers=found.headers("pdf"))


async def _print(
    service: ServiceContext, asking: Actor, quote_id: UUID, language: str | None, number: int | None
) -> Print:
    """A version of the quote as whoever asks sees it, in a language. Raises InvalidQuery for a language that does not
    ship, and a version that there is not."""
    words = service.languages.own if language is None else service.languages.named(language)
    if words is None:
        shipped = ", ".join(sorted(service.languages.catalogues))
        raise InvalidQuery([invalid("language", "unknown-language", f"Texts ship in: {shipped}.")])
    held = await service.commands.seen(quote, quote_id, asking)
    state = held.state
    said = version_of(state, number)
    if said is None:
        raise InvalidQuery([invalid("version", "unknown-version", f"It has versions 1 to {state.quote_version}.")])
    async with service.projections.reading(READS) as reading:
        customer = await reading(KNOWN_ACCOUNTS).fetchval(CUSTOMER, state.account_id, state.deal_id)
    printed = PrintedQuote(
        number=number_of(state.id),
        version=said.quote_version,
        mark=mark_of(said, service.clock.now()),
        company=service.settings.company_name,
        account=customer,
        deal=state.deal_name,
        on=said.drafted_on,
        valid_until=said.valid_until,
        lines=said.lines,
        discount=said.discount,
        totals=said.totals,
    )
    return Print(said=said, quote_id=state.id, version=held.sequence, sheet=sheet_of(printed, words))


def version_of(state: AnyQuote, number: int | None) -> AnyQuote | EndedVersion | None:
    """A version of a quote, by default the present one; None where there is no such."""
    if number is None or number == state.quote_version:
        return state
    return next((each for each in state.versions if each.quote_version == number), None)


def mark_of(state: AnyQuote | EndedVersion, now: datetime) -> Mark | None:
    """Why a version is no offer. One whose last day has passed is none, whether or not its expiry is recorded yet."""
    if isinstance(state, SentQuote) and now >= state.expires_at:
        return "expired"
    return MARKS.get(type(state))
