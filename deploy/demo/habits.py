"""What the people of the demo company do all day, by role: look at their lists, pick something, and see it through."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from deploy.demo.casework import answer_to_request, findings, guidance, question
from deploy.demo.cast import MANAGERS, TEAMS
from deploy.demo.courses import BY_FULL
from deploy.demo.decisions import (
    Do,
    Mood,
    convert,
    is_avoided,
    missing_qualification,
    next_for_deal,
    next_for_lead,
    remedies,
)
from deploy.demo.desk import Answer, Desk
from deploy.demo.leads import INTERESTS, SOURCES
from deploy.demo.market import PRODUCTS, Contact, Customer, Market, money
from services.deals.domain.process.full import FULL_ID
from shared.domain.roles import Role

READS_AGAIN = 3
"""So often is something read again when somebody else changed it meanwhile."""
LOOKED_AT = 10
"""Of a list, so many entries that were left alone longest are considered."""
PAYS_LATE = 0.015
"""How likely an overdue invoice is paid when finance looks at it."""
DEEPEST = 6
"""A gate that refuses what would open another gate is opened first, down to so many."""
INQUIRES = 0.15
"""How likely somebody finds something out about a deal by the full process, in place of what comes next."""
TAKES_HEART = 0.01
"""How likely somebody goes back to a deal that they avoid."""


@dataclass(slots=True)
class World:
    """What the simulated people share: how customers feel today, and who may become one."""

    market: Market
    today: date
    """The company's day; it follows the company clock."""
    currency: str = "EUR"
    feeling: Mood = field(default_factory=Mood)
    met: list[tuple[Customer, Contact]] = field(default_factory=list)
    """The last people who showed interest: some of them do so twice."""


Habit = Callable[[Desk, World], Awaitable[None]]


async def carry_on(desk: Desk, world: World, path: str, decide: Callable[[Mapping[str, Any]], Do]) -> Answer | None:
    """Read a thing, decide, and do it; read it again when it was changed meanwhile. None when it is not there."""
    for _ in range(READS_AGAIN):
        seen = await desk.read(path)
        if not seen.ok or seen.body.get("status") not in ("open", None):
            return None
        answer = await perform(desk, path, decide(seen.body), seen.etag)
        if answer.status != 412:
            return answer
    return None


async def perform(desk: Desk, path: str, do: Do, version: str | None) -> Answer:
    """Send a command to what was read under a version."""
    if do.method == "PATCH":
        return await desk.do(path, do.body, method="PATCH", version=version)
    return await desk.do(f"{path}/{do.verb}", do.body)


# -- reps -------------------------------------------------------------------------------------------------------------


async def work_on_a_deal(desk: Desk, world: World) -> None:
    """The next thing for one of their deals; a closed gate is opened by doing what it names."""
    path = await _one_of(desk, "deals", status="open", owner=await desk.whoami() or "", sort="updated_at")
    if path is None:
        return
    if is_avoided((await desk.read(path)).body, world.today) and desk.random.random() > TAKES_HEART:
        return
    chosen: list[Do] = []

    def decide(deal: Mapping[str, Any]) -> Do:
        inquires = deal.get("process_id") == str(FULL_ID) and desk.random.random() < INQUIRES
        if inquires:
            found = findings(desk.random, deal["amount"], world.today)
            chosen.append(desk.random.choice([*found, question(desk.random)]))
        else:
            chosen.append(next_for_deal(desk.random, deal, world.today, world.feeling))
        return chosen[-1]

    answer = await carry_on(desk, world, path, decide)
    if answer is not None and answer.code == "gate-closed":
        await open_the_gate(desk, world, path, chosen[-1], answer)


async def open_the_gate(  # noqa: PLR0917
    desk: Desk, world: World, path: str, wanted: Do, refusal: Answer, deepest: int = DEEPEST
) -> None:
    """Do everything that a refusal names, then try again; a key action has gates of its own, which are opened first."""
    seen = await desk.read(path)
    for do in remedies(refusal.body.get("errors", ()), seen.body, desk.random, world.today):
        now = await desk.read(path) if do.method == "PATCH" else seen
        answer = await perform(desk, path, do, now.etag)
        if answer.code == "gate-closed" and deepest > 1:
            await open_the_gate(desk, world, path, do, answer, deepest - 1)
    again = await desk.read(path)
    await perform(desk, path, wanted, again.etag)


