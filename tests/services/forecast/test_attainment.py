"""PROC-4: what is reached of targets, quotas and proposals, over HTTP and PostgreSQL, now and at a past instant."""

from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.domain.roles import Role
from shared.events.deals.target import TargetNumberSet, TargetSet
from shared.events.envelope import Envelope
from shared.events.leads.lead import LeadCaptured, LeadConverted
from shared.events.leads.member import MemberJoined
from shared.events.leads.team import TeamFormed
from shared.events.receivables.ledger import AllocationReversed
from tests.services.forecast.conftest import journaled
from tests.services.forecast.facts import ANNA, BEN, NORTH, SOUTH, day, eur, fact, lost, opened, won
from tests.services.forecast.test_health_rows import allocated, issued
from tests.shared.http.conftest import Errands

QUARTER = "2025-Q1"
MIDDLE = {"as_of": "2025-02-14"}
"""Half of the quarter has begun."""
LEDGER, INVOICE = UUID(int=6400), UUID(int=6401)
MILL, FORGE, YARD, DOCK = (UUID(int=6500 + number) for number in range(4))


class Told:
    """Facts in the sequences of their streams."""

    def __init__(self) -> None:
        self._sequences = Counter[UUID]()
        self.facts: list[Envelope[Any]] = []

    def __call__(self, service: str, one: UUID, on: str, *events: Any) -> None:
        for data in events:
            self._sequences[one] += 1
            made = fact(self._sequences[one], data, day(on), deal=one)
            self.facts.append(replace(made, service=service, aggregate=data.aggregate))


def history() -> list[Envelope[Any]]:
    """What the north and the south did around the first quarter of 2025."""
    tell = Told()
    for team, name in ((NORTH, "North"), (SOUTH, "South")):
        tell("leads", team, "2024-01-02", TeamFormed(team_id=team, name=name))
    for member, name, team in ((ANNA, "anna", NORTH), (BEN, "ben", SOUTH)):
        joined = MemberJoined(member_id=member, subject=name, name=name, role=Role.REP, team_id=team)
        tell("leads", member, "2024-01-02", joined)
    deals: list[tuple[str, int, UUID, UUID, str | None, UUID]] = [
        ("2024-12-20", 500, SOUTH, BEN, "2025-01-15", MILL),
        ("2025-01-10", 1000, NORTH, ANNA, "2025-02-01", FORGE),
        ("2025-01-20", 3000, NORTH, ANNA, "2025-03-20", YARD),
        ("2025-02-05", 7000, SOUTH, BEN, None, FORGE),
        ("2025-04-02", 9000, NORTH, ANNA, "2025-04-10", DOCK),
        ("2022-11-02", 200, SOUTH, BEN, "2022-12-10", YARD),
    ]
    for number, (begun, amount, team, owner, ended, account) in enumerate(deals):
        deal = UUID(int=6000 + number)
        begin = replace(opened(amount, deal=deal, team=team, owner=owner), account_id=account)
        tell("deals", deal, begun, begin)
        if ended:
            tell("deals", deal, ended, won(date.fromisoformat(ended), amount, deal=deal))
    gone = UUID(int=6100)
    tell("deals", gone, "2025-02-01", opened(10, deal=gone, team=NORTH, owner=ANNA))
    tell("deals", gone, "2025-02-10", lost(date(2025, 2, 10), 10, deal=gone))
    for number, (captured, converted) in enumerate(
        [("2025-01-05", "2025-01-10"), ("2025-01-06", "2025-03-01"), ("2025-02-06", None), ("2024-12-30", "2025-01-02")]
    ):
        lead = UUID(int=6200 + number)
        tell("leads", lead, captured, LeadCaptured(lead_id=lead, source="web"))
        if converted:
            became = LeadConverted(
                lead_id=lead,
                account_id=lead,
                contact_id=lead,
                captured_at=day(captured),
                source="web",
                owner=ANNA,
                team=NORTH,
                deal_id=lead,
            )
            tell("leads", lead, converted, became)
    tell("receivables", LEDGER, "2025-02-20", issued(LEDGER, INVOICE, eur(800), date(2025, 2, 20), NORTH, ANNA))
    tell("receivables", LEDGER, "2025-02-25", allocated(LEDGER, INVOICE, 600, 200, "EUR", date(2025, 2, 25)))
    tell("receivables", LEDGER, "2025-03-05", back(100, 300))
    tell("receivables", LEDGER, "2025-04-03", allocated(LEDGER, INVOICE, 200, 100, "EUR", date(2025, 4, 3)))
    wanted: list[Any] = [
        TargetSet(target_id=UUID(int=1), period=QUARTER, kind="revenue", level="company", amount=eur(1600)),
        TargetSet(target_id=UUID(int=1), period=QUARTER, kind="receipts", level="company", amount=eur(1000)),
        counted("won-deals", "6"),
        counted("win-rate", "0.40"),
        counted("lead-conversion", "0.20", period="2025"),
        counted("repurchase", "0.30"),
        counted("visits", "12"),
        counted("won-deals", "2", level="rep", team=NORTH, member=ANNA),
        counted("won-deals", "1", level="rep", team=NORTH, member=ANNA, period="2025-01"),
    ]
    for at, target in enumerate(wanted):
        one = UUID(int=6300 + at)
        tell("deals", one, "2025-01-02", replace(target, target_id=one))
    later = UUID(int=6300)
    raised = TargetSet(target_id=later, period=QUARTER, kind="revenue", level="company", amount=eur(3200))
    tell("deals", later, "2025-03-01", raised)
    return tell.facts


