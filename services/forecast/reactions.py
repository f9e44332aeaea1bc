"""What other services' events bring about here: whoever has to know is told, until it waits for nobody (REC-5)."""

from collections.abc import Iterable, Sequence
from typing import Any, Union
from uuid import UUID

from services.forecast.domain.address import StopSendingNotices, address_of, notice_address
from services.forecast.domain.notice import (
    APPROVAL_GRANTED,
    APPROVAL_RETURNED,
    APPROVAL_WAITING,
    ASSESSMENT_WAITING,
    FOLLOW_UP_DUE,
    HELP_ASKED,
    INVOICE_OVERDUE,
    MEASURE_OVERDUE,
    NEXT_STEP_DUE,
    REVIEW_MISSED,
    STAGE_RULE,
    SUPPORT_REQUEST_OVERDUE,
    NoticeKind,
    NoticeThing,
)
from services.forecast.domain.occasion import RaiseNotices, RenameNotices, SettleNotices, occasion, occasion_of
from services.forecast.domain.review import OpenReview, review, review_of
from shared.domain.history import stated
from shared.domain.roles import Role
from shared.domain.working_time.reminders import Holder
from shared.events.approvals import APPROVING, Slot, approval_events
from shared.events.deals.deal import (
    DealAbandoned,
    DealHandedOver,
    DealLost,
    DealMoved,
    DealNextStepPlanned,
    DealRenamed,
    DealWon,
)
from shared.events.deals.deal_automation import DealRuleFired
from shared.events.deals.deal_help import DealGuidanceGiven, DealHelpAsked, DealHelpConcluded
from shared.events.deals.deal_migration import DealMigrated
from shared.events.deals.deal_reminder import DealNextStepReminded
from shared.events.deals.quote import (
    QuoteDealChanged,
    QuoteDeliveryAssessed,
    QuoteRecalled,
    QuoteReturned,
    QuoteSubmitted,
    QuoteWithdrawn,
)
from shared.events.deals.stage_visit import StageVisitEnded, StageVisitRuleFired
from shared.events.deals.support_request import (
    SupportDelivered,
    SupportRequestOverdue,
    SupportRequestReturned,
    SupportRequestWithdrawn,
)
from shared.events.envelope import Envelope
from shared.events.forecast.measure import MeasureChanged, MeasureDone, MeasureDropped, MeasureOverdue
from shared.events.forecast.review import HealthReportSealed, ReviewHeld, ReviewMissed
from shared.events.leads.account import (
    AccountChanged,
    AccountFollowUpPlanned,
    AccountFollowUpReminded,
    AccountHandedOver,
)
from shared.events.leads.lead import (
    LeadAssigned,
    LeadConverted,
    LeadDisqualified,
    LeadErased,
    LeadFollowUpPlanned,
    LeadFollowUpReminded,
    LeadMarkedDuplicate,
)
from shared.events.leads.member import MemberLeft
from shared.events.receivables.ledger import InvoiceOverdue, ReceiptAllocated
from shared.events.reminders import AGAIN, MANAGER, OWNER
from shared.reactions.registry import Do, Reactions

reactions = Reactions("forecast")

KEYED_BY_DEAL: tuple[NoticeKind, ...] = (STAGE_RULE, HELP_ASKED)
"""The kinds of which the deal itself is the occasion, as long as it is open; a due step is one of its own."""


@reactions.on
def tell_of_overdue_invoice(event: InvoiceOverdue, fact: Envelope[InvoiceOverdue]) -> Iterable[Do]:
    """REC-5: an invoice is overdue: whose deal it is, whoever leads them, and finance are told."""
    yield Do(
        aggregate=occasion,
        aggregate_id=occasion_of(INVOICE_OVERDUE, event.invoice_id),
        command=RaiseNotices(
            kind=INVOICE_OVERDUE,
            occasion=event.invoice_id,
            about="invoice",
            about_id=event.invoice_id,
            cause=fact.id,
            account_id=event.account_id,
            amount=event.open,
            due=event.due,
            reference=event.invoice_number,
            owner=event.owner,
            team=event.team,
            roles=(Role.FINANCE,),
        ),
    )


@reactions.on
def open_what_follows_a_report(event: HealthReportSealed, fact: Envelope[HealthReportSealed]) -> Iterable[Do]:
    """PROC-6: a sealed report opens the next one and the talks about its period."""
    for each in event.opens:
        yield Do(
            aggregate=review,
            aggregate_id=review_of(each.kind, each.period),
            command=OpenReview(kind=each.kind, period=each.period),
        )


