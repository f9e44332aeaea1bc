"""A real CRM export comes in, and every figure is recounted from its files, with nothing of the product (DATA-5).

The folder is named by TRIAL_DATA. No row of it may stand here.
"""

import asyncio
import csv
import json
import os
import random
import statistics
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.journey.company import seen
from tests.whole_stack import Person, WholeStack

TRIAL_DATA = os.environ.get("TRIAL_DATA", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not TRIAL_DATA,
        reason="TRIAL_DATA names no folder with a CRM export: the figures of an import were not recounted.",
    ),
]

IMPORT_SECONDS = 600.0
"""How long an import may take on a machine with much else to do before something must be wrong."""

CORRECTED = {"GTXPro": "GTX Pro"}
NOTHING = (0, Decimal(0))
ENGAGED, PROSPECTED = "needs-confirmed", "initial-contact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opportunity:
    """A row of the export."""

    stage: str
    engaged: date | None
    closed: date | None
    amount: Decimal


def counted_from(folder: Path) -> list[Opportunity]:
    with (folder / "products.csv").open(newline="", encoding="utf-8") as file:
        prices = {row["product"]: Decimal(row["sales_price"]) for row in csv.DictReader(file)}
    with (folder / "sales_pipeline.csv").open(newline="", encoding="utf-8") as file:
        return [
            Opportunity(
                stage=row["deal_stage"],
                engaged=day(row["engage_date"]),
                closed=day(row["close_date"]),
                amount=Decimal(row["close_value"] or 0) or prices[CORRECTED.get(row["product"], row["product"])],
            )
            for row in csv.DictReader(file)
        ]


def day(text: str) -> date | None:
    return datetime.strptime(text, "%d-%m-%y").date() if text else None  # noqa: DTZ007


@pytest.fixture(scope="module")
def opportunities() -> list[Opportunity]:
    return counted_from(Path(TRIAL_DATA))


@pytest.fixture(scope="module")
async def summary(empty_stack: WholeStack, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What the import of the export told, whose rows stand in another order."""
    return await imported(empty_stack, shuffled(Path(TRIAL_DATA), tmp_path_factory.mktemp("shuffled")), 0)


def shuffled(folder: Path, into: Path) -> Path:
    """The export with its rows in another order, which changes no figure."""
    for file in folder.glob("*.csv"):
        with file.open(newline="", encoding="utf-8") as opened:
            head, *rows = csv.reader(opened)
        random.Random(file.name).shuffle(rows)
        with (into / file.name).open("w", newline="", encoding="utf-8") as opened:
            csv.writer(opened).writerows([head, *rows])
    return into


@pytest.fixture
def director(empty_stack: WholeStack, summary: Mapping[str, Any]) -> Person:
    """Somebody who sees everything that was imported."""
    return empty_stack.person("sales-director")


async def imported(stack: WholeStack, folder: Path, code: int, *more: str) -> Mapping[str, Any]:
    """Run `throughline import`; gives its summary."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli.main", "import", str(folder), "--json", *more),
        env={**stack.local.environment, **stack.local.settings()},
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await asyncio.wait_for(running.communicate(), IMPORT_SECONDS)
    assert running.returncode == code, told
    summary: Mapping[str, Any] = json.loads(told)
    return summary


def total(opportunities: list[Opportunity], which: Callable[[Opportunity], bool]) -> tuple[int, Decimal]:
    chosen = [each.amount for each in opportunities if which(each)]
    return len(chosen), sum(chosen, Decimal(0))


def won(each: Opportunity, first: date, last: date) -> bool:
    return each.stage == "Won" and each.closed is not None and first <= each.closed <= last


def figures(part: Mapping[str, Any]) -> tuple[int, Decimal]:
    assert part["amount"]["currency"] == "EUR"
    return part["count"], Decimal(part["amount"]["amount"])


def stage(funnel: Mapping[str, Any], key: str) -> tuple[int, Decimal]:
    return figures(next(each for each in funnel["stages"] if each["stage"] == key))


