"""Who may give which command to whose deal: every role, every command, every scope (API-4).

The table stands here once more, in words, so that a permission that changes is noticed, and a new command is classed.
"""

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from uuid import UUID

import pytest

from services.deals.app import SERVICE
from shared.commands.access import authorise, is_seen
from shared.commands.request import CommandRequest, Forbidden, NotFound
from shared.domain.aggregate import Aggregate, Handler
from shared.domain.context import Actor
from shared.domain.roles import Role

ME, COLLEAGUE, STRANGER = (UUID(int=number) for number in (1, 2, 3))
MINE, OTHERS = UUID(int=10), UUID(int=20)
WHOSE: Mapping[str, SimpleNamespace] = {
    "own": SimpleNamespace(owner=ME, team=MINE),
    "team": SimpleNamespace(owner=COLLEAGUE, team=MINE),
    "foreign": SimpleNamespace(owner=STRANGER, team=OTHERS),
    "nobody's": SimpleNamespace(owner=None, team=None),
}
REACHES = {
    "own": {"own"},
    "own-and-common": {"own", "nobody's"},
    "own-and-all-common": {"own", "nobody's"},
    "team": {"own", "team"},
    "all": set(WHOSE),
}
MACHINERY = {"admin": "all", "service": "all"}

SALES = "rep: own, manager: team, sales-director: all, sales-operations: all"
MANAGERS = "manager: team, sales-director: all, sales-operations: all"
OPERATIONS = "sales-operations: all"
STEERING = "sales-director: all, sales-operations: all"
OWN = ", ".join(f"{role}: own" for role in Role)
VIEWING = ", ".join(
    f"{role}: {({Role.SALES_OPERATIONS: 'own-and-all-common'}).get(role, 'own-and-common')}" for role in Role
)
ANYBODY = ", ".join(f"{role}: all" for role in Role)
SEEING = ", ".join(f"{role}: {({Role.REP: 'own', Role.MANAGER: 'team'}).get(role, 'all')}" for role in Role)
"""Whoever sees a sale; that they have a part in the stage is asked of the visit."""
SERVICES = ""
MAY: Mapping[str, Mapping[str, str]] = {
    "deal": {
        SALES: """WinDeal LoseDeal AbandonDeal ReopenDeal AssessExit AcceptExit DeclineExit StatePain AssessInaction
            StateCustomerEvent StateBudget StateCompetition StateRequirement AssessRisk WithdrawAnswer CompleteNode
            OpenNewDeal MoveDeal SetContact RemoveContact LogActivity PlanNextStep ChangeAmount ChangeCloseDate
            RenameDeal NoteFacts NoteBuyerStage SetCategory UpdateDeal CorrectActivity WithdrawActivity AddNote
            AttachFile DetachFile AddFlexibleNode RemoveFlexibleNode AskForHelp
            ConcludeHelp SubmitForApproval RecallSubmission""",
        MANAGERS: "OverrideCategory HandOver WaiveCriterion RevokeWaiver GiveGuidance",
        OPERATIONS: "EraseTexts MigrateDeal",
        SERVICES: """OpenConvertedDeal RetractFacts ImportDeal ImportDealMove ImportDealChange
            ImportDealActivity ImportDealNode ImportDealWin ImportDealLoss ImportDealAbandonment ImportDealReopening
            BringInLine RunDueRules MoveOn RemindOfNextStep Reevaluate RenameApprovals""",
    },
    "process": {
        OPERATIONS: """PublishProcess PublishVersion SaveDraft DiscardDraft PublishDraft RetireProcess StartPilot
            EndPilot""",
    },
    "process-migration": {
        OPERATIONS: "PlanProcessMigration StartProcessMigration StopProcessMigration",
        SERVICES: "TakeStep",
    },
    "product": {
        "sales-operations: all, product: all": "AddProduct UpdateProduct SetPrice WithdrawPrice ListProduct",
        SERVICES: "RetractFacts ImportProduct",
    },
    "product-cost": {"product: all, sales-operations: all, finance: all": "SetProductCost"},
    "target": {
        "manager: team, sales-director: all, executive: all, sales-operations: all": "SetTarget ChangeTarget",
        SERVICES: "RetractFacts ImportTarget",
    },
    "exchange-rate": {
        "sales-operations: all, finance: all": "PublishExchangeRates",
        SERVICES: "RetractFacts ImportExchangeRates",
    },
    "support-request": {
        ANYBODY: "Accept Deliver ReturnToAsker",
        SALES: "AskForSupport AskAgain Withdraw",
        SERVICES: "NoteOverdue",
    },
    "quote": {
        SALES: """DraftQuote UpdateQuote ReviseQuote SubmitQuote RecallQuote SendQuote NoteOpened AcceptQuote
            DeclineQuote WithdrawQuote SetQuoteAside""",
        "product: all": "AssessDelivery ReturnQuote",
        SERVICES: "ExpireQuote",
    },
    "calendar-link": {OWN: "MakeCalendarLink", f"{OWN}, {OPERATIONS}": "RevokeCalendarLink"},
    "saved-view": {VIEWING: "SaveView ChangeView ShareView WithdrawView"},
    "content-item": {
        "sales-operations: all, marketing: all": """AddContentItem UpdateContentItem RetireContentItem
            ReinstateContentItem""",
    },
    "process-remark": {ANYBODY: "NoteProcessRemark", OPERATIONS: "EraseTextOfRemark"},
    "process-suggestion": {
        ANYBODY: "SuggestProcessChange",
        OPERATIONS: "AcceptSuggestion DeclineSuggestion AdoptSuggestion EraseTextsOfSuggestion",
    },
    "stage-visit": {
        SEEING: "CompleteStageWork",
        MANAGERS: "HandOverStage",
        SERVICES: """BeginLeadStage BeginContractStage RunDueRules LeaveForNext EndVisit HandOverVisit
            EraseVisitTexts""",
    },
}
FAMILIES = {family.name: family for family in SERVICE.aggregates}


