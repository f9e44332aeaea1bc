"""CON-1: how a contract comes about and how a draft ends."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from services.contracts.domain.contract.drafting import (
    ChangeContract,
    DraftContract,
    DraftForDeal,
    NamedDeal,
    VoidContract,
)
from services.contracts.domain.contract.reopening import ReconsiderContract
from services.contracts.domain.contract.state import DraftedContract
from services.contracts.domain.contract.terms import STANDARD_TERMS
from shared.domain.context import Actor
from shared.domain.permissions import may
from shared.domain.roles import SELLING, Role
from shared.events.contracts.contract import (
    ContractDrafted,
    ContractFlagged,
    ContractTermsChanged,
    ContractVoided,
    PaymentTerm,
)
from shared.events.money import Money
from shared.testing.scenario import CONTEXT, Outcome
from tests.services.contracts.facts import (
    A_CONTRACT,
    ACCOUNT,
    ACTIVATED,
    APPROVED,
    DEAL,
    DRAFTED,
    DRAFTED_ON,
    FLAGGED,
    ID,
    OWNER,
    RETURNED,
    SIGNED,
    SUBMITTED,
    TEAM,
    THE_CONTRACT,
    THE_DEAL,
    TODAY,
    VOIDED,
    eur,
)

STAGE = DraftForDeal(
    deal_id=DEAL,
    name="Packaging line",
    total=eur("120000.00"),
    trigger="stage",
    account_id=ACCOUNT,
    owner=OWNER,
    team=TEAM,
    on=DRAFTED_ON,
)
WIN = replace(STAGE, trigger="win")
REOPENED = ReconsiderContract(cause="deal-reopened")
LOST = ReconsiderContract(cause="deal-lost", why="price")
DIRECT = DraftContract(name="Service", total=eur("500"), account_id=ACCOUNT)
FURTHER = [
    (SUBMITTED,),
    (SUBMITTED, APPROVED),
    (SUBMITTED, APPROVED, SIGNED),
    (SUBMITTED, APPROVED, SIGNED, ACTIVATED),
]


@pytest.mark.parametrize("trigger", [STAGE, WIN])
def test_the_first_trigger_drafts_con_1(trigger: DraftForDeal) -> None:
    THE_CONTRACT.when(trigger).then(replace(DRAFTED, trigger=trigger.trigger))


@pytest.mark.parametrize("second", [STAGE, WIN, replace(STAGE, total=eur("999"))])
def test_the_second_trigger_records_nothing_con_1(second: DraftForDeal) -> None:
    THE_CONTRACT.given(DRAFTED).when(second).then()


def test_a_win_with_another_amount_updates_the_draft_con_1() -> None:
    THE_CONTRACT.given(DRAFTED).when(replace(WIN, total=eur("110000"))).then(
        ContractTermsChanged(
            contract_id=ID,
            total=eur("110000.00"),
            payment_terms=STANDARD_TERMS,
            account_id=ACCOUNT,
            reason="The deal was won with these terms.",
        )
    )


@pytest.mark.parametrize(
    ("trigger", "reason"),
    [(STAGE, "The deal that entered its contract stage says so."), (WIN, "The deal was won with these terms.")],
)
def test_a_draft_that_somebody_else_made_becomes_the_deals_con_1(trigger: DraftForDeal, reason: str) -> None:
    foreign = replace(DRAFTED, owner=UUID(int=90), team=UUID(int=91), account_id=UUID(int=92), total=eur("1.00"))
    outcome = THE_CONTRACT.given(foreign).when(trigger)
    outcome.then(
        ContractTermsChanged(
            contract_id=ID,
            total=eur("120000.00"),
            payment_terms=STANDARD_TERMS,
            account_id=ACCOUNT,
            reason=reason,
            owner=OWNER,
            team=TEAM,
        )
    )
    assert (outcome.state.owner, outcome.state.team, outcome.state.account_id) == (OWNER, TEAM, ACCOUNT)


@pytest.mark.parametrize("history", FURTHER)
def test_a_win_with_another_amount_flags_a_contract_that_went_further_con_1(history: tuple[object, ...]) -> None:
    met = THE_CONTRACT.given(DRAFTED, *history)
    reason = "The deal was won with another amount than this contract has."
    flagged = ContractFlagged(contract_id=ID, reason=reason, deal_id=DEAL)
    met.when(WIN).then()
    met.when(replace(STAGE, total=eur("110000"))).then()
    met.when(replace(WIN, total=eur("110000"))).then(flagged)
    met.given(flagged).when(replace(WIN, total=eur("110000"))).then()


def test_a_deal_without_owner_and_team_leaves_its_draft_theirs_con_1() -> None:
    THE_CONTRACT.given(DRAFTED).when(replace(WIN, owner=None, team=None)).then()


def test_a_win_names_the_customer_of_a_draft_without_one_con_1() -> None:
    outcome = THE_CONTRACT.given(replace(DRAFTED, account_id=None)).when(WIN)
    assert outcome.state.account_id == ACCOUNT


def test_a_voided_contract_is_drafted_anew_on_the_same_stream_con_1() -> None:
    outcome = THE_CONTRACT.given(DRAFTED, VOIDED).when(WIN).then(replace(DRAFTED, trigger="win"))
    assert isinstance(outcome.state, DraftedContract)


def test_reopening_voids_an_unsubmitted_draft_con_1() -> None:
    THE_CONTRACT.given(DRAFTED).when(REOPENED).then(VOIDED)


def test_reopening_voids_a_returned_draft_con_1() -> None:
    THE_CONTRACT.given(DRAFTED, SUBMITTED, RETURNED).when(REOPENED).then(VOIDED)


@pytest.mark.parametrize("further", FURTHER)
def test_reopening_flags_what_went_further_con_1(further: tuple[object, ...]) -> None:
    outcome = THE_CONTRACT.given(DRAFTED, *further).when(REOPENED).then(FLAGGED)
    assert outcome.state.flagged == FLAGGED.reason


def test_a_deal_that_came_to_nothing_voids_an_unsubmitted_draft_con_1() -> None:
    THE_CONTRACT.given(DRAFTED).when(LOST).then(replace(VOIDED, reason=LOST.reason, cause="deal-lost"))


@pytest.mark.parametrize("further", FURTHER[1:])
def test_a_deal_that_came_to_nothing_flags_what_was_approved_con_1(further: tuple[object, ...]) -> None:
    THE_CONTRACT.given(DRAFTED, *further).when(LOST).then(replace(FLAGGED, reason=LOST.reason))


@pytest.mark.parametrize("history", [(), (DRAFTED, VOIDED)])
def test_reopening_a_deal_without_a_live_contract_changes_nothing_con_1(history: tuple[object, ...]) -> None:
    THE_CONTRACT.given(*history).when(REOPENED).then()


# -- directly -------------------------------------------------------------------------------------------------------


def test_a_contract_is_drafted_directly_for_whoever_asks_con_1() -> None:
    A_CONTRACT.when(DIRECT).then(
        ContractDrafted(
            contract_id=CONTEXT.aggregate_id,
            name="Service",
            total=eur("500.00"),
            payment_terms=STANDARD_TERMS,
            trigger="direct",
            account_id=ACCOUNT,
            owner=CONTEXT.actor.member,
            team=CONTEXT.actor.team,
            on=CONTEXT.today,
            terms_version=0,
        )
    )


def test_a_contract_on_paper_is_recorded_with_its_day_con_1() -> None:
    """Drafted a week ago: then it may have been signed since then as well."""
    outcome = A_CONTRACT.when(replace(DIRECT, on=DRAFTED_ON))
    assert (outcome.state.drafted_on, outcome.facts[0].at) == (DRAFTED_ON, CONTEXT.moment(DRAFTED_ON))
    tomorrow = A_CONTRACT.when(replace(DIRECT, on=TODAY + timedelta(days=1)))
    tomorrow.then_rejected("invalid-draft", "in-the-future")


def test_drafting_directly_again_records_nothing() -> None:
    A_CONTRACT.given(*(fact.event for fact in A_CONTRACT.when(DIRECT).facts)).when(DIRECT).then()


def test_drafting_directly_something_else_is_refused() -> None:
    drafted = [fact.event for fact in A_CONTRACT.when(DIRECT).facts]
    A_CONTRACT.given(*drafted).when(replace(DIRECT, name="Other")).then_rejected("not-in-this-state")


def test_a_deals_contract_has_the_deals_id_con_1() -> None:
    direct = replace(DIRECT, deal_id=DEAL)
    A_CONTRACT.knowing(deal=THE_DEAL).when(direct).then_rejected("id-follows-from-deal")
    wrong = replace(direct, on=date(2999, 1, 1))
    A_CONTRACT.knowing(deal=THE_DEAL).when(wrong).then_rejected(
        "id-follows-from-deal", "id-follows-from-deal", "in-the-future"
    )
    assert THE_CONTRACT.when(direct).state.deal_id == DEAL


def test_a_deal_with_a_live_contract_gets_no_second_directly_con_1() -> None:
    THE_CONTRACT.given(DRAFTED).when(replace(DIRECT, deal_id=DEAL)).then_rejected("not-in-this-state")


def fields_of(outcome: Outcome) -> list[str | None]:
    assert outcome.rejected is not None
    return [reason.field for reason in outcome.rejected.reasons]


def test_a_draft_for_a_deal_is_the_deals_con_1() -> None:
    """CON-1, API-4: owner, team and account are the deal's, whoever drafts."""
    direct = DraftContract(name="Packaging line", total=eur("120000"), deal_id=DEAL)
    outcome = THE_CONTRACT.when(direct).then(replace(DRAFTED, trigger="direct", on=TODAY))
    THE_CONTRACT.given(outcome.facts[0].event).when(direct).then()
    THE_CONTRACT.when(replace(direct, owner=OWNER, team=TEAM, account_id=ACCOUNT)).then(outcome.facts[0].event)
    other = replace(direct, owner=UUID(int=90), team=UUID(int=91))
    foreign = THE_CONTRACT.when(other).then_rejected("invalid-draft", "other-than-deal", "other-than-deal")
    assert fields_of(foreign) == ["owner", "team"]


