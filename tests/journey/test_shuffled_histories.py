"""One history, told in order and in any order: over HTTP everything says the same (DATA-5).

Import, Kafka and HTTP take part. `make campaign` tells many more histories.
"""

import asyncio
import json
import os
import random
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid5

import asyncpg
import pytest

from deploy.imports.facts import ids_of
from deploy.services import SERVICES
from services.contracts.domain.contract.state import contract_of
from services.receivables.domain.ledger.state import ledger_of
from services.receivables.domain.plan import plan_of
from shared.projections.builds import request_rebuild
from tests.histories import EUR, Line, company
from tests.shared.http.waiting import until
from tests.whole_stack import Answer, Person, WholeStack

pytestmark = pytest.mark.slow

CASES = int(os.environ.get("JOURNEY_CASES", "1"))
IMPORT_SECONDS = 120.0
AS_OF = "2026-07-01"
PERIODS = ("2025-Q2", "2025-Q3", "2025")
NOT_TOLD = {
    *("version", "updated_at", "recorded_at", "event_id", "position", "sequence", "parked"),
    *("correlation_id", "causation_id", "next", "has_more", "as_of"),
}
"""What answers say of when something was recorded, and where."""
UUIDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PLURALS = {
    "team": "teams",
    "member": "members",
    "account": "accounts",
    "lead": "leads",
    "deal": "deals",
    "product": "products",
    "target": "targets",
    "contract": "contracts",
}


class Telling:
    """One history as it was told under a source of its own."""

    def __init__(self, stack: WholeStack, source: str) -> None:
        self.stack, self.source = stack, source
        self.ids = ids_of(source)
        self.names: dict[str, str] = {}
        self.run = ""

    def id(self, kind: str, outside: str) -> str:
        """The id of a thing."""
        if kind == "contract":
            return str(contract_of(self.ids("deal", outside)))
        return str(self.ids(kind, outside))

    async def tell(self, lines: Sequence[Line], folder: Path) -> None:
        """Import the lines, all of which come in."""
        file = folder / f"{self.source}.jsonl"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        for line in lines:
            for kind in (str(line["fact"]).split("-")[0], "deal", "activity"):
                for outside in (line["id"], line.get("activity"), line.get("deal")):
                    if outside:
                        self.names[self.id(kind, outside)] = f"{kind} {outside}"
            if line["fact"] == "lead":
                self.names[str(uuid5(self.ids("lead", line["id"]), "contact"))] = f"contact of {line['id']}"
            if line["fact"] == "receipt":
                ledger = ledger_of(self.ids("account", line["account"]), EUR)
                self.names[str(uuid5(ledger, f"receipt/{line['bank_reference']}"))] = f"receipt {line['id']}"
            if line["fact"] == "contract":
                self.names[str(plan_of(contract_of(self.ids("deal", line["id"]))))] = f"plan {line['id']}"
            if line["fact"] == "account":
                self.names[str(ledger_of(self.ids("account", line["id"]), EUR))] = f"ledger {line['id']}"
        summary = await throughline(self.stack, "import", str(file))
        assert (summary["reasons"], summary["visible"]) == ({}, True)
        self.run = summary["run"]

    def plain(self, said: Any) -> Any:
        """An answer without what is this telling's alone; lists in an order of their own."""
        match said:
            case dict():
                return {name: self.plain(each) for name, each in said.items() if name not in NOT_TOLD}
            case list():
                return sorted(map(self.plain, said), key=lambda each: json.dumps(each, sort_keys=True))
            case str():
                found = UUIDS.sub(lambda uuid: self.names.get(uuid[0], uuid[0]), said)
                return found.replace(self.source, "x")
        return said


