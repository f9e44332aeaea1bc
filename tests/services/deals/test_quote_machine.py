"""Two quotes of one deal under all their commands, in whatever order, by whoever (model-based test): what is accepted
was approved in this version, and the deal is worth it (DEAL-8).

The model notes who wrote, submitted and decided what, and knows none of the quote's code. Two who decide at one moment
come one after the other: the second decides anew (optimistic concurrency), here by the state that the first one left.
"""

import os
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.deals.domain.approvals import APPROVALS
from services.deals.domain.quote import quote
from services.deals.domain.quote.approving import AssessDelivery, RecallQuote, ReturnQuote, SubmitQuote
from services.deals.domain.quote.following import QuotesOfDeal, following
from services.deals.domain.quote.offering import (
    AcceptQuote,
    DeclineQuote,
    ExpireQuote,
    NoteOpened,
    SendQuote,
    SetQuoteAside,
    WithdrawQuote,
)
from services.deals.domain.quote.state import QuotedDeal
from services.deals.domain.quote.writing import DraftQuote, ReviseQuote, UpdateQuote
from shared.domain.aggregate import occurrences, status_of
from shared.domain.approval.family import Approve, ReturnForRework
from shared.domain.approval.requesting import Outcome, OwnApproval, Subject
from shared.domain.context import Actor
from shared.domain.rejection import Rejected
from shared.domain.roles import Role
from shared.events.codec import Codec
from shared.events.deals.deal import DealAmountChanged
from shared.events.deals.deal_edit import DealLinesChanged, DealQuoteAccepted, DealQuoteSetAside
from shared.events.deals.quote import (
    QuoteAccepted,
    QuoteApproved,
    QuoteChanged,
    QuoteDeliveryAssessed,
    QuoteDrafted,
    QuoteExpired,
    QuoteRevised,
    QuoteSubmitted,
)
from shared.events.registry import registry_of
from shared.testing.scenario import CONTEXT
from tests.services.deals.facts import ID, OTHER, REP, TEAM
from tests.services.deals.test_quotes import (
    DIRECTOR,
    MANAGER,
    OFFERED,
    PRODUCT,
    THERE,
    custom,
    percent,
    servers,
)

CASES = int(os.environ.get("HISTORY_CASES", "200"))
CODEC = Codec(registry_of())
COLLEAGUE = Actor(subject="carla", roles=frozenset({Role.REP}), member=OTHER, team=TEAM, teams=frozenset({TEAM}))
BUILDER = Actor(subject="bea", roles=frozenset({Role.PRODUCT, Role.MANAGER}), member=UUID(int=64), team=TEAM)
"""Somebody who sells and assesses."""
SELLERS = (REP, COLLEAGUE, MANAGER, BUILDER)
DECIDERS = (MANAGER, DIRECTOR, COLLEAGUE, BUILDER)
IDS = [UUID(int=80 + number) for number in range(8)]
WHICH = st.integers(0, 1)
"""One of the two that were begun last and are still offered, or stand accepted."""
OFFERS = st.sampled_from(
    [
        (servers("2", discount=percent("5")),),
        (servers("3", discount=percent("25")),),
        (servers("70"),),
        (servers("1", tax_percent=Decimal(19)), custom()),
        (custom("0.01"), custom("333.33", discount=percent("7.5"), tax_percent=Decimal(7))),
    ]
)
"""Below the limit of discounts and above it, large, and what is made for the customer."""
APPROVERS = st.sampled_from([[MANAGER, DIRECTOR], [MANAGER], [COLLEAGUE, BUILDER], []])
ACCEPT = AcceptQuote(evidence="Order 4711")
DISCOUNTS = st.sampled_from([None, percent("1"), percent("12.5")])


