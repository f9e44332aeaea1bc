"""What people of finance do over HTTP, for tests."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx

from services.receivables.domain.plan import DrawUpPlan
from shared.events.contracts.contract import PaymentTerm
from shared.events.money import Money
from shared.ops.ids import new_id
from tests.described import as_described
from tests.services.leads.conftest import Desk
from tests.services.receivables.conftest import Office
from tests.shared.http.conftest import Errands

PATIENCE = 20


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


def today(service: Errands) -> str:
    return service.running.clock.now().date().isoformat()


async def shown(desk: Desk, path: str, token: str, **query: str) -> Any:
    """What a read says once it holds what the token stands for."""
    async with asyncio.timeout(PATIENCE):
        while True:
            response = await desk.client.get(path, params=query, headers={"Consistency-Token": token})
            if response.status_code == 200:
                return as_described(path, response.json())
            assert response.status_code == 503, response.text


def arrival(office: Office, account: UUID, amount: str = "5.00", **other: Any) -> dict[str, Any]:
    """The body of a receipt, with a bank reference of its own."""
    return {
        "account_id": str(account),
        "bank_reference": f"B-{new_id()}",
        "amount": eur(amount),
        "on": today(office.receivables),
        **other,
    }


async def issued(office: Office, plan_id: UUID, number: int, **more: str) -> httpx.Response:
    return await office.finance().does(f"/v1/payment-plans/{plan_id}/issue-invoice", {"number": number, **more})


async def one_instalment(office: Office, amount: str, days: int = 30) -> tuple[UUID, UUID]:
    """A plan of one instalment; the plan's and the customer's id."""
    account = new_id()
    plan_id = await office.plan(
        DrawUpPlan(
            contract_id=new_id(),
            account_id=account,
            total=Money(amount=Decimal(amount), currency="EUR"),
            payment_terms=(PaymentTerm(ratio=Decimal(1), days=days),),
            on=office.running.clock.now().date(),
        )
    )
    return plan_id, account
