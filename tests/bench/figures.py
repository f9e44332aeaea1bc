"""What the rounds say: rates, percentiles, ratios with their spread, and the report in Markdown."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round on one server. Times in seconds."""

    times: Sequence[float]
    elapsed: float
    server_cpu: float
    """CPU seconds of the serving process."""
    whole_cpu: float
    """CPU seconds of everything but the client: the server, PostgreSQL, Kafka and the services that follow."""
    client_cpu: float

    @property
    def rate(self) -> float:
        """Commands a second."""
        return len(self.times) / self.elapsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Visible:
    """How soon commands were visible. Times in seconds."""

    rate: float
    answered: Sequence[float]
    streamed: Sequence[float]
    asked: Sequence[float]
    unseen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A whole run: rounds by server, in the order in which they ran; first the product, then the product alone."""

    rounds: Mapping[str, Sequence[Round]]
    visible: Visible
    idle: Mapping[str, float]
    """CPU of each process at rest, as a share of one core."""
    resident: Mapping[str, int]
    """Bytes of memory of each process."""
    clients: int
    about: Mapping[str, str] = field(default_factory=dict)


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
        return f"{self.median:.2f} ({self.least:.2f}–{self.most:.2f})"


def ratio(ours: Sequence[Round], theirs: Sequence[Round]) -> Ratio:
    """The ratio of the rates, taken between the rounds that ran next to each other."""
    found = [mine.rate / other.rate for mine, other in zip(ours, theirs, strict=True)]
    return Ratio(statistics.median(found), min(found), max(found))


def report(measured: Measured) -> str:
    """The run as a page."""
    return "\n\n".join((_about(measured), _commands(measured), _visible(measured.visible), _at_rest(measured))) + "\n"


def _about(measured: Measured) -> str:
    return _table(("What", "Which"), [(name, value) for name, value in measured.about.items()])


def _commands(measured: Measured) -> str:
    whole, alone, *_ = measured.rounds.values()
    rows = []
    for name, rounds in measured.rounds.items():
        times = [time for one in rounds for time in one.times]
        ours = rounds is whole or rounds is alone
        rows.append(
            (
                name,
                f"{statistics.median(one.rate for one in rounds):,.0f}",
                f"{min(one.rate for one in rounds):,.0f}–{max(one.rate for one in rounds):,.0f}",
                f"{percentile(times, 0.5) * 1e3:.1f} / {percentile(times, 0.99) * 1e3:.1f}",
                f"{sum(one.server_cpu for one in rounds) / len(times) * 1e6:,.0f}",
                f"{sum(one.whole_cpu for one in rounds) / len(times) * 1e6:,.0f}",
                f"{max(one.client_cpu / one.elapsed for one in rounds):.0%}",
                "" if ours else str(ratio(whole, rounds)),
                "" if ours else str(ratio(alone, rounds)),
            )
        )
    heads = (
        "Server",
        "Commands/s",
        "Least–most",
        "p50 / p99 ms",
        "Its CPU µs/command",
        "All CPU µs/command",
        "Client's CPU",
        "Product ÷ this (least–most)",
        "Product alone ÷ this",
    )
    title = f"## One HTTP command, {measured.clients} clients, {len(whole)} interleaved rounds"
    return f"{title}\n\n{_table(heads, rows)}"


def _visible(visible: Visible) -> str:
    rows = [
        _spread("answered", visible.answered),
        _spread("on the event stream of forecast", visible.streamed),
        _spread("in the answer of the funnel, asked for with the Consistency-Token", visible.asked),
    ]
    title = f"## From command to visible, {visible.rate:.0f} commands a second through Kafka and the gateway"
    missing = f"\n\n{visible.unseen} commands were never seen." if visible.unseen else ""
    return f"{title}\n\n{_table(('The command is', 'n', 'p50 ms', 'p99 ms', 'Longest ms'), rows)}{missing}"


def _spread(what: str, times: Sequence[float]) -> tuple[str, ...]:
    marks = (percentile(times, 0.5), percentile(times, 0.99), max(times))
    return (what, str(len(times)), *(f"{mark * 1e3:.1f}" for mark in marks))


def _at_rest(measured: Measured) -> str:
    rows = [
        (name, f"{share:.1%}", f"{measured.resident[name] / (1 << 20):.0f}") for name, share in measured.idle.items()
    ]
    return f"## At rest\n\n{_table(('Process', 'Of a core', 'Resident MiB'), rows)}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