@reactions.on
def tell_of_missed_review(event: ReviewMissed, fact: Envelope[ReviewMissed]) -> Iterable[Do]:
    """PROC-6: that a talk was missed is told to sales operations and to directors of sales."""
    yield Do(
        aggregate=occasion,
        aggregate_id=occasion_of(REVIEW_MISSED, event.review_id),
        command=RaiseNotices(
            kind=REVIEW_MISSED,
            occasion=event.review_id,
            about="review",
            about_id=event.review_id,
            cause=fact.id,
            due=event.due,
            reference=f"{event.kind} {event.period}",
            roles=(Role.SALES_OPERATIONS, Role.SALES_DIRECTOR),
        ),
    )


@reactions.on(when="was_missed")
def settle_held_review(event: ReviewHeld, fact: Envelope[ReviewHeld]) -> Iterable[Do]:
    """PROC-6: nobody need know any longer of a talk that was held after all."""
    yield _settled(REVIEW_MISSED, event.review_id, fact)


@reactions.on
def tell_of_overdue_measure(event: MeasureOverdue, fact: Envelope[MeasureOverdue]) -> Iterable[Do]:
    """PROC-6: whoever is responsible for a measure is told that it was not done up to its day."""
    yield Do(
        aggregate=occasion,
        aggregate_id=occasion_of(MEASURE_OVERDUE, event.measure_id),
        command=RaiseNotices(
            kind=MEASURE_OVERDUE,
            occasion=event.measure_id,
            about="measure",
            about_id=event.measure_id,
            cause=fact.id,
            due=event.due,
            members=(event.responsible,),
        ),
    )


@reactions.on(when="was_overdue")
def settle_measure(
    event: MeasureChanged | MeasureDone | MeasureDropped,
    fact: Envelope[MeasureChanged | MeasureDone | MeasureDropped],
) -> Iterable[Do]:
    """PROC-6: nobody need know any longer of a measure that is done, dropped, or due anew."""
    yield _settled(MEASURE_OVERDUE, event.measure_id, fact)


@reactions.on(imported=True)
def settle_paid_invoice(event: ReceiptAllocated, fact: Envelope[ReceiptAllocated]) -> Iterable[Do]:
    """REC-5: nobody need know any longer of an invoice that is paid, whoever told of the money."""
    if event.open_after.amount == 0:
        yield _settled(INVOICE_OVERDUE, event.invoice_id, fact)


@reactions.on
def tell_of_overdue_support(event: SupportRequestOverdue, fact: Envelope[SupportRequestOverdue]) -> Iterable[Do]:
    """DEAL-12: help of another department is overdue: whoever asked for it and whoever leads them are told, and of the
    department who takes care of it and leads them, or as long as nobody does, who leads the people there."""
    responsible = (event.responsible,) if event.responsible else ()
    yield Do(
        aggregate=occasion,
        aggregate_id=occasion_of(SUPPORT_REQUEST_OVERDUE, event.support_request_id),
        command=RaiseNotices(
            kind=SUPPORT_REQUEST_OVERDUE,
            occasion=event.support_request_id,
            about="support-request",
            about_id=event.support_request_id,
            cause=fact.id,
            account_id=event.account_id,
            due=event.due,
            reference=event.name or event.department,
            owner=event.asked_by or event.owner,
            team=event.team,
            members=responsible,
            led=responsible,
            department=None if responsible else Role(event.department),
        ),
    )


@reactions.on
def settle_answered_support(
    event: SupportDelivered | SupportRequestReturned | SupportRequestWithdrawn,
    fact: Envelope[SupportDelivered | SupportRequestReturned | SupportRequestWithdrawn],
) -> Iterable[Do]:
    """DEAL-12: nobody need know any longer of help that is there, is not needed, or waits for the asker."""
    yield _settled(SUPPORT_REQUEST_OVERDUE, event.support_request_id, fact)


