"""Mappings: every word does what the page about imports says, and a bad one is refused with its place."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.imports.export import facts_of
from deploy.imports.facts import FactPlace, Unreadable
from deploy.imports.kinds import KINDS
from deploy.imports.mapping import BadMapping, mapping_for, read_mapping, shipped
from shared.domain.context import Company

ROWS = """\
number,seller,product,state,begun,ended,worth,people
A-1,Ann,Press,Won,01-02-24,03-04-24,1200,12
A-2,Bob,Preß,Open,,,,
A-3,,Lathe,Lost,05-02-24,28-02-24,0,3
"""
PRICES = "product,price\nPress,900\nLathe,700\n"
BASE: Mapping[str, Any] = {
    "source": "old-crm",
    "date_format": "%d-%m-%y",
    "newest_of": {"deals.csv": ["begun", "ended"]},
    "corrections": {"product": {"Preß": "Press"}},
    "lookups": {"price": {"in": "prices.csv", "by": "product", "take": "price"}},
}
NEWEST = "2024-04-03"
BERLIN = Company(timezone="Europe/Berlin")
FIRST, SECOND, THIRD = (FactPlace(file="deals.csv", line=line) for line in (2, 3, 4))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deals.csv").write_text(ROWS, encoding="utf-8")
    (tmp_path / "prices.csv").write_text(PRICES, encoding="utf-8")
    return tmp_path


def facts(folder: Path, *rules: Mapping[str, Any], **changed: Any) -> list[tuple[FactPlace, Any]]:
    """What an export gives by these rules."""
    (folder / "mapping.yaml").write_text(
        yaml.safe_dump({**BASE, **changed, "rules": list(rules)}, sort_keys=False), encoding="utf-8"
    )
    return list(facts_of(read_mapping(mapping_for(folder)), folder, BERLIN))


def held(folder: Path, said: Any) -> list[Any]:
    """What one field holds in each of the three rows; the reason where the row gives no fact."""
    rule = {"from": "deals.csv", "fact": "deal", "fields": {"id": "number", "x": said}}
    return [fact.reason if isinstance(fact, Unreadable) else fact.get("x") for _, fact in facts(folder, rule)]


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("seller", ["Ann", "Bob", None]),
        ("newest", [NEWEST, NEWEST, NEWEST]),
        ({"is": "rep"}, ["rep", "rep", "rep"]),
        ({"is": ["a", 1]}, [["a", "1"], ["a", "1"], ["a", "1"]]),
        ({"text": "Deal {number} of {seller}"}, ["Deal A-1 of Ann", "Deal A-2 of Bob", "Deal A-3 of "]),
        ({"text": "{seller}", "else": {"text": "nobody for {number}"}}, ["Ann", "Bob", "nobody for A-3"]),
        ({"map": "state", "to": {"Won": "w", "Open": "o", "Lost": "l"}}, ["w", "o", "l"]),
        ({"map": "seller", "to": {"Ann": "a", "Bob": "b"}}, ["a", "b", None]),
        ({"column": "seller"}, ["Ann", "Bob", None]),
        ({"column": "seller", "default": "house"}, ["Ann", "Bob", "house"]),
        ({"map": "seller", "to": {"Ann": "a", "Bob": "b"}, "default": "house"}, ["a", "b", "house"]),
        ({"number": "people"}, [12, None, 3]),
        ({"number": "people", "default": "1"}, [12, 1, 3]),
        ({"instant": "begun"}, ["2024-02-01T00:00:00+01:00", None, "2024-02-05T00:00:00+01:00"]),
        ({"day": "begun"}, ["2024-02-01", None, "2024-02-05"]),
        ({"day": "begun", "else": "newest"}, ["2024-02-01", NEWEST, "2024-02-05"]),
        ({"look": "product", "in": "price"}, ["900", "900", "700"]),
        (
            {"money": "worth"},
            [{"amount": "1200", "currency": "EUR"}, None, {"amount": "0", "currency": "EUR"}],
        ),
        (
            {"money": "worth", "else": {"look": "product", "in": "price"}, "note": "list-price"},
            [{"amount": amount, "currency": "EUR"} for amount in ("1200", "900", "0")],
        ),
        (
            {"money": "worth", "zero_is_missing": True, "else": {"look": "product", "in": "price"}, "note": "guessed"},
            [{"amount": amount, "currency": "EUR"} for amount in ("1200", "900", "700")],
        ),
        (
            {"money": "worth", "currency": {"is": "USD"}},
            [{"amount": "1200", "currency": "USD"}, None, {"amount": "0", "currency": "USD"}],
        ),
        (
            {"money": "worth", "currency": {"map": "state", "to": {"Won": "JPY", "Lost": "CHF"}, "default": "EUR"}},
            [{"amount": "1200", "currency": "JPY"}, None, {"amount": "0", "currency": "CHF"}],
        ),
        (
            {"money": "worth", "default": "5", "currency": {"column": "seller", "default": "USD"}},
            [{"amount": a, "currency": c} for a, c in (("1200", "Ann"), ("5", "Bob"), ("0", "USD"))],
        ),
        (
            {"money": "people", "currency": "seller"},
            [{"amount": "12", "currency": "Ann"}, None, "people: the currency of 3 is missing"],
        ),
    ],
)
def test_data_5_a_field_holds_what_its_words_say(folder: Path, said: Any, wanted: list[Any]) -> None:
    assert held(folder, said) == wanted


def test_data_5_what_had_to_be_assumed_stands_on_the_deal(folder: Path) -> None:
    price = {"look": "product", "in": "price"}
    fields = {
        "id": "number",
        "on": {"day": "begun", "else": "newest"},
        "amount": {"money": "worth", "zero_is_missing": True, "else": price, "note": "list-price"},
    }
    told = facts(folder, {"from": "deals.csv", "fact": "deal", "fields": fields})
    assert [fact.get("assumptions") for _, fact in told] == [None, ["undated", "list-price"], ["list-price"]]


def test_data_5_a_rule_takes_the_rows_that_it_names_each_with_its_line(folder: Path) -> None:
    won = {"from": "deals.csv", "fact": "deal-won", "when": {"state": "Won"}, "fields": {"id": "number"}}
    over = {"from": "deals.csv", "fact": "x", "when": {"state": ["Won", "Lost"]}, "fields": {"id": "number"}}
    assert facts(folder, won, over) == [
        (FIRST, {"fact": "deal-won", "id": "A-1"}),
        (FIRST, {"fact": "x", "id": "A-1"}),
        (THIRD, {"fact": "x", "id": "A-3"}),
    ]


def test_data_5_once_takes_the_first_row_of_an_id(folder: Path) -> None:
    rule = {"from": "deals.csv", "fact": "product", "once": True, "fields": {"id": "product"}}
    assert [place for place, _ in facts(folder, rule)] == [FIRST, THIRD]


@pytest.mark.parametrize(
    ("row", "said", "reason"),
    [
        ("A-4,Ann,Press,Won,31-02-24,03-04-24,1,1", {"day": "begun"}, "begun: '31-02-24' is no date like %d-%m-%y"),
        (
            "A-4,Ann,Press,Won,01-02-24,03-04-24,1,many",
            {"number": "people"},
            "people: 'many' is no number like 1234.50",
        ),
        ("A-4,Ann,Press,Won,01-02-24,03-04-24,1,1.5", {"number": "people"}, "people: '1.5' is no whole number"),
        ("A-4,Ann,Press,Won,01-02-24,03-04-24,1,1_000", {"number": "people"}, "people: '1_000' is no number like"),
        ("A-4,Ann,Press,Won,01-02-24,03-04-24,1,٣٠", {"number": "people"}, "people: '٣٠' is no number like"),
        ("A-4,Ann,Press,Won,01-02-24,03-04-24,€5,1", {"money": "worth"}, "worth: '€5' is no number like 1234.50"),
        ("A-4,Ann,Press,Won,noon,03-04-24,1,1", {"instant": "begun"}, "begun: 'noon' is no instant like %d-%m-%y"),
        ("A-4,Ann,Mill,Won,,,1,1", {"look": "product", "in": "price"}, "product: 'Mill' is not in the look-up price"),
        (
            "A-4,Ann,Press,Wno,,,1,1",
            {"map": "state", "to": {"Won": 1, "Open": 2, "Lost": 3}},
            "state: 'Wno' is none of",
        ),
        ("A-4,Ann,Press,Won", "seller", "4 values for 8 columns"),
        ("A-4,Ann,Press,Won,,,1,1,one more", "seller", "9 values for 8 columns"),
    ],
)
def test_data_5_a_spoilt_row_is_told_apart_and_the_others_go_on(folder: Path, row: str, said: Any, reason: str) -> None:
    with (folder / "deals.csv").open("a", encoding="utf-8") as file:
        file.write(row + "\n")
    *_, last = held(folder, said)
    assert last.startswith(reason)
    assert len(held(folder, said)) == 4


RULE: Mapping[str, Any] = {"from": "deals.csv", "fact": "deal", "fields": {"id": "number"}}


def with_field(said: Any) -> dict[str, Any]:
    return {"rules": [{**RULE, "fields": {"id": "number", "x": said}}]}


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"rules": None}, "rules: it is a list"),
        ({"rules": []}, "rules: it is a list"),
        ({"sources": "x"}, "the mapping: unknown words sources"),
        ({"source": [7]}, "source: a text is wanted, not ['7']"),
        ({"newest_of": {"deals.csv": [["begun"]]}}, "newest_of.deals.csv: a text is wanted"),
        ({"delimiter": ";;"}, "delimiter: one character is wanted, not ';;'"),
        ({"encoding": "latin-77"}, "encoding: there is no encoding 'latin-77'"),
        ({"decimal": "·"}, "decimal: . or , is wanted, not '·'"),
        ({"decimal": ",", "thousands": ","}, "thousands: another character than the decimal's is wanted"),
        ({"newest_of": {"deals.csv": ["born"]}}, "newest_of: deals.csv has no column 'born'"),
        ({"newest_of": {"deals.csv": ["seller"]}}, "newest_of: these columns hold no date"),
        ({"corrections": {"product": "Press"}}, "corrections.product: names with values are wanted"),
        ({"lookups": {"price": {"in": "prices.csv", "by": "product"}}}, "lookups.price: take is missing"),
        (
            {"lookups": {"price": {"in": "prices.csv", "by": "sku", "take": "price"}}},
            "lookups.price: prices.csv has no",
        ),
        ({"rules": [{**RULE, "fields": {"id": "number"}, "then": 1}]}, "rules.0: unknown words then"),
        ({"rules": [RULE, {"from": "deals.csv", "fields": {}}]}, "rules.1: fact is missing"),
        ({"rules": [{**RULE, "when": {"stat": "Won"}}]}, "rules.0: deals.csv has no column 'stat'"),
        ({"rules": [{**RULE, "when": {"state": {}}}]}, "rules.0.when.state: a value is wanted, or not, empty, above"),
        ({"rules": [{**RULE, "when": {"worth": {"above": "much"}}}]}, "rules.0.when.worth.above: a number like 12.50"),
        ({"rules": [{**RULE, "when": {"worth": {"over": 5}}}]}, "rules.0.when.worth: unknown words over"),
        ({"rules": [{**RULE, "when": {"state": {"empty": "perhaps"}}}]}, "rules.0.when.state.empty: true or false"),
        (
            {"rules": [{**RULE, "when": {"state": {"not": "Won", "above": 5}}}]},
            "rules.0.when.state: unknown words above",
        ),
        ({"rules": [{**RULE, "once": "sometimes"}]}, "rules.0.once: true or false is wanted, not 'sometimes'"),
        ({"rules": [{**RULE, "from": "gone.csv"}]}, "gone.csv is missing"),
        (with_field("sellers"), "rules.0.fields.x: deals.csv has no column 'sellers'"),
        (with_field({"text": "{who}"}), "rules.0.fields.x: deals.csv has no column 'who'"),
        (with_field({"text": ["a"]}), "rules.0.fields.x.text: a text is wanted"),
        (
            with_field({"texts": "a"}),
            "rules.0.fields.x: a field is a column, newest, or has one of the words is, column",
        ),
        (with_field({"is": 1, "day": "begun"}), "rules.0.fields.x: a field is a column"),
        (with_field(["a"]), "rules.0.fields.x: names with values are wanted, not ['a']"),
        (with_field({"number": "people", "default": []}), "rules.0.fields.x.default: a text is wanted"),
        (with_field({"day": "begun", "format": ""}), "rules.0.fields.x.format: a text is wanted"),
        (with_field({"is": 1, "else": 2}), "rules.0.fields.x: unknown words else"),
        (with_field({"map": "state"}), "rules.0.fields.x: to is missing"),
        (with_field({"map": "state", "to": "won"}), "rules.0.fields.x.to: names with values are wanted"),
        (
            with_field({"look": "product", "in": "prices"}),
            "rules.0.fields.x.in: there is no look-up 'prices'; there are",
        ),
        (with_field({"day": "begun", "else": "ended"}), "rules.0.fields.x.else: a day can only be replaced by newest"),
        (with_field({"money": "worth", "else": "people"}), "rules.0.fields.x: `else` and `note` belong together"),
        (
            with_field({"money": "worth", "note": "n", "else": {"look": "product"}}),
            "rules.0.fields.x.else: in is missing",
        ),
        (
            with_field({"money": "worth", "currency": "newest"}),
            "rules.0.fields.x.currency: a column is wanted, or one of the words column, is, look, map, text",
        ),
        (with_field({"money": "worth", "currency": {"number": "people"}}), "rules.0.fields.x.currency: a column is"),
        (with_field({"money": "worth", "currency": {"is": ["EUR"]}}), "rules.0.fields.x.currency.is: a text is wanted"),
        (with_field({"money": "worth", "currency": "curr"}), "rules.0.fields.x.currency: deals.csv has no column"),
        (with_field({"number": "people", "currency": "seller"}), "rules.0.fields.x: unknown words currency"),
        (with_field({"money": "wort"}), "rules.0.fields.x: deals.csv has no column 'wort'"),
    ],
)
def test_data_5_a_bad_mapping_is_refused_with_its_place(folder: Path, changed: dict[str, Any], place: str) -> None:
    rules = changed.pop("rules", [RULE])
    (folder / "mapping.yaml").write_text(yaml.safe_dump({**BASE, "rules": rules, **changed}), encoding="utf-8")
    with pytest.raises(BadMapping) as refused:
        list(facts_of(read_mapping(folder / "mapping.yaml"), folder, BERLIN))
    assert place in str(refused.value)


def test_data_5_a_mapping_is_read_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("day,won,country\n2026-01-02,Yes,Norge\n2026-01-03,NO,1\n", encoding="utf-8")
    (tmp_path / "mapping.yaml").write_text(
        """\
