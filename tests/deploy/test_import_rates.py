"""Exchange rates in the form of the European Central Bank: what is read, what is refused, and the way in (DATA-5)."""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from deploy.imports.ecb import BadTable, rates_in
from deploy.imports.facts import NotAFact, Unreadable, ids_of, read_fact
from deploy.imports.loading import Summary, load
from deploy.imports.undoing import undo
from deploy.local.stack import throughline
from services.deals.app import SERVICE as DEALS
from services.deals.domain.exchange_rate import NoExchangeRate, PublishExchangeRates, exchange_rate, table_of
from shared.commands.request import CommandRequest
from shared.domain.context import Actor
from shared.domain.roles import Role
from shared.events.deals.exchange_rate import ExchangeRate
from shared.service.runtime import commands_alone
from tests.deploy.test_import import IDS, Books, books, written

__all__ = ["books"]

HISTORY = (
    "Date,USD,JPY,HRK,CYP,",
    "2026-11-26,1.1501,180.10,N/A,N/A,",
    "2026-11-25,1.15,179.95,N/A,N/A,",
    "2007-12-31,1.4721,164.93,7.3308,0.585274,",
)
DAILY = ("Date, USD, JPY, ", "27 November 2026, 1.1607, 180.93, ")


def table(folder: Path, lines: Sequence[str], name: str = "rates.csv") -> Path:
    file = folder / name
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


def read(folder: Path, lines: Sequence[str]) -> list[Any]:
    return [fact for _, fact in rates_in(table(folder, lines))]


def rates(**rates: str) -> list[dict[str, str]]:
    return [{"currency": currency, "rate": rate} for currency, rate in rates.items()]


# -- what is read -----------------------------------------------------------------------------------------------------


def test_data_5_a_history_gives_a_fact_for_each_day_with_the_rates_that_it_has(tmp_path: Path) -> None:
    assert read(tmp_path, HISTORY) == [
        {
            "fact": "exchange-rates",
            "on": "2026-11-26",
            "base": "EUR",
            "rates": rates(JPY="180.10", USD="1.1501"),
        },
        {"fact": "exchange-rates", "on": "2026-11-25", "base": "EUR", "rates": rates(JPY="179.95", USD="1.15")},
        {
            "fact": "exchange-rates",
            "on": "2007-12-31",
            "base": "EUR",
            "rates": rates(CYP="0.585274", HRK="7.3308", JPY="164.93", USD="1.4721"),
        },
    ]


def test_data_5_a_single_day_has_blanks_and_its_day_in_words(tmp_path: Path) -> None:
    assert read(tmp_path, DAILY) == [
        {"fact": "exchange-rates", "on": "2026-11-27", "base": "EUR", "rates": rates(JPY="180.93", USD="1.1607")}
    ]


def test_data_5_both_files_tell_one_fact_in_the_same_words(tmp_path: Path) -> None:
    of_history = read(tmp_path, ("Date,JPY,USD,", "2026-11-27,180.93,1.1607,"))
    assert of_history == read(tmp_path, DAILY)


