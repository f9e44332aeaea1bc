"""What the people of Key Accounts enter about their deals, which go by the full process: pure, as all decisions.

An import tells what was done; what was found out, who stands how to a deal and who is asked for help is entered by
commands: on the first day, right after the history, and on every day after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from deploy.demo.deals import COMPETITORS
from deploy.demo.decisions import Do

PAINS = (
    "The old line stands still for two hours a week.",
    "Pallets are built by hand on the night shift.",
    "One order in fifty leaves with the wrong label.",
    "Spare parts for the conveyor take eleven weeks.",
)
CONSEQUENCES = ("They lose the second shift.", "The new customer goes to another plant.", "Overtime goes on all year.")
COMPELLING = ("The new hall opens.", "The lease of the old line ends.", "Their largest customer begins to call off.")
REQUIREMENTS = ("Control by their own system.", "A changeover in less than ten minutes.", "Service within a day.")
RISKS = ("The sponsor changes jobs.", "Purchasing asks for a second round.", "The floor may not bear the load.")
RESPONSES = ("Meet the successor.", "Have the benefit confirmed in writing.", "A survey before the quotation.")
SOURCES = ("The plant manager, on site.", "Minutes of the last meeting.", "Their own calculation.", "By telephone.")
QUESTIONS = (
    ("access", "The plant manager does not introduce us to the board. Who of us knows somebody there?"),
    ("price", "They want eight per cent. What may I trade it for?"),
    ("strategy", "A competitor was there first. Do we answer their offer, or begin anew with the goal?"),
)
GUIDANCE = ("Ask for the date of the board first; then we call together.", "Nothing without a term in return.")
DELIVERED = ("Filed as DOC-{number}.", "Sent by e-mail, and filed as DOC-{number}.")
ASKED = {
    "market-report": "What moves their industry, on two pages, for the talk with the board.",
    "price-approval": "Five per cent for an order before the end of the quarter.",
    "terms-review": "They ask for a penalty of one per cent a week.",
    "legal-review": "Their draft of the general terms, with the deviations marked.",
}


def findings(random: Random, amount: Mapping[str, str], today: date) -> list[Do]:
    """One answer to each question about a deal's case."""
    evidence = random.choice(SOURCES)
    found = (today - timedelta(days=random.randint(0, 20))).isoformat()
    said = {"evidence": evidence, "found_on": found}

    def of(hundredths: int) -> dict[str, str]:
        share = round(Decimal(amount["amount"]) * hundredths / 50_000) * 500
        return {"amount": f"{share}.00", "currency": amount["currency"]}

    day = (today + timedelta(days=random.randint(40, 120))).isoformat()
    grades = {"likelihood": random.randint(1, 4), "impact": random.randint(2, 5)}
    consequence = {"consequence": random.choice(CONSEQUENCES), "cost_of_delay": of(3)}
    requirement = {"text": random.choice(REQUIREMENTS), "matched": random.random() < 0.75}
    return [
        Do(verb="state-pain", body={"text": random.choice(PAINS), "severity": random.randint(2, 5), **said}),
        Do(verb="assess-inaction", body={**consequence, **said}),
        Do(
            verb="state-customer-event",
            body={"kind": "compelling", "text": random.choice(COMPELLING), "day": day, **said},
        ),
        Do(verb="state-budget", body={"amount": of(random.randint(90, 120)), **said}),
        Do(verb="state-competition", body={"competitors": random.sample(COMPETITORS, random.randint(0, 2)), **said}),
        Do(verb="state-requirement", body={**requirement, **said}),
        Do(
            verb="assess-risk",
            body={"text": random.choice(RISKS), **grades, "response": random.choice(RESPONSES), **said},
        ),
    ]


def question(random: Random) -> Do:
    """Help that a rep asks of the manager."""
    kind, asked = random.choice(QUESTIONS)
    urgency = random.choice(("today", "this-week", "when-possible"))
    return Do(verb="ask-for-help", body={"kind": kind, "urgency": urgency, "question": asked})


def guidance(random: Random) -> Do:
    """What the manager says to it."""
    return Do(verb="give-guidance", body={"guidance": random.choice(GUIDANCE)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A product as it is offered: in whole units of the company's currency."""

    product_id: str
    list_price: int


def offer(random: Random, deal_id: str, offered: Offered, amount: Mapping[str, str]) -> dict[str, Any]:
    """The body of a quote of what the deal is thought to be worth: a product at its list price at most, putting it up,
    and what is made for the plant."""
    price = Decimal(amount["amount"])
    days = random.randint(3, 8)
    day_rate = {**amount, "amount": "1200.00"}
    rest = max(price - days * 1200, Decimal(1000))
    machine = min(rest, Decimal(offered.list_price))
    lines = [
        {"product_id": offered.product_id, "quantity": "1", "price": {**amount, "amount": f"{machine:.2f}"}},
        {"name": "Putting it up and training", "unit": "day", "quantity": str(days), "price": day_rate},
    ]
    if rest > machine:
        made = {**amount, "amount": f"{rest - machine:.2f}"}
        lines.append({"name": "Layout and tools for this plant", "unit": "piece", "quantity": "1", "price": made})
    return {"deal_id": deal_id, "lines": lines}


def assessment(random: Random) -> Do:
    """What product says about the delivery of what is offered."""
    body = {"difficulty": random.randint(2, 4), "duration_days": 5 * random.randint(8, 24)}
    return Do(verb="assess-delivery", body=body)


def support(deal_id: str, kind: str) -> dict[str, str]:
    """The body by which a department is asked for help of a type of the process."""
    return {"deal_id": deal_id, "type": kind, "what": ASKED[kind]}


def answer_to_request(random: Random, status: str) -> Do:
    """What a department does about a request for its help: it takes it up, then delivers it, seldom returns it."""
    if status == "asked":
        return Do(verb="accept", body={})
    if random.random() < 0.12:
        return Do(verb="return-to-asker", body={"reason": "Which plant is it for? Their rules differ."})
    reference = random.choice(DELIVERED).format(number=random.randint(100, 999))
    return Do(verb="deliver", body={"reference": reference})
