"""The board over HTTP and PostgreSQL: columns, cards, totals, what goes on in the list, and who sees what."""

from copy import deepcopy
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.deals.board_api import columns_of, shown_version
from services.deals.domain.process.comparison import plain
from services.deals.domain.process.short import SHORT, SHORT_ID
from services.deals.domain.process.state import Version
from services.deals.projections.deal_totals import differences
from services.deals.projections.deals import DEAL_PROJECTION
from shared.domain.roles import Role
from shared.http.problems import Problem
from shared.ops.ids import new_id
from shared.projections.audit import differences as audited
from tests.services.deals.conftest import Office, Team
from tests.services.deals.test_service import seen
from tests.services.leads.conftest import Desk, unique

EUR, USD = {"currency": "EUR"}, {"currency": "USD"}
BOARD = "/v1/board"
FIRST, SECOND = "initial-contact", "needs-confirmed"


# -- pure -------------------------------------------------------------------------------------------------------------


def version(number: int, *keys: str, published: bool = True) -> Version:
    stages = tuple(replace(SHORT.stages[0], key=key, name=f"{key} {number}") for key in keys)
    return Version(number=number, definition=replace(SHORT, stages=stages), published=published)


def test_stages_that_the_version_shown_does_not_have_come_last_as_they_were_called_last() -> None:
    known = [version(1, "a", "b", "old"), version(2, "a", "old", "older"), version(3, "b", "a")]
    columns = columns_of(known[2], known, {"old": 1, "a": 2, "gone": 3})
    assert [(key, stage.name if stage else None, own) for key, stage, own in columns] == [
        ("b", "b 3", True),
        ("a", "a 3", True),
        ("gone", None, False),
        ("old", "old 2", False),
    ]


def test_proc_2_the_version_that_was_published_last_is_shown_or_the_one_on_trial() -> None:
    trial = version(2, "b", published=False)
    assert shown_version([version(1, "a"), trial], None).number == 1
    assert shown_version([replace(trial, number=1)], None).number == 1
    assert shown_version([version(1, "a"), trial], 2) == trial
    for known, number, code in (([], None, "unknown-process"), ([trial], 3, "unknown-version")):
        with pytest.raises(Problem) as refused:
            shown_version(known, number)
        assert [fault.code for fault in refused.value.faults] == [code]


def test_what_is_posted_is_the_difference_and_nothing_where_there_is_none() -> None:
    def sums(count: int, amount: str) -> dict[str, Any]:
        return {"count": count, "amount": Decimal(amount), "weighted": Decimal(amount) / 10}

    one, other = (UUID(int=1), "a", "EUR", None, None), (UUID(int=1), "b", "EUR", None, None)
    assert differences({one: sums(2, "30")}, {one: sums(2, "30")}) == []
    (gone, come) = sorted(
        differences({one: sums(2, "30")}, {one: sums(1, "10"), other: sums(1, "20")}), key=lambda row: row["count"]
    )
    assert (gone["stage"], gone["count"], gone["amount"]) == ("a", -1, Decimal(-20))
    assert (come["stage"], come["count"], come["weighted"]) == ("b", 1, Decimal(2))


# -- at work ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Process:
    """A process of a test's own, and who sells by it."""

    ops: Desk
    id: str
    definition: dict[str, Any]

    async def opens(self, desk: Desk, worth: str, currency: str = "EUR", **more: Any) -> tuple[str, httpx.Response]:
        made = await desk.does(
            "/v1/deals",
            {"name": unique("Line"), "amount": {"amount": worth, "currency": currency}, "process_id": self.id, **more},
        )
        assert made.status_code == 201, made.text
        return made.json()["id"], made

    async def board(self, desk: Desk, last: httpx.Response, **query: str) -> Any:
        return await seen(desk, last, BOARD, process=self.id, **query)


async def own_process(office: Office, **changes: Any) -> Process:
    ops = office.somebody()
    definition = {**plain(SHORT, sparse=True), "key": f"board-{new_id()}", **changes}
    for stage in definition["stages"]:
        stage.update(entry=[], exit=[], max_days=14, idle_days=3)
    made = await ops.makes("/v1/processes", {"definition": definition})
    return Process(ops, made, definition)


def by_stage(board: Any) -> dict[str, Any]:
    return {column["stage"]: column for column in board["columns"]}


