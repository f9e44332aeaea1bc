"""Completeness: how much of what the gate ahead asks for is known of a deal, and how late it was entered (DEAL-11).

It is worked out when somebody asks for it. In a row of the list it would be the rules of gates a second time, and wrong
with each new exchange rate; a fact that tells each change of it would come with nearly every fact that is entered. And
what is tagged with the version of a deal, as `GET /v1/deals/{id}` is, changes with nothing else.
"""

from typing import Any

from services.deals.domain.deal.facts import facts_of
from services.deals.domain.deal.gates import gates_ahead
from services.deals.domain.deal.standing import is_work
from services.deals.domain.deal.state import OpenDeal
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.process.state import Process
from shared.domain.criteria import Completeness, completeness_of
from shared.domain.criteria import facts_of as facts_asked
from shared.events.deals.deal import DealOpened


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


def is_entry(event: Any) -> bool:
    """Whether a fact is one of those of which it is asked how late they came in: work on a deal after its opening."""
    return is_work(event) and not isinstance(event, DealOpened)


def _is_filled(found: object, *, noted: bool) -> bool:
    """Whether somebody has entered a fact."""
    return found is not None if noted else bool(found)
