"""The routes of price lists: what products cost in a currency on a day, and the whole as a file (PROD-1)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from annotated_types import MaxLen, MinLen
from fastapi import Depends, Query, Request, Response
from pydantic import TypeAdapter

from services.deals.domain.prices import CountingPrice
from services.deals.domain.product import KEEPING_PRODUCTS, ListedProduct, price_on, product
from services.deals.domain.product_cost import (
    KEEPING_COSTS,
    SetProductCost,
    StatedProductCost,
    cost_of,
    product_cost,
)
from services.deals.domain.product_listing import MOST_ROWS, ListProduct, PriceRow, by_product, product_of, rows_of
from services.deals.price_list_csv import MEDIA_TYPE as CSV
from services.deals.price_list_csv import csv_of, rows_as_json
from services.deals.projections.products import PRODUCT_PROJECTION
from shared.commands.request import CommandRequest, CommandResult
from shared.domain.context import Actor
from shared.domain.money import minor_unit
from shared.domain.roles import EVERYBODY
from shared.events.deals.product import PriceTier, ProductListed
from shared.events.definition import value
from shared.events.money import Money
from shared.eventstore.append import Idempotency
from shared.http.command_routes import execute_command, token_of, traceparent_of
from shared.http.context import ServiceContext
from shared.http.dry_runs import is_dry_run
from shared.http.handwritten import CurrentActor, CurrentService, answer, body_of, handwritten, operation
from shared.http.headers import content_of, idempotency_key
from shared.http.json import answer_shape
from shared.http.lists.paging import Paged, Paging, pages_of
from shared.http.problems import Fault, Problem, pointer
from shared.http.query_parameters import Currency, Day
from shared.projections.errors import InvalidQuery, invalid
from shared.service.bulk_routes import MOST_ROWS as MOST_PRODUCTS
from shared.service.bulk_routes import RowProblem, carried_out, problem_of_row

router = handwritten()

NAME = PRODUCT_PROJECTION.name
COST = TypeAdapter(SetProductCost)

PAGE = """
select id, code from {view}.product
 where (active or not $1) and ($2::text is null or (code, id) > ($2, $3::uuid))
 order by code, id limit $4
