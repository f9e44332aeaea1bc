"""CON-2: one list "waiting for my decision" over the approvals of all services, within rights, over HTTP."""

import random
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from deploy.local.identity import Issuer
from services.forecast.app import SERVICE
from services.forecast.decisions.model import PROJECTION
from shared.commands.access import is_seen
from shared.domain.approval.family import Approve, Delegate, Escalate, ReturnForRework, TakeBackDelegation
from shared.domain.approval.state import WaitingApproval, own_slots
from shared.domain.context import Actor
from shared.domain.rejection import Rejected
from shared.domain.roles import READING, Reach, Role
from shared.events.approvals import Slot
from shared.events.leads.account import AccountChanged, AccountOpened
from shared.events.leads.member import MemberJoined
from shared.events.leads.team import ManagerAppointed, TeamFormed
from shared.ops.ids import new_id
from shared.projections.audit import differences
from shared.testing.servers import DatabaseServer
from tests.described import as_described
from tests.services.forecast import conftest
from tests.services.forecast.approvals import CLOCK, SUBJECTS, Told, approvals_of, person, step
from tests.services.forecast.conftest import journaled
from tests.services.forecast.facts import fact
from tests.shared.http.conftest import Errands
from tests.shared.http.test_command_routes import problem

NORTH, SOUTH = UUID(int=9100), UUID(int=9200)
RITA, MIA, TOM, DORA = (UUID(int=9300 + number) for number in range(4))
"""A rep and her manager in the north, a rep in the south, and the sales director."""
ACME = UUID(int=9400)
LEGAL, DIRECTOR, EXECUTIVE = (Slot(role=role) for role in (Role.LEGAL, Role.SALES_DIRECTOR, Role.EXECUTIVE))
PEOPLE = {
    "rita": person("rita", Role.REP, RITA),
    "mia": person("mia", Role.MANAGER, MIA, NORTH),
    "tom": person("tom", Role.REP, TOM),
    "dora": person("dora", Role.SALES_DIRECTOR, DORA),
    "lena": person("lena", Role.LEGAL),
    "eva": person("eva", Role.EXECUTIVE),
}


@dataclass(frozen=True, slots=True)
class Desk:
    """Forecast at work, of a company with two services that have things approved."""

    there: Errands

    @property
    def now(self) -> datetime:
        return self.there.running.clock.now()

    async def tell(self, approvals: Iterable[Told]) -> None:
        await journaled(self.there.running, [each for told in approvals for each in told.facts])

    def told(self, *steps: Any, by: str = "rita", ago: timedelta = timedelta(days=1), **rules: Any) -> Told:
        return Told(at=self.now - ago, submitter=PEOPLE[by], steps=steps, **rules)

    def client(self, name: str) -> httpx.AsyncClient:
        (role,) = PEOPLE[name].roles
        return self.there.client(role, name)

    async def asked(self, name: str, **query: Any) -> dict[str, Any]:
        response = await self.client(name).get("/v1/decisions", params={"limit": 200, **query})
        assert response.status_code == 200, response.text
        body: dict[str, Any] = as_described("/v1/decisions", response.json())
        return body

    async def ids(self, name: str, among: Sequence[Told], **query: Any) -> list[int]:
        """Which of these approvals somebody is shown, by their places."""
        shown = [row["id"] for row in (await self.asked(name, **query))["decisions"]]
        return [place for place, told in enumerate(among) if str(told.id) in shown]


@pytest.fixture(scope="module")
async def desk(postgres: DatabaseServer, issuer: Issuer) -> AsyncIterator[Desk]:
    async with conftest.serving(SERVICE, postgres, issuer) as there:
        await journaled(there.running, _organisation(there.running.clock.now() - timedelta(days=900)))
        yield Desk(there)


def _organisation(at: datetime) -> list[Any]:
    members = (("rita", RITA, NORTH), ("mia", MIA, NORTH), ("tom", TOM, SOUTH), ("dora", DORA, None))
    told: list[tuple[str, UUID, int, Any]] = [
        ("team", NORTH, 1, TeamFormed(team_id=NORTH, name="North")),
        ("team", NORTH, 2, ManagerAppointed(team_id=NORTH, member_id=MIA, before=None)),
        ("team", SOUTH, 1, TeamFormed(team_id=SOUTH, name="South")),
        ("account", ACME, 1, AccountOpened(account_id=ACME, name="Acme")),
        ("account", ACME, 2, AccountChanged(account_id=ACME, name="Acme Works")),
    ]
    for name, who, team in members:
        (role,) = PEOPLE[name].roles
        joined = MemberJoined(member_id=who, subject=name, name=name.title(), role=role, team_id=team or SOUTH)
        told.append(("member", who, 1, joined))
    return [
        replace(fact(number, data, at, deal=of), service="leads", aggregate=family) for family, of, number, data in told
    ]


