"""How a deal begins: directly, or from a converted lead (DEAL-1)."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar
from uuid import UUID

from annotated_types import Gt, Le, MaxLen

from services.deals.domain.choice import ChosenProcess
from services.deals.domain.deal.nodes import due_nodes, planned_rules, with_due
from services.deals.domain.deal.state import AnyDeal, Change, NoDeal, OpenDeal, Opening, Visit, deal, plain
from services.deals.domain.prices import MOST_QUANTITY, quantity_faults
from services.deals.domain.product import Catalogue, price_of
from shared.domain.aggregate import Decision
from shared.domain.context import Context
from shared.domain.fields import Day, Name
from shared.domain.money import check_money, money_faults, rounded, zero
from shared.domain.references import AccountId, LeadId, MemberId, ProcessId, ProductId, TeamId
from shared.domain.rejection import Reason, Rejected, all_at_once, refuse_all
from shared.domain.roles import ONLY_SERVICES, SELLING
from shared.events.deals.deal import DealLine, DealOpened
from shared.events.definition import Exact, value
from shared.events.money import Money
from shared.events.process import Stage


@value
class LineWanted:
    """A product on the deal."""

    product_id: ProductId
    quantity: Annotated[Exact, Gt(0), Le(MOST_QUANTITY)]
    """At most six decimals."""
    price: Money | None = None
    """The price of one, in the currency of the deal; default: by list for so many, where that has one in it."""


@value
class OpenNewDeal:
    """A new sale. It starts in the first stage of the process that the ordered rules choose."""

    name: Name
    amount: Money | None = None
    """In any currency; default: the sum of the lines, without lines nothing yet, in the company's currency."""
    expected_close: Day | None = None
    owner: MemberId | None = None
    """An active member; default: the asking member. A rep opens deals for themselves."""
    team: TeamId | None = None
    """Default: the asking member's team."""
    account_id: AccountId | None = None
    """An account that the asking member sees."""
    account_name: Name | None = None
    source: Name | None = None
    industry: Name | None = None
    process_id: ProcessId | None = None
    """The process to follow; default: the ordered rules choose."""
    lines: Annotated[tuple[LineWanted, ...], MaxLen(200)] = ()

    example: ClassVar[dict[str, Any]] = {
        "name": "Servers for the new plant",
        "amount": {"amount": "120000.00", "currency": "EUR"},
        "expected_close": "2026-12-18",
        "source": "referral",
    }


@value
class OpenConvertedDeal:
    """The sale that a converted lead became."""

    name: Name
    lead_id: LeadId
    captured_at: datetime
    account_id: AccountId
    source: str
    owner: MemberId | None
    team: TeamId | None
    amount: Money | None = None
    expected_close: Day | None = None
    industry: str | None = None
    company_size: int | None = None
    country: str | None = None


@deal.decides(allow=SELLING)
def open_(
    state: NoDeal,
    command: OpenNewDeal,
    context: Context,
    *,
    chosen: ChosenProcess,
    catalogue: Catalogue,
) -> Decision:
    """Open a deal."""
    currency = _currency(command, catalogue, context)
    faults = _faults(command, context) + line_faults(command.lines, currency, catalogue, context.today)
    all_at_once(
        lambda: refuse_all("invalid-deal", "The deal cannot be opened like this.", faults),
        lambda: command.amount and worth(command.amount),
        lambda: chosen.followed,
    )
    lines = agreed_lines(command.lines, currency, catalogue, context.today)
    amount = command.amount or sum_of(lines, currency)
    owner = command.owner or context.actor.member
    return [
        begun(
            context,
            chosen,
            chosen.followed.definition.stages[0],
            name=command.name,
            amount=worth(amount),
            expected_close=command.expected_close,
            owner=owner,
            team=command.team or context.actor.team,
            account_id=command.account_id,
            account_name=command.account_name,
            source=command.source,
            industry=command.industry,
            lines=lines,
        )
    ]


