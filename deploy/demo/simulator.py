"""The simulator: keeps the people of the demo company at work through the public HTTP interface, and nothing else.

One process, one turn after another: somebody looks at what is theirs and does the next thing. It goes on whatever
happens to the services; what they refuse is looked into, what they do not answer is asked again.
"""

import asyncio
import signal
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import httpx
import structlog

from deploy.demo.cast import EVERYBODY, EXECUTIVE, Colleague
from deploy.demo.decisions import MANY_OPEN_DEALS, mood
from deploy.demo.desk import PATIENCE_SECONDS, Desk, NotAnswered
from deploy.demo.habits import BUSY, HABITS, World
from deploy.demo.market import Market

log = structlog.get_logger(__name__)

MOOD_TURNS = 25
"""After so many turns it is looked at again how the quarter goes."""
REGIONS = ("Nord", "Iberia", "Adria", "Baltica", "Alpina")
"""Where new customers are; those of the history have no region in their names."""
LOOK_SECONDS = 0.5
AWAY_SECONDS = 2.0
"""How long people wait when nobody answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """Where the people work, how fast, and by which seed."""

    origin: str
    secret: str
    """What the development issuer wants to be shown for tokens."""
    seed: int
    run: int
    """How often the people went to work before: what one run did is not done again by the next."""
    pace: float
    """Turns a minute."""


async def simulate(simulation: Simulation, stopping: asyncio.Event, turns: int | None = None) -> int:
    """Let everybody work until told to stop, or for so many turns; gives the number of turns taken."""
    random = Random(f"{simulation.seed}/{simulation.run}")  # noqa: S311 — a demo may be foretold
    run = f"run-{simulation.seed}-{simulation.run}"
    people = [person for person in EVERYBODY if person.role in HABITS]
    taken = 0
    async with httpx.AsyncClient(base_url=simulation.origin, timeout=PATIENCE_SECONDS, trust_env=False) as client:

        def desk_of(person: Colleague) -> Desk:
            return Desk(person, client, secret=simulation.secret, random=random, run=run, stopping=stopping)

        desks = [desk_of(person) for person in people]
        weights = [BUSY[person.role] for person in people]
        observer = desk_of(EXECUTIVE)
        world = World(market=Market(random, REGIONS), today=datetime.now(UTC).date())
        log.info("at-work", people=len(desks), pace=simulation.pace, seed=simulation.seed)
        while not stopping.is_set() and taken != turns:
            try:
                if taken % MOOD_TURNS == 0:
                    await look_around(observer, world)
                desk = random.choices(desks, weights)[0]
                await take_turn(desk, world)
            except NotAnswered as nobody:
                log.warning("nobody-answers", path=str(nobody))
                await observer.rest(AWAY_SECONDS)
            taken += 1
            await observer.rest(random.expovariate(simulation.pace / 60))
    log.info("went-home", turns=taken)
    return taken


async def take_turn(desk: Desk, world: World) -> None:
    """Somebody does one of the things that their role does."""
    choices = HABITS[desk.person.role]
    [(_, habit)] = desk.random.choices(choices, [weight for weight, _ in choices])
    await habit(desk, world)


async def look_around(desk: Desk, world: World) -> None:
    """How the quarter goes decides how eager customers are."""
    forecast = await desk.read("/v1/forecast")
    funnel = await desk.read("/v1/funnel")
    if forecast.ok and funnel.ok:
        stages = funnel.body.get("stages", ())
        world.currency = str(forecast.body["currency"])
        world.today = date.fromisoformat(forecast.body["as_of"][:10])
        world.feeling = mood(forecast.body, sum(stage["count"] for stage in stages) or MANY_OPEN_DEALS)


async def until_told(simulation: Simulation, begins: Path | None = None) -> None:
    """Simulate until SIGTERM or SIGINT; not before the file `begins` is there (the demo company was imported)."""
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    while begins is not None and not await asyncio.to_thread(begins.exists) and not stopping.is_set():
        try:
            await asyncio.wait_for(stopping.wait(), LOOK_SECONDS)
        except TimeoutError:
            continue
    if not stopping.is_set():
        await simulate(simulation, stopping)