# -- what waits for whoever asks ---------------------------------------------------------------------------------------


async def test_con_2_a_row_says_what_waits_for_whom_since_when_and_until_when(desk: Desk) -> None:
    waits = desk.told(
        step("both", LEGAL, Slot(member=TOM), days=2, to=EXECUTIVE),
        ago=timedelta(days=30),
        owner=MIA,
        team=NORTH,
        account_id=ACME,
    )
    await desk.tell([waits])
    answer = await desk.asked("lena")
    (row,) = [each for each in answer["decisions"] if each["id"] == str(waits.id)]
    today, begun = desk.now.date(), waits.at.date()
    (subject,) = {each.subject_id for each in waits.events}
    assert row == {
        "id": str(waits.id),
        "address": f"/v1/contract-approvals/{waits.id}",
        "service": "contracts",
        "state": "waiting",
        "subject_kind": "contract",
        "subject_id": str(subject),
        "subject_address": f"/v1/contracts/{subject}",
        "name": "Press line",
        "part": None,
        "amount": {"amount": "1000.00", "currency": "EUR"},
        "account_id": str(ACME),
        "account_name": "Acme Works",
        "owner": str(MIA),
        "owner_name": "Mia",
        "team": str(NORTH),
        "team_name": "North",
        "step": "both",
        "step_name": "Both",
        "submitter": "rita",
        "submitter_member": str(RITA),
        "submitter_name": "Rita",
        "since": row["since"],
        "age_days": (today - begun).days,
        "age_working_days": sum(
            (begun + timedelta(days=day)).weekday() < 5 for day in range(1, (today - begun).days + 1)
        ),
        "due": row["due"],
        "overdue": True,
        "escalated": False,
        "waits_for_me": True,
        "waits_for": [
            {"role": "legal", "member": None, "name": "Legal"},
            {"role": None, "member": str(TOM), "name": "Tom"},
        ],
    }
    assert datetime.fromisoformat(row["since"]) == waits.at
    assert datetime.fromisoformat(row["due"]) == waits.state.due
    german = await desk.client("lena").get("/v1/decisions", headers={"Accept-Language": "de"})
    assert german.headers["Content-Language"] == "de"


SEE_ALL = [role for role, reach in READING.items() if reach is Reach.ALL and role is not Role.SERVICE]


@pytest.mark.parametrize("role", SEE_ALL)
async def test_api_4_it_waits_for_those_who_hold_the_role_and_nobody_is_refused(desk: Desk, role: Role) -> None:
    waits = desk.told(step("one", Slot(role=role)), by="tom")
    await desk.tell([waits])
    for each in Role:
        if each is Role.SERVICE:
            continue
        response = await desk.there.client(each, f"some-{each}").get("/v1/decisions", params={"limit": 200})
        assert response.status_code == 200, response.text
        shown = {row["id"] for row in response.json()["decisions"]}
        assert (str(waits.id) in shown) is (each is role), each


async def test_api_4_of_those_who_hold_a_role_that_reaches_teams_it_waits_for_those_who_reach_it(desk: Desk) -> None:
    """Others are answered by 404 when they approve it."""
    waits = [
        desk.told(step("one", Slot(role=role)), by="dora", owner=owner, team=team)
        for role, owner, team in (
            (Role.MANAGER, RITA, NORTH),
            (Role.MANAGER, TOM, SOUTH),
            (Role.REP, RITA, NORTH),
            (Role.REP, TOM, SOUTH),
        )
    ]
    named = desk.told(step("one", Slot(role=Role.REP)), step("two", Slot(member=TOM)), owner=RITA, team=NORTH)
    await desk.tell([*waits, named])
    for name, expected in (("mia", [0]), ("rita", [2]), ("tom", [3, 4]), ("dora", [])):
        assert await desk.ids(name, [*waits, named]) == expected, name


