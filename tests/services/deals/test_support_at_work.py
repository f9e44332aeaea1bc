"""DEAL-12: support requests over HTTP, PostgreSQL and Kafka: who sees and answers what, what is late, and the end."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.deals.domain.process.full import FULL_ID
from services.deals.domain.support_request import support_request
from services.deals.projections.support_requests import SUPPORT_REQUEST_PROJECTION
from shared.domain.roles import Role
from shared.eventstore.append import Append, Outcome
from shared.projections.audit import differences
from shared.testing.servers import personal_rows
from tests.described import as_described
from tests.services.deals.conftest import Office, Team
from tests.services.deals.test_service import codes, seen
from tests.services.leads.conftest import Desk, unique
from tests.shared.http.conftest import Errands
from tests.shared.http.waiting import until

DEAL: dict[str, Any] = {"amount": {"amount": "12000.00", "currency": "EUR"}, "process_id": str(FULL_ID)}
ASK = {"type": "expert-talk", "what": "Somebody who knows packaging lines."}
AT = "/v1/support-requests"


class Help:
    """A rep with a deal, and the people of presales."""

    def __init__(self, office: Office, team: Team) -> None:
        self.office, self.name = office, unique("Line")
        self.rep = office.somebody(Role.REP, team.subjects[0])
        self.other = office.somebody(Role.REP, team.subjects[1])
        self.manager = office.somebody(Role.MANAGER, team.subjects[2])
        self.presales = office.somebody(Role.PRESALES, "pia")
        self.deal = ""

    async def begin(self) -> "Help":
        self.deal = await self.rep.makes("/v1/deals", {**DEAL, "name": self.name})
        return self

    async def asks(self, **more: Any) -> str:
        return await self.rep.makes(AT, {"deal_id": self.deal, **ASK, **more})

    async def status(self, made: str) -> tuple[str, Any]:
        shown = await self.rep.sees(f"{AT}/{made}")
        return shown["status"], shown.get("cause")

    async def becomes(self, made: str, status: str, cause: str | None = None) -> None:
        async def is_so() -> bool:
            return await self.status(made) == (status, cause)

        await until(is_so, 60)


@pytest.fixture
async def help_(office: Office, team: Team) -> Help:
    return await Help(office, team).begin()


async def did(desk: Desk, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
    answer = await desk.does(path, body)
    assert answer.status_code == 200, answer.text
    return answer


async def test_deal_12_help_is_asked_returned_asked_again_and_delivered(help_: Help) -> None:
    made = await help_.asks()
    shown = await help_.rep.sees(f"{AT}/{made}")
    assert shown == {
        **shown,
        "status": "asked",
        "deal_name": help_.name,
        "stage": "needs-diagnosis",
        "department": "presales",
        "name": "A talk with a specialist",
        "days": 2,
        "what": ASK["what"],
    }
    calendar = help_.office.running.settings.company.calendar
    today = help_.office.running.clock.now().date()
    assert shown["due"] == calendar.after(today, 2).isoformat()
    await did(help_.presales, f"{AT}/{made}/return-to-asker", {"reason": "Which industry?"})
    assert (await help_.rep.sees(f"{AT}/{made}"))["reason"] == "Which industry?"
    await did(help_.rep, f"{AT}/{made}/ask-again", {"what": "Food."})
    done = await did(help_.presales, f"{AT}/{made}/deliver", {"reference": "DOC-9"})
    shown = await help_.rep.sees(f"{AT}/{made}")
    assert (shown["status"], shown["reference"], shown["days_late"]) == ("delivered", "DOC-9", 0)
    (row,) = (await seen(help_.rep, done, AT, deal=help_.deal))["items"]
    assert (row["status"], row["department"], row["overdue"], row["days_late"]) == ("delivered", "presales", False, 0)


async def test_deal_12_department_and_team_see_a_request_and_other_reps_do_not(help_: Help) -> None:
    """API-4"""
    asked = await help_.rep.does(AT, {"deal_id": help_.deal, **ASK})
    made = asked.json()["id"]
    for reader in (help_.rep, help_.manager, help_.presales):
        assert await reader.status(f"{AT}/{made}") == 200
        assert [row["id"] for row in (await seen(reader, asked, AT, deal=help_.deal))["items"]] == [made]
    assert await help_.other.status(f"{AT}/{made}") == 404
    assert (await seen(help_.other, asked, AT, deal=help_.deal))["items"] == []
    assert (await help_.other.does(AT, {"deal_id": help_.deal, **ASK})).json()["code"] == "unknown-deal"
    for other in (help_.rep, help_.manager, help_.office.somebody(Role.LEGAL, "lara")):
        refused = await other.does(f"{AT}/{made}/deliver", {"reference": "DOC-9"})
        assert (refused.status_code, refused.json()["code"]) == (409, "other-department")
    assert (await help_.presales.does(f"{AT}/{made}/withdraw")).status_code == 403
    assert (await help_.presales.does(AT, {"deal_id": help_.deal, **ASK})).status_code == 403


async def test_deal_12_what_the_process_does_not_know_is_refused_with_its_field(help_: Help) -> None:
    wrong = await help_.rep.does(AT, {"deal_id": help_.deal, "type": "tea", "what": "Tea."})
    assert (codes(wrong), wrong.json()["errors"][0]["pointer"]) == (["unknown-support-type"], "/type")
    unknown = await help_.rep.does(AT, {"deal_id": str(UUID(int=9)), "department": "admin", "what": "Tea."})
    assert set(codes(unknown)) == {"unknown-deal", "unknown-department"}


async def test_deal_12_the_weekly_list_has_what_is_late_and_for_how_long(alone: Errands) -> None:
    """The due day passes: it is told once, the list counts working days, and delivery keeps them."""
    running = alone.running
    ops, presales = Desk(client=alone.client(Role.SALES_OPERATIONS)), Desk(client=alone.client(Role.PRESALES, "pia"))
    deal = await ops.makes("/v1/deals", {**DEAL, "name": "Line"})
    made = await ops.makes(AT, {"deal_id": deal, **ASK})
    asked = await ops.does(AT, {"deal_id": deal, **ASK, "type": "solution-design"})
    later = asked.json()["id"]
    due = date.fromisoformat((await ops.sees(f"{AT}/{made}"))["due"])
    await running.clock.advance(running.pool, timedelta(days=6))
    late = running.settings.company.calendar.between(due, running.clock.now().date())
    assert late >= 1

    async def told() -> bool:
        return bool((await running.commands.state(support_request, UUID(made))).state.is_told_overdue)

    async def rows(**query: str) -> list[tuple[str, bool, int]]:
        found = await seen(presales, asked, AT, deal=deal, sort="due", **query)
        return [(row["id"], row["overdue"], row["days_late"]) for row in found["items"]]

    await until(told, 60)
    before = (due - timedelta(days=1)).isoformat()
    for query, expected in (
        ({"department": "presales", "overdue": "true"}, [(made, True, late)]),
        ({"status": "asked"}, [(made, True, late), (later, False, 0)]),
        ({"due_to": due.isoformat()}, [(made, True, late)]),
        ({"due_to": before}, []),
        ({"department": "legal"}, []),
    ):
        assert await rows(**query) == expected, query
    done = await did(presales, f"{AT}/{made}/deliver", {"reference": "DOC-9"})
    (row,) = (await seen(ops, done, AT, deal=deal, status="delivered"))["items"]
    assert (row["id"], row["overdue"], row["days_late"]) == (made, False, late)
    assert (await ops.sees(f"{AT}/{made}"))["days_late"] == late
    overdue = await running.pool.fetchval(
        "select count(*) from event where aggregate_id = $1 and type = 'deals.support-request-overdue'", UUID(made)
    )
    assert overdue == 1


async def test_deal_12_what_departments_hold_up_is_summed_and_told_by_weeks(alone: Errands) -> None:
    """Of each department what is open, what of it is late, and the working days for which it held up deals."""
    running = alone.running
    ops, presales = Desk(client=alone.client(Role.SALES_OPERATIONS)), Desk(client=alone.client(Role.PRESALES, "pia"))
    deal = await ops.makes("/v1/deals", {**DEAL, "name": "Line"})
    slow, slower = [await ops.makes(AT, {"deal_id": deal, **ASK}) for _ in range(2)]
    report = await ops.makes(AT, {"deal_id": deal, "type": "market-report", "what": "Packaging."})
    due = date.fromisoformat((await ops.sees(f"{AT}/{slow}"))["due"])
    asked_on = running.clock.now().date()
    marketing = Desk(client=alone.client(Role.MARKETING, "mia"))
    await did(marketing, f"{AT}/{report}/deliver", {"reference": "DOC-1"})
    await running.clock.advance(running.pool, timedelta(days=7))
    calendar, then = running.settings.company.calendar, running.clock.now().date()
    held = calendar.between(due, then)
    done = await did(presales, f"{AT}/{slow}/deliver", {"reference": "DOC-9"})
    await running.clock.advance(running.pool, timedelta(days=7))
    now = running.clock.now().date()
    holds = calendar.between(due, now)
    told = as_described("/v1/support-delay", await seen(ops, done, "/v1/support-delay"))
    assert (told["as_of"], told["since"]) == (now.isoformat(), (monday(now) - timedelta(weeks=7)).isoformat())
    assert told["departments"] == [
        {"department": "presales", "open": 1, "late": 1, "days_late": held + holds},
        {"department": "marketing", "open": 0, "late": 0, "days_late": 0},
    ]
    nothing = {"asked": 0, "delivered": 0, "delivered_late": 0, "days_late": 0}
    first, second = monday(asked_on).isoformat(), monday(then).isoformat()
    assert told["weeks"] == [
        {**nothing, "begins": second, "department": "presales", "delivered": 1, "delivered_late": 1, "days_late": held},
        {**nothing, "begins": first, "department": "marketing", "asked": 1, "delivered": 1},
        {**nothing, "begins": first, "department": "presales", "asked": 2},
    ]
    running_week = await seen(ops, done, "/v1/support-delay", weeks="1")
    assert running_week["departments"] == [{"department": "presales", "open": 1, "late": 1, "days_late": holds}]
    assert running_week["weeks"] == []
    assert (await ops.sees(f"{AT}/{slower}"))["status"] == "asked"


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


async def test_deal_12_a_rep_sees_the_delay_of_their_own_deals(help_: Help) -> None:
    """API-4"""
    asked = await help_.rep.does(AT, {"deal_id": help_.deal, **ASK})
    (own,) = [each for each in (await seen(help_.rep, asked, "/v1/support-delay"))["departments"]
              if each["department"] == "presales"]  # fmt: skip
    assert own["open"] >= 1
    assert (await seen(help_.other, asked, "/v1/support-delay"))["departments"] == []


async def test_deal_12_a_deal_that_is_lost_withdraws_what_was_asked_and_takes_nothing_more(help_: Help) -> None:
    made, done = await help_.asks(), await help_.asks(type="market-report")
    await did(help_.office.somebody(Role.MARKETING, "mia"), f"{AT}/{done}/deliver", {"reference": "DOC-1"})
    await did(help_.rep, f"/v1/deals/{help_.deal}/lose", {"reason": "price"})
    await help_.becomes(made, "withdrawn", "deal-lost")
    assert await help_.status(done) == ("delivered", None)
    refused = await help_.rep.does(AT, {"deal_id": help_.deal, **ASK})
    assert codes(refused) == ["deal-is-closed"]


async def test_deal_12_a_deal_that_is_won_keeps_what_is_for_the_time_after(help_: Help) -> None:
    made, after = await help_.asks(), await help_.asks(type="after-sales-answer")
    await did(help_.rep, f"/v1/deals/{help_.deal}/win")
    await help_.becomes(made, "withdrawn", "deal-won")
    assert await help_.status(after) == ("asked", None)
    assert await help_.asks(type="after-sales-answer", what="How are spare parts ordered?")


async def test_deal_12_what_is_asked_for_a_deal_that_ends_meanwhile_is_refused(
    alone: Errands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decided on the open deal, and appended once it is lost: the end would not find it any more."""
    ops, appender = Desk(client=alone.client(Role.SALES_OPERATIONS)), alone.running.commands._appender
    deal = await ops.makes("/v1/deals", {**DEAL, "name": "Line"})
    append = appender.append

    async def once_it_is_lost(what: Append) -> Outcome:
        monkeypatch.setattr(appender, "append", append)
        await did(ops, f"/v1/deals/{deal}/lose", {"reason": "price"})
        return await append(what)

    monkeypatch.setattr(appender, "append", once_it_is_lost)
    assert codes(await ops.does(AT, {"deal_id": deal, **ASK})) == ["deal-is-closed"]


