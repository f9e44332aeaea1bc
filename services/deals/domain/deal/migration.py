"""How a deal goes over to another version of its process, or to another process (PROC-2).

What is known of the customer's case stays: answers, activities, contacts, judgements, what the deal is worth. What the
process gave the deal goes by these rules:

- *Nodes* that the new version has under the same key keep evidence and due day; those that are not done and belong to a
  later stage there are dropped, and fall due when that is entered. What the new stage has beside them falls due newly,
  reckoned from today. All others are dropped.
- *Flexible nodes* that the new version has, too, go on binding the deal, where their stage is there; those of the
  stage where it stands go along to the new one. Others end, and their work is dropped.
- *Rules of stages* are those of the new stage, reckoned from today. In a stage that stays, what fired there does not
  fire again, and what waits keeps its time.
- *Noted facts* stay where the new version declares them with the same kind, and end otherwise.
- *Waivers* stay where the new version asks the very same at the same gate, and end otherwise.
- *Approvals* stay, and what waits for one does, where the new version has the very same chain at the same gate, and the
  stage stays or the work goes along; others end.
- *Refused attempts* at work that goes along stay; those to enter a stage were at gates of the version before, and end.

In a stage of the same process and key it has not entered anything: it stands there as long as it did. A migration is no
move: no gate is passed, and nothing counts as skipped or gone back to. What the entry of the new stage asks and is not
met stands in the event.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from services.deals.domain.deal.gates import gates_between, gates_of, passage, without_attempts
from services.deals.domain.deal.nodes import due_nodes, is_done, planned_rules, with_due
from services.deals.domain.deal.quoted import quote_of
from services.deals.domain.deal.state import (
    AddedNode,
    AnyDeal,
    DealNode,
    OpenDeal,
    Visit,
    bound_by,
    deal,
    has_notified,
    judged,
    written,
)
from services.deals.domain.deal.submission import APPROVED, chains_of, exit_of, without_those_of
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.facts import APPROVAL_CRITERION
from services.deals.domain.process.state import Process, Version
from services.deals.domain.remarked_process import VersionNumber
from shared.domain.aggregate import Decision
from shared.domain.context import Company, Context
from shared.domain.fields import Text
from shared.domain.references import ProcessId
from shared.domain.rejection import Reason, refuse_all
from shared.domain.roles import OPERATIONS
from shared.events.criteria import Key
from shared.events.deals.deal import PlannedRule, UnmetCriterion, WaivedCriterion
from shared.events.deals.deal_migration import CarriedFlexibleNode, CarriedNode, DealMigrated, DroppedNode
from shared.events.definition import value
from shared.events.process import Node, ProcessDefinition, Stage, work_of

MIGRATED = "migrated"
"""In place of the rule that chose the process of a deal, once it follows another one."""


@value
class MigrateDeal:
    """The deal follows another version of its process from now on, or another process."""

    process_id: ProcessId | None = None
    """Default: the process that it follows."""
    process_version: VersionNumber
    """A version that was published."""
    stage: Key
    """The stage that it stands in there."""
    reason: Text

    example: ClassVar[dict[str, Any]] = {
        "process_version": 2,
        "stage": "needs-confirmed",
        "reason": "Version 2 asks for the budget one stage earlier, as this customer does.",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetProcess:
    """The process that a deal is to follow, as a handler is given it; of none, or of one that was retired, no
    versions."""

    id: UUID | None = None
    versions: tuple[Version, ...] = ()

    def published(self, number: int) -> Process | None:
        """A version of it, if it was published."""
        if self.id is None or not 1 <= number <= len(self.versions) or not self.versions[number - 1].published:
            return None
        return Process(id=self.id, version=number, definition=self.versions[number - 1].definition)


@deal.decides(allow=OPERATIONS)
def migrate(
    state: OpenDeal,
    command: MigrateDeal,
    context: Context,
    *,
    process: Process,
    target: TargetProcess,
    conversion: Conversion,
) -> Decision:
    """Have the deal follow another version of its process, or another process, in a stage of your choice.

    Nothing has to be met for it. What the entry of that stage asks and the deal does not meet is recorded with it.
    """
    refuse_all("invalid-migration", "The deal cannot go over.", list(_faults(state, command, target)))
    followed = target.published(command.process_version)
    if followed is None:
        return []  # there is no such process, which is refused by itself
    return [
        migration_of(
            state,
            command.stage,
            source=process,
            target=followed,
            conversion=conversion,
            today=context.today,
            company=context.company,
            reason=command.reason,
        )
    ]


@deal.already
def is_migrated(state: OpenDeal, command: MigrateDeal) -> bool:
    asked = (command.process_id or state.process_id, command.process_version, command.stage)
    return (state.process_id, state.process_version, state.stage) == asked


@deal.evolves
def has_migrated(state: AnyDeal, event: DealMigrated) -> AnyDeal:
    # Also one that ended before, as history told later: reopened, it goes on by the version that it went over to.
    stays = (state.process_id, state.stage) == (event.process_id, event.stage)
    ended = {(waiver.gate, waiver.criterion) for waiver in event.waivers_ended}
    dropped = {(node.kind, node.key) for node in event.dropped}
    return judged(
        state,
        process_id=event.process_id,
        process_version=event.process_version,
        process_rule=state.process_rule if state.process_id == event.process_id else MIGRATED,
        stage=event.stage,
        stage_since=state.stage_since if stays else event.on,
        trail=state.trail if stays else (*state.trail, Visit(stage=event.stage, on=event.on)),
        probability=event.probability,
        category_of_stage=event.category_of_stage,
        nodes=with_due(tuple(_carried(state.nodes, event)), event.stage, event.nodes),
        flexible_nodes=tuple(_flexible_carried(state, event)),
        submissions=without_those_of(state.submissions, event.submissions_ended),
        rules=event.rules,
        brought_back=state.brought_back and stays,
        ready_on=None,
        facts={key: known for key, known in state.facts.items() if key not in event.facts_ended},
        waivers=tuple(each for each in state.waivers if (each.gate, each.criterion) not in ended),
        attempts=tuple(each for each in without_attempts(state, "stage") if (each.kind, each.key) not in dropped),
        written=written(state, event.reason),
    )


def migration_of(
    state: OpenDeal,
    stage: str,
    *,
    source: Process,
    target: Process,
    conversion: Conversion,
    today: date,
    company: Company,
    reason: str | None = None,
    process_migration_id: UUID | None = None,
) -> DealMigrated:
    """The fact that a deal goes over to a stage of another version, with what that does to it and what it does not
    meet there."""
    new = target.definition.stage(stage)
    flexible = tuple(_carried_flexible_nodes(state, stage, target.definition))
    places = _places(target.definition, flexible)
    carried = tuple(_carried_nodes(state, places, target.definition.index(stage)))
    kept = {(node.kind, node.key) for node in carried}
    drafts_contract = new.drafts_contract and not source.definition.stage(state.stage).drafts_contract
    event = DealMigrated(
        deal_id=state.id,
        process_id=target.id,
        process_name=target.definition.name,
        process_version=target.version,
        process_id_before=state.process_id,
        process_version_before=state.process_version,
        stage=stage,
        stage_before=state.stage,
        probability=new.probability,
        probability_before=state.probability,
        category=state.category_by_manager or state.category_by_rep or new.category,
        category_of_stage=new.category,
        amount=state.amount,
        carried=carried,
        dropped=tuple(
            DroppedNode(key=node.key, kind=node.kind) for node in state.nodes if (node.kind, node.key) not in kept
        ),
        nodes=due_nodes(new, today, company, [node for node in state.nodes if (node.kind, node.key) in kept]),
        flexible_nodes=flexible,
        flexible_nodes_ended=tuple(_flexible_nodes_ended(state, flexible)),
        rules=tuple(_rules(state, new, source, target, planned_rules(new, today, company))),
        facts_ended=tuple(_facts_ended(state, source.definition, target.definition)),
        waivers_ended=tuple(_waivers_ended(state, source.definition, target.definition)),
        submissions_ended=tuple(_submissions_ended(state, stage, source, target, places)),
        idle_days=new.idle_days,
        ends_notices=stage != state.stage and has_notified(state),
        drafts_contract=drafts_contract,
        lines=state.lines if drafts_contract else (),
        quote=quote_of(state) if drafts_contract else None,
        process_migration_id=process_migration_id,
        name=state.name,
        account_id=state.account_id,
        owner=state.owner,
        team=state.team,
        reason=reason,
        on=today,
    )
    entry, _ = gates_between(new.key, new)
    passes = passage(has_migrated(state, event), target, conversion, today, entry)
    unmet = [
        UnmetCriterion(gate=each.details["gate"], criterion=each.details["criterion"])
        for each in passes.unmet
        if each.code == "criterion-unmet"
    ]
    return replace(event, unmet=tuple(unmet), waived=passes.waived)


def _faults(state: OpenDeal, command: MigrateDeal, target: TargetProcess) -> Iterator[Reason]:
    """Why a deal cannot go over. That there is no such process is refused by itself."""
    if target.id is None:
        if command.process_id is None:
            message = "Its process was retired: name another one."
            yield Reason(code="process-retired", message=message, field="process_id")
        return
    followed = target.published(command.process_version)
    if followed is None:
        message = f"Version {command.process_version} of this process was not published."
        yield Reason(code="unknown-version", message=message, field="process_version")
        return
    if (followed.id, followed.version) == (state.process_id, state.process_version):
        message = "The deal follows this version: in it, a deal moves."
        yield Reason(code="same-version", message=message, field="process_version")
    keys = [stage.key for stage in followed.definition.stages]
    if command.stage not in keys:
        message = f"The version has the stages {', '.join(keys)}."
        yield Reason(code="unknown-stage", message=message, field="stage")


def _carried_flexible_nodes(
    state: OpenDeal, stage: str, definition: ProcessDefinition
) -> Iterator[CarriedFlexibleNode]:
    """The flexible nodes of a deal that another version has, too, at a gate that is there."""
    stages = {each.key for each in definition.stages}
    for added, _ in bound_by(state, definition):
        place = stage if added.stage == state.stage else added.stage
        if place in stages:
            yield CarriedFlexibleNode(key=added.key, stage=place)


def _flexible_nodes_ended(state: OpenDeal, carried: tuple[CarriedFlexibleNode, ...]) -> Iterator[str]:
    kept = {each.key for each in carried}
    yield from (added.key for added in state.flexible_nodes if added.key not in kept)


def _flexible_carried(state: AnyDeal, event: DealMigrated) -> Iterator[AddedNode]:
    places = {each.key: each.stage for each in event.flexible_nodes}
    for added in state.flexible_nodes:
        if added.key in places:
            yield replace(added, stage=places[added.key])


def _rules(
    state: OpenDeal, new: Stage, source: Process, target: Process, planned: Sequence[PlannedRule]
) -> Iterator[PlannedRule]:
    """What the process does by itself in the new stage. Where the stage stays, what waits keeps its time, and what came
    to something, or to nothing, does not come again: only rules that the version before did not have are new."""
    stays = (state.process_id, state.stage) == (target.id, new.key)
    waiting = {rule.key: rule for rule in state.rules} if stays else {}
    had = {rule.key for rule in source.definition.stage(state.stage).rules} if stays else set[str]()
    for rule in planned:
        if rule.key in waiting or rule.key not in had:
            yield waiting.get(rule.key, rule)


def _places(
    definition: ProcessDefinition, flexible: tuple[CarriedFlexibleNode, ...]
) -> dict[tuple[str, str], tuple[int, str, Node]]:
    """The work that a deal has in another version: kind and key → the place and key of its stage, and the work."""
    has = {
        (kind, node.key): (place, stage.key, node)
        for place, stage in enumerate(definition.stages)
        for kind, node in work_of(stage)
    }
    places = {each.key: each.stage for each in flexible}
    for part in definition.flexible_nodes:
        for kind, node in work_of(part) if part.key in places else ():
            stage = places[part.key]
            has[kind, node.key] = (definition.index(stage), stage, node)
    return has


def _carried_nodes(
    state: OpenDeal, places: Mapping[tuple[str, str], tuple[int, str, Node]], reached: int
) -> Iterator[CarriedNode]:
    """The work of a deal that another version has under the same key: what is done, and what is due there by now."""
    for known in state.nodes:
        if (found := places.get((known.kind, known.key))) is None:
            continue
        place, stage, node = found
        if known.evidence is not None or place <= reached:
            yield CarriedNode(
                key=known.key, kind=known.kind, stage=stage, required=node.required, proposal=node.proposal
            )


def _carried(known: tuple[DealNode, ...], event: DealMigrated) -> Iterator[DealNode]:
    """The nodes of a deal after it went over. One that was told later of the time before stays as it is: nobody said
    what becomes of it."""
    carried = {(each.kind, each.key): each for each in event.carried}
    dropped = {(each.kind, each.key) for each in event.dropped}
    for node in known:
        if (found := carried.get((node.kind, node.key))) is not None:
            yield replace(node, stage=found.stage, required=found.required)
        elif (node.kind, node.key) not in dropped:
            yield node


def _facts_ended(state: OpenDeal, old: ProcessDefinition, new: ProcessDefinition) -> Iterator[str]:
    """The noted facts that another version does not know, or knows as another kind."""
    before, after = ({fact.key: fact.kind for fact in definition.facts} for definition in (old, new))
    for key in state.facts:
        if key not in after or before.get(key) != after[key]:
            yield key


def _waivers_ended(state: OpenDeal, old: ProcessDefinition, new: ProcessDefinition) -> Iterator[WaivedCriterion]:
    """The waivers of what another version does not ask, or asks otherwise: nobody has waived that."""
    before, after = (
        {(gate, each.key): each.when for gate, criteria in gates_of(definition) for each in criteria}
        for definition in (old, new)
    )
    chains = chains_of(old), chains_of(new)
    for waiver in state.waivers:
        key = (waiver.gate, waiver.criterion)
        asks_others = waiver.criterion == APPROVAL_CRITERION and chains[0].get(waiver.gate) != chains[1].get(
            waiver.gate
        )
        if key not in after or before.get(key) != after[key] or asks_others:
            yield WaivedCriterion(gate=waiver.gate, criterion=waiver.criterion)


def _submissions_ended(
    state: OpenDeal,
    stage: str,
    source: Process,
    target: Process,
    places: Mapping[tuple[str, str], tuple[int, str, Node]],
) -> Iterator[str]:
    """The gates of what was submitted for an approval that another version does not ask for, or asks others for; of
    another process nothing stays, nor of the stage where the deal stands once it stands in another one, nor of work
    that is not due there by now and not done."""
    before, after = chains_of(source.definition), chains_of(target.definition)
    left = {exit_of(state.stage), exit_of(stage)} if stage != state.stage else set[str]()
    reached = target.definition.index(stage)
    there = {
        exit_of(f"{kind} {key}")
        for (kind, key), (place, _, _) in places.items()
        if place <= reached or is_done(state, key)
    }
    for submission in state.submissions:
        gate = submission.gate
        # Of work that is done nobody is asked again: gates further on know that it was approved.
        was_passed = submission.status == APPROVED and submission.node is not None and is_done(state, submission.node)
        is_same = source.id == target.id and gate in after and (was_passed or before.get(gate) == after[gate])
        is_there = gate not in left if submission.node is None else gate in there
        if not (is_same and is_there):
            yield gate
