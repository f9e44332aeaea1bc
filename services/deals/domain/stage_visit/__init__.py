"""Stage visits: a lead or a contract in a stage outside of deals, and what its process does there by itself (PROC-1).

Importing the package registers every capability on the aggregate.
"""

from services.deals.domain.stage_visit import following, handing_over, visiting, working
from services.deals.domain.stage_visit.state import stage_visit

__all__ = ["following", "handing_over", "stage_visit", "visiting", "working"]