def test_a_draft_for_a_deal_that_nobody_has_is_whose_it_says_con_1() -> None:
    nobodys = THE_CONTRACT.knowing(deal=NamedDeal())
    direct = replace(DIRECT, deal_id=DEAL)
    state = nobodys.when(replace(direct, owner=OWNER, team=TEAM)).state
    assert (state.owner, state.team, state.account_id) == (OWNER, TEAM, ACCOUNT)
    state = nobodys.when(direct).state
    assert (state.owner, state.team) == (CONTEXT.actor.member, CONTEXT.actor.team)


def test_the_terms_may_be_others_than_the_standard() -> None:
    halves = (PaymentTerm(ratio=Decimal("0.5"), days=0), PaymentTerm(ratio=Decimal("0.5"), days=45))
    assert A_CONTRACT.when(replace(DIRECT, payment_terms=halves)).state.payment_terms == halves


def test_all_that_is_wrong_with_the_terms_is_said_at_once() -> None:
    wrong = (PaymentTerm(ratio=Decimal("1.2")), PaymentTerm(ratio=Decimal("0.1"), days=-1))
    A_CONTRACT.when(replace(DIRECT, total=eur("-1"), payment_terms=wrong)).then_rejected(
        "invalid-terms", "negative", "not-a-share", "out-of-range", "does-not-add-up"
    )


