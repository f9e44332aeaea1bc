"""Events of a deal: a sale from its first stage to its outcome."""

from datetime import date, datetime
from uuid import UUID

from shared.events.chronology import Rank
from shared.events.definition import AsKnown, Exact, FreeText, event, value
from shared.events.money import Money
from shared.events.reminders import PlannedReminder


@value
class DealLine:
    """One product on a deal."""

    product_id: UUID
    quantity: Exact
    price: Money
    """The price of one."""


@value
class AgreedLine:
    """One position of a quote that the customer agreed to, net of all discounts."""

    position: int
    """From 1, in the order of the quote."""
    product_id: UUID | None = None
    """None: it is made for this customer; what it is called is a text, and not published."""
    unit: str
    quantity: Exact
    price: Money
    """What is left of the price of one, rounded to the minor unit."""
    amount: Money
    """What the position comes to; those of all positions add up to the amount of the quote."""


@value
class DealQuote:
    """The quote of a deal that the customer agreed to."""

    quote_id: UUID
    quote_version: int | None = None
    """None in events from before this field."""
    positions: tuple[AgreedLine, ...] = ()
    """All of it, also what is no product; none in events from before this field."""


@value
class DueNode:
    """A task or deliverable that became due work when a stage was entered."""

    key: str
    kind: str
    """task or deliverable."""
    required: bool
    due: date
    proposal: bool = False
    """Whether the process calls it a proposal."""


@value
class PlannedRule:
    """What the process does by itself while the deal stands in a stage, by the key of the rule."""

    key: str
    due: datetime | None = None
    """The instant (UTC) from which its time has come; none: as soon as it applies."""


@value
class WaivedCriterion:
    """A criterion of a gate that was not met, and passed by a waiver."""

    gate: str
    criterion: str


@value
class UnmetCriterion:
    """A criterion of a gate that was not met."""

    gate: str
    """Like "exit of quotation" or "entry of task situation"."""
    criterion: str


@event("deals.deal-opened", aggregate="deal", rank=Rank.OPENING)
class DealOpened:
    """A deal began, in the first stage of its process or, for imported history, further on (DEAL-1)."""

    deal_id: UUID
    name: str
    amount: Money
    expected_close: date | None
    owner: UUID | None
    team: UUID | None
    process_id: UUID
    process_name: str
    process_version: int
    process_rule: str
    """The rule that chose the process."""
    stage: str
    probability: Exact
    category: str
    account_id: UUID | None = None
    account_name: str | None = None
    lead_id: UUID | None = None
    captured_at: datetime | None = None
    """When the lead was captured that the deal came from."""
    source: str | None = None
    industry: str | None = None
    lines: tuple[DealLine, ...] = ()
    idle_days: int = 3
    """The process's days of silence before the deal counts as stalled."""
    nodes: tuple[DueNode, ...] = ()
    rules: tuple[PlannedRule, ...] = ()
    """What the stage does by itself; nothing where history tells it."""
    on: date | None = None
    """The company's day on which it was opened."""
    assumptions: tuple[str, ...] = ()
    """What an import had to assume, like "list-price" or "undated"."""
    segment: str | None = None
    """The segment that its customer was in, by its key in the policy opening-rules; None: in none."""
    customer: str | None = None
    """new, or returning: whether its account had won a deal before. None: not asked, as of history."""
    opening_rules_version: int | None = None
    """The version of the policy opening-rules by which segment and process were chosen; 0 is the default. None: it was
    not asked, as of history."""
    unknown_facts: tuple[str, ...] = ()
    """What segments and rules before the one that decided asked for and nobody knew, like "amount" where no exchange
    rate says what it is worth: they did not apply."""


@event("deals.deal-moved", aggregate="deal", rank=Rank.MOVE, leads_to="stage")
class DealMoved:
    """A deal entered another stage (DEAL-3)."""

    deal_id: UUID
    before: AsKnown[str]
    stage: str
    direction: str
    """forward, back or skip (forward over at least one stage); as known when this was recorded."""
    skipped: AsKnown[tuple[str, ...]]
    probability: Exact
    probability_before: AsKnown[Exact]
    category: AsKnown[str]
    category_of_stage: str = ""
    """What the stage entered says, before anybody judges; empty in events from before this field."""
    amount: AsKnown[Money]
    nodes: tuple[DueNode, ...] = ()
    idle_days: int = 3
    drafts_contract: bool = False
    """Whether the stage entered is where the contract is drafted (CON-1)."""
    waived: tuple[WaivedCriterion, ...] = ()
    """What it passed the gates without (DEAL-4)."""
    lines: AsKnown[tuple[DealLine, ...]] = ()
    """What the contract is about, where it is drafted here; else nothing."""
    quote: AsKnown[DealQuote | None] = None
    """The quote that the contract comes of, where it is drafted here and one is accepted."""
    refused_before: int = 0
    """How many attempts to enter the stage were refused since it came to the stage before; 0: the first one passed."""
    rules: tuple[PlannedRule, ...] = ()
    """What the stage entered does by itself; nothing where history tells it."""
    automatic: bool = False
    """Whether it moved by itself, as it was ready (PROC-1)."""
    ends_notices: bool = False
    """Whether a rule of a stage before had somebody notified, which nobody has to know any more."""
    ends_what_waits: bool = False
    """Whether it was imported while an approval, or help, was still waited for: what it ends is withdrawn next."""
    name: str = ""
    account_id: UUID | None = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
    reason: FreeText[str | None] = None
    on: date | None = None
    """The company's day on which it entered the stage."""


