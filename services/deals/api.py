"""The routes of deals that do not follow from a handler."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from annotated_types import Ge, Le
from fastapi import APIRouter, Query, Request, Response
from pydantic import TypeAdapter

from services.deals.domain.exchange_rate import KEEPING_RATES, PublishExchangeRates, exchange_rate, table_of
from shared.domain.roles import READING
from shared.events.working_hours import WEEKDAYS, Weekday
from shared.http.command_routes import execute_command
from shared.http.handwritten import CurrentActor, CurrentService, answer, body_of, operation, words_of
from shared.http.query_parameters import SPELLED_WHOLE

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


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeDay:
    """A public holiday on which people would work otherwise."""

    on: date
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingDays:
    """The company's working days in a year: all but weekends and free days, and on weekends those that are shifted
    there."""

    year: int
    place: str
    """The country, or its subdivision like DE-BY, whose calendar it is; empty where nothing but weekends are free."""
    known: bool
    """Whether the whole year is known: what a government has yet to decree is not."""
    weekend: list[Weekday]
    """As the year begins."""
    free_days: list[FreeDay]
    shifted_days: list[date]
    """Days of weekends on which people work in place of others."""


Year = Annotated[
    Annotated[int, Ge(2000), Le(2099), SPELLED_WHOLE] | None, Query(description="Default: the running one.")
]


@router.get("/v1/working-days", **operation(roles=READING, answers=WorkingDays, worded=True))
async def working_days(request: Request, asking: CurrentActor, service: CurrentService, year: Year = None) -> Response:
    """The company's working days in a year, by which due days are reckoned."""
    company, words = service.settings.company, words_of(request)
    year = year or company.day(service.clock.now()).year
    calendar = company.calendar
    return answer(
        WorkingDays(
            year=year,
            place=calendar.place,
            known=calendar.is_known(year),
            weekend=[WEEKDAYS[number] for number in calendar.weekend(year)],
            free_days=[FreeDay(on=on, name=name) for on, name in calendar.free_days(year, words.language).items()],
            shifted_days=calendar.shifted_days(year),
        ),
        words=words,
    )
