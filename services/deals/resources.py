"""What clients see of deals, and of what they follow and are measured by: each state's published fields
(`GET /v1/…/{id}`)."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from services.deals.domain.approvals import APPROVALS
from services.deals.domain.calendar_link import calendar_link
from services.deals.domain.choice import Customer
from services.deals.domain.content_item import ContentKind, content_item
from services.deals.domain.deal import deal
from services.deals.domain.deal.changes import Category
from services.deals.domain.deal.closing import AbandonReason, LossReason
from services.deals.domain.deal.contacts import Stance
from services.deals.domain.deal.notes import FileKind
from services.deals.domain.deal.submission import Status as SubmissionStatus
from services.deals.domain.deal.work import ActivityKind
from services.deals.domain.exchange_rate import exchange_rate
from services.deals.domain.journey import BuyerStage
from services.deals.domain.process import process
from services.deals.domain.process.state import PilotWarning
from services.deals.domain.process_migration import process_migration
from services.deals.domain.process_remark import RemarkKind, SaidBy, process_remark
from services.deals.domain.process_suggestion import process_suggestion
from services.deals.domain.product import product
from services.deals.domain.product_cost import product_cost
from services.deals.domain.quote import quote
from services.deals.domain.saved_view import SharedWith, Shown, saved_view
from services.deals.domain.stage_visit import stage_visit
from services.deals.domain.support_request import support_request
from services.deals.domain.target import Level, target
from shared.domain.fields import BuyingRole
from shared.domain.roles import Role
from shared.events.criteria import FactValue
from shared.events.deals.deal import ContentUsed, DealLine, UnmetCriterion
from shared.events.deals.exchange_rate import ExchangeRate
from shared.events.deals.process import PilotGoal, PilotPeople, Wave
from shared.events.deals.process_migration import StageMapping
from shared.events.deals.product import ProductPrice
from shared.events.deals.quote import QuoteDiscount, QuoteLine, QuoteLineTotals, QuoteRateTotals
from shared.events.deals.target import ReviewCycle, TargetKind, TargetSource
from shared.events.definition import Exact, value, words
from shared.events.money import Money
from shared.events.process import ProcessDefinition
from shared.http.resources import Resource
from shared.service.resources import approval_resource

# -- deals ------------------------------------------------------------------------------------------------------------


@value
class DealNextStep:
    """What is to happen next. Without a day, it says explicitly that nothing is planned."""

    on: date | None
    what: str | None


@value
class DealNode:
    """A task or deliverable of the deal; done once it has evidence."""

    key: str
    stage: str
    kind: Literal["task", "deliverable"]
    required: bool
    due: date | None
    evidence: str | None
    flexible_node: str | None
    """The flexible node that it belongs to, by its key."""
    by_rule: str | None
    """The rule of the stage by which it is due, where it is not so by entering the stage."""


@value
class DealFlexibleNode:
    """A flexible node of the process that binds the deal: its work is due, its criteria count at the gates."""

    key: str
    stage: str
    """The stage whose gate it binds: where it was added, or where a migration put it."""
    role: Literal["rep", "manager", "sales-director", "sales-operations", "admin", "service"]
    """The role by which it was added; service where a rule did."""
    on: date | None
    by_rule: str | None
    """The rule of the stage that added it."""


@value
class DealFiredRule:
    """What the process did by itself in a stage: made work due, asked for help, or notified somebody."""

    key: str
    name: str
    stage: str
    trigger: Literal["entry", "fact", "timer"]
    on: date | None


@value
class DealPlannedRule:
    """What the stage still does by itself in this visit."""

    key: str
    due: datetime | None
    """The instant from which its time has come; null: as soon as it applies."""


@value
class DealActivity:
    """Work on the deal."""

    id: UUID
    kind: ActivityKind
    by: UUID | None
    on: date | None
    minutes: int | None
    cost: Money | None
    outcome: str | None
    automatic: bool
    """Whether a system logged it, for no member."""
    contacts: tuple[UUID, ...]
    """Who took part at the customer's."""
    members: tuple[UUID, ...]
    """Who took part beside the one who did it."""
    content: ContentUsed | None
    """What was used of what is kept as content."""


@value
class DealContact:
    """Somebody at the customer's, their part in deciding, and how they stand to the deal."""

    contact_id: UUID
    role: BuyingRole
    stance: Stance
    on: date | None
    """The day on which that was found out."""


