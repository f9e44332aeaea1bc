"""The one Kafka consumer of a service: writes other services' events into the service's own journal.

The database carries correctness: a batch and the checkpoints of its partitions are committed together, whatever comes
twice dies by its position, and offsets follow the commit. Offsets are committed for exactly what was written, because
the consumer's own position is ahead of that.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaAckableMessage

from shared.eventstore.batching import RELAXED, Pace
from shared.eventstore.pool import DATABASE_ERRORS
from shared.eventstore.wakeup import Wakeup
from shared.kafka.chain import Gap, Place, Sifted
from shared.kafka.inbox import Inbox
from shared.kafka.layout import freeze, laid_out
from shared.kafka.outage import TRANSIENT_ERRORS, interruption
from shared.kafka.record import Received, read
from shared.kafka.topics import provision
from shared.ops.deadline import within
from shared.ops.health import Health
from shared.ops.lag import LagMeter
from shared.ops.stopping import pause

log = structlog.get_logger()

MAX_BATCH = 1_000
BUSY_POLL_MILLISECONDS = 5
IDLE_POLL_MILLISECONDS = 50
"""A subscriber that finds nothing waits so long and sleeps as long again: latency against idle work."""
IDLE_AFTER_SECONDS = 2.0
SESSION_MILLISECONDS = 6_000
"""How long the group waits for a member that died: the least that brokers allow by default."""
FETCH_MILLISECONDS = 1_000
"""How long the broker keeps a fetch that finds nothing; what comes ends it at once. Each answer names every
partition, which takes time; but questions on the same connection wait until the fetch is answered."""
LOOK_SECONDS = 1.0
"""Between two looks at lag and broker; also the least time between two commits of offsets."""
IDLE_LOOK_SECONDS = 3.0
"""The same while nothing comes: asking where every partition ends takes time as well."""
TIMEOUT_SECONDS = 3.0
STUCK_SECONDS = 30.0
"""A consumer that is behind and has not moved for so long, or through which the broker does not answer for so long, is
started anew: parts of aiokafka's can end without a word."""
LEAVE_SECONDS = 10.0
"""So long a consumer may take to leave; one of which a part has ended waits for it for ever."""
RETRY_SECONDS = 1.0
OLDER = (
    "stopped: the journal was read from topics that were laid out by another rule, and its checkpoints count in other"
    " partitions; `throughline republish --recreate` has everything read again"
)


