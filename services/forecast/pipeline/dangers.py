"""Why an open deal may not come in, and how grave each reason is (FC-4, DEAL-7). Pure.

The rule stands twice: `pipeline/queries/endangered.py` weighs in SQL, so that only the deals of a page are read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from services.forecast.pipeline.figures import stage_of
from services.forecast.pipeline.timeline import DealState
from services.forecast.processes.queries import Stage, StageKey
from shared.domain.context import Company
from shared.domain.periods import Period
from shared.domain.policy import Policy
from shared.domain.roles import Reach, Role, permission
from shared.events.forecast.policy import DangerRules

Code = Literal["no-close-date", "close-date-passed", "silent", "pushed", "stage-overdue", "too-early"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a deal may not come in; the more `weight`, the graver. `told` is what a sentence says of it: how many days or
    times (`count`), and what else it names."""

    code: Code
    weight: int
    told: Mapping[str, str | int] = field(default_factory=lambda: MappingProxyType({}))


NO_DATE, DATE_PASSED, SILENT, STAGE_OVERDUE, TOO_EARLY = 2, 5, 4, 3, 3
"""How grave each reason is; a push weighs more the more there were."""

SHIPPED = DangerRules(ending_days=30, far_from_won=Decimal("0.3"))

DANGERS = Policy(
    "dangers",
    DangerRules,
    default=SHIPPED,
    allow=permission({Role.SALES_OPERATIONS: Reach.ALL, Role.SALES_DIRECTOR: Reach.ALL, Role.EXECUTIVE: Reach.ALL}),
    scopes=("company",),
    example={"ending_days": 45, "far_from_won": "0.4"},
)


def pushed(pushes: int) -> int:
    """How grave pushes of the close date are."""
    return min(2 + pushes, 5)


def dangers(  # noqa: PLR0917
    state: DealState,
    as_of: datetime,
    company: Company,
    norms: Mapping[StageKey, Stage],
    wanted: Period,
    rules: DangerRules = SHIPPED,
) -> list[Reason]:
    """Every reason why an open deal may not come in, the gravest first."""
    today = company.day(as_of)
    found: list[Reason] = []
    if state.expected_close is None:
        found.append(Reason(code="no-close-date", weight=NO_DATE))
    elif state.expected_close < today:
        late = (today - state.expected_close).days
        found.append(Reason(code="close-date-passed", weight=DATE_PASSED, told={"count": late}))
    if state.stalls(company) < as_of:
        silent = (today - company.day(state.touched)).days
        found.append(Reason(code="silent", weight=SILENT, told={"count": silent}))
    if state.pushes:
        found.append(Reason(code="pushed", weight=pushed(state.pushes), told={"count": state.pushes}))
    stage = norms.get(stage_of(state))
    aged = (today - company.day(state.entered)).days
    if stage is not None and aged > stage.max_days:
        told: Mapping[str, str | int] = {"count": aged, "stage": stage.name, "norm": stage.max_days}
        found.append(Reason(code="stage-overdue", weight=STAGE_OVERDUE, told=told))
    left = (wanted.last - today).days
    if (
        0 <= left <= rules.ending_days
        and state.probability <= rules.far_from_won
        and state.expected_close
        and state.expected_close <= wanted.last
    ):
        found.append(Reason(code="too-early", weight=TOO_EARLY, told={"count": left}))
    return sorted(found, key=lambda reason: -reason.weight)
