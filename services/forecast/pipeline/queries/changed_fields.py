"""What a fact changed of a deal, field by field, in words (FC-17)."""

from typing import Annotated, Any

from services.forecast.asking.answers import money
from services.forecast.asking.wording import category_title, field_title, outcome_title
from services.forecast.pipeline.queries.histories import Step
from services.forecast.pipeline.timeline import DealState
from shared.events.definition import words
from shared.http.json import answer_shape
from shared.languages.catalogue import Catalogue

SHOWN = (
    "name", "amount", "expected_close", "owner", "team", "stage", "probability", "category", "outcome", "closed_on",
)  # fmt: skip
"""The fields of a deal whose changes are told."""
TITLED = {"category": category_title, "outcome": outcome_title}
"""Those whose values are words of a closed set, and how these are called."""


@answer_shape
class FieldChange:
    """One field of the deal that a fact changed; `title` is the field in words. An amount is in the deal's currency.

    What an outcome or a category is called stands beside it (`before_title`, `after_title`), of other fields nothing.
    """

    field: Annotated[str, words(SHOWN)]
    title: str
    before: Any
    before_title: str | None
    after: Any
    after_title: str | None


def changes_of(step: Step, catalogue: Catalogue) -> list[FieldChange]:
    """The fields of a deal that are others after a fact than before it."""
    pairs = ((field, _told(step.before, field), _told(step.after, field)) for field in SHOWN)
    changed = ((field, old, new) for field, old, new in pairs if old != new)
    return [
        FieldChange(
            field=field,
            title=field_title(catalogue, field),
            before=old,
            before_title=_title(field, old, catalogue),
            after=new,
            after_title=_title(field, new, catalogue),
        )
        for field, old, new in changed
    ]


def _title(field: str, value: Any, catalogue: Catalogue) -> str | None:
    """What a value is called, where it is one of a closed set of words."""
    if value is None or field not in TITLED:
        return None
    return TITLED[field](catalogue, value)


def _told(state: DealState | None, field: str) -> Any:
    if state is not None and field == "amount":
        return money(state.amount, state.currency)
    return getattr(state, field, None)
