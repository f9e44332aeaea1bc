"""Everything that happened with an account, over HTTP: in one list, within rights, now and then (ACCT-1, API-4)."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from shared.domain.roles import Role
from shared.events.contracts.contract import ContractDrafted, ContractTermsChanged
from shared.events.deals.deal import DealFactRetracted
from shared.events.envelope import Envelope
from shared.events.leads.account import AccountHandedOver, AccountOpened, ContactAdded
from shared.events.leads.lead import LeadAssigned, LeadCaptured, LeadConverted
from shared.events.leads.member import MemberJoined, MemberLeft
from shared.events.leads.team import TeamFormed
from shared.events.receivables.ledger import InvoiceIssued, ReceiptAllocated, ReceiptRecorded
from shared.events.receivables.payment_plan import PlanDrawnUp
from shared.kafka.partitioning import PARTITIONS, partition_of
from tests.described import as_described
from tests.services.forecast.conftest import journaled
from tests.services.forecast.facts import ANNA, BEN, NORTH, SOUTH, day, eur, fact, handed_over, moved, opened, won
from tests.services.forecast.test_belonging import TERMS
from tests.shared.http.conftest import Errands

SERVICES = {"contract": "contracts", "ledger": "receivables", "payment-plan": "receivables", "deal": "deals"}
FIRST_DAY = date(2026, 3, 1)


@dataclass(frozen=True, slots=True)
class World:
    """An account with all that may be with it, and another one."""

    account: UUID
    other: UUID
    lead: UUID
    deal: UUID
    of_ben: UUID
    contract: UUID
    plan: UUID
    ledger: UUID

    @classmethod
    def new(cls) -> "World":
        return cls(*(uuid4() for _ in range(8)))

    @property
    def aggregates(self) -> dict[str, str]:
        """What its things are, by their ids."""
        kinds = ("account", "account", "lead", "deal", "deal", "contract", "payment-plan", "ledger")
        return {str(getattr(self, name)): kind for name, kind in zip(self.__slots__, kinds, strict=True)}


Told = tuple[UUID, Any, int]
"""A thing, what happened to it, and how many days after the first."""


def story(world: World) -> list[Told]:
    """What happened, by things, each thing's in its order."""
    account, deal, ledger, contract = world.account, world.deal, world.ledger, world.contract
    converted = LeadConverted(
        lead_id=world.lead,
        account_id=account,
        contact_id=world.lead,
        captured_at=day("2026-02-01"),
        source="fair",
        owner=ANNA,
        team=NORTH,
        deal_id=deal,
    )
    drafted = ContractDrafted(
        contract_id=contract,
        name="Press line",
        total=eur(1000),
        payment_terms=TERMS,
        trigger="win",
        deal_id=deal,
        account_id=account,
        owner=ANNA,
        team=NORTH,
    )
    plan = PlanDrawnUp(
        plan_id=world.plan,
        contract_id=contract,
        account_id=account,
        total=eur(1000),
        instalments=(),
        owner=ANNA,
        team=NORTH,
    )
    money: dict[str, Any] = {"ledger_id": ledger, "account_id": account, "amount": eur(1000)}
    issued = InvoiceIssued(
        **money,
        invoice_id=UUID(int=1),
        number="M-1",
        legal_entity="MAIN",
        on=FIRST_DAY,
        due=FIRST_DAY,
        owner=ANNA,
        team=NORTH,
    )
    received = ReceiptRecorded(**money, receipt_id=UUID(int=2), bank_reference="B", on=FIRST_DAY)
    allocated = ReceiptAllocated(
        **money,
        receipt_id=UUID(int=2),
        invoice_id=UUID(int=1),
        invoice_number="M-1",
        open_after=eur(0),
        rule="exact-amount",
        on=FIRST_DAY,
        owner=ANNA,
        team=NORTH,
    )
    return [
        (world.lead, LeadCaptured(lead_id=world.lead, source="fair", company_name="Acme"), 0),
        (world.lead, LeadAssigned(lead_id=world.lead, team_id=NORTH, member_id=ANNA, rule="by-hand"), 1),
        (world.lead, converted, 2),
        (account, AccountOpened(account_id=account, name="Acme", owner=ANNA, team=NORTH, lead_id=world.lead), 2),
        (account, ContactAdded(account_id=account, contact_id=world.lead, name="Carla", owner=ANNA, team=NORTH), 3),
        (deal, replace(opened(deal=deal), account_id=account), 2),
        (deal, moved("needs", deal=deal), 4),
        (deal, won(date(2026, 3, 6), deal=deal), 5),
        (contract, drafted, 6),
        (world.plan, plan, 7),
        (ledger, issued, 8),
        (ledger, received, 9),
        (ledger, allocated, 10),
        (world.of_ben, replace(opened(deal=world.of_ben, team=SOUTH, owner=BEN), account_id=account), 11),
        (world.other, AccountOpened(account_id=world.other, name="Bolt", owner=BEN, team=SOUTH), 0),
    ]


