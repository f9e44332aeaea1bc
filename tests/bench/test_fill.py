"""A stamped history is what the services would have written: checked by their own `verify`, on real servers."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid5

import asyncpg
import pytest

from deploy.cli.import_ import facts_in
from deploy.demo.generator import write
from deploy.imports.facts import ids_of
from deploy.imports.loading import load
from deploy.imports.visibility import until_visible
from deploy.local import kafka as local_kafka
from deploy.local.program import stop_left_overs
from deploy.local.stack import Stack
from deploy.services import SERVICES, definition_of
from deploy.verify.verification import Part, verify
from services.contracts.domain.contract.state import contract_of
from services.receivables.domain.ledger.state import ledger_of
from shared.events import registry
from shared.http.context import ServiceContext
from shared.kafka.partitioning import PARTITIONS
from shared.ops.health import Health
from shared.ops.metrics import Metrics
from shared.ops.settings import Settings
from shared.projections.builds import builds_of_projections
from shared.service.runtime import running_process
from shared.testing.servers import DatabaseServer
from tests.bench.fill.base import base, part, thinned
from tests.bench.fill.copying import fill, heads_of
from tests.bench.fill.stamp import BITS, Derived, Ids, derivations, in_order, pieces, stamped

DEALS, COPIES = 12, 6
PATIENCE_SECONDS = 120.0
SECRET = "c" * 32
DEAL, TEAM = UUID("018f0000-0000-7000-8000-000000000001"), UUID("018f0000-0000-7000-8000-000000000002")


def test_ids_change_from_copy_to_copy_and_what_follows_from_them_with_them() -> None:
    ids = Ids(kept=frozenset({TEAM}), derived=derivations([DEAL], [DEAL], [(ledger_of(DEAL, "EUR"), "R-1")], "EUR"))
    copied = ids.of(DEAL, 3)

    assert ids.of(TEAM, 3) == TEAM
    assert copied.int == DEAL.int ^ (3 << BITS)
    assert (copied.version, copied.variant) == (DEAL.version, DEAL.variant)
    assert len({ids.of(DEAL, copy) for copy in range(1000)}) == 1000
    assert ids.of(contract_of(DEAL), 3) == contract_of(copied)
    receipt = uuid5(ledger_of(DEAL, "EUR"), "receipt/R-1")
    assert ids.of(receipt, 3) == uuid5(ledger_of(copied, "EUR"), "receipt/R-1-3")
    assert isinstance(ids.derived[receipt], Derived)


def test_a_text_carries_the_ids_of_its_copy_and_its_number_where_it_has_to_be_unique() -> None:
    text = f'{{"deal_id":"{DEAL}","team":"{TEAM}","email":"a@b.example","bank_reference":"R-1"}}'

    assert json.loads(stamped(pieces(text, {TEAM}), {DEAL: "another"}, 7)) == {
        "deal_id": "another",
        "team": str(TEAM),
        "email": "a@b-7.example",
        "bank_reference": "R-1-7",
    }


def test_a_copied_journal_has_every_topic_in_its_owners_order() -> None:
    slots = [("b", 5), ("a", 2), ("a", 1), ("b", 4)]

    assert [slots[slot] for slot in in_order(slots)] == [("b", 4), ("a", 1), ("a", 2), ("b", 5)]


def test_a_part_of_the_history_names_nothing_outside_of_it() -> None:
    told = [
        {"fact": "team", "id": "t"},
        {"fact": "lead", "id": "L-1"},
        {"fact": "lead", "id": "L-2"},
        {"fact": "account", "id": "a", "lead": "L-1"},
        {"fact": "account", "id": "b"},
        {"fact": "lead-converted", "id": "L-1", "account": "a", "deal": "D-1"},
        {"fact": "deal", "id": "D-1", "account": "a", "lead": "L-1"},
        {"fact": "deal", "id": "D-2", "account": "b"},
        {"fact": "deal-won", "id": "D-2"},
        {"fact": "receipt", "id": "D-2/1", "account": "b"},
    ]

    assert [line["id"] for line in part(told, 1)] == ["t", "L-1", "a", "L-1", "D-1"]
    assert list(part(told, 2)) == told


def test_of_the_work_on_a_deal_the_last_is_kept_and_few_before() -> None:
    planned = [{"fact": "deal-changed", "id": "D-1", "next_step": number} for number in range(10)]
    worked = [{"fact": "deal-activity", "id": deal, "number": number} for number in range(3) for deal in ("D-1", "D-2")]
    pushed = {"fact": "deal-changed", "id": "D-1", "expected_close": "2026-12-01"}

    assert list(thinned([*planned, pushed, *worked])) == [planned[1], planned[9], pushed, *worked[-2:]]


@pytest.fixture(scope="module")
async def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A broker of its own: topics belong to one store."""
    stack = Stack.at(tmp_path_factory.mktemp("fill") / "stack", environment={})
    await local_kafka.launch(stack.kafka)
    yield stack.bootstrap
    await stop_left_overs(stack.home)
    stack.home.remove()


@pytest.mark.slow
async def test_stamped_stores_and_journals_are_what_the_services_would_have_written(
    postgres: DatabaseServer, bootstrap: str, tmp_path: Path
) -> None:
    template = await postgres.migrated()
    databases = {name: await postgres.create_database(name, template) for name in SERVICES}
    settings = {
        name: Settings(service=name, database_url=url, claim_secret=SECRET, kafka_bootstrap=bootstrap)
        for name, url in databases.items()
    }
    company = settings["deals"].company
    write(tmp_path / "base.jsonl", base(1, datetime.now(UTC).date(), company, DEALS))
    async with at_work(settings):
        owners = {name: settings[name] for name in registry.SERVICES}
        taken = await load(lambda: facts_in(tmp_path / "base.jsonl"), ids_of("base"), owners, lambda _: None)
        assert [one.reason for one in taken.rejections] == []
        assert await until_visible(databases)
    before = {
        name: await number(url, "select count(*) from event where aggregate <> 'follow-up'")
        for name, url in databases.items()
    }

    heads = await heads_of(databases)
    await fill(databases, heads, copies=2, secret=SECRET, currency=company.currency)
    filled = await fill(databases, heads, copies=COPIES, secret=SECRET, currency=company.currency)

    async with at_work(settings) as running:
        parts = [Part.of(definition_of(one.name), one.pool, company, PARTITIONS) for one in running.values()]
        assert [one.sentence for one in (await verify(parts, bootstrap, patience=PATIENCE_SECONDS)).differences] == []
        (deals,) = await builds_of_projections(running["forecast"].pool, "serving", ["deals"])
        spans = f"select count(distinct deal_id) from {deals.schema}.span"
        assert await running["forecast"].pool.fetchval(spans) == DEALS * (COPIES + 1)
    for name, url in databases.items():
        assert await number(url, "select count(*) from event where aggregate <> 'follow-up'") == before[
            name
        ] + filled.events.get(name, 0)
        assert await number(url, "select count(*) from event where type like '%.reaction-refused'") == 0
        await postgres.drop_database(url)
    assert sum(filled.events.values()) > 300


@asynccontextmanager
async def at_work(settings: Mapping[str, Settings]) -> AsyncIterator[dict[str, ServiceContext]]:
    async with AsyncExitStack() as opened:
        yield {
            name: await opened.enter_async_context(running_process(definition_of(name), own, Health(Metrics.of(name))))
            for name, own in settings.items()
        }


async def number(url: str, question: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(question))
    finally:
        await connection.close()
