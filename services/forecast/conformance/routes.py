"""How processes are followed, over HTTP: by stage of a version, and the cases behind (DEAL-2, DEAL-4, DEAL-5)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from services.forecast.asking.answers import ratio
from services.forecast.asking.parameters import (
    AskedPeriod,
    PastQuery,
    ProcessId,
    ProcessVersion,
    QueryContext,
    check_process,
)
from services.forecast.asking.periods import period
from services.forecast.conformance.conduct import DECISIONS, OUTCOMES
from services.forecast.conformance.figures import FIGURES, Figure, Orders, Sums, counts_as, orders_of, summed
from services.forecast.conformance.queries import READ_MODELS, cases_behind, counted_cases
from services.forecast.counting.cases import CasePlace, FoundCase, place_of
from services.forecast.counting.marks import Kind
from services.forecast.processes.queries import Stage, StageKey, stages
from shared.domain.periods import Period
from shared.domain.roles import READING
from shared.events.definition import words
from shared.http.handwritten import answer, handwritten, operation
from shared.http.json import answer_shape
from shared.http.lists.paging import Paged

router = handwritten("process-conformance")

ASKED = (*READ_MODELS, "processes")
"""The read models that are asked."""


@answer_shape
class GateAttempts:
    """Attempts at gates. `pass_rate` is first attempts that passed ÷ first attempts, with four decimals; null without
    any. `refusals` counts further attempts, too: trying again with the same criteria unmet is none."""

    first_attempts: int
    first_passes: int
    pass_rate: Decimal | None
    refusals: int


@answer_shape
class WaiverFigures:
    """Waivers that were given, and what became of those: used at a gate at least once, revoked, or run out unused.

    A waiver runs out when its last day ends on an open deal. One that another waiver of the same criterion replaced, or
    that a migration or the end of the deal overtook, did not.
    """

    given: int
    used: int
    revoked: int
    expired: int


@answer_shape
class FlexibleNodeFigures:
    """Flexible nodes that were added, by somebody or by a rule of a stage, and those that were removed."""

    added: int
    removed: int


@answer_shape
class NodeCompletion:
    """Required tasks and deliverables that fell due in the period, and those of them that are done, in time or later.
    `completion_rate` is completed ÷ due, with four decimals; null without any. Work falls due at the end of its day, or
    when its stage is left before."""

    due: int
    completed: int
    completion_rate: Decimal | None


@answer_shape
class ProposalFigures:
    """Tasks and deliverables that the process calls proposals and that fell due in the period, required or not, and
    those of them that were done by then. `on_time_rate` is on time ÷ due, with four decimals; null without any."""

    due: int
    on_time: int
    on_time_rate: Decimal | None


@answer_shape
class ExitOutcome:
    """How many of the proposals were decided like this, on deals that stand like that."""

    decided: Annotated[str, words(DECISIONS)]
    """moot: what it rested on was taken back before anybody decided."""
    outcome: Annotated[str, words(OUTCOMES)]
    count: int


@answer_shape
class ExitFigures:
    """Proposals to give a deal up: how many, how each of them was decided, and what became of it."""

    proposed: int
    accepted: int
    declined: int
    moot: int
    undecided: int
    outcomes: list[ExitOutcome]
    """Every decision and outcome that there is any of."""


@answer_shape
class WinningFigures:
    """Gates that deals went past by being won, which is possible from any stage. `stages_passed` counts the stages that
    still lay ahead, each for itself; `exits_unmet` the deals that were won while criteria of the exits behind their own
    stage were neither met nor waived, for that stage. A win of which history tells went past none."""

    stages_passed: int
    exits_unmet: int


@answer_shape
class ConformanceFigures:
    """Cases of a period: `gates` are those of stages and of work together, work being tasks and deliverables.

    `skips` counts stages that were passed over, each for itself; `returns` moves back, for the stage that was left;
    `completion` and `proposals` work, for the stage that it belongs to. All else counts for the stage in which the deal
    stood.
    """

    gates: GateAttempts
    stage_gates: GateAttempts
    work_gates: GateAttempts
    skips: int
    returns: int
    winning: WinningFigures
    waivers: WaiverFigures
    flexible_nodes: FlexibleNodeFigures
    completion: NodeCompletion
    proposals: ProposalFigures
    exits: ExitFigures


@answer_shape
class StageConformance:
    """A stage of a version of a process, with its figures. `process` and `process_name` are null as long as the
    version's publication is not known yet; moves in it are then neither attempts nor skips nor returns."""

    process_id: UUID
    process_version: int
    process: str | None
    process_name: str | None
    stage: str
    name: str
    figures: ConformanceFigures


