"""The past stays as it was: with `as_of` and `known_at` the same asker gets the same bytes, whatever happens (FC-1)."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import httpx
import pytest

from shared.domain.periods import CALENDAR_YEAR
from shared.domain.roles import Role
from shared.events.contracts.contract import ContractDrafted, ContractTermsChanged
from shared.events.deals.deal import DealOpened
from shared.events.deals.target import TargetSet
from shared.events.envelope import Envelope
from shared.events.leads.account import AccountChanged, AccountHandedOver, AccountOpened
from shared.events.leads.lead import LeadAssigned, LeadCaptured, LeadConverted, LeadDisqualified
from shared.events.leads.member import MemberJoined, MemberMoved
from shared.events.leads.team import ManagerAppointed, TeamChanged, TeamFormed
from shared.events.receivables.ledger import InvoiceIssued
from shared.events.registry import retraction_of
from shared.kafka.partitioning import PARTITIONS, partition_of
from shared.ops.ids import new_id
from tests.described import as_described
from tests.services.forecast.conftest import journaled
from tests.services.forecast.facts import (
    ANNA,
    BEN,
    NORTH,
    OWN,
    SHORT,
    SOUTH,
    eur,
    fact,
    handed_over,
    lost,
    moved,
    opened,
    planned,
    reopened,
    repriced,
    rescheduled,
    won,
)
from tests.services.forecast.test_conformance import declined, proposed, refused
from tests.services.forecast.test_processes import SECOND_STAGES, STANDARD_STAGES, published
from tests.shared.http.conftest import Errands

OF_NOW = {"/v1/me", "/v1/horizon", "/v1/stream", "/v1/effects/{correlation_id}", "/v1/decisions", *OWN}
"""What refuses `as_of` and `known_at`; what forecast owns itself does too, for lists tell what is now."""
NEEDED = {
    "/v1/pipeline-changes/deals": {"leg": "new"},
    "/v1/process-conformance/cases": {"figure": "stage-first-attempts"},
}
"""What an address cannot be asked without."""
DEALS = [UUID(int=3000 + number) for number in range(8)]
CUSTOMER, OTHER = UUID(int=3900), UUID(int=3901)
"""Two accounts that deals and money are with."""
LEADS = [UUID(int=4000 + number) for number in range(6)]
EAST = UUID(int=300)
LATER_FACTS = 150

Told = tuple[str, UUID, Any]
"""The service of an event, its aggregate, and the event."""


class Journal:
    """Envelopes with the sequences of their streams."""

    def __init__(self) -> None:
        self._sequences: Counter[UUID] = Counter()
        self.told: list[Envelope[Any]] = []
        """Facts of history that stand, and may be taken back."""

    def envelope(self, told: Told, occurred: datetime, recorded: datetime, *, by_day: bool = False) -> Envelope[Any]:
        service, aggregate_id, data = told
        self._sequences[aggregate_id] += 1
        made = fact(self._sequences[aggregate_id], data, occurred, recorded, deal=aggregate_id)
        place = {"service": service, "aggregate": data.aggregate, "partition": partition_of(aggregate_id, PARTITIONS)}
        name = f"told/{made.sequence}" if by_day else None
        made = replace(made, **place, causation_id=new_id(), by_day=by_day, imported=by_day, fact=name)
        if by_day and retraction_of(type(data)) is not None:
            self.told.append(made)
        return made

    def retraction(self, dice: random.Random, recorded: datetime) -> Envelope[Any]:
        """What takes back some fact of history."""
        gone = self.told.pop(dice.randrange(len(self.told)))
        kind: Any = retraction_of(type(gone.data))
        data = kind(**{f"{gone.aggregate}_id": gone.aggregate_id}, request=gone.causation_id)
        return replace(self.envelope((gone.service, gone.aggregate_id, data), recorded, recorded), imported=True)


def deal(dice: random.Random, on: date) -> Told:
    chosen = dice.choice(DEALS)
    event = dice.choice(
        [
            moved("needs", deal=chosen),
            moved("quotation", deal=chosen),
            repriced(dice.randrange(100, 9000), deal=chosen),
            rescheduled(on + timedelta(days=dice.randrange(90)), deal=chosen),
            handed_over(*dice.choice([(SOUTH, BEN), (NORTH, ANNA), (EAST, BEN)]), deal=chosen),
            won(on, deal=chosen),
            lost(on, deal=chosen),
            reopened(deal=chosen),
            planned(on + timedelta(days=dice.randrange(30)), deal=chosen),
            refused("needs", deal=chosen),
            proposed(deal=chosen),
            declined(deal=chosen),
        ]
    )
    return "deals", chosen, event


def another_deal(dice: random.Random, on: date) -> Told:
    new = UUID(int=dice.getrandbits(120))
    made = opened(dice.randrange(100, 9000), "needs", on + timedelta(days=30), new, dice.choice([NORTH, SOUTH, EAST]))
    return "deals", new, of(dice.choice([CUSTOMER, OTHER]), made)


def of(account: UUID, deal: DealOpened) -> DealOpened:
    return replace(deal, account_id=account)


def customer(dice: random.Random, on: date) -> Told:
    chosen, (team, owner) = dice.choice([CUSTOMER, OTHER]), dice.choice([(SOUTH, BEN), (NORTH, ANNA)])
    event: Any = dice.choice(
        [
            AccountHandedOver(account_id=chosen, owner=owner, team=team),
            AccountChanged(account_id=chosen, name=f"Acme {dice.randrange(9)}", lead_id=dice.choice([None, *LEADS])),
        ]
    )
    return "leads", chosen, event


def contract(dice: random.Random, on: date) -> Told:
    """The first event of each is its draft, whatever comes."""
    chosen, account = UUID(int=3950 + dice.randrange(3)), dice.choice([CUSTOMER, OTHER, None])
    said: dict[str, Any] = {"contract_id": chosen, "total": eur(9), "payment_terms": (), "account_id": account}
    event: Any = dice.choice(
        [
            ContractDrafted(**said, name="Press line", trigger="win", owner=ANNA, team=NORTH),
            ContractTermsChanged(**said, owner=BEN),
        ]
    )
    return "contracts", chosen, event


def lead(dice: random.Random, on: date) -> Told:
    chosen = dice.choice(LEADS)
    captured = datetime(2025, 1, 1, tzinfo=None).astimezone()
    event = dice.choice(
        [
            LeadAssigned(lead_id=chosen, team_id=dice.choice([NORTH, SOUTH]), member_id=BEN, rule="by-hand"),
            LeadDisqualified(lead_id=chosen, reason="no-need"),
            LeadConverted(
                lead_id=chosen,
                account_id=dice.choice([CUSTOMER, OTHER]),
                contact_id=chosen,
                captured_at=captured,
                source="fair",
                owner=ANNA,
                team=NORTH,
            ),
        ]
    )
    return "leads", chosen, event


def another_lead(dice: random.Random, on: date) -> Told:
    new = UUID(int=dice.getrandbits(120))
    return "leads", new, LeadCaptured(lead_id=new, source="fair", company_name="New")


def organisation(dice: random.Random, on: date) -> Told:
    event: Any = dice.choice(
        [
            TeamChanged(team_id=SOUTH, name="South", parent_id=dice.choice([NORTH, None])),
            TeamFormed(team_id=EAST, name="East", parent_id=NORTH),
            ManagerAppointed(team_id=NORTH, member_id=BEN),
            MemberMoved(member_id=BEN, before=SOUTH, team_id=NORTH),
        ]
    )
    return "leads", getattr(event, f"{event.aggregate}_id"), event


def target(dice: random.Random, on: date) -> Told:
    quarter = CALENDAR_YEAR.quarter_of(on).name
    of, amount = uuid5(SHORT, quarter), eur(dice.randrange(1000, 99999))
    return "deals", of, TargetSet(target_id=of, period=quarter, kind="revenue", level="company", amount=amount)


def process(dice: random.Random, on: date) -> Told:
    return "deals", SHORT, published(SHORT, "standard", "Standard", dice.randrange(2, 99), SECOND_STAGES)


def invoice(dice: random.Random, on: date) -> Told:
    ledger, number = UUID(int=6000), UUID(int=dice.getrandbits(120))
    event = InvoiceIssued(
        ledger_id=ledger,
        account_id=CUSTOMER,
        invoice_id=number,
        number=str(number),
        legal_entity="MAIN",
        amount=eur(dice.randrange(1, 999)),
        on=on,
        due=on + timedelta(days=14),
        owner=ANNA,
        team=NORTH,
    )
    return "receivables", ledger, event


KINDS = (deal, deal, deal, another_deal, lead, another_lead, organisation, target, process, invoice, customer, contract)


def beginning(journal: Journal, at: datetime) -> Iterator[Envelope[Any]]:
    """A company at work."""
    told: list[Told] = [
        ("deals", SHORT, published(SHORT, "standard", "Standard", 1, STANDARD_STAGES)),
        ("leads", NORTH, TeamFormed(team_id=NORTH, name="North")),
        ("leads", SOUTH, TeamFormed(team_id=SOUTH, name="South", parent_id=NORTH)),
        *(
            ("leads", who, MemberJoined(member_id=who, subject=name, name=name, role="rep", team_id=team))
            for who, name, team in ((ANNA, "anna", NORTH), (BEN, "ben", SOUTH))
        ),
        *(
            ("deals", each, of(CUSTOMER, opened(1000 * number, "contact", None, each, NORTH if number % 2 else SOUTH)))
            for number, each in enumerate(DEALS, 1)
        ),
        *(("leads", each, AccountOpened(account_id=each, name="Acme", team=NORTH)) for each in (CUSTOMER, OTHER)),
        *(("leads", each, LeadCaptured(lead_id=each, source="fair", company_name="Acme")) for each in LEADS),
    ]
    return (journal.envelope(each, at, at) for each in told)


def happening(
    journal: Journal, dice: random.Random, span: tuple[datetime, datetime], recorded: tuple[datetime, datetime]
) -> Iterator[Envelope[Any]]:
    """Facts of all kinds, some told late, recorded one after the other."""
    for number in range(LATER_FACTS):
        known = recorded[0] + (recorded[1] - recorded[0]) * number / LATER_FACTS
        occurred = span[0] + (min(span[1], known) - span[0]) * dice.random()
        by_day = dice.random() < 0.3
        if journal.told and dice.random() < 0.1:
            yield journal.retraction(dice, known)
        yield journal.envelope(dice.choice(KINDS)(dice, occurred.date()), occurred, known, by_day=by_day)


def questions(there: Errands, as_of: datetime, known_at: datetime | None) -> list[tuple[str, dict[str, str]]]:
    """Every route that can be asked about the past, for all, a team and an owner."""
    then = {"as_of": as_of.isoformat()} | ({"known_at": known_at.isoformat()} if known_at else {})
    scopes: list[dict[str, str]] = [{}, {"team": str(NORTH)}, {"owner": str(ANNA)}, {"unassigned": "true"}]
    found = []
    for address, methods in there.app.openapi()["paths"].items():
        if "get" not in methods or not address.startswith("/v1/") or address in OF_NOW:
            continue
        needed = NEEDED.get(address, {})
        about = [address.replace("{deal_id}", str(each)) for each in DEALS[:3]] if "{deal_id}" in address else [address]
        about = [each.replace("{account_id}", str(CUSTOMER)) for each in about]
        found += [(each, {**then, **needed, **scope}) for each in about for scope in scopes]
    return found


async def answers(asker: httpx.AsyncClient, asked: list[tuple[str, dict[str, str]]]) -> dict[str, Any]:
    """What is answered, without what could not be handled yet."""
    found = {}
    for address, parameters in asked:
        response = await asker.get(address, params=parameters)
        assert response.status_code in (200, 404), (address, response.text)
        content = response.json()
        if response.status_code == 200:
            as_described(address, content)
        for of_this_answer in ("parked", "correlation_id"):
            content.pop(of_this_answer, None)
        found[f"{address} {sorted(parameters.items())}"] = response.status_code, content
    return found


@pytest.fixture(scope="module")
async def journal(served: Errands) -> Journal:
    """What a company at work has journaled."""
    made = Journal()
    await journaled(served.running, beginning(made, served.running.clock.now() - timedelta(days=400)))
    return made


@pytest.mark.parametrize("seed", range(3))
async def test_fc_1_the_past_as_it_was_known_then_never_changes(served: Errands, journal: Journal, seed: int) -> None:
    dice, now = random.Random(seed), served.running.clock.now()
    begun, known_at = now - timedelta(days=200), now - timedelta(days=60)
    as_of = now - timedelta(days=80)
    await journaled(served.running, happening(journal, dice, (begun, known_at), (begun, known_at)))
    director = served.client(Role.SALES_DIRECTOR, "dora")
    asked = questions(served, as_of, known_at)
    assert len({address for address, _ in asked}) >= 12
    before = await answers(director, asked)
    await journaled(served.running, happening(journal, dice, (begun, now), (known_at + timedelta(seconds=1), now)))
    after = await answers(director, asked)
    assert {name for name in before if before[name] != after[name]} == set()


async def test_fc_1_what_happened_later_changes_nothing_of_an_instant(served: Errands, journal: Journal) -> None:
    """With `as_of` alone only what happened by then, and was told later, may change an answer."""
    dice, now = random.Random(99), served.running.clock.now()
    as_of, begun = now - timedelta(days=20), now - timedelta(days=50)
    await journaled(served.running, happening(journal, dice, (begun, as_of), (begun, as_of)))
    director = served.client(Role.SALES_DIRECTOR, "dora")
    asked = questions(served, as_of, None)
    before = await answers(director, asked)
    later = as_of + timedelta(days=1)
    journal.told.clear()  # taking back what happened by then may change an answer
    await journaled(served.running, happening(journal, dice, (later, now), (later, now)))
    after = await answers(director, asked)
    assert {name for name in before if before[name] != after[name]} == set()


async def test_fc_1_a_team_is_the_teams_that_stood_below_it_then(served: Errands, journal: Journal) -> None:
    lake, chosen, now = UUID(int=310), UUID(int=3100), served.running.clock.now()
    begun, known_later, moved_out = now - timedelta(days=30), now - timedelta(days=5), now - timedelta(days=10)
    deal_of_lake = opened(777, "contact", None, chosen, lake)
    facts = [
        journal.envelope(("leads", lake, TeamFormed(team_id=lake, name="Lake", parent_id=NORTH)), begun, begun),
        journal.envelope(("deals", chosen, deal_of_lake), begun, begun),
        journal.envelope(("leads", lake, TeamChanged(team_id=lake, name="Lake")), moved_out, known_later),
    ]
    await journaled(served.running, facts)
    director = served.client(Role.SALES_DIRECTOR, "dora")

    async def is_below_north(**then: str) -> bool:
        found = await director.get("/v1/deal-histories/" + str(chosen), params={"team": str(NORTH), **then})
        return found.status_code == 200

    before, after = (now - timedelta(days=20)).isoformat(), (now - timedelta(days=7)).isoformat()
    assert await is_below_north(as_of=before)
    assert not await is_below_north(as_of=after)
    assert await is_below_north(known_at=after)
    assert not await is_below_north()


async def test_data_5_what_was_taken_back_counts_no_longer_but_is_known_as_it_was(
    served: Errands, journal: Journal
) -> None:
    """The feed, the target and the deal, of history that was told eight days ago and taken back five days ago."""
    now, chosen, of = served.running.clock.now(), UUID(int=3200), UUID(int=3201)
    asked, back_at = now - timedelta(days=8), now - timedelta(days=5)
    happened, told_at = asked - timedelta(seconds=2), asked - timedelta(seconds=1)
    year = str(now.year + 3)
    wanted = TargetSet(target_id=of, period=year, kind="revenue", level="company", amount=eur(4711))
    facts = [
        journal.envelope(told, happened, told_at, by_day=True)
        for told in (("deals", chosen, opened(777, "contact", None, chosen, NORTH)), ("deals", of, wanted))
    ]
    journal.told = [each for each in journal.told if each in facts]
    await journaled(served.running, facts)
    await journaled(served.running, [journal.retraction(random.Random(1), back_at) for _ in facts])
    director = served.client(Role.SALES_DIRECTOR, "dora")

    async def known(**then: str) -> tuple[Any, bool, int]:
        forecast = (await director.get("/v1/forecast", params={"period": year, **then})).json()
        events = (await director.get("/v1/newest-events", params={"limit": "100", **then})).json()["events"]
        told = any(each["id"] == str(chosen) and each["type"] == "deals.deal-opened" for each in events)
        of_deal = await director.get(f"/v1/deal-histories/{chosen}", params=then)
        return (forecast["target"] or {}).get("amount"), told, of_deal.status_code

    as_of = asked.isoformat()
    assert await known(as_of=as_of, known_at=as_of) == ("4711.00", True, 200)
    assert await known(as_of=as_of) == (None, False, 404)
    assert await known() == (None, False, 404)


async def test_data_5_what_was_corrected_to_a_later_day_had_not_happened_before(
    served: Errands, journal: Journal
) -> None:
    """Told as of forty days ago, corrected to ten days ago; the question is about the time between."""
    now, chosen = served.running.clock.now(), UUID(int=3300)
    told: Told = ("deals", chosen, opened(888, "contact", None, chosen, NORTH))
    first = journal.envelope(told, now - timedelta(days=40), now - timedelta(days=8), by_day=True)
    later = journal.envelope(told, now - timedelta(days=10), now - timedelta(days=6), by_day=True)
    await journaled(served.running, [first, replace(later, fact=first.fact)])
    director = served.client(Role.SALES_DIRECTOR, "dora")

    async def holds(**then: str) -> bool:
        found = (await director.get("/v1/funnel/deals", params={"stage": "contact", "limit": "200", **then})).json()
        return any(each["id"] == str(chosen) for each in found["deals"])

    between, known = (now - timedelta(days=20)).isoformat(), (now - timedelta(days=7)).isoformat()
    assert not await holds(as_of=between)
    assert not await holds(as_of=between, known_at=now.isoformat())
    assert await holds(as_of=between, known_at=known)
    assert await holds()


async def test_data_5_where_a_team_stood_by_history_that_was_taken_back(served: Errands, journal: Journal) -> None:
    pond, chosen, now = UUID(int=311), UUID(int=3400), served.running.clock.now()
    begun, told_at, back_at = now - timedelta(days=30), now - timedelta(days=9), now - timedelta(days=5)
    moved_out = TeamChanged(team_id=pond, name="Pond")
    facts = [
        journal.envelope(("leads", pond, TeamFormed(team_id=pond, name="Pond", parent_id=NORTH)), begun, begun),
        journal.envelope(("deals", chosen, opened(777, "contact", None, chosen, pond)), begun, begun),
        journal.envelope(("leads", pond, moved_out), now - timedelta(days=20), told_at, by_day=True),
    ]
    journal.told = facts[-1:]
    await journaled(served.running, facts)
    await journaled(served.running, [journal.retraction(random.Random(1), back_at)])
    director = served.client(Role.SALES_DIRECTOR, "dora")

    async def is_below_north(**then: str) -> bool:
        found = await director.get("/v1/deal-histories/" + str(chosen), params={"team": str(NORTH), **then})
        return found.status_code == 200

    as_of = (now - timedelta(days=7)).isoformat()
    assert not await is_below_north(as_of=as_of, known_at=as_of)
    assert await is_below_north(as_of=as_of)
    assert await is_below_north()
