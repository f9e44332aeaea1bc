"""The route of the board: what stands in each stage of a process, in one answer (DEAL-3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from annotated_types import Ge, Le, MaxLen
from fastapi import Depends, Query, Response

from services.deals.domain.deal.changes import Category
from services.deals.domain.deal.standing import NOWHERE, LifeSigns, PossibleMoves, aging, possible_moves
from services.deals.domain.process import process
from services.deals.domain.process.publishing import versions
from services.deals.domain.process.state import Version
from services.deals.projections.board import BoardRows, board_rows, of_board, of_column
from services.deals.projections.deals import DEALS
from shared.directory.accounts import KNOWN_ACCOUNTS
from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.context import Actor, Company
from shared.domain.permissions import may
from shared.domain.roles import READING, SELLING
from shared.events.definition import Exact
from shared.events.money import Money
from shared.events.process import Stage
from shared.http.handwritten import CurrentActor, CurrentService, answer, handwritten, operation
from shared.http.json import answer_shape
from shared.http.lists.routes import checked, next_address
from shared.http.problems import Fault, Problem
from shared.http.query_parameters import SPELLED_WHOLE, Currency, Day, Flag, Id
from shared.projections.list_pages import ListPage
from shared.projections.list_queries import MAX_VALUES, QueryParams

router = handwritten()

CARDS, MOST_CARDS = 20, 50
MAX_VERSION = 2**31 - 1

DATE = {"format": "date"}
Ids = Annotated[list[Id], MaxLen(MAX_VALUES)]
OfProcess = Annotated[Id, Query(description="The process whose stages are the columns.")]
OfVersion = Annotated[
    Annotated[int, Ge(1), Le(MAX_VERSION), SPELLED_WHOLE] | None,
    Query(
        description="The version whose stages are the columns. Default: the one that was published last, else the one "
        "on trial."
    ),
]
Cards = Annotated[
    Annotated[int, Ge(1), Le(MOST_CARDS), SPELLED_WHOLE], Query(description="How many cards a column has at most.")
]


@answer_shape
class BoardCard:
    """An open deal on the board. Days are the calendar's."""

    id: UUID
    version: int
    name: str
    account_id: UUID | None
    account_name: str | None
    amount: Money
    weighted: Money
    """Amount × probability."""
    category: Category
    """The forecast category that counts."""
    owner: UUID | None
    owner_name: str | None
    team: UUID | None
    team_name: str | None
    process_version: int
    """The version that the deal follows."""
    stage_since: date
    days_in_stage: int
    max_days: int | None
    """So many days a deal stands in this stage at most, by the version that it follows."""
    days_late: int
    """By how many days it has stood there longer; 0 up to then."""
    last_worked_at: datetime
    idle_days: int
    """Since when nobody has worked on it, in days."""
    idle_limit: int | None
    """So many idle days the stage allows."""
    is_idle: bool
    """Whether there were more, and no next step keeps it from counting as silent."""
    next_step: date | None
    """The day of the next step; null when none is planned."""
    next_step_overdue: bool
    expected_close: date | None
    slipped: bool
    """Whether the day has passed on which it was expected to close."""
    ready_on: date | None
    """The day since which it is ready to leave the stage; null where it is not."""
    exit_proposed: bool
    """Whether it is proposed to give it up."""
    moves: PossibleMoves
    """Where whoever asks may move it, as its process allows; gates are judged on the deal's page, and by the move."""


@answer_shape
class BoardSums:
    """What deals come to, by currency."""

    amount: list[Money]
    weighted: list[Money]


@answer_shape
class BoardColumn:
    """A stage, and the open deals in it."""

    stage: str
    """Its key."""
    name: str
    in_version: bool
    """Whether the version that is shown has the stage; deals that follow another version stand at the end where not."""
    probability: Exact | None
    category: Category | None
    count: int
    sums: BoardSums
    cards: list[BoardCard]
    """Those first that have stood in the stage for longest."""
    next: str | None
    """The address of those that follow, in the list of deals; null when all are shown."""


