"""DEAL-12: help of other departments on a deal, due in working days: the rules. NOW is a Monday morning."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.deals.domain.deal import deal
from services.deals.domain.deal.erasure import EraseTexts
from services.deals.domain.deal.following import BringInLine
from services.deals.domain.process.full import FULL, FULL_ID
from services.deals.domain.process.state import Process
from services.deals.domain.support_request import support_request
from services.deals.domain.support_request.answering import Accept, Deliver, NoteOverdue, ReturnToAsker
from services.deals.domain.support_request.asking import AskAgain, AskForSupport, SupportedDeal, Withdraw
from services.deals.domain.support_request.following import SupportOfDeal
from services.deals.reactions import reactions
from shared.domain.context import Actor, Company
from shared.domain.roles import Role
from shared.domain.working_days import calendar_of
from shared.events.deals.deal import (
    DealAbandoned,
    DealHandedOver,
    DealLost,
    DealRenamed,
    DealReopened,
    DealTextsErased,
    DealWon,
)
from shared.events.deals.deal_edit import DealAccountChanged
from shared.events.deals.support_request import (
    SupportDelivered,
    SupportRequestAccepted,
    SupportRequestDealChanged,
    SupportRequested,
    SupportRequestedAgain,
    SupportRequestOverdue,
    SupportRequestReturned,
    SupportRequestTextsErased,
    SupportRequestWithdrawn,
)
from shared.testing.scenario import CONTEXT, SOMEBODY, Scenario, scenario
from tests.services.deals.facts import ACCOUNT, ID, OPENED, OTHER, OTHER_TEAM, OWNER, TEAM, THE_DEAL, TODAY, eur
from tests.services.deals.test_reactions import fact

REQUEST, FIRST, SECOND, DEAL = CONTEXT.aggregate_id, UUID(int=80), UUID(int=81), UUID(int=90)
ANNA, BEN, OTHER_ACCOUNT = UUID(int=61), UUID(int=62), UUID(int=63)
THE_SUPPORTED = SupportedDeal(
    name="Servers for the new plant",
    status="open",
    stage="solution",
    process=Process(id=FULL_ID, version=1, definition=FULL),
    owner=OWNER,
    team=TEAM,
    account_id=ACCOUNT,
    others=frozenset({SECOND}),
)
ASK = AskForSupport(deal_id=DEAL, type="solution-design", what="A layout for two lines.")
ASKED = SupportRequested(
    support_request_id=REQUEST,
    deal_id=DEAL,
    deal_name="Servers for the new plant",
    process_id=FULL_ID,
    process_version=1,
    stage="solution",
    after_the_win=False,
    support_type="solution-design",
    name="Design of the solution",
    department="presales",
    days=5,
    what="A layout for two lines.",
    needed_by=None,
    on=TODAY,
    due=date(2026, 3, 23),
    overdue_from=datetime(2026, 3, 24, tzinfo=UTC),
    asked_by=SOMEBODY.member,
    others=(SECOND,),
    owner=OWNER,
    team=TEAM,
    account_id=ACCOUNT,
)
ACCEPTED = SupportRequestAccepted(support_request_id=REQUEST, responsible=ANNA)
RETURNED = SupportRequestReturned(support_request_id=REQUEST, reason="Which lines?", on=TODAY, days_late=0)
AGAIN = SupportRequestedAgain(
    support_request_id=REQUEST,
    what="A layout for two packaging lines.",
    needed_by=None,
    on=date(2026, 3, 18),
    due=date(2026, 3, 25),
    overdue_from=datetime(2026, 3, 26, tzinfo=UTC),
    asked_by=SOMEBODY.member,
)
OVERDUE = SupportRequestOverdue(
    support_request_id=REQUEST,
    deal_id=DEAL,
    name="Design of the solution",
    department="presales",
    due=date(2026, 3, 23),
    asked_by=SOMEBODY.member,
    responsible=None,
    owner=OWNER,
    team=TEAM,
    account_id=ACCOUNT,
)
DELIVERED = SupportDelivered(
    support_request_id=REQUEST,
    deal_id=DEAL,
    department="presales",
    responsible=ANNA,
    reference="DOC-7",
    due=date(2026, 3, 23),
    on=TODAY,
    days_late=0,
)
WITHDRAWN = SupportRequestWithdrawn(support_request_id=REQUEST, cause="asker", on=TODAY, days_late=0)

NOTHING = scenario(support_request).knowing(deal=THE_SUPPORTED)
PRESALES = Actor(subject="anna", roles=frozenset({Role.PRESALES}), member=ANNA)
COLLEAGUE = replace(PRESALES, subject="ben", member=BEN)
LEGAL = Actor(subject="lara", roles=frozenset({Role.LEGAL}), member=UUID(int=63))


def on(day: str) -> datetime:
    """Noon of a day."""
    return datetime.fromisoformat(f"{day}T12:00:00+00:00")


def fields(outcome: Any) -> list[tuple[str, str | None]]:
    assert outcome.rejected is not None
    return [(reason.code, reason.field) for reason in outcome.rejected.reasons]


# -- asking -----------------------------------------------------------------------------------------------------------


def test_deal_12_department_stage_and_days_follow_from_the_type() -> None:
    NOTHING.when(ASK).then(ASKED)


def test_deal_12_what_no_type_names_is_asked_of_a_department_within_two_days() -> None:
    free = AskForSupport(deal_id=DEAL, department=Role.LEGAL, what="May we name a reference?")
    (told,) = NOTHING.when(free).facts
    assert (told.event.department, told.event.stage, told.event.due) == ("legal", "solution", date(2026, 3, 18))
    assert (told.event.support_type, told.event.name, told.event.days) == (None, None, 2)


def test_deal_12_a_type_of_any_stage_can_be_asked_and_one_of_the_contract_outlives_the_win() -> None:
    for key, stage, after in (
        ("market-report", "lead-in", False),
        ("legal-review", "contract", False),
        ("after-sales-answer", "after-sales", True),
    ):
        (told,) = NOTHING.when(replace(ASK, type=key)).facts
        assert (told.event.stage, told.event.after_the_win) == (stage, after)


@pytest.mark.parametrize(
    ("asked", "needed_by", "due"),
    [
        ("2026-03-16", None, "2026-03-23"),
        ("2026-03-14", None, "2026-03-20"),  # on a Saturday
        ("2026-03-30", None, "2026-04-08"),  # Good Friday and Easter Monday are free
        ("2026-03-16", "2026-03-18", "2026-03-23"),  # an earlier wish shortens nothing
        ("2026-03-16", "2026-03-29", "2026-03-29"),
    ],
)
def test_deal_12_help_is_due_after_so_many_working_days_or_when_it_is_needed_later(
    asked: str, needed_by: str | None, due: str
) -> None:
    company = Company(calendar=calendar_of("DE"), timezone="Europe/Berlin")
    there = replace(NOTHING, context=replace(CONTEXT, now=on(asked), company=company))
    wanted = date.fromisoformat(needed_by) if needed_by else None
    (told,) = there.when(replace(ASK, needed_by=wanted)).facts
    assert told.event.due == date.fromisoformat(due)
    assert told.event.overdue_from == company.start_of(told.event.due + timedelta(days=1))


def test_deal_12_all_that_is_wrong_with_a_request_is_named() -> None:
    wrong = replace(ASK, type=None, needed_by=date(2026, 3, 13))
    assert fields(NOTHING.when(wrong)) == [("in-the-past", "needed_by"), ("type-or-department", "type")]
    both = replace(ASK, type="tea", department=Role.SERVICE)
    assert fields(NOTHING.when(both)) == [
        ("type-or-department", "type"),
        ("unknown-department", "department"),
        ("unknown-support-type", "type"),
    ]


@pytest.mark.parametrize("status", ["lost", "abandoned"])
def test_deal_12_nothing_is_asked_for_a_deal_that_came_to_nothing(status: str) -> None:
    closed = NOTHING.knowing(deal=replace(THE_SUPPORTED, status=status))
    assert fields(closed.when(ASK)) == [("deal-is-closed", "deal_id")]


def test_deal_12_for_a_deal_that_is_won_help_is_asked_for_what_comes_then() -> None:
    won = NOTHING.knowing(deal=replace(THE_SUPPORTED, status="won"))
    assert fields(won.when(ASK)) == [("deal-is-closed", "deal_id")]
    for asked in (
        replace(ASK, type="after-sales-answer"),
        replace(ASK, type=None, department=Role.DELIVERY),
    ):
        (told,) = won.when(asked).facts
        assert told.event.after_the_win


def test_deal_12_a_request_is_made_once() -> None:
    NOTHING.given(ASKED).when(ASK).then()
    NOTHING.given(ASKED).when(replace(ASK, what="Another one")).then_rejected("not-in-this-state")


# -- answering --------------------------------------------------------------------------------------------------------

WAITING = NOTHING.given(ASKED)
TAKEN = WAITING.given(ACCEPTED)


def test_deal_12_whoever_of_the_department_accepts_is_responsible_until_a_colleague_takes_over() -> None:
    WAITING.by(PRESALES).when(Accept()).then(ACCEPTED)
    TAKEN.by(PRESALES).when(Accept()).then()
    TAKEN.by(COLLEAGUE).when(Accept()).then(replace(ACCEPTED, responsible=BEN))


@pytest.mark.parametrize("command", [Accept(), Deliver(reference="DOC-7"), ReturnToAsker(reason="Which lines?")])
def test_deal_12_nobody_of_another_department_answers(command: Any) -> None:
    for state in (WAITING, TAKEN):
        for other in (LEGAL, SOMEBODY, Actor(subject="root", roles=frozenset({Role.ADMIN}))):
            state.by(other).when(command).then_rejected("other-department")


def test_deal_12_whoever_is_no_member_takes_care_of_nothing() -> None:
    WAITING.by(replace(PRESALES, member=None)).when(Accept()).then_rejected("not-a-member")


def test_deal_12_what_is_delivered_says_where_it_is_and_by_whom() -> None:
    there = Deliver(reference="DOC-7")
    WAITING.by(PRESALES).when(there).then(DELIVERED)
    TAKEN.by(COLLEAGUE).when(there).then(DELIVERED)
    TAKEN.given(DELIVERED).by(PRESALES).when(there).then()
    TAKEN.given(DELIVERED).by(PRESALES).when(Deliver(reference="DOC-8")).then_rejected("not-in-this-state")


def test_deal_12_what_is_returned_is_asked_again_and_due_anew() -> None:
    back = TAKEN.given(RETURNED)
    TAKEN.by(PRESALES).when(ReturnToAsker(reason="Which lines?")).then(RETURNED)
    back.by(PRESALES).when(ReturnToAsker(reason="Which lines?")).then()
    asked = back.at(on("2026-03-18")).when(AskAgain(what=AGAIN.what)).then(AGAIN)
    assert (asked.state.due, asked.state.responsible, asked.state.is_told_overdue) == (AGAIN.due, None, False)
    back.given(AGAIN).when(AskAgain(what=AGAIN.what)).then()
    assert fields(back.when(AskAgain(what="?", needed_by=date(2026, 3, 2)))) == [("in-the-past", "needed_by")]


@pytest.mark.parametrize("before", [(), (ACCEPTED,), (RETURNED,)])
def test_deal_12_the_asker_withdraws_what_is_open(before: tuple[Any, ...]) -> None:
    WAITING.given(*before).when(Withdraw()).then(WITHDRAWN)
    WAITING.given(*before, WITHDRAWN).when(Withdraw()).then()


def test_deal_12_what_is_delivered_is_not_withdrawn() -> None:
    WAITING.given(DELIVERED).when(Withdraw()).then_rejected("not-in-this-state")


# -- late -------------------------------------------------------------------------------------------------------------


def timer_of(there: Scenario) -> datetime | None:
    running = support_request.timers_of(support_request.fold(there.history)).get("overdue")
    return running.due if running else None


def test_deal_12_a_passed_due_day_is_told_once_as_of_its_end() -> None:
    assert timer_of(WAITING) == timer_of(TAKEN) == ASKED.overdue_from
    late = WAITING.at(ASKED.overdue_from + timedelta(minutes=3))
    (told,) = late.when(NoteOverdue()).then(OVERDUE).facts
    assert told.at is not None
    assert told.at.at == ASKED.overdue_from
    (told,) = TAKEN.at(ASKED.overdue_from).when(NoteOverdue()).facts
    assert told.event.responsible == ANNA
    WAITING.at(ASKED.overdue_from - timedelta(microseconds=1)).when(NoteOverdue()).then()
    late.given(OVERDUE).when(NoteOverdue()).then()
    assert timer_of(late.given(OVERDUE)) is None


def test_deal_12_no_day_runs_for_what_does_not_wait_for_the_department() -> None:
    for ended in (RETURNED, DELIVERED, WITHDRAWN):
        assert timer_of(WAITING.given(ended)) is None
    assert timer_of(WAITING.given(OVERDUE, RETURNED, AGAIN)) == AGAIN.overdue_from


@pytest.mark.parametrize(
    ("day", "late"),
    [("2026-03-20", 0), ("2026-03-23", 0), ("2026-03-24", 1), ("2026-03-28", 4), ("2026-03-30", 5)],
)
def test_deal_12_delay_is_working_days_after_the_due_day(day: str, late: int) -> None:
    there = TAKEN.at(on(day)).by(PRESALES)
    for command in (Deliver(reference="DOC-7"), ReturnToAsker(reason="Which?")):
        assert there.when(command).facts[0].event.days_late == late
    assert there.by(SOMEBODY).when(Withdraw()).facts[0].event.days_late == late


def test_deal_12_delay_of_before_a_return_counts_and_the_time_with_the_asker_does_not() -> None:
    late = replace(RETURNED, on=date(2026, 3, 25), days_late=2)
    again = replace(AGAIN, on=date(2026, 4, 6), due=date(2026, 4, 13))
    back = TAKEN.given(OVERDUE, late)
    assert back.at(on("2026-04-06")).when(Withdraw()).facts[0].event.days_late == 2
    third = back.given(again).at(on("2026-04-14")).by(PRESALES).when(Deliver(reference="DOC-7"))
    assert third.facts[0].event.days_late == 3


# -- with the deal ----------------------------------------------------------------------------------------------------

OF_DEAL = replace(ASKED, support_request_id=FIRST, deal_name=OPENED.name, deal_id=ID, owner=OWNER, team=TEAM)
LATER = replace(OF_DEAL, support_request_id=SECOND, after_the_win=True)
BOTH = SupportOfDeal(requests=(support_request.fold([OF_DEAL]), support_request.fold([LATER, ACCEPTED])))
WON = DealWon(deal_id=ID, name=OPENED.name, on=TODAY, amount=eur("1"), stage="initial-contact")
LOST = DealLost(deal_id=ID, on=TODAY, amount=eur("1"), stage="initial-contact", reason="price")
ABANDONED = DealAbandoned(deal_id=ID, on=TODAY, amount=eur("1"), stage="initial-contact", reason="no-decision")
REOPENED = DealReopened(
    deal_id=ID,
    outcome_before="lost",
    on=TODAY,
    amount=eur("1"),
    stage="initial-contact",
    probability=OPENED.probability,
    category=OPENED.category,
)
HANDED = DealHandedOver(
    deal_id=ID, owner_before=OWNER, team_before=TEAM, owner=OTHER, team=OTHER_TEAM, reason="Territory"
)
THERE = THE_DEAL.given(replace(OPENED, account_id=ACCOUNT)).knowing(support=BOTH)


def told_of(outcome: Any) -> list[tuple[UUID, str]]:
    return [(each.to, getattr(each.event, "cause", type(each.event).__name__)) for each in outcome.facts]


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (LOST, [(FIRST, "deal-lost"), (SECOND, "deal-lost")]),
        (ABANDONED, [(FIRST, "deal-abandoned"), (SECOND, "deal-abandoned")]),
        (WON, [(FIRST, "deal-won")]),
    ],
)
def test_deal_12_open_help_goes_with_a_deal_that_ends(end: Any, expected: list[tuple[UUID, str]]) -> None:
    assert told_of(THERE.given(end).when(BringInLine())) == expected


def test_deal_12_what_was_reopened_before_anybody_looked_loses_nothing() -> None:
    THERE.given(LOST, REOPENED).when(BringInLine()).then()
    THERE.when(BringInLine()).then()


def test_deal_12_what_has_ended_stays_as_it_was() -> None:
    ended = SupportOfDeal(
        requests=(support_request.fold([OF_DEAL, DELIVERED]), support_request.fold([LATER, WITHDRAWN]))
    )
    THERE.given(LOST).knowing(support=ended).when(BringInLine()).then()


def test_deal_12_help_belongs_to_whom_the_deal_belongs_to_under_its_name() -> None:
    moved = SupportRequestDealChanged(
        support_request_id=FIRST, deal_name=OPENED.name, owner=OTHER, team=OTHER_TEAM, account_id=ACCOUNT
    )
    THERE.given(HANDED).when(BringInLine()).then(moved, replace(moved, support_request_id=SECOND))
    renamed = THERE.given(DealRenamed(deal_id=ID, name="Plant")).when(BringInLine())
    assert [each.event.deal_name for each in renamed.facts] == ["Plant", "Plant"]
    elsewhere = DealAccountChanged(deal_id=ID, account_before=None, account_id=OTHER_ACCOUNT, account_name=None)
    sold = THERE.given(elsewhere).when(BringInLine())
    assert [each.event.account_id for each in sold.facts] == [OTHER_ACCOUNT, OTHER_ACCOUNT]
    after = support_request.fold([OF_DEAL, ACCEPTED, moved])
    assert (after.owner, after.team, after.responsible) == (OTHER, OTHER_TEAM, ANNA)


def test_data_4_what_was_written_in_requests_goes_with_what_was_written_about_the_deal() -> None:
    gone = THERE.when(EraseTexts()).then(
        DealTextsErased(deal_id=ID),
        SupportRequestTextsErased(support_request_id=FIRST),
        SupportRequestTextsErased(support_request_id=SECOND),
    )
    assert [each.to for each in gone.facts] == [None, FIRST, SECOND]


FORGET = SupportRequestTextsErased(support_request_id=FIRST)
DONE = replace(DELIVERED, support_request_id=FIRST)
BACK = replace(RETURNED, support_request_id=FIRST)
GIVEN_UP = replace(WITHDRAWN, support_request_id=FIRST)


@pytest.mark.parametrize(
    ("history", "again"),
    [
        ((FORGET,), ()),
        ((ACCEPTED, DONE, FORGET), ()),
        ((FORGET, BACK, GIVEN_UP), (FORGET,)),  # why it was returned was written since, and stands in its history
        ((FORGET, DONE), (FORGET,)),
    ],
)
def test_data_4_what_is_written_afterwards_is_erased_by_the_next_command(
    history: tuple[Any, ...], again: tuple[Any, ...]
) -> None:
    support = SupportOfDeal(requests=(support_request.fold([OF_DEAL, *history]),))
    THERE.given(DealTextsErased(deal_id=ID)).knowing(support=support).when(EraseTexts()).then(*again)


@pytest.mark.parametrize(
    ("before", "left"),
    [
        ((), {"what": ""}),
        ((ACCEPTED, DONE), {"what": "", "reference": "", "responsible": ANNA}),
        ((BACK,), {"what": "", "reason": ""}),
    ],
)
def test_data_4_a_process_that_knows_the_texts_forgets_them(before: tuple[Any, ...], left: dict[str, Any]) -> None:
    state = support_request.evolve(support_request.fold([OF_DEAL, *before]), FORGET)
    assert {name: getattr(state, name) for name in left} == left


def asked_of_deal(event: Any, *, imported: bool = False) -> list[tuple[UUID, object]]:
    told = fact(event, imported=imported)
    asked = (do for reaction in reactions.of("log") for do in reaction.to(told))
    return [(do.aggregate_id, do.command) for do in asked if do.aggregate is deal]


def test_deal_12_the_deal_brings_its_requests_in_line_whenever_it_ends_or_changes_hands() -> None:
    elsewhere = DealAccountChanged(deal_id=ID, account_before=None, account_id=OTHER_ACCOUNT, account_name=None)
    for event in (WON, LOST, ABANDONED, HANDED, DealRenamed(deal_id=ID, name="Plant"), elsewhere):
        assert (ID, BringInLine()) in asked_of_deal(event)
        assert asked_of_deal(event, imported=True) == []
