"""Leads that come at once, over HTTP and PostgreSQL: one original of each address, and whose turn it is."""

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

import pytest

from services.leads.domain.assignment import queue_of
from shared.domain.roles import Role
from shared.ops.ids import new_id
from tests.services.leads.conftest import House, address, ready_lead, unique

# -- LEAD-2: one original --------------------------------------------------------------------------------------------


async def test_lead_2_of_many_captures_of_one_address_at_once_one_is_the_original(house: House) -> None:
    email = address()
    people = [house.somebody(Role.MARKETING, unique("marketing")) for _ in range(20)]
    captured = await asyncio.gather(
        *(
            person.makes("/v1/leads", {"source": "website", "email": email.upper() if number % 2 else email})
            for number, person in enumerate(people)
        )
    )
    found = [await house.somebody().sees(f"/v1/leads/{lead}") for lead in captured]
    assert Counter(lead["status"] for lead in found) == {"open": 1, "duplicate": 19}
    (original,) = [lead["id"] for lead in found if lead["status"] == "open"]
    assert {lead["original_id"] for lead in found if lead["status"] == "duplicate"} == {original}


async def test_lead_2_two_replicas_agree_on_one_original(house: House, replica: House) -> None:
    for _ in range(10):
        email = address()
        both = await asyncio.gather(
            *(place.somebody().makes("/v1/leads", {"source": "website", "email": email}) for place in (house, replica))
        )
        found = [await house.somebody().sees(f"/v1/leads/{lead}") for lead in both]
        assert Counter(lead["status"] for lead in found) == {"open": 1, "duplicate": 1}


async def test_lead_4_two_replicas_hand_out_turns_of_one_round(house: House, replica: House) -> None:
    team, reps = await house.team(unique("rosa"), unique("sam"))
    await replica.settled()
    places = [house.somebody(), replica.somebody()] * 10
    leads = await asyncio.gather(
        *(place.makes("/v1/leads", {"source": "website", "team_id": team}) for place in places)
    )
    found = [await house.somebody().sees(f"/v1/leads/{lead}") for lead in leads]
    assert Counter(lead["owner"] for lead in found) == dict.fromkeys(reps, 10)


async def test_lead_2_once_the_original_is_closed_the_next_one_is_a_lead_again(house: House) -> None:
    desk, email = house.somebody(), address()
    first = await desk.makes("/v1/leads", {"source": "fair", "email": email})
    await desk.makes(f"/v1/leads/{first}/disqualify", {"reason": "no-need"})
    second = await desk.makes("/v1/leads", {"source": "fair", "email": email})
    assert (await desk.sees(f"/v1/leads/{second}"))["status"] == "open"


@pytest.mark.parametrize("end", ["disqualify", "convert", "erase-person"])
async def test_lead_2_a_lead_that_comes_while_the_original_ends_comes_in(
    house: House, replica: House, end: str
) -> None:
    """LEAD-2: as a lead or as a duplicate; never refused, and never more than one of them open."""
    ends = {"disqualify": {"reason": "no-need"}, "convert": {"account_name": "Northwind"}, "erase-person": {}}
    places = [house.somebody(), replica.somebody()]
    for _ in range(20):
        lead = {"source": "fair", "email": address(), "person_name": "Ada Moreno"}
        original = await ready_lead(places[0], **lead)
        answers = await asyncio.gather(
            *(place.does("/v1/leads", lead) for place in places * 2),
            places[0].does(f"/v1/leads/{original}/{end}", ends[end]),
            *(place.does("/v1/leads", lead) for place in places),
        )
        assert {answer.status_code for answer in answers} == {200, 201}, [answer.text for answer in answers]
        came = [answer.json()["id"] for answer in answers if answer.status_code == 201]
        found = [await places[0].sees(f"/v1/leads/{each}") for each in came]
        assert len(came) == 6
        assert {each["status"] for each in found} <= {"open", "duplicate"}
        assert sum(each["status"] == "open" for each in found) <= (0 if end == "convert" else 1)


async def test_data_4_somebody_who_is_erased_twice_at_once_is_erased_once(house: House, replica: House) -> None:
    """DATA-4: by the lead in one process, by the contact in another; each erases both, or finds them erased."""
    places = [house.somebody(), replica.somebody()]
    for _ in range(10):
        lead = await ready_lead(places[0], email=address(), company_name="Northwind")
        await places[0].makes(f"/v1/leads/{lead}/convert")
        converted = await places[0].sees(f"/v1/leads/{lead}")
        account, contact = converted["account_id"], {"contact_id": converted["contact_id"]}
        await asyncio.gather(house.settled(), replica.settled())
        answers = await asyncio.gather(
            *(place.does(f"/v1/leads/{lead}/erase-person") for place in places),
            *(place.does(f"/v1/accounts/{account}/erase-contact", contact) for place in places),
        )
        assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
        told = await house.service.running.pool.fetch(ERASED, [UUID(lead), UUID(account)])
        assert [tuple(row) for row in told] == [("leads.contact-erased", 1), ("leads.lead-erased", 1)]


ERASED = """
select type, count(*) from event where aggregate_id = any($1) and type like '%-erased' group by type order by type
"""


