"""Outbox relay: publishes a service's log to its topics, at least once, each aggregate in order, with an unbroken chain
of positions.

One process of the service holds the lease and publishes page after page, always on from the stored checkpoint. After
any failure it begins again at the checkpoint with a new producer, so that nothing is ever published behind a gap. A
holder that was frozen and wakes may repeat records, identical to the last byte because the chain follows from the log
alone; the checkpoint it cannot move any more, because a later fencing token has been given out.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError

from shared.events.envelope import Envelope
from shared.events.registry import topic_of
from shared.eventstore.batching import RELAYING
from shared.eventstore.lease import Lease
from shared.eventstore.log import Log
from shared.eventstore.pool import unreachable
from shared.eventstore.wakeup import Wakeup
from shared.kafka.agreement import trouble
from shared.kafka.chain import Place
from shared.kafka.layout import freeze, laid_out
from shared.kafka.outage import TRANSIENT_ERRORS, interruption
from shared.kafka.partitioning import key_of, partition_of
from shared.kafka.producer import producing
from shared.kafka.record import headers_of
from shared.kafka.topics import provision
from shared.ops.deadline import within
from shared.ops.health import Health
from shared.ops.lag import LagMeter
from shared.ops.stopping import pause

log = structlog.get_logger(__name__)

PAGE = 1_000
TIMEOUT_SECONDS = 4.0
"""A page that is not acknowledged by then is given up, and published again by a new producer."""
POLL_SECONDS = 1.0
"""The safety net below the signals."""
SAVE_SECONDS = 0.05
"""The least time between two moves of the stored checkpoint under load; what lies between is repeated after a crash."""
PROBE_SECONDS = 3.0
"""After so long without a page that the broker has acknowledged it is asked whether it still answers."""
MEASURE_SECONDS = 1.0
RETRY_SECONDS = 1.0
SEALED_SECONDS = 5.0
"""Between two looks at a checkpoint that is sealed."""
AHEAD = (
    "stopped: more was published than the store holds, as after a restore; "
    "`throughline republish --recreate` makes the topics anew"
)
LOST = "stopped: what was published is missing in the topics; `throughline republish` fills them from the store"
TRUNCATED = (
    "stopped: the newest of what was published is missing in a topic, as when a broker lost its last writes; "
    "`throughline republish --recreate` makes the topics anew"
)
OLDER = (
    "stopped: the topics were filled by a release that placed aggregates in partitions by another rule, and going on"
    " would put one aggregate into two; `throughline republish --recreate` makes the topics anew"
)
STOP_SECONDS = 5.0

# A later fencing token is never overwritten, so that a holder who lost the lease without knowing finds out here at the
# latest.
TAKE = "update relay set epoch = $1 where epoch <= $1 returning position, previous"
MOVE = "update relay set position = $2, previous = $3 where epoch = $1 returning true"
BEHIND = """
select position, (select count(*) from (select from event where event.position > relay.position limit 100000) as rest)
  from relay"""


SEALED = 1 << 62
"""A checkpoint above every position: nothing is published until `throughline republish --recreate`."""
FILLING = SEALED + 1
"""The same while lost topics are about to be filled, which a run that was killed may go on with."""
RECREATING = SEALED + 2
"""The same while topics and journals are being emptied, which has to be gone through once it has begun."""
REPUBLISHING = {
    FILLING: "waits: `throughline republish` is at work; if it was ended before its end, run it again",
    RECREATING: "waits: `throughline republish --recreate` is at work; if it was ended before its end, run it again",
}
SEAL = f"update relay set position = {SEALED} where epoch = $1 and position < {SEALED}"  # noqa: S608 - the number above


class AheadOfLog(Exception):
    """The checkpoint lies above the newest event: an older state of the database was put back under it."""


class Sealed(Exception):
    """Somebody is about to have everything published again. Its message says what helps if they were killed."""


class TopicsLost(Exception):
    """Some of what was published is gone; what comes next would stand behind a gap. Its message says what helps."""


class Fenced(Exception):
    """Another process has taken over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Everything up to `position` is published; `previous` is the last position in each partition."""

    position: int
    previous: Mapping[Place, int]


class Relay:
    """The relay of one service, in each of its processes."""

    def __init__(
        self,
        service: str,
        pool: "asyncpg.Pool[Any]",
        own_log: Log,
        lease: Lease,
        topics: Iterable[str],
        *,
        bootstrap: str,
        health: Health,
        appended: Wakeup,
        partitions: int,
        replication: int = 1,
        page: int = PAGE,
    ) -> None:
        """`appended` is given whenever something may have been appended, here or by another process."""
        self.service = service
        self._pool = pool
        self._log = own_log
        self._lease = lease
        self._topics = tuple(topics)
        self._bootstrap = bootstrap
        self._health = health
        self._appended = appended
        self._partitions = partitions
        self._replication = replication
        self._page = page
        self._holding = False

    async def run(self, stopping: asyncio.Event) -> None:
        """Publish until `stopping` is set. Outages of the broker or database are reported and waited out."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._measure(stopping))
            while not stopping.is_set():
                try:
                    await self._lead(stopping)
                except Fenced:
                    log.info("relay-fenced", service=self.service)
                except Sealed as work:
                    log.info("relay-sealed", service=self.service)
                    self._health.report("relay", False, str(work))
                    await pause(stopping, RETRY_SECONDS)
                except AheadOfLog:
                    log.error("relay-ahead-of-log", service=self.service)
                    self._health.report("relay", False, AHEAD)
                    await pause(stopping, SEALED_SECONDS)
                except TopicsLost as loss:
                    log.error("relay-topics-lost", service=self.service)
                    self._health.report("relay", False, str(loss))
                    await pause(stopping, SEALED_SECONDS)
                except TRANSIENT_ERRORS as error:
                    log.warning(
                        "relay-interrupted", service=self.service, error=type(error).__name__, detail=str(error)
                    )
                    self._health.report("relay", False, interruption(error))
                    await pause(stopping, RETRY_SECONDS)

    async def _lead(self, stopping: asyncio.Event) -> None:
        """Wait for the lease and publish while it is held. Returns when it is time to stop."""
        leading = asyncio.create_task(
            self._lease.hold(lambda fencing_token: self._hold(fencing_token, stopping), waiting=self._report_waiting)
        )
        try:
            await pause(stopping, None, leading)
            if self._holding:
                await asyncio.wait([leading], timeout=STOP_SECONDS)
        finally:
            leading.cancel()
            await asyncio.wait([leading])
        if not leading.cancelled():
            leading.result()

    def _report_waiting(self, problem: Exception | None) -> None:
        """Until something else is known, what was reported last still holds: only a lease that is refused tells that
        another process publishes."""
        detail = "another process publishes" if problem is None else unreachable(problem)
        self._health.report("relay", problem is None, detail)

    async def _hold(self, fencing_token: int, stopping: asyncio.Event) -> None:
        self._holding = True
        try:
            stored = await self._take(fencing_token)
            if stored.position in REPUBLISHING:
                raise Sealed(REPUBLISHING[stored.position])
            await self._refuse_to_run_ahead(stored, fencing_token)
            if await laid_out(self._pool) == "older":
                raise TopicsLost(OLDER)
            await provision(self._bootstrap, self._topics, partitions=self._partitions, replication=self._replication)
            await freeze(self._pool, self._partitions)
            await self._refuse_to_disagree(stored, fencing_token)
            async with producing(self._bootstrap, f"{self.service}-relay") as producer:
                log.info("relay-publishes", service=self.service, fencing_token=fencing_token, position=stored.position)
                await self._publish_from(stored, fencing_token, producer, stopping)
        finally:
            self._holding = False

    async def _publish_from(
        self, stored: Checkpoint, fencing_token: int, producer: AIOKafkaProducer, stopping: asyncio.Event
    ) -> None:
        checkpoint, saved_at, answered = stored, time.monotonic(), 0.0
        while not stopping.is_set():
            seen = self._appended.count
            page = await self._log.read_raw(checkpoint.position, self._page)
            if not page.events:
                await self._refuse_to_run_ahead(checkpoint, fencing_token)
            records, previous = chained(page.events, checkpoint.previous, self._partitions)
            if records or time.monotonic() - answered >= PROBE_SECONDS:
                await (publish(producer, records) if records else probe(producer))
                if not answered:  # before, a relay whose every page is refused would say so each time
                    self._health.report("relay", True, "publishes")
                answered = time.monotonic()
            checkpoint = Checkpoint(position=page.upto, previous=previous)
            if checkpoint.position > stored.position and (not records or time.monotonic() - saved_at >= SAVE_SECONDS):
                await self._move(checkpoint, fencing_token)
                stored, saved_at = checkpoint, time.monotonic()
            await pause(stopping, RELAYING.rest_after(len(records), self._page))
            if len(records) < self._page:
                await self._appended.wait(
                    seen, POLL_SECONDS if checkpoint.position == stored.position else SAVE_SECONDS
                )
        if checkpoint.position > stored.position:
            await self._move(checkpoint, fencing_token)

    # -- the checkpoint -----------------------------------------------------------------------------------------------

    async def _take(self, fencing_token: int) -> Checkpoint:
        row = await self._pool.fetchrow(TAKE, fencing_token)
        if row is None:
            raise Fenced
        return Checkpoint(
            position=row["position"],
            previous={
                Place(topic, int(partition)): position
                for topic, partitions in row["previous"].items()
                for partition, position in partitions.items()
            },
        )

    async def _move(self, checkpoint: Checkpoint, fencing_token: int) -> None:
        previous: dict[str, dict[str, int]] = {}
        for place, position in checkpoint.previous.items():
            previous.setdefault(place.topic, {})[str(place.partition)] = position
        if not await self._pool.fetchval(MOVE, fencing_token, checkpoint.position, previous):
            raise Fenced

    async def _refuse_to_run_ahead(self, checkpoint: Checkpoint, fencing_token: int) -> None:
        """After a restore the positions above the newest event are given to other events, which every reader of the
        topics would take for seen. So the stored checkpoint is sealed, before the log grows past it, and stays so."""
        if checkpoint.position > await self._log.head():
            await self._seal(fencing_token)

    async def _refuse_to_disagree(self, checkpoint: Checkpoint, fencing_token: int) -> None:
        """A checkpoint that was restored with its store is not above it, and topics that were lost are made again."""
        places = [Place(topic, number) for topic in self._topics for number in range(self._partitions)]
        found = await trouble(self._bootstrap, places, self._pool, checkpoint.previous)
        if found == "ahead":
            await self._seal(fencing_token)
        if found is not None:
            raise TopicsLost(LOST if found == "lost" else TRUNCATED)

    async def _seal(self, fencing_token: int) -> None:
        await self._pool.execute(SEAL, fencing_token)
        raise AheadOfLog

    async def _measure(self, stopping: asyncio.Event) -> None:
        """Say how far behind the stored checkpoint is, whoever holds the lease."""
        delay = LagMeter()
        while not stopping.is_set():
            try:
                (done, events), *_ = await within(TIMEOUT_SECONDS, self._pool.fetch(BEHIND))
                head = await within(TIMEOUT_SECONDS, self._log.head()) if events else done
                seconds = delay.seconds(time.monotonic(), head=head, done=done)
                self._health.lag("relay", self.service, events=events, seconds=seconds)
            except TRANSIENT_ERRORS as error:
                log.info("relay-lag-unknown", service=self.service, error=type(error).__name__)
                self._health.unmeasured("relay", self.service)
            await pause(stopping, MEASURE_SECONDS)