class QuotesUnderCommands(RuleBasedStateMachine):
    """Commands, days that pass, a deal that ends, and after each of them the same questions."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = CONTEXT
        self.numbers = count(10_000)
        self.states: dict[UUID, Any] = {}
        self.approvals: dict[UUID, Any] = {}
        self.deal: QuotedDeal = OFFERED
        self.authors: dict[UUID, set[UUID | None]] = {}
        self.submitted: dict[UUID, QuoteSubmitted] = {}
        """What was submitted last of each quote."""
        self.granted: dict[UUID, list[Actor]] = {}
        """Who approved what was submitted, by the approval."""
        self.assessed: dict[UUID, Actor] = {}
        """Who assessed what was submitted, by the approval."""
        self.past: list[Outcome] = []

    @initialize()
    def both_are_begun(self) -> None:
        self.another_is_begun(REP)
        self.another_is_begun(REP)

    @rule(by=st.sampled_from(SELLERS))
    def another_is_begun(self, by: Actor) -> None:
        alive = [state for state in self.states.values() if status_of(quote, state) != "withdrawn"]
        if len(alive) < 2 and len(self.states) < len(IDS) and self.deal.status == "open":
            one = IDS[len(self.states)]
            self.states[one], self.authors[one] = quote.start(), set()
            assert self._ask(one, DraftQuote(deal_id=ID, lines=(servers(),)), by)

    @rule(days=st.sampled_from([1, 5, 31]))
    def days_pass_and_timers_fire(self, days: int) -> None:
        self.clock = replace(self.clock, now=self.clock.now + timedelta(days=days))
        for one, state in self.states.items():
            if any(self.clock.now >= timer.due for timer in quote.timers_of(state).values()):
                self._ask(one, ExpireQuote(), PRODUCT, checked=False)

    @rule(which=WHICH, lines=OFFERS, discount=DISCOUNTS, by=st.sampled_from(SELLERS))
    def somebody_writes(self, which: int, lines: Any, discount: Any, by: Actor) -> None:
        one = self._one(which)
        self._ask(one, UpdateQuote(lines=lines, discount=discount), by)

    @rule(which=WHICH, by=st.sampled_from(SELLERS))
    def somebody_revises(self, which: int, by: Actor) -> None:
        one = self._one(which)
        self._ask(one, ReviseQuote(), by)

    @rule(which=WHICH, by=st.sampled_from(SELLERS))
    def somebody_submits(self, which: int, by: Actor) -> None:
        one = self._one(which)
        self._ask(one, SubmitQuote(), by)

    @rule(
        which=WHICH,
        lines=OFFERS,
        writer=st.sampled_from([REP, BUILDER]),
        people=APPROVERS,
        assessors=st.lists(st.sampled_from([BUILDER, PRODUCT]), max_size=2),
        accepts=st.booleans(),
    )
    def it_comes_to_the_customer(
        self, which: int, *, lines: Any, writer: Actor, people: list[Actor], assessors: list[Actor], accepts: bool
    ) -> None:
        one = self._one(which)
        self._ask(one, ReviseQuote(), writer)
        self._ask(one, UpdateQuote(lines=lines), writer)
        self._ask(one, SubmitQuote(), COLLEAGUE)
        for by in people:
            self.somebody_decides(which, by, returns=False)
        for by in assessors:
            self.product_answers(which, by, fits=True)
        self._ask(one, SendQuote(channel="e-mail"), REP)
        if accepts:
            self._ask(one, ACCEPT, REP)

    @rule(
        which=WHICH,
        by=st.sampled_from(SELLERS),
        command=st.sampled_from(
            [
                RecallQuote(),
                SendQuote(channel="e-mail"),
                NoteOpened(),
                ACCEPT,
                DeclineQuote(reason="Above their budget."),
                WithdrawQuote(),
                SetQuoteAside(reason="They want half of it."),
            ]
        ),
    )
    def somebody_goes_on(self, which: int, by: Actor, command: Any) -> None:
        one = self._one(which)
        self._ask(one, command, by)

    @rule(which=WHICH, by=st.sampled_from(SELLERS), sets_aside=st.booleans())
    def the_customer_agrees(self, which: int, by: Actor, sets_aside: bool) -> None:
        one = self._one(which)
        if sets_aside and self.deal.accepted is not None:
            self._ask(self.deal.accepted, SetQuoteAside(reason="They want half of it."), by)
        self._ask(one, ACCEPT, by)

    @rule(which=WHICH, by=st.sampled_from([PRODUCT, BUILDER]), fits=st.booleans())
    def product_answers(self, which: int, by: Actor, fits: bool) -> None:
        one = self._one(which)
        known = self.submitted.get(one)
        before = self.states[one]
        answer = AssessDelivery(difficulty=3, duration_days=40) if fits else ReturnQuote(reason="It does not fit.")
        if self._ask(one, answer, by) and known is not None:
            assert by.member not in self.authors[one], "whoever wrote it does not answer for its delivery"
            assert by.subject != known.submitter
            assert before.assessment is None

    @rule(which=WHICH, by=st.sampled_from(DECIDERS), returns=st.booleans())
    def somebody_decides(self, which: int, by: Actor, returns: bool) -> None:
        one = self._one(which)
        known = self.submitted.get(one)
        if known is None:
            return
        command = ReturnForRework(reason="Too cheap.") if returns else Approve()
        subject = Subject(state=self.states[one])
        loaded = {"subject": subject, "hours": dict(THERE.loaded)["hours"]}
        held = self.approvals[known.approval_id]
        context = replace(self.clock, aggregate_id=known.approval_id, actor=by)
        try:
            decided = list(occurrences(APPROVALS.family.decide(held, command, context, loaded)))
        except Rejected:
            return
        if any(each.to in {None, known.approval_id} for each in decided):
            assert by.member not in self.authors[one], "whoever wrote it does not approve its price"
            assert by.subject != known.submitter
            if not returns:
                self.granted.setdefault(known.approval_id, []).append(by)
        self._happened(known.approval_id, decided)

    @rule(which=WHICH, number=st.integers(0, 9))
    def word_of_an_earlier_decision_comes_late(self, which: int, number: int) -> None:
        """What was decided about another submission brings nothing about, whatever is submitted now."""
        one = self._one(which)
        late = self.past[number % len(self.past)] if self.past else None
        known = self.submitted.get(one)
        if late is not None and (known is None or known.approval_id != late.approval_id):
            assert list(APPROVALS.subjects["quote"].granted(self.states[one], late)) == []
            assert list(APPROVALS.subjects["quote"].returned(self.states[one], late)) == []

    @rule(status=st.sampled_from(["lost", "won"]), seldom=st.integers(0, 7), comes_back=st.booleans())
    def the_deal_ends(self, status: str, seldom: int, comes_back: bool) -> None:
        if seldom:
            return
        self.deal = replace(self.deal, status=status)
        known = QuotesOfDeal(
            quotes=tuple(state for state in self.states.values() if status_of(quote, state) is not None),
            approvals=self.approvals,
        )
        self._happened(None, list(following(known, self.deal, self.clock)))  # type: ignore[arg-type]
        if comes_back:
            self.deal = replace(self.deal, status="open")

    # -- what is so, always ---------------------------------------------------------------------------------------

    @invariant()
    def one_quote_at_most_is_accepted_and_the_deal_is_worth_it(self) -> None:
        accepted = [state for state in self.states.values() if status_of(quote, state) == "accepted"]
        assert len(accepted) <= 1
        assert self.deal.accepted == (accepted[0].id if accepted else None)
        for state in accepted:
            assert self.deal.amount == state.amount
            if all(line.product_id for line in state.lines):
                assert [line.product_id for line in self.deal.lines] == [line.product_id for line in state.lines]

    @invariant()
    def the_parts_add_up(self) -> None:
        for state in self.states.values():
            totals = getattr(state, "totals", None)
            if totals is None:
                continue
            assert sum(line.net for line in totals.lines) == totals.net == sum(rate.net for rate in totals.rates)
            assert sum(rate.tax for rate in totals.rates) == totals.tax
            assert totals.net + totals.tax == totals.total
            assert totals.gross - totals.discount == totals.net

    @invariant()
    def nobody_is_asked_about_what_is_not_submitted(self) -> None:
        asked = {state.approval_id for state in self.states.values() if status_of(quote, state) == "submitted"}
        waiting = {key for key, held in self.approvals.items() if status_of(APPROVALS.family, held) == "waiting"}
        assert waiting <= asked

    # -- how it is done -------------------------------------------------------------------------------------------

    def _one(self, which: int) -> UUID:
        alive = [one for one, state in self.states.items() if status_of(quote, state) != "withdrawn"]
        among = (alive or list(self.states))[-2:]
        return among[which % len(among)]

    def _ask(self, one: UUID, command: Any, by: Actor, *, checked: bool = True) -> bool:
        """Decide a command as the kernel does, and tell whether something happened; a refusal is an answer."""
        state = self.states[one]
        approval = self.approvals.get(getattr(state, "approval_id", UUID(int=0)))
        loaded = {**dict(THERE.loaded), "deal": self.deal, "approval": OwnApproval(state=approval)}
        loaded["deal"] = replace(self.deal, others=frozenset(self.states) - {one})
        context = replace(self.clock, aggregate_id=one, command_id=UUID(int=next(self.numbers)), actor=by)
        try:
            decided = list(occurrences(quote.decide(state, command, context, loaded)))
        except Rejected:
            return False
        self._happened(one, decided, by if checked else None)
        return bool(decided)

    def _happened(self, own: UUID | None, decided: list[Any], by: Actor | None = None) -> None:
        for each in decided:
            to, event = each.to or own, each.event
            assert to is not None
            assert CODEC.encode(event).data
            if to == ID:
                self._follow_deal(event)
            elif to in self.states:
                self._check(to, event, by)
                self.states[to] = quote.evolve(self.states[to], event)
            else:
                held = self.approvals.get(to, APPROVALS.family.start())
                self.approvals[to] = APPROVALS.family.evolve(held, event)

    def _follow_deal(self, event: Any) -> None:
        match event:
            case DealAmountChanged(amount=amount):
                self.deal = replace(self.deal, amount=amount)
            case DealLinesChanged(lines=lines):
                self.deal = replace(self.deal, lines=lines)
            case DealQuoteAccepted(quote_id=accepted):
                assert self.deal.accepted is None
                self.deal = replace(self.deal, accepted=accepted)
            case DealQuoteSetAside(quote_id=ended):
                assert self.deal.accepted == ended
                self.deal = replace(self.deal, accepted=None)

    def _check(self, one: UUID, event: Any, by: Actor | None) -> None:
        """What has to have been before this could happen."""
        match event:
            case QuoteDrafted() | QuoteChanged() | QuoteRevised():
                assert by is not None
                self.authors[one].add(by.member)
            case QuoteSubmitted():
                self.submitted[one] = event
            case QuoteDeliveryAssessed():
                assert by is not None
                self.assessed[self.submitted[one].approval_id] = by
            case QuoteApproved(quote_version=version):
                known = self.submitted[one]
                assert known.quote_version == version
                assert not known.needs_assessment or known.approval_id in self.assessed
                assert len(self.granted.get(known.approval_id, ())) >= (1 if known.steps else 0)
                today = self.clock.today
                late = Outcome(approval_id=known.approval_id, step="manager", by="max", reason="Late.", on=today)
                self.past.append(late)
            case QuoteAccepted(quote_version=version, on=on):
                state = self.states[one]
                assert (state.quote_version, self.submitted[one].quote_version) == (version, version)
                assert on <= state.valid_until
                assert self.deal.status == "open"
            case QuoteExpired(valid_until=last):
                assert self.clock.today > last


QuotesUnderCommands.TestCase.settings = settings(
    max_examples=2 * CASES,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
test_deal_8_quotes_under_their_whole_command_set = QuotesUnderCommands.TestCase
