"""The demo company as an import file: the same for a seed, understood by the import, and worth looking at."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from deploy.demo.cast import EVERYBODY, REPS
from deploy.demo.courses import BY_FULL
from deploy.demo.generator import facts, write
from deploy.imports.facts import ids_of, read_fact
from deploy.imports.kinds import KINDS
from services.deals.domain.process.full import FULL, FULL_ID
from services.deals.domain.process.short import SHORT
from services.forecast.health.rules import (
    CYCLE,
    LEAD_CONVERSION,
    NODE_COMPLETION,
    OVERDUE,
    STALLED,
    WIN_RATE,
    Band,
    Definition,
    Measured,
    band,
)
from shared.domain.context import Company
from shared.domain.periods import CALENDAR_YEAR
from shared.events.process import ProcessDefinition, Stage

COMPANY = Company()
MONDAY = date(2026, 11, 23)
DAYS = (MONDAY, date(2026, 10, 1), date(2026, 12, 31), date(2027, 2, 14), date(2028, 2, 29))
"""The middle, the first and the last day of a quarter, a Sunday, and the day that is rarely there."""
WINDOW = timedelta(days=90)


@cache
def told(today: date = MONDAY, seed: int = 1) -> tuple[Mapping[str, Any], ...]:
    return tuple(facts(Random(seed), today, COMPANY))


def of(kind: str, today: date = MONDAY) -> list[Mapping[str, Any]]:
    return [fact for fact in told(today) if fact["fact"] == kind]


def amount(fact: Mapping[str, Any]) -> Decimal:
    return Decimal(fact["amount"]["amount"])


def day(fact: Mapping[str, Any], field: str = "on") -> date:
    return date.fromisoformat(fact[field])


def process_of(deal: Mapping[str, Any]) -> ProcessDefinition:
    return FULL if deal.get("process_id") == str(FULL_ID) else SHORT


def required_of(stage: Stage) -> list[str]:
    return [node.key for node in (*stage.tasks, *stage.deliverables) if node.required]


def test_the_same_seed_and_day_give_the_same_file_and_another_seed_does_not(tmp_path: Path) -> None:
    first, again = tmp_path / "first.jsonl", tmp_path / "again.jsonl"
    assert write(first, told()) == write(again, facts(Random(1), MONDAY, COMPANY))
    assert first.read_bytes() == again.read_bytes()
    assert told(seed=2) != told()


def test_every_line_is_a_fact_that_the_import_takes_in() -> None:
    ids = ids_of("demo-company")
    for line in told():
        assert read_fact(line, ids).kind is KINDS[line["fact"]]


def test_facts_know_the_time_zone_and_the_currency_of_the_company() -> None:
    company = Company(currency="JPY", timezone="Asia/Tokyo")
    for line in facts(Random(1), MONDAY, company):
        read_fact(line, ids_of("demo-company"))
        if "amount" in line:
            assert line["amount"]["currency"] == "JPY"
        if line["fact"].startswith("deal"):
            taken = read_fact(line, ids_of("demo-company"))
            assert company.day(taken.command.at) == taken.command.on


@pytest.mark.parametrize("today", DAYS)
def test_history_is_eighteen_months_long_and_ends_yesterday(today: date) -> None:
    days = [day(fact) for fact in told(today) if "on" in fact]
    assert max(days) == today - timedelta(days=1)
    assert 540 <= (today - min(days)).days <= 550


def test_there_is_a_whole_company() -> None:
    counts = Counter(fact["fact"] for fact in told())
    assert (counts["team"], len(REPS)) == (4, 12)
    assert {fact["subject"] for fact in of("member")} == {person.subject for person in EVERYBODY}
    assert {fact["role"] for fact in of("member")} >= {"rep", "manager", "sales-director", "legal", "finance"}
    assert counts["lead"] > 500
    assert counts["deal"] > 400
    assert min(counts["deal-won"], counts["deal-lost"], counts["deal-abandoned"]) > 50
    assert counts["contract"] > 150
    assert counts["invoice"] > counts["receipt"] > 300


def test_nothing_is_read_together_with_what_it_depends_on_in_another_aggregate() -> None:
    """A duplicate needs its original open, and a contact an address that its lead holds no more."""
    places: dict[tuple[str, str], int] = {}
    for place, fact in enumerate(told()):
        places.setdefault((fact["fact"], fact["id"]), place)
    last_original = max(place for (kind, key), place in places.items() if kind == "lead" and "again" not in key)
    first_again = min(place for (kind, key), place in places.items() if kind == "lead" and "again" in key)
    ends = [place for (kind, _), place in places.items() if kind in ("lead-converted", "lead-disqualified")]
    last_again = max(place for (kind, key), place in places.items() if kind == "lead" and "again" in key)
    contacts = [place for (kind, _), place in places.items() if kind == "contact"]
    batch = 1000
    assert first_again - last_original > batch
    assert min(ends) - last_again > batch
    assert min(contacts) - max(ends) > batch


def test_nobody_is_taken_for_somebody_else() -> None:
    """An e-mail or a phone number of two people makes one a duplicate, whose activities are refused (LEAD-2)."""
    originals = [lead for lead in of("lead") if not lead["id"].endswith("-again")]
    for field in ("email", "phone"):
        assert len({lead[field] for lead in originals}) == len(originals), field


def test_leads_repeat_themselves_and_a_fifth_becomes_deals() -> None:
    leads = of("lead")
    again = [lead for lead in leads if lead["id"].endswith("-again")]
    originals = {lead["id"]: lead for lead in leads}
    assert 0.03 < len(again) / len(leads) < 0.09
    for lead in again:
        assert lead["email"].lower() == originals[lead["id"].removesuffix("-again")]["email"]
    assert 0.15 < len(of("lead-converted")) / (len(leads) - len(again)) < 0.26
    assert len({lead["source"] for lead in leads}) >= 5


@pytest.mark.parametrize("today", DAYS)
def test_a_deal_is_told_in_the_order_in_which_it_happened(today: date) -> None:
    ended: set[str] = set()
    last: dict[str, str] = {}
    for fact in told(today):
        if fact["fact"].startswith("deal"):
            assert fact["id"] not in ended
            assert last.get(fact["id"], "") < fact["at"]
            last[fact["id"]] = fact["at"]
            if fact["fact"] in ("deal-won", "deal-lost", "deal-abandoned"):
                ended.add(fact["id"])


@pytest.mark.parametrize("today", DAYS)
def test_the_steps_of_a_contract_follow_one_another(today: date) -> None:
    contracts = of("contract", today)
    reached = Counter[str]()
    for fact in contracts:
        names = ("drafted_on", "submitted_on", "approved_on", "signed_on", "activated_on")
        known = [fact[step] for step in names if step in fact]
        assert known == sorted(known)
        assert [step in fact for step in names] == sorted((step in fact for step in names), reverse=True)
        reached[[step for step in names if step in fact][-1]] += 1
    assert reached["activated_on"] > 100
    assert len(reached) >= 3


@pytest.mark.parametrize("today", DAYS)
def test_money_comes_after_its_invoice_and_never_too_much(today: date) -> None:
    invoices = {fact["number"]: fact for fact in of("invoice", today)}
    paid = Counter(fact["reference"] for fact in of("receipt", today))
    references = Counter(fact["bank_reference"] for fact in of("receipt", today))
    assert set(paid.values()) == set(references.values()) == {1}
    for fact in of("receipt", today):
        assert fact["on"] >= invoices[fact["reference"]]["on"]
        assert amount(fact) == amount(invoices[fact["reference"]])


def test_targets_add_up() -> None:
    for period in {fact["period"] for fact in of("target")}:
        sums = Counter[str]()
        for fact in of("target"):
            if fact["period"] == period:
                sums[fact["level"]] += int(amount(fact))
        assert sums["company"] == sums["team"] == sums["rep"] > 0


# -- the running quarter and the bands --------------------------------------------------------------------------------


class Now:
    """The state of every deal at the end of the history, counted from the facts alone."""

    def __init__(self, today: date) -> None:
        self.today = today
        self.facts = told(today)
        self.deals = {fact["id"]: dict(fact) for fact in self.facts if fact["fact"] == "deal"}
        self.won = {fact["id"]: day(fact) for fact in self.facts if fact["fact"] == "deal-won"}
        closed = ("deal-won", "deal-lost", "deal-abandoned")
        self.closed = {fact["id"] for fact in self.facts if fact["fact"] in closed}
        for fact in self.facts:
            if fact["fact"] == "deal-changed":
                self.deals[fact["id"]].update(
                    {name: fact[name] for name in ("amount", "expected_close") if name in fact}
                )

    def attained(self) -> tuple[Decimal, Decimal, Decimal]:
        """Won in the running quarter, its target, and what is open in it."""
        running = CALENDAR_YEAR.quarter_of(self.today)
        targets = {fact["period"]: amount(fact) for fact in of("target", self.today) if fact["level"] == "company"}
        won = sum(
            (amount(self.deals[key]) for key, on in self.won.items() if CALENDAR_YEAR.quarter_of(on) == running),
            Decimal(0),
        )
        is_open = [deal for key, deal in self.deals.items() if key not in self.closed]
        due = sum(
            (amount(deal) for deal in is_open if CALENDAR_YEAR.quarter_of(day(deal, "expected_close")) == running),
            Decimal(0),
        )
        return won, targets[running.name], due

    def bands(self) -> dict[str, Band]:
        measured: Sequence[tuple[Definition, tuple[Any, Any, int]]] = (
            (CYCLE, self._cycle()),
            (WIN_RATE, self._win_rate()),
            (LEAD_CONVERSION, self._conversion()),
            (NODE_COMPLETION, self._nodes()),
            (STALLED, self._stalled()),
            (OVERDUE, self._overdue()),
        )
        return {
            definition.metric: band(
                definition, Measured(numerator=Decimal(part), denominator=Decimal(whole), n=number), 5
            )
            for definition, (part, whole, number) in measured
        }

    def _recent(self, on: date) -> bool:
        return on > self.today - WINDOW

    def _cycle(self) -> tuple[Any, Any, int]:
        days = [
            (on - date.fromisoformat(self.deals[key].get("captured_at", self.deals[key]["on"])[:10])).days
            for key, on in self.won.items()
            if self._recent(on)
        ]
        return sum(days), len(days), len(days)

    def _win_rate(self) -> tuple[Any, Any, int]:
        opened = [key for key, deal in self.deals.items() if self._recent(day(deal))]
        return sum(key in self.won for key in opened), len(opened), len(opened)

    def _conversion(self) -> tuple[Any, Any, int]:
        converted = {fact["id"] for fact in self.facts if fact["fact"] == "lead-converted"}
        leads = [fact for fact in self.facts if fact["fact"] == "lead" and "again" not in fact["id"]]
        recent = [lead for lead in leads if self._recent(day(lead))]
        return sum(lead["id"] in converted for lead in recent), len(recent), len(recent)

    def _nodes(self) -> tuple[Any, Any, int]:
        """Required work of stages that were left in the window."""
        required = {stage.key: required_of(stage) for stage in (*SHORT.stages, *FULL.stages)}
        done = {(fact["id"], fact["key"]) for fact in self.facts if fact["fact"] == "deal-node-completed"}
        stage: dict[str, str] = {}
        due: set[tuple[str, str]] = set()
        for fact in self.facts:
            kind, key = fact["fact"], fact["id"]
            if kind in ("deal-moved", "deal-won", "deal-lost", "deal-abandoned") and self._recent(day(fact)):
                due |= {(key, node) for node in required[stage[key]]}
            if kind in ("deal", "deal-moved"):
                stage[key] = fact.get("stage") or process_of(self.deals[key]).stages[0].key
        return len(due & done), len(due), len(due)

    def _stalled(self) -> tuple[Any, Any, int]:
        work = ("deal", "deal-activity", "deal-moved", "deal-node-completed")
        touched: dict[str, date] = {}
        for fact in self.facts:
            if fact["fact"] in work:
                touched[fact["id"]] = max(touched.get(fact["id"], date.min), day(fact))
        is_open = [key for key in self.deals if key not in self.closed]
        silent = sum((self.today - touched[key]).days > 3 for key in is_open)
        return silent, len(is_open), len(is_open)

    def _overdue(self) -> tuple[Any, Any, int]:
        paid = {fact["reference"] for fact in self.facts if fact["fact"] == "receipt"}
        owed = [fact for fact in self.facts if fact["fact"] == "invoice" and fact["number"] not in paid]
        late = sum(amount(fact) for fact in owed if day(fact, "due") < self.today)
        return late, sum(amount(fact) for fact in owed), len(owed)


@pytest.mark.parametrize("today", DAYS)
def test_health_metrics_lie_in_all_three_bands(today: date) -> None:
    """FC-7: something is well, something is to be watched, something is alarming; on any day."""
    bands = Now(today).bands()
    assert set(bands.values()) == {Band.HEALTHY, Band.WATCH, Band.ALERT}, bands
    assert bands["sales-cycle"] is Band.HEALTHY
    assert bands["stalled-share"] is bands["overdue-share"] is Band.WATCH


@pytest.mark.parametrize("today", DAYS)
def test_the_running_quarter_has_a_gap_and_deals_to_close_it(today: date) -> None:
    won, target, due = Now(today).attained()
    elapsed = ((today - CALENDAR_YEAR.quarter_of(today).first).days + 1) / 91
    assert target > won
    assert 1.0 < due / (target - won) < 4
    if elapsed > 0.2:
        assert 0.55 < float(won / target) / elapsed < 0.92


def test_one_team_does_less_of_what_the_process_asks_than_the_others() -> None:
    """Node completion below 90 % in one team."""
    won = {fact["id"] for fact in of("deal-won")}
    deals = {fact["id"]: fact for fact in of("deal") if fact["id"] in won}
    required = {
        key: [node for stage in process_of(deal).stages for node in required_of(stage)] for key, deal in deals.items()
    }
    done, due = Counter[str](), Counter[str]()
    for key, deal in deals.items():
        due[deal["team"]] += len(required[key])
    for fact in of("deal-node-completed"):
        if fact["id"] in won and fact["key"] in required[fact["id"]]:
            done[deals[fact["id"]]["team"]] += 1
    share = {name: done[name] / due[name] for name in due}
    assert share["south"] < 0.9 < min(share["north"], share["key-accounts"]), share


# -- the full process -------------------------------------------------------------------------------------------------


def test_the_deals_of_one_team_go_by_the_full_process_and_stand_in_all_of_its_stages() -> None:
    """PROC-1: those of Key Accounts, of which some are open in every stage."""
    by_full = {fact["id"]: FULL.stages[0].key for fact in of("deal") if fact.get("process_id") == str(FULL_ID)}
    assert by_full.keys() == {fact["id"] for fact in of("deal") if fact["team"] == BY_FULL}
    assert 0.2 < len(by_full) / len(of("deal")) < 0.5
    ended = {fact["id"] for kind in ("deal-won", "deal-lost", "deal-abandoned") for fact in of(kind)}
    for fact in of("deal-moved"):
        if fact["id"] in by_full:
            by_full[fact["id"]] = fact["stage"]
    places = Counter(stage for key, stage in by_full.items() if key not in ended)
    assert places.keys() == {stage.key for stage in FULL.stages}
    assert min(places.values()) >= 3


@pytest.mark.parametrize("today", DAYS)
def test_a_key_action_comes_after_the_one_that_it_goes_on_from_and_with_its_deliverable(today: date) -> None:
    deals = {fact["id"] for fact in of("deal", today) if fact["team"] == BY_FULL}
    chain = [(task.key, task.deliverable) for task in FULL.stages[0].tasks]
    done: dict[str, list[str]] = {}
    for fact in told(today):
        if fact["fact"] == "deal-node-completed" and fact["id"] in deals:
            done.setdefault(fact["id"], []).append(fact["key"])
    for keys in done.values():
        talks = [key for key in keys if key in dict(chain)]
        assert talks == [key for key, _ in chain[: len(talks)]]
        for key, deliverable in chain[: len(talks)]:
            assert keys.index(str(deliverable)) < keys.index(key)


def test_no_stage_of_the_full_process_is_skipped() -> None:
    """Its gates do not allow that; the short one does."""
    places = {stage.key: place for place, stage in enumerate(FULL.stages)}
    here: dict[str, int] = {fact["id"]: 0 for fact in of("deal") if fact["team"] == BY_FULL}
    for fact in of("deal-moved"):
        if fact["id"] in here:
            assert places[fact["stage"]] <= here[fact["id"]] + 1
            here[fact["id"]] = places[fact["stage"]]
