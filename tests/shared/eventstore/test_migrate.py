"""The schema only goes forward, and says when database and release do not fit (OPS-1)."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from shared.commands.request import CommandRequest
from shared.eventstore import migrate as migrating_module
from shared.eventstore.migrate import FOLDER, LOCK, MigrationError, check, migrate, migrations
from shared.eventstore.pool import create_pool
from shared.ops.ids import new_id
from shared.testing.servers import DatabaseServer
from shared.testing.transactions import long_transaction
from tests.shared.eventstore.conftest import start_process
from tests.shared.eventstore.releases import NEWEST, release
from tests.shared.eventstore.tickets import SERVICE_ACTOR, AddNote, OpenTicket, ticket


@pytest.fixture
async def empty(postgres: DatabaseServer) -> AsyncIterator[str]:
    url = await postgres.create_database("migrations")
    yield url
    await postgres.drop_database(url)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_first.sql").write_text("create table first (id int)")
    (tmp_path / "0002_second.sql").write_text("create table second (id int)")
    return tmp_path


async def test_files_are_applied_once_and_in_order(empty: str, folder: Path) -> None:
    assert await migrate(empty, folder) == ["0001_first", "0002_second"]
    (folder / "0003_third.sql").write_text("alter table second add third int")
    assert await migrate(empty, folder) == ["0003_third"]
    assert await migrate(empty, folder) == []


async def test_a_file_that_changed_after_it_was_applied_is_refused(empty: str, folder: Path) -> None:
    await migrate(empty, folder)
    (folder / "0001_first.sql").write_text("create table first (id bigint)")
    with pytest.raises(MigrationError, match="0001_first differs"):
        await migrate(empty, folder)


async def test_a_database_ahead_of_the_release_is_refused(empty: str, folder: Path) -> None:
    await migrate(empty, folder)
    (folder / "0002_second.sql").unlink()
    with pytest.raises(MigrationError, match="ahead of this release"):
        await migrate(empty, folder)


async def test_a_file_before_what_was_applied_is_refused(empty: str, folder: Path) -> None:
    (folder / "0002_second.sql").rename(folder / "0005_second.sql")
    await migrate(empty, folder)
    (folder / "0003_late.sql").write_text("create table late (id int)")
    with pytest.raises(MigrationError, match="0003_late comes before"):
        await migrate(empty, folder)


async def test_a_file_that_fails_leaves_nothing(empty: str, folder: Path) -> None:
    (folder / "0002_second.sql").write_text("create table second (id int); select 1 / 0")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty, folder)
    (folder / "0002_second.sql").write_text("create table second (id int)")
    assert await migrate(empty, folder) == ["0002_second"]


async def test_processes_that_start_at_once_migrate_once(empty: str, folder: Path) -> None:
    applied = await asyncio.gather(*(migrate(empty, folder) for _ in range(5)))
    assert sorted(map(len, applied)) == [0, 0, 0, 0, 2]


async def test_the_second_process_waits_for_the_first(empty: str, folder: Path) -> None:
    first = await asyncpg.connect(empty)
    await first.execute("select pg_advisory_lock($1)", LOCK)
    waiting = asyncio.create_task(migrate(empty, folder))
    done, _ = await asyncio.wait([waiting], timeout=0.2)
    assert not done
    await first.close()
    assert await waiting == ["0001_first", "0002_second"]


async def test_readiness_needs_this_schema(empty: str) -> None:
    pool = await create_pool(empty, name="check", size=1)
    with pytest.raises(MigrationError, match="lacks 0001_log"):
        await check(pool)
    await migrate(empty)
    await check(pool)
    await pool.close()


def test_names_of_files_are_checked(folder: Path) -> None:
    (folder / "0002_again.sql").write_text("")
    with pytest.raises(MigrationError, match="same number"):
        migrations(folder)
    (folder / "0002_again.sql").rename(folder / "3-third.sql")
    with pytest.raises(MigrationError, match="not named like"):
        migrations(folder)


# -- rolling updates: the older release on the database of the newer one -----------------------------------------------


WAITING_FOR_FIRST = "select exists (select from pg_locks where relation = 'first'::regclass and not granted)"


@pytest.fixture
async def pool(empty: str) -> AsyncIterator["asyncpg.Pool"]:
    """Connections of the older release."""
    async with await create_pool(empty, name="older", size=2) as pool:
        yield pool


def write(folder: Path, name: str, compatible_with: str = "") -> None:
    """A migration of a made-up release."""
    head = f"-- compatible-with: {compatible_with}\n" if compatible_with else ""
    (folder / f"{name}.sql").write_text(f"-- What it brings.\n{head}\ncreate table {name[5:]} (id int)")


@pytest.fixture
def newer(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a release that has what `folder` has, and will have more."""
    copy = tmp_path_factory.mktemp("newer")
    for file in folder.glob("*.sql"):
        (copy / file.name).write_text(file.read_text())
    return copy


