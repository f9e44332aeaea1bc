"""How a contract comes about: with its deal's stage, with the win, or directly; and how a draft ends (CON-1)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Literal
from uuid import UUID

from services.contracts.domain.contract.quoted import has_other_lines, lines_taken
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
    contract_of,
)
from services.contracts.domain.contract.terms import PaymentTerms, agreed
from shared.domain.aggregate import Decision, Occurrence, carried
from shared.domain.context import Context
from shared.domain.fields import Day, Name, Text
from shared.domain.merge_patch import absent, given
from shared.domain.policy import Counts, InForce
from shared.domain.references import (
    AccountId,
    CustomerId,
    DealId,
    MemberId,
    TeamId,
)
from shared.domain.rejection import Reason, Rejected, all_at_once, refuse_all
from shared.domain.roles import ONLY_SERVICES, SELLING
from shared.events.contracts.contract import (
    ContractDrafted,
    ContractFlagged,
    ContractLine,
    ContractQuote,
    ContractTermsChanged,
    ContractVoided,
)
from shared.events.contracts.policy import StandardTerms
from shared.events.definition import value
from shared.events.money import Money

OTHER_TOTAL = "The deal was won with another amount than this contract has."
OTHER_LINES = "The deal was won with other lines than this contract has."
TAKEN_OVER = {
    "stage": "The deal that entered its contract stage says so.",
    "win": "The deal was won with these terms.",
}


@value
class DraftContract:
    """Draft a contract directly, for a deal or without one."""

    name: Name
    total: Money
    payment_terms: PaymentTerms | None = None
    """Default: those of the policy payment-terms, of the contract's team."""
    deal_id: DealId | None = None
    """The deal that it belongs to, one that whoever asks sees; a deal has at most one live contract."""
    account_id: AccountId | None = None
    """The customer, an account that whoever asks sees; default: the deal's."""
    owner: MemberId | None = None
    """An active member; default: the deal's owner, else whoever asks."""
    team: TeamId | None = None
    """Default: the deal's team, else the team of whoever asks."""
    on: Day | None = None
    """The day on which it was drafted, default: today. Nothing that happens to it is dated before."""

    example: ClassVar[dict[str, object]] = {
        "name": "Packaging line, Brightwater",
        "total": {"amount": "120000.00", "currency": "EUR"},
        "payment_terms": [
            {"ratio": "0.30", "days": 30, "label": "Advance"},
            {"ratio": "0.60", "days": 60, "label": "Delivery"},
            {"ratio": "0.10", "days": 90, "label": "Retention"},
        ],
        "account_id": "01989f52-6d2c-7a51-9a44-0a4f5b1f7d11",
    }


@value
class DraftForDeal:
    """Draft the contract of a deal that entered its contract stage or was won."""

    deal_id: DealId
    name: Name
    total: Money
    trigger: Literal["stage", "win"]
    account_id: AccountId | None = None
    owner: MemberId | None = None
    team: TeamId | None = None
    on: Day | None = None
    """The day of the stage or the win."""
    lines: tuple[ContractLine, ...] = ()
    """What the deal is about."""
    quote: ContractQuote | None = None
    """The quote of the deal that is accepted."""


@value
class ChangeContract:
    """Change the terms of a draft; what is left out stays as it is."""

    total: Money = absent()
    """In the currency that the contract has."""
    payment_terms: PaymentTerms = absent()
    account_id: CustomerId | None = absent()
    """Null: it has no account for now."""
    reason: Text = absent()

    example: ClassVar[dict[str, object]] = {
        "total": {"amount": "115000.00", "currency": "EUR"},
        "reason": "Installation is left out",
    }


@value
class VoidContract:
    """Give up a draft."""

    reason: Text

    example: ClassVar[dict[str, object]] = {"reason": "Drafted for the wrong account"}


@value
class NamedDeal:
    """The deal that a draft names, as a handler is given it."""

    owner: UUID | None = None
    team: UUID | None = None
    account_id: UUID | None = None


@contract.decides(allow=SELLING, routed=False)
def draft(
    state: NoContract | VoidedContract,
    command: DraftContract,
    context: Context,
    *,
    deal: NamedDeal,
    standard: InForce[StandardTerms],
) -> Decision:
    """Draft a contract directly."""
    faults = list(_draft_faults(command, context, deal))
    all_at_once(
        lambda: _check_id(command, context),
        lambda: refuse_all("invalid-draft", "The contract cannot be drafted like this.", faults),
    )
    owner = deal.owner or command.owner or context.actor.member
    team = deal.team or command.team or context.actor.team
    completed = replace(command, account_id=command.account_id or deal.account_id)
    terms = standard.of(team=team) if command.payment_terms is None else command.payment_terms
    return [_new_draft(completed, "direct", terms, owner, team, context)]


@contract.decides(allow=ONLY_SERVICES)
def draft_for_deal(
    state: NoContract | VoidedContract, command: DraftForDeal, context: Context, standard: InForce[StandardTerms]
) -> Decision:
    """Draft the contract of a deal, on standard terms; anew when an earlier draft was voided."""
    terms = standard.of(team=command.team)
    return [_new_draft(command, command.trigger, terms, command.owner, command.team, context)]