def test_data_5_lines_may_end_without_a_comma_and_in_the_way_of_any_system(tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_bytes(b"\xef\xbb\xbfDate,USD\r\n\r\n2026-11-27,1.1607\r\n")
    ((place, fact),) = rates_in(file)
    assert (place.line, fact["rates"]) == (3, rates(USD="1.1607"))  # type: ignore[index]


def test_data_5_a_rate_is_the_decimal_that_is_written(tmp_path: Path) -> None:
    (fact,) = read(tmp_path, ("Date,USD,", "2026-11-27,0.100000000000000055,"))
    (rate,) = read_fact(fact, IDS).command.rates
    assert (rate.currency, str(rate.rate)) == ("USD", "0.100000000000000055")


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2026-11-26,1.15,x,", "JPY: 'x' is no rate like 1.1607, nor N/A"),
        ("2026-11-26,1.15,,", "JPY: '' is no rate like 1.1607, nor N/A"),
        ("2026-11-26,1.15,-5,", "JPY: '-5' is no rate like 1.1607, nor N/A"),
        ("2026-11-26,1.15,1e3,", "JPY: '1e3' is no rate like 1.1607, nor N/A"),
        ("2026-11-26,1.15,NaN,", "JPY: 'NaN' is no rate like 1.1607, nor N/A"),
        ("2026-11-26,1.15,٣,", "JPY: '٣' is no rate like 1.1607, nor N/A"),
        ("2026-11-26,1.15,0.0,", "JPY: A rate is above zero"),
        ("2026-11-26,1.15,1234567890.123456789,", "JPY: A rate has at most 18 significant digits"),
        ("2026-11-26,1.15,", "2 values for 3 columns"),
        ("2026-11-26,1.15,180.1,7,", "4 values for 3 columns"),
        ("2026-11-26,N/A,N/A,", "there is no rate in it"),
        ("26.11.2026,1.15,180.1,", "Date: '26.11.2026' is no day like 2026-11-27 or 27 November 2026"),
        ("2026-02-30,1.15,180.1,", "Date: '2026-02-30' is no day like 2026-11-27 or 27 November 2026"),
        ("20261126,1.15,180.1,", "Date: '20261126' is no day like 2026-11-27 or 27 November 2026"),
        ("27 Brumaire 2026,1.15,180.1,", "Date: '27 Brumaire 2026' is no day like 2026-11-27 or 27 November 2026"),
        ("x,y,1,", "Date: 'x' is no day like 2026-11-27 or 27 November 2026; USD: 'y' is no rate like 1.1607, nor N/A"),
        ("2026-11-26,x,0,", "USD: 'x' is no rate like 1.1607, nor N/A; JPY: A rate is above zero"),
    ],
)  # fmt: skip
def test_data_5_a_malformed_line_is_refused_with_every_column(tmp_path: Path, line: str, reason: str) -> None:
    good = "2026-11-25,1.15,179.95,"
    (place, refused), (_, other) = rates_in(table(tmp_path, ("Date,USD,JPY,", line, good)))
    assert isinstance(refused, Unreadable)
    assert (place.file, place.line, refused.reason) == ("rates.csv", 2, reason)
    assert not isinstance(other, Unreadable)


def test_data_5_what_is_no_text_is_refused_by_its_line(tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_bytes(b"Date,USD,\n2026-11-26,1.\xff,\n2026-11-25,1.15,\n")
    (_, refused), (_, other) = rates_in(file)
    assert isinstance(refused, Unreadable)
    assert other["on"] == "2026-11-25"  # type: ignore[index]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("", "the first line is Date and currencies"),
        ("Day,USD,", "the first line is Date and currencies"),
        ("Date,", "the first line is Date and currencies"),
        ("Date,USD,XAU,", "column 3 is no currency with a rate in EUR: 'XAU'"),
        ("Date,usd,", "column 2 is no currency with a rate in EUR: 'usd'"),
        ("Date,USD,EUR,", "column 3 is no currency with a rate in EUR: 'EUR'"),
        ("Date,USD,,JPY,", "column 3 is no currency with a rate in EUR: ''"),
        ("Date,USD,JPY,USD,", "there are two columns USD"),
        ('{"fact": "deal-won"}', "the first line is Date and currencies"),
    ],
)
def test_data_5_a_file_whose_columns_are_not_known_is_refused_whole(tmp_path: Path, header: str, reason: str) -> None:
    with pytest.raises(BadTable, match=reason):
        list(rates_in(table(tmp_path, [header] if header else [])))