async def test_a_release_accepts_a_newer_database_that_is_compatible_with_it(
    empty: str, pool: asyncpg.Pool, folder: Path, newer: Path
) -> None:
    write(newer, "0003_third", "0002")
    assert await migrate(empty, folder) == ["0001_first", "0002_second"]
    assert await migrate(empty, newer) == ["0003_third"]
    await check(pool, folder)
    await check(pool, newer)
    assert await migrate(empty, folder) == [], "the older release has nothing to do"
    assert await pool.fetchval("select count(*) from schema_migration") == 3


@pytest.mark.parametrize("stated", ["", "none", "0003"])
async def test_a_release_refuses_a_newer_database_that_is_not_compatible_with_it(
    empty: str, pool: asyncpg.Pool, folder: Path, newer: Path, stated: str
) -> None:
    """Whoever says nothing is compatible with no older release."""
    write(newer, "0003_third", "0002")
    write(newer, "0004_fourth", stated)
    await migrate(empty, newer)
    for refused in (check(pool, folder), migrate(empty, folder)):
        with pytest.raises(MigrationError, match=r"it has 0004_fourth.*[Rr]un a release that has it"):
            await refused
    await check(pool, newer)


async def test_every_unknown_migration_has_to_be_compatible(
    empty: str, pool: asyncpg.Pool, folder: Path, newer: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The newest of a chain goes back further than one before it, which decides."""
    write(newer, "0003_third", "0001")
    write(newer, "0004_fourth", "0003")
    write(newer, "0005_fifth", "0002")
    await migrate(empty, newer)
    with pytest.raises(MigrationError, match=r"0004_fourth.*from 0003 on"):
        await check(pool, folder)
    write(folder, "0003_third", "0001")
    await check(pool, folder)
    assert await migrate(empty, folder) == []


async def test_a_migration_of_another_line_is_refused_whatever_it_says(
    empty: str, pool: asyncpg.Pool, folder: Path, newer: Path
) -> None:
    write(newer, "0003_third", "0002")
    await migrate(empty, newer)
    write(folder, "0004_other", "0002")
    for refused in (check(pool, folder), migrate(empty, folder)):
        with pytest.raises(MigrationError, match="0003_third"):
            await refused


async def test_a_known_file_that_changed_is_refused_on_a_newer_database_too(
    empty: str, pool: asyncpg.Pool, folder: Path, newer: Path
) -> None:
    write(newer, "0003_third", "0001")
    await migrate(empty, newer)
    (folder / "0001_first.sql").write_text("create table first (id bigint)")
    with pytest.raises(MigrationError, match="0001_first differs"):
        await check(pool, folder)


async def test_a_table_of_migrations_from_before_is_read_and_expanded(
    empty: str, pool: asyncpg.Pool, folder: Path, newer: Path
) -> None:
    """What releases before this one applied says nothing of older ones, so it is compatible with none."""
    await migrate(empty, folder)
    await pool.execute("alter table schema_migration drop column compatible_with")
    await check(pool, folder)
    assert await migrate(empty, folder) == []
    await pool.execute("alter table schema_migration drop column compatible_with")
    (newer / "0002_second.sql").unlink()
    with pytest.raises(MigrationError, match="0002_second"):
        await check(pool, newer)
    write(folder, "0003_third", "0002")
    assert await migrate(empty, folder) == ["0003_third"]
    told = await pool.fetch("select compatible_with from schema_migration order by number")
    assert [row["compatible_with"] for row in told] == [None, None, 2]


async def test_an_older_release_appends_and_reads_after_an_expansion(empty: str, tmp_path: Path) -> None:
    """Every table has more columns and the release knows of none of them."""
    await migrate(empty)
    process = await start_process(empty)
    ticket_id = new_id()
    await process.commands.execute(
        CommandRequest(ticket, ticket_id, OpenTicket(email="ann@example.com"), SERVICE_ACTOR)
    )
    assert (await process.log.read(0, 10)).upto == 1
    assert await migrate(empty, release(tmp_path)) == [f"{NEWEST + 1:04}_expanded"]
    await check(process.pool)
    await process.commands.execute(CommandRequest(ticket, ticket_id, AddNote(note="after"), SERVICE_ACTOR))
    page = await process.log.read(1, 10)
    assert (page.upto, len(page.events)) == (2, 1)
    assert (await process.commands.state(ticket, ticket_id)).sequence == 2
    await process.close()


JOURNALED = """
    insert into journal (position, topic, partition, source_position, aggregate_id, aggregate, sequence, event_id, type,
                         version, occurred_at, recorded_at, actor, correlation_id, causation_id, imported, data)
    values (41, 'deals.deal.v1', 0, 7, $1, 'deal', 1, $1, 'deals.deal-won',
            1, now(), now(), 'rita', $1, $1, false, '{}')
"""


@pytest.mark.parametrize(
    ("before", "begins"),
    [
        ((), None),
        ((JOURNALED,), 41),
        ((JOURNALED, "insert into mark (name, position) select 'reactions-journal', 3 where $1::uuid is not null"), 3),
    ],
    ids=["nothing is journaled", "nobody reacted", "somebody reacts"],
)
async def test_whoever_begins_to_react_passes_what_was_journaled_before(
    empty: str, tmp_path: Path, before: tuple[str, ...], begins: int | None
) -> None:
    """Else a release that is the first to react would answer all of history at once."""
    for file in FOLDER.glob("*.sql"):
        if int(file.name[:4]) < 21:
            shutil.copy(file, tmp_path)
    await migrate(empty, tmp_path)
    connection = await asyncpg.connect(empty)
    for statement in before:
        await connection.execute(statement, new_id())
    await migrate(empty)
    assert await connection.fetchval("select position from mark where name = 'reactions-journal'") == begins
    await connection.close()


async def test_who_migrates_gives_way_to_those_who_wait_for_the_same_table(
    empty: str, pool: asyncpg.Pool, folder: Path
) -> None:
    """A change of a table that waits behind a long reader holds up everybody who comes after it. So it tries again."""
    await migrate(empty, folder)
    (folder / "0003_third.sql").write_text("alter table first add third int")
    async with pool.acquire() as reader, long_transaction(reader):
        await reader.execute("select from first")
        migrating = asyncio.create_task(migrate(empty, folder))
        async with asyncio.timeout(20):
            while not await pool.fetchval(WAITING_FOR_FIRST):
                await pool.execute("select pg_sleep(0.01)")
            await pool.fetch("select from first")
        assert not migrating.done()
    assert await migrating == ["0003_third"]


async def test_who_migrates_says_what_is_in_the_way(
    empty: str, pool: asyncpg.Pool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating_module, "TIMEOUT_SECONDS", 0.1)
    await migrate(empty, folder)
    (folder / "0003_third.sql").write_text("alter table first add third int")
    async with pool.acquire() as reader, reader.transaction():
        await reader.execute("select from first")
        with pytest.raises(MigrationError, match=r"0003_third.*lock.*again"):
            await migrate(empty, folder)
    assert await migrate(empty, folder) == ["0003_third"]


@pytest.mark.parametrize(
    "head",
    [
        "-- compatible-with 0001",
        "-- compatible-with: 1",
        "-- compatible-with: 0001, 0002",
        "--compatible-with: 0001",
        "-- compatible-with: 0001\n-- compatible-with: none",
    ],
)
def test_what_cannot_be_understood_is_refused(folder: Path, head: str) -> None:
    (folder / "0003_third.sql").write_text(f"-- What it brings.\n{head}\n")
    with pytest.raises(MigrationError, match=r"0003_third.*compatible-with"):
        migrations(folder)


def test_only_the_first_comment_says_with_what_a_file_is_compatible(folder: Path) -> None:
    write(folder, "0003_third", "0002")
    write(folder, "0004_fourth", "none")
    (folder / "0005_fifth.sql").write_text("create table fifth (id int);\n-- compatible-with: 0002\n")
    assert [(file.stated, file.compatible_with) for file in migrations(folder)] == [
        *[(None, None)] * 2,
        ("0002", 2),
        ("none", None),
        (None, None),
    ]
