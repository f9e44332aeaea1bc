"""API-1, API-4: a question about a team or member who is not known, or of whom one sees nothing, is no answer of
zeros."""

import asyncio
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from shared.domain.roles import Role
from shared.events.envelope import Envelope
from shared.events.leads.member import MemberJoined, MemberLeft, MemberMoved
from shared.events.leads.team import ManagerAppointed, TeamFormed
from shared.testing.transactions import long_transaction
from tests.services.forecast.conftest import arrived, journaled
from tests.services.forecast.facts import day, fact, handed_over, opened
from tests.shared.http.conftest import Errands
from tests.shared.http.test_command_routes import problem
from tests.shared.http.waiting import until

TOP, NORTH, SOUTH, NOWHERE = (UUID(int=8000 + number) for number in range(4))
ANNA, BEN, MIA, GONE, NOBODY = (UUID(int=8100 + number) for number in range(5))
PATHS = [
    *("funnel", "funnel/deals", "forecast", "forecast/deals", "pipeline-changes", "pipeline-changes/deals?leg=new"),
    *("health-metrics", "endangered-deals", "newest-events", "stream"),
    *("process-conformance", "process-conformance/cases?figure=returns"),
]


def joined(member: UUID, role: Role, team: UUID, name: str) -> MemberJoined:
    return MemberJoined(member_id=member, subject=name, name=name, role=role, team_id=team)


def told(family: str, one: UUID, *events: Any) -> list[Envelope[Any]]:
    at = day("2026-02-01")
    made = [fact(sequence, event, at, deal=one) for sequence, event in enumerate(events, 1)]
    return [replace(each, service="leads" if family != "deal" else "deals", aggregate=family) for each in made]


COMPANY = [
    *told("team", TOP, TeamFormed(team_id=TOP, name="Top")),
    *told(
        "team",
        NORTH,
        TeamFormed(team_id=NORTH, name="North", parent_id=TOP),
        ManagerAppointed(team_id=NORTH, member_id=MIA, before=None),
    ),
    *told("team", SOUTH, TeamFormed(team_id=SOUTH, name="South", parent_id=TOP)),
    *told("member", ANNA, joined(ANNA, Role.REP, NORTH, "anna")),
    *told("member", MIA, joined(MIA, Role.MANAGER, NORTH, "mia")),
    *told("member", BEN, joined(BEN, Role.REP, SOUTH, "ben")),
    *told(
        "member",
        GONE,
        joined(GONE, Role.REP, SOUTH, "gone"),
        MemberMoved(member_id=GONE, before=SOUTH, team_id=NORTH),
        MemberLeft(member_id=GONE, on=date(2026, 2, 1)),
    ),
]


@pytest.fixture(scope="module")
async def company(served: Errands) -> Errands:
    """Two teams below a third, and a deal of the south that went to Anna of the north."""
    kept = UUID(int=8200)
    deal = told("deal", kept, opened(team=SOUTH, owner=BEN, deal=kept), handed_over(team=SOUTH, owner=ANNA, deal=kept))
    await journaled(served.running, [*COMPANY, *deal])
    return served


def at(path: str, **narrowed: UUID | str) -> str:
    asked = "&".join(f"{name}={value}" for name, value in narrowed.items())
    return f"/v1/{path}{'&' if '?' in path else '?'}{asked}"


async def refused(client: httpx.AsyncClient, path: str, **narrowed: UUID | str) -> list[tuple[str, str]]:
    async with asyncio.timeout(10):  # a stream that is not refused has no end
        answer = await client.get(at(path, **narrowed))
    found = problem(answer, 400, "invalid-parameter")
    return [(fault["parameter"], fault["code"]) for fault in found["errors"]]


