"""A run as a page in Markdown. Pure."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from tests.bench.figures import (
    MAX_CLIENT_CORES,
    Answered,
    Cold,
    Decided,
    Held,
    Measured,
    Pressure,
    Rebuilt,
    Rest,
    Round,
    Steady,
    Visible,
    percentile,
    ratio,
)

NOTHING = "–"
Item = TypeVar("Item")
Key = TypeVar("Key")


def report(measured: Measured, product: str) -> str:
    """The run as a page; `product` is the server that the others are compared with."""
    parts = [table(("What", "Which"), list(measured.about.items()))]
    for pressure in dict.fromkeys(one.pressure for one in measured.rounds):
        parts.append(_commands([one for one in measured.rounds if one.pressure == pressure], pressure, product))
    if closed := [one for one in measured.rounds if one.pressure.clients]:
        parts.append(_costs(closed))
    if measured.visible:
        parts.append(_visible(measured.visible))
    if measured.rest:
        parts.append(_rest(measured.rest))
    if measured.answered:
        parts += [_answered(measured.answered), _held(measured.held)]
    if measured.steady:
        parts.append(_steady(measured.steady))
    if measured.cold:
        parts.append(_cold(measured.cold))
    if measured.listed:
        parts.append(_listed("The list of", measured.listed))
    if measured.boards:
        parts.append(_listed("A board of", measured.boards))
    if measured.agendas:
        parts.append(_listed("Agendas over", measured.agendas))
    if measured.searches:
        parts.append(_searches(measured.searches))
    if measured.gates:
        parts.append(_gates(measured.gates))
    if measured.rebuilt:
        parts.append(_rebuilt(measured.rebuilt))
    return "\n\n".join(parts) + "\n"


def _commands(rounds: Sequence[Round], pressure: Pressure, product: str) -> str:
    """One table of all servers under the same pressure."""
    turns = _by(rounds, lambda one: (one.build, one.server))
    first = rounds[0].build
    several = len({one.build for one in rounds}) > 1
    rows = []
    for (build, server), own in turns.items():
        counted = [one for one in own if one.counts]
        compared = turns.get((first if server == product else build, product), [])
        rows.append(
            (
                f"{server}{_beside(build, server.startswith(product)) if several else ''}",
                _counted(own),
                *(_speed(counted) if counted else (NOTHING, NOTHING)),
                f"{max(one.client_cores for one in own):.2f}{_hungry(own)}",
                *([_ratio(compared, own)] if pressure.clients else []),
            )
        )
    heads = ["Server", "Rounds that count", "Commands/s", "p50 / p99 / longest ms", "Load, cores"]
    if pressure.clients:
        heads.append(f"{product} ÷ this")
    return f"## {pressure}\n\n{table(heads, rows)}"


def _ratio(compared: Sequence[Round], own: Sequence[Round]) -> str:
    return NOTHING if own is compared or len(compared) != len(own) else str(ratio(compared, own) or NOTHING)


def _beside(build: str, own: bool) -> str:
    return f" ({build})" if own else f" (beside {build})"


def _counted(own: Sequence[Round]) -> str:
    """How many rounds count; of those thrown away, what was still to be done."""
    thrown = [one.lag for one in own if not one.counts]
    late = f"; thrown away: {', '.join(f'{lag:.1f} s behind' for lag in thrown)}" if thrown else ""
    unsent = sum(one.unsent for one in own)
    return f"{len(own) - len(thrown)} of {len(own)}{late}{f'; {unsent} never sent' if unsent else ''}"


def _hungry(own: Sequence[Round]) -> str:
    return " (too much)" if any(one.client_cores > MAX_CLIENT_CORES for one in own) else ""


def _speed(counted: Sequence[Round]) -> tuple[str, str]:
    times = [time for one in counted for time in one.times]
    rates = [one.rate for one in counted]
    spread = f" ({min(rates):,.0f}–{max(rates):,.0f})" if len(rates) > 1 else ""
    marks = (percentile(times, 0.5), percentile(times, 0.99), max(times))
    return f"{statistics.median(rates):,.0f}{spread}", " / ".join(f"{mark * 1e3:.1f}" for mark in marks)


def _costs(rounds: Sequence[Round]) -> str:
    """CPU a command of each process, of the rounds that count."""
    names = dict.fromkeys(name for one in rounds for name in one.cost)
    several = len({one.build for one in rounds}) > 1
    rows = []
    for (build, server, clients), own in _by(rounds, lambda one: (one.build, one.server, one.pressure.clients)).items():
        if counted := [one for one in own if one.counts]:
            cost = {name: statistics.mean(one.cost.get(name, 0.0) for one in counted) for name in names}
            rows.append(
                (
                    f"{server}{f' ({build})' if several else ''}",
                    str(clients),
                    f"{sum(cost.values()) * 1e6:,.0f}",
                    *(f"{cost[name] * 1e6:,.0f}" for name in names),
                )
            )
    return f"## CPU by process, µs a command\n\n{table(('Server', 'Clients', 'All', *names), rows)}"


def _visible(found: Sequence[Visible]) -> str:
    rows = []
    for one in found:
        command = one.command
        named = (f"{command.rate:.0f}", command.build)
        cores = f"{command.client_cores:.2f}{_hungry([command])}"
        rows += [
            (*named, "answered", *_spread(command.times), cores),
            (*named, "on the event stream of forecast", *_spread(one.streamed), cores),
            (*named, "in the answer of the funnel, asked for with the Consistency-Token", *_spread(one.asked), cores),
        ]
    heads = ("Commands/s", "Build", "The command is", "n", "p50 ms", "p99 ms", "Longest ms", "Hungriest client, cores")
    lost = sum(one.unseen for one in found)
    missing = f"\n\n{lost} commands were never seen." if lost else ""
    return f"## From command to visible, through Kafka and the gateway\n\n{table(heads, rows)}{missing}"


def _spread(times: Sequence[float]) -> tuple[str, ...]:
    if not times:
        return ("0", NOTHING, NOTHING, NOTHING)
    marks = (percentile(times, 0.5), percentile(times, 0.99), max(times))
    return (str(len(times)), *(f"{mark * 1e3:.1f}" for mark in marks))


def _rest(rest: Sequence[Rest]) -> str:
    rows = [(one.build, one.process, f"{one.share:.1%}", f"{one.resident / (1 << 20):.0f}") for one in rest]
    return f"## At rest\n\n{table(('Build', 'Process', 'Of a core', 'Resident MiB'), rows)}"


def _answered(answered: Sequence[Answered]) -> str:
    """One line for each question and build; the last column says how much faster the first build is."""
    first = {one.question: one for one in answered if one.build == answered[0].build}
    rows = []
    for question, mine in first.items():
        for one in (one for one in answered if one.question == question):
            faster = percentile(one.times, 0.5) / percentile(mine.times, 0.5)
            rows.append(
                (
                    question,
                    one.build,
                    *_spread(one.times),
                    f"{one.size / 1024:,.1f}",
                    NOTHING if one is mine else f"{faster:.1f}",
                )
            )
    heads = ("Question", "Build", "n", "p50 ms", "p99 ms", "Longest ms", "KiB", f"÷ {answered[0].build} (p50)")
    return f"## Questions over {answered[0].deals:,} deals, one client, warm\n\n{table(heads, rows)}"


def _listed(what: str, listed: Sequence[Answered]) -> str:
    """One line for each question to a read model of deals, and for the pages of its fold."""
    rows = [(one.question, *_spread(one.times), f"{one.size / 1024:,.1f}" if one.size else NOTHING) for one in listed]
    heads = ("What", "n", "p50 ms", "p99 ms", "Longest ms", "KiB")
    return f"## {what} {listed[0].deals:,} deals, without HTTP, one client, warm\n\n{table(heads, rows)}"


def _searches(searches: Sequence[Answered]) -> str:
    """One line for each question and asker, the peer's after all of ours."""
    rows = [(one.question, *_spread(one.times), str(one.size)) for one in searches]
    heads = ("Who looks for what", "n", "p50 ms", "p99 ms", "Longest ms", "Found")
    return f"## Searches among {searches[0].deals:,} deals, without HTTP, one client, warm\n\n{table(heads, rows)}"


