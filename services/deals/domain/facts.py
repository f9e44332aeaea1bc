"""The typed facts that criteria are judged by (PROC-3).

Two kinds. *Noted* facts are declared by the process of a deal (`ProcessDefinition.facts`) and noted by people.
*Derived* facts follow from the deal itself; they are these, and nothing else:

| fact                  | kind   | what it is                                                                  |
|-----------------------|--------|-----------------------------------------------------------------------------|
| `amount`              | number | what the deal is worth, in the company's currency: by the last rates        |
|                       |        | published until today; unknown without any                                  |
| `expected_close`      | text   | the day on which it is expected to close, YYYY-MM-DD; unknown when not set  |
| `account`             | text   | the id of the account; unknown when the deal has none                       |
| `lead`                | text   | the id of the lead that it came from; unknown when it came from none        |
| `lines`               | number | how many product lines the deal has                                         |
| `activities`          | number | how many activities were logged, without those that were withdrawn          |
| `activities_in_stage` | number | how many of them since the deal entered its stage                          |
| `decision_makers`     | number | how many contacts of the deal are economic buyers: they decide              |
| `supportive_decision_makers` | number | how many of these are for it                                         |
| `next_step_planned`   | yes-no | whether a next step with a day is planned                                   |
| `task.<key>`          | yes-no | whether that task of the process is done                                    |
| `deliverable.<key>`   | yes-no | whether that deliverable of the process is there                            |
| `approved.<stage>`    | yes-no | whether it is approved that the deal goes on from that stage; of those that |
|                       |        | need it. For one stay there, and for what is known of the deal now          |

And what follows from the answers of its qualification (DEAL-5), each named `qualification.…`:

| fact                  | kind   | what it is                                                                  |
|-----------------------|--------|-----------------------------------------------------------------------------|
| `…pains`              | number | how many pains of the customer are stated                                   |
| `…inaction`           | yes-no | whether it is said what happens when nothing is done                        |
| `…compelling_event`   | yes-no | whether something compels the customer to decide                            |
| `…insurmountable`     | yes-no | whether something blocks them that nothing overcomes                        |
| `…budget`             | yes-no | whether the budget is stated                                                |
| `…competition`        | yes-no | whether it is stated who else is asked, if anybody                          |
| `…fit`                | number | matched ÷ stated requirements, from 0 to 1; unknown when none is stated     |
| `…exposure`           | number | the greatest likelihood × impact of its risks; unknown without any          |
"""

from collections.abc import Iterator, Mapping

from shared.domain.criteria import WANTED, is_of_kind
from shared.domain.rejection import Reason
from shared.events.criteria import FactValue
from shared.events.process import ProcessDefinition

DERIVED: Mapping[str, str] = {
    "amount": "number",
    "expected_close": "text",
    "account": "text",
    "lead": "text",
    "lines": "number",
    "activities": "number",
    "activities_in_stage": "number",
    "decision_makers": "number",
    "supportive_decision_makers": "number",
    "next_step_planned": "yes-no",
    "qualification.pains": "number",
    "qualification.inaction": "yes-no",
    "qualification.compelling_event": "yes-no",
    "qualification.insurmountable": "yes-no",
    "qualification.budget": "yes-no",
    "qualification.competition": "yes-no",
    "qualification.fit": "number",
    "qualification.exposure": "number",
}
"""Derived facts that every process has, and their kinds."""


APPROVAL_CRITERION = "approved"
"""The criterion of an exit that needs an approval, by its key: no other of that exit is called so."""


def approved_fact(stage: str) -> str:
    """The fact that says whether the exit of a stage is approved."""
    return f"approved.{stage}"


def vocabulary(definition: ProcessDefinition) -> dict[str, str]:
    """Every fact that the criteria of a process may name, and its kind."""
    approved = {approved_fact(stage.key): "yes-no" for stage in definition.stages if stage.exit_approval is not None}
    return {**chain_vocabulary(definition), **approved}


def chain_vocabulary(definition: ProcessDefinition) -> dict[str, str]:
    """Every fact that the conditions of its approval chains may name: all but whether something is approved."""
    tasks = {f"task.{node.key}": "yes-no" for stage in definition.stages for node in stage.tasks}
    deliverables = {f"deliverable.{node.key}": "yes-no" for stage in definition.stages for node in stage.deliverables}
    return {**{fact.key: fact.kind for fact in definition.facts}, **DERIVED, **tasks, **deliverables}


def noted_faults(definition: ProcessDefinition, noted: Mapping[str, FactValue]) -> Iterator[Reason]:
    """What is wrong with facts that somebody notes: not declared by the process, or of another kind."""
    declared = {fact.key: fact.kind for fact in definition.facts}
    for key, value in noted.items():
        if key not in declared:
            message = f"The process knows no fact {key!r} to note; it knows {', '.join(sorted(declared)) or 'none'}."
            yield Reason(code="unknown-fact", message=message, field=f"facts.{key}")
        elif value is not None and not is_of_kind(value, declared[key]):
            kind = declared[key]
            yield Reason(code="other-kind", message=f"{key} is a {kind} fact: {WANTED[kind]}.", field=f"facts.{key}")