@value
class BuyerStanding:
    """Where the buyer stands in their journey."""

    stage: BuyerStage
    on: date
    """The day on which that was found out."""
    evidence: str | None
    """What it rests on; null where nobody said, and once it is erased."""


@value
class DealNote:
    """What somebody noted about the deal."""

    id: UUID
    by: UUID | None
    on: date | None
    text: str | None
    """Null once it is erased."""


@value
class AttachedFile:
    """A file of the deal, which is kept elsewhere."""

    id: UUID
    name: str
    reference: str
    """A link, or the id of a document."""
    sha256: str | None
    kind: FileKind | None
    by: UUID | None
    on: date | None


@value
class DealWaiver:
    """A criterion of a gate that need not be met up to a day."""

    gate: str
    """Like "exit of quotation" or "entry of task situation"."""
    criterion: str
    until: date


@value
class DealSubmission:
    """What was submitted for approval last at a gate, and what came of it."""

    gate: str
    """Like "exit of quotation" or "exit of task situation"."""
    status: SubmissionStatus
    """One that is over waited when history told that the deal left its stage, that the work was completed, or that the
    deal ended; its approval is taken back in a moment."""
    approval_id: UUID
    """What decides it, at `/v1/deal-approvals/{id}`."""
    on: date | None
    reason: str | None
    """Why it was returned or recalled; null once it is erased."""


@value
class EnteredStage:
    """A stage that the deal entered, and the day."""

    stage: str
    on: date | None
    automatic: bool
    """Whether it moved by itself."""


@value
class Deal:
    """What is published of a deal, whatever its state."""

    name: str
    amount: Money
    expected_close: date | None
    owner: UUID | None
    team: UUID | None
    stage: str
    """The key of a stage of the process."""
    stage_since: date | None
    probability: Exact
    """The probability of the stage, from 0 to 1."""
    category: Category
    """The forecast category that counts: the manager's judgement, else the rep's, else the stage's."""
    category_of_stage: Category
    category_by_rep: Category | None
    category_by_manager: Category | None
    account_id: UUID | None
    account_name: str | None
    """What the deal calls its customer; where it says nothing, what the account is called now, as in the list."""
    lead_id: UUID | None
    source: str | None
    industry: str | None
    lines: tuple[DealLine, ...]
    process_id: UUID
    process_version: int
    process_rule: str
    """The rule that chose the process: of the policy `opening-rules`, else default, named (by whoever opened it) or
    migrated."""
    segment: str | None
    """The segment that its customer was in when it was opened, by its key in that policy; null: in none."""
    customer: Customer | None
    """Whether its account had won a deal before, when it was opened; null where that was not asked, as of history."""
    opening_rules_version: int | None
    """The version of that policy by which segment and process were chosen; 0 is the default, null where it was not
    asked."""
    unknown_facts: tuple[str, ...]
    """What its segments and rules asked for before the one that decided, and nobody knew: these did not apply."""
    open_since: date | None
    """The day on which it was opened, or reopened last."""
    next_step: DealNextStep | None
    nodes: tuple[DealNode, ...]
    flexible_nodes: tuple[DealFlexibleNode, ...]
    rules: tuple[DealPlannedRule, ...]
    fired_rules: tuple[DealFiredRule, ...]
    ready_on: date | None
    """Since when it is ready to leave its stage: every exit criterion of the stage is met, every entry criterion of the
    next one, and the exit of each flexible node that binds it there, or waived. Null where it is not."""
    facts: dict[str, FactValue]
    """What was noted; criteria are judged by it."""
    activities: tuple[DealActivity, ...]
    contacts: tuple[DealContact, ...]
    """Who at the customer's has a part in deciding, and how they stand to it."""
    buyer: BuyerStanding | None
    """Where the buyer stands; null where nobody has found out."""
    notes: tuple[DealNote, ...]
    files: tuple[AttachedFile, ...]
    waivers: tuple[DealWaiver, ...]
    """The last of each criterion that was not taken back; one may have run out."""
    submissions: tuple[DealSubmission, ...]
    """The last one at each gate that needs an approval."""
    trail: tuple[EnteredStage, ...]
    """The stages that it entered, in order."""
    assumptions: tuple[str, ...]
    """What had to be assumed, like "list-price", "undated" or "order-of-day"."""


@value
class OpenDeal(Deal):
    """A deal on its way."""


