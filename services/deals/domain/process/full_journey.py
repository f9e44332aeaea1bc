"""The buyer's journey of the built-in *full* process (PROC-7), as data: seven stages from awareness on."""

from shared.events.process import JourneyStage, Touchpoint

AWARENESS = JourneyStage(
    key="awareness",
    needs=("Put a name to what goes wrong", "Know whether others have it, too"),
    pains=("Many say that they can help, and few say with what",),
    channels=("Web site", "Trade fair", "Recommendation"),
    touchpoints=(
        Touchpoint(key="first-answer", name="First answer to an enquiry", kind="offline", importance=5, urgency=5),
        Touchpoint(key="web-page", name="Page about the problem", kind="online", importance=4, urgency=2),
        Touchpoint(key="lead-assigned", name="The enquiry reaches a rep", kind="internal", importance=4, urgency=5),
    ),
    action="Answer within minutes, and ask what made them ask.",
    responsible="rep",
    deliverable="A short answer that names their problem",
)

INTEREST = JourneyStage(
    key="interest",
    needs=("See what a cure could be worth", "Talk to somebody who knows their trade"),
    pains=("No figures of their own", "Nobody inside has asked for a budget yet"),
    channels=("Telephone", "E-mail", "Webinar"),
    touchpoints=(
        Touchpoint(key="needs-talk", name="Talk about needs", kind="offline", importance=5, urgency=4),
        Touchpoint(key="industry-report", name="Report on their industry", kind="online", importance=3, urgency=3),
        Touchpoint(key="webinar", name="Webinar with a customer", kind="online", importance=3, urgency=2),
    ),
    action="Find out pains, goal and who decides, in their own words.",
    responsible="rep",
    deliverable="The needs confirmation",
)

EVALUATION = JourneyStage(
    key="evaluation",
    needs=("Compare offers by what counts for them", "Be sure that it works at a place like theirs"),
    pains=("Offers that cannot be compared", "Deciders who were not in the room"),
    channels=("Meeting", "Visit", "E-mail"),
    touchpoints=(
        Touchpoint(key="demonstration", name="Demonstration to who decides", kind="offline", importance=5, urgency=4),
        Touchpoint(key="quotation", name="The quotation", kind="online", importance=5, urgency=5),
        Touchpoint(key="reference-visit", name="Visit of a reference", kind="offline", importance=4, urgency=2),
        Touchpoint(key="solution-design", name="Design by presales", kind="internal", importance=4, urgency=4),
    ),
    action="Prove the benefit by a case and a demonstration with their data.",
    responsible="rep",
    deliverable="The solution, with its benefit in figures",
)

DECISION = JourneyStage(
    key="decision",
    needs=("Terms that all who sign can stand for", "A day on which it begins"),
    pains=("Legal and procurement come last, and ask first",),
    channels=("Meeting", "E-mail"),
    touchpoints=(
        Touchpoint(key="terms-talk", name="Talk about terms", kind="offline", importance=5, urgency=5),
        Touchpoint(key="contract-draft", name="Draft of the contract", kind="online", importance=4, urgency=4),
        Touchpoint(key="contract-review", name="Review by legal", kind="internal", importance=4, urgency=5),
    ),
    action="Keep one list of open points, and close one a day.",
    responsible="rep",
    deliverable="The contract, ready to be signed",
)

USE = JourneyStage(
    key="use",
    needs=("Have it work on the day that was promised", "Know whom to call"),
    pains=("Those who sold it are gone", "Nobody measures whether the goal is reached"),
    channels=("Start meeting", "Hotline", "Visit"),
    touchpoints=(
        Touchpoint(key="start-meeting", name="Start meeting", kind="offline", importance=5, urgency=5),
        Touchpoint(key="acceptance", name="Acceptance", kind="offline", importance=4, urgency=3),
        Touchpoint(key="hotline", name="Answer of the hotline", kind="online", importance=4, urgency=5),
        Touchpoint(key="hand-over", name="Hand-over to delivery", kind="internal", importance=4, urgency=4),
    ),
    action="Deliver by the milestones, and tell of bad news on the same day.",
    responsible="delivery",
    deliverable="The record of acceptance",
)

REPURCHASE = JourneyStage(
    key="repurchase",
    needs=("See that the goal was reached", "Buy again without starting anew"),
    pains=("Being called only when something is to be sold",),
    channels=("Telephone", "Visit"),
    touchpoints=(
        Touchpoint(key="review-talk", name="Review of the goal", kind="offline", importance=5, urgency=3),
        Touchpoint(key="reference-request", name="Asking for a reference", kind="offline", importance=3, urgency=2),
    ),
    action="Measure the goal with them, and ask what comes next.",
    responsible="customer-service",
    deliverable="The figure that was agreed, then and now",
)

CHURN = JourneyStage(
    key="churn",
    needs=("Be heard", "Leave without losing data or face"),
    pains=("Complaints that nobody answered",),
    channels=("Telephone", "Letter"),
    touchpoints=(
        Touchpoint(key="exit-talk", name="Talk about why they leave", kind="offline", importance=5, urgency=4),
        Touchpoint(key="lessons", name="What is learned from it", kind="internal", importance=4, urgency=2),
    ),
    action="Ask why, put right what can be, and stay on good terms.",
    responsible="customer-service",
    deliverable="An answer to every complaint",
)

JOURNEY = (AWARENESS, INTEREST, EVALUATION, DECISION, USE, REPURCHASE, CHURN)
