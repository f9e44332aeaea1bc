"""PROC-7: where the buyer stands, beside the stage of the seller; and DEAL-7, where the seller is ahead of them."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.deals.domain.deal.buyer import NoteBuyerStage
from services.deals.domain.deal.erasure import EraseTexts
from services.deals.domain.deal.facts import facts_of
from services.deals.domain.deal.gates import CHANGED_BY
from services.deals.domain.deal.next_actions import NextAction
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.journey import BUYER_STAGES, is_ahead
from services.deals.domain.process.faults import faults
from services.deals.domain.process.full import FULL
from services.deals.domain.process.short import SHORT
from shared.domain.roles import Role
from shared.events.deals.deal import DealLost, DealTextsErased, DealWon
from shared.events.deals.deal_record import DealBuyerStageNoted
from tests.services.deals.conftest import Office
from tests.services.deals.facts import FRIDAY, ID, OPENED, OPENED_FRIDAY, PROCESS, TALKED, THE_DEAL, TODAY
from tests.services.deals.test_next_actions import BUYER, IN_THE_LAST_STAGE, STEP, asked, given
from tests.services.deals.test_service import DEAL, codes
from tests.services.leads.conftest import patiently

OPEN = THE_DEAL.given(OPENED)
NOTE = NoteBuyerStage(buyer_stage="interest", evidence="They read our offer, says Ada.")
NOTED = DealBuyerStageNoted(
    deal_id=ID, before=None, buyer_stage="interest", evidence="They read our offer, says Ada.", on=TODAY
)
WON = DealWon(deal_id=ID, on=TODAY, amount=OPENED.amount, stage=OPENED.stage, name=OPENED.name)
LOST = DealLost(deal_id=ID, on=TODAY, amount=OPENED.amount, stage=OPENED.stage, reason="price")
TOMORROW = date(2026, 3, 17)


def test_proc_7_a_deal_holds_where_the_buyer_stands() -> None:
    outcome = OPEN.when(NOTE).then(NOTED)
    buyer = outcome.state.buyer
    assert (buyer.stage, buyer.on, buyer.evidence) == ("interest", TODAY, NOTE.evidence)
    assert outcome.state.stage == OPENED.stage, "the stage of the seller is another thing"
    further = replace(NOTED, before="interest", buyer_stage="decision", evidence=None)
    OPEN.given(NOTED).when(NoteBuyerStage(buyer_stage="decision")).then(further)
    back = replace(NOTED, before="interest", buyer_stage="awareness", evidence=None)
    OPEN.given(NOTED).when(NoteBuyerStage(buyer_stage="awareness")).then(back)


def test_proc_7_the_same_once_more_changes_nothing() -> None:
    OPEN.given(NOTED).when(NOTE).then()
    OPEN.given(NOTED).when(replace(NOTE, on=TODAY)).then()
    other = replace(NOTE, evidence="They asked for a price.")
    OPEN.given(NOTED).when(other).then(replace(NOTED, before="interest", evidence=other.evidence))
    confirmed = replace(NOTED, before="interest")
    THE_DEAL.given(OPENED_FRIDAY, replace(NOTED, on=FRIDAY)).when(replace(NOTE, on=TODAY)).then(confirmed)


def test_proc_7_what_was_found_out_before_takes_no_place_of_what_is_known() -> None:
    OPEN.when(replace(NOTE, on=FRIDAY)).then(replace(NOTED, on=FRIDAY))
    OPEN.given(NOTED).when(replace(NOTE, on=FRIDAY)).then_rejected("known-since")
    OPEN.when(replace(NOTE, on=TOMORROW)).then_rejected("in-the-future")


def test_proc_7_who_bought_uses_it_and_who_did_not_has_no_journey_with_us() -> None:
    used = replace(NOTED, before="interest", buyer_stage="use", evidence=None)
    outcome = OPEN.given(NOTED, WON).when(NoteBuyerStage(buyer_stage="use")).then(used)
    assert outcome.state.buyer.stage == "use"
    OPEN.given(NOTED, WON).when(NOTE).then()
    OPEN.given(NOTED, LOST).when(NoteBuyerStage(buyer_stage="churn")).then_rejected("not-in-this-state")


def test_data_4_what_it_rests_on_is_a_text_that_is_erased() -> None:
    OPEN.given(NOTED).when(EraseTexts()).then(DealTextsErased(deal_id=ID))
    assert OPEN.when(NOTE).state.written
    assert not OPEN.when(replace(NOTE, evidence=None)).state.written


def test_proc_3_a_gate_may_ask_where_the_buyer_stands() -> None:
    unknown = Conversion(currency="EUR", factors={})
    assert facts_of(OPEN.when(NOTE).state, PROCESS, unknown)["buyer_stage"] == "interest"
    assert facts_of(OPEN.when(replace(NOTE, on=TOMORROW)).state, PROCESS, unknown)["buyer_stage"] is None
    assert CHANGED_BY["buyer_stage"] == "note-buyer-stage"


@pytest.mark.parametrize("definition", [SHORT, FULL], ids=lambda each: each.key)
def test_proc_7_a_stage_mirrors_one_of_the_journey(definition: Any) -> None:
    assert not list(faults(definition))
    first, *others = definition.stages
    wrong = replace(definition, stages=(replace(first, buyer_stage="bliss"), *others))
    (fault,) = faults(wrong)
    assert (fault.code, fault.field) == ("unknown-buyer-stage", "definition.stages.0.buyer_stage")
    assert all(stage in fault.message for stage in BUYER_STAGES)
    assert not list(faults(replace(definition, stages=(replace(first, buyer_stage=None), *others))))


@pytest.mark.parametrize(
    ("mirrored", "stands", "expected"),
    [
        ("interest", "awareness", True),
        ("interest", "interest", False),
        ("interest", "evaluation", False),
        ("decision", "evaluation", True),
        ("churn", "use", True),
        ("churn", "repurchase", False),
        ("repurchase", "churn", False),
        (None, "awareness", False),
        ("bliss", "awareness", False),
    ],
)
def test_proc_7_repurchase_and_churn_end_the_journey_side_by_side(
    mirrored: str | None, stands: str, expected: bool
) -> None:
    assert is_ahead(mirrored, stands) is expected


def ahead(*events: Any) -> list[NextAction]:
    return [each for each in asked(*events, of=given()) if each.reason == "seller-ahead-of-buyer"]


LATE = (OPENED, TALKED, STEP, BUYER, IN_THE_LAST_STAGE)
"""In a stage that mirrors the buyer's decision."""


