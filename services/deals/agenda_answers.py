"""What is answered about what is to be done, and how it is made of read models and states (DEAL-6, DEAL-7)."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from services.deals.domain.deal import deal
from services.deals.domain.deal.closing import ContractOfDeal
from services.deals.domain.deal.next_actions import ActionReason, Circumstances, actions_of, ranked
from services.deals.domain.deal.next_actions import NextAction as Action
from services.deals.domain.deal.standing import LifeSigns
from services.deals.domain.deal.state import OpenDeal
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.process import process
from services.deals.domain.process.state import Process, version_of
from services.deals.projections.agenda import AGENDA_PROJECTION
from services.deals.projections.agenda_queries import (
    Due,
    DueKind,
    Stake,
    currencies,
    due_items,
    greatest_stakes,
    signs_of,
)
from services.deals.projections.contracts import KNOWN_CONTRACTS, SIGNED
from services.deals.projections.deals import DEAL_PROJECTION
from services.deals.projections.exchange_rates import EXCHANGE_RATE_PROJECTION
from services.deals.projections.lookups import conversion_of
from services.deals.projections.stage_visits import STAGE_VISIT_PROJECTION, STAGE_WORK_PROJECTION
from services.deals.projections.support_requests import SUPPORT_REQUEST_PROJECTION
from shared.domain.aggregate import Aggregate
from shared.domain.context import Actor, Company
from shared.domain.policy import InForce
from shared.events.criteria import FactValue
from shared.events.deals.policy import Winning
from shared.events.money import Money
from shared.events.process import work_of
from shared.eventstore.snapshots import LoadedAggregate
from shared.http.json import answer_shape
from shared.projections.projection import Projection
from shared.projections.read_snapshot import Projections, ReadSnapshot

ACTION_READS = (DEAL_PROJECTION.name, EXCHANGE_RATE_PROJECTION.name, KNOWN_CONTRACTS.name)
AGENDA_READS = (
    *ACTION_READS,
    AGENDA_PROJECTION.name,
    SUPPORT_REQUEST_PROJECTION.name,
    STAGE_VISIT_PROJECTION.name,
    STAGE_WORK_PROJECTION.name,
)
WORK: Collection[DueKind] = ("task", "deliverable")
BY_WORKING_DAYS: Collection[DueKind] = (
    *WORK,
    "support-awaited",
    "support-returned",
    "support-promised",
    "stage-work",
)
"""What is due by working days, and late by them, as on the page of a deal and in the list of support requests."""
MOST_ITEMS = 100
"""How many of each part are shown; how many there are is told."""
MOST_DEALS, FEWEST_DEALS = 200, 10
"""So many deals of a rep are looked at, and so many at a time at least, for what is to be done first: most ask for
something, but one in a stage that asks for nothing may not."""


@answer_shape
class NextAction:
    """Something to be done for a deal, and why."""

    deal_id: UUID
    deal_name: str
    reason: ActionReason
    due: date | None
    """The day on which it is, or was, due; null where no day follows."""
    days: int | None
    """For how many days it has been so; null where nothing is late."""
    weighted: Money
    """Amount × probability, in the deal's currency: what is at stake."""
    worth: Money | None
    """The same in the company's currency, by which actions are ranked; null where no exchange rate says it, and then
    it stands behind all others."""
    gate: str | None
    criterion: str | None
    """The criterion that is unmet, by its key."""
    facts: dict[str, FactValue]
    """What it follows from: facts of the deal, and days."""
    commands: list[str]
    """The commands that do it, by their names in the deal's list of `commands` without the kind (`plan-next-step` is
    `planNextStepDeal`, `update` is `updateDeal`, the PATCH): any of them, the usual one first. Empty where no command
    of a deal does it: a contract is signed among the contracts."""


@answer_shape
class NextActions:
    """What an open deal asks for; nothing, once it is closed. `version` is that of the deal."""

    id: UUID
    version: int
    on: date
    """The company's day by which it was worked out."""
    items: list[NextAction]


