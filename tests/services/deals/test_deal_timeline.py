"""DATA-5: a timeline is read page by page, and says of each event what it would say were all of them read."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.deals.domain.deal import deal as deals
from services.deals.domain.deal.history import ImportDealActivity
from services.deals.domain.deal.timeline import became
from shared.commands.request import CommandRequest
from shared.domain.context import service_actor
from shared.domain.history import standing
from shared.events.chronology import Rank, Told
from shared.following.stored_events import readable
from shared.ops.ids import new_id
from tests.services.deals.conftest import Office
from tests.services.deals.test_qualification_at_work import EVIDENCE, today
from tests.services.deals.test_service import DEAL
from tests.services.leads.conftest import Desk

STEP = {"on": "2099-01-05", "what": "Walk through it"}


async def done(desk: Desk, deal: str, command: str, **body: Any) -> None:
    answer = await desk.does(f"/v1/deals/{deal}/{command}", body)
    assert answer.status_code == 200, answer.text


async def corrected_in_every_way(office: Office, desk: Desk) -> str:
    """A deal of whose facts many were corrected, withdrawn, told anew, or told late."""
    deal = await desk.makes("/v1/deals", DEAL)
    corrected, withdrawn, alone, late, kept, gone = (str(new_id()) for _ in range(6))
    before = f"{today(office) - timedelta(days=1)}"
    await done(desk, deal, "log-activity", activity_id=corrected, kind="call", next_step=STEP)
    await done(desk, deal, "log-activity", activity_id=withdrawn, kind="call", next_step={**STEP, "on": "2099-02-05"})
    await done(desk, deal, "log-activity", activity_id=alone, kind="demo")
    await done(desk, deal, "log-activity", activity_id=late, kind="visit", on=before)
    await done(desk, deal, "state-pain", answer_id=kept, text="Slow", severity=3, evidence=EVIDENCE)
    await done(desk, deal, "state-pain", answer_id=gone, text="Dear", severity=2, evidence=EVIDENCE)
    await done(desk, deal, "correct-activity", activity_id=corrected, kind="meeting")
    await done(desk, deal, "correct-activity", activity_id=corrected, kind="visit")
    await done(desk, deal, "withdraw-activity", activity_id=withdrawn, reason="Of another customer")
    await done(desk, deal, "state-pain", answer_id=kept, text="Slow", severity=4, evidence=EVIDENCE)
    await done(desk, deal, "withdraw-answer", answer_id=gone, reason="Not theirs")
    await done(desk, deal, "add-note", text="That is all")
    return deal


async def marks(desk: Desk, deal: str, limit: int) -> list[tuple[int, str]]:
    """Sequence and mark of each event, as a timeline shows them in pages of so many."""
    found, cursor = list[tuple[int, str]](), None
    while True:
        page = await desk.sees(f"/v1/deals/{deal}/timeline", limit=f"{limit}", **({"cursor": cursor} if cursor else {}))
        found += [(each["sequence"], each["became"]) for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            return found


async def test_data_5_a_page_of_a_timeline_marks_its_events_as_the_whole_does(office: Office) -> None:
    """DEAL-6: also where what became of an event was told many pages later, or earlier."""
    desk = office.somebody()
    deal = await corrected_in_every_way(office, desk)
    facts = readable(await office.running.log.stream(deals.name, UUID(deal), 0, 1000))
    whole = became(facts)
    assert set(whole.values()) == {"stands", "corrected", "withdrawn"}
    order = [fact.sequence for fact in sorted(facts, key=lambda each: (each.occurred_at, each.sequence), reverse=True)]
    assert order != sorted(order, reverse=True), "one of them was told late"
    for limit in (1, 2, 5, 200):
        assert await marks(desk, deal, limit) == [(sequence, whole[sequence]) for sequence in order]


async def test_data_5_what_history_told_anew_is_corrected_on_whichever_page_it_stands(office: Office) -> None:
    """Of several facts under one name the last counts."""
    desk, running = office.somebody(), office.running
    deal, activity = await desk.makes("/v1/deals", DEAL), new_id()
    for kind in ("call", "visit"):
        on = today(office)
        command = ImportDealActivity(on=on, activity_id=activity, kind=kind)
        at = datetime(on.year, on.month, on.day, 23, 59, tzinfo=UTC)
        told = Told(name="visit 17", rank=Rank.ACTIVITY, at=at)
        request = CommandRequest(deals, UUID(deal), command, service_actor("import"), imported=True, told=told)
        await running.commands.execute(request)
    facts = readable(await running.log.stream(deals.name, UUID(deal), 0, 100))
    assert len(standing(facts)) < len(facts)
    whole = became(facts)
    assert await marks(desk, deal, 1) == await marks(desk, deal, 200)
    assert dict(await marks(desk, deal, 1)) == dict(whole)
    assert "corrected" in whole.values()