async def work_on_a_lead(desk: Desk, world: World) -> None:
    """The next thing for one of their leads; one that is not qualified enough is asked what is missing."""
    path = await _one_of(desk, "leads", status="open", owner=await desk.whoami() or "", sort="updated_at")
    if path is None:
        return
    answer = await carry_on(
        desk, world, path, lambda lead: next_for_lead(desk.random, lead, world.feeling, world.today, world.currency)
    )
    if answer is not None and answer.code == "not-qualified":
        await perform(
            desk, path, missing_qualification(answer.body.get("errors", ()), world.currency, desk.random), None
        )
        await carry_on(desk, world, path, lambda lead: convert(desk.random, lead, world.today, world.currency))


async def open_a_deal(desk: Desk, world: World) -> None:
    """A known customer wants something more."""
    if desk.random.random() > 0.5 * world.feeling.opening:
        return await work_on_a_deal(desk, world)
    accounts = (await desk.read("/v1/accounts", owner=await desk.whoami() or "", limit=50)).items
    if not accounts:
        return None
    account, product = desk.random.choice(accounts), desk.random.choice(PRODUCTS)
    await desk.do(
        "/v1/deals",
        {
            "name": f"{product.name} for {account['name']}",
            "amount": money(product.price, world.currency),
            "expected_close": (world.today + timedelta(days=desk.random.randint(30, 90))).isoformat(),
            "account_id": account["id"],
            "account_name": account["name"],
            "source": "existing-customer",
            **({"process_id": str(FULL_ID)} if desk.person.team == BY_FULL else {}),
        },
    )
    return None


async def see_to_a_contract(desk: Desk, world: World) -> None:
    """Submit a draft, have an approved contract signed, put a signed one into force."""
    owner = await desk.whoami() or ""
    for status in desk.random.sample(("drafted", "approved", "signed"), 3):
        found = (await desk.read("/v1/contracts", status=status, owner=owner, limit=LOOKED_AT)).items
        if not found:
            continue
        contract = desk.random.choice(found)
        path, today = f"/v1/contracts/{contract['id']}", world.today.isoformat()
        if status == "drafted":
            await desk.do(f"{path}/submit", {})
        elif status == "approved":
            if await _is_won(desk, contract):
                evidence = hashlib.sha256(path.encode()).hexdigest()
                signed = {"signed_by_us": today, "signed_by_customer": today, "evidence_hash": evidence}
                await desk.do(f"{path}/sign", signed)
        else:
            await desk.do(f"{path}/activate", {"on": today})
        return


async def _is_won(desk: Desk, contract: Mapping[str, Any]) -> bool:
    if contract["deal_id"] is None:
        return True
    return (await desk.read(f"/v1/deals/{contract['deal_id']}")).body.get("status") == "won"


async def _one_of(desk: Desk, plural: str, **query: str) -> str | None:
    """The address of one of the things that were left alone longest."""
    found = (await desk.read(f"/v1/{plural}", limit=LOOKED_AT, **query)).items
    return f"/v1/{plural}/{desk.random.choice(found)['id']}" if found else None


# -- everybody else ---------------------------------------------------------------------------------------------------


async def look_after_the_team(desk: Desk, world: World) -> None:
    """A manager's day: help with a deal, judge it, or hand it over."""
    path = await _one_of(desk, "deals", status="open", sort="updated_at")
    if path is None:
        return
    asked = (await desk.read(f"{path}/help")).items
    if asked and asked[-1]["guided_on"] is None and asked[-1]["concluded_on"] is None:
        await perform(desk, path, guidance(desk.random), None)
        return
    if desk.random.random() < 0.85:
        category = desk.random.choice(("pipeline", "best-case", "commit"))
        await desk.do(
            f"{path}/override-category", {"category": category, "reason": "As discussed in the forecast call."}
        )
        return
    owner = (await desk.read(path)).body.get("owner")
    members = (await desk.read("/v1/members", role="rep", limit=50)).items
    others = [each for each in members if each.get("team") == await _own_team(desk) and each["id"] != owner]
    if others:
        await desk.do(f"{path}/hand-over", {"owner": desk.random.choice(others)["id"], "reason": "Balance of load"})


async def _own_team(desk: Desk) -> str | None:
    member = await desk.whoami()
    return (await desk.read(f"/v1/members/{member}")).body.get("team") if member else None


async def decide_on_a_contract(desk: Desk, world: World) -> None:
    """Legal and the director approve what somebody else submitted, or send it back."""
    found = (await desk.read("/v1/contracts", status="submitted", limit=LOOKED_AT, sort="updated_at")).items
    if not found:
        return
    contract = (await desk.read(f"/v1/contracts/{desk.random.choice(found)['id']}")).body
    path = f"/v1/contract-approvals/{contract.get('approval_id')}"
    asked = (await desk.read(path)).body.get("waits_for", ())
    if desk.person.role not in [each["role"] for each in asked]:
        return
    if desk.random.random() < 0.93:
        await desk.do(f"{path}/approve", {"reason": "Standard terms."})
    else:
        await desk.do(f"{path}/return-for-rework", {"reason": "The delivery commitment is missing."})


