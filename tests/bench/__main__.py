"""`make bench`: the whole product beside its peers, in one run on one PostgreSQL; with AGAINST=<commit> beside another
build of the product as well.

Only ratios inside one section say something. A round counts when everything that follows from its commands was done
within a second after its end. Sections that were measured of this very code are not measured again, unless `--fresh`.
"""

import asyncio
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from deploy.local.stack import CHECKOUT
from tests.bench.agenda import ask_agendas
from tests.bench.builds import THIS, Build, checked_out
from tests.bench.figures import Measured
from tests.bench.gates import pass_gates
from tests.bench.ledgers import long_streams
from tests.bench.lists import ask_lists
from tests.bench.machine import machine
from tests.bench.plan import (
    AGENDA,
    COMMANDS,
    GATES,
    LEDGERS,
    OF_DEALS,
    PRODUCT,
    QUESTIONS,
    REBUILD,
    SEARCH,
    SECTIONS,
    Plan,
    told,
)
from tests.bench.questions import answer_questions
from tests.bench.rebuilding import rebuild
from tests.bench.report import report
from tests.bench.rounds import commands
from tests.bench.runs import Run, run_of, split, together
from tests.bench.searches import ask_searches
from tests.bench.servers import stage

PAGE = CHECKOUT / "docs" / "reference" / "bench.md"
INTRODUCTION = """# What one command costs

Written by `make bench` (`python -m tests.bench --write`). Absolute figures belong to the machine below; what carries
over is a ratio inside one section, for which all servers and builds took turns on the same PostgreSQL (fsync on), one
process each.

- **Throughline**: `POST /v1/deals` at the deals service as it runs in the stack. Bearer token, the asker's team (looked
  up once a second), validation, process and catalogue, `Idempotency-Key`, append with compare-and-set; beside it the
  same process publishes to Kafka and folds its own list, and the other services follow, on the same cores.
- **Throughline, nothing downstream**: the same, while the four other services stand still.
- **FastAPI + eventsourcing**: the same body and the same check of the token, the library's PostgreSQL recorder in its
  default mode, in threads. No idempotency, no team, nothing published.
- **… database function**: the same with the recorder's inserts in a function of the database.
- **… projection runner**: the default mode, and the library's projection runner, a process of its own, folds a funnel.
- **FastAPI, no database**: the same body and check, and an answer. What the framework alone takes.

A round follows a warm-up, and counts only if everything that follows from its commands is done within a second after
its end. In the closed loop each client waits for its answer; in the open loop commands are due at fixed moments and are
timed from then. The load, the listener and the questioner are processes of their own on the same machine; what they
take of a core is stated, and called too much above 0.2.

The questions are asked at forecast's own port by one client, warm, up to 500 times each or for 25 seconds, over a large
history that was stamped out by COPY (`python -m tests.bench.fill`), while the other services are idle.

The ledgers are asked at receivables' own port: receipts of one client, warm, in a ledger of few and in one of many open
invoices; then, after a restart, the first answer on long streams, with no snapshot to begin at and with one. How long
the event loop stood still is what a second client saw who asked all the while whether the service lives.

The list of deals is asked over a company of 50 teams and 400 owners, a fifth of whose deals of five years are open:
from the parameters to the bytes of the answer, without HTTP. Each question is about another team and quarter. The pages
of its fold are of deals all over the table. The board is asked over the same deals: four stages, twenty cards each,
with totals, by whoever sees everything, a team's manager, and a rep.

Agendas are asked over the same company, of deals with work that falls due, each time by another rep with some 500 open
deals: from the parameters to the bytes of the answer, without HTTP. Nothing of a deal is remembered from one to the
next.

Searches are asked over deals of seven words each, by whoever sees everything, a team's manager and a rep: from the
words to what is found, without HTTP. The peer is `pg_trgm` over the same texts in the same rights, with an index of
trigrams; it is given a threshold of 0.5.

What a process adds to a command is measured on deals of two processes in turn: one without gates and rules, and one
with a gate of twenty criteria and ten rules that wait for facts. Deciding is pure and timed in memory; `log-activity`,
after which it is judged what follows at once (ADR 0041), goes through the executor to PostgreSQL, without HTTP.

Read models are built anew by the product's own runner, in a process that serves nobody, over deals of which 33,000 are
open at one time, 20 events each. The library's projection runner folds openings into a funnel of three rows, each with
its place in one transaction: the least that it can be asked for. CPU counts all processes of PostgreSQL.
"""


