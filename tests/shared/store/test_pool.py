"""Which failures say that the database is away, and who reads them how."""

import asyncpg
import pytest
from asyncpg.exceptions import _base as client

from shared.store.pool import DATABASE_AWAY, DATABASE_ERRORS
from shared.stream.outage import OUTAGES
from shared.views.parking import is_environment
from shared.web.failures import PROBLEM_OF

AWAY = [
    ConnectionRefusedError(),
    OSError("Multiple exceptions"),
    TimeoutError(),
    asyncpg.InterfaceError("connection is closed"),
    asyncpg.InternalClientError("got result for unknown protocol state 3"),
    asyncpg.ConnectionDoesNotExistError(),
    asyncpg.AdminShutdownError(),
    asyncpg.DiskFullError(),
    asyncpg.DeadlockDetectedError(),
    asyncpg.LockNotAvailableError(),
]
REFUSED = [asyncpg.UniqueViolationError(), asyncpg.UndefinedColumnError(), asyncpg.InvalidTextRepresentationError()]


@pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)
def test_a_database_that_is_away_is_waited_for_by_everybody(error: Exception) -> None:
    assert isinstance(error, DATABASE_AWAY)
    assert isinstance(error, DATABASE_ERRORS)
    assert isinstance(error, OUTAGES)
    assert is_environment(error)
    assert any(kind in PROBLEM_OF for kind in type(error).__mro__)


@pytest.mark.parametrize("error", REFUSED, ids=lambda error: type(error).__name__)
def test_a_statement_that_the_database_refuses_is_a_fault_and_parks_its_event(error: Exception) -> None:
    assert isinstance(error, DATABASE_ERRORS)
    assert not is_environment(error)
    assert not any(kind in PROBLEM_OF for kind in type(error).__mro__)


def test_a_value_that_the_driver_refuses_parks_its_event() -> None:
    assert not is_environment(client.DataError("invalid input for query argument $1"))
