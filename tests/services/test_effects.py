"""API-2: what a win led to, by the services themselves with a broker between them, while contracts is held up, refuses
and fails."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from services.contracts.domain.contract.state import contract, contract_of
from shared.domain.rejection import Rejected
from shared.domain.roles import Role
from shared.following.dead_letters import request_redrive
from shared.ops.ids import new_id
from shared.testing.transactions import long_transaction
from tests.services.conftest import Everybody

PATIENCE_SECONDS = 60.0


class Asker:
    """A director who wins deals and asks what it led to."""

    def __init__(self, everybody: Everybody) -> None:
        self.deals = everybody.deals.client(Role.SALES_DIRECTOR, "dora")
        self.forecast = everybody.forecast.client(Role.SALES_DIRECTOR, "dora")
        self.command = new_id()
        self.deal = ""
        self.token = ""

    async def win(self) -> None:
        """A deal of its own, which the command wins."""
        today = datetime.now(UTC).date()
        body = {
            "name": "Press line",
            "amount": {"amount": "1000.00", "currency": "EUR"},
            "expected_close": str(today + timedelta(days=20)),
            "account_name": "Brightwater",
        }
        made = await self._post("/v1/deals", body)
        self.deal = made.json()["id"]
        won = await self._post(f"/v1/deals/{self.deal}/win", {}, {"X-Correlation-Id": str(self.command)})
        assert won.headers["x-correlation-id"] == str(self.command)
        self.token = won.headers["consistency-token"]

    async def knows_it_all(self) -> None:
        """Wait until the services, which may have begun just now, are at work for each other."""
        await self.win()
        await self.ends("waiting")
        self.command = new_id()

    async def asked(self) -> Any:
        """The answer, once the token's place is reached."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                headers = {"Consistency-Token": self.token}
                found = await self.forecast.get(f"/v1/effects/{self.command}", headers=headers)
                if found.status_code != 503:
                    assert found.status_code == 200, found.text
                    return found.json()

    async def told_by(self, service: str) -> Any:
        """The first answer in which this service has done all that it does by itself."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                told = await self.asked()
                if ("waiting", service) not in [each[:2] for each in outcomes(told)]:
                    return told
                await asyncio.sleep(0.02)

    async def ends(self, *passing: str) -> Any:
        """The first answer in another state than these: none of them in between may be `done`."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (told := await self.asked())["state"] in passing:  # noqa: ASYNC110 - as a frontend polls
                await asyncio.sleep(0.02)
        return told

    async def _post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> httpx.Response:
        answer = await self.deals.post(path, json=body, headers={"Idempotency-Key": str(new_id()), **(headers or {})})
        assert answer.status_code in (200, 201), answer.text
        return answer


@pytest.fixture
def asker(everybody: Everybody) -> Asker:
    return Asker(everybody)


def outcomes(told: Any) -> list[tuple[str, str, str]]:
    return [(each["outcome"], each["service"], each["type"].partition(".")[2]) for each in told["effects"]]


async def test_a_win_is_waited_for_while_contracts_is_held_up_and_then_done(everybody: Everybody, asker: Asker) -> None:
    await asker.knows_it_all()
    async with everybody.contracts.running.pool.acquire() as connection, long_transaction(connection):
        # Nothing of contracts is appended while this is held.
        await connection.execute("lock table stream_head in exclusive mode")
        await asker.win()
        told = await asker.told_by("deals")
        assert (told["state"], outcomes(told)) == (
            "waiting",
            [("waiting", "contracts", "deal-won"), ("done", "deals", "deal-won")],
        )
    told = await asker.ends("waiting")
    assert (told["state"], outcomes(told)) == (
        "done",
        [("done", "deals", "deal-won"), ("done", "contracts", "contract-drafted")],
    )
    assert told["effects"][1]["id"] == str(contract_of(UUID(asker.deal)))


async def test_a_refusal_is_said_with_code_and_words(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Any:
        raise Rejected("not-today", "Nothing is drafted today.")

    monkeypatch.setattr(contract, "handler_of", refuse)
    await asker.win()
    told = await asker.ends("waiting")
    first = told["effects"][0]
    assert (told["state"], first["outcome"], first["service"]) == ("refused", "refused", "contracts")
    assert (first["reaction"], first["command"]) == ("draft_on_the_win", "DraftForDeal")
    assert (first["code"], first["message"]) == ("not-today", "Nothing is drafted today.")


async def test_what_fails_is_parked_and_done_after_its_redrive(
    everybody: Everybody, asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Any:
        raise TypeError("a mistake")

    pool: asyncpg.Pool = everybody.contracts.running.pool
    with monkeypatch.context() as mistaken:
        mistaken.setattr("services.contracts.reactions._draft", fail)
        await asker.win()
        told = await asker.ends("waiting")
        first = told["effects"][0]
        assert (told["state"], first["outcome"], first["service"], first["code"]) == (
            "parked",
            "parked",
            "contracts",
            "TypeError",
        )
        assert first["id"] == asker.deal
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await request_redrive(pool, "reactions-journal", UUID(asker.deal)):  # noqa: ASYNC110 - told before it
            await asyncio.sleep(0.02)
    told = await asker.ends("parked", "waiting")
    assert (told["state"], outcomes(told)) == (
        "done",
        [("done", "deals", "deal-won"), ("done", "contracts", "contract-drafted")],
    )
