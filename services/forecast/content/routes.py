"""What content was used for, over HTTP: how often, on how many deals, and how many of these were won (PROC-8)."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Response

from services.forecast.asking.answers import ratio
from services.forecast.asking.parameters import AskedPeriod, PastQuery
from services.forecast.asking.periods import period
from services.forecast.content.model import ABANDONED, LOST, OPEN, WON
from services.forecast.content.queries import WHOLE, Uses, content_uses
from services.forecast.health.queries import limits_of
from shared.domain.fields import FIRST_DAY
from shared.domain.periods import Period
from shared.domain.roles import READING
from shared.http.handwritten import answer, handwritten, operation
from shared.http.json import answer_shape
from shared.http.query_parameters import Id

router = handwritten("content-use")


@answer_shape
class ContentFigures:
    """Uses of a piece of content, and how the deals stand that it was used on. `ended` are those won, lost or abandoned
    after they were used first: the sample of `win_rate`, won ÷ ended with four decimals. Below the smallest sample
    there is none, and `state` is no-data."""

    sent: int
    opened: int
    attended: int
    last_on: date | None
    """The day of the last use."""
    deals: int
    open: int
    won: int
    ended: int
    win_rate: Decimal | None
    state: Literal["counted", "no-data"]


@answer_shape
class VersionUse:
    """What a version of it was used for; a deal counts for each version that was used on it."""

    content_version: int
    figures: ContentFigures


@answer_shape
class ItemUse:
    """What a piece of content was used for, in all versions and in each. `/v1/content-items/{content_id}` says what it
    is."""

    content_id: UUID
    figures: ContentFigures
    versions: list[VersionUse]


@answer_shape
class ContentUses:
    """What content was used for, as known of the instant asked about."""

    as_of: datetime
    known_at: datetime | None
    since: date
    """Uses from this day on count, and deals on which a first use lies there."""
    until: date
    limits_version: int
    """The version of the policy health-limits that was in force on the day asked about; 0 is the default."""
    smallest_sample: int
    """Of fewer ended deals there is no rate."""
    items: list[ItemUse]
    """Those that were used, in the order of their ids."""


@router.get("/v1/content-use", **operation(roles=READING, reads=("content_use",), answers=ContentUses))
async def content_use(
    query: PastQuery,
    *,
    name: AskedPeriod = None,
    content_id: Annotated[Id | None, Query(description="Only this piece of content.")] = None,
) -> Response:
    """What solutions, cases, scripts and templates were used for, and how many of these deals were won later.

    Without a period all uses up to as_of count. How a deal stands is as at as_of, for whoever holds it then. That
    content was used on deals which were won does not say that they were won by it.
    """
    today = query.company.day(query.question.as_of)
    ever = Period(name="", first=FIRST_DAY, last=today, fiscal_year=query.company.fiscal_year)
    wanted = ever if name is None else period(name, query.company)
    limits = await limits_of(query)
    async with query.reading() as reading:
        used = await content_uses(reading("content_use"), query.question, query.company, wanted)
        parked = reading.parked
    smallest = limits.document.smallest_sample
    items = [
        ItemUse(
            content_id=each,
            figures=_figures(found.get(WHOLE, Uses()), smallest),
            versions=[
                VersionUse(content_version=number, figures=_figures(found[number], smallest))
                for number in sorted(found.keys() - {WHOLE})
            ],
        )
        for each, found in sorted(used.items())
        if content_id in (None, each)
    ]
    return answer(
        ContentUses(
            as_of=query.question.as_of,
            known_at=query.question.known_at,
            since=wanted.first,
            until=wanted.last,
            limits_version=limits.version,
            smallest_sample=smallest,
            items=items,
        ),
        parked=parked,
    )


def _figures(of: Uses, smallest_sample: int) -> ContentFigures:
    ended = sum(of.outcomes[outcome] for outcome in (WON, LOST, ABANDONED))
    is_enough = ended >= smallest_sample
    return ContentFigures(
        sent=of.uses["sent"],
        opened=of.uses["opened"],
        attended=of.uses["attended"],
        last_on=of.last,
        deals=ended + of.outcomes[OPEN],
        open=of.outcomes[OPEN],
        won=of.outcomes[WON],
        ended=ended,
        win_rate=ratio(of.outcomes[WON], ended) if is_enough else None,
        state="counted" if is_enough else "no-data",
    )
