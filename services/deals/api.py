"""The routes of deals that do not follow from a handler."""

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from services.deals.domain.exchange_rate import KEEPING_RATES, PublishExchangeRates, exchange_rate, table_of
from shared.http.command_routes import execute_command
from shared.http.handwritten import CurrentActor, body_of, operation

router = APIRouter()

RATES = TypeAdapter(PublishExchangeRates)


@router.post(
    "/v1/exchange-rates",
    **operation(roles=KEEPING_RATES, body=PublishExchangeRates, example=PublishExchangeRates.example, status=201),
)
async def publish_exchange_rates(request: Request, asking: CurrentActor) -> Response:
    """Publish the exchange rates of a day, or correct them.

    There is one table for every base and day; its `id` follows from them. What is named replaces the rates of these
    currencies of that day, and others stay; again with equal content records nothing.
    """
    body = await body_of(request, RATES)
    return await execute_command(
        request,
        asking,
        exchange_rate,
        table_of(body.value.base, body.value.on),
        body.value,
        raw=body.raw,
        operation="publishExchangeRates",
        created=True,
    )