def test_deal_7_a_seller_ahead_of_the_buyer_brings_them_along_or_goes_back() -> None:
    (found,) = ahead(*LATE, NOTED)
    assert found.facts == {
        "stage": "contract-drafting",
        "mirrors": "decision",
        "buyer_stage": "interest",
        "found_on": "2026-03-16",
    }
    assert found.commands == ("log-activity", "note-buyer-stage", "move")
    assert (found.due, found.days, found.weighted) == (None, None, replace(OPENED.amount, amount=found.weighted.amount))


def test_deal_7_nobody_goes_back_from_the_first_stage() -> None:
    noted = replace(NOTED, buyer_stage="awareness")
    stages = (replace(PROCESS.definition.stages[0], buyer_stage="evaluation"), *PROCESS.definition.stages[1:])
    of = given()
    of = replace(of, process=replace(PROCESS, definition=replace(PROCESS.definition, stages=stages)))
    (found,) = [each for each in asked(OPENED, noted, of=of) if each.reason == "seller-ahead-of-buyer"]
    assert found.commands == ("log-activity", "note-buyer-stage")
    stays = replace(of.process, definition=replace(of.process.definition, can_move_back=False))
    (found,) = [each for each in asked(OPENED, noted, of=replace(of, process=stays)) if each.facts.get("mirrors")]
    assert found.commands == ("log-activity", "note-buyer-stage")


@pytest.mark.parametrize("stage", ["decision", "use", "repurchase", "churn"])
def test_deal_7_a_buyer_who_is_as_far_is_not_ahead_of(stage: str) -> None:
    assert ahead(*LATE, replace(NOTED, buyer_stage=stage)) == []


def test_deal_7_of_a_buyer_of_whom_nothing_is_known_nobody_says_so() -> None:
    assert ahead(*LATE) == []


async def test_proc_7_the_buyers_stage_is_shown_and_listed(office: Office) -> None:
    desk = office.somebody(Role.SALES_OPERATIONS)
    made = await desk.makes("/v1/deals", {**DEAL, "source": "fair"})
    body = {"buyer_stage": "awareness", "evidence": "They asked what we do."}
    answer = await desk.does(f"/v1/deals/{made}/note-buyer-stage", body)
    assert answer.status_code == 200, answer.text
    token = {"Consistency-Token": answer.headers["Consistency-Token"]}
    again = await desk.does(f"/v1/deals/{made}/note-buyer-stage", body)
    assert again.json()["version"] == answer.json()["version"]
    refused = await desk.does(f"/v1/deals/{made}/note-buyer-stage", {"buyer_stage": "bliss"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/buyer_stage")
    refused = await desk.does(f"/v1/deals/{made}/note-buyer-stage", {**body, "on": "2999-01-01"})
    assert (refused.status_code, codes(refused)) == (422, ["in-the-future"])

    found = await desk.sees(f"/v1/deals/{made}")
    assert (found["buyer"]["stage"], found["buyer"]["evidence"]) == ("awareness", body["evidence"])
    page = (await patiently(lambda: desk.client.get(f"/v1/deals/{made}/page", headers=token), token)).json()
    assert page["deal"]["buyer"] == found["buyer"]
    assert page["events"]["items"][0]["type"] == "deals.deal-buyer-stage-noted"
    assert page["events"]["items"][0]["text"] == "Buyer's stage noted"
    newest = {"sort": "-opened_at", "limit": "100"}
    listed = await desk.sees("/v1/deals", buyer_stage="awareness", **newest)
    assert {each["buyer_stage"] for each in listed["items"] if each["id"] == made} == {"awareness"}
    others = await desk.sees("/v1/deals", buyer_stage="interest", **newest)
    assert made not in {each["id"] for each in others["items"]}