@value
class WonDeal(Deal):
    """The customer agreed."""

    on: date
    unmet: tuple[UnmetCriterion, ...]
    """What the exits that lay behind its stage asked for, and it was won without: neither met nor waived."""


@value
class LostDeal(Deal):
    """The customer chose otherwise."""

    on: date
    reason: LossReason
    competitor: str | None


@value
class AbandonedDeal(Deal):
    """We stopped, or nobody decided."""

    on: date
    reason: AbandonReason


# -- what deals follow and are measured by ----------------------------------------------------------------------------


@value
class ProcessPilot:
    """Which new deals follow a version on trial, and what it is to reach."""

    goal: PilotGoal
    on: date
    """The day from which it runs."""
    until: date
    """The last day on which new deals follow it."""
    teams: tuple[UUID, ...]
    """Deals of these teams, with those below them; none: of every team."""
    industries: tuple[str, ...]
    """Deals of these industries; none: of every industry."""
    share: Exact
    """The share of these deals that follow it."""
    people: tuple[PilotPeople, ...] | None
    """The reps whose deals may follow it, by their experience, on the day it began; null: nobody looked."""
    warnings: tuple[PilotWarning, ...]
    """What speaks against learning much from it: "one-level", its people are all of one level of experience; "nobody",
    none of its teams has a rep."""
    outcome: Literal["adopted", "revised", "stopped"] | None
    """How it ended."""


@value
class ProcessVersion:
    """A version that deals follow, or followed. Its definition never changes."""

    number: int
    definition: ProcessDefinition
    published: bool
    """Whether it counts beyond its pilot."""
    waves: tuple[Wave, ...]
    """Whose deals follow it from when on, once it is published; none: all at once."""
    pilot: ProcessPilot | None


@value
class DraftProcess:
    """A process that no deal follows yet."""

    draft: ProcessDefinition


@value
class PilotedProcess:
    """A process of which nothing is published: its first version is on trial, or was."""

    versions: tuple[ProcessVersion, ...]
    """Version 1 first."""
    draft: ProcessDefinition | None
    """What the next version is to be."""


@value
class PublishedProcess:
    """A process of which at least one version was published, be it in waves that begin later."""

    versions: tuple[ProcessVersion, ...]
    """Version 1 first."""
    draft: ProcessDefinition | None
    """What the next version is to be."""


@value
class RetiredProcess:
    """A process that no new deal follows."""

    versions: tuple[ProcessVersion, ...]


@value
class ProcessMigration:
    """What is published of a migration, whatever its state."""

    process_id: UUID
    """The process that its deals follow, or followed."""
    process_versions: tuple[int, ...]
    to_process_id: UUID
    to_version: int
    stages: tuple[StageMapping, ...]
    teams: tuple[UUID, ...]
    """Deals of these teams, with those below them; none: of every team."""
    unmet: Literal["recorded", "refused"]
    """What happens to a deal that does not meet the entry of its new stage."""
    reason: str | None
    planned_on: date
    migrated: int
    """How many deals went over so far."""
    refused: int
    """How many stay as they were."""


@value
class PlannedProcessMigration(ProcessMigration):
    """No deal has gone over."""


@value
class RunningProcessMigration(ProcessMigration):
    """Deals go over."""


@value
class StoppedProcessMigration(ProcessMigration):
    """No further deal goes over until it is started again."""

    cause: Literal["asked", "target-gone"]


@value
class CompletedProcessMigration(ProcessMigration):
    """Every deal was looked at."""

    completed_on: date


@value
class ListedProduct:
    """A product that was listed."""

    code: str
    name: str
    family: str | None
    list_price: Money
    """Of one, in its main currency, for as long as no price from a day on has begun in that."""
    active: bool
    """Whether it can be put on deals."""
    prices: tuple[ProductPrice, ...]
    """From a day on; by currency, the earliest first."""


@value
class StatedProductCost:
    """What one of a product costs the company now."""

    product_id: UUID
    cost: Money | None
    """Null: nobody says any more."""


@value
class OpenTarget:
    """What is to be reached in a period."""

    period: str
    """A fiscal year, a quarter of one, or a month: 2026, 2026-Q4 or 2026-11."""
    kind: TargetKind
    level: Level
    amount: Money | None
    """Of what is an amount of money."""
    number: Exact | None
    """Of what is counted, or a share: 0.40 is 40 %."""
    team: UUID | None
    owner: UUID | None
    """The member whose target it is, on the level rep."""
    responsible: UUID | None
    """Who answers for it."""
    source: TargetSource | None
    """Where the figure is taken from."""
    review: ReviewCycle | None
    """How often people look at it."""


