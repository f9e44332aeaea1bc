"""The built-in *full* process (PROC-1), as data: eight stages from the first interest to the customer's next one.

Leads stand in the first two, deals in the next four, contracts in the last two; won is the outcome between them.
"""

from decimal import Decimal
from uuid import UUID

from services.deals.domain.process.full_journey import JOURNEY
from services.deals.domain.process.writing import criterion, done
from shared.events.criteria import Predicate
from shared.events.process import (
    FactDefinition,
    FlexibleNode,
    Node,
    OutsideRule,
    OutsideStage,
    ProcessDefinition,
    Stage,
    StageRule,
    Step,
    SupportType,
    Template,
)

FULL_ID = UUID("5b1a5c1e-7a57-5d0c-9a51-000000000002")
"""The same in every deployment."""

LEAD_IN = OutsideStage(
    key="lead-in",
    name="Lead in",
    purpose="Answer everybody who shows interest at once, and learn whether there is anything to talk about.",
    guidance="Whoever asked is with you for minutes: call first, read up afterwards. Ask more than you answer.",
    buyer_stage="awareness",
    supporting=("marketing",),
    informed=("manager",),
    support=(
        SupportType(key="market-report", name="Report on the customer's industry", department="marketing", days=3),
    ),
    step=Step(
        what="Answer the inbound interest and note who is asking, for whom and why now.",
        who="The rep whom the lead was assigned to; marketing gives the source and what was sent before.",
        when="Within three minutes of working time; a first talk on the same day.",
        why="Whoever waits asks somebody else: every later stage lives on the leads that are reached here.",
        how="Call, then write. Check whether company or person is known already.",
    ),
    tasks=(
        Node(
            key="first-answer",
            name="Answer the interest",
            standard="Within three minutes of working time, by telephone",
            due_days=0,
        ),
        Node(
            key="check-fit", name="Check whether the company is one that we can help", standard="Industry, size, region"
        ),
    ),
    deliverables=(Node(key="lead-record", name="Record of the lead: source, person, reason", reference="lead-record"),),
    max_days=3,
    begins="captured",
    rules=(
        OutsideRule(
            key="unanswered",
            name="Nobody answered the interest within a working day",
            on="timer",
            after=1,
            unless="first-answer",
            notify=("owner", "manager"),
        ),
    ),
)

NURTURE = OutsideStage(
    key="nurture",
    name="Nurture",
    purpose="Stay useful until the customer has a need, a budget and a way to decide.",
    guidance="Send what helps their day, not what we have to sell. Every contact ends with the next one.",
    buyer_stage="interest",
    supporting=("marketing", "product"),
    support=(
        SupportType(key="market-report", name="Report on the customer's industry", department="marketing", days=3),
        SupportType(key="custom-case", name="Case of a similar customer", department="product", days=2),
    ),
    step=Step(
        what="Find out whether a need is stated, what it may cost, and who decides.",
        who="The rep; marketing keeps the cadence of what is sent.",
        when="A contact every one to two weeks, as long as it takes.",
        why="A diagnosis without need, budget or somebody who decides wears out presales, and ends in no decision.",
        how="Industry reports, cases of neighbours, invitations; one question about their plans each time.",
    ),
    tasks=(
        Node(
            key="keep-contact", name="Keep in contact", standard="One useful contact every two weeks, with a next day"
        ),
        Node(
            key="ask-for-need", name="Learn need, budget and who decides", standard="Each in the customer's own words"
        ),
    ),
    deliverables=(
        Node(key="nurture-record", name="Record of need, budget and decision chain", reference="nurture-record"),
    ),
    begins="worked-on",
    rules=(
        OutsideRule(
            key="no-contact",
            name="No contact for two weeks: send something useful, and agree on the next day",
            on="timer",
            after=10,
            unless="keep-contact",
            notify=("owner",),
        ),
    ),
)

KEY_ACTIONS = ("situation", "problem", "implication", "need-payoff")