@pytest.mark.parametrize("ratio", ["NaN", "Infinity", "0", "-0.1"])
def test_a_share_is_a_number_above_zero(ratio: str) -> None:
    terms = (PaymentTerm(ratio=Decimal(ratio)),)
    outcome = A_CONTRACT.when(replace(DIRECT, payment_terms=terms)).then_rejected("invalid-terms")
    assert outcome.rejected is not None
    assert outcome.rejected.reasons[0].field == "payment_terms.0.ratio"


@pytest.mark.parametrize(
    ("total", "field"),
    [
        (Money(amount=Decimal(5), currency="XAU"), "total.currency"),
        (Money(amount=Decimal("0.5"), currency="JPY"), "total.amount"),
        (eur("0.001"), "total.amount"),
    ],
)
def test_what_is_no_currency_or_half_a_cent_is_refused_naming_the_field(total: Money, field: str) -> None:
    outcome = A_CONTRACT.when(replace(DIRECT, total=total)).then_rejected("invalid-terms")
    assert outcome.rejected is not None
    assert outcome.rejected.reasons[0].field == field


def test_reps_draft_what_is_theirs_api_4() -> None:
    rep = Actor(subject="rep", roles=frozenset({Role.REP}), member=OWNER, team=TEAM)
    assert may(rep, SELLING, OWNER, TEAM) is None
    assert may(rep, SELLING, TEAM, TEAM) is not None


