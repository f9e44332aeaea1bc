"""The decider: an aggregate is a name, a start state, and handlers registered by their types.

    deal = Aggregate("deal", plural="deals", start=NoDeal, readers=READING)

    @deal.decides(allow=SELLING)
    def win(state: OpenDeal, command: WinDeal, context: Context) -> Decision: ...

    @deal.evolves
    def won(state: OpenDeal, event: DealWon) -> WonDeal: ...

A handler is only reached in the states that its annotation names. Parameters beyond state, command and context are
loaded by the kernel (`Service.provides`). Handlers are pure: they return what happened, or raise `Rejected`.
"""

import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

from shared.domain.context import Actor, Context, Moment
from shared.domain.history import Fact, history, is_order_known
from shared.domain.imports import WHEN, FactKind, Ids, ranked
from shared.domain.rejection import Rejected
from shared.domain.roles import ONLY_SERVICES, Permission
from shared.events.chronology import Rank

State = Any
Command = Any
Function = TypeVar("Function", bound=Callable[..., Any])
Method = Literal["POST", "PATCH", "PUT"]
Guard = Callable[[State, Actor], object]
"""Whether a state asks somebody for a command: raises `Rejected` where it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """An event with what its type does not say: when it occurred (default: now), and whose it is (default: the
    aggregate that decides). `to` names another aggregate of the same service, which must be loaded by a parameter of
    the handler or be new."""

    event: Any
    at: Moment | None = None
    to: UUID | None = None


Decision = Sequence[Any]
"""What a handler returns: events and `Occurrence`s, in the order in which they happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A key that one aggregate holds at a time, like the subject of somebody's tokens. Stored only as a keyed hash.

    It may be held beside others, like an address that two people share: beside those that the decision knew of. A
    holder that came meanwhile has it decided again.
    """

    kind: str
    key: str
    beside: frozenset[UUID] = field(default=frozenset(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """A command that runs on its aggregate once the company clock reaches `due`."""

    due: datetime
    command: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """One command of an aggregate: how it is decided, in which states, by whom, and its place in the HTTP API."""

    name: str
    """The function's name; the last segment of the route, with dashes."""
    aggregate: "Aggregate"
    command: type
    states: tuple[type, ...]
    decide: Callable[..., Decision]
    allow: Permission
    method: Method
    parameters: Mapping[str, type]
    """What the kernel loads for the handler: parameter name → type."""
    wants_context: bool
    routed: bool = True
    """Whether the command's route is generated; else a hand-written one, or none, runs it."""
    guard: Guard | None = None
    """What is asked before the command, and by whoever lists what may be done."""

    @property
    def creates(self) -> bool:
        """Whether the command brings the aggregate into being."""
        return self.states == (self.aggregate.start,)

    def run(self, state: State, command: Command, context: Context, loaded: Mapping[str, Any]) -> Decision:
        """Decide the command in a state of this handler. Raises `Rejected`."""
        if self.guard is not None:
            self.guard(state, context.actor)
        known = {"context": context} if self.wants_context else {}
        return self.decide(state, command, **known, **{name: loaded[name] for name in self.parameters})

    @property
    def summary(self) -> str:
        """The first line of the handler's docstring, or the command's."""
        return (self.decide.__doc__ or self.command.__doc__ or self.name).strip().split("\n")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What follows at once from a state, whatever brought it about."""

    conclude: Callable[..., Decision]
    parameters: Mapping[str, type]
    """What the kernel loads for it: parameter name → type."""

    def run(self, state: State, context: Context, loaded: Mapping[str, Any]) -> Decision:
        """What follows, in the order in which it happened; nothing where all of that has happened."""
        return self.conclude(state, context, **loaded)


class Aggregate:
    """A family of streams with one set of rules. Filled by decorators while its module is imported, then only read."""

    def __init__(
        self,
        name: str,
        *,
        plural: str,
        start: type,
        readers: Permission,
        takes_yaml: bool = False,
        singular: str | None = None,
    ) -> None:
        self.name = name
        self.singular = singular or name
        """The word for one of them in operation ids: of a family that services have alike, another one in each."""
        self.takes_yaml = takes_yaml
        """Whether its commands may be written as YAML, too: for documents that people keep as files."""
        self.plural = plural
        self.start = start
        self.readers = readers
        self.handlers: dict[type, list[Handler]] = {}
        self._evolve: dict[tuple[type, type], Callable[[State, Any], State]] = {}
        self._already: dict[tuple[type, type], Callable[[State, Command], bool]] = {}
        self._claims: dict[type, Callable[[State], Iterable[Claim]]] = {}
        self._takes: dict[type, Callable[[Any], Iterable[Claim]]] = {}
        self._shows: dict[type, tuple[type, Callable[[State], Any]]] = {}
        self._timers: dict[type, dict[str, Callable[[State], Timer | None]]] = {}
        self._restores: dict[type, Callable[[Any], State]] = {}
        self._assumes: dict[type, Callable[[State], State]] = {}
        self._concludes: dict[type, Conclusion] = {}
        self.kinds: list[FactKind] = []
        """The kinds of facts that an import may tell of it."""
        self.snapshot_version: int | None = None
        """The version of the fold, of a family whose long streams get snapshots."""
        self.events: set[type] = set()
        self.states: set[type] = {start}

    # -- registration -------------------------------------------------------------------------------------------

    def decides(
        self, *, allow: Permission, guard: Guard | None = None, method: Method = "POST", routed: bool = True
    ) -> Callable[[Function], Function]:
        """Register the handler of a command: `(state, command[, context][, loaded…]) -> events`. Where the state says
        who is asked beside their role, or that something is not possible now, a `guard` does: what may be done is
        listed by it too."""

        def register(function: Function) -> Function:
            hints = _hints(function)
            state, command, *rest = hints.items()
            handler = Handler(
                name=function.__name__,
                aggregate=self,
                command=command[1],
                states=_members(state[1]),
                decide=function,
                allow=allow,
                method=method,
                parameters={name: kind for name, kind in rest if kind is not Context},
                wants_context=any(kind is Context for _, kind in rest),
                routed=routed,
                guard=guard,
            )
            self.handlers.setdefault(handler.command, []).append(handler)
            return function

        return register

    def imports(
        self,
        name: str,
        *tells: type,
        about: str | None = None,
        rank: Rank | None = None,
        again: tuple[str, ...] | None = WHEN,
        series: str | None = None,
        day: str = "on",
        identify: Callable[[Ids, str], UUID] | None = None,
        stream: Callable[[Any], UUID] | None = None,
        keys: Callable[[Any], Iterable[tuple[str, str | None]]] | None = None,
        inherits: Mapping[str, str] | None = None,
        assumed: Callable[[Sequence[Any]], Iterable[str]] | None = None,
        afterwards: Command = None,
        last: bool = False,
    ) -> Callable[[Function], Function]:
        """Register the handler of a command that takes in a kind of fact, for services alone: the name of the kind, the
        events that come of it, and what else is special to it (`FactKind`)."""

        def register(function: Function) -> Function:
            _, command, *_ = _hints(function).values()
            kind = FactKind(
                name=name,
                command=command,
                tells=tells,
                rank=ranked(name, tells, rank),
                about=about or self.name,
                again=again,
                series=series,
                day=day,
                identify=identify,
                stream=stream,
                keys=keys,
                inherits=inherits or {},
                assumed=assumed,
                afterwards=afterwards,
                last=last,
            )
            self.kinds.append(kind)
            return self.decides(allow=ONLY_SERVICES)(function)

        return register

    def evolves(self, function: Function) -> Function:
        """Register how one event changes the state: `(state, event) -> state`. It never refuses."""
        state, event = _hints(function).values()
        self.states.update(_members(state), _members(typing.get_type_hints(function)["return"]))
        for event_type in _members(event):
            self.events.add(event_type)
            for state_type in _members(state):
                self._evolve[state_type, event_type] = function
        return function

    def already(self, function: Function) -> Function:
        """Register when a command asks for what is already so: `(state, command) -> bool`. True is success without
        events; False is the refusal of a transition that the state does not allow."""
        state, command = _hints(function).values()
        for state_type in _members(state):
            for command_type in _members(command):
                self._already[state_type, command_type] = function
        return function

    def claims(self, function: Function) -> Function:
        """Register the keys that a state holds: `(state) -> claims`. States without a function hold none."""
        (state,) = _hints(function).values()
        for state_type in _members(state):
            self._claims[state_type] = function
        return function

    def takes(self, function: Function) -> Function:
        """Register the keys that an event takes for good: `(event) -> claims`. For keys that nothing releases: those
        of a long stream are not gone through with each command."""
        (event,) = _hints(function).values()
        for event_type in _members(event):
            self._takes[event_type] = function
        return function

    def shows(self, function: Function) -> Function:
        """Register what is shown of a state that is more than its content: `(state) -> plain data`. Other states are
        shown as they are."""
        (state,) = _hints(function).values()
        self._shows[state] = (typing.get_type_hints(function)["return"], function)
        return function

    def snapshots(self, *, version: int) -> None:
        """Have long streams of this family load from snapshots of what its states show. Change how events are folded,
        and raise the `version`: what was folded the other way is not read any more. A changed state does that by
        itself."""
        self.snapshot_version = version

    def restores(self, function: Function) -> Function:
        """Register how a state is made of what it shows: `(shown) -> state`, where the two are not the same."""
        (shown,) = _hints(function).values()
        self._restores[shown] = function
        return function

    def assumes(self, function: Function) -> Function:
        """Register what a state is once the order of its facts could not be known: `(state) -> state`."""
        (state,) = _hints(function).values()
        for state_type in _members(state):
            self._assumes[state_type] = function
        return function

    def timer(self, function: Function) -> Function:
        """Register a timer of a state: `(state) -> Timer | None`; the function's name is the timer's."""
        (state,) = _hints(function).values()
        for state_type in _members(state):
            self._timers.setdefault(state_type, {})[function.__name__] = function
        return function

    def concludes(self, function: Function) -> Function:
        """Register what follows at once from a state: `(state, context[, loaded…]) -> events`. It is decided after each
        command on the aggregate itself that changes something, and appended along with it, but not after history that
        is told late, nor where the command of another aggregate writes to its stream: that asks for it by itself. It
        never refuses, and what has followed once does not again: the state says so."""
        state, _, *rest = _hints(function).items()
        for state_type in _members(state[1]):
            self._concludes[state_type] = Conclusion(conclude=function, parameters=dict(rest))
        return function

    # -- use ----------------------------------------------------------------------------------------------------

    def handler_of(self, state: State, command: type) -> Handler | None:
        """The handler of a class of commands in a state; None when the state does not allow them."""
        return next((found for found in self.handlers[command] if isinstance(state, found.states)), None)

    def not_possible(self, state: State, command: type) -> Rejected:
        """Why a command without a handler in a state is refused."""
        if isinstance(state, self.start):
            return Rejected("does-not-exist", f"There is no such {self.name}.")
        action = self.handlers[command][0].name.replace("_", " ").strip()
        message = f"{action!r} is not possible while the {self.name} is {status_of(self, state)}."
        return Rejected("not-in-this-state", message)

    def is_already(self, state: State, command: Command) -> bool:
        """Whether the state already is what the command asks for."""
        check = self._already.get((type(state), type(command)))
        return check is not None and check(state, command)

    def decide(self, state: State, command: Command, context: Context, loaded: Mapping[str, Any]) -> Decision:
        """Decide a command: what happened, nothing when it is already so, or `Rejected`."""
        if self.is_already(state, command):
            return ()
        handler = self.handler_of(state, type(command))
        if handler is None:
            raise self.not_possible(state, type(command))
        return handler.run(state, command, context, loaded)

    @property
    def conclusions(self) -> tuple[Conclusion, ...]:
        """What follows at once from its states."""
        return tuple(self._concludes.values())

    @property
    def has_timers(self) -> bool:
        """Whether some state has a timer."""
        return bool(self._timers)

    @property
    def is_dated(self) -> bool:
        """Whether facts of this family may be told late, and are folded as they happened."""
        return any(getattr(event, "rank", None) is not None for event in self.events)

    def evolve(self, state: State, event: Any) -> State:
        """The state after an event. Where facts may be told late, one that finds no place changes nothing."""
        change = self._evolve.get((type(state), type(event)))
        if change is None:
            if event.rank is not None:
                return state
            raise LookupError(f"{type(event).__name__} cannot follow {type(state).__name__}")
        return change(state, event)

    def fold(self, events: Iterable[Any]) -> State:
        """The state after a whole history."""
        state = self.start()
        for event in events:
            state = self.evolve(state, event)
        return state

    def of(self, facts: Iterable[Fact]) -> State:
        """The state of something whose facts may be told late, from all of them in any order."""
        known = list(facts)
        state = self.fold(fact.data for fact in history(known))
        assume = self._assumes.get(type(state))
        return state if assume is None or is_order_known(known) else assume(state)

    def claims_of(self, state: State) -> frozenset[Claim]:
        """The keys that a state holds."""
        return frozenset(keys(state)) if (keys := self._claims.get(type(state))) else frozenset()

    def taken_by(self, event: Any) -> frozenset[Claim]:
        """The keys that an event takes for good."""
        return frozenset(keys(event)) if (keys := self._takes.get(type(event))) else frozenset()

    def shown(self, state: State) -> Any:
        """What is shown of a state: plain data."""
        return shows[1](state) if (shows := self._shows.get(type(state))) else state

    def restored(self, shown: Any) -> State:
        """The state that shows this."""
        return restore(shown) if (restore := self._restores.get(type(shown))) else shown

    def shown_type(self, state: type) -> type:
        """The class of what is shown of a state of this class."""
        return self._shows[state][0] if state in self._shows else state

    def conclusion_of(self, state: State) -> Conclusion | None:
        """What follows at once from a state, if it is one of which something may."""
        return self._concludes.get(type(state))

    def timers_of(self, state: State) -> dict[str, Timer]:
        """The timers that run in a state, by name."""
        named = ((name, timer(state)) for name, timer in self._timers.get(type(state), {}).items())
        return {name: timer for name, timer in named if timer is not None}


def occurrences(decision: Sequence[Any]) -> tuple[Occurrence, ...]:
    """Every item of a decision as an `Occurrence`."""
    return tuple(item if isinstance(item, Occurrence) else Occurrence(event=item) for item in decision)


def status_of(aggregate: Aggregate, state: State) -> str:
    """The word for a state: `WonDeal` of the aggregate "deal" is "won"; kebab-case."""
    return word_of(aggregate, type(state))


def word_of(aggregate: Aggregate, state: type) -> str:
    """The word for a state's class."""
    name = state.__name__
    words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).strip("-")
    return words.removesuffix(f"-{aggregate.name}")


def carried(state: State, common: type) -> dict[str, Any]:
    """What a state takes along into the next one: the fields of the class that both are of."""
    return {each.name: getattr(state, each.name) for each in fields(common)}


def states_of(aggregate: Aggregate) -> list[type]:
    """The states that an aggregate can stand in, its start left out."""
    return sorted(aggregate.states - {aggregate.start}, key=lambda state: state.__name__)


def statuses(aggregate: Aggregate) -> tuple[str, ...]:
    """The words for all states that an aggregate can stand in."""
    return tuple(word_of(aggregate, state) for state in states_of(aggregate))


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(function)
    hints.pop("return", None)
    return hints


def _members(annotation: Any) -> tuple[type, ...]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return typing.get_args(annotation)
    return (annotation,)