NEEDS_DIAGNOSIS = Stage(
    key="needs-diagnosis",
    name="Needs diagnosis",
    purpose="Understand with the customer what hurts, what that leads to, and what a cure is worth.",
    guidance="Four talks in one: situation, problem, implication, need. Do not present before the last: whoever does "
    "answers questions that nobody asked.",
    buyer_stage="interest",
    probability=Decimal("0.20"),
    category="pipeline",
    accountable="manager",
    supporting=("presales", "marketing"),
    informed=("product",),
    support=(
        SupportType(key="market-report", name="Report on the customer's industry", department="marketing", days=3),
        SupportType(key="expert-talk", name="A talk with a specialist", department="presales", days=2),
    ),
    step=Step(
        what="Ask in the order situation, problem, implication, need-payoff, and write down the customer's words.",
        who="The rep leads; presales joins where the problem is technical.",
        when="Two to four talks within three weeks.",
        why="Solution and price are held against this: a gap here comes back as an objection in negotiation.",
        how="Open questions; silence after each; a summary that the customer corrects.",
    ),
    tasks=(
        Node(
            key="situation",
            name="Situation: know the customer's background",
            standard="5–8 open questions about the current situation, until no key gap is left",
            due_days=5,
            entry=(
                done("intent-to-cooperate", "The customer means to work with us", "intent_to_cooperate"),
                criterion(
                    "nurture-passed",
                    "Nurturing was passed: the deal came from a lead, or it is noted",
                    any_of=(("lead", "known", None), ("nurture_passed", "is", True)),
                ),
            ),
            exit=(criterion("no-key-gap", "No key gap is left", "background_gaps", "at-most", 0),),
            deliverable="background-record",
        ),
        Node(
            key="problem",
            name="Problem: have the customer name the pains",
            standard="3–5 questions, until the customer names at least two pains",
            due_days=10,
            entry=(done("background-complete", "The background is complete", "task.situation"),),
            exit=(criterion("two-pains", "The customer named at least two pains", "pains", "at-least", 2),),
            deliverable="pain-list",
        ),
        Node(
            key="implication",
            name="Implication: agree on what the pains lead to",
            standard="2–3 questions, until the severity is agreed",
            due_days=15,
            entry=(
                done("pains-clear", "The pains are clear", "task.problem"),
                done("willing-to-solve", "The customer is willing to solve them", "willing_to_solve"),
            ),
            exit=(done("severity-agreed", "The severity is agreed", "severity_agreed"),),
            deliverable="impact-analysis",
        ),
        Node(
            key="need-payoff",
            name="Need-payoff: have the customer set the goal",
            standard='2–3 questions, until there is an explicit goal such as "+15 % efficiency"',
            due_days=15,
            entry=(done("consequences-known", "The consequences are known", "task.implication"),),
            exit=(criterion("goal-stated", "The customer stated an explicit goal", "goal", "known"),),
            deliverable="needs-confirmation",
        ),
    ),
    deliverables=(
        Node(key="background-record", name="Record of the customer's background", reference="background-record"),
        Node(key="pain-list", name="List of the customer's pains", reference="pain-list"),
        Node(key="impact-analysis", name="Analysis of what the pains lead to", reference="impact-analysis"),
        Node(key="needs-confirmation", name="Needs confirmation, seen by the customer", reference="needs-confirmation"),
    ),
    entry=(done("intent-stated", "The customer means to work with us", "intent_to_cooperate"),),
    exit=(
        done("needs-confirmed", "The needs confirmation is there", "task.need-payoff"),
        criterion("budget-known", "The budget is known", "budget", "known"),
        done("decision-chain-known", "The decision chain is known", "decision_chain_known"),
    ),
    max_days=21,
    checkpoint=True,
    rules=(
        StageRule(
            key="question-guide",
            name="The four talks begin",
            on="entry",
            notify=("owner",),
            template=Template(key="question-guide", name="Guide of questions for the four talks"),
        ),
        StageRule(
            key="untouched",
            name="Nobody touched the needs analysis for three working days",
            on="timer",
            after=3,
            when=Predicate(
                all_of=(
                    Predicate(fact="activities_in_stage", operator="at-most", value=0),
                    *(Predicate(fact=f"task.{key}", operator="is", value=False) for key in KEY_ACTIONS),
                )
            ),
            notify=("manager",),
        ),
    ),
)