@deal.decides(allow=ONLY_SERVICES)
def open_converted(state: NoDeal, command: OpenConvertedDeal, context: Context, chosen: ChosenProcess) -> Decision:
    """Open the deal that a lead became."""
    amount = command.amount or zero(context.company.currency)
    return [
        begun(
            context,
            chosen,
            chosen.followed.definition.stages[0],
            name=command.name,
            amount=worth(amount),
            expected_close=command.expected_close,
            owner=command.owner,
            team=command.team,
            account_id=command.account_id,
            lead_id=command.lead_id,
            captured_at=command.captured_at,
            source=command.source,
            industry=command.industry,
        )
    ]


@deal.already
def is_opened(state: AnyDeal, command: OpenNewDeal) -> bool:
    began = state.opening
    lines = len(command.lines) == len(began.lines) and all(
        (wanted.product_id, wanted.quantity, wanted.price or line.price) == (line.product_id, line.quantity, line.price)
        for wanted, line in zip(command.lines, began.lines, strict=True)
    )
    defaulted = (
        (command.amount or began.amount) == began.amount
        and (command.owner or began.owner) == began.owner
        and (command.team or began.team) == began.team
        and (command.process_id or began.process_id) == began.process_id
    )
    return (
        lines
        and defaulted
        and (began.name, began.account_id, began.account_name, began.source, began.industry, began.expected_close)
        == (
            command.name,
            command.account_id,
            command.account_name,
            command.source,
            command.industry,
            command.expected_close,
        )
    )


@deal.already
def is_opened_by_conversion(state: AnyDeal, command: OpenConvertedDeal) -> bool:
    return state.lead_id == command.lead_id


@deal.evolves
def opened(state: NoDeal, event: DealOpened) -> OpenDeal:
    return OpenDeal(
        id=event.deal_id,
        name=event.name,
        amount=event.amount,
        expected_close=event.expected_close,
        owner=event.owner,
        team=event.team,
        stage=event.stage,
        stage_since=event.on,
        probability=event.probability,
        category=event.category,
        category_of_stage=event.category,
        account_id=event.account_id,
        account_name=event.account_name,
        lead_id=event.lead_id,
        source=event.source,
        industry=event.industry,
        lines=event.lines,
        process_id=event.process_id,
        process_version=event.process_version,
        process_rule=event.process_rule,
        segment=event.segment,
        customer=event.customer,
        opening_rules_version=event.opening_rules_version,
        unknown_facts=event.unknown_facts,
        open_since=event.on,
        nodes=with_due((), event.stage, event.nodes),
        rules=event.rules,
        assumptions=event.assumptions,
        facts={},
        trail=(Visit(stage=event.stage, on=event.on),),
        changes=(
            Change(what="amount", on=event.on, value=plain(event.amount)),
            Change(what="expected-close", on=event.on, value=plain(event.expected_close)),
        ),
        opening=Opening(
            name=event.name,
            amount=event.amount,
            expected_close=event.expected_close,
            owner=event.owner,
            team=event.team,
            stage=event.stage,
            on=event.on,
            process_id=event.process_id,
            process_rule=event.process_rule,
            account_id=event.account_id,
            account_name=event.account_name,
            source=event.source,
            industry=event.industry,
            lines=event.lines,
        ),
    )


def begun(
    context: Context,
    chosen: ChosenProcess,
    stage: Stage,
    *,
    on: date | None = None,
    tracked: bool = True,
    live: bool = True,
    **stated: Any,
) -> DealOpened:
    """The fact that a deal began in a stage, on a day (default: today); its tasks fall due when they are tracked, and
    what the stage does by itself is planned when it is live."""
    day = on or context.today
    return DealOpened(
        deal_id=context.aggregate_id,
        process_id=chosen.followed.id,
        process_name=chosen.followed.definition.name,
        process_version=chosen.followed.version,
        process_rule=chosen.rule,
        segment=chosen.segment,
        customer=chosen.customer,
        opening_rules_version=chosen.rules_version,
        unknown_facts=chosen.unknown,
        stage=stage.key,
        probability=stage.probability,
        category=stage.category,
        idle_days=stage.idle_days,
        nodes=due_nodes(stage, day, context.company) if tracked else (),
        rules=planned_rules(stage, day, context.company) if live else (),
        on=day,
        **stated,
    )


