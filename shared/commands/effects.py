"""From a decision to an append: events, claims, timers and personal data of every stream that changes. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from shared.commands.decision import Decided, NeedsHistory
from shared.commands.request import CommandRequest
from shared.domain.aggregate import Aggregate, Claim, Occurrence
from shared.domain.as_known import with_whose
from shared.domain.context import Context
from shared.domain.history import Recorded, folded, goes_on, history, standing
from shared.events.codec import Codec
from shared.eventstore.append import Append, HeldKey, NewEvent, StreamAppend, TimerChange
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
    occurrences: tuple[Occurrence, ...]
    name: str | None = None
    """By what these facts are known again, where history tells them of this very stream."""
    news: tuple[Recorded, ...] = ()
    """The facts as they will be read back, of a family whose facts may be told late."""
    freed: frozenset[Claim] = frozenset()
    """The keys that only facts took which are taken back."""

    @property
    def sequence(self) -> int:
        """Where the stream stands afterwards."""
        return self.before.sequence + len(self.occurrences)


def changes_of(
    decided: Decided, request: CommandRequest, context: Context, *, codec: Codec, aggregates: Mapping[str, Aggregate]
) -> tuple[StreamChange, ...]:
    """The change of each stream that a decision touches; first the stream that decided, even when nothing happens to
    it. Streams that were not loaded are taken to be new; those that are to be unchanged are only checked. Raises
    `NeedsHistory` when a stream's history is needed and was not read."""
    main = request.aggregate_id
    by_stream: dict[UUID, list[Occurrence]] = {main: []}
    for each in decided.occurrences:
        by_stream.setdefault(each.to or main, []).append(each)
    changes = []
    for stream, own in by_stream.items():
        family = request.aggregate if stream == main else aggregates[own[0].event.aggregate]
        new = LoadedAggregate(state=family.start(), sequence=0, position=0)
        before = decided.on if stream == main else decided.loaded.get(stream, new)
        name = request.told.name if request.told and stream == main else None
        happened = _with_whose(family, before.state, [_forgetting(each, before, codec) for each in own])
        news = _recorded(happened, before, request, context, name) if family.is_dated else ()
        changes.append(
            StreamChange(
                aggregate=family,
                aggregate_id=stream,
                before=before,
                after=_after(family, stream, before, happened, news, known=decided.histories.get(stream)),
                occurrences=happened,
                name=name,
                news=news,
                freed=_freed(family, news, decided.histories.get(stream)),
            )
        )
    checked = {stream: family for stream, family in decided.unchanged.items() if stream not in by_stream}
    return (*changes, *(_unchanged(family, stream, decided.loaded[stream]) for stream, family in checked.items()))


def _unchanged(family: Aggregate, stream: UUID, held: LoadedAggregate) -> StreamChange:
    return StreamChange(aggregate=family, aggregate_id=stream, before=held, after=held, occurrences=())


def _freed(family: Aggregate, news: Sequence[Recorded], known: Sequence[Recorded] | None) -> frozenset[Claim]:
    """The keys that events took for good which these facts take back."""
    if known is None or not any(fact.data.retracts for fact in news):
        return frozenset()
    before, after = (
        frozenset(claim for fact in standing(facts) for claim in family.taken_by(fact.data))
        for facts in (known, [*known, *news])
    )
    return before - after


def _with_whose(family: Aggregate, state: Any, happened: Sequence[Occurrence]) -> tuple[Occurrence, ...]:
    """Occurrences with whose their thing was, each after those before it."""
    told: list[Occurrence] = []
    for each in happened:
        if told:
            state = family.evolve(state, told[-1].event)
        told.append(replace(each, event=with_whose(each.event, state)))
    return tuple(told)