async def test_deal_12_all_that_is_asked_at_once_is_found_when_the_deal_ends(help_: Help) -> None:
    """Each knows of those before it, whoever was faster."""
    asked = [help_.rep.does(AT, {"deal_id": help_.deal, **ASK, "what": f"Help {n}"}) for n in range(5)]
    made = [answer.json()["id"] for answer in await asyncio.gather(*asked)]
    await did(help_.rep, f"/v1/deals/{help_.deal}/lose", {"reason": "price"})
    for each in made:
        await help_.becomes(each, "withdrawn", "deal-lost")


async def test_deal_12_a_request_belongs_to_whom_its_deal_was_handed_to_under_its_name(help_: Help, team: Team) -> None:
    made = await help_.asks()
    await did(help_.manager, f"/v1/deals/{help_.deal}/hand-over", {"owner": team.other, "reason": "Leave"})

    async def handed() -> bool:
        return await help_.other.status(f"{AT}/{made}") == 200

    await until(handed, 60)
    assert await help_.rep.status(f"{AT}/{made}") == 404
    await did(help_.other, f"{AT}/{made}/withdraw")


async def test_data_4_what_was_written_goes_with_the_texts_of_the_deal(help_: Help) -> None:
    made = await help_.asks(what="Ask Quentin Ashgrove.")
    await did(help_.presales, f"{AT}/{made}/deliver", {"reference": "With Quentin Ashgrove"})
    pool = help_.office.running.pool
    stored = await pool.fetch("select data::text from event where aggregate_id = $1", UUID(made))
    assert "Quentin" not in "".join(row["data"] for row in stored)
    assert await personal_rows(pool, UUID(made)) == 2
    assert str(await help_.rep.sees(f"{AT}/{made}/history")).count("Quentin") == 2
    await did(help_.office.somebody(), f"/v1/deals/{help_.deal}/erase-texts")

    async def gone() -> bool:
        return await personal_rows(pool, UUID(made)) == 0

    await until(gone, 60)
    shown = await help_.rep.sees(f"{AT}/{made}")
    assert (shown["what"], shown["reference"], shown["status"]) == ("", "", "delivered")


async def test_data_3_the_list_is_what_a_fresh_fold_gives(help_: Help) -> None:
    made, running = await help_.asks(), help_.office.running
    done = await did(help_.rep, f"{AT}/{made}/withdraw")
    await seen(help_.rep, done, AT, deal=help_.deal)
    assert await differences(running.pool, running.log, SUPPORT_REQUEST_PROJECTION, running.settings.company) == []
