"""API-2, API-4: what one command led to, in every service: done, refused, parked, still waited for."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import count
from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.domain.roles import Role
from shared.events.contracts.contract import ContractActivated, ContractDrafted
from shared.events.envelope import Envelope
from shared.events.follow_ups import Asked, CarriedOut, Place, follow_up_events, of_event, of_reactions
from shared.events.leads.member import MemberJoined
from shared.events.leads.team import TeamFormed
from shared.kafka.partitioning import PARTITIONS, partition_of
from shared.ops.ids import new_id
from tests.described import as_described
from tests.services.forecast.conftest import journaled
from tests.services.forecast.facts import NORTH, SOUTH, day, eur, fact, moved, opened, won
from tests.shared.http.conftest import Errands
from tests.shared.http.test_command_routes import problem

TOLD = follow_up_events("contracts")
PLANS = follow_up_events("receivables")
NOON = day("2026-03-10")


@dataclass
class Course:
    """What one command led to, as it comes to be journaled."""

    served: Errands
    correlation: UUID = field(default_factory=new_id)
    deal: UUID = field(default_factory=new_id)
    contract: UUID = field(default_factory=new_id)
    owner: UUID = field(default_factory=new_id)
    team: UUID = NORTH
    sequences: Iterator[int] = field(default_factory=lambda: count(2))

    def of(self, data: Any, *, about: UUID, sequence: int, because: UUID | None = None, **more: Any) -> Envelope[Any]:
        """An event that bears the correlation id of the command."""
        service = data.type.partition(".")[0]
        made = fact(sequence, data, NOON, deal=about)
        named: dict[str, Any] = {"service": service, "aggregate": data.aggregate, "id": new_id()}
        named |= {"correlation_id": self.correlation, "causation_id": because or self.correlation, **more}
        return replace(made, **named)

    async def begun(self) -> None:
        """The deal, opened by another command."""
        data = opened(deal=self.deal, team=self.team, owner=self.owner)
        await self.journal(self.of(data, about=self.deal, sequence=1, correlation_id=new_id()))

    def of_deal(self, data: Any, **more: Any) -> Envelope[Any]:
        return self.of(data, about=self.deal, sequence=next(self.sequences), **more)

    def win(self, **more: Any) -> Envelope[Any]:
        return self.of_deal(won(date(2026, 3, 10), deal=self.deal), **more)

    def drafted(self, cause: Envelope[Any]) -> Envelope[Any]:
        data = ContractDrafted(
            contract_id=self.contract,
            deal_id=self.deal,
            name="Press line",
            total=eur(1000),
            payment_terms=(),
            trigger="win",
            owner=self.owner,
            team=self.team,
        )
        return self.of(data, about=self.contract, sequence=1, because=cause.id)

    def answered(self, cause: Envelope[Any], *done: CarriedOut, refused: int = 0, sequence: int = 1) -> Envelope[Any]:
        data = TOLD.answered(event_id=cause.id, event_type=cause.type, carried_out=done, refused=refused)
        return self.told(cause, data, sequence)

    def told(self, cause: Envelope[Any], data: Any, sequence: int = 1) -> Envelope[Any]:
        return self.of(data, about=of_event("contracts", cause.id), sequence=sequence, because=cause.id)

    def carried_out(self, version: int = 1) -> CarriedOut:
        return CarriedOut(
            reaction="draft_on_the_win",
            command="DraftForDeal",
            aggregate="contract",
            aggregate_id=self.contract,
            version=version,
        )

    def refusal(self, cause: Envelope[Any]) -> Any:
        return TOLD.refused(
            event_id=cause.id,
            event_type=cause.type,
            reaction="draft_on_the_win",
            ordinal=0,
            asked=Asked(command="DraftForDeal", aggregate="contract", aggregate_id=self.contract),
            code="other-currency",
            message="The company counts in EUR.",
        )

    async def journal(self, *facts: Envelope[Any]) -> None:
        await journaled(self.served.running, facts)

    async def asked(self, client: httpx.AsyncClient | None = None, **query: Any) -> Any:
        client = client or self.served.client(Role.SALES_DIRECTOR, "dora")
        found = await client.get(f"/v1/effects/{self.correlation}", params=query)
        assert found.status_code == 200, found.text
        return as_described(f"/v1/effects/{self.correlation}", found.json())


@pytest.fixture(scope="module")
async def answering(served: Errands) -> Errands:
    """Forecast knows that contracts and receivables answer, from the first event on, and that deals have gone past all
    of these: what they do about a win, nobody waits for here."""
    gone_past = tuple(Place(topic="deals.deal.v1", partition=each, position=10**9) for each in range(PARTITIONS))
    answers: tuple[tuple[str, Any, tuple[Place, ...]], ...] = (
        ("contracts", TOLD, ()),
        ("receivables", PLANS, ()),
        ("deals", follow_up_events("deals"), gone_past),
    )
    for number, (service, told, passed) in enumerate(answers, 1):
        stream = of_reactions(service, "journal")
        made = fact(number, told.begun(types=("deals.deal-won",), passed=passed), NOON, deal=stream)
        about: dict[str, Any] = {"service": service, "aggregate": "follow-up", "correlation_id": new_id()}
        await journaled(served.running, [replace(made, **about)])
    return served


@pytest.fixture
async def course(answering: Errands) -> Course:
    made = Course(answering)
    await made.begun()
    return made


async def test_a_win_is_waited_for_until_its_contract_is_here(course: Course) -> None:
    win = course.win()
    await course.journal(win)
    told = await course.asked()
    assert told["state"] == "waiting"
    assert [(each["service"], each["state"], each["waiting"]) for each in told["services"]] == [
        ("contracts", "waiting", 1),
        ("deals", "done", 0),
    ]
    waits, done = told["effects"]
    assert (waits["outcome"], waits["service"], waits["type"], waits["id"]) == (
        "waiting",
        "contracts",
        "deals.deal-won",
        str(course.deal),
    )
    assert (done["outcome"], done["event_id"], done["because"]) == ("done", str(win.id), str(course.correlation))

    # The answer may come before what it tells of: they stand in different topics.
    await course.journal(course.answered(win, course.carried_out()))
    assert (await course.asked())["state"] == "waiting"
    await course.journal(course.drafted(win))
    told = await course.asked()
    assert told["state"] == "done"
    assert {each["service"]: each["done"] for each in told["services"]} == {
        "contracts": [{"type": "contracts.contract-drafted", "count": 1}],
        "deals": [{"type": "deals.deal-won", "count": 1}],
    }
    assert [(each["type"], each["id"], each["because"]) for each in told["effects"]] == [
        ("deals.deal-won", str(course.deal), str(course.correlation)),
        ("contracts.contract-drafted", str(course.contract), str(win.id)),
    ]


async def test_what_leads_on_is_waited_for_too(course: Course) -> None:
    """What followed has followers of its own."""
    win = course.win()
    await course.journal(win, course.drafted(win), course.answered(win, course.carried_out()))
    active = ContractActivated(
        contract_id=course.contract,
        account_id=new_id(),
        name="Press line",
        on=date(2026, 3, 10),
        total=eur(1000),
        payment_terms=(),
        owner=course.owner,
        team=course.team,
    )
    await course.journal(course.of(active, about=course.contract, sequence=2, because=win.id))
    told = await course.asked()
    assert (told["state"], told["effects"][0]["service"]) == ("waiting", "receivables")


async def test_what_changed_nothing_and_what_nobody_follows_is_done(course: Course) -> None:
    """A reaction that found everything as it should be, and a move that drafts no contract."""
    win, move = course.win(), course.of_deal(moved("needs", deal=course.deal))
    await course.journal(move, win, course.answered(win, course.carried_out(version=0)))
    assert (await course.asked())["state"] == "done"


async def test_a_move_that_drafts_a_contract_is_waited_for(course: Course) -> None:
    move = replace(moved("drafting", deal=course.deal), drafts_contract=True)
    await course.journal(course.of_deal(move))
    assert (await course.asked())["state"] == "waiting"


async def test_a_refusal_is_told_with_code_and_words(course: Course) -> None:
    win = course.win()
    refused = course.told(win, course.refusal(win))
    await course.journal(win, refused, course.answered(win, refused=1, sequence=2))
    told = await course.asked()
    assert told["state"] == "refused"
    assert [(each["service"], each["state"], each["refused"]) for each in told["services"]] == [
        ("contracts", "refused", 1),
        ("deals", "done", 0),
    ]
    first = told["effects"][0]
    assert (first["outcome"], first["service"], first["code"]) == ("refused", "contracts", "other-currency")
    assert first["message"] == "The company counts in EUR."
    assert (first["reaction"], first["command"]) == ("draft_on_the_win", "DraftForDeal")
    assert (first["aggregate"], first["id"], first["because"]) == ("contract", str(course.contract), str(win.id))


async def test_a_parked_event_is_told_until_it_is_answered(course: Course) -> None:
    win = course.win()
    parked = TOLD.parked(event_id=win.id, event_type=win.type, error="TypeError")
    await course.journal(win, course.told(win, parked))
    told = await course.asked()
    assert (told["state"], told["effects"][0]["outcome"], told["effects"][0]["code"]) == (
        "parked",
        "parked",
        "TypeError",
    )
    assert told["effects"][0]["id"] == str(course.deal)
    await course.journal(course.drafted(win), course.answered(win, course.carried_out(), sequence=2))
    told = await course.asked()
    assert (told["state"], [each["outcome"] for each in told["effects"]]) == ("done", ["done", "done"])


async def test_a_refused_deadline_belongs_to_the_command_that_set_it(course: Course) -> None:
    win = course.win()
    late = PLANS.timer_refused(
        timer="overdue",
        due=NOON,
        asked=Asked(command="MarkOverdue", aggregate="ledger", aggregate_id=UUID(int=77)),
        code="not-in-this-state",
        message="It is not possible in this state.",
    )
    answered = course.answered(win, course.carried_out(version=0))
    await course.journal(win, answered, course.of(late, about=new_id(), sequence=1, because=win.id))
    told = await course.asked()
    assert (told["state"], told["effects"][0]["reaction"], told["effects"][0]["code"]) == (
        "refused",
        "overdue",
        "not-in-this-state",
    )


async def test_nothing_follows_from_imported_history(course: Course) -> None:
    await course.journal(course.win(imported=True))
    assert (await course.asked())["state"] == "done"


async def test_everybody_sees_what_is_in_their_scope(course: Course) -> None:
    """API-4."""
    running = course.served.running
    anna, ben = new_id(), new_id()
    course.owner = anna
    members = [
        TeamFormed(team_id=NORTH, name="North"),
        TeamFormed(team_id=SOUTH, name="South"),
    ]
    joined = [(anna, NORTH), (ben, SOUTH)]
    facts = [course.of(each, about=each.team_id, sequence=1, correlation_id=new_id()) for each in members]
    facts += [
        course.of(
            MemberJoined(member_id=member, subject=str(member), name="N", role="rep", team_id=team, capacity=1),
            about=member,
            sequence=1,
            correlation_id=new_id(),
        )
        for member, team in joined
    ]
    theirs = new_id()
    facts.append(
        course.of(
            opened(deal=theirs, team=SOUTH, owner=ben), about=theirs, sequence=1, correlation_id=course.correlation
        )
    )
    mine = new_id()
    facts.append(course.of(opened(deal=mine, team=NORTH, owner=anna), about=mine, sequence=1))
    lost_deal = course.of(won(date(2026, 3, 10), deal=theirs), about=theirs, sequence=2)
    refused = course.told(lost_deal, course.refusal(lost_deal))
    facts += [lost_deal, refused, course.answered(lost_deal, refused=1, sequence=2)]
    await journaled(running, facts)

    rep = course.served.client(Role.REP, str(anna))
    told = await course.asked(rep)
    assert [each["id"] for each in told["effects"]] == [str(mine)]
    assert (told["state"], [each["service"] for each in told["services"]]) == ("done", ["deals"])
    told = await course.asked(course.served.client(Role.REP, str(ben)))
    assert (told["state"], {each["id"] for each in told["effects"]}) == ("refused", {str(theirs), str(course.contract)})
    stranger = course.served.client(Role.REP, "nobody")
    problem(await stranger.get(f"/v1/effects/{course.correlation}"), 404, "not-found")


async def test_a_large_command_is_counted_and_paged(course: Course) -> None:
    deals = [new_id() for _ in range(450)]
    facts = [
        course.of(opened(deal=each, team=NORTH, owner=course.owner), about=each, sequence=1, imported=True)
        for each in deals
    ]
    await course.journal(*facts)
    told = await course.asked(limit=200)
    assert told["services"][0]["done"] == [{"type": "deals.deal-opened", "count": 450}]
    found = [each["id"] for each in told["effects"]]
    while told["has_more"]:
        told = await course.asked(limit=200, cursor=told["next"])
        found += [each["id"] for each in told["effects"]]
    assert found == [str(each) for each in deals]


async def test_what_is_journaled_and_not_folded_yet_is_waited_for(course: Course) -> None:
    move = course.of_deal(moved("needs", deal=course.deal))
    await course.journal(move)
    assert (await course.asked())["state"] == "done"
    pool = course.served.running.pool
    feed = await pool.fetchval("select view || '_' || build from view_build where view = 'feed' and state = 'serving'")
    later = course.of_deal(moved("quotation", before="needs", deal=course.deal))
    parked = "insert into parked_sequence (runner, aggregate_id, error, attempts) values ($1, $2, 'x', 1)"
    await pool.execute(parked, feed, course.deal)
    await journaled(course.served.running, [later])
    told = await course.asked()
    assert (told["state"], told["parked"], len(told["effects"])) == ("waiting", 1, 1)


@pytest.mark.parametrize("given", ["17", "not-an-id", str(UUID(int=1).hex), f"{UUID(int=1)}x"])
async def test_what_is_no_id_is_refused(served: Errands, given: str) -> None:
    """API-1."""
    director = served.client(Role.SALES_DIRECTOR, "dora")
    told = problem(await director.get(f"/v1/effects/{given}"), 400, "invalid-parameter")
    assert [fault["code"] for fault in told["errors"]] == ["invalid-value"]


async def test_an_unknown_command_is_not_found(served: Errands) -> None:
    director = served.client(Role.SALES_DIRECTOR, "dora")
    problem(await director.get(f"/v1/effects/{new_id()}"), 404, "not-found")


@pytest.mark.parametrize("address", ["?limit=0", "?cursor=x", "?as_of=2026-01-01"])
async def test_wrong_parameters_are_refused(course: Course, address: str) -> None:
    director = course.served.client(Role.SALES_DIRECTOR, "dora")
    problem(await director.get(f"/v1/effects/{course.correlation}{address}"), 400, "invalid-parameter")


async def test_who_answers_nothing_yet_is_waited_for_and_what_was_passed_is_not(served: Errands) -> None:
    """The last test of the module: it lets contracts begin anew, after what a release before this has passed."""
    course = Course(served)
    await course.begun()
    win = course.win()
    await course.journal(win)
    assert (await course.asked())["state"] == "waiting"
    place = await served.running.pool.fetchval("select source_position from journal where event_id = $1", win.id)
    passed = (Place(topic="deals.deal.v1", partition=partition_of(course.deal, PARTITIONS), position=place),)
    begun = TOLD.begun(types=("deals.deal-won",), passed=passed)
    stream = of_reactions("contracts", "journal")
    await course.journal(course.of(begun, about=stream, sequence=9, correlation_id=new_id()))
    assert (await course.asked())["state"] == "done"
    again = Course(served, deal=course.deal, sequences=course.sequences)
    await again.journal(again.win())
    assert (await again.asked())["state"] == "waiting"
