"""Leave of members: the rules, then over HTTP who may, what lists show, and who gets leads (ORG-1)."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.leads.domain.organisation.leave import (
    CancelLeave,
    GoOnLeave,
    ImportMemberLeave,
    ShortenLeave,
    leaves_after,
)
from services.leads.domain.organisation.member import ActiveMember, SubjectHolder, member
from shared.domain.roles import Role
from shared.domain.working_time.leave import Leave, is_away
from shared.events.leads.member import MemberLeaveShortened, MemberLeft, MemberWentOnLeave
from shared.testing.scenario import scenario
from tests.services.leads.conftest import Desk, House, unique
from tests.services.leads.known import HERE, TODAY, after, joined

DAY = timedelta(days=1)


def leave(first: int, last: int) -> Leave:
    """A leave from one day to another, counted from today."""
    return Leave(start=TODAY + first * DAY, end=TODAY + last * DAY)


def went(first: int, last: int) -> MemberWentOnLeave:
    return MemberWentOnLeave(member_id=HERE, start=TODAY + first * DAY, end=TODAY + last * DAY)


def cut(first: int, last: int, last_day: int | None) -> MemberLeaveShortened:
    end = None if last_day is None else TODAY + last_day * DAY
    return MemberLeaveShortened(member_id=HERE, start=TODAY + first * DAY, end=TODAY + last * DAY, last_day=end)


def go(first: int, last: int) -> GoOnLeave:
    return GoOnLeave(start=TODAY + first * DAY, end=TODAY + last * DAY)


def shorten(first: int, last: int, last_day: int) -> ShortenLeave:
    return ShortenLeave(start=TODAY + first * DAY, end=TODAY + last * DAY, last_day=TODAY + last_day * DAY)


def cancel(first: int, last: int) -> CancelLeave:
    return CancelLeave(start=TODAY + first * DAY, end=TODAY + last * DAY)


rosa = scenario(member).knowing(holder=SubjectHolder()).given(joined)

# -- announced --------------------------------------------------------------------------------------------------------


def test_org_1_a_member_goes_on_leave() -> None:
    assert rosa.when(go(4, 11)).then(went(4, 11)).state.leaves == (leave(4, 11),)


def test_org_1_the_same_leave_twice_records_nothing() -> None:
    rosa.given(went(4, 11)).when(go(4, 11)).then()


def test_org_1_a_leave_does_not_end_before_it_starts() -> None:
    refused = rosa.when(go(11, 4)).then_rejected("ends-before-start").rejected
    assert refused is not None
    assert [reason.field for reason in refused.reasons] == ["end"]


# -- shortened, called off --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("last_day", [-1, 0, 5, 10])
def test_org_1_a_leave_that_has_begun_ends_earlier(last_day: int) -> None:
    away = rosa.given(went(-3, 11), went(20, 21))
    outcome = away.when(shorten(-3, 11, last_day)).then(cut(-3, 11, last_day))
    assert outcome.state.leaves == (leave(-3, last_day), leave(20, 21))


@pytest.mark.parametrize("first", [0, 1, 30])
def test_org_1_a_leave_is_called_off_until_its_first_day_is_over(first: int) -> None:
    away = rosa.given(went(first, 40), went(50, 51))
    assert away.when(cancel(first, 40)).then(cut(first, 40, None)).state.leaves == (leave(50, 51),)


def test_org_1_on_its_last_day_a_leave_is_not_over() -> None:
    assert rosa.given(went(-5, 0)).when(shorten(-5, 0, -1)).then(cut(-5, 0, -1)).state.leaves == (leave(-5, -1),)
    assert rosa.given(went(0, 0)).when(cancel(0, 0)).then(cut(0, 0, None)).state.leaves == ()


def test_org_1_a_leave_that_comes_to_be_like_another_is_one_with_it() -> None:
    away = rosa.given(went(4, 6), went(4, 11))
    assert away.when(shorten(4, 11, 6)).then(cut(4, 11, 6)).state.leaves == (leave(4, 6),)


def test_org_1_asked_again_for_a_shorter_leave_or_none_records_nothing() -> None:
    rosa.given(went(4, 11), cut(4, 11, 6)).when(shorten(4, 11, 6)).then()
    rosa.given(went(4, 11), cut(4, 11, None)).when(cancel(4, 11)).then()


def test_org_1_a_leave_that_was_shortened_is_known_by_its_new_end() -> None:
    away = rosa.given(went(4, 11), cut(4, 11, 8))
    away.when(shorten(4, 11, 6)).then_rejected("leave-stays", "no-such-leave")
    away.when(cancel(4, 11)).then_rejected("leave-stays", "no-such-leave")
    assert away.when(shorten(4, 8, 6)).then(cut(4, 8, 6)).state.leaves == (leave(4, 6),)
    assert away.when(cancel(4, 8)).then(cut(4, 8, None)).state.leaves == ()
    away.given(cut(4, 8, None)).when(shorten(4, 11, 8)).then_rejected("leave-stays", "no-such-leave")


def test_org_1_what_was_called_off_can_be_announced_and_called_off_again() -> None:
    there = rosa.given(went(4, 11), cut(4, 11, None))
    assert there.when(go(4, 11)).then(went(4, 11)).state.leaves == (leave(4, 11),)
    again = there.given(went(4, 11))
    again.when(cancel(4, 11)).then(cut(4, 11, None))
    again.when(shorten(4, 11, 6)).then(cut(4, 11, 6))


@pytest.mark.parametrize(
    ("command", "reasons"),
    [
        (shorten(4, 12, 6), [("no-such-leave", "start")]),
        (shorten(4, 11, 11), [("not-earlier", "last_day")]),
        (shorten(4, 11, 3), [("ends-before-start", "last_day")]),
        (shorten(-9, 9, -2), [("has-passed", "last_day")]),
        (shorten(-20, -15, -18), [("is-over", "end"), ("has-passed", "last_day")]),
        (shorten(-5, -3, -3), [("no-such-leave", "start"), ("is-over", "end"), ("not-earlier", "last_day"),
                               ("has-passed", "last_day")]),
        (cancel(4, 12), [("no-such-leave", "start")]),
        (cancel(-9, 9), [("has-begun", "start")]),
        (cancel(-20, -15), [("is-over", "end")]),
        (cancel(-2, 2), [("no-such-leave", "start"), ("has-begun", "start")]),
    ],
)  # fmt: skip
def test_org_1_every_reason_is_told_why_a_leave_stays(command: Any, reasons: list[tuple[str, str]]) -> None:
    away = rosa.given(went(4, 11), went(-9, 9), went(-20, -15))
    refused = away.when(command).then_rejected("leave-stays").rejected
    assert refused is not None
    assert [(reason.code, reason.field) for reason in refused.reasons] == reasons


def test_org_1_nobody_who_left_has_leave_to_shorten() -> None:
    left = rosa.given(went(4, 11), MemberLeft(member_id=HERE, on=TODAY))
    left.when(shorten(4, 11, 6)).then_rejected("not-in-this-state")
    left.when(cancel(4, 11)).then_rejected("not-in-this-state")


# -- history ----------------------------------------------------------------------------------------------------------


def test_data_5_an_export_that_still_lists_a_leave_does_not_bring_it_back() -> None:
    told = ImportMemberLeave(on=TODAY - 30 * DAY, start=TODAY + 4 * DAY, end=TODAY + 11 * DAY)
    rosa.given(went(4, 11), cut(4, 11, 6)).when(told).then()
    rosa.given(went(4, 11), cut(4, 11, None)).when(told).then()


def test_data_5_the_rest_of_a_leave_that_was_taken_back_is_none() -> None:
    state = after(member, joined, cut(4, 11, 6))
    assert isinstance(state, ActiveMember)
    assert (state.leaves, state.shortenings) == ((), ())


DAYS = some.integers(0, 6)
FACTS = some.lists(
    some.one_of(
        some.builds(lambda first, more: went(first, first + more), DAYS, DAYS),
        some.builds(
            lambda first, more, kept: cut(first, first + more, None if kept is None else first + min(kept, more - 1)),
            DAYS,
            some.integers(1, 6),
            some.none() | DAYS,
        ),
    ),
    max_size=12,
)


@given(FACTS, some.integers(0, 14))
def test_a_shortening_takes_away_the_days_after_it_unless_another_leave_has_them(facts: list[Any], day: int) -> None:
    """Counted day by day: each leave is a set of days under its two ends."""
    known: dict[tuple[date, date], set[date]] = {}
    leaves: tuple[Leave, ...] = ()
    for fact in facts:
        leaves = leaves_after(leaves, fact)
        if isinstance(fact, MemberWentOnLeave):
            known[fact.start, fact.end] = {fact.start + n * DAY for n in range((fact.end - fact.start).days + 1)}
        elif (days := known.pop((fact.start, fact.end), None)) and fact.last_day is not None:
            known[fact.start, fact.last_day] = {each for each in days if each <= fact.last_day}
    assert len(set(leaves)) == len(leaves)
    on = TODAY + day * DAY
    assert is_away(leaves, on) is any(on in days for days in known.values())


# -- over HTTP --------------------------------------------------------------------------------------------------------


def days_of(house: House, first: int, last: int) -> dict[str, str]:
    """A leave, counted from the company's today."""
    running = house.service.running
    today = running.settings.company.day(running.clock.now())
    return {"start": (today + first * DAY).isoformat(), "end": (today + last * DAY).isoformat()}


