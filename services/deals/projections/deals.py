"""The list of deals."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, get_args
from uuid import UUID

from services.deals.domain.choice import Customer
from services.deals.domain.deal import deal
from services.deals.domain.deal.changes import Category
from services.deals.domain.deal.qualification import INSURMOUNTABLE, expected_value
from services.deals.domain.deal.standing import WORK, is_work, silence_until
from services.deals.domain.journey import BUYER_STAGES, BuyerStage
from services.deals.projections.deal_totals import DEAL_TOTALS, with_totals
from shared.domain.aggregate import statuses
from shared.domain.roles import READING
from shared.events.chronology import ORDER_OF_DAY
from shared.events.deals.deal import (
    DealAbandoned,
    DealAmountChanged,
    DealCategoryChanged,
    DealCloseDateChanged,
    DealHandedOver,
    DealLost,
    DealMoved,
    DealNextStepPlanned,
    DealOpened,
    DealRenamed,
    DealReopened,
    DealWon,
)
from shared.events.deals.deal_automation import DealReadinessWithdrawn, DealReadyToMoveOn
from shared.events.deals.deal_edit import DealAccountChanged, DealClassified
from shared.events.deals.deal_migration import DealMigrated
from shared.events.deals.deal_qualification import (
    DealAnswerWithdrawn,
    DealBudgetStated,
    DealCompetitionStated,
    DealCustomerEventStated,
    DealExitAccepted,
    DealExitDeclined,
    DealExitProposed,
    DealInactionAssessed,
    DealPainStated,
    DealRequirementStated,
    DealRiskAssessed,
)
from shared.events.deals.deal_record import DealBuyerStageNoted
from shared.events.deals.process_migration import ProcessMigrationStarted
from shared.events.definition import Exact, value, words
from shared.events.envelope import Envelope
from shared.events.money import Money
from shared.projections.columns import BY_LANGUAGE, SEARCHED
from shared.projections.lists import Listing, at_least, at_most, equals, in_currency, in_team, known, one_of, search
from shared.projections.projection import Projection, ProjectionDatabase
from shared.projections.tables import Change, Row, Table


@value
class DealRow:
    """A deal in the list."""

    id: UUID
    version: int
    status: Annotated[str, words(statuses(deal))]
    name: Annotated[str, BY_LANGUAGE, SEARCHED]
    amount: Money
    weighted: Money
    """Amount × probability, rounded half up to the currency's minor unit; nothing once it is closed."""
    stage: str
    stage_since: date
    """The day on which it entered the stage, or was reopened in it."""
    ready_on: date | None
    """The day since which it is ready to leave the stage; null where it is not, and once it is closed."""
    probability: Exact
    category: Category
    expected_close: date | None
    next_step: date | None
    silence_until: date | None
    """The last day on which the next step keeps it from counting as silent."""
    last_worked_at: datetime
    """When somebody worked on it last: moved it, logged an activity, did a task, or noted facts. It moving by itself is
    no work."""
    exit_proposed: bool
    """Whether it is proposed to give it up, and nobody has decided about that."""
    buyer_stage: BuyerStage | None
    """Where the buyer stands in their journey; null where nobody has found out."""
    owner: UUID | None
    team: UUID | None
    account_id: UUID | None
    account_name: Annotated[str | None, SEARCHED]
    source: str | None
    industry: str | None
    process_id: UUID
    process_version: int
    segment: str | None
    """The segment that its customer was in when it was opened, by its key in the policy `opening-rules`."""
    customer: Customer | None
    """Whether its account had won a deal before, when it was opened; null where that was not asked."""
    opened_at: datetime
    closed_on: date | None
    assumptions: tuple[str, ...]
    """What had to be assumed, like "list-price", "undated" or "order-of-day"."""
    updated_at: datetime


@value
class DealKept:
    """Who judged a deal how (DEAL-10), and what the exit rests on that is proposed (DEAL-5)."""

    category_of_stage: str
    category_by_rep: str | None
    category_by_manager: str | None
    exit_answer: UUID | None
    """The insurmountable event."""


def _opened(fact: Envelope[DealOpened], row: Row) -> Row:
    event = fact.data
    return {
        "status": "open",
        "name": event.name,
        **_worth(fact, row),
        "stage": event.stage,
        "stage_since": _day(fact),
        "probability": event.probability,
        "last_worked_at": fact.occurred_at,
        "exit_proposed": False,
        **_counting({**row, "category_of_stage": event.category}),
        "expected_close": event.expected_close,
        "owner": event.owner,
        "team": event.team,
        "account_id": event.account_id,
        "account_name": event.account_name,
        "source": event.source,
        "industry": event.industry,
        "process_id": event.process_id,
        "process_version": event.process_version,
        "segment": event.segment,
        "customer": event.customer,
        "opened_at": fact.occurred_at,
        "assumptions": event.assumptions,
    }