@event("deals.deal-node-completed", aggregate="deal", rank=Rank.NODE)
class DealNodeCompleted:
    """A task or deliverable of a stage is done, with the evidence that its standard asks for (DEAL-2)."""

    deal_id: UUID
    stage: str
    key: str
    kind: str
    required: bool
    evidence: FreeText[str] = ""
    due: date | None = None
    waived: tuple[WaivedCriterion, ...] = ()
    """What it was done without (DEAL-4)."""
    refused_before: int = 0
    """How many attempts to complete it were refused; 0: the first one passed."""
    ends_what_waits: bool = False
    """Whether it was imported while an approval, or help, was still waited for: what it ends is withdrawn next."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-facts-noted", aggregate="deal", rank=Rank.CHANGE)
class DealFactsNoted:
    """Typed facts that criteria are judged by, like {"pains": 2, "budget": "500000"}; decimals are strings."""

    deal_id: UUID
    facts: dict[str, str | int | bool | None]
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-amount-changed", aggregate="deal", rank=Rank.CHANGE)
class DealAmountChanged:
    """The deal is worth another amount."""

    deal_id: UUID
    before: AsKnown[Money]
    amount: Money
    on: date | None = None
    """The company's day of the change."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-close-date-changed", aggregate="deal", rank=Rank.CHANGE)
class DealCloseDateChanged:
    """The deal is expected to close on another day."""

    deal_id: UUID
    before: AsKnown[date | None]
    expected_close: date | None
    on: date | None = None
    """The company's day of the change."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-category-changed", aggregate="deal", rank=Rank.CHANGE)
class DealCategoryChanged:
    """The rep's judgement, or the manager's override of it (DEAL-10)."""

    deal_id: UUID
    before: AsKnown[str]
    category: str
    """omitted, pipeline, best-case or commit."""
    judged_by: str
    """rep or manager."""
    reason: FreeText[str | None] = None
    on: date | None = None
    """The company's day of the judgement."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@value
class ContentUsed:
    """A piece of content that was sent, opened by the customer, or attended by them."""

    content_id: UUID
    content_version: int
    """Which version of it that was."""
    use: str
    """sent, opened or attended."""


@event("deals.deal-activity-logged", aggregate="deal", rank=Rank.ACTIVITY)
class DealActivityLogged:
    """Somebody worked on the deal (DEAL-6)."""

    deal_id: UUID
    activity_id: UUID
    kind: str
    by: UUID | None = None
    on: date | None = None
    minutes: int | None = None
    cost: Money | None = None
    outcome: FreeText[str | None] = None
    automatic: bool = False
    contacts: tuple[UUID, ...] = ()
    """Who took part at the customer's."""
    members: tuple[UUID, ...] = ()
    """Who took part beside the one who did it."""
    content: ContentUsed | None = None
    """What was used of what is kept as content."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-next-step-planned", aggregate="deal", rank=Rank.CHANGE)
class DealNextStepPlanned:
    """What is to happen next, and when; None says explicitly that nothing is planned."""

    deal_id: UUID
    on: date | None
    what: FreeText[str | None] = None
    planned_on: date | None = None
    """The company's day on which it was planned."""
    silence_until: date | None = None
    """To the end of this day the step keeps the deal from counting as silent: its own day, or as far ahead as the
    policy next-steps allows."""
    silence_version: int | None = None
    """The version of the policy next-steps that says so, and when whom is reminded; 0 is the default."""
    step_id: UUID | None = None
    """By what its reminders are known; none where nobody is reminded."""
    reminders: tuple[PlannedReminder, ...] = ()
    """When whom is reminded; nothing of what lies in the past, and nothing where history tells it."""
    reminded_step: AsKnown[UUID | None] = None
    """The next step that somebody was reminded of, and need not know of any longer."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-renamed", aggregate="deal", rank=Rank.CHANGE)
class DealRenamed:
    """The deal is called otherwise, also once it is closed. What it was called before is not told: it may name somebody
    who is to be forgotten (DATA-4)."""

    deal_id: UUID
    name: str
    reminded_steps: tuple[UUID, ...] = ()
    """The next steps that anybody was ever reminded of: what they were told is called otherwise, too."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-handed-over", aggregate="deal", rank=Rank.CHANGE)
