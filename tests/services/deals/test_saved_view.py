"""DEAL-3: rules of saved views: whose they are, what can be kept, and that a query is what the list would be asked."""

from dataclasses import replace
from typing import Any, get_args
from uuid import UUID

import pytest

from services.deals.app import SERVICE
from services.deals.domain.saved_view import (
    ChangeView,
    CheckedView,
    SaveView,
    ShareView,
    Shown,
    WithdrawView,
    saved_view,
)
from services.deals.projections.saved_views import SAVED_VIEWS
from services.deals.projections.viewing import BOARD, CARDS, NARROWING, PROCESS, SHOWN, VERSION, faults
from shared.domain.context import Actor
from shared.domain.rejection import Reason
from shared.domain.roles import Role
from shared.events.deals.saved_view import ViewChanged, ViewSaved, ViewShared, ViewWithdrawn
from shared.ops.settings import Settings
from shared.service.build import build
from shared.testing.scenario import CONTEXT, scenario

ID = CONTEXT.aggregate_id
MEMBER, COLLEAGUE, TEAM = (UUID(int=number) for number in (71, 72, 73))
ME = Actor(subject="me", roles=frozenset({Role.REP}), member=MEMBER, team=TEAM, teams=frozenset({TEAM}))
OTHER = replace(ME, subject="other", member=COLLEAGUE)
OPERATIONS = Actor(subject="ops", roles=frozenset({Role.SALES_OPERATIONS}))
SAVE = SaveView(name="Large ones", shows="deals", query="status=open&sort=-amount")
SAVED = ViewSaved(
    saved_view_id=ID,
    name="Large ones",
    shows="deals",
    query="status=open&sort=-amount",
    shared_with="me",
    saved_by=MEMBER,
    owner=MEMBER,
    team=None,
)
WITH_TEAM = ViewShared(saved_view_id=ID, shared_with="team", owner=None, team=TEAM)
WITH_ALL = ViewShared(saved_view_id=ID, shared_with="everybody", owner=None, team=None)
AGAIN_MINE = ViewShared(saved_view_id=ID, shared_with="me", owner=MEMBER, team=None)
VIEWS = scenario(saved_view).knowing(view=CheckedView()).by(ME)


def test_deal_3_a_view_is_kept_changed_shared_and_withdrawn() -> None:
    VIEWS.when(SAVE).then(SAVED)
    VIEWS.given(SAVED).when(SAVE).then()
    smaller = ChangeView(name="Small ones", shows="quotes", query="sort=net")
    changed = ViewChanged(saved_view_id=ID, name="Small ones", shows="quotes", query="sort=net")
    VIEWS.given(SAVED).when(smaller).then(changed)
    VIEWS.given(SAVED, changed).when(smaller).then()
    VIEWS.given(SAVED).when(ShareView(shared_with="team")).then(WITH_TEAM)
    VIEWS.given(SAVED, WITH_TEAM).when(ShareView(shared_with="team")).then()
    VIEWS.given(SAVED, WITH_TEAM).when(ShareView(shared_with="everybody")).then(WITH_ALL)
    VIEWS.given(SAVED, WITH_ALL).when(ShareView(shared_with="me")).then(AGAIN_MINE)
    gone = ViewWithdrawn(saved_view_id=ID)
    VIEWS.given(SAVED).when(WithdrawView()).then(gone)
    VIEWS.given(SAVED, gone).when(WithdrawView()).then()


def test_api_4_only_whoever_keeps_a_view_changes_it_and_operations_may_withdraw_it() -> None:
    shared = VIEWS.given(SAVED, WITH_ALL).by(OTHER)
    for command in (ChangeView(name="Mine now", shows="deals"), ShareView(shared_with="me"), WithdrawView()):
        shared.when(command).then_rejected("not-yours")
    VIEWS.given(SAVED, WITH_TEAM).by(OPERATIONS).when(WithdrawView()).then(ViewWithdrawn(saved_view_id=ID))
    VIEWS.given(SAVED).by(OPERATIONS).when(ShareView(shared_with="me")).then_rejected("not-yours")


