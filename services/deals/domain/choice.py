"""Which process a new deal follows: ordered rules, the first that applies decides (DEAL-1)."""

from collections.abc import Sequence
from uuid import UUID

from services.deals.domain.process.short import SHORT_ID
from services.deals.domain.process.state import Process
from shared.domain.criteria import Facts, meets
from shared.domain.rejection import Rejected
from shared.events.criteria import Predicate
from shared.events.definition import value


@value
class ChoiceRule:
    """Deals that `when` applies to follow the process; without `when`, all do.

    A rule looks at the facts `amount` (number), `source`, `industry`, `team` and `account` (texts) of the opening.
    """

    name: str
    process_id: UUID
    when: Predicate | None = None


@value
class ChosenProcess:
    """The process that a new deal follows, and the rule that chose it."""

    process: Process | None
    """None where no version of the process reaches the deal."""
    rule: str

    @property
    def followed(self) -> Process:
        """The version that the deal follows. Raises Rejected where there is none."""
        if self.process is None:
            message = "No version of the process reaches this deal: it is on trial elsewhere, or not published yet."
            raise Rejected("no-version", message, field="process_id")
        return self.process


RULES: Sequence[ChoiceRule] = (ChoiceRule(name="default", process_id=SHORT_ID),)
"""In order; the last one applies to every deal."""


def choose(rules: Sequence[ChoiceRule], facts: Facts) -> ChoiceRule:
    """The first rule that applies. The last rule is the default, and has no condition."""
    return next(rule for rule in rules if rule.when is None or meets(rule.when, facts))
