"""Invalid queries: every parameter that is wrong, at once."""

from collections.abc import Sequence

from shared.domain.rejection import Reason


class InvalidQuery(Exception):
    """A question that cannot be answered as it was asked; every reason names the parameter as its field (HTTP 400)."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__("; ".join(reason.message for reason in reasons))
        self.reasons = tuple(reasons)


def invalid(field: str, code: str, message: str) -> Reason:
    """A reason about one parameter."""
    return Reason(code=code, message=message, field=field)