@answer_shape
class Board:
    """The open deals of a process, by the stages of one of its versions, in order."""

    process_id: UUID
    process_name: str
    process_version: int
    """The version whose stages are shown."""
    as_of: datetime | None
    """When the newest event was recorded that the board holds."""
    columns: list[BoardColumn]


def _narrowing(  # noqa: PLR0917
    team: Annotated[Ids | None, Query(description="Only this team and those below it, or one of several.")] = None,
    own_team_only: Annotated[Flag | None, Query(description="Only the team itself, and none below it.")] = None,
    owner: Annotated[Ids | None, Query(description="Only what this member owns, or one of several.")] = None,
    mine: Annotated[Flag | None, Query(description="Only what whoever asks owns.")] = None,
    unassigned: Annotated[Flag | None, Query(description="Only what nobody owns.")] = None,
    currency: Annotated[
        Annotated[list[Currency], MaxLen(MAX_VALUES)] | None, Query(description="Only deals in this currency.")
    ] = None,
    category: Annotated[
        Annotated[list[Category], MaxLen(MAX_VALUES)] | None, Query(description="Only of this forecast category.")
    ] = None,
    ready: Annotated[
        Flag | None, Query(description="true leaves only what is ready to leave its stage, false only the others.")
    ] = None,
    account: Annotated[Ids | None, Query(description="Only deals of this account.")] = None,
    closes_from: Annotated[
        Day | None, Query(description="Only what is expected to close on this day or later.", json_schema_extra=DATE)
    ] = None,
    closes_to: Annotated[
        Day | None, Query(description="Only what is expected to close on this day or before.", json_schema_extra=DATE)
    ] = None,
    q: Annotated[str | None, Query(description="Words in the names of the deal and its account.")] = None,
) -> dict[str, Sequence[str]]:
    """What the board is narrowed by, as the list of deals is asked."""
    given = {
        "team": team,
        "own_team_only": own_team_only,
        "owner": owner,
        "mine": mine,
        "unassigned": unassigned,
        "currency": currency,
        "category": category,
        "ready": ready,
        "account": account,
        "closes_from": closes_from,
        "closes_to": closes_to,
        "q": q,
    }
    return {name: _spelled(value) for name, value in given.items() if value is not None}


Narrowing = Annotated[dict[str, Sequence[str]], Depends(_narrowing)]


@router.get(
    "/v1/board",
    **operation(roles=READING, reads=(DEALS.projection.name, KNOWN_ACCOUNTS.name, ORGANISATION), answers=Board),
)
async def board(
    asking: CurrentActor,
    service: CurrentService,
    narrowing: Narrowing,
    *,
    process_id: Annotated[OfProcess, Query(alias="process")],
    version: OfVersion = None,
    cards: Cards = CARDS,
) -> Response:
    """Show the open deals of a process by stage, as a board.

    Each stage has how many stand in it, what these come to, and the first cards: those that have stood there for
    longest. `next` is the address of the rest in the list of deals. Who sees what is as in that list. A deal that
    follows another version stands in the column of its stage's key; stages that the version shown does not have come
    last.
    """
    held = await service.commands.state(process, process_id)
    known = versions(held.state)
    shown = shown_version(known, version)
    query = of_board(process_id, cards, narrowing)
    asked = await checked(service, DEALS, asking, query)
    rows = await board_rows(service.projections, asking, query, asked, service.cursors)
    looks = Looks(actor=asking, now=service.clock.now(), company=service.settings.company, versions=known)
    return answer(board_of(process_id, shown, rows, query, looks), parked=rows.parked)


def shown_version(known: Sequence[Version], number: int | None) -> Version:
    """The version whose stages are shown. Raises Problem when there is none."""
    if not known:
        raise _wrong("process", "unknown-process", "There is no such process that deals follow.")
    if number is None:
        return next((version for version in reversed(known) if version.published), known[-1])
    if number > len(known):
        raise _wrong("version", "unknown-version", f"The process has the versions 1 to {len(known)}.")
    return known[number - 1]


def _last_stage(known: Sequence[Version], key: str) -> Stage | None:
    return next(filter(None, (stage_of(version, key) for version in reversed(known))), None)


