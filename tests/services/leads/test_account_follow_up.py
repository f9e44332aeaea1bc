"""The follow-up of an account (ACCT-1), and who is reminded of it (DEAL-6): as of a lead's, by one rule."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.leads.domain.account import account
from services.leads.domain.account.following_up import PlanAccountFollowUp, RemindOfAccountFollowUp
from services.leads.domain.account.history import ImportAccount, ImportAccountFollowUp
from services.leads.domain.account.record import ChangeAccount, Neighbours
from services.leads.domain.policies import FOLLOW_UPS, WORKING_HOURS
from services.leads.domain.reminders import OwnerToday, RemindedToday
from shared.domain.context import service_actor
from shared.domain.policy import InForce
from shared.events.leads.account import (
    AccountChanged,
    AccountFollowUpPlanned,
    AccountFollowUpReminded,
    AccountHandedOver,
    AccountOpened,
)
from shared.events.leads.policy import FollowUps
from shared.events.reminders import PlannedReminder
from shared.testing.scenario import CONTEXT, Scenario, scenario
from tests.services.leads.known import HERE, NORTH, ROSA, SAM, SOUTH, TODAY, after, opened

OPEN = (
    scenario(account)
    .given(opened)
    .knowing(
        follow_ups=InForce(default=FOLLOW_UPS.default_of(CONTEXT.company), on=TODAY),
        hours=InForce(default=WORKING_HOURS.default_of(CONTEXT.company), on=TODAY),
        owner=OwnerToday(),
        reminded=RemindedToday(),
        neighbours=Neighbours(),
    )
)
FRIDAY = date(2026, 3, 20)
PLAN = PlanAccountFollowUp(on=FRIDAY, kind="visit")
FOLLOW_UP = CONTEXT.derived_id(f"follow-up {HERE}")
FIRST, AGAIN, LAST = (datetime(2026, 3, day, 9, tzinfo=UTC) for day in (20, 23, 25))
"""Of a follow-up that is due on Friday: as work starts on that day, on Monday and on Wednesday."""
PLANNED = AccountFollowUpPlanned(
    account_id=HERE,
    on=FRIDAY,
    kind="visit",
    follow_up_id=FOLLOW_UP,
    reminders=(
        PlannedReminder(level="owner", at=FIRST),
        PlannedReminder(level="again", at=AGAIN),
        PlannedReminder(level="manager", at=LAST),
    ),
    reminders_version=0,
)
NOTHING = AccountFollowUpPlanned(account_id=HERE, on=None)


def reminded(*levels: str, **more: Any) -> AccountFollowUpReminded:
    told: dict[str, Any] = {"on": FRIDAY, "follow_up_id": FOLLOW_UP, "name": "Northwind Tooling"} | more
    return AccountFollowUpReminded(account_id=HERE, levels=levels, **told)


TOLD = (PLANNED, reminded("owner"))


def due(*events: Any) -> datetime | None:
    """When the timer of these events runs."""
    timer = account.timers_of(after(account, opened, *events)).get("follow_up_reminder")
    return timer.due if timer else None


def system(moment: datetime, *events: Any) -> Scenario:
    return OPEN.given(*events).by(service_actor("leads")).at(moment)


def tells(moment: datetime, *events: Any, **known: Any) -> Sequence[str]:
    """At which levels somebody is reminded at an instant."""
    facts = system(moment, *events).knowing(**known).when(RemindOfAccountFollowUp()).facts
    return [level for fact in facts for level in fact.event.levels]


# -- planning ---------------------------------------------------------------------------------------------------------


def test_acct_1_the_next_follow_up_of_an_account_is_planned_or_explicitly_not() -> None:
    fresh = after(account, opened)
    assert (fresh.follow_up, fresh.follow_up_planned) == (None, False)
    state = OPEN.when(PLAN).then(PLANNED).state
    assert (state.follow_up, state.follow_up_kind, state.follow_up_planned) == (FRIDAY, "visit", True)
    none = OPEN.given(PLANNED).when(PlanAccountFollowUp(on=None)).then(NOTHING).state
    assert (none.follow_up, none.follow_up_kind, none.follow_up_planned) == (None, None, True)
    unsaid = OPEN.when(replace(PLAN, kind=None))
    unsaid.then(replace(PLANNED, kind=None))


def test_acct_1_the_same_follow_up_again_records_nothing() -> None:
    OPEN.given(PLANNED).when(PLAN).then()
    OPEN.given(NOTHING).when(PlanAccountFollowUp(on=None)).then()
    OPEN.given(PLANNED).when(replace(PLAN, kind="call")).then(replace(PLANNED, kind="call"))


def test_acct_1_all_that_is_wrong_with_a_follow_up_is_told_at_once() -> None:
    yesterday = TODAY - timedelta(days=1)
    OPEN.when(replace(PLAN, on=yesterday)).then_rejected("invalid-follow-up", "in-the-past")
    OPEN.when(PlanAccountFollowUp(on=None, kind="call")).then_rejected("invalid-follow-up", "nothing-planned")
    told = ImportAccountFollowUp(on=TODAY, planned_for=None, kind="call")
    OPEN.when(told).then_rejected("invalid-follow-up", "nothing-planned")


def test_acct_1_an_account_that_is_not_there_has_no_follow_up() -> None:
    replace(OPEN, history=()).when(PLAN).then_rejected("does-not-exist")


# -- being reminded ---------------------------------------------------------------------------------------------------


def test_deal_6_of_an_account_everybody_is_reminded_once_and_not_before_the_time() -> None:
    assert due(PLANNED) == FIRST
    assert due(*TOLD) == AGAIN
    system(FIRST, PLANNED).when(RemindOfAccountFollowUp()).then(reminded("owner"))
    assert tells(FIRST - timedelta(seconds=1), PLANNED) == []
    assert tells(FIRST, *TOLD) == []
    assert tells(LAST, *TOLD) == ["again", "manager"], "after a standstill"


def test_deal_6_where_nobody_is_to_be_reminded_of_an_account_nobody_is() -> None:
    silent = OPEN.knowing(follow_ups=InForce(default=FollowUps(reminders=False), on=TODAY))
    silent.when(PLAN).then(replace(PLANNED, follow_up_id=None, reminders=()))
    assert due(NOTHING) is None


@pytest.mark.parametrize("command", [PlanAccountFollowUp(on=date(2026, 3, 26)), PlanAccountFollowUp(on=None)], ids=repr)
def test_deal_6_what_is_planned_next_of_an_account_names_what_somebody_was_reminded_of(command: Any) -> None:
    (fact,) = OPEN.at(AGAIN).given(*TOLD).when(command).facts
    assert fact.event.reminded_follow_up == FOLLOW_UP
    assert tells(LAST, *TOLD, fact.event) == []
    (quiet,) = OPEN.at(AGAIN).given(PLANNED).when(command).facts
    assert quiet.event.reminded_follow_up is None


def test_deal_6_while_the_owner_of_an_account_is_away_whoever_leads_them_is_told_at_once() -> None:
    """ORG-1."""
    away = OwnerToday(is_away=True)
    assert tells(FIRST, PLANNED, owner=away) == ["owner", "manager"]
    assert tells(FIRST - timedelta(seconds=1), PLANNED, owner=away) == []
    assert due(PLANNED, reminded("owner", "manager")) == AGAIN
    assert tells(AGAIN, PLANNED, reminded("owner", "manager"), owner=away) == ["again"]
    assert tells(AGAIN, *TOLD, owner=away) == ["again", "manager"], "who went away meanwhile"


# -- whose account it is, and what it is called -----------------------------------------------------------------------


def over(owner: UUID, team: UUID, **more: Any) -> AccountHandedOver:
    before: dict[str, Any] = {"owner_before": ROSA, "team_before": SOUTH}
    return AccountHandedOver(account_id=HERE, owner=owner, team=team, **before, **more)


def test_deal_6_whoever_keeps_an_account_from_now_on_is_reminded_of_what_is_due() -> None:
    told = (*TOLD, reminded("again"), reminded("manager"))
    assert due(*told, over(SAM, SOUTH)) == FIRST, "at once"
    assert tells(LAST, *told, over(SAM, SOUTH)) == ["owner", "again"]
    assert tells(LAST, *told, over(SAM, NORTH)) == ["owner", "again", "manager"], "who leads there does not know"
    assert due(*told, over(ROSA, SOUTH)) is None, "who kept it before"
    again = AccountOpened(account_id=HERE, name="Northwind Tooling", owner=SAM, said=("name", "owner"))
    assert due(*told, again) == FIRST, "so it turns out"


def test_deal_6_a_newer_export_that_hands_an_account_over_names_what_somebody_was_reminded_of() -> None:
    """DATA-5: whoever kept it need not know any longer."""
    export = ImportAccount(on=AGAIN.date(), name="Northwind Tooling", owner=SAM)
    importing = OPEN.at(AGAIN).by(service_actor("import")).knowing(reminded=RemindedToday(follow_up=FOLLOW_UP))
    handed = importing.given(*TOLD).when(export).facts[-1].event
    assert handed == replace(over(SAM, SOUTH), team=None, said=("owner",), reminded_follow_up=FOLLOW_UP)
    earlier = importing.when(export).facts[-1].event
    assert earlier.reminded_follow_up is None, "what was planned later stays"


def test_deal_6_an_account_that_is_called_otherwise_names_what_anybody_was_ever_reminded_of() -> None:
    other = UUID(int=9)
    told = (*TOLD, replace(PLANNED, follow_up_id=other), reminded("owner", follow_up_id=other))
    named = OPEN.given(*told).when(ChangeAccount(name="Northwind")).facts[0].event
    assert named.reminded_follow_ups == (FOLLOW_UP, other)
    grown = OPEN.given(*told).when(ChangeAccount(size=7)).facts[0].event
    unnoticed = OPEN.given(PLANNED).when(ChangeAccount(name="Northwind")).facts[0].event
    assert {grown.reminded_follow_ups, unnoticed.reminded_follow_ups} == {None}


# -- history ----------------------------------------------------------------------------------------------------------


def test_data_5_people_are_reminded_of_an_imported_follow_up_of_an_account_that_lies_ahead() -> None:
    """DEAL-6."""
    told = ImportAccountFollowUp(on=TODAY - timedelta(days=9), planned_for=FRIDAY, kind="visit")
    importing = OPEN.by(service_actor("import"))
    importing.when(told).then(PLANNED)
    past = replace(told, planned_for=TODAY - timedelta(days=1))
    over = importing.when(past)
    over.then(AccountFollowUpPlanned(account_id=HERE, on=past.planned_for, kind="visit"))
    assert over.state.follow_up == past.planned_for
    importing.when(replace(told, planned_for=None, kind=None)).then(NOTHING)


def test_data_5_an_imported_follow_up_takes_the_place_of_one_that_stood_then() -> None:
    told = ImportAccountFollowUp(on=AGAIN.date(), planned_for=date(2026, 4, 1))
    importing = OPEN.at(AGAIN).by(service_actor("import")).knowing(reminded=RemindedToday(follow_up=FOLLOW_UP))
    assert importing.given(*TOLD).when(told).facts[0].event.reminded_follow_up == FOLLOW_UP
    assert importing.when(told).facts[0].event.reminded_follow_up is None, "a later one stays"
    corrected = importing.knowing(reminded=RemindedToday(follow_up=FOLLOW_UP, is_corrected=True))
    assert corrected.when(told).facts[0].event.reminded_follow_up == FOLLOW_UP


def test_data_5_what_an_account_is_called_in_an_export_renames_no_notice() -> None:
    export = ImportAccount(on=AGAIN.date(), name="Northwind")
    changed = OPEN.at(AGAIN).by(service_actor("import")).given(*TOLD).when(export).facts[0].event
    assert isinstance(changed, AccountChanged)
    assert changed.reminded_follow_ups is None
