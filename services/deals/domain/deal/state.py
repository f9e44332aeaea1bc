"""What is known of a deal, and the states that it can stand in."""

from dataclasses import replace
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from services.deals.domain.deal.qualification import Qualification
from services.deals.domain.deal.submission import Submissions
from shared.domain.aggregate import Aggregate, carried
from shared.domain.fields import Day
from shared.domain.roles import READING
from shared.domain.working_time.reminders import Reminders
from shared.events.chronology import ORDER_OF_DAY
from shared.events.criteria import FactValue
from shared.events.deals.deal import AgreedLine, ContentUsed, DealLine, PlannedRule, UnmetCriterion
from shared.events.definition import Exact, value
from shared.events.money import Money
from shared.events.process import FlexibleNode, ProcessDefinition


@value
class NextStep:
    """What is to happen next. Without a day, it says explicitly that nothing is planned."""

    on: Day | None
    what: str | None = None


@value
class DealNode:
    """A task or deliverable of the deal; done once it has evidence (DEAL-2)."""

    key: str
    stage: str
    kind: str
    required: bool
    due: date | None
    evidence: str | None = None
    flexible_node: str | None = None
    """The flexible node that it belongs to, by its key."""
    by_rule: str | None = None
    """The rule of the stage by which it is due, where it is not so by entering the stage."""


@value
class AddedNode:
    """A flexible node of the process that binds the deal (DEAL-4)."""

    key: str
    stage: str
    """The stage whose gate it binds: where it was added, or where a migration put it."""
    role: str
    on: date | None
    by_rule: str | None = None
    """The rule of the stage that added it."""


@value
class FiredRule:
    """What the process did by itself in a stage (PROC-1)."""

    key: str
    name: str
    stage: str
    trigger: str
    on: date | None
    notified: bool = False
    """Whether it had somebody notified."""


@value
class Activity:
    """Work on the deal (DEAL-6)."""

    id: UUID
    kind: str
    by: UUID | None
    on: date | None
    minutes: int | None
    cost: Money | None
    outcome: str | None
    automatic: bool = False
    contacts: tuple[UUID, ...] = ()
    """Who took part at the customer's."""
    members: tuple[UUID, ...] = ()
    """Who took part beside the one who did it."""
    content: ContentUsed | None = None
    """What was used of what is kept as content."""


@value
class DealContact:
    """Somebody at the customer's, their part in deciding, and how they stand to the deal (DEAL-5)."""

    contact_id: UUID
    role: str
    stance: str
    on: date | None
    """The day on which that was found out."""


@value
class BuyerStanding:
    """Where the buyer stands in their journey (PROC-7)."""

    stage: str
    on: date
    """The day on which that was found out."""
    evidence: str | None
    """What it rests on; None where nobody said, and once it is erased."""


@value
class DealNote:
    """What somebody noted about the deal."""

    id: UUID
    by: UUID | None
    on: date | None
    text: str | None
    """None once it is erased."""


@value
class AttachedFile:
    """A file of the deal, which is kept elsewhere."""

    id: UUID
    name: str
    reference: str
    """A link, or the id of a document."""
    sha256: str | None
    kind: str | None
    by: UUID | None
    on: date | None


@value
class HelpRequest:
    """Help that was asked of whoever leads the rep, and what came of it. Texts are None once they are erased."""

    id: UUID
    kind: str
    urgency: str
    question: str | None
    asked_by: UUID | None
    asked_on: date | None
    guidance: str | None = None
    guided_by: UUID | None = None
    guided_on: date | None = None
    outcome: str | None = None
    note: str | None = None
    concluded_on: date | None = None


@value
class Withdrawal:
    """An activity that was taken out of the record, and why."""

    activity_id: UUID
    reason: str | None


@value
class Visit:
    """A stage that the deal entered, and the day."""

    stage: str
    on: date | None
    automatic: bool = False
    """Whether it moved by itself."""


@value
class Change:
    """What was said about the deal on a day: `what` is amount, expected-close, category-by-rep, category-by-manager,
    next-step, owner, account, classification, lines, quote-accepted, quote-set-aside, won, lost, abandoned or
    reopened."""

    what: str
    on: date | None
    value: str


