"""PROC-8: that a piece of content was sent, opened or attended is told by an activity: the rules."""

from dataclasses import replace
from uuid import UUID

import pytest

from services.deals.domain.deal import deal
from services.deals.domain.deal.content import ContentUse, NamedContent
from services.deals.domain.deal.corrections import CorrectActivity, Telling, Tellings
from services.deals.domain.deal.work import LogActivity
from shared.domain.context import Moment
from shared.events.deals.deal import ContentUsed, DealActivityLogged, DealFactRetracted
from shared.events.deals.deal_record import DealActivityCorrected
from shared.testing.scenario import CONTEXT, SOMEBODY
from tests.services.deals.facts import ID, OPENED, THE_DEAL, TODAY

CASE, ACTIVITY, REQUEST = UUID(int=88), UUID(int=50), UUID(int=77)
SEND = LogActivity(activity_id=ACTIVITY, kind="email", content_id=CASE)
USED = ContentUsed(content_id=CASE, content_version=3, use="sent")
SENT = DealActivityLogged(deal_id=ID, activity_id=ACTIVITY, kind="email", by=SOMEBODY.member, on=TODAY, content=USED)
TOLD = Tellings(of={ACTIVITY: Telling(request=REQUEST, at=Moment(CONTEXT.now))})


def test_proc_8_what_is_sent_counts_in_the_version_of_the_day() -> None:
    THE_DEAL.given(OPENED).when(SEND).then(SENT)
    THE_DEAL.given(OPENED).when(replace(SEND, content_use="sent")).then(SENT)


@pytest.mark.parametrize("use", ["opened", "attended"])
def test_proc_8_that_it_was_opened_or_attended_is_told_too(use: ContentUse) -> None:
    THE_DEAL.given(OPENED).when(replace(SEND, content_use=use)).then(replace(SENT, content=replace(USED, use=use)))


def test_proc_8_the_same_use_again_records_nothing_whatever_the_version_is_by_now() -> None:
    later = THE_DEAL.knowing(content=NamedContent(version=4)).given(OPENED, SENT)
    later.when(SEND).then()
    later.when(replace(SEND, content_use="opened")).then_rejected("already-logged")
    later.when(replace(SEND, content_id=None)).then_rejected("already-logged")


@pytest.mark.parametrize(
    ("content", "command", "code", "field"),
    [
        (NamedContent(version=2, is_active=False), SEND, "retired-content", "content_id"),
        (NamedContent(), SEND, "unknown-content-item", "content_id"),
        (NamedContent(), replace(SEND, content_id=None, content_use="sent"), "without-content", "content_use"),
    ],
)
def test_proc_8_what_is_not_in_use_is_refused_with_its_field(
    content: NamedContent, command: LogActivity, code: str, field: str
) -> None:
    outcome = THE_DEAL.knowing(content=content).given(OPENED).when(command).then_rejected(code)
    assert outcome.rejected is not None
    assert [reason.field for reason in outcome.rejected.reasons] == [field]


def test_proc_8_a_correction_keeps_the_version_that_was_used() -> None:
    correct = CorrectActivity(activity_id=ACTIVITY, kind="email", content_id=CASE, content_use="opened")
    corrected = DealActivityCorrected(
        deal_id=ID,
        activity_id=ACTIVITY,
        kind="email",
        by=SOMEBODY.member,
        on=TODAY,
        content=replace(USED, use="opened"),
    )
    known = THE_DEAL.knowing(content=NamedContent(version=9, is_active=False), tellings=TOLD).given(OPENED, SENT)
    known.when(correct).then(DealFactRetracted(deal_id=ID, request=REQUEST), corrected)
    other = replace(correct, content_id=UUID(int=89))
    known.when(other).then_rejected("retired-content")
    state = deal.fold([OPENED, corrected])
    assert [each.content for each in state.activities] == [corrected.content]
