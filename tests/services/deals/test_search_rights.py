"""Search among some thousand deals: whoever asks is told what looking at every deal that they see finds (DEAL-3)."""

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest

from services.deals.search_api import SEARCHED
from shared.domain.context import Actor
from shared.domain.permissions import sees
from shared.domain.roles import READING
from shared.eventstore.pool import create_pool
from shared.projections.search.finding import CANDIDATES, MAX_HITS, Hit, asked_words, find, hit_of, ranked
from shared.testing.servers import DatabaseServer
from tests.bench.searches import ROLES, Searches

DEALS, ASKED = 3_000, 4
EVERY = SEARCHED[0]


@pytest.fixture
async def searches(postgres: DatabaseServer) -> AsyncIterator[Searches]:
    url = await postgres.create_database("searches", await postgres.migrated())
    pool = await create_pool(url, name="bench")
    try:
        searches = Searches(pool, DEALS)
        await searches.fill()
        yield searches
    finally:
        await pool.close()
        await postgres.drop_database(url)


def looked_at_one_by_one(rows: Sequence[Mapping[str, Any]], actor: Actor, words: Sequence[str]) -> list[Hit]:
    """What stands in the rows that somebody sees, by looking at each."""
    seen = (row for row in rows if sees(actor, READING, row["owner"], row["team"]))
    return ranked([hit for row in seen if (hit := hit_of(EVERY, row, words)) is not None])


async def test_deal_3_what_is_found_is_what_looking_at_every_deal_finds(searches: Searches) -> None:
    """API-4: a rep's, a manager's and a director's, the same each time."""
    rows, dice = list(searches.rows()), random.Random(5)
    complete = dict.fromkeys(ROLES, 0)
    for role, who in ROLES.items():
        for what in searches.questions().values():
            for _ in range(ASKED):
                actor, words = who(dice), asked_words(what(dice))
                every = looked_at_one_by_one(rows, actor, words)
                found = await find(searches.projections, SEARCHED, actor, words)
                told = f"{role}: {words}"
                assert found == await find(searches.projections, SEARCHED, actor, words), told
                if found.truncated:
                    assert len(found.hits) == MAX_HITS, told
                    assert set(found.hits) <= set(every), told
                else:
                    assert list(found.hits) == every[:MAX_HITS], told
                    complete[role] += bool(every)
                assert not found.truncated or len(every) > CANDIDATES, told
    assert min(complete.values()) > ASKED