async def test_con_2_what_waits_for_whom_is_what_its_owner_accepts_from_whom(desk: Desk) -> None:
    """Chains, delegations, escalations and decisions by the dice, of two services, told in any order between them: the
    list of everybody is what `approve` would accept, and the rows are those of a fresh fold."""
    dice = random.Random(7)
    approvals = [_by_the_dice(desk, dice) for _ in range(120)]
    waiting: dict[UUID, list[Any]] = {told.id: list(told.facts) for told in approvals}
    pages: list[list[Any]] = []
    while waiting:
        page = []
        for chosen in dice.sample(sorted(waiting), k=min(40, len(waiting))):
            number = dice.randint(1, len(waiting[chosen]))
            page += waiting[chosen][:number]
            if not (rest := waiting[chosen][number:]):
                del waiting[chosen]
            else:
                waiting[chosen] = rest
        pages.append(page)
    for page in pages:
        await journaled(desk.there.running, page)
    for name, who in PEOPLE.items():
        accepted = [place for place, told in enumerate(approvals) if _accepts(told, who)]
        assert accepted, name
        assert await desk.ids(name, approvals) == accepted, name
        for which in ("within_reach", "submitted_by_me"):
            rows = (await desk.asked(name, **{which: "true"}))["decisions"]
            known = {str(told.id): told for told in approvals}
            assert {row["id"]: row["waits_for_me"] for row in rows if row["id"] in known} == {
                row["id"]: _accepts(known[row["id"]], who) for row in rows if row["id"] in known
            }, name
    running = desk.there.running
    assert await differences(running.pool, running.journal, PROJECTION, desk.there.settings.company) == []


def _by_the_dice(desk: Desk, dice: random.Random) -> Told:
    slots = [LEGAL, DIRECTOR, EXECUTIVE, Slot(role=Role.REP), *(Slot(member=who) for who in (RITA, MIA, TOM, DORA))]
    slots += [Slot(role=Role.LEGAL, passed="self"), Slot(member=TOM, instead="fallback")]
    steps = [
        step(
            f"step-{number}",
            *dice.sample(slots, k=dice.randint(1, 3)),
            mode=dice.choice(["all", "any"]),
            days=1,
            to=dice.choice([None, *slots]),
        )
        for number in range(dice.randint(1, 3))
    ]
    told = desk.told(
        *steps,
        by=dice.choice(sorted(PEOPLE)),
        ago=timedelta(days=dice.randint(1, 60)),
        service=dice.choice(tuple(SUBJECTS)),
        self_approval=dice.choice(["others", "allow"]),
        repeated=dice.choice(["again", "skip-next", "skip"]),
        owner=dice.choice([RITA, TOM]),
        team=dice.choice([NORTH, SOUTH]),
        authors=frozenset(dice.sample([RITA, MIA, TOM, DORA], k=dice.choice([0, 0, 1, 2]))),
    )
    for hours in range(dice.randint(0, 5)):
        who = PEOPLE[dice.choice(sorted(PEOPLE))]
        delegating = [Delegate(to=dice.choice([RITA, MIA, TOM, DORA])), TakeBackDelegation()]
        usual = [Approve(), Approve(), *delegating, ReturnForRework(reason="No")]
        command: Any = dice.choice(usual) if dice.random() < 0.8 else None
        if not told.is_waiting:
            break
        if told.service == "deals" and dice.random() < 0.2:
            told.is_handed_over(who, dice.choice([RITA, TOM]), dice.choice([NORTH, SOUTH]), timedelta(hours=hours))
        by, does = (who, command) if command else (CLOCK, Escalate(step=told.state.current))
        try:
            told.does(by, does, timedelta(hours=hours))
        except Rejected:
            continue
    return told


def _accepts(told: Told, who: Actor) -> bool:
    """Whether it is theirs to decide, by the rules by which commands are authorised and decided."""
    state, family = told.state, approvals_of(told.service).family
    if not isinstance(state, WaitingApproval) or not is_seen(who, family, state):
        return False
    try:
        return bool(own_slots(state, who))
    except Rejected:
        return False


# -- rights ------------------------------------------------------------------------------------------------------------


async def test_api_4_what_waits_for_others_is_shown_to_who_submitted_it_and_who_sees_its_owner(
    desk: Desk,
) -> None:
    of_rita = desk.told(step("one", EXECUTIVE), by="rita", owner=RITA, team=NORTH)
    of_tom = desk.told(step("one", EXECUTIVE), by="tom", owner=TOM, team=SOUTH)
    both = [of_rita, of_tom]
    await desk.tell(both)
    for name, usual, submitted, within in (
        ("rita", [], [0], [0]),
        ("tom", [], [1], [1]),
        ("mia", [], [], [0]),  # whom it waits for of her team's
        ("lena", [], [], [0, 1]),  # who sees every sale
        ("eva", [0, 1], [], [0, 1]),
    ):
        assert await desk.ids(name, both) == usual, name
        assert await desk.ids(name, both, submitted_by_me="true") == submitted, name
        assert await desk.ids(name, both, within_reach="true") == within, name
        assert await desk.ids(name, both, within_reach="true", submitted_by_me="true") == submitted, name
    (row,) = [
        each for each in (await desk.asked("mia", within_reach="true"))["decisions"] if each["id"] == str(of_rita.id)
    ]
    assert (row["waits_for_me"], [each["role"] for each in row["waits_for"]]) == (False, ["executive"])


