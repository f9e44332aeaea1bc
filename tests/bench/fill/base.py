"""The small history that is stamped out: a part of the demo company's, as an import file. Pure.

The services themselves take it in, so that what is stored is exactly what they write.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from random import Random

from deploy.demo.cast import Line
from deploy.demo.generator import facts
from shared.domain.context import Company

COMPANY_WIDE = {"team", "member", "team-manager", "product", "target"}
"""Kinds of facts that are there once, however often the rest is stamped out."""
OF_A_LEAD = {"lead", "lead-activity", "lead-qualification", "lead-converted", "lead-disqualified"}
OF_A_CUSTOMER = {"account", "contact"}
THINNED = {"deal-activity", "deal-node-completed", "lead-activity"}
KEPT = 8
"""Of what is thinned, one in so many is kept, and the last: some twenty events a deal are enough."""


def base(seed: int, today: date, company: Company, deals: int) -> Iterator[Line]:
    """The first so many deals of the demo company with all that belongs to them, and its other leads in proportion."""
    return thinned(part(list(facts(Random(seed), today, company)), deals))


def part(told: Sequence[Line], deals: int) -> Iterator[Line]:
    """The facts of the first so many deals, of their customers, and of as large a share of the leads."""
    opened = [line for line in told if line["fact"] == "deal"]
    kept = opened[:deals]
    of_deals = {line["id"] for line in kept}
    customers = {line["account"] for line in kept}
    came_of = {line.get("lead") for line in told if line["fact"] == "account" and line["id"] in customers}
    converted = {line["id"] for line in told if line["fact"] == "lead-converted"}
    others = [line["id"] for line in told if line["fact"] == "lead" and line["id"] not in converted]
    share = round(len(others) * len(kept) / max(len(opened), 1))
    of_leads = {line.get("lead") for line in kept} | came_of | set(others[:share])
    for line in told:
        kind, about = line["fact"], line["id"]
        if kind in OF_A_LEAD:
            belongs = about in of_leads
        elif kind in OF_A_CUSTOMER:
            belongs = line.get("account", about) in customers
        else:  # an invoice of a deal is D-17/1
            belongs = kind in COMPANY_WIDE or about.split("/")[0] in of_deals
        if belongs:
            yield line


def thinned(told: Iterable[Line]) -> Iterator[Line]:
    """Without most of the activities, completed tasks and planned next steps of each deal and lead."""
    lines = list(told)
    left = Counter(_work(line) for line in lines)
    for line in lines:
        work = _work(line)
        left[work] -= 1
        if work is None or left[work] % KEPT == 0:
            yield line


def _work(line: Line) -> tuple[str, str] | None:
    """What a line is one of many of; None for what is kept."""
    planned = line["fact"] == "deal-changed" and "next_step" in line
    return (line["fact"], line["id"]) if planned or line["fact"] in THINNED else None
