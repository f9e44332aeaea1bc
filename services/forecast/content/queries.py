"""The query to the read model of content: what it was used for, and what became of the deals (PROC-8)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from services.forecast.asking.question import Question
from services.forecast.content.model import CONTENT_USE, USED
from services.forecast.counting.cases import counted_cases
from services.forecast.counting.marks import Kind
from shared.domain.context import Company
from shared.domain.periods import Period
from shared.projections.projection import ProjectionDatabase

WHOLE = 0
"""Stands for all versions of a piece of content."""


@dataclass(slots=True, kw_only=True)
class Uses:
    """What content, or a version of it, was used for."""

    uses: Counter[str] = field(default_factory=Counter)
    """How often, by the word of the use."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """The deals that it was used on, by how they stand."""
    last: date | None = None
    """The day of the last use."""


async def content_uses(
    db: ProjectionDatabase, asked: Question, company: Company, wanted: Period
) -> dict[UUID, dict[int, Uses]]:
    """For each piece of content what it was used for in a period, up to the instant asked about."""
    return summed(await counted_cases(CONTENT_USE, db, asked, company, wanted))


def summed(counted: Mapping[Kind, int]) -> dict[UUID, dict[int, Uses]]:
    """For each piece of content what it was used for as a whole, and in each version."""
    found: dict[UUID, dict[int, Uses]] = {}
    for kind, count in counted.items():
        content, number, *told = kind.detail.split(" ")
        of, version = found.setdefault(UUID(content), {}), int(number)
        if kind.sort != USED:
            of.setdefault(version, Uses()).outcomes[told[0]] += count
            continue
        for key in (WHOLE, version):
            sums = of.setdefault(key, Uses())
            sums.uses[told[0]] += count
            sums.last = max(sums.last or date.min, date.fromisoformat(told[1]))
    return found
