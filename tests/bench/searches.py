"""The section of searches: deals of a large company, looked for by words, beginnings and with slips of the pen.

It is this build alone, in this process: rows of deals are written with COPY, with the keys that the fold gives them,
and each question goes through the code of its route, without HTTP. Beside it the same questions by `pg_trgm`, over the
same texts in the same rights.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import asyncpg

from deploy.local import postgres
from deploy.local.home import Home
from deploy.local.ports import free_port
from services.deals.projections.deals import DEAL, DEAL_PROJECTION
from services.deals.projections.quotes import QUOTE_PROJECTION
from services.deals.search_api import SEARCHED
from shared.domain.context import Actor, Company
from shared.events.codec import Codec
from shared.events.registry import registry_of
from shared.eventstore.log import Log
from shared.eventstore.migrate import migrate
from shared.eventstore.pool import create_pool
from shared.projections import builds
from shared.projections.list_pages import bound_arguments, scope_of
from shared.projections.projection import placed
from shared.projections.read_snapshot import Projections
from shared.projections.search.finding import asked_words, find
from shared.projections.search.keys import OWNER, TEAM, marks_of
from shared.projections.tables import search_table
from tests.bench import deals as company
from tests.bench.boards import DIRECTOR, manager, rep
from tests.bench.builds import THIS
from tests.bench.figures import Answered, Measured
from tests.bench.machine import machine
from tests.bench.plan import told

PAGE, NUMBER, WARM_UP = 10_000, 200, 10
FREQUENT = ("renewal", "expansion", "licence", "support", "migration", "platform", "upgrade", "service")
"""Words of which each stands in every tenth deal or so."""
VOCABULARY = 20_000
COLUMNS = ("id", "version", "name", "name_key", "account_name", "owner", "team", "status", "opened_at")
MOST_WRITTEN = 100_000
"""Further deals are stamped out of so many: other things of other owners under the same names."""
STAMPED = """
with copied as (
    select md5(known.id::text || copy)::uuid as id, known.id as of, mod(abs(hashtext(known.id::text || copy)), $2) as by
      from deals_1.deal known, generate_series(1, $1 - 1) copy
), searched as (
    insert into deals_1.deal_search
    select copied.id, keys, bench_owner.seen_by
      from copied join deals_1.deal_search known on known.id = copied.of join bench_owner on number = by
)
insert into deals_1.deal (id, version, name, name_key, account_name, owner, team, status, opened_at)
select copied.id, version, name, name_key, account_name, bench_owner.owner, bench_owner.team, status, opened_at
  from copied join deals_1.deal known on known.id = copied.of join bench_owner on number = by
"""
OWNED = "create table bench_owner (number integer primary key, owner uuid, team uuid, seen_by integer[])"
PEER = """
create extension if not exists pg_trgm;
create table peer as
    select id, owner, team, name || ' ' || account_name as words from deals_1.deal;