def newest(opportunities: list[Opportunity]) -> date:
    return max(each for row in opportunities for each in (row.engaged, row.closed) if each)


async def test_data_5_the_summary_tells_every_assumption(
    summary: Mapping[str, Any], opportunities: list[Opportunity], report: Callable[[str], None]
) -> None:
    seconds = summary["visible_seconds"]
    report(f"{len(opportunities):,} opportunities were visible {seconds} s after the import began (budget: 60 s).")
    stages = [each.stage for each in opportunities]
    assert summary["recorded"]["deal"] == len(opportunities)
    assert summary["recorded"]["deal-won"] == stages.count("Won")
    assert summary["recorded"]["deal-lost"] == stages.count("Lost")
    assert summary["rejected"] == 0
    assert summary["visible"] is True
    undated, unvalued = (
        len([each for each in opportunities if each.engaged is None]),
        len(opportunities) - stages.count("Won"),
    )
    assert summary["assumptions"] == {"deal: undated": undated, "deal: list-price": unvalued}


async def test_fc_1_the_funnel_holds_what_the_export_holds(director: Person, opportunities: list[Opportunity]) -> None:
    funnel = await seen(director, "/v1/funnel")
    assert figures(funnel["closed"]["won"]) == total(opportunities, lambda each: each.stage == "Won")
    assert figures(funnel["closed"]["lost"]) == total(opportunities, lambda each: each.stage == "Lost")
    assert figures(funnel["closed"]["abandoned"]) == NOTHING
    assert stage(funnel, ENGAGED) == total(opportunities, lambda each: each.stage == "Engaging")
    assert stage(funnel, PROSPECTED) == total(opportunities, lambda each: each.stage == "Prospecting")
    assert sum(each["count"] for each in funnel["stages"]) == len([o for o in opportunities if o.closed is None])


async def test_fc_1_the_mean_cycle_is_that_of_the_export(director: Person, opportunities: list[Opportunity]) -> None:
    cycle = (await seen(director, "/v1/funnel"))["closed"]["won"]["cycle_days"]
    days = cycle_days(opportunities, date.max)
    assert cycle["n"] == len(days)
    assert Decimal(cycle["mean"]) == mean(days)
    assert Decimal(cycle["median"]) == Decimal(statistics.median(days))


def cycle_days(opportunities: list[Opportunity], until: date) -> list[int]:
    return [
        (each.closed - each.engaged).days
        for each in opportunities
        if each.stage == "Won" and each.closed and each.engaged and each.closed <= until
    ]


def mean(days: list[int]) -> Decimal:
    return (Decimal(sum(days)) / len(days)).quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
async def test_fc_1_every_quarter_won_what_the_export_says(
    director: Person, opportunities: list[Opportunity], number: int
) -> None:
    first = date(2017, 3 * number - 2, 1)
    last = (first + timedelta(days=95)).replace(day=1) - timedelta(days=1)
    funnel = await seen(director, "/v1/funnel", **{"from": str(first), "to": str(last)})
    wanted = total(opportunities, lambda each: won(each, first, last))
    assert figures(funnel["closed"]["won"]) == wanted
    outlook = await seen(director, "/v1/forecast", period=f"2017-Q{number}")
    assert Decimal(outlook["won"]["amount"]) == wanted[1]


async def test_fc_1_the_end_of_june_is_as_it_was(director: Person, opportunities: list[Opportunity]) -> None:
    await as_it_was(director, opportunities, date(2017, 6, 30))


@pytest.mark.parametrize("number", range(10))
async def test_fc_1_any_day_is_as_it_was(director: Person, opportunities: list[Opportunity], number: int) -> None:
    first = min(each.engaged for each in opportunities if each.engaged)
    days = (newest(opportunities) - first).days
    await as_it_was(director, opportunities, first + timedelta(days=random.Random(number).randrange(days)))


