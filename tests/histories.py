"""Seeded generator: the history of a small company as lines of an import, from its teams to the money.

Every line comes in, in whatever order they are told. `mark` stands in all that is one company's alone, like addresses.
"""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

Line = dict[str, Any]

FIRST = date(2025, 1, 6)
DAYS = 500
STAGES = ("initial-contact", "needs-confirmed", "quotation", "contract-drafting")
"""Those of the short process."""
NODES = ("first-conversation", "explore-pains", "needs-confirmation")
EUR = "EUR"


def company(seed: int, mark: str, *, deals: int = 12) -> list[Line]:
    """All that happened, by day."""
    made = Company(random.Random(seed), mark)
    lines = [*made.organisation(), *made.catalogue(), *made.customers()]
    for number in range(deals):
        lines += made.sale(f"D-{number}")
    for number in range(deals):
        lines += made.lead(f"L-{number}")
    return sorted(lines, key=lambda line: (line.get("on") or line["drafted_on"], line.get("at", "~")))


class Company:
    """Who is there, and what may happen to them."""

    def __init__(self, dice: random.Random, mark: str) -> None:
        self.dice, self.mark = dice, mark
        self.teams = ["root", "north", "south"]
        self.people = {f"p{number}": self.teams[number % 3] for number in range(6)}
        self.accounts = [f"A-{number}" for number in range(5)]
        self.contacts = [f"{account}/{number}" for account in self.accounts for number in (1, 2)]

    def day(self, after: date = FIRST, before: int = 60) -> date:
        """A day at most so long after another one."""
        return after + timedelta(days=self.dice.randrange(before))

    def when(self, on: date) -> Line:
        """A day, or an instant of it."""
        if self.dice.random() < 0.7:
            return {"on": on.isoformat()}
        at = datetime.combine(on, time(self.dice.randrange(24), self.dice.randrange(60)), UTC)
        return {"on": on.isoformat(), "at": at.isoformat().replace("+00:00", "Z")}

    def owned(self) -> Line:
        """Somebody and their team."""
        owner = self.dice.choice(list(self.people))
        return {"owner": owner, "team": self.people[owner]}

    def euro(self, most: int = 9000) -> Line:
        """Some money."""
        return {"amount": f"{self.dice.randrange(100, most)}.{self.dice.randrange(100):02}", "currency": EUR}

    def organisation(self) -> Iterator[Line]:
        """Teams, people, who leads them, who moved, was away or left."""
        yield {"fact": "team", "id": "root", "on": FIRST.isoformat(), "name": f"All of {self.mark}"}
        for name in self.teams[1:]:
            yield {"fact": "team", "id": name, **self.when(self.day(before=10)), "name": name, "parent": "root"}
        yield {
            "fact": "team",
            "id": "south",
            **self.when(self.day(FIRST + timedelta(days=90))),
            "name": "Deep south",
            "parent": "north",
        }
        for who, place in self.people.items():
            about = {"subject": f"{who}.{self.mark}", "name": f"{who} {self.mark}", "role": "rep", "team": place}
            yield {"fact": "member", "id": who, **self.when(self.day(before=20)), **about}
        yield {
            "fact": "member",
            "id": "p1",
            "on": "2025-09-01",
            "subject": f"p1.{self.mark}",
            "name": "Pat",
            "role": "manager",
        }
        for name in self.teams:
            yield {
                "fact": "team-manager",
                "id": name,
                **self.when(self.day(FIRST + timedelta(days=40))),
                "member": "p1",
            }
        yield {"fact": "member-moved", "id": "p2", "on": "2025-05-05", "team": "north"}
        yield {"fact": "member-moved", "id": "p2", "on": "2025-08-05", "team": "root"}
        yield {"fact": "leave", "id": "p3", "on": "2025-06-01", "start": "2025-07-01", "end": "2025-07-14"}
        yield {"fact": "member-left", "id": "p5", "on": "2026-02-01"}

    def catalogue(self) -> Iterator[Line]:
        """Products with several prices, and targets that were set twice."""
        for number in range(3):
            about = {"fact": "product", "id": f"P-{number}", "code": f"{self.mark}-{number}", "name": f"Press {number}"}
            yield {**about, "on": "2025-01-10", "list_price": self.euro(), "family": "presses"}
            yield {**about, **self.when(self.day(FIRST + timedelta(days=100))), "list_price": self.euro()}
        for number, place in enumerate(self.teams):
            about = {"fact": "target", "id": f"T-{number}", "period": "2025-Q3", "level": "team", "team": place}
            for on in ("2025-01-15", "2025-06-20"):
                yield {**about, "on": on, "amount": self.euro(90_000)}

    def customers(self) -> Iterator[Line]:
        """Accounts, what they became later, and their people."""
        for number, account in enumerate(self.accounts):
            about = {"fact": "account", "id": account, "name": f"Customer {number} {self.mark}"}
            parent = {"parent": self.accounts[0]} if number > 2 else {}
            since = self.day(before=30)
            yield {**about, **self.when(since), **self.owned(), **parent, "domain": f"{account}-{self.mark}.example"}
            later = since + timedelta(days=40)
            yield {
                **about,
                **self.when(self.day(later)),
                "fact_id": f"{account}/1",
                "industry": self.dice.choice(["steel", "Oil, Gas"]),
            }
            yield {
                **about,
                **self.when(self.day(later)),
                "fact_id": f"{account}/2",
                "size": self.dice.randrange(9000),
                **self.owned(),
            }
        for contact in self.contacts:
            account = contact.split("/")[0]
            address = f"{contact.replace('/', '.')}@{self.mark}.example"
            about = {
                "fact": "contact",
                "id": contact,
                "account": account,
                "name": f"Person {contact}",
                "email": address,
            }
            yield {**about, **self.when(self.day(FIRST + timedelta(days=30))), "buying_role": "champion"}

    def lead(self, name: str) -> Iterator[Line]:
        """Interest, work on it, and its end."""
        since = self.day(before=DAYS // 2)
        # Some share an address: one is the duplicate of another.
        who = self.dice.randrange(8)
        about = {
            "person_name": f"Person {who}",
            "email": f"lead{who}@{self.mark}.example",
            "company_name": f"Lead {name}",
        }
        yield {"fact": "lead", "id": name, **self.when(since), **self.owned(), "source": "fair", **about}
        yield {
            "fact": "lead",
            "id": f"{name}x",
            **self.when(since),
            **self.owned(),
            "source": "web",
            "company_name": name,
        }
        for number in range(self.dice.randrange(3)):
            call = {"activity": f"{name}/{number}", "kind": "call", "by": self.dice.choice(list(self.people))}
            yield {"fact": "lead-activity", "id": f"{name}x", **self.when(self.day(since)), **call}
        known = {"need_stated": True, "budget": self.euro()}
        yield {"fact": "lead-qualification", "id": f"{name}x", **self.when(self.day(since)), **known}
        ended = self.when(self.day(since + timedelta(days=61)))
        if self.dice.random() < 0.4:
            yield {"fact": "lead-disqualified", "id": f"{name}x", **ended, "reason": "no-need"}
        elif self.dice.random() < 0.7:
            became = {"account": self.dice.choice(self.accounts), "deal": f"D-{name}", "deal_name": name}
            yield {"fact": "lead-converted", "id": f"{name}x", **ended, **became, "amount": self.euro()}
            yield {
                "fact": "deal",
                "id": f"D-{name}",
                "on": ended["on"],
                **self.owned(),
                "name": name,
                "amount": self.euro(),
                "lead": f"{name}x",
            }

    def sale(self, name: str) -> Iterator[Line]:
        """A deal and what came of it, on some days in an order that nobody knows."""
        since = self.day(FIRST + timedelta(days=60), before=DAYS // 3)
        account, whose = self.dice.choice(self.accounts), self.owned()
        opened = {**whose, "name": f"Sale {name} {self.mark}", "account": account, "amount": self.euro()}
        yield {"fact": "deal", "id": name, **self.when(since), **opened}
        end = since + timedelta(days=90)
        about = {"id": name}
        for number in range(self.dice.randrange(5)):
            on = self.day(since, before=80)
            moved = {**self.when(on), "stage": self.dice.choice(STAGES), "fact_id": f"{name}/m{number}"}
            yield {"fact": "deal-moved", **about, **moved}
        for number in range(self.dice.randrange(4)):
            changed: Line = self.dice.choice(
                [{"amount": self.euro()}, {"expected_close": end.isoformat()}, {"category": "commit"}]
            )
            yield {
                "fact": "deal-changed",
                **about,
                **self.when(self.day(since, 80)),
                **changed,
                "fact_id": f"{name}/c{number}",
            }
            call = {"activity": f"{name}/{number}", "kind": "call", "by": whose["owner"], "minutes": 30}
            yield {"fact": "deal-activity", **about, **self.when(self.day(since, 80)), **call}
        if self.dice.random() < 0.5:
            node = {"key": self.dice.choice(NODES), "evidence": "Minutes"}
            yield {"fact": "deal-node-completed", **about, **self.when(self.day(since, 80)), **node}
        if self.dice.random() < 0.3:
            yield {"fact": "deal-lost", **about, **self.when(end - timedelta(days=5)), "reason": "price"}
            yield {
                "fact": "deal-reopened",
                **about,
                **self.when(end - timedelta(days=3)),
                "reason": "They called again",
            }
        if (luck := self.dice.random()) < 0.4:
            yield {"fact": "deal-won", **about, **self.when(end)}
            yield from self.money(name, account, whose, end)
        elif luck < 0.6:
            yield {"fact": "deal-lost", **about, **self.when(end), "reason": "price"}
        elif luck < 0.7:
            yield {"fact": "deal-abandoned", **about, **self.when(end), "reason": "no-decision"}

    def money(self, name: str, account: str, whose: Line, since: date) -> Iterator[Line]:
        """A contract, its invoice, and what was paid of it."""
        signed, billed = since + timedelta(days=5), since + timedelta(days=10)
        amount = self.euro()
        known = {"deal": name, "account": account, "name": f"Contract {name}", "total": amount, **whose}
        days = {"drafted_on": since, "submitted_on": since, "approved_on": since, "signed_on": signed}
        if self.dice.random() < 0.5:
            days["activated_on"] = signed
        yield {"fact": "contract", "id": name, **known, **{each: day.isoformat() for each, day in days.items()}}
        parts = self.dice.choice((["1"], ["0.5", "0.5"], ["0.2", "0.3", "0.1"]))
        for part, share in enumerate(parts, start=1):
            asked = {"amount": f"{Decimal(amount['amount']) * Decimal(share):.2f}", "currency": EUR}
            on, number = billed + timedelta(days=7 * part), f"{self.mark}-{name}/{part}"
            due = on + timedelta(days=30)
            invoice = {"account": account, "deal": name, "contract": name, "amount": asked, **whose}
            named = {"number": number} if self.dice.random() < 0.7 else {}
            dates = {"on": on.isoformat(), "due": due.isoformat()}
            yield {"fact": "invoice", "id": f"I-{name}-{part}", **invoice, **named, **dates}
            if self.dice.random() < 0.7:
                text = self.dice.choice((None, number, f"re: {number}, thanks", "thanks"))
                money = {"amount": asked, "bank_reference": number, **({"reference": text} if text else {})}
                day = self.day(on).isoformat()
                yield {"fact": "receipt", "id": f"R-{name}-{part}", "account": account, **money, "on": day}
