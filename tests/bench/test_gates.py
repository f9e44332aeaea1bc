"""The section of gates: its processes ask for what they say, and commands are measured that are recorded."""

from dataclasses import replace

from shared.eventstore.connecting import connect
from shared.testing.servers import DatabaseServer
from tests.bench.figures import Decided, Measured
from tests.bench.gates import MANY_CRITERIA, MANY_RULES, demanding, on_gates, plain
from tests.bench.report import report


def test_one_process_asks_for_nothing_and_the_other_for_much() -> None:
    for definition, criteria, rules in ((plain(), 0, 0), (demanding(), MANY_CRITERIA, MANY_RULES)):
        first, last = definition.stages
        assert (len(first.exit), len(first.rules)) == (criteria, rules)
        assert not last.entry


async def test_each_command_is_recorded_on_a_deal_of_each_process(postgres: DatabaseServer) -> None:
    url = await postgres.create_database("gates", await postgres.migrated())
    try:
        found = await on_gates(url, deals=2, commands=3, decisions=4, warm_up=1)
        connection = await connect(url)
        counted = await connection.fetch("select type, count(*)::int from event where aggregate = 'deal' group by type")
        await connection.close()
    finally:
        await postgres.drop_database(url)
    kinds = {row["type"].removeprefix("deals."): row["count"] for row in counted}
    assert kinds["deal-activity-logged"] == 2 * 4
    assert kinds["deal-ready-to-move-on"] == 2, "of the demanding process, once its facts were noted"
    assert kinds["deal-opened"] == 2 * 2 + 1, "one of which little is known"
    assert "deal-rule-fired" not in kinds
    assert [(one.what, len(one.times)) for one in found] == [
        *[("deciding a move", 4)] * 3,
        *[("deciding what follows at once", 4)] * 3,
        *[("log-activity, recorded", 3)] * 2,
    ]


def test_a_process_stands_beside_the_one_that_asks_for_nothing() -> None:
    little = Decided(build="this build", what="deciding a move", process="Plain", times=[0.0001] * 3)
    page = report(Measured(gates=[little, replace(little, process="Demanding", times=[0.0003] * 3)]), "Ours")

    assert "| What | Process | n | p50 µs | p99 µs | Longest µs | A second | ÷ Plain (p50) |" in page
    assert "| deciding a move | Plain | 3 | 100 | 100 | 100 | 10,000 | – |" in page
    assert "| deciding a move | Demanding | 3 | 300 | 300 | 300 | 3,333 | 3.00 |" in page
