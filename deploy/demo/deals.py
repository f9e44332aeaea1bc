"""The deals of the demo company, and the facts that tell of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from random import Random
from typing import Any

from deploy.demo.calendar import DAY, Calendar, happenings
from deploy.demo.cast import MANAGERS, REPS, Colleague, Line
from deploy.demo.courses import Course, course, process_of
from deploy.demo.leads import Lead
from deploy.demo.market import PRODUCTS, Customer, Product, money
from services.deals.domain.process.full import FULL, FULL_ID
from shared.events.process import Node, ProcessDefinition, Stage

DIRECT_DEALS_A_DAY = 1.0
SHARE_STALLED = 0.17
LATELY = 40
"""So many days before the end of the history people are busier than before."""
LOST = ("price", "price", "competitor", "competitor", "timing", "product-fit", "relationship", "terms")
ABANDONED = ("no-decision", "no-decision", "no-budget", "no-need", "no-answer", "not-worth-it")
COMPETITORS = ("Torvex Handling", "Mekanor", "Palletra", "Roboliner")
SOURCES = ("existing-customer", "existing-customer", "tender", "partner", "cold-call")
OCCASIONS = ("", "", ", second line", ", hall 3", ", night shift", ", replacement", ", expansion")
OUTCOMES = ("Next steps agreed.", "Asked for references.", "Wants figures for the board.", "Waits for the budget.")
STEPS = ("Call the plant manager", "Send the layout", "Visit the site", "Go through the quotation", "Meet purchasing")
JUDGED = (("omitted", "pipeline"), ("best-case", "omitted"), ("commit", "pipeline"), ("commit", "best-case"))
"""How a rep judges a deal in each of its stages, and how the manager does who sees it differently."""
EVIDENCE = {"task": "Minutes of {day} on file.", "deliverable": "Filed as {name}, version 1."}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """A deal and everything that is known of it at the end of the history.

    `expected` is the close date that stands then, `pushed` the ones before it, oldest first; `silent_since` is set for
    the open deals that nobody works on.
    """

    key: str
    name: str
    rep: Colleague
    customer: Customer
    source: str
    amount: int
    course: Course
    lead: Lead | None = None
    expected: date
    pushed: tuple[date, ...] = ()
    silent_since: date | None = None

    @property
    def is_open(self) -> bool:
        return self.course.outcome is None

    @property
    def process(self) -> ProcessDefinition:
        return process_of(self.rep)

    @property
    def won_on(self) -> date | None:
        return self.course.due if self.course.outcome == "won" else None


def pursue(random: Random, calendar: Calendar, leads: Sequence[Lead], customers: Sequence[Customer]) -> list[Deal]:
    """All deals in the order of their opening: those that leads became, and direct ones with known customers."""
    deals: list[Deal] = []

    def add(rep: Colleague, customer: Customer, product: Product, lead: Lead | None = None) -> None:
        key = f"D-{len(deals) + 1:04}"
        deals.append(
            _deal(random, calendar, key=key, rep=rep, customer=customer, opened=day, product=product, lead=lead)
        )

    day = calendar.first
    while day <= calendar.last:
        for lead in (each for each in leads if each.converted == day):
            add(lead.rep, lead.customer, lead.product, lead)
        growth = 0.85 + 0.3 * (day - calendar.first).days / (calendar.last - calendar.first).days
        if calendar.company.calendar.is_working(day):
            for _ in range(happenings(random, DIRECT_DEALS_A_DAY * growth)):
                place = random.randrange(len(customers))
                add(REPS[place % len(REPS)], customers[place], random.choice(PRODUCTS))
        day += DAY
    return deals


def put_off(random: Random, calendar: Calendar, deals: Sequence[Deal], since: date, most: float) -> list[Deal]:
    """The deals, of which the last ones won since a day are not won yet after all, so that at most so much was won."""
    recent = [deal for deal in deals if deal.won_on and deal.won_on >= since]
    recent.sort(key=lambda deal: (deal.won_on or since, deal.key), reverse=True)
    won, late = sum(deal.amount for deal in recent), set[str]()
    for deal in recent:
        if won > most:
            won -= deal.amount
            late.add(deal.key)
    return [_put_off(random, calendar, deal) if deal.key in late else deal for deal in deals]


def _put_off(random: Random, calendar: Calendar, deal: Deal) -> Deal:
    due = calendar.working(calendar.today + timedelta(days=random.randint(1, 30)))
    return replace(deal, course=replace(deal.course, due=due, outcome=None), expected=due)


def _deal(
    random: Random,
    calendar: Calendar,
    *,
    key: str,
    rep: Colleague,
    customer: Customer,
    opened: date,
    product: Product,
    lead: Lead | None = None,
) -> Deal:
    pieces = 1 if product.price > 300_000 else random.choice((1, 1, 2, 3))
    least = 260_000 if lead else 0  # nobody asks about a whole line for less
    amount = max(least, product.price * pieces) * random.lognormvariate(-0.03, 0.16)
    told = course(random, calendar, rep, opened)
    return Deal(
        key=key,
        name=f"{product.name} for {customer.name}{random.choice(OCCASIONS)}",
        rep=rep,
        customer=customer,
        source=lead.source.name if lead else random.choice(SOURCES),
        amount=round(amount / 500) * 500,
        course=told,
        lead=lead,
        expected=calendar.working(told.due + timedelta(days=random.randint(-6, 8))),
    )


def let_some_stall(random: Random, calendar: Calendar, deals: Sequence[Deal]) -> list[Deal]:
    """A fixed share of the open deals falls silent: first those that drift anyway."""
    candidates = [deal for deal in deals if deal.is_open and (calendar.last - deal.course.visits[-1].on).days > 8]
    candidates.sort(key=lambda deal: (not deal.course.drifting, random.random()))
    number = round(SHARE_STALLED * sum(deal.is_open for deal in deals))
    silent = {deal.key for deal in candidates[:number]}

    def since(deal: Deal) -> date:
        longest = (calendar.last - deal.course.visits[-1].on).days
        return calendar.last - timedelta(days=random.randint(5, min(40, longest)))

    return [replace(deal, silent_since=since(deal)) if deal.key in silent else deal for deal in deals]


def with_pushes(random: Random, calendar: Calendar, deal: Deal) -> Deal:
    """The deal with the close dates that were given up before: those of late deals were pushed once to three times."""
    late = deal.course.drifting or deal.silent_since is not None
    number = random.randint(1, 3) if late else int(random.random() < 0.28)
    dates: list[date] = []
    day = deal.expected
    for _ in range(number):
        day = calendar.worked(day - timedelta(days=random.randint(16, 38)))
        if day <= deal.course.opened + timedelta(days=6):
            break
        dates.insert(0, day)
    return replace(deal, pushed=tuple(dates))


# -- what is told of a deal -------------------------------------------------------------------------------------------


class _Story:
    """The facts of one deal in the order of their days."""

    def __init__(self, deal: Deal, calendar: Calendar) -> None:
        self._deal = deal
        self._calendar = calendar
        self._lines: list[tuple[date, int, Line]] = []

    def tell(self, fact: str, on: date, rank: int = 5, **fields: Any) -> None:
        """One more fact, of what the rep did unless it says otherwise; `rank` orders those of one day."""
        self._lines.append((on, rank, {"fact": fact, "id": self._deal.key, "by": self._deal.rep.subject, **fields}))

    def lines(self) -> Iterator[Line]:
        ordered = sorted(self._lines, key=lambda entry: entry[:2])
        place, before = 0, None
        for on, _, line in ordered:
            place = place + 1 if on == before else 0
            before = on
            yield {**line, "on": on.isoformat(), "at": self._calendar.at(on, place)}


def facts_of(deal: Deal, calendar: Calendar, currency: str, random: Random) -> list[Line]:
    """Everything that history tells of a deal, its opening first."""
    story = _Story(deal, calendar)
    last = deal.course.due if deal.course.outcome else deal.silent_since or calendar.last
    _open(story, deal, calendar, currency=currency, random=random, last=last)
    for visit in deal.course.visits[1:]:
        story.tell("deal-moved", visit.on, rank=2, stage=visit.stage, tracked=True)
    _do_the_tasks(story, deal, calendar, random, last)
    _work(story, deal, calendar, random, last)
    _push(story, deal, calendar, random)
    _judge(story, deal, random, last)
    _close(story, deal, random)
    return list(story.lines())


def _open(story: _Story, deal: Deal, calendar: Calendar, *, currency: str, random: Random, last: date) -> None:
    amount = deal.amount
    changed = deal.course.opened + timedelta(days=random.randint(4, 40))
    if random.random() < 0.16 and changed < last:
        amount = round(deal.amount * random.uniform(0.75, 1.3) / 500) * 500
        story.tell("deal-changed", changed, amount=money(deal.amount, currency))
    optional: Line = {}
    if deal.lead:
        optional = {"lead": deal.lead.key, "captured_at": calendar.at(deal.lead.on)}
    if deal.process is FULL:
        optional["process_id"] = str(FULL_ID)
    story.tell(
        "deal",
        deal.course.opened,
        rank=0,
        name=deal.name,
        amount=money(amount, currency),
        expected_close=(deal.pushed or (deal.expected,))[0].isoformat(),
        owner=deal.rep.subject,
        team=deal.rep.team,
        account=deal.customer.key,
        account_name=deal.customer.name,
        source=deal.source,
        industry=deal.customer.industry,
        tracked=True,
        **optional,
    )


def _do_the_tasks(story: _Story, deal: Deal, calendar: Calendar, random: Random, last: date) -> None:
    """Required work is done as far as the rep adheres to the process, optional work less often. What a key action
    brings about is filed with it; and none is done before the one that it goes on from."""
    visits, done = deal.course.visits, dict[str, date]()
    for place, visit in enumerate(visits):
        left = visits[place + 1].on if place + 1 < len(visits) else max(deal.course.due, visit.on + DAY)
        stage = deal.process.stage(visit.stage)
        brought = {task.deliverable for task in stage.tasks}
        work = (*stage.tasks, *(node for node in stage.deliverables if node.key not in brought))
        for node in work:
            on = _done_on(deal, calendar, random, stage, node, visit.on, left)
            before = [done.get(key, date.max) for key in _goes_on_from(node)]
            on = max(on, *before) if before and on else on
            if node.key in done or on is None or on > last:
                continue
            done[node.key] = on
            for kind, key in (("deliverable", node.deliverable), (_kind(stage, node), node.key)):
                if key is not None:
                    evidence = EVIDENCE[kind].format(day=on.isoformat(), name=key)
                    story.tell("deal-node-completed", on, key=key, evidence=evidence)


def _done_on(  # noqa: PLR0917
    deal: Deal, calendar: Calendar, random: Random, stage: Stage, node: Node, since: date, left: date
) -> date | None:
    """The day on which work of a stage is done; None where the rep leaves it undone."""
    wanted = deal.rep.adherence if node.required else 0.4
    days = min((left - since).days, node.due_days or stage.max_days)
    on = calendar.worked(since + timedelta(days=int(days * random.uniform(0.1, 0.85))))
    return max(on, since) if random.random() < wanted else None


def _goes_on_from(node: Node) -> list[str]:
    """The tasks without which a key action is not begun."""
    asked = [criterion.when.fact or "" for criterion in node.entry]
    return [fact.removeprefix("task.") for fact in asked if fact.startswith("task.")]


def _kind(stage: Stage, node: Node) -> str:
    return "task" if node in stage.tasks else "deliverable"


def _work(story: _Story, deal: Deal, calendar: Calendar, random: Random, last: date) -> None:
    on, number = calendar.working(deal.course.opened + timedelta(days=random.randint(0, 2))), 0
    while on <= last and number < 24:
        number += 1
        _activity(story, deal, random, on, number)
        if random.random() < 0.35 or (deal.is_open and (calendar.last - on).days < 8):
            following = calendar.working(on + timedelta(days=random.randint(2, 9)))
            step = {"on": following.isoformat(), "what": random.choice(STEPS)}
            story.tell("deal-changed", on, rank=7, next_step=step)
        lately = (calendar.last - on).days < LATELY
        on = calendar.working(on + timedelta(days=1 + int(random.expovariate(1 / (2 if lately else 7)))))
    if deal.is_open and deal.silent_since is None:
        day = max(random.choice(calendar.recent()), deal.course.opened)
        _activity(story, deal, random, day, number + 1)


def _activity(story: _Story, deal: Deal, random: Random, on: date, number: int) -> None:
    weekend = on.weekday() > 4
    kind = "email" if weekend else random.choice(("call", "call", "email", "meeting", "visit", "demo"))
    story.tell(
        "deal-activity",
        on,
        rank=6,
        activity=f"{deal.key}/{number}",
        kind=kind,
        minutes=random.choice((10, 15, 30, 45, 60, 90)),
        outcome=random.choice(OUTCOMES),
    )


def _push(story: _Story, deal: Deal, calendar: Calendar, random: Random) -> None:
    """Close dates are put off shortly before they come."""
    end = deal.course.due if deal.course.outcome else calendar.last
    after = deal.course.opened + DAY
    for old, new in pairwise((*deal.pushed, deal.expected)):
        on = max(after, min(old - timedelta(days=random.randint(0, 6)), end))
        on = min(on, end)
        story.tell("deal-changed", on, rank=3, expected_close=new.isoformat())
        after = on


def _judge(story: _Story, deal: Deal, random: Random, last: date) -> None:
    """Reps judge some deals themselves; managers see a few of them differently."""
    if random.random() > 0.22:
        return
    late = deal.course.visits[-1]
    on = min(late.on + timedelta(days=random.randint(1, 6)), last)
    own, manager = JUDGED[late.place]
    story.tell("deal-changed", on, rank=8, category="omitted" if deal.course.drifting else own)
    if random.random() < 0.3:
        story.tell(
            "deal-changed", on, rank=9, category=manager, judged_by="manager", by=MANAGERS[str(deal.rep.team)].subject
        )


def _close(story: _Story, deal: Deal, random: Random) -> None:
    if deal.course.outcome == "won":
        story.tell("deal-won", deal.course.due, rank=10)
    elif deal.course.outcome == "lost":
        reason = random.choice(LOST)
        rival = {"competitor": random.choice(COMPETITORS)} if reason in ("competitor", "price") else {}
        story.tell("deal-lost", deal.course.due, rank=10, reason=reason, **rival)
    elif deal.course.outcome == "abandoned":
        story.tell("deal-abandoned", deal.course.due, rank=10, reason=random.choice(ABANDONED))
