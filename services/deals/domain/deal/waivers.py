"""Waivers: somebody lets a deal pass a criterion, with reason and expiry (DEAL-4)."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, ClassVar

from annotated_types import MaxLen, MinLen

from services.deals.domain.deal.gates import gates_of
from services.deals.domain.deal.state import OpenDeal, Waiver, deal, written
from services.deals.domain.deal.submission import GateName
from services.deals.domain.process.state import Process
from shared.domain.aggregate import Decision
from shared.domain.context import Context
from shared.domain.fields import Day, Text
from shared.domain.rejection import Rejected, all_at_once
from shared.domain.roles import MANAGING, Role
from shared.events.deals.deal_gates import DealCriterionWaived, DealWaiverRevoked
from shared.events.definition import value

LONGEST_DAYS = 366
BY_RANK = (Role.MANAGER, Role.SALES_DIRECTOR, Role.SALES_OPERATIONS)
"""Of several roles that may waive, the nearest to the deal is the one that did."""

CriterionKey = Annotated[str, MinLen(1), MaxLen(64)]


@value
class WaiveCriterion:
    """The deal may pass a gate without this being met."""

    gate: GateName
    criterion: CriterionKey
    """By its key."""
    until: Day
    """The last day on which that holds: today or later, within a year."""
    reason: Text

    example: ClassVar[dict[str, Any]] = {
        "gate": "exit of needs-confirmed",
        "criterion": "budget-known",
        "until": "2026-12-31",
        "reason": "The budget is decided in January; the plant manager has asked for the quotation now.",
    }


@value
class RevokeWaiver:
    """The criterion has to be met again."""

    gate: GateName
    criterion: CriterionKey

    example: ClassVar[dict[str, Any]] = {"gate": "exit of needs-confirmed", "criterion": "budget-known"}


@deal.decides(allow=MANAGING)
def waive_criterion(state: OpenDeal, command: WaiveCriterion, context: Context, process: Process) -> Decision:
    """Let the deal pass a gate without one of its criteria, for a time. What it passes by a waiver says so."""
    all_at_once(lambda: _refuse_unknown(command, process), lambda: _refuse_day(command, context))
    waiver = waiver_of(state, command.gate, command.criterion)
    if waiver is not None and waiver.until == command.until:
        return []
    return [
        DealCriterionWaived(
            deal_id=state.id,
            gate=command.gate,
            criterion=command.criterion,
            until=command.until,
            role=next((role for role in BY_RANK if role in context.actor.roles), Role.ADMIN),
            on=context.today,
            reason=command.reason,
        )
    ]


@deal.decides(allow=MANAGING)
def revoke_waiver(state: OpenDeal, command: RevokeWaiver, process: Process) -> Decision:
    """Take a waiver back. Gates that were passed by it are not judged again."""
    _refuse_unknown(command, process)
    if waiver_of(state, command.gate, command.criterion) is None:
        return []
    return [DealWaiverRevoked(deal_id=state.id, gate=command.gate, criterion=command.criterion)]


@deal.evolves
def criterion_waived(state: OpenDeal, event: DealCriterionWaived) -> OpenDeal:
    waiver = Waiver(gate=event.gate, criterion=event.criterion, until=event.until)
    return replace(
        state, waivers=(*_others(state, event.gate, event.criterion), waiver), written=written(state, event.reason)
    )


@deal.evolves
def waiver_revoked(state: OpenDeal, event: DealWaiverRevoked) -> OpenDeal:
    return replace(state, waivers=_others(state, event.gate, event.criterion))


def waiver_of(state: OpenDeal, gate: str, criterion: str) -> Waiver | None:
    """The waiver of a criterion that was given last and not taken back, also one that has run out."""
    return next((each for each in state.waivers if (each.gate, each.criterion) == (gate, criterion)), None)


def _others(state: OpenDeal, gate: str, criterion: str) -> tuple[Waiver, ...]:
    return tuple(each for each in state.waivers if (each.gate, each.criterion) != (gate, criterion))


def _refuse_unknown(command: WaiveCriterion | RevokeWaiver, process: Process) -> None:
    gates = dict(gates_of(process.definition))
    if command.gate not in gates:
        asking = ", ".join(name for name, criteria in gates.items() if criteria)
        raise Rejected("unknown-gate", f"The process has the gates {asking}.", field="gate")
    keys = [each.key for each in gates[command.gate]]
    if command.criterion not in keys:
        message = f"This gate has the criteria {', '.join(keys) or 'none'}."
        raise Rejected("unknown-criterion", message, field="criterion")


def _refuse_day(command: WaiveCriterion, context: Context) -> None:
    longest = context.today + timedelta(days=LONGEST_DAYS)
    if not context.today <= command.until <= longest:
        raise Rejected("invalid-expiry", f"A waiver holds from today to {longest} at most.", field="until")
