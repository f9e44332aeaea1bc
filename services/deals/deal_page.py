"""The page of a deal, as it is published."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from services.deals.deal_timeline import DealTimeline
from services.deals.domain.deal import deal
from services.deals.domain.deal.completeness import completeness
from services.deals.domain.deal.gates import JudgedCriterion, gates_ahead, gates_of_work, judged
from services.deals.domain.deal.nodes import Part
from services.deals.domain.deal.standing import NOWHERE, Aging, LifeSigns, PossibleMoves, aging, possible_moves
from services.deals.domain.deal.state import AnyDeal, OpenDeal, bound_by
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.journey import BuyerStage, ranked, weight
from services.deals.domain.process.state import Process
from services.deals.domain.quote import quote
from services.deals.projections.quotes import QuoteRow
from services.deals.projections.surroundings import Surroundings
from services.deals.qualification_api import DealQualification
from services.deals.quote_print.sheet import number_of
from services.deals.resources import RESOURCES, Deal
from shared.domain.aggregate import status_of, statuses
from shared.domain.context import Company
from shared.events.definition import Exact, value, words
from shared.events.money import Money
from shared.events.process import FlexibleNode, Stage, Step, work_of
from shared.http.command_routes import PossibleCommand
from shared.http.json import answer_shape

RESOURCE = next(resource for resource in RESOURCES if resource.aggregate is deal)


@value
class PagedDeal(Deal):
    """A deal, whatever its state."""

    id: UUID
    version: int
    status: Literal["open", "won", "lost", "abandoned"]
    owner_name: str | None
    team_name: str | None
    on: date | None
    """The day of its outcome."""
    reason: str | None
    """Why it was lost or abandoned."""
    competitor: str | None
    """Who won it instead."""


@answer_shape
class PagedNode:
    """A task or deliverable, as the process describes it, and how far it is."""

    key: str
    name: str
    kind: Literal["task", "deliverable"]
    stage: str
    flexible_node: str | None
    """The flexible node that it belongs to, by its key."""
    by_rule: str | None
    """The rule of the stage by which it is due, where it is not so by entering the stage."""
    required: bool
    standard: str | None
    reference: str | None
    """The template of a deliverable."""
    step: Step | None
    """The five questions."""
    deliverable: str | None
    """What a task brings about, and has to be there before it is done."""
    due: date | None
    done: bool
    evidence: str | None
    """Null as long as it is not done, and once it is erased."""
    days_late: int
    """By how many working days it is late; 0 when it is done or not due."""
    criteria: list[JudgedCriterion]
    """What is asked before it is begun and once it is done."""


@answer_shape
class PagedStage:
    """The stage in which a deal stands, or stood when it closed, as its version of the process describes it."""

    key: str
    name: str
    number: int
    """Its place among the stages, from 1."""
    stages: list[str]
    """The keys of all of them, in order."""
    process_name: str
    purpose: str
    guidance: str | None
    """What somebody new has to know."""
    buyer_stage: str | None
    responsible: str
    accountable: str | None
    supporting: list[str]
    step: Step | None
    """The five questions."""
    max_days: int
    idle_limit: int
    checkpoint: bool
    """Whether a deal is qualified anew here."""
    moves: Literal["by-hand", "by-itself"]
    """Whether a deal that is ready to move on does so by itself."""
    nodes: list[PagedNode]
    """Its tasks and deliverables, those of the flexible nodes that bind the deal there, and then what is left undone of
    the stages before."""


@answer_shape
class RankedTouchpoint:
    """Where and how the buyer meets us, with how much it calls for attention."""

    key: str
    name: str
    kind: Literal["online", "offline", "internal"]
    importance: int
    urgency: int
    weight: int
    """Importance × urgency, from 1 to 25."""


@answer_shape
class PagedJourney:
    """The stage of the buyer's journey in which they stand, as the deal's version of the process describes it."""

    stage: BuyerStage
    noted: bool
    """Whether somebody noted that they stand there; else it is the one that the deal's stage mirrors."""
    needs: list[str]
    pains: list[str]
    channels: list[str]
    touchpoints: list[RankedTouchpoint]
    """The heaviest first."""
    action: str | None
    """What we do there."""
    responsible: str | None
    """The role that does it."""
    deliverable: str | None
    """What the buyer has in hand afterwards."""


@answer_shape
class PagedGate:
    """The gate before a deal: what the stage that it leaves asks, the flexible nodes that bind it there, and the stage
    that it enters."""

    stage: str | None
    """The next stage; null in the last one, which is left by an outcome."""
    is_open: bool
    """Whether every criterion is met or waived."""
    criteria: list[JudgedCriterion]
    missing_rate: str | None
    """The deal's currency, where a criterion asks for its amount and there is no exchange rate."""


@answer_shape
class PagedCompleteness:
    """How much of what the gate before a deal asks for is known (DEAL-11)."""

    share: Exact | None
    """Filled ÷ required facts, from 0 to 1; null where the gate asks for nothing."""
    required: list[str]
    """The facts that its criteria look at."""
    missing: list[str]