SOLUTION = Stage(
    key="solution",
    name="Solution",
    purpose="Show the customer a cure for what they named, and what it is worth to them.",
    guidance="Speak of their goal first and of our product second. Every page answers one pain from the list.",
    buyer_stage="evaluation",
    probability=Decimal("0.40"),
    category="pipeline",
    accountable="manager",
    supporting=("presales", "product", "delivery"),
    support=(
        SupportType(key="solution-design", name="Design of the solution", department="presales", days=5),
        SupportType(key="custom-case", name="Case of a similar customer", department="product", days=2),
        SupportType(key="feasibility", name="Whether and when it can be delivered", department="delivery"),
    ),
    step=Step(
        what="Design the solution, prove it by a case or a demonstration, and have it weighed.",
        who="The rep; presales designs, delivery says what can be done by when.",
        when="Two to four weeks; a demonstration takes fifteen minutes.",
        why="What the deciders did not see here they will strike out in negotiation.",
        how="Demonstrate with the customer's data and goal; collect objections in the room.",
    ),
    tasks=(
        Node(
            key="design-solution",
            name="Design the solution",
            standard="Each pain of the list has its answer",
            due_days=10,
        ),
        Node(
            key="demonstrate",
            name="Demonstrate it to who decides",
            standard="15 minutes, on the customer's goal; every decider was there or was told",
            due_days=15,
        ),
        Node(key="reference-visit", name="Visit a reference customer", required=False, due_days=20),
    ),
    deliverables=(
        Node(key="solution-document", name="The solution, with its benefit in figures", reference="solution-document"),
        Node(key="quotation", name="The quotation as sent", reference="quotation", proposal=True),
    ),
    entry=(criterion("goal-known", "The customer's goal is known", "goal", "known"),),
    exit=(
        done("demonstrated", "The solution was demonstrated", "task.demonstrate"),
        done("solution-there", "The solution document is there", "deliverable.solution-document"),
        done("quotation-sent", "The quotation was sent", "deliverable.quotation"),
        done("solution-accepted", "The customer accepts the solution", "solution_accepted"),
    ),
    max_days=30,
    checkpoint=True,
    rules=(
        StageRule(
            key="custom-solution",
            name="The customer needs what we have not built before",
            on="fact",
            when=Predicate(fact="custom_solution", operator="is", value=True),
            task="custom-solution-approval",
        ),
    ),
)

NEGOTIATION = Stage(
    key="negotiation",
    name="Negotiation",
    purpose="Agree on price, terms and risks with everybody who has to agree.",
    guidance="Trade, never give: each discount buys a term, a date or a reference. Know before what you will not do.",
    buyer_stage="evaluation",
    probability=Decimal("0.70"),
    category="best-case",
    accountable="manager",
    supporting=("finance", "legal", "delivery"),
    informed=("sales-director",),
    support=(
        SupportType(key="price-approval", name="Approval of a special price", department="finance"),
        SupportType(key="terms-review", name="Review of deviating terms", department="legal"),
    ),
    step=Step(
        what="Settle price, payment, delivery and service, and what happens when something goes wrong.",
        who="The rep; the manager for concessions, finance and legal for terms.",
        when="One to three weeks.",
        why="What is left open here returns in the contract, and delays the money.",
        how="One list of open points, seen by both sides, shorter after every talk.",
    ),
    tasks=(
        Node(
            key="settle-terms",
            name="Settle the commercial terms",
            standard="Price, payment plan, delivery and service confirmed in writing",
            due_days=10,
        ),
        Node(
            key="win-supporter",
            name="Have a supporter among the deciders",
            standard="Somebody with a say speaks for us when we are not there",
            due_days=10,
        ),
    ),
    deliverables=(Node(key="terms-sheet", name="Sheet of the agreed terms", reference="terms-sheet"),),
    entry=(criterion("amount-stated", "The amount is known", "amount", "above", 0),),
    exit=(
        done("terms-settled", "The commercial terms are settled", "task.settle-terms"),
        done("terms-sheet-there", "The sheet of terms is there", "deliverable.terms-sheet"),
        criterion("close-date-known", "The expected close date is known", "expected_close", "known"),
    ),
    max_days=21,
    checkpoint=True,
)