async def test_deal_3_a_board_has_each_stage_with_its_sums_and_its_cards(office: Office) -> None:
    process = await own_process(office)
    first, _ = await process.opens(process.ops, "100.00", expected_close="2099-01-01")
    await process.opens(process.ops, "50.05")
    other, _ = await process.opens(process.ops, "7.00", "USD")
    lost, _ = await process.opens(process.ops, "900.00")
    await process.ops.makes(f"/v1/deals/{lost}/lose", {"reason": "price"})
    last = await process.ops.does(f"/v1/deals/{other}/move", {"stage": SECOND})
    board = await process.board(process.ops, last)
    assert [column["stage"] for column in board["columns"]] == [stage["key"] for stage in process.definition["stages"]]
    assert (board["process_version"], board["process_name"]) == (1, process.definition["name"])
    columns = by_stage(board)
    assert columns[FIRST]["count"] == 2
    assert columns[FIRST]["sums"] == {
        "amount": [{"amount": "150.05", **EUR}],
        # Each is rounded half up: a tenth of 50.05 is 5.01.
        "weighted": [{"amount": "15.01", **EUR}],
    }
    assert (columns[SECOND]["count"], columns[SECOND]["sums"]["amount"]) == (1, [{"amount": "7.00", **USD}])
    card = next(each for each in columns[FIRST]["cards"] if each["id"] == first)
    assert (card["days_in_stage"], card["days_late"], card["idle_days"], card["is_idle"]) == (0, 0, 0, False)
    assert (card["max_days"], card["idle_limit"], card["process_version"]) == (14, 3, 1)
    assert (card["expected_close"], card["slipped"], card["next_step"]) == ("2099-01-01", False, None)
    assert card["moves"]["forward"] == SECOND
    assert (columns[SECOND]["cards"][0]["moves"]["back"], columns[SECOND]["next"]) == ([FIRST], None)


async def test_an_empty_board_has_its_columns(office: Office) -> None:
    process = await own_process(office)
    board = await process.ops.sees(BOARD, process=process.id)
    assert [(each["count"], each["cards"], each["next"], each["in_version"]) for each in board["columns"]] == [
        (0, [], None, True) for _ in process.definition["stages"]
    ]
    assert board["columns"][0]["sums"] == {"amount": [], "weighted": []}


async def test_api_1_a_column_goes_on_in_the_list_of_deals_without_gaps_or_repeats(office: Office) -> None:
    process = await own_process(office)
    made = [(await process.opens(process.ops, f"{n}.00"))[0] for n in range(5)]
    _, last = await process.opens(process.ops, "6.00", name="Another")
    column = by_stage(await process.board(process.ops, last, cards="2", q="line"))[FIRST]
    assert (column["count"], len(column["cards"])) == (5, 2)
    shown, following = [card["id"] for card in column["cards"]], column["next"]
    first = await process.ops.client.get(following.partition("&cursor=")[0])
    assert [row["id"] for row in first.json()["items"]] == shown
    while following:
        assert following.startswith("/v1/deals?")
        page = (await process.ops.client.get(following)).json()
        shown += [row["id"] for row in page["items"]]
        following = page["next"] and f"{column['next'].partition('&cursor=')[0]}&cursor={page['next']}"
    assert sorted(shown) == sorted(made)


async def test_deals_of_an_older_version_stand_in_the_column_of_their_stage(office: Office) -> None:
    """PROC-2: and stages that the version shown has no more come last."""
    process = await own_process(office)
    staying, _ = await process.opens(process.ops, "1.00")
    moved, _ = await process.opens(process.ops, "2.00")
    await process.ops.makes(f"/v1/deals/{moved}/move", {"stage": SECOND})
    anew = deepcopy(process.definition)
    anew["stages"] = [anew["stages"][0], *anew["stages"][2:]]
    await process.ops.makes(f"/v1/processes/{process.id}/publish-version", {"definition": anew})
    fresh, last = await process.opens(process.ops, "4.00")
    board = await process.board(process.ops, last)
    columns = by_stage(board)
    assert board["process_version"] == 2
    assert {card["id"]: card["process_version"] for card in columns[FIRST]["cards"]} == {staying: 1, fresh: 2}
    assert (board["columns"][-1]["stage"], columns[SECOND]["in_version"]) == (SECOND, False)
    assert columns[SECOND]["name"] == process.definition["stages"][1]["name"]
    (card,) = columns[SECOND]["cards"]
    assert (card["id"], card["max_days"], card["moves"]["back"]) == (moved, 14, [FIRST])
    older = by_stage(await process.board(process.ops, last, version="1"))
    assert older[SECOND]["in_version"] is True