QUICK: Mapping[str, Any] = {
    "clients": (32,),
    "rates": (100.0,),
    "invoices": 2_000,
    "numbers": 30_000,
    "listed": 100_000,
    "rebuilt": 5_000,
}


def main() -> None:
    """Measure and print."""
    chosen = arguments()
    plan = planned(chosen)
    with ExitStack() as ending:
        builds = [THIS, *(ending.enter_context(checked_out(commit)) for commit in [chosen.against] if commit)]
        run = run_of(plan, chosen.against)
        if chosen.fresh:
            run.forget(plan.sections)
        left = replace(plan, sections=[each for each in plan.sections if each not in run.sections()])
        told(f"This takes about {left.minutes(len(builds)):.0f} minutes.")
        asyncio.run(measure(left, builds, run))
        page = report(together(run.sections()), PRODUCT)
    sys.stdout.write(page)
    if chosen.write:
        PAGE.write_text(f"{INTRODUCTION}\n{page}")


def planned(chosen: Namespace) -> Plan:
    """What is to be measured; what was not chosen stays as it is."""
    given = {
        name: value
        for name in ("sections", "clients", "rates", "seconds", "turns", "deals", "rebuilt")
        if (value := getattr(chosen, name))
    }
    quick = QUICK if chosen.quick else {}
    return Plan(**{**quick, **given})


def arguments() -> Namespace:
    """What was chosen on the command line."""
    parser = ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", dest="sections", type=list_of(str), help=f"sections: {','.join(SECTIONS)}")
    parser.add_argument("--quick", action="store_true", help="one number of clients, one rate, short streams")
    parser.add_argument("--clients", type=list_of(int), help="numbers of clients of the closed loop: 1,8,32,96")
    parser.add_argument("--rates", type=list_of(float), help="commands a second of the open loop: 10,100,300")
    parser.add_argument("--seconds", type=float, help="length of a round")
    parser.add_argument("--turns", type=int, help="how often each build has its turn")
    parser.add_argument("--deals", type=int, help="how many deals the questions are asked over: 100000")
    parser.add_argument("--rebuilt", type=int, help="over how many deals read models are built anew: 100000")
    parser.add_argument("--against", default="", help="another commit to be measured beside this build")
    parser.add_argument("--fresh", action="store_true", help="measure what was measured before of this very code, too")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(CHECKOUT)} as well")
    chosen = parser.parse_args()
    if unknown := set(chosen.sections or ()) - set(SECTIONS):
        parser.error(f"there is no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    return chosen


def list_of(kind: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    """Reads values with commas between them."""
    return lambda text: tuple(kind(part) for part in text.replace(",", " ").split())


async def measure(plan: Plan, builds: list[Build], run: Run) -> None:
    """Measure the sections of a plan, each with all builds, and keep what was found."""
    load = os.getloadavg()[0]
    if on_stage := [section for section in COMMANDS if section in plan.sections]:
        found = Measured()
        for turn in range(plan.turns):
            # There and back, so that a machine that becomes slower is slower for all.
            for build in builds if turn % 2 == 0 else reversed(builds):
                async with stage(build) as on:
                    told(f"Turn {turn + 1} of {plan.turns}, {build.label}, at {on.whole.origin}.")
                    await commands(on, plan, found)
                    found.about = await machine(on.whole.local.postgres.url, load)
        run.keep(split(found, on_stage))
    if QUESTIONS in plan.sections:
        found = Measured()
        for build in builds:
            await answer_questions(build, plan.deals, found)
        run.keep(split(found, [QUESTIONS]))
    if LEDGERS in plan.sections:
        found = Measured()
        for build in builds:
            await long_streams(build, plan, found)
        run.keep(split(found, [LEDGERS]))
    if of_deals := [section for section in OF_DEALS if section in plan.sections]:
        found = Measured()
        await ask_lists(plan.listed, found, of_deals)
        run.keep(split(found, of_deals))
    if AGENDA in plan.sections:
        found = Measured()
        await ask_agendas(plan.listed, found)
        run.keep(split(found, [AGENDA]))
    if SEARCH in plan.sections:
        found = Measured()
        await ask_searches(plan.listed, found)
        run.keep(split(found, [SEARCH]))
    if GATES in plan.sections:
        found = Measured()
        await pass_gates(found)
        run.keep(split(found, [GATES]))
    if REBUILD in plan.sections:
        found = Measured()
        await rebuild(plan.rebuilt, plan.of_library, found)
        run.keep(split(found, [REBUILD]))


if __name__ == "__main__":
    main()
