"""Who is who in the sales organisation, and whose teams they reach, as every service sees it (ORG-1, API-4)."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.directory.organisation import Organisation, fold, organisation
from shared.domain.context import Actor, Company
from shared.domain.roles import Role
from shared.events.codec import Codec
from shared.events.leads.member import MemberChanged, MemberJoined, MemberLeft, MemberMoved
from shared.events.leads.team import ManagerAppointed, TeamChanged, TeamFormed
from shared.events.registry import registry_of, topic_of_class
from shared.eventstore.log import Log
from shared.kafka.partitioning import PARTITIONS, partition_of
from shared.ops.ids import new_id
from shared.projections.projection import ProjectionDatabase
from tests.shared.projections.conftest import Depot

SALES, NORTH, COAST, SOUTH, ANA, BEN, CARLA = (UUID(int=number) for number in range(1, 8))

HISTORY = (
    TeamFormed(team_id=SALES, name="Sales"),
    TeamFormed(team_id=NORTH, name="North", parent_id=SALES),
    TeamFormed(team_id=COAST, name="Coast", parent_id=NORTH),
    TeamFormed(team_id=SOUTH, name="South", parent_id=SALES),
    MemberJoined(member_id=ANA, subject="ana", name="Ana", role="manager", team_id=NORTH),
    ManagerAppointed(team_id=NORTH, member_id=ANA),
    MemberJoined(member_id=BEN, subject="ben", name="Ben", role="rep", team_id=COAST),
    MemberJoined(member_id=CARLA, subject="carla", name="Carla", role="manager"),
    ManagerAppointed(team_id=SALES, member_id=CARLA),
)


CODEC = Codec(registry_of("leads"))
NOW = datetime(2026, 3, 16, tzinfo=UTC)
INSERT = """
    insert into journal (topic, partition, source_position, aggregate_id, aggregate, sequence, event_id, type, version,
        occurred_at, by_day, recorded_at, actor, correlation_id, causation_id, imported, fact, traceparent, data)
    select $1, $2, (select count(*) + 1 from journal), $3, $4,
           (select count(*) + 1 from journal where aggregate_id = $3), $5, $6, 1, $7, $8, $9, 'somebody', $5, $5, $8,
           $10, null, $11
    returning position
