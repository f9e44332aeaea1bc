"""DEAL-6: a rep asks whoever leads them for help with a deal; guidance and what came of it are recorded."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.deals.domain.deal import deal
from services.deals.domain.deal.approval import PendingApprovals
from services.deals.domain.deal.automation import Reevaluate
from services.deals.domain.deal.closing import AbandonDeal, LoseDeal, WinDeal
from services.deals.domain.deal.helping import AskForHelp, ConcludeHelp, GiveGuidance
from services.deals.domain.deal.history import ImportDealLoss
from shared.commands.access import obstacle
from shared.domain.context import Actor, service_actor
from shared.domain.roles import Role
from shared.events.deals.deal_help import DealGuidanceGiven, DealHelpAsked, DealHelpConcluded
from shared.testing.scenario import NOW
from tests.services.deals.conftest import Office
from tests.services.deals.facts import ID, OPENED, OTHER, OWNER, REP, TEAM, THE_DEAL, TODAY
from tests.services.deals.test_qualification_at_work import recorded
from tests.services.deals.test_service import DEAL

QUESTION, ADVICE = "Who knows the board?", "Our director calls theirs"
ASK = AskForHelp(kind="access", urgency="this-week", question=QUESTION)
BOSS = Actor(subject="boss", roles=frozenset({Role.MANAGER}), member=OTHER, teams=frozenset({TEAM}))
OPEN = THE_DEAL.given(OPENED)
ASKED: DealHelpAsked = OPEN.by(REP).when(ASK).facts[0].event
GUIDED = DealGuidanceGiven(deal_id=ID, help_id=ASKED.help_id, guidance=ADVICE, by=OTHER, on=TODAY)
HELPED = DealHelpConcluded(deal_id=ID, help_id=ASKED.help_id, outcome="helped", note="Friday", on=TODAY)


def test_deal_6_a_rep_asks_for_help_with_kind_and_urgency() -> None:
    OPEN.by(REP).when(ASK).then(
        DealHelpAsked(
            deal_id=ID,
            help_id=ASKED.help_id,
            kind="access",
            urgency="this-week",
            question=QUESTION,
            asked_by=OWNER,
            on=TODAY,
            name=OPENED.name,
        )
    )


def test_deal_6_one_question_is_open_at_a_time() -> None:
    other = replace(ASK, question="What may it cost?")
    waiting = OPEN.given(ASKED)
    waiting.when(ASK).then()
    waiting.when(other).then_rejected("already-asked")
    waiting.given(GUIDED).when(other).then_rejected("already-asked")
    again = waiting.given(GUIDED, HELPED).when(other)
    assert [fact.event.question for fact in again.facts] == ["What may it cost?"]


def test_deal_6_the_end_of_a_deal_says_that_nobody_has_to_know_of_the_help_that_is_asked_for() -> None:
    for events, ends in (((), False), ((ASKED,), True), ((ASKED, GUIDED, HELPED), False)):
        for command in (WinDeal(), LoseDeal(reason="price"), AbandonDeal(reason="no-answer")):
            (closed,) = OPEN.given(*events).when(command).facts
            assert closed.event.ends_notices is ends


def test_deal_6_guidance_is_given_once_and_repeated_without_effect() -> None:
    OPEN.when(GiveGuidance(guidance=ADVICE)).then_rejected("no-help-asked")
    OPEN.given(ASKED).by(BOSS).when(GiveGuidance(guidance=ADVICE)).then(GUIDED)
    guided = OPEN.given(ASKED, GUIDED)
    guided.when(GiveGuidance(guidance=ADVICE)).then()
    guided.when(GiveGuidance(guidance="Wait")).then_rejected("already-guided")


def test_deal_6_what_may_be_done_about_help_follows_from_what_is_asked() -> None:
    def codes(*events: object) -> list[str | None]:
        state = deal.fold([OPENED, *events])
        reasons = [obstacle(BOSS, deal, state, command) for command in (AskForHelp, GiveGuidance, ConcludeHelp)]
        return [reason.code if reason else None for reason in reasons]

    assert codes() == [None, "no-help-asked", "no-help-asked"]
    assert codes(ASKED) == ["already-asked", None, None]
    assert codes(ASKED, GUIDED) == ["already-asked", "already-guided", None]
    assert codes(ASKED, GUIDED, HELPED) == [None, "no-help-asked", "no-help-asked"]


def test_deal_6_what_came_of_it_is_told_also_once_the_deal_is_closed() -> None:
    concluded = ConcludeHelp(outcome="helped", note="Friday")
    OPEN.when(concluded).then_rejected("no-help-asked")
    OPEN.given(ASKED, GUIDED).when(concluded).then(HELPED)
    OPEN.given(ASKED, GUIDED, HELPED).when(concluded).then()
    OPEN.given(ASKED, GUIDED, HELPED).when(ConcludeHelp(outcome="did-not-help")).then_rejected("no-help-asked")
    lost = OPEN.given(ASKED, GUIDED).when(LoseDeal(reason="price")).facts[0].event
    later = OPEN.given(ASKED, GUIDED, lost).at(NOW + timedelta(days=1))
    later.when(ConcludeHelp(outcome="not-needed")).then(
        DealHelpConcluded(deal_id=ID, help_id=ASKED.help_id, outcome="not-needed", on=TODAY + timedelta(days=1))
    )
    later.when(ASK).then_rejected("not-in-this-state")


def test_deal_6_the_end_of_a_deal_withdraws_a_question_that_nobody_has_answered() -> None:
    """What came of guidance is still to be said, and what was concluded stays."""
    withdrawn = DealHelpConcluded(deal_id=ID, help_id=ASKED.help_id, outcome="withdrawn", on=TODAY)
    for events, follows in (((), []), ((ASKED,), [withdrawn]), ((ASKED, GUIDED), []), ((ASKED, GUIDED, HELPED), [])):
        ended = OPEN.given(*events).when(LoseDeal(reason="price"))
        conclusion = deal.conclusion_of(ended.state)
        assert conclusion is not None
        assert conclusion.run(ended.state, OPEN.context, {"pending": PendingApprovals()}) == follows
    history = OPEN.given(ASKED).when(ImportDealLoss(on=TODAY)).facts[0].event
    assert history.ends_what_waits is True
    late = OPEN.given(ASKED, history).by(service_actor("deals"))
    late.when(Reevaluate()).then(withdrawn)
    late.given(withdrawn).when(Reevaluate()).then()


# -- at work ----------------------------------------------------------------------------------------------------------


async def test_deal_6_help_is_shown_to_those_who_see_the_deal_and_its_texts_are_not_published(office: Office) -> None:
    """DATA-4: nor are they left once they are erased."""
    team = await office.team()
    rep, other = (office.somebody(Role.REP, team.subjects[place]) for place in (0, 1))
    manager = office.somebody(Role.MANAGER, team.subjects[2])
    deal = await rep.makes("/v1/deals", DEAL)
    path = f"/v1/deals/{deal}"
    await rep.makes(f"{path}/ask-for-help", {"kind": "access", "urgency": "today", "question": QUESTION})
    refused = await rep.does(f"{path}/give-guidance", {"guidance": ADVICE})
    assert refused.status_code == 403
    await manager.makes(f"{path}/give-guidance", {"guidance": ADVICE})
    await rep.makes(f"{path}/conclude-help", {"outcome": "helped", "note": "Friday"})
    (told,) = (await manager.sees(f"{path}/help"))["items"]
    assert (told["kind"], told["urgency"], told["question"]) == ("access", "today", QUESTION)
    assert (told["asked_by"], told["guidance"], told["outcome"]) == (team.rep, ADVICE, "helped")
    assert await other.status(f"{path}/help") == 404
    published = str(await recorded(office, deal))
    assert not [text for text in (QUESTION, ADVICE, "Friday") if text in published]
    await office.somebody().makes(f"{path}/erase-texts")
    (left,) = (await rep.sees(f"{path}/help"))["items"]
    assert (left["question"], left["guidance"], left["note"], left["outcome"]) == (None, None, None, "helped")


async def test_deal_6_a_deal_that_was_reopened_asks_anew(office: Office) -> None:
    rep = office.somebody()
    path = f"/v1/deals/{await rep.makes('/v1/deals', DEAL)}"
    asks = {"kind": "access", "urgency": "today", "question": QUESTION}
    await rep.makes(f"{path}/ask-for-help", asks)
    await rep.makes(f"{path}/lose", {"reason": "price"})
    (told,) = (await rep.sees(f"{path}/help"))["items"]
    assert (told["outcome"], told["note"]) == ("withdrawn", None)
    assert (await rep.does(f"{path}/conclude-help", {"outcome": "withdrawn"})).status_code == 422
    await rep.makes(f"{path}/reopen", {"reason": "They came back."})
    await rep.makes(f"{path}/ask-for-help", asks)
    assert [each["outcome"] for each in (await rep.sees(f"{path}/help"))["items"]] == ["withdrawn", None]


@pytest.mark.parametrize("wrong", [{"kind": "money"}, {"urgency": "now"}, {"question": " "}])
async def test_api_1_help_is_asked_in_known_words(office: Office, wrong: dict[str, str]) -> None:
    desk = office.somebody()
    deal = await desk.makes("/v1/deals", DEAL)
    body = {"kind": "access", "urgency": "today", "question": QUESTION, **wrong}
    assert (await desk.does(f"/v1/deals/{deal}/ask-for-help", body)).status_code == 422