@answer_shape
class ProcessConformance:
    """How processes were followed in a period, as far as it had gone at the instant asked about."""

    as_of: datetime
    known_at: datetime | None
    period: str
    since: date
    """Its first day."""
    until: date
    """Its last day."""
    total: ConformanceFigures
    stages: list[StageConformance]
    """Those that any case belongs to, in the order of their processes."""


@answer_shape
class ConformanceCase:
    """A case behind a figure: the deal, and when it happened; work happened when it fell due. `stages` are those of its
    process for which it counts: a move counts as a skip for each stage that it passed over, and a win for each that lay
    ahead. `/v1/deal-histories/{deal_id}` has the events."""

    deal_id: UUID
    at: datetime
    process_id: UUID
    process_version: int
    stages: list[str]


@answer_shape
class ConformanceCases:
    """The cases behind a figure, in the order in which they happened, a page of them; `count` is the figure."""

    as_of: datetime
    figure: Annotated[str, words(FIGURES)]
    count: int
    cases: list[ConformanceCase]
    next: str | None
    """The cursor of the following page."""
    has_more: bool


@router.get("/v1/process-conformance", **operation(roles=READING, reads=ASKED, answers=ProcessConformance))
async def process_conformance(
    query: PastQuery,
    *,
    name: AskedPeriod = None,
    process_id: ProcessId = None,
    process_version: ProcessVersion = None,
) -> Response:
    """How processes are followed: attempts at gates, waivers, skips, returns, wins, flexible nodes, work, exits.

    What happened in the period counts, for whoever holds the deal at as_of, and what became of it by then: a waiver of
    the period counts as used whenever it was. A deal that enters a stage by itself has made an attempt that passed;
    what history tells of was decided without gates, and is no attempt.
    """
    check_process(process_id, process_version)
    wanted = _period(query, name)
    async with query.reading() as reading:
        known = await stages(reading("processes"))
        found = await counted_cases(
            reading,
            query.question,
            query.company,
            wanted,
            process_id=process_id,
            version=process_version,
        )
        parked = reading.parked
    total, by_stage = summed(found, orders_of(known))
    return answer(
        ProcessConformance(
            as_of=query.question.as_of,
            known_at=query.question.known_at,
            period=wanted.name,
            since=wanted.first,
            until=wanted.last,
            total=_figures(total),
            stages=_stages(by_stage, known),
        ),
        parked=parked,
    )


@router.get("/v1/process-conformance/cases", **operation(roles=READING, reads=ASKED, answers=ConformanceCases))
async def process_conformance_cases(
    query: PastQuery,
    paged: Paged,
    *,
    figure: Annotated[Figure, Query(description="The figure whose cases are wanted.")],
    stage: Annotated[
        str | None,
        Query(description="Only cases that count for this stage; stages are data, so an unknown one has none."),
    ] = None,
    name: AskedPeriod = None,
    process_id: ProcessId = None,
    process_version: ProcessVersion = None,
) -> Response:
    """The cases behind a figure, in the order in which they happened.

    A stage is one of a version of a process; without these, it is every stage that has this key somewhere.
    """
    check_process(process_id, process_version)
    wanted = _period(query, name)
    async with query.reading() as reading:
        orders = orders_of(await stages(reading("processes")))
        counted = await counted_cases(
            reading, query.question, query.company, wanted, process_id=process_id, version=process_version
        )
        places = {kind: _places(kind, orders, figure, stage) for kind in sorted(counted)}
        chosen = {kind: named for kind, named in places.items() if named}
        found = await cases_behind(
            reading,
            query.question,
            query.company,
            wanted,
            list(chosen),
            after=paged.behind(CasePlace),
            enough=paged.enough,
        )
        parked = reading.parked
    page = paged.cut(found, place_of)
    return answer(
        ConformanceCases(
            as_of=query.question.as_of,
            figure=figure,
            count=sum(counted[kind] * len(named) for kind, named in chosen.items()),
            cases=[_case(each, chosen[each.kind]) for each in page.rows],
            next=page.next,
            has_more=page.has_more,
        ),
        parked=parked,
        headers=page.headers,
    )


