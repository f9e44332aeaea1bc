"""Runs of imports: each is known before it records anything, and waits for what is taken back (DATA-5)."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from deploy.cli.import_ import facts_in
from deploy.imports import loading
from deploy.imports.facts import ids_of
from deploy.imports.loading import Summary, load
from deploy.imports.runs import TURN
from deploy.imports.undoing import undo
from shared.events.registry import SERVICES
from shared.ops.ids import new_id
from tests.deploy.test_import import Books, books, written
from tests.deploy.test_import_undo import FREE, states
from tests.shared.http.waiting import until

__all__ = ["books"]

WAITING = "select count(*) from pg_locks where locktype = 'advisory' and not granted and objid = $1"


class CutOffError(Exception):
    """As the process ends in the middle."""


async def cut_off(books: Books, file: Path, run: UUID) -> None:
    """Take the first batch of a file in."""

    def say(summary: Summary) -> None:
        raise CutOffError

    with pytest.raises(CutOffError):
        await load(lambda: facts_in(file), ids_of(file.stem), books.settings, say, run=run)


async def test_data_5_an_import_that_was_cut_off_is_taken_back_whole(
    books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is given from outside, so that it can be told first; and the next one names it."""
    nothing, first = await states(books), new_id()
    file = written(tmp_path, FREE)
    monkeypatch.setattr(loading, "BATCH", 5)
    await cut_off(books, file, first)
    dry = await books.take_in(file, dry_run=True)
    second = await books.take_in(file)
    assert (dry.known.total(), dry.earlier) == (second.known.total(), second.earlier) == (5, {first})
    third = await books.take_in(file)
    assert (third.recorded.total(), third.earlier) == (0, {first, second.run})
    for run in sorted((first, second.run), reverse=True):
        assert (await undo(run, books.settings)).kept == []
    assert await states(books) == nothing


async def while_something_is_taken_back(books: Books, work: Any) -> Any:
    """What comes of work that waits for its turn."""
    connection = await asyncpg.connect(books.urls[SERVICES[0]])
    await connection.execute("select pg_advisory_lock($1)", TURN)
    begun = asyncio.create_task(work)

    async def waits() -> bool:
        return bool(begun.done() or await connection.fetchval(WAITING, TURN & 0xFFFFFFFF))

    await until(waits, 60)
    waited = not begun.done()
    await connection.close()
    outcome = await begun
    assert waited
    return outcome


@pytest.mark.parametrize("dry_run", [True, False])
async def test_data_5_an_import_waits_for_what_is_taken_back(books: Books, tmp_path: Path, dry_run: bool) -> None:
    """Also one that only checks: somebody whom it found would be gone when it asks who they are."""
    taken_in = books.take_in(written(tmp_path, FREE), dry_run=dry_run)
    assert (await while_something_is_taken_back(books, taken_in)).recorded.total() == len(FREE)


async def test_data_5_who_looks_what_would_be_taken_back_waits_for_what_is(books: Books) -> None:
    looked = undo(new_id(), books.settings, dry_run=True)
    assert (await while_something_is_taken_back(books, looked)).retracted == {}