@answer_shape
class DueItem:
    """Something that falls due on a deal, or in a stage of a lead or a contract."""

    id: UUID
    """The same as long as it is the same thing: a next step that is put off keeps it."""
    version: int
    """That of its deal, support request or stage visit when it changed last."""
    kind: DueKind
    due: date
    days_late: int
    """For how many days it is overdue: working days of tasks, deliverables, work of stages and help of other
    departments, which are due by these; else days of the calendar."""
    deal_id: UUID | None
    """Null of the work with a lead."""
    deal_name: str
    """Of the work with a lead, what that is called."""
    account_id: UUID | None
    key: str | None
    """The task or deliverable by its key; the question of a renewal; the type of a support request."""
    name: str | None
    """What that is called."""
    what: str | None
    """What a next step says; null once it is erased."""
    required: bool
    support_request_id: UUID | None
    stage_visit_id: UUID | None
    """Of the work of a stage, the visit by which it is completed."""
    lead_id: UUID | None
    updated_at: datetime


@answer_shape
class AgendaPart:
    """What is due in a part of an agenda, by day: the first hundred, and how many there are."""

    count: int
    items: list[DueItem]


@answer_shape
class Agenda:
    """What waits for a rep: what is late, what is due, and what to do first."""

    owner: UUID
    on: date
    until: date
    """The last day of what is shown as next."""
    overdue: AgendaPart
    today: AgendaPart
    next: AgendaPart
    actions: list[NextAction]
    """Over all of their open deals."""


States = Callable[[Aggregate, Sequence[UUID]], Awaitable[Mapping[UUID, LoadedAggregate]]]
"""`async (aggregate, ids) -> those aggregates as they are now`, in one statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What these answers are made of: read models, states, what is needed before a deal is won, and the company's time
    (UTC)."""

    projections: Projections
    states: States
    winning: InForce[Winning]
    company: Company
    now: datetime

    @property
    def today(self) -> date:
        """The company's day."""
        return self.company.day(self.now)


async def agenda_of(
    of: Sources, owner: UUID, asker: Actor, *, on: date | None = None, days: int = 7, actions: int = 10
) -> Agenda:
    """What waits for a rep, as far as the asker sees it."""
    day = on or of.today
    async with of.projections.reading(AGENDA_READS) as reading:
        db = reading(AGENDA_PROJECTION)
        conversion = await conversion_for(of, reading, await currencies(db, owner))
        due, counts = await due_items(db, owner, asker, on=day, days=days, limit=MOST_ITEMS)
        stakes = await greatest_stakes(db, owner, asker, conversion, MOST_DEALS)
        signed = await _signed(reading, [each.deal_id for each in stakes])
    processes = await processes_of(of, due)

    def part(name: str) -> AgendaPart:
        items = [_due_item(each, day, of.company, processes) for each in due if each.part == name]
        return AgendaPart(count=counts.get(name, 0), items=items)

    return Agenda(
        owner=owner,
        on=day,
        until=day + timedelta(days=days),
        overdue=part("overdue"),
        today=part("today"),
        next=part("next"),
        actions=shown(await _first_actions(of, stakes, conversion, signed, actions)),
    )


async def next_actions_of(of: Sources, state: OpenDeal) -> list[Action]:
    """What one open deal asks for."""
    async with of.projections.reading(ACTION_READS) as reading:
        signs = await signs_of(reading(DEAL_PROJECTION), state.id)
        conversion = await conversion_for(of, reading, [state.amount.currency])
        signed = await _signed(reading, [state.id])
    if signs is None:
        return []  # it was opened a moment ago
    return actions_of(state, _given(of, state, await followed(of, state), conversion, signed, signs))


async def followed(of: Sources, state: OpenDeal) -> Process:
    """The version of the process that a deal follows."""
    return (await processes_of(of, [state]))[state.process_id, state.process_version]


async def processes_of(of: Sources, *follows: Iterable[Any]) -> dict[tuple[UUID, int], Process]:
    """The versions of processes that deals follow, by whatever says which."""
    wanted = {(each.process_id, each.process_version) for some in follows for each in some}
    held = await of.states(process, list({process_id for process_id, _ in wanted}))
    return {(process_id, number): version_of(held[process_id].state, number) for process_id, number in wanted}