@answer_shape
class DealFigures:
    """How an open deal fares today."""

    aging: Aging
    last_worked_at: datetime | None
    """As in the list of deals; null where that does not have the deal yet."""
    cost_of_idle_day: Money | None
    """What a day costs on which nothing happens."""
    next_step_overdue: bool
    slipped: bool
    """Whether the day has passed on which it was expected to close."""


@answer_shape
class OpenSupport:
    """Help that was asked of another department, and is not there yet."""

    id: UUID
    status: Literal["asked", "accepted", "returned"]
    stage: str
    name: str | None
    department: str
    asked_on: date
    due: date
    overdue: bool
    days_late: int
    """In working days."""
    responsible: UUID | None


@answer_shape
class DealQuote:
    """A quote of the deal, as its present version stands."""

    id: UUID
    number: str
    """What the customer calls it by, as it is printed."""
    quote_version: int
    """Counted from 1."""
    status: Annotated[str, words(statuses(quote))]
    net: Money
    """What it comes to without tax: what the deal is worth by it."""
    total: Money
    """What the customer pays: net with tax."""
    discount_percent: Exact
    """How far net lies below the list prices, as of its submission where there was one."""
    valid_until: date | None
    """The last day on which it can be accepted; null where no day is said before it is sent."""
    waits_for: list[Literal["sales", "price", "delivery", "customer"]]
    """What has to come next: whoever sells submits or sends it, its price is approved, its delivery is assessed, the
    customer answers. Nothing once it has ended."""


@answer_shape
class DealOverview:
    """All that a page about one deal shows."""

    as_of: date
    """The company's day by which days and figures are reckoned."""
    deal: PagedDeal
    stage: PagedStage
    journey: PagedJourney | None
    """Null where the process says nothing of the buyer's stage."""
    moves: PossibleMoves
    """Where its process lets it go; nowhere once it is closed."""
    gate: PagedGate | None
    """Null once it is closed."""
    completeness: PagedCompleteness | None
    """Null once it is closed."""
    figures: DealFigures | None
    """Null once it is closed."""
    qualification: DealQualification
    support: list[OpenSupport]
    """What is due first comes first."""
    quotes: list[DealQuote]
    """What was begun last comes first."""
    commands: list[PossibleCommand]
    """What whoever asks may do with it now, and why not."""
    events: DealTimeline
    """What happened last: the first page of its timeline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A deal as it is loaded for its page."""

    state: AnyDeal
    version: int
    process: Process
    conversion: Conversion
    signs: LifeSigns | None
    """None where the list does not have it yet."""
    now: datetime
    company: Company

    @property
    def today(self) -> date:
        """The company's day."""
        return self.company.day(self.now)

    @property
    def stage(self) -> Stage:
        """The stage that it stands in, or stood in when it closed."""
        return self.process.definition.stage(self.state.stage)


def deal_of(held: Held, around: Surroundings) -> PagedDeal:
    """The deal itself, with what its ids are called."""
    nothing = dict.fromkeys(each.name for each in fields(PagedDeal))
    told = {**nothing, **RESOURCE.of(held.state)}
    names = {"owner_name": around.owner_name, "team_name": around.team_name, "account_name": around.account_name}
    own = {"id": held.state.id, "version": held.version, "status": status_of(deal, held.state)}
    return PagedDeal(**{**told, **names, **own})


def stage_of(held: Held) -> PagedStage:
    """Its stage, with the work of it, and what is left undone of the stages before."""
    definition, stage = held.process.definition, held.stage
    here = definition.index(stage.key)
    undone = (node for before in definition.stages[:here] for node in _nodes(held, before) if _is_left(held, node))
    return PagedStage(
        key=stage.key,
        name=stage.name,
        number=here + 1,
        stages=[each.key for each in definition.stages],
        process_name=definition.name,
        purpose=stage.purpose,
        guidance=stage.guidance,
        buyer_stage=stage.buyer_stage,
        responsible=stage.responsible,
        accountable=stage.accountable,
        supporting=list(stage.supporting),
        step=stage.step,
        max_days=stage.max_days,
        idle_limit=stage.idle_days,
        checkpoint=stage.checkpoint,
        moves=stage.moves,
        nodes=[*_nodes(held, stage), *undone],
    )


def journey_of(held: Held) -> PagedJourney | None:
    """The stage in which the buyer stands, or should by the stage of the seller; None where nothing is said of it."""
    buyer = held.state.buyer
    key = buyer.stage if buyer else held.stage.buyer_stage
    stage = next((each for each in held.process.definition.journey if each.key == key), None)
    if stage is None:
        return None
    return PagedJourney(
        stage=stage.key,  # type: ignore[arg-type]  # a published journey has no other stages
        noted=buyer is not None,
        needs=list(stage.needs),
        pains=list(stage.pains),
        channels=list(stage.channels),
        touchpoints=[
            RankedTouchpoint(
                key=each.key,
                name=each.name,
                kind=each.kind,
                importance=each.importance,
                urgency=each.urgency,
                weight=weight(each),
            )
            for each in ranked(stage.touchpoints)
        ],
        action=stage.action,
        responsible=stage.responsible,
        deliverable=stage.deliverable,
    )