def stage_of(version: Version, key: str) -> Stage | None:
    """The stage of a key; None when a version does not have it."""
    return next((stage for stage in version.definition.stages if stage.key == key), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """Who looks at cards, when, and by which versions of their process."""

    actor: Actor
    now: datetime
    company: Company
    versions: Sequence[Version]

    def card(self, row: Any) -> BoardCard:
        """A row of the list of deals as a card."""
        version = next((each for each in self.versions if each.number == row.process_version), None)
        stage = stage_of(version, row.stage) if version else None
        signs = LifeSigns(last_worked_at=row.last_worked_at, silence_until=row.silence_until)
        aged = aging(stage, row.stage_since, signs, self.now, self.company)
        today = self.company.day(self.now)
        movable = version is not None and stage is not None and not may(self.actor, SELLING, row.owner, row.team)
        return BoardCard(
            id=row.id,
            version=row.version,
            name=row.name,
            account_id=row.account_id,
            account_name=row.account_name,
            amount=row.amount,
            weighted=row.weighted,
            category=row.category,
            owner=row.owner,
            owner_name=row.owner_name,
            team=row.team,
            team_name=row.team_name,
            process_version=row.process_version,
            stage_since=row.stage_since,
            days_in_stage=aged.days_in_stage,
            max_days=stage.max_days if stage else None,
            days_late=aged.days_late,
            last_worked_at=row.last_worked_at,
            idle_days=aged.idle_days,
            idle_limit=stage.idle_days if stage else None,
            is_idle=aged.is_idle,
            next_step=row.next_step,
            next_step_overdue=row.next_step is not None and row.next_step < today,
            expected_close=row.expected_close,
            slipped=row.expected_close is not None and row.expected_close < today,
            ready_on=row.ready_on,
            exit_proposed=row.exit_proposed,
            moves=possible_moves(version.definition, row.stage) if movable and version else NOWHERE,
        )


def board_of(process_id: UUID, shown: Version, rows: BoardRows, query: QueryParams, looks: Looks) -> Board:
    """The board out of its rows."""
    return Board(
        process_id=process_id,
        process_name=shown.definition.name,
        process_version=shown.number,
        as_of=rows.as_of,
        columns=[
            _column(stage, key, rows, query, looks, in_version=in_version)
            for key, stage, in_version in columns_of(shown, looks.versions, rows.totals)
        ],
    )


def columns_of(
    shown: Version, known: Sequence[Version], standing: Mapping[str, Any]
) -> list[tuple[str, Stage | None, bool]]:
    """The columns of a board: key, stage and whether the version shown has it. Stages that it does not have, and in
    which something stands, come last, by their keys; the last version that has one says what it is."""
    own = [(stage.key, stage, True) for stage in shown.definition.stages]
    others = sorted(standing.keys() - {key for key, _, _ in own})
    return [*own, *((key, _last_stage(known, key), False) for key in others)]


EMPTY = ListPage(items=(), next=None, position=0, as_of=None, parked=0)
NOTHING: Mapping[str, Any] = {"count": 0, "sums": {"amount": [], "weighted": []}}


def _column(
    stage: Stage | None, key: str, rows: BoardRows, query: QueryParams, looks: Looks, *, in_version: bool
) -> BoardColumn:
    totals, page = rows.totals.get(key, NOTHING), rows.pages.get(key, EMPTY)
    return BoardColumn(
        stage=key,
        name=stage.name if stage else key,
        in_version=in_version,
        probability=stage.probability if stage else None,
        category=stage.category if stage else None,  # type: ignore[arg-type]
        count=totals["count"],
        sums=BoardSums(**totals["sums"]),
        cards=[looks.card(row) for row in page.items],
        next=next_address(page.next, f"/v1/{DEALS.name}", of_column(query, key)),
    )


def _spelled(value: Any) -> Sequence[str]:
    """A value as a query spells it."""
    if isinstance(value, list):
        return [str(each) for each in value]
    return [str(value).lower() if isinstance(value, bool) else str(value)]


def _wrong(parameter: str, code: str, message: str) -> Problem:
    faults = [Fault(code=code, message=message, parameter=parameter)]
    return Problem("invalid-parameter", "There is no such board.", faults=faults)
