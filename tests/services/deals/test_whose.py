"""Events of a deal say whose it was when they were recorded, and nobody folds it."""

import json
from dataclasses import replace
from typing import Any

from services.deals.domain.deal import deal
from services.deals.domain.deal.closing import deal_lost
from shared.commands.as_known import WHOSE, with_whose
from shared.events.deals.deal import DealHandedOver
from shared.events.definition import known_fields
from tests.services.deals.conftest import Office, Team
from tests.services.deals.facts import ACCOUNT, OPENED, OTHER, OTHER_TEAM, OWNER, TEAM, TODAY
from tests.services.deals.test_service import DEAL

OPEN = deal.fold([replace(OPENED, owner=OWNER, team=TEAM, account_id=ACCOUNT)])
LOST = deal_lost(OPEN, TODAY, "price", None)


def test_what_the_handler_leaves_empty_is_filled_from_the_state() -> None:
    filled = with_whose(LOST, OPEN)
    assert (filled.owner, filled.team, filled.account_id) == (OWNER, TEAM, ACCOUNT)
    assert replace(filled, owner=None, team=None, account_id=None) == LOST
    assert with_whose(replace(LOST, owner=OTHER), OPEN).owner == OTHER, "what the handler says stays"
    assert with_whose(LOST, deal.start()) == LOST


def test_what_an_event_tells_is_never_filled() -> None:
    """A deal that is handed to nobody is nobody's."""
    handed = DealHandedOver(deal_id=OPEN.id, owner_before=OWNER, team_before=TEAM, owner=None, team=OTHER_TEAM)
    filled = with_whose(handed, OPEN)
    assert (filled.owner, filled.team, filled.account_id) == (None, OTHER_TEAM, ACCOUNT)


def test_no_fold_reads_it() -> None:
    assert known_fields(type(LOST)) >= set(WHOSE)
    assert deal.evolve(OPEN, with_whose(LOST, OPEN)) == deal.evolve(OPEN, replace(LOST, owner=OTHER, team=OTHER_TEAM))


async def test_what_is_stored_says_whose_the_deal_was(office: Office, team: Team) -> None:
    """DATA-1: lost by team, without a join over all history."""
    desk = office.somebody()
    made = await desk.makes("/v1/deals", {**DEAL, "owner": team.rep, "team": team.id})
    await desk.makes(f"/v1/deals/{made}/log-activity", {"kind": "call", "next_step": {"on": "2099-01-05"}})
    await desk.makes(f"/v1/deals/{made}/hand-over", {"owner": team.other, "team": team.id})
    await desk.makes(f"/v1/deals/{made}/lose", {"reason": "price"})
    rows = await office.running.pool.fetch(
        "select type, data::text from event where aggregate_id = $1 order by sequence", made
    )
    whose: dict[str, Any] = {row["type"]: json.loads(row["data"]) for row in rows}
    assert {kind: (data.get("owner"), data.get("team")) for kind, data in whose.items()} == {
        "deals.deal-opened": (team.rep, team.id),
        "deals.deal-activity-logged": (team.rep, team.id),
        "deals.deal-next-step-planned": (team.rep, team.id),
        "deals.deal-handed-over": (team.other, team.id),
        "deals.deal-lost": (team.other, team.id),
    }