async def test_org_1_everybody_says_their_own_leave_and_managers_that_of_their_teams(house: House) -> None:
    rosa, sam, boss, other = unique("rosa"), unique("sam"), unique("boss"), unique("boss")
    _, (first, second) = await house.team(rosa, sam, manager=boss)
    await house.team(unique("tea"), manager=other)
    days = days_of(house, 10, 14)
    commands = [("go-on-leave", days), ("shorten-leave", {**days, "last_day": days["start"]})]
    commands.append(("cancel-leave", {"start": days["start"], "end": days["start"]}))
    for name, body in commands:
        for desk in (house.somebody(Role.REP, rosa), house.somebody(Role.MANAGER, other)):
            refused = await desk.does(f"/v1/members/{second}/{name}", body)
            assert refused.status_code == 403, (name, refused.text)
        await house.somebody(Role.REP, rosa).makes(f"/v1/members/{first}/{name}", body)
        await house.somebody(Role.MANAGER, boss).makes(f"/v1/members/{second}/{name}", body)
    assert (await house.somebody().sees(f"/v1/members/{first}"))["leaves"] == []


async def test_org_1_people_of_any_role_say_when_they_are_away(house: House) -> None:
    fred = unique("fred")
    ops = house.somebody()
    member_id = await ops.makes("/v1/members", {"subject": fred, "name": "Fred", "role": "finance"})
    await house.settled()
    desk, days = house.somebody(Role.FINANCE, fred), days_of(house, 1, 2)
    await desk.makes(f"/v1/members/{member_id}/go-on-leave", days)
    assert (await desk.sees(f"/v1/members/{member_id}"))["leaves"] == [days]
    colleague = await house.somebody(Role.FINANCE, unique("gina")).does(f"/v1/members/{member_id}/cancel-leave", days)
    assert colleague.status_code == 403
    await ops.makes(f"/v1/members/{member_id}/cancel-leave", days)
    await ops.makes(f"/v1/members/{member_id}/cancel-leave", days)
    assert (await desk.sees(f"/v1/members/{member_id}"))["leaves"] == []


