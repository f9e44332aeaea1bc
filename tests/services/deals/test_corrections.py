"""DEAL-6: what was told wrongly of the work on a deal is corrected, or withdrawn."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from services.deals.domain.deal import deal
from services.deals.domain.deal.corrections import (
    CorrectActivity,
    Telling,
    Tellings,
    WithdrawActivity,
    tellings_of,
)
from shared.domain.aggregate import Occurrence
from shared.domain.context import Actor, Moment
from shared.domain.history import Recorded
from shared.domain.roles import Role
from shared.events.deals.deal import DealFactRetracted, DealWon
from shared.events.deals.deal_record import DealActivityCorrected, DealActivityWithdrawn
from shared.testing.scenario import NOW
from tests.services.deals.conftest import Office, Team
from tests.services.deals.facts import (
    ACCOUNT,
    CHAMPION,
    END_OF_FRIDAY,
    FRIDAY,
    ID,
    OPENED,
    OTHER,
    OWNER,
    REP,
    STRANGER,
    THE_DEAL,
    TODAY,
    eur,
)
from tests.services.deals.test_service import DEAL, codes
from tests.services.deals.test_work import CALL, CALLED, PLANNED

REQUEST, AT = UUID(int=900), Moment(datetime(2026, 3, 16, 9, 0, tzinfo=UTC))
TOLD = Tellings(of={CALLED.activity_id: Telling(request=REQUEST, at=AT)})
OPEN = THE_DEAL.given(replace(OPENED, account_id=ACCOUNT, on=FRIDAY), CALLED).knowing(tellings=TOLD)
TAKEN_BACK = DealFactRetracted(deal_id=ID, request=REQUEST)
CORRECT = CorrectActivity(activity_id=CALLED.activity_id, kind="visit", minutes=45, contacts=(CHAMPION,))
CORRECTED = DealActivityCorrected(
    deal_id=ID, activity_id=CALLED.activity_id, kind="visit", by=OWNER, on=TODAY, minutes=45, contacts=(CHAMPION,)
)
WITHDRAW = WithdrawActivity(activity_id=CALLED.activity_id, reason="It was another customer")
WITHDRAWN = DealActivityWithdrawn(deal_id=ID, activity_id=CALLED.activity_id, reason="It was another customer")
WON = DealWon(deal_id=ID, on=FRIDAY, amount=eur("1"), stage="initial-contact", name="x")


def test_deal_6_a_correction_takes_back_what_was_told_and_tells_in_its_place_what_is_so() -> None:
    outcome = OPEN.when(CORRECT).then(TAKEN_BACK, CORRECTED)
    assert outcome.facts[-1].at == AT, "at the instant at which it was told to have been"
    (activity,) = outcome.state.activities
    assert (activity.kind, activity.minutes, activity.outcome, activity.contacts) == ("visit", 45, None, (CHAMPION,))


def test_deal_6_an_activity_corrected_to_another_day_stands_at_the_end_of_that() -> None:
    outcome = OPEN.when(replace(CORRECT, on=FRIDAY))
    assert outcome.facts[-1].at == Moment(END_OF_FRIDAY, by_day=True)


def test_deal_6_a_withdrawn_activity_counts_no_longer() -> None:
    outcome = OPEN.when(WITHDRAW).then(TAKEN_BACK, WITHDRAWN)
    assert outcome.state.activities == ()


def test_deal_6_what_was_told_in_the_same_breath_is_told_once_more() -> None:
    """The next step that was planned with a call stands, whatever becomes of the call."""
    told = Telling(request=REQUEST, at=AT, along=(Occurrence(event=PLANNED, at=AT),))
    both = OPEN.knowing(tellings=Tellings(of={CALLED.activity_id: told}))
    both.when(WITHDRAW).then(TAKEN_BACK, PLANNED, WITHDRAWN)
    both.when(CORRECT).then(TAKEN_BACK, PLANNED, CORRECTED)


def test_deal_6_asked_again_with_equal_content_nothing_happens() -> None:
    OPEN.given(CORRECTED).when(CORRECT).then()
    OPEN.given(WITHDRAWN).when(WITHDRAW).then()
    OPEN.given(WITHDRAWN).when(replace(WITHDRAW, reason="Twice")).then_rejected("already-withdrawn")


@pytest.mark.parametrize("command", [CORRECT, WITHDRAW], ids=["correct", "withdraw"])
def test_deal_6_only_an_activity_of_the_deal_that_stands_is_changed(command: Any) -> None:
    outcome = OPEN.when(replace(command, activity_id=UUID(int=51))).then_rejected("unknown-activity")
    assert outcome.rejected is not None
    assert outcome.rejected.reasons[0].field == "activity_id"
    OPEN.given(replace(WITHDRAWN, reason="Other")).when(command).then_rejected("already-withdrawn")


def test_deal_6_an_activity_that_was_withdrawn_meanwhile_is_not_changed() -> None:
    for command in (CORRECT, WITHDRAW):
        OPEN.knowing(tellings=Tellings()).when(command).then_rejected("already-withdrawn")


def test_deal_6_under_the_id_of_a_withdrawn_activity_no_other_is_logged() -> None:
    OPEN.given(WITHDRAWN).when(CALL).then_rejected("already-logged")
    again = OPEN.given(WITHDRAWN, CALLED).when(WITHDRAW)
    assert again.facts == (), "an import may tell it again: withdrawn it stays"


@pytest.mark.parametrize("command", [CORRECT, WITHDRAW], ids=["correct", "withdraw"])
def test_deal_6_reps_change_what_they_did_and_what_nobody_in_particular_did(command: Any) -> None:
    assert OPEN.by(REP).when(command).rejected is None
    others, nobodys = replace(CALLED, by=OTHER), replace(CALLED, by=None)
    told = THE_DEAL.given(replace(OPENED, account_id=ACCOUNT)).knowing(tellings=TOLD)
    told.given(others).by(REP).when(command).then_rejected("somebody-elses")
    assert told.given(nobodys).by(REP).when(command).rejected is None
    manager = Actor(subject="manager", roles=frozenset({Role.MANAGER}), member=UUID(int=9))
    assert told.given(others).by(manager).when(command).rejected is None


@pytest.mark.parametrize("command", [replace(CORRECT, on=FRIDAY), WITHDRAW], ids=["correct", "withdraw"])
def test_deal_6_the_record_of_a_closed_deal_is_corrected_too(command: Any) -> None:
    outcome = OPEN.given(WON).when(command)
    assert outcome.rejected is None
    assert OPEN.given(WON).when(replace(CORRECT, on=TODAY, minutes=1)).rejected is None, "the day that it has anyway"
    early = THE_DEAL.given(OPENED, replace(CALLED, on=FRIDAY), WON).knowing(tellings=TOLD)
    early.when(replace(CORRECT, on=TODAY, contacts=())).then_rejected("after-its-end")
    THE_DEAL.when(command).then_rejected("does-not-exist")


def test_deal_6_all_that_is_wrong_with_a_correction_is_told_at_once() -> None:
    wrong = replace(CORRECT, on=date(2026, 3, 17), contacts=(STRANGER, UUID(int=42)), cost=eur("1.001"))
    outcome = OPEN.given(replace(CALLED, by=OTHER)).by(REP).when(wrong)
    assert outcome.rejected is not None
    assert {reason.code for reason in outcome.rejected.reasons} >= {"in-the-future", "other-account"}
    fields = [reason.field for reason in outcome.rejected.reasons]
    assert "contacts.0" in fields
    assert "contacts.1" not in fields, "what is not known at all is refused by its reference"


def test_deal_6_those_who_took_part_are_logged_with_an_activity() -> None:
    with_them = replace(CALL, contacts=(CHAMPION,), members=(OTHER,))
    at_account = THE_DEAL.given(replace(OPENED, account_id=ACCOUNT))
    outcome = at_account.when(with_them).then(replace(CALLED, contacts=(CHAMPION,), members=(OTHER,)))
    at_account.given(*(fact.event for fact in outcome.facts)).when(with_them).then()
    at_account.when(replace(with_them, contacts=(STRANGER,))).then_rejected("invalid-participants", "other-account")
    without = THE_DEAL.given(OPENED)
    assert without.by(REP).when(replace(with_them, members=())).rejected is not None, "an account that REP does not see"
    assert without.when(with_them).rejected is None, "operations see every account"


# -- what was recorded ------------------------------------------------------------------------------------------------


def recorded(sequence: int, data: Any, request: int, at: datetime = NOW) -> Recorded:
    return Recorded(
        data=data, occurred_at=at, by_day=False, sequence=sequence, fact=None, causation_id=UUID(int=request)
    )


STORY = [
    recorded(1, OPENED, 1),
    recorded(2, CALLED, 2),
    recorded(3, PLANNED, 2),
]
CORRECTION = [
    recorded(4, replace(TAKEN_BACK, request=UUID(int=2)), 3),
    recorded(5, PLANNED, 3),
    recorded(6, CORRECTED, 3),
]


def test_deal_6_how_an_activity_was_told_is_read_from_the_history() -> None:
    (told,) = tellings_of(STORY).of.values()
    assert (told.request, told.at, [each.event for each in told.along]) == (UUID(int=2), Moment(NOW), [PLANNED])
    (again,) = tellings_of([*STORY, *CORRECTION]).of.values()
    assert (again.request, [each.event for each in again.along]) == (UUID(int=3), [PLANNED])


def test_deal_6_the_state_follows_from_what_stands() -> None:
    corrected = deal.of([*STORY, *CORRECTION])
    assert [(each.kind, each.minutes) for each in corrected.activities] == [("visit", 45)]
    assert corrected.next_step is not None
    gone = deal.of(
        [
            *STORY,
            *CORRECTION,
            recorded(7, replace(TAKEN_BACK, request=UUID(int=3)), 4),
            recorded(8, PLANNED, 4),
            recorded(9, WITHDRAWN, 4),
        ]
    )
    assert (gone.activities, gone.next_step, gone.written) == ((), corrected.next_step, True)


# -- on real parts ----------------------------------------------------------------------------------------------------


async def test_deal_6_an_activity_is_corrected_and_withdrawn_over_http(office: Office, team: Team) -> None:
    rep = office.somebody(Role.REP, team.subjects[0])
    made = await rep.makes("/v1/deals", DEAL)
    await rep.makes(
        f"/v1/deals/{made}/log-activity",
        {"kind": "call", "outcome": "Wrong", "members": [team.other], "next_step": {"on": "2099-01-05", "what": "Go"}},
    )
    (logged,) = (await rep.sees(f"/v1/deals/{made}"))["activities"]
    assert logged["members"] == [team.other]
    body = {"activity_id": logged["id"], "kind": "visit", "outcome": "Right"}
    for _ in range(2):
        await rep.makes(f"/v1/deals/{made}/correct-activity", body)
    found = await rep.sees(f"/v1/deals/{made}")
    assert [(each["kind"], each["outcome"], each["on"]) for each in found["activities"]] == [
        ("visit", "Right", logged["on"])
    ]
    assert (found["version"], found["next_step"]["what"]) == (6, "Go")
    gone = {"activity_id": logged["id"], "reason": "Another customer"}
    manager = office.somebody(Role.MANAGER, team.subjects[2])
    for _ in range(2):
        await manager.makes(f"/v1/deals/{made}/withdraw-activity", gone)
    found = await rep.sees(f"/v1/deals/{made}")
    assert (found["activities"], found["next_step"]["what"], found["version"]) == ([], "Go", 9)
    for command, wrong in (("correct-activity", body), ("withdraw-activity", {**gone, "reason": "Other"})):
        refused = await rep.does(f"/v1/deals/{made}/{command}", wrong)
        assert (refused.status_code, codes(refused)) == (422, ["already-withdrawn"])
    nobody = {"kind": "call", "contacts": [made]}
    refused = await rep.does(f"/v1/deals/{made}/log-activity", nobody)
    assert (refused.status_code, codes(refused)) == (422, ["unknown-contact"])
    told = [entry["type"] for entry in (await rep.sees(f"/v1/deals/{made}/history"))["items"]]
    assert told[-3:] == ["deals.deal-fact-retracted", "deals.deal-next-step-planned", "deals.deal-activity-withdrawn"]
