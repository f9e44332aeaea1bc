"""The built-in *short* process (PROC-1), as data: four stages on the way to a won deal."""

from decimal import Decimal
from uuid import UUID

from services.deals.domain.process.writing import criterion, done
from shared.events.process import FactDefinition, Node, ProcessDefinition, Stage

SHORT_ID = UUID("5b1a5c1e-7a57-5d0c-9a51-000000000001")
"""The same in every deployment."""


INITIAL_CONTACT = Stage(
    key="initial-contact",
    name="Initial contact",
    purpose="Find out whether there is a reason to talk on, and with whom.",
    guidance="Ask and listen; do not present yet. End every talk with a next step that has a day.",
    buyer_stage="awareness",
    probability=Decimal("0.10"),
    category="pipeline",
    supporting=("marketing",),
    tasks=(
        Node(
            key="first-conversation",
            name="Hold a first conversation",
            standard="5–8 open questions about the current situation",
            due_days=5,
        ),
        Node(key="background-research", name="Research the customer's background", required=False, due_days=5),
    ),
    deliverables=(
        Node(key="contact-record", name="Record of the first contact", required=False, reference="contact-record"),
    ),
    exit=(
        done("conversation-held", "The first conversation was held", "task.first-conversation"),
        done("next-step-planned", "A next step is planned", "next_step_planned"),
    ),
    max_days=14,
)

NEEDS_CONFIRMED = Stage(
    key="needs-confirmed",
    name="Needs confirmed",
    purpose="Agree with the customer on what hurts, what it is worth to cure, and who decides.",
    guidance="Let the customer name the pains and their consequences; write down their words, not ours.",
    buyer_stage="interest",
    probability=Decimal("0.30"),
    category="pipeline",
    supporting=("presales",),
    tasks=(
        Node(
            key="explore-pains",
            name="Explore the pains",
            standard="3–5 questions until the customer names at least two pains",
            due_days=10,
        ),
        Node(
            key="clarify-decision",
            name="Clarify who decides, and how",
            standard="Every person in the decision, with role and stance",
            due_days=10,
        ),
    ),
    deliverables=(
        Node(key="needs-confirmation", name="Needs confirmation, seen by the customer", reference="needs-confirmation"),
    ),
    exit=(
        done("need-stated", "The customer stated the need", "need_stated"),
        criterion("budget-known", "The budget is known", "budget", "known"),
        done("decision-chain-known", "The decision chain is known", "decision_chain_known"),
        done("needs-confirmed", "The needs confirmation is there", "deliverable.needs-confirmation"),
    ),
    max_days=21,
)

QUOTATION = Stage(
    key="quotation",
    name="Quotation",
    purpose="Show what the customer gets for which price, and have it weighed against doing nothing.",
    guidance="Walk through the quotation in person. A price without its value only invites a discount.",
    buyer_stage="evaluation",
    probability=Decimal("0.50"),
    category="best-case",
    supporting=("presales", "product"),
    tasks=(
        Node(
            key="present-quotation",
            name="Present the quotation",
            standard="In person or by video, to everybody who decides",
            due_days=10,
        ),
        Node(key="handle-objections", name="Answer the objections", required=False, due_days=15),
    ),
    deliverables=(Node(key="quotation", name="The quotation as sent", reference="quotation", proposal=True),),
    exit=(
        done("quotation-sent", "The quotation was sent", "deliverable.quotation"),
        done("quotation-presented", "The quotation was presented", "task.present-quotation"),
        criterion("amount-known", "The amount is known", "amount", "above", 0),
        criterion("close-date-known", "The expected close date is known", "expected_close", "known"),
    ),
    max_days=21,
    skippable=True,
)

CONTRACT_DRAFTING = Stage(
    key="contract-drafting",
    name="Contract drafting",
    purpose="Turn the agreement into a contract that both sides sign.",
    guidance="Bring in legal early; settle commercial terms before wording.",
    buyer_stage="decision",
    probability=Decimal("0.80"),
    category="commit",
    supporting=("legal", "finance"),
    tasks=(
        Node(
            key="agree-terms",
            name="Agree on the commercial terms",
            standard="Price, payment plan and delivery confirmed in writing",
            due_days=10,
        ),
        Node(key="legal-review", name="Have the contract reviewed", standard="Review by legal on file", due_days=15),
    ),
    deliverables=(Node(key="contract-draft", name="The draft as sent to the customer", reference="contract"),),
    entry=(criterion("amount-stated", "The amount is known", "amount", "above", 0),),
    exit=(
        done("terms-agreed", "The commercial terms are agreed", "task.agree-terms"),
        done("draft-sent", "The draft was sent", "deliverable.contract-draft"),
    ),
    max_days=30,
    drafts_contract=True,
)

SHORT = ProcessDefinition(
    key="short",
    name="Short",
    stages=(INITIAL_CONTACT, NEEDS_CONFIRMED, QUOTATION, CONTRACT_DRAFTING),
    facts=(
        FactDefinition(key="need_stated", name="The customer stated the need", kind="yes-no"),
        FactDefinition(key="pains", name="Pains that the customer named", kind="number"),
        FactDefinition(key="budget", name="Budget, in the company's currency", kind="number"),
        FactDefinition(key="decision_chain_known", name="The decision chain is known", kind="yes-no"),
        FactDefinition(key="timeline", name="When the customer wants to decide", kind="text"),
        FactDefinition(key="competitors", name="Who else is asked", kind="text"),
    ),
)