def back(amount: int, left: int) -> AllocationReversed:
    return AllocationReversed(
        ledger_id=LEDGER,
        account_id=LEDGER,
        receipt_id=LEDGER,
        invoice_id=INVOICE,
        invoice_number="1",
        amount=eur(amount),
        open_after=eur(left),
        rule="reference",
        allocated_on=date(2025, 2, 25),
        on=date(2025, 3, 5),
    )


def counted(
    kind: str,
    value: str,
    *,
    level: str = "company",
    period: str = QUARTER,
    team: UUID | None = None,
    member: UUID | None = None,
) -> TargetNumberSet:
    return TargetNumberSet(
        target_id=UUID(int=1),
        period=period,
        kind=kind,
        level=level,
        number=Decimal(value),
        team=team,
        member=member,
    )


@pytest.fixture(scope="module")
async def company(served: Errands) -> Errands:
    """Forecast, which knows the history."""
    await journaled(served.running, history())
    return served


@pytest.fixture
def director(company: Errands) -> httpx.AsyncClient:
    """Somebody who sees everything."""
    return company.client(Role.SALES_DIRECTOR, "dora")


async def asked(client: httpx.AsyncClient, path: str, **query: str) -> Any:
    response = await client.get(f"/v1/{path}", params=query)
    assert response.status_code == 200, response.text
    return response.json()


async def attained(client: httpx.AsyncClient, **query: str) -> dict[str, Any]:
    found = await asked(client, "target-attainment", **{"period": QUARTER, **query})
    return {each["kind"]: each for each in found["attainments"]}


def value(figure: dict[str, Any] | None) -> str | None:
    """A figure as it is written, whatever it is of."""
    if figure is None:
        return None
    return str(figure["amount"]["amount"] if figure["amount"] else figure["number"])


@pytest.mark.parametrize(
    ("kind", "target", "actual", "share"),
    [
        ("revenue", "3200.00", "800.00", "0.2500"),
        ("receipts", "1000.00", "500.00", "0.5000"),
        ("average-won-amount", None, "1500.00", None),
        ("won-deals", "6", "3", "0.5000"),
        ("opened-deals", None, "4", None),
        ("captured-leads", None, "3", None),
        ("win-rate", "0.4000", "0.5000", "1.2500"),
        ("lead-conversion", None, "0.6667", None),
        ("revenue-attainment", None, "0.2500", None),
        ("repurchase", "0.3000", "0.3333", "1.1111"),
        ("new-customer-share", None, "0.3333", None),
        ("visits", "12", "0", "0.0000"),
    ],
)
async def test_proc_4_what_is_reached_of_a_period_that_is_over(
    director: httpx.AsyncClient, kind: str, target: str | None, actual: str | None, share: str | None
) -> None:
    found = (await attained(director))[kind]
    assert (value(found["target"]), value(found["actual"]), found["attained"]) == (target, actual, share)
    assert found["formula"]
    assert found["name"]


KNOWN_LATER = {"as_of": "2025-06-30", "known_at": "2025-07-01"}