def _forgetting(each: Occurrence, before: LoadedAggregate, codec: Codec) -> Occurrence:
    """The occurrence, without what is personal where its person was erased: whoever was forgotten stays so (DATA-4)."""
    event = each.event
    if not before.folded or event.person is None or getattr(event, event.person) not in before.folded.erased:
        return each
    return replace(each, event=codec.without_person(event))


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
    happened: Sequence[Occurrence], before: LoadedAggregate, request: CommandRequest, context: Context, name: str | None
) -> tuple[Recorded, ...]:
    """Facts as they will be read back."""
    return tuple(
        Recorded(
            data=each.event,
            occurred_at=each.at.at if each.at else context.now,
            by_day=each.at is not None and each.at.by_day,
            sequence=sequence,
            fact=name,
            causation_id=_required(request.causation_id),
        )
        for sequence, each in enumerate(happened, start=before.sequence + 1)
    )


def append_of(
    changes: Sequence[StreamChange],
    request: CommandRequest,
    context: Context,
    *,
    codec: Codec,
    hasher: ClaimHasher,
    new_id: Callable[[], UUID],
) -> Append:
    """Everything that is to be written for these changes."""
    events = [fact.event for change in changes for fact in change.occurrences]
    claims = [(change, *_claims(change)) for change in changes if change.occurrences]
    # Of history that is brought in, the deadlines that are over stay left alone.
    passed = context.now if request.imported else None
    return Append(
        command_id=context.command_id,
        streams=tuple(_stream(change, context, codec, new_id) for change in changes),
        actor=context.actor.subject,
        correlation_id=_required(request.correlation_id),
        causation_id=_required(request.causation_id),
        recorded_at=context.now,
        imported=request.imported,
        traceparent=request.traceparent,
        idempotency=request.idempotency,
        position=changes[0].before.position,
        take=tuple(_held(claim, change, hasher) for change, taken, _ in claims for claim in taken),
        release=tuple(_held(claim, change, hasher) for change, _, released in claims for claim in released),
        timers=tuple(timer for change in changes for timer in _timers(change, only_after=passed)),
        erase=tuple(getattr(event, event.erases) for event in events if event.erases is not None),
    )


def _required(id_: UUID | None) -> UUID:
    """An id that the executor has given the request, if it came without one."""
    assert id_ is not None
    return id_


def _stream(change: StreamChange, context: Context, codec: Codec, new_id: Callable[[], UUID]) -> StreamAppend:
    return StreamAppend(
        aggregate=change.aggregate.name,
        aggregate_id=change.aggregate_id,
        expected=change.before.sequence,
        events=tuple(_event(each, change.name, context, codec, new_id()) for each in change.occurrences),
    )


def _event(each: Occurrence, name: str | None, context: Context, codec: Codec, event_id: UUID) -> NewEvent:
    encoded = codec.encode(each.event)
    return NewEvent(
        id=event_id,
        type=each.event.type,
        version=each.event.version,
        occurred_at=each.at.at if each.at else context.now,
        by_day=each.at is not None and each.at.by_day,
        fact=name,
        data=encoded.data,
        personal=encoded.personal,
        person=encoded.person,
    )


def _claims(change: StreamChange) -> tuple[frozenset[Claim], frozenset[Claim]]:
    """The keys that the change takes, and those that it releases."""
    before = change.aggregate.claims_of(change.before.state)
    after = change.aggregate.claims_of(change.after.state)
    taken = (claim for fact in change.occurrences for claim in change.aggregate.taken_by(fact.event))
    return (after - before).union(taken), (before - after) | change.freed


def _held(claim: Claim, change: StreamChange, hasher: ClaimHasher) -> HeldKey:
    return HeldKey(
        kind=claim.kind,
        key_hash=hasher(claim.kind, claim.key),
        holder=change.aggregate_id,
        beside=claim.beside,
    )


def _timers(change: StreamChange, *, only_after: datetime | None) -> Iterator[TimerChange]:
    """Timers that the change sets or cancels; sets only those due after a moment, when one is given."""
    if not change.occurrences:
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
