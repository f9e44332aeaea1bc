"""Help that is asked of whoever leads the rep: one question at a time, its guidance, and what came of it (DEAL-6)."""

from dataclasses import replace
from datetime import date
from typing import Any, ClassVar, Literal

from services.deals.domain.deal.state import AnyDeal, Deal, HelpRequest, OpenDeal, deal, written
from shared.domain.aggregate import Decision
from shared.domain.context import Actor, Context
from shared.domain.fields import LongText
from shared.domain.rejection import Rejected
from shared.domain.roles import MANAGING, SELLING
from shared.events.deals.deal_help import DealGuidanceGiven, DealHelpAsked, DealHelpConcluded
from shared.events.definition import value

HelpKind = Literal["strategy", "access", "price", "resources", "other"]
Urgency = Literal["today", "this-week", "when-possible"]
HelpOutcome = Literal["helped", "did-not-help", "not-followed", "not-needed"]
WITHDRAWN: Literal["withdrawn"] = "withdrawn"
"""What came of a question that nobody had answered when the deal ended."""


@value
class AskForHelp:
    """What whoever leads the rep is to help with."""

    kind: HelpKind
    urgency: Urgency
    question: LongText

    example: ClassVar[dict[str, Any]] = {
        "kind": "access",
        "urgency": "this-week",
        "question": "The plant manager does not introduce us to the board. Who of us knows somebody there?",
    }


@value
class GiveGuidance:
    """What to do, in answer to what was asked."""

    guidance: LongText

    example: ClassVar[dict[str, Any]] = {"guidance": "Ask for the date of the board first; our director calls theirs."}


@value
class ConcludeHelp:
    """What came of the help; or it is not needed any more."""

    outcome: HelpOutcome
    note: LongText | None = None

    example: ClassVar[dict[str, Any]] = {"outcome": "helped", "note": "The board sees us on Friday."}


def _asked(state: AnyDeal, actor: Actor) -> HelpRequest:
    """What is asked; raises Rejected where nothing is."""
    asked = open_help(state)
    if asked is None:
        raise Rejected("no-help-asked", "Nobody asks for help with this deal.")
    return asked


def _asks_nothing(state: OpenDeal, actor: Actor) -> None:
    """Refuse a question beside one that is open."""
    if open_help(state) is not None:
        raise Rejected("already-asked", "Help was asked before: conclude that first.")


def _waits_for_guidance(state: OpenDeal, actor: Actor) -> HelpRequest:
    """What nobody has answered; raises Rejected where nothing is."""
    asked = _asked(state, actor)
    if asked.guided_on is not None:
        raise Rejected("already-guided", "Guidance was given before; what came of it is still to be said.")
    return asked


@deal.decides(allow=SELLING, guard=_asks_nothing)
def ask_for_help(state: OpenDeal, command: AskForHelp, context: Context) -> Decision:
    """Ask whoever leads the rep for help with the deal; they are told. One question is open at a time."""
    return [
        DealHelpAsked(
            deal_id=state.id,
            help_id=context.derived_id("help"),
            kind=command.kind,
            urgency=command.urgency,
            question=command.question,
            asked_by=context.actor.member,
            on=context.today,
            name=state.name,
        )
    ]


@deal.decides(allow=MANAGING, guard=_waits_for_guidance)
def give_guidance(state: OpenDeal, command: GiveGuidance, context: Context) -> Decision:
    """Say what to do, in answer to what was asked."""
    asked = _waits_for_guidance(state, context.actor)
    return [
        DealGuidanceGiven(
            deal_id=state.id,
            help_id=asked.id,
            guidance=command.guidance,
            by=context.actor.member,
            on=context.today,
        )
    ]


@deal.decides(allow=SELLING, guard=_asked)
def conclude_help(state: AnyDeal, command: ConcludeHelp, context: Context) -> Decision:
    """Say what came of the help that was asked for, also once the deal is closed."""
    asked = _asked(state, context.actor)
    return [
        DealHelpConcluded(
            deal_id=state.id, help_id=asked.id, outcome=command.outcome, note=command.note, on=context.today
        )
    ]


@deal.already
def is_help_asked(state: OpenDeal, command: AskForHelp) -> bool:
    asked = open_help(state)
    told = (command.kind, command.urgency, command.question)
    return asked is not None and (asked.kind, asked.urgency, asked.question) == told


@deal.already
def is_guidance_given(state: OpenDeal, command: GiveGuidance) -> bool:
    asked = open_help(state)
    return asked is not None and asked.guided_on is not None and asked.guidance == command.guidance


@deal.already
def is_help_concluded(state: AnyDeal, command: ConcludeHelp) -> bool:
    last = state.help[-1] if state.help else None
    return last is not None and (last.outcome, last.note) == (command.outcome, command.note)


@deal.evolves
def help_asked(state: OpenDeal, event: DealHelpAsked) -> OpenDeal:
    asked = HelpRequest(
        id=event.help_id,
        kind=event.kind,
        urgency=event.urgency,
        question=event.question,
        asked_by=event.asked_by,
        asked_on=event.on,
    )
    return replace(state, help=(*state.help, asked), written=written(state, event.question))


@deal.evolves
def guidance_given(state: OpenDeal, event: DealGuidanceGiven) -> OpenDeal:
    said: dict[str, Any] = {"guidance": event.guidance, "guided_by": event.by, "guided_on": event.on}
    known = tuple(replace(each, **said) if each.id == event.help_id else each for each in state.help)
    return replace(state, help=known, written=written(state, event.guidance))


@deal.evolves
def help_concluded(state: AnyDeal, event: DealHelpConcluded) -> AnyDeal:
    said: dict[str, Any] = {"outcome": event.outcome, "note": event.note, "concluded_on": event.on}
    known = tuple(replace(each, **said) if each.id == event.help_id else each for each in state.help)
    return replace(state, help=known, written=written(state, event.note))


def open_help(state: Deal) -> HelpRequest | None:
    """What was asked of whoever leads the rep, and nobody has said what came of it."""
    last = state.help[-1] if state.help else None
    return last if last is not None and last.outcome is None else None


def unanswered_help(state: Deal) -> HelpRequest | None:
    """What was asked, and nobody has answered."""
    asked = open_help(state)
    return asked if asked is not None and asked.guided_on is None else None


def withdrawn_help(state: Deal, on: date) -> list[DealHelpConcluded]:
    """That nobody is asked any more with a deal that has ended. What came of guidance is still to be said."""
    asked = unanswered_help(state)
    return [DealHelpConcluded(deal_id=state.id, help_id=asked.id, outcome=WITHDRAWN, on=on)] if asked else []
