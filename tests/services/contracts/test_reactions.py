"""CON-1: what contracts does about deals that move, are won and are reopened."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.contracts.domain.contract import contract
from services.contracts.domain.contract.drafting import DraftForDeal
from services.contracts.domain.contract.quoted import FollowQuote, LeaveQuote
from services.contracts.domain.contract.reopening import ReconsiderContract
from services.contracts.reactions import reactions
from shared.events.contracts.contract import ContractLine, ContractQuote
from shared.events.deals.deal import (
    AgreedLine,
    DealAbandoned,
    DealLine,
    DealLost,
    DealMoved,
    DealQuote,
    DealReopened,
    DealWon,
)
from shared.events.deals.deal_edit import DealQuoteAccepted, DealQuoteSetAside
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


SERVER, QUOTE = UUID(int=31), UUID(int=21)
LINE = DealLine(product_id=SERVER, quantity=Decimal("2.5"), price=eur("3.33"))
OF_LINE = ContractLine(position=1, product_id=SERVER, quantity=Decimal("2.5"), price=eur("3.33"), amount=eur("8.33"))
POSITIONS = tuple(
    AgreedLine(
        position=position,
        product_id=product_id,
        unit="day",
        quantity=Decimal(3),
        price=eur("3.33"),
        amount=eur("10.00"),
    )
    for position, product_id in ((1, SERVER), (2, None))
)
OF_POSITIONS = tuple(
    ContractLine(
        position=position,
        product_id=product_id,
        unit="day",
        quantity=Decimal(3),
        price=eur("3.33"),
        amount=eur("10.00"),
    )
    for position, product_id in ((1, SERVER), (2, None))
)
ACCEPTED = DealQuoteAccepted(
    deal_id=DEAL,
    quote_id=QUOTE,
    amount=eur("20.00"),
    lines=(),
    quote_version=2,
    positions=POSITIONS,
    on=TODAY,
)


@pytest.mark.parametrize("event", [moved(drafts_contract=True), WON])
def test_deal_8_a_contract_has_the_positions_of_the_accepted_quote_else_the_lines_of_the_deal(event: Any) -> None:
    """Whatever lines the deal has beside a quote that is not of products alone."""
    quote = DealQuote(quote_id=QUOTE, quote_version=2, positions=POSITIONS)
    [do] = what_follows(replace(event, lines=(LINE,), quote=quote))
    assert (do.command.lines, do.command.quote) == (OF_POSITIONS, ContractQuote(quote_id=QUOTE, quote_version=2))
    [do] = what_follows(replace(event, lines=(LINE,)))
    assert (do.command.lines, do.command.quote) == ((OF_LINE,), None)


def test_deal_8_a_quote_that_is_accepted_is_brought_to_the_contract() -> None:
    [do] = what_follows(ACCEPTED)
    quote = ContractQuote(quote_id=QUOTE, quote_version=2)
    assert (do.aggregate_id, do.command) == (ID, FollowQuote(total=eur("20.00"), lines=OF_POSITIONS, quote=quote))
    [before] = what_follows(replace(ACCEPTED, positions=(), quote_version=None, lines=(LINE,)))
    assert (before.command.lines, before.command.quote.quote_version) == ((OF_LINE,), None)


def test_deal_8_a_quote_that_is_set_aside_is_brought_to_the_contract() -> None:
    [do] = what_follows(DealQuoteSetAside(deal_id=DEAL, quote_id=QUOTE, on=TODAY))
    assert (do.aggregate_id, do.command) == (ID, LeaveQuote(quote_id=QUOTE))


def test_imported_deals_are_left_alone_data_5() -> None:
    assert what_follows(WON, imported=True) == []