@value
class PublishedExchangeRate:
    """What one unit of the base was worth on a day."""

    base: str
    on: date
    rates: tuple[ExchangeRate, ...]
    """Sorted by currency."""


# -- help of other departments ----------------------------------------------------------------------------------------


@value
class SupportRequest:
    """What is published of a support request, whatever its state."""

    deal_id: UUID
    deal_name: str
    account_id: UUID | None
    process_id: UUID
    process_version: int
    stage: str
    """The stage that the help is for."""
    type: str | None
    """The support type of the process, by its key; none where no type names what is asked."""
    name: str | None
    """What the type is called."""
    department: str
    """The role whose people are asked."""
    days: int
    """The working days within which it is promised."""
    what: str
    needed_by: date | None
    asked_by: UUID | None
    asked_on: date
    """The day on which it was asked, or asked again last."""
    due: date
    days_late: int
    """The working days for which it was overdue before it was returned, or ended; the list adds those until today."""
    responsible: UUID | None
    """The member of the department who takes care of it."""
    owner: UUID | None
    """Whose deal it is."""
    team: UUID | None


@value
class AskedSupportRequest(SupportRequest):
    """The department is asked, and nobody there has accepted."""


@value
class AcceptedSupportRequest(SupportRequest):
    """Somebody of the department takes care of it."""


@value
class ReturnedSupportRequest(SupportRequest):
    """The asker has to say more, or to withdraw it."""

    reason: str
    returned_on: date


@value
class DeliveredSupportRequest(SupportRequest):
    """The help is there."""

    reference: str
    """Where it is."""
    delivered_on: date


@value
class WithdrawnSupportRequest(SupportRequest):
    """Nobody needs it any more."""

    cause: Literal["asker", "deal-won", "deal-lost", "deal-abandoned"]
    withdrawn_on: date


# -- quotes -----------------------------------------------------------------------------------------------------------


@value
class QuoteAmounts:
    """What a version of a quote comes to. Lines, rates and the whole add up to the minor unit."""

    currency: str
    gross: Exact
    discount: Exact
    net: Exact
    tax: Exact
    total: Exact
    """What the customer pays: net with tax."""
    lines: tuple[QuoteLineTotals, ...]
    """In the order of the positions."""
    rates: tuple[QuoteRateTotals, ...]
    """By rising rate."""
    discount_percent: Exact
    """How far net lies below the list prices, rounded up to two decimals."""


@value
class EndedQuoteVersion:
    """A version of a quote that a further one took the place of."""

    quote_version: int
    ended_as: Literal["approved", "sent", "declined", "expired", "set-aside"]
    drafted_on: date
    """The day on which it was begun."""
    lines: tuple[QuoteLine, ...]
    discount: QuoteDiscount | None
    totals: QuoteAmounts
    valid_until: date | None


@value
class DeliveryAssessment:
    """What product said of the delivery of a version."""

    difficulty: int
    """From 1, as every day, to 5, never done."""
    duration_days: int
    """In working days from the order on."""
    reservations: tuple[str, ...]
    """What has to be so for that to hold; none once they are erased."""
    assessed_by: UUID | None
    on: date


@value
class Quote:
    """What is published of a quote, whatever the state of its present version."""

    deal_id: UUID
    deal_name: str
    account_id: UUID | None
    process_id: UUID
    quote_version: int
    """Which version it is, counted from 1."""
    currency: str
    lines: tuple[QuoteLine, ...]
    discount: QuoteDiscount | None
    """What is taken off all positions together, beside the discounts of each."""
    totals: QuoteAmounts
    valid_until: date | None
    """The last day on which it can be accepted; null: it follows from the day on which it is sent."""
    assessment: DeliveryAssessment | None
    drafted_on: date
    """The day on which the present version was begun."""
    versions: tuple[EndedQuoteVersion, ...]
    """Those before the present one."""
    owner: UUID | None
    """Whose deal it is."""
    team: UUID | None


@value
class DraftedQuote(Quote):
    """Its present version is being written."""

    returned_over: Literal["price", "delivery"] | None
    returned_for: str | None
    """What is to be reworked; empty once it is erased."""


