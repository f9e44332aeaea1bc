"""Gates: the criteria that a deal does not meet yet, each with the value that it met and the command that changes it
(DEAL-3)."""

from collections.abc import Mapping
from dataclasses import replace

from services.deals.domain.deal.state import Deal, facts_of
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.process.state import Process
from shared.domain.criteria import unmet
from shared.domain.rejection import Reason
from shared.events.process import Criterion

CHANGED_BY: Mapping[str, str] = {
    "amount": "change-amount",
    "expected_close": "change-close-date",
    "activities": "log-activity",
    "next_step_planned": "plan-next-step",
    "qualification.pains": "state-pain",
    "qualification.inaction": "assess-inaction",
    "qualification.compelling_event": "state-customer-event",
    "qualification.insurmountable": "state-customer-event",
    "qualification.budget": "state-budget",
    "qualification.competition": "state-competition",
    "qualification.fit": "state-requirement",
    "qualification.exposure": "assess-risk",
}
"""The command that changes a derived fact, by the last part of its address; others follow from what the deal began
with."""


def closed(
    state: Deal, process: Process, conversion: Conversion, *gates: tuple[str, tuple[Criterion, ...]]
) -> list[Reason]:
    """Every criterion of some gates that a deal does not meet, a gate being what it is called and what it asks."""
    facts = facts_of(state, process, conversion)
    reasons = [reason for gate, criteria in gates for reason in unmet(criteria, facts, gate)]
    told = [
        replace(reason, details={**reason.details, "by": _by(reason.details["met"], process)}) for reason in reasons
    ]
    return [*told, *_without_rate(state, conversion, told)]


def _by(met: Mapping[str, object], process: Process) -> dict[str, str]:
    """The commands that change the facts that an unmet criterion looks at."""
    noted = {fact.key for fact in process.definition.facts}
    commands = {
        fact: "note-facts" if fact in noted else CHANGED_BY.get(fact) or ("complete-node" if "." in fact else None)
        for fact in met
    }
    return {fact: command for fact, command in commands.items() if command is not None}


def _without_rate(state: Deal, conversion: Conversion, criteria: list[Reason]) -> list[Reason]:
    """Why the amount is unknown to unmet criteria that ask for it, though the deal has one."""
    asked = any("amount" in each.details["met"] for each in criteria)
    if not asked or conversion.worth(state.amount) is not None:
        return []
    source, target = state.amount.currency, conversion.currency
    message = f"There is no exchange rate for {source}: what the deal is worth in {target} is unknown."
    return [Reason(code="no-exchange-rate", message=message, details={"currency": source, "in": target})]
