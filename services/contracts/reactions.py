"""What the contracts service does about facts of other services."""

from collections.abc import Iterable
from typing import Literal

from services.contracts.domain.contract import contract
from services.contracts.domain.contract.drafting import DraftForDeal
from services.contracts.domain.contract.reopening import ReconsiderContract
from services.contracts.domain.contract.state import contract_of
from shared.events.deals.deal import DealAbandoned, DealLost, DealMoved, DealReopened, DealWon
from shared.events.deals.deal_migration import DealMigrated
from shared.events.envelope import Envelope
from shared.reactions.registry import Do, Reactions

reactions = Reactions("contracts")

MAX_NAME = 200


@reactions.on(when="drafts_contract")
def draft_on_entering_the_contract_stage(
    event: DealMoved | DealMigrated, fact: Envelope[DealMoved | DealMigrated]
) -> Iterable[Do]:
    """CON-1: a deal that enters its contract stage has a draft, also where it goes over to another version there."""
    yield _draft(event, "stage")


@reactions.on
def draft_on_the_win(event: DealWon, fact: Envelope[DealWon]) -> Iterable[Do]:
    """CON-1: a deal that was won has a draft, with the amount that it was won with."""
    yield _draft(event, "win")


@reactions.on
def reconsider_on_reopening(event: DealReopened, fact: Envelope[DealReopened]) -> Iterable[Do]:
    """CON-1: a reopened deal voids its draft, and flags a contract that went further."""
    yield Do(
        aggregate=contract,
        aggregate_id=contract_of(event.deal_id),
        command=ReconsiderContract(cause="deal-reopened"),
    )


@reactions.on
def reconsider_on_the_end(event: DealLost | DealAbandoned, fact: Envelope[DealLost | DealAbandoned]) -> Iterable[Do]:
    """CON-1, CON-2: a deal that came to nothing voids its draft, takes what waits for approval back and voids it, and
    flags a contract that went further."""
    lost = isinstance(event, DealLost)
    yield Do(
        aggregate=contract,
        aggregate_id=contract_of(event.deal_id),
        command=ReconsiderContract(cause="deal-lost" if lost else "deal-abandoned", why=event.reason),
    )


def _draft(event: DealMoved | DealMigrated | DealWon, trigger: Literal["stage", "win"]) -> Do:
    return Do(
        aggregate=contract,
        aggregate_id=contract_of(event.deal_id),
        command=DraftForDeal(
            deal_id=event.deal_id,
            name=(event.name or f"Deal {event.deal_id}")[:MAX_NAME],
            total=event.amount,
            trigger=trigger,
            account_id=event.account_id,
            owner=event.owner,
            team=event.team,
            on=event.on,
        ),
    )