@contract.decides(allow=ONLY_SERVICES)
def follow_the_deal(state: DraftedContract, command: DraftForDeal, context: Context) -> Decision:
    """A draft takes over what the deal was won with; entering a stage only puts a draft right that was not theirs.

    The deal says whose its contract is. A draft of another owner or team gets the deal's owner, team, account and
    total, whatever it said before; a total of the deal's in another currency, too, for nothing was agreed yet. So does
    one that does not come of the quote that the customer accepted, as when it was drafted by hand (DEAL-8).
    """
    owner, team = command.owner or state.owner, command.team or state.team
    foreign = (owner, team) != (state.owner, state.team)
    quoted = command.quote is not None and command.quote != state.quote
    if command.trigger != "win" and not foreign and not quoted:
        return []
    total = agreed(command.total, state.payment_terms)
    account_id = (command.account_id if foreign else None) or state.account_id or command.account_id
    lines = lines_taken(state, command.lines, command.quote)
    if not foreign and (total, account_id) == (state.total, state.account_id):
        return lines
    changed = ContractTermsChanged(
        contract_id=state.id,
        total=total,
        payment_terms=state.payment_terms,
        account_id=account_id,
        reason=TAKEN_OVER[command.trigger],
        owner=owner if foreign else None,
        team=team if foreign else None,
    )
    return [changed, *lines]


@contract.decides(allow=ONLY_SERVICES)
def keep_for_deal(
    state: SubmittedContract | ApprovedContract | SignedContract | ActiveContract, command: DraftForDeal
) -> Decision:
    """The deal has its contract; one of another total or other lines than the deal was won with is flagged."""
    other_lines = has_other_lines(state, command.lines)
    reason = OTHER_TOTAL if command.total != state.total else OTHER_LINES if other_lines else None
    if command.trigger != "win" or reason in (None, state.flagged):
        return []
    return [ContractFlagged(contract_id=state.id, reason=reason, deal_id=state.deal_id)]


@contract.decides(allow=SELLING, method="PATCH")
def change(state: DraftedContract, command: ChangeContract) -> Decision:
    """Change the terms of a draft."""
    said = given(command)
    terms = said.get("payment_terms", state.payment_terms)
    changed = ContractTermsChanged(
        contract_id=state.id,
        total=agreed(said.get("total", state.total), terms, currency=state.total.currency),
        payment_terms=terms,
        account_id=said.get("account_id", state.account_id),
        reason=said.get("reason"),
    )
    same = all(getattr(changed, field) == getattr(state, field) for field in ("total", "payment_terms", "account_id"))
    return [] if same else [changed]


@contract.decides(allow=SELLING)
def void(state: DraftedContract, command: VoidContract) -> Decision:
    """Give up a draft that was not submitted."""
    return [ContractVoided(contract_id=state.id, reason=command.reason, cause="given-up", deal_id=state.deal_id)]


@contract.already
def is_drafted(state: DraftedContract, command: DraftContract) -> bool:
    same = all(getattr(state, field) == getattr(command, field) for field in ("name", "total", "deal_id"))
    return same and all(
        getattr(command, own) in (None, getattr(state, known))
        for own, known in (
            ("payment_terms", "payment_terms"),
            ("account_id", "account_id"),
            ("owner", "owner"),
            ("team", "team"),
            ("on", "drafted_on"),
        )
    )


@contract.already
def is_voided(state: VoidedContract, command: VoidContract) -> bool:
    return state.voided_for == command.reason


@contract.evolves
def drafted(state: NoContract | VoidedContract, event: ContractDrafted) -> DraftedContract:
    return DraftedContract(
        id=event.contract_id,
        name=event.name,
        total=event.total,
        payment_terms=event.payment_terms,
        deal_id=event.deal_id,
        account_id=event.account_id,
        owner=event.owner,
        team=event.team,
        drafted_on=event.on,
        lines=event.lines,
        quote=event.quote,
    )


@contract.evolves
def terms_changed(state: DraftedContract, event: ContractTermsChanged) -> DraftedContract:
    changed = {
        "total": event.total,
        "payment_terms": event.payment_terms,
        "account_id": event.account_id,
        "owner": event.owner or state.owner,
        "team": event.team or state.team,
    }
    return DraftedContract(**{**carried(state, Contract), **changed}, returned_for=state.returned_for)


@contract.evolves
def voided(state: DraftedContract, event: ContractVoided) -> VoidedContract:
    return VoidedContract(**carried(state, Contract), voided_for=event.reason)


def _check_id(command: DraftContract, context: Context) -> None:
    if command.deal_id is not None and context.aggregate_id != contract_of(command.deal_id):
        raise Rejected(
            "id-follows-from-deal", f"The contract of this deal is {contract_of(command.deal_id)}.", field="deal_id"
        )


def _draft_faults(command: DraftContract, context: Context, deal: NamedDeal) -> Iterator[Reason]:
    if command.on is not None and command.on > context.today:
        yield Reason(code="in-the-future", message="Nothing was drafted in the future.", field="on")
    for field in ("owner", "team"):
        of_deal = getattr(deal, field)
        if of_deal is not None and getattr(command, field) not in (None, of_deal):
            yield Reason(code="other-than-deal", message=f"The contract has the {field} of its deal.", field=field)


def _new_draft(  # noqa: PLR0917
    command: DraftContract | DraftForDeal,
    trigger: str,
    terms: PaymentTerms | Counts[StandardTerms],
    owner: UUID | None,
    team: UUID | None,
    context: Context,
) -> Occurrence:
    on = command.on or context.today
    payment_terms = terms.document.payment_terms if isinstance(terms, Counts) else terms
    drafted = ContractDrafted(
        contract_id=context.aggregate_id,
        name=command.name,
        total=agreed(command.total, payment_terms),
        payment_terms=payment_terms,
        terms_version=terms.version if isinstance(terms, Counts) else None,
        trigger=trigger,
        deal_id=command.deal_id,
        account_id=command.account_id,
        owner=owner,
        team=team,
        on=on,
        lines=command.lines if isinstance(command, DraftForDeal) else (),
        quote=command.quote if isinstance(command, DraftForDeal) else None,
    )
    return Occurrence(event=drafted, at=context.moment(on))
