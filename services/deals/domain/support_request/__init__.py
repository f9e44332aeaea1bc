"""Support requests: help that a sale asks of another department, with a day on which it is due (DEAL-12).

Importing the package registers every capability on the aggregate.
"""

from services.deals.domain.support_request import answering, asking, following
from services.deals.domain.support_request.state import support_request

__all__ = ["answering", "asking", "following", "support_request"]
