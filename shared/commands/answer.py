"""From the outcome of an append to the answer: carried out, carried out before, or to be tried again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.commands.effects import StreamChange
from shared.commands.request import CommandRequest, CommandResult, ContentDiffers, InFlight, StreamOutcome
from shared.eventstore.append import (
    Appended,
    ClaimTaken,
    Conflict,
    OtherContent,
    Outcome,
    Replayed,
    RequestInFlight,
    StreamPosition,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Nothing was written: somebody was faster on `aggregate_id`, or what was remembered of it may be old."""

    aggregate_id: UUID
    taken: ClaimTaken | None = None


def answer_of(outcome: Outcome, request: CommandRequest, changes: Sequence[StreamChange]) -> CommandResult | Retry:
    """What an append answers to its request. Raises `InFlight` and `ContentDiffers`."""
    match outcome:
        case Appended(positions=positions):
            return carried_out(request, changes, positions)
        case Replayed() | OtherContent():
            return first_time(outcome, request)
        case Conflict(aggregate_id=aggregate_id):
            return Retry(aggregate_id=aggregate_id)
        case ClaimTaken():
            return Retry(aggregate_id=_most_wanted(request, changes), taken=outcome)
        case RequestInFlight():
            raise InFlight("The same request is being carried out right now.")


def carried_out(
    request: CommandRequest, changes: Sequence[StreamChange], positions: Mapping[UUID, int]
) -> CommandResult:
    """The answer to a command whose changes stand at these positions; those where nothing happened stand where they
    stood."""
    main, *others = changes
    return CommandResult(
        aggregate_id=main.aggregate_id,
        sequence=main.sequence,
        written=(
            StreamPosition(
                aggregate=main.aggregate.name,
                aggregate_id=main.aggregate_id,
                position=positions.get(main.aggregate_id, main.before.position),
            ),
            *(
                StreamPosition(
                    aggregate=other.aggregate.name,
                    aggregate_id=other.aggregate_id,
                    position=positions[other.aggregate_id],
                )
                for other in others
                if other.aggregate_id in positions
            ),
        ),
        corrects=main.corrects,
        streams=tuple(
            StreamOutcome(
                aggregate=change.aggregate,
                aggregate_id=change.aggregate_id,
                state=change.after.state,
                events=tuple(each.event for each in change.occurrences),
            )
            for change in changes
        ),
    )


def first_time(first: Replayed | OtherContent, request: CommandRequest) -> CommandResult:
    """The answer that a request with this idempotency key was given first. Raises `ContentDiffers`."""
    if isinstance(first, OtherContent):
        raise ContentDiffers("The idempotency key was used for a request with other content.")
    return CommandResult(
        aggregate_id=first.aggregate_id,
        sequence=first.sequence,
        written=(
            StreamPosition(aggregate=request.aggregate.name, aggregate_id=first.aggregate_id, position=first.position),
            *first.others,
        ),
        replayed=True,
    )


def _most_wanted(request: CommandRequest, changes: Sequence[StreamChange]) -> UUID:
    """Where to line up for a key that another one took: a key that another stream gives out, like the next number of a
    series, is to be had in the turn on that stream; any other in that on the aggregate itself."""
    others = (each.aggregate_id for each in changes if each.occurrences and each.aggregate_id != request.aggregate_id)
    return next(others, request.aggregate_id)
