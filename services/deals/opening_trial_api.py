"""The route of opening rules that are tried: which process they would have chosen for deals of the past, and nothing is
written (DEAL-1)."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from fastapi import Depends, Request, Response
from pydantic import TypeAdapter

from services.deals.domain.choice import NAMED, Choice, Customer, OpeningFacts, choose, processes_of, rule_faults
from services.deals.domain.deal import deal
from services.deals.domain.deal.state import Deal
from services.deals.domain.policies import OPENING_RULES, POLICIES, STEERING
from services.deals.domain.process import process
from services.deals.domain.process.state import FollowedProcess
from services.deals.domain.product import Catalogue, ListedProduct, product
from services.deals.projections.choosing import READS, Beginning, facts_of, families_of
from services.deals.projections.deals import DEAL_PROJECTION
from shared.domain.fields import Day
from shared.domain.rejection import Reason, refuse_all
from shared.events.deals.policy import OpeningRules
from shared.events.definition import value
from shared.http.context import ServiceContext
from shared.http.handwritten import CurrentActor, CurrentService, answer, body_of, handwritten, operation
from shared.http.json import answer_shape
from shared.http.lists.paging import Paging, pages_of

router = handwritten()

MOST = 200
"""The deals that a page looks at."""

OPENED = """
select id, opened_at from {view}.deal
 where opened_at >= $1 and opened_at < $2 and ($3::timestamptz is null or (opened_at, id) > ($3, $4))
 order by opened_at, id limit $5
