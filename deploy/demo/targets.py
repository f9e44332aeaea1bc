"""What the demo company wants to reach, and by when its open deals are expected: so that the running quarter is neither
won nor lost, whatever the day."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import accumulate
from random import Random

from deploy.demo.calendar import DAY, Calendar
from deploy.demo.cast import MANAGERS, REPS, Line
from deploy.demo.courses import LAST, PLACES
from deploy.demo.deals import Deal
from deploy.demo.market import money
from shared.domain.periods import Period

LEAST_BEHIND, MAX_BEHIND = 0.66, 0.86
"""What was won in the running quarter, as a share of what should have been won by now."""
COVERAGE = 2.2
"""Open amount of the running quarter ÷ what is missing to the target."""
FEW_DAYS = 12
"""A quarter that has only just begun says nothing about its wins."""


def usual(calendar: Calendar, deals: Sequence[Deal]) -> float:
    """What is won in a usual quarter: the mean of the last four that are over."""
    won = _won_by_quarter(calendar, deals)
    complete = [won.get(quarter.name, 0) for quarter in _quarters(calendar)][1:-2][-4:]
    return sum(complete) / len(complete)


def bearable(calendar: Calendar, in_a_quarter: float) -> float:
    """How much may be won in the running quarter for it to be behind its target."""
    return MAX_BEHIND * in_a_quarter * _elapsed(calendar)


def wanted(calendar: Calendar, deals: Sequence[Deal], in_a_quarter: float) -> dict[str, int]:
    """The company's target of each quarter, the one after the running one included, in whole units."""
    won = _won_by_quarter(calendar, deals)
    *past, running, following = [quarter.name for quarter in _quarters(calendar)]
    targets = {name: int((won.get(name, 0) + in_a_quarter) / 2 * 1.03) for name in past}
    targets[running] = int(in_a_quarter)
    begun = (calendar.today - calendar.quarter(calendar.today).first).days
    if begun > FEW_DAYS:
        reached = won.get(running, 0) / (LEAST_BEHIND * _elapsed(calendar))
        targets[running] = int(min(in_a_quarter, max(reached, 0.75 * in_a_quarter)))
    targets[following] = int(in_a_quarter * 1.05)
    return targets


def _elapsed(calendar: Calendar) -> float:
    begun, whole = calendar.quarter(calendar.today).elapsed(calendar.today)
    return begun / whole


def _won_by_quarter(calendar: Calendar, deals: Sequence[Deal]) -> Mapping[str, int]:
    won: dict[str, int] = {}
    for deal in deals:
        if deal.won_on:
            name = calendar.quarter(deal.won_on).name
            won[name] = won.get(name, 0) + deal.amount
    return won


def _quarters(calendar: Calendar) -> list[Period]:
    """From the first one of history to the one after the running one."""
    running = calendar.quarter(calendar.today)
    return list(calendar.company.fiscal_year.quarters(calendar.first, running.last + DAY))


def expected(random: Random, calendar: Calendar, deals: Sequence[Deal], target: int) -> list[Deal]:
    """The deals, the open ones with the day on which their owners expect them to close."""
    won = _won_by_quarter(calendar, deals).get(calendar.quarter(calendar.today).name, 0)
    missing = max(target - won, 0)
    open_deals = sorted(
        (deal for deal in deals if deal.is_open), key=lambda deal: (-deal.course.place, deal.course.due)
    )
    sums = accumulate(deal.amount for deal in open_deals)
    soon = {
        deal.key
        for deal, sum_so_far in zip(open_deals, sums, strict=True)
        if sum_so_far - deal.amount / 2 < COVERAGE * missing
    }
    return [_expected(random, calendar, deal, deal.key in soon) if deal.is_open else deal for deal in deals]


def _expected(random: Random, calendar: Calendar, deal: Deal, soon: bool) -> Deal:
    today, following = calendar.today, calendar.quarter(calendar.today).last + DAY
    if deal.course.drifting and random.random() < 0.6:
        day = max(deal.course.opened + DAY, calendar.last - timedelta(days=random.randint(1, 24)))
        return replace(deal, expected=day)
    if soon:
        # Whoever is further on is expected sooner.
        left = (following - today).days - 1
        early = left * (LAST - deal.course.place) // len(PLACES)
        day = calendar.worked(today + timedelta(days=random.randint(early, left)))
        return replace(deal, expected=max(day, today))
    return replace(deal, expected=calendar.working(following + timedelta(days=random.randint(4, 84))))


def target_facts(calendar: Calendar, targets: Mapping[str, int], currency: str) -> Iterator[Line]:
    """The facts of the targets: each rep's, what their team's add up to, and what the teams' add up to."""
    weights = {rep.subject: (0.6 + rep.skill) * (1.25 if rep.team == "key-accounts" else 1.0) for rep in REPS}
    whole = sum(weights.values())
    for name, amount in targets.items():
        on = max(calendar.first, calendar.company.fiscal_year.period(name).first - timedelta(days=20))
        on = min(on, calendar.last)
        shares = {subject: round(amount * weight / whole / 5000) * 5000 for subject, weight in weights.items()}

        def fact(key: str, level: str, value: int, on: date = on, name: str = name, **whose: str | None) -> Line:
            return {
                "fact": "target",
                "id": f"{name}/{key}",
                "on": on.isoformat(),
                "period": name,
                "level": level,
                "amount": money(value, currency),
                **whose,
            }

        yield fact("company", "company", sum(shares.values()))
        for team in MANAGERS:
            yield fact(team, "team", sum(shares[rep.subject] for rep in REPS if rep.team == team), team=team)
        for rep in REPS:
            yield fact(rep.subject, "rep", shares[rep.subject], team=rep.team, member=rep.subject)
