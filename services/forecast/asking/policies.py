"""By which policies an answer about an instant is judged: those that were in force on its day, as known then."""

from typing import TypeVar

from services.forecast.asking.parameters import QueryContext
from shared.domain.policy import Counts, InForce, Policy, stream_of, versions_of

Document = TypeVar("Document")


async def counting(query: QueryContext, policy: Policy[Document]) -> Counts[Document]:
    """The document of the company on the day that is asked about, and its version; the default is 0."""
    company, asked = query.company, query.question
    family = query.service.commands.aggregates["policy"]
    held = await query.service.commands.state(family, stream_of(query.service.name, policy.kind))
    known = company.day(asked.known_until) if asked.known_at else None
    told = [each for each in versions_of(held.state) if known is None or each.set_on <= known]
    return InForce(default=policy.default_of(company), on=company.day(asked.as_of), versions=told).of()
