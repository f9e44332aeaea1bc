"""DEAL-6: of a follow-up of a lead or an account that is due its owner is told, once more, and then whoever leads them,
until another is planned or the lead has ended; as of a deal's next step (`test_next_step_notices`)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.events.envelope import Envelope
from shared.events.leads.account import (
    AccountChanged,
    AccountFollowUpPlanned,
    AccountFollowUpReminded,
    AccountHandedOver,
)
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


# -- of accounts ------------------------------------------------------------------------------------------------------


def due_at_account(company: Company, *levels: str) -> Envelope[AccountFollowUpReminded]:
    """Somebody is reminded of the follow-up of an account of Anna's."""
    acme = company.ids["acme"]
    event = AccountFollowUpReminded(
        account_id=acme,
        follow_up_id=uuid4(),
        on=ON,
        levels=levels,
        name="Acme",
        owner=company.ids["anna"],
        team=company.ids["north"],
    )
    return company.of(event, acme, 2)


async def test_deal_6_the_owner_is_told_which_account_has_a_follow_up_due(company: Company) -> None:
    first = due_at_account(company, "owner")
    await company.happens(first)
    assert await company.told() == {"anna"}
    (told,) = await company.inbox("anna")
    acme = str(company.ids["acme"])
    assert told == {
        **told,
        "kind": "follow-up-due",
        "status": "unread",
        "about": "account",
        "about_id": acme,
        "account_id": acme,
        "account_name": "Acme",
        "due": "2026-03-09",
        "reference": "Acme",
    }
    await company.happens(replace(later(company, first, "again", "manager"), sequence=3))
    assert (await statuses(company, "anna"), await statuses(company, "mona")) == (["settled", "unread"], ["unread"])


@pytest.mark.parametrize("imported", [False, True], ids=["here", "imported"])
@pytest.mark.parametrize("on", [NOON.date(), None], ids=["another", "none"])
async def test_deal_6_a_follow_up_of_an_account_waits_for_nobody_once_another_or_none_is_planned(
    company: Company, on: Any, imported: bool
) -> None:
    first = due_at_account(company, "owner", "manager")
    await company.happens(first)
    planned = AccountFollowUpPlanned(
        account_id=first.data.account_id, on=on, reminded_follow_up=first.data.follow_up_id
    )
    await company.happens(company.of(planned, first.data.account_id, 3, imported=imported))
    assert (await statuses(company, "anna"), await statuses(company, "mona")) == (["settled"], ["settled"])


@pytest.mark.parametrize(
    ("whose", "manager"),
    [
        (("ben", "north", None), "unread"),
        (("ben", "tech", None), "settled"),
        (("ben", None, ("owner",)), "unread"),
        (("anna", "north", None), "unread"),
    ],
    ids=["same team", "other team", "owner alone is told", "as before"],
)
async def test_deal_6_a_due_follow_up_waits_for_whoever_kept_the_account_no_more(
    company: Company, whose: tuple[str, str | None, tuple[str, ...] | None], manager: str
) -> None:
    """DATA-5: also where a newer export says so, and no more than the owner."""
    first = due_at_account(company, "owner", "manager")
    await company.happens(first)
    owner, team, said = whose
    over = AccountHandedOver(
        account_id=first.data.account_id,
        owner=company.ids[owner],
        team=company.ids[team] if team else None,
        said=said,
        owner_before=company.ids["anna"],
        team_before=company.ids["north"],
        reminded_follow_up=first.data.follow_up_id,
    )
    await company.happens(company.of(over, first.data.account_id, 3, imported=True))
    kept = "unread" if owner == "anna" else "settled"
    assert (await statuses(company, "anna"), await statuses(company, "mona")) == ([kept], [manager])


async def test_acct_1_what_is_due_at_an_account_is_called_as_the_account_is_now(company: Company) -> None:
    first = due_at_account(company, "owner")
    await company.happens(first)
    renamed = AccountChanged(
        account_id=first.data.account_id, name="Apex", reminded_follow_ups=(first.data.follow_up_id,)
    )
    await company.happens(company.of(renamed, first.data.account_id, 3))
    assert [each["reference"] for each in await company.inbox("anna")] == ["Apex"]
