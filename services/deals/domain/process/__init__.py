"""Sales processes: versioned documents that deals follow (PROC-1, PROC-2, PROC-3).

Importing the package registers every capability on the aggregate.
"""

from services.deals.domain.process import piloting, publishing
from services.deals.domain.process.state import process

__all__ = ["piloting", "process", "publishing"]