def test_data_5_a_line_of_rates_is_about_its_base_and_day_whatever_the_source() -> None:
    line: Mapping[str, Any] = {"fact": "exchange-rates", "on": "2026-11-27", "base": "EUR", "rates": rates(USD="1")}
    taken, other = (read_fact(line, ids_of(source)) for source in ("ecb", "ours"))
    assert taken.aggregate_id == other.aggregate_id == taken.thing == table_of("EUR", date(2026, 11, 27))
    assert taken.name == "exchange-rates/2026-11-27"
    assert read_fact({**line, "fact_id": "more"}, IDS).name > taken.name, "it is told after the table"
    for wrong, reason in (
        ({"id": "T-1"}, "id: This field is not known here"),
        ({"base": "EURO"}, "base: "),
        (
            {"rates": [{"currency": "USD", "rate": 1.16}]},
            "rates.0.rate: A decimal is written with digits and a point, in JSON as a string",
        ),
    ):
        with pytest.raises(NotAFact, match=reason):
            read_fact({**line, **wrong}, IDS)


# -- on the services' own databases -----------------------------------------------------------------------------------


async def take_in(books: Books, file: Path) -> Summary:
    return await load(lambda: rates_in(file), ids_of("ecb"), books.settings, lambda summary: None)


async def known(books: Books, *days: date) -> list[dict[str, Decimal]]:
    """The rates of days, as the service has them."""
    async with commands_alone(DEALS, books.settings["deals"]) as commands:
        held = await commands.states(exchange_rate, [table_of("EUR", day) for day in days])
    states = [held[table_of("EUR", day)].state for day in days]
    return [
        {} if isinstance(state, NoExchangeRate) else {each.currency: each.rate for each in state.rates}
        for state in states
    ]


def came(summary: Summary) -> tuple[int, int, list[str]]:
    return summary.recorded.total(), summary.known.total(), [each.reason for each in summary.rejections]


async def test_data_5_a_file_comes_in_once_and_a_longer_one_adds_its_days(books: Books, tmp_path: Path) -> None:
    file = table(tmp_path, HISTORY)
    assert came(await take_in(books, file)) == (3, 0, [])
    recorded = await books.rows("deals")
    assert came(await take_in(books, file)) == (0, 3, [])
    assert await books.rows("deals") == recorded
    assert came(await take_in(books, table(tmp_path, DAILY))) == (1, 0, [])
    longer = table(tmp_path, (HISTORY[0], "2026-11-27,1.1607,180.93,N/A,N/A,", *HISTORY[1:]))
    assert came(await take_in(books, longer)) == (0, 4, [])


async def test_data_5_a_corrected_rate_corrects_and_is_taken_back(books: Books, tmp_path: Path) -> None:
    day = date(2026, 11, 26)
    await take_in(books, table(tmp_path, HISTORY))
    corrected = await take_in(books, table(tmp_path, (HISTORY[0], "2026-11-26,1.1511,180.10,N/A,N/A,", *HISTORY[2:])))
    assert came(corrected) == (1, 2, [])
    assert +corrected.corrected == {"exchange-rates": 1}
    assert (await known(books, day))[0]["USD"] == Decimal("1.1511")
    undone = await undo(corrected.run, books.settings)
    assert (undone.retracted, undone.kept) == ({"exchange-rate": 1}, [])
    assert (await known(books, day))[0]["USD"] == Decimal("1.1501")


async def test_data_5_a_table_that_replaces_its_day_whole_is_counted(books: Books, tmp_path: Path) -> None:
    """What stood there is gone, its other currencies as well: the summary says so, unless it was taken back before."""
    day = date(2026, 11, 26)
    first = await take_in(books, table(tmp_path, HISTORY))
    assert not +first.corrected
    shorter = table(tmp_path, (HISTORY[0], "2026-11-26,1.1511,N/A,N/A,N/A,"))
    checked = await load(lambda: rates_in(shorter), ids_of("ecb"), books.settings, lambda _: None, dry_run=True)
    replaced = await take_in(books, shorter)
    assert +checked.corrected == +replaced.corrected == {"exchange-rates": 1}
    assert await known(books, day) == [{"USD": Decimal("1.1511")}]
    for run in (replaced.run, first.run):
        await undo(run, books.settings)
    assert not +(await take_in(books, shorter)).corrected


