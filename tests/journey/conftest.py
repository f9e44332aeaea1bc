"""A browser, and a team whose figures the manager's page shows."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

from deploy.local.identity import PEOPLE_FILE, Person, write_people
from shared.domain.roles import Role
from tests.journey.company import Company, done, found, known_everywhere, made, quarter, work_through
from tests.journey.visits import CHROMIUM, Team
from tests.whole_stack import Answer, WholeStack


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        await running.close()


@pytest.fixture(scope="module")
async def team(stack: WholeStack) -> AsyncIterator[Team]:
    company = await found(stack)
    today = str(company.today)
    for amount in ("10000.01", "20000.02", "30000.03", "40000.04", "50000.05"):
        await opened(company, amount)  # without a close date: in danger
    moving = await opened(company, "7000.33", expected_close=today)
    won, lost = [await opened(company, amount, expected_close=today) for amount in ("61000.67", "1234.56")]
    further = await opened(company, "8000.47", expected_close=today)
    await work_through(company, further.id, "quotation")
    await done(company.rep, f"/v1/deals/{won.id}/win", {"on": today})
    await done(company.rep, f"/v1/deals/{lost.id}/lose", {"reason": "price"})
    target = {"period": quarter(company.today), "level": "team", "team": company.team}
    await made(company.operations, "/v1/targets", {**target, "amount": {"amount": "100000.00", "currency": "EUR"}})
    await done(company.rep, f"/v1/deals/{moving.id}/plan-next-step", {"on": today, "what": "Call again"})
    last = await done(
        company.rep, f"/v1/deals/{moving.id}/complete-node", {"key": "first-conversation", "evidence": "CRM-DOC-1"}
    )
    await known_everywhere(company.manager, last)
    home = stack.local.home.path
    names = {"mateo": "manager", "nils": "rep"}
    write_people(
        home,
        [
            Person(subject=f"{name}.{company.mark}", name=f"{name} {company.mark}", role=Role(role), team="South")
            for name, role in names.items()
        ],
    )
    yield Team(company, moving, last)
    (home / PEOPLE_FILE).unlink()


async def opened(company: Company, amount: str, **more: str) -> Answer:
    body = {"name": f"Deal of {amount}", "amount": {"amount": amount, "currency": "EUR"}, **more}
    return await made(company.rep, "/v1/deals", body)
