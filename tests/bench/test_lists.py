"""The company of the section of lists: its shape, and that its facts are folded and asked as they would be."""

from shared.eventstore.pool import create_pool
from shared.testing.servers import DatabaseServer
from tests.bench.boards import boards
from tests.bench.deals import OPEN_SHARE, TEAMS, Deals
from tests.bench.lists import Lists, questions

DEALS = 2_000


def test_a_fifth_of_its_deals_is_open_and_every_team_has_some() -> None:
    facts = [fact for page in Deals().pages(DEALS, 100) for fact in page]
    openings = [fact.data for fact in facts if fact.sequence == 1]
    assert len(openings) == DEALS
    assert abs(1 - (len(facts) - DEALS) / DEALS - OPEN_SHARE) < 0.05
    assert len({each.team for each in openings}) == TEAMS
    assert [fact.position for fact in facts] == list(range(1, len(facts) + 1))


def test_the_facts_are_the_same_on_every_run() -> None:
    assert [*Deals().pages(50, 10)] == [*Deals().pages(50, 10)]


async def test_the_list_is_asked_and_folded_further(postgres: DatabaseServer) -> None:
    url = await postgres.create_database("lists", await postgres.migrated())
    pool = await create_pool(url, name="bench")
    try:
        lists = Lists(pool, DEALS, times=2, changes=(10, 2))
        await lists.fill()
        assert await pool.fetchval("select count(*) from deals_1.deal") == DEALS
        everything = await lists.answer({"totals": ["true"]})
        assert everything.totals
        assert everything.totals["count"] == DEALS
        assert all(row.team_name.startswith("Team ") for row in everything.items)
        for name, query in questions():
            asked = await lists.ask(name, query)
            assert (len(asked.times), asked.deals) == (2, DEALS)
        for name, ask in boards(lists.projections):
            asked = await lists.timed(name, ask)
            assert (len(asked.times), asked.deals) == (2, DEALS)
            assert asked.size > 500
        folded = await lists.fold_further()
        assert len(folded.times) == 2
        assert await pool.fetchval("select count(*) from deals_1.deal where version > 2") > 0
    finally:
        await pool.close()
        await postgres.drop_database(url)