ALL = Counter({"lead": 3, "account": 2, "deal": 4, "contract": 1, "payment-plan": 1, "ledger": 3})
OF_ANNA = ALL - Counter({"deal": 1, "ledger": 1})
"""Without Ben's deal, and money that is nobody's."""


class Telling:
    """Envelopes with the sequences of their streams."""

    def __init__(self) -> None:
        self._sequences: Counter[UUID] = Counter()

    def envelope(self, told: Told, recorded: datetime | None = None, name: str | None = None) -> Envelope[Any]:
        about, data, days = told
        self._sequences[about] += 1
        occurred = day(FIRST_DAY.isoformat()) + timedelta(days=days)
        made = fact(self._sequences[about], data, occurred, recorded, deal=about)
        return replace(
            made,
            service=SERVICES.get(data.aggregate, "leads"),
            aggregate=data.aggregate,
            partition=partition_of(about, PARTITIONS),
            causation_id=uuid4(),
            fact=name,
        )


async def journal(served: Errands, facts: Iterable[Envelope[Any]]) -> None:
    await journaled(served.running, facts)


@pytest.fixture(scope="module", autouse=True)
async def people(served: Errands) -> None:
    """Two reps in two teams, and one who left."""
    told = [
        *((team, TeamFormed(team_id=team, name=name), 0) for team, name in ((NORTH, "North"), (SOUTH, "South"))),
        *(
            (who, MemberJoined(member_id=who, subject=name, name=name.title(), role="rep", team_id=team), 0)
            for who, name, team in ((ANNA, "anna", NORTH), (BEN, "ben", SOUTH))
        ),
    ]
    telling = Telling()
    await journal(served, [telling.envelope(each) for each in told])


async def timeline(client: httpx.AsyncClient, account: UUID, **query: Any) -> list[dict[str, Any]]:
    """All entries, page by page."""
    found: list[dict[str, Any]] = []
    while True:
        address = f"/v1/account-timelines/{account}"
        response = await client.get(address, params=query)
        assert response.status_code == 200, response.text
        body = as_described(address, response.json())
        found += body["entries"]
        if not body["has_more"]:
            return found
        query["cursor"] = body["next"]


def kinds(entries: Sequence[dict[str, Any]]) -> Counter[str]:
    return Counter(entry["aggregate"] for entry in entries)


def types(entries: Sequence[dict[str, Any]]) -> list[str]:
    return [entry["type"].partition(".")[2] for entry in entries]


@pytest.fixture(scope="module")
def director(served: Errands) -> httpx.AsyncClient:
    return served.client(Role.SALES_DIRECTOR, "dora")


async def test_acct_1_all_that_happened_with_an_account_is_in_one_list(
    served: Errands, director: httpx.AsyncClient
) -> None:
    """The newest first, by whom, with what changed of a deal, and nothing about people."""
    world, telling = World.new(), Telling()
    await journal(served, [telling.envelope(each) for each in story(world)])
    found = await timeline(director, world.account)
    assert kinds(found) == ALL
    assert {entry["id"]: entry["aggregate"] for entry in found}.items() <= world.aggregates.items()
    when = [entry["occurred_at"] for entry in found]
    assert when == sorted(when, reverse=True)
    assert types(found)[-2:] == ["lead-assigned", "lead-captured"]
    (closed,) = [entry for entry in found if entry["type"] == "deals.deal-won"]
    assert (closed["text"], closed["name"], closed["actor"], closed["actor_name"]) == (
        "Deal won",
        "Press line",
        "anna",
        "Anna",
    )
    (outcome,) = (change for change in closed["changes"] if change["field"] == "outcome")
    assert (outcome["title"], outcome["before"], outcome["after"]) == ("Outcome", "open", "won")
    assert (outcome["before_title"], outcome["after_title"]) == ("Open", "Won")
    assert {entry["name"] for entry in found if entry["aggregate"] == "ledger"} == {"M-1", None}
    assert "Carla" not in str(found)
    assert types(await timeline(director, world.other)) == ["account-opened"]


