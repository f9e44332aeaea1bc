"""DATA-4: whoever is to be forgotten is forgotten by leads, deals and forecast, with a broker between them."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.deals.domain.deal import deal
from services.deals.domain.deal.opening import OpenConvertedDeal
from shared.domain.rejection import Rejected
from shared.domain.roles import Role
from shared.http.dry_runs import dry_path
from shared.ops.ids import new_id
from shared.testing.servers import personal_rows
from tests.services.conftest import Everybody
from tests.services.deals.test_approval_at_work import process_with
from tests.services.leads.conftest import Desk, address, ready_lead, unique
from tests.shared.http.waiting import until

PATIENCE_SECONDS = 60


class Sale:
    """Somebody's lead that became a contact and a deal, at an account with another deal; and whoever works with it."""

    def __init__(self, everybody: Everybody) -> None:
        self.everybody = everybody
        self.leads, self.deals, self.forecast = (
            Desk(client=service.client(Role.SALES_OPERATIONS, "ops"))
            for service in (everybody.leads, everybody.deals, everybody.forecast)
        )
        self.surname = unique("Moreno").replace("-", "")
        self.email, self.company = address(), unique("Northwind")
        self.lead = self.duplicate = self.account = self.contact = self.deal = self.plant = ""

    @property
    def erase(self) -> str:
        return f"/v1/leads/{self.lead}/erase-person"

    async def convert(self) -> None:
        """The lead, its duplicate, and what they became."""
        person = {"email": self.email, "person_name": f"Ada {self.surname}", "company_name": self.company}
        self.lead = await ready_lead(self.leads, **person)
        self.duplicate = await self.leads.makes("/v1/leads", {"source": "fair", **person})
        deal = {"name": f"Line for {self.surname}", "amount": {"amount": "620000.00", "currency": "EUR"}}
        await self.leads.makes(f"/v1/leads/{self.lead}/convert", {"deal": deal})
        converted = await self.leads.sees(f"/v1/leads/{self.lead}")
        self.account, self.contact, self.deal = (converted[name] for name in ("account_id", "contact_id", "deal_id"))

    async def known(self) -> None:
        """Both deals are there, and leads knows them."""
        await eventually(self.deals, f"/v1/deals/{self.deal}", lambda _: True)
        plant = {"name": f"Plant of {self.company}", "account_id": self.account}
        made: list[httpx.Response] = []

        async def is_made() -> bool:
            made.append(await self.deals.does("/v1/deals", plant))
            return made[-1].status_code == 201

        await until(is_made, PATIENCE_SECONDS)
        self.plant = made[-1].json()["id"]

        async def are_found() -> bool:
            return {deal["deal_id"] for deal in (await self.would())["deals"]} == {self.deal, self.plant}

        await until(are_found, PATIENCE_SECONDS)

    async def write(self) -> None:
        """Texts that name the person, about both deals; the plant's is closed then, and called after them."""
        for each in (self.deal, self.plant):
            path, evidence = f"/v1/deals/{each}", f"Minutes of {self.surname}"
            await self.deals.makes(f"{path}/log-activity", {"kind": "call", "outcome": f"{self.surname} was away"})
            await self.deals.makes(f"{path}/complete-node", {"key": "first-conversation", "evidence": evidence})
            await self.deals.makes(f"{path}/plan-next-step", {"on": "2099-01-05", "what": f"Call {self.surname}"})
        # It is with no account any more: what was written while it was names the person all the same.
        path, whichever = f"/v1/deals/{self.plant}", {"If-Match": "*"}
        gone = await self.deals.client.patch(path, json={"account_id": None}, headers=whichever)
        assert gone.status_code == 200, gone.text
        await self.deals.makes(f"/v1/deals/{self.plant}/lose", {"reason": "price"})
        await self.deals.makes(f"/v1/deals/{self.plant}/rename", {"name": f"Plant of {self.surname}"})

        async def is_known() -> bool:
            return {deal["name"] for deal in (await self.would())["deals"]} == {"Line for …", "Plant of …"}

        await until(is_known, PATIENCE_SECONDS)

    async def would(self, **body: Any) -> Any:
        """What a dry run tells of the lead's erasure; without one, nothing of deals."""
        answer = await self.leads.client.post(dry_path(self.erase), json=body)
        assert answer.status_code == 200, answer.text
        told = [event["data"] for event in answer.json()["events"] if event["data"] is not None]
        return told[0] if told else {"deals": []}

    async def traces(self) -> str:
        """All that is shown of the person, wherever it is."""
        read = [
            *(self.leads.sees(f"/v1/leads/{lead}") for lead in (self.lead, self.duplicate)),
            self.leads.sees(f"/v1/accounts/{self.account}"),
            *(self.leads.sees(f"/v1/{listing}", q=word) for listing in ("leads", "contacts") for word in self.words),
            *(self.deals.sees(f"/v1/deals/{deal}") for deal in (self.deal, self.plant) if deal),
            *(self.deals.sees("/v1/deals", q=word) for word in self.words),
        ]
        return str([await each for each in read])

    async def is_nowhere(self) -> None:
        """Wait until nothing is shown of the person."""

        async def is_gone() -> bool:
            return not self.is_named(await self.traces())

        await until(is_gone, PATIENCE_SECONDS)

    @property
    def words(self) -> tuple[str, str]:
        return self.surname, self.email

    def is_named(self, text: str) -> bool:
        return any(word in text for word in self.words)


