"""What falls due on deals, and when somebody worked on them last: what agendas are made of (DEAL-6, DEAL-7).

Texts stand in no read model: what a step says is read from beside the log, by the event that told it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from services.deals.domain.deal.qualification import INSURMOUNTABLE, Topic
from shared.events.deals.deal import (
    DealAbandoned,
    DealActivityLogged,
    DealAmountChanged,
    DealFactsNoted,
    DealHandedOver,
    DealLost,
    DealMoved,
    DealNextStepPlanned,
    DealNodeCompleted,
    DealOpened,
    DealRenamed,
    DealReopened,
    DealWon,
)
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
from shared.events.deals.deal_record import DealActivityCorrected
from shared.events.definition import Exact, value
from shared.events.envelope import Envelope
from shared.events.money import Money
from shared.projections.projection import Projection, ProjectionDatabase, indices
from shared.projections.tables import Change, Row, Table

ItemKind = Literal["next-step", "task", "deliverable", "renewal", "exit-proposal"]
"""What can fall due on a deal."""

ANSWERED: Mapping[type, Topic] = {
    DealPainStated: "pains",
    DealInactionAssessed: "inaction",
    DealCustomerEventStated: "customer-events",
    DealBudgetStated: "budget",
    DealCompetitionStated: "competition",
    DealRequirementStated: "requirements",
    DealRiskAssessed: "risks",
}
"""The event of an answer → the question that it answers."""
WORK = (DealActivityLogged, DealActivityCorrected, DealMoved, DealNodeCompleted, DealFactsNoted, DealReopened)
"""What counts as working on a deal, as forecast counts it: another date or amount does not break its silence."""


@value
class AgendaDealRow:
    """A deal, as far as its agenda goes."""

    id: UUID
    is_open: bool
    name: str
    owner: UUID | None
    team: UUID | None
    account_id: UUID | None
    process_id: UUID
    process_version: int
    amount: Money
    probability: Exact
    worked_at: datetime
    """When somebody worked on it last."""
    idle_days: int
    silence_until: date | None
    """To the end of this day its next step keeps it from counting as silent."""


@value
class AgendaItemRow:
    """Something that falls due on a deal."""

    id: str
    version: int
    deal_id: UUID
    kind: ItemKind
    key: str | None
    """The task or deliverable by its key; of a renewal the question; of a proposal the answer that it rests on."""
    required: bool
    due: date | None
    """None where no day follows: nothing is planned."""
    is_open: bool
    told_by: UUID
    """The event that said so."""
    updated_at: datetime


# -- deals ------------------------------------------------------------------------------------------------------------


def _opened(fact: Envelope[DealOpened], row: Row) -> Row:
    event = fact.data
    return {
        "is_open": True,
        "name": event.name,
        "owner": event.owner,
        "team": event.team,
        "account_id": event.account_id,
        "process_id": event.process_id,
        "process_version": event.process_version,
        **_worth(fact, row),
        "probability": event.probability,
        "worked_at": fact.occurred_at,
        "idle_days": event.idle_days,
    }


def _worth(fact: Envelope[Any], row: Row) -> Row:
    return {"amount": fact.data.amount.amount, "currency": fact.data.amount.currency}


def _moved(fact: Envelope[DealMoved], row: Row) -> Row:
    standing = {"probability": fact.data.probability, "idle_days": fact.data.idle_days}
    return {**standing, **_worked(fact, row)}


def _worked(fact: Envelope[Any], row: Row) -> Row:
    return {"worked_at": fact.occurred_at}


def _closed(fact: Envelope[Any], row: Row) -> Row:
    return {"is_open": False}


def _while_open(change: Change) -> Change:
    """As the deal itself: what is told of the time after its end changes nothing about it."""
    return lambda fact, row: change(fact, row) if row["is_open"] else {}


AGENDA_DEAL = Table(
    name="agenda_deal",
    row=AgendaDealRow,
    events=(
        DealOpened,
        *WORK,
        DealAmountChanged,
        DealNextStepPlanned,
        DealRenamed,
        DealHandedOver,
        DealWon,
        DealLost,
        DealAbandoned,
    ),
    changes={
        **dict.fromkeys(WORK, _while_open(_worked)),
        DealOpened: _opened,
        DealMoved: _while_open(_moved),
        DealAmountChanged: _while_open(_worth),
        DealNextStepPlanned: _while_open(lambda fact, _: {"silence_until": fact.data.silence_until or fact.data.on}),
        DealRenamed: lambda fact, _: {"name": fact.data.name},
        DealHandedOver: _while_open(lambda fact, _: {"owner": fact.data.owner, "team": fact.data.team}),
        **dict.fromkeys((DealWon, DealLost, DealAbandoned), _closed),
        DealReopened: lambda fact, row: {"is_open": True, **_worked(fact, row)},
    },
)


# -- what falls due on them -------------------------------------------------------------------------------------------


def _keys(fact: Envelope[Any]) -> Iterator[str]:
    """The items that a fact says something about."""
    event = fact.data
    match event:
        case DealOpened() | DealMoved():
            names = [node.key for node in event.nodes]
        case DealNodeCompleted():
            names = [event.key]
        case DealNextStepPlanned():
            names = [NEXT_STEP]
        case DealExitProposed() | DealExitAccepted() | DealExitDeclined():
            names = [EXIT]
        case DealCustomerEventStated() | DealAnswerWithdrawn():
            # A proposal falls with the event that it rests on.
            names = [f"{event.answer_id}", EXIT]
        case _:
            names = [f"{event.answer_id}"]
    return (f"{event.deal_id}/{name}" for name in names)


NEXT_STEP, EXIT = "next-step", "exit proposal"
"""The names of what there is one of on a deal; keys of nodes have no blank, and none is called like the step."""


def _fell_due(fact: Envelope[DealOpened | DealMoved], row: Row) -> Row:
    """What fell due at an earlier visit of a stage, or was done before, stays as it is."""
    if row["kind"] is not None:
        return {}
    (node,) = (node for node in fact.data.nodes if row["id"] == f"{fact.data.deal_id}/{node.key}")
    return _item(fact, node.kind, key=node.key, required=node.required, due=node.due)


def _completed(fact: Envelope[DealNodeCompleted], row: Row) -> Row:
    event = fact.data
    known = {} if row["kind"] else _item(fact, event.kind, key=event.key, required=event.required, due=event.due)
    return {**known, "is_open": False}


def _planned(fact: Envelope[DealNextStepPlanned], row: Row) -> Row:
    return _item(fact, "next-step", due=fact.data.on, is_open=fact.data.on is not None)


def _answered(fact: Envelope[Any], row: Row) -> Row:
    if row["id"] == f"{fact.data.deal_id}/{EXIT}":
        return _of_its_exit(fact, row)
    return _item(fact, "renewal", key=ANSWERED[type(fact.data)], due=fact.data.fades.renew_on)


def _answer_withdrawn(fact: Envelope[DealAnswerWithdrawn], row: Row) -> Row:
    if row["id"] == f"{fact.data.deal_id}/{EXIT}":
        return _of_its_exit(fact, row)
    known = {} if row["kind"] else _item(fact, "renewal", due=None)
    return {**known, "is_open": False}


def _of_its_exit(fact: Envelope[Any], row: Row) -> Row:
    """What an answer does to a proposal: one that rests on it falls, unless it still cannot be overcome."""
    known = {} if row["kind"] else _item(fact, "exit-proposal", due=None, is_open=False)
    falls = row["key"] == f"{fact.data.answer_id}" and getattr(fact.data, "kind", None) != INSURMOUNTABLE
    return {**known, **({"is_open": False} if falls else {})}


def _proposed(fact: Envelope[DealExitProposed], row: Row) -> Row:
    answer = fact.data.answer_id
    return _item(fact, "exit-proposal", key=f"{answer}" if answer else None, due=fact.data.on)


def _decided(fact: Envelope[DealExitAccepted | DealExitDeclined], row: Row) -> Row:
    known = {} if row["kind"] else _item(fact, "exit-proposal", due=fact.data.proposed_on)
    return {**known, "is_open": False}


def _item(
    fact: Envelope[Any],
    kind: str,
    *,
    due: date | None,
    key: str | None = None,
    required: bool = True,
    is_open: bool = True,
) -> Row:
    return {
        "deal_id": fact.data.deal_id,
        "kind": kind,
        "key": key,
        "required": required,
        "due": due,
        "is_open": is_open,
        "told_by": fact.id,
    }


AGENDA_ITEM = Table(
    name="agenda_item",
    row=AgendaItemRow,
    events=(
        DealOpened,
        DealMoved,
        DealNodeCompleted,
        DealNextStepPlanned,
        DealExitProposed,
        DealExitAccepted,
        DealExitDeclined,
        *ANSWERED,
        DealAnswerWithdrawn,
    ),
    keys=_keys,
    changes={
        DealOpened: _fell_due,
        DealMoved: _fell_due,
        DealNodeCompleted: _completed,
        DealNextStepPlanned: _planned,
        DealExitProposed: _proposed,
        DealExitAccepted: _decided,
        DealExitDeclined: _decided,
        **dict.fromkeys(ANSWERED, _answered),
        DealAnswerWithdrawn: _answer_withdrawn,
    },
)


async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """Fold a page."""
    await AGENDA_DEAL.apply(db, events)
    await AGENDA_ITEM.apply(db, events)


AGENDA_PROJECTION = Projection(
    name="agenda",
    version=1,
    ddl=AGENDA_DEAL.ddl + AGENDA_ITEM.ddl,
    # What one rep asks each morning, of the deals that are still open and of what is open on them.
    indices=indices(agenda_deal=("(owner) where is_open",), agenda_item=("(deal_id, due) where is_open",)),
    apply=apply,
    events=tuple(dict.fromkeys((*AGENDA_DEAL.events, *AGENDA_ITEM.events))),
)