async def test_fc_17_what_was_booked_before_anything_that_was_told_first_is_in_the_past(
    served: Errands, director: httpx.AsyncClient
) -> None:
    """A receipt is booked, and then the history of the year before comes in: its invoice stood in the ledger then."""
    world, telling = World.new(), Telling()
    told = story(world)
    books = [each for each in told if each[0] == world.ledger]
    issued, received = books[0], books[1]
    await journal(served, [telling.envelope(each) for each in told if each[0] != world.ledger])
    await journal(served, [telling.envelope(received), telling.envelope(issued)])
    between = FIRST_DAY + timedelta(days=8)
    then = await timeline(director, world.account, as_of=between.isoformat(), aggregate="ledger")
    assert types(then) == ["invoice-issued"]
    assert sorted(types(await timeline(director, world.account, aggregate="ledger"))) == [
        "invoice-issued",
        "receipt-recorded",
    ]


async def test_api_1_pages_hold_every_entry_once_and_kinds_can_be_chosen(
    served: Errands, director: httpx.AsyncClient
) -> None:
    world, telling = World.new(), Telling()
    await journal(served, [telling.envelope(each) for each in story(world)])
    whole = await timeline(director, world.account)
    assert await timeline(director, world.account, limit=2) == whole
    chosen = await timeline(director, world.account, aggregate=["lead", "ledger"])
    assert chosen == [entry for entry in whole if entry["aggregate"] in ("lead", "ledger")]
    refused = await director.get(f"/v1/account-timelines/{world.account}", params={"aggregate": "people"})
    assert refused.status_code == 400


async def test_api_4_each_sees_what_is_theirs_of_an_account_that_they_see(
    served: Errands, director: httpx.AsyncClient
) -> None:
    world, telling = World.new(), Telling()
    await journal(served, [telling.envelope(each) for each in story(world)])
    anna, ben = served.client(Role.REP, "anna"), served.client(Role.REP, "ben")
    assert kinds(await timeline(anna, world.account)) == OF_ANNA
    address = f"/v1/account-timelines/{world.account}"
    assert (await ben.get(address)).status_code == 404
    assert (await director.get(f"/v1/account-timelines/{uuid4()}")).status_code == 404
    of_south = await timeline(director, world.account, team=str(SOUTH))
    assert kinds(of_south) == Counter(deal=1), "whoever narrows asks for less of the account"

    # Both come to Ben, with all that was before.
    over = AccountHandedOver(account_id=world.account, owner=BEN, team=SOUTH)
    to_ben = [(world.account, over, 20), (world.deal, handed_over(SOUTH, BEN, deal=world.deal), 20)]
    await journal(served, [telling.envelope(each) for each in to_ben])
    assert (await anna.get(address)).status_code == 404
    assert kinds(await timeline(ben, world.account)) == Counter(account=3, deal=5)


async def test_acct_1_what_came_to_another_account_is_shown_until_then(
    served: Errands, director: httpx.AsyncClient
) -> None:
    world, telling = World.new(), Telling()
    changed = ContractTermsChanged(
        contract_id=world.contract, total=eur(9), payment_terms=TERMS, account_id=world.other
    )
    await journal(served, [telling.envelope(each) for each in [*story(world), (world.contract, changed, 12)]])
    assert types(await timeline(director, world.account, aggregate="contract")) == ["contract-drafted"]
    assert types(await timeline(director, world.other)) == ["contract-terms-changed", "account-opened"]
    before = (FIRST_DAY + timedelta(days=11)).isoformat()
    assert types(await timeline(director, world.other, as_of=before)) == ["account-opened"]


async def test_data_5_what_was_corrected_or_taken_back_is_told_as_it_was_known(
    served: Errands, director: httpx.AsyncClient
) -> None:
    world, telling = World.new(), Telling()
    first, corrected, gone = (day(each) for each in ("2026-04-01", "2026-04-02", "2026-04-03"))
    account = (world.account, AccountOpened(account_id=world.account, name="Acme"), 0)
    other = (world.other, AccountOpened(account_id=world.other, name="Bolt"), 0)
    one, two = (
        (world.deal, replace(opened(amount, deal=world.deal), account_id=with_whom), 1)
        for amount, with_whom in ((1, world.account), (2, world.other))
    )
    told = telling.envelope(two, corrected, "deal")
    facts = [*(telling.envelope(each) for each in (account, other))]
    facts += [replace(telling.envelope(one, first, "deal"), sequence=1), replace(told, sequence=2)]
    await journal(served, facts)
    assert types(await timeline(director, world.account)) == ["account-opened"]
    (_, deal) = reversed(await timeline(director, world.other))
    assert (deal["type"], deal["amount"]["amount"]) == ("deals.deal-opened", "2.00")
    assert len(await timeline(director, world.account, known_at=first.isoformat(), as_of=first.isoformat())) == 2

    back = (world.deal, DealFactRetracted(deal_id=world.deal, request=told.causation_id), 3)
    await journal(served, [replace(telling.envelope(back, gone), sequence=3)])
    (_, deal) = reversed(await timeline(director, world.account))
    assert (deal["type"], deal["amount"]["amount"]) == ("deals.deal-opened", "1.00")
    assert types(await timeline(director, world.other)) == ["account-opened"]
    assert len(await timeline(director, world.other, known_at=corrected.isoformat())) == 2


