"""What targets follow from the year before, over HTTP (PROC-4)."""

from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from annotated_types import Ge, Le
from fastapi import Query, Response

from services.forecast.asking.answers import money
from services.forecast.asking.parameters import AskedPeriod, PastQuery, QueryContext
from services.forecast.attainment.routes.figures import Figure, asked_period
from services.forecast.attainment.rules import proposed
from services.forecast.counting.sums import Sum
from services.forecast.pipeline.queries.totals import WON_DEALS, deals_then
from services.forecast.pipeline.queries.worth import worth_of_deals
from services.forecast.rates.queries import rates_of
from shared.domain.periods import Period
from shared.domain.roles import MANAGING
from shared.events.definition import Exact
from shared.http.handwritten import answer, handwritten, operation
from shared.http.json import answer_shape
from shared.projections.errors import InvalidQuery, invalid

router = handwritten("target-attainment")


@answer_shape
class ProposedTarget:
    """What a team or rep could be to reach: what was won a year before × (1 + growth)."""

    level: Literal["company", "team", "rep"]
    team: UUID | None
    member: UUID | None
    won: int
    """How many deals were won."""
    before: Figure
    proposed: Figure


@answer_shape
class ProposedTargets:
    """Targets that follow from what was won a year before. Nothing is recorded: they are sent as targets, or others."""

    as_of: datetime
    known_at: datetime | None
    period: str
    before: str
    """The period a year earlier, whose wins count for whoever has the deals at as_of."""
    kind: Literal["revenue", "won-deals"]
    growth: Decimal
    currency: str
    proposals: list[ProposedTarget]
    """The company where whoever asks sees all of it, then teams, then reps, those who won most first."""
    without_rate: int
    """How many won deals are in a currency for which there is no rate, and are in no amount."""


@router.get(
    "/v1/target-proposals",
    **operation(roles=MANAGING, reads=("deals", "rates"), answers=ProposedTargets),
)
async def target_proposals(
    query: PastQuery,
    *,
    name: AskedPeriod = None,
    kind: Annotated[Literal["revenue", "won-deals"], Query(description="What could be wanted.")] = "revenue",
    growth: Annotated[
        Annotated[Exact, Ge(Decimal(-1)), Le(Decimal(10))],
        Query(description="By how much more: 0.10 is a tenth more, 1 twice as much."),
    ] = Decimal(0),
) -> Response:
    """Propose targets from what each team and rep won a year before.

    Bookings count, which every deal has: what was invoiced is of accounting. Amounts are rounded to whole units of the
    currency, counts up.
    """
    asked, wanted = query.question, asked_period(query, name)
    before = _earlier(query, wanted)
    async with query.reading() as reading:
        states = await deals_then(reading("deals"), asked, replace(WON_DEALS, closed=(before.first, before.last)))
        days = [(state.currency, state.closed_on) for state in states if state.closed_on is not None]
        rates = await rates_of(reading, asked, query.currency, days)
        parked = reading.parked
    worth = {each.state.deal_id: each.amount for each in worth_of_deals(states, rates, before.last)}
    sums: dict[Whose, Sum] = defaultdict(Sum)
    for state in states:
        for whose in _whose(state.team, state.owner, is_all=asked.sees_all):
            sums[whose] += Sum(1, worth.get(state.deal_id, Decimal(0)))
    order = ("company", "team", "rep")
    return answer(
        ProposedTargets(
            as_of=asked.as_of,
            known_at=asked.known_at,
            period=wanted.name,
            before=before.name,
            kind=kind,
            growth=growth,
            currency=query.currency,
            proposals=[
                _proposed(query, kind, growth, whose, sums[whose])
                for whose in sorted(
                    sums, key=lambda each: (order.index(each[0]), -sums[each].amount, str(each[1]), str(each[2]))
                )
            ],
            without_rate=len(states) - len(worth),
        ),
        parked=parked,
    )


Whose = tuple[Literal["company", "team", "rep"], UUID | None, UUID | None]


def _whose(team: UUID | None, owner: UUID | None, *, is_all: bool) -> list[Whose]:
    """Whose targets a deal counts for."""
    found: list[Whose] = [("company", None, None)] if is_all else []
    if team is not None:
        found.append(("team", team, None))
        if owner is not None:
            found.append(("rep", team, owner))
    return found


def _earlier(query: QueryContext, wanted: Period) -> Period:
    """The same period a year before. Raises InvalidQuery where the calendar has none."""
    name = f"{int(wanted.name[:4]) - 1:04}{wanted.name[4:]}"
    try:
        return query.company.fiscal_year.period(name)
    except ValueError:
        raise InvalidQuery([invalid("period", "not-a-period", "There is no such period a year before.")]) from None


def _proposed(
    query: QueryContext, kind: Literal["revenue", "won-deals"], growth: Decimal, whose: Whose, won: Sum
) -> ProposedTarget:
    level, team, member = whose
    value = won.amount if kind == "revenue" else Decimal(won.count)
    return ProposedTarget(
        level=level,
        team=team,
        member=member,
        won=won.count,
        before=_shown(query, kind, value),
        proposed=_shown(query, kind, proposed(kind, value, growth)),
    )


def _shown(query: QueryContext, kind: str, value: Decimal) -> Figure:
    if kind == "revenue":
        return Figure(amount=money(value, query.currency), number=None)
    return Figure(amount=None, number=value)