async def test_data_5_what_was_published_by_hand_stands_over_what_is_imported_of_that_day(
    books: Books, tmp_path: Path
) -> None:
    day = date(2026, 11, 26)
    await take_in(books, table(tmp_path, HISTORY))
    by_hand = PublishExchangeRates(base="EUR", on=day, rates=(ExchangeRate(currency="USD", rate=Decimal("1.2")),))
    finance = Actor(subject="fred", roles=frozenset({Role.FINANCE}))
    async with commands_alone(DEALS, books.settings["deals"]) as commands:
        await commands.execute(CommandRequest(exchange_rate, table_of("EUR", day), by_hand, finance))
    await take_in(books, table(tmp_path, (HISTORY[0], "2026-11-26,1.1511,181,N/A,N/A,")))
    assert await known(books, day) == [{"USD": Decimal("1.2"), "JPY": Decimal(181)}]


async def test_data_5_lines_add_currencies_under_a_fact_id_of_their_own(books: Books, tmp_path: Path) -> None:
    day = date(2026, 11, 26)
    await take_in(books, table(tmp_path, HISTORY))
    line = {"fact": "exchange-rates", "on": "2026-11-26", "base": "EUR", "rates": rates(UAH="48.1"), "fact_id": "nbu"}
    assert came(await books.take_in(written(tmp_path, (line,)))) == (1, 0, [])
    assert (await known(books, day))[0].keys() == {"USD", "JPY", "UAH"}


async def test_data_5_refused_rates_name_line_and_column(books: Books, tmp_path: Path) -> None:
    summary = await take_in(
        books,
        table(tmp_path, ("Date,USD,", "2999-01-02,1.1,", "2026-11-26,1.15,", "2026-11-26,1.16,", "2026-11-25,x,")),
    )
    assert [(each.place.line, each.reason) for each in summary.rejections] == [
        (2, "on: History lies in the past."),
        (3, "rates.csv:4 says otherwise of the same fact"),
        (4, "rates.csv:3 says otherwise of the same fact"),
        (5, "USD: 'x' is no rate like 1.1607, nor N/A"),
    ]
    assert summary.recorded.total() == 0


async def test_data_5_the_command_line_is_told_what_a_file_holds(books: Books, tmp_path: Path) -> None:
    async def run(file: Path, *words: str) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, **books.environment, "THROUGHLINE_HOME": str(tmp_path / "home")}
        spoken = throughline("import", str(file), "--check", "--format", "ecb-rates", *words)
        return await asyncio.to_thread(
            subprocess.run, spoken, env=environment, capture_output=True, text=True, timeout=90, check=False
        )

    checked = await run(table(tmp_path, HISTORY), "--json")
    assert checked.returncode == 0, checked.stderr
    told = json.loads(checked.stdout)
    assert (told["source"], told["recorded"], told["rejected"]) == ("ecb", {"exchange-rates": 3}, 0)
    unknown = await run(table(tmp_path, ("Date,XAU,",)))
    assert unknown.returncode == 1
    assert "column 2 is no currency with a rate in EUR: 'XAU'" in unknown.stderr
    assert "docs/how-to/exchange-rates.md" in unknown.stderr
    assert (await run(tmp_path)).returncode == 2, "a folder has a mapping"


@pytest.mark.slow
async def test_data_5_a_whole_history_comes_in_while_one_waits(books: Books, tmp_path: Path) -> None:
    codes = "USDJPYBGNCZKDKKGBPHUFPLNRONSEKCHFISKNOKTRYAUDBRLCADCNYHKDIDRILSINRKRWMXNMYRNZDPHPSGDTHBZARHRKRUB"
    currencies = [codes[place : place + 3] for place in range(0, len(codes), 3)]
    days = [date(2026, 11, 26) - timedelta(days=number) for number in range(6900)]
    lines = (f"{day},{','.join(f'{1 + place}.{day.toordinal() % 9973:04}' for place in range(32))}," for day in days)
    file = table(tmp_path, [f"Date,{','.join(currencies)},", *lines])
    began = time.monotonic()
    assert came(await take_in(books, file)) == (6900, 0, [])
    assert time.monotonic() - began < 120
    assert came(await take_in(books, file)) == (0, 6900, [])
