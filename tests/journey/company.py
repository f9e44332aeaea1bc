"""The people of one small company, made over HTTP, and what the journeys do again and again."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from shared.ops.ids import new_id
from tests.whole_stack import Answer, Person, WholeStack

AMOUNT = {"amount": "620000.01", "currency": "EUR"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Two teams: the one that sells, with a rep and a manager, and another with a rep of its own."""

    stack: WholeStack
    mark: str
    """In every name, so that companies of one stack stay apart."""
    team: str
    rep_id: str
    rep: Person
    manager: Person
    stranger: Person
    """The rep of the other team."""
    operations: Person
    director: Person
    legal: Person
    finance: Person

    @property
    def today(self) -> date:
        return self.stack.now().date()


async def found(stack: WholeStack) -> Company:
    """Two teams and their people."""
    mark = str(new_id())[-12:]
    operations = stack.person("sales-operations")
    team = await made(operations, "/v1/teams", {"name": f"South {mark}"})
    other = await made(operations, "/v1/teams", {"name": f"North {mark}"})
    rep = await join(operations, f"rosa.{mark}", "rep", team.id)
    manager = await join(operations, f"mateo.{mark}", "manager", team.id, capacity=0)
    stranger = await join(operations, f"nils.{mark}", "rep", other.id)
    appointed = await operations.post(f"/v1/teams/{team.id}/appoint-manager", {"member_id": manager.id})
    assert appointed.status == 200, appointed.body
    await known_everywhere(operations, team, other, rep, manager, stranger, appointed)
    return Company(
        stack=stack,
        mark=mark,
        team=team.id,
        rep_id=rep.id,
        rep=stack.person("rep", f"rosa.{mark}"),
        manager=stack.person("manager", f"mateo.{mark}"),
        stranger=stack.person("rep", f"nils.{mark}"),
        operations=operations,
        director=stack.person("sales-director"),
        legal=stack.person("legal"),
        finance=stack.person("finance"),
    )


async def known_everywhere(person: Person, *answers: Answer) -> None:
    """Wait until every service knows of what was done."""
    for path in ("/v1/teams", "/v1/processes", "/v1/contracts", "/v1/balances", "/v1/me"):
        for answer in answers:
            await seen(person, path, after=answer)


async def join(operations: Person, subject: str, role: str, team: str, capacity: int = 30) -> Answer:
    body = {"subject": subject, "name": subject.title(), "role": role, "team_id": team, "capacity": capacity}
    return await made(operations, "/v1/members", body)


async def made(person: Person, path: str, body: Any, **more: Any) -> Answer:
    """Something that could be created."""
    answer = await person.post(path, body, **more)
    assert answer.status == 201, (path, answer.body)
    return answer


async def done(person: Person, path: str, body: Any, **more: Any) -> Answer:
    """A command that was carried out."""
    answer = await person.post(path, body, **more)
    assert answer.status == 200, (path, answer.body)
    return answer


async def seen(person: Person, path: str, **query: Any) -> Any:
    """What somebody reads."""
    answer = await person.get(path, **query)
    assert answer.status == 200, (path, answer.body)
    return answer.body


async def open_deal(company: Company, amount: str = "90000.00") -> Answer:
    """A deal of the rep's own, without a lead."""
    body = {
        "name": f"Direct {company.mark}",
        "amount": {"amount": amount, "currency": "EUR"},
        "expected_close": str(company.today + timedelta(days=20)),
        "account_name": f"Brightwater {company.mark}",
    }
    return await made(company.rep, "/v1/deals", body)


async def work_through(company: Company, deal: str, stage: str) -> Answer:
    """Do what the gates on the way to a stage ask for, one stage after the other."""
    path = f"/v1/deals/{deal}"
    await done(company.rep, f"{path}/plan-next-step", {"on": str(company.today), "what": "Call again"})
    await complete(company, deal, "first-conversation")
    moved = await done(company.rep, f"{path}/move", {"stage": "needs-confirmed"})
    if stage == "needs-confirmed":
        return moved
    facts = {"need_stated": True, "budget": "650000", "decision_chain_known": True}
    await done(company.rep, f"{path}/note-facts", {"facts": facts})
    await complete(company, deal, "explore-pains", "clarify-decision", "needs-confirmation")
    moved = await done(company.rep, f"{path}/move", {"stage": "quotation"})
    if stage == "quotation":
        return moved
    await complete(company, deal, "present-quotation", "quotation")
    return await done(company.rep, f"{path}/move", {"stage": "contract-drafting"})


async def complete(company: Company, deal: str, *keys: str) -> None:
    for key in keys:
        await done(
            company.rep, f"/v1/deals/{deal}/complete-node", {"key": key, "evidence": f"{key}: see CRM-DOC-{key}"}
        )


async def contracts_of(person: Person, deal: str, *, after: Answer) -> list[dict[str, Any]]:
    return list((await seen(person, "/v1/contracts", deal=deal, after=after))["items"])


def quarter(day: date) -> str:
    return f"{day.year}-Q{(day.month + 2) // 3}"
