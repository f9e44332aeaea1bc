"""Quotes: what a customer is offered, version by version, until one is accepted (DEAL-8).

Importing the package registers every capability on the aggregate.
"""

from services.deals.domain.quote import approving, following, offering, writing
from services.deals.domain.quote.state import quote

__all__ = ["approving", "following", "offering", "quote", "writing"]
