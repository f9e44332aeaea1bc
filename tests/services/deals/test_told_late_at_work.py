"""DATA-5: what follows now from an end or a move that history tells late: it is no history, so others answer it, over
HTTP, PostgreSQL and Kafka."""

from typing import Any
from uuid import UUID

from services.deals.domain.deal import deal as deals
from services.deals.domain.deal.history import ImportDealLoss, ImportDealMove
from shared.commands.request import CommandRequest
from shared.domain.context import service_actor
from shared.domain.roles import Role
from shared.events.chronology import Rank, Told
from shared.events.deals.deal import DealMoved
from shared.events.deals.deal_approval import DealSubmissionRecalled
from shared.events.deals.support_request import SupportRequestWithdrawn
from shared.following.stored_events import readable
from tests.services.conftest import Everybody
from tests.services.deals.conftest import Office
from tests.services.deals.test_approval_at_work import DEAL, GATE, MANAGER, did, process_with
from tests.services.leads.conftest import Desk, unique
from tests.shared.http.waiting import until

SATISFIED = {
    "key": "sat",
    "name": "The customer is satisfied",
    "when": {"fact": "satisfied", "operator": "is", "value": True},
}


async def told(office: Office, deal: str, rank: Rank, command: Any) -> None:
    """A fact of history, as an import tells it."""
    name = Told(name=unique("fact"), rank=rank, at=office.running.clock.now())
    request = CommandRequest(deals, UUID(deal), command, service_actor("import"), imported=True, told=name)
    await office.running.commands.execute(request)


async def recorded(office: Office, family: str, about: str, kind: type) -> list[bool]:
    """Of each event of a type, whether it is history."""
    facts = readable(await office.running.log.stream(family, UUID(about), 0, 100))
    return [fact.imported for fact in facts if isinstance(fact.data, kind)]


async def test_deal_2_a_notice_goes_with_what_was_submitted_when_history_tells_that_the_deal_had_ended(
    everybody: Everybody, office: Office
) -> None:
    """DEAL-12, REC-5: so does whatever is told of help that is withdrawn."""
    ops, team = office.somebody(), await office.team()
    rep = office.somebody(Role.REP, team.subjects[0])
    inbox = Desk(client=everybody.forecast.client(Role.MANAGER, team.subjects[2]))
    made = await ops.makes("/v1/processes", {"definition": process_with(MANAGER)})
    deal, ended = await rep.makes("/v1/deals", {**DEAL, "process_id": made}), office.running.clock.now()

    async def notices() -> list[tuple[str, str]]:
        items = (await inbox.sees("/v1/notices", about=deal))["items"]
        return [(each["kind"], each["status"]) for each in items]

    async def waits() -> bool:
        return await notices() == [("approval-waiting", "unread")]

    async def is_settled() -> bool:
        return await notices() == [("approval-waiting", "settled")]

    await did(rep, f"/v1/deals/{deal}/submit-for-approval", GATE)
    asked = {"deal_id": deal, "department": "presales", "what": "A demo"}
    support = await rep.makes("/v1/support-requests", asked)
    await until(waits, 60)
    on = office.running.settings.company.day(ended)
    await told(office, deal, Rank.END, ImportDealLoss(on=on, at=ended, reason="price"))
    await until(is_settled, 60)
    assert await recorded(office, deals.name, deal, DealSubmissionRecalled) == [False]

    async def is_withdrawn() -> bool:
        return await recorded(office, "support-request", support, SupportRequestWithdrawn) == [False]

    await until(is_withdrawn, 60)


async def test_proc_1_a_deal_that_history_moves_to_where_it_is_ready_goes_on_by_itself(office: Office) -> None:
    ops, team = office.somebody(), await office.team()
    rep, definition = office.somebody(Role.REP, team.subjects[0]), process_with(MANAGER)
    first, last = definition["stages"]
    middle = {**last, "key": "middle", "name": "Middle", "moves": "by-itself", "exit": [SATISFIED]}
    stages = [{**first, "exit": []}, middle, last]
    made = await ops.makes("/v1/processes", {"definition": {**definition, "stages": stages}})
    deal = await rep.makes("/v1/deals", {**DEAL, "process_id": made})
    at, moved = f"/v1/deals/{deal}", office.running.clock.now()
    await did(rep, f"{at}/note-facts", {"facts": {"satisfied": True}})
    await did(rep, f"{at}/submit-for-approval", GATE)
    on = office.running.settings.company.day(moved)
    await told(office, deal, Rank.MOVE, ImportDealMove(on=on, at=moved, stage="middle"))

    async def has_gone_on() -> bool:
        return bool((await rep.sees(at))["stage"] == "close")

    await until(has_gone_on, 60)
    assert await recorded(office, deals.name, deal, DealMoved) == [True, False]