@reactions.on(when="needs_assessment")
def tell_of_waiting_assessment(event: QuoteSubmitted, fact: Envelope[QuoteSubmitted]) -> Iterable[Do]:
    """DEAL-8: product is told that a quote waits for what they say of its delivery, but for whoever submitted or wrote
    it. A version that is submitted again waits anew."""
    yield Do(
        aggregate=occasion,
        aggregate_id=occasion_of(ASSESSMENT_WAITING, event.quote_id),
        command=RaiseNotices(
            kind=ASSESSMENT_WAITING,
            occasion=event.quote_id,
            about="quote",
            about_id=event.quote_id,
            cause=fact.id,
            account_id=event.account_id,
            amount=event.amount,
            reference=event.deal_name or None,
            roles=(Role.PRODUCT,),
            not_to=event.submitter,
            not_members=event.authors,
        ),
    )


@reactions.on
def settle_assessment(
    event: QuoteDeliveryAssessed | QuoteReturned | QuoteRecalled | QuoteWithdrawn,
    fact: Envelope[QuoteDeliveryAssessed | QuoteReturned | QuoteRecalled | QuoteWithdrawn],
) -> Iterable[Do]:
    """DEAL-8: nobody need know any longer of a quote whose delivery is assessed, or that is submitted no more."""
    yield _settled(ASSESSMENT_WAITING, event.quote_id, fact)


@reactions.on
def rename_notices_of_renamed_quote(event: QuoteDealChanged, fact: Envelope[QuoteDealChanged]) -> Iterable[Do]:
    """DATA-4: a quote is called as its deal is in every inbox."""
    yield _renamed(ASSESSMENT_WAITING, event.quote_id, fact, event.deal_name)


@reactions.on(when="notify")
def tell_by_rule_of_stage(event: DealRuleFired, fact: Envelope[DealRuleFired]) -> Iterable[Do]:
    """PROC-1: a rule of a stage notifies whose the deal is, whoever leads them, or everybody of some roles, until the
    deal goes on; what they are to use is told along, by its name and where it is. Whenever it fires, in a later visit
    too, that is news; that the fact is told anew is none."""
    yield _told_by_rule(event, event.deal_id, "deal", event.deal_id)


@reactions.on(when="notify")
def tell_by_rule_of_stage_outside(event: StageVisitRuleFired, fact: Envelope[StageVisitRuleFired]) -> Iterable[Do]:
    """PROC-1: so does a rule of a stage of leads or contracts, until the lead or the contract leaves it."""
    about: NoticeThing = "lead" if event.subject == "lead" else "contract"
    yield _told_by_rule(event, event.stage_visit_id, about, event.subject_id)


@reactions.on(when="ends_notices")
def settle_rules_of_stage_visit(event: StageVisitEnded, fact: Envelope[StageVisitEnded]) -> Iterable[Do]:
    """PROC-1: nobody has to know any more what a rule of a stage told that a lead or a contract has left, unless it was
    told as the last thing that happened there, to be read."""
    yield _settled(STAGE_RULE, event.stage_visit_id, fact)


@reactions.on(when="ends_notices")
def settle_rules_of_stages_left(
    event: DealMoved | DealMigrated, fact: Envelope[DealMoved | DealMigrated]
) -> Iterable[Do]:
    """PROC-1: nobody has to know any more what a rule of a stage told, once the deal has left it."""
    yield _settled(STAGE_RULE, event.deal_id, fact)


@reactions.on(when="ends_notices", imported=True)
def settle_what_waits_with_a_deal(
    event: DealWon | DealLost | DealAbandoned, fact: Envelope[DealWon | DealLost | DealAbandoned]
) -> Iterable[Do]:
    """PROC-1, DEAL-6: with a deal that has ended, nobody has to know any more what a rule of its stage told, that help
    is asked for with it, or that its next step is due; so it is, too, where history tells of a later end."""
    for kind in KEYED_BY_DEAL:
        yield _settled(kind, event.deal_id, fact)
    if event.reminded_step is not None:
        yield _settled(NEXT_STEP_DUE, event.reminded_step, fact)


@reactions.on
def tell_of_asked_help(event: DealHelpAsked, fact: Envelope[DealHelpAsked]) -> Iterable[Do]:
    """DEAL-6: whoever leads the one who asks is told; where no member asks, whoever leads the team of the deal."""
    yield Do(
        aggregate=occasion,
        aggregate_id=occasion_of(HELP_ASKED, event.deal_id),
        command=RaiseNotices(
            kind=HELP_ASKED,
            occasion=event.deal_id,
            about="deal",
            about_id=event.deal_id,
            cause=fact.id,
            account_id=event.account_id,
            reference=event.name,
            team=None if event.asked_by else event.team,
            led=(event.asked_by,) if event.asked_by else (),
        ),
    )


