"""The funnel: the open pipeline by stage, and what was closed (FC-1)."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Response

from services.forecast.asking.answers import CountedMoney, Unconverted, UsedRate, money
from services.forecast.asking.parameters import OfCurrency, PastQuery, ProcessId, ProcessVersion, check_process
from services.forecast.asking.question import Question
from services.forecast.counting.sums import Sum
from services.forecast.counting.valuation import merged, shown_left_out, shown_rates
from services.forecast.pipeline.figures import mean_and_median
from services.forecast.pipeline.queries.totals import ClosedRow, OpenRow, Wanted
from services.forecast.pipeline.queries.worth import closed_worth, open_worth
from services.forecast.pipeline.routes.drilling import DRILLED, DrilledDeals, drilled
from services.forecast.pipeline.timeline import ABANDONED, LOST, OPEN, WON
from services.forecast.processes.queries import Stage, StageKey, stages
from shared.domain.roles import READING
from shared.events.money import Money
from shared.http.handwritten import answer, handwritten, operation
from shared.http.json import answer_shape
from shared.http.lists.paging import Paged
from shared.http.query_parameters import Day
from shared.projections.errors import InvalidQuery, invalid

router = handwritten("funnel")

From = Annotated[Day | None, Query(alias="from", description="First close date that counts as closed.")]
To = Annotated[Day | None, Query(description="Last close date that counts as closed.")]


@answer_shape
class StageFigures:
    """The open deals of one stage of one version of a process. `weighted` is amount × the stage's probability; a deal
    without an exchange rate is in none of the three.

    `process` and `process_name` are null as long as the version's publication is not known yet.
    """

    process_id: UUID
    process_version: int
    process: str | None
    process_name: str | None
    stage: str
    name: str
    count: int
    amount: Money
    weighted: Money


@answer_shape
class CycleDays:
    """Whole days from the lead's capture (or a direct deal's opening) to the win; `n` deals of which both are known."""

    mean: Decimal | None
    median: Decimal | None
    n: int


@answer_shape
class WonFigures:
    """Deals won between the close dates asked about."""

    count: int
    amount: Money
    cycle_days: CycleDays


@answer_shape
class ClosedFigures:
    """What was closed between the close dates asked about, by outcome."""

    won: WonFigures
    lost: CountedMoney
    abandoned: CountedMoney


@answer_shape
class Funnel:
    """The funnel at an instant. `parked` counts events that could not be applied yet; it is left out when zero.

    All amounts are in the company's currency: open ones at the exchange `rates` of the day asked about, closed ones at
    the rate of their own day. `unconverted` counts what was left out for want of a rate.
    """

    as_of: datetime
    known_at: datetime | None
    currency: str
    rates: list[UsedRate]
    unconverted: list[Unconverted]
    stages: list[StageFigures]
    closed: ClosedFigures


@router.get(
    "/v1/funnel",
    **operation(
        roles=READING,
        reads=("deals", "processes", "rates"),
        answers=Funnel,
        worded=True,
    ),
)
async def funnel(
    query: PastQuery,
    *,
    first: From = None,
    to: To = None,
    process_id: ProcessId = None,
    process_version: ProcessVersion = None,
    currency: OfCurrency = None,
) -> Response:
    """The open pipeline by stage, and what was closed.

    `from` and `to` are close dates, both included, and only filter `closed`. Stages of two processes, or of two
    versions of one, are told apart: every stage of each process's newest version is listed, of others those where
    deals stand. The newest version is the last one that was in force then, or in which deals stood.
    """
    opening, ending = check_days(first, to)
    check_process(process_id, process_version)
    wanted = Wanted(process_id=process_id, process_version=process_version, currency=currency)
    async with query.reading() as reading:
        known = await stages(reading("processes"))
        open_deals = await open_worth(reading, query.question, query.company, wanted)
        closed = await closed_worth(reading, query.question, query.company, opening, ending, wanted)
        parked = reading.parked
    return answer(
        Funnel(
            as_of=query.question.as_of,
            known_at=query.question.known_at,
            currency=query.currency,
            rates=shown_rates(open_deals.rates),
            unconverted=shown_left_out(query.words, merged(open_deals.unconverted, closed.unconverted)),
            stages=_stages(open_deals.rows, chosen(known, process_id, process_version), query.question, query.currency),
            closed=_closed(closed.rows, query.currency),
        ),
        parked=parked,
        words=query.words,
    )


@router.get("/v1/funnel/deals", **operation(roles=READING, reads=DRILLED, answers=DrilledDeals, worded=True))
async def funnel_deals(
    query: PastQuery,
    paged: Paged,
    *,
    stage: Annotated[
        str | None, Query(description="Only deals of this stage; stages are data, so none stand in an unknown one.")
    ] = None,
    outcome: Annotated[
        Literal["open", "won", "lost", "abandoned"], Query(description="Open deals, or those that ended like this.")
    ] = "open",
    first: From = None,
    to: To = None,
    process_id: ProcessId = None,
    process_version: ProcessVersion = None,
    currency: OfCurrency = None,
) -> Response:
    """The deals behind a figure of the funnel, the largest first.

    A stage is one of a version of a process; without these, it is every stage that has this key somewhere.
    """
    check_process(process_id, process_version)
    opening, ending = check_days(first, to)
    closed = None if outcome == OPEN else (opening, ending)
    wanted = Wanted(
        outcome=outcome,
        process_id=process_id,
        process_version=process_version,
        stage=stage,
        currency=currency,
        closed=closed,
    )
    return await drilled(query, paged, [wanted])


def check_days(first: date | None, last: date | None) -> tuple[date, date]:
    """A range of days, both included; open ends reach everything."""
    if first is not None and last is not None and first > last:
        raise InvalidQuery([invalid("from", "from-after-to", "from lies after to.")])
    return first or date.min, last or date.max


def chosen(known: Sequence[Stage], process_id: UUID | None, version: int | None) -> list[Stage]:
    """The stages that a question is about."""
    return [stage for stage in known if process_id in (None, stage.process_id) and version in (None, stage.version)]


def _stages(rows: Sequence[OpenRow], known: Sequence[Stage], asked: Question, currency: str) -> list[StageFigures]:
    """Stages in their processes' order, those of newest versions also without deals; then what no process told yet."""
    sums: dict[StageKey, Sum] = {}
    for row in rows:
        key = row.process_id, row.process_version, row.stage
        sums[key] = sums.get(key, Sum()) + Sum(row.count, row.amount, row.weighted)
    standing = {(process_id, version) for process_id, version, _ in sums}
    newest: dict[UUID, int] = {}
    for stage in known:
        was_in_force = stage.published_at <= asked.as_of and stage.known <= asked.known_until
        if was_in_force or (stage.process_id, stage.version) in standing:
            newest.setdefault(stage.process_id, stage.version)
    published = {stage.key: stage for stage in known}
    listed = [key for key, stage in published.items() if key in sums or newest.get(stage.process_id) == stage.version]
    untold = sorted(sums.keys() - published.keys())
    return [_stage(key, published.get(key), sums.get(key, Sum()), currency) for key in (*listed, *untold)]


