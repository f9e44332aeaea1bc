"""How every route of forecast is asked: who, when, about whose deals, on one snapshot of the read models."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Annotated
from uuid import UUID

from annotated_types import Ge, Le, MaxLen
from fastapi import Depends, Query, Request

from services.forecast.asking.question import NOBODY, Question, question, scoped
from shared.directory.narrowing import NAMES, OWNER, TEAM, refuse_strangers
from shared.domain.context import Actor, Company
from shared.domain.roles import READING
from shared.http.context import ServiceContext, context_of
from shared.http.handwritten import CurrentActor, CurrentService, reads_of, words_of
from shared.http.headers import prefers_lenient
from shared.http.problems import Problem
from shared.http.query_parameters import SPELLED_WHOLE, Currency, Flag, Id
from shared.http.read_your_writes import await_token
from shared.languages.catalogue import Catalogue
from shared.projections.errors import InvalidQuery, invalid
from shared.projections.list_queries import MAX_VALUES, whose_faults
from shared.projections.lists import MINE, UNASSIGNED
from shared.projections.read_snapshot import ReadSnapshot

Several = Annotated[list[Id], MaxLen(MAX_VALUES)]
OfTeam = Annotated[
    Several | None,
    Query(description="Only this team and the teams that stood below it at as_of, or one of several."),
]
OwnTeamOnly = Annotated[Flag | None, Query(description="Only the team itself, and none of those below it.")]
OfOwner = Annotated[Several | None, Query(description="Only what this member owns, or one of several.")]
Mine = Annotated[Flag | None, Query(description="Only what whoever asks owns.")]
Unassigned = Annotated[Flag | None, Query(description="Only what nobody owns.")]
AsOf = Annotated[
    str | None,
    Query(
        description="What was true then: a date (its end) or an instant, not in the future. Default: now.",
        examples=["2026-06-30"],
    ),
]
KnownAt = Annotated[
    str | None,
    Query(
        description=(
            "As it was known then: a date (its end) or an instant, not in the future. Alone it also sets as_of. "
            "Default: now."
        )
    ),
]
AskedPeriod = Annotated[
    str | None,
    Query(
        alias="period",
        description="A fiscal year, its quarter, or a month: 2026, 2026-Q4, 2026-11. Default: the running quarter.",
        examples=["2026-Q4"],
    ),
]
ProcessId = Annotated[Id | None, Query(description="Only deals of this process.")]
OfCurrency = Annotated[Currency | None, Query(description="Only deals in this currency.")]
MAX_VERSION = 2**31 - 1
"""What a column of versions can hold."""
ProcessVersion = Annotated[
    Annotated[int, Ge(1), Le(MAX_VERSION), SPELLED_WHOLE] | None,
    Query(description="Only deals of this version of `process_id`."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryContext:
    """A question that was put over HTTP, and where to read the answer."""

    question: Question
    company: Company
    service: CurrentService
    words: Catalogue
    """The texts of the language that the asker prefers."""
    reads: Sequence[str]
    """The read models that the answer is read from, by their names: what the route says."""
    teams: tuple[UUID, ...] = ()
    """The teams that stand for those below them too, as they are asked about; none where the question is about all, or
    about teams of their own."""

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ReadSnapshot]:
        """These read models on one snapshot. What was known at a past instant waits for a place before it takes a
        connection."""
        async with AsyncExitStack() as held:
            if self.question.known_at is not None:
                await held.enter_async_context(self.service.folding.place())
            yield await held.enter_async_context(self.service.projections.reading(self.reads))

    @property
    def currency(self) -> str:
        """The company's currency."""
        return self.company.currency


async def _asked(
    request: Request,
    actor: CurrentActor,
    service: CurrentService,
    *,
    team: OfTeam = None,
    own_team_only: OwnTeamOnly = None,
    owner: OfOwner = None,
    mine: Mine = None,
    unassigned: Unassigned = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
) -> QueryContext:
    company, teams = service.settings.company, tuple(dict.fromkeys(team or ()))
    owners = _owners(actor, owner or (), mine=bool(mine), unassigned=bool(unassigned))
    now = service.clock.now()
    asked = question(actor, company, now, as_of=as_of, known_at=known_at, teams=teams, owners=owners)
    await refuse_strangers(
        service.organisation,
        actor,
        READING,
        teams=teams,
        owners=owner or (),
        holds=partial(_holds, request, asked, own_team_only=bool(own_team_only)),
    )
    widened = () if own_team_only else teams
    if widened:
        asked = replace(asked, teams=await with_those_below(service, widened, _past(asked)))
    return QueryContext(
        question=asked,
        company=company,
        service=service,
        words=words_of(request),
        reads=reads_of(request),
        teams=widened,
    )


