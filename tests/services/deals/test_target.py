"""PROC-4: targets of money, counts and shares, and their splits."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from services.deals.domain.target import (
    MOST,
    SHARE_KINDS,
    ChangeTarget,
    ImportTarget,
    NoTarget,
    PlaceInSplits,
    Seat,
    SetTarget,
    target,
)
from services.deals.domain.target_split import COMPANY as THE_COMPANY
from services.deals.domain.target_split import TargetSplit, whole_of, widens
from shared.domain.aggregate import Claim
from shared.domain.context import Moment
from shared.events.deals.target import TargetNumberSet, TargetPartSet, TargetSet
from shared.testing.scenario import CONTEXT, scenario
from tests.services.deals.facts import OWNER, TEAM, eur, usd

ID = CONTEXT.aggregate_id
THE_TARGET = scenario(target).knowing(seat=Seat(team=TEAM), place=PlaceInSplits())
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


# -- counts and shares ------------------------------------------------------------------------------------------------

WINS = SetTarget(period="2026-11", level="rep", kind="won-deals", number=Decimal(5), team=TEAM, member=OWNER)
WINS_SET = TargetNumberSet(
    target_id=ID, period="2026-11", kind="won-deals", level="rep", number=Decimal(5), team=TEAM, member=OWNER
)


def test_proc_4_what_is_counted_has_a_number_and_says_who_answers_for_it() -> None:
    told = replace(WINS, responsible=OWNER, source="deals", review="monthly")
    THE_TARGET.when(told).then(replace(WINS_SET, responsible=OWNER, source="deals", review="monthly"))
    THE_TARGET.given(WINS_SET).when(WINS).then()
    THE_TARGET.given(WINS_SET).when(told).then_rejected("not-in-this-state")
    assert target.claims_of(target.fold([WINS_SET])) == {Claim(kind="target", key=f"won-deals/2026-11/rep/{OWNER}")}


@pytest.mark.parametrize("kind", SHARE_KINDS)
def test_proc_4_a_share_is_a_part_of_one_or_may_be_more(kind: str) -> None:
    share = SetTarget(period="2026-11", level="company", kind=kind, number=Decimal("0.4"))  # type: ignore[arg-type]
    assert THE_TARGET.when(share).rejected is None
    assert THE_TARGET.when(replace(share, number=MOST[kind])).rejected is None
    for wrong in (Decimal(0), Decimal("-0.4"), MOST[kind] + Decimal("0.0001")):
        told = THE_TARGET.when(replace(share, number=wrong)).then_rejected("invalid-target", "out-of-range")
        assert told.rejected is not None
        assert told.rejected.reasons[0].field == "number"
    THE_TARGET.when(replace(share, number=Decimal("0.00001"))).then_rejected("invalid-target", "too-many-decimals")


def test_proc_4_a_count_is_whole() -> None:
    THE_TARGET.when(replace(WINS, number=Decimal("4.5"))).then_rejected("invalid-target", "too-many-decimals")


def test_proc_4_money_and_numbers_are_not_taken_for_each_other() -> None:
    for told, fields in (
        (THE_TARGET.when(replace(WINS, number=None)), ["number"]),
        (THE_TARGET.when(replace(WINS, amount=eur("5"))), ["amount"]),
        (THE_TARGET.when(replace(COMPANY, number=Decimal(5))), ["number"]),
        (THE_TARGET.when(replace(COMPANY, amount=None)), ["amount"]),
        (THE_TARGET.when(replace(COMPANY, amount=None, number=Decimal(5))), ["amount", "number"]),
        (THE_TARGET.given(WINS_SET).when(ChangeTarget(amount=eur("5"))), ["number", "amount"]),
        (THE_TARGET.given(SET).when(ChangeTarget()), ["amount"]),
    ):
        told.then_rejected("invalid-target", *["unit-and-kind"] * len(fields))
        assert told.rejected is not None
        assert [reason.field for reason in told.rejected.reasons] == fields


def test_proc_4_a_changed_number_keeps_what_it_was_and_who_answers_for_it() -> None:
    given = replace(WINS_SET, responsible=OWNER, review="monthly")
    changed = replace(given, number=Decimal(6), before=Decimal(5))
    THE_TARGET.given(given).when(ChangeTarget(number=Decimal(6))).then(changed)
    THE_TARGET.given(given).when(ChangeTarget(number=Decimal("5.0"))).then()


def test_data_5_another_amount_of_the_past_leaves_who_answers_for_it() -> None:
    imported = ImportTarget(on=date(2025, 12, 1), period="2026-Q4", level="company", amount=eur("1"))
    outcome = THE_TARGET.given(replace(SET, responsible=OWNER)).when(imported)
    assert (outcome.facts[0].event.responsible, outcome.state.responsible) == (OWNER, OWNER)


# -- splits -----------------------------------------------------------------------------------------------------------

WHOLE = UUID(int=77)
NORTH, SOUTH, TOP = UUID(int=1), UUID(int=2), UUID(int=3)


def split(whole: int | None, *parts: int) -> TargetSplit:
    return TargetSplit(whole=None if whole is None else Decimal(whole), parts=[Decimal(part) for part in parts])


@pytest.mark.parametrize(
    ("whole", "parts", "difference", "excess"),
    [(100, [40, 60], 0, 0), (100, [40], 60, 0), (100, [40, 70], -10, 10), (None, [40], None, 0), (100, [], 100, 0)],
)
def test_proc_4_a_split_shows_what_no_part_has(
    whole: int | None, parts: list[int], difference: int | None, excess: int
) -> None:
    found = split(whole, *parts)
    assert found.sum == sum(parts)
    assert found.difference == (None if difference is None else Decimal(difference))
    assert found.excess == excess


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (split(100, 40), split(100, 40, 60), False),
        (split(100, 40), split(100, 40, 61), True),
        (split(100, 150), split(100, 140), False),
        (split(100, 150), split(100, 151), True),
        (split(None, 40), split(None, 400), False),
        (split(None, 40), split(30, 40), True),
    ],
)
def test_proc_4_a_change_that_brings_parts_nearer_to_their_whole_is_welcome(
    before: TargetSplit, after: TargetSplit, expected: bool
) -> None:
    assert widens(before, after) is expected


def test_proc_4_a_company_consists_of_its_topmost_teams_and_a_team_of_those_below_and_its_reps() -> None:
    above = {NORTH: TOP}
    assert whole_of("company", None, above) is None
    assert whole_of("team", TOP, above) == THE_COMPANY
    assert whole_of("team", NORTH, above) == ("team", TOP)
    assert whole_of("rep", NORTH, above) == ("team", NORTH)


def place(whole: str | None = None, others: tuple[str, ...] = (), parts: tuple[str, ...] = ()) -> PlaceInSplits:
    return PlaceInSplits(
        is_guarded=True,
        whole=None if whole is None else WHOLE,
        whole_value=None if whole is None else Decimal(whole),
        others=tuple(map(Decimal, others)),
        parts=tuple(map(Decimal, parts)),
    )


def test_proc_4_a_part_is_noted_in_its_whole_where_parts_may_not_exceed_it() -> None:
    outcome = THE_TARGET.knowing(place=place("300000", ("200000",))).when(REP)
    _, noted = outcome.facts
    assert (noted.to, noted.event) == (
        WHOLE,
        TargetPartSet(target_id=WHOLE, part=ID),
    )


def test_proc_4_parts_that_exceed_their_whole_are_refused_with_the_numbers() -> None:
    told = THE_TARGET.knowing(place=place("299999.99", ("200000",))).when(REP).then_rejected("split-exceeded")
    assert told.rejected is not None
    (reason,) = told.rejected.reasons
    assert reason.field == "amount.amount"
    assert {name: Decimal(value) for name, value in reason.details.items()} == {
        "whole": Decimal("299999.99"),
        "parts": Decimal(300000),
        "excess": Decimal("0.01"),
    }


def test_proc_4_a_whole_is_not_set_below_its_parts_and_an_excess_may_shrink() -> None:
    guarded = THE_TARGET.knowing(place=place(None, (), ("1000000", "600001")))
    guarded.when(COMPANY).then_rejected("split-exceeded")
    guarded.given(SET).when(ChangeTarget(amount=eur("1600000.50"))).then(
        replace(SET, amount=eur("1600000.50"), before=SET.amount)
    )
    guarded.given(SET).when(ChangeTarget(amount=eur("1500000"))).then_rejected("split-exceeded")


def test_proc_4_without_the_policy_and_without_a_whole_every_part_counts() -> None:
    THE_TARGET.when(COMPANY).then(SET)
    assert len(THE_TARGET.knowing(place=place(None, ("9999999",))).when(REP).facts) == 1


def test_proc_4_a_whole_knows_the_parts_that_were_noted_in_it() -> None:
    noted = TargetPartSet(target_id=ID, part=WHOLE)
    state = target.fold([SET, noted, CHANGED])
    assert state.parts == {WHOLE}
    assert target.fold([noted]) == NoTarget()