"""


@value
class TryOpeningRules:
    """Opening rules, and the deals on which they are tried: those opened in a period."""

    document: OpeningRules
    opened_from: Day
    opened_to: Day
    """The last day."""
    also_named: bool = False
    """Also deals whose process was named, as history mostly does, as if nobody had named it; else these stay as they
    are."""

    example: ClassVar[dict[str, Any]] = {
        "document": OPENING_RULES.example,
        "opened_from": "2026-01-01",
        "opened_to": "2026-03-31",
    }


@answer_shape
class TriedOpening:
    """A deal that would have followed another process."""

    deal_id: UUID
    name: str
    owner: UUID | None
    team: UUID | None
    opened_on: date
    process_id: UUID
    """The process that it followed when it was opened."""
    process_rule: str
    """What chose that."""
    would_follow: UUID
    """The process that the tried rules choose."""
    would_be_chosen_by: str
    """The rule that chooses it; default where none applies."""
    segment: str | None
    """By the tried rules."""
    customer: Customer
    unknown_facts: list[str]
    """What segments and rules before that one ask for, and nobody knows: they do not apply."""


@answer_shape
class CountedChoice:
    """How many deals of the page a rule had follow a process, and would have."""

    process_rule: str
    process_id: UUID
    chosen: int
    """As it was."""
    would_be_chosen: int
    """By the tried rules."""


@answer_shape
class OpeningTrial:
    """What rules would have chosen. A page looks at so many deals as its limit says, in the order of their opening; its
    items are those of them that differ, and its counts are of them alone: add up those of all pages."""

    as_of: date
    """The company's day on which they were tried."""
    deals: int
    """The deals of the page that were looked at."""
    named: int
    """Those of them whose process was named when they were opened."""
    differ: int
    """Those of them that would have followed another process."""
    choices: list[CountedChoice]
    """By rule and process, those that were named and stay so among them."""
    items: list[TriedOpening]
    next: str | None
    has_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A deal, and what rules would have chosen for it."""

    state: Deal
    on: date
    """The day on which it was opened."""
    choice: Choice
    facts: OpeningFacts

    @property
    def process_id(self) -> UUID:
        """The process that it followed when it was opened."""
        return self.state.opening.process_id

    @property
    def process_rule(self) -> str:
        """What chose that."""
        return self.state.opening.process_rule


BODY: TypeAdapter[TryOpeningRules] = TypeAdapter(TryOpeningRules)


@router.post(
    f"/v1/{POLICIES.family.plural}/{OPENING_RULES.kind}/trial",
    **operation(
        roles=STEERING, reads=READS, answers=OpeningTrial, asks=TryOpeningRules, example=TryOpeningRules.example
    ),
)
async def try_opening_rules(
    request: Request,
    asking: CurrentActor,
    service: CurrentService,
    paging: Annotated[Paging, Depends(pages_of(MOST, MOST))],
) -> Response:
    """Try opening rules on the deals that were opened in a period. Nothing is written.

    Facts are those of the opening: amount, lines, team, source and industry as they were, rates of its day, and whether
    the account had won a deal until then. The profile of the account, the teams above a team and the families of
    products are as they are known today.
    """
    wanted = (await body_of(request, BODY)).value
    await _refuse_faulty(service, wanted)
    company = service.settings.company
    begin: tuple[datetime | None, UUID | None] = paging.behind(tuple[datetime, UUID]) or (None, None)
    first, end = company.start_of(wanted.opened_from), company.start_after(wanted.opened_to)
    rows = await service.projections.lookup(DEAL_PROJECTION, OPENED, first, end, *begin, paging.enough)
    page = paging.cut(rows, lambda row: (row["opened_at"], row["id"]))
    held = await service.commands.states(deal, [row["id"] for row in page.rows])
    deals = [
        (state, state.opening.on or company.day(row["opened_at"]))
        for row in page.rows
        if isinstance(state := held[row["id"]].state, Deal)
    ]
    tried = await _tried(service, wanted, deals)
    differing = [each for each in tried if each.choice.process_id != each.process_id]
    found = OpeningTrial(
        as_of=company.day(service.clock.now()),
        deals=len(deals),
        named=sum(each.process_rule == NAMED for each in tried),
        differ=len(differing),
        choices=counted(tried),
        items=[_shown(each) for each in differing],
        next=page.next,
        has_more=page.has_more,
    )
    return answer(found, headers=page.headers)


async def _refuse_faulty(service: ServiceContext, wanted: TryOpeningRules) -> None:
    """Refuse rules that could not be set, and a period that ends before it begins. Raises Rejected."""
    led_to = processes_of(wanted.document)
    held = await service.commands.states(process, sorted(set(led_to.values())))
    unknown = {where: named for where, named in led_to.items() if not isinstance(held[named].state, FollowedProcess)}
    refuse_all("invalid-trial", "The rules cannot be tried like this.", list(_faults(wanted, unknown)))


def _faults(wanted: TryOpeningRules, unknown: Mapping[str, UUID]) -> Iterator[Reason]:
    if wanted.opened_to < wanted.opened_from:
        yield Reason(code="reversed-period", message="A period ends after it begins.", field="opened_to")
    for reason in rule_faults(wanted.document):
        yield Reason(code=reason.code, message=reason.message, field=f"document.{reason.field}")
    for where in unknown:
        yield Reason(code="unknown-process", message="There is no such process.", field=f"document.{where}")


async def _tried(service: ServiceContext, wanted: TryOpeningRules, deals: Sequence[tuple[Deal, date]]) -> list[Tried]:
    """What the rules would have chosen for each deal; where one was named and stays so, that."""
    listed = await _products(service, [state for state, _ in deals])
    beginnings = [_beginning(state, on, listed) for state, on in deals]
    currency = service.settings.company.currency
    known = await facts_of(service.projections.lookup, beginnings, wanted.document, currency)
    return [
        Tried(state=state, on=on, choice=_chosen(state, wanted, facts), facts=facts)
        for (state, on), facts in zip(deals, known, strict=True)
    ]


def _chosen(state: Deal, wanted: TryOpeningRules, facts: OpeningFacts) -> Choice:
    """What the rules choose; a process that somebody named overrides them, unless it is tried as if nobody had."""
    choice = choose(wanted.document, facts)
    if state.opening.process_rule != NAMED or wanted.also_named:
        return choice
    return replace(choice, rule=NAMED, process_id=state.opening.process_id, unknown=())


async def _products(service: ServiceContext, deals: Sequence[Deal]) -> Mapping[UUID, ListedProduct]:
    """The products that deals began with."""
    ids = sorted({line.product_id for each in deals for line in each.opening.lines})
    held = await service.commands.states(product, ids) if ids else {}
    return {key: each.state for key, each in held.items() if isinstance(each.state, ListedProduct)}


def _beginning(state: Deal, on: date, listed: Mapping[UUID, ListedProduct]) -> Beginning:
    """What a deal said of itself as it began."""
    began = state.opening
    own = {line.product_id: listed[line.product_id] for line in began.lines if line.product_id in listed}
    return Beginning(
        deal_id=state.id,
        on=on,
        amount=began.amount,
        source=began.source,
        industry=began.industry,
        team=began.team,
        account_id=began.account_id,
        families=families_of(Catalogue(products=own)),
        from_lead=state.lead_id is not None,
    )


def counted(tried: Sequence[Tried]) -> list[CountedChoice]:
    """How many deals each rule had follow each process, and would have; those that count most first."""
    before = Counter((each.process_rule, each.process_id) for each in tried)
    after = Counter((each.choice.rule, each.choice.process_id) for each in tried)
    every = sorted(before.keys() | after.keys(), key=lambda each: (-after[each], -before[each], each))
    return [
        CountedChoice(
            process_rule=rule,
            process_id=process_id,
            chosen=before[rule, process_id],
            would_be_chosen=after[rule, process_id],
        )
        for rule, process_id in every
    ]


def _shown(tried: Tried) -> TriedOpening:
    state, choice = tried.state, tried.choice
    return TriedOpening(
        deal_id=state.id,
        name=state.name,
        owner=state.owner,
        team=state.team,
        opened_on=tried.on,
        process_id=tried.process_id,
        process_rule=tried.process_rule,
        would_follow=choice.process_id,
        would_be_chosen_by=choice.rule,
        segment=choice.segment,
        customer=tried.facts.customer,
        unknown_facts=list(choice.unknown),
    )
