"""Maintained figures of conduct are what a plain recount of the facts comes to, at any instant and as known at any
(DEAL-2, DEAL-4, DEAL-5, FC-1)."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from services.forecast.asking.question import Question
from services.forecast.conformance.figures import FIGURES, counts_as, summed
from services.forecast.conformance.queries import cases_behind, counted_cases
from services.forecast.counting.cases import CasePlace, place_of
from shared.domain.history import by_thing, timed
from shared.domain.periods import CALENDAR_YEAR, Period
from shared.events.deals.deal import DealHandedOver, DealOpened, DueNode, WaivedCriterion
from shared.events.deals.deal_migration import CarriedNode, DroppedNode
from shared.events.envelope import Envelope
from tests.services.forecast import test_conformance as told
from tests.services.forecast.conftest import COMPANY, Forecast
from tests.services.forecast.facts import SHORT, TENDER, handed_over, lost, moved, opened, reopened, won
from tests.services.forecast.test_changes import ALL
from tests.services.forecast.test_conformance import BUDGET, ORDER, ORDERS
from tests.services.forecast.test_deals import START
from tests.services.forecast.test_health_rows import EVER, SCOPES, WHOSE
from tests.services.forecast.test_past import Journal

PERIODS = [CALENDAR_YEAR.period(name) for name in ("2026", "2026-Q1", "2026-02", "2026-Q2")]
PAINS = WaivedCriterion(gate="exit of needs", criterion="pains-named")
WORK = ("task", "deliverable")
GATES = ((), (BUDGET,), (PAINS,), (BUDGET, PAINS))

Counts = Counter[tuple[UUID, int, str, str]]
"""Process, version, stage, and a figure; exits by their decision and outcome."""


def drawn(dice: random.Random, deal: UUID, happened: datetime) -> Any:
    """Something that happens to a deal, whether or not it makes sense just then."""
    today = COMPANY.day(happened)
    stage, key, on = dice.choice(ORDER), dice.choice("ab"), date(2026, 3, 1)
    kind, of = dice.choice(["task", "deliverable"]), dice.choice([BUDGET, PAINS])
    waived = dice.choice(GATES)
    entered = replace(moved(stage, deal=deal), waived=waived, nodes=due(dice, today))
    until = today + timedelta(days=dice.randrange(40))
    owner, team = dice.choice(WHOSE)
    return dice.choice(
        [
            *(entered, entered, told.refused(stage, deal=deal), told.refused(stage, deal=deal)),
            *(told.refused(key, kind, deal), told.completed(key, kind, deal, waived=waived)),
            *(told.waived(of, deal, until), told.waived(of, deal, until), told.revoked(of, deal)),
            replace(told.added(key, deal), stage=stage, nodes=due(dice, today)),
            replace(told.removed(key, deal), nodes=tuple(dice.sample("abc", 2))),
            *(
                told.proposed(None, deal),
                told.proposed(told.EVENT, deal),
                told.accepted(deal),
                told.accepted(deal),
                told.declined(deal),
            ),
            *(told.answer_withdrawn(deal=deal), told.answer_withdrawn(deal=deal)),
            told.stated(dice.choice(["blocking", "insurmountable"]), deal=deal),
            *(
                replace(won(on, deal=deal), unmet=dice.choice([(), (told.UNMET,)])),
                lost(on, deal=deal),
                told.abandoned(deal),
                told.abandoned(deal),
                *[reopened(deal=deal)] * 4,
            ),
            *[handed_over(team, owner, deal=deal)] * 3,
            told.migrated(
                stage,
                dice.choice([1, 2]),
                dice.choice([SHORT, TENDER]),
                deal,
                waived=waived,
                waivers_ended=dice.choice(GATES),
                flexible_nodes_ended=dice.choice([(), ("a",)]),
                nodes=due(dice, today),
                carried=tuple(carried(dice, key) for key in dice.sample("abc", 2)),
                dropped=tuple(DroppedNode(key=key, kind=dice.choice(WORK)) for key in dice.sample("abc", 1)),
            ),
        ]
    )


def due(dice: random.Random, today: date) -> tuple[DueNode, ...]:
    """Some work of the next weeks, of which some is required, and some a proposal."""
    return tuple(
        DueNode(
            key=key,
            kind=dice.choice(WORK),
            required=dice.random() < 0.7,
            due=today + timedelta(days=dice.randrange(40)),
            proposal=dice.random() < 0.5,
        )
        for key in dice.sample("abc", dice.randrange(3))
    )


def carried(dice: random.Random, key: str) -> CarriedNode:
    """What another version has, too."""
    return CarriedNode(
        key=key,
        kind=dice.choice(WORK),
        stage=dice.choice(ORDER),
        required=dice.random() < 0.7,
        proposal=dice.random() < 0.5,
    )


def company_at_work(dice: random.Random, deals: int, facts: int) -> Iterator[Envelope[Any]]:
    """Facts of many deals, some told late by their day, some of those taken back, as they were recorded."""
    journal, known = Journal(), [UUID(int=9000 + number) for number in range(deals)]
    for deal in known:
        owner, team = dice.choice(WHOSE)
        begun = opened(deal=deal, team=team, owner=owner, process=dice.choice([SHORT, TENDER]))
        begun = replace(begun, nodes=due(dice, COMPANY.day(START)))
        yield journal.envelope(("deals", deal, begun), START, START)
    then: list[tuple[UUID, Any]] = []
    for number in range(facts):
        recorded = START + timedelta(hours=1 + 4 * number)
        if journal.told and dice.random() < 0.08:
            yield journal.retraction(dice, recorded)
        if then:
            deal, event = then.pop(0)
            yield journal.envelope(("deals", deal, event), recorded, recorded)
            continue
        deal, is_late = dice.choice(known), dice.random() < 0.3
        happened = START + (recorded - START) * dice.random() if is_late else recorded
        yield journal.envelope(("deals", deal, drawn(dice, deal, happened)), happened, recorded, by_day=is_late)
        if dice.random() < 0.1:
            then = [(deal, event) for event in together(dice, deal, COMPANY.day(recorded))]


def together(dice: random.Random, deal: UUID, today: date) -> list[Any]:
    """What makes sense one after the other: a proposal to give a deal up, how it is decided, and what becomes of the
    deal; something that is allowed, and taken back; a proposal that is made, in time or not."""
    on = date(2026, 3, 1)
    by = today + timedelta(days=dice.choice([0, 3]))
    offer = DueNode(key="offer", kind="deliverable", required=True, due=by, proposal=True)
    decided: list[Any] = dice.choice(
        [[], [told.accepted(deal)], [told.declined(deal)], [told.answer_withdrawn(deal=deal)]]
    )
    ended: list[Any] = dice.choice([[], [told.abandoned(deal)], [won(on, deal=deal)], [lost(on, deal=deal)]])
    exit_ = [told.proposed(told.EVENT, deal), *decided, *ended]
    begun: list[Any] = dice.choice(
        [
            exit_,
            exit_,
            [told.waived(deal=deal), told.revoked(deal=deal)],
            [told.added("c", deal), told.removed("c", deal)],
            [replace(told.added("d", deal), nodes=(offer,)), told.completed("offer", "deliverable", deal)],
        ]
    )
    return [reopened(deal=deal), *begun]


Life = list[tuple[datetime, Envelope[Any]]]
"""What is known to have happened to a deal, in order, each with the instant at which it counts."""


def lives(facts: Iterable[Envelope[Any]], known_at: datetime = EVER) -> list[Life]:
    """Every deal as it was known."""
    known = by_thing(each for each in facts if each.recorded_at <= known_at)
    return [timed(life) for life in known.values()]


def recount(known: Iterable[Life], asked: Question, period: Period) -> Counts:
    """What was known comes to at an instant, deal by deal and fact by fact."""
    counts = Counts()
    for life in known:
        past = [(at, each) for at, each in life if at <= asked.as_of]
        if past and _is_covered(asked, past):
            counts.update(_of_deal(past, asked.as_of, period))
            counts.update(_of_work(past, asked.as_of, period))
    return counts


def _is_covered(asked: Question, past: Life) -> bool:
    team, owner = [
        (each.data.team, each.data.owner) for _, each in past if isinstance(each.data, (DealOpened, DealHandedOver))
    ][-1]
    return asked.covers(team, owner)


def _of_deal(past: Life, as_of: datetime, period: Period) -> Iterator[tuple[UUID, int, str, str]]:
    """By sight of the whole past, without any mark: cases are lists that later facts write into."""
    cases: list[tuple[datetime, tuple[UUID, int, str], list[str]]] = []
    refusals: dict[tuple[str, str], int] = {}
    waivers: dict[tuple[str, str], list[str]] = {}
    ends: dict[tuple[str, str], datetime] = {}
    nodes: dict[str, list[str]] = {}
    exits: list[list[str]] = []
    grounds: list[UUID | None] = []
    at, place, outcome = past[0][0], (UUID(int=0), 0, ""), "open"

    def case(*figures: str, stage: str | None = None) -> list[str]:
        cases.append((at, (*place[:2], stage or place[2]), list(figures)))
        return cases[-1][2]

    def used(without: Iterable[WaivedCriterion]) -> None:
        for one in without:
            of = waivers.get((one.gate, one.criterion), ["waivers-used"])
            if "waivers-used" not in of:
                of.append("waivers-used")

    def decided(how: str) -> None:
        if exits and exits[-1][1] == "undecided":
            exits[-1][1] = how

    def expire(is_over: Callable[[datetime], bool]) -> None:
        for gate in [gate for gate, end in ends.items() if is_over(end)]:
            ends.pop(gate)
            if outcome == "open" and "waivers-used" not in (of := waivers[gate]):
                of.append("waivers-expired")

    for at, each in past:
        event, name = each.data, type(each.data).__name__
        expire(at.__gt__)
        if isinstance(event, DealOpened):
            place = (event.process_id, event.process_version, event.stage)
            continue
        if outcome != "open" and name not in ("DealWon", "DealLost", "DealAbandoned", "DealReopened"):
            continue
        match name:
            case "DealMoved" if event.stage != place[2]:
                _, _, stage = place
                before, after = ORDER.index(stage), ORDER.index(event.stage)
                if not each.imported:
                    used(event.waived)
                if after < before:
                    case("returns")
                elif not each.imported and ("stage", event.stage) not in refusals:
                    case("stage-first-attempts", "stage-first-passes")
                for skipped in ORDER[before + 1 : after]:
                    case("skips", stage=skipped)
                place = (*place[:2], event.stage)
                refusals = {gate: n for gate, n in refusals.items() if gate[0] != "stage"}
            case "DealMigrated":
                used(event.waived)
                place = (event.process_id, event.process_version, event.stage)
                refusals = {gate: n for gate, n in refusals.items() if gate[0] != "stage"}
                for one in event.waivers_ended:
                    waivers.pop((one.gate, one.criterion), None)
                    ends.pop((one.gate, one.criterion), None)
                for key in event.flexible_nodes_ended:
                    nodes.pop(key, None)
            case "DealNodeCompleted":
                before_ = refusals.pop((event.kind, event.key), 0)
                if not each.imported:
                    used(event.waived)
                    if not before_:
                        case("work-first-attempts", "work-first-passes")
            case "DealGateRefused":
                of = "stage" if event.kind == "stage" else "work"
                gate = event.kind, event.key
                case(*([] if gate in refusals else [f"{of}-first-attempts"]), f"{of}-refusals")
                refusals[gate] = refusals.get(gate, 0) + 1
            case "DealCriterionWaived":
                waivers[event.gate, event.criterion] = case("waivers-given")
                ends[event.gate, event.criterion] = COMPANY.end_of(event.until)
            case "DealWaiverRevoked":
                ends.pop((event.gate, event.criterion), None)
                waivers.pop((event.gate, event.criterion), []).append("waivers-revoked")
            case "DealFlexibleNodeAdded":
                nodes[event.key] = case("flexible-nodes-added")
            case "DealFlexibleNodeRemoved":
                nodes.pop(event.key, []).append("flexible-nodes-removed")
            case "DealExitProposed":
                exits.append(case("exits-proposed", "undecided"))
                grounds.append(event.answer_id)
            case "DealExitAccepted":
                decided("accepted")
            case "DealExitDeclined":
                decided("declined")
            case "DealAnswerWithdrawn" | "DealCustomerEventStated":
                if getattr(event, "kind", "") != "insurmountable" and grounds and grounds[-1] == event.answer_id:
                    decided("moot")
            case "DealWon" | "DealLost" | "DealAbandoned":
                if name == "DealWon" and outcome != "won" and not each.imported:
                    for ahead in ORDER[ORDER.index(place[2]) + 1 :]:
                        case("stages-passed-by-winning", stage=ahead)
                    if event.unmet:
                        case("won-with-exit-unmet")
                outcome = name.removeprefix("Deal").lower()
            case "DealReopened":
                outcome = "open"
    expire(as_of.__ge__)
    for when, where, figures in cases:
        if period.first <= COMPANY.day(when) <= period.last:
            is_exit = figures[0] == "exits-proposed"
            yield from (
                (*where, figure) for figure in (["exits-proposed", f"{figures[1]} {outcome}"] if is_exit else figures)
            )


@dataclass
class Item:
    """A piece of work, by sight."""

    where: tuple[UUID, int, str]
    what: tuple[str, str]
    required: bool
    proposal: bool
    due: datetime
    done: datetime | None = None


def _of_work(past: Life, as_of: datetime, period: Period) -> Iterator[tuple[UUID, int, str, str]]:
    """What had fallen due by then, of all that was still to be done or had been."""
    items: list[Item] = []
    done: list[tuple[tuple[str, str], datetime]] = []
    place, is_open = (UUID(int=0), 0, ""), True

    def fall_due(stage: str, nodes: Iterable[DueNode]) -> None:
        known = [item.what for item in items]
        for node in nodes:
            if (what := (node.kind, node.key)) not in known:
                first = next((at for of, at in done if of == what), None)
                where, end = (*place[:2], stage), COMPANY.end_of(node.due)
                items.append(Item(where, what, node.required, node.proposal, end, first))

    def leave(at: datetime) -> None:
        for item in items:
            if item.where[2] == place[2]:
                item.due = min(item.due, at)

    for at, each in past:
        event, name = each.data, type(each.data).__name__
        if name in ("DealWon", "DealLost", "DealAbandoned"):
            leave(at)
        is_open = name == "DealReopened" or (is_open and name not in ("DealWon", "DealLost", "DealAbandoned"))
        match name if is_open else "":
            case "DealOpened":
                place = (event.process_id, event.process_version, event.stage)
                fall_due(event.stage, event.nodes)
            case "DealMoved" if event.stage != place[2]:
                leave(at)
                place = (*place[:2], event.stage)
                fall_due(event.stage, event.nodes)
            case "DealMigrated":
                place = (event.process_id, event.process_version, event.stage)
                for gone in event.dropped:
                    items = [item for item in items if item.due <= at or item.what != (gone.kind, gone.key)]
                for there in event.carried:
                    for item in items:
                        if item.due > at and item.what == (there.kind, there.key):
                            item.where = (*place[:2], there.stage)
                            item.required, item.proposal = there.required, there.proposal
                fall_due(event.stage, event.nodes)
            case "DealFlexibleNodeAdded":
                fall_due(event.stage, event.nodes)
            case "DealFlexibleNodeRemoved":
                items = [item for item in items if item.done or item.what[1] not in event.nodes]
            case "DealNodeCompleted":
                what = (event.kind, event.key)
                done.append((what, at))
                for item in items:
                    if item.what == what:
                        item.done = item.done or at
    for item in items:
        if item.due <= as_of and period.first <= COMPANY.day(item.due) <= period.last:
            if item.required:
                yield from ((*item.where, figure) for figure in ("nodes-due", "nodes-completed")[: 1 + bool(item.done)])
            if item.proposal:
                yield *item.where, "proposals-due"
                if item.done and item.done <= item.due:
                    yield *item.where, "proposals-on-time"


async def maintained(forecast: Forecast, asked: Question, period: Period) -> Counts:
    """What the read model says."""
    async with forecast.reading() as reading:
        found = await counted_cases(reading, asked, COMPANY, period)
    _, stages = summed(found, ORDERS)
    counts = Counts()
    for place, sums in stages.items():
        for name, count in (*sums.figures.items(), *sums.exits.items()):
            counts[*place, name] += count
    return counts


async def test_figures_of_conduct_are_what_a_plain_recount_comes_to(forecast: Forecast) -> None:
    """Facts that came late, that were corrected, taken back, or handed over with their deal, at any instant."""
    dice = random.Random(20261130)
    facts = list(company_at_work(dice, deals=20, facts=700))
    await forecast.journal_facts(facts)
    last, whole = facts[-1].recorded_at, lives(facts)
    moments = [START + (last - START) * dice.random() for _ in range(5)]
    moments += [COMPANY.end_of(date(2026, 2, 28)), COMPANY.start_of(date(2026, 3, 1)), last + timedelta(days=40)]
    moments += [each.occurred_at for each in facts[::200]]
    seen = Counter[str]()
    for moment in moments:
        for scope in SCOPES:
            for period in PERIODS:
                asked = replace(ALL, as_of=moment, **scope)
                expected = recount(whole, asked, period)
                assert await maintained(forecast, asked, period) == expected, (moment, scope, period.name)
                seen.update({figure: count for (*_, figure), count in expected.items()})
        then, period = lives(facts, moment), dice.choice(PERIODS)
        for scope in dice.sample(SCOPES, 2):
            asked = replace(ALL, as_of=moment, known_at=moment, **scope)
            assert await maintained(forecast, asked, period) == recount(then, asked, period), (moment, scope)
            ever = replace(asked, known_at=EVER)
            assert await maintained(forecast, ever, period) == recount(whole, ever, period), (moment, scope)
    cells = {f"{decision} {outcome}" for decision in ("undecided", "declined", "accepted", "moot") for outcome in OUT}
    assert seen.keys() == {*FIGURES, *cells}, "the facts say something of everything"


OUT = ("open", "won", "lost", "abandoned")


async def test_the_cases_behind_a_figure_are_as_many_as_it_says(forecast: Forecast) -> None:
    """FC-17: page by page, none twice, now and as known then."""
    dice = random.Random(7)
    facts = list(company_at_work(dice, deals=12, facts=500))
    await forecast.journal_facts(facts)
    period, moment = PERIODS[0], facts[-1].recorded_at
    seen = 0
    for asked in (replace(ALL, as_of=moment), replace(ALL, as_of=moment, known_at=EVER)):
        async with forecast.reading() as reading:
            found = await counted_cases(reading, asked, COMPANY, period)
            for figure in FIGURES:
                kinds = [kind for kind in found if any(name == figure for _, name in counts_as(kind, ORDERS))]
                shown: list[CasePlace] = []
                while True:
                    after = shown[-1] if shown else None
                    page = await cases_behind(reading, asked, COMPANY, period, kinds, after=after, enough=7)
                    assert all(each.kind in kinds for each in page)
                    shown += [place_of(each) for each in page]
                    if len(page) < 7:
                        break
                assert len(shown) == len(set(shown)) == sum(found[kind] for kind in kinds), figure
                assert shown == sorted(shown)
                seen += len(shown)
    assert seen > 200, "the facts say something"