class JournalConsumer:
    """Keeps `topics` in the journal of `service`, whose name is the consumer group."""

    def __init__(
        self,
        service: str,
        pool: "asyncpg.Pool[Any]",
        topics: Iterable[str],
        *,
        bootstrap: str,
        health: Health,
        arrived: Wakeup,
        partitions: int,
        replication: int = 1,
        pace: Pace = RELAXED,
    ) -> None:
        """`arrived` is given after each batch that may have written something."""
        self.service = service
        self.topics = tuple(sorted(topics))
        self.pace = pace
        self._pool = pool
        self._inbox = Inbox(pool)
        self._bootstrap = bootstrap
        self._partitions = partitions
        self._replication = replication
        self._health = health
        self._arrived = arrived
        self._generation: int | None = None
        self.afresh = False
        """Whether partitions are read from their beginning, whatever offset is remembered: the journal was emptied, or
        its topics were filled again, and not all of them has been read since."""

    async def run(self, stopping: asyncio.Event) -> None:
        """Journal until `stopping` is set. Outages of the broker or database are reported and waited out."""
        while self.topics and not stopping.is_set():
            try:
                if await laid_out(self._pool) == "older":
                    self._health.report("journal", False, OLDER)
                    await pause(stopping, RETRY_SECONDS)
                    continue
                await provision(
                    self._bootstrap, self.topics, partitions=self._partitions, replication=self._replication
                )
                await freeze(self._pool, self._partitions)
                await Session(self).run(stopping)
            except TRANSIENT_ERRORS as error:
                self.interrupted(error)
                self.unmeasured()
                await pause(stopping, RETRY_SECONDS)

    # -- what a session asks for --------------------------------------------------------------------------------

    def subscribe(self, session: "Session") -> tuple[KafkaBroker, Any]:
        """The broker with its one subscriber."""
        broker = KafkaBroker(
            self._bootstrap,
            client_id=self.service,
            consumer_only=True,
            apply_types=False,  # the batch goes on as it came; injection would run a part of it in a thread
            allow_auto_create_topics=False,
            graceful_timeout=TIMEOUT_SECONDS,
            logger=None,
        )
        subscriber = broker.subscriber(
            *self.topics,
            group_id=self.service,
            title="Journal",
            batch=True,
            max_records=MAX_BATCH,
            batch_timeout_ms=BUSY_POLL_MILLISECONDS,
            max_partition_fetch_bytes=4 << 20,
            fetch_max_wait_ms=FETCH_MILLISECONDS,
            auto_offset_reset="earliest",
            session_timeout_ms=SESSION_MILLISECONDS,
            heartbeat_interval_ms=SESSION_MILLISECONDS // 3,
            isolation_level="read_committed",
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
            listener=session,
            parser=session.parse,
            decoder=whole,
        )
        subscriber(session.apply)
        return broker, subscriber

    async def write(self, records: Sequence[tuple[Place, Received]]) -> Sifted:
        """Commit what is new of a batch, with the checkpoints that it moves."""
        sifted = await self._inbox.keep(records)
        if records:
            self._arrived.notify()
        return sifted

    async def assigned(self, places: Iterable[Place]) -> set[Place]:
        """Prepare for these partitions; gives those of which nothing is journaled."""
        return await self._inbox.assigned(places)

    async def begin(self) -> int:
        """The generation that a session reads: one that is not that of the session before is read from the beginning,
        however that ended."""
        number = await self.generation()
        self.afresh |= self._generation not in (None, number)
        self._generation = number
        return number

    async def generation(self) -> int:
        """A number that grows whenever the journal is emptied, or its topics are filled again, to be read again."""
        return await self._inbox.generation()

    def interrupted(self, error: Exception) -> None:
        """Report that the broker or the database does not answer."""
        log.warning("journal-interrupted", service=self.service, error=type(error).__name__, detail=str(error))
        self._health.report("journal", False, interruption(error))

    def lag(self, *, events: int, seconds: float) -> None:
        """Report how far the consumer is behind."""
        self._health.lag("consumer", self.service, events=events, seconds=seconds)

    def unmeasured(self) -> None:
        """Report that nobody knows how far the consumer is behind."""
        self._health.unmeasured("consumer", self.service)

    def say(self, stopped: dict[Place, Gap]) -> None:
        """Report how the consumer fares."""
        gaps = ", ".join(
            f"{place.topic}/{place.partition} holds nothing between {gap.after} and {gap.position}, "
            f"which follows {gap.previous}"
            for place, gap in stopped.items()
        )
        self._health.report("journal", not stopped, gaps)