async def throughline(stack: WholeStack, *arguments: str) -> Mapping[str, Any]:
    """Run a command of `throughline`; gives its summary."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli.main", *arguments, "--json"),
        env={**stack.local.environment, **stack.local.settings()},
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await asyncio.wait_for(running.communicate(), IMPORT_SECONDS)
    summary: Mapping[str, Any] = json.loads(told)
    return summary


def questions(telling: Telling, lines: Sequence[Line]) -> list[tuple[str, dict[str, str]]]:
    """Everything that can be asked about the things of a history."""
    asked: list[tuple[str, dict[str, str]]] = []
    things = {(line["fact"], line["id"]) for line in lines if line["fact"] in PLURALS}
    asked += [(f"/v1/{PLURALS[kind]}/{telling.id(kind, outside)}", {}) for kind, outside in sorted(things)]
    root = telling.id("team", "root")
    for about in ({"team": root}, {"team": telling.id("team", "south")}, {"owner": telling.id("member", "p1")}):
        scope = {**about, "as_of": AS_OF}
        asked += [
            (f"/v1/{name}", {**scope, "limit": "100"}) for name in ("newest-events", "endangered-deals", "funnel/deals")
        ]
        asked += [(f"/v1/{name}", scope) for name in ("funnel", "health-metrics")]
        asked += [
            (f"/v1/{name}", {**scope, "period": each})
            for name in ("forecast", "pipeline-changes", "process-conformance")
            for each in PERIODS
        ]
    for kind, outside in sorted(things):
        if kind == "deal":
            asked.append((f"/v1/deal-histories/{telling.id(kind, outside)}", {"as_of": AS_OF, "limit": "100"}))
        if kind == "account":
            account = telling.id(kind, outside)
            of_account = (
                *("balances", "contacts", "receipts", "invoices", "allocations", "contracts", "deals"),
                *("payment-plans", "instalments"),
            )
            asked += [(f"/v1/{name}", {"account": account, "limit": "100"}) for name in of_account]
            asked.append((f"/v1/account-timelines/{account}", {"as_of": AS_OF, "limit": "200"}))
            asked.append((f"/v1/ledgers/{ledger_of(telling.ids('account', outside), EUR)}", {}))
        if kind == "team":
            team = telling.id(kind, outside)
            asked += [
                (f"/v1/{name}", {"team": team, "limit": "100"}) for name in ("leads", "deals", "members", "targets")
            ]
    return asked


async def answers(asker: Person, telling: Telling, lines: Sequence[Line]) -> dict[str, Any]:
    """What is answered, by what was asked."""
    found = {}
    for path, query in questions(telling, lines):
        pages = [await asker.ask("GET", path, after=None, params=query)]
        while cursor := pages[-1].body.get("next"):
            pages.append(await asker.ask("GET", path, after=None, params={**query, "cursor": cursor}))
        found[telling.plain(f"{path} {sorted(query.items())}")] = pages[0].status, telling.plain(merged(pages))
    return found


def merged(pages: Sequence[Answer]) -> dict[str, Any]:
    """One answer of all its pages."""
    whole = dict(pages[0].body)
    for page in pages[1:]:
        whole |= {name: [*whole[name], *each] for name, each in page.body.items() if isinstance(each, list)}
    return whole


@pytest.mark.parametrize("seed", range(CASES))
async def test_data_5_a_history_told_in_any_order_is_the_same(stack: WholeStack, tmp_path: Path, seed: int) -> None:
    dice, mark = random.Random(seed), f"{seed}-{random.SystemRandom().randrange(10**9)}"
    one, other = Telling(stack, f"a{mark}"), Telling(stack, f"b{mark}")
    in_order, shuffled = company(seed, one.source), company(seed, other.source)
    dice.shuffle(shuffled)
    await one.tell(in_order, tmp_path)
    # Money first, and what it is for later: the books come out the same as well.
    await other.tell([line for line in shuffled if line["fact"] not in {"contract", "invoice"}], tmp_path)
    await other.tell(shuffled, tmp_path)
    director = stack.person("sales-director")
    await plans_are_drawn_up(director, one, in_order)
    await plans_are_drawn_up(director, other, in_order)
    expected, found = await answers(director, one, in_order), await answers(director, other, in_order)
    assert {status for status, _ in expected.values()} <= {200, 404}
    assert found.keys() == expected.keys()
    assert list(differences(expected, found)) == []


async def test_ops_3_what_is_built_anew_says_the_same(stack: WholeStack, tmp_path: Path) -> None:
    """Every read model of every service, after a history that was told in any order: a build beside the serving one
    reads it stream by stream, and not as it was told."""
    dice = random.Random(29)
    telling = Telling(stack, f"r{dice.randrange(10**9)}-{random.SystemRandom().randrange(10**9)}")
    lines = company(29, telling.source)
    dice.shuffle(lines)
    await telling.tell([line for line in lines if line["fact"] not in {"contract", "invoice"}], tmp_path)
    await telling.tell(lines, tmp_path)
    director = stack.person("sales-director")
    await plans_are_drawn_up(director, telling, lines)
    expected = await answers(director, telling, lines)
    async with AsyncExitStack() as held:
        pools = [
            await held.enter_async_context(asyncpg.create_pool(stack.local.database_url(service), min_size=1))
            for service in SERVICES
        ]
        serving = [await pool.fetch("select view, build from view_build where state = 'serving'") for pool in pools]
        for pool, found in zip(pools, serving, strict=True):
            assert all([await request_rebuild(pool, row["view"]) for row in found])

        async def all_serve_anew() -> bool:
            now = [await pool.fetch("select view, build from view_build where state = 'serving'") for pool in pools]
            return all(
                {row["view"] for row in new} == {row["view"] for row in old} and not {*new} & {*old}
                for new, old in zip(now, serving, strict=True)
            )

        await until(all_serve_anew, IMPORT_SECONDS)
    again = await answers(director, telling, lines)
    assert again.keys() == expected.keys()
    assert list(differences(expected, again)) == []


async def plans_are_drawn_up(asker: Person, telling: Telling, lines: Sequence[Line]) -> None:
    """Wait until the plan of every contract in force is listed: a reaction to what was told."""
    running = [line["id"] for line in lines if line["fact"] == "contract" and "activated_on" in line]
    for outside in running:
        query = {"contract": str(contract_of(telling.ids("deal", outside)))}

        async def drawn_up(of: dict[str, str] = query) -> bool:
            return bool((await asker.ask("GET", "/v1/payment-plans", after=None, params=of)).body["items"])

        await until(drawn_up, IMPORT_SECONDS)


def differences(one: Any, other: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two answers say different things, and what."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in one.keys() | other.keys():
            yield from differences(one.get(name), other.get(name), f"{place}.{name}")
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from differences(left, right, f"{place}.{number}")
    elif one != other:
        yield place, one, other


BOOKED = ("contract", "invoice", "receipt")


async def test_data_5_an_import_is_taken_back_and_told_again(stack: WholeStack, tmp_path: Path) -> None:
    mark = random.SystemRandom().randrange(10**9)
    telling, director = Telling(stack, f"u{mark}"), stack.person("sales-director")
    lines = [line for line in company(3, telling.source) if line["fact"] not in BOOKED]
    await telling.tell(lines, tmp_path)
    expected = await answers(director, telling, lines)
    checked = await throughline(stack, "import", "--undo", telling.run, "--check")
    assert await answers(director, telling, lines) == expected
    undone = await throughline(stack, "import", "--undo", telling.run)
    assert (undone["stays"], undone["facts"], undone["visible"]) == ({}, len(lines), True)
    assert checked["taken_back"] == undone["taken_back"]

    for path, query in questions(telling, lines):
        answer = await director.ask("GET", path, after=None, params=query)
        if not query or "histories" in path:
            assert answer.status == 404, path
        elif answer.status == 200:
            left = [each for each in listed(answer.body) if not each.get("type", "").endswith("-retracted")]
            assert left == [], path
    await telling.tell(lines, tmp_path)
    again = await answers(director, telling, lines)
    assert list(differences(told(expected), told(again))) == []


def listed(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The things that a list holds."""
    return next((body[name] for name in ("items", "deals", "events") if name in body), [])


