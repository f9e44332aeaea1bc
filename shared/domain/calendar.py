"""Days that a business states: of a sale, a signature, an invoice. What lies outside of them is a slip of the pen."""

from datetime import date
from typing import Annotated

from annotated_types import Ge, Le

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(8999, 12, 31)
"""Windows can be reckoned back from the first one, and terms on from the last one, inside the calendar."""

Day = Annotated[date, Ge(FIRST_DAY), Le(LAST_DAY)]
"""A day in a command. One outside is refused with its field."""
