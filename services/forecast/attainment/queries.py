"""What is reached of every kind of target in a period, by the queries of the subjects that know (PROC-4)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from services.forecast.asking.question import Question
from services.forecast.attainment.rules import Reached, due
from services.forecast.cash.queries import ever_invoiced, invoiced, received
from services.forecast.counting.sums import Sum
from services.forecast.counting.valuation import LeftOut
from services.forecast.execution.queries import counted_work
from services.forecast.leads.queries import conversion
from services.forecast.pipeline.queries.customers import buyers, first_wins, won_with
from services.forecast.pipeline.queries.totals import WON_DEALS, closed_rows, counts
from services.forecast.pipeline.queries.worth import closed_worth, worth_of_closed
from services.forecast.rates.queries import rates_of
from services.forecast.targets.queries import target_of
from services.forecast.visits.queries import held
from shared.domain.context import Company
from shared.domain.periods import Period
from shared.projections.read_snapshot import ReadSnapshot

MEASURED = ("deals", "leads", "nodes", "visits", "targets", "cash", "rates")
"""The read models that are measured."""
BOOKINGS, INVOICED = "bookings", "invoiced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What is reached of a kind; `basis` says of revenue what is counted, `unconverted` what amounts lack."""

    reached: Reached
    basis: str | None = None
    beside: Reached | None = None
    """The rate of closed deals alone, beside that of all."""
    unconverted: Mapping[LeftOut, Sum] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Where to measure what: a question about a period."""

    reading: ReadSnapshot
    asked: Question
    company: Company
    period: Period

    async def bookings(self) -> Measurement:
        """What was won in the period."""
        found = await closed_worth(self.reading, self.asked, self.company, *self._days, WON_DEALS)
        amount = sum((row.amount for row in found.rows), Decimal(0))
        n = sum(row.count for row in found.rows)
        return Measurement(reached=Reached(numerator=amount, n=n), basis=BOOKINGS, unconverted=found.unconverted)

    async def revenue(self) -> Measurement:
        """What was invoiced in the period; bookings until the first invoice exists."""
        if not await ever_invoiced(self.reading, self.asked, self.company, self.period.last):
            return await self.bookings()
        found = await invoiced(self.reading, self.asked, self.company, *self._days)
        reached = Reached(numerator=found.amount, n=found.number)
        return Measurement(reached=reached, basis=INVOICED, unconverted=found.unconverted)

    async def receipts(self) -> Measurement:
        """What was received in the period and settles invoices."""
        found = await received(self.reading, self.asked, self.company, *self._days)
        return Measurement(reached=Reached(numerator=found.amount, n=found.number), unconverted=found.unconverted)

    async def average_won_amount(self) -> Measurement:
        """What was won in the period ÷ how many deals that were."""
        booked = await self.bookings()
        n = booked.reached.n
        reached = Reached(numerator=booked.reached.numerator, denominator=Decimal(n), n=n)
        return Measurement(reached=reached, unconverted=booked.unconverted)

    async def won_deals(self) -> Measurement:
        """How many deals were won in the period."""
        rows = await closed_rows(self.reading("deals"), self.asked, self.company, *self._days, wanted=WON_DEALS)
        return _count(sum(row.count for row in rows))

    async def opened_deals(self) -> Measurement:
        """How many deals were opened in the period."""
        opened, _ = await self._opened()
        return _count(opened)

    async def captured_leads(self) -> Measurement:
        """How many leads were captured in the period."""
        captured, _ = await self._captured()
        return _count(captured)

    async def visits(self) -> Measurement:
        """How many visits were held in the period, on deals and leads: each is whose who held it."""
        return _count(await held(self.reading("visits"), self.asked, *self._days))

    async def win_rate(self) -> Measurement:
        """Of the deals that were opened in the period, those that are won; beside it won ÷ closed in the period."""
        opened, won = await self._opened()
        rows = await closed_rows(self.reading("deals"), self.asked, self.company, *self._days)
        closed = sum(row.count for row in rows)
        beside = _share(sum(row.count for row in rows if row.won), closed)
        return Measurement(reached=_share(won, opened), beside=beside)

    async def lead_conversion(self) -> Measurement:
        """Of the leads that were captured in the period, those that became deals."""
        captured, converted = await self._captured()
        return Measurement(reached=_share(converted, captured))

    async def proposals_on_time(self) -> Measurement:
        """Of the proposals that fell due in the period, those that were done by then."""
        found = await counted_work(self.reading("nodes"), self.asked, self.company, self.period)
        of = {
            sort: sum(count for kind, count in found.items() if kind.sort == sort)
            for sort in ("proposals-due", "proposals-on-time")
        }
        return Measurement(reached=_share(of["proposals-on-time"], of["proposals-due"]))

    async def repurchase(self) -> Measurement:
        """Of the customers with a won deal by the end of the period, those with two or more."""
        found = await buyers(self.reading("deals"), self.asked, self.period.last)
        return Measurement(reached=_share(found.again, found.customers))

    async def new_customer_share(self) -> Measurement:
        """Of what was won in the period, that with customers whose first won deal is of the period. What was won
        without a known customer is in the whole alone."""
        wins = await first_wins(self.reading("deals"), self.asked, *self._days)
        new = [each.account_id for each in wins]
        rows = await won_with(self.reading("deals"), self.asked, self.company, *self._days, new)
        rates = await rates_of(
            self.reading, self.asked, self.company.currency, ((row.currency, row.valued_on) for row in rows)
        )
        part, whole = worth_of_closed(rows, rates), await self.bookings()
        amount = sum((row.amount for row in part.rows), Decimal(0))
        reached = Reached(numerator=amount, denominator=whole.reached.numerator, n=whole.reached.n)
        return Measurement(reached=reached, unconverted=whole.unconverted)

    async def new_customer_growth(self) -> Measurement:
        """New customers of the period ÷ those of the one before − 1."""
        wins = await first_wins(self.reading("deals"), self.asked, self.period.before.first, self.period.last)
        covered = [each.on for each in wins if each.covered]
        new = sum(on >= self.period.first for on in covered)
        before = len(covered) - new
        return Measurement(reached=Reached(numerator=Decimal(new - before), denominator=Decimal(before), n=before))

    async def revenue_attainment(self) -> Measurement:
        """Revenue of the period ÷ its target pro rata to the elapsed part."""
        found = await self.revenue()
        wanted = await target_of(self.reading("targets"), self.asked, self.period, "revenue")
        begun, whole = self.period.elapsed(self.company.day(self.asked.as_of))
        by_now = due("revenue", wanted.amount or Decimal(0), begun, whole)
        return replace(found, reached=replace(found.reached, denominator=by_now))

    @property
    def _days(self) -> tuple[date, date]:
        return self.period.first, self.period.last

    async def _opened(self) -> tuple[int, int]:
        """Deals opened in the period, and those of them that are won by now."""

        async def since(end: date) -> tuple[int, int]:
            found = await counts(self.reading("deals"), self.asked, self.company, self.company.end_of(end))
            return found.opened, found.won

        return await self._in_period(since)

    async def _captured(self) -> tuple[int, int]:
        """Leads captured in the period, and those of them that are deals by now."""

        async def since(end: date) -> tuple[int, int]:
            found = await conversion(self.reading("leads"), self.asked, self.company, self.company.end_of(end))
            return found.entered, found.reached

        return await self._in_period(since)

    async def _in_period(self, since: Callable[[date], Awaitable[tuple[int, int]]]) -> tuple[int, int]:
        """What entered in the period: all since it began, less what entered since it ended."""
        first, last = self._days
        today = self.company.day(self.asked.as_of)
        if first > today:
            return 0, 0
        entered, reached = await since(first - timedelta(days=1))
        if last >= today:
            return entered, reached
        later, reached_later = await since(last)
        return entered - later, reached - reached_later


MEASURES: Mapping[str, Callable[[Measure], Awaitable[Measurement]]] = {
    "revenue": Measure.revenue,
    "receipts": Measure.receipts,
    "average-won-amount": Measure.average_won_amount,
    "won-deals": Measure.won_deals,
    "opened-deals": Measure.opened_deals,
    "captured-leads": Measure.captured_leads,
    "visits": Measure.visits,
    "win-rate": Measure.win_rate,
    "lead-conversion": Measure.lead_conversion,
    "revenue-attainment": Measure.revenue_attainment,
    "proposals-on-time": Measure.proposals_on_time,
    "repurchase": Measure.repurchase,
    "new-customer-share": Measure.new_customer_share,
    "new-customer-growth": Measure.new_customer_growth,
}
"""How each kind is measured."""


def _count(n: int) -> Measurement:
    return Measurement(reached=Reached(numerator=Decimal(n), n=n))


def _share(part: int, whole: int) -> Reached:
    return Reached(numerator=Decimal(part), denominator=Decimal(whole), n=whole)
