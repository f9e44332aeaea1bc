"""PROC-7: the buyer's journey, versioned with the process, and what is to be done where the buyer stands."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from services.deals.deal_page import journey_of
from services.deals.domain.journey import BUYER_STAGES, ranked, weight
from services.deals.domain.process.comparison import differences
from services.deals.domain.process.faults import faults
from services.deals.domain.process.full import FULL, FULL_ID
from services.deals.domain.process.full_journey import EVALUATION, INTEREST
from services.deals.domain.process.short import SHORT
from shared.domain.roles import Role
from shared.events.deals.deal_record import DealBuyerStageNoted
from shared.events.process import JourneyStage, ProcessDefinition, Touchpoint
from shared.ops.ids import new_id
from tests.services.deals.conftest import Office
from tests.services.deals.facts import ID, TODAY
from tests.services.deals.test_deal_page import held, page_of
from tests.services.deals.test_flexible_nodes import IN_SOLUTION
from tests.services.deals.test_process_files import YAML, file_of
from tests.services.deals.test_processes_at_work import renewal
from tests.services.deals.test_service import DEAL, codes

QUOTATION, DEMONSTRATION = EVALUATION.touchpoints[1], EVALUATION.touchpoints[0]


def point(key: str, importance: int, urgency: int) -> Touchpoint:
    return Touchpoint(key=key, name=key, kind="online", importance=importance, urgency=urgency)


def with_journey(*journey: JourneyStage) -> ProcessDefinition:
    return replace(SHORT, journey=journey)


def test_proc_7_the_full_process_describes_every_stage_of_the_buyer() -> None:
    assert tuple(stage.key for stage in FULL.journey) == BUYER_STAGES
    for stage in FULL.journey:
        assert all((stage.needs, stage.pains, stage.channels, stage.touchpoints))
        assert all((stage.action, stage.responsible, stage.deliverable))
    kinds = {each.kind for stage in FULL.journey for each in stage.touchpoints}
    assert kinds == {"online", "offline", "internal"}


def test_proc_7_touchpoints_are_ranked_by_importance_times_urgency() -> None:
    low, urgent, important, high = (
        point("low", 1, 5),
        point("urgent", 2, 4),
        point("important", 4, 2),
        point("high", 3, 3),
    )
    again = point("again", 4, 2)
    assert ranked([low, urgent, important, again, high]) == [high, important, again, urgent, low]
    assert [weight(each) for each in (low, urgent, high)] == [5, 8, 9]
    assert ranked([]) == []


@pytest.mark.parametrize(
    ("stage", "code", "place"),
    [
        (JourneyStage(key="bliss"), "unknown-buyer-stage", "key"),
        (JourneyStage(key="use", responsible="janitor"), "unknown-role", "responsible"),
        (JourneyStage(key="use", needs=("It works", " ")), "blank", "needs.1"),
        (JourneyStage(key="use", pains=("",)), "blank", "pains.0"),
        (JourneyStage(key="use", channels=("",)), "blank", "channels.0"),
        (JourneyStage(key="use", action=" "), "blank", "action"),
        (JourneyStage(key="use", deliverable=""), "blank", "deliverable"),
        (JourneyStage(key="use", touchpoints=(point("a b", 1, 1),)), "invalid-key", "touchpoints.0.key"),
        (JourneyStage(key="use", touchpoints=(replace(point("a", 1, 1), name=""),)), "blank", "touchpoints.0.name"),
    ],
)
def test_proc_7_what_is_wrong_with_a_journey_is_told_with_its_position(
    stage: JourneyStage, code: str, place: str
) -> None:
    (fault,) = faults(with_journey(INTEREST, stage))
    assert (fault.code, fault.field) == (code, f"definition.journey.1.{place}")


def test_proc_7_a_stage_and_a_touchpoint_stand_once_in_a_journey() -> None:
    (fault,) = faults(with_journey(JourneyStage(key="use"), JourneyStage(key="use")))
    assert fault.field == "definition.journey.1.key"
    twice = JourneyStage(key="use", touchpoints=(QUOTATION,))
    (fault,) = faults(with_journey(EVALUATION, twice))
    assert fault.field == "definition.journey.1.touchpoints.0.key"


@pytest.mark.parametrize("name", ["importance", "urgency"])
@pytest.mark.parametrize(("given", "fits"), [(0, False), (1, True), (5, True), (6, False)])
def test_proc_7_importance_and_urgency_go_from_1_to_5(name: str, given: int, fits: bool) -> None:
    told = {"key": "a", "name": "A", "kind": "online", "importance": 3, "urgency": 3, name: given}
    reader = TypeAdapter(Touchpoint)
    if fits:
        assert getattr(reader.validate_python(told), name) == given
    else:
        with pytest.raises(ValidationError):
            reader.validate_python(told)


def test_proc_7_two_versions_of_a_journey_are_compared_by_stage_and_touchpoint() -> None:
    hotter = replace(EVALUATION, touchpoints=(replace(DEMONSTRATION, urgency=5), *EVALUATION.touchpoints[1:]))
    (told,) = differences(with_journey(INTEREST, EVALUATION), with_journey(INTEREST, hotter))
    assert (told.path, told.before, told.after) == ("journey/evaluation/touchpoints/demonstration/urgency", 4, 5)
    (told,) = differences(with_journey(INTEREST), with_journey(INTEREST, EVALUATION))
    assert (told.path, told.kind) == ("journey/evaluation", "added")


NOTED = DealBuyerStageNoted(deal_id=ID, before=None, buyer_stage="interest", evidence=None, on=TODAY)


def test_proc_7_a_deals_page_says_what_is_to_be_done_where_the_buyer_stands() -> None:
    shown = journey_of(held(IN_SOLUTION, NOTED))
    assert shown is not None
    assert (shown.stage, shown.noted, shown.action) == ("interest", True, INTEREST.action)
    assert [(each.key, each.weight) for each in shown.touchpoints] == [
        ("needs-talk", 20),
        ("industry-report", 9),
        ("webinar", 6),
    ]


def test_proc_7_as_long_as_nobody_noted_it_the_stage_of_the_seller_says_where_the_buyer_should_stand() -> None:
    shown = journey_of(held(IN_SOLUTION))
    assert shown is not None
    assert (shown.stage, shown.noted, shown.touchpoints[0].key) == ("evaluation", False, "quotation")


def test_proc_7_of_a_process_without_a_journey_nothing_is_shown() -> None:
    given = held(IN_SOLUTION, NOTED)
    silent = replace(given, process=replace(given.process, definition=replace(FULL, journey=())))
    assert journey_of(silent) is None


async def test_proc_7_a_journey_is_saved_as_a_file_compared_and_shown(office: Office) -> None:
    desk = office.somebody(Role.SALES_OPERATIONS)
    journey = [
        {
            "key": "use",
            "needs": ["It works"],
            "responsible": "rep",
            "touchpoints": [{"key": "call", "name": "A call", "kind": "offline", "importance": 5, "urgency": 2}],
        }
    ]
    definition: dict[str, Any] = renewal(journey=journey)
    made = await desk.makes("/v1/processes", {"definition": definition})
    shown = await desk.sees(f"/v1/processes/{made}")
    stage = shown["versions"][0]["definition"]["journey"][0]
    assert (stage["key"], stage["needs"], stage["touchpoints"][0]["importance"]) == ("use", ["It works"], 5)

    text = await file_of(desk, made)
    assert "importance: 5" in text
    further = text.replace("importance: 5", "importance: 4")
    answer = await desk.client.post(
        f"/v1/processes/{made}/publish-version", content=further, headers={**YAML, "Idempotency-Key": str(new_id())}
    )
    assert answer.status_code == 200, answer.text
    compared = await desk.sees(f"/v1/processes/{made}/comparison", before="1", after="2")
    assert [each["path"] for each in compared["differences"]] == ["journey/use/touchpoints/call/importance"]

    wrong = {**definition, "journey": [{**journey[0], "responsible": "janitor"}]}
    refused = await desk.does(f"/v1/processes/{made}/publish-version", {"definition": wrong})
    assert (refused.status_code, codes(refused)) == (422, ["unknown-role"])
    assert refused.json()["errors"][0]["pointer"] == "/definition/journey/0/responsible"


async def test_proc_7_the_page_of_a_deal_has_the_touchpoints_of_the_buyers_stage(office: Office) -> None:
    desk = office.somebody(Role.SALES_OPERATIONS)
    made = await desk.makes("/v1/deals", {**DEAL, "process_id": str(FULL_ID), "source": "fair"})
    answer = await desk.does(f"/v1/deals/{made}/note-buyer-stage", {"buyer_stage": "decision"})
    assert answer.status_code == 200, answer.text
    journey = (await page_of(desk, made, answer))["journey"]
    assert (journey["stage"], journey["noted"], journey["responsible"]) == ("decision", True, "rep")
    weights = [each["weight"] for each in journey["touchpoints"]]
    assert weights == [25, 20, 16]
