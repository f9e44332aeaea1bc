"""What a run measures, and how long that takes."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.figures import Pressure

PRODUCT, ALONE = "Throughline", "Throughline, nothing downstream"
LIBRARY, FUNCTIONS = "FastAPI + eventsourcing", "FastAPI + eventsourcing, database function"
PROJECTING, FRAMEWORK = "FastAPI + eventsourcing, projection runner", "FastAPI, no database"

LIBRARY_RUNNER = "eventsourcing, its projection runner"

CLOSED, OPEN, VISIBLE, REST = "closed", "open", "visible", "rest"
QUESTIONS, LEDGERS, LISTS, BOARD, AGENDA, REBUILD = "questions", "ledger", "lists", "board", "agenda", "rebuild"
GATES, SEARCH = "gates", "search"
OF_DEALS = (LISTS, BOARD)
"""What is asked over the same deals, which are folded once."""
COMMANDS = (REST, CLOSED, OPEN, VISIBLE)
SECTIONS = (*COMMANDS, QUESTIONS, LEDGERS, *OF_DEALS, AGENDA, SEARCH, GATES, REBUILD)
SERVERS = {
    CLOSED: (PRODUCT, ALONE, LIBRARY, FUNCTIONS, PROJECTING, FRAMEWORK),
    OPEN: (PRODUCT, LIBRARY, FUNCTIONS, PROJECTING, FRAMEWORK),
}
WARM_UP_SECONDS = 3.0
REST_SECONDS = 15.0
STAGE_SECONDS = 40.0
"""About what starting and stopping a stack with its peers takes."""
QUESTIONS_SECONDS, DEAL_SECONDS = 240.0, 0.008
"""About what asking takes, and for each deal filling and folding, which only the first run does."""
LEDGERS_SECONDS, INVOICE_SECONDS = 80.0, 0.005
"""About what the ledgers take, and more for each invoice of the largest, with all that is filled beside it."""
LISTS_SECONDS, LISTED_SECONDS = 120.0, 0.0004
"""About what asking lists takes, and for each deal folding it."""
AGENDA_SECONDS, WORKED_SECONDS = 90.0, 0.0005
"""About what asking agendas takes, and for each deal folding its work."""
SEARCH_SECONDS, SEARCHED_SECONDS = 240.0, 0.0006
"""About what searching takes, here and by the peer, and for each deal writing it with its keys."""
GATES_SECONDS = 30.0
"""About what the section of gates takes."""
REBUILT_SECONDS = 0.02
"""About what each deal takes that is filled in and rebuilt, twice."""
BETWEEN_SECONDS = 2.5
"""About what starting the clients and settling afterwards takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be measured."""

    sections: Sequence[str] = SECTIONS
    clients: Sequence[int] = (1, 8, 32, 96)
    rates: Sequence[float] = (10, 100, 300)
    seconds: float = 15.0
    """The length of a round."""
    turns: int = 1
    """How often each build has its turn."""
    deals: int = 100_000
    """How many deals the questions are asked over."""
    invoices: int = 20_000
    """How many are open in the largest ledgers."""
    numbers: int = 300_000
    """The length of a number series and of an assignment queue."""
    listed: int = 1_000_000
    """How many deals the list of deals, the board, agendas and searches are asked over."""
    rebuilt: int = 100_000
    """Over how many deals read models are built anew."""
    of_library: int = 20_000
    """How many events the library's projection runner folds beside."""

    @property
    def settled(self) -> int:
        """How many invoices stand in a settled ledger, each with its receipt."""
        return self.invoices // 4

    @property
    def on_stage(self) -> bool:
        """Whether anything is measured that needs the stage of commands."""
        return any(section in self.sections for section in COMMANDS)

    def pressures(self, section: str) -> list[Pressure]:
        """How commands come in a section."""
        if section == CLOSED:
            return [Pressure(clients=number) for number in self.clients]
        return [Pressure(rate=rate) for rate in self.rates]

    def rounds(self, section: str) -> list[tuple[Pressure, str]]:
        """The rounds of a section on one stage."""
        return [(pressure, server) for pressure in self.pressures(section) for server in SERVERS[section]]

    def minutes(self, builds: int) -> float:
        """About how long a run takes."""
        one = self.seconds + WARM_UP_SECONDS + BETWEEN_SECONDS
        numbers = {
            CLOSED: len(self.rounds(CLOSED)),
            OPEN: len(self.rounds(OPEN)),
            VISIBLE: len(self.rates),
        }
        rounds = sum(number for section, number in numbers.items() if section in self.sections)
        rest = REST_SECONDS if REST in self.sections else 0.0
        commands = self.turns * (STAGE_SECONDS + rounds * one + rest) if self.on_stage else 0.0
        asked = QUESTIONS_SECONDS + self.deals * DEAL_SECONDS if QUESTIONS in self.sections else 0.0
        ledgers = LEDGERS_SECONDS + self.invoices * INVOICE_SECONDS if LEDGERS in self.sections else 0.0
        listing = any(section in self.sections for section in OF_DEALS)
        lists = LISTS_SECONDS + self.listed * LISTED_SECONDS if listing else 0.0
        agendas = AGENDA_SECONDS + self.listed * WORKED_SECONDS if AGENDA in self.sections else 0.0
        searches = SEARCH_SECONDS + self.listed * SEARCHED_SECONDS if SEARCH in self.sections else 0.0
        gates = GATES_SECONDS if GATES in self.sections else 0.0
        rebuilt = self.rebuilt * REBUILT_SECONDS if REBUILD in self.sections else 0.0
        return (builds * (commands + asked + ledgers) + lists + agendas + searches + gates + rebuilt) / 60


def told(text: str) -> None:
    """Say how far a run is."""
    sys.stderr.write(f"{text}\n")
