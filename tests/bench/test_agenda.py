"""The company of the section of agendas: that its facts are folded and asked as they would be."""

from shared.domain.history import by_thing
from shared.eventstore.pool import create_pool
from shared.testing.servers import DatabaseServer
from tests.bench.agenda import COPIES, Agendas, in_pages, questions
from tests.bench.deals import OPEN_SHARE, owner_of

DEALS = 60 * COPIES


def test_the_facts_of_its_deals_stand_in_their_order() -> None:
    facts = [fact for page in in_pages(100, 3) for fact in page]
    lives = by_thing(facts).values()
    assert len(lives) == 100
    assert all([fact.sequence for fact in life] == [1, 2, 3, 4, 5, 6] for life in lives)
    assert len({life[0].data.owner for life in lives}) == 3


async def test_every_rep_has_an_agenda_of_deals_that_are_there(postgres: DatabaseServer) -> None:
    url = await postgres.create_database("agendas", await postgres.migrated())
    pool = await create_pool(url, name="bench")
    try:
        agendas = Agendas(pool, DEALS, times=2, reps=3)
        await agendas.fill()
        for number in range(3):
            found = await agendas.answer(owner_of(number), 60)
            steps = [item for item in found.next.items if item.kind == "next-step"]
            assert found.overdue.count > 0
            assert steps
            assert {item.what for item in steps} == {"Walk through the quotation"}
            assert all(item.name for item in found.overdue.items if item.kind == "task")
            assert len(found.actions) == 10
            assert all(each.worth is not None for each in found.actions)
        counted = "select count(*), count(*) filter (where status = 'open') from deals_1.deal"
        (row,) = await pool.fetch(counted)
        assert tuple(row) == (DEALS, DEALS * OPEN_SHARE)
        for name, days in questions():
            asked = await agendas.ask(name, days)
            assert (len(asked.times), asked.deals) == (2, DEALS)
    finally:
        await pool.close()
        await postgres.drop_database(url)