async def test_acct_4_what_was_handed_over_is_listed_under_whose_it_is_now(desk: Desk) -> None:
    told = desk.told(step("one", EXECUTIVE), by="dora", service="deals", owner=RITA, team=NORTH)
    asked = desk.told(step("one", Slot(role=Role.REP)), by="dora", service="deals", owner=RITA, team=NORTH)
    of_submitter = desk.told(step("one", EXECUTIVE), by="rita", service="deals", owner=RITA, team=NORTH)
    every = [told, asked, of_submitter]
    await desk.tell(every)
    assert await desk.ids("rita", every, within_reach="true") == [0, 1, 2]
    assert (await desk.ids("rita", every), await desk.ids("tom", every)) == ([1], [])
    known = {each.id: len(each.facts) for each in every}
    for each in every:
        each.is_handed_over(PEOPLE["dora"], TOM, SOUTH)
    await journaled(desk.there.running, [fact for each in every for fact in each.facts[known[each.id] :]])
    assert await desk.ids("tom", every, within_reach="true") == [0, 1, 2]
    assert await desk.ids("rita", every, within_reach="true") == []
    assert await desk.ids("mia", every, within_reach="true") == [], "the manager of the team before"
    assert await desk.ids("rita", every, submitted_by_me="true") == [2], "what she submitted stays hers to see"
    assert (await desk.ids("rita", every), await desk.ids("tom", every)) == ([], [1]), "a role asks who reaches it"
    assert await desk.ids("eva", every) == [0, 2]
    (row,) = [each for each in (await desk.asked("eva"))["decisions"] if each["id"] == str(told.id)]
    assert (row["owner_name"], row["team_name"]) == ("Tom", "South")
    assert datetime.fromisoformat(row["since"]) == told.at
    running = desk.there.running
    assert await differences(running.pool, running.journal, PROJECTION, desk.there.settings.company) == []


@pytest.mark.parametrize("which", [{}, {"submitted_by_me": "true"}, {"within_reach": "true"}, {"state": "granted"}])
async def test_api_4_whoever_is_nobody_here_has_an_empty_list(desk: Desk, which: dict[str, str]) -> None:
    """Signed in as a rep, and in no team."""
    granted = desk.told(step("one", EXECUTIVE, mode="any"), owner=TOM).does(PEOPLE["eva"], Approve())
    waits = desk.told(step("one", EXECUTIVE, Slot(member=TOM), Slot(role=Role.REP)))
    await desk.tell([waits, granted])
    answer = await desk.there.client(Role.REP, "stranger").get("/v1/decisions", params=which)
    assert (answer.status_code, answer.json()["decisions"]) == (200, [])


async def test_api_4_nobody_reads_it_without_signing_in(desk: Desk) -> None:
    assert (await desk.there.client(None).get("/v1/decisions")).status_code == 401


async def test_api_4_a_subject_that_somebody_else_has_now_shows_nothing_of_who_had_it(desk: Desk) -> None:
    """Tokens name whoever has the subject now; as what member it was submitted is known."""
    before = Told(
        at=desk.now - timedelta(days=3),
        submitter=person("tom", Role.REP, new_id()),
        steps=[step("one", EXECUTIVE, Slot(member=TOM), Slot(member=RITA))],
    )
    await desk.tell([before])
    assert await desk.ids("tom", [before], submitted_by_me="true") == []
    assert await desk.ids("tom", [before]) == [], "and the rule refuses them: they sign in as who submitted it"
    assert await desk.ids("rita", [before]) == [0]


# -- what came of it, filters and pages --------------------------------------------------------------------------------


