"""A deal under its whole command set, in whatever order (model-based test): it is what the accepted commands say.

The model knows the commands that were accepted, and none of the deal's code: what follows from one stands here once
more, in the plainest words. `make campaign` tries many more.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.deals.domain.deal import deal
from services.deals.domain.deal.approval import RecallSubmission, SubmitForApproval
from services.deals.domain.deal.changes import (
    ChangeAmount,
    ChangeCloseDate,
    HandOver,
    NoteFacts,
    RenameDeal,
    UpdateDeal,
)
from services.deals.domain.deal.closing import AbandonDeal, LoseDeal, ReopenDeal, WinDeal
from services.deals.domain.deal.exits import AcceptExit
from services.deals.domain.deal.facts import facts_of
from services.deals.domain.deal.gates import gates_ahead, passage, passes
from services.deals.domain.deal.migration import MigrateDeal
from services.deals.domain.deal.nodes import CompleteNode
from services.deals.domain.deal.stages import MoveDeal
from services.deals.domain.deal.state import NextStep, OpenDeal
from services.deals.domain.deal.waivers import RevokeWaiver, WaiveCriterion
from services.deals.domain.deal.work import LogActivity, PlanNextStep
from shared.domain.aggregate import occurrences, status_of
from shared.domain.history import Recorded
from shared.domain.merge_patch import given as named
from shared.domain.rejection import Rejected
from shared.events.codec import Codec
from shared.events.criteria import FactValue
from shared.events.deals.deal_approval import DealSubmissionApproved, DealSubmissionReturned
from shared.events.registry import registry_of
from tests.services.deals.facts import ID, OPENED_FRIDAY, eur
from tests.services.deals.test_repetition import APPROVED_WORK, NATIVE, RESEARCH, STAGES, any_of, beginning, commands_of

CASES = int(os.environ.get("HISTORY_CASES", "200"))
CODEC = Codec(registry_of())
A_DEAL = beginning(APPROVED_WORK)
"""Its research needs an approval, above an amount of 500."""
RESEARCH_GATE = f"exit of task {RESEARCH.key}"
ENDS: Mapping[type, str] = {WinDeal: "won", LoseDeal: "lost", AbandonDeal: "abandoned", AcceptExit: "abandoned"}
AT_THE_END = {
    "ReopenDeal",
    "RenameDeal",
    "NoteBuyerStage",
    "ConcludeHelp",
    "AddNote",
    "AttachFile",
    "DetachFile",
    "CorrectActivity",
    "WithdrawActivity",
    "EraseTexts",
    "RecallSubmission",
}
"""What may be said of a deal that has ended, beside what is so already."""

Model = dict[str, Any]
ASKED: Mapping[str, Mapping[str, Callable[[Model], bool]]] = {
    "exit of initial-contact": {
        "conversation-held": lambda now: "first-conversation" in now["done"],
        "next-step-planned": lambda now: now["next_step"] is not None,
    },
    "exit of needs-confirmed": {
        "need-stated": lambda now: now["facts"].get("need_stated") is True,
        "budget-known": lambda now: now["facts"].get("budget") is not None,
        "decision-chain-known": lambda now: now["facts"].get("decision_chain_known") is True,
        "needs-confirmed": lambda now: "needs-confirmation" in now["done"],
    },
    "exit of quotation": {
        "quotation-sent": lambda now: "quotation" in now["done"],
        "quotation-presented": lambda now: "present-quotation" in now["done"],
        "amount-known": lambda now: now["amount"].amount > 0,
        "close-date-known": lambda now: now["expected_close"] is not None,
    },
    "entry of contract-drafting": {"amount-stated": lambda now: now["amount"].amount > 0},
}
"""What the gates of the short process ask, in the words of its description."""
OPENS_GATES: Mapping[str, FactValue] = {
    "need_stated": True,
    "budget": "500000",
    "decision_chain_known": True,
}


class DealUnderCommands(RuleBasedStateMachine):
    """Commands, days that pass, and after each of them the same questions."""

    def __init__(self) -> None:
        super().__init__()
        self.facts: list[Recorded] = []
        self.clock = A_DEAL.context
        self.requests = 0
        self.state: Any = deal.start()
        self.model: Model = {}

    @initialize(amount=st.sampled_from(["120000.00", "0.00"]))
    def opened(self, amount: str) -> None:
        self._record([(replace(OPENED_FRIDAY, amount=eur(amount)), None)])
        self.model = {
            "status": "open",
            "stage": "initial-contact",
            "name": OPENED_FRIDAY.name,
            "amount": eur(amount),
            "expected_close": OPENED_FRIDAY.expected_close,
            "owner": OPENED_FRIDAY.owner,
            "team": OPENED_FRIDAY.team,
            "next_step": None,
            "facts": {},
            "done": {},
            "steps": (),
            "noted": (),
            "research": (),
        }

    @rule(days=st.integers(1, 5))
    def days_pass(self, days: int) -> None:
        self.clock = replace(self.clock, now=self.clock.now + timedelta(days=days))

    @rule(command=any_of(*NATIVE))
    def somebody_asks(self, command: Any) -> None:
        self._ask(command)

    @rule(stage=st.sampled_from(STAGES), by_patch=st.booleans())
    def somebody_moves_it(self, stage: str, by_patch: bool) -> None:
        self._ask(UpdateDeal(stage=stage) if by_patch else MoveDeal(stage=stage))

    @rule(key=st.sampled_from(["first-conversation", "needs-confirmation", "quotation", "present-quotation"]))
    def work_is_done(self, key: str) -> None:
        self._ask(CompleteNode(key=key, evidence="Minutes"))

    @rule()
    def much_is_found_out(self) -> None:
        self._ask(NoteFacts(facts=dict(OPENS_GATES)))
        self._ask(PlanNextStep(on=self.clock.today + timedelta(days=2), what="Call"))

    @rule(outcome=st.sampled_from(["approved", "returned", "waits"]), grows=st.booleans())
    def work_is_submitted_decided_and_done(self, outcome: str, grows: bool) -> None:
        self._ask(SubmitForApproval(gate=RESEARCH_GATE))
        waiting = [each for each in self.state.submissions if (each.gate, each.status) == (RESEARCH_GATE, "waiting")]
        for each in waiting if outcome != "waits" else ():
            told = {"deal_id": ID, "gate": each.gate, "approval_id": each.approval_id, "approver": "d", "step": "d"}
            event = DealSubmissionApproved(**told) if outcome == "approved" else DealSubmissionReturned(**told)
            self._record([(event, None)])
            self._research("asked" if outcome == "approved" else "nothing")
        if grows:
            self._ask(ChangeAmount(amount=eur("9000.00")))
        self._ask(CompleteNode(key=RESEARCH.key, evidence="Minutes"))

    @rule(days=st.integers(0, 6), some=st.integers(1, 4), waits=st.integers(0, 4))
    def a_manager_waives_what_stands_in_the_way(self, days: int, some: int, waits: int) -> None:
        gate = f"exit of {self.model['stage']}"
        until = self.clock.today + timedelta(days=days)
        for criterion in list(ASKED.get(gate, ()))[:some]:
            self._ask(WaiveCriterion(gate=gate, criterion=criterion, until=until, reason="The board knows."))
        self.days_pass(waits)
        self._ask(MoveDeal(stage=STAGES[min(STAGES.index(self.model["stage"]) + 1, len(STAGES) - 1)]))

    @rule(how=st.sampled_from(sorted(ENDS, key=lambda each: each.__name__)), data=st.data())
    def it_ends_and_comes_back(self, how: type, data: st.DataObject) -> None:
        self._ask(data.draw(commands_of(how)))
        if data.draw(st.booleans()):
            self._ask(ReopenDeal(reason="The customer came back."))

    # -- what is so, always ---------------------------------------------------------------------------------------

    @invariant()
    def it_is_what_the_accepted_commands_say(self) -> None:
        if not self.model:
            return
        status, shown = status_of(deal, self.state), self.state
        told = {name: getattr(shown, name) for name in ("stage", "name", "amount", "expected_close", "owner", "team")}
        assert {"status": status, **told} == {name: self.model[name] for name in ("status", *told)}
        done = {node.key for node in shown.nodes if node.evidence is not None}
        assert done == self.model["done"].keys()
        assert (shown.next_step and shown.next_step.on) == self.model["next_step"]

    @invariant()
    def in_whatever_order_its_facts_are_read_it_is_the_same(self) -> None:
        if self.facts:
            assert deal.of(reversed(self.facts)) == self.state
            assert deal.of(sorted(self.facts, key=lambda fact: fact.data.type)) == self.state

    @invariant()
    def it_passes_the_gates_ahead_where_nothing_is_named_that_stands_in_its_way(self) -> None:
        if not self.model or not isinstance(self.state, OpenDeal):
            return
        known = dict(A_DEAL.loaded)
        process, conversion = known["process"], known["conversion"]
        gates, today = gates_ahead(self.state, process.definition), self.clock.today
        named_unmet = passage(self.state, process, conversion, today, *gates).unmet
        assert passes(self.state, facts_of(self.state, process, conversion), today, *gates) is not bool(named_unmet)

    # -- how it is done -------------------------------------------------------------------------------------------

    def _ask(self, command: Any) -> None:
        """Decide a command as the kernel does; a refusal is an answer, any other failure an error."""
        before = dict(self.model)
        self.clock = replace(self.clock, command_id=UUID(int=10_000 + self.requests))
        try:
            decided = deal.decide(self.state, command, self.clock, dict(A_DEAL.loaded))
        except Rejected as refusal:
            self._check_approval(command, refusal)
            self._record([(event, None) for event in refusal.on_record])
            return
        happened = [(each.event, each.at) for each in occurrences(decided) if each.to in {None, ID}]
        if not happened:
            return
        if before["status"] != "open":
            assert type(command).__name__ in AT_THE_END, f"{command} changed a deal that was {before['status']}"
        self._check_approval(command, None)
        self._record(happened)
        self._follow(command)
        for event, _ in happened:
            if event.type == "deals.deal-moved":
                self._check_gate(before, command, event)

    def _record(self, happened: list[tuple[Any, Any]]) -> None:
        self.requests += 1
        for event, at in happened:
            encoded = CODEC.encode(event)
            assert event.deal_id == ID
            assert encoded.data
            self.facts.append(
                Recorded(
                    data=event,
                    occurred_at=at.at if at else self.clock.now,
                    by_day=bool(at and at.by_day),
                    sequence=len(self.facts) + 1,
                    fact=None,
                    causation_id=UUID(int=20_000 + self.requests),
                )
            )
        self.state = deal.of(self.facts)

    def _follow(self, command: Any) -> None:
        """What a command that was accepted comes to."""
        model = self.model
        match command:
            case MoveDeal(stage=stage):
                model["stage"] = stage
            case MigrateDeal(stage=stage):
                model["stage"] = stage
                self._research("nothing")
            case SubmitForApproval(gate=gate) if gate == RESEARCH_GATE:
                self._research("waits" if model["amount"].amount > 500 else "nobody-asked")
            case RecallSubmission(gate=gate) if gate == RESEARCH_GATE:
                self._research("nothing")
            case UpdateDeal():
                said = named(command)
                model |= {name: getattr(command, name) for name in said if name != "next_step"}
                if "next_step" in said:
                    self._plan(command.next_step.on if command.next_step else None)
            case ChangeAmount(amount=amount):
                model["amount"] = amount
            case ChangeCloseDate(expected_close=day):
                model["expected_close"] = day
            case RenameDeal(name=name):
                model["name"] = name
            case HandOver(owner=owner, team=team):
                model |= {"owner": owner, "team": team or model["team"]}
            case NoteFacts(facts=facts):
                model["noted"] = (*model["noted"], (self.clock.today, facts))
                model["facts"] = {**model["facts"], **facts}
            case CompleteNode(key=key):
                model["done"] = {**model["done"], key: self.clock.today}
            case PlanNextStep(on=day):
                self._plan(day)
            case LogActivity(next_step=NextStep(on=day)):
                self._plan(day)
            case WinDeal() | LoseDeal() | AbandonDeal() | AcceptExit():
                model["status"] = ENDS[type(command)]
                self._end(getattr(command, "on", None) or self.clock.today)
            case ReopenDeal():
                model["status"] = "open"
            case WaiveCriterion() | RevokeWaiver():
                model["waived"] = {(each.gate, each.criterion): each.until for each in self.state.waivers}

    def _plan(self, day: date | None) -> None:
        self.model["steps"] = (*self.model["steps"], (self.clock.today, day))
        self.model["next_step"] = day

    def _research(self, came_to: str) -> None:
        self.model["research"] = (*self.model["research"], (self.clock.today, came_to))

    def _check_approval(self, command: Any, refusal: Rejected | None) -> None:
        """The research is done once it is approved by whom its chain would ask now, and not before."""
        if not (isinstance(command, CompleteNode) and command.key == RESEARCH.key):
            return
        came_to = self.model["research"][-1][1] if self.model["research"] else "nothing"
        is_approved = came_to == "asked" or (came_to == "nobody-asked" and self.model["amount"].amount <= 500)
        waived = self.model.get("waived", {}).get((RESEARCH_GATE, "approved"))
        may = is_approved or (waived is not None and waived >= self.clock.today)
        if refusal is None:
            assert may
        else:
            assert not (may and any(each.details.get("criterion") == "approved" for each in refusal.reasons))

    def _end(self, on: date) -> None:
        """What was said or done later than the day on which a deal ended, as is told now, came after its end."""
        model = self.model
        model["done"] = {key: day for key, day in model["done"].items() if day <= on}
        model["research"] = tuple((said, what) for said, what in model["research"] if said <= on)
        if model["research"] and model["research"][-1][1] == "waits":
            self._research("nothing")
        model["steps"] = tuple((said, day) for said, day in model["steps"] if said <= on)
        model["next_step"] = model["steps"][-1][1] if model["steps"] else None
        model["noted"] = tuple((said, facts) for said, facts in model["noted"] if said <= on)
        model["facts"] = {key: found for _, facts in model["noted"] for key, found in facts.items()}

    def _check_gate(self, before: Model, command: Any, moved: Any) -> None:
        """Nobody gets round a gate unrecorded: what was not met is named as waived, and was."""
        places = STAGES.index(before["stage"]), STAGES.index(moved.stage)
        if places[1] < places[0]:
            assert moved.direction == "back"
            return
        assert moved.direction == ("skip" if places[1] - places[0] > 1 else "forward")
        now = {**before, **{name: getattr(command, name) for name in named(command)}} if _is_patch(command) else before
        if _is_patch(command) and "next_step" in named(command):
            now["next_step"] = command.next_step and command.next_step.on
        gates = (f"exit of {before['stage']}", f"entry of {moved.stage}")
        unmet = {(gate, key) for gate in gates for key, met in ASKED.get(gate, {}).items() if not met(now)}
        assert {(each.gate, each.criterion) for each in moved.waived} == unmet
        held = before.get("waived", {})
        assert all(held[each] >= self.clock.today for each in unmet), "a waiver that has run out opens nothing"


def _is_patch(command: Any) -> bool:
    return isinstance(command, UpdateDeal)


DealUnderCommands.TestCase.settings = settings(
    max_examples=CASES,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
test_a_deal_under_its_whole_command_set = DealUnderCommands.TestCase