"""


async def told(depot: Depot, *events: Any) -> Organisation:
    """The organisation after these events, each of which comes by itself."""
    projection = organisation("journal")
    await depot.prepare(projection)
    await told_more(depot, *events)
    return Organisation(depot.projections(projection))


async def told_more(depot: Depot, *events: Any, at: datetime = NOW, fact: str | None = None) -> None:
    """Journal events, and fold each by itself."""
    log = Log(depot.pool, CODEC)
    async with depot.pool.acquire() as connection:
        for event in events:
            about = getattr(event, f"{event.aggregate}_id")
            place = topic_of_class(type(event)), partition_of(about, PARTITIONS), about, event.aggregate
            data = CODEC.encode(event).data.decode()
            position = await connection.fetchval(
                INSERT, *place, new_id(), event.type, at, fact is not None, NOW, fact, data
            )
            schemas = {"view": "organisation_1"}
            db = ProjectionDatabase(connection, schemas, log=log, company=Company(), position=position)
            *_, newest = await db.history([about])
            await fold(db, [newest])


async def test_who_somebody_is_is_remembered_for_a_second(depot: Depot) -> None:
    seconds, projection = [0.0], organisation("journal")
    await told(depot, *HISTORY)
    known = Organisation(depot.projections(projection), now=lambda: seconds[0])
    assert (await known.actor("ana", [])).team == NORTH
    await told_more(depot, MemberMoved(member_id=ANA, before=NORTH, team_id=COAST, on=date(2026, 3, 16)))
    seconds[0] = 0.9
    assert (await known.actor("ana", [])).team == NORTH
    assert (await known.actor("ana", [], fresh=True)).team == COAST
    await told_more(depot, MemberMoved(member_id=ANA, before=COAST, team_id=SOUTH, on=date(2026, 3, 17)))
    assert (await known.actor("ana", [])).team == COAST
    seconds[0] = 1.0
    assert (await known.actor("ana", [])).team == SOUTH


def rep(subject: str, member: UUID, team: UUID | None, *teams: UUID) -> Actor:
    return Actor(subject=subject, roles=frozenset({Role.REP}), member=member, team=team, teams=frozenset(teams))


async def who(organisation: Organisation, subject: str) -> Actor:
    return await organisation.actor(subject, [Role.REP], fresh=True)


async def test_a_manager_reaches_the_teams_below_and_a_rep_their_own(depot: Depot) -> None:
    known = await told(depot, *HISTORY)
    assert await who(known, "ana") == rep("ana", ANA, NORTH, NORTH, COAST)
    assert await who(known, "ben") == rep("ben", BEN, COAST, COAST)
    assert await who(known, "carla") == rep("carla", CARLA, None, SALES, NORTH, COAST, SOUTH)
    assert await who(known, "dora") == Actor(subject="dora", roles=frozenset({Role.REP}))


@pytest.mark.parametrize("seed", range(4))
async def test_the_order_between_teams_and_members_does_not_matter(depot: Depot, seed: int) -> None:
    known = await told(depot, *random.Random(seed).sample(HISTORY, len(HISTORY)))
    assert await who(known, "ana") == rep("ana", ANA, NORTH, NORTH, COAST)
    assert await who(known, "carla") == rep("carla", CARLA, None, SALES, NORTH, COAST, SOUTH)


async def test_people_move_and_leave(depot: Depot) -> None:
    moved = MemberMoved(member_id=BEN, before=COAST, team_id=SOUTH)
    left = MemberLeft(member_id=CARLA, on=date(2026, 3, 16))
    replaced = ManagerAppointed(team_id=NORTH, member_id=BEN, before=ANA)
    known = await told(depot, *HISTORY, moved, left, replaced)
    assert await who(known, "ana") == rep("ana", ANA, NORTH, NORTH)
    assert await who(known, "ben") == rep("ben", BEN, SOUTH, SOUTH, NORTH, COAST)
    assert await who(known, "carla") == Actor(subject="carla", roles=frozenset({Role.REP}))


async def test_teams_below_and_names(depot: Depot) -> None:
    known = await told(depot, *HISTORY)
    assert await known.below(NORTH) == (NORTH, COAST)
    assert set(await known.below(SALES)) == {SALES, NORTH, COAST, SOUTH}
    assert (await known.below(SALES))[0] == SALES
    assert (await known.names())[BEN] == "Ben"
    assert (await known.names())[COAST] == "Coast"


async def test_what_lies_below_a_team_is_remembered_for_a_second(depot: Depot) -> None:
    """API-4: the stream asks before each event."""
    lake, seconds, projection = UUID(int=8), [0.0], organisation("journal")
    await told(depot, *HISTORY)
    known = Organisation(depot.projections(projection), now=lambda: seconds[0])
    assert await known.below(NORTH) == (NORTH, COAST)
    await told_more(depot, TeamFormed(team_id=lake, name="Lake", parent_id=NORTH))
    seconds[0] = 0.9
    assert await known.below(NORTH) == (NORTH, COAST)
    assert await known.below(NORTH, fresh=True) == (NORTH, COAST, lake)
    await told_more(depot, TeamFormed(team_id=CARLA, name="Shore", parent_id=NORTH))
    assert await known.below(NORTH) == (NORTH, COAST, lake)
    seconds[0] = 1.0
    assert set(await known.below(NORTH)) == {NORTH, COAST, lake, CARLA}


async def test_teams_in_a_circle_end(depot: Depot) -> None:
    circle = TeamFormed(team_id=SALES, name="Sales", parent_id=COAST)
    known = await told(depot, *HISTORY, circle)
    assert set(await known.below(NORTH)) == {SALES, NORTH, COAST, SOUTH}


async def test_data_5_what_is_told_late_stands_where_it_happened(depot: Depot) -> None:
    earlier, much_earlier = NOW - timedelta(days=10), NOW - timedelta(days=20)
    known = await told(depot, *HISTORY, MemberMoved(member_id=BEN, before=COAST, team_id=SOUTH))
    await told_more(depot, MemberMoved(member_id=BEN, before=None, team_id=NORTH), at=earlier, fact="member-moved/1")
    assert (await who(known, "ben")).team == SOUTH
    formed = TeamFormed(team_id=SOUTH, name="South", parent_id=NORTH)
    await told_more(depot, formed, at=much_earlier, fact="team/1")
    assert await known.below(NORTH, fresh=True) == (NORTH, COAST)
    await told_more(depot, TeamChanged(team_id=SOUTH, name="Deep South", parent_id=NORTH))
    assert set(await known.below(NORTH, fresh=True)) == {NORTH, COAST, SOUTH}
    assert (await known.names())[SOUTH] == "Deep South"


async def test_data_5_a_fact_that_was_corrected_does_not_count(depot: Depot) -> None:
    later, left = NOW + timedelta(days=1), MemberLeft(member_id=BEN, on=date(2026, 3, 17))
    known = await told(depot, *HISTORY)
    for team_id in (NORTH, SOUTH):
        moved = MemberMoved(member_id=BEN, before=None, team_id=team_id)
        await told_more(depot, moved, at=later, fact="member-moved/1")
    assert (await who(known, "ben")).team == SOUTH
    await told_more(depot, left, at=later, fact="member-left/1")
    await told_more(depot, MemberMoved(member_id=BEN, before=None, team_id=NORTH), at=later + timedelta(days=1))
    assert (await known.actor("ben", [], fresh=True)).member is None


async def test_what_is_known_about_a_member_changes(depot: Depot) -> None:
    known = await told(depot, *HISTORY)
    changed = MemberChanged(
        member_id=BEN,
        subject="benjamin",
        name="Benjamin",
        role="manager",
        department="sales",
        experience="senior",
        capacity=5,
    )
    await told_more(depot, changed)
    assert (await who(known, "benjamin")).member == BEN
    assert (await known.actor("ben", [], fresh=True)).member is None
    assert (await known.names())[BEN] == "Benjamin"
    experience = "select experience from organisation_1.member where member_id = $1"
    assert await depot.pool.fetchval(experience, BEN) == "senior"


def test_the_projection_reads_events_that_exist() -> None:
    assert set(organisation("log").events) <= set(registry_of("leads").classes)