def _worth(fact: Envelope[Any], row: Row) -> Row:
    return {"amount": fact.data.amount.amount, "currency": fact.data.amount.currency}


def _day(fact: Envelope[Any]) -> date:
    """The company's day that a fact says; of one from before it did, that of its instant."""
    day: date = fact.data.on or fact.occurred_at.date()
    return day


def _weighed(change: Change) -> Change:
    """With what the deal is worth by its chances after the change."""

    def weighed(fact: Envelope[Any], row: Row) -> Row:
        changed = dict(change(fact, row))
        return {**changed, "weighted": _weighted({**row, **changed})} if changed else changed

    return weighed


def _weighted(row: Row) -> Decimal:
    if row["status"] != "open":
        return Decimal(0)
    return expected_value(Money(amount=row["amount"], currency=row["currency"]), row["probability"]).amount


def _closed(status: str) -> Change:
    return lambda fact, row: {"status": status, "closed_on": fact.data.on, "ready_on": None}


def _reopened(fact: Envelope[DealReopened], row: Row) -> Row:
    begins = {"stage_since": _day(fact), "ready_on": None}
    return {"status": "open", "closed_on": None, **begins, **_worked(fact, row)}


def _while_open(change: Change) -> Change:
    """As the deal itself: what is told of the time after its end changes nothing about it."""
    return lambda fact, row: change(fact, row) if row["status"] == "open" else {}


def _judged(fact: Envelope[DealCategoryChanged], row: Row) -> Row:
    return _counting({**row, f"category_by_{fact.data.judged_by}": fact.data.category})


def _moved(fact: Envelope[DealMoved], row: Row) -> Row:
    event = fact.data
    standing = {"stage": event.stage, "probability": event.probability}
    judged = _counting({**row, "category_of_stage": event.category_of_stage or event.category})
    if event.stage == row["stage"]:
        # History told that it was there.
        return {**standing, **judged}
    worked = _worked(fact, row) if is_work(event) else {}
    return {**standing, **judged, "stage_since": _day(fact), "ready_on": None, **worked}


def _ready(on: Callable[[Any], date | None]) -> Change:
    """What is told of a stage in which it stands no more says nothing of the one in which it does."""
    return lambda fact, row: {"ready_on": on(fact.data)} if fact.data.stage == row["stage"] else {}


def _worked(fact: Envelope[Any], row: Row) -> Row:
    return {"last_worked_at": fact.occurred_at}


def _planned(fact: Envelope[DealNextStepPlanned], row: Row) -> Row:
    planned = fact.data.planned_on or fact.occurred_at.date()
    return {"next_step": fact.data.on, "silence_until": silence_until(fact.data, planned)}


def _exit_proposed(fact: Envelope[DealExitProposed], row: Row) -> Row:
    return {"exit_proposed": True, "exit_answer": fact.data.answer_id}


def _without_exit(fact: Envelope[Any], row: Row) -> Row:
    return {"exit_proposed": False, "exit_answer": None}


def _answered(fact: Envelope[Any], row: Row) -> Row:
    """A proposed exit falls with the insurmountable event that it rests on."""
    rests_on = row["exit_answer"]
    if rests_on is None or fact.data.answer_id != rests_on or getattr(fact.data, "kind", None) == INSURMOUNTABLE:
        return {}
    return _without_exit(fact, row)


def _migrated(fact: Envelope[DealMigrated], row: Row) -> Row:
    event = fact.data
    followed = {"process_id": event.process_id, "process_version": event.process_version}
    stays = (row["process_id"], row["stage"]) == (event.process_id, event.stage)
    standing = {
        "stage": event.stage,
        "probability": event.probability,
        "ready_on": None,
        **({} if stays else {"stage_since": _day(fact)}),
    }
    return {**followed, **standing, **_counting({**row, "category_of_stage": event.category_of_stage})}


def _with_account(fact: Envelope[DealAccountChanged], row: Row) -> Row:
    return {"account_id": fact.data.account_id, "account_name": fact.data.account_name}


def _counting(row: Row) -> Row:
    """The judgements of a deal, and the one that counts (DEAL-10)."""
    judgements = {name: row[name] for name in ("category_by_manager", "category_by_rep", "category_of_stage")}
    return {**judgements, "category": next(filter(None, judgements.values()))}


