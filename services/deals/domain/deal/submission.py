"""Submissions: what of a deal waits for an approval, and what came of it (DEAL-2).

A submission is about a gate. That of a stage's exit holds for one stay in that stage: whoever comes back asks anew.
That of the exit of a task or deliverable holds until it is completed, wherever the deal stands meanwhile.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date
from typing import Annotated
from uuid import UUID

from annotated_types import MaxLen, MinLen

from services.deals.domain.facts import ApprovableExit, approvable_exits
from shared.domain.criteria import Facts, meets
from shared.domain.criteria import facts_of as facts_asked
from shared.events.approval_chain import ApprovalChain
from shared.events.definition import value, words
from shared.events.process import ProcessDefinition

WAITING, OVER, APPROVED, RETURNED, RECALLED = "waiting", "over", "approved", "returned", "recalled"
Status = Annotated[str, words((WAITING, OVER, APPROVED, RETURNED, RECALLED))]
"""What a submission can come to. One that is over waited when history told that the deal left its stage, that the work
was completed, or that the deal ended: its approval is taken back by what follows from that."""


@value
class Submission:
    """What was submitted for approval last at a gate."""

    gate: str
    """Like "exit of quotation"."""
    node: str | None = None
    """The task or deliverable whose exit it is, by its key; of a stage none."""
    status: Status
    approval_id: UUID
    steps: tuple[str, ...]
    """The keys of the steps that were taken of the chain."""
    on: date | None
    reason: str | None = None
    """Why it was returned or recalled."""


Submissions = tuple[Submission, ...]


def asks_somebody(submissions: Submissions) -> bool:
    """Whether an approval waits, or is still to be taken back."""
    return any(each.status in {WAITING, OVER} for each in submissions)


GateName = Annotated[str, MinLen(1), MaxLen(140)]
"""A gate as a refusal names it: "exit of quotation", "entry of task situation"."""


def exit_of(part: str) -> str:
    """The gate behind a stage, or behind what else has gates, as refusals and waivers name it."""
    return f"exit of {part}"


def exits_of(definition: ProcessDefinition) -> dict[str, ApprovableExit]:
    """The gates of a process that need an approval → what they are behind."""
    return {exit_of(each.name): each for part in definition.parts for each in approvable_exits(part)}


def chains_of(definition: ProcessDefinition) -> dict[str, ApprovalChain]:
    """The gates of a process that need an approval → by whom."""
    return {gate: each.chain for gate, each in exits_of(definition).items()}


def is_approved(submissions: Submissions, gate: str, chain: ApprovalChain, facts: Facts | None) -> bool:
    """Whether a gate was approved; with facts, by every step that would be taken by them. So a deal that has grown
    beyond what was approved is asked about anew."""
    found = submission_of(submissions, gate)
    if found is None or found.status != APPROVED:
        return False
    return facts is None or (
        is_judged(chain, facts)
        and all(step.key in found.steps for step in chain.steps if step.when is None or meets(step.when, facts))
    )


def is_judged(chain: ApprovalChain, facts: Facts) -> bool:
    """Whether it can be said whom a chain asks: not of an amount that no rate makes comparable, where a step looks at
    it. Else whoever states an amount in such a currency would pass those who have to see it."""
    return facts["amount"] is not None or not any(
        "amount" in facts_asked(step.when) for step in chain.steps if step.when is not None
    )


def submission_of(submissions: Submissions, gate: str) -> Submission | None:
    """What was submitted last at a gate."""
    return next((each for each in reversed(submissions) if each.gate == gate), None)


def waiting_at(submissions: Submissions) -> frozenset[str]:
    """The gates that wait for an approval."""
    return frozenset(each.gate for each in submissions if each.status == WAITING)


def with_submission(submissions: Submissions, new: Submission) -> Submissions:
    """The submissions of a deal with one in place of that at the same gate, unless its approval is to be taken back."""
    return (*(each for each in submissions if each.gate != new.gate or each.status == OVER), new)


def after_a_move(submissions: Submissions, left: str, entered: str) -> Submissions:
    """The submissions of a deal that left a stage and entered another: what waits at the exit is over, and what was
    approved at an earlier stay counts no more."""
    gone = without_those_of(submissions, {exit_of(entered)})
    return tuple(_over(each) if each.gate == exit_of(left) else each for each in gone)


def after_completion(submissions: Submissions, kind: str, key: str) -> Submissions:
    """The submissions of a deal of which a task or deliverable is completed: nobody is asked for it any more. That it
    was approved stays so, for gates further on."""
    gate = exit_of(f"{kind} {key}")
    return tuple(_over(each) if each.gate == gate else each for each in submissions)


def without_work(submissions: Submissions, keys: Collection[str]) -> Submissions:
    """The submissions of a deal without those of work that belongs to it no more; what waits there is over."""
    return without_those_of(submissions, {each.gate for each in submissions if each.node in keys})


def after_the_end(submissions: Submissions) -> Submissions:
    """The submissions of a deal that has ended: nothing waits."""
    return tuple(_over(each) for each in submissions)


def without_those_of(submissions: Submissions, gates: Collection[str]) -> Submissions:
    """The submissions of a deal without those at some gates; what waits there is over."""
    return tuple(_kept(submissions, gates))


def _kept(submissions: Submissions, gates: Collection[str]) -> Iterable[Submission]:
    for each in submissions:
        if each.gate not in gates or each.status in {WAITING, OVER}:
            yield _over(each) if each.gate in gates else each


def _over(submission: Submission) -> Submission:
    return replace(submission, status=OVER) if submission.status == WAITING else submission
