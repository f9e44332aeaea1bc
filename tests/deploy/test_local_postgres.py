"""PostgreSQL without containers: started, killed, started again, closed to strangers."""

import os
import stat
import subprocess
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import psutil
import pytest

from deploy.local import postgres
from deploy.local.fault import LocalError
from deploy.local.program import last_line, until
from deploy.local.stack import Stack
from deploy.services import SERVICES


async def ask(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_committed_rows_outlive_a_kill_and_a_restart(stack: Stack) -> None:
    server = await postgres.launch(stack.postgres)
    await ask(stack.postgres.url, "create table kept as select generate_series(1, 1000) as number")
    server.kill()
    assert not await postgres.answers(stack.postgres.url)

    server = await postgres.launch(stack.postgres)
    assert await ask(stack.postgres.url, "select count(*) from kept") == 1000
    await server.stop()
    assert not server.alive


def somebody() -> "subprocess.Popen[bytes]":
    """A living process of the user as whom PostgreSQL runs."""
    user = postgres.UNPRIVILEGED if os.geteuid() == 0 else None
    return subprocess.Popen(("sleep", "60"), user=user)


@pytest.mark.parametrize("whose", ["a stranger's", "nobody's", "nonsense"])
async def test_a_stale_lock_file_does_not_keep_it_down(stack: Stack, whose: str) -> None:
    server = await postgres.launch(stack.postgres)
    server.kill()
    assert await until(lambda: postgres.works_in(stack.postgres.data) is None, 20)
    lock, stranger = stack.postgres.data / "postmaster.pid", somebody()
    rest = lock.read_text().partition("\n")[2]
    lock.write_text({"a stranger's": f"{stranger.pid}\n{rest}", "nobody's": f"\n{rest}", "nonsense": ""}[whose])

    server = await postgres.launch(stack.postgres)
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()
    await server.stop()


async def test_a_server_that_this_stack_does_not_know_is_named(stack: Stack) -> None:
    server = await postgres.launch(stack.postgres)
    with pytest.raises(LocalError, match=f"already, as process {server.pid}") as refused:
        postgres.prepare(stack.postgres)
    assert f"kill -INT {server.pid}" in refused.value.remedy
    await server.stop()


async def test_each_service_enters_its_own_database_only(stack: Stack) -> None:
    server = await postgres.launch(stack.postgres)
    for _ in range(2):  # repeatable
        await postgres.provision(stack.postgres, SERVICES)

    deals = postgres.service_url(stack.postgres, "deals")
    assert await ask(deals, "select current_user || '/' || current_database()") == "deals/deals"
    assert await ask(deals, "show idle_in_transaction_session_timeout") == "5s"
    for other in ("leads", "postgres"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ask(urlunsplit(urlsplit(deals)._replace(path=f"/{other}")), "select 1")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await ask(deals.replace(stack.home.secret("database-deals"), "guessed"), "select 1")
    await server.stop()


async def test_the_server_is_not_root_and_its_files_are_private(stack: Stack) -> None:
    parents = {parent: parent.stat().st_mode for parent in (stack.home.path, *stack.home.path.parents)}
    server = await postgres.launch(stack.postgres)

    assert psutil.Process(server.pid).uids().effective != 0
    assert stat.S_IMODE(stack.postgres.data.stat().st_mode) == 0o700
    assert stat.S_IMODE((stack.home.path / "postgres.secret").stat().st_mode) == 0o600
    assert {parent: parent.stat().st_mode for parent in parents} == parents
    if os.geteuid() == 0:
        assert not stack.postgres.data.is_relative_to(stack.home.path)
    await server.stop()


def test_why_a_server_gave_up_is_told_and_not_that_it_did(tmp_path: Path) -> None:
    log = tmp_path / "postgresql.log"
    log.write_text("LOG:  starting\nFATAL:  could not create any TCP/IP sockets\nLOG:  database system is shut down\n")
    assert last_line(log) == "FATAL:  could not create any TCP/IP sockets"