async def conversion_for(of: Sources, reading: ReadSnapshot, currencies: Iterable[str]) -> Conversion:
    """What currencies are worth today in the company's, by the rates of a snapshot."""

    async def look_up(projection: Projection, sql: str, *arguments: Any) -> list[Any]:
        return await reading(projection).fetch(sql, *arguments)

    return await conversion_of(look_up, currencies, of.company.currency, of.today)


def shown(found: Sequence[Action]) -> list[NextAction]:
    """Actions as they are published."""
    return [
        NextAction(
            deal_id=each.deal_id,
            deal_name=each.deal_name,
            reason=each.reason,
            due=each.due,
            days=each.days,
            weighted=each.weighted,
            worth=each.worth,
            gate=each.gate,
            criterion=each.criterion,
            facts=dict(each.facts),
            commands=list(each.commands),
        )
        for each in found
    ]


async def _first_actions(
    of: Sources, stakes: Sequence[Stake], conversion: Conversion, signed: frozenset[UUID], count: int
) -> list[Action]:
    """The first of what deals ask for, of which that with the greatest stake comes first. Some are looked at, and more
    as long as these do not ask for enough: whatever a later one asks for has less at stake."""
    found: list[Action] = []
    for begin in range(0, len(stakes), some := max(count, FEWEST_DEALS)):
        found += await _actions(of, stakes[begin : begin + some], conversion, signed)
        if len(found) >= count:
            break
    return ranked(found)[:count]


async def _actions(
    of: Sources, stakes: Sequence[Stake], conversion: Conversion, signed: frozenset[UUID]
) -> list[Action]:
    """What deals ask for. One that was closed a moment ago asks for nothing."""
    held = await of.states(deal, [each.deal_id for each in stakes])
    known = {conversion.currency, *conversion.factors}
    looked_at = [
        (state, each.signs)
        for each in stakes
        if isinstance(state := held[each.deal_id].state, OpenDeal) and state.amount.currency in known
    ]
    processes = await processes_of(of, [state for state, _ in looked_at])
    found: list[Action] = []
    for state, signs in looked_at:
        follows = processes[state.process_id, state.process_version]
        found += actions_of(state, _given(of, state, follows, conversion, signed, signs))
    return found


async def _signed(reading: ReadSnapshot, deals: Sequence[UUID]) -> frozenset[UUID]:
    """Those of some deals whose contract is signed."""
    contracts = await reading(KNOWN_CONTRACTS).fetch(SIGNED, list(deals))
    return frozenset(row["deal_id"] for row in contracts)


def _due_item(each: Due, on: date, company: Company, processes: Mapping[tuple[UUID, int], Process]) -> DueItem:
    follows = processes.get((each.process_id, each.process_version))
    return DueItem(
        id=uuid5(each.of, each.place),
        version=each.version,
        kind=each.kind,
        due=each.due,
        days_late=_days_late(each, on, company),
        deal_id=each.deal_id,
        deal_name=each.deal_name,
        account_id=each.account_id,
        key=each.key,
        name=each.name or _node_name(follows, each),
        what=each.what,
        required=each.required,
        support_request_id=each.support_request_id,
        stage_visit_id=each.stage_visit_id,
        lead_id=each.lead_id,
        updated_at=each.updated_at,
    )


def _days_late(each: Due, on: date, company: Company) -> int:
    if each.kind in BY_WORKING_DAYS:
        return company.calendar.between(each.due, on)
    return max((on - each.due).days, 0)


def _node_name(follows: Process | None, each: Due) -> str | None:
    if follows is None or not (each.kind in WORK or each.stage_visit_id):
        return None
    definition, wanted = follows.definition, each.work or each.kind
    parts = definition.outside_stages if each.stage_visit_id else definition.parts
    work = (known for part in parts for known in work_of(part))
    return next((node.name for kind, node in work if (kind, node.key) == (wanted, each.key)), None)


def _given(  # noqa: PLR0917
    of: Sources,
    state: OpenDeal,
    follows: Process,
    conversion: Conversion,
    signed: frozenset[UUID],
    signs: LifeSigns,
) -> Circumstances:
    return Circumstances(
        now=of.now,
        company=of.company,
        process=follows,
        conversion=conversion,
        winning=of.winning.of(team=state.team, process=state.process_id).document,
        contract=ContractOfDeal(is_signed=state.id in signed),
        signs=signs,
    )
