"""DEAL-6: of a next step that is due its owner is told, once more, and then whoever leads them, until it is done."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.events.deals.deal import DealAbandoned, DealHandedOver, DealLost, DealNextStepPlanned, DealWon
from shared.events.deals.deal_reminder import DealNextStepReminded
from shared.events.envelope import Envelope
from tests.services.forecast.facts import day, eur
from tests.services.forecast.test_inbox import NOON, Company
from tests.shared.http.conftest import Errands

ON = day("2026-03-09").date()


@pytest.fixture
async def company(served: Errands) -> AsyncIterator[Company]:
    made = Company(served)
    await made.begin()
    yield made
    await made.end()


def due(company: Company, *levels: str, owner: str | None = "anna", **more: Any) -> Envelope[DealNextStepReminded]:
    """Somebody is reminded of the next step of a deal."""
    deal = more.pop("deal", None) or uuid4()
    event = DealNextStepReminded(
        deal_id=deal,
        step_id=uuid4(),
        on=ON,
        levels=levels,
        name="Servers",
        account_id=company.ids["acme"],
        owner=company.ids[owner] if owner else None,
        team=company.ids["north"],
    )
    return company.of(replace(event, **more), deal)


def later(company: Company, first: Envelope[Any], *levels: str, **more: Any) -> Envelope[Any]:
    """Somebody is reminded of the same once more."""
    return company.of(replace(first.data, levels=levels, **more), first.aggregate_id, 2)


async def statuses(company: Company, name: str) -> list[str]:
    return sorted(each["status"] for each in await company.inbox(name))


async def test_deal_6_the_owner_is_told_which_deal_has_a_step_due(company: Company) -> None:
    first = due(company, "owner")
    await company.happens(first)
    assert await company.told() == {"anna"}
    (told,) = await company.inbox("anna")
    assert told == {
        **told,
        "kind": "next-step-due",
        "status": "unread",
        "about": "deal",
        "about_id": str(first.data.deal_id),
        "account_name": "Acme",
        "amount": None,
        "due": "2026-03-09",
        "reference": "Servers",
    }


async def test_deal_6_who_is_reminded_again_has_one_notice_that_waits_and_then_who_leads_them_has(
    company: Company,
) -> None:
    first = due(company, "owner")
    await company.happens(first)
    await company.happens(later(company, first, "again"))
    assert await statuses(company, "anna") == ["settled", "unread"]
    assert await company.told() == {"anna"}
    await company.happens(replace(later(company, first, "manager"), sequence=3))
    assert await company.told() == {"anna", "mona"}
    assert (await statuses(company, "anna"), await statuses(company, "mona")) == (["settled", "unread"], ["unread"])


async def test_deal_6_what_came_at_once_is_told_everybody_at_once(company: Company) -> None:
    await company.happens(due(company, "owner", "again", "manager"))
    assert await company.told() == {"anna", "mona"}
    assert await statuses(company, "anna") == ["unread"]


async def test_deal_6_of_a_deal_that_is_nobodys_whoever_leads_the_team_is_told(company: Company) -> None:
    first = due(company, "owner", owner=None)
    await company.happens(first)
    assert await company.told() == {"mona"}
    await company.happens(later(company, first, "again"))
    await company.happens(replace(later(company, first, "manager"), sequence=3))
    assert await statuses(company, "mona") == ["settled", "settled", "unread"]


async def test_deal_6_above_whom_nobody_leads_the_owner_alone_is_told(company: Company) -> None:
    head = due(company, "owner", owner="head")
    await company.happens(head)
    await company.happens(later(company, head, "manager"))
    assert await company.told() == {"head"}
    assert await statuses(company, "head") == ["unread"]


def ends(how: str, deal: UUID, step: UUID | None) -> Any:
    """What the deal's next step ends with."""
    told = {"reminded_step": step, "ends_notices": step is not None}
    end: dict[str, Any] = {"deal_id": deal, "on": ON, "amount": eur("1"), "stage": "x", **told}
    return {
        "planned": DealNextStepPlanned(deal_id=deal, on=NOON.date(), reminded_step=step),
        "cleared": DealNextStepPlanned(deal_id=deal, on=None, reminded_step=step),
        "won": DealWon(**end, name="Servers"),
        "lost": DealLost(**end, reason="price"),
        "abandoned": DealAbandoned(**end, reason="no-need"),
    }[how]


@pytest.mark.parametrize("imported", [False, True], ids=["here", "imported"])
@pytest.mark.parametrize("how", ["planned", "cleared", "won", "lost", "abandoned"])
async def test_deal_6_a_step_that_is_done_or_whose_deal_is_closed_waits_for_nobody(
    company: Company, how: str, imported: bool
) -> None:
    first, other = due(company, "owner", "manager"), due(company, "owner")
    await company.happens(first, other)
    deal = first.data.deal_id
    await company.happens(company.of(ends(how, deal, None), deal, 2))
    assert await statuses(company, "anna") == ["unread", "unread"], "of a step that nobody was reminded of"
    await company.happens(company.of(ends(how, deal, first.data.step_id), deal, 3, imported=imported))
    assert await statuses(company, "anna") == ["settled", "unread"]
    assert await statuses(company, "mona") == ["settled"]


@pytest.mark.parametrize(("team", "manager"), [("north", "unread"), ("tech", "settled")])
async def test_deal_6_a_due_step_waits_for_whoever_handed_the_deal_over_no_more(
    company: Company, team: str, manager: str
) -> None:
    first = due(company, "owner", "manager")
    await company.happens(first)
    over = DealHandedOver(
        deal_id=first.data.deal_id,
        owner_before=company.ids["anna"],
        team_before=company.ids["north"],
        owner=company.ids["ben"],
        team=company.ids[team],
        reminded_step=first.data.step_id,
    )
    await company.happens(company.of(over, first.data.deal_id, 2))
    assert (await statuses(company, "anna"), await statuses(company, "mona")) == (["settled"], [manager])
    anew = later(company, first, "owner", owner=company.ids["ben"])
    await company.happens(replace(anew, sequence=3))
    assert await statuses(company, "ben") == ["unread"]


async def test_deal_6_a_reminder_that_is_told_anew_is_no_news(company: Company) -> None:
    first = due(company, "owner")
    await company.happens(first)
    planned = ends("planned", first.data.deal_id, first.data.step_id)
    await company.happens(company.of(planned, first.data.deal_id, 2))
    second = due(company, "owner", deal=first.data.deal_id)
    await company.happens(replace(second, sequence=3))
    await company.happens(company.of(planned, first.data.deal_id, 4))
    assert await statuses(company, "anna") == ["settled", "unread"], "what is told once more settles the step before"
