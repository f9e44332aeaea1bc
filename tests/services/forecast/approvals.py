"""Approvals for tests: their events are decided by the rules of their owner, and told as its topic tells them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

from shared.domain.aggregate import Aggregate, occurrences
from shared.domain.approval.family import approvals
from shared.domain.approval.requesting import (
    Approvable,
    Approvals,
    Subject,
    Submission,
    handed_over,
    recalled,
    renamed,
    requested,
)
from shared.domain.approval.state import NoApproval, WaitingApproval
from shared.domain.context import Actor, Company, Context
from shared.domain.policy import Counts, InForce
from shared.domain.roles import READING, Role
from shared.domain.working_days import WEEKENDS_ONLY
from shared.domain.working_time.hours import usual_hours
from shared.events.approval_chain import ApprovalChain
from shared.events.approvals import PlannedStep, Slot
from shared.events.envelope import Envelope
from shared.events.working_hours import WorkingHours
from shared.kafka.partitioning import PARTITIONS, partition_of
from shared.ops.ids import new_id
from tests.services.forecast.facts import eur, fact

SUBJECTS = {"contracts": "contract", "deals": "deal"}
"""What is approved of each service."""
CLOCK = Actor(subject="service:timer", roles=frozenset({Role.SERVICE}))


@lru_cache
def approvals_of(service: str) -> Approvals:
    """The approvals of a service, about things that nothing is told of."""
    kind = Aggregate(SUBJECTS[service], plural=f"{SUBJECTS[service]}s", start=NoApproval, readers=READING)
    silent = Approvable(aggregate=kind, granted=lambda *_: (), returned=lambda *_: ())
    return approvals(SUBJECTS[service], service, silent, readers=READING)


def person(subject: str, role: Role, member: UUID | None = None, *teams: UUID) -> Actor:
    return Actor(subject=subject, roles=frozenset({role}), member=member, teams=frozenset(teams))


def step(key: str, *slots: Slot, mode: Any = "all", days: int | None = None, to: Slot | None = None) -> PlannedStep:
    return PlannedStep(key=key, name=key.title(), mode=mode, slots=slots, within_days=days, escalates_to=to)


@dataclass(kw_only=True)
class Told:
    """An approval, and what happened to it."""

    at: datetime
    submitter: Actor
    steps: Sequence[PlannedStep]
    service: str = "contracts"
    self_approval: str = "others"
    repeated: str = "again"
    owner: UUID | None = None
    team: UUID | None = None
    account_id: UUID | None = None
    authors: frozenset[UUID] = frozenset()
    amount: int | None = 1000
    request: UUID = field(default_factory=new_id)
    events: list[Any] = field(default_factory=list)
    facts: list[Envelope[Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        rules: Any = {"self_approval": self.self_approval, "repeated_approver": self.repeated}
        begun = requested(
            approvals_of(self.service),
            self._context(self.submitter, self.at),
            Submission(
                kind=SUBJECTS[self.service],
                id=uuid5(self.request, "subject"),
                name="Press line",
                amount=None if self.amount is None else eur(self.amount),
                owner=self.owner,
                team=self.team,
                account_id=self.account_id,
                authors=self.authors,
            ),
            chain=Counts(document=ApprovalChain(steps=(), **rules), version=0),
            steps=tuple(self.steps),
            hours=self._hours,
        )
        self._note([each.event for each in begun.events], self.at)

    @property
    def id(self) -> UUID:
        return uuid5(self.request, "approval")

    @property
    def state(self) -> Any:
        return approvals_of(self.service).family.fold(self.events)

    @property
    def is_waiting(self) -> bool:
        return isinstance(self.state, WaitingApproval)

    def does(self, who: Actor, command: Any, after: timedelta = timedelta(hours=1)) -> "Told":
        """Somebody decides, so long after the beginning. Raises Rejected."""
        family, at = approvals_of(self.service).family, self.at + after
        loaded = {"subject": Subject(state=None), "hours": self._hours}
        decided = family.decide(self.state, command, self._context(who, at), loaded)
        self._note([each.event for each in occurrences(decided)], at)
        return self

    def is_taken_back(self, after: timedelta = timedelta(hours=1)) -> "Told":
        """Whoever submitted it takes it back."""
        at = self.at + after
        ended = recalled(approvals_of(self.service), self.state, self._context(self.submitter, at), None)
        self._note([ended.event], at)
        return self

    def is_handed_over(
        self, who: Actor, owner: UUID | None, team: UUID | None, after: timedelta = timedelta(hours=1)
    ) -> "Told":
        """Somebody hands over what it is about."""
        at, approvals = self.at + after, approvals_of(self.service)
        told = handed_over(approvals, self.state, self._context(who, at), owner=owner, team=team)
        self._note([each.event for each in told], at)
        return self

    def is_renamed(self, name: str, after: timedelta = timedelta(hours=1)) -> "Told":
        """What it is about is called otherwise."""
        at = self.at + after
        told = renamed(approvals_of(self.service), self.state, self._context(CLOCK, at), name=name)
        self._note([each.event for each in told], at)
        return self

    @property
    def _hours(self) -> InForce[WorkingHours]:
        return InForce(default=usual_hours(WEEKENDS_ONLY), on=self.at.date())

    def _context(self, who: Actor, at: datetime) -> Context:
        return Context(command_id=self.request, aggregate_id=self.id, now=at, actor=who, company=Company())

    def _note(self, events: Sequence[Any], at: datetime) -> None:
        for event in events:
            self.events.append(event)
            told = fact(len(self.events), event, at, deal=self.id)
            partition = partition_of(self.id, PARTITIONS)
            self.facts.append(replace(told, service=self.service, aggregate="approval", partition=partition))
