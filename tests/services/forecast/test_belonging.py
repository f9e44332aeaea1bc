"""With which account a thing is from when to when, and whose it is: folded as it happened (ACCT-1)."""

import random
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.forecast.accounts.belonging import BEGINNING, FACTS, Belonging, Said, Says, Stay, belonging, says
from shared.events.contracts.contract import ContractActivated, ContractDrafted, ContractTermsChanged, PaymentTerm
from shared.events.deals.deal_edit import DealAccountChanged
from shared.events.leads.account import AccountChanged, AccountHandedOver, AccountOpened
from shared.events.leads.lead import LeadAssigned, LeadCaptured, LeadConverted
from tests.services.forecast.facts import ANNA, BEN, NORTH, SOUTH, day, eur, opened

ACME, BOLT, LEAD, DEAL, CONTRACT = (UUID(int=number) for number in (11, 12, 21, 31, 41))
TERMS = (PaymentTerm(ratio=Decimal(1)),)
END = day("2027-01-01")


def told(*facts: tuple[Any, str]) -> list[Said]:
    """Facts and their days, as they are kept; those of history under names of their own."""
    return [
        Said(
            data=says(data),
            occurred_at=day(on),
            by_day=False,
            sequence=number,
            fact=None if data.rank is None else f"{data.type}/{on}",
            causation_id=UUID(int=number),
        )
        for number, (data, on) in enumerate(facts, 1)
    ]


def drafted(account: UUID | None) -> ContractDrafted:
    return ContractDrafted(
        contract_id=CONTRACT,
        name="Press line",
        total=eur(9),
        payment_terms=TERMS,
        trigger="win",
        account_id=account,
        owner=ANNA,
        team=NORTH,
    )


def agreed(account: UUID | None, owner: UUID | None = None) -> ContractTermsChanged:
    return ContractTermsChanged(
        contract_id=CONTRACT, total=eur(9), payment_terms=TERMS, account_id=account, owner=owner
    )


def stays(*facts: tuple[Any, str], as_of: datetime = END) -> tuple[Stay, ...]:
    found = belonging(told(*facts), as_of)
    assert found is not None
    return found.stays


CONVERTED = LeadConverted(
    lead_id=LEAD,
    account_id=ACME,
    contact_id=UUID(int=1),
    captured_at=day("2026-01-01"),
    source="fair",
    owner=ANNA,
    team=NORTH,
)
CAPTURED = LeadCaptured(lead_id=LEAD, source="fair", company_name="Acme")


def test_a_deal_is_with_another_account_from_when_it_was_said() -> None:
    """What it was with before stays, and so does what is asked of before."""
    went = DealAccountChanged(deal_id=DEAL, account_before=ACME, account_id=BOLT, account_name=None)
    facts = (replace(opened(), account_id=ACME), "2026-03-01"), (went, "2026-03-09")
    first = Stay(account=ACME, since=BEGINNING, until=day("2026-03-09"))
    assert stays(*facts) == (first, Stay(account=BOLT, since=day("2026-03-09")))
    assert stays(*facts, as_of=day("2026-03-08")) == (replace(first, until=None),)


def test_a_thing_is_with_the_account_that_it_begins_with() -> None:
    assert stays((replace(opened(), account_id=ACME), "2026-03-01")) == (Stay(account=ACME, since=BEGINNING),)
    assert stays((opened(), "2026-03-01")) == ()


def test_what_names_its_account_late_was_with_it_from_the_beginning() -> None:
    facts = (CAPTURED, "2026-01-01"), (CONVERTED, "2026-02-01")
    assert stays(*facts) == (Stay(account=ACME, since=BEGINNING),)
    assert stays(*facts, as_of=day("2026-01-31")) == ()


def test_what_changes_its_account_is_with_the_new_one_from_then_on() -> None:
    facts = (drafted(ACME), "2026-03-01"), (agreed(ACME), "2026-03-05"), (agreed(BOLT), "2026-03-09")
    first, second = (
        Stay(account=ACME, since=BEGINNING, until=day("2026-03-09")),
        Stay(account=BOLT, since=day("2026-03-09")),
    )
    assert stays(*facts) == (first, second)
    assert stays(*facts, (agreed(None), "2026-03-12"))[1:] == (
        replace(second, until=day("2026-03-12")),
        Stay(account=None, since=day("2026-03-12")),
    )
    assert stays(*facts, as_of=day("2026-03-08")) == (replace(first, until=None),)


def test_a_contract_stays_with_whom_it_was_where_its_terms_say_nothing_of_that() -> None:
    in_force = ContractActivated(
        contract_id=CONTRACT, on=date(2026, 3, 9), total=eur(9), payment_terms=TERMS, account_id=ACME, name="Press line"
    )
    found = belonging(told((drafted(None), "2026-03-01"), (agreed(None), "2026-03-02"), (in_force, "2026-03-09")), END)
    assert found == Belonging(stays=(Stay(account=ACME, since=BEGINNING),), name="Press line", team=NORTH, owner=ANNA)
    other = belonging(told((drafted(ACME), "2026-03-01"), (agreed(ACME, BEN), "2026-03-02")), END)
    assert other is not None
    assert (other.team, other.owner) == (NORTH, BEN)


def test_whose_a_thing_is_follows_from_what_happened_last_however_late_it_is_told() -> None:
    facts: list[tuple[Any, str]] = [
        (AccountOpened(account_id=ACME, name="Acme", owner=ANNA, team=NORTH, lead_id=LEAD), "2026-03-01"),
        (AccountHandedOver(account_id=ACME, owner=BEN, team=SOUTH), "2026-03-05"),
        (AccountHandedOver(account_id=ACME, owner=ANNA, team=None, said=("owner",)), "2026-03-07"),
        (AccountChanged(account_id=ACME, name="Acme Inc"), "2026-03-09"),
    ]
    wanted = Belonging(leads=frozenset({LEAD}), name="Acme Inc", team=SOUTH, owner=ANNA)
    for _ in range(10):
        random.Random(7).shuffle(facts)
        assert belonging(told(*facts), END) == wanted
        then = belonging(told(*facts), day("2026-03-06"))
        assert then == replace(wanted, name="Acme", owner=BEN)


def test_a_lead_is_of_whom_it_was_assigned_to_last() -> None:
    assigned = LeadAssigned(lead_id=LEAD, team_id=SOUTH, member_id=BEN, rule="by-hand")
    found = belonging(told((CAPTURED, "2026-01-01"), (assigned, "2026-01-02")), END)
    assert found == Belonging(name="Acme", team=SOUTH, owner=BEN)


@pytest.mark.parametrize("kind", FACTS, ids=lambda kind: kind.__name__)
def test_every_fact_says_something(kind: Any) -> None:
    blank = dict.fromkeys(kind.__dataclass_fields__)
    assert says(kind(**blank)).named


def test_a_fact_that_was_corrected_says_nothing() -> None:
    one, other = told(
        (replace(opened(), account_id=ACME), "2026-03-01"), (replace(opened(), account_id=BOLT), "2026-03-01")
    )
    found = belonging([one, other], END)
    assert found is not None
    assert [stay.account for stay in found.stays] == [BOLT]
    assert belonging([], END) is None
    assert isinstance(one.data, Says)
