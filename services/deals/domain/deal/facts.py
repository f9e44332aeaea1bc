"""Lazy evaluation of the facts that criteria are judged by: each is worked out when one asks for it (PROC-3).

Every command on an open deal asks whether the deal is ready to move on, and few criteria look at more than a few facts.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from services.deals.domain.deal.qualification import (
    Budget,
    Competition,
    CustomerEvent,
    Inaction,
    Pain,
    Requirement,
    Risk,
    fit,
    is_insurmountable,
    of_kind,
)
from services.deals.domain.deal.state import DECIDES, Deal, DealContact, is_of_visit
from services.deals.domain.deal.submission import exit_of, is_approved
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.facts import OF_APPROVALS, ApprovableExit, approvable_exits
from services.deals.domain.process.state import Process
from shared.domain.criteria import Facts
from shared.events.process import FlexibleNode, Stage, work_of

Derive = Callable[[Deal, Conversion], Any]


def _deciding(state: Deal) -> list[DealContact]:
    return [contact for contact in state.contacts if contact.role == DECIDES]


def _answered(kind: type) -> Derive:
    return lambda state, _: bool(of_kind(kind, state.qualification))


DERIVING: Mapping[str, Derive] = {
    "amount": lambda state, conversion: conversion.worth(state.amount),
    "expected_close": lambda state, _: state.expected_close.isoformat() if state.expected_close else None,
    "account": lambda state, _: str(state.account_id) if state.account_id else None,
    "lead": lambda state, _: str(state.lead_id) if state.lead_id else None,
    "lines": lambda state, _: len(state.lines),
    "activities": lambda state, _: len(state.activities),
    "activities_in_stage": lambda state, _: sum(is_of_visit(each.on, state.stage_since) for each in state.activities),
    "decision_makers": lambda state, _: len(_deciding(state)),
    "supportive_decision_makers": lambda state, _: sum(each.stance == "supportive" for each in _deciding(state)),
    "buyer_stage": lambda state, _: state.buyer.stage if state.buyer else None,
    "next_step_planned": lambda state, _: state.next_step is not None and state.next_step.on is not None,
    "quote_accepted": lambda state, _: state.accepted_quote is not None,
    "qualification.pains": lambda state, _: len(of_kind(Pain, state.qualification)),
    "qualification.inaction": _answered(Inaction),
    "qualification.compelling_event": lambda state, _: any(
        event.kind == "compelling" for event in of_kind(CustomerEvent, state.qualification)
    ),
    "qualification.insurmountable": lambda state, _: any(
        map(is_insurmountable, of_kind(CustomerEvent, state.qualification))
    ),
    "qualification.budget": _answered(Budget),
    "qualification.competition": _answered(Competition),
    "qualification.fit": lambda state, _: fit(of_kind(Requirement, state.qualification)),
    "qualification.exposure": lambda state, _: max(
        (risk.exposure for risk in of_kind(Risk, state.qualification)), default=None
    ),
}
"""How the facts that `domain/facts.py` lists follow from a deal, but for what its process names."""


class DealFacts(Mapping[str, Any]):
    """The facts of a deal: noted ones, those that follow from it, of each piece of work whether it is done, and of each
    exit that needs it whether it is approved. Without `approvals` the last are left out: the conditions of a chain may
    not ask for them."""

    __slots__ = ("_approvals", "_conversion", "_process", "_state")

    def __init__(self, state: Deal, process: Process, conversion: Conversion, *, approvals: bool = True) -> None:
        self._state, self._process, self._conversion = state, process, conversion
        self._approvals = approvals

    def __getitem__(self, name: str) -> Any:
        if derive := DERIVING.get(name):
            return derive(self._state, self._conversion)
        if "." not in name:
            return self._state.facts[name]
        if name.startswith(OF_APPROVALS):
            return self._is_approved(self._approvable()[name])
        return self._is_done(name)

    def __iter__(self) -> Iterator[str]:
        yield from dict.fromkeys((*self._state.facts, *DERIVING, *self._work(), *self._approvable()))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _is_done(self, name: str) -> bool:
        if name not in self._work():
            raise KeyError(name)
        return any(f"{node.kind}.{node.key}" == name for node in self._state.nodes if node.evidence is not None)

    def _approvable(self) -> dict[str, ApprovableExit]:
        """The exits that need an approval, by the fact that it is there."""
        if not self._approvals:
            return {}
        return {each.fact: each for part in self._parts() for each in approvable_exits(part)}

    def _is_approved(self, found: ApprovableExit) -> bool:
        """Of the stage in which the deal stands, and of work that is not done, also by what is known of the deal now:
        what was passed by it stays as it was."""
        is_ahead = found.of.key == self._state.stage if found.done is None else not self._is_done(found.done)
        others = DealFacts(self._state, self._process, self._conversion, approvals=False) if is_ahead else None
        return is_approved(self._state.submissions, exit_of(found.name), found.chain, others)

    def _work(self) -> Iterator[str]:
        """The work of the deal."""
        for part in self._parts():
            yield from (f"{kind}.{node.key}" for kind, node in work_of(part))

    def _parts(self) -> Iterator[Stage | FlexibleNode]:
        """The stages, and the flexible nodes that bind the deal."""
        bound = {added.key for added in self._state.flexible_nodes}
        for part in self._process.definition.parts:
            if isinstance(part, Stage) or part.key in bound:
                yield part


def facts_of(state: Deal, process: Process, conversion: Conversion) -> Facts:
    """The facts of a deal, by its process."""
    return DealFacts(state, process, conversion)
