"""The period that a question names: refused when it is none."""

from shared.domain.context import Company
from shared.domain.fields import FIRST_DAY, LAST_DAY
from shared.domain.periods import Period
from shared.projections.errors import InvalidQuery, invalid

SENTENCE = "A period is a fiscal year, a quarter of one, or a month, like 2026, 2026-Q4 or 2026-11."


def period(name: str, company: Company, field: str = "period") -> Period:
    """Read a period of the company. Raises InvalidQuery."""
    try:
        found = company.fiscal_year.period(name)
    except ValueError:
        raise InvalidQuery([invalid(field, "not-a-period", SENTENCE)]) from None
    if not FIRST_DAY.year < found.first.year <= found.last.year <= LAST_DAY.year:
        # What is asked of a period looks at the days around it too, and at the year before.
        message = f"A period lies in the years from {FIRST_DAY.year + 1} to {LAST_DAY.year}."
        raise InvalidQuery([invalid(field, "out-of-range", message)])
    return found