@pytest.mark.parametrize("currency", ["USD", "JPY"])
def test_a_total_is_in_any_currency_con_1(currency: str) -> None:
    total = Money(amount=Decimal(5), currency=currency)
    assert A_CONTRACT.when(replace(DIRECT, total=total)).facts[0].event.total == total
    assert THE_CONTRACT.when(replace(WIN, total=total)).facts[0].event.total == total


def test_the_total_keeps_the_currency_of_the_contract() -> None:
    dollars = Money(amount=Decimal(5), currency="USD")
    outcome = THE_CONTRACT.given(DRAFTED).when(ChangeContract(total=dollars))
    outcome.then_rejected("invalid-terms", "other-currency")
    assert outcome.rejected is not None
    (reason,) = outcome.rejected.reasons
    assert (reason.field, "the contract's currency, EUR" in reason.message) == ("total.currency", True)
    in_dollars = THE_CONTRACT.given(replace(DRAFTED, total=dollars))
    assert in_dollars.when(ChangeContract(total=replace(dollars, amount=Decimal(6)))).rejected is None
    assert in_dollars.when(ChangeContract(payment_terms=(PaymentTerm(ratio=Decimal(1)),))).rejected is None


def test_a_draft_takes_over_what_the_deal_was_won_with_also_in_another_currency_con_1() -> None:
    """Until it is submitted nothing was agreed; what went further is flagged."""
    dollars = Money(amount=DRAFTED.total.amount, currency="USD")
    won = replace(WIN, total=dollars)
    (fact,) = THE_CONTRACT.given(DRAFTED).when(won).facts
    assert (fact.event.total, fact.event.reason) == (dollars, "The deal was won with these terms.")
    (fact,) = THE_CONTRACT.given(DRAFTED, SUBMITTED).when(won).facts
    assert isinstance(fact.event, ContractFlagged)


# -- changing and giving up -----------------------------------------------------------------------------------------


def test_a_drafts_terms_change() -> None:
    THE_CONTRACT.given(DRAFTED).when(ChangeContract(total=eur("115000"), reason="Less")).then(
        ContractTermsChanged(
            contract_id=ID,
            total=eur("115000.00"),
            payment_terms=STANDARD_TERMS,
            account_id=ACCOUNT,
            reason="Less",
        )
    )


def test_a_change_to_what_is_so_records_nothing() -> None:
    THE_CONTRACT.given(DRAFTED).when(ChangeContract(total=eur("120000"))).then()


def test_a_change_to_terms_that_cannot_be_is_refused() -> None:
    wrong = ChangeContract(payment_terms=(PaymentTerm(ratio=Decimal("0.4")),))
    THE_CONTRACT.given(DRAFTED).when(wrong).then_rejected("invalid-terms", "does-not-add-up")


@pytest.mark.parametrize("further", [*FURTHER, (VOIDED,)])
def test_only_a_draft_changes(further: tuple[object, ...]) -> None:
    THE_CONTRACT.given(DRAFTED, *further).when(ChangeContract(total=eur("1"))).then_rejected("not-in-this-state")


def test_a_draft_is_given_up() -> None:
    voided = ContractVoided(contract_id=ID, reason="Mistake", cause="given-up", deal_id=DEAL)
    THE_CONTRACT.given(DRAFTED).when(VoidContract(reason="Mistake")).then(voided)
    THE_CONTRACT.given(DRAFTED, voided).when(VoidContract(reason="Mistake")).then()
    THE_CONTRACT.given(DRAFTED, voided).when(VoidContract(reason="Other")).then_rejected("not-in-this-state")


@pytest.mark.parametrize("further", FURTHER)
def test_what_was_submitted_is_not_given_up(further: tuple[object, ...]) -> None:
    THE_CONTRACT.given(DRAFTED, *further).when(VoidContract(reason="Mistake")).then_rejected("not-in-this-state")