@pytest.mark.parametrize("then", [{}, {"as_of": "2025-06-30"}, KNOWN_LATER])
async def test_proc_4_a_customer_is_new_once_and_buys_again(company: Errands, then: dict[str, str]) -> None:
    """The yard bought of the south in 2022: to the north it is no new customer, and none who bought there again."""
    director, anna = company.client(Role.SALES_DIRECTOR, "dora"), company.client(Role.REP, "anna")
    kinds = ("new-customer-share", "new-customer-growth", "repurchase")
    found = await attained(director, **then)
    assert [value(found[kind]["actual"]) for kind in kinds] == ["0.3333", None, "0.3333"]
    assert found["new-customer-share"]["fraction"] == {
        "value": "0.3333",
        "numerator": "1500",
        "denominator": "4500.0000",
    }
    hers = await attained(anna, **then)
    assert [value(hers[kind]["actual"]) for kind in kinds] == ["0.2500", None, "0.0000"]
    later, earlier = await attained(director, period="2025-Q2", **then), await attained(director, period="2023", **then)
    assert [value(later[kind]["actual"]) for kind in kinds] == ["1.0000", "-0.5000", "0.2500"]
    assert (later["new-customer-growth"]["fraction"]["numerator"], later["new-customer-growth"]["n"]) == ("-1", 2)
    assert [value(earlier[kind]["actual"]) for kind in kinds] == [None, "-1.0000", "0.0000"]


async def test_proc_4_before_a_deal_was_won_its_customer_was_none(director: httpx.AsyncClient) -> None:
    found = await attained(director, as_of="2025-01-31")
    assert [value(found[kind]["actual"]) for kind in ("repurchase", "new-customer-share")] == ["0.0000", "1.0000"]


async def test_proc_4_a_win_rate_shows_that_of_closed_deals_beside_that_of_all(director: httpx.AsyncClient) -> None:
    found = (await attained(director, kind="win-rate"))["win-rate"]
    assert found["fraction"] == {"value": "0.5000", "numerator": "2", "denominator": "4.0000"}
    assert (found["of_closed"]["value"], found["n"]) == ("0.7500", 4)


async def test_proc_4_revenue_has_bookings_and_receipts_beside_it(director: httpx.AsyncClient) -> None:
    found = (await attained(director, kind="revenue"))["revenue"]
    assert (found["basis"], found["bookings"]["amount"], found["receipts"]["amount"]) == (
        "invoiced",
        "4500.00",
        "500.00",
    )


@pytest.mark.parametrize("known", [False, True])
async def test_proc_4_a_running_period_is_measured_against_its_elapsed_part_as_it_was_then(
    director: httpx.AsyncClient, known: bool
) -> None:
    """Half of the quarter had begun; nothing was invoiced yet, and the target was raised later."""
    then = MIDDLE | ({"known_at": "2025-02-14"} if known else {})
    found = await attained(director, **then)
    revenue, wins = found["revenue"], found["won-deals"]
    assert (revenue["basis"], value(revenue["target"]), value(revenue["due"])) == ("bookings", "1600.00", "800.00")
    assert (value(revenue["actual"]), revenue["attained"], revenue["attained_so_far"]) == (
        "1500.00",
        "0.9375",
        "1.8750",
    )
    assert (value(wins["due"]), value(wins["actual"]), value(wins["gap"])) == ("3", "2", "4")
    assert (value(found["win-rate"]["due"]), value(found["win-rate"]["actual"])) == ("0.4000", "0.2500")
    assert value(found["lead-conversion"]["actual"]) == "0.3333"
    assert value(found["receipts"]["actual"]) == "0.00"
    whole = await asked(director, "target-attainment", period=QUARTER, **then)
    assert whole["elapsed"] == "0.5000"


async def test_proc_4_a_rep_sees_their_own_target_and_what_is_theirs(company: Errands) -> None:
    anna, ben = company.client(Role.REP, "anna"), company.client(Role.REP, "ben")
    hers = (await attained(anna))["won-deals"]
    assert (value(hers["target"]), value(hers["actual"]), hers["attained"]) == ("2", "2", "1.0000")
    assert value((await attained(ben))["won-deals"]["target"]) is None
    month = (await attained(anna, period="2025-01"))["won-deals"]
    assert (value(month["target"]), value(month["actual"])) == ("1", "0")