def stated_amount(command: OpenNewDeal, catalogue: Catalogue, context: Context) -> Money | None:
    """What a new deal is worth by its command, before it is asked whether it can be: said, or what its lines come to;
    None where they come to nothing that could be added up."""
    currency = _currency(command, catalogue, context)
    if command.amount is not None or not command.lines:
        return command.amount
    if line_faults(command.lines, currency, catalogue, context.today):
        return None
    return sum_of(agreed_lines(command.lines, currency, catalogue, context.today), currency)


def _faults(command: OpenNewDeal, context: Context) -> list[Reason]:
    if command.expected_close and command.expected_close < context.today:
        return [Reason(code="in-the-past", message="A deal closes in the future.", field="expected_close")]
    return []


def line_faults(
    lines: Sequence[LineWanted],
    currency: str,
    catalogue: Catalogue,
    on: date,
    *,
    kept: frozenset[UUID] = frozenset(),
) -> list[Reason]:
    """Why lines cannot be those of a deal in a currency on a day; products that it has already are `kept`, also when
    they are no longer sold."""
    reasons = list[Reason]()
    for index, line in enumerate(lines):
        reasons += quantity_faults(line.quantity, f"lines.{index}.quantity")
        product = catalogue.products.get(line.product_id)
        if line.price is not None:
            reasons += price_faults(line.price, currency, f"lines.{index}.price")
            if line.price.amount < 0:
                message = "A price must not be negative."
                reasons.append(Reason(code="negative", message=message, field=f"lines.{index}.price.amount"))
        elif product is not None and price_of(product, currency=currency, quantity=line.quantity, on=on) is None:
            message = f"{product.name} has no list price in {currency} on {on}: say the line's price in {currency}."
            reasons.append(Reason(code="other-currency", message=message, field=f"lines.{index}.price.currency"))
        if product is not None and not product.active and product.id not in kept:
            message = f"{product.name} is no longer sold."
            reasons.append(Reason(code="inactive-product", message=message, field=f"lines.{index}.product_id"))
    return reasons


def price_faults(price: Money, currency: str, where: str) -> tuple[Reason, ...]:
    """Why a price is none of a line of a deal: all lines have the currency of its amount."""
    return money_faults(price, where, currency=currency, whose="the deal's currency")


def agreed_lines(wanted: Sequence[LineWanted], currency: str, catalogue: Catalogue, on: date) -> tuple[DealLine, ...]:
    """Lines with the prices that were said, else with those by list on the day; what is in neither, like an unknown
    product, is left out."""
    priced = ((line, line.price or _listed(line, currency, catalogue, on)) for line in wanted)
    return tuple(
        DealLine(product_id=line.product_id, quantity=line.quantity, price=check_money(price, "price"))
        for line, price in priced
        if price is not None and line.product_id in catalogue.products
    )


def _listed(line: LineWanted, currency: str, catalogue: Catalogue, on: date) -> Money | None:
    product = catalogue.products.get(line.product_id)
    return None if product is None else price_of(product, currency=currency, quantity=line.quantity, on=on)


def _currency(command: OpenNewDeal, catalogue: Catalogue, context: Context) -> str:
    """The currency of a new deal: that of its amount, else of its first line, else the company's."""
    if command.amount is not None:
        return command.amount.currency
    for line in command.lines:
        if line.price is not None:
            return line.price.currency
        if (product := catalogue.products.get(line.product_id)) is not None:
            return product.list_price.currency
    return context.company.currency


def sum_of(lines: Sequence[DealLine], currency: str) -> Money:
    """What lines in a currency come to."""
    total = sum((line.quantity * line.price.amount for line in lines), Decimal(0))
    return Money(amount=rounded(total, currency), currency=currency)


def worth(amount: Money) -> Money:
    """What a deal is worth, once it can be; raises Rejected."""
    money = check_money(amount, "amount")
    if money.amount < 0:
        raise Rejected("negative", "The amount must not be negative.", field="amount.amount")
    return money
