"""The invoice numbers of a legal entity: one after the other, without gaps (REC-2).

A series is an aggregate of its own. Whoever takes a number appends to its stream at the version that they have read, in
the same transaction as the invoice: of two who want one number, the second finds the stream changed and decides again.
"""

from typing import Annotated
from uuid import NAMESPACE_URL, UUID, uuid5

from annotated_types import MaxLen, MinLen

from shared.domain.aggregate import Aggregate, Fact
from shared.domain.context import Moment
from shared.domain.rejection import Rejected
from shared.domain.roles import READING
from shared.domain.text import NOT_BLANK
from shared.events.definition import value
from shared.events.receivables import InvoiceNumberTaken

LegalEntity = Annotated[str, MinLen(1), MaxLen(16), NOT_BLANK]
USUAL_ENTITY = "MAIN"
DIGITS = 6


@value
class UnusedNumberSeries:
    """No number was taken yet."""


@value
class RunningNumberSeries:
    """Numbers 1 to `last` were taken."""

    id: UUID
    legal_entity: str
    last: int


@value
class NextNumber:
    """The number that is next in a legal entity's series, as a handler is given it."""

    legal_entity: str
    number: int

    @property
    def text(self) -> str:
        """How the number stands on the invoice, like MAIN-000042."""
        return f"{self.legal_entity}-{self.number:0{DIGITS}}"

    def taken(self, invoice_id: UUID, at: Moment) -> Fact:
        """The fact, in the series' own stream, that an invoice has this number."""
        series_id = series_of(self.legal_entity)
        event = InvoiceNumberTaken(
            series_id=series_id, legal_entity=self.legal_entity, number=self.number, invoice_id=invoice_id
        )
        return Fact(event=event, to=series_id, at=at)


number_series = Aggregate("number-series", plural="number-series", start=UnusedNumberSeries, readers=READING)
number_series.snapshots(version=1)


def series_of(legal_entity: str) -> UUID:
    """The id of a legal entity's series."""
    return uuid5(NAMESPACE_URL, f"number-series/{legal_entity}")


def next_number(state: UnusedNumberSeries | RunningNumberSeries, legal_entity: str) -> NextNumber:
    """What a series gives next."""
    last = state.last if isinstance(state, RunningNumberSeries) else 0
    return NextNumber(legal_entity=legal_entity, number=last + 1)


def check_legal_entity(legal_entity: str) -> None:
    """A legal entity is named by capital letters and digits, so that no number can be read as another's."""
    if not (legal_entity.isascii() and legal_entity.isalnum() and legal_entity == legal_entity.upper()):
        raise Rejected(
            "not-a-legal-entity", "A legal entity is named by capital letters and digits.", field="legal_entity"
        )


@number_series.evolves
def taken(state: UnusedNumberSeries | RunningNumberSeries, event: InvoiceNumberTaken) -> RunningNumberSeries:
    return RunningNumberSeries(id=event.series_id, legal_entity=event.legal_entity, last=event.number)