@value
class SubmittedQuote(Quote):
    """It stands until its price is approved and, where that is needed, its delivery is assessed."""

    approval_id: UUID
    """What decides its price, at `/v1/deal-approvals/{id}`."""
    submitter: str
    submitted_on: date
    is_price_approved: bool
    needs_assessment: bool


@value
class ApprovedQuote(Quote):
    """It may be sent."""

    approved_on: date


@value
class SentQuote(Quote):
    """The customer has it."""

    sent_on: date
    contact_id: UUID | None
    channel: str
    expires_at: datetime
    """The first instant (UTC) at which it cannot be accepted."""
    opened_on: date | None


@value
class AcceptedQuote(Quote):
    """The customer agreed to it: it fixes the amount of the deal."""

    accepted_on: date
    evidence: str
    """What that rests on; empty once it is erased."""


@value
class DeclinedQuote(Quote):
    """The customer did not agree to it."""

    declined_on: date
    reason: str


@value
class ExpiredQuote(Quote):
    """Nobody agreed to it in time."""


@value
class WithdrawnQuote(Quote):
    """It is not offered any more."""

    cause: Literal["asked", "deal-won", "deal-lost", "deal-abandoned"]
    withdrawn_on: date


@value
class SetAsideQuote(Quote):
    """The customer had agreed to it, and it does not count any more."""

    set_aside_on: date
    reason: str


# -- what people say of processes -------------------------------------------------------------------------------------


@value
class NotedProcessRemark:
    """What hinders somebody in a step of a process."""

    process_id: UUID
    process_version: int
    stage: str
    task: str | None
    """A task or deliverable of the stage; none: the stage as a whole."""
    deal_id: UUID | None
    """The deal on which it showed."""
    said_by: SaidBy
    kind: RemarkKind
    severity: int
    """From 1, a nuisance, to 3, it costs deals."""
    text: str
    on: date
    owner: UUID | None
    """The member who noted it."""
    team: UUID | None


@value
class ProcessSuggestion:
    """What is published of a suggestion, whatever its state."""

    process_id: UUID
    process_version: int
    """The version that it is about."""
    stage: str | None
    """None: the process as a whole."""
    task: str | None
    name: str
    text: str
    remark_id: UUID | None
    """The remark that it came from."""
    remark_by: UUID | None
    """The member who had noted that."""
    suggested_on: date
    owner: UUID | None
    """Its author."""
    team: UUID | None
    reason: str | None
    """Why it was accepted or declined."""


@value
class ProposedProcessSuggestion(ProcessSuggestion):
    """Sales operations has not decided about it."""


@value
class AcceptedProcessSuggestion(ProcessSuggestion):
    """A further version is to have it."""

    accepted_on: date


@value
class DeclinedProcessSuggestion(ProcessSuggestion):
    """The process stays as it is."""

    declined_on: date


@value
class AdoptedProcessSuggestion(ProcessSuggestion):
    """A version has it."""

    adopted_by: int
    """That version of the process."""
    adopted_on: date


# -- calendar links ---------------------------------------------------------------------------------------------------


@value
class CalendarLink:
    """What is published of a calendar link, whatever its state: never its secret."""

    member_id: UUID
    """Whose agenda it shows."""
    generation: int
    """Which address of theirs it is: 1, 2, 3 …"""


@value
class ActiveCalendarLink(CalendarLink):
    """It shows the agenda."""


@value
class RevokedCalendarLink(CalendarLink):
    """It shows nothing any more."""


# -- saved views ------------------------------------------------------------------------------------------------------


@value
class KeptSavedView:
    """A list or a board that somebody keeps."""

    name: str
    shows: Shown
    """board, or the name of a list."""
    query: str
    """What stands behind the question mark of its address."""
    shared_with: SharedWith
    saved_by: UUID
    """The member who keeps it."""
    owner: UUID | None
    """The same, as long as it is theirs alone."""
    team: UUID | None
    """Of what is shared with a team, that team."""


@value
class WithdrawnSavedView:
    """It is kept no longer."""

    owner: UUID | None
    team: UUID | None


# -- content ----------------------------------------------------------------------------------------------------------


