"""What the contracts service does about facts of other services."""

from collections.abc import Iterable, Sequence
from typing import Literal

from services.contracts.domain.contract import contract
from services.contracts.domain.contract.drafting import DraftForDeal
from services.contracts.domain.contract.quoted import FollowQuote, LeaveQuote
from services.contracts.domain.contract.reopening import ReconsiderContract
from services.contracts.domain.contract.state import contract_of
from shared.domain.money import rounded
from shared.events.contracts.contract import ContractLine, ContractQuote
from shared.events.deals.deal import (
    AgreedLine,
    DealAbandoned,
    DealLine,
    DealLost,
    DealMoved,
    DealReopened,
    DealWon,
)
from shared.events.deals.deal_edit import DealQuoteAccepted, DealQuoteSetAside
from shared.events.deals.deal_migration import DealMigrated
from shared.events.envelope import Envelope
from shared.events.money import Money
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
def follow_the_accepted_quote(event: DealQuoteAccepted, fact: Envelope[DealQuoteAccepted]) -> Iterable[Do]:
    """DEAL-8: a draft has total and lines of the quote that the customer accepted; what went further is flagged."""
    yield Do(
        aggregate=contract,
        aggregate_id=contract_of(event.deal_id),
        command=FollowQuote(
            total=event.amount,
            lines=_lines(event.positions, event.lines),
            quote=ContractQuote(quote_id=event.quote_id, quote_version=event.quote_version),
        ),
    )


@reactions.on
def leave_the_quote_set_aside(event: DealQuoteSetAside, fact: Envelope[DealQuoteSetAside]) -> Iterable[Do]:
    """DEAL-8: a draft comes no more of a quote that was set aside; what went further is flagged."""
    yield Do(
        aggregate=contract,
        aggregate_id=contract_of(event.deal_id),
        command=LeaveQuote(quote_id=event.quote_id),
    )


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
    quote = event.quote
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
            lines=_lines(quote.positions if quote else (), event.lines),
            quote=ContractQuote(quote_id=quote.quote_id, quote_version=quote.quote_version) if quote else None,
        ),
    )


def _lines(positions: Sequence[AgreedLine], lines: Sequence[DealLine]) -> tuple[ContractLine, ...]:
    """What a contract is about: the positions of the accepted quote, else the lines of the deal."""
    if positions:
        return tuple(
            ContractLine(
                position=each.position,
                product_id=each.product_id,
                unit=each.unit,
                quantity=each.quantity,
                price=each.price,
                amount=each.amount,
            )
            for each in positions
        )
    return tuple(_unquoted(position, line) for position, line in enumerate(lines, start=1))


def _unquoted(position: int, line: DealLine) -> ContractLine:
    currency = line.price.currency
    amount = Money(amount=rounded(line.quantity * line.price.amount, currency), currency=currency)
    return ContractLine(
        position=position,
        product_id=line.product_id,
        quantity=line.quantity,
        price=line.price,
        amount=amount,
    )