@pytest.mark.parametrize("path", PATHS)
async def test_whoever_is_not_known_is_refused_with_the_parameter(company: Errands, path: str) -> None:
    director = company.client(Role.SALES_DIRECTOR, "dora")
    assert await refused(director, path, team=NOWHERE) == [("team", "unknown-team")]
    assert await refused(director, path, owner=NOBODY) == [("owner", "unknown-member")]
    assert len(await refused(director, path, team=NOWHERE, owner=NOBODY)) == 2
    # A member is no team.
    assert await refused(director, path, team=ANNA, owner=NORTH) == [
        ("team", "unknown-team"),
        ("owner", "unknown-member"),
    ]


async def test_whom_one_sees_nothing_of_is_told_like_whoever_is_not_known(company: Errands) -> None:
    ben, mia = company.client(Role.REP, "ben"), company.client(Role.MANAGER, "mia")
    for client, parameter, foreign, unknown in (
        (ben, "team", NORTH, NOWHERE),
        (ben, "owner", ANNA, NOBODY),
        (mia, "owner", BEN, NOBODY),
    ):
        answers = [(await client.get(at("funnel", **{parameter: each}))).json() for each in (foreign, unknown)]
        for answer in answers:
            assert answer["status"] == 400
            answer.pop("correlation_id")
        assert answers[0] == answers[1]


async def test_whom_one_reaches_is_asked_about_whatever_there_is(company: Errands) -> None:
    director, anna = company.client(Role.SALES_DIRECTOR, "dora"), company.client(Role.REP, "anna")
    ben, mia = company.client(Role.REP, "ben"), company.client(Role.MANAGER, "mia")
    for client, narrowed in (
        (director, {"team": SOUTH, "owner": BEN}),
        (director, {"owner": GONE}),
        (ben, {"team": SOUTH, "owner": BEN}),
        (ben, {"team": TOP}),
        (mia, {"team": NORTH, "owner": ANNA}),
        (mia, {"owner": GONE}),
        # The team was not formed then, and is known.
        (director, {"team": SOUTH, "as_of": "2025-01-01"}),
        (director, {"team": SOUTH, "known_at": "2025-01-01"}),
    ):
        found = await client.get(at("funnel", **narrowed))
        assert found.status_code == 200, found.text
    # A deal of hers is one of the south.
    south = (await anna.get(at("funnel/deals", team=SOUTH))).json()
    assert [row["owner"] for row in south["deals"]] == [str(ANNA)]


async def test_a_team_stands_for_those_below_it_or_by_itself(company: Errands) -> None:
    """API-1: as in lists, `own_team_only` narrows a figure to the team that is named."""
    director = company.client(Role.SALES_DIRECTOR, "dora")
    deals = [
        len((await director.get(f"/v1/funnel/deals?team={team}{more}")).json()["deals"])
        for team in (TOP, SOUTH)
        for more in ("", "&own_team_only=false", "&own_team_only=true")
    ]
    assert deals == [1, 1, 0, 1, 1, 1]
    wrong = problem(await director.get(f"/v1/funnel?team={TOP}&own_team_only=1"), 400, "invalid-parameter")
    assert [error["parameter"] for error in wrong["errors"]] == ["own_team_only"]


@pytest.fixture(scope="module")
async def deals(company: Errands) -> Errands:
    """Beside the deal that Anna kept in the south: one of Anna in the north, one of Ben, and one that nobody owns."""
    of = ((NORTH, ANNA), (SOUTH, BEN), (NORTH, None))
    ids = [UUID(int=8300 + number) for number in range(len(of))]
    events = [
        told("deal", deal, replace(opened(team=team, deal=deal), owner=owner))
        for deal, (team, owner) in zip(ids, of, strict=True)
    ]
    await journaled(company.running, [each for facts in events for each in facts])
    return company


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ("", 4),
        (f"owner={ANNA}&owner={BEN}", 3),
        (f"owner={ANNA}&owner={ANNA}", 2),
        (f"team={NORTH}&team={SOUTH}", 4),
        (f"team={NORTH}&owner={ANNA}&owner={BEN}", 1),
        (f"team={TOP}&own_team_only=true&team={SOUTH}", 2),
        ("unassigned=true", 1),
        ("mine=false&unassigned=false", 4),
    ],
)
async def test_figures_are_narrowed_as_lists_are(deals: Errands, asked: str, count: int) -> None:
    """API-1: by several teams and several owners, and to what nobody owns."""
    director = deals.client(Role.SALES_DIRECTOR, "dora")
    found = (await director.get(f"/v1/funnel/deals?stage=contact&{asked}")).json()
    assert (found["count"], len(found["deals"])) == (count, count)
    stages = (await director.get(f"/v1/funnel?{asked}")).json()["stages"]
    assert sum(stage["count"] for stage in stages) == count