def _gates(gates: Sequence[Decided]) -> str:
    """One line for each step and process, beside the first process of the same step."""
    rows = []
    for what, own in _by(gates, lambda one: one.what).items():
        first = percentile(own[0].times, 0.5)
        for one in own:
            marks = (percentile(one.times, 0.5), percentile(one.times, 0.99), max(one.times))
            rows.append(
                (
                    *(what, one.process, str(len(one.times))),
                    *(f"{mark * 1e6:,.0f}" for mark in marks),
                    f"{1 / statistics.mean(one.times):,.0f}",
                    NOTHING if one is own[0] else f"{marks[0] / first:.2f}",
                )
            )
    heads = ("What", "Process", "n", "p50 µs", "p99 µs", "Longest µs", "A second", f"÷ {gates[0].process} (p50)")
    return f"## What a process adds to a command, without HTTP, one client, warm\n\n{table(heads, rows)}"


def _held(held: Sequence[Held]) -> str:
    rows = [(one.build, one.when, f"{one.resident / (1 << 20):.0f}", f"{one.own / (1 << 20):.0f}") for one in held]
    return f"## Memory of forecast\n\n{table(('Build', 'When', 'Resident MiB', 'Proportional MiB'), rows)}"


def _steady(steady: Sequence[Steady]) -> str:
    """One line for each build and number of open invoices, beside the fewest of the same build."""
    rows = []
    few: dict[str, tuple[float, float]] = {}
    for (build, invoices), own in _by(steady, lambda one: (one.build, one.invoices)).items():
        times, cpu = [time for one in own for time in one.times], statistics.mean(one.cpu for one in own)
        median = percentile(times, 0.5)
        least = few.setdefault(build, (median, cpu))
        beside = (NOTHING, NOTHING) if least == (median, cpu) else _times((median, cpu), least)
        rows.append((build, f"{invoices:,}", *_spread(times), f"{cpu * 1e3:.2f}", *beside))
    heads = ("Build", "Open invoices", "n", "p50 ms", "p99 ms", "Longest ms", "CPU ms", "÷ few (p50)", "÷ few (CPU)")
    return f"## A receipt, one client, warm\n\n{table(heads, rows)}"


