"""From a decision to the change of every stream that it touches: what happened, and the state after it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import is_
from typing import Any
from uuid import UUID

from shared.commands.as_known import with_whose
from shared.commands.decision import Decided, Evolved, NeedsHistory
from shared.commands.request import CommandRequest, required_id
from shared.domain.aggregate import Aggregate, Claim, Occurrence
from shared.domain.context import Context
from shared.domain.history import Recorded, folded, goes_on, history, standing
from shared.events.codec import erased, whose
from shared.eventstore.snapshots import LoadedAggregate


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
    corrects: bool = False
    """Whether these facts take the place of others that were told under their name."""

    @property
    def sequence(self) -> int:
        """Where the stream stands afterwards."""
        return self.before.sequence + len(self.occurrences)


def changes_of(
    decided: Decided, request: CommandRequest, context: Context, *, aggregates: Mapping[str, Aggregate]
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
        told = [_forgetting(each, stream, before, request) for each in own]
        evolved = decided.evolved if stream == main and family.is_dated else None
        happened, last = _with_whose(family, before.state, told, evolved)
        news = _recorded(happened, before, request, context, name) if family.is_dated else ()
        changes.append(
            StreamChange(
                aggregate=family,
                aggregate_id=stream,
                before=before,
                after=_after(
                    family,
                    stream,
                    before,
                    happened,
                    last,
                    news,
                    known=decided.histories.get(stream),
                    evolved=evolved,
                ),
                occurrences=happened,
                name=name,
                news=news,
                freed=_freed(family, news, decided.histories.get(stream)),
                corrects=_corrects(news, decided.histories.get(stream)),
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


def _corrects(news: Sequence[Recorded], known: Sequence[Recorded] | None) -> bool:
    """Whether facts stand that were told under the name of these: then the whole history was read."""
    names = {fact.fact for fact in news if fact.fact}
    return any(fact.fact in names for fact in standing(known or ()))


def _with_whose(
    family: Aggregate, state: Any, happened: Sequence[Occurrence], evolved: Evolved | None
) -> tuple[tuple[Occurrence, ...], Any]:
    """Occurrences with whose their thing was, each after those before it; and the state before the last of them. Those
    that are `evolved` say it already."""
    begun = len(evolved.events) if evolved else 0
    told = [*happened[:begun]]
    state = evolved.state if evolved else state
    for each in happened[begun:]:
        if len(told) > begun:
            state = family.evolve(state, told[-1].event)
        told.append(replace(each, event=with_whose(each.event, state)))
    return tuple(told), state


def _forgetting(each: Occurrence, stream: UUID, before: LoadedAggregate, request: CommandRequest) -> Occurrence:
    """The occurrence, without what is personal where its person was erased, and without free text where history tells
    of what its texts were erased of: what was forgotten stays so (DATA-4)."""
    forgotten = before.folded.erased if before.folded else frozenset[UUID]()
    gone = whose(each.event, stream) in forgotten and (each.event.person is not None or request.imported)
    return replace(each, event=erased(each.event)) if gone else each


def _after(  # noqa: PLR0917
    family: Aggregate,
    stream: UUID,
    before: LoadedAggregate,
    facts: Sequence[Occurrence],
    last: Any,
    news: Sequence[Recorded],
    *,
    known: Sequence[Recorded] | None,
    evolved: Evolved | None,
) -> LoadedAggregate:
    """What is held of a stream after these facts, of which `last` is the state before the last one; where it will stand
    in the log is not known yet."""
    for fact in facts:
        if fact.event.aggregate != family.name:
            raise LookupError(f"{fact.event.type} does not belong into the stream of a {family.name}")
    state = before.state
    if not family.is_dated:
        state = family.evolve(last, facts[-1].event) if facts else state
    elif not goes_on(before.folded, news):
        if known is None or len(known) != before.sequence:
            raise NeedsHistory(family, stream)  # or somebody was faster, and the history is old
        state = family.of([*_erased(known, stream, news), *news])
    else:
        state = _folded_on(family, state, [new.data for new in history(news)], evolved)
    return replace(before, state=state, sequence=before.sequence + len(facts), folded=folded(before.folded, news))


def _folded_on(family: Aggregate, state: Any, events: Sequence[Any], evolved: Evolved | None) -> Any:
    """The state after some events; the first of them are not folded again where they are the very ones that were."""
    begun = len(evolved.events) if evolved else 0
    if evolved and len(events) >= begun and all(map(is_, evolved.events, events)):
        state, events = evolved.state, events[begun:]
    for event in events:
        state = family.evolve(state, event)
    return state


def _erased(known: Sequence[Recorded], stream: UUID, news: Sequence[Recorded]) -> Iterator[Recorded]:
    """Facts as they read once those of the news that erase something are appended (DATA-4)."""
    gone = {getattr(fact.data, fact.data.erases) for fact in news if fact.data.erases}
    for fact in known:
        yield replace(fact, data=erased(fact.data)) if whose(fact.data, stream) in gone else fact


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
            causation_id=required_id(request.causation_id),
        )
        for sequence, each in enumerate(happened, start=before.sequence + 1)
    )
