"""PROC-4: revenue targets."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from services.deals.domain.target import ChangeTarget, ImportTarget, NoTarget, Seat, SetTarget, target
from shared.domain.aggregate import Claim
from shared.domain.context import Moment
from shared.events.deals.target import TargetSet
from shared.testing.scenario import CONTEXT, scenario
from tests.services.deals.facts import OWNER, TEAM, eur, usd

ID = CONTEXT.aggregate_id
THE_TARGET = scenario(target).knowing(seat=Seat(team=TEAM))
COMPANY = SetTarget(period="2026-Q4", level="company", amount=eur("1600000"))
REP = SetTarget(period="2026-11", level="rep", amount=eur("100000"), team=TEAM, member=OWNER)
SET = TargetSet(target_id=ID, period="2026-Q4", kind="revenue", level="company", amount=eur("1600000.00"))
CHANGED = TargetSet(
    target_id=ID,
    period="2026-Q4",
    kind="revenue",
    level="company",
    amount=eur("1500000"),
    before=eur("1600000"),
)


def test_proc_4_a_company_target_is_set_for_a_period() -> None:
    THE_TARGET.when(COMPANY).then(SET)


def test_proc_4_a_reps_target_names_the_rep_and_the_team() -> None:
    outcome = THE_TARGET.when(REP)
    assert (outcome.state.team, outcome.state.owner) == (TEAM, OWNER)


def test_proc_4_setting_it_again_records_nothing_and_another_amount_is_refused() -> None:
    THE_TARGET.given(SET).when(COMPANY).then()
    THE_TARGET.given(SET).when(replace(COMPANY, amount=eur("1"))).then_rejected("not-in-this-state")


@pytest.mark.parametrize("period", ["2026", "2026-01", "2026-12", "2026-Q1", "2026-Q4"])
def test_proc_4_periods_are_years_months_and_quarters(period: str) -> None:
    assert THE_TARGET.when(replace(COMPANY, period=period)).rejected is None


@pytest.mark.parametrize(
    "period",
    [
        "",
        "26",
        "0000",
        "1899-Q4",
        "9000-01",
        "2026-13",
        "2026-Q5",
        "2026-1",
        "Q4-2026",
        "2026-Q4 ",
        "2026\n",
        "٢٠٢٦",
        "٢٠٢٦-11",
    ],
)
def test_proc_4_other_periods_are_refused(period: str) -> None:
    THE_TARGET.when(replace(COMPANY, period=period)).then_rejected("invalid-target", "invalid-period")


def test_proc_4_level_team_and_member_have_to_agree_and_every_fault_is_named() -> None:
    THE_TARGET.when(replace(COMPANY, team=TEAM)).then_rejected("invalid-target", "team-and-level")
    THE_TARGET.when(replace(COMPANY, level="team")).then_rejected("invalid-target", "team-and-level")
    THE_TARGET.when(replace(REP, member=None)).then_rejected("invalid-target", "member-and-level")
    THE_TARGET.when(replace(COMPANY, period="x", level="rep")).then_rejected(
        "invalid-target", "invalid-period", "team-and-level", "member-and-level"
    )


@pytest.mark.parametrize("seat", [Seat(), Seat(team=OWNER)])
def test_proc_4_a_rep_sits_in_the_team_that_their_target_names(seat: Seat) -> None:
    elsewhere = THE_TARGET.knowing(seat=seat)
    elsewhere.when(REP).then_rejected("invalid-target", "member-not-in-team")
    elsewhere.when(replace(REP, period="x")).then_rejected("invalid-target", "invalid-period", "member-not-in-team")
    assert elsewhere.when(COMPANY).rejected is None
    assert elsewhere.when(replace(REP, level="team", member=None)).rejected is None
    past = ImportTarget(on=date(2025, 12, 1), period="2026", level="rep", amount=eur("1"), team=TEAM, member=OWNER)
    assert elsewhere.when(past).rejected is None, "people sat elsewhere then"


def test_proc_4_a_rep_of_whom_nothing_is_known_is_refused_for_that_alone() -> None:
    assert THE_TARGET.knowing(seat=Seat(is_known=False)).when(REP).rejected is None


def test_proc_4_a_target_is_above_zero() -> None:
    THE_TARGET.when(replace(COMPANY, amount=eur("0"))).then_rejected("not-positive")


def test_proc_4_all_that_is_wrong_with_a_target_is_told_at_once() -> None:
    wrong = replace(COMPANY, period="x", amount=usd("-1"))
    THE_TARGET.when(wrong).then_rejected("invalid-target", "invalid-period", "other-currency", "not-positive")
    THE_TARGET.given(SET).when(ChangeTarget(amount=usd("-1"))).then_rejected(
        "other-currency", "other-currency", "not-positive"
    )


def test_proc_4_a_target_is_in_the_companys_currency() -> None:
    for told in (
        THE_TARGET.when(replace(COMPANY, amount=usd("1"))),
        THE_TARGET.given(SET).when(ChangeTarget(amount=usd("1"))),
    ):
        told.then_rejected("other-currency")
        assert told.rejected is not None
        (reason,) = told.rejected.reasons
        assert (reason.field, "the company's currency, EUR" in reason.message) == ("amount.currency", True)


def test_proc_4_a_changed_target_keeps_what_it_was() -> None:
    THE_TARGET.given(SET).when(ChangeTarget(amount=eur("1500000"))).then(CHANGED)
    THE_TARGET.given(SET, CHANGED).when(ChangeTarget(amount=eur("1500000.00"))).then()
    THE_TARGET.when(ChangeTarget(amount=eur("1"))).then_rejected("does-not-exist")


def test_proc_4_there_is_one_target_for_a_period_a_level_and_a_person() -> None:
    assert target.claims_of(target.fold([SET])) == {Claim(kind="target", key="revenue/2026-Q4/company/")}
    of_rep = THE_TARGET.when(REP).state
    assert target.claims_of(of_rep) == {Claim(kind="target", key=f"revenue/2026-11/rep/{OWNER}")}
    assert target.claims_of(NoTarget()) == frozenset()


def test_data_5_a_target_of_the_past_was_set_on_its_day() -> None:
    imported = ImportTarget(on=date(2025, 12, 1), period="2026-Q4", level="company", amount=eur("1600000"))
    outcome = THE_TARGET.when(imported).then(SET)
    assert outcome.facts[0].at == Moment(datetime(2025, 12, 1, 23, 59, 59, 999999, tzinfo=UTC), by_day=True)
    again = THE_TARGET.given(SET).when(replace(imported, amount=eur("1700000")))
    assert (again.facts[0].event.before, again.state.amount) == (eur("1600000"), eur("1700000"))
    THE_TARGET.given(SET).when(replace(imported, period="2026-Q3")).then_rejected("says-otherwise")
