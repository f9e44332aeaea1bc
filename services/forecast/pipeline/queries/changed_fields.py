"""What a fact changed of a deal, field by field, in words (FC-17)."""

from dataclasses import dataclass
from typing import Annotated, Any

from services.forecast.asking.answers import money
from services.forecast.asking.wording import title_of
from services.forecast.pipeline.queries.histories import Step
from services.forecast.pipeline.timeline import DealState
from shared.events.definition import words

SHOWN = (
    "name", "amount", "expected_close", "owner", "team", "stage", "probability", "category", "outcome", "closed_on",
)  # fmt: skip
"""The fields of a deal whose changes are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field of the deal that a fact changed; `title` is the field in words. An amount is in the deal's currency."""

    field: Annotated[str, words(SHOWN)]
    title: str
    before: Any
    after: Any


def changes_of(step: Step) -> list[FieldChange]:
    """The fields of a deal that are others after a fact than before it."""
    pairs = ((field, _told(step.before, field), _told(step.after, field)) for field in SHOWN)
    changed = ((field, old, new) for field, old, new in pairs if old != new)
    return [FieldChange(field=field, title=title_of(field), before=old, after=new) for field, old, new in changed]


def _told(state: DealState | None, field: str) -> Any:
    if state is not None and field == "amount":
        return money(state.amount, state.currency)
    return getattr(state, field, None)
