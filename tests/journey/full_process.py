"""The way of a deal through the built-in full process, by people over HTTP: what each stage asks for, in order."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from services.deals.domain.process.full import FULL_ID
from tests.journey.company import Company, complete, done
from tests.whole_stack import Answer

STAGES = ("needs-diagnosis", "solution", "negotiation", "contract")
BUDGET = "650000"
FACTS: Mapping[str, Mapping[str, Any]] = {
    "needs-diagnosis": {
        "intent_to_cooperate": True,
        "background_gaps": 0,
        "pains": 2,
        "willing_to_solve": True,
        "severity_agreed": True,
        "goal": "+15 % efficiency",
        "budget": BUDGET,
        "decision_chain_known": True,
    },
    "solution": {"solution_accepted": True},
}
"""What is found out in a stage."""
KEY_ACTIONS = (
    ("background-record", "situation"),
    ("pain-list", "problem"),
    ("impact-analysis", "implication"),
    ("needs-confirmation", "need-payoff"),
)
"""The four talks, each with its deliverable before it."""
WORK: Mapping[str, Sequence[str]] = {
    "needs-diagnosis": [key for talk in KEY_ACTIONS for key in talk],
    "solution": ("design-solution", "demonstrate", "solution-document", "quotation"),
    "negotiation": ("settle-terms", "win-supporter", "terms-sheet"),
}
"""The work of a stage, in an order in which it can be done."""


async def goes_over(company: Company, deal: str) -> Answer:
    """A deal that began by the short process follows the full one from now on."""
    wanted = {"process_id": str(FULL_ID), "process_version": 1, "stage": STAGES[0]}
    reason = "A line of this size is sold by the full process."
    return await done(company.operations, f"/v1/deals/{deal}/migrate", {**wanted, "reason": reason})


async def enter_contract(company: Company, deal: str) -> Answer:
    """Everything that the stages ask for is found out and done, one stage after the other."""
    path = f"/v1/deals/{deal}"
    for stage, following in pairwise(STAGES):
        if facts := FACTS.get(stage):
            await done(company.rep, f"{path}/note-facts", {"facts": facts})
        await complete(company, deal, *WORK[stage])
        moved = await done(company.rep, f"{path}/move", {"stage": following})
    return moved
