"""A read model that stands still leaves every other answer, token and command as it was (OPS-2, API-2)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest

from shared.testing.transactions import long_transaction
from tests.faults.traffic import euros, nothing_differs, until
from tests.whole_stack import Answer, Person, WholeStack

ASKERS = 24
PAUSE_SECONDS = 0.1


@asynccontextmanager
async def held_up(
    stack: WholeStack, service: str, projection: str, table: str, mode: str = "exclusive"
) -> AsyncIterator[None]:
    """Nobody writes a table of a read model of a service, whoever may read it; as long as it takes them to notice. In
    mode `access exclusive` nobody reads it either."""
    connection = await asyncpg.connect(stack.local.database_url(service))
    build = "select max(build) from view_build where view = $1 and state = 'serving'"
    schema = f"{projection}_{await connection.fetchval(build, projection)}"
    try:
        async with long_transaction(connection):
            await connection.execute(f'lock table {schema}."{table}" in {mode} mode')
            yield
    finally:
        await connection.close()


async def stands_still(stack: WholeStack, service: str, projection: str) -> bool:
    async with httpx.AsyncClient(timeout=10) as client:
        told = (await client.get(f"{stack.local.url(service)}/health/workers")).json()
    return any(f"{projection}_" in report["detail"] and not report["ok"] for report in told)


async def asked(person: Person, path: str, after: Answer, **query: Any) -> httpx.Response:
    """An answer, be it that what is asked for has not arrived."""
    return await person.client.get(path, params=query, headers={"Consistency-Token": after.token})


@pytest.mark.slow
async def test_a_read_model_that_stands_still_holds_up_nobody_else(stack: WholeStack) -> None:
    seller, finance = stack.person("sales-operations"), stack.person("finance")
    director = stack.person("sales-director")
    async with AsyncExitStack() as held, seller.client, finance.client, director.client:
        heard = await held.enter_async_context(director.listening())
        await held.enter_async_context(held_up(stack, "deals", "products", "product"))
        await held.enter_async_context(held_up(stack, "forecast", "deals", "span"))

        code = "standing-still"
        listed = await seller.post("/v1/products", {"code": code, "name": "Press", "list_price": euros(500)})
        assert listed.status == 201, listed.body
        account = await seller.post("/v1/accounts", {"name": "Standing Still Ltd"})
        lines = [{"product_id": listed.id, "quantity": "2"}]
        named = {"account_id": account.id, "name": "Presses", "lines": lines}
        deal = await seller.post("/v1/deals", named, after=account)
        assert deal.status == 201, "a command that names what only its own list lacks is decided on the stream"
        await until(lambda: stands_still(stack, "deals", "products"), "nobody notices")

        behind = await asked(seller, "/v1/products", listed)
        assert (behind.status_code, behind.json()["code"]) == (503, "read-model-behind")
        assert (await asked(seller, f"/v1/products/{listed.id}", listed)).status_code == 200
        found = await seller.get("/v1/deals", after=deal, q="Presses")
        assert [row["id"] for row in found.body["items"]] == [deal.id]

        won = await seller.post(f"/v1/deals/{deal.id}/win", {}, after=deal)
        assert won.status == 200, won.body
        await until(lambda: stands_still(stack, "forecast", "deals"), "nobody notices")
        funnel = await asked(director, "/v1/funnel", won)
        assert (funnel.status_code, funnel.json()["code"]) == (503, "read-model-behind")
        older = await director.client.get("/v1/funnel")
        assert older.status_code == 200, "without a token it answers as of then"
        newest = await director.get("/v1/newest-events", after=won)
        assert deal.id in [event["id"] for event in newest.body["events"]]
        receipt = {"account_id": account.id, "bank_reference": code, "amount": euros(10), "on": "2026-01-05"}
        paid = await finance.post("/v1/receipts", receipt, after=account)
        assert paid.status == 201, paid.body
        async with asyncio.timeout(60):
            while (await anext(heard))["id"] != deal.id:
                pass  # the stream goes on, though a figure that it would wait for does not
    for service, projection in (("deals", "products"), ("forecast", "deals")):

        async def works(service: str = service, projection: str = projection) -> bool:
            return not await stands_still(stack, service, projection)

        await until(works, f"{projection} does not go on")
    await asyncio.to_thread(nothing_differs, stack)


@pytest.mark.slow
async def test_a_read_model_that_nobody_can_read_holds_up_nobody_else(stack: WholeStack) -> None:
    """So many ask for it that they would have every connection of the service between them."""
    seller, director = stack.person("sales-operations"), stack.person("sales-director")
    told: list[httpx.Response] = []

    async def ask() -> None:
        while True:
            told.append(await director.client.get("/v1/funnel/deals"))
            await asyncio.sleep(PAUSE_SECONDS)

    async with AsyncExitStack() as held, seller.client, director.client:
        heard = await held.enter_async_context(director.listening())
        async with held_up(stack, "forecast", "deals", "span", "access exclusive"):
            askers = [asyncio.create_task(ask()) for _ in range(ASKERS)]
            deal = await seller.post("/v1/deals", {"name": "Presses", "amount": euros(10)})
            assert deal.status == 201, deal.body
            await until(lambda: stands_still(stack, "forecast", "deals"), "nobody notices")
            newest = await director.get("/v1/newest-events", after=deal)
            assert deal.id in [event["id"] for event in newest.body["events"]]
            assert (await asked(director, "/v1/me", deal)).status_code == 200
            async with httpx.AsyncClient(timeout=10) as client:
                probed = (await client.get(f"{stack.local.url('forecast')}/health/workers")).json()
            assert {report["name"] for report in probed if not report["ok"]} == {"projections-journal"}
            async with asyncio.timeout(60):
                while (await anext(heard))["id"] != deal.id:
                    pass  # the stream goes on, though nobody is told of a figure that it would wait for
            for asker in askers:
                asker.cancel()
            await asyncio.gather(*askers, return_exceptions=True)
        assert {answer.status_code for answer in told} == {503}

        async def works() -> bool:
            return not await stands_still(stack, "forecast", "deals")

        await until(works, "deals does not go on")
        found = await director.get("/v1/funnel/deals", after=deal)
        assert found.status == 200, found.body
