"""DEAL-1: a converted lead becomes a deal. DATA-4: whoever is erased is in none."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from services.deals.domain.deal import deal
from services.deals.domain.deal.changes import RenameDeal
from services.deals.domain.deal.erasure import EraseTexts
from services.deals.domain.deal.opening import OpenConvertedDeal
from services.deals.reactions import reactions
from shared.events.envelope import Envelope
from shared.events.leads.account import ContactErased
from shared.events.leads.lead import ForgottenDeal, LeadConverted, LeadErased
from shared.testing.scenario import NOW
from tests.services.deals.facts import ACCOUNT, LEAD, OWNER, TEAM, THE_DEAL, eur

DEAL = UUID(int=90)
CONVERTED = LeadConverted(
    lead_id=LEAD,
    account_id=ACCOUNT,
    contact_id=UUID(int=91),
    captured_at=NOW,
    source="web",
    owner=OWNER,
    team=TEAM,
    deal_id=DEAL,
    deal_name="Servers",
    amount=eur("90000"),
    expected_close=date(2026, 6, 30),
    industry="machinery",
)


def fact(event: Any, *, imported: bool = False) -> Envelope[Any]:
    return Envelope(
        id=UUID(int=1),
        type=event.type,
        version=1,
        service="leads",
        aggregate="lead",
        aggregate_id=LEAD,
        sequence=5,
        partition=1,
        position=1,
        source_position=1,
        occurred_at=NOW,
        recorded_at=NOW,
        actor="somebody",
        correlation_id=UUID(int=1),
        causation_id=UUID(int=1),
        imported=imported,
        traceparent=None,
        data=event,
    )


def commands_for(event: Any, *, imported: bool = False) -> list[tuple[UUID, object]]:
    """What deals are asked for; what becomes of stages of leads and contracts is told in `test_stage_visits`."""
    told = fact(event, imported=imported)
    asked = (do for reaction in reactions.of("journal") for do in reaction.to(told))
    return [(do.aggregate_id, do.command) for do in asked if do.aggregate is deal]


def test_deal_1_the_deal_has_the_id_that_the_conversion_named() -> None:
    ((deal_id, command),) = commands_for(CONVERTED)
    assert deal_id == DEAL
    assert command == OpenConvertedDeal(
        name="Servers",
        lead_id=LEAD,
        captured_at=NOW,
        account_id=ACCOUNT,
        source="web",
        owner=OWNER,
        team=TEAM,
        amount=eur("90000"),
        expected_close=date(2026, 6, 30),
        industry="machinery",
    )


def test_deal_1_what_the_reaction_asks_for_is_possible() -> None:
    ((_, command),) = commands_for(replace(CONVERTED, deal_name=None, amount=None))
    assert THE_DEAL.when(command).rejected is None


def test_deal_1_a_conversion_without_a_deal_opens_none() -> None:
    assert commands_for(replace(CONVERTED, deal_id=None)) == []


def test_data_5_imported_conversions_are_left_alone() -> None:
    assert commands_for(CONVERTED, imported=True) == []


# -- DATA-4: whoever is erased ---------------------------------------------------------------------------------------

OTHER, KEPT = UUID(int=92), UUID(int=93)
GONE = (
    ForgottenDeal(deal_id=DEAL, name="Servers for …"),
    ForgottenDeal(deal_id=OTHER),
    ForgottenDeal(deal_id=KEPT, name="Plant for …", texts_kept=True),
)


@pytest.mark.parametrize(
    "erased",
    [
        LeadErased(lead_id=LEAD, deals=GONE, deal_name="Servers for …"),
        ContactErased(account_id=ACCOUNT, contact_id=UUID(int=91), deals=GONE),
    ],
    ids=["a lead", "a contact"],
)
def test_data_4_deals_name_nobody_who_was_erased(erased: LeadErased | ContactErased) -> None:
    assert commands_for(erased) == [
        (DEAL, EraseTexts()),
        (DEAL, RenameDeal(name="Servers for …")),
        (OTHER, EraseTexts()),
        (KEPT, RenameDeal(name="Plant for …")),
    ]
    assert commands_for(replace(erased, deals=())) == []