async def as_it_was(director: Person, opportunities: list[Opportunity], then: date) -> None:
    """The funnel at the end of a day."""
    funnel = await seen(director, "/v1/funnel", as_of=str(then))
    assert figures(funnel["closed"]["won"]) == total(opportunities, lambda each: won(each, date.min, then))
    assert figures(funnel["closed"]["lost"]) == total(
        opportunities, lambda each: each.stage == "Lost" and each.closed is not None and each.closed <= then
    )
    assert stage(funnel, ENGAGED) == total(
        opportunities,
        lambda each: each.engaged is not None and each.engaged <= then and (each.closed is None or each.closed > then),
    )
    assert stage(funnel, PROSPECTED) == NOTHING
    cycle = funnel["closed"]["won"]["cycle_days"]
    days = cycle_days(opportunities, then)
    assert cycle["n"] == len(days)
    assert (cycle["mean"] and Decimal(cycle["mean"])) == (mean(days) if days else None)


async def test_fc_15_the_page_opens_at_the_newest_imported_day(
    director: Person, opportunities: list[Opportunity]
) -> None:
    horizon = await seen(director, "/v1/horizon")
    assert (horizon["newest"], horizon["behind"]) == (str(newest(opportunities)), True)


async def test_data_5_twice_gives_nothing_new(
    empty_stack: WholeStack, director: Person, summary: Mapping[str, Any]
) -> None:
    before = await seen(director, "/v1/funnel")
    again = await imported(empty_stack, Path(TRIAL_DATA), 0)
    assert again["recorded"] == {}
    assert again["known"] == summary["recorded"]
    assert again["assumptions"] == summary["assumptions"]
    assert without_instant(await seen(director, "/v1/funnel")) == without_instant(before)


async def test_data_5_spoilt_lines_are_refused_and_the_others_taken(
    empty_stack: WholeStack, director: Person, tmp_path: Path
) -> None:
    before = await seen(director, "/v1/funnel")
    for file in Path(TRIAL_DATA).glob("*.csv"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    wanted = spoil(tmp_path / "sales_pipeline.csv")
    rejects = tmp_path / "rejects.jsonl"
    again = await imported(empty_stack, tmp_path, 2, "--rejects", str(rejects))
    refused = [json.loads(line) for line in rejects.read_text(encoding="utf-8").splitlines()]
    assert again["rejected"] == len(refused)
    assert again["recorded"] == {}
    assert {each["file"] for each in refused} == {"sales_pipeline.csv"}
    reasons = {each["line"]: each["reason"] for each in reversed(refused)}
    assert set(reasons) == set(wanted)
    for line, reason in wanted.items():
        assert reason in reasons[line]
    assert without_instant(await seen(director, "/v1/funnel")) == without_instant(before)


def spoil(file: Path) -> dict[int, str]:
    """Spoil some lines of the export; gives what must be said about each."""
    with file.open(newline="", encoding="utf-8") as opened:
        head, *rows = csv.reader(opened)
    column = {name: place for place, name in enumerate(head)}
    ways: list[tuple[str, str, str]] = [
        ("engage_date", "31-02-17", "engage_date: '31-02-17' is no date"),
        ("deal_stage", "Dreaming", "deal_stage: 'Dreaming' is none of"),
        ("sales_agent", "Nobody At All", "sales_agent: 'Nobody At All' is not in the look-up"),
        ("product", "Abacus", "product: 'Abacus' is not in the look-up"),
        ("close_value", "plenty", "close_value: 'plenty' is no number"),
    ]
    chosen = random.Random(5).sample(
        [place for place, row in enumerate(rows) if row[column["deal_stage"]] == "Engaging"], len(ways)
    )
    wanted = {}
    for place, (name, wrong, reason) in zip(chosen, ways, strict=True):
        rows[place][column[name]] = wrong
        wanted[place + 2] = reason
    rows.append(["too", "short"])
    wanted[len(rows) + 1] = f"2 values for {len(head)} columns"
    with file.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows([head, *rows])
    return wanted


def without_instant(funnel: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in funnel.items() if name != "as_of"}