def _stage(key: StageKey, stage: Stage | None, total: Sum, currency: str) -> StageFigures:
    process_id, version, code = key
    return StageFigures(
        process_id=process_id,
        process_version=version,
        process=stage.process if stage else None,
        process_name=stage.process_name if stage else None,
        stage=code,
        name=stage.name if stage else code,
        count=total.count,
        amount=money(total.amount, currency),
        weighted=money(total.weighted, currency),
    )


def _closed(rows: Sequence[ClosedRow], currency: str) -> ClosedFigures:
    sums = {outcome: Sum() for outcome in (WON, LOST, ABANDONED)}
    cycle: Counter[int] = Counter()
    for row in rows:
        sums[row.outcome] += Sum(row.count, row.amount)
        if row.won and row.cycle_days >= 0:
            cycle[row.cycle_days] += row.count
    mean, median, number = mean_and_median(cycle)
    return ClosedFigures(
        won=WonFigures(
            count=sums[WON].count,
            amount=money(sums[WON].amount, currency),
            cycle_days=CycleDays(mean=mean, median=median, n=number),
        ),
        lost=CountedMoney(count=sums[LOST].count, amount=money(sums[LOST].amount, currency)),
        abandoned=CountedMoney(count=sums[ABANDONED].count, amount=money(sums[ABANDONED].amount, currency)),
    )