@value
class ContentItem:
    """What is published of a piece of content, used or retired."""

    key: str
    """By what processes name it as a template."""
    kind: ContentKind
    title: str
    reference: str
    """Where it is: a link, or the id of a document."""
    buyer_stages: tuple[str, ...]
    """The stages of the buyer that it is for; none: all of them."""
    touchpoint: str | None
    """Where the buyer meets it."""
    industries: tuple[str, ...]
    """The industries that it is for; none: all of them."""
    language: str | None
    """The tag of its language (BCP 47); null: it is for every language."""
    content_version: int
    """Which version it is, counted from 1."""


@value
class ActiveContentItem(ContentItem):
    """It can be used on deals."""


@value
class RetiredContentItem(ContentItem):
    """It is used no more."""


# -- leads and contracts in stages ------------------------------------------------------------------------------------


@value
class VisitNode:
    """A task or deliverable of the stage: due, done, or both."""

    key: str
    kind: Literal["task", "deliverable"]
    required: bool
    due: date | None
    """Null where it was done before anything called for it."""
    by_rule: str | None
    """The rule that called for it, by its key."""
    done_on: date | None
    done_by: UUID | None
    evidence: str | None
    """What was written when it was done; empty once that is erased."""


@value
class FiredVisitRule:
    """A rule of the stage that fired."""

    key: str
    name: str
    trigger: Literal["entry", "timer"]
    on: date
    notified: bool
    """Whether it names whom to notify; a lead may have nobody whom that would be."""


@value
class PlannedVisitRule:
    """A timer of the stage whose time has not come."""

    key: str
    due: datetime | None
    """The instant (UTC) from which it has."""


@value
class StageVisit:
    """What is published of a stage visit, whatever its state."""

    subject: Literal["lead", "contract"]
    begins: Literal["captured", "assigned", "worked-on", "signed", "in-force"]
    """The fact by which the stage was entered."""
    lead_id: UUID | None
    contract_id: UUID | None
    deal_id: UUID | None
    """Of a contract, its deal."""
    name: str
    """Of a lead what its company is called, else its domain, else where the interest came from; empty where that was
    not told. Of a contract what its deal is called."""
    account_id: UUID | None
    process_id: UUID
    process_version: int
    stage: str
    roles: tuple[Annotated[str, words(Role)], ...]
    """Who does its work, beside whoever has the lead or the deal, and who answers for them."""
    begun_on: date
    nodes: tuple[VisitNode, ...]
    rules: tuple[PlannedVisitRule, ...]
    fired_rules: tuple[FiredVisitRule, ...]
    owner: UUID | None
    team: UUID | None


@value
class OpenStageVisit(StageVisit):
    """The lead or the contract stands in the stage."""


@value
class EndedStageVisit(StageVisit):
    """It stands there no more."""

    cause: Literal[
        "done", "next-stage", "converted", "disqualified", "duplicate", "erased", "deal-lost", "deal-abandoned"
    ]
    ended_on: date


RESOURCES = (
    approval_resource(APPROVALS),
    Resource(deal, OpenDeal, WonDeal, LostDeal, AbandonedDeal),
    Resource(process, DraftProcess, PilotedProcess, PublishedProcess, RetiredProcess),
    Resource(
        process_migration,
        PlannedProcessMigration,
        RunningProcessMigration,
        StoppedProcessMigration,
        CompletedProcessMigration,
    ),
    Resource(product, ListedProduct),
    Resource(product_cost, StatedProductCost),
    Resource(target, OpenTarget),
    Resource(exchange_rate, PublishedExchangeRate),
    Resource(
        support_request,
        AskedSupportRequest,
        AcceptedSupportRequest,
        ReturnedSupportRequest,
        DeliveredSupportRequest,
        WithdrawnSupportRequest,
    ),
    Resource(
        quote,
        DraftedQuote,
        SubmittedQuote,
        ApprovedQuote,
        SentQuote,
        AcceptedQuote,
        DeclinedQuote,
        ExpiredQuote,
        WithdrawnQuote,
        SetAsideQuote,
    ),
    Resource(process_remark, NotedProcessRemark),
    Resource(
        process_suggestion,
        ProposedProcessSuggestion,
        AcceptedProcessSuggestion,
        DeclinedProcessSuggestion,
        AdoptedProcessSuggestion,
    ),
    Resource(calendar_link, ActiveCalendarLink, RevokedCalendarLink),
    Resource(content_item, ActiveContentItem, RetiredContentItem),
    Resource(saved_view, KeptSavedView, WithdrawnSavedView),
    Resource(stage_visit, OpenStageVisit, EndedStageVisit),
)