CONTRACT = Stage(
    key="contract",
    name="Contract",
    purpose="Turn the agreement into a contract that both sides sign.",
    guidance="Nothing commercial is opened again. Whoever has to sign has it in hand with a day.",
    buyer_stage="decision",
    probability=Decimal("0.90"),
    category="commit",
    accountable="sales-director",
    supporting=("legal", "finance"),
    informed=("delivery", "customer-service"),
    support=(SupportType(key="legal-review", name="Review of the contract", department="legal"),),
    step=Step(
        what="Draft, have it approved, and sign.",
        who="The rep; legal words it, direction approves it.",
        when="Within two weeks.",
        why="Delivery and the first invoice begin with the signature.",
        how="Our template first; deviations on one page for legal.",
    ),
    tasks=(
        Node(key="legal-review", name="Have the contract reviewed", standard="Review by legal on file", due_days=10),
        Node(
            key="signing-day",
            name="Agree on the day of signing",
            standard="Both signatories named, with a day",
            due_days=10,
        ),
    ),
    deliverables=(Node(key="contract-draft", name="The draft as sent to the customer", reference="contract"),),
    entry=(done("terms-agreed", "The commercial terms are settled", "task.settle-terms"),),
    exit=(
        done("draft-sent", "The draft was sent", "deliverable.contract-draft"),
        done("reviewed", "Legal reviewed it", "task.legal-review"),
    ),
    max_days=21,
    rules=(
        StageRule(
            key="ask-for-review",
            name="The contract is drafted, and is to be reviewed before it is sent",
            on="entry",
            support="legal-review",
        ),
    ),
    drafts_contract=True,
)

DELIVERY = OutsideStage(
    key="delivery",
    name="Delivery",
    purpose="Give the customer what was sold, when it was promised.",
    guidance="The rep stays the face until the first use. Bad news travels the day that it is known.",
    buyer_stage="use",
    responsible="delivery",
    supporting=("rep", "finance"),
    informed=("customer-service",),
    step=Step(
        what="Hand over, deliver by the milestones of the contract, and have them accepted.",
        who="Delivery; the rep introduces them, finance invoices what was accepted.",
        when="By the days of the contract.",
        why="An accepted milestone is an invoice; a late one is a reason not to buy again.",
        how="A start meeting, one list of milestones, a word after each.",
    ),
    tasks=(
        Node(
            key="start-meeting",
            name="Hold the start meeting",
            standard="Customer, delivery and rep; within five working days",
            due_days=5,
        ),
        Node(key="acceptance", name="Have the delivery accepted", standard="In writing, by whom the contract names"),
    ),
    deliverables=(Node(key="acceptance-record", name="Record of acceptance", reference="acceptance-record"),),
    begins="signed",
    rules=(
        OutsideRule(
            key="hand-over",
            name="The contract is signed: hand the customer over, and agree on the start meeting",
            on="entry",
            notify=("owner", "delivery"),
        ),
        OutsideRule(
            key="no-start",
            name="The start meeting was not held within five working days",
            on="timer",
            after=5,
            unless="start-meeting",
            notify=("manager", "delivery"),
        ),
    ),
)