async def help_with_a_deal(desk: Desk, world: World) -> None:
    """A department takes up what a sale asked of it, or brings it."""
    waiting = ("asked", "accepted")
    department = str(desk.person.role)
    found = (await desk.read("/v1/support-requests", status=waiting, department=department, limit=LOOKED_AT)).items
    if found:
        request = desk.random.choice(found)
        await perform(
            desk, f"/v1/support-requests/{request['id']}", answer_to_request(desk.random, request["status"]), None
        )


async def write_an_invoice(desk: Desk, world: World) -> None:
    until = (world.today + timedelta(days=30)).isoformat()
    found = (await desk.read("/v1/instalments", invoiced="false", due_to=until, limit=LOOKED_AT)).items
    if not found:
        return await book_a_receipt(desk, world)
    instalment = desk.random.choice(found)
    await desk.do(f"/v1/payment-plans/{instalment['plan_id']}/issue-invoice", {"number": instalment["number"]})
    return None


async def book_a_receipt(desk: Desk, world: World) -> None:
    """Customers pay what is due soon; what is overdue they pay now and then, sometimes in part."""
    until = (world.today + timedelta(days=2)).isoformat()
    unpaid = ("open", "part-paid")
    found = (await desk.read("/v1/invoices", status=unpaid, due_to=until, limit=LOOKED_AT, sort="due")).items
    if not found:
        return
    invoice = desk.random.choice(found)
    if desk.random.random() > (PAYS_LATE if date.fromisoformat(invoice["due"]) < world.today else 0.4):
        return
    amount = float(invoice["open"]["amount"]) * desk.random.choice((1, 1, 1, 0.5))
    receipt = {
        "account_id": invoice["account_id"],
        "bank_reference": f"{world.today.isoformat()}/{desk.random.getrandbits(40):010x}",
        "amount": {"amount": f"{amount:.2f}", "currency": invoice["open"]["currency"]},
        "on": world.today.isoformat(),
        "reference": invoice["number"],
    }
    await desk.do("/v1/receipts", receipt)


async def capture_a_lead(desk: Desk, world: World) -> None:
    """Marketing enters interest for a team; some people show it twice."""
    again = bool(world.met) and desk.random.random() < 0.06
    customer = world.market.customer() if not again else desk.random.choice(world.met)[0]
    contact = world.market.contact(customer) if not again else next(who for of, who in world.met if of == customer)
    if not again:
        world.met = [*world.met[-20:], (customer, contact)]
    source = desk.random.choices(SOURCES, [each.weight for each in SOURCES])[0]
    teams = {team["name"]: team["id"] for team in (await desk.read("/v1/teams", limit=50)).items}
    chosen = desk.random.choice([TEAMS[team] for team in MANAGERS])
    await desk.do(
        "/v1/leads",
        {
            "source": source.name,
            "person_name": contact.name,
            "email": contact.email,
            "phone": contact.phone,
            "title": contact.title,
            "interest": desk.random.choice(INTERESTS).format(product=desk.random.choice(PRODUCTS).name),
            "company_name": customer.name,
            "company_domain": customer.domain,
            "industry": customer.industry,
            "company_size": customer.size,
            "country": customer.country,
            "consent": True,
            **({"team_id": teams[chosen]} if chosen in teams else {}),
        },
    )


HABITS: Mapping[Role, tuple[tuple[int, Habit], ...]] = {
    Role.REP: ((60, work_on_a_deal), (30, work_on_a_lead), (4, open_a_deal), (14, see_to_a_contract)),
    Role.MANAGER: ((1, look_after_the_team),),
    Role.SALES_DIRECTOR: ((1, decide_on_a_contract),),
    Role.LEGAL: ((3, decide_on_a_contract), (1, help_with_a_deal)),
    Role.EXECUTIVE: ((1, decide_on_a_contract),),
    Role.FINANCE: ((4, write_an_invoice), (6, book_a_receipt), (1, help_with_a_deal)),
    Role.MARKETING: ((8, capture_a_lead), (1, help_with_a_deal)),
}
"""What a role does, and how often."""

BUSY: Mapping[Role, int] = {
    Role.REP: 6,
    Role.MANAGER: 1,
    Role.SALES_DIRECTOR: 1,
    Role.LEGAL: 3,
    Role.EXECUTIVE: 1,
    Role.FINANCE: 6,
    Role.MARKETING: 5,
}
"""How often it is somebody's turn."""
