"""Boards of a large company: as its route answers, from the query to the bytes, without HTTP."""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from services.deals.board_api import CARDS, Looks, board_of
from services.deals.domain.process.state import Version
from services.deals.projections.board import board_rows, of_board
from services.deals.projections.deals import DEALS
from shared.domain.context import Actor, Company
from shared.domain.roles import Role
from shared.events.process import ProcessDefinition, Stage
from shared.http.json import encode
from shared.projections.cursors import Cursors
from shared.projections.list_queries import understand
from shared.projections.read_snapshot import Projections
from tests.bench import deals as company

PROCESS = UUID(int=1)
NOW = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)
VERSION = Version(
    number=1,
    definition=ProcessDefinition(
        key="standard",
        name="Standard",
        stages=tuple(
            Stage(key=key, name=key, purpose="…", probability=Decimal("0.25"), category="pipeline")
            for key in company.STAGES
        ),
    ),
    published=True,
)
DIRECTOR = Actor(subject="director", roles=frozenset({Role.SALES_DIRECTOR}))
CURSORS = Cursors("of the bench")

Query = Mapping[str, Sequence[str]]
Ask = Callable[[random.Random], Awaitable[bytes]]


def boards(projections: Projections) -> list[tuple[str, Ask]]:
    """What is asked: the whole company's board, a team's and a rep's; narrowed; and as those see it who see a part."""

    def asked(who: Callable[[random.Random], Actor], what: Callable[[random.Random], Query], cards: int) -> Ask:
        async def ask(dice: random.Random) -> bytes:
            return await answered(projections, who(dice), what(dice), cards)

        return ask

    def director(_: random.Random) -> Actor:
        return DIRECTOR

    def everything(_: random.Random) -> Query:
        return {}

    def of_team(dice: random.Random) -> Query:
        return {"team": [str(company.team_of(dice.randrange(company.TEAMS)))]}

    def in_currency(dice: random.Random) -> Query:
        return {**of_team(dice), "currency": ["CHF"]}

    def of_quarter(dice: random.Random) -> Query:
        return {**of_team(dice), "closes_from": ["2026-04-01"], "closes_to": ["2026-06-30"]}

    return [
        ("a director's, of the company", asked(director, everything, CARDS)),
        ("a director's, of the company, fifty cards a stage", asked(director, everything, 50)),
        ("a director's, of a team", asked(director, of_team, CARDS)),
        (
            "a director's, of a team, in a currency",
            asked(director, in_currency, CARDS),
        ),
        ("a director's, of a team, closing in a quarter", asked(director, of_quarter, CARDS)),
        ("a manager's, of what they see", asked(manager, everything, CARDS)),
        ("a rep's, of what they see", asked(rep, everything, CARDS)),
    ]


def manager(dice: random.Random) -> Actor:
    """The manager of some team."""
    team = company.team_of(dice.randrange(company.TEAMS))
    roles = frozenset({Role.MANAGER})
    return Actor(subject="manager", roles=roles, member=UUID(int=1), team=team, teams=frozenset({team}))


def rep(dice: random.Random) -> Actor:
    """Some owner of deals."""
    number = dice.randrange(company.OWNERS)
    team = company.team_of(number % company.TEAMS)
    member, roles = company.owner_of(number), frozenset({Role.REP})
    return Actor(subject="rep", roles=roles, member=member, team=team, teams=frozenset({team}))


async def answered(projections: Projections, actor: Actor, narrowing: Query, cards: int = CARDS) -> bytes:
    """The board that somebody is shown."""
    query = of_board(PROCESS, cards, narrowing)
    asked = understand(DEALS, query, actor, CURSORS, NOW.date())
    rows = await board_rows(projections, actor, query, asked, CURSORS)
    looks = Looks(actor=actor, now=NOW, company=Company(), versions=[VERSION])
    return encode(board_of(PROCESS, VERSION, rows, query, looks))
