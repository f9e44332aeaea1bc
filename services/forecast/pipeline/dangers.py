"""Why an open deal may not come in, and how grave each reason is (FC-4, DEAL-7). Pure.

The rule stands twice: `pipeline/queries/endangered.py` weighs in SQL, so that only the deals of a page are read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from services.forecast.pipeline.figures import stage_of
from services.forecast.pipeline.timeline import DealState
from services.forecast.processes.queries import Stage, StageKey
from shared.domain.context import Company
from shared.domain.periods import Period
from shared.events.definition import words

CODES = ("no-close-date", "close-date-passed", "silent", "pushed", "stage-overdue", "too-early")


@dataclass(frozen=True, slots=True, kw_only=True)
class Danger:
    """Why a deal may not come in; the more `weight`, the graver."""

    code: Annotated[str, words(CODES)]
    sentence: str
    weight: int


NO_DATE, DATE_PASSED, SILENT, STAGE_OVERDUE, TOO_EARLY = 2, 5, 4, 3, 3
"""How grave each reason is; a push weighs more the more there were."""

ENDING_DAYS = 30
"""How near the end of the period has to be for a deal far from won to be in danger."""

FAR_FROM_WON = Decimal("0.3")


def pushed(pushes: int) -> int:
    """How grave pushes of the close date are."""
    return min(2 + pushes, 5)


def dangers(
    state: DealState, as_of: datetime, company: Company, norms: Mapping[StageKey, Stage], wanted: Period
) -> list[Danger]:
    """Every reason why an open deal may not come in, the gravest first."""
    today = company.day(as_of)
    found: list[Danger] = []
    if state.expected_close is None:
        found.append(
            Danger(code="no-close-date", sentence="It has no close date and counts in no period.", weight=NO_DATE)
        )
    elif state.expected_close < today:
        late = (today - state.expected_close).days
        found.append(
            Danger(code="close-date-passed", sentence=f"Expected to close {_days(late)} ago.", weight=DATE_PASSED)
        )
    if state.stalls(company) < as_of:
        silent = (today - company.day(state.touched)).days
        found.append(Danger(code="silent", sentence=f"Nobody worked on it for {_days(silent)}.", weight=SILENT))
    if state.pushes:
        times = "once" if state.pushes == 1 else f"{state.pushes} times"
        found.append(Danger(code="pushed", sentence=f"Its close date was pushed {times}.", weight=pushed(state.pushes)))
    stage = norms.get(stage_of(state))
    aged = (today - company.day(state.entered)).days
    if stage is not None and aged > stage.max_days:
        sentence = f"{_days(aged).capitalize()} in {stage.name}; the norm is {stage.max_days}."
        found.append(Danger(code="stage-overdue", sentence=sentence, weight=STAGE_OVERDUE))
    left = (wanted.last - today).days
    if (
        0 <= left <= ENDING_DAYS
        and state.probability <= FAR_FROM_WON
        and state.expected_close
        and state.expected_close <= wanted.last
    ):
        share = f"{state.probability:.0%}"
        found.append(
            Danger(
                code="too-early", sentence=f"Still at {share} with {_days(left)} of the period left.", weight=TOO_EARLY
            )
        )
    return sorted(found, key=lambda danger: -danger.weight)


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"
