"""PROC-2: a process is drafted, tried out, published in waves and retired; deals keep their version."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.deals.domain.policies import OPENING_RULES
from services.deals.domain.process import process
from services.deals.domain.process.full import FULL
from services.deals.domain.process.piloting import EndPilot, Goal, PilotCrew, StartPilot
from services.deals.domain.process.publishing import (
    DiscardDraft,
    PlannedWave,
    PublishDraft,
    PublishProcess,
    PublishVersion,
    RetireProcess,
    SaveDraft,
)
from services.deals.domain.process.short import SHORT, SHORT_ID
from services.deals.domain.process.state import (
    DraftProcess,
    NewDeal,
    Pilot,
    PilotedProcess,
    PublishedProcess,
    RetiredProcess,
    Version,
    draw,
    newest,
    version_for,
)
from shared.commands.access import obstacle
from shared.domain import policy
from shared.domain.aggregate import status_of
from shared.domain.context import Actor, Company
from shared.domain.policy import InForce
from shared.domain.roles import Role
from shared.events.criteria import Predicate
from shared.events.deals.policy import OpeningRule, OpeningRules
from shared.events.deals.process import (
    PilotGoal,
    PilotPeople,
    ProcessDraftDiscarded,
    ProcessDrafted,
    ProcessPilotEnded,
    ProcessPilotStarted,
    ProcessPublished,
    ProcessRetired,
    Wave,
)
from shared.testing.scenario import CONTEXT, Scenario

ID = CONTEXT.aggregate_id
TODAY = date(2026, 3, 16)
OPENING = InForce(default=OPENING_RULES.default_of(Company()), on=TODAY)
THE_PROCESS = Scenario(aggregate=process).knowing(crew=PilotCrew(), opening=OPENING)
LONGER = replace(SHORT, name="Short, revised")
OTHER = replace(SHORT, name="Short, another time")
NORTH, SOUTH = UUID(int=70), UUID(int=71)
DRAFTED = ProcessDrafted(process_id=ID, definition=LONGER)
PUBLISHED = ProcessPublished(process_id=ID, process_version=1, definition=SHORT)
GOAL = PilotGoal(figure="sales-cycle", change=Decimal("-0.20"))
STARTED = ProcessPilotStarted(
    process_id=ID,
    process_version=2,
    definition=LONGER,
    goal=GOAL,
    on=TODAY,
    until=date(2026, 6, 15),
    share=Decimal(1),
)
START = StartPilot(goal=Goal(figure="sales-cycle", change=Decimal("-0.20")))
ADOPT = EndPilot(outcome="adopted", reason="A quarter faster.")
ENDED = ProcessPilotEnded(process_id=ID, process_version=2, outcome="adopted", reason="A quarter faster.")


def test_proc_2_a_new_process_can_begin_as_a_draft_that_no_deal_follows() -> None:
    outcome = THE_PROCESS.when(PublishProcess(definition=LONGER, draft=True)).then(DRAFTED)
    assert isinstance(outcome.state, DraftProcess)
    THE_PROCESS.given(DRAFTED).when(PublishProcess(definition=LONGER, draft=True)).then()
    THE_PROCESS.given(DRAFTED).when(PublishProcess(definition=LONGER)).then_rejected("not-in-this-state")


def test_proc_2_a_draft_is_saved_replaced_and_published_as_the_next_version() -> None:
    saved = THE_PROCESS.given(PUBLISHED).when(SaveDraft(definition=LONGER)).then(DRAFTED)
    assert isinstance(saved.state, PublishedProcess)
    assert saved.state.draft == LONGER
    THE_PROCESS.given(PUBLISHED, DRAFTED).when(SaveDraft(definition=LONGER)).then()
    THE_PROCESS.given(PUBLISHED, DRAFTED).when(SaveDraft(definition=OTHER)).then(replace(DRAFTED, definition=OTHER))
    second = replace(PUBLISHED, process_version=2, definition=LONGER, from_draft=True)
    published = THE_PROCESS.given(PUBLISHED, DRAFTED).when(PublishDraft()).then(second)
    assert published.state.draft is None
    first = replace(PUBLISHED, definition=LONGER, from_draft=True)
    THE_PROCESS.given(DRAFTED).when(PublishDraft()).then(first)
    THE_PROCESS.given(PUBLISHED, DRAFTED, second).when(PublishDraft()).then_rejected("no-draft")


def test_proc_2_a_version_that_is_published_past_the_draft_leaves_it() -> None:
    outcome = THE_PROCESS.given(PUBLISHED, DRAFTED).when(PublishVersion(definition=OTHER))
    assert outcome.state.draft == LONGER
    assert [version.number for version in outcome.state.versions] == [1, 2]
    same = THE_PROCESS.given(PUBLISHED, DRAFTED).when(PublishVersion(definition=LONGER))
    same.then(replace(PUBLISHED, process_version=2, definition=LONGER, from_draft=True))
    assert same.state.draft is None


def test_proc_2_a_draft_is_discarded_and_without_one_there_is_nothing_to_publish() -> None:
    gone = ProcessDraftDiscarded(process_id=ID)
    THE_PROCESS.given(PUBLISHED, DRAFTED).when(DiscardDraft()).then(gone)
    THE_PROCESS.given(PUBLISHED, DRAFTED, gone).when(DiscardDraft()).then()
    THE_PROCESS.given(PUBLISHED, DRAFTED, gone).when(PublishDraft()).then_rejected("no-draft")
    THE_PROCESS.given(PUBLISHED).when(START).then_rejected("no-draft")


def test_proc_2_a_draft_is_checked_when_it_is_saved() -> None:
    bad = replace(LONGER, key="other", stages=(replace(SHORT.stages[0], category="certain"), *SHORT.stages[1:]))
    outcome = THE_PROCESS.given(PUBLISHED).when(SaveDraft(definition=bad))
    outcome.then_rejected("invalid-process", "unknown-category", "other-key")
    THE_PROCESS.given(DRAFTED).when(SaveDraft(definition=replace(LONGER, key="other"))).then_rejected(
        "invalid-process", "other-key"
    )


def test_proc_2_a_pilot_runs_three_months_with_its_goal_unless_said_otherwise() -> None:
    THE_PROCESS.given(PUBLISHED, DRAFTED).when(START).then(STARTED)
    wanted = replace(START, teams=(NORTH,), industries=("machinery",), share=Decimal("0.5"), until=date(2026, 12, 31))
    THE_PROCESS.given(PUBLISHED, DRAFTED).when(wanted).then(
        replace(STARTED, teams=(NORTH,), industries=("machinery",), share=Decimal("0.5"), until=date(2026, 12, 31))
    )


LEVELS = [PilotPeople(experience=level, reps=2) for level in ("experienced", "new", "senior")]


@pytest.mark.parametrize(
    ("people", "warnings"),
    [
        (None, ()),
        ((), ("nobody",)),
        ((LEVELS[0],), ("one-level",)),
        (tuple(LEVELS[:2]), ()),
        (tuple(LEVELS), ()),
    ],
)
def test_proc_2_a_pilot_warns_when_its_people_are_all_of_one_level(
    people: tuple[PilotPeople, ...] | None, warnings: tuple[str, ...]
) -> None:
    outcome = THE_PROCESS.given(PUBLISHED, DRAFTED).knowing(crew=PilotCrew(people=people)).when(START)
    outcome.then(replace(STARTED, people=people))
    assert outcome.state.versions[1].pilot.warnings == warnings


@pytest.mark.parametrize("until", [TODAY, date(2026, 3, 1), date(2028, 3, 17)])
def test_proc_2_a_pilot_ends_after_today_and_within_two_years(until: date) -> None:
    outcome = THE_PROCESS.given(PUBLISHED, DRAFTED).when(replace(START, until=until)).then_rejected("invalid-end")
    assert outcome.rejected is not None
    assert outcome.rejected.reasons[0].field == "until"


def test_proc_2_one_version_is_on_trial_at_a_time() -> None:
    THE_PROCESS.given(PUBLISHED, DRAFTED, STARTED).when(START).then()
    THE_PROCESS.given(PUBLISHED, DRAFTED, STARTED).when(replace(START, teams=(NORTH,))).then_rejected("no-draft")
    again = ProcessDrafted(process_id=ID, definition=OTHER)
    THE_PROCESS.given(PUBLISHED, DRAFTED, STARTED, again).when(START).then_rejected("pilot-running")


def test_proc_2_an_adopted_pilot_is_published_under_its_number() -> None:
    second = replace(PUBLISHED, process_version=2, definition=LONGER)
    outcome = THE_PROCESS.given(PUBLISHED, DRAFTED, STARTED).when(ADOPT).then(ENDED, second)
    assert [(each.number, each.published) for each in outcome.state.versions] == [(1, True), (2, True)]
    assert outcome.state.versions[1].pilot.outcome == "adopted"
    THE_PROCESS.given(PUBLISHED, DRAFTED, STARTED, ENDED, second).when(ADOPT).then()


def test_proc_2_a_revised_pilot_is_the_next_draft_and_links_to_its_version() -> None:
    outcome = THE_PROCESS.given(PUBLISHED, DRAFTED, STARTED).when(replace(ADOPT, outcome="revised"))
    outcome.then(replace(ENDED, outcome="revised"), ProcessDrafted(process_id=ID, definition=LONGER, revises=2))
    assert outcome.state.draft == LONGER
    other = ProcessDrafted(process_id=ID, definition=OTHER)
    in_the_way = THE_PROCESS.given(PUBLISHED, DRAFTED, STARTED, other)
    in_the_way.when(replace(ADOPT, outcome="revised")).then_rejected("draft-in-the-way")


def test_proc_2_a_stopped_pilot_leaves_what_was_in_force() -> None:
    outcome = THE_PROCESS.given(PUBLISHED, DRAFTED, STARTED).when(replace(ADOPT, outcome="stopped"))
    outcome.then(replace(ENDED, outcome="stopped"))
    assert newest(outcome.state).version == 1  # type: ignore[union-attr]
    THE_PROCESS.given(PUBLISHED, DRAFTED, STARTED, replace(ENDED, outcome="stopped")).when(ADOPT).then_rejected(
        "no-pilot"
    )


def test_proc_2_only_an_adopted_version_has_waves_and_none_lies_in_the_past() -> None:
    wave = PlannedWave(on=date(2026, 4, 1), teams=(NORTH,))
    piloted = THE_PROCESS.given(PUBLISHED, DRAFTED, STARTED)
    piloted.when(replace(ADOPT, outcome="stopped", waves=(wave,))).then_rejected("nothing-published")
    late = piloted.when(replace(ADOPT, waves=(wave, replace(wave, on=date(2026, 3, 15)))))
    late.then_rejected("invalid-waves", "in-the-past")
    assert late.rejected is not None
    assert late.rejected.reasons[0].field == "waves.1.on"
    published = replace(PUBLISHED, process_version=2, definition=LONGER, waves=(Wave(on=wave.on, teams=(NORTH,)),))
    piloted.when(replace(ADOPT, waves=(wave,))).then(ENDED, published)


def test_proc_2_a_retired_process_has_no_new_versions_and_the_default_is_not_retired() -> None:
    retired = ProcessRetired(process_id=ID, reason="Replaced")
    outcome = THE_PROCESS.given(PUBLISHED).when(RetireProcess(reason="Replaced")).then(retired)
    assert isinstance(outcome.state, RetiredProcess)
    THE_PROCESS.given(PUBLISHED, retired).when(RetireProcess(reason="Again")).then()
    THE_PROCESS.given(PUBLISHED, retired).when(SaveDraft(definition=LONGER)).then_rejected("not-in-this-state")
    default = replace(PUBLISHED, process_id=SHORT_ID)
    THE_PROCESS.given(default).when(RetireProcess()).then_rejected("is-default")


@pytest.mark.parametrize("valid_from", [TODAY, date(2026, 4, 1)])
@pytest.mark.parametrize(
    "document",
    [
        OpeningRules(otherwise=ID),
        OpeningRules(
            otherwise=SHORT_ID,
            rules=(OpeningRule(name="known", when=Predicate(fact="amount", operator="known"), process_id=ID),),
        ),
    ],
)
def test_deal_1_a_process_to_which_rules_lead_today_or_later_is_not_retired(
    document: OpeningRules, valid_from: date
) -> None:
    version = policy.Version(
        number=1, valid_from=valid_from, document=document, team=None, process=None, set_on=OPENING.on, reason=None
    )
    rules = replace(OPENING, versions=(version,))
    followed = THE_PROCESS.given(PUBLISHED)
    followed.knowing(opening=rules).when(RetireProcess()).then_rejected("chosen-by-rules")
    over = replace(version, number=2, document=OpeningRules(otherwise=SHORT_ID))
    followed.knowing(opening=replace(rules, versions=(version, over))).when(RetireProcess()).then(
        ProcessRetired(process_id=ID, reason=None)
    )


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SALES_OPERATIONS, Role.ADMIN, Role.SERVICE}))
def test_proc_2_only_sales_operations_shape_a_process(role: Role) -> None:
    for command in (PublishProcess, PublishVersion, SaveDraft, DiscardDraft, PublishDraft, StartPilot, EndPilot):
        assert all(role not in handler.allow for handler in process.handlers[command])


FIRST = replace(STARTED, process_version=1)
OPS = Actor(subject="ops", roles=frozenset({Role.SALES_OPERATIONS}))


def test_proc_2_a_process_of_which_nothing_is_published_is_not_called_so() -> None:
    """Neither while its first version is on trial, nor once that was stopped, nor with a further draft."""
    tried = THE_PROCESS.given(DRAFTED).when(START).then(FIRST)
    assert isinstance(tried.state, PilotedProcess)
    assert status_of(process, tried.state) == "piloted"
    stopped = replace(ENDED, process_version=1, outcome="stopped")
    of_one = THE_PROCESS.given(DRAFTED, FIRST)
    over = of_one.when(replace(ADOPT, outcome="stopped")).then(stopped)
    again = of_one.given(stopped).when(SaveDraft(definition=OTHER))
    assert {type(over.state), type(again.state)} == {PilotedProcess}
    assert of_one.given(stopped).when(RetireProcess()).state == RetiredProcess(id=ID, versions=over.state.versions)


def test_proc_2_what_was_tried_out_is_published_once_it_is_adopted_or_another_version_is() -> None:
    of_one = THE_PROCESS.given(DRAFTED, FIRST)
    adopted = of_one.when(ADOPT).then(replace(ENDED, process_version=1), replace(PUBLISHED, definition=LONGER))
    beside = of_one.when(PublishVersion(definition=SHORT)).then(replace(PUBLISHED, process_version=2))
    assert {type(adopted.state), type(beside.state)} == {PublishedProcess}
    same = PublishVersion(definition=LONGER)
    of_one.when(same).then_rejected("pilot-running")
    stopped = replace(ENDED, process_version=1, outcome="stopped")
    of_one.given(stopped).when(same).then(replace(PUBLISHED, process_version=2, definition=LONGER))
    assert type(THE_PROCESS.given(PUBLISHED, DRAFTED).when(START).state) is PublishedProcess


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ((PUBLISHED,), {"discard_draft": "no-draft", "publish_draft": "no-draft", "start_pilot": "no-draft"}),
        ((DRAFTED,), {"discard_draft": "not-in-this-state", "end_pilot": "not-in-this-state"}),
        ((PUBLISHED, DRAFTED), {"end_pilot": "no-pilot"}),
        ((PUBLISHED, DRAFTED, STARTED), {"discard_draft": "no-draft", "publish_draft": "no-draft"}),
        ((DRAFTED, FIRST, replace(DRAFTED, definition=OTHER)), {"start_pilot": "pilot-running"}),
        ((replace(PUBLISHED, process_id=SHORT_ID),), {"retire": "is-default"}),
    ],
)
def test_proc_2_what_the_state_of_a_process_rules_out_is_not_among_what_may_be_done(
    given: tuple[Any, ...], refused: dict[str, str]
) -> None:
    state = process.fold(given)
    commands = {DiscardDraft, PublishDraft, StartPilot, EndPilot, RetireProcess}
    reasons = {process.handlers[each][0].name: obstacle(OPS, process, state, each) for each in commands}
    assert refused.items() <= {name: reason.code for name, reason in reasons.items() if reason}.items()


# -- which version a new deal follows ---------------------------------------------------------------------------------

ONE = Version(number=1, definition=SHORT, published=True)
PILOT = Pilot(goal=GOAL, on=TODAY, until=date(2026, 6, 15), teams=(), industries=(), share=Decimal(1))
DEAL = NewDeal(id=UUID(int=1), on=TODAY, teams=frozenset({NORTH}), industry="machinery")


def chosen(deal: NewDeal, *versions: Version) -> int | None:
    found = version_for(PublishedProcess(id=ID, versions=versions), deal)
    return found.version if found else None


def on_trial(**changes: Any) -> Version:
    return Version(number=2, definition=LONGER, published=False, pilot=replace(PILOT, **changes))


@pytest.mark.parametrize(
    ("version", "number"),
    [
        (on_trial(), 2),
        (on_trial(on=date(2026, 3, 17)), 1),
        (on_trial(until=TODAY), 2),
        (on_trial(until=date(2026, 3, 15)), 1),
        (on_trial(teams=(NORTH, SOUTH)), 2),
        (on_trial(teams=(SOUTH,)), 1),
        (on_trial(industries=("machinery",)), 2),
        (on_trial(industries=("retail",)), 1),
        (on_trial(share=Decimal(0)), 1),
        (on_trial(outcome="stopped"), 1),
        (Version(number=2, definition=LONGER, published=True), 2),
        (Version(number=2, definition=LONGER, published=True, waves=(Wave(on=TODAY),)), 2),
        (Version(number=2, definition=LONGER, published=True, waves=(Wave(on=date(2026, 3, 17)),)), 1),
        (Version(number=2, definition=LONGER, published=True, waves=(Wave(on=TODAY, teams=(SOUTH,)),)), 1),
        (
            Version(
                number=2,
                definition=LONGER,
                published=True,
                waves=(Wave(on=TODAY, teams=(SOUTH,)), Wave(on=TODAY, teams=(NORTH,))),
            ),
            2,
        ),
    ],
)
def test_proc_2_a_new_deal_follows_the_pilot_that_it_falls_into_else_what_has_reached_its_team(
    version: Version, number: int
) -> None:
    assert chosen(DEAL, ONE, version) == number


def test_proc_2_a_process_that_is_only_on_trial_is_followed_by_its_pilot_alone() -> None:
    alone = replace(on_trial(teams=(SOUTH,)), number=1)
    assert chosen(DEAL, alone) is None
    assert chosen(replace(DEAL, teams=frozenset({SOUTH})), alone) == 1


def test_proc_2_the_share_of_a_pilot_is_that_of_the_deals_and_the_same_whenever_it_is_drawn() -> None:
    """Vectors of the hash beside the share of many: whoever changed it would move deals between the groups."""
    assert [round(draw(ID, number, UUID(int=1)), 6) for number in (1, 2)] == [Decimal("0.792374"), Decimal("0.443356")]
    deals = [UUID(int=number) for number in range(4000)]
    drawn = sum(chosen(replace(DEAL, id=deal), ONE, on_trial(share=Decimal("0.25"))) == 2 for deal in deals)
    assert 850 < drawn < 1150
    both = sum(draw(ID, 2, deal) < Decimal("0.5") and draw(ID, 3, deal) < Decimal("0.5") for deal in deals)
    assert 850 < both < 1150


def test_proc_1_the_full_process_can_be_drafted_and_tried_out() -> None:
    first = ProcessDrafted(process_id=ID, definition=FULL)
    outcome = THE_PROCESS.given(first).when(START)
    assert outcome.state.versions[0].definition == FULL
    assert newest(outcome.state) is None
