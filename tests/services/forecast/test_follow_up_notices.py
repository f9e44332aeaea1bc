"""DEAL-6: of a lead's follow-up that is due its owner is told, once more, and then whoever leads them, until another is
planned or the lead has ended; as of a deal's next step (`test_next_step_notices`)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.events.envelope import Envelope
from shared.events.leads.lead import (
    LeadAssigned,
    LeadConverted,
    LeadDisqualified,
    LeadErased,
    LeadFollowUpPlanned,
    LeadFollowUpReminded,
    LeadMarkedDuplicate,
)
from tests.services.forecast.facts import day
from tests.services.forecast.test_inbox import NOON, Company
from tests.services.forecast.test_next_step_notices import later, statuses
from tests.shared.http.conftest import Errands

ON = day("2026-03-09").date()


@pytest.fixture
async def company(served: Errands) -> AsyncIterator[Company]:
    made = Company(served)
    await made.begin()
    yield made
    await made.end()


def due(company: Company, *levels: str, owner: str | None = "anna") -> Envelope[LeadFollowUpReminded]:
    """Somebody is reminded of the follow-up of a lead."""
    lead = uuid4()
    event = LeadFollowUpReminded(
        lead_id=lead,
        follow_up_id=uuid4(),
        on=ON,
        levels=levels,
        name="Northwind",
        owner=company.ids[owner] if owner else None,
        team=company.ids["north"],
    )
    return company.of(event, lead)


async def test_deal_6_the_owner_is_told_which_lead_has_a_follow_up_due(company: Company) -> None:
    first = due(company, "owner")
    await company.happens(first)
    assert await company.told() == {"anna"}
    (told,) = await company.inbox("anna")
    assert told == {
        **told,
        "kind": "follow-up-due",
        "status": "unread",
        "about": "lead",
        "about_id": str(first.data.lead_id),
        "account_id": None,
        "due": "2026-03-09",
        "reference": "Northwind",
    }
    await company.happens(later(company, first, "again"))
    await company.happens(replace(later(company, first, "manager"), sequence=3))
    assert (await statuses(company, "anna"), await statuses(company, "mona")) == (["settled", "unread"], ["unread"])


async def test_deal_6_of_a_lead_in_the_pool_of_a_team_whoever_leads_it_is_told(company: Company) -> None:
    await company.happens(due(company, "owner", owner=None))
    assert await company.told() == {"mona"}


def ends(how: str, lead: UUID, follow_up: UUID | None) -> Any:
    """What the lead's follow-up ends with."""
    about: dict[str, Any] = {"lead_id": lead, "reminded_follow_up": follow_up}
    match how:
        case "planned" | "cleared":
            return LeadFollowUpPlanned(on=NOON.date() if how == "planned" else None, **about)
        case "converted":
            said: dict[str, Any] = {"captured_at": NOON, "source": "fair", "owner": None, "team": None}
            return LeadConverted(account_id=uuid4(), contact_id=uuid4(), **said, **about)
        case "disqualified":
            return LeadDisqualified(reason="no-need", **about)
        case "repeated":
            known: dict[str, Any] = {
                "original_id": uuid4(),
                "original_kind": "lead",
                "matched_on": "email",
                "score": Decimal(1),
            }
            return LeadMarkedDuplicate(**known, **about)
    return LeadErased(**about)


@pytest.mark.parametrize("imported", [False, True], ids=["here", "imported"])
@pytest.mark.parametrize("how", ["planned", "cleared", "converted", "disqualified", "repeated", "erased"])
async def test_deal_6_a_follow_up_that_is_done_or_whose_lead_has_ended_waits_for_nobody(
    company: Company, how: str, imported: bool
) -> None:
    first, other = due(company, "owner", "manager"), due(company, "owner")
    await company.happens(first, other)
    lead = first.data.lead_id
    await company.happens(company.of(ends(how, lead, first.data.follow_up_id), lead, 2, imported=imported))
    assert await statuses(company, "anna") == ["settled", "unread"]
    assert await statuses(company, "mona") == ["settled"]


@pytest.mark.parametrize(("team", "manager"), [("north", "unread"), ("tech", "settled")])
async def test_deal_6_a_due_follow_up_waits_for_whoever_had_the_lead_no_more(
    company: Company, team: str, manager: str
) -> None:
    first = due(company, "owner", "manager")
    await company.happens(first)
    over = LeadAssigned(
        lead_id=first.data.lead_id,
        owner_before=company.ids["anna"],
        team_before=company.ids["north"],
        member_id=company.ids["ben"],
        team_id=company.ids[team],
        rule="by-hand",
        reminded_follow_up=first.data.follow_up_id,
    )
    await company.happens(company.of(over, first.data.lead_id, 2))
    assert (await statuses(company, "anna"), await statuses(company, "mona")) == (["settled"], [manager])
    anew = later(company, first, "owner", owner=company.ids["ben"])
    await company.happens(replace(anew, sequence=3))
    assert await statuses(company, "ben") == ["unread"]