Chained = tuple[Envelope[str], Place, int]
"""An event, where it is published, and the position before it there."""


def chained(
    events: Sequence[Envelope[str]], before: Mapping[Place, int], partitions: int
) -> tuple[list[Chained], dict[Place, int]]:
    """Each event with its place and its predecessor there, and the last position in each partition after them."""
    last = dict(before)
    records = []
    for event in events:
        place = place_of(event, partitions)
        records.append((event, place, last.get(place, 0)))
        last[place] = event.position
    return records, last


def place_of(event: Envelope[Any], partitions: int) -> Place:
    """Where an event is published, in topics of so many partitions."""
    return Place(topic_of(event.service, event.aggregate), partition_of(event.aggregate_id, partitions))


async def probe(producer: AIOKafkaProducer) -> None:
    """Ask the broker something; raises when it does not answer. While nothing is published, nothing else would tell."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await producer.client.fetch_all_metadata()
    except TimeoutError as error:
        raise KafkaTimeoutError("the broker did not answer in time") from error
    except KafkaError as error:  # of no kind: aiokafka has tried every broker that it knows
        raise KafkaConnectionError("no broker answers") from error


async def publish(producer: AIOKafkaProducer, records: Sequence[Chained]) -> None:
    """Send records in order and wait until all are acknowledged; raises when one is not."""
    sent: list[asyncio.Future[Any]] = []
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            for event, place, previous in records:
                sent.append(
                    await producer.send(
                        place.topic,
                        event.data.encode(),
                        key_of(event.aggregate_id),
                        place.partition,
                        headers=headers_of(event, previous),
                    )
                )
            await asyncio.gather(*sent)
    except TimeoutError as error:
        raise KafkaTimeoutError("the page was not acknowledged in time") from error
    finally:
        for future in sent:
            future.cancel()
