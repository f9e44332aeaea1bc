"""The schema only goes forward, and says when database and release do not fit (OPS-1)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from shared.store.migrate import LOCK, MigrationError, check, migrate, migrations
from shared.store.pool import create_pool
from shared.testing.servers import DatabaseServer


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


async def test_readiness_needs_exactly_this_schema(empty: str) -> None:
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