WORKED: dict[type, Change] = {
    event: _while_open(_worked) for event in WORK if event not in (DealOpened, DealMoved, DealReopened)
}
ANSWERED: dict[type, Change] = dict.fromkeys(
    (
        DealPainStated,
        DealInactionAssessed,
        DealCustomerEventStated,
        DealBudgetStated,
        DealCompetitionStated,
        DealRequirementStated,
        DealRiskAssessed,
        DealAnswerWithdrawn,
    ),
    _while_open(_answered),
)

DEAL = Table(
    name="deal",
    row=DealRow,
    kept=DealKept,
    events=deal.events,
    changes={
        **WORKED,
        **ANSWERED,
        DealOpened: _weighed(_opened),
        DealMoved: _weighed(_while_open(_moved)),
        DealMigrated: _weighed(_migrated),
        DealReadyToMoveOn: _while_open(_ready(lambda event: event.on)),
        DealReadinessWithdrawn: _while_open(_ready(lambda _: None)),
        DealAmountChanged: _weighed(_while_open(_worth)),
        DealCloseDateChanged: _while_open(lambda fact, _: {"expected_close": fact.data.expected_close}),
        DealCategoryChanged: _while_open(_judged),
        DealNextStepPlanned: _while_open(_planned),
        DealExitProposed: _while_open(_exit_proposed),
        DealExitAccepted: _while_open(_without_exit),
        DealExitDeclined: _while_open(_without_exit),
        DealBuyerStageNoted: lambda fact, _: {"buyer_stage": fact.data.buyer_stage},
        DealRenamed: lambda fact, _: {"name": fact.data.name},
        DealAccountChanged: _while_open(_with_account),
        DealClassified: _while_open(lambda fact, _: {"source": fact.data.source, "industry": fact.data.industry}),
        DealHandedOver: _while_open(lambda fact, _: {"owner": fact.data.owner, "team": fact.data.team}),
        DealWon: _weighed(_closed("won")),
        DealLost: _weighed(_closed("lost")),
        DealAbandoned: _weighed(_closed("abandoned")),
        DealReopened: _weighed(_reopened),
    },
    found_by=("name", "account_name"),
    assumes=lambda _, row: {"assumptions": [*row["assumptions"], ORDER_OF_DAY]},
    indices=(
        "(opened_at, id)",
        "(expected_close, id)",
        "(amount, id)",
        # What a board asks, of a team or of one rep, and what it comes to.
        "(owner, status, expected_close)",
        "(team, status, expected_close)",
        "(account_id)",
        # What a migration asks.
        "(process_id, process_version, id) where status = 'open'",
        # A column of a board, whoever asks: what has stood longest first.
        "(process_id, status, stage, stage_since, id)",
        # Those of it that are ready to move on: few, for which the one above would be read past all others.
        "(process_id, stage, stage_since, id) where ready_on is not null",
    ),
)

MIGRATION = "create table {view}.migration (id uuid primary key);\n"
"""Migrations that were started before what stands here: whoever finds one here finds every deal that was open then."""
BEGUN = "insert into {view}.migration select unnest($1::uuid[]) on conflict do nothing"


_rows_and_totals = with_totals(DEAL)


async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """The rows of deals with their totals, and which migrations were started up to here."""
    await _rows_and_totals(db, events)
    begun = {fact.aggregate_id for fact in events if isinstance(fact.data, ProcessMigrationStarted)}
    if begun:
        await db.execute(BEGUN, sorted(begun))


DEAL_PROJECTION = Projection(
    name="deals",
    version=18,
    ddl=DEAL.ddl + DEAL_TOTALS + MIGRATION,
    indices=DEAL.index_ddl,
    apply=apply,
    events=(*DEAL.events, ProcessMigrationStarted),
)

DEALS = Listing(
    name="deals",
    projection=DEAL_PROJECTION,
    table="deal",
    item=DealRow,
    key="id",
    filters={
        "status": one_of("status", statuses(deal)),
        "process": equals("process_id", UUID),
        "process_version": equals("process_version", int),
        "stage": equals("stage"),
        "category": one_of("category", get_args(Category)),
        "buyer_stage": one_of("buyer_stage", BUYER_STAGES),
        "ready": known("ready_on"),
        "owner": equals("owner", UUID),
        "team": in_team(),
        "account": equals("account_id", UUID),
        "currency": in_currency(),
        "source": equals("source"),
        "segment": equals("segment"),
        "customer": one_of("customer", get_args(Customer)),
        "closes_from": at_least("expected_close", date),
        "closes_to": at_most("expected_close", date),
        "closed_from": at_least("closed_on", date),
        "closed_to": at_most("closed_on", date),
        "q": search(),
    },
    sorts=("opened_at", "expected_close", "amount", "name", "stage_since"),
    default_sort="-opened_at",
    readers=READING,
)
