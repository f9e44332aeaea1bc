"""What falls due on deals: what agendas are made of, beside the deals themselves (DEAL-6).

Texts stand in no read model: what a step says is read from beside the log, by the event that told it.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from services.deals.domain.deal.qualification import INSURMOUNTABLE, Topic
from shared.events.deals.deal import DealMoved, DealNextStepPlanned, DealNodeCompleted, DealOpened
from shared.events.deals.deal_automation import DealRuleFired
from shared.events.deals.deal_gates import DealFlexibleNodeAdded, DealFlexibleNodeRemoved
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
from shared.events.definition import value
from shared.events.envelope import Envelope
from shared.projections.projection import Projection, indices
from shared.projections.tables import Row, Table

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
    is_dropped: bool
    """Whether its deal has it no more, after a migration or without its flexible node. It may fall due anew."""
    told_by: UUID
    """The event that said so."""
    updated_at: datetime


def _keys(fact: Envelope[Any]) -> Iterator[str]:
    """The items that a fact says something about."""
    event = fact.data
    match event:
        case DealOpened() | DealMoved() | DealFlexibleNodeAdded() | DealRuleFired():
            names = [node.key for node in event.nodes]
        case DealMigrated():
            told: tuple[Any, ...] = (*event.carried, *event.dropped, *event.nodes)
            names = list(dict.fromkeys(node.key for node in told))
        case DealFlexibleNodeRemoved():
            names = list(event.nodes)
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
    of_deal = f"{event.deal_id}/"
    return (of_deal + name for name in names)


NEXT_STEP, EXIT = "next-step", "exit proposal"
"""The names of what there is one of on a deal; keys of nodes have no blank, and none is called like the step."""


def _fell_due(fact: Envelope[Any], row: Row) -> Row:
    """What fell due at an earlier visit of a stage, or was done before, stays as it is."""
    node = _named(row, fact.data.nodes)
    if node is None or _is_of_deal(row):
        return {}
    return _item(fact, node.kind, key=node.key, required=node.required, due=node.due)


def _migrated(fact: Envelope[DealMigrated], row: Row) -> Row:
    """What is dropped, done or not, falls due anew where a later version has it. What goes along keeps its day; what is
    told later of the time before stays as it is."""
    gone, kept = _named(row, fact.data.dropped), _named(row, fact.data.carried)
    changed: Row = {}
    if gone is not None:
        changed = _none_of_deal(fact, gone.kind, gone.key)
    elif kept is not None:
        changed = {"required": kept.required} if row["kind"] else _none_of_deal(fact, kept.kind, kept.key)
    return {**changed, **_fell_due(fact, {**row, **changed})}


def _removed(fact: Envelope[DealFlexibleNodeRemoved], row: Row) -> Row:
    """What is done stays so."""
    if row["kind"] is None:  # whether it is a task or a deliverable is told once it falls due
        return _none_of_deal(fact, "task", _name(row))
    return {"is_open": False, "is_dropped": True} if row["is_open"] else {}


def _completed(fact: Envelope[DealNodeCompleted], row: Row) -> Row:
    event = fact.data
    done = {"is_open": False}
    if _is_of_deal(row):
        return done
    return {**_item(fact, event.kind, key=event.key, required=event.required, due=event.due), **done}


def _named(row: Row, nodes: Iterable[Any]) -> Any:
    """The node that a row is about, where it is among those that a fact names."""
    name = _name(row)
    return next((node for node in nodes if node.key == name), None)


def _name(row: Row) -> str:
    """What an item of a deal is called, without the deal."""
    name: str = row["id"].partition("/")[2]
    return name


def _is_of_deal(row: Row) -> bool:
    return row["kind"] is not None and not row["is_dropped"]


def _none_of_deal(fact: Envelope[Any], kind: str, key: str) -> Row:
    return {**_item(fact, kind, key=key, due=None, is_open=False), "is_dropped": True}


def _planned(fact: Envelope[DealNextStepPlanned], row: Row) -> Row:
    return _item(fact, "next-step", due=fact.data.on, is_open=fact.data.on is not None)


def _answered(fact: Envelope[Any], row: Row) -> Row:
    if _name(row) == EXIT:
        return _of_its_exit(fact, row)
    return _item(fact, "renewal", key=ANSWERED[type(fact.data)], due=fact.data.fades.renew_on)


def _answer_withdrawn(fact: Envelope[DealAnswerWithdrawn], row: Row) -> Row:
    if _name(row) == EXIT:
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
        "is_dropped": False,
        "told_by": fact.id,
    }


AGENDA_ITEM = Table(
    name="agenda_item",
    row=AgendaItemRow,
    events=(
        DealOpened,
        DealMoved,
        DealMigrated,
        DealFlexibleNodeAdded,
        DealFlexibleNodeRemoved,
        DealRuleFired,
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
        **dict.fromkeys((DealOpened, DealMoved, DealFlexibleNodeAdded, DealRuleFired), _fell_due),
        DealMigrated: _migrated,
        DealFlexibleNodeRemoved: _removed,
        DealNodeCompleted: _completed,
        DealNextStepPlanned: _planned,
        DealExitProposed: _proposed,
        DealExitAccepted: _decided,
        DealExitDeclined: _decided,
        **dict.fromkeys(ANSWERED, _answered),
        DealAnswerWithdrawn: _answer_withdrawn,
    },
)


AGENDA_PROJECTION = Projection(
    name="agenda",
    version=2,
    ddl=AGENDA_ITEM.ddl,
    # What one rep asks each morning, of what is open on their deals.
    indices=indices(agenda_item=("(deal_id, due) where is_open",)),
    apply=AGENDA_ITEM.apply,
    events=tuple(AGENDA_ITEM.events),
)
