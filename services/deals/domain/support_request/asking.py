"""How a sale asks for help: of a support type of the deal's process, or of a department in its own words (DEAL-12)."""

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from services.deals.domain.process.state import Process
from services.deals.domain.support_request.state import (
    AnySupportRequest,
    AskedSupportRequest,
    NoSupportRequest,
    OpenSupportRequest,
    ReturnedSupportRequest,
    WithdrawnSupportRequest,
    become,
    days_late,
    due_day,
    support_request,
)
from shared.domain.aggregate import Claim, Decision
from shared.domain.context import Context
from shared.domain.fields import Day, LongText
from shared.domain.references import DealId
from shared.domain.rejection import Reason, refuse_all
from shared.domain.roles import MACHINERY, SELLING, Role
from shared.events.criteria import Key
from shared.events.deals.support_request import SupportRequested, SupportRequestedAgain, SupportRequestWithdrawn
from shared.events.definition import value
from shared.events.process import StageOutline, SupportType

DAYS = 2
"""The working days of what no type of the process names, as of a type that says nothing else."""
ON_DEAL = "support-of-deal"
"""The claim that all support requests of a deal hold beside each other, so that the deal's end finds them."""


@value
class AskForSupport:
    """Help that is needed of another department: of a type of the deal's process, or of a department, in words."""

    deal_id: DealId
    type: Key | None = None
    """A support type of any stage of the deal's process: department and days follow from it."""
    department: Role | None = None
    """Whom to ask, where no type of the process names what is needed: due within two working days."""
    what: LongText
    needed_by: Day | None = None
    """Where that is later than the days of the type, it is due then. An earlier day is told, and shortens nothing."""

    example: ClassVar[dict[str, Any]] = {
        "deal_id": "0199d3a4-5b7c-7d2e-9f10-3a4b5c6d7e8f",
        "department": "presales",
        "what": "Two reference customers from mechanical engineering, with numbers.",
    }


@value
class AskAgain:
    """What was asked, with what the department missed."""

    what: LongText
    needed_by: Day | None = None

    example: ClassVar[dict[str, Any]] = {"what": "Two reference customers, of 200 to 500 employees, with numbers."}


