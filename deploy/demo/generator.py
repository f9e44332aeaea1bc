"""The demo company as one import file: eighteen months of history that end yesterday (design: shapes of the trade).

The same seed, day and company give the same file. Facts stand in such an order that no fact is read together with one
that it depends on in another aggregate; when things happened is said by each fact itself.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from deploy.demo import cash, cast, leads, market, targets
from deploy.demo.calendar import Calendar
from deploy.demo.cast import Line
from deploy.demo.deals import Deal, facts_of, let_some_stall, pursue, put_off, with_pushes
from deploy.demo.leads import Lead
from deploy.demo.market import BUYING_ROLES, Contact, Customer, Market
from shared.domain.context import Company

KNOWN_CUSTOMERS = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What happened, before it is written as facts."""

    leads: Sequence[Lead]
    duplicates: Sequence[Lead]
    customers: Sequence[Customer]
    contacts: Sequence[tuple[Customer, Sequence[Contact]]]
    targets: dict[str, int]
    deals: Sequence[Deal]
    contracts: Sequence[cash.Contract]
    invoices: Sequence[cash.Invoice]


def history(random: Random, calendar: Calendar) -> History:
    """Eighteen months of the demo company."""
    of = Market(random)
    known = [of.customer() for _ in range(KNOWN_CUSTOMERS)]
    contacts = [(customer, [of.contact(customer) for _ in range(random.randint(1, 3))]) for customer in known]
    captured = leads.gather(random, calendar, of)
    pursued = pursue(random, calendar, captured, known)
    usual = targets.usual(calendar, pursued)
    pursued = put_off(
        random, calendar, pursued, calendar.quarter(calendar.today).first, targets.bearable(calendar, usual)
    )
    pursued = let_some_stall(random, calendar, pursued)
    wanted = targets.wanted(calendar, pursued, usual)
    pursued = targets.expected(random, calendar, pursued, wanted[calendar.quarter(calendar.today).name])
    pursued = [with_pushes(random, calendar, deal) for deal in pursued]
    agreed = cash.contracts(random, calendar, pursued)
    return History(
        leads=captured,
        duplicates=leads.duplicates(random, calendar, captured),
        customers=known,
        contacts=contacts,
        targets=wanted,
        deals=pursued,
        contracts=agreed,
        invoices=cash.invoices(random, calendar, agreed, calendar.company.currency),
    )


def facts(random: Random, today: date, company: Company) -> Iterator[Line]:
    """Every fact of the import file."""
    calendar, currency = Calendar(company=company, today=today), company.currency
    told = history(random, calendar)
    deals = {deal.key: facts_of(deal, calendar, currency, random) for deal in told.deals}
    opened = {deal.lead.key: deals[deal.key] for deal in told.deals if deal.lead}
    yield from cast.organisation(calendar.first)
    yield from market.price_list(calendar.first, currency)
    yield from targets.target_facts(calendar, told.targets, currency)
    for lead in told.leads:
        yield leads.captured(lead, calendar, currency, random)
    for lead in told.leads:
        yield from leads.worked_on(lead, calendar, currency, random)
    for lead in told.duplicates:
        yield leads.captured(lead, calendar, currency, random)
    yield from _accounts(told, calendar)
    yield from cash.contract_facts(told.contracts, currency, random)
    yield from cash.cash_facts(told.invoices, currency)
    for lead in told.leads:
        yield from leads.ended(lead, calendar, random, _opening(opened.get(lead.key)))
    for lines in deals.values():
        yield from lines
    yield from _contacts(told, random)


def _opening(lines: Sequence[Line] | None) -> Line | None:
    return lines[0] if lines else None


def _accounts(told: History, calendar: Calendar) -> Iterator[Line]:
    for place, customer in enumerate(told.customers):
        rep = cast.REPS[place % len(cast.REPS)]
        yield _account(customer, calendar.first, rep)
    for lead in told.leads:
        if lead.converted:
            yield {**_account(lead.customer, lead.converted, lead.rep), "lead": lead.key}


def _account(customer: Customer, on: date, rep: cast.Colleague) -> Line:
    return {
        "fact": "account",
        "id": customer.key,
        "on": on.isoformat(),
        "name": customer.name,
        "domain": customer.domain,
        "industry": customer.industry,
        "size": customer.size,
        "country": customer.country,
        "owner": rep.subject,
        "team": rep.team,
    }


def _contacts(told: History, random: Random) -> Iterator[Line]:
    """The people of customers; those of converted leads come last, when their leads no longer hold their addresses."""
    on = told.leads[0].on if told.leads else None
    for customer, people in told.contacts:
        for number, contact in enumerate(people, start=1):
            yield _contact(customer, number, contact, on or date.min, random)
    for lead in told.leads:
        if lead.converted:
            yield _contact(lead.customer, 1, lead.contact, lead.converted, random)


def _contact(customer: Customer, number: int, contact: Contact, on: date, random: Random) -> Line:
    return {
        "fact": "contact",
        "id": f"{customer.key}/{number}",
        "account": customer.key,
        "on": on.isoformat(),
        "name": contact.name,
        "email": contact.email,
        "phone": contact.phone,
        "title": contact.title,
        "buying_role": random.choice(BUYING_ROLES),
    }


def write(path: Path, lines: Iterable[Mapping[str, Any]]) -> int:
    """Write the import file; gives the number of facts."""
    number = 0
    with path.open("w", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            number += 1
    return number