async def test_proc_4_a_share_of_a_year_is_none_of_its_quarters(director: httpx.AsyncClient) -> None:
    assert value((await attained(director, period="2025"))["lead-conversion"]["target"]) == "0.2000"
    assert (await attained(director, period="2025"))["won-deals"]["target_missing"] == ["2025-Q2", "2025-Q3", "2025-Q4"]


async def test_proc_4_a_quota_is_reckoned_from_what_is_given(director: httpx.AsyncClient) -> None:
    found = await asked(
        director, "target-quota", amount="16000000", average="2000000", win_rate="0.40", conversion="0.20"
    )
    assert (found["wins"], found["deals"], found["leads"]) == (8, 20, 100)
    assert {found[name]["origin"] for name in ("average_won_amount", "win_rate", "lead_conversion")} == {"given"}


async def test_proc_4_a_quota_is_reckoned_from_ones_own_history(director: httpx.AsyncClient) -> None:
    """Twelve months up to the end of the quarter: 4,500 of three wins, two of five deals won, three of four leads."""
    found = await asked(director, "target-quota", period=QUARTER, as_of="2025-03-31")
    assert (found["target"]["amount"], found["target_origin"], found["since"]) == ("3200.00", "set", "2024-04-01")
    inputs = [found[name] for name in ("average_won_amount", "win_rate", "lead_conversion")]
    assert [(each["value"], each["origin"], each["n"]) for each in inputs] == [
        ("1500.00", "history", 3),
        ("0.6000", "history", 5),
        ("0.7500", "history", 4),
    ]
    # 3,200 ÷ 1,500, then 3 ÷ 0.6, then 5 ÷ 0.75.
    assert (found["wins"], found["deals"], found["leads"]) == (3, 5, 7)
    none = await asked(director, "target-quota", period="2024-Q1", as_of="2024-03-31")
    assert (none["target"], none["wins"], none["win_rate"]["value"], none["win_rate"]["n"]) == (None, None, None, 0)
    assert (found["missing"], none["missing"]) == ([], ["amount", "average", "win_rate", "conversion"])
    some = await asked(director, "target-quota", period="2024-Q1", as_of="2024-03-31", amount="100", average="10")
    assert (some["wins"], some["deals"], some["missing"]) == (10, None, ["win_rate", "conversion"])


async def test_proc_4_targets_are_proposed_from_what_was_won_a_year_before(director: httpx.AsyncClient) -> None:
    found = await asked(director, "target-proposals", period="2026-Q1", growth="0.10")
    assert found["before"] == QUARTER
    assert [(each["level"], each["team"], each["won"], value(each["proposed"])) for each in found["proposals"]] == [
        ("company", None, 3, "4950.00"),
        ("team", str(NORTH), 2, "4400.00"),
        ("team", str(SOUTH), 1, "550.00"),
        ("rep", str(NORTH), 2, "4400.00"),
        ("rep", str(SOUTH), 1, "550.00"),
    ]
    wins = await asked(director, "target-proposals", period="2026-Q1", growth="0.10", kind="won-deals")
    assert [value(each["proposed"]) for each in wins["proposals"]] == ["4", "3", "2", "3", "2"]


@pytest.mark.parametrize(
    ("address", "parameter"),
    [
        ("target-quota?win_rate=1.1", "win_rate"),
        ("target-quota?win_rate=0", "win_rate"),
        ("target-quota?average=-1", "average"),
        ("target-quota?amount=many", "amount"),
        ("target-attainment?kind=luck", "kind"),
        ("target-attainment?period=2025-Q5", "period"),
        ("target-attainment?period=0001", "period"),
        ("target-attainment?period=1900-Q1", "period"),
        ("target-attainment?period=9999-12", "period"),
        ("target-quota?period=0001-01", "period"),
        ("target-proposals?period=9999", "period"),
        ("target-proposals?growth=11", "growth"),
    ],
)
async def test_proc_4_what_cannot_be_is_refused_with_its_parameter(
    director: httpx.AsyncClient, address: str, parameter: str
) -> None:
    answer = await director.get(f"/v1/{address}")
    assert answer.status_code == 400, answer.text
    assert [error["parameter"] for error in answer.json()["errors"]] == [parameter]


async def test_proc_4_proposals_are_for_those_who_set_targets(company: Errands) -> None:
    assert (await company.client(Role.REP, "anna").get("/v1/target-proposals")).status_code == 403