async def test_org_1_a_leave_that_cannot_be_shortened_is_refused_with_every_reason(house: House) -> None:
    _, (first,) = await house.team(unique("rosa"))
    days = days_of(house, -9, -3)
    refused = await house.somebody().does(f"/v1/members/{first}/shorten-leave", {**days, "last_day": days["end"]})
    assert (refused.status_code, refused.json()["code"]) == (422, "leave-stays"), refused.text
    assert [(each["code"], each["pointer"]) for each in refused.json()["errors"]] == [
        ("no-such-leave", "/start"),
        ("is-over", "/end"),
        ("not-earlier", "/last_day"),
        ("has-passed", "/last_day"),
    ]


async def owner_of_next(house: House, desk: Desk, team: str) -> Any:
    await house.settled()
    lead = await desk.makes("/v1/leads", {"source": "fair", "team_id": team})
    return (await desk.sees(f"/v1/leads/{lead}"))["owner"]


async def test_lead_4_who_is_back_earlier_gets_leads_again(house: House) -> None:
    """ORG-1: and the list of members shows who is away today."""
    team, (rosa,) = await house.team(unique("rosa"))
    ops, days = house.somebody(), days_of(house, -2, 5)

    async def away() -> list[str]:
        await house.settled()
        page = await ops.sees("/v1/members", team=team, on_leave="true")
        everybody = await ops.sees("/v1/members", team=team)
        assert [each["id"] for each in everybody["items"] if each["on_leave"]] == [each["id"] for each in page["items"]]
        return [each["id"] for each in page["items"]]

    assert await owner_of_next(house, ops, team) == rosa
    assert await away() == []
    await ops.makes(f"/v1/members/{rosa}/go-on-leave", days)
    assert await owner_of_next(house, ops, team) is None
    assert await away() == [rosa]
    yesterday = days_of(house, -1, -1)["start"]
    await ops.makes(f"/v1/members/{rosa}/shorten-leave", {**days, "last_day": yesterday})
    assert await owner_of_next(house, ops, team) == rosa
    assert await away() == []
    assert (await ops.sees(f"/v1/members/{rosa}"))["leaves"] == [{"start": days["start"], "end": yesterday}]
    today = days_of(house, 0, 3)
    await ops.makes(f"/v1/members/{rosa}/go-on-leave", today)
    assert await owner_of_next(house, ops, team) is None
    await ops.makes(f"/v1/members/{rosa}/cancel-leave", today)
    assert await owner_of_next(house, ops, team) == rosa
    await ops.makes(f"/v1/members/{rosa}/go-on-leave", today)
    assert await away() == [rosa]
    await ops.makes(f"/v1/members/{rosa}/leave", {"on": days_of(house, 0, 0)["start"]})
    assert await away() == [], "who left is not away"