async def eventually(desk: Desk, path: str, holds: Callable[[Any], bool], **query: str) -> Any:
    """What is read there, once it holds."""
    read: list[Any] = []

    async def is_so() -> bool:
        answer = await desk.client.get(path, params=query)
        if answer.status_code != 200:
            return False
        read.append(answer.json())
        return holds(read[-1])

    await until(is_so, PATIENCE_SECONDS)
    return read[-1]


@pytest.fixture
async def sale(everybody: Everybody) -> Sale:
    sale = Sale(everybody)
    await sale.convert()
    return sale


Erase = Callable[[Sale], Awaitable[httpx.Response]]


async def by_lead(sale: Sale) -> httpx.Response:
    return await sale.leads.does(sale.erase)


async def by_duplicate(sale: Sale) -> httpx.Response:
    return await sale.leads.does(f"/v1/leads/{sale.duplicate}/erase-person")


async def by_contact(sale: Sale) -> httpx.Response:
    return await sale.leads.does(f"/v1/accounts/{sale.account}/erase-contact", {"contact_id": sale.contact})


@pytest.mark.parametrize("erase", [by_lead, by_duplicate, by_contact])
async def test_data_4_one_command_leaves_nothing_of_a_person_in_any_service(sale: Sale, erase: Erase) -> None:
    await sale.known()
    await sale.write()
    assert (await sale.traces()).count(sale.surname) > 10
    started = await sale.forecast.sees("/v1/newest-events", limit="1")
    erased = await erase(sale)
    assert erased.status_code == 200, erased.text
    await eventually(sale.deals, f"/v1/deals/{sale.deal}", lambda deal: deal["name"] == "Line for …")
    await eventually(sale.deals, f"/v1/deals/{sale.plant}", lambda deal: deal["name"] == "Plant of …")
    await sale.is_nowhere()
    texts = sale.everybody.deals.running.pool
    assert [await personal_rows(texts, UUID(deal)) for deal in (sale.deal, sale.plant)] == [0, 0]
    pool = sale.everybody.leads.running.pool
    assert [await personal_rows(pool, UUID(one)) for one in (sale.lead, sale.duplicate, sale.contact)] == [0, 0, 0]
    assert (await sale.leads.sees(f"/v1/leads/{sale.lead}"))["deal_name"] == "Line for …"
    plant = await sale.deals.sees(f"/v1/deals/{sale.plant}")
    assert (plant["name"], plant["status"]) == ("Plant of …", "lost")
    # What forecast answers, of now and of the instant before.
    history, timeline = f"/v1/deal-histories/{sale.deal}", f"/v1/account-timelines/{sale.account}"
    await eventually(sale.forecast, history, lambda told: told["name"] == "Line for …")
    for query in ({}, {"as_of": started["as_of"]}):
        for path in (history, timeline, "/v1/newest-events", "/v1/funnel/deals"):
            await eventually(sale.forecast, path, lambda told: not sale.is_named(str(told)), **query)
    again = await erase(sale)
    assert (again.status_code, again.json()["version"]) == (200, erased.json()["version"])


async def test_data_4_a_dry_run_lists_the_deals_and_changes_nothing(sale: Sale) -> None:
    await sale.known()
    would = await sale.would()
    assert sorted(would["deals"], key=lambda deal: deal["deal_id"] != sale.deal) == [
        {"deal_id": sale.deal, "name": "Line for …", "texts_kept": False},
        {"deal_id": sale.plant, "name": None, "texts_kept": False},
    ]
    kept = await sale.would(keep_texts=[sale.deal, sale.plant])
    assert kept["deals"] == [{"deal_id": sale.deal, "name": "Line for …", "texts_kept": True}]
    assert sale.is_named(await sale.traces())
    refused = await sale.leads.client.post(dry_path(sale.erase), json={"keep_texts": [sale.plant, str(new_id())]})
    assert (refused.status_code, refused.json()["code"]) == (422, "other-deal")
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/keep_texts/1"]


async def test_data_4_texts_that_name_nobody_are_kept(sale: Sale) -> None:
    await sale.known()
    await sale.write()
    erased = await sale.leads.does(sale.erase, {"keep_texts": [sale.deal]})
    assert erased.status_code == 200, erased.text
    await eventually(sale.deals, f"/v1/deals/{sale.plant}", lambda deal: not sale.is_named(str(deal)))
    kept = await eventually(sale.deals, f"/v1/deals/{sale.deal}", lambda deal: deal["name"] == "Line for …")
    assert kept["next_step"]["what"] == f"Call {sale.surname}"
    # Without a word about it the texts go after all.
    assert (await sale.leads.does(sale.erase)).status_code == 200
    await eventually(sale.deals, f"/v1/deals/{sale.deal}", lambda deal: not sale.is_named(str(deal)))


