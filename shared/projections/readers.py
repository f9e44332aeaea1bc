"""The places of readers: how many connections answers and look-ups take, in all, of one projection and of one question.

Readers of a projection that is locked or slow hold their connections for as long as a statement may take. So they get
no more than a part: the rest is for those who read something else.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Hashable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

from shared.eventstore.pool import DATABASE_ERRORS
from shared.following.dead_letters import Unavailable
from shared.ops.bulkhead import Bulkhead, NoPlace
from shared.ops.metrics import Metrics

PLACES = 18
OF_PROJECTION = 15
"""Whoever reads others has the rest."""
OF_QUESTION = 3
"""One question reads one set of projections. So a projection that stands still holds up those who read it, and not yet
those who read another one of a set that it stands in."""
CONNECTIONS = PLACES + 2
"""Those beyond are for what reads no tables of projections, like which of them serve."""

WAIT_SECONDS = 30.0
STILL_SECONDS = 2.0
"""As long as a reader waits for a token."""
PATIENT_SECONDS = 3600.0
READER_LOCK_SECONDS = 3
"""A lock on a table of a projection keeps its readers for no longer."""


def readers_alone(projections: Collection[str]) -> "Readers":
    """For a process that answers nobody, like an import: what reads there waits for nothing but a connection."""
    return Readers(projections, wait_seconds=PATIENT_SECONDS, still_seconds=PATIENT_SECONDS)


class ReadersStandStill(Unavailable):
    """Nobody else reads these projections for now: those who do take long, and hold all the places there are."""

    def __init__(self, projections: Collection[str]) -> None:
        super().__init__(f"those who read {', '.join(sorted(projections))} stand still")


class Readers:
    """Who reads projections at the moment, in one process.

    `everybodys` are the projections that every question needs: of them all may read at once, for no other question
    would be left over for the rest.
    """

    def __init__(
        self,
        everybodys: Collection[str] = (),
        metrics: Metrics | None = None,
        *,
        wait_seconds: float = WAIT_SECONDS,
        still_seconds: float = STILL_SECONDS,
    ) -> None:
        self._everybodys = frozenset(everybodys)
        self._metrics = metrics or Metrics.of("")
        failures = (*DATABASE_ERRORS, asyncio.CancelledError)
        self._bulkhead = Bulkhead(PLACES, wait_seconds, still_seconds, failures)

    @asynccontextmanager
    async def place(self, projections: Collection[str]) -> AsyncIterator[None]:
        """A place to read these projections at once. Raises ReadersStandStill when there is none in time, and at once
        while it is known that none will be."""
        question = frozenset(projections)
        own = question - self._everybodys
        within: dict[Hashable, int] = dict.fromkeys(own, OF_PROJECTION)
        place = self._bulkhead.place({question: OF_QUESTION, **within} if own else {})
        async with AsyncExitStack() as held:
            with self._waiting(question):
                await held.enter_async_context(place)
            yield

    @contextmanager
    def _waiting(self, question: Collection[str]) -> Iterator[None]:
        names = ",".join(sorted(question))
        refused = self._metrics.reads_refused.labels(names)  # there from 0 on: an alert asks for the increase
        with self._metrics.reads_waiting.labels(names).track_inprogress():
            try:
                yield
            except NoPlace:
                refused.inc()
                raise ReadersStandStill(question) from None
