"""The invoice numbers of a legal entity: one after the other, without gaps (REC-2).

A series is an aggregate of its own. Whoever takes a number appends to its stream at the version that they have read, in
the same transaction as the invoice: of two who want one number, the second finds the stream changed and decides again.
"""

import re
import unicodedata
from datetime import date
from typing import Annotated
from uuid import NAMESPACE_URL, UUID, uuid5

from annotated_types import MaxLen, MinLen

from shared.domain.aggregate import Aggregate, Occurrence
from shared.domain.context import Moment
from shared.domain.fields import NOT_BLANK
from shared.domain.rejection import Rejected
from shared.domain.roles import READING
from shared.events.definition import value
from shared.events.receivables.number_series import InvoiceNumberTaken, NumberSeriesLifted

LegalEntity = Annotated[str, MinLen(1), MaxLen(16), NOT_BLANK]
DEFAULT_ENTITY = "MAIN"
DIGITS = 6
LONGEST = 9
"""Of how many digits a number of history is at most, to be taken for one of the series."""
INVOICE_NUMBER = "invoice-number"
"""The kind of claim by which a number stands on one invoice of a legal entity."""


@value
class UnusedNumberSeries:
    """No number was taken yet."""


@value
class RunningNumberSeries:
    """Numbers 1 to `last` were taken."""

    id: UUID
    legal_entity: str
    last: int
    last_on: date | None = None
    """The last day of an invoice with one of these numbers."""


@value
class NextNumber:
    """The number that is next in a legal entity's series, as a handler is given it."""

    legal_entity: str
    number: int
    since: date | None = None
    """The last day of the numbers before it: no invoice with this one is dated earlier."""

    @property
    def text(self) -> str:
        """How the number stands on the invoice, like MAIN-000042."""
        return f"{self.legal_entity}-{self.number:0{DIGITS}}"

    def taken(self, invoice_id: UUID, on: date, at: Moment) -> Occurrence:
        """The fact, in the series' own stream, that an invoice has this number."""
        series_id = series_of(self.legal_entity)
        event = InvoiceNumberTaken(
            series_id=series_id, legal_entity=self.legal_entity, number=self.number, invoice_id=invoice_id, on=on
        )
        return Occurrence(event=event, to=series_id, at=at)

    def lifted_by(self, text: str, invoice_id: UUID, on: date, at: Moment) -> list[Occurrence]:
        """The fact that the series goes on above a number that history tells; none where it does so already, or where
        the number has another form."""
        form = re.fullmatch(
            rf"{re.escape(self.legal_entity)}-(\d{{{DIGITS},{LONGEST}}})", text.strip().upper(), re.ASCII
        )
        if form is None or int(form[1]) < self.number:
            return []
        series_id = series_of(self.legal_entity)
        event = NumberSeriesLifted(
            series_id=series_id, legal_entity=self.legal_entity, number=int(form[1]), invoice_id=invoice_id, on=on
        )
        return [Occurrence(event=event, to=series_id, at=at)]


@value
class NumberHolder:
    """The ledger in which an invoice of a number stands already, as a handler is given it."""

    ledger_id: UUID | None


number_series = Aggregate("number-series", plural="number-series", start=UnusedNumberSeries, readers=READING)
number_series.snapshots(version=2)


def series_of(legal_entity: str) -> UUID:
    """The id of a legal entity's series."""
    return uuid5(NAMESPACE_URL, f"number-series/{legal_entity}")


def next_number(state: UnusedNumberSeries | RunningNumberSeries, legal_entity: str) -> NextNumber:
    """What a series gives next."""
    if isinstance(state, UnusedNumberSeries):
        return NextNumber(legal_entity=legal_entity, number=1)
    return NextNumber(legal_entity=legal_entity, number=state.last + 1, since=state.last_on)


def number_key(legal_entity: str, number: str) -> str:
    """By what a number is known again within its legal entity: case and outer spaces are none of it."""
    return f"{legal_entity}/{unicodedata.normalize('NFKC', number).strip().casefold()}"


def check_legal_entity(legal_entity: str) -> None:
    """A legal entity is named by capital letters and digits, so that no number can be read as another's."""
    if not (legal_entity.isascii() and legal_entity.isalnum() and legal_entity == legal_entity.upper()):
        raise Rejected(
            "not-a-legal-entity", "A legal entity is named by capital letters and digits.", field="legal_entity"
        )


@number_series.evolves
def taken(state: UnusedNumberSeries | RunningNumberSeries, event: InvoiceNumberTaken) -> RunningNumberSeries:
    return _running(state, event)


@number_series.evolves
def lifted(state: UnusedNumberSeries | RunningNumberSeries, event: NumberSeriesLifted) -> RunningNumberSeries:
    return _running(state, event)


def _running(
    state: UnusedNumberSeries | RunningNumberSeries, event: InvoiceNumberTaken | NumberSeriesLifted
) -> RunningNumberSeries:
    days = [day for day in (event.on, state.last_on if isinstance(state, RunningNumberSeries) else None) if day]
    return RunningNumberSeries(
        id=event.series_id,
        legal_entity=event.legal_entity,
        last=event.number,
        last_on=max(days, default=None),
    )