@reactions.on
def settle_answered_help(
    event: DealGuidanceGiven | DealHelpConcluded, fact: Envelope[DealGuidanceGiven | DealHelpConcluded]
) -> Iterable[Do]:
    """DEAL-6: nobody need know any longer of a question that is answered, or needs no answer."""
    yield _settled(HELP_ASKED, event.deal_id, fact)


@reactions.on
def rename_notices_of_renamed_deal(event: DealRenamed, fact: Envelope[DealRenamed]) -> Iterable[Do]:
    """DATA-4: a deal that is called otherwise, for whatever reason, is called so in every inbox: where help was asked
    for with it, and where its next step was due."""
    yield _renamed(HELP_ASKED, event.deal_id, fact, event.name)
    for step in event.reminded_steps:
        yield _renamed(NEXT_STEP_DUE, step, fact, event.name)


@reactions.on
def remind_of_next_step(event: DealNextStepReminded, fact: Envelope[DealNextStepReminded]) -> Iterable[Do]:
    """DEAL-6: whose deal it is is reminded of the next step, and later whoever leads them is told; of a deal that is
    nobody's, whoever leads its team. Who is reminded again has the last notice in place of the one before."""
    about = {"about": "deal", "about_id": event.deal_id, "account_id": event.account_id}
    yield from _reminders(NEXT_STEP_DUE, event.step_id, event, fact, **about)


@reactions.on(when="reminded_step", imported=True)
def settle_next_step(event: DealNextStepPlanned, fact: Envelope[DealNextStepPlanned]) -> Iterable[Do]:
    """DEAL-6: nobody need know any longer of a step that another one, or explicitly none, was planned in place of."""
    assert event.reminded_step is not None
    yield _settled(NEXT_STEP_DUE, event.reminded_step, fact)


@reactions.on(when="reminded_step", imported=True)
def settle_next_step_of_who_handed_over(event: DealHandedOver, fact: Envelope[DealHandedOver]) -> Iterable[Do]:
    """DEAL-6: a due step no longer waits for whoever carried the deal; whoever takes it over is reminded anew."""
    before, now = (event.owner_before, event.team_before), (event.owner, event.team)
    yield from _settled_of_others(NEXT_STEP_DUE, event.reminded_step, fact, before=before, now=now)


@reactions.on
def remind_of_follow_up(event: LeadFollowUpReminded, fact: Envelope[LeadFollowUpReminded]) -> Iterable[Do]:
    """DEAL-6: whose lead it is is reminded of the follow-up, and later whoever leads them is told; as for a deal."""
    yield from _reminders(FOLLOW_UP_DUE, event.follow_up_id, event, fact, about="lead", about_id=event.lead_id)


@reactions.on(when="reminded_follow_up", imported=True)
def settle_follow_up(
    event: LeadFollowUpPlanned
    | LeadConverted
    | LeadDisqualified
    | LeadMarkedDuplicate
    | LeadErased
    | AccountFollowUpPlanned,
    fact: Envelope[Any],
) -> Iterable[Do]:
    """DEAL-6: nobody need know any longer of a follow-up that another one, or explicitly none, was planned in place of,
    or whose lead has ended."""
    assert event.reminded_follow_up is not None
    yield _settled(FOLLOW_UP_DUE, event.reminded_follow_up, fact)


@reactions.on(when="reminded_follow_up", imported=True)
def settle_follow_up_of_who_had_the_lead(event: LeadAssigned, fact: Envelope[LeadAssigned]) -> Iterable[Do]:
    """DEAL-6: a due follow-up no longer waits for whoever had the lead; whoever has it now is reminded anew."""
    before, now = (event.owner_before, event.team_before), (event.member_id, event.team_id)
    yield from _settled_of_others(FOLLOW_UP_DUE, event.reminded_follow_up, fact, before=before, now=now)


@reactions.on
def remind_of_account_follow_up(
    event: AccountFollowUpReminded, fact: Envelope[AccountFollowUpReminded]
) -> Iterable[Do]:
    """DEAL-6: so is whose account it is."""
    about = {"about": "account", "about_id": event.account_id, "account_id": event.account_id}
    yield from _reminders(FOLLOW_UP_DUE, event.follow_up_id, event, fact, **about)


