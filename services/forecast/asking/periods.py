"""The period that a question names: refused when it is none."""

from shared.domain.context import Company
from shared.domain.periods import Period
from shared.projections.errors import InvalidQuery, invalid

SENTENCE = "A period is a fiscal year, a quarter of one, or a month, like 2026, 2026-Q4 or 2026-11."


def period(name: str, company: Company, field: str = "period") -> Period:
    """Read a period of the company. Raises InvalidQuery."""
    try:
        return company.fiscal_year.period(name)
    except ValueError:
        raise InvalidQuery([invalid(field, "not-a-period", SENTENCE)]) from None
