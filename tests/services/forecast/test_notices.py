"""REC-5: who is told of what, and what becomes of a notice: the rules."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.forecast.domain.address import StopSendingNotices, address_of, notice_address
from services.forecast.domain.notice import AcknowledgeNotice, MarkRead, notice, notice_of
from services.forecast.domain.occasion import (
    Audience,
    RaiseNotices,
    Recipient,
    RenameNotices,
    SettleNotices,
    ToldNotices,
    WaitingNotices,
    occasion,
    occasion_of,
)
from services.forecast.domain.preference import MuteNotices, UnmuteNotices, is_muted, notice_preference
from services.forecast.reactions import reactions
from shared.domain.context import Actor
from shared.domain.roles import Role
from shared.events.approvals import PlannedStep, Slot, approval_events
from shared.events.deals.deal import DealRenamed
from shared.events.envelope import Envelope
from shared.events.forecast.notice import (
    About,
    NoticeAcknowledged,
    NoticeRaised,
    NoticeRead,
    NoticeRenamed,
    NoticeSettled,
)
from shared.events.forecast.notice_preference import NoticesMuted, NoticesUnmuted
from shared.events.forecast.occasion import OccasionArose, OccasionPassed
from shared.events.leads.member import MemberLeft
from shared.events.receivables.ledger import InvoiceOverdue, ReceiptAllocated
from shared.reactions.registry import Do
from shared.testing.scenario import CONTEXT, SOMEBODY, scenario
from tests.services.forecast.facts import ANNA, BEN, NORTH, eur

INVOICE, CONTRACT, ACCOUNT, APPROVAL = UUID(int=70), UUID(int=71), UUID(int=72), UUID(int=75)
NOON = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)
CAUSE, LATER = UUID(int=80), UUID(int=81)
DUE = date(2026, 3, 9)
ABOUT = About(thing="invoice", id=INVOICE)

RAISED = NoticeRaised(
    notice_id=notice_of(CAUSE, ANNA),
    member_id=ANNA,
    kind="invoice-overdue",
    about=ABOUT,
    cause=CAUSE,
    muted=False,
    account_id=ACCOUNT,
    amount=eur(100),
    due=DUE,
    reference="MAIN-000001",
)
READ = NoticeRead(notice_id=RAISED.notice_id, member_id=ANNA)
TAKEN_ON = NoticeAcknowledged(notice_id=RAISED.notice_id, member_id=ANNA)
SETTLED = NoticeSettled(notice_id=RAISED.notice_id, member_id=ANNA, cause=LATER)
RENAMED = NoticeRenamed(notice_id=RAISED.notice_id, member_id=ANNA, reference="Line for …", cause=LATER)
A_NOTICE = scenario(notice).given(RAISED)


# -- a notice ---------------------------------------------------------------------------------------------------------


def test_a_notice_is_read_once() -> None:
    A_NOTICE.when(MarkRead()).then(READ)
    A_NOTICE.given(READ).when(MarkRead()).then()


def test_whoever_takes_a_notice_on_has_read_it() -> None:
    A_NOTICE.when(AcknowledgeNotice()).then(TAKEN_ON)
    A_NOTICE.given(READ).when(AcknowledgeNotice()).then(TAKEN_ON)
    A_NOTICE.given(TAKEN_ON).when(AcknowledgeNotice()).then()
    A_NOTICE.given(TAKEN_ON).when(MarkRead()).then()


@pytest.mark.parametrize("before", [(), (READ,), (TAKEN_ON,), (SETTLED,)])
def test_data_4_a_notice_is_called_otherwise_and_stands_as_it_stood(before: tuple[Any, ...]) -> None:
    stood = notice.fold([RAISED, *before])
    assert notice.evolve(stood, RENAMED) == replace(stood, reference="Line for …")


@pytest.mark.parametrize("before", [(), (READ,), (TAKEN_ON,)])
def test_of_what_is_settled_nothing_is_left_to_do(before: tuple[Any, ...]) -> None:
    settled = A_NOTICE.given(*before, SETTLED)
    settled.when(MarkRead()).then()
    settled.when(AcknowledgeNotice()).then()


# -- an occasion ------------------------------------------------------------------------------------------------------

ASKED = RaiseNotices(
    kind="invoice-overdue",
    occasion=INVOICE,
    about="invoice",
    about_id=INVOICE,
    cause=CAUSE,
    account_id=ACCOUNT,
    amount=eur(100),
    due=DUE,
    reference="MAIN-000001",
)
TO_BOTH = Audience(recipients=(Recipient(member_id=ANNA), Recipient(member_id=BEN, muted=True)))
OF_BEN = replace(RAISED, notice_id=notice_of(CAUSE, BEN), member_id=BEN, muted=True)
OCCASION = occasion_of("invoice-overdue", INVOICE)
AROSE = OccasionArose(
    occasion_id=OCCASION,
    kind="invoice-overdue",
    about=ABOUT,
    cause=CAUSE,
    notices=(RAISED.notice_id, OF_BEN.notice_id),
)
PASSED = OccasionPassed(occasion_id=OCCASION, cause=LATER)
NOBODY = WaitingNotices()


def test_everybody_whom_it_concerns_has_a_notice_of_their_own() -> None:
    told = scenario(occasion).knowing(audience=TO_BOTH).when(ASKED).then(AROSE, RAISED, OF_BEN)
    assert [each.to for each in told.facts] == [None, RAISED.notice_id, OF_BEN.notice_id]


def test_where_nobody_is_concerned_nothing_happens() -> None:
    scenario(occasion).knowing(audience=Audience()).when(ASKED).then()


@pytest.mark.parametrize("later", [(), (PASSED,)])
def test_the_same_event_tells_once(later: tuple[Any, ...]) -> None:
    scenario(occasion).given(AROSE, *later).knowing(audience=TO_BOTH).when(ASKED).then()


def test_another_event_tells_again_and_what_was_told_before_is_settled_with_it() -> None:
    again = replace(AROSE, cause=LATER, notices=(notice_of(LATER, ANNA),))
    to_anna = Audience(recipients=(Recipient(member_id=ANNA),))
    asked = scenario(occasion).given(AROSE).knowing(audience=to_anna)
    outcome = asked.when(replace(ASKED, cause=LATER))
    assert outcome.facts[0].event == again
    assert occasion.fold([AROSE, again]).notices == (*AROSE.notices, *again.notices)
    assert occasion.fold([AROSE, PASSED, again]).notices == again.notices


def test_what_still_waits_is_settled() -> None:
    waiting = WaitingNotices(notices=(notice.fold([RAISED, READ]),))
    told = scenario(occasion).given(AROSE).knowing(waiting=waiting).when(SettleNotices(cause=LATER))
    told.then(PASSED, SETTLED)
    assert [each.to for each in told.facts] == [None, RAISED.notice_id]


def test_con_2_what_one_member_decided_waits_for_the_others() -> None:
    waiting = WaitingNotices(notices=(notice.fold([RAISED, READ]),))
    told = scenario(occasion).given(AROSE).knowing(waiting=waiting).when(SettleNotices(cause=LATER, member=ANNA))
    told.then(SETTLED)


RENAME = RenameNotices(cause=LATER, reference="Line for …")


@pytest.mark.parametrize("later", [(), (PASSED,)])
def test_data_4_whatever_anybody_was_told_of_something_says_what_it_is_called_now(later: tuple[Any, ...]) -> None:
    ours, settled = notice.fold([RAISED, READ]), notice.fold([OF_BEN, replace(SETTLED, notice_id=OF_BEN.notice_id)])
    known = scenario(occasion).given(AROSE, *later)
    told = known.knowing(told=ToldNotices(notices=(ours, settled))).when(RENAME)
    told.then(RENAMED, replace(RENAMED, notice_id=OF_BEN.notice_id, member_id=BEN))
    assert [each.to for each in told.facts] == [RAISED.notice_id, OF_BEN.notice_id]
    known.knowing(told=ToldNotices(notices=(notice.evolve(ours, RENAMED),))).when(RENAME).then()


def test_data_4_an_occasion_knows_every_notice_that_ever_told_of_it() -> None:
    again = replace(AROSE, cause=LATER, notices=(notice_of(LATER, ANNA),))
    assert occasion.fold([AROSE, PASSED]).told == AROSE.notices
    assert occasion.fold([AROSE, PASSED, again]).told == (*AROSE.notices, *again.notices)
    scenario(occasion).knowing(told=ToldNotices()).when(RENAME).then()


def test_what_nobody_was_told_of_needs_no_settling() -> None:
    scenario(occasion).knowing(waiting=NOBODY).when(SettleNotices(cause=LATER)).then()
    scenario(occasion).given(AROSE, PASSED).knowing(waiting=NOBODY).when(SettleNotices(cause=LATER)).then()


# -- what somebody has muted ------------------------------------------------------------------------------------------

MONDAY = date(2026, 3, 16)
"""The day of a scenario."""
PREFERENCE = scenario(notice_preference)
MEMBER = SOMEBODY.member
assert MEMBER is not None
ID = CONTEXT.aggregate_id
MUTED = NoticesMuted(preference_id=ID, member_id=MEMBER, kind="invoice-overdue")
UNMUTED = NoticesUnmuted(preference_id=ID, member_id=MEMBER, kind="invoice-overdue")
MUTE, UNMUTE = MuteNotices(kind="invoice-overdue"), UnmuteNotices(kind="invoice-overdue")


def test_a_kind_is_muted_once_and_until_another_day_anew() -> None:
    PREFERENCE.when(MUTE).then(MUTED)
    PREFERENCE.given(MUTED).when(MUTE).then()
    PREFERENCE.given(MUTED).when(replace(MUTE, until=MONDAY)).then(replace(MUTED, until=MONDAY))
    PREFERENCE.given(MUTED).when(MuteNotices(kind="approval-waiting")).then(replace(MUTED, kind="approval-waiting"))


def test_what_is_not_muted_needs_no_unmuting() -> None:
    PREFERENCE.when(UNMUTE).then()
    PREFERENCE.given(MUTED).when(UNMUTE).then(UNMUTED)
    PREFERENCE.given(MUTED, UNMUTED).when(UNMUTE).then()
    PREFERENCE.given(MUTED, UNMUTED).when(MUTE).then(MUTED)


def test_nothing_is_muted_until_a_day_that_is_over() -> None:
    PREFERENCE.when(replace(MUTE, until=date(2026, 3, 15))).then_rejected("in-the-past", "in-the-past")


def test_whoever_is_no_member_has_nothing_to_mute() -> None:
    PREFERENCE.by(Actor(subject="root", roles=frozenset({Role.ADMIN}))).when(MUTE).then_rejected("not-a-member")


@pytest.mark.parametrize(
    ("told", "on", "expected"),
    [
        ([], MONDAY, False),
        ([MUTED], MONDAY, True),
        ([replace(MUTED, until=MONDAY)], MONDAY, True),
        ([replace(MUTED, until=MONDAY)], date(2026, 3, 17), False),
        ([replace(MUTED, kind="approval-waiting")], MONDAY, False),
        ([MUTED, UNMUTED], MONDAY, False),
    ],
)
def test_a_kind_is_muted_through_its_last_day(told: list[Any], on: date, expected: bool) -> None:
    assert is_muted(notice_preference.fold(told), "invoice-overdue", on) is expected


# -- reactions --------------------------------------------------------------------------------------------------------

OVERDUE = InvoiceOverdue(
    ledger_id=UUID(int=73),
    account_id=ACCOUNT,
    invoice_id=INVOICE,
    invoice_number="MAIN-000001",
    due=DUE,
    open=eur(100),
    owner=ANNA,
    team=NORTH,
)


def allocated(left: str) -> ReceiptAllocated:
    return ReceiptAllocated(
        ledger_id=UUID(int=73),
        account_id=ACCOUNT,
        receipt_id=UUID(int=74),
        invoice_id=INVOICE,
        invoice_number="MAIN-000001",
        amount=eur(40),
        open_after=replace(eur(0), amount=Decimal(left)),
        rule="reference",
        on=DUE,
    )


def what_follows(event: Any, *, imported: bool = False) -> list[Do]:
    now = datetime(2026, 3, 16, 10, 0, tzinfo=UTC)
    made: Envelope[Any] = Envelope(
        id=CAUSE,
        type=event.type,
        version=1,
        service=event.type.partition(".")[0],
        aggregate=event.aggregate,
        aggregate_id=UUID(int=73),
        sequence=1,
        partition=0,
        position=1,
        source_position=1,
        occurred_at=now,
        recorded_at=now,
        actor="anna",
        correlation_id=UUID(int=2),
        causation_id=UUID(int=3),
        imported=imported,
        traceparent=None,
        data=event,
    )
    return [do for reaction in reactions.every for do in reaction.to(made)]


def test_of_an_overdue_invoice_its_owner_who_leads_them_and_finance_are_told() -> None:
    command = replace(ASKED, owner=ANNA, team=NORTH, roles=(Role.FINANCE,))
    assert what_follows(OVERDUE) == [Do(aggregate=occasion, aggregate_id=OCCASION, command=command)]


def test_nobody_is_told_of_history() -> None:
    assert what_follows(OVERDUE, imported=True) == []
    assert what_follows(REQUESTED, imported=True) == []


@pytest.mark.parametrize("imported", [False, True])
def test_data_4_where_notices_of_somebody_went_is_erased_once_they_left(imported: bool) -> None:
    left = MemberLeft(member_id=ANNA, on=DUE)
    expected = Do(aggregate=notice_address, aggregate_id=address_of(ANNA), command=StopSendingNotices())
    assert what_follows(left, imported=imported) == [expected]


def test_a_paid_invoice_is_settled_and_one_paid_in_part_is_not() -> None:
    settled = [Do(aggregate=occasion, aggregate_id=OCCASION, command=SettleNotices(cause=CAUSE))]
    assert what_follows(allocated("60")) == []
    assert what_follows(allocated("0.00")) == settled
    assert what_follows(allocated("0.00"), imported=True) == settled


OF_APPROVAL: dict[str, Any] = {
    "approval_id": APPROVAL,
    "subject_kind": "contract",
    "subject_id": CONTRACT,
    "name": "Packaging line",
    "amount": eur(500),
    "submitter": "anna",
    "account_id": ACCOUNT,
}
BY: dict[str, Any] = {"by": "dora", "member": None, "at": NOON}
TOLD = approval_events("contracts")
ROLES = (Slot(role=Role.SALES_DIRECTOR), Slot(role=Role.LEGAL))
REQUESTED = TOLD.requested(
    **OF_APPROVAL,
    submitter_member=ANNA,
    chain=0,
    self_approval="others",
    repeated_approver="again",
    steps=(PlannedStep(key="one", name="One", mode="all", slots=ROLES),),
    next_step=0,
    due=datetime(2026, 3, 18, 17, 0, tzinfo=UTC),
    asks=ROLES,
    at=NOON,
)
GIVEN: dict[str, Any] = {**OF_APPROVAL, **BY, "step": 0, "slots": (0,), "further": (), "reason": None}


def raised(**more: Any) -> Do:
    command = RaiseNotices(
        kind="approval-waiting",
        occasion=APPROVAL,
        about="contract",
        about_id=CONTRACT,
        approval_id=APPROVAL,
        cause=CAUSE,
        account_id=ACCOUNT,
        amount=eur(500),
        reference="Packaging line",
        not_to="anna",
        **more,
    )
    return Do(aggregate=occasion, aggregate_id=occasion_of("approval-waiting", APPROVAL), command=command)


NO_MORE = Do(
    aggregate=occasion,
    aggregate_id=occasion_of("approval-waiting", APPROVAL),
    command=SettleNotices(cause=CAUSE),
)


def test_con_2_whoever_is_asked_is_told_but_not_who_submitted_it() -> None:
    expected = raised(roles=(Role.SALES_DIRECTOR, Role.LEGAL), due_at=datetime(2026, 3, 18, 17, 0, tzinfo=UTC))
    assert what_follows(REQUESTED) == [expected]


def test_con_2_who_wrote_it_is_not_told_in_whichever_step() -> None:
    """They do not decide it."""
    asks = (Slot(role=Role.EXECUTIVE),)
    events = (
        replace(REQUESTED, authors=(BEN,)),
        TOLD.given(**GIVEN, next_step=1, due=None, asks=asks, authors=(BEN,)),
        TOLD.delegated(
            **OF_APPROVAL, **BY, step=0, slots=(0,), to=ANNA, reason=None, due=None, asks=asks, authors=(BEN,)
        ),
        TOLD.escalated(**OF_APPROVAL, step=0, to=asks[0], due=None, asks=asks, authors=(BEN,), at=NOON),
    )
    told = [each.command for event in events for each in what_follows(event)]
    assert [each.not_members for each in told if isinstance(each, RaiseNotices)] == [(BEN,)] * 4


def test_con_2_as_a_step_begins_those_of_the_last_one_have_not_to_know_any_more() -> None:
    asks = (Slot(role=Role.EXECUTIVE), Slot(member=ANNA))
    moved = TOLD.given(**GIVEN, next_step=1, due=None, asks=asks)
    assert what_follows(moved) == [NO_MORE, raised(roles=(Role.EXECUTIVE,), members=(ANNA,))]


def test_con_2_whoever_has_decided_has_not_to_know_any_more() -> None:
    given = {**GIVEN, "member": BEN}
    mine = replace(NO_MORE, command=SettleNotices(cause=CAUSE, member=BEN))
    assert what_follows(TOLD.given(**given, next_step=None, due=None, asks=())) == [mine]
    assert what_follows(TOLD.given(**GIVEN, next_step=None, due=None, asks=())) == [], "nobody of the organisation"


def test_con_2_a_delegate_and_whom_it_escalates_to_are_told_beside_the_others() -> None:
    delegated = TOLD.delegated(
        **OF_APPROVAL, **BY, step=0, slots=(0,), to=ANNA, reason=None, due=None, asks=(Slot(member=ANNA),)
    )
    assert what_follows(delegated) == [raised(members=(ANNA,))]
    to = Slot(role=Role.EXECUTIVE)
    assert what_follows(TOLD.escalated(**OF_APPROVAL, step=0, to=to, due=None, asks=(to,), at=NOON)) == [
        raised(roles=(Role.EXECUTIVE,))
    ]
    assert what_follows(TOLD.escalated(**OF_APPROVAL, step=0, to=None, due=None, asks=(), at=NOON)) == []


def test_con_2_once_it_is_taken_back_the_delegate_has_not_to_know_any_more_and_who_delegated_has() -> None:
    back = TOLD.taken_back(**OF_APPROVAL, **BY, step=0, slots=(0,), delegates=(ANNA,), due=None)
    not_anna = replace(NO_MORE, command=SettleNotices(cause=CAUSE, member=ANNA))
    assert what_follows(back) == [not_anna], "nobody of the organisation took it back"
    assert what_follows(replace(back, member=BEN)) == [not_anna, raised(members=(BEN,))]


GRANTED = TOLD.granted(**OF_APPROVAL, **BY, step="one", reason=None)
RETURNED = TOLD.returned(**OF_APPROVAL, **BY, step="one", reason="The retention is missing")
RECALLED = TOLD.recalled(**OF_APPROVAL, **BY, reason=None)


@pytest.mark.parametrize("event", [GRANTED, RETURNED, RECALLED], ids=lambda event: event.type)
def test_con_2_what_was_decided_waits_for_nobody(event: Any) -> None:
    assert NO_MORE in what_follows(event)


@pytest.mark.parametrize(("event", "kind"), [(GRANTED, "approval-granted"), (RETURNED, "approval-returned")])
def test_con_2_whoever_submitted_it_is_told_the_outcome(event: Any, kind: Any) -> None:
    """REC-5: of the contract and of its approval."""
    command = RaiseNotices(
        kind=kind,
        occasion=APPROVAL,
        about="contract",
        about_id=CONTRACT,
        approval_id=APPROVAL,
        cause=CAUSE,
        account_id=ACCOUNT,
        amount=eur(500),
        reference="Packaging line",
        to="anna",
    )
    told = Do(aggregate=occasion, aggregate_id=occasion_of(kind, APPROVAL), command=command)
    assert what_follows(event) == [NO_MORE, told]
    assert what_follows(event, imported=True) == []
    assert what_follows(replace(event, by="anna")) == [NO_MORE], "they decided it themselves"


def test_con_2_whoever_takes_it_back_knows() -> None:
    assert what_follows(RECALLED) == [NO_MORE]


def test_rec_5_a_notice_names_the_approval_beside_what_it_is_of() -> None:
    about = About(thing="contract", id=CONTRACT, approval_id=APPROVAL)
    asked = replace(ASKED, kind="approval-granted", about="contract", about_id=CONTRACT, approval_id=APPROVAL)
    outcome = scenario(occasion).knowing(audience=TO_BOTH).when(asked)
    assert [each.event.about for each in outcome.facts] == [about] * 3


# -- what is called otherwise -----------------------------------------------------------------------------------------


def renaming(kind: str, about: UUID) -> Do:
    command = RenameNotices(cause=CAUSE, reference="Line for …")
    return Do(aggregate=occasion, aggregate_id=occasion_of(kind, about), command=command)


def test_data_4_what_was_told_of_an_approval_is_called_as_it_is() -> None:
    told = approval_events("deals").renamed
    assert told is not None
    of = {**OF_APPROVAL, "subject_kind": "deal", "name": "Line for …"}
    kinds = ("approval-waiting", "approval-granted", "approval-returned")
    assert what_follows(told(**of, **BY)) == [renaming(kind, APPROVAL) for kind in kinds]


def test_data_4_what_was_told_of_a_deal_is_called_as_it_is() -> None:
    deal, first, second = (UUID(int=number) for number in (90, 91, 92))
    event = DealRenamed(deal_id=deal, name="Line for …", reminded_steps=(first, second))
    steps = [renaming("next-step-due", each) for each in (first, second)]
    assert what_follows(event) == [renaming("help-asked", deal), *steps]