@reactions.on(when="reminded_follow_up", imported=True)
def settle_follow_up_of_who_kept_the_account(
    event: AccountHandedOver, fact: Envelope[AccountHandedOver]
) -> Iterable[Do]:
    """DEAL-6: a due follow-up no longer waits for whoever kept the account; whoever keeps it now is reminded anew."""
    kept = {"owner": event.owner_before, "team": event.team_before} | stated(event, ("owner", "team"))
    before, now = (event.owner_before, event.team_before), (kept["owner"], kept["team"])
    yield from _settled_of_others(FOLLOW_UP_DUE, event.reminded_follow_up, fact, before=before, now=now)


@reactions.on(when="reminded_follow_ups")
def rename_notices_of_renamed_account(event: AccountChanged, fact: Envelope[AccountChanged]) -> Iterable[Do]:
    """ACCT-1: an account that is called otherwise is called so in every inbox."""
    for follow_up in event.reminded_follow_ups or ():
        yield _renamed(FOLLOW_UP_DUE, follow_up, fact, event.name)


@reactions.on(imported=True)
def erase_the_address_of_who_left(event: MemberLeft, fact: Envelope[MemberLeft]) -> Iterable[Do]:
    """DATA-4: nothing is sent any more to somebody who left, and nobody keeps where it went."""
    yield Do(aggregate=notice_address, aggregate_id=address_of(event.member_id), command=StopSendingNotices())


def tell_of_waiting_decision(event: Any, fact: Envelope[Any]) -> Iterable[Do]:
    """CON-2: whoever is asked to decide is told, but for whoever submitted or wrote it. Those who have decided or
    delegated, and those of a step that is decided, need not know any longer."""
    if isinstance(event, GIVEN) and event.asks:
        yield _settled(APPROVAL_WAITING, event.approval_id, fact)
    elif isinstance(event, DECIDING) and event.member:
        yield _settled(APPROVAL_WAITING, event.approval_id, fact, event.member)
    if event.asks:
        yield _waits_for(event, fact, event.asks, event.authors)


def tell_of_decision_taken_back(event: Any, fact: Envelope[Any]) -> Iterable[Do]:
    """CON-2: whoever was to decide instead need not know any longer, and whoever took it back has to again. Others of
    their role were told when it was first asked of them."""
    for delegate in event.delegates:
        yield _settled(APPROVAL_WAITING, event.approval_id, fact, delegate)
    if event.member:
        yield _waits_for(event, fact, (Slot(member=event.member),))


def settle_decided(event: Any, fact: Envelope[Any]) -> Iterable[Do]:
    """CON-2: what was decided or taken back waits for nobody."""
    yield _settled(APPROVAL_WAITING, event.approval_id, fact)


def rename_notices_of_renamed_approval(event: Any, fact: Envelope[Any]) -> Iterable[Do]:
    """DATA-4: so is what waits for somebody's decision, and what was decided."""
    for kind in (APPROVAL_WAITING, APPROVAL_GRANTED, APPROVAL_RETURNED):
        yield _renamed(kind, event.approval_id, fact, event.name)


def tell_submitter_of_outcome(event: Any, fact: Envelope[Any]) -> Iterable[Do]:
    """CON-2: whoever submitted something is told what was decided about it, unless they decided it themselves."""
    if event.by != event.submitter:
        kind = APPROVAL_GRANTED if isinstance(event, GRANTED) else APPROVAL_RETURNED
        yield _raised(event, fact, kind, to=event.submitter)


def _waits_for(event: Any, fact: Envelope[Any], asks: Sequence[Slot], authors: tuple[UUID, ...] = ()) -> Do:
    return _raised(
        event,
        fact,
        APPROVAL_WAITING,
        due_at=event.due,
        roles=tuple(Role(slot.role) for slot in asks if slot.role),
        members=tuple(slot.member for slot in asks if slot.member),
        not_to=event.submitter,
        not_members=authors,
    )


def _raised(event: Any, fact: Envelope[Any], kind: NoticeKind, **more: Any) -> Do:
    return Do(
        aggregate=occasion,
        aggregate_id=occasion_of(kind, event.approval_id),
        command=RaiseNotices(
            kind=kind,
            occasion=event.approval_id,
            about=event.subject_kind,
            about_id=event.subject_id,
            approval_id=event.approval_id,
            cause=fact.id,
            account_id=event.account_id,
            amount=event.amount,
            reference=event.name,
            **more,
        ),
    )


