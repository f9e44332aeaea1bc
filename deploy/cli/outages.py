"""What an outage of PostgreSQL or Kafka looks like to a command, whichever of its statements met it."""

import errno
from collections.abc import Iterator

from deploy.local.fault import LocalError, unusable

REFUSED_BY_SYSTEM = frozenset(
    (
        *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT),
        *(errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ELOOP),
    )
)
"""What a file may be refused for that is no fault of the program."""


def outage(error: BaseException) -> LocalError | None:
    """The fault that a person is told instead of a traceback; None when the error is another one, which is ours."""
    parts = list(_leaves(error))
    for part in parts:
        if isinstance(part, LocalError):
            return part
    told = [_told(part) for part in parts]
    # Of several that went wrong together, one that is no outage must not be hidden by the others.
    return None if None in told else next(iter(told), None)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _leaves(part)
    else:
        yield error


def _told(error: BaseException) -> LocalError | None:
    # Only a command that has failed pays for these imports.
    import asyncpg
    from aiokafka.errors import KafkaError

    from shared.eventstore.pool import DATABASE_AWAY

    name = type(error).__name__
    if isinstance(error, KafkaError):
        return LocalError(f"Kafka does not answer ({name}).", "See `throughline status` and the log of kafka.")
    if isinstance(error, OSError) and error.filename is not None:
        # A file, not a server: what a folder or a disk refuses is for its owner to change.
        return unusable(error) if error.errno in REFUSED_BY_SYSTEM else None
    refused = asyncpg.InvalidAuthorizationSpecificationError, asyncpg.ObjectNotInPrerequisiteStateError
    if isinstance(error, (*DATABASE_AWAY, *refused)):
        return LocalError(
            f"PostgreSQL cannot be reached ({name}).",
            "Start it with `throughline up`, or check the settings DATABASE_URL_…; the command may be run again.",
        )
    return None