def _owners(actor: Actor, owners: Sequence[UUID], *, mine: bool, unassigned: bool) -> tuple[UUID, ...]:
    """Whose things a question is about; none are everybody's. Raises InvalidQuery, as lists do."""
    if NOBODY in owners:
        raise InvalidQuery([invalid(OWNER, *NAMES[OWNER])])
    given = [name for name, is_given in ((MINE, mine), (UNASSIGNED, unassigned)) if is_given]
    if wrong := whose_faults(given, [OWNER] if owners else [], actor):
        raise InvalidQuery(wrong)
    if mine and actor.member is not None:
        return (actor.member,)
    return (NOBODY,) if unassigned else tuple(dict.fromkeys(owners))


async def with_those_below(
    service: ServiceContext,
    teams: Sequence[UUID],
    past: tuple[datetime, datetime] | None = None,
    *,
    fresh: bool = True,
) -> tuple[UUID, ...] | None:
    """Teams, and those that stand below them, or stood there at an instant as known then; none are all of them."""
    below = [await service.organisation.below(team, fresh=fresh, past=past) for team in teams]
    return tuple(dict.fromkeys(team for each in below for team in each)) or None


def _past(asked: Question) -> tuple[datetime, datetime] | None:
    return None if asked.current and asked.known_at is None else (asked.as_of, asked.known_until)


HELD_BY = ("deals", "leads")
"""The read models that know whose things there ever were."""
HELD = scoped("""
select exists (select from {view}.held where {scope}) or exists (select from {leads}.held where {scope}) as holds
""")


async def _holds(request: Request, asked: Question, parameter: str, named: UUID, *, own_team_only: bool) -> bool:
    """Whether there ever was a deal or lead of the team or owner that the asker sees; a team may have stood around
    theirs at the instant asked about.

    Raises Problem (503) where that cannot be said yet: the route may be answered from read models that are ahead of
    those that know it. Whoever takes an older answer is not refused for what it may lack.
    """
    service = context_of(request)
    teams: tuple[UUID, ...] | None = None
    if parameter == TEAM:
        teams = (named,) if own_team_only else await with_those_below(service, [named], _past(asked))
        if asked.asker.teams.intersection(teams or ()):
            return True
    owners = None if parameter == TEAM else (named,)
    await await_token(request, asked.asker, HELD_BY)
    answered_from = [name for name in reads_of(request) if name not in HELD_BY]
    async with service.projections.reading({*answered_from, *HELD_BY}) as reading:
        if await reading(HELD_BY[0]).fetchval(HELD, *replace(asked, teams=teams, owners=owners).scope):
            return True
        known = min(reading(name).position for name in HELD_BY)
        if all(reading(name).position <= known for name in answered_from):
            return False
    if prefers_lenient(request):
        return True
    raise Problem("read-model-behind", "Whose things there are is not known yet.", headers={"Retry-After": "1"})


async def _of_now(request: Request, actor: CurrentActor, service: CurrentService) -> QueryContext:
    return await _asked(request, actor, service)


async def _listening(
    request: Request,
    actor: CurrentActor,
    service: CurrentService,
    *,
    team: OfTeam = None,
    own_team_only: OwnTeamOnly = None,
    owner: OfOwner = None,
    mine: Mine = None,
    unassigned: Unassigned = None,
) -> QueryContext:
    return await _asked(
        request,
        actor,
        service,
        team=team,
        own_team_only=own_team_only,
        owner=owner,
        mine=mine,
        unassigned=unassigned,
    )


PastQuery = Annotated[QueryContext, Depends(_asked)]
"""The common parameters of a question: team, own_team_only, owner, mine, unassigned, as_of, known_at."""

PresentQuery = Annotated[QueryContext, Depends(_of_now)]
"""No parameters: what is only known of now, like who somebody is."""

LiveQuery = Annotated[QueryContext, Depends(_listening)]
"""The parameters of what is told as it happens: team, own_team_only, owner, mine, unassigned."""


def check_process(process_id: UUID | None, version: int | None) -> None:
    """Refuse a version of no process: versions of two processes have nothing in common but the number."""
    if version is not None and process_id is None:
        sentence = "A version is one of a process: give process_id too."
        raise InvalidQuery([invalid("process_version", "without-process", sentence)])