"""
KNOWN = "select id, code_folded from {view}.product where code_folded = any($1::text[])"


@answer_shape
class ListedPrice:
    """What a product costs by list."""

    product_id: UUID
    code: str
    name: str
    family: str | None
    price: Money | None
    """Of one, below the first tier; null where there is none in the currency on the day."""
    valid_from: date | None
    """Since when; null where it is the list price, which always counted, or there is none."""
    tiers: list[PriceTier]


@answer_shape
class PriceList:
    """What products that can be put on deals cost in a currency on a day, in the order of their codes."""

    currency: str
    on: date
    items: list[ListedPrice]
    next: str | None
    has_more: bool


InCurrency = Annotated[Currency | None, Query(description="Default: the company's.")]
OnDay = Annotated[Day | None, Query(alias="on", description="Default: today.")]


@router.get("/v1/price-list", **operation(roles=EVERYBODY, reads=(NAME,), answers=PriceList))
async def get_price_list(
    asking: CurrentActor, service: CurrentService, paging: Paged, currency: InCurrency = None, day: OnDay = None
) -> Response:
    """Show the price of each product in a currency on a day.

    Of the prices of a product in the currency that have begun on the day the newest counts, with its tiers; before the
    first one, where it is in the currency, the list price.
    """
    company = service.settings.company
    on = day or company.day(service.clock.now())
    in_currency = _known(currency or company.currency)
    ids, headers, following = await _page(service, paging, only_active=True)
    states = await service.commands.states(product, ids)
    listed = [state for each in ids if isinstance(state := states[each].state, ListedProduct)]
    items = [_shown(each, price_on(each, currency=in_currency, on=on)) for each in listed]
    found = PriceList(currency=in_currency, on=on, items=items, next=following, has_more=following is not None)
    return answer(found, headers=headers)


EXAMPLE_FILE = """code,name,family,currency,price,valid_from,from_quantity,unit_cost,active
SRV-100,Server 100,Servers,EUR,4800.00,,,3100.00,true
SRV-100,Server 100,Servers,USD,5100.00,2027-01-01,,,true
SRV-100,Server 100,Servers,USD,4850.00,2027-01-01,10,,true
"""


@router.get(
    "/v1/price-list/file",
    **operation(roles=KEEPING_PRODUCTS, reads=(NAME,), media_type=CSV, example=EXAMPLE_FILE),
)
async def get_price_list_file(
    asking: CurrentActor,
    service: CurrentService,
    paging: Annotated[Paging, Depends(pages_of(MOST_PRODUCTS, MOST_PRODUCTS))],
) -> Response:
    """Show all prices of products as a CSV file, a page of it, which `POST /v1/price-list` takes back as it is.

    A row is a price; one without `valid_from` is the list price, and has the unit cost beside it. The limit counts
    products, and the header `Link` says where the next page is.
    """
    ids, headers, _ = await _page(service, paging, only_active=False)
    states = await service.commands.states(product, ids)
    costs = await service.commands.states(product_cost, [cost_of(each) for each in ids])
    rows: list[PriceRow] = []
    for each in ids:
        state, cost = states[each].state, costs[cost_of(each)].state
        if isinstance(state, ListedProduct):
            rows += rows_of(state, cost.cost if isinstance(cost, StatedProductCost) else None)
    return Response(csv_of(rows), media_type=CSV, headers=headers)


@value
class PriceListRows:
    """Rows of a price list; those of a product belong together, wherever they stand."""

    rows: Annotated[tuple[PriceRow, ...], MinLen(1), MaxLen(MOST_ROWS)]


ROWS = TypeAdapter(PriceListRows)


@answer_shape
class TakenProduct:
    """What became of a product; in a dry run, what would become of it."""

    id: UUID
    code: str
    rows: list[int]
    """Which rows of the body tell of it, counted from 0."""
    outcome: Literal["created", "changed", "unchanged", "refused"]
    """`unchanged` where it was so already, `refused` where nothing was recorded of it because of the problem."""
    replayed: bool
    """Whether it was carried out under this Idempotency-Key before; then it is unchanged now."""
    version: int | None
    problem: RowProblem | None
    """Each of its errors points at the row and the column."""


@answer_shape
class TakenPriceList:
    """What became of every product, in the order of their first rows, and how many came to what."""

    created: int
    changed: int
    unchanged: int
    refused: int
    products: list[TakenProduct]


@router.post(
    "/v1/price-list",
    **operation(
        roles=KEEPING_PRODUCTS,
        reads=(NAME,),
        body=PriceListRows,
        example=ListProduct.example,
        answers=TakenPriceList,
        problems=("malformed-csv",),
    ),
)
async def take_price_list(request: Request, asking: CurrentActor, service: CurrentService) -> Response:
    """Add products and set their prices by the rows of a price list.

    The body may be CSV, too, sent as text/csv with the columns of `GET /v1/price-list/file`. A product is decided with
    all of its rows, by itself: one that is refused stops no other. At most 100 products, each counting as a request.
    What a list does not name stays; the same list again changes nothing; and with the same Idempotency-Key a request
    that broke off goes on where it ended.
    """
    body = await body_of(request, ROWS, {CSV: rows_as_json})
    sent = msgspec.json.decode(body.raw)["rows"]
    groups = by_product(body.value.rows)
    if len(groups) > MOST_PRODUCTS:
        fault = Fault(code="too-long", message=f"A list has at most {MOST_PRODUCTS} products.", pointer="/rows")
        raise Problem("invalid-body", "The list is too long; send it in parts.", faults=[fault])
    service.authenticator.count(request, asking, len(groups) - 1)
    dry = is_dry_run(request)
    key = None if dry else idempotency_key(request)
    ids = await _ids(service, groups)
    requests = [
        _request(
            request, asking, ids[code], [body.value.rows[each] for each in places], [sent[each] for each in places], key
        )
        for code, places in groups.items()
    ]
    commands = service.dry_run_commands() if dry else service.commands
    results = await carried_out(commands, requests)
    taken = [
        _taken(ids[code], body.value.rows[places[0]].code, places, result)
        for (code, places), result in zip(groups.items(), results, strict=True)
    ]
    counts = Counter(each.outcome for each in taken)
    content = TakenPriceList(
        created=counts["created"],
        changed=counts["changed"],
        unchanged=counts["unchanged"],
        refused=counts["refused"],
        products=taken,
    )
    done = [result for result in results if isinstance(result, CommandResult) and not dry]
    return answer(content, headers={"Consistency-Token": token_of(service, *done)} if done else {})


@router.post(
    "/v1/product-costs",
    **operation(roles=KEEPING_COSTS, body=SetProductCost, example=SetProductCost.example, status=201),
)
async def set_product_cost(request: Request, asking: CurrentActor) -> Response:
    """Set what one of a product costs the company.

    There is one cost of every product; its `id` follows from that of the product. Again with equal content records
    nothing.
    """
    body = await body_of(request, COST)
    return await execute_command(
        request,
        asking,
        product_cost,
        cost_of(body.value.product_id),
        body.value,
        raw=body.raw,
        operation="setProductCost",
        created=True,
    )


def _known(currency: str) -> str:
    """The currency, if prices may be in it. Raises InvalidQuery."""
    try:
        minor_unit(currency)
    except ValueError:
        message = "This is no currency of ISO 4217 in which accounts are kept, like EUR."
        raise InvalidQuery([invalid("currency", "unknown-currency", message)]) from None
    return currency


async def _page(
    service: ServiceContext, paging: Paging, *, only_active: bool
) -> tuple[list[UUID], Mapping[str, str], str | None]:
    """The products of a page, in the order of their codes, the headers of the page, and the cursor of the next one."""
    after = paging.behind(tuple[str, UUID]) or (None, None)
    found = await service.projections.lookup(PRODUCT_PROJECTION, PAGE, only_active, *after, paging.enough)
    page = paging.cut(found, lambda row: (row["code"], row["id"]))
    return [row["id"] for row in page.rows], page.headers, page.next


def _shown(listed: ListedProduct, counting: CountingPrice | None) -> ListedPrice:
    return ListedPrice(
        product_id=listed.id,
        code=listed.code,
        name=listed.name,
        family=listed.family,
        price=counting.price if counting else None,
        valid_from=counting.valid_from if counting else None,
        tiers=list(counting.tiers) if counting else [],
    )


async def _ids(service: ServiceContext, groups: Mapping[str, Sequence[int]]) -> dict[str, UUID]:
    """The products of codes; of those that are not known yet, the ids that they get."""
    found = await service.projections.lookup(PRODUCT_PROJECTION, KNOWN, [*groups])
    known = {row["code_folded"]: row["id"] for row in found}
    return {code: known.get(code) or product_of(code) for code in groups}


def _request(  # noqa: PLR0917
    request: Request, actor: Actor, product_id: UUID, rows: Sequence[PriceRow], sent: Sequence[Any], key: str | None
) -> CommandRequest:
    """The rows of a product as a command. They are the same again where they say the same of the same product."""
    idempotency = None
    if key is not None:
        idempotency = Idempotency(
            principal=actor.subject,
            operation="takePriceList",
            key=f"{key}/{product_id}",
            request_hash=content_of(request, msgspec.json.encode(sent)),
        )
    return CommandRequest(
        product,
        product_id,
        ListProduct(rows=tuple(rows)),
        actor,
        idempotency=idempotency,
        correlation_id=request.scope["state"]["correlation_id"],
        traceparent=traceparent_of(request),
    )


def _taken(product_id: UUID, code: str, places: Sequence[int], result: CommandResult | Problem) -> TakenProduct:
    if isinstance(result, Problem):
        told = problem_of_row(result, lambda own: _in_the_list(own, places))
        version = result.extra.get("version")
        return TakenProduct(
            id=product_id,
            code=code,
            rows=list(places),
            outcome="refused",
            replayed=False,
            version=version,
            problem=told,
        )
    is_new = any(isinstance(event, ProductListed) for event in result.events)
    return TakenProduct(
        id=product_id,
        code=code,
        rows=list(places),
        outcome="created" if is_new else "changed" if result.events else "unchanged",
        replayed=result.replayed,
        version=result.sequence,
        problem=None,
    )


def _in_the_list(own: str, places: Sequence[int]) -> str:
    """The pointer to a row of the list, of one to a row of a product, like "/rows/0/price"."""
    _, _, row, *column = own.split("/")
    return pointer(("rows", places[int(row)], *column))
