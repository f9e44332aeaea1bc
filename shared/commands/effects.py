"""From what a command decided to what is written: events, claims, timers and personal data of every stream. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from shared.domain.aggregate import Aggregate, Claim, Occurrence
from shared.domain.context import Context
from shared.domain.history import Recorded, folded, goes_on, history, standing
from shared.events.codec import Codec
from shared.eventstore.append import Append, HeldKey, Idempotency, NewEvent, StreamAppend, TimerChange
from shared.eventstore.claims import ClaimHasher
from shared.eventstore.snapshots import LoadedAggregate

TIMER_ENCODER = msgspec.json.Encoder(decimal_format="string")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamChange:
    """What happens to one stream."""

    aggregate: Aggregate
    aggregate_id: UUID
    before: LoadedAggregate
    after: LoadedAggregate
    facts: tuple[Occurrence, ...]
    name: str | None = None
    """By what these facts are known again, where history tells them of this very stream."""
    news: tuple[Recorded, ...] = ()
    """The facts as they will be read back, of a family whose facts may be told late."""
    freed: frozenset[Claim] = frozenset()
    """The keys that only facts took which are taken back."""

    @property
    def sequence(self) -> int:
        """Where the stream stands afterwards."""
        return self.before.sequence + len(self.facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMetadata:
    """What the request says about the events that come of it."""

    context: Context
    correlation_id: UUID
    causation_id: UUID
    imported: bool
    fact: str | None
    """By what a fact of history is known again in the stream that it is told of."""
    traceparent: str | None
    idempotency: Idempotency | None


class NeedsHistory(Exception):
    """A decision tells something that happened before what was folded of a stream."""

    def __init__(self, aggregate: Aggregate, aggregate_id: UUID) -> None:
        super().__init__(f"the whole history of {aggregate.name} {aggregate_id} is needed")
        self.aggregate, self.aggregate_id = aggregate, aggregate_id


def changes_of(
    aggregate: Aggregate,
    aggregate_id: UUID,
    held: LoadedAggregate,
    facts: Sequence[Occurrence],
    circumstances: EventMetadata,
    *,
    codec: Codec,
    loaded: Mapping[UUID, LoadedAggregate],
    unchanged: Mapping[UUID, Aggregate],
    histories: Mapping[UUID, Sequence[Recorded]],
    aggregates: Mapping[str, Aggregate],
) -> tuple[StreamChange, ...]:
    """The change of each stream that a decision touches; first the stream that decided, even when nothing happens to
    it. Streams that were not loaded are taken to be new; those that are to be `unchanged` are only checked. Raises Late
    when a stream's history is needed and not among `histories`."""
    by_stream: dict[UUID, list[Occurrence]] = {aggregate_id: []}
    for fact in facts:
        by_stream.setdefault(fact.to or aggregate_id, []).append(fact)
    changes = []
    for stream, own in by_stream.items():
        family = aggregate if stream == aggregate_id else aggregates[own[0].event.aggregate]
        new = LoadedAggregate(state=family.start(), sequence=0, position=0)
        before = held if stream == aggregate_id else loaded.get(stream, new)
        name = circumstances.fact if stream == aggregate_id else None
        told = tuple(_forgetting(fact, before, codec) for fact in own)
        news = _recorded(told, before, circumstances, name) if family.is_dated else ()
        changes.append(
            StreamChange(
                aggregate=family,
                aggregate_id=stream,
                before=before,
                after=_after(family, stream, before, told, news, known=histories.get(stream)),
                facts=told,
                name=name,
                news=news,
                freed=_freed(family, news, histories.get(stream)),
            )
        )
    checked = [stream for stream in unchanged if stream not in by_stream]
    return (*changes, *(_unchanged(unchanged[stream], stream, loaded[stream]) for stream in checked))


def _unchanged(family: Aggregate, stream: UUID, held: LoadedAggregate) -> StreamChange:
    return StreamChange(aggregate=family, aggregate_id=stream, before=held, after=held, facts=())


def _freed(family: Aggregate, news: Sequence[Recorded], known: Sequence[Recorded] | None) -> frozenset[Claim]:
    """The keys that events took for good which these facts take back."""
    if known is None or not any(fact.data.retracts for fact in news):
        return frozenset()
    before, after = (
        frozenset(claim for fact in standing(facts) for claim in family.taken_by(fact.data))
        for facts in (known, [*known, *news])
    )
    return before - after


def _forgetting(fact: Occurrence, before: LoadedAggregate, codec: Codec) -> Occurrence:
    """The fact, without what is personal where its person was erased: whoever was forgotten stays so (DATA-4)."""
    event = fact.event
    if not before.folded or event.person is None or getattr(event, event.person) not in before.folded.erased:
        return fact
    return replace(fact, event=codec.without_person(event))


def _after(
    family: Aggregate,
    stream: UUID,
    before: LoadedAggregate,
    facts: Sequence[Occurrence],
    news: Sequence[Recorded],
    *,
    known: Sequence[Recorded] | None,
) -> LoadedAggregate:
    """What is held of a stream after these facts; where it will stand in the log is not known yet."""
    state = before.state
    for fact in facts:
        if fact.event.aggregate != family.name:
            raise LookupError(f"{fact.event.type} does not belong into the stream of a {family.name}")
        if not family.is_dated:
            state = family.evolve(state, fact.event)
    if not goes_on(before.folded, news):
        if known is None or len(known) != before.sequence:
            raise NeedsHistory(family, stream)  # or somebody was faster, and the history is old
        state = family.of([*known, *news])
    else:
        for new in history(news):
            state = family.evolve(state, new.data)
    return replace(before, state=state, sequence=before.sequence + len(facts), folded=folded(before.folded, news))


