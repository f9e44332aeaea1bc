"""What was measured, and the arithmetic: percentiles, ratios with their spread. Pure."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MAX_LAG_SECONDS = 2.0
"""What follows from the commands of a round must be done so soon after its end; else the server only put it off. Leads
journals what nobody waits for one step a second (`UNHURRIED`), so that half of this is no delay."""
MAX_CLIENT_CORES = 0.2
"""A client that takes more of a core takes it from the servers, and the round is marked."""
CLIENTS = ("load", "listener", "questioner")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """How commands come: from `clients` that each wait for their answer, or `rate` a second whatever is answered."""

    clients: int = 0
    rate: float = 0.0

    def __str__(self) -> str:
        if self.rate:
            return f"Open loop, {self.rate:.0f} commands/s"
        return f"Closed loop, {self.clients} client{'' if self.clients == 1 else 's'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round on one server. Times in seconds."""

    build: str
    """The build of the product that was there; peers are measured beside each."""
    server: str
    pressure: Pressure
    seconds: float
    times: Sequence[float]
    arrived: int
    """Answers within the round."""
    cpu: Mapping[str, float]
    """CPU seconds by process, the clients' as well."""
    lag: float = 0.0
    """From its end until everything that follows from it was done."""
    unsent: int = 0
    """Commands that were due, and for which there was never a free client."""

    @property
    def counts(self) -> bool:
        return self.lag <= MAX_LAG_SECONDS

    @property
    def rate(self) -> float:
        """Commands a second."""
        return self.arrived / self.seconds

    @property
    def client_cores(self) -> float:
        """What the hungriest client took of a core."""
        return max(self.cpu.get(name, 0.0) for name in CLIENTS) / self.seconds

    @property
    def cost(self) -> Mapping[str, float]:
        """CPU seconds a command, by process, without the clients."""
        return {name: spent / max(self.arrived, 1) for name, spent in self.cpu.items() if name not in CLIENTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Visible:
    """How soon commands were visible at one rate. Times in seconds, from when each was due."""

    command: Round
    streamed: Sequence[float]
    asked: Sequence[float]
    unseen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """A process of the product while nobody asks anything."""

    build: str
    process: str
    share: float
    """Of one core."""
    resident: int
    """Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """How one build answered a question over so many deals."""

    build: str
    deals: int
    question: str
    times: Sequence[float]
    """Seconds, one client."""
    size: int
    """Bytes of an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The memory of forecast's process, in bytes: resident, and its own with its part of what is shared."""

    build: str
    deals: int
    when: str
    resident: int
    own: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """Commands of one client on one ledger, warm."""

    build: str
    invoices: int
    """How many are open."""
    times: Sequence[float]
    """Seconds."""
    cpu: float
    """CPU seconds of receivables a command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cold:
    """The first request on a long stream after a restart of its owner. Times in seconds."""

    build: str
    stream: str
    events: int
    from_snapshot: bool
    answered: float
    cpu: float
    """Of the owner until the answer."""
    stall: float
    """The longest that the owner's event loop stood still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """A read model that was folded from its first event on. Times in seconds."""

    build: str
    name: str
    events: int
    seconds: float
    python: float
    """CPU of the process that folds."""
    postgres: float
    """CPU of PostgreSQL, its helpers included."""

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds

    @property
    def cost(self) -> float:
        """CPU seconds an event."""
        return (self.python + self.postgres) / self.events


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A step of a command, or the whole, on deals of one process. Times in seconds, one client."""

    build: str
    what: str
    process: str
    """What it asks for."""
    times: Sequence[float]


@dataclass(slots=True, kw_only=True)
class Measured:
    """A whole run, in the order in which it ran."""

    about: Mapping[str, str] = field(default_factory=dict)
    rounds: list[Round] = field(default_factory=list)
    visible: list[Visible] = field(default_factory=list)
    rest: list[Rest] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    steady: list[Steady] = field(default_factory=list)
    cold: list[Cold] = field(default_factory=list)
    listed: list[Answered] = field(default_factory=list)
    agendas: list[Answered] = field(default_factory=list)
    """Questions to the list of deals, and pages of its fold."""
    boards: list[Answered] = field(default_factory=list)
    """Boards of the same deals."""
    searches: list[Answered] = field(default_factory=list)
    """Questions to the search for deals; `size` is how many were found."""
    gates: list[Decided] = field(default_factory=list)
    rebuilt: list[Rebuilt] = field(default_factory=list)


def percentile(times: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: the smallest time that at least `share` of all do not exceed."""
    return sorted(times)[max(0, math.ceil(share * len(times)) - 1)]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as fast: the median over the rounds, and its spread."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        if self.least == self.most:
            return f"{self.median:.2f}"
        return f"{self.median:.2f} ({self.least:.2f}–{self.most:.2f})"


def ratio(ours: Sequence[Round], theirs: Sequence[Round]) -> Ratio | None:
    """The ratio of the rates, taken between the rounds that ran in the same turn; None when no two of a turn count."""
    turns = zip(ours, theirs, strict=True)
    found = [mine.rate / other.rate for mine, other in turns if mine.counts and other.counts and other.arrived]
    return Ratio(statistics.median(found), min(found), max(found)) if found else None
