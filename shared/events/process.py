"""A sales process as data (PROC-1), with the criteria of its gates (PROC-3), and who has to approve what (DEAL-2)."""

from collections.abc import Iterator
from typing import Annotated, Literal, get_args

from annotated_types import Ge, Le, MaxLen, MinLen

from shared.events.approval_chain import ApprovalChain
from shared.events.criteria import Criterion, Key, Predicate
from shared.events.definition import Exact, value, words

MAX_DAYS = 3650
"""No span of a process lasts longer, in days."""


@value
class Step:
    """The five questions of a step, answered for who takes it the first time."""

    what: str | None = None
    who: str | None = None
    when: str | None = None
    """When, and how long it takes."""
    why: str | None = None
    """What it brings about in the steps after it."""
    how: str | None = None


@value
class Node:
    """A task or deliverable of a stage. A task with gates of its own is a key action."""

    key: Key
    name: str
    required: bool = True
    standard: str | None = None
    """The action standard, like "5–8 open questions about the current situation"."""
    due_days: Annotated[int, Ge(0), Le(MAX_DAYS)] | None = None
    """Working days after the stage was entered, or after the rule fired that calls for it; default: the stage's max
    days."""
    reference: str | None = None
    """The template of a deliverable."""
    step: Step | None = None
    entry: tuple[Criterion, ...] = ()
    """What has to be so before it is begun."""
    exit: tuple[Criterion, ...] = ()
    """What has to be so once it is done."""
    deliverable: Key | None = None
    """The deliverable of its stage that a task brings about, and that has to be there before the task is done."""
    exit_approval: ApprovalChain | None = None
    """Who has to approve that it is completed, beside the criteria of its exit; without it nobody (DEAL-2)."""
    proposal: bool = False
    """Whether it is the proposal that the customer gets, or one of several: whether it is there in time is counted by
    itself."""


@value
class FlexibleNode:
    """A part of a process that somebody adds to one deal; its work and its criteria bind that deal from then on
    (DEAL-4)."""

    key: Key
    name: str
    stages: Annotated[tuple[Key, ...], MaxLen(30)]
    """The stages in which it may be added; it belongs to the one in which that was done."""
    added_by: str = "manager"
    """The role that adds it and takes it back: rep, manager, sales-director or sales-operations. Direction and
    operations may in any case."""
    guidance: str | None = None
    """When it is called for."""
    tasks: tuple[Node, ...] = ()
    """They are due as many working days after it was added as they are else after their stage was entered."""
    deliverables: tuple[Node, ...] = ()
    entry: tuple[Criterion, ...] = ()
    """What has to be so before anything of it is completed."""
    exit: tuple[Criterion, ...] = ()
    """What has to be so before the deal goes on from its stage."""


@value
class SupportType:
    """What a stage may ask of another department, and how soon that answers."""

    key: Key
    name: str
    department: str
    """A role, like presales."""
    days: Annotated[int, Ge(1), Le(MAX_DAYS)] = 2
    """Working days within which it is delivered."""


@value
class Template:
    """A text or a document that is kept elsewhere, by reference."""

    key: Key
    name: str
    link: str | None = None


@value
class StageRule:
    """What happens by itself while a deal stands in a stage: when, and exactly one of `task`, `support` and `notify`.
    It happens at most once in each visit of the stage (PROC-1)."""

    key: Key
    name: str
    """Why it happens, for whoever reads it at the task or in the notice."""
    on: Literal["entry", "fact", "timer"]
    """entry: once the stage is entered; fact: as soon as `when` is met; timer: once `after` working days are over, if
    `when` is met then."""
    when: Predicate | None = None
    """Of a fact what has to be met; of a timer too, where it is said."""
    after: Annotated[int, Ge(1), Le(MAX_DAYS)] | None = None
    """Of a timer, the working days after the stage was entered."""
    task: Key | None = None
    """A task or deliverable of the stage, which is due only then; or a flexible node of the process, which is added."""
    support: Key | None = None
    """A support type of the stage, of which help is asked."""
    notify: Annotated[tuple[str, ...], MaxLen(10)] = ()
    """Who gets a notice: owner, manager (whoever leads the owner), or a role that the stage names, of which everybody
    does."""
    template: Template | None = None
    """What those who are notified are to use."""


