"""The sections of lists and boards: deals of a large company, asked with filters, totals and names, and their fold.

It is this build alone, in this process: the facts go through the real fold in pages, and each question through the
code of its route, from its parameters to the bytes of its answer, without HTTP.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg

from deploy.local import postgres
from deploy.local.home import Home
from deploy.local.ports import free_port
from services.deals.projections.deals import DEAL_PROJECTION, DEALS
from shared.directory.accounts import KNOWN_ACCOUNTS
from shared.directory.organisation import organisation
from shared.domain.context import Actor, Company
from shared.domain.roles import Role
from shared.events.codec import Codec
from shared.events.envelope import Envelope
from shared.events.registry import registry_of
from shared.eventstore.log import Log
from shared.eventstore.migrate import migrate
from shared.eventstore.pool import create_pool
from shared.http.json import encode
from shared.projections import builds
from shared.projections.cursors import Cursors
from shared.projections.list_pages import ListPage, page
from shared.projections.list_queries import understand
from shared.projections.projection import ProjectionDatabase
from shared.projections.read_snapshot import Projections
from tests.bench import deals as company
from tests.bench.boards import boards
from tests.bench.builds import THIS
from tests.bench.figures import Answered, Measured
from tests.bench.machine import machine
from tests.bench.plan import BOARD, LISTS, told

PAGE, NUMBER, WARM_UP = 5_000, 300, 20
CHANGES = 1_000, 40
ORGANISATION = organisation("journal")
DIRECTOR = Actor(subject="director", roles=frozenset({Role.SALES_DIRECTOR}))
CURSORS = Cursors("of the bench")
TODAY = date(2026, 3, 16)
ROWS = {
    "insert into organisation_1.team (team_id, name) values ($1, $2)": [
        (company.team_of(number), f"Team {number}") for number in range(company.TEAMS)
    ],
    "insert into organisation_1.member (member_id, name) values ($1, $2)": [
        (company.owner_of(number), f"Owner {number}") for number in range(company.OWNERS)
    ],
    "insert into known_accounts_1.account (id, name, name_key) values ($1, $2, $2)": [
        (company.account_of(number), f"account {number}") for number in range(company.ACCOUNTS)
    ],
}

Query = Mapping[str, Sequence[str]]


async def ask_lists(deals: int, into: Measured, sections: Sequence[str]) -> None:
    """Fill the read model of deals, on a server of its own, ask it for lists and boards, and fold further into it."""
    load = os.getloadavg()[0]
    with ExitStack() as ending:
        home = Home(Path(ending.enter_context(TemporaryDirectory(prefix="throughline-bench-"))))
        for folder in (home.logs, home.records):
            folder.mkdir()
        place = postgres.PostgresPlace(home, free_port(set()))
        server = await postgres.launch(place)
        ending.callback(server.process.wait)
        ending.callback(server.process.send_signal, signal.SIGINT)
        await migrate(place.url)
        pool = await create_pool(place.url, name="bench", statement_seconds=120)
        try:
            lists = Lists(pool, deals)
            await lists.fill()
            if BOARD in sections:
                into.boards += [await lists.timed(name, ask) for name, ask in boards(lists.projections)]
            if LISTS in sections:
                into.listed += [await lists.ask(name, query) for name, query in questions()]
                into.listed.append(await lists.fold_further())
        finally:
            await pool.close()
        into.about = into.about or await machine(place.url, load)


def questions() -> list[tuple[str, Callable[[random.Random], Query]]]:
    """What is asked: a board's column, sorted in every way; with fewer filters; and the whole."""

    def of_team(dice: random.Random) -> Query:
        return {"status": ["open"], "team": [str(company.team_of(dice.randrange(company.TEAMS)))]}

    def of_quarter(dice: random.Random) -> Query:
        start = date(2025, 9, 1) + timedelta(days=dice.randrange(365))
        return {**of_team(dice), "closes_from": [f"{start}"], "closes_to": [f"{start + timedelta(days=91)}"]}

    def sorted_by(sort: str) -> Callable[[random.Random], Query]:
        return lambda dice: {**of_quarter(dice), "totals": ["true"], "sort": [sort]}

    sorts = ("-opened_at", "expected_close", "-amount", "-updated_at", "name")
    return [
        *((f"open, of a team, closing in a quarter; totals; sort={sort}", sorted_by(sort)) for sort in sorts),
        ("the same, without totals", of_quarter),
        ("open, of a team; totals", lambda dice: {**of_team(dice), "totals": ["true"]}),
        ("open; totals", lambda _: {"status": ["open"], "totals": ["true"]}),
        ("all; totals", lambda _: {"totals": ["true"]}),
    ]