source: x
date_format: "%Y-%m-%d"
newest_of: {x.csv: [day]}
corrections: {country: {Norge: NO, 1: 010}}
rules:
  - from: x.csv
    fact: account
    when: {won: [Yes, NO]}
    fields:
      id: day
      on: {day: day}
      name: country
      site: {map: won, to: {Yes: on, NO: 1_000}}
      founded: {is: 2026-01-02}
""",
        encoding="utf-8",
    )
    told = [fact for _, fact in facts_of(read_mapping(tmp_path / "mapping.yaml"), tmp_path, BERLIN)]
    assert told == [
        {"fact": "account", "id": day, "on": day, "name": name, "site": site, "founded": "2026-01-02"}
        for day, name, site in [("2026-01-02", "NO", "on"), ("2026-01-03", "010", "1_000")]
    ]


def test_data_5_a_name_that_stands_twice_in_a_mapping_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mapping.yaml").write_text("source: x\nrules: []\nsource: y\n", encoding="utf-8")
    with pytest.raises(BadMapping, match="'source' stands twice"):
        read_mapping(tmp_path / "mapping.yaml")


@pytest.mark.parametrize(
    ("when", "wanted"),
    [
        ({"state": {"not": "Won"}}, ["A-2", "A-3"]),
        ({"state": {"not": ["Won", "Lost"]}}, ["A-2"]),
        ({"seller": {"empty": True}}, ["A-3"]),
        ({"seller": {"empty": False}}, ["A-1", "A-2"]),
        ({"worth": {"above": 0}}, ["A-1"]),
        ({"worth": {"at-least": 0}}, ["A-1", "A-3"]),
        ({"worth": {"below": "1200.00"}}, ["A-3"]),
        ({"people": {"above": 2, "at-most": 12}, "state": "Won"}, ["A-1"]),
    ],
)
def test_data_5_a_rule_says_which_rows_it_takes(folder: Path, when: Any, wanted: list[str]) -> None:
    rule = {"from": "deals.csv", "fact": "deal", "when": when, "fields": {"id": "number"}}
    assert [fact["id"] for _, fact in facts(folder, rule)] == wanted


def test_data_5_a_comparison_with_what_is_no_number_refuses_the_row(folder: Path) -> None:
    rule = {"from": "deals.csv", "fact": "deal", "when": {"seller": {"above": 1}}, "fields": {"id": "number"}}
    assert [getattr(fact, "reason", fact) for _, fact in facts(folder, rule)] == [
        "seller: 'Ann' is no number like 1234.50",
        "seller: 'Bob' is no number like 1234.50",
    ]


def test_data_5_files_are_read_in_the_dialect_that_the_mapping_names(tmp_path: Path) -> None:
    rows = "Nr;Kunde (neu);Betrag;Tag;Uhrzeit\n7;Müller, Söhne;1.234,50;03.02.2026;2026-02-03T00:30:00+0200\n"
    (tmp_path / "x.csv").write_bytes(rows.encode("cp1252"))
    said = {
        "source": "x",
        "date_format": "%d.%m.%Y",
        "newest_of": {"x.csv": ["Tag"]},
        "delimiter": ";",
        "encoding": "cp1252",
        "decimal": ",",
        "thousands": ".",
        "rules": [
            {
                "from": "x.csv",
                "fact": "deal",
                "when": {"Betrag": {"above": "1234.49"}},
                "fields": {
                    "id": "Nr",
                    "on": {"day": "Uhrzeit", "format": "%Y-%m-%dT%H:%M:%S%z"},
                    "at": {"instant": "Uhrzeit", "format": "%Y-%m-%dT%H:%M:%S%z"},
                    "name": {"text": "{Kunde (neu)} renewal"},
                    "amount": {"money": "Betrag"},
                },
            }
        ],
    }
    (tmp_path / "mapping.yaml").write_text(yaml.safe_dump(said), encoding="utf-8")
    told = [fact for _, fact in facts_of(read_mapping(tmp_path / "mapping.yaml"), tmp_path, BERLIN)]
    assert told == [
        {
            "fact": "deal",
            "id": "7",
            "on": "2026-02-02",
            "at": "2026-02-03T00:30:00+02:00",
            "name": "Müller, Söhne renewal",
            "amount": {"amount": "1234.50", "currency": "EUR"},
        }
    ]


@pytest.mark.parametrize("cell", ["12.34", "1.23.456,00", "1234.567", ".123"])
def test_data_5_a_sign_for_thousands_stands_between_groups_of_three(folder: Path, cell: str) -> None:
    (folder / "deals.csv").write_text(f"number;worth\nA-1;{cell}\n", encoding="utf-8")
    said = {
        "delimiter": ";",
        "decimal": ",",
        "thousands": ".",
        "newest_of": {"prices.csv": ["price"]},
        "date_format": "%y0",
    }
    rule = {"from": "deals.csv", "fact": "deal", "fields": {"id": "number", "x": {"money": "worth"}}}
    (folder / "prices.csv").write_text("price\n900\n", encoding="utf-8")
    ((_, fact),) = facts(folder, rule, **said, corrections={}, lookups={})
    assert fact.reason == f"worth: {cell!r} is no number like 1234,50"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('number,seller\nA-1,"Ann\nA-2,Bob\n', "deals.csv, in what begins at line 2: a quote is opened and never"),
        ('number,seller\nA-1,"Ann"x\nA-2,Bob\n', "deals.csv, in what begins at line 2: "),
        ("number,number\nA-1,Ann\n", "deals.csv: there are two columns 'number'"),
        ("number,\nA-1,Ann\n", "deals.csv: column 2 has no name"),
    ],
)
def test_data_5_a_file_that_is_no_strict_csv_is_refused_whole(folder: Path, text: str, reason: str) -> None:
    (folder / "deals.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadMapping) as refused:
        facts(folder, RULE, newest_of={"prices.csv": ["price"]}, date_format="%y0")
    assert reason in str(refused.value)


def test_data_5_a_row_that_cannot_be_read_is_refused_once_however_many_rules_read_it(folder: Path) -> None:
    (folder / "deals.csv").write_text("number,seller\nA-1\n", encoding="utf-8")
    found = facts(folder, RULE, {**RULE, "fact": "deal-won"}, newest_of={"prices.csv": ["price"]}, date_format="%y0")
    assert [(place.line, fact.reason) for place, fact in found] == [(2, "1 values for 2 columns")]


def test_data_5_a_row_of_another_length_is_told_with_the_line_where_it_begins(folder: Path) -> None:
    (folder / "deals.csv").write_text('number,seller\n"A\n1",Ann\n\nA-2\nA-3,"B\nob"\n', encoding="utf-8")
    found = facts(folder, RULE, newest_of={"prices.csv": ["price"]}, date_format="%y0")
    assert [(place.line, getattr(fact, "reason", None)) for place, fact in found] == [
        (2, None),
        (5, "1 values for 2 columns"),
        (6, None),
    ]


def test_data_5_what_is_no_yaml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mapping.yaml").write_text("rules: [", encoding="utf-8")
    with pytest.raises(BadMapping, match=r"mapping\.yaml is no YAML"):
        read_mapping(tmp_path / "mapping.yaml")


def test_data_5_a_folder_without_mapping_that_is_no_known_export_is_refused(tmp_path: Path) -> None:
    (tmp_path / "deals.csv").write_text(ROWS, encoding="utf-8")
    with pytest.raises(BadMapping, match="No mapping fits"):
        mapping_for(tmp_path)


def test_data_5_an_export_in_another_encoding_is_refused(folder: Path) -> None:
    (folder / "deals.csv").write_bytes(ROWS.encode("latin-1"))
    with pytest.raises(BadMapping, match=r"deals\.csv"):
        facts(folder, RULE)


def test_data_5_shipped_mappings_can_be_read_and_make_known_facts() -> None:
    mappings = [read_mapping(path) for path in shipped()]
    assert mappings
    assert {rule.fact for mapping in mappings for rule in mapping.rules} <= set(KINDS)
