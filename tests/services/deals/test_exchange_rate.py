"""Exchange rates: what is published, corrected and refused, and what a deal in another currency is worth to a gate."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from services.deals.domain.deal.changes import UpdateDeal
from services.deals.domain.deal.stages import MoveDeal
from services.deals.domain.exchange_rate import (
    Conversion,
    ImportExchangeRates,
    PublishedExchangeRate,
    PublishExchangeRates,
    exchange_rate,
    table_of,
)
from services.deals.domain.process.short import SHORT
from services.deals.domain.process.state import Process
from shared.domain.context import Moment
from shared.domain.retraction import RetractFacts
from shared.events.criteria import Criterion, Predicate
from shared.events.deals.exchange_rate import ExchangeRate, ExchangeRateFactRetracted, ExchangeRatesPublished
from shared.events.money import Money
from shared.testing.scenario import CONTEXT, NOW, scenario
from tests.services.deals.facts import FRIDAY, ID, OPENED, PROCESS, THE_DEAL, TODAY

TABLE = table_of("EUR", FRIDAY)
THE_TABLE = scenario(exchange_rate)


def rates(**rates: str) -> tuple[ExchangeRate, ...]:
    return tuple(ExchangeRate(currency=currency, rate=Decimal(rate)) for currency, rate in rates.items())


def published(**named: str) -> ExchangeRatesPublished:
    return ExchangeRatesPublished(table_id=TABLE, base="EUR", on=FRIDAY, rates=rates(**named))


PUBLISH = PublishExchangeRates(base="EUR", on=FRIDAY, rates=rates(USD="1.1607", JPY="180.93"))
PUBLISHED = published(JPY="180.93", USD="1.1607")


# -- what is published ------------------------------------------------------------------------------------------------


def test_the_rates_of_a_day_are_published_as_of_that_day() -> None:
    outcome = THE_TABLE.when(PUBLISH).then(PUBLISHED)
    assert outcome.facts[0].at == Moment(datetime(2026, 3, 13, 23, 59, 59, 999999, tzinfo=UTC), by_day=True)
    today = THE_TABLE.when(replace(PUBLISH, on=TODAY))
    assert today.facts[0].at == Moment(NOW)
    assert outcome.state == PublishedExchangeRate(id=TABLE, base="EUR", on=FRIDAY, rates=PUBLISHED.rates)


def test_a_correction_tells_what_changed_and_leaves_the_others() -> None:
    corrected = replace(PUBLISH, rates=rates(USD="1.1608", JPY="180.930", CHF="0.93"))
    outcome = THE_TABLE.given(PUBLISHED).when(corrected).then(published(CHF="0.93", USD="1.1608"))
    assert outcome.state.rates == rates(CHF="0.93", JPY="180.93", USD="1.1608")


def test_the_same_again_records_nothing() -> None:
    THE_TABLE.given(PUBLISHED).when(PUBLISH).then()
    THE_TABLE.given(PUBLISHED).when(replace(PUBLISH, rates=rates(USD="1.16070"))).then()


def test_there_is_one_table_for_a_base_and_a_day() -> None:
    assert table_of("EUR", FRIDAY) == table_of("EUR", date(2026, 3, 13))
    assert len({table_of(base, on) for base in ("EUR", "USD") for on in (FRIDAY, TODAY)}) == 4


def test_data_5_rates_of_the_past_are_taken_over_whole() -> None:
    told = ImportExchangeRates(on=FRIDAY, base="EUR", rates=PUBLISH.rates)
    outcome = THE_TABLE.when(told).then(PUBLISHED)
    assert outcome.facts[0].at == Moment(datetime(2026, 3, 13, 23, 59, 59, 999999, tzinfo=UTC), by_day=True)
    THE_TABLE.when(replace(told, on=date(2026, 3, 17))).then_rejected("in-the-future")
    THE_TABLE.when(replace(told, base="XAU")).then_rejected("invalid-exchange-rates", "unknown-currency")


def test_data_5_what_an_import_told_of_rates_is_taken_back() -> None:
    context = replace(CONTEXT, aggregate_id=TABLE)
    taken_back = replace(THE_TABLE, context=context).given(PUBLISHED).when(RetractFacts(requests=(ID,)))
    taken_back.then(ExchangeRateFactRetracted(table_id=TABLE, request=ID))


# -- what is refused --------------------------------------------------------------------------------------------------


def test_every_fault_is_named_at_once_with_its_field() -> None:
    wrong = PublishExchangeRates(
        base="XAU",
        on=date(2026, 3, 17),
        rates=(*rates(USD="1.1607", XAU="1", JPY="0"), *rates(USD="1.2", CHF="-1", SEK="1234567890.123456789")),
    )
    outcome = THE_TABLE.when(wrong).then_rejected("invalid-exchange-rates")
    assert outcome.rejected is not None
    assert [(reason.field, reason.code) for reason in outcome.rejected.reasons] == [
        ("on", "in-the-future"),
        ("base", "unknown-currency"),
        ("rates.1.currency", "unknown-currency"),
        ("rates.1.currency", "base-among-rates"),
        ("rates.2.rate", "not-positive"),
        ("rates.3.currency", "doubled-currency"),
        ("rates.4.rate", "not-positive"),
        ("rates.5.rate", "too-many-digits"),
    ]


@pytest.mark.parametrize("rate", ["0.00000112345678901234567", "123456789012.345678", "0.123456789012345678"])
def test_a_rate_has_up_to_18_significant_digits_wherever_its_point_is(rate: str) -> None:
    assert THE_TABLE.when(replace(PUBLISH, rates=rates(USD=rate))).rejected is None


@pytest.mark.parametrize("rate", ["0.0000009", "1000000000001", "1E-30", "1E+30"])
def test_a_rate_between_currencies_that_are_too_far_apart_is_refused(rate: str) -> None:
    outcome = THE_TABLE.when(replace(PUBLISH, rates=rates(USD=rate))).then_rejected("invalid-exchange-rates")
    assert outcome.rejected is not None
    assert [(reason.field, reason.code) for reason in outcome.rejected.reasons] == [("rates.0.rate", "out-of-range")]


def test_a_currency_that_has_ended_has_rates() -> None:
    assert THE_TABLE.when(replace(PUBLISH, rates=rates(BGN="1.9558", CYP="0.58", HRK="7.5345"))).rejected is None


# -- gates ------------------------------------------------------------------------------------------------------------

BIG = Criterion(
    key="big-enough", name="It is worth it", when=Predicate(fact="amount", operator="at-least", value="100000")
)
STAGES = (replace(SHORT.stages[0], exit=(BIG,)), *SHORT.stages[1:])
GATED = Process(id=PROCESS.id, version=1, definition=replace(SHORT, stages=STAGES))
IN_DOLLARS = replace(OPENED, amount=Money(amount=Decimal("120000.00"), currency="USD"))
FOREIGN = THE_DEAL.given(IN_DOLLARS).knowing(process=GATED)
ON = MoveDeal(stage="needs-confirmed")


def by(factor: str | None) -> Conversion:
    return Conversion(currency="EUR", factors={"USD": None if factor is None else Decimal(factor)})


def test_deal_3_a_gate_judges_an_amount_by_what_it_is_worth_in_the_companys_currency() -> None:
    assert FOREIGN.knowing(conversion=by("0.9")).when(ON).rejected is None
    outcome = FOREIGN.knowing(conversion=by("0.83333329")).when(ON).then_rejected("gate-closed", "criterion-unmet")
    assert outcome.rejected is not None
    assert outcome.rejected.reasons[0].details["met"] == {"amount": "99999.99"}


def test_deal_3_what_a_deal_is_worth_is_rounded_half_up_to_the_cent() -> None:
    assert FOREIGN.knowing(conversion=by("0.833333291666666")).when(ON).rejected is not None
    assert FOREIGN.knowing(conversion=by("0.833333291666667")).when(ON).rejected is None


def test_deal_3_without_a_rate_the_amount_is_unknown_and_the_refusal_says_so() -> None:
    outcome = FOREIGN.knowing(conversion=by(None)).when(ON)
    outcome.then_rejected("gate-closed", "criterion-unmet", "no-exchange-rate")
    assert outcome.rejected is not None
    unmet, lacking = outcome.rejected.reasons
    assert unmet.details["met"] == {"amount": None}
    assert "no exchange rate for USD" in lacking.message
    assert lacking.details == {"currency": "USD", "in": "EUR"}


def test_deal_3_a_lacking_rate_is_named_only_where_a_criterion_asks_for_the_amount() -> None:
    outcome = FOREIGN.knowing(process=PROCESS, conversion=by(None)).when(ON)
    outcome.then_rejected("gate-closed", "criterion-unmet", "criterion-unmet")


def test_deal_3_an_amount_in_the_companys_currency_needs_no_rate() -> None:
    assert THE_DEAL.given(OPENED).knowing(process=GATED).when(ON).rejected is None


def test_deal_9_a_quick_update_is_judged_by_what_the_deal_is_worth() -> None:
    command = UpdateDeal(stage="needs-confirmed")
    assert FOREIGN.knowing(conversion=by("0.9")).when(command).rejected is None
    FOREIGN.knowing(conversion=by(None)).when(command).then_rejected(
        "invalid-deal-change", "criterion-unmet", "no-exchange-rate"
    )
