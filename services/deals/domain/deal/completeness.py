"""Completeness: how much of what the gate ahead asks for is known of a deal, and how late it was entered (DEAL-11).

It is worked out when somebody asks for it. In a row of the list it would be the rules of gates a second time, and wrong
with each new exchange rate; a fact that tells each change of it would come with nearly every fact that is entered. And
what is tagged with the version of a deal, as `GET /v1/deals/{id}` is, changes with nothing else.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from services.deals.domain.deal.facts import facts_of
from services.deals.domain.deal.gates import gates_ahead
from services.deals.domain.deal.state import OpenDeal
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.process.state import Process
from shared.domain.criteria import Completeness, completeness_of
from shared.domain.criteria import facts_of as facts_asked
from shared.domain.money import half_up


def completeness(state: OpenDeal, process: Process, conversion: Conversion) -> Completeness:
    """Which facts the gates ahead ask for, each once in order, and which are not filled in. A fact is filled in once it
    is known; one that is counted once there is any, and a yes or no that follows from the deal once it is yes: until
    then nobody has entered it."""
    asked = (
        fact
        for _, criteria in gates_ahead(state, process.definition)
        for each in criteria
        for fact in facts_asked(each.when)
    )
    facts, noted = facts_of(state, process, conversion), {fact.key for fact in process.definition.facts}
    return completeness_of(asked, lambda fact: _is_filled(facts.get(fact), noted=fact in noted))


def entry_delay(happened: Sequence[tuple[date, date]]) -> int | None:
    """For how many days on average facts were entered late, rounded half up: of each the day on which it happened and
    that on which it was recorded; None without any."""
    delays = [max((recorded - occurred).days, 0) for occurred, recorded in happened]
    return int(half_up(Decimal(sum(delays)) / len(delays), Decimal(1))) if delays else None


def _is_filled(found: object, *, noted: bool) -> bool:
    """Whether somebody has entered a fact."""
    return found is not None if noted else bool(found)