def _recorded(
    facts: Sequence[Occurrence], before: LoadedAggregate, circumstances: EventMetadata, name: str | None
) -> tuple[Recorded, ...]:
    """Facts as they will be read back."""
    return tuple(
        Recorded(
            data=fact.event,
            occurred_at=fact.at.at if fact.at else circumstances.context.now,
            by_day=fact.at is not None and fact.at.by_day,
            sequence=sequence,
            fact=name,
            causation_id=circumstances.causation_id,
        )
        for sequence, fact in enumerate(facts, start=before.sequence + 1)
    )


def append_of(
    changes: Sequence[StreamChange],
    circumstances: EventMetadata,
    codec: Codec,
    keyed_hash: ClaimHasher,
    new_id: Callable[[], UUID],
) -> Append:
    """Everything that is to be written for these changes."""
    context = circumstances.context
    events = [fact.event for change in changes for fact in change.facts]
    claims = [(change, *_claims(change)) for change in changes if change.facts]
    # Of history that is brought in, the deadlines that are over stay left alone.
    passed = context.now if circumstances.imported else None
    return Append(
        command_id=context.command_id,
        streams=tuple(_stream(change, circumstances, codec, new_id) for change in changes),
        actor=context.actor.subject,
        correlation_id=circumstances.correlation_id,
        causation_id=circumstances.causation_id,
        recorded_at=context.now,
        imported=circumstances.imported,
        traceparent=circumstances.traceparent,
        idempotency=circumstances.idempotency,
        position=changes[0].before.position,
        take=tuple(_held(claim, change, keyed_hash) for change, taken, _ in claims for claim in taken),
        release=tuple(_held(claim, change, keyed_hash) for change, _, released in claims for claim in released),
        timers=tuple(timer for change in changes for timer in _timers(change, only_after=passed)),
        erase=tuple(getattr(event, event.erases) for event in events if event.erases is not None),
    )


def _stream(
    change: StreamChange, circumstances: EventMetadata, codec: Codec, new_id: Callable[[], UUID]
) -> StreamAppend:
    return StreamAppend(
        aggregate=change.aggregate.name,
        aggregate_id=change.aggregate_id,
        expected=change.before.sequence,
        events=tuple(_event(fact, change.name, circumstances, codec, new_id()) for fact in change.facts),
    )


def _event(fact: Occurrence, name: str | None, circumstances: EventMetadata, codec: Codec, event_id: UUID) -> NewEvent:
    encoded = codec.encode(fact.event)
    return NewEvent(
        id=event_id,
        type=fact.event.type,
        version=fact.event.version,
        occurred_at=fact.at.at if fact.at else circumstances.context.now,
        by_day=fact.at is not None and fact.at.by_day,
        fact=name,
        data=encoded.data,
        personal=encoded.personal,
        person=encoded.person,
    )


def _claims(change: StreamChange) -> tuple[frozenset[Claim], frozenset[Claim]]:
    """The keys that the change takes, and those that it releases."""
    before = change.aggregate.claims_of(change.before.state)
    after = change.aggregate.claims_of(change.after.state)
    taken = (claim for fact in change.facts for claim in change.aggregate.taken_by(fact.event))
    return (after - before).union(taken), (before - after) | change.freed


def _held(claim: Claim, change: StreamChange, keyed_hash: ClaimHasher) -> HeldKey:
    return HeldKey(
        kind=claim.kind,
        key_hash=keyed_hash(claim.kind, claim.key),
        holder=change.aggregate_id,
        beside=claim.beside,
    )


def _timers(change: StreamChange, *, only_after: datetime | None) -> Iterator[TimerChange]:
    """Timers that the change sets or cancels; sets only those due after a moment, when one is given."""
    if not change.facts:
        return
    before = change.aggregate.timers_of(change.before.state)
    after = change.aggregate.timers_of(change.after.state)
    for name in before.keys() | after.keys():
        timer = after.get(name)
        if timer == before.get(name) or (timer and only_after and timer.due <= only_after):
            continue
        yield TimerChange(
            aggregate=change.aggregate.name,
            aggregate_id=change.aggregate_id,
            name=name,
            generation=change.sequence,
            due=None if timer is None else timer.due,
            command=None if timer is None else encode_command(timer.command),
        )


def encode_command(command: Any) -> bytes:
    """A timer's command as JSON: {"command": class name, "fields": {...}}."""
    return TIMER_ENCODER.encode({"command": type(command).__name__, "fields": command})


def decode_command(aggregate: Aggregate, text: str) -> Any:
    """The command that `encode_command` wrote. `LookupError` when the aggregate has no such command any more."""
    content = msgspec.json.decode(text)
    for command_class in aggregate.handlers:
        if command_class.__name__ == content["command"]:
            return msgspec.convert(content["fields"], command_class)
    raise LookupError(f"{aggregate.name} has no command {content['command']}")
