"""The routes of deals that do not follow from a handler."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from annotated_types import Ge, Le
from fastapi import Path, Query, Request, Response
from pydantic import TypeAdapter

from services.deals.domain.exchange_rate import KEEPING_RATES, PublishExchangeRates, exchange_rate, table_of
from services.deals.domain.process import process
from services.deals.domain.process.comparison import Difference, differences, plain
from services.deals.domain.process.publishing import EXAMPLE, versions
from services.deals.domain.process.state import NoProcess
from shared.commands.request import NotFound
from shared.domain.roles import EVERYBODY, READING
from shared.events.process import ProcessDefinition
from shared.events.working_hours import WEEKDAYS, Weekday
from shared.http.command_routes import execute_command
from shared.http.handwritten import CurrentActor, CurrentService, answer, body_of, handwritten, operation, words_of
from shared.http.headers import etag
from shared.http.json import answer_shape
from shared.http.problems import Fault, Problem
from shared.http.query_parameters import SPELLED_WHOLE
from shared.http.yaml_bodies import MEDIA_TYPE as YAML
from shared.http.yaml_bodies import yaml_of

router = handwritten()

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


WHICH = "^(draft|[1-9][0-9]{0,5})$"
Version = Annotated[
    str | None,
    Query(
        pattern=WHICH,
        description="A version by its number, or draft. Default: the draft where there is one, else the last version.",
    ),
]
Before = Annotated[
    str | None, Query(pattern=WHICH, description="A version by its number, or draft. Default: the one before `after`.")
]
FILE = yaml_of(EXAMPLE)


@router.get(
    "/v1/processes/{id}/file",
    **operation(roles=EVERYBODY, problems=("not-found",), media_type=YAML, example=FILE),
    name="get_process_file",
)
async def process_file(
    asking: CurrentActor,
    service: CurrentService,
    process_id: Annotated[UUID, Path(alias="id")],
    version: Version = None,
) -> Response:
    """Show a version of a process as a YAML file, which its commands take back as it is.

    What is by default so is left out. The file is a body of `save-draft`, `publish-version` and `POST /v1/processes`,
    sent as application/yaml.
    """
    held = await service.commands.state(process, process_id)
    definition = _definition(held.state, process_id, version, "version")
    written = yaml_of({"definition": plain(definition, sparse=True)})
    return Response(written, media_type=YAML, headers={"ETag": etag(held.sequence)})


@answer_shape
class ProcessComparison:
    """What is different between two versions of a process, in its order."""

    id: UUID
    differences: list[Difference]


@router.get(
    "/v1/processes/{id}/comparison",
    **operation(roles=EVERYBODY, answers=ProcessComparison, problems=("not-found",)),
    name="compare_process_versions",
)
async def process_comparison(
    asking: CurrentActor,
    service: CurrentService,
    process_id: Annotated[UUID, Path(alias="id")],
    before: Before = None,
    after: Version = None,
) -> Response:
    """Compare two versions of a process, or one with its draft."""
    held = await service.commands.state(process, process_id)
    new = _definition(held.state, process_id, after, "after")
    old = _definition(held.state, process_id, before or _before(held.state, after), "before")
    return answer(
        ProcessComparison(id=process_id, differences=differences(old, new)), headers={"ETag": etag(held.sequence)}
    )


def _before(state: Any, after: str | None) -> str:
    """The version before another one, or the last before the draft; of the first, itself."""
    count = len(versions(state))
    if count == 0:
        return "draft"
    is_draft = after == "draft" or (after is None and getattr(state, "draft", None) is not None)
    number = count if is_draft else int(after or count) - 1
    return str(max(number, 1))


def _definition(state: Any, process_id: UUID, which: str | None, parameter: str) -> ProcessDefinition:
    """A version of a process, or its draft. Raises NotFound, and Problem where it has no such version."""
    if isinstance(state, NoProcess):
        raise NotFound(process.name, process_id)
    draft: ProcessDefinition | None = getattr(state, "draft", None)
    known = versions(state)
    if draft is not None and which in (None, "draft"):
        return draft
    number = len(known) if which is None else 0 if which == "draft" else int(which)
    if not 1 <= number <= len(known):
        told = f"1 to {len(known)}" if known else "none"
        message = f"The process has {'a' if draft else 'no'} draft, and of versions {told}."
        raise Problem(
            "invalid-parameter",
            "There is no such version.",
            faults=[Fault(code="unknown-version", message=message, parameter=parameter)],
        )
    return known[number - 1].definition


@answer_shape
class FreeDay:
    """A public holiday on which people would work otherwise."""

    on: date
    name: str


@answer_shape
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
