"""What a simulated person decides to do, from what they see: pure, so that it can be told in advance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from random import Random
from typing import Any

from services.deals.domain.process.full import FULL
from services.deals.domain.process.short import SHORT

PROCESSES = (SHORT, FULL)
NEXT = {here.key: after.key for process in PROCESSES for here, after in pairwise(process.stages)}
"""The stage after each; what is not there is the last one of its process, or of none that these people know."""
LAST_STAGES = frozenset(process.stages[-1].key for process in PROCESSES)
OUTCOMES = ("Next steps agreed.", "They want figures for the board.", "Waits for the budget.", "Asked for references.")
STEPS = ("Call the plant manager", "Send the layout", "Visit the site", "Go through the quotation", "Meet purchasing")
GOALS = ("15 % more pallets an hour", "No night shift from summer on", "Labels right in all but one of 5,000 orders")
YES_NO = frozenset(fact.key for process in PROCESSES for fact in process.facts if fact.kind == "yes-no")
LOST = ("price", "competitor", "timing", "product-fit", "terms")
ABANDONED = ("no-decision", "no-budget", "no-answer", "not-worth-it")
DAYS_AVOIDED = 4
MANY_OPEN_DEALS = 110
BEHIND = 0.86
"""Up to this share of what should be won by now customers agree easily; beyond it, seldom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Do:
    """A command to send to an address below the thing it is about; a PATCH needs the version that was read."""

    verb: str
    """Empty for a PATCH of the thing itself."""
    body: Mapping[str, Any]
    method: str = "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """How eager customers are: it keeps the running quarter between too easy and hopeless, however long people work.
    Both from 0 (nothing) to 1."""

    winning: float = 0.5
    opening: float = 0.5


def mood(forecast: Mapping[str, Any], open_deals: int) -> Mood:
    """From what was reached and how much of the period has passed: who is ahead finds customers hesitating."""
    attained, elapsed = float(forecast.get("attainment") or 0), float(forecast.get("elapsed") or 1)
    return Mood(
        winning=min(1.0, max(0.02, 5 * (BEHIND * elapsed - attained))),
        opening=min(1.0, max(0.0, (MANY_OPEN_DEALS - open_deals) / MANY_OPEN_DEALS * 2)),
    )


# -- deals ------------------------------------------------------------------------------------------------------------


def next_for_deal(random: Random, deal: Mapping[str, Any], today: date, feeling: Mood) -> Do:
    """What the owner of an open deal does next."""
    due = date.fromisoformat(deal["expected_close"]) if deal["expected_close"] else None
    if due is None or due < today:
        return update(random, deal, today) if random.random() < 0.8 else _given_up(random)
    left = [node["key"] for node in deal["nodes"] if node["evidence"] is None]
    judged = Do(verb="set-category", body={"category": random.choice(("pipeline", "best-case", "commit"))})
    does_not_go_on = random.random() > feeling.opening
    choices = (
        (0.49, log_activity(random, today)),
        (0.30, complete(left[0], today) if left else log_activity(random, today)),
        (0.10, _onwards(random, deal, feeling)),
        (0.06, update(random, deal, today)),
        (0.03, judged),
        (0.02, _given_up(random) if does_not_go_on else log_activity(random, today)),
    )
    [(_, chosen)] = random.choices(choices, [weight for weight, _ in choices])
    return chosen


def is_avoided(deal: Mapping[str, Any], today: date) -> bool:
    """Whether nobody worked on a deal for days: who let it lie so long goes on doing so."""
    days = [date.fromisoformat(each["on"]) for each in deal.get("activities", ()) if each["on"]]
    return bool(days) and (today - max(days)).days > DAYS_AVOIDED


def _onwards(random: Random, deal: Mapping[str, Any], feeling: Mood) -> Do:
    if deal["stage"] in NEXT:
        return Do(verb="move", body={"stage": NEXT[deal["stage"]]})
    if deal["stage"] in LAST_STAGES and random.random() < feeling.winning:
        return Do(verb="win", body={})
    return Do(verb="plan-next-step", body={"on": None, "what": "The customer decides."})


def _given_up(random: Random) -> Do:
    if random.random() < 0.65:
        return Do(verb="lose", body={"reason": random.choice(LOST)})
    return Do(verb="abandon", body={"reason": random.choice(ABANDONED)})


def log_activity(random: Random, today: date) -> Do:
    body: dict[str, Any] = {
        "kind": random.choice(("call", "call", "email", "meeting", "visit", "demo")),
        "minutes": random.choice((10, 15, 30, 45, 60)),
        "outcome": random.choice(OUTCOMES),
    }
    if random.random() < 0.6:
        body["next_step"] = next_step(random, today)
    return Do(verb="log-activity", body=body)


def next_step(random: Random, today: date) -> dict[str, str]:
    on = today + timedelta(days=random.randint(1, 9))
    return {"on": on.isoformat(), "what": random.choice(STEPS)}


def update(random: Random, deal: Mapping[str, Any], today: date) -> Do:
    """Another close date or amount, and what comes next: one change under the version that was read."""
    body: dict[str, Any] = {"next_step": next_step(random, today)}
    due = date.fromisoformat(deal["expected_close"]) if deal["expected_close"] else today
    if due <= today or random.random() < 0.5:
        body["expected_close"] = (max(due, today) + timedelta(days=random.randint(5, 30))).isoformat()
    else:
        amount = round(float(deal["amount"]["amount"]) * random.uniform(0.9, 1.08) / 500) * 500
        body["amount"] = {"amount": f"{max(amount, 500)}.00", "currency": deal["amount"]["currency"]}
    return Do(verb="", body=body, method="PATCH")


def complete(key: str, today: date) -> Do:
    return Do(verb="complete-node", body={"key": key, "evidence": f"Done on {today.isoformat()}, filed with the deal."})


def remedies(errors: Sequence[Mapping[str, Any]], deal: Mapping[str, Any], random: Random, today: date) -> list[Do]:
    """What has to be done for the criteria that a refusal names: each once, in the order named."""
    found: list[Do] = []
    facts: list[str] = []
    for fact in dict.fromkeys(fact for error in errors for fact in _asked_for(error)):
        kind, _, key = fact.partition(".")
        if kind in ("task", "deliverable"):
            found.append(complete(key, today))
        elif fact == "next_step_planned":
            found.append(Do(verb="plan-next-step", body=next_step(random, today)))
        elif fact == "expected_close":
            found.append(update(random, {**deal, "expected_close": None}, today))
        else:
            facts.append(fact)
    if noted := known(random, facts, deal["amount"]):
        found.append(Do(verb="note-facts", body={"facts": noted}))
    return found


def known(random: Random, facts: Sequence[str], amount: Mapping[str, str]) -> dict[str, Any]:
    """What is found out when somebody asks: facts that open gates, as far as a process of theirs knows them."""
    said: dict[str, Any] = {}
    for fact in facts:
        if fact in YES_NO:
            said[fact] = True
        elif fact == "pains":
            said[fact] = random.randint(2, 4)
        elif fact == "background_gaps":
            said[fact] = 0
        elif fact == "budget":
            said[fact] = amount["amount"]
        elif fact == "goal":
            said[fact] = random.choice(GOALS)
    return said


def _asked_for(error: Mapping[str, Any]) -> list[str]:
    """The facts that a reason of a refusal names: those of a criterion, or a deliverable that is missing."""
    details = error.get("details", {})
    missing = details.get("deliverable")
    return [*details.get("met", {}), *([f"deliverable.{missing}"] if missing else [])]


# -- leads ------------------------------------------------------------------------------------------------------------


def next_for_lead(random: Random, lead: Mapping[str, Any], feeling: Mood, today: date, currency: str) -> Do:
    """What the owner of an open lead does next."""
    known, worked = lead["qualification"], len(lead["activities"])
    chance = random.random()
    if worked >= 2 and chance < 0.10:
        return Do(verb="disqualify", body={"reason": random.choice(("no-need", "no-budget", "not-reachable"))})
    if worked >= 2 and chance < 0.10 + 0.2 * feeling.opening:
        return convert(random, lead, today, currency)
    if chance < 0.45 and not known["need_stated"]:
        return Do(verb="note-qualification", body={"need_stated": True, "timeline": "this-half-year"})
    if chance < 0.6:
        return Do(verb="plan-follow-up", body={"on": (today + timedelta(days=random.randint(1, 14))).isoformat()})
    kind = random.choice(("call", "call", "email", "meeting"))
    outcome = random.choice(("reached", "not-reached", "answered", "meeting-agreed"))
    return Do(verb="log-activity", body={"kind": kind, "minutes": random.choice((5, 10, 20)), "outcome": outcome})


def convert(random: Random, lead: Mapping[str, Any], today: date, currency: str) -> Do:
    """Make a deal of a lead, qualified or not: what is missing will be said."""
    company = lead["captured"]["company_name"] or "a new customer"
    amount = random.randint(52, 160) * 5000
    product = random.choice(("Robot cell 30", "Palletiser 400", "Automatic store 50", "Conveyor system"))
    deal = {
        "name": f"{product} for {company}",
        "amount": {"amount": f"{amount}.00", "currency": currency},
        "expected_close": (today + timedelta(days=random.randint(30, 100))).isoformat(),
    }
    return Do(verb="convert", body={"buying_role": "champion", "deal": deal})


def missing_qualification(errors: Sequence[Mapping[str, Any]], currency: str, random: Random) -> Do:
    """What has to be found out before a lead can be converted."""
    facts = {fact for error in errors for fact in error.get("details", {}).get("met", {})}
    body: dict[str, Any] = {fact: True for fact in ("need_stated", "decision_chain_known") if fact in facts}
    if "budget" in facts:
        body["budget"] = {"amount": f"{random.randint(50, 110) * 10_000}.00", "currency": currency}
    return Do(verb="note-qualification", body=body)
