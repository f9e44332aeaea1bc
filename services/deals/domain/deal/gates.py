"""Gates: the criteria that a deal does not meet yet, each with the value that it met and the command that changes it
(DEAL-3). An attempt that a gate refused is a fact, so that the first ones can be counted (DEAL-2)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from uuid import UUID

from services.deals.domain.deal.facts import facts_of
from services.deals.domain.deal.state import Deal, GateAttempts, OpenDeal, bound_by, deal
from services.deals.domain.deal.submission import Status, exit_of, exits_of, submission_of, waiting_at
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.facts import APPROVAL_CRITERION, OF_APPROVALS, approved_fact
from services.deals.domain.process.state import Process
from shared.domain.criteria import Facts, explained, meets, unmet
from shared.domain.rejection import Reason, refuse_all
from shared.events.criteria import Criterion, FactValue, Predicate
from shared.events.deals.deal import UnmetCriterion, WaivedCriterion
from shared.events.deals.deal_gates import DealGateRefused
from shared.events.definition import value
from shared.events.process import FlexibleNode, Node, ProcessDefinition, Stage, work_of

CHANGED_BY: Mapping[str, str] = {
    "amount": "change-amount",
    "expected_close": "change-close-date",
    "account": "update",
    "lines": "update",
    "activities": "log-activity",
    "activities_in_stage": "log-activity",
    "decision_makers": "set-contact",
    "supportive_decision_makers": "set-contact",
    "buyer_stage": "note-buyer-stage",
    "next_step_planned": "plan-next-step",
    "qualification.pains": "state-pain",
    "qualification.inaction": "assess-inaction",
    "qualification.compelling_event": "state-customer-event",
    "qualification.insurmountable": "state-customer-event",
    "qualification.budget": "state-budget",
    "qualification.competition": "state-competition",
    "qualification.fit": "state-requirement",
    "qualification.exposure": "assess-risk",
}
"""The command that changes a derived fact, by its name in the list of `commands`, where the kind follows: `update` is
`updateDeal`. What is not named does not change, like the lead, or by no command of a deal: a quote is accepted among
the quotes."""


Gate = tuple[str, tuple[Criterion, ...]]
"""What a gate is called, and what it asks."""


@value
class Passage:
    """What stands in the way of a deal at some gates, and what would, had it not been waived."""

    unmet: list[Reason]
    waived: tuple[WaivedCriterion, ...]


def passage(state: Deal, process: Process, conversion: Conversion, today: date, *gates: Gate) -> Passage:
    """Which criteria of some gates a deal does not meet: those that stand in its way, and those that it passes by a
    waiver which has not run out (DEAL-4)."""
    facts = facts_of(state, process, conversion)
    reasons = [reason for gate, criteria in gates for reason in unmet(criteria, facts, gate)]
    held = _held(state, today)
    told = [_with_help(reason, state, process, today) for reason in reasons if _named(reason) not in held]
    return Passage(
        unmet=[*told, *_without_rate(state, conversion, told)],
        waived=tuple(
            WaivedCriterion(gate=gate, criterion=criterion)
            for gate, criterion in map(_named, reasons)
            if (gate, criterion) in held
        ),
    )


def passes(state: Deal, facts: Facts, today: date, *gates: Gate) -> bool:
    """Whether nothing stands in the way of a deal at some gates: as `passage`, without saying what does."""
    return next(unmet_at(state, facts, today, *gates), None) is None


def unmet_at(state: Deal, facts: Facts, today: date, *gates: Gate) -> Iterator[UnmetCriterion]:
    """The criteria of some gates that a deal neither meets nor passes by a waiver."""
    held = _held(state, today)
    for gate, criteria in gates:
        for criterion in criteria:
            if not meets(criterion.when, facts) and (gate, criterion.key) not in held:
                yield UnmetCriterion(gate=gate, criterion=criterion.key)


def _held(state: Deal, today: date) -> set[tuple[str, str]]:
    """The criteria that a deal passes by a waiver, each with its gate."""
    return {(waiver.gate, waiver.criterion) for waiver in state.waivers if today <= waiver.until}


def _with_help(reason: Reason, state: Deal, process: Process, today: date) -> Reason:
    """Why a criterion is unmet, with what would change that, and where its approvals stand."""
    met = reason.details["met"]
    approvals = {fact: asdict(stands) for fact, stands in _approvals(met, state, process.definition).items()}
    told = {"approvals": approvals} if approvals else {}
    return replace(reason, details={**reason.details, "by": _by(met, state, process, today), **told})


@value
class GateApproval:
    """How it stands with an approval that a criterion asks for."""

    gate: str
    """Where it is submitted, like "exit of quotation"."""
    status: Status | None
    """What became of the submission; None where nothing was submitted."""
    approval_id: UUID | None


@value
class JudgedCriterion:
    """A criterion of a gate, met or not, with the values that it met."""

    gate: str
    criterion: str
    """Its key."""
    name: str
    is_met: bool
    expected: str
    """In words, like "pains at-least 2 and budget known"."""
    met: dict[str, FactValue]
    """The facts that it looks at, as they are."""
    by: dict[str, str]
    """The commands that change these facts."""
    approvals: dict[str, GateApproval]
    """How it stands with those of these facts that say that something is approved."""
    waived_until: date | None
    """The last day on which the deal passes without it."""


def judged(
    state: Deal, process: Process, conversion: Conversion, today: date, *gates: Gate
) -> tuple[JudgedCriterion, ...]:
    """Every criterion of some gates."""
    facts = facts_of(state, process, conversion)
    waived = {(each.gate, each.criterion): each.until for each in state.waivers if today <= each.until}
    told = [(gate, criterion, explained(criterion, facts)) for gate, criteria in gates for criterion in criteria]
    return tuple(
        JudgedCriterion(
            gate=gate,
            criterion=criterion.key,
            name=criterion.name,
            is_met=meets(criterion.when, facts),
            expected=explanation["expected"],
            met=explanation["met"],
            by=_by(explanation["met"], state, process, today),
            approvals=_approvals(explanation["met"], state, process.definition),
            waived_until=waived.get((gate, criterion.key)),
        )
        for gate, criterion, explanation in told
    )


def refuse_passage(state: Deal, kind: str, key: str, message: str, reasons: Sequence[Reason], *, today: date) -> None:
    """Refuse to let a deal pass, with every reason, and put on record that it was tried; or return when there is none.

    What is no criterion, like a stage that cannot be skipped, is no attempt at a gate.
    """
    refuse_all("gate-closed", message, reasons, on_record=_attempt(state, kind, key, reasons, today))


def refused_before(state: Deal, kind: str, key: str) -> int:
    """How many attempts to enter a stage, or to complete a task or deliverable, were refused so far."""
    return next((each.count for each in state.attempts if (each.kind, each.key) == (kind, key)), 0)


@deal.evolves
def gate_refused(state: OpenDeal, event: DealGateRefused) -> OpenDeal:
    tried = GateAttempts(kind=event.kind, key=event.key, count=event.attempt, unmet=event.unmet)
    return replace(state, attempts=(*without_attempts(state, event.kind, event.key), tried))


def without_attempts(state: Deal, kind: str, key: str | None = None) -> tuple[GateAttempts, ...]:
    """The refused attempts of a deal but those of a kind, or at one gate."""
    return tuple(each for each in state.attempts if each.kind != kind or key not in {None, each.key})


def gates_of(definition: ProcessDefinition) -> Iterator[Gate]:
    """Every gate of a process: of stages and flexible nodes, and of their work."""
    for part in definition.parts:
        yield from gates_between(flexible(part) if isinstance(part, FlexibleNode) else part.key, part)
        for kind, node in work_of(part):
            yield from gates_between(f"{kind} {node.key}", node)


def gates_between(name: str, of: Stage | FlexibleNode | Node) -> tuple[Gate, Gate]:
    """The gates before and behind a stage, a flexible node, or a piece of work; an exit that needs an approval asks for
    that, too."""
    return (f"entry of {name}", of.entry), (exit_of(name), (*of.exit, *_approval(name, of)))


def _approval(name: str, of: Stage | FlexibleNode | Node) -> Iterator[Criterion]:
    if not isinstance(of, FlexibleNode) and of.exit_approval is not None:
        names = ", ".join(step.name for step in of.exit_approval.steps)
        when = Predicate(fact=approved_fact(name), operator="is", value=True)
        yield Criterion(key=APPROVAL_CRITERION, name=f"Approved by {names}", when=when)


def gates_of_work(part: Stage | FlexibleNode, kind: str, node: Node) -> tuple[Gate, ...]:
    """The gates of a piece of work: before the flexible node that it belongs to, before itself, and behind it."""
    begun = gates_between(flexible(part), part)[:1] if isinstance(part, FlexibleNode) else ()
    return (*begun, *gates_between(f"{kind} {node.key}", node))


def flexible(node: FlexibleNode) -> str:
    """What a flexible node is called at its gates."""
    return f"flexible node {node.key}"


def binding_exits(state: Deal, definition: ProcessDefinition, before: int, after: int) -> Iterator[Gate]:
    """The gates behind the flexible nodes of a deal that it passes on its way from one stage to another: skipping
    their stage passes them, too."""
    for added, node in bound_by(state, definition):
        if before <= definition.index(added.stage) < after:
            yield gates_between(flexible(node), node)[1]


def gates_ahead(state: Deal, definition: ProcessDefinition) -> tuple[Gate, ...]:
    """The gates between a deal and the next stage: behind its own stage, behind the flexible nodes that bind it there,
    and before the next one, where there is one."""
    following = definition.stages[definition.index(state.stage) + 1 :]
    before = (gates_between(each.key, each)[0] for each in following[:1])
    return (*exits_behind(state, definition), *before)


def exits_behind(state: Deal, definition: ProcessDefinition) -> tuple[Gate, ...]:
    """The gates behind the stage of a deal, and behind the flexible nodes that bind it there."""
    here = definition.index(state.stage)
    stage = definition.stages[here]
    return (gates_between(stage.key, stage)[1], *binding_exits(state, definition, here, here + 1))


def ask_for_something(gates: Iterable[Gate]) -> bool:
    """Whether any of some gates has a criterion. Where none has one, nothing says that a deal is ready to pass."""
    return any(criteria for _, criteria in gates)


def _attempt(state: Deal, kind: str, key: str, reasons: Sequence[Reason], today: date) -> tuple[DealGateRefused, ...]:
    unmet = tuple(found for reason in reasons if (found := _unmet(kind, key, reason)))
    before = next((each for each in state.attempts if (each.kind, each.key) == (kind, key)), None)
    if not unmet or (before and before.unmet == unmet):
        return ()
    return (
        DealGateRefused(
            deal_id=state.id,
            stage=state.stage,
            kind=kind,
            key=key,
            attempt=refused_before(state, kind, key) + 1,
            unmet=unmet,
            on=today,
        ),
    )


def _unmet(kind: str, key: str, reason: Reason) -> UnmetCriterion | None:
    if "criterion" in reason.details:
        gate, criterion = _named(reason)
        return UnmetCriterion(gate=gate, criterion=criterion)
    missing = reason.details.get("deliverable")
    return missing and UnmetCriterion(gate=exit_of(f"{kind} {key}"), criterion=f"deliverable.{missing}")


def _named(reason: Reason) -> tuple[str, str]:
    return reason.details["gate"], reason.details["criterion"]


def _by(met: Mapping[str, object], state: Deal, process: Process, today: date) -> dict[str, str]:
    """The commands that change the facts that an unmet criterion looks at; none where others have to decide, nor for
    the approval of work that was done without."""
    noted = dict.fromkeys((fact.key for fact in process.definition.facts), "note-facts")
    known = {**CHANGED_BY, **noted}
    fixed = decided_by_others(state, process.definition, today) | _approvals_of_work_done(state)
    commands = {fact: known.get(fact) or _command_of(fact) for fact in met if fact not in fixed}
    return {fact: command for fact, command in commands.items() if command is not None}


def _approvals(met: Mapping[str, object], state: Deal, definition: ProcessDefinition) -> dict[str, GateApproval]:
    """Of the facts that an unmet criterion looks at, where the approvals stand."""
    if not any(fact.startswith(OF_APPROVALS) for fact in met):
        return {}
    gates = {each.fact: gate for gate, each in exits_of(definition).items() if each.fact in met}
    found = {fact: (gate, submission_of(state.submissions, gate)) for fact, gate in gates.items()}
    return {
        fact: GateApproval(
            gate=gate,
            status=submission.status if submission else None,
            approval_id=submission.approval_id if submission else None,
        )
        for fact, (gate, submission) in found.items()
    }


def _command_of(fact: str) -> str | None:
    """The command that changes a fact about an exit, or about work."""
    if fact.startswith(OF_APPROVALS):
        return "submit-for-approval"
    return "complete-node" if "." in fact else None


def decided_by_others(state: Deal, definition: ProcessDefinition, today: date) -> frozenset[str]:
    """The facts that are not so before others have decided what waits for them: that an exit is approved, and that the
    work is done which it is the exit of, unless it passes without."""
    waiting = waiting_at(state.submissions)
    if not waiting:
        return frozenset()
    exits = {gate: each for gate, each in exits_of(definition).items() if gate in waiting}
    waived = {each.gate for each in state.waivers if each.criterion == APPROVAL_CRITERION and today <= each.until}
    work = (each.done for gate, each in exits.items() if each.done is not None and gate not in waived)
    return frozenset([*(each.fact for each in exits.values()), *work])


def _approvals_of_work_done(state: Deal) -> frozenset[str]:
    """The facts that work was approved which is done: what was done without stays so."""
    return frozenset(approved_fact(f"{node.kind} {node.key}") for node in state.nodes if node.evidence is not None)


def _without_rate(state: Deal, conversion: Conversion, criteria: list[Reason]) -> list[Reason]:
    """Why the amount is unknown to unmet criteria that ask for it, though the deal has one."""
    asked = any("amount" in each.details["met"] for each in criteria)
    return [without_rate(state, conversion)] if asked and conversion.worth(state.amount) is None else []


def without_rate(state: Deal, conversion: Conversion) -> Reason:
    """Why nobody knows what a deal is worth in the company's currency."""
    source, target = state.amount.currency, conversion.currency
    message = f"There is no exchange rate for {source}: what the deal is worth in {target} is unknown."
    return Reason(code="no-exchange-rate", message=message, details={"currency": source, "in": target})