class Lists:
    """The read model of deals, over many."""

    def __init__(
        self, pool: asyncpg.Pool, deals: int, *, times: int = NUMBER, changes: tuple[int, int] = CHANGES
    ) -> None:
        """Each question is asked so often; `changes` are how many a page has that is folded further, and pages."""
        self._pool, self._deals, self._times, self._changes = pool, deals, times, changes
        self._log = Log(pool, Codec(registry_of()), service="deals")
        self._company = Company()
        self._facts = company.Deals()
        projections = (DEAL_PROJECTION, KNOWN_ACCOUNTS, ORGANISATION)
        logs = {"log": self._log, "journal": self._log}
        self.projections = Projections(pool, projections, logs, self._company)  # type: ignore[arg-type]

    async def fill(self) -> None:
        """Fold the facts of all deals, and settle."""
        for projection in (DEAL_PROJECTION, KNOWN_ACCOUNTS, ORGANISATION):
            await builds.prepare(self._pool, projection, self._company)
        began = time.perf_counter()
        for facts in self._facts.pages(self._deals, PAGE):
            await self._fold(facts)
        for sql, rows in ROWS.items():
            await self._pool.executemany(sql, rows)
        told(f"{self._deals:,} deals were folded in {time.perf_counter() - began:.0f} s.")
        for schema in ("deals_1", "organisation_1", "known_accounts_1"):
            await builds.analyze(self._pool, schema)
        await self._pool.execute("vacuum deals_1.deal, deals_1.deal_total", timeout=600)
        await self._pool.execute("checkpoint", timeout=600)

    async def ask(self, name: str, query: Callable[[random.Random], Query]) -> Answered:
        """How long a question to the list takes, each time about others."""

        async def answered(dice: random.Random) -> bytes:
            found = await self.answer(query(dice))
            return encode({"items": found.items, "totals": found.totals, "next": found.next})

        return await self.timed(name, answered)

    async def timed(self, name: str, ask: Callable[[random.Random], Awaitable[bytes]]) -> Answered:
        """How long the bytes of an answer take, each time about others."""
        dice, times, size = random.Random(name), list[float](), 0
        for number in range(WARM_UP + self._times):
            began = time.perf_counter()
            size = len(await ask(dice))
            if number >= WARM_UP:
                times.append(time.perf_counter() - began)
        return self._answered(name, times, size)

    async def answer(self, query: Query) -> ListPage:
        """The page that a director is shown."""
        asked = understand(DEALS, query, DIRECTOR, CURSORS, TODAY)
        return await page(self.projections, DEALS, DIRECTOR, asked, CURSORS)

    async def fold_further(self) -> Answered:
        """How long a page of changes takes, each of another deal."""
        dice, times = random.Random(0), list[float]()
        size, pages = self._changes
        for number in range(pages):
            changed = dice.sample(range(1, self._deals + 1), size)
            facts = [self._facts.moved(each, 3 + number) for each in changed]
            began = time.perf_counter()
            await self._fold(facts)
            times.append(time.perf_counter() - began)
            await asyncio.sleep(0)
        return self._answered(f"fold: a page of {size:,} changes of as many deals", times, 0)

    async def _fold(self, facts: Iterable[Envelope[Any]]) -> None:
        own = list(facts)
        async with self._pool.acquire() as connection, connection.transaction():
            db = ProjectionDatabase(
                connection, {"view": "deals_1"}, log=self._log, company=self._company, position=own[-1].position
            )
            await DEAL_PROJECTION.apply(db, own)

    def _answered(self, name: str, times: Sequence[float], size: int) -> Answered:
        return Answered(build=THIS.label, deals=self._deals, question=name, times=times, size=size)