async def test_what_is_mine_is_the_asker_s(deals: Errands) -> None:
    anna, mia = deals.client(Role.REP, "anna"), deals.client(Role.MANAGER, "mia")
    assert (await anna.get("/v1/funnel/deals?mine=true")).json()["count"] == 2
    assert (await mia.get("/v1/funnel/deals?mine=true")).json()["count"] == 0
    # What Anna kept in the south is beyond the manager of the north.
    assert (await mia.get(f"/v1/funnel/deals?owner={ANNA}&owner={MIA}")).json()["count"] == 1


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        (f"mine=true&owner={ANNA}", [("mine", "contradiction")]),
        ("mine=true&unassigned=true", [("mine", "contradiction"), ("unassigned", "contradiction")]),
        ("mine=maybe", [("mine", "invalid-value")]),
        (f"owner={ANNA}&owner=ben", [("owner", "invalid-value")]),
        (f"owner={UUID(int=0)}", [("owner", "unknown-member")]),
        ("&".join(f"owner={UUID(int=number)}" for number in range(1, 102)), [("owner", "invalid-value")]),
        ("mine=true&mine=true", [("mine", "repeated-parameter")]),
    ],
)
async def test_who_is_meant_is_said_once(deals: Errands, asked: str, wrong: list[tuple[str, str]]) -> None:
    anna = deals.client(Role.REP, "anna")
    found = problem(await anna.get(f"/v1/forecast?{asked}"), 400, "invalid-parameter")
    assert [(fault["parameter"], fault["code"]) for fault in found["errors"]] == wrong


async def test_nothing_is_mine_of_whoever_is_no_member(deals: Errands) -> None:
    assert await refused(deals.client(Role.SALES_DIRECTOR, "dora"), "funnel", mine="true") == [("mine", "not-a-member")]


async def test_whose_things_there_are_is_not_denied_by_a_read_model_that_is_behind(company: Errands) -> None:
    """The route shows what the read model of deals lacks, whose answer to "is there anything of Ben's?" would be no."""
    mia, new = company.client(Role.MANAGER, "mia"), UUID(int=8201)
    assert await refused(mia, "newest-events", owner=BEN) == [("owner", "unknown-member")]
    holding = await asyncpg.connect(company.settings.database_url)
    build = await holding.fetchval("select max(build) from view_build where view = 'deals' and state = 'serving'")

    async def shown() -> bool:
        found = (await mia.get("/v1/newest-events?limit=100")).json()["events"]
        return str(new) in [event["id"] for event in found]

    async def held() -> bool:
        return (await mia.get(f"/v1/newest-events?owner={BEN}")).status_code == 200

    async with long_transaction(holding):
        await holding.execute(f"lock table deals_{build}.span in exclusive mode")
        await arrived(company.running, told("deal", new, opened(team=NORTH, owner=BEN, deal=new)))
        await until(shown, 60)
        for path in ("newest-events", "stream"):
            answer = await mia.get(at(path, owner=BEN))
            assert problem(answer, 503, "read-model-behind")["code"] == "read-model-behind"
            assert answer.headers["Retry-After"] == "1"
        older = await mia.get(f"/v1/newest-events?owner={BEN}", headers={"Prefer": "handling=lenient"})
        assert [event["id"] for event in older.json()["events"]] == [str(new)]
        assert (await mia.get(f"/v1/newest-events?owner={ANNA}")).status_code == 200, "one whom she reaches"
    await until(held, 60)
    await holding.close()