async def test_data_4_a_deal_that_never_came_holds_nothing_up(
    everybody: Everybody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DATA-4: what follows from the erasure is refused, told as that, and not parked."""
    handler_of = deal.handler_of

    def refusing(state: Any, command: type) -> Any:
        if command is OpenConvertedDeal:
            raise Rejected("not-today", "Nothing is opened today.")
        return handler_of(state, command)

    monkeypatch.setattr(deal, "handler_of", refusing)
    sale, asked = Sale(everybody), str(new_id())
    await sale.convert()
    assert (await sale.leads.does(sale.erase, {}, **{"X-Correlation-Id": asked})).status_code == 200
    effects = f"/v1/effects/{asked}"
    told = await eventually(sale.forecast, effects, lambda told: told["state"] not in ("waiting", "done"))
    assert told["state"] == "refused"
    refused = [(each["command"], each["code"]) for each in told["effects"] if each["outcome"] == "refused"]
    assert sorted(refused) == [("EraseTexts", "not-found"), ("RenameDeal", "not-found")]


async def test_data_4_what_was_submitted_for_approval_names_nobody_whether_it_waits_or_has_ended(sale: Sale) -> None:
    """DATA-4, DEAL-2: approvals, the list of decisions and the inbox of whoever was asked."""
    await sale.known()
    subject, title = unique("director"), "Works of …: Review"
    body = {"subject": subject, "name": "Dora", "role": Role.SALES_DIRECTOR}
    chain = {"key": "dora", "name": "Dora", "approvers": [{"member": await sale.leads.makes("/v1/members", body)}]}
    made: list[httpx.Response] = []

    async def is_published() -> bool:
        """Deals know by now whom the chain asks."""
        made.append(await sale.deals.does("/v1/processes", {"definition": process_with(chain)}))
        return made[-1].status_code == 201

    await until(is_published, PATIENCE_SECONDS)
    named = {"name": f"Works of {sale.surname}", "account_id": sale.account, "process_id": made[-1].json()["id"]}
    works = await sale.deals.makes("/v1/deals", named)
    of_deals, of_forecast = (
        Desk(client=service.client(Role.SALES_DIRECTOR, subject))
        for service in (sale.everybody.deals, sale.everybody.forecast)
    )

    async def submitted() -> str:
        await sale.deals.makes(f"/v1/deals/{works}/submit-for-approval", {"gate": "exit of review"})
        (found,) = (await sale.deals.sees(f"/v1/deals/{works}"))["submissions"]
        return f"/v1/deal-approvals/{found['approval_id']}"

    back = await submitted()
    await of_deals.makes(f"{back}/return-for-rework", {"reason": "Who decides there?"})
    waits = await submitted()

    async def shown() -> list[Any]:
        """The names of both approvals, wherever they are told."""
        listed = [each for state in ("returned", "waiting") for each in await decided(of_forecast, works, state=state)]
        inbox = [each for each in (await of_forecast.sees("/v1/notices"))["items"] if each["about_id"] == works]
        return [
            *[(await of_deals.sees(path))["name"] for path in (back, waits)],
            *[each["name"] for each in listed],
            *[each["reference"] for each in inbox],
        ]

    async def is_shown(name: str) -> None:
        async def is_so() -> bool:
            return await shown() == [name] * 6

        await until(is_so, PATIENCE_SECONDS)

    await is_shown(f"Works of {sale.surname}: Review")

    async def is_found() -> bool:
        told = await sale.leads.client.post(dry_path(sale.erase), json={})
        return "Works of …" in told.text

    await until(is_found, PATIENCE_SECONDS)
    assert (await by_contact(sale)).status_code == 200
    await is_shown(title)
    decided_now = (await decided(of_forecast, works, state="returned"))[0]
    ended = (await of_deals.sees(back))["decisions"][-1]["at"]
    assert datetime.fromisoformat(decided_now["since"]) == datetime.fromisoformat(ended), "it ended when it ended"
    told = (await of_deals.sees(f"{waits}/history"))["items"][-1]
    assert (told["type"], told["data"]["name"]) == ("deals.approval-renamed", title)
    await of_deals.makes(f"{waits}/approve")
    assert (await sale.deals.sees(f"/v1/deals/{works}"))["submissions"][0]["status"] == "approved"


async def decided(desk: Desk, about: str, **query: str) -> list[Any]:
    """What is listed of the approvals about something, for whoever asks."""
    listed = (await desk.sees("/v1/decisions", **query))["decisions"]
    return [each for each in listed if each["subject_id"] == about]


async def test_data_4_a_deal_that_comes_meanwhile_is_called_as_it_shall_be(sale: Sale) -> None:
    """DATA-4: the lead was converted a moment ago; its deal is not there yet when the person is erased."""
    assert (await by_contact(sale)).status_code == 200
    await eventually(sale.deals, f"/v1/deals/{sale.deal}", lambda deal: deal["name"] == "Line for …")
