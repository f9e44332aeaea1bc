"""The queries to the read model of work on deals: how much fell due, what of it was done, and what is behind."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.forecast.asking.question import Question
from services.forecast.counting import cases
from services.forecast.counting.cases import CasePlace, FoundCase
from services.forecast.counting.marks import Kind
from services.forecast.counting.windows import Count
from services.forecast.execution import model
from services.forecast.execution.model import COMPLETED, DUE, EXECUTION
from shared.domain.context import Company
from shared.domain.periods import Period
from shared.projections.projection import ProjectionDatabase

SORTS = model.SORTS
"""What cases of work there are; each counts as the figure of its name."""


async def completion(db: ProjectionDatabase, asked: Question, company: Company, since: datetime) -> Count:
    """Required work that fell due after `since` up to the instant asked about, and what of it was done by then."""
    found = await cases.counted_since(EXECUTION, db, asked, company, since)
    return Count(entered=found.get(DUE, 0), reached=found.get(COMPLETED, 0))


async def counted_work(
    db: ProjectionDatabase,
    asked: Question,
    company: Company,
    period: Period,
    *,
    process_id: UUID | None = None,
    version: int | None = None,
) -> Mapping[Kind, int]:
    """How many cases of work of each kind fell due in a period, up to the instant asked about."""
    return await cases.counted_cases(EXECUTION, db, asked, company, period, process_id=process_id, version=version)


async def work_behind(
    db: ProjectionDatabase,
    asked: Question,
    company: Company,
    period: Period,
    kinds: Sequence[Kind],
    *,
    after: CasePlace | None,
    enough: int,
) -> list[FoundCase]:
    """The cases of work of some kinds that come after a place, as many as are enough."""
    return await cases.cases_behind(EXECUTION, db, asked, company, period, kinds=kinds, after=after, enough=enough)
