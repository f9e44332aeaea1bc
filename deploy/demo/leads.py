"""The leads of the demo company: where they come from, what is done about them, and which become deals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from deploy.demo.calendar import Calendar, happenings
from deploy.demo.cast import REPS, Colleague, Line
from deploy.demo.market import PRODUCTS, Contact, Customer, Market, Product, money

LEADS_A_DAY = 1.7
"""On working days: some forty a month."""
DUPLICATES = 0.06


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where interest comes from: how often, how much of it becomes a deal, and what one lead costs."""

    name: str
    weight: int
    conversion: float
    cost: int
    campaigns: tuple[str, ...] = ()


SOURCES = (
    Source(name="website", weight=34, conversion=0.20, cost=60),
    Source(name="fair", weight=22, conversion=0.27, cost=180, campaigns=("packtech-fair", "automation-days")),
    Source(name="referral", weight=12, conversion=0.42, cost=0),
    Source(name="partner", weight=12, conversion=0.30, cost=90),
    Source(name="campaign", weight=14, conversion=0.12, cost=110, campaigns=("retrofit-mailing", "webinar-series")),
    Source(name="cold-call", weight=6, conversion=0.07, cost=40),
)
DISQUALIFIED = ("no-need", "no-need", "no-budget", "no-budget", "not-reachable", "bought-elsewhere", "no-authority")
INTERESTS = (
    "Asks for a quotation for {product}.",
    "Wants to see {product} at work.",
    "Plans a new line and looks for {product}.",
    "Has quality problems that {product} might cure.",
    "Cannot find people for the night shift; asked about {product}.",
)
NOTES = {
    "call": ("Spoke about their current line.", "Left a message.", "Asked for figures of the last year."),
    "email": ("Sent the brochure.", "Answered their questions.", "Sent a case of the same industry."),
    "meeting": ("Introduced both sides.", "Went through their layout."),
    "visit": ("Saw the plant.",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """A lead and its fate: `converted` or `given_up` on a day, or neither yet."""

    key: str
    on: date
    source: Source
    rep: Colleague
    customer: Customer
    contact: Contact
    product: Product
    converted: date | None = None
    given_up: date | None = None
    duplicate_of: str | None = None


def gather(random: Random, calendar: Calendar, market: Market) -> list[Lead]:
    """All leads of the history in the order of their days, without duplicates."""
    leads: list[Lead] = []
    day = calendar.first
    while day <= calendar.last:
        if calendar.company.calendar.is_working(day):
            for _ in range(happenings(random, LEADS_A_DAY)):
                leads.append(_lead(random, calendar, market, day, len(leads)))
        day += timedelta(days=1)
    return leads


def _lead(random: Random, calendar: Calendar, market: Market, on: date, number: int) -> Lead:
    customer = market.customer()
    source = random.choices(SOURCES, [each.weight for each in SOURCES])[0]
    fate = random.random()
    converted = given_up = None
    if fate < source.conversion:
        converted = calendar.working(on + timedelta(days=3 + int(random.lognormvariate(2.4, 0.6))))
    elif fate < 0.94:
        given_up = calendar.working(on + timedelta(days=5 + int(random.lognormvariate(3.2, 0.7))))
    return Lead(
        key=f"L-{number + 1:04}",
        on=on,
        source=source,
        rep=REPS[number % len(REPS)],
        customer=customer,
        contact=market.contact(customer),
        product=random.choice(PRODUCTS),
        converted=converted if converted and converted <= calendar.last else None,
        given_up=given_up if given_up and given_up <= calendar.last else None,
    )


def duplicates(random: Random, calendar: Calendar, leads: Sequence[Lead]) -> list[Lead]:
    """Leads that came a second time, while the first still stood."""
    known: list[Lead] = []
    for lead in leads:
        end = lead.converted or lead.given_up or calendar.last
        days = (end - lead.on).days
        if days > 2 and random.random() < DUPLICATES / 0.9:
            on = calendar.worked(lead.on + timedelta(days=random.randint(2, days)))
            source = random.choice(SOURCES[:2])
            again = Lead(
                key=f"{lead.key}-again",
                on=max(on, lead.on),
                source=source,
                rep=lead.rep,
                customer=lead.customer,
                contact=_misspelt(random, lead.contact),
                product=lead.product,
                duplicate_of=lead.key,
            )
            known.append(again)
    return known


def _misspelt(random: Random, contact: Contact) -> Contact:
    """The same person as somebody in a hurry writes them: the address is the same but for its capitals."""
    first, _, last = contact.name.partition(" ")
    name = random.choice((f"{last} {first}", f"{first[0]}. {last}", contact.name.lower()))
    return Contact(name=name, email=contact.email.title(), phone=contact.phone, title=contact.title)


def captured(lead: Lead, calendar: Calendar, currency: str, random: Random) -> Line:
    """The fact of a lead."""
    line: Line = {
        "fact": "lead",
        "id": lead.key,
        "on": lead.on.isoformat(),
        "at": calendar.at(lead.on),
        "source": lead.source.name,
        "person_name": lead.contact.name,
        "email": lead.contact.email,
        "phone": lead.contact.phone,
        "title": lead.contact.title,
        "interest": random.choice(INTERESTS).format(product=lead.product.name),
        "company_name": lead.customer.name,
        "company_domain": lead.customer.domain,
        "industry": lead.customer.industry,
        "company_size": lead.customer.size,
        "country": lead.customer.country,
        "consent": random.random() < 0.8,
        "owner": lead.rep.subject,
        "team": lead.rep.team,
    }
    if lead.source.campaigns:
        line["campaign"] = random.choice(lead.source.campaigns)
    if lead.source.cost:
        line["acquisition_cost"] = money(lead.source.cost * random.randint(6, 14) / 10, currency)
    return line


def worked_on(lead: Lead, calendar: Calendar, currency: str, random: Random) -> Iterator[Line]:
    """What was done about a lead, and what was found out."""
    end = lead.converted or lead.given_up or calendar.last
    on, number = lead.on, 0
    most = 5 if lead.converted else random.randint(0, 4)
    while number < most:
        number += 1
        kind = random.choice(("call", "call", "email", "meeting", "visit"))
        yield {
            "fact": "lead-activity",
            "id": lead.key,
            "activity": f"{lead.key}/{number}",
            "on": on.isoformat(),
            "at": calendar.at(on, number),
            "kind": kind,
            "by": lead.rep.subject,
            "minutes": random.choice((5, 10, 15, 30, 45)),
            "note": random.choice(NOTES[kind]),
        }
        on = calendar.working(on + timedelta(days=random.randint(1, 6)))
        if on > end:
            break
    if lead.converted or (not lead.given_up and random.random() < 0.4):
        known = calendar.worked(end)
        yield {
            "fact": "lead-qualification",
            "id": lead.key,
            "on": max(known, lead.on).isoformat(),
            "at": calendar.at(max(known, lead.on), 20),
            "by": lead.rep.subject,
            "need_stated": True,
            **({"budget": money(random.randint(50, 120) * 10_000, currency)} if lead.converted else {}),
            **({"decision_chain_known": True} if lead.converted else {}),
            "timeline": random.choice(("this-quarter", "this-half-year", "this-year")),
        }


def ended(lead: Lead, calendar: Calendar, random: Random, deal: Line | None) -> Iterator[Line]:
    """How a lead ended; `deal` is the fact of the deal that it became."""
    if deal is not None and lead.converted:
        yield {
            "fact": "lead-converted",
            "id": lead.key,
            "on": lead.converted.isoformat(),
            "at": calendar.at(lead.converted, 25),
            "by": lead.rep.subject,
            "account": lead.customer.key,
            "contact": f"{lead.customer.key}/1",
            "deal": deal["id"],
            "deal_name": deal["name"],
            "amount": deal["amount"],
            "expected_close": deal.get("expected_close"),
        }
    elif lead.given_up:
        yield {
            "fact": "lead-disqualified",
            "id": lead.key,
            "on": lead.given_up.isoformat(),
            "at": calendar.at(lead.given_up, 25),
            "by": lead.rep.subject,
            "reason": random.choice(DISQUALIFIED),
        }