def told(found: Mapping[str, Any]) -> dict[str, Any]:
    """Answers without the events that took something back, which are never gone."""

    def kept(body: Any) -> Any:
        if "events" not in body:
            return body
        return {**body, "events": [each for each in body["events"] if not each["type"].endswith("-retracted")]}

    return {name: (status, kept(body)) for name, (status, body) in found.items()}


async def test_lead_2_a_lead_told_after_its_original_ended_is_its_duplicate(stack: WholeStack, tmp_path: Path) -> None:
    """Not so one that came after its end, or under another name."""
    mark = random.SystemRandom().randrange(10**9)
    telling, director = Telling(stack, f"d{mark}"), stack.person("sales-director")
    about = {"fact": "lead", "source": "fair", "email": f"ada@{mark}.example", "person_name": "Ada"}
    ended = {"fact": "lead-disqualified", "id": "first", "on": "2025-05-01", "reason": "no-need"}
    await telling.tell([{**about, "id": "first", "on": "2025-03-03"}, ended], tmp_path)
    between = {**about, "id": "between", "on": "2025-04-01"}
    other = {**about, "id": "other", "on": "2025-04-02", "person_name": "Bea"}
    await telling.tell([between, {**about, "id": "after", "on": "2025-05-02"}, other], tmp_path)
    found = {
        name: (await director.get(f"/v1/leads/{telling.id('lead', name)}")).body
        for name in ("first", "between", "after", "other")
    }
    assert {name: lead["status"] for name, lead in found.items()} == {
        "first": "disqualified",
        "between": "duplicate",
        "after": "open",
        "other": "open",
    }
    assert found["between"]["original_id"] == telling.id("lead", "first")