class Session(ConsumerRebalanceListener):  # type: ignore[misc]
    """One membership in the group, from subscribing to leaving."""

    def __init__(self, journal: JournalConsumer) -> None:
        self._journal = journal
        self._broker, self._subscriber = journal.subscribe(self)
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._written: dict[TopicPartition, int] = {}
        """The offset up to which each assigned partition is written."""
        self._committed: dict[TopicPartition, int] = {}
        self._read_again: dict[Place, int] = {}
        """Partitions read again from their beginning, with the position after which the gap was."""
        self._stopped: dict[Place, Gap] = {}
        self._delay = LagMeter()
        self._joined = False
        """Whether the group has handed out partitions: before, those of this member are not none but unknown."""
        self._sound = False
        """Whether this member has written a batch or found nothing to write: before, nothing says that it works."""
        self._away: Exception | None = None
        """How the database failed, if it did when it was asked last."""
        self._moved = self._received = self._answered = time.monotonic()

    async def run(self, stopping: asyncio.Event) -> None:
        """Consume until `stopping`, or until all is to be read again; raises what made it impossible."""
        generation = await self._journal.begin()
        try:
            await self._broker.start()
            while not stopping.is_set() and not self._failure.done():
                if await self._emptied(generation):
                    return  # what it knows of offsets is not committed: it is of topics that are gone
                await self._look()
                await pause(stopping, IDLE_LOOK_SECONDS if self._idle() else LOOK_SECONDS, self._failure)
            if self._failure.done():
                self._failure.result()
            await self._commit()
        finally:
            await self._leave()

    async def _emptied(self, generation: int) -> bool:
        """Whether everything is to be read again. What this consumer remembers of its place is worth nothing then: if
        the broker's data was lost too, its offset may be the end of a topic of which it has read nothing."""
        try:
            emptied = await within(TIMEOUT_SECONDS, self._journal.generation()) != generation
        except DATABASE_ERRORS as error:
            log.info("journal-generation-unknown", error=type(error).__name__)
            self._away = error
            return False
        self._away = None
        return emptied

    async def _leave(self) -> None:
        """Leave the group. A consumer that cannot is torn down instead, so that it neither hangs nor holds anything."""
        consumer, leaving = self._consumer, asyncio.create_task(self._broker.stop())
        await asyncio.wait([leaving], timeout=LEAVE_SECONDS)
        if leaving.done() and not leaving.cancelled():
            leaving.result()
            return
        log.warning("journal-torn-down", service=self._journal.service)
        leaving.cancel()
        if consumer is None:
            return
        # What aiokafka would have ended after the part that it waits for, each in a task of its own: what it cancels
        # inside comes out as if we had been cancelled. It has no public way to do this.
        parts = (consumer._coordinator._stop_heartbeat_task, consumer._fetcher.close, consumer._client.close)
        await asyncio.wait([leaving, *(asyncio.create_task(end()) for end in parts)], timeout=LEAVE_SECONDS)

    @property
    def _consumer(self) -> AIOKafkaConsumer:
        """None before the broker is started."""
        return self._subscriber.consumer

    # -- records ------------------------------------------------------------------------------------------------

    async def parse(self, raw: tuple[ConsumerRecord, ...]) -> KafkaAckableMessage:
        """The batch as it is: FastStream's own parser fails on headers that are null or not UTF-8."""
        return KafkaAckableMessage(
            body=b"",
            headers={},
            batch_headers=[],
            content_type=None,
            reply_to="",
            message_id=f"{raw[0].topic}:{raw[0].partition}:{raw[0].offset}",
            correlation_id="",
            raw_message=raw,
            path={},
            consumer=self._consumer,
        )

    async def apply(self, message: KafkaAckableMessage) -> None:
        """Write one batch. FastStream swallows what a subscriber raises, so a failure ends the whole session."""
        if self._failure.done():
            return
        try:
            await self._apply(message.raw_message)
            await asyncio.sleep(self._journal.pace.rest_after(len(message.raw_message), MAX_BATCH))
        except Exception as error:  # noqa: BLE001 - handed on to `run`, which raises it
            if not self._failure.done():
                self._failure.set_exception(error)

    async def _apply(self, raw: tuple[ConsumerRecord, ...]) -> None:
        taken = [record for record in raw if Place(record.topic, record.partition) not in self._stopped]
        sifted = await self._journal.write([(Place(record.topic, record.partition), read(record)) for record in taken])
        self._moved = self._received = time.monotonic()
        self._sound = True
        self._subscriber.batch_timeout_ms = BUSY_POLL_MILLISECONDS
        for record in taken:
            if Place(record.topic, record.partition) not in sifted.gaps:
                self._written[TopicPartition(record.topic, record.partition)] = record.offset + 1
        for place, gap in sifted.gaps.items():
            self._gap(place, gap)

    def _gap(self, place: Place, gap: Gap) -> None:
        """Read the partition again from its beginning, once; if what is missing is not there, stop it."""
        partition = TopicPartition(*place)
        if partition not in self._assigned():
            return
        lacking = {"topic": place.topic, "partition": place.partition, "after": gap.after, "found": gap.position}
        if self._read_again.get(place) == gap.after:
            log.error("journal-gap", **lacking)
            self._stopped[place] = gap
            self._consumer.pause(partition)
        else:
            log.warning("journal-reads-again", **lacking)
            self._read_again[place] = gap.after
            self._consumer.seek(partition, 0)

    # -- the group ----------------------------------------------------------------------------------------------

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Leave partitions to others with everything that is written committed."""
        await self._commit()
        self._delay = LagMeter()
        self._written.clear()
        self._committed.clear()
        self._stopped.clear()
        # What comes back has been read by others meanwhile, and is read again before it stops.
        self._read_again.clear()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """A partition of which nothing is written is read from its beginning, whatever offset the broker remembers.

        aiokafka (0.14) does not wait for this: records after the remembered offset may be handed out while it is at
        work. They stand behind a gap, which the chain finds, so none of them is written before what comes first.
        """
        try:
            places = {Place(*partition) for partition in assigned}
            unread = await self._journal.assigned(places)
            for place in places if self._journal.afresh else unread:
                self._consumer.seek(TopicPartition(*place), 0)
            self._joined = True
        except TRANSIENT_ERRORS as error:
            if not self._failure.done():
                self._failure.set_exception(error)

    def _assigned(self) -> set[TopicPartition]:
        return set(self._consumer.assignment()) if self._consumer is not None else set()

    async def _commit(self) -> None:
        assigned = self._assigned()
        offsets = {
            partition: offset
            for partition, offset in self._written.items()
            if partition in assigned and self._committed.get(partition) != offset
        }
        if not offsets:
            return
        try:
            await self._consumer.commit(offsets)
            self._committed.update(offsets)
        except KafkaError as error:
            # The group moved on, or the broker is away: what comes again is dropped by its position.
            log.info("journal-offsets-not-committed", error=type(error).__name__)

    def _idle(self) -> bool:
        return time.monotonic() - self._received > IDLE_AFTER_SECONDS

    # -- watching -----------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        """Commit, measure the lag, and find a broker that does not answer or a consumer that is stuck."""
        now = time.monotonic()
        if self._idle():
            self._subscriber.batch_timeout_ms = IDLE_POLL_MILLISECONDS
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await self._commit()
                ends, written = await self._progress()
        except (KafkaError, TimeoutError) as error:
            # The membership goes on: aiokafka connects again by itself, which is faster than to leave and to join.
            silence = KafkaTimeoutError() if isinstance(error, TimeoutError) else error
            self._journal.interrupted(silence)
            self._journal.unmeasured()
            self._moved = now
            if now - self._answered > STUCK_SECONDS:
                raise TimeoutError("the broker does not answer through this consumer") from error
            return
        self._answered = now
        head, done = sum(ends.values()), sum(written.values())
        seconds = self._delay.seconds(now, head=head, done=done)
        if all(written[partition] >= ends[partition] for partition in ends if Place(*partition) not in self._stopped):
            self._moved = now
            self._sound |= self._joined
            self._journal.afresh &= not (ends and self._joined)
        if self._joined:
            self._journal.lag(events=head - done, seconds=seconds)
        if self._away is not None:
            self._journal.interrupted(self._away)
        elif self._sound:
            self._journal.say(self._stopped)
        if now - self._moved > STUCK_SECONDS:
            raise TimeoutError("the consumer is behind and does not move")

    async def _progress(self) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
        """Of each assigned partition where it ends and up to where it is written. Asks the broker."""
        assigned = self._assigned()
        if not assigned:
            await self._consumer.topics()  # else nothing would tell that the broker is away
            return {}, {}
        ends = await self._consumer.end_offsets(assigned)
        written = {partition: self._written.get(partition) for partition in ends}
        return ends, {
            partition: await self._consumer.position(partition) if offset is None else offset
            for partition, offset in written.items()
        }


async def whole(message: KafkaAckableMessage) -> KafkaAckableMessage:
    """The message itself: the subscriber works on its raw records."""
    return message