async def test_con_1_a_contract_that_goes_on_under_its_name_is_not_corrected(
    served: Errands, director: httpx.AsyncClient
) -> None:
    """An import tells the steps of a contract as one fact, and more of them later."""
    world, telling = World.new(), Telling()
    changed = ContractTermsChanged(
        contract_id=world.contract, total=eur(9), payment_terms=TERMS, account_id=world.account
    )
    told = [*(each for each in story(world) if each[0] == world.contract), (world.contract, changed, 12)]
    opening = (world.account, AccountOpened(account_id=world.account, name="Acme", owner=ANNA, team=NORTH), 0)
    await journal(served, [telling.envelope(opening), *(telling.envelope(each, None, "contract") for each in told)])
    for client in (director, served.client(Role.REP, "anna")):
        found = await timeline(client, world.account, aggregate="contract")
        assert types(found) == ["contract-terms-changed", "contract-drafted"]


async def test_acct_1_a_lead_that_an_account_came_from_is_told_with_it(
    served: Errands, director: httpx.AsyncClient
) -> None:
    """Also where nothing says that it was converted, as after an import of accounts alone."""
    world, telling = World.new(), Telling()
    told = [each for each in story(world) if each[0] in (world.lead, world.account)]
    told = [each for each in told if not isinstance(each[1], LeadConverted)]
    await journal(served, [telling.envelope(each) for each in told])
    assert kinds(await timeline(director, world.account)) == Counter(account=2, lead=2)


@pytest.mark.parametrize("seed", range(5))
async def test_data_5_the_order_in_which_things_are_told_changes_no_timeline(
    served: Errands, director: httpx.AsyncClient, seed: int
) -> None:
    """Between aggregates and topics always, and of the facts of one that history may tell late."""
    dice = random.Random(seed)
    one, other = World.new(), World.new()
    answers = []
    for world, is_shuffled in ((one, False), (other, True)):
        telling, told = Telling(), story(world)
        told += [
            (world.account, AccountHandedOver(account_id=world.account, owner=BEN, team=SOUTH), 3),
            (world.deal, handed_over(SOUTH, BEN, deal=world.deal), 3),
        ]
        if is_shuffled:
            dice.shuffle(told)
            in_order = iter(each for each in story(world) if each[0] == world.ledger)
            told = [next(in_order) if each[0] == world.ledger else each for each in told]
        facts = [telling.envelope(each, day("2026-05-01"), f"{each[1].type}/{each[2]}") for each in told]
        cut = dice.randrange(1, len(facts))
        for page in (facts[:cut], facts[cut:]):
            await journal(served, page)
        seen = [await timeline(client, world.account) for client in (director, served.client(Role.REP, "ben"))]
        answers.append([_plain(entries, world) for entries in seen])
    assert answers[0] == answers[1]
    assert len(answers[0][1]) > 2


def _plain(entries: Sequence[dict[str, Any]], world: World) -> list[list[dict[str, Any]]]:
    """What happened at each time, without what is this world's alone; what happened to two things goes in any order."""
    names = {str(getattr(world, name)): name for name in world.__slots__}
    plain = [
        {name: names.get(str(said), said) for name, said in each.items() if name != "position"} for each in entries
    ]
    return [
        sorted(of_time, key=lambda entry: str(entry["id"]))
        for _, of_time in groupby(plain, key=lambda entry: entry["occurred_at"])
    ]


async def test_whoever_left_is_named_in_what_they_did(served: Errands, director: httpx.AsyncClient) -> None:
    """DATA-5: history names members who have left."""
    tom, world, telling = uuid4(), World.new(), Telling()
    joined = MemberJoined(member_id=tom, subject=f"tom-{tom}", name="Tom", role="rep", team_id=NORTH)
    told = [(tom, joined, 0), (tom, MemberLeft(member_id=tom, on=date(2026, 3, 20)), 19)]
    opening = telling.envelope((world.account, AccountOpened(account_id=world.account, name="Acme"), 2))
    facts = [*(telling.envelope(each) for each in told), replace(opening, actor=f"tom-{tom}", imported=True)]
    await journal(served, facts)
    (entry,) = await timeline(director, world.account)
    assert (entry["actor_name"], entry["imported"]) == ("Tom", True)