def _period(query: QueryContext, name: str | None) -> Period:
    """The period that is named, or the quarter that was running at the instant asked about."""
    today = query.company.day(query.question.as_of)
    return period(name, query.company) if name is not None else query.company.fiscal_year.quarter_of(today)


def _places(kind: Kind, orders: Orders, figure: str, stage: str | None) -> list[str]:
    """The stages for which a case of a kind counts in a figure."""
    return [key for (_, _, key), named in counts_as(kind, orders) if named == figure and stage in (None, key)]


def _case(case: FoundCase, counts_for: list[str]) -> ConformanceCase:
    return ConformanceCase(
        deal_id=case.thing_id,
        at=case.at,
        process_id=case.kind.process_id,
        process_version=case.kind.process_version,
        stages=counts_for,
    )


def _stages(sums: Mapping[StageKey, Sums], known: Sequence[Stage]) -> list[StageConformance]:
    """Stages in their processes' order; then what no process told yet."""
    published = {stage.key: stage for stage in known}
    listed = [*(key for key in published if key in sums), *sorted(sums.keys() - published.keys())]
    return [_stage(key, published.get(key), sums[key]) for key in listed]


def _stage(key: StageKey, stage: Stage | None, sums: Sums) -> StageConformance:
    process_id, version, code = key
    return StageConformance(
        process_id=process_id,
        process_version=version,
        process=stage.process if stage else None,
        process_name=stage.process_name if stage else None,
        stage=code,
        name=stage.name if stage else code,
        figures=_figures(sums),
    )


def _figures(sums: Sums) -> ConformanceFigures:
    of = sums.figures
    return ConformanceFigures(
        gates=_attempts(of, "stage", "work"),
        stage_gates=_attempts(of, "stage"),
        work_gates=_attempts(of, "work"),
        skips=of["skips"],
        returns=of["returns"],
        winning=WinningFigures(stages_passed=of["stages-passed-by-winning"], exits_unmet=of["won-with-exit-unmet"]),
        waivers=WaiverFigures(
            given=of["waivers-given"],
            used=of["waivers-used"],
            revoked=of["waivers-revoked"],
            expired=of["waivers-expired"],
        ),
        flexible_nodes=FlexibleNodeFigures(added=of["flexible-nodes-added"], removed=of["flexible-nodes-removed"]),
        completion=NodeCompletion(
            due=(due := of["nodes-due"]),
            completed=(completed := of["nodes-completed"]),
            completion_rate=ratio(completed, due),
        ),
        proposals=ProposalFigures(
            due=(proposed := of["proposals-due"]),
            on_time=(on_time := of["proposals-on-time"]),
            on_time_rate=ratio(on_time, proposed),
        ),
        exits=_exits(sums),
    )


def _attempts(of: Counter[str], *gates: str) -> GateAttempts:
    first, passed, refused = (
        sum(of[f"{gate}-{figure}"] for gate in gates) for figure in ("first-attempts", "first-passes", "refusals")
    )
    return GateAttempts(first_attempts=first, first_passes=passed, pass_rate=ratio(passed, first), refusals=refused)


def _exits(sums: Sums) -> ExitFigures:
    cells = [
        ExitOutcome(decided=decision, outcome=outcome, count=count)
        for decision in DECISIONS
        for outcome in OUTCOMES
        if (count := sums.exits[f"{decision} {outcome}"])
    ]
    decided = {decision: sum(each.count for each in cells if each.decided == decision) for decision in DECISIONS}
    return ExitFigures(proposed=sums.figures["exits-proposed"], **decided, outcomes=cells)
