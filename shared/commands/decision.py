"""From a request to a decision: who may, whether it applies, what it rests on, and what happens (API-4, DATA-5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from shared.commands.access import authorise
from shared.commands.as_known import with_whose
from shared.commands.loaders import LoaderContext, Provider, reads_of
from shared.commands.references import Knows, reference_faults
from shared.commands.request import CommandRequest, NotFound, StaleVersion
from shared.domain.aggregate import Aggregate, Handler, Occurrence, occurrences
from shared.domain.context import Context
from shared.domain.history import Recorded, before
from shared.domain.rejection import Reason, Rejected, refusal_of
from shared.events.chronology import follows, told
from shared.eventstore.snapshots import LoadedAggregate


class NeedsHistory(Exception):
    """A decision tells something that happened before what was folded of a stream."""

    def __init__(self, aggregate: Aggregate, aggregate_id: UUID) -> None:
        super().__init__(f"the whole history of {aggregate.name} {aggregate_id} is needed")
        self.aggregate, self.aggregate_id = aggregate, aggregate_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Evolved:
    """Memoized fold: the events of the aggregate that a handler decided, and the state that they lead to."""

    events: Sequence[Any]
    state: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What a command came to, and everything that it was decided on."""

    on: LoadedAggregate
    """The aggregate that decided; the append finds out when it has changed since."""
    occurrences: tuple[Occurrence, ...]
    loaded: Mapping[UUID, LoadedAggregate]
    """The other aggregates that were read, as they were."""
    unchanged: Mapping[UUID, Aggregate]
    """Those of them that must not have changed when this is appended."""
    histories: Mapping[UUID, Sequence[Recorded]] = field(default_factory=dict)
    """The whole streams that were read, of families whose facts may be told late."""
    creates: Handler | None = None
    """The handler that brought the aggregate into being, if one did."""
    evolved: Evolved | None = None
    """How far the occurrences are folded, where that was done to see what follows from them."""


async def decide(
    request: CommandRequest,
    loaded: LoadedAggregate,
    context: Context,
    *,
    reader: LoaderContext,
    provides: Mapping[type, Provider],
    knows: Knows,
    histories: Mapping[UUID, Sequence[Recorded]],
) -> Decided:
    """Decide a command. Nothing happens when it is already so, or when its precondition does not hold any more.

    Raises `Rejected` with the rule that says no, `Refused` (not found, forbidden, stale), and `NeedsHistory` when a
    stream is not among `histories` that has to be known whole.
    """
    aggregate, command = request.aggregate, request.command
    state = _state_met(request, loaded, context, histories)
    handler = aggregate.handler_of(state, type(command))
    if handler is None and isinstance(state, aggregate.start):
        raise NotFound(aggregate.name, request.aggregate_id)
    authorise(request, handler or aggregate.handlers[type(command)][0], state)
    if request.expected is not None and request.expected != loaded.sequence:
        raise StaleVersion(request.expected, loaded.sequence)
    happened: tuple[Occurrence, ...] = ()
    evolved = None
    if (request.precondition is None or request.precondition(state)) and not aggregate.is_already(state, command):
        if handler is None:
            raise aggregate.not_possible(state, type(command))
        faults = await reference_faults(handler, state, command, request.actor, reader=reader, knows=knows)
        parameters = await _loaded(handler.parameters, (state, command, context), reader=reader, provides=provides)
        happened = _happened(handler, (state, command, context, parameters), faults)
        if request.told is None and not request.imported:
            happened, evolved = _evolved(aggregate, request.aggregate_id, state, happened)
            happened += await _concluded(aggregate, evolved, context, reader=reader, provides=provides)
    return Decided(
        on=loaded,
        occurrences=happened,
        loaded=reader.loaded,
        unchanged=reader.unchanged,
        histories=histories,
        creates=handler if isinstance(state, aggregate.start) else None,
        evolved=evolved,
    )


def _happened(handler: Handler, decided_on: tuple[Any, ...], faults: Sequence[Reason]) -> tuple[Occurrence, ...]:
    """What a handler decides. With faults in what the command names it is run too, and nothing comes of that but its
    own reasons, so that the refusal has all of them; where nothing would happen, nothing is refused."""
    try:
        happened = occurrences(handler.run(*decided_on))
    except Rejected as refusal:
        if not faults:
            raise
        raise refusal.along_with(faults) from None
    if happened and faults:
        raise refusal_of(faults)
    return happened


def _evolved(
    aggregate: Aggregate, aggregate_id: UUID, state: Any, happened: tuple[Occurrence, ...]
) -> tuple[tuple[Occurrence, ...], Evolved | None]:
    """What happened, with whose it was, and the state once it has; None where nothing has that is the aggregate's own,
    or nothing can follow."""
    if not aggregate.conclusions:
        return happened, None
    told, events = list[Occurrence](), list[Any]()
    for each in happened:
        if each.to in (None, aggregate_id):
            told.append(replace(each, event=with_whose(each.event, state)))
            events.append(told[-1].event)
            state = aggregate.evolve(state, events[-1])
        else:
            told.append(each)
    return tuple(told), Evolved(events=events, state=state) if events else None


async def _concluded(
    aggregate: Aggregate,
    evolved: Evolved | None,
    context: Context,
    *,
    reader: LoaderContext,
    provides: Mapping[type, Provider],
) -> tuple[Occurrence, ...]:
    """What follows at once from the state that a decision leads to, whichever command it was."""
    if evolved is None or (conclusion := aggregate.conclusion_of(evolved.state)) is None:
        return ()
    parameters = await _loaded(conclusion.parameters, (evolved.state, None, context), reader=reader, provides=provides)
    return occurrences(conclusion.run(evolved.state, context, parameters))


async def _loaded(
    parameters: Mapping[str, type],
    decided_on: tuple[Any, Any, Context],
    *,
    reader: LoaderContext,
    provides: Mapping[type, Provider],
) -> dict[str, Any]:
    """What is decided on besides state, command and context, each loaded by its provider."""
    loaded = {}
    for name, kind in parameters.items():
        reader.may_read = reads_of(provides[kind])
        loaded[name] = await provides[kind](reader, *decided_on)
    return loaded


def _state_met(
    request: CommandRequest, loaded: LoadedAggregate, context: Context, histories: Mapping[UUID, Sequence[Recorded]]
) -> Any:
    """The state that a command is decided on: as it is now, or of something told late as it was then."""
    fact = request.told
    if fact is None or not request.aggregate.is_dated or not loaded.sequence:
        return loaded.state
    moment = context.past_moment(request.command.on, request.command.at)
    place = told(moment.at, fact.rank, fact.name, on=request.command.on, by_day=moment.by_day)
    if loaded.folded and fact.name not in loaded.folded.names and follows(loaded.folded.last, place):
        return loaded.state
    if (facts := histories.get(request.aggregate_id)) is None:
        raise NeedsHistory(request.aggregate, request.aggregate_id)
    return request.aggregate.fold(each.data for each in before(facts, place, fact.name))
