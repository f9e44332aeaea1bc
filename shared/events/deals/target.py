"""Events of a target: what the company, a team or a rep is to reach in a period."""

from typing import Literal
from uuid import UUID

from shared.events.chronology import Rank
from shared.events.definition import AsKnown, Exact, event
from shared.events.money import Money

MoneyKind = Literal["revenue", "receipts", "average-won-amount"]
"""What is wanted is an amount."""
CountKind = Literal["won-deals", "opened-deals", "captured-leads", "visits"]
"""What is wanted is a whole number."""
ShareKind = Literal[
    "win-rate",
    "lead-conversion",
    "revenue-attainment",
    "repurchase",
    "new-customer-share",
    "new-customer-growth",
    "proposals-on-time",
]
"""What is wanted is a share: 0.40 is 40 %."""
TargetKind = Literal[MoneyKind, CountKind, ShareKind]
SummedKind = Literal["revenue", "receipts", "won-deals", "opened-deals", "captured-leads", "visits"]
"""What adds up: over the parts of a whole, and over the parts of a period."""
TargetSource = Literal["invoices", "receipts", "deals", "leads", "survey", "elsewhere"]
"""Where a figure is taken from."""
ReviewCycle = Literal["monthly", "quarterly", "yearly"]
"""How often people look at whether a target is reached."""


@event("deals.target-set", aggregate="target", rank=Rank.CHANGE)
class TargetSet:
    """What a company, team or rep is to reach in a period (PROC-4)."""

    target_id: UUID
    period: str
    """2026-Q4, 2026-11 or 2026."""
    kind: str
    """revenue, receipts or average-won-amount."""
    level: str
    """company, team or rep."""
    amount: Money
    team: UUID | None = None
    member: UUID | None = None
    before: AsKnown[Money | None] = None
    responsible: UUID | None = None
    """The member who answers for it."""
    source: str | None = None
    """Where the figure is taken from, in a word."""
    review: str | None = None
    """monthly, quarterly or yearly."""


@event("deals.target-number-set", aggregate="target", rank=Rank.CHANGE)
class TargetNumberSet:
    """How much a company, team or rep is to reach in a period of what is counted, or is a share (PROC-4)."""

    target_id: UUID
    period: str
    """2026-Q4, 2026-11 or 2026."""
    kind: str
    """What is counted, like won-deals, or a share, like win-rate."""
    level: str
    """company, team or rep."""
    number: Exact
    """A whole number, or a share: 0.40 is 40 %."""
    team: UUID | None = None
    member: UUID | None = None
    before: AsKnown[Exact | None] = None
    responsible: UUID | None = None
    """The member who answers for it."""
    source: str | None = None
    """Where the figure is taken from, in a word."""
    review: str | None = None
    """monthly, quarterly or yearly."""


@event("deals.target-part-set", aggregate="target", rank=Rank.CHANGE)
class TargetPartSet:
    """A part of this target was set, where parts may not come to more than it (PROC-4)."""

    target_id: UUID
    part: UUID
    """The target of a team below, or of somebody in the team. What it is stands with it alone: more people see the
    whole than see each of its parts."""
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.target-fact-retracted", aggregate="target", rank=Rank.CHANGE, retracts=True)
class TargetFactRetracted:
    """What a request told of a target is taken back; what had been corrected by it counts again (DATA-5)."""

    target_id: UUID
    request: UUID
    """The causation id of the events that count no longer."""
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
