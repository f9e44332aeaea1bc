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
| `buyer_stage`         | text   | where the buyer stands, like "evaluation"; unknown when nobody found out    |
| `next_step_planned`   | yes-no | whether a next step with a day is planned                                   |
| `quote_accepted`      | yes-no | whether the customer has accepted a quote of it which was not set aside     |
| `task.<key>`          | yes-no | whether that task of the process is done                                    |
| `deliverable.<key>`   | yes-no | whether that deliverable of the process is there                            |
| `approved.<stage>`    | yes-no | whether it is approved that the deal goes on from that stage; of those that |
|                       |        | need it. For one stay there, and for what is known of the deal now          |
| `approved.task.<key>`,| yes-no | whether it is approved that this work is completed; of that which needs it. |
| `approved.deliverable.<key>` | | Until it is completed, for what is known of the deal now                    |

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
from shared.events.approval_chain import ApprovalChain
from shared.events.criteria import FactValue
from shared.events.definition import value
from shared.events.process import FlexibleNode, Node, ProcessDefinition, Stage, StageOutline, work_of

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
    "buyer_stage": "text",
    "next_step_planned": "yes-no",
    "quote_accepted": "yes-no",
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


OF_APPROVALS = "approved."


def approved_fact(name: str) -> str:
    """The fact that says whether an exit is approved, by what its gate is called: of "quotation" `approved.quotation`,
    of "task situation" `approved.task.situation`. Keys have neither spaces nor dots, so no two are called the same."""
    return f"{OF_APPROVALS}{_dotted(name)}"


@value
class ApprovableExit:
    """The exit of a stage, of a task or of a deliverable that needs an approval."""

    name: str
    """What its gate is called: "quotation", "task situation"."""
    of: Stage | Node
    chain: ApprovalChain

    @property
    def fact(self) -> str:
        """The fact that it is approved."""
        return approved_fact(self.name)

    @property
    def done(self) -> str | None:
        """The fact that the work is done; a stage is none."""
        return None if isinstance(self.of, Stage) else _dotted(self.name)


def approvable_exits(part: StageOutline | FlexibleNode) -> Iterator[ApprovableExit]:
    """The exits of a stage or a flexible node that need an approval: its own, and those of its work."""
    if isinstance(part, Stage) and part.exit_approval is not None:
        yield ApprovableExit(name=part.key, of=part, chain=part.exit_approval)
    for kind, node in work_of(part):
        if node.exit_approval is not None:
            yield ApprovableExit(name=f"{kind} {node.key}", of=node, chain=node.exit_approval)


def vocabulary(definition: ProcessDefinition) -> dict[str, str]:
    """Every fact that the criteria of a process may name, and its kind."""
    tasks = {f"task.{node.key}": "yes-no" for stage in definition.stages for node in stage.tasks}
    deliverables = {f"deliverable.{node.key}": "yes-no" for stage in definition.stages for node in stage.deliverables}
    approved = {each.fact: "yes-no" for stage in definition.stages for each in approvable_exits(stage)}
    return {**{fact.key: fact.kind for fact in definition.facts}, **DERIVED, **tasks, **deliverables, **approved}


def chain_vocabulary(known: Mapping[str, str]) -> dict[str, str]:
    """The facts that the conditions of an approval chain may name, of those that the criteria beside it may: all but
    whether something is approved."""
    return {fact: kind for fact, kind in known.items() if not fact.startswith(OF_APPROVALS)}


def _dotted(name: str) -> str:
    return name.replace(" ", ".")


def noted_faults(definition: ProcessDefinition, noted: Mapping[str, FactValue]) -> Iterator[Reason]:
    """What is wrong with facts that somebody notes: not declared by the process, or of another kind."""
    declared = {fact.key: fact.kind for fact in definition.facts}
    for key, said in noted.items():
        if key not in declared:
            message = f"The process knows no fact {key!r} to note; it knows {', '.join(sorted(declared)) or 'none'}."
            yield Reason(code="unknown-fact", message=message, field=f"facts.{key}")
        elif said is not None and not is_of_kind(said, declared[key]):
            kind = declared[key]
            yield Reason(code="other-kind", message=f"{key} is a {kind} fact: {WANTED[kind]}.", field=f"facts.{key}")
