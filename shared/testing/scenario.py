"""Given, when, then: tests of rules that read as the business speaks.

scenario(deal).given(opened).when(WinDeal(on=TODAY)).then(DealWon(...))
scenario(deal).given(opened, won).when(LoseDeal(...)).then_rejected("not-in-this-state")
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.domain.aggregate import Aggregate, Occurrence, occurrences
from shared.domain.context import Actor, Company, Context
from shared.domain.rejection import Rejected
from shared.domain.roles import Role
from shared.events.codec import erased, whose

NOW = datetime(2026, 3, 16, 10, 0, tzinfo=UTC)
"""A Monday morning."""

SOMEBODY = Actor(subject="somebody", roles=frozenset({Role.SALES_OPERATIONS}), member=UUID(int=7), team=UUID(int=70))

CONTEXT = Context(command_id=UUID(int=1), aggregate_id=UUID(int=2), now=NOW, actor=SOMEBODY, company=Company())


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command led to: the facts decided, or the refusal."""

    state: Any
    facts: tuple[Occurrence, ...] = ()
    rejected: Rejected | None = None

    def then(self, *events: Any) -> "Outcome":
        """Exactly these events were decided, in this order."""
        assert self.rejected is None, f"rejected: {self.rejected.code}: {self.rejected.message}"
        decided = tuple(fact.event for fact in self.facts)
        assert decided == events, f"\n  decided: {decided}\n expected: {events}"
        return self

    def then_rejected(self, code: str, *reasons: str) -> "Outcome":
        """The command was refused with this code, and (when given) exactly these reasons' codes."""
        assert self.rejected is not None, f"decided {[fact.event for fact in self.facts]}"
        assert self.rejected.code == code, f"{self.rejected.code}: {self.rejected.message}"
        if reasons:
            assert tuple(reason.code for reason in self.rejected.reasons) == reasons
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A history, and the circumstances in which a command meets it."""

    aggregate: Aggregate
    history: tuple[Any, ...] = ()
    context: Context = CONTEXT
    loaded: tuple[tuple[str, Any], ...] = ()

    def given(self, *events: Any) -> "Scenario":
        """These events have happened; what one of them erases is gone from those before it, as it is when a store is
        read (DATA-4)."""
        history = list(self.history)
        for event in events:
            if event.erases:
                gone = getattr(event, event.erases)
                history = [erased(one) if whose(one, self.context.aggregate_id) == gone else one for one in history]
            history.append(event)
        return replace(self, history=tuple(history))

    def at(self, moment: datetime) -> "Scenario":
        """The company clock shows this instant."""
        return replace(self, context=replace(self.context, now=moment))

    def by(self, actor: Actor) -> "Scenario":
        """This person asks."""
        return replace(self, context=replace(self.context, actor=actor))

    def knowing(self, **loaded: Any) -> "Scenario":
        """What the kernel would load for the handler's further parameters."""
        return replace(self, loaded=(*self.loaded, *loaded.items()))

    def when(self, command: Any) -> Outcome:
        """Decide the command."""
        state = self.aggregate.fold(self.history)
        try:
            decision = self.aggregate.decide(state, command, self.context, dict(self.loaded))
        except Rejected as rejected:
            return Outcome(state=state, rejected=rejected)
        facts = occurrences(decision)
        for fact in facts:
            if fact.to in {None, self.context.aggregate_id}:
                state = self.aggregate.evolve(state, fact.event)
        return Outcome(state=state, facts=facts)


def scenario(aggregate: Aggregate) -> Scenario:
    """An aggregate without history, met by somebody from sales operations on a Monday morning."""
    return Scenario(aggregate=aggregate)
