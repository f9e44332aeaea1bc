"""When the work and the timers of a stage are due, in working days of the company (DEAL-2, PROC-1)."""

from datetime import date, datetime

from shared.domain.context import Company
from shared.events.deals.deal import DueNode
from shared.events.process import Node


def due_node(kind: str, node: Node, max_days: int | None, begun: date, company: Company) -> DueNode:
    """A piece of work, with the day on which it is due when its own days, else those of its stage, run from a day on.

    One of the two is there.
    """
    days = max_days if node.due_days is None else node.due_days
    assert days is not None
    due = company.calendar.after(begun, days)
    return DueNode(key=node.key, kind=kind, required=node.required, due=due, proposal=node.proposal)


def time_of(after: int, entered: date, company: Company) -> datetime:
    """The instant (UTC) from which the time of a timer has come: when its working days after the entry are over."""
    return company.start_after(company.calendar.after(entered, after))