def _times(these: tuple[float, float], least: tuple[float, float]) -> tuple[str, ...]:
    return tuple(f"{one / few:.2f}" if few else NOTHING for one, few in zip(these, least, strict=True))


def _cold(cold: Sequence[Cold]) -> str:
    """One line for each stream, way to load it and build; a build that has no such way has nothing in it."""
    found = _by(cold, lambda one: (one.stream, one.from_snapshot, one.build))
    rows = []
    for (stream, from_snapshot), own in _by(cold, lambda one: (one.stream, one.from_snapshot)).items():
        mine = found.get((stream, from_snapshot, cold[0].build), [])
        for build in dict.fromkeys(one.build for one in cold):
            named = (stream, f"{own[0].events:,}", "from its snapshot" if from_snapshot else "folded", build)
            rows.append((*named, *_first_answers(found.get((stream, from_snapshot, build), []), mine)))
    heads = ("Stream", "Events", "Loaded", "Build", "n", "First answer ms", "CPU ms", "Longest stall ms")
    return f"## Long streams after a restart\n\n{table((*heads, f'÷ {cold[0].build} (CPU)'), rows)}"


def _first_answers(own: Sequence[Cold], mine: Sequence[Cold]) -> tuple[str, ...]:
    if not own:
        return (NOTHING,) * 5
    cpu = statistics.median(one.cpu for one in own)
    first = statistics.median(one.cpu for one in mine) if mine else 0.0
    return (
        str(len(own)),
        f"{statistics.median(one.answered for one in own) * 1e3:.0f}",
        f"{cpu * 1e3:.0f}",
        f"{max(one.stall for one in own) * 1e3:.0f}",
        f"{cpu / first:.1f}" if first and own is not mine else NOTHING,
    )


def _rebuilt(rebuilt: Sequence[Rebuilt]) -> str:
    """One line for each read model; what is last is what the others are compared with."""
    peer = rebuilt[-1]
    rows = [
        (
            one.name,
            f"{one.events:,}",
            f"{one.rate:,.0f}",
            *(f"{spent / one.events * 1e6:,.0f}" for spent in (one.python, one.postgres)),
            *((NOTHING, NOTHING) if one is peer else (f"{one.rate / peer.rate:.1f}", f"{peer.cost / one.cost:.1f}")),
        )
        for one in rebuilt
    ]
    heads = ("Read model", "Events", "Events/s", "Python, CPU µs", "PostgreSQL, CPU µs")
    beside = ("÷ library (events/s)", "Library ÷ this (CPU)")
    return f"## Read models built anew, nobody served\n\n{table((*heads, *beside), rows)}"


def _by(rounds: Iterable[Item], key: Callable[[Item], Key]) -> Mapping[Key, list[Item]]:
    found: dict[Key, list[Item]] = {}
    for one in rounds:
        found.setdefault(key(one), []).append(one)
    return found


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