async def test_api_4_a_board_shows_to_each_what_the_list_of_deals_does(office: Office, team: Team) -> None:
    process = await own_process(office)
    rep, other = (office.somebody(Role.REP, team.subjects[place]) for place in (0, 1))
    manager, finance = office.somebody(Role.MANAGER, team.subjects[2]), office.somebody(Role.FINANCE, "fred")
    own, _ = await process.opens(rep, "10.00")
    theirs, _ = await process.opens(other, "20.00")
    nobodys, last = await process.opens(process.ops, "40.00")

    async def shown(desk: Desk, **query: str) -> tuple[set[str], list[str], int]:
        column = by_stage(await process.board(desk, last, **query))[FIRST]
        assert column["count"] == len(column["cards"])
        movable = sum(card["moves"]["forward"] is not None for card in column["cards"])
        return (
            {card["id"] for card in column["cards"]},
            [each["amount"] for each in column["sums"]["amount"]],
            movable,
        )

    assert await shown(rep) == ({own}, ["10.00"], 1)
    assert await shown(manager) == ({own, theirs}, ["30.00"], 2)
    assert await shown(manager, owner=team.rep) == ({own}, ["10.00"], 1)
    assert await shown(process.ops) == ({own, theirs, nobodys}, ["70.00"], 3)
    assert await shown(process.ops, team=team.id) == ({own, theirs}, ["30.00"], 2)
    assert await shown(process.ops, unassigned="true") == ({nobodys}, ["40.00"], 1)
    assert await shown(process.ops, category="commit") == (set(), [], 0)
    assert await shown(process.ops, currency="USD") == (set(), [], 0)
    # Who looks on sees all and moves nothing.
    assert await shown(finance) == ({own, theirs, nobodys}, ["70.00"], 0)
    stranger = await rep.client.get(BOARD, params={"process": process.id, "owner": team.other})
    assert (stranger.status_code, stranger.json()["errors"][0]["code"]) == (400, "unknown-member")
    assert (await office.deals.client(None, "").get(BOARD, params={"process": process.id})).status_code == 401


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({}, "process"),
        ({"process": "short"}, "process"),
        ({"process": f"{UUID(int=9)}"}, "process"),
        ({"version": "99"}, "version"),
        ({"version": "0"}, "version"),
        ({"cards": "51"}, "cards"),
        ({"stage": "quotation"}, "stage"),
        ({"status": "won"}, "status"),
        ({"category": "sure"}, "category"),
        ({"currency": "XXZ"}, "currency"),
        ({"mine": "true", "unassigned": "true"}, "mine"),
        ({"q": "a b c d e f g h i j k"}, "q"),
    ],
)
async def test_api_1_a_wrong_parameter_is_named(office: Office, query: dict[str, str], parameter: str) -> None:
    asked = query if not query or "process" in query else {"process": f"{SHORT_ID}", **query}
    refused = await office.somebody().client.get(BOARD, params=asked)
    assert refused.status_code == 400, refused.text
    assert parameter in {fault["parameter"] for fault in refused.json()["errors"]}


async def test_what_is_kept_of_totals_is_what_counting_gives_whatever_happens(office: Office) -> None:
    process = await own_process(office)
    deals = [(await process.opens(process.ops, f"{n + 1}.00"))[0] for n in range(4)]
    await process.ops.makes(f"/v1/deals/{deals[0]}/win")
    await process.ops.makes(f"/v1/deals/{deals[1]}/move", {"stage": SECOND})
    await process.ops.makes(f"/v1/deals/{deals[2]}/change-amount", {"amount": {"amount": "9.00", **USD}})
    await process.ops.makes(f"/v1/deals/{deals[3]}/abandon", {"reason": "no-decision"})
    await process.ops.makes(f"/v1/deals/{deals[3]}/reopen", {"reason": "They called"})
    last = await process.ops.does(f"/v1/deals/{deals[0]}/reopen", {"reason": "Not signed"})
    kept = await process.board(process.ops, last)
    counted = await process.board(process.ops, last, closes_to="8999-12-31")
    assert counted["columns"][0]["count"] == 0, "none of them has a close date"
    narrowed = await process.board(process.ops, last, q="line")
    assert [(each["count"], each["sums"]) for each in kept["columns"]] == [
        (each["count"], each["sums"]) for each in narrowed["columns"]
    ]
    assert [each["count"] for each in kept["columns"][:2]] == [3, 1]
    running = office.running
    assert await audited(running.pool, running.log, DEAL_PROJECTION, running.settings.company) == []