@value
class Withdraw:
    """The help is not needed any more."""

    example: ClassVar[dict[str, Any]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportedDeal:
    """The deal that help is asked for, as a handler is given it; nothing of one that there is not."""

    name: str = ""
    status: str | None = None
    """open, won, lost or abandoned."""
    stage: str = ""
    process: Process | None = None
    owner: UUID | None = None
    team: UUID | None = None
    account_id: UUID | None = None
    others: frozenset[UUID] = frozenset()
    """What has been asked on it."""


@support_request.decides(allow=SELLING)
def ask(state: NoSupportRequest, command: AskForSupport, context: Context, deal: SupportedDeal) -> Decision:
    """Ask another department for help on a deal.

    On an open deal for any stage of its process; on one that was won for those of the contract.
    """
    found = _found(command.type, deal.process)
    refuse_all("invalid-support-request", "This cannot be asked.", _faults(command, context, deal, found))
    if deal.process is None:
        return []  # there is no such deal, which is refused by itself
    stage, kind = found or (None, None)
    days = kind.days if kind else DAYS
    due = due_day(context.today, days, command.needed_by, context)
    return [
        SupportRequested(
            support_request_id=context.aggregate_id,
            deal_id=command.deal_id,
            deal_name=deal.name,
            process_id=deal.process.id,
            process_version=deal.process.version,
            stage=stage.key if stage else deal.stage,
            after_the_win=_goes_on(stage, deal),
            support_type=command.type,
            name=kind.name if kind else None,
            department=kind.department if kind else str(command.department),
            days=days,
            what=command.what,
            needed_by=command.needed_by,
            on=context.today,
            due=due,
            overdue_from=context.company.start_after(due),
            asked_by=context.actor.member,
            others=tuple(sorted(deal.others)),
            owner=deal.owner,
            team=deal.team,
            account_id=deal.account_id,
        )
    ]


@support_request.decides(allow=SELLING)
def ask_again(state: ReturnedSupportRequest, command: AskAgain, context: Context) -> Decision:
    """Ask again for what was returned, with more said; the department has its days anew."""
    refuse_all("invalid-support-request", "This cannot be asked.", _past(command, context))
    due = due_day(context.today, state.days, command.needed_by, context)
    return [
        SupportRequestedAgain(
            support_request_id=state.id,
            what=command.what,
            needed_by=command.needed_by,
            on=context.today,
            due=due,
            overdue_from=context.company.start_after(due),
            asked_by=context.actor.member,
        )
    ]


@support_request.decides(allow=SELLING)
def withdraw(state: OpenSupportRequest, command: Withdraw, context: Context) -> Decision:
    """Withdraw what is not needed any more."""
    return [withdrawn(state, "asker", context)]


@support_request.already
def is_asked(state: AnySupportRequest, command: AskForSupport) -> bool:
    department = state.department if state.type is None else None
    known = (state.deal_id, state.type, department, state.what, state.needed_by)
    return known == (command.deal_id, command.type, command.department, command.what, command.needed_by)


@support_request.already
def is_asked_again(state: AskedSupportRequest, command: AskAgain) -> bool:
    return (state.what, state.needed_by) == (command.what, command.needed_by)


@support_request.already
def is_withdrawn(state: WithdrawnSupportRequest, command: Withdraw) -> bool:
    return True


@support_request.evolves
def requested(state: NoSupportRequest, event: SupportRequested) -> AskedSupportRequest:
    return AskedSupportRequest(
        id=event.support_request_id,
        deal_id=event.deal_id,
        deal_name=event.deal_name,
        process_id=event.process_id,
        process_version=event.process_version,
        stage=event.stage,
        after_the_win=event.after_the_win,
        type=event.support_type,
        name=event.name,
        department=event.department,
        days=event.days,
        what=event.what,
        written=bool(event.what),
        needed_by=event.needed_by,
        asked_by=event.asked_by,
        asked_on=event.on,
        due=event.due,
        overdue_from=event.overdue_from,
        is_told_overdue=False,
        days_late=0,
        responsible=None,
        owner=event.owner,
        team=event.team,
        account_id=event.account_id,
    )


@support_request.evolves
def requested_again(state: ReturnedSupportRequest, event: SupportRequestedAgain) -> AskedSupportRequest:
    return become(
        AskedSupportRequest,
        state,
        what=event.what,
        written=state.written or bool(event.what),
        needed_by=event.needed_by,
        asked_by=event.asked_by,
        asked_on=event.on,
        due=event.due,
        overdue_from=event.overdue_from,
        is_told_overdue=False,
        responsible=None,
    )


@support_request.evolves
def was_withdrawn(state: OpenSupportRequest, event: SupportRequestWithdrawn) -> WithdrawnSupportRequest:
    return become(WithdrawnSupportRequest, state, cause=event.cause, withdrawn_on=event.on, days_late=event.days_late)


@support_request.takes
def is_of_its_deal(event: SupportRequested) -> set[Claim]:
    """All requests of a deal are found by it. Of two that are asked at once the later one knows of the other."""
    return {Claim(kind=ON_DEAL, key=str(event.deal_id), beside=frozenset(event.others))}


def withdrawn(state: OpenSupportRequest, cause: str, context: Context) -> SupportRequestWithdrawn:
    """The fact that a request is withdrawn, and for how long it was overdue."""
    return SupportRequestWithdrawn(
        support_request_id=state.id, cause=cause, on=context.today, days_late=days_late(state, context)
    )


def _found(key: str | None, process: Process | None) -> tuple[StageOutline, SupportType] | None:
    """The support type of a key, with its stage: of several stages the first."""
    stages = process.definition.every_stage if process and key else ()
    return next(((stage, kind) for stage in stages for kind in stage.support if kind.key == key), None)


def _goes_on(stage: StageOutline | None, deal: SupportedDeal) -> bool:
    """Whether help is for the time after the win: asked then, or for a stage of the contract."""
    return deal.status == "won" or _is_of_contract(stage, deal.process)


def _is_of_contract(stage: StageOutline | None, process: Process | None) -> bool:
    return process is not None and stage in process.definition.contract_stages


def _faults(
    command: AskForSupport, context: Context, deal: SupportedDeal, found: tuple[StageOutline, SupportType] | None
) -> list[Reason]:
    reasons = _past(command, context)
    if (command.type is None) == (command.department is None):
        message = "Name a support type of the deal's process, or a department for what no type names."
        reasons.append(Reason(code="type-or-department", message=message, field="type"))
    if command.department in MACHINERY:
        message = f"Nobody works as {command.department}."
        reasons.append(Reason(code="unknown-department", message=message, field="department"))
    if command.type is not None and deal.process is not None and found is None:
        keys = ", ".join(
            dict.fromkeys(kind.key for stage in deal.process.definition.every_stage for kind in stage.support)
        )
        message = f"The deal's process has no support type {command.type!r}; it has {keys or 'none'}."
        reasons.append(Reason(code="unknown-support-type", message=message, field="type"))
    if deal.status in ("lost", "abandoned"):
        reasons.append(Reason(code="deal-is-closed", message=f"The deal is {deal.status}.", field="deal_id"))
    if deal.status == "won" and found is not None and not _is_of_contract(found[0], deal.process):
        message = f"The deal is won: the stage {found[0].name!r} is over."
        reasons.append(Reason(code="deal-is-closed", message=message, field="deal_id"))
    return reasons


def _past(command: AskForSupport | AskAgain, context: Context) -> list[Reason]:
    if command.needed_by is None or command.needed_by >= context.today:
        return []
    return [Reason(code="in-the-past", message="What is needed is needed from today on.", field="needed_by")]