def reach_of(people: str, role: Role) -> set[str]:
    """Of whose things a line of the table speaks to a role."""
    words = dict(part.split(": ") for part in people.split(", ")) if people else {}
    how_far = (words | MACHINERY).get(role.value)
    return REACHES[how_far] if how_far else set()


def cases() -> Iterator[tuple[Aggregate, Handler, str]]:
    for name, table in MAY.items():
        for people, commands in table.items():
            for command, handlers in FAMILIES[name].handlers.items():
                if command.__name__ in commands.split():
                    yield from ((FAMILIES[name], handler, people) for handler in handlers)


def test_every_command_is_in_the_table_once() -> None:
    named = {name: sorted(" ".join(table.values()).split()) for name, table in MAY.items()}
    assert named == {
        family.name: sorted(command.__name__ for command in family.handlers) for family in SERVICE.aggregates
    }


@pytest.mark.parametrize("role", list(Role))
def test_api_4_a_role_may_what_the_table_says_to_whose_thing_it_says(role: Role) -> None:
    actor = Actor(subject="me", roles=frozenset({role}), member=ME, team=MINE, teams=frozenset({MINE}))
    wrong = []
    for family, handler, people in cases():
        for whose, thing in WHOSE.items():
            allowed = whose in reach_of(people, role)
            seen = is_seen(actor, family, thing)
            expected = "may" if allowed and seen else "is refused" if seen else "does not see it"
            if (found := answer(family, handler, actor, thing)) != expected:
                wrong.append((family.name, handler.command.__name__, whose, expected, found))
    assert wrong == []


def test_api_4_who_may_change_a_thing_sees_it() -> None:
    """A table that let somebody change what they do not see would be refused as not found, and nobody would know."""
    for role in Role:
        actor = Actor(subject="me", roles=frozenset({role}), member=ME, team=MINE, teams=frozenset({MINE}))
        for family, handler, people in cases():
            for whose in reach_of(people, role) if people != ANYBODY else ():
                assert is_seen(actor, family, WHOSE[whose]), (role, handler.command, whose)


def answer(family: Aggregate, handler: Handler, actor: Actor, thing: SimpleNamespace) -> str:
    """What somebody is answered who gives a command to a thing."""
    request = CommandRequest(family, UUID(int=99), object.__new__(handler.command), actor)
    try:
        authorise(request, handler, thing)
    except Forbidden:
        return "is refused"
    except NotFound:
        return "does not see it"
    return "may"