class DealHandedOver:
    """The deal belongs to another person or team."""

    deal_id: UUID
    owner_before: AsKnown[UUID | None]
    team_before: AsKnown[UUID | None]
    owner: UUID | None
    team: UUID | None
    reason: FreeText[str | None] = None
    on: date | None = None
    """The company's day of it."""
    account_id: AsKnown[UUID | None] = None
    reminded_step: AsKnown[UUID | None] = None
    """The next step that somebody was reminded of, and need not know of any longer where they do not carry it on."""


@event("deals.deal-won", aggregate="deal", rank=Rank.END)
class DealWon:
    """The customer agreed (DEAL-9)."""

    deal_id: UUID
    on: date
    amount: AsKnown[Money]
    stage: AsKnown[str]
    name: str
    account_id: UUID | None = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
    lines: tuple[DealLine, ...] = ()
    quote: AsKnown[DealQuote | None] = None
    """The quote that is accepted."""
    winning_version: int | None = None
    """The version of the policy winning by which it could be won; 0 is the default, None where history tells of it."""
    unmet: tuple[UnmetCriterion, ...] = ()
    """What the exits that lay behind its stage asked for, and it was won without: neither met nor waived. Nothing where
    history tells of it."""
    ends_notices: bool = False
    """Whether somebody was told of the deal by a rule of a stage, or of help that is asked for, or was reminded of its
    next step, and need not know any more."""
    reminded_step: AsKnown[UUID | None] = None
    """The next step that somebody was reminded of."""
    ends_what_waits: bool = False
    """Whether it was imported while an approval, or help, was still waited for: what it ends is withdrawn next."""


@event("deals.deal-lost", aggregate="deal", rank=Rank.END)
class DealLost:
    """The customer chose otherwise (DEAL-9)."""

    deal_id: UUID
    on: date
    amount: AsKnown[Money]
    stage: AsKnown[str]
    reason: str
    competitor: str | None = None
    ends_notices: bool = False
    """Whether somebody was told of the deal by a rule of a stage, or of help that is asked for, or was reminded of its
    next step, and need not know any more."""
    reminded_step: AsKnown[UUID | None] = None
    """The next step that somebody was reminded of."""
    ends_what_waits: bool = False
    """Whether it was imported while an approval, or help, was still waited for: what it ends is withdrawn next."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-abandoned", aggregate="deal", rank=Rank.END)
class DealAbandoned:
    """We stopped, or nobody decided (DEAL-9)."""

    deal_id: UUID
    on: date
    amount: AsKnown[Money]
    stage: AsKnown[str]
    reason: str
    ends_notices: bool = False
    """Whether somebody was told of the deal by a rule of a stage, or of help that is asked for, or was reminded of its
    next step, and need not know any more."""
    reminded_step: AsKnown[UUID | None] = None
    """The next step that somebody was reminded of."""
    ends_what_waits: bool = False
    """Whether it was imported while an approval, or help, was still waited for: what it ends is withdrawn next."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-reopened", aggregate="deal", rank=Rank.REOPENING)
class DealReopened:
    """A closed deal is open again, in the stage where it closed (DEAL-9)."""

    deal_id: UUID
    outcome_before: str
    """won, lost or abandoned; as known when this was recorded."""
    reason: FreeText[str] = ""
    stage: AsKnown[str]
    probability: AsKnown[Exact]
    category: AsKnown[str]
    amount: AsKnown[Money]
    expected_close: AsKnown[date | None] = None
    on: date | None = None
    """The company's day on which it was reopened."""
    reminders: tuple[PlannedReminder, ...] = ()
    """Which reminders of the next step lie ahead; nobody is reminded of what passed while the deal was closed."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-texts-erased", aggregate="deal", erases="deal_id", rank=Rank.CHANGE)
class DealTextsErased:
    """What people wrote about the deal until then is gone: outcomes, evidence, next steps, reasons (DATA-4)."""

    deal_id: UUID
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-fact-retracted", aggregate="deal", rank=Rank.CHANGE, retracts=True)
class DealFactRetracted:
    """What a request told of a deal is taken back; what had been corrected by it counts again (DATA-5)."""

    deal_id: UUID
    request: UUID
    """The causation id of the events that count no longer."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
