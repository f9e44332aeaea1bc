"""The route of the search for deals and quotes, by words with slips of the pen (DEAL-3, DEAL-8)."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Response

from services.deals.projections.deals import DEAL, DEAL_PROJECTION, DEALS
from services.deals.projections.quotes import QUOTE, QUOTE_PROJECTION, QUOTES
from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.roles import READING
from shared.events.definition import Exact
from shared.http.handwritten import CurrentActor, CurrentService, answer, handwritten, operation
from shared.http.json import answer_shape
from shared.projections.search.finding import Searched, asked_words, find

router = handwritten("deal-search")

SEARCHED = (
    Searched(kind="deal", listing=DEALS, table=DEAL, called="name", detail="account_name"),
    Searched(kind="quote", listing=QUOTES, table=QUOTE, called="deal_name", detail="number"),
)

Words = Annotated[
    str,
    Query(
        description="What is looked for: 1 to 10 words, in any order, of 200 characters together. Case, marks on"
        " letters and punctuation do not count."
    ),
]


@answer_shape
class DealSearchHit:
    """A deal or a quote that has all the words."""

    kind: Literal["deal", "quote"]
    id: UUID
    name: str
    """What the deal is called; of a quote the deal that it is for."""
    detail: str | None
    """The name of the account that the deal states; of a quote its number, as the customer is told it."""
    found_by: Literal["name", "account_name", "deal_name", "number"]
    """The text in which most of what was looked for stands."""
    score: Exact
    """From 1, every word as it was written, down to 0: the mean of the words, less where one only begins like what was
    looked for, or has a slip in it."""


@answer_shape
class DealSearch:
    """What was found, the nearest first, of equally near ones the newest."""

    items: list[DealSearchHit]
    """At most 20."""
    truncated: bool
    """Whether more than 400 of a kind have the words, of which only some were looked at: further words, or more of
    them, find what is missing."""


@router.get(
    "/v1/deal-search",
    **operation(roles=READING, reads=(DEAL_PROJECTION.name, QUOTE_PROJECTION.name, ORGANISATION), answers=DealSearch),
    name="search_deals",
)
async def search_deals(asking: CurrentActor, service: CurrentService, q: Words) -> Response:
    """Find deals and quotes by words, also by beginnings of words and with a slip of the pen in each.

    A deal is found by its name and that of its account as the deal states it, a quote by its number and the name of its
    deal. Only what whoever asks may see is found.
    """
    found = await find(service.projections, SEARCHED, asking, asked_words(q))
    return answer({"items": found.hits, "truncated": found.truncated})
