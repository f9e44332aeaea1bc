"""DEAL-1: how a deal begins."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from services.deals.domain.deal.opening import LineWanted, OpenConvertedDeal, OpenNewDeal
from services.deals.domain.deal.state import OpenDeal
from shared.domain.context import Company
from shared.events.deals.deal import DealAmountChanged, DealHandedOver, DealLine, DealOpened, DealRenamed, DealWon
from shared.events.deals.deal_edit import DealClassified
from shared.events.money import Money
from tests.services.deals.facts import (
    ACCOUNT,
    ID,
    LEAD,
    OPENED,
    OTHER,
    OTHER_TEAM,
    OWNER,
    REP,
    RETIRED,
    SERVER,
    TEAM,
    THE_DEAL,
    TODAY,
    UNKNOWN,
    eur,
    usd,
    yen,
)

OPEN = OpenNewDeal(
    name="Servers for the new plant",
    amount=eur("120000"),
    expected_close=date(2026, 6, 30),
    source="referral",
)
CAPTURED = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
CONVERTED = OpenConvertedDeal(
    name="Servers",
    lead_id=LEAD,
    captured_at=CAPTURED,
    account_id=ACCOUNT,
    source="web",
    owner=OWNER,
    team=TEAM,
    amount=eur("90000"),
)


def opened_with(*lines: LineWanted, amount: Money | None = None) -> DealOpened:
    outcome = THE_DEAL.when(replace(OPEN, amount=amount, lines=lines))
    (fact,) = outcome.facts
    assert isinstance(fact.event, DealOpened)
    return fact.event


def test_deal_1_a_deal_that_was_renamed_since_is_opened_already() -> None:
    began = opened_with(amount=OPEN.amount)
    THE_DEAL.given(began, DealRenamed(deal_id=began.deal_id, name="Both plants")).when(OPEN).then()


def test_deal_1_a_wrong_amount_hides_no_other_fault() -> None:
    wrong = replace(OPEN, amount=eur("-1"), expected_close=date(2020, 1, 1))
    THE_DEAL.when(wrong).then_rejected("invalid-deal", "in-the-past", "negative")


def test_deal_1_a_deal_opens_in_the_first_stage_of_the_chosen_process() -> None:
    THE_DEAL.when(OPEN).then(OPENED)


def test_deal_1_the_rule_that_chose_the_process_is_recorded() -> None:
    assert opened_with().process_rule == "default"


def test_deal_1_owner_and_team_are_those_of_the_asking_member() -> None:
    outcome = THE_DEAL.by(REP).when(OPEN)
    assert (outcome.state.owner, outcome.state.team) == (OWNER, TEAM)


def test_deal_1_somebody_from_operations_opens_for_others() -> None:
    outcome = THE_DEAL.when(replace(OPEN, owner=OTHER, team=OTHER_TEAM))
    assert (outcome.state.owner, outcome.state.team) == (OTHER, OTHER_TEAM)


def test_deal_1_what_a_converted_lead_names_is_a_fact() -> None:
    THE_DEAL.when(CONVERTED).then(
        replace(
            OPENED,
            name="Servers",
            amount=eur("90000"),
            expected_close=None,
            account_id=ACCOUNT,
            lead_id=LEAD,
            captured_at=CAPTURED,
            source="web",
        )
    )


def test_deal_1_a_line_without_price_has_the_list_price() -> None:
    wanted = LineWanted(product_id=SERVER, quantity=Decimal(3))
    assert opened_with(wanted).lines == (DealLine(product_id=SERVER, quantity=Decimal(3), price=eur("4800")),)


def test_deal_1_without_an_amount_the_lines_are_added_up_to_the_cent() -> None:
    lines = (
        LineWanted(product_id=SERVER, quantity=Decimal(2)),
        LineWanted(product_id=SERVER, quantity=Decimal("0.333"), price=eur("10")),
    )
    assert opened_with(*lines).amount == eur("9603.33")


@pytest.mark.parametrize("quantity", ["0", "-1", "1000000000.1", "9" * 30, "0.0000001", "9" * 40 + ".1"])
def test_deal_1_a_quantity_that_cannot_be_is_refused_with_its_position(quantity: str) -> None:
    wanted = replace(OPEN, amount=None, lines=(LineWanted(product_id=SERVER, quantity=Decimal(quantity)),))
    outcome = THE_DEAL.when(wanted).then_rejected("invalid-deal", "invalid-quantity")
    assert outcome.rejected is not None
    assert outcome.rejected.reasons[0].field == "lines.0.quantity"


def test_deal_1_a_price_below_zero_is_refused_with_its_position() -> None:
    wanted = replace(OPEN, lines=(LineWanted(product_id=SERVER, quantity=Decimal(1), price=eur("-0.01")),))
    outcome = THE_DEAL.when(wanted).then_rejected("invalid-deal", "negative")
    assert outcome.rejected is not None
    assert outcome.rejected.reasons[0].field == "lines.0.price.amount"


def test_deal_1_a_sum_out_of_range_is_refused_as_the_amount() -> None:
    line = LineWanted(product_id=SERVER, quantity=Decimal(10**9), price=eur("999999999999999"))
    outcome = THE_DEAL.when(replace(OPEN, amount=None, lines=(line,) * 200)).then_rejected("out-of-range")
    assert outcome.rejected is not None
    assert outcome.rejected.reasons[0].field == "amount.amount"


def test_deal_1_a_stated_amount_stands_over_the_lines() -> None:
    assert opened_with(LineWanted(product_id=SERVER, quantity=Decimal(2)), amount=eur("9000")).amount == eur("9000")


def test_deal_1_without_lines_and_amount_it_is_worth_nothing_yet() -> None:
    assert opened_with().amount == eur("0")


def test_deal_1_everything_wrong_with_an_opening_is_named_at_once() -> None:
    lines = (
        LineWanted(product_id=SERVER, quantity=Decimal("0.1234567")),
        LineWanted(product_id=RETIRED, quantity=Decimal(1)),
    )
    outcome = THE_DEAL.when(replace(OPEN, expected_close=date(2026, 3, 15), lines=lines)).then_rejected(
        "invalid-deal", "in-the-past", "invalid-quantity", "inactive-product"
    )
    assert outcome.rejected is not None
    assert [reason.field for reason in outcome.rejected.reasons] == [
        "expected_close",
        "lines.0.quantity",
        "lines.1.product_id",
    ]


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (Money(amount=Decimal(1), currency="XAU"), "unknown-currency"),
        (Money(amount=Decimal(1), currency="usd"), "unknown-currency"),
        (Money(amount=Decimal(1), currency="EURO"), "unknown-currency"),
        (eur("0.001"), "too-many-decimals"),
        (yen("0.1"), "too-many-decimals"),
        (eur("-1"), "negative"),
        (eur("1000000000000000"), "out-of-range"),
    ],
)
def test_deal_1_an_amount_that_cannot_be_is_refused(amount: Money, code: str) -> None:
    THE_DEAL.when(replace(OPEN, amount=amount)).then_rejected(code)
    THE_DEAL.when(replace(CONVERTED, amount=amount)).then_rejected(code)


@pytest.mark.parametrize(("told", "kept"), [(usd("1.5"), "1.50"), (yen("120000"), "120000")])
def test_deal_1_an_amount_is_in_any_currency_with_its_decimals(told: Money, kept: str) -> None:
    assert str(opened_with(amount=told).amount) == f"{kept} {told.currency}"
    assert THE_DEAL.when(replace(CONVERTED, amount=told)).facts[0].event.amount == told


def test_deal_1_lines_of_another_currency_than_the_amounts_are_each_named() -> None:
    lines = tuple(LineWanted(product_id=SERVER, quantity=Decimal(1), price=price) for price in (eur("1"), usd("1")))
    outcome = THE_DEAL.when(replace(OPEN, lines=lines)).then_rejected("invalid-deal", "other-currency")
    assert outcome.rejected is not None
    (reason,) = outcome.rejected.reasons
    assert (reason.field, "the deal's currency, EUR" in reason.message) == ("lines.1.price.currency", True)
    outcome = THE_DEAL.when(replace(OPEN, amount=yen("1"), lines=lines)).then_rejected(
        "invalid-deal", "other-currency", "other-currency"
    )


def test_deal_1_a_price_that_is_no_amount_is_named_with_all_else() -> None:
    line = LineWanted(product_id=SERVER, quantity=Decimal(1), price=Money(amount=Decimal(1), currency="XAU"))
    THE_DEAL.when(replace(OPEN, lines=(line, replace(line, price=eur("0.001"))))).then_rejected(
        "invalid-deal", "unknown-currency", "too-many-decimals"
    )


def test_deal_1_a_list_price_of_another_currency_is_no_price_of_the_deal() -> None:
    line = LineWanted(product_id=SERVER, quantity=Decimal(1))
    outcome = THE_DEAL.when(replace(OPEN, amount=usd("5000"), lines=(line,))).then_rejected(
        "invalid-deal", "other-currency"
    )
    assert outcome.rejected is not None
    (reason,) = outcome.rejected.reasons
    assert reason.field == "lines.0.price.currency"
    assert reason.message.startswith(f"Server has no list price in USD on {TODAY}")
    assert opened_with(replace(line, price=usd("4900")), amount=usd("5000")).lines[0].price == usd("4900.00")


def test_deal_1_without_an_amount_the_lines_are_added_up_in_their_currency() -> None:
    lines = (
        LineWanted(product_id=SERVER, quantity=Decimal("0.5"), price=yen("5")),
        LineWanted(product_id=SERVER, quantity=Decimal(1), price=yen("100")),
    )
    assert opened_with(*lines).amount == yen("103")
    mixed = replace(OPEN, amount=None, lines=(lines[0], LineWanted(product_id=SERVER, quantity=Decimal(1))))
    THE_DEAL.when(mixed).then_rejected("invalid-deal", "other-currency")


def test_deal_1_nothing_yet_is_nothing_in_the_companys_currency() -> None:
    in_dollars = replace(THE_DEAL, context=replace(THE_DEAL.context, company=Company(currency="USD")))
    assert in_dollars.when(replace(OPEN, amount=None)).facts[0].event.amount == usd("0")
    assert in_dollars.when(replace(CONVERTED, amount=None)).facts[0].event.amount == usd("0")


def test_deal_1_opening_again_with_equal_content_records_nothing_even_later() -> None:
    THE_DEAL.given(OPENED).when(OPEN).then()
    changed = DealAmountChanged(deal_id=ID, before=eur("120000"), amount=eur("1"), on=TODAY)
    handed = DealHandedOver(deal_id=ID, owner_before=OWNER, team_before=TEAM, owner=OTHER, team=TEAM)
    won = DealWon(deal_id=ID, on=TODAY, amount=eur("1"), stage="initial-contact", name=OPENED.name)
    THE_DEAL.given(OPENED, changed, handed, won).when(OPEN).then()
    edited = DealClassified(deal_id=ID, source="fair", industry=None)
    THE_DEAL.given(OPENED, edited).when(OPEN).then()


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Other"},
        {"amount": eur("1")},
        {"expected_close": None},
        {"owner": OTHER},
        {"account_id": ACCOUNT},
        {"lines": (LineWanted(product_id=SERVER, quantity=Decimal(1)),)},
    ],
    ids=lambda other: next(iter(other)),
)
def test_deal_1_opening_again_with_other_content_is_refused(other: dict[str, object]) -> None:
    THE_DEAL.given(OPENED).when(replace(OPEN, **other)).then_rejected("not-in-this-state")  # type: ignore[arg-type]


def test_deal_1_a_converted_lead_becomes_a_deal_that_remembers_it() -> None:
    outcome = THE_DEAL.when(CONVERTED)
    event = outcome.facts[0].event
    assert (event.lead_id, event.captured_at, event.account_id) == (LEAD, CAPTURED, ACCOUNT)
    assert (event.stage, event.amount) == ("initial-contact", eur("90000"))
    assert isinstance(outcome.state, OpenDeal)
    THE_DEAL.given(event).when(CONVERTED).then()
    THE_DEAL.given(event).when(replace(CONVERTED, lead_id=UNKNOWN)).then_rejected("not-in-this-state")


def test_deal_1_a_lead_without_an_amount_makes_a_deal_worth_nothing_yet() -> None:
    assert THE_DEAL.when(replace(CONVERTED, amount=None)).state.amount == eur("0")


def test_deal_2_the_tasks_of_the_first_stage_fall_due_by_working_days() -> None:
    due = {node.key: node.due for node in opened_with().nodes}
    assert due == {
        "first-conversation": date(2026, 3, 23),  # five working days after a Monday
        "background-research": date(2026, 3, 23),
        "contact-record": date(2026, 4, 3),  # the stage's fourteen days, by default
    }