@value
class Waiver:
    """A criterion of a gate that need not be met up to a day (DEAL-4)."""

    gate: str
    criterion: str
    until: date


@value
class GateAttempts:
    """How often the deal did not pass a gate, and what was unmet the last time (DEAL-3)."""

    kind: str
    """stage, task or deliverable."""
    key: str
    count: int
    unmet: tuple[UnmetCriterion, ...]


@value
class AgreedQuote:
    """The quote that the customer agreed to (DEAL-8)."""

    id: UUID
    amount: Money
    """What the deal is worth by it."""
    lines: tuple[DealLine, ...]
    """The lines of the deal by it; empty where it does not fix them."""
    version: int | None = None
    positions: tuple[AgreedLine, ...] = ()
    """All of it, also what is no product."""


@value
class Opening:
    """What the deal began with; a repeated opening is compared with it."""

    name: str
    amount: Money
    expected_close: date | None
    owner: UUID | None
    team: UUID | None
    stage: str
    on: date | None
    process_id: UUID
    process_rule: str
    account_id: UUID | None
    account_name: str | None
    source: str | None
    industry: str | None
    lines: tuple[DealLine, ...]


@value
class NoDeal:
    """Nothing was opened under this id."""


@value
class Deal:
    """What is known of a deal, whatever its state."""

    id: UUID
    name: str
    amount: Money
    expected_close: date | None
    owner: UUID | None
    team: UUID | None
    stage: str
    stage_since: date | None
    probability: Exact
    category: str
    """The forecast category that counts: the manager's judgement, else the rep's, else the stage's (DEAL-10)."""
    category_of_stage: str
    category_by_rep: str | None = None
    category_by_manager: str | None = None
    account_id: UUID | None = None
    account_name: str | None = None
    lead_id: UUID | None = None
    source: str | None = None
    industry: str | None = None
    lines: tuple[DealLine, ...] = ()
    accepted_quote: AgreedQuote | None = None
    """None where none is, or it was set aside."""
    process_id: UUID
    process_version: int
    process_rule: str
    """The rule that chose the process (DEAL-1)."""
    segment: str | None = None
    """As it was chosen for at its opening."""
    customer: str | None = None
    """new, or returning: as it was at its opening; None where that was not asked."""
    opening_rules_version: int | None = None
    unknown_facts: tuple[str, ...] = ()
    """What rules that did not apply asked for at its opening, and nobody knew."""
    open_since: date | None
    """The day on which it was opened, or reopened last."""
    next_step: NextStep | None = None
    reminders: Reminders | None = None
    """Of the next step; None where nobody is reminded of it."""
    nodes: tuple[DealNode, ...] = ()
    flexible_nodes: tuple[AddedNode, ...] = ()
    """Those of the process that bind it."""
    removed_nodes: tuple[str, ...] = ()
    """The keys of those that were taken back last."""
    rules: tuple[PlannedRule, ...] = ()
    """What the stage still does by itself in this visit."""
    fired_rules: tuple[FiredRule, ...] = ()
    """What stages did by themselves."""
    brought_back: bool = False
    """Whether somebody had it go back to its stage, or reopened it there: then nobody but people move it on."""
    ready_on: date | None = None
    """Since when it is ready to leave its stage; None where it is not."""
    facts: dict[str, FactValue]
    """What was noted; criteria are judged by it."""
    activities: tuple[Activity, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    """The last of each criterion that was not taken back; one may have run out."""
    submissions: Submissions = ()
    """What was submitted for approval last at each gate, and what came of it (DEAL-2)."""
    approvals: tuple[UUID, ...] = ()
    """The approvals of all that was ever submitted: they are called as the deal is."""
    reminded_steps: tuple[UUID, ...] = ()
    """The next steps that anybody was ever reminded of, by what the deal was called then."""
    attempts: tuple[GateAttempts, ...] = ()
    """Attempts that were refused: those to enter a stage, since it came to where it stands; those at its work, of all
    that is not completed."""
    qualification: Qualification = Qualification()
    """What was found out about the customer's case, and whether an exit is proposed."""
    withdrawn: tuple[Withdrawal, ...] = ()
    contacts: tuple[DealContact, ...] = ()
    buyer: BuyerStanding | None = None
    """Where the buyer stands; None where nobody has found out."""
    notes: tuple[DealNote, ...] = ()
    files: tuple[AttachedFile, ...] = ()
    help: tuple[HelpRequest, ...] = ()
    """What was asked of whoever leads the rep; of these the last may be open."""
    trail: tuple[Visit, ...]
    """The stages that it entered, in order."""
    changes: tuple[Change, ...]
    """What else changed, in the order in which it was recorded; a repeated fact of history is found here."""
    opening: Opening
    written: bool = False
    """Whether there is anything that somebody wrote about it: an outcome, evidence, a next step, a reason, a note
    (DATA-4)."""
    texts_erased: bool = False
    """Whether that was erased, ever: what is corrected stands in no state, and goes with the first time."""
    assumptions: tuple[str, ...] = ()
    """What had to be assumed, like "list-price", "undated" or "order-of-day"."""


@value
class OpenDeal(Deal):
    """A deal on its way."""


@value
class WonDeal(Deal):
    """The customer agreed."""

    on: date
    unmet: tuple[UnmetCriterion, ...] = ()
    """What the exits behind its stage asked for, and it was won without."""


@value
class LostDeal(Deal):
    """The customer chose otherwise."""

    on: date
    reason: str
    competitor: str | None


@value
class AbandonedDeal(Deal):
    """We stopped, or nobody decided."""

    on: date
    reason: str


DECIDES = "economic-buyer"
"""The buying role of whoever decides; the others influence, use, examine or block."""

AnyDeal = OpenDeal | WonDeal | LostDeal | AbandonedDeal
ClosedDeal = WonDeal | LostDeal | AbandonedDeal

deal = Aggregate("deal", plural="deals", start=NoDeal, readers=READING)


Kind = TypeVar("Kind", bound=Deal)


@deal.assumes
def came_in_some_order(state: AnyDeal) -> AnyDeal:
    return replace(state, assumptions=(*state.assumptions, ORDER_OF_DAY))


def judged(state: Kind, **changes: Any) -> Kind:
    """The deal with other judgements, and with the category that counts then."""
    judged = replace(state, **changes)
    return replace(judged, category=judged.category_by_manager or judged.category_by_rep or judged.category_of_stage)


def become(kind: type[Kind], state: Deal, **changes: Any) -> Kind:
    """The deal in another state, with what changes on the way."""
    return kind(**(carried(state, Deal) | changes))


def written(state: Deal, text: str | None) -> bool:
    """Whether there is anything that somebody wrote about a deal, with one text more."""
    return state.written or bool(text)


def has_notified(state: Deal) -> bool:
    """Whether a rule of any stage so far had somebody notified: a move that history told has settled nothing."""
    return any(rule.notified for rule in state.fired_rules)


def is_of_visit(on: date | None, since: date | None) -> bool:
    """Whether what happened on a day belongs to the visit of a stage that began on another one; what is known by no day
    does."""
    return on is None or since is None or on >= since


def bound_by(state: Deal, definition: ProcessDefinition) -> list[tuple[AddedNode, FlexibleNode]]:
    """The flexible nodes that bind a deal, as they were added, and as its process has them."""
    known = {node.key: node for node in definition.flexible_nodes}
    return [(added, known[added.key]) for added in state.flexible_nodes if added.key in known]


def plain(said: Money | NextStep | date | str | None) -> str:
    """What was said, as a text that is the same whenever the same was said."""
    match said:
        case None:
            return ""
        case Money():
            return f"{said.amount.normalize():f} {said.currency}"
        case NextStep():
            return f"{said.on or ''} {said.what or ''}"
    return str(said)


def said(state: Deal, what: str, on: date | None, told: Money | NextStep | date | str | None) -> tuple[Change, ...]:
    """The changes of a deal, and one more."""
    return (*state.changes, Change(what=what, on=on, value=plain(told)))
