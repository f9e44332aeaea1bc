"""From the changes of streams to one append: events, claims, timers and personal data that is erased. Pure.

A timer holds the command that it gives once it is due, as JSON.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from shared.commands.effects import StreamChange
from shared.commands.request import CommandRequest, required_id
from shared.domain.aggregate import Aggregate, Claim, Occurrence
from shared.domain.context import Context
from shared.events.codec import Codec
from shared.eventstore.append import Append, HeldKey, NewEvent, StreamAppend, TimerChange
from shared.eventstore.claims import ClaimHasher

TIMER_ENCODER = msgspec.json.Encoder(decimal_format="string")


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
        actor=request.by or context.actor.subject,
        correlation_id=required_id(request.correlation_id),
        causation_id=required_id(request.causation_id),
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


def _stream(change: StreamChange, context: Context, codec: Codec, new_id: Callable[[], UUID]) -> StreamAppend:
    return StreamAppend(
        aggregate=change.aggregate.name,
        aggregate_id=change.aggregate_id,
        expected=change.before.sequence,
        events=tuple(_event(each, change, context, codec, new_id()) for each in change.occurrences),
    )


def _event(each: Occurrence, change: StreamChange, context: Context, codec: Codec, event_id: UUID) -> NewEvent:
    encoded = codec.encode(each.event)
    return NewEvent(
        id=event_id,
        type=each.event.type,
        version=each.event.version,
        occurred_at=each.at.at if each.at else context.now,
        by_day=each.at is not None and each.at.by_day,
        fact=change.name,
        data=encoded.data,
        personal=encoded.personal,
        person=encoded.person or change.aggregate_id,  # free text is its aggregate's
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
