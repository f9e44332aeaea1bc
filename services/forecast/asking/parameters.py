"""How every route of forecast is asked: who, when, about whose deals, on one snapshot of the read models."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from services.forecast.asking.question import Question, question, scoped
from shared.directory.narrowing import TEAM, refuse_strangers
from shared.domain.context import Company
from shared.domain.roles import READING
from shared.http.context import ServiceContext
from shared.http.handwritten import CurrentActor, CurrentService
from shared.http.query_parameters import Flag, Id, Whole
from shared.projections.errors import InvalidQuery, invalid
from shared.projections.read_snapshot import ReadSnapshot

OfTeam = Annotated[Id | None, Query(description="Only this team and the teams that stood below it at as_of.")]
OwnTeamOnly = Annotated[Flag | None, Query(description="Only the team itself, and none of those below it.")]
OfOwner = Annotated[Id | None, Query(description="Only what this member owns.")]
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
    Query(alias="period", description="2026, 2026-Q4 or 2026-11. Default: the running quarter.", examples=["2026-Q4"]),
]
ProcessId = Annotated[Id | None, Query(description="Only deals of this process.")]
MAX_VERSION = 2**31 - 1
"""What a column of versions can hold."""
ProcessVersion = Annotated[
    Whole | None, Query(ge=1, le=MAX_VERSION, description="Only deals of this version of `process_id`.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question that was put over HTTP, and where to read the answer."""

    question: Question
    company: Company
    here: CurrentService

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ReadSnapshot]:
        """All read models on one snapshot. What was known at a past instant waits for a place before it takes a
        connection."""
        async with AsyncExitStack() as held:
            if self.question.known_at is not None:
                await held.enter_async_context(self.here.folding.place())
            yield await held.enter_async_context(self.here.projections.reading())

    @property
    def currency(self) -> str:
        """The company's currency."""
        return self.company.currency


async def _asked(
    asking: CurrentActor,
    here: CurrentService,
    *,
    team: OfTeam = None,
    own_team_only: OwnTeamOnly = None,
    owner: OfOwner = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
) -> Asked:
    company = here.settings.company
    put = question(asking, company, here.clock.now(), as_of=as_of, known_at=known_at, team=team, owner=owner)
    if team is not None and not own_team_only:
        past = None if put.current and put.known_at is None else (put.as_of, put.known_until)
        put = replace(put, teams=await here.organisation.below(team, fresh=True, past=past))
    await refuse_strangers(
        here.organisation,
        asking,
        READING,
        teams=() if team is None else (team,),
        owners=() if owner is None else (owner,),
        holds=partial(_holds, here, put),
    )
    return Asked(question=put, company=company, here=here)


HELD = scoped("""
select exists (select from {view}.held where {scope}) or exists (select from {leads}.held where {scope}) as holds
""")


async def _holds(here: ServiceContext, put: Question, parameter: str, _: UUID) -> bool:
    """Whether there ever was a deal or lead of the team or owner that the asker sees; a team may have stood around
    theirs at the instant asked about."""
    teams, owner = (put.teams, None) if parameter == TEAM else (None, put.owner)
    if teams is not None and put.asker.teams.intersection(teams):
        return True
    (row,) = await here.projections.lookup("deals", HELD, *replace(put, teams=teams, owner=owner).scope)
    return bool(row["holds"])


async def _of_now(asking: CurrentActor, here: CurrentService) -> Asked:
    return await _asked(asking, here)


async def _listening(
    asking: CurrentActor,
    here: CurrentService,
    *,
    team: OfTeam = None,
    own_team_only: OwnTeamOnly = None,
    owner: OfOwner = None,
) -> Asked:
    return await _asked(asking, here, team=team, own_team_only=own_team_only, owner=owner)


Put = Annotated[Asked, Depends(_asked)]
"""The common parameters of a question: team, own_team_only, owner, as_of, known_at."""

OfNow = Annotated[Asked, Depends(_of_now)]
"""No parameters: what is only known of now, like who somebody is."""

Listening = Annotated[Asked, Depends(_listening)]
"""The parameters of what is told as it happens: team, own_team_only, owner."""


def check_process(process_id: UUID | None, version: int | None) -> None:
    """Refuse a version of no process: versions of two processes have nothing in common but the number."""
    if version is not None and process_id is None:
        sentence = "A version is one of a process: give process_id too."
        raise InvalidQuery([invalid("process_version", "without-process", sentence)])
