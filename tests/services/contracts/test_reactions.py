"""CON-1: what contracts does about deals that move, are won and are reopened."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.contracts.domain.contract import contract
from services.contracts.domain.contract.drafting import DraftForDeal
from services.contracts.domain.contract.reopening import ReconsiderContract
from services.contracts.reactions import reactions
from shared.events.deals.deal import DealAbandoned, DealLost, DealMoved, DealReopened, DealWon
from shared.events.deals.deal_migration import DealMigrated
from shared.events.envelope import Envelope
from shared.reactions.registry import Do
from tests.services.contracts.facts import ACCOUNT, DEAL, ID, OWNER, TEAM, TODAY, eur

NOW = datetime(2026, 3, 16, 10, 0, tzinfo=UTC)


def what_follows(event: Any, *, imported: bool = False) -> list[Do]:
    fact: Envelope[Any] = Envelope(
        id=UUID(int=1),
        type=event.type,
        version=1,
        service="deals",
        aggregate="deal",
        aggregate_id=DEAL,
        sequence=1,
        partition=0,
        position=1,
        source_position=1,
        occurred_at=NOW,
        recorded_at=NOW,
        actor="rita",
        correlation_id=UUID(int=2),
        causation_id=UUID(int=3),
        imported=imported,
        traceparent=None,
        data=event,
    )
    return [do for reaction in reactions.of("journal") for do in reaction.to(fact)]


def moved(*, drafts_contract: bool) -> DealMoved:
    return DealMoved(
        deal_id=DEAL,
        before="quotation",
        stage="contract-drafting",
        direction="forward",
        skipped=(),
        probability=Decimal("0.8"),
        probability_before=Decimal("0.5"),
        category="commit",
        amount=eur("100.00"),
        drafts_contract=drafts_contract,
        name="Packaging line",
        account_id=ACCOUNT,
        owner=OWNER,
        team=TEAM,
    )


WON = DealWon(
    deal_id=DEAL,
    on=TODAY,
    amount=eur("90.00"),
    stage="quotation",
    name="Packaging line",
    account_id=ACCOUNT,
    owner=OWNER,
    team=TEAM,
)
REOPENED = DealReopened(
    deal_id=DEAL,
    outcome_before="won",
    reason="budget",
    stage="quotation",
    probability=Decimal("0.5"),
    category="pipeline",
    amount=eur("90.00"),
)


def test_entering_the_contract_stage_drafts_con_1() -> None:
    [do] = what_follows(moved(drafts_contract=True))
    assert (do.aggregate, do.aggregate_id) == (contract, ID)
    assert do.command == DraftForDeal(
        deal_id=DEAL,
        name="Packaging line",
        total=eur("100.00"),
        trigger="stage",
        account_id=ACCOUNT,
        owner=OWNER,
        team=TEAM,
    )


def test_going_over_to_the_contract_stage_of_another_version_drafts_con_1() -> None:
    entered = moved(drafts_contract=True)
    migrated = DealMigrated(
        deal_id=DEAL,
        process_id=UUID(int=5),
        process_name="Renewal",
        process_version=2,
        process_id_before=UUID(int=5),
        process_version_before=1,
        stage="contract-drafting",
        stage_before="quotation",
        probability=Decimal("0.8"),
        probability_before=Decimal("0.5"),
        category="commit",
        category_of_stage="commit",
        amount=entered.amount,
        drafts_contract=True,
        name=entered.name,
        account_id=ACCOUNT,
        owner=OWNER,
        team=TEAM,
    )
    assert what_follows(migrated) == what_follows(entered)
    assert what_follows(replace(migrated, drafts_contract=False)) == []


def test_entering_another_stage_does_not_con_1() -> None:
    assert what_follows(moved(drafts_contract=False)) == []


def test_the_win_drafts_on_the_same_contract_con_1() -> None:
    [do] = what_follows(WON)
    assert do.aggregate_id == ID
    assert isinstance(do.command, DraftForDeal)
    assert (do.command.trigger, do.command.total) == ("win", eur("90.00"))


def test_reopening_is_brought_to_the_contract_con_1() -> None:
    [do] = what_follows(REOPENED)
    assert do.aggregate_id == ID
    assert do.command == ReconsiderContract(cause="deal-reopened")


@pytest.mark.parametrize(
    ("event", "command"),
    [
        (
            DealLost(deal_id=DEAL, on=TODAY, amount=eur("90.00"), stage="quotation", reason="price"),
            ReconsiderContract(cause="deal-lost", why="price"),
        ),
        (
            DealAbandoned(deal_id=DEAL, on=TODAY, amount=eur("90.00"), stage="q", reason="silence"),
            ReconsiderContract(cause="deal-abandoned", why="silence"),
        ),
    ],
)
def test_a_deal_that_came_to_nothing_is_brought_to_the_contract_con_1(event: Any, command: ReconsiderContract) -> None:
    [do] = what_follows(event)
    assert (do.aggregate_id, do.command) == (ID, command)


def test_imported_deals_are_left_alone_data_5() -> None:
    assert what_follows(WON, imported=True) == []
