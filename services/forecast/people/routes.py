"""Who is signed in, what they may narrow a question to, and how far the facts reach, over HTTP."""

from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Response

from services.forecast.asking.parameters import PresentQuery
from services.forecast.asking.wording import role_title
from services.forecast.feed.queries import reach
from services.forecast.people.queries import name_of, teams_seen
from shared.domain.periods import FiscalYear
from shared.domain.roles import READING, Role
from shared.events.definition import words
from shared.http.handwritten import CurrentActor, CurrentService, answer, handwritten, operation
from shared.http.json import answer_shape

router = handwritten("people")

BEHIND_AFTER = timedelta(days=31)
"""When the newest fact is older than this, the figures of today say little: a page better opens at its day."""


@answer_shape
class TeamName:
    """A team that the person may narrow questions to."""

    id: UUID
    name: str


@answer_shape
class Me:
    """The person who is signed in."""

    subject: str
    name: str
    title: str
    """The first of the roles, in words; empty without one."""
    roles: list[Annotated[str, words(Role)]]
    member: UUID | None
    teams: list[TeamName]
    currency: str


@answer_shape
class NamedPeriod:
    """A quarter or a year of the company, its first and its last day."""

    name: str
    first: date
    last: date


@answer_shape
class Horizon:
    """The first and the last day of which there are facts, and today on the company clock; null when there are none.

    `behind` says that the newest fact is more than a month old, as after an import of closed history.
    """

    as_of: datetime
    oldest: date | None
    newest: date | None
    today: date
    behind: bool
    periods: list[NamedPeriod]
    """The quarters from that of the first fact to the one after the running one, the latest first, and their years."""


@router.get("/v1/me", **operation(roles=READING, reads=("organisation",), answers=Me, worded=True))
async def me(actor: CurrentActor, query: PresentQuery) -> Response:
    """Who is signed in."""
    async with query.reading() as reading:
        organisation = reading("organisation")
        teams = await teams_seen(organisation, query.question)
        name = await name_of(organisation, actor.member)
    return answer(
        Me(
            subject=actor.subject,
            name=name or actor.subject,
            title=role_title(query.words, min(actor.roles, default=None)),
            roles=sorted(actor.roles),
            member=actor.member,
            teams=[TeamName(id=team, name=team_name) for team, team_name in teams],
            currency=query.currency,
        ),
        words=query.words,
    )


@router.get("/v1/horizon", **operation(roles=READING, reads=("feed",), answers=Horizon))
async def horizon(query: PresentQuery, service: CurrentService) -> Response:
    """From when to when there are facts about deals."""
    async with query.reading() as reading:
        facts = await reach(reading("feed"))
    now, company = service.clock.now(), query.company
    today = company.day(now)
    oldest = None if facts.oldest is None else company.day(facts.oldest)
    return answer(
        Horizon(
            as_of=query.question.as_of,
            oldest=oldest,
            newest=None if facts.newest is None else company.day(facts.newest),
            today=today,
            behind=facts.newest is not None and now - facts.newest > BEHIND_AFTER,
            periods=_periods(company.fiscal_year, min(oldest or today, today), today),
        )
    )


def _periods(fiscal_year: FiscalYear, oldest: date, today: date) -> list[NamedPeriod]:
    following = fiscal_year.quarter_of(today).last + timedelta(days=1)
    quarters = list(fiscal_year.quarters(oldest, following))
    years = dict.fromkeys(quarter.name.partition("-")[0] for quarter in quarters)
    latest = [*reversed(quarters), *map(fiscal_year.period, reversed(years))]
    return [NamedPeriod(name=period.name, first=period.first, last=period.last) for period in latest]