@value
class StageOutline:
    """What is said of every stage, whoever stands in it."""

    key: Key
    name: str
    purpose: str
    guidance: str | None = None
    """What somebody new has to know."""
    buyer_stage: str | None = None
    """The stage of the buyer that it mirrors."""
    responsible: str = "rep"
    """The role that does the work."""
    accountable: str | None = None
    """The role that answers for it; default: nobody else."""
    supporting: tuple[str, ...] = ()
    """The roles that are consulted."""
    informed: tuple[str, ...] = ()
    """The roles that are told what came of it."""
    support: Annotated[tuple[SupportType, ...], MaxLen(30)] = ()
    """What may be asked of other departments."""
    step: Step | None = None
    tasks: tuple[Node, ...] = ()
    deliverables: tuple[Node, ...] = ()


@value
class Stage(StageOutline):
    """One stage of a deal: what it is for, how likely a deal in it is won, and what its gates ask."""

    probability: Annotated[Exact, Ge(0), Le(1)]
    category: Annotated[str, words(("omitted", "pipeline", "best-case", "commit"))]
    """The forecast category that the stage maps to."""
    entry: tuple[Criterion, ...] = ()
    exit: tuple[Criterion, ...] = ()
    max_days: Annotated[int, Ge(1), Le(MAX_DAYS)] = 30
    idle_days: Annotated[int, Ge(1), Le(MAX_DAYS)] = 3
    skippable: bool = False
    drafts_contract: bool = False
    """A contract is drafted when a deal enters this stage (CON-1)."""
    checkpoint: bool = False
    """Whether a deal is qualified anew in this stage (DEAL-5)."""
    rules: Annotated[tuple[StageRule, ...], MaxLen(30)] = ()
    """What happens by itself."""
    moves: Literal["by-hand", "by-itself"] = "by-hand"
    """Whether a deal that is ready to move on does so by itself."""
    exit_approval: ApprovalChain | None = None
    """Who has to approve that a deal goes on from here, beside the criteria of its exit; without it nobody (DEAL-2)."""


@value
class OutsideRule:
    """What happens by itself in a stage before there is a deal, or after it is won: when, and exactly one of `task` and
    `notify`. It happens once (PROC-1)."""

    key: Key
    name: str
    """Why it happens, for whoever reads it at the task or in the notice."""
    on: Literal["entry", "timer"]
    """entry: once the stage is entered; timer: once `after` working days are over."""
    after: Annotated[int, Ge(1), Le(MAX_DAYS)] | None = None
    """Of a timer, the working days after the stage was entered."""
    unless: Key | None = None
    """Of a timer, a task or deliverable of the stage: where that is done by then, nothing happens."""
    task: Key | None = None
    """A task or deliverable of the stage, which is due only then."""
    notify: Annotated[tuple[str, ...], MaxLen(10)] = ()
    """Who gets a notice: owner, manager (whoever leads the owner), or a role that the stage names, of which everybody
    does."""
    template: Template | None = None
    """What those who are notified are to use."""


@value
class Touchpoint:
    """Where and how the buyer meets us in a stage of their journey."""

    key: Key
    name: str
    kind: Literal["online", "offline", "internal"]
    """internal: what the buyer does not see, like the hand-over between two departments."""
    importance: Annotated[int, Ge(1), Le(5)]
    """How much it decides whether the buyer goes on; 5 is most."""
    urgency: Annotated[int, Ge(1), Le(5)]
    """How soon it has to be right; 5 is soonest."""


@value
class JourneyStage:
    """What a stage of the buyer's journey is like for them, and what we do there (PROC-7)."""

    key: Key
    """The stage of the buyer: awareness, interest, evaluation, decision, use, repurchase or churn."""
    needs: Annotated[tuple[str, ...], MaxLen(30)] = ()
    """What the buyer wants there."""
    pains: Annotated[tuple[str, ...], MaxLen(30)] = ()
    """What is hard for them."""
    channels: Annotated[tuple[str, ...], MaxLen(30)] = ()
    """By which ways they are reached."""
    touchpoints: Annotated[tuple[Touchpoint, ...], MaxLen(30)] = ()
    action: str | None = None
    """What we do."""
    responsible: str | None = None
    """The role that does it."""
    deliverable: str | None = None
    """What the buyer has in hand afterwards."""