def _told_by_rule(
    event: DealRuleFired | StageVisitRuleFired, occasion_id: UUID, about: NoticeThing, about_id: UUID
) -> Do:
    told = event.notify or ()
    owner = (event.owner,) if event.owner else ()
    template = event.template
    using = [each for each in (template.name, template.link) if each] if template else []
    return Do(
        aggregate=occasion,
        aggregate_id=occasion_of(STAGE_RULE, occasion_id),
        command=RaiseNotices(
            kind=STAGE_RULE,
            occasion=occasion_id,
            about=about,
            about_id=about_id,
            cause=event.firing_id,
            account_id=event.account_id,
            reference=", ".join((event.name, *using)),
            members=owner if "owner" in told else (),
            led=owner if "manager" in told else (),
            team=event.team if "manager" in told and not owner else None,
            roles=tuple(Role(each) for each in told if each not in ("owner", "manager")),
        ),
    )


def _reminders(
    kind: NoticeKind,
    plan_id: UUID,
    event: DealNextStepReminded | LeadFollowUpReminded | AccountFollowUpReminded,
    fact: Envelope[Any],
    **about: Any,
) -> Iterable[Do]:
    """Whoever is to be reminded of what was planned is told, in place of what they were told before."""
    owner = (event.owner,) if event.owner else ()
    if AGAIN in event.levels or not event.owner:
        yield _settled(kind, plan_id, fact, event.owner)
    yield Do(
        aggregate=occasion,
        aggregate_id=occasion_of(kind, plan_id),
        command=RaiseNotices(
            kind=kind,
            occasion=plan_id,
            cause=fact.id,
            due=event.on,
            reference=event.name,
            members=owner if {OWNER, AGAIN} & set(event.levels) else (),
            led=owner if MANAGER in event.levels else (),
            team=None if owner else event.team,
            **about,
        ),
    )


def _settled_of_others(
    kind: NoticeKind, plan_id: UUID | None, fact: Envelope[Any], *, before: Holder, now: Holder
) -> Iterable[Do]:
    """What is due no longer waits for whoever had the thing, nor, in another team, for anybody who knew of it."""
    assert plan_id is not None
    (owner_before, team_before), (owner, team) = before, now
    if team != team_before:
        yield _settled(kind, plan_id, fact)
    elif owner_before and owner != owner_before:
        yield _settled(kind, plan_id, fact, owner_before)


def _settled(kind: NoticeKind, about: UUID, fact: Envelope[Any], member: UUID | None = None) -> Do:
    """What was told of something need not be known any more: by nobody, or not by a member."""
    command = SettleNotices(cause=fact.id, member=member)
    return Do(aggregate=occasion, aggregate_id=occasion_of(kind, about), command=command)


def _renamed(kind: NoticeKind, about: UUID, fact: Envelope[Any], name: str) -> Do:
    """What was told of something says what that is called now."""
    command = RenameNotices(cause=fact.id, reference=name)
    return Do(aggregate=occasion, aggregate_id=occasion_of(kind, about), command=command)


# The events of approvals are those of every service that has things approved: known when this is imported.
TOLD = tuple(map(approval_events, APPROVING))
GIVEN = tuple(told.given for told in TOLD)
DECIDING = (*GIVEN, *(told.delegated for told in TOLD))
ASKING = tuple(event for told in TOLD for event in (told.requested, told.given, told.delegated, told.escalated))
TAKEN_BACK = tuple(told.taken_back for told in TOLD)
GRANTED = tuple(told.granted for told in TOLD)
OUTCOMES = (*GRANTED, *(told.returned for told in TOLD))
ENDING = tuple(event for told in TOLD for event in (told.granted, told.returned, told.recalled))
RENAMED = tuple(told.renamed for told in TOLD if told.renamed)
tell_of_waiting_decision.__annotations__["event"] = Union[ASKING]  # noqa: UP007 - of a tuple
tell_of_decision_taken_back.__annotations__["event"] = Union[TAKEN_BACK]  # noqa: UP007
settle_decided.__annotations__["event"] = Union[ENDING]  # noqa: UP007
rename_notices_of_renamed_approval.__annotations__["event"] = Union[RENAMED]  # noqa: UP007
tell_submitter_of_outcome.__annotations__["event"] = Union[OUTCOMES]  # noqa: UP007
reactions.on(tell_of_waiting_decision)
reactions.on(tell_of_decision_taken_back)
reactions.on(settle_decided)
reactions.on(rename_notices_of_renamed_approval)
reactions.on(tell_submitter_of_outcome)
