"""The way of a deal through its stages, and the gates between them (DEAL-3)."""

from dataclasses import replace
from datetime import date
from typing import Annotated, Any, ClassVar

from annotated_types import MaxLen, MinLen

from services.deals.domain.deal.gates import (
    Passage,
    binding_exits,
    gates_between,
    passage,
    refuse_passage,
    refused_before,
    without_attempts,
)
from services.deals.domain.deal.nodes import due_nodes, planned_rules, with_due
from services.deals.domain.deal.quoted import quote_of
from services.deals.domain.deal.state import Deal, OpenDeal, Visit, deal, has_notified, judged, written
from services.deals.domain.deal.submission import after_a_move
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.process.state import Process
from shared.domain.aggregate import Decision
from shared.domain.context import Company, Context
from shared.domain.fields import Text
from shared.domain.rejection import Reason, Rejected
from shared.domain.roles import SELLING
from shared.events.deals.deal import DealMoved
from shared.events.definition import value
from shared.events.process import ProcessDefinition


@value
class MoveDeal:
    """The deal enters another stage: the next one, a later one, or an earlier one."""

    stage: Annotated[str, MinLen(1), MaxLen(64)]
    """The stage to enter, by its key in the deal's process."""
    reason: Text | None = None

    example: ClassVar[dict[str, Any]] = {"stage": "needs-confirmed"}


@deal.decides(allow=SELLING)
def move(state: OpenDeal, command: MoveDeal, context: Context, process: Process, conversion: Conversion) -> Decision:
    """Move the deal to another stage.

    Forward, the exit criteria of the stage left and the entry criteria of the stage entered have to be met; every unmet
    one is named in one answer. Stages may be skipped, and a deal may go back, where the process allows it.
    """
    return moved(state, command.stage, context, process, conversion, reason=command.reason)


@deal.evolves
def has_moved(state: OpenDeal, event: DealMoved) -> OpenDeal:
    if event.stage == state.stage:
        # History told that it was there.
        return replace(state, written=written(state, event.reason))
    return judged(
        state,
        stage=event.stage,
        stage_since=event.on,
        probability=event.probability,
        category_of_stage=event.category_of_stage or event.category,
        nodes=with_due(state.nodes, event.stage, event.nodes),
        attempts=without_attempts(state, "stage"),
        submissions=after_a_move(state.submissions, state.stage, event.stage),
        rules=event.rules,
        brought_back=event.direction == "back",
        ready_on=None,
        trail=(*state.trail, Visit(stage=event.stage, on=event.on, automatic=event.automatic)),
        written=written(state, event.reason),
    )


def moved(
    state: OpenDeal,
    stage: str,
    context: Context,
    process: Process,
    conversion: Conversion,
    *,
    reason: str | None = None,
) -> list[DealMoved]:
    """The move through the gate, or nothing when the deal is in the stage already."""
    if stage == state.stage:
        return []
    known_stage(process, stage)
    passes = _passage(state, stage, process, conversion, context.today)
    message = f"The deal cannot enter {process.definition.stage(stage).name!r} yet."
    refuse_passage(state, "stage", stage, message, passes.unmet, today=context.today)
    event = entered(state, stage, process, context.company, on=context.today, reason=reason)
    return [replace(event, waived=passes.waived, refused_before=refused_before(state, "stage", stage))]


def known_stage(process: Process, key: str) -> None:
    """Refuse a stage that the process does not have, naming those that it has."""
    keys = [stage.key for stage in process.definition.stages]
    if key not in keys:
        raise Rejected("unknown-stage", f"The process has the stages {', '.join(keys)}.", field="stage")


def entered(
    state: Deal,
    stage: str,
    process: Process,
    company: Company,
    *,
    on: date,
    reason: str | None = None,
    tracked: bool = True,
    live: bool = True,
) -> DealMoved:
    """The fact that the deal entered a stage on a day, whatever the gates say; its tasks fall due when tracked, and
    what the stage does by itself is planned when it is live."""
    definition = process.definition
    before, after = definition.index(state.stage), definition.index(stage)
    new = definition.stage(stage)
    skipped = tuple(each.key for each in definition.stages[before + 1 : after])
    return DealMoved(
        deal_id=state.id,
        before=state.stage,
        stage=stage,
        direction="back" if after < before else "skip" if skipped else "forward",
        skipped=skipped,
        probability=new.probability,
        probability_before=state.probability,
        category=state.category_by_manager or state.category_by_rep or new.category,
        category_of_stage=new.category,
        amount=state.amount,
        nodes=due_nodes(new, on, company, state.nodes) if tracked else (),
        rules=planned_rules(new, on, company) if live else (),
        idle_days=new.idle_days,
        drafts_contract=new.drafts_contract,
        lines=state.lines if new.drafts_contract else (),
        quote=quote_of(state) if new.drafts_contract else None,
        ends_notices=live and has_notified(state),
        name=state.name,
        account_id=state.account_id,
        owner=state.owner,
        team=state.team,
        reason=reason,
        on=on,
    )


def _passage(state: OpenDeal, stage: str, process: Process, conversion: Conversion, today: date) -> Passage:
    """Every reason why the deal cannot enter the stage, and what it enters without."""
    definition = process.definition
    before, after = definition.index(state.stage), definition.index(stage)
    if after < before:
        message = f"The process {definition.name!r} does not go back."
        reasons = [] if definition.can_move_back else [Reason(code="not-reversible", message=message)]
        return Passage(unmet=reasons, waived=())
    left, new = definition.stages[before], definition.stages[after]
    (_, behind), (ahead, _) = gates_between(left.key, left), gates_between(new.key, new)
    bound = binding_exits(state, definition, before, after)
    passes = passage(state, process, conversion, today, behind, *bound, ahead)
    return replace(passes, unmet=[*_unskippable(definition, before, after), *passes.unmet])


def _unskippable(definition: ProcessDefinition, before: int, after: int) -> list[Reason]:
    return [
        Reason(code="not-skippable", message=f"The stage {stage.name!r} cannot be skipped.")
        for stage in definition.stages[before + 1 : after]
        if not stage.skippable
    ]