LeadMilestone = Literal["captured", "assigned", "worked-on"]
ContractMilestone = Literal["signed", "in-force"]
LEAD_MILESTONES: tuple[LeadMilestone, ...] = get_args(LeadMilestone)
"""What a stage of leads begins with, in their order: somebody showed interest, somebody has it, somebody logged an
activity."""
CONTRACT_MILESTONES: tuple[ContractMilestone, ...] = get_args(ContractMilestone)
"""What a stage of contracts begins with, in their order."""


@value
class OutsideStage(StageOutline):
    """A stage before there is a deal, or after it is won: no deal stands in it.

    Where it says what it begins with, leads or contracts enter it by that: its work falls due, and its rules apply.
    That work is not gated. Otherwise it only says what is to be done.
    """

    max_days: Annotated[int, Ge(1), Le(MAX_DAYS)] | None = None
    begins: LeadMilestone | ContractMilestone | None = None
    """The milestone by which it is entered: of a stage of leads captured, assigned or worked-on (the first activity),
    of one of contracts signed or in-force. A lead leaves it for the next one, or with its end; a contract with the last
    of what it requires."""
    rules: Annotated[tuple[OutsideRule, ...], MaxLen(30)] = ()
    """What happens by itself once it has begun."""


@value
class FactDefinition:
    """A fact that people note on a deal, and that criteria may ask for."""

    key: Key
    name: str
    kind: Literal["yes-no", "number", "text"]
    """number: an integer, or a decimal as a string."""


@value
class ProcessDefinition:
    """A whole process: its stages in order, those of the lead first, then the deal's, then the contract's. Winning is
    an outcome, not a stage."""

    key: Key
    name: str
    lead_stages: Annotated[tuple[OutsideStage, ...], MaxLen(30)] = ()
    """Those before there is a deal."""
    stages: Annotated[tuple[Stage, ...], MinLen(1), MaxLen(30)]
    """Those that a deal stands in."""
    contract_stages: Annotated[tuple[OutsideStage, ...], MaxLen(30)] = ()
    """Those of a deal that was won."""
    flexible_nodes: Annotated[tuple[FlexibleNode, ...], MaxLen(30)] = ()
    """What may be added to one deal."""
    facts: tuple[FactDefinition, ...] = ()
    """What is noted on deals of this process, beside the facts that follow from the deal itself."""
    can_move_back: bool = True
    journey: Annotated[tuple[JourneyStage, ...], MaxLen(7)] = ()
    """The journey of the buyer, stage by stage; of one that is not there, nothing is said."""

    @property
    def parts(self) -> tuple[Stage | FlexibleNode, ...]:
        """What has work and gates for deals: its stages, and its flexible nodes."""
        return (*self.stages, *self.flexible_nodes)

    @property
    def outside_stages(self) -> tuple[OutsideStage, ...]:
        """Those that no deal stands in: of leads, then of contracts."""
        return (*self.lead_stages, *self.contract_stages)

    @property
    def every_stage(self) -> tuple[StageOutline, ...]:
        """All of them, in order."""
        return (*self.lead_stages, *self.stages, *self.contract_stages)

    def stage(self, key: str) -> Stage:
        """The stage of a key; KeyError when there is none."""
        return self.stages[self.index(key)]

    def index(self, key: str) -> int:
        """The place of a stage in the order; KeyError when there is none."""
        for index, stage in enumerate(self.stages):
            if stage.key == key:
                return index
        raise KeyError(key)


def work_of(part: StageOutline | FlexibleNode) -> Iterator[tuple[str, Node]]:
    """The work of a stage or a flexible node, each with what it is: its tasks, then its deliverables."""
    yield from (("task", node) for node in part.tasks)
    yield from (("deliverable", node) for node in part.deliverables)