async def test_lead_2_a_lead_with_the_address_of_a_contact_points_to_the_account(house: House) -> None:
    desk, email = house.somebody(), address()
    account = await desk.makes("/v1/accounts", {"name": "Northwind"})
    await desk.makes(f"/v1/accounts/{account}/add-contact", {"name": "Ada", "email": email})
    lead = await desk.sees("/v1/leads/" + await desk.makes("/v1/leads", {"source": "fair", "email": email}))
    assert (lead["status"], lead["original_kind"], lead["original_id"]) == ("duplicate", "account", account)


async def test_acct_1_a_contact_does_not_take_the_address_of_an_open_lead(house: House) -> None:
    desk, email = house.somebody(), address()
    await desk.makes("/v1/leads", {"source": "fair", "email": email})
    account = await desk.makes("/v1/accounts", {"name": "Northwind"})
    refused = await desk.does(f"/v1/accounts/{account}/add-contact", {"name": "Ada", "email": email})
    assert (refused.status_code, refused.json()["code"]) == (422, "email-taken")
    assert refused.json()["errors"][0]["pointer"] == "/email"


# -- LEAD-4: whose turn it is ----------------------------------------------------------------------------------------


async def test_lead_4_leads_that_come_at_once_go_round_the_team(house: House) -> None:
    team, reps = await house.team(unique("rosa"), unique("sam"), unique("tea"))
    web = house.somebody(Role.MARKETING, unique("marketing"))
    leads = await asyncio.gather(*(web.makes("/v1/leads", {"source": "website", "team_id": team}) for _ in range(30)))
    ops = house.somebody()
    found = [await ops.sees(f"/v1/leads/{lead}") for lead in leads]
    assert Counter(lead["owner"] for lead in found) == dict.fromkeys(reps, 10)
    assert {lead["rule"] for lead in found} == {"given-team"}
    assert (await ops.sees(f"/v1/assignment-queues/{queue_of(UUID(team))}"))["turns"] == 30


async def test_lead_4_who_is_away_or_full_gets_none_and_then_the_pool_does(house: House) -> None:
    away, full = unique("rosa"), unique("sam")
    team, (rosa, _) = await house.team(away, full)
    ops = house.somebody()
    today = house.service.running.clock.now().date().isoformat()
    await house.somebody(Role.REP, away).makes(f"/v1/members/{rosa}/go-on-leave", {"start": today, "end": today})
    await house.settled()
    captured = []
    for _ in range(31):
        captured.append(await ops.makes("/v1/leads", {"source": "fair", "team_id": team}))
        await house.settled()
    found = [await ops.sees(f"/v1/leads/{lead}") for lead in captured]
    assert Counter(lead["owner"] is not None for lead in found) == {True: 30, False: 1}
    assert (found[-1]["owner"], found[-1]["team"]) == (None, team)
    assert rosa not in {lead["owner"] for lead in found}


async def test_lead_4_nobody_gets_more_leads_than_they_can_carry_however_many_come_at_once(
    house: House, replica: House
) -> None:
    """LEAD-4: what the list does not hold yet counts as well."""
    team, reps = await house.team(unique("rosa"), unique("sam"), capacity=3)
    await replica.settled()
    places = [house.somebody(), replica.somebody()] * 10
    leads = await asyncio.gather(
        *(place.makes("/v1/leads", {"source": "website", "team_id": team}) for place in places)
    )
    found = [await places[0].sees(f"/v1/leads/{lead}") for lead in leads]
    assert Counter(lead["owner"] or "nobody" for lead in found) == {**dict.fromkeys(reps, 3), "nobody": 14}


async def test_lead_4_a_lead_that_ends_or_goes_makes_room_at_once(house: House) -> None:
    ops = house.somebody()
    team, (rosa,) = await house.team(unique("rosa"), capacity=1)
    _, (sam,) = await house.team(unique("sam"))
    ends: dict[str, dict[str, Any]] = {
        "disqualify": {"reason": "no-need"},
        "convert": {"account_name": "Northwind"},
        "erase-person": {},
        "assign": {"member_id": sam},
    }
    for action, body in ends.items():
        first, second = [await ready_lead(ops, team_id=team, email=address()) for _ in range(2)]
        owners = [(await ops.sees(f"/v1/leads/{lead}"))["owner"] for lead in (first, second)]
        assert owners == [rosa, None], action
        await ops.makes(f"/v1/leads/{first}/{action}", body)
        await ops.makes(f"/v1/leads/{second}/assign", {"team_id": team})
        refused = await ops.does(f"/v1/leads/{await ready_lead(ops)}/assign", {"team_id": team})
        assert (refused.status_code, refused.json()["code"]) == (409, "no-eligible-member"), action
        await ops.makes(f"/v1/leads/{second}/assign", {"member_id": sam})


async def test_lead_4_a_lead_of_a_rep_goes_to_whose_turn_it_is_in_their_team(house: House) -> None:
    subjects = [unique("rosa"), unique("sam")]
    _, reps = await house.team(*subjects)
    rosa, sam = (house.somebody(Role.REP, subject) for subject in subjects)
    first = await rosa.makes("/v1/leads", {"source": "call"})
    second = await rosa.makes("/v1/leads", {"source": "call"})
    assert (await rosa.sees(f"/v1/leads/{first}"))["owner"] == min(reps)
    assert await rosa.status(f"/v1/leads/{second}") == 404
    assert (await sam.sees(f"/v1/leads/{second}"))["rule"] == "askers-team"
    unknown = await rosa.does("/v1/leads", {"source": "call", "team_id": str(new_id())})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown-team")
