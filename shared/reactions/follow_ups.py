"""Outcome events: what came of the reactions to each event is told once, as events of the service.

An event is answered when all that follows from it was carried out or refused, and parked until then when it could not
be. Whoever reads the topics knows with it what a command led to, and when nothing more follows.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from asyncpg import Pool

from shared.commands.executor import CommandExecutor
from shared.commands.request import CommandRequest
from shared.domain.context import service_actor
from shared.domain.follow_up import Begin, Park, Settle, follow_up
from shared.events.envelope import Envelope
from shared.events.follow_ups import Asked, CarriedOut, Place, follow_up_events, of_event, of_reactions
from shared.events.registry import topic_of_class, type_of
from shared.projections.projection import Source
from shared.reactions.registry import Do, Reaction

Outcome = CarriedOut | Any
"""What came of a command: it was carried out, or the event that says that it was refused."""

ANSWERED = "select aggregate_id from event where aggregate_id = any($1::uuid[]) and type = $2"
PASSED = """
    select asked.topic, asked.partition, (
        select max(source_position) from journal j
         where j.topic = asked.topic and j.partition = asked.partition and j.position <= $3
    ) as position
      from unnest($1::text[], $2::smallint[]) as asked(topic, partition) order by 1, 2
"""


class Answers:
    """Tells what came of the reactions to one log."""

    def __init__(self, service: str, source: Source, *, pool: Pool, commands: CommandExecutor, partitions: int) -> None:
        self._service = service
        self._source: Source = source
        self._pool = pool
        self._commands = commands
        self._partitions = partitions
        self._events = follow_up_events(service)
        self._actor = service_actor(service)

    async def given(self, event_ids: Collection[UUID]) -> set[UUID]:
        """Those of these events that are answered: what followed from them, or was refused, stays so."""
        streams = {of_event(self._service, event_id): event_id for event_id in event_ids}
        rows = await self._pool.fetch(ANSWERED, list(streams), type_of(self._events.answered))
        return {streams[row["aggregate_id"]] for row in rows}

    def refusal(  # noqa: PLR0917 - what a refusal is about
        self, fact: Envelope[Any], reaction: Reaction, ordinal: int, do: Do, code: str, message: str
    ) -> Any:
        """The event that says that a command was refused. A message of a rule holds nothing about people."""
        return self._events.refused(
            event_id=fact.id,
            event_type=fact.type,
            reaction=reaction.name,
            ordinal=ordinal,
            asked=Asked(command=type(do.command).__name__, aggregate=do.aggregate.name, aggregate_id=do.aggregate_id),
            code=code,
            message=message,
        )

    async def give(self, fact: Envelope[Any], outcomes: Sequence[Outcome]) -> None:
        """Tell what came of an event; the refusals first, so that whoever has the answer has them."""
        refused = [outcome for outcome in outcomes if not isinstance(outcome, CarriedOut)]
        answered = self._events.answered(
            event_id=fact.id,
            event_type=fact.type,
            carried_out=tuple(outcome for outcome in outcomes if isinstance(outcome, CarriedOut)),
            refused=len(refused),
        )
        await self._tell(fact, Settle(told=(*refused, answered)))

    async def park(self, events: Iterable[Envelope[Any]], error: str) -> None:
        """Tell that events wait, and the kind of the error: its text may quote what people wrote."""
        for fact in events:
            parked = self._events.parked(event_id=fact.id, event_type=fact.type, error=error.split(":", 1)[0])
            await self._tell(fact, Park(told=parked))

    async def begin(self, events: Iterable[type], position: int) -> None:
        """Tell from where on events of these classes are answered: those up to `position` were passed, maybe by a
        release that told nothing of it."""
        classes = set(events)
        topics = sorted({topic_of_class(event) for event in classes})
        places = [(topic, partition) for topic in topics for partition in range(self._partitions)]
        if self._source == "log":
            passed = tuple(Place(topic=topic, partition=number, position=position) for topic, number in places)
        else:
            columns = [topic for topic, _ in places], [partition for _, partition in places]
            rows = await self._pool.fetch(PASSED, *columns, position)
            passed = tuple(Place(**dict(row)) for row in rows if row["position"] is not None)
        begun = self._events.begun(types=tuple(sorted(map(type_of, classes))), passed=passed)
        stream = of_reactions(self._service, self._source)
        await self._commands.execute(CommandRequest(follow_up(self._service), stream, Begin(told=begun), self._actor))

    async def _tell(self, fact: Envelope[Any], command: Settle | Park) -> None:
        await self._commands.execute(
            CommandRequest(
                follow_up(self._service),
                of_event(self._service, fact.id),
                command,
                self._actor,
                correlation_id=fact.correlation_id,
                causation_id=fact.id,
                imported=fact.imported,
                traceparent=fact.traceparent,
            )
        )


def carried_out(reaction: Reaction, do: Do, version: int) -> CarriedOut:
    """What is told of a command that was carried out."""
    return CarriedOut(
        reaction=reaction.name,
        command=type(do.command).__name__,
        aggregate=do.aggregate.name,
        aggregate_id=do.aggregate_id,
        version=version,
    )