def _is_left(held: Held, node: PagedNode) -> bool:
    """Whether work of an earlier stage fell due, and was not done."""
    return not node.done and any(known.key == node.key for known in held.state.nodes)


def _parts(held: Held, stage: Stage) -> Iterable[Part]:
    """A stage, and the flexible nodes that bind the deal there."""
    yield stage
    yield from (node for added, node in bound_by(held.state, held.process.definition) if added.stage == stage.key)


def _nodes(held: Held, stage: Stage) -> Iterable[PagedNode]:
    known = {node.key: node for node in held.state.nodes}
    for part in _parts(held, stage):
        for kind, node in work_of(part):
            own = known.get(node.key)
            due, done = (own.due, own.evidence is not None) if own else (None, False)
            open_ = isinstance(held.state, OpenDeal) and not done
            yield PagedNode(
                key=node.key,
                name=node.name,
                kind=kind,  # type: ignore[arg-type]  # task or deliverable
                stage=stage.key,
                flexible_node=part.key if isinstance(part, FlexibleNode) else None,
                by_rule=own.by_rule if own else None,
                required=node.required,
                standard=node.standard,
                reference=node.reference,
                step=node.step,
                deliverable=node.deliverable,
                due=due,
                done=done,
                evidence=own.evidence if own else None,
                days_late=held.company.calendar.between(due, held.today) if open_ and due else 0,
                criteria=list(_judged(held, *gates_of_work(part, kind, node))),
            )


def _judged(held: Held, *gates: Any) -> tuple[JudgedCriterion, ...]:
    return judged(held.state, held.process, held.conversion, held.today, *gates)


def gate_of(held: Held) -> PagedGate | None:
    """The gate before the deal; None once it is closed."""
    if not isinstance(held.state, OpenDeal):
        return None
    definition = held.process.definition
    criteria = _judged(held, *gates_ahead(held.state, definition))
    asks = any("amount" in each.met for each in criteria)
    is_unknown = asks and held.conversion.worth(held.state.amount) is None
    return PagedGate(
        stage=possible_moves(definition, held.state.stage).forward,
        is_open=all(each.is_met or each.waived_until for each in criteria),
        criteria=list(criteria),
        missing_rate=held.state.amount.currency if is_unknown else None,
    )


def completeness_of(held: Held) -> PagedCompleteness | None:
    """How much of what the gate ahead asks for is known; None once the deal is closed."""
    if not isinstance(held.state, OpenDeal):
        return None
    found = completeness(held.state, held.process, held.conversion)
    return PagedCompleteness(share=found.share, required=list(found.required), missing=list(found.missing))


def moves_of(held: Held) -> PossibleMoves:
    """Where the process lets the deal go."""
    return possible_moves(held.process.definition, held.state.stage) if isinstance(held.state, OpenDeal) else NOWHERE


def figures_of(held: Held, qualification: DealQualification) -> DealFigures | None:
    """How an open deal fares today; None once it is closed."""
    state, today = held.state, held.today
    if not isinstance(state, OpenDeal):
        return None
    signs = held.signs or LifeSigns(last_worked_at=held.now, silence_until=None)
    since = state.stage_since or held.company.day(signs.last_worked_at)
    planned = state.next_step.on if state.next_step else None
    return DealFigures(
        aging=aging(held.stage, since, signs, held.now, held.company),
        last_worked_at=held.signs.last_worked_at if held.signs else None,
        cost_of_idle_day=qualification.cost_of_idle_day,
        next_step_overdue=planned is not None and planned < today,
        slipped=state.expected_close is not None and state.expected_close < today,
    )


def support_of(rows: Sequence[Any]) -> list[OpenSupport]:
    """Support requests as a page shows them."""
    return [OpenSupport(**{each.name: getattr(row, each.name) for each in fields(OpenSupport)}) for row in rows]


def quotes_of(rows: Sequence[QuoteRow]) -> list[DealQuote]:
    """Quotes as a page shows them."""
    return [
        DealQuote(
            id=row.id,
            number=number_of(row.id),
            quote_version=row.quote_version,
            status=row.status,
            net=Money(amount=row.net, currency=row.currency),
            total=Money(amount=row.total, currency=row.currency),
            discount_percent=row.discount_percent,
            valid_until=row.valid_until,
            waits_for=_waits_for(row),
        )
        for row in rows
    ]


def _waits_for(row: QuoteRow) -> list[Any]:
    match row.status:
        case "drafted" | "approved":
            return ["sales"]
        case "submitted":
            price = [] if row.is_price_approved else ["price"]
            delivery = ["delivery"] if row.needs_assessment and row.assessed_on is None else []
            return [*price, *delivery]
        case "sent":
            return ["customer"]
    return []
