"""What a contract has of its deal's lines and of the quote that the customer accepted (DEAL-8, CON-1)."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from services.contracts.domain.contract.state import (
    ActiveContract,
    ApprovedContract,
    Contract,
    DraftedContract,
    NoContract,
    SignedContract,
    SubmittedContract,
    VoidedContract,
    contract,
)
from services.contracts.domain.contract.terms import agreed
from shared.domain.aggregate import Decision
from shared.domain.roles import ONLY_SERVICES
from shared.events.contracts.contract import (
    ContractFlagged,
    ContractLine,
    ContractLinesTaken,
    ContractQuote,
    ContractTermsChanged,
    OfDeals,
)
from shared.events.definition import value
from shared.events.money import Money

TAKEN_OVER = "The customer accepted a quote of this amount."
OTHER_QUOTE = "The customer accepted a quote that says something else than this contract."
SET_ASIDE = "The quote that this contract comes of was set aside."


@value
class FollowQuote:
    """The customer accepted a quote of the contract's deal."""

    total: Money
    lines: tuple[ContractLine, ...]
    quote: ContractQuote


@value
class LeaveQuote:
    """A quote of the contract's deal that had been accepted does not count any more."""

    quote_id: OfDeals


@contract.decides(allow=ONLY_SERVICES)
def follow_quote(state: DraftedContract, command: FollowQuote) -> Decision:
    """A draft takes over total and lines of the accepted quote, whatever it said before, as it does with a win."""
    total = agreed(command.total, state.payment_terms)
    changed = ContractTermsChanged(
        contract_id=state.id,
        total=total,
        payment_terms=state.payment_terms,
        account_id=state.account_id,
        reason=TAKEN_OVER,
    )
    return [*([changed] if total != state.total else []), *lines_taken(state, command.lines, command.quote)]


@contract.decides(allow=ONLY_SERVICES)
def keep_to_what_went_further(
    state: SubmittedContract | ApprovedContract | SignedContract | ActiveContract, command: FollowQuote
) -> Decision:
    """Somebody should look at a contract that went further, and says something else than the customer accepted."""
    same = command.total == state.total and not has_other_lines(state, command.lines)
    if same or state.flagged == OTHER_QUOTE:
        return []
    return [ContractFlagged(contract_id=state.id, reason=OTHER_QUOTE, deal_id=state.deal_id)]


@contract.decides(allow=ONLY_SERVICES)
def leave_quote(state: DraftedContract, command: LeaveQuote) -> Decision:
    """A draft comes of the quote no more; total and lines stay, as those of the deal do, until it says others."""
    return lines_taken(state, state.lines, None) if _comes_of(state, command) else []


@contract.decides(allow=ONLY_SERVICES)
def keep_without_quote(
    state: SubmittedContract | ApprovedContract | SignedContract | ActiveContract, command: LeaveQuote
) -> Decision:
    """Somebody should look at a contract that went further, and comes of a quote that does not count any more."""
    if not _comes_of(state, command) or state.flagged == SET_ASIDE:
        return []
    return [ContractFlagged(contract_id=state.id, reason=SET_ASIDE, deal_id=state.deal_id)]


@contract.decides(allow=ONLY_SERVICES)
def follow_nothing(state: NoContract | VoidedContract, command: FollowQuote) -> Decision:
    """The deal has no live contract: one that is drafted later is told what counts then."""
    return []


@contract.decides(allow=ONLY_SERVICES)
def leave_nothing(state: NoContract | VoidedContract, command: LeaveQuote) -> Decision:
    """The deal has no live contract."""
    return []


@contract.evolves
def took_lines(state: DraftedContract, event: ContractLinesTaken) -> DraftedContract:
    return replace(state, lines=event.lines, quote=event.quote)


def lines_taken(
    state: DraftedContract, lines: Sequence[ContractLine], quote: ContractQuote | None
) -> list[ContractLinesTaken]:
    """That a draft is about these lines, by this quote, or nothing where it is so."""
    if (tuple(lines), quote) == (state.lines, state.quote):
        return []
    return [ContractLinesTaken(contract_id=state.id, lines=tuple(lines), quote=quote)]


def has_other_lines(state: Contract, lines: Sequence[ContractLine]) -> bool:
    """Whether a contract has lines, and others: one that was drafted by hand has none, and contradicts nothing."""

    def said(each: Sequence[ContractLine]) -> list[tuple[UUID | None, object, Money]]:
        return [(line.product_id, line.quantity, line.price) for line in each]

    return bool(state.lines) and said(state.lines) != said(lines)


def _comes_of(state: Contract, command: LeaveQuote) -> bool:
    return state.quote is not None and state.quote.quote_id == command.quote_id
