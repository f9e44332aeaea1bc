"""PROC-6: measures: taken, changed, overdue, done and dropped: the rules, and their effect over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from deploy.local.identity import Issuer
from services.forecast.app import SERVICE
from services.forecast.domain.measure import (
    ChangeMeasure,
    CompleteMeasure,
    DropMeasure,
    MarkMeasureOverdue,
    TakeMeasure,
    measure,
)
from services.forecast.domain.occasion import RaiseNotices, SettleNotices, occasion_of
from services.forecast.domain.review import MONTHLY, review_of
from shared.domain.context import Actor
from shared.domain.roles import Role
from shared.events.forecast.measure import (
    MeasureChanged,
    MeasureDone,
    MeasureDropped,
    MeasureOverdue,
    MeasureTaken,
)
from shared.events.leads.member import MemberJoined
from shared.ops.ids import new_id
from shared.testing.scenario import CONTEXT, scenario
from shared.testing.servers import DatabaseServer
from tests.described import as_described
from tests.services.forecast.conftest import journaled, serving
from tests.services.forecast.facts import ANNA, BEN, SHORT, fact, lost, opened
from tests.services.forecast.test_reviews import what_follows
from tests.services.forecast.test_reviews_at_work import advanced_to, end_of_month, month_of, reached
from tests.services.leads.conftest import patiently
from tests.shared.http.conftest import Errands
from tests.shared.http.test_command_routes import problem
from tests.shared.http.waiting import until

ID, TODAY, DUE = CONTEXT.aggregate_id, date(2026, 3, 16), date(2026, 3, 20)
TAKE = TakeMeasure(what="A price list.", responsible=ANNA, due=DUE, figure="win-rate", wanted=Decimal("0.40"))
TAKEN = MeasureTaken(
    measure_id=ID,
    responsible=ANNA,
    due=DUE,
    due_at=datetime(2026, 3, 21, tzinfo=UTC),
    figure="win-rate",
    on=TODAY,
    wanted=Decimal("0.40"),
    what="A price list.",
)
CHANGE = ChangeMeasure(what="A list.", responsible=BEN, due=date(2026, 3, 27))
CHANGED = MeasureChanged(
    measure_id=ID,
    responsible=BEN,
    due=date(2026, 3, 27),
    due_at=datetime(2026, 3, 28, tzinfo=UTC),
    was_overdue=False,
    what="A list.",
)
OVERDUE = MeasureOverdue(measure_id=ID, responsible=ANNA, due=DUE)
DONE = MeasureDone(measure_id=ID, on=TODAY, was_overdue=False, process_id=SHORT, process_version=2)
DROPPED = MeasureDropped(measure_id=ID, on=TODAY, was_overdue=False, reason="Needless.")
DO, DROP = CompleteMeasure(process_id=SHORT, process_version=2), DropMeasure(reason="Needless.")
A_MEASURE = scenario(measure).given(TAKEN)


def test_a_measure_is_taken_for_today_or_later() -> None:
    scenario(measure).when(TAKE).then(TAKEN)
    scenario(measure).when(replace(TAKE, due=date(2026, 3, 15))).then_rejected("in-the-past")


def test_a_measure_is_changed_as_a_whole() -> None:
    A_MEASURE.when(CHANGE).then(CHANGED)
    A_MEASURE.given(CHANGED).when(CHANGE).then()
    A_MEASURE.when(replace(CHANGE, due=date(2026, 3, 15))).then_rejected("in-the-past")
    A_MEASURE.given(DONE).when(CHANGE).then_rejected("not-in-this-state")


def test_a_measure_is_done_once_with_a_version_or_without() -> None:
    A_MEASURE.when(DO).then(DONE)
    A_MEASURE.when(CompleteMeasure()).then(replace(DONE, process_id=None, process_version=None))
    A_MEASURE.when(CompleteMeasure(process_version=2)).then_rejected("invalid-version", "half-a-version")
    A_MEASURE.given(DONE).when(DO).then()
    A_MEASURE.given(DONE).when(CompleteMeasure()).then_rejected("not-in-this-state")


def test_whoever_is_responsible_says_that_it_is_done_or_whoever_takes_measures() -> None:
    anna = Actor(subject="anna", roles=frozenset({Role.REP}), member=ANNA)
    A_MEASURE.by(anna).when(DO).then(DONE)
    A_MEASURE.by(replace(anna, member=BEN)).when(DO).then_rejected("not-responsible")


def test_a_measure_is_dropped_for_a_reason() -> None:
    A_MEASURE.when(DROP).then(DROPPED)
    A_MEASURE.given(DROPPED).when(DROP).then()
    A_MEASURE.given(DROPPED).when(DropMeasure(reason="Other.")).then_rejected("not-in-this-state")
    A_MEASURE.given(DONE).when(DROP).then_rejected("not-in-this-state")


def test_a_measure_is_overdue_once_and_anew_where_it_is_due_anew() -> None:
    (timer,) = measure.timers_of(measure.fold([TAKEN])).values()
    assert (timer.due, timer.command) == (TAKEN.due_at, MarkMeasureOverdue())
    A_MEASURE.when(MarkMeasureOverdue()).then(OVERDUE)
    late = A_MEASURE.given(OVERDUE)
    late.when(MarkMeasureOverdue()).then()
    assert not measure.timers_of(measure.fold([TAKEN, OVERDUE]))
    late.when(CHANGE).then(replace(CHANGED, was_overdue=True))
    late.when(replace(CHANGE, due=DUE, responsible=ANNA)).then(
        replace(CHANGED, due=DUE, due_at=TAKEN.due_at, responsible=ANNA)
    )
    assert measure.timers_of(measure.fold([TAKEN, OVERDUE, replace(CHANGED, was_overdue=True)]))
    late.when(DO).then(replace(DONE, was_overdue=True))
    A_MEASURE.given(DONE).when(MarkMeasureOverdue()).then()


def test_its_responsible_is_told_that_it_is_overdue_until_it_is_not() -> None:
    (told,) = what_follows(OVERDUE)
    assert isinstance(told.command, RaiseNotices)
    assert (told.aggregate_id, told.command.members) == (occasion_of("measure-overdue", ID), (ANNA,))
    for event in (CHANGED, DONE, DROPPED):
        assert not what_follows(event)
        (settled,) = what_follows(replace(event, was_overdue=True))
        assert isinstance(settled.command, SettleNotices)


@pytest.fixture
async def alone(postgres: DatabaseServer, issuer: Issuer) -> AsyncIterator[Errands]:
    """A forecast of its own, whose clock may be moved."""
    async with serving(SERVICE, postgres, issuer) as there:
        yield there


async def test_proc_6_a_measure_is_told_when_overdue_and_its_effect_shows_in_the_reports(alone: Errands) -> None:
    """PROC-6: the figure of the month before, and of the one after, each with its sample."""
    running, desk = alone.running, alone.client(Role.SALES_DIRECTOR, "dora")
    company, dora, now = running.settings.company, uuid4(), running.clock.now()
    joined = MemberJoined(member_id=dora, subject="dora", name="Dora", role=Role.SALES_DIRECTOR, team_id=None)
    facts = [replace(fact(1, joined, now, deal=dora), service="leads", aggregate="member")]
    for number in range(6):
        deal = UUID(int=7000 + number)
        facts += [
            fact(1, opened(deal=deal), now, deal=deal),
            fact(2, lost(company.day(now), deal=deal), now, deal=deal),
        ]
    await journaled(running, facts)
    month = month_of(company.day(now))

    async def says(path: str, body: dict[str, Any]) -> Any:
        headers = {"Idempotency-Key": str(new_id())} | ({"If-Match": "*"} if path.count("/") > 2 else {})
        return await desk.post(path, json=body, headers=headers)

    await advanced_to(alone, end_of_month(company, month) + timedelta(hours=2))
    await reached(desk, MONTHLY, month, "sealed")
    today = company.day(running.clock.now())
    said = {"what": "A price list.", "responsible": str(dora), "due": f"{today}", "figure": "win-rate"}
    refused = await says("/v1/measures", {**said, "review_id": str(uuid4())})
    assert refused.status_code == 422, refused.text
    taken = await says("/v1/measures", {**said, "review_id": str(review_of(MONTHLY, month))})
    assert taken.status_code == 201, taken.text
    address = f"/v1/measures/{taken.json()['id']}"
    await advanced_to(alone, company.start_after(today))

    async def is_told(status: str = "unread") -> bool:
        found = (await desk.get("/v1/notices", params={"kind": "measure-overdue"})).json()["items"]
        return [each["status"] for each in found] == [status]

    await until(is_told)
    assert (await desk.get(address)).json()["is_overdue"] is True
    done = await says(f"{address}/complete", {"process_id": str(SHORT), "process_version": 2})
    assert done.status_code == 200, done.text
    headers = {"Consistency-Token": done.headers["Consistency-Token"]}
    listed = await patiently(lambda: desk.get("/v1/measures", params={"status": "done"}, headers=headers), headers)
    assert [each["figure"] for each in as_described("/v1/measures", listed.json())["items"]] == ["win-rate"]
    await until(lambda: is_told("settled"))
    effect = as_described("/v1/measures/{measure_id}/effect", (await desk.get(f"{address}/effect")).json())
    assert (effect["before"]["period"], effect["before"]["figure"]["sample"], effect["after"]) == (month, 6, None)

    worked_in = month_of(company.day(running.clock.now()))
    following = month_of(company.day(end_of_month(company, worked_in) + timedelta(days=1)))
    await advanced_to(alone, end_of_month(company, following) + timedelta(hours=2))
    await reached(desk, MONTHLY, following, "sealed")

    async def is_seen() -> bool:
        found = (await desk.get(f"{address}/effect")).json()
        return bool(found["after"] and found["after"]["period"] == following)

    await until(is_seen)
    assert (await desk.get(f"{address}/effect")).json()["before"] == effect["before"]
    problem(await desk.get(f"/v1/measures/{uuid4()}/effect"), 404, "not-found")
