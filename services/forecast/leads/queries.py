"""The query to the read model of leads: how many were captured in a window, and how many of them became deals."""

from datetime import datetime

from services.forecast.asking.question import Question
from services.forecast.counting.windows import Count, count
from services.forecast.leads.model import CONVERSION
from shared.domain.context import Company
from shared.projections.projection import ProjectionDatabase


async def conversion(db: ProjectionDatabase, asked: Question, company: Company, since: datetime) -> Count:
    """Leads captured after `since` up to the instant asked about, and those of them that were deals by then."""
    return await count(CONVERSION, db, asked, company, since)