def test_a_view_is_kept_for_members_and_shared_with_a_team_that_there_is() -> None:
    VIEWS.by(OPERATIONS).when(SAVE).then_rejected("not-a-member")
    VIEWS.by(replace(ME, team=None)).when(replace(SAVE, shared_with="team")).then_rejected("no-team")


def test_what_cannot_be_asked_is_not_kept() -> None:
    wrong = Reason(code="unknown-parameter", message="stag: deals have no filter 'stag'.", field="query")
    refusing = VIEWS.knowing(view=CheckedView(faults=(wrong,)))
    refusing.when(SAVE).then_rejected("unknown-query")
    refusing.given(SAVED).when(ChangeView(name="A", shows="deals", query="stag=a")).then_rejected("unknown-query")


P = "0199d3a4-5b7c-7d2e-9f10-3a4b5c6d7e8f"


@pytest.mark.parametrize(
    ("shows", "query"),
    [
        ("deals", ""),
        ("deals", "status=open&status=lost&q=M%C3%BCller&mine=true&limit=20&totals=true"),
        ("quotes", "valid_until_to=2026-12-31&sort=valid_until"),
        ("board", f"process={P}"),
        ("board", f"process={P}&version=2&cards=50&mine=true&currency=EUR&currency=CHF"),
    ],
)
def test_deal_3_what_a_list_or_a_board_takes_can_be_kept(shows: str, query: str) -> None:
    assert faults(shows, query, replace(CONTEXT, actor=ME)) == []


@pytest.mark.parametrize(
    ("shows", "query", "expected"),
    [
        ("deals", "stag=a", [("unknown-parameter", "stag: ")]),
        ("deals", "status=gone", [("invalid-value", "status: ")]),
        ("deals", "sort=colour", [("unknown-sort", "sort: ")]),
        ("deals", "sort=amount&sort=name", [("repeated-parameter", "sort: ")]),
        ("deals", "q=a&q=b", [("repeated-parameter", "q: ")]),
        ("deals", "q=", [("invalid-value", "q: ")]),
        ("deals", "limit=1000", [("invalid-value", "limit: ")]),
        ("deals", "cursor=abc", [("unknown-parameter", "cursor: ")]),
        ("deals", "status", [("malformed", "query: ")]),
        ("deals", "&".join(["status=open"] * 201), [("malformed", "query: ")]),
        ("deals", "mine=true&unassigned=true", [("contradiction", "mine: "), ("contradiction", "unassigned: ")]),
        ("quotes", "stage=a&status=open", [("unknown-parameter", "stage: "), ("invalid-value", "status: ")]),
        ("board", "", [("invalid-value", "process: ")]),
        ("board", "process=x", [("invalid-value", "process: ")]),
        ("board", f"process={P}&status=lost", [("unknown-parameter", "status: ")]),
        ("board", f"process={P}&cards=51&version=0", [("invalid-value", "version: "), ("invalid-value", "cards: ")]),
        ("board", f"process={P}&category=certain", [("invalid-value", "category: ")]),
    ],
)
def test_deal_3_what_is_wrong_with_a_query_is_named(shows: str, query: str, expected: list[tuple[str, str]]) -> None:
    found = faults(shows, query, replace(CONTEXT, actor=ME))
    assert {reason.field for reason in found} == {"query"}
    assert sorted((reason.code, reason.message.split(" ")[0] + " ") for reason in found) == sorted(expected)


def test_every_list_of_the_service_can_be_kept_but_that_of_views() -> None:
    assert set(get_args(Shown)) == {BOARD, *SHOWN}
    assert SHOWN.keys() == {listing.name for listing in SERVICE.listings} - {SAVED_VIEWS.name}


def test_a_view_of_the_board_takes_what_the_board_takes() -> None:
    document: dict[str, Any] = build(
        SERVICE, Settings(service="deals", database_url="", claim_secret="c" * 32)
    ).openapi()
    told = {
        each["name"]: each["schema"]
        for each in document["paths"]["/v1/board"]["get"]["parameters"]
        if each["in"] == "query"
    }
    assert told.keys() == {PROCESS, VERSION, CARDS, *NARROWING}