create index on peer using gin (words gin_trgm_ops);
create index on peer (owner);
create index on peer (team);
alter table peer add primary key (id);
vacuum (analyze) peer
"""
THRESHOLD = "0.5"
"""From here on `pg_trgm` takes two words for alike."""

Ask = Callable[[random.Random], Awaitable[Sequence[Any]]]
Who = Callable[[random.Random], Actor]
What = Callable[[random.Random], str]


async def ask_searches(deals: int, into: Measured) -> None:
    """Fill the read model of deals, on a server of its own, and look for them."""
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
        pool = await create_pool(place.url, name="bench", statement_seconds=900)
        try:
            searches = Searches(pool, deals)
            await searches.fill()
            for who, actor in ROLES.items():
                for what, words in searches.questions().items():
                    into.searches.append(await searches.ask(f"{who}: {what}", searches.own(actor, words)))
            await searches.fill_peer()
            for who, actor in ROLES.items():
                for what, words in searches.questions().items():
                    name = f"{who}: {what}; pg_trgm"
                    into.searches.append(await searches.ask(name, searches.peer(actor, words)))
        finally:
            await pool.close()
        into.about = into.about or await machine(place.url, load)


ROLES: dict[str, Who] = {"a director": lambda _: DIRECTOR, "a manager": manager, "a rep": rep}


def vocabulary() -> list[str]:
    """Made-up words of two to four syllables, the frequent ones first."""
    dice = random.Random(61)
    syllables = [first + vowel for first in "bdfghklmnprstvw" for vowel in ("a", "e", "i", "o", "u", "an", "er", "il")]
    words = dict.fromkeys(FREQUENT)
    while len(words) < VOCABULARY:
        words["".join(dice.choice(syllables) for _ in range(dice.randrange(2, 5)))] = None
    return list(words)


class Searches:
    """The read model of deals, over many, each of seven words."""

    def __init__(self, pool: asyncpg.Pool, deals: int, *, times: int = NUMBER) -> None:
        self._pool, self._deals, self._times = pool, deals, times
        self._written = min(deals, MOST_WRITTEN)
        self._words = vocabulary()
        log = Log(pool, Codec(registry_of()), service="deals")
        projections = (DEAL_PROJECTION, QUOTE_PROJECTION)
        self._company = Company()
        self.projections = Projections(pool, projections, {"log": log, "journal": log}, self._company)

    async def fill(self) -> None:
        """Write the rows of all deals with their keys, and settle."""
        for projection in (DEAL_PROJECTION, QUOTE_PROJECTION):
            await builds.prepare(self._pool, projection, self._company)
        schema, search = "deals_1", search_table(DEAL.name)
        began = time.perf_counter()
        indices = await self._pool.fetch(
            "select indexrelid::regclass::text as name from pg_index join pg_class c on c.oid = indrelid"
            " where c.relnamespace = 'deals_1'::regnamespace and not indisunique"
        )
        for index in indices:
            await self._pool.execute(f"drop index {index['name']}")
        # What no search reads of a deal is left empty.
        filled = await self._pool.fetch(
            "select attname from pg_attribute where attrelid = 'deals_1.deal'::regclass"
            " and attnum > 0 and attnotnull and attname <> all ($1)",
            COLUMNS,
        )
        for column in filled:
            await self._pool.execute(f"alter table {schema}.{DEAL.name} alter column {column['attname']} drop not null")
        rows = self.rows()
        while page := list(islice(rows, PAGE)):
            await self._pool.copy_records_to_table(
                DEAL.name,
                schema_name=schema,
                columns=COLUMNS,
                records=[tuple(row[name] for name in COLUMNS) for row in page],
            )
            found = [(row["id"], *DEAL.search_row(row).values()) for row in page]
            await self._pool.copy_records_to_table(search, schema_name=schema, records=found)
        await self._pool.execute(OWNED)
        owners = [
            (company.owner_of(number), company.team_of(number % company.TEAMS)) for number in range(company.OWNERS)
        ]
        whose = [
            (number, owner, team, marks_of({OWNER: owner, TEAM: team})) for number, (owner, team) in enumerate(owners)
        ]
        await self._pool.copy_records_to_table("bench_owner", records=whose)
        await self._pool.execute(STAMPED, self._deals // self._written, company.OWNERS, timeout=900)
        told(f"{self._deals:,} deals were written in {time.perf_counter() - began:.0f} s.")
        for statement in DEAL_PROJECTION.indices:
            await self._pool.execute(placed(statement, {"view": schema}), timeout=900)
        await self._pool.execute(f"vacuum (analyze) {schema}.{DEAL.name}, {schema}.{search}", timeout=900)
        await self._pool.execute("checkpoint", timeout=900)
        told(f"They have their indices after {time.perf_counter() - began:.0f} s.")

    async def fill_peer(self) -> None:
        """The same texts in a table with an index of their trigrams."""
        began = time.perf_counter()
        for statement in PEER.split(";"):
            await self._pool.execute(statement, timeout=900)
        told(f"The peer has its index after {time.perf_counter() - began:.0f} s.")

    def rows(self) -> Iterator[dict[str, Any]]:
        """Deals in the order in which they were opened, the same on every run."""
        dice = random.Random(17)
        accounts = [" ".join(self._word(dice) for _ in range(3)) for _ in range(company.ACCOUNTS)]
        for number in range(self._written):
            owner = dice.randrange(company.OWNERS)
            name = " ".join((dice.choice(FREQUENT), *(self._word(dice) for _ in range(3))))
            yield {
                "id": UUID(int=(1 << 100) + number),
                "version": 1,
                "name": name,
                "name_key": name,
                "account_name": dice.choice(accounts),
                "owner": company.owner_of(owner),
                "team": company.team_of(owner % company.TEAMS),
                "status": "open" if dice.random() < company.OPEN_SHARE else "lost",
                "opened_at": company.BEGAN + timedelta(minutes=number),
            }

    def _word(self, dice: random.Random) -> str:
        """Some are said a thousand times as often as others."""
        return self._words[int(len(self._words) * dice.random() ** 4)]

    def questions(self) -> dict[str, What]:
        """What is looked for."""

        def some(dice: random.Random) -> str:
            return dice.choice(self._words[200:])

        return {
            "a word of every eighth deal": lambda dice: dice.choice(FREQUENT),
            "a rare word": some,
            "a rare word with a slip": lambda dice: slipped(some(dice), dice),
            "a word of every eighth deal with a slip": lambda dice: slipped(dice.choice(FREQUENT), dice),
            "a beginning of three letters": lambda dice: some(dice)[:3],
            "a beginning of five letters": lambda dice: dice.choice([w for w in self._words if len(w) > 5])[:5],
            "two words, one of them frequent": lambda dice: f"{dice.choice(FREQUENT)} {some(dice)}",
            "two frequent beginnings": lambda dice: " ".join(word[:4] for word in dice.sample(FREQUENT, 2)),
            "what is nowhere": lambda dice: "".join(dice.choice("qxzjy") for _ in range(9)),
        }

    def own(self, who: Who, what: What) -> Ask:
        """A question as its route answers it."""

        async def ask(dice: random.Random) -> Sequence[Any]:
            return (await find(self.projections, SEARCHED, who(dice), asked_words(what(dice)))).hits

        return ask

    def peer(self, who: Who, what: What) -> Ask:
        """The same by the likeness of words' trigrams."""

        async def ask(dice: random.Random) -> Sequence[Any]:
            actor, words = who(dice), what(dice).split()
            arguments, bound = bound_arguments()
            alike = [f"words %> {bound(word)}" for word in words]
            conditions = " and ".join([*alike, *scope_of(SEARCHED[0].listing, actor, bound)])
            nearest = " + ".join(f"(words <->> ${place})" for place in range(1, len(words) + 1))
            sql = f"select id, words from peer where {conditions} order by {nearest}, id desc limit 20"
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(f"set local pg_trgm.word_similarity_threshold = {THRESHOLD}")
                return await connection.fetch(sql, *arguments)

        return ask

    async def ask(self, name: str, ask: Ask) -> Answered:
        """How long a question takes, each time about something else."""
        dice, times, size = random.Random(name.partition(";")[0]), list[float](), 0
        budget = time.perf_counter() + SECONDS
        for number in range(WARM_UP + self._times):
            began = time.perf_counter()
            size = len(await ask(dice))
            if number >= WARM_UP:
                times.append(time.perf_counter() - began)
                if time.perf_counter() > budget:
                    break
            await asyncio.sleep(0)
        return Answered(build=THIS.label, deals=self._deals, question=name, times=times, size=size)


SECONDS = 5.0
"""So long each question is asked at most."""


def slipped(word: str, dice: random.Random) -> str:
    """The same word without one of its letters, but for the first."""
    place = dice.randrange(1, len(word))
    return word[:place] + word[place + 1 :]