async def test_con_2_what_ended_is_shown_to_who_decided_or_submitted_it(desk: Desk) -> None:
    def of(*commands: tuple[str, Any]) -> Told:
        told = desk.told(step("one", LEGAL), step("two", EXECUTIVE), owner=TOM, team=SOUTH)
        for hours, (who, command) in enumerate(commands, 1):
            told.does(PEOPLE[who], command, timedelta(hours=hours))
        return told

    granted = of(("lena", Approve()), ("eva", Approve()))
    returned = of(("lena", ReturnForRework(reason="Retention")))
    delegated = of(("lena", Delegate(to=DORA)), ("dora", ReturnForRework(reason="Retention")))
    back = of(("lena", Approve())).is_taken_back(timedelta(hours=4))
    told = [granted, returned, delegated, back]
    await desk.tell(told)
    for name, expected in (
        ("rita", {"granted": [0], "returned": [1, 2], "recalled": [3]}),
        ("lena", {"granted": [0], "returned": [1], "recalled": [3]}),
        ("eva", {"granted": [0], "returned": [], "recalled": []}),
        ("dora", {"granted": [], "returned": [2], "recalled": []}),
        ("tom", {"granted": [], "returned": [], "recalled": []}),
    ):
        assert {state: await desk.ids(name, told, state=state) for state in expected} == expected, name
        assert await desk.ids(name, told) == [], "nothing of it waits"
    assert await desk.ids("tom", told, state="granted", within_reach="true") == [0]
    newest = [row["since"] for row in (await desk.asked("rita", state="returned"))["decisions"]]
    assert newest == sorted(newest, reverse=True)
    (row,) = [each for each in (await desk.asked("eva", state="granted"))["decisions"] if each["id"] == str(granted.id)]
    assert (row["step"], row["due"], row["overdue"], row["waits_for"], row["waits_for_me"]) == (
        None,
        None,
        False,
        [],
        False,
    )


async def test_con_2_the_list_is_in_the_order_of_due_times_and_adds_up_by_kind(desk: Desk) -> None:
    """Of product alone, for whom nothing else waits here."""
    mine = Slot(role=Role.PRODUCT)
    late = [desk.told(step("one", mine, days=days), ago=timedelta(days=40 - days)) for days in (3, 1, 2)]
    ahead = desk.told(step("one", mine, days=30), ago=timedelta(hours=1), service="deals")
    never = [desk.told(step("one", mine), ago=timedelta(days=days), service="deals", amount=None) for days in (5, 80)]
    escalated = desk.told(step("one", mine, days=300, to=EXECUTIVE), service="deals")
    escalated.does(CLOCK, Escalate(step=0))
    told = [*late, ahead, *never, escalated]
    await desk.tell(told)
    product = desk.there.client(Role.PRODUCT, "paul")

    async def shown(**query: Any) -> dict[str, Any]:
        response = await product.get("/v1/decisions", params=query)
        assert response.status_code == 200, response.text
        body: dict[str, Any] = as_described("/v1/decisions", response.json())
        return body

    def places(body: dict[str, Any]) -> list[int]:
        ids = [str(each.id) for each in told]
        return [ids.index(row["id"]) for row in body["decisions"] if row["id"] in ids]

    whole = await shown()
    dues = [row["due"] for row in whole["decisions"]]
    assert [due for due in dues if due] == sorted(due for due in dues if due)
    assert places(whole)[:3] == sorted(range(3), key=lambda place: late[place].state.due)
    assert places(whole)[3:] == [3, 6, 5, 4], "what has no due time is last, the oldest first"
    by_kind = {each["subject_kind"]: (each["count"], each["overdue"]) for each in whole["kinds"]}
    others = len(whole["decisions"]) - len(told)
    assert by_kind == {"contract": (3 + others, 3), "deal": (4, 1)}
    assert (whole["count"], whole["overdue"]) == (7 + others, 4)
    assert places(await shown(overdue="true")) == [*places(whole)[:3], 6]
    quotes = await shown(subject_kind="deal")
    assert places(quotes) == [3, 6, 5, 4]
    assert [each["subject_kind"] for each in quotes["kinds"]] == ["deal"]
    assert quotes["decisions"][0]["address"] == f"/v1/deal-approvals/{ahead.id}"
    assert quotes["decisions"][-1]["amount"] is None
    paged: list[Any] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        body = await shown(**query)
        assert (body["count"], body["kinds"]) == (whole["count"], whole["kinds"])
        paged += body["decisions"]
        if not body["has_more"]:
            break
        query["cursor"] = body["next"]
    assert paged == whole["decisions"]
    refused = await product.get("/v1/decisions", params={"state": "granted", "cursor": query["cursor"]})
    assert problem(refused, 400, "invalid-parameter")["errors"][0]["code"] == "malformed-cursor"


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("state=open", "state"), ("overdue=maybe", "overdue"), ("limit=201", "limit"), ("as_of=2026-01-01", "as_of")],
)
async def test_api_1_what_it_cannot_heed_it_refuses(desk: Desk, query: str, parameter: str) -> None:
    told = problem(await desk.client("rita").get(f"/v1/decisions?{query}"), 400, "invalid-parameter")
    assert [each["parameter"] for each in told["errors"]] == [parameter]