AFTER_SALES = OutsideStage(
    key="after-sales",
    name="After-sales",
    purpose="See that the customer reaches the goal that was agreed, and buys again.",
    guidance="Call before they do. A complaint that is answered within a day is the best reference.",
    buyer_stage="repurchase",
    responsible="customer-service",
    supporting=("rep", "product"),
    support=(
        SupportType(key="after-sales-answer", name="Answer to the customer", department="customer-service", days=1),
    ),
    step=Step(
        what="Answer within 24 hours, call back, measure the goal, and ask for the next need.",
        who="Customer service; the rep for what is next.",
        when="An answer within 24 hours, a call back each quarter.",
        why="A customer who buys again costs a fraction of a new one.",
        how="One call, three questions: does it work, did you reach the goal, what comes next.",
    ),
    tasks=(
        Node(
            key="call-back",
            name="Call the customer back",
            standard="Does it work, is the goal reached, what comes next",
            due_days=5,
        ),
        Node(
            key="measure-goal",
            name="Measure the goal with the customer",
            standard="The figure that was agreed, then and now",
        ),
    ),
    deliverables=(
        Node(key="satisfaction-record", name="Record of the customer's satisfaction", reference="satisfaction"),
    ),
    begins="in-force",
    rules=(
        OutsideRule(
            key="first-call-back",
            name="The contract has been in force for a quarter: call the customer back",
            on="timer",
            after=60,
            task="call-back",
        ),
    ),
)

CUSTOM_SOLUTION = FlexibleNode(
    key="custom-solution-approval",
    name="Approval of a custom solution",
    stages=("solution", "negotiation"),
    guidance="Called for when the customer needs what we have not built before: nothing of it is promised until "
    "delivery has said what it takes, and somebody with the authority agreed.",
    tasks=(
        Node(
            key="assess-custom-solution",
            name="Have the custom solution assessed",
            standard="Difficulty, duration and reservations, in writing, by delivery and product",
            due_days=5,
            deliverable="custom-solution-assessment",
        ),
        Node(
            key="approve-custom-solution",
            name="Have the custom solution approved",
            standard="By whoever answers for product and margin, with the conditions",
            due_days=7,
            entry=(done("custom-solution-assessed", "It was assessed", "task.assess-custom-solution"),),
        ),
    ),
    deliverables=(
        Node(
            key="custom-solution-assessment",
            name="Assessment of the custom solution",
            due_days=5,
            reference="custom-solution-assessment",
        ),
    ),
    exit=(done("custom-solution-approved", "The custom solution is approved", "task.approve-custom-solution"),),
)

FULL = ProcessDefinition(
    key="full",
    name="Full",
    lead_stages=(LEAD_IN, NURTURE),
    stages=(NEEDS_DIAGNOSIS, SOLUTION, NEGOTIATION, CONTRACT),
    contract_stages=(DELIVERY, AFTER_SALES),
    flexible_nodes=(CUSTOM_SOLUTION,),
    facts=(
        FactDefinition(key="intent_to_cooperate", name="The customer means to work with us", kind="yes-no"),
        FactDefinition(
            key="nurture_passed", name="Need, budget and decision chain were clear before the deal", kind="yes-no"
        ),
        FactDefinition(key="background_gaps", name="Key gaps left in the customer's background", kind="number"),
        FactDefinition(key="pains", name="Pains that the customer named", kind="number"),
        FactDefinition(key="willing_to_solve", name="The customer is willing to solve them", kind="yes-no"),
        FactDefinition(key="severity_agreed", name="The severity is agreed", kind="yes-no"),
        FactDefinition(key="goal", name="The goal that the customer stated", kind="text"),
        FactDefinition(key="budget", name="Budget, in the company's currency", kind="number"),
        FactDefinition(key="decision_chain_known", name="The decision chain is known", kind="yes-no"),
        FactDefinition(key="custom_solution", name="The customer needs a custom solution", kind="yes-no"),
        FactDefinition(key="solution_accepted", name="The customer accepts the solution", kind="yes-no"),
        FactDefinition(key="competitors", name="Who else is asked", kind="text"),
    ),
    journey=JOURNEY,
)
