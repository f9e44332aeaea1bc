"""The query to the read model of work on deals: how much fell due in a window, and how much of that was done."""

from datetime import datetime

from services.forecast.asking.question import Question
from services.forecast.counting.windows import Count, count
from services.forecast.execution.model import COMPLETION
from shared.domain.context import Company
from shared.projections.projection import ProjectionDatabase


async def completion(db: ProjectionDatabase, asked: Question, company: Company, since: datetime) -> Count:
    """Required work that fell due after `since` up to the instant asked about, and what of it was done by then."""
    return await count(COMPLETION, db, asked, company, since)
