"""The rules of leads that people set (policies)."""

from collections.abc import Iterator, Mapping

from shared.domain.criteria import criteria_faults
from shared.domain.policy import Policy, policies
from shared.domain.rejection import Reason
from shared.domain.roles import OPERATIONS, Reach, Role, permission
from shared.domain.working_time.hours import faults, usual_hours
from shared.events.criteria import Criterion, Predicate
from shared.events.leads.policy import FollowUps, LeadPolicySet, NurturingExit, RequiredFacts
from shared.events.working_hours import WorkingHours

STEERING = permission({Role.SALES_OPERATIONS: Reach.ALL, Role.SALES_DIRECTOR: Reach.ALL, Role.MARKETING: Reach.ALL})

FACTS: Mapping[str, str] = {
    "need_stated": "yes-no",
    "budget": "number",
    "decision_chain_known": "yes-no",
    "timeline": "text",
    "intent_to_cooperate": "yes-no",
}
"""What is known of a lead's qualification, and its kind."""


def _exit_faults(document: NurturingExit) -> Iterator[Reason]:
    return criteria_faults(document.criteria, FACTS, "criteria")


NURTURING_EXIT = Policy(
    "nurturing-exit",
    NurturingExit,
    default=NurturingExit(
        criteria=(
            Criterion(
                key="need-stated",
                name="The need is stated",
                when=Predicate(fact="need_stated", operator="is", value=True),
            ),
            Criterion(
                key="budget",
                name="The budget is at least 500 000",
                when=Predicate(fact="budget", operator="at-least", value="500000"),
            ),
            Criterion(
                key="decision-chain",
                name="The decision chain is known",
                when=Predicate(fact="decision_chain_known", operator="is", value=True),
            ),
        )
    ),
    allow=STEERING,
    faults=_exit_faults,
    example={
        "criteria": [
            {
                "key": "budget",
                "name": "The budget is at least 200 000",
                "when": {"fact": "budget", "operator": "at-least", "value": "200000"},
            }
        ]
    },
)


WORKING_HOURS = Policy(
    "working-hours",
    WorkingHours,
    default=lambda company: usual_hours(company.calendar),
    allow=OPERATIONS,
    faults=faults,
    example={
        "shifts": [
            {"weekday": "monday", "start": "08:00", "end": "12:00"},
            {"weekday": "monday", "start": "13:00", "end": "17:00"},
            {"weekday": "tuesday", "start": "08:00", "end": "17:00"},
        ],
        "timezone": "Europe/Berlin",
        "place": "DE-BY",
    },
)

FOLLOW_UPS = Policy(
    "follow-ups",
    FollowUps,
    default=FollowUps(),
    allow=STEERING,
    example={"reminders": True, "remind_again_after": 1, "tell_manager_after": 5},
)


def _repeated(document: RequiredFacts) -> Iterator[Reason]:
    for name in ("of_leads", "of_accounts"):
        facts = getattr(document, name)
        for index, fact in enumerate(facts):
            if fact in facts[:index]:
                yield Reason(code="repeated", message=f"{fact} is required once.", field=f"{name}.{index}")


REQUIRED_FACTS = Policy(
    "required-facts",
    RequiredFacts,
    default=RequiredFacts(
        of_leads=("email_or_phone", "company", "source", "owner"),
        of_accounts=("industry", "country", "contact_email"),
    ),
    allow=STEERING,
    faults=_repeated,
    example={
        "of_leads": ["email_or_phone", "company", "source", "owner", "country"],
        "of_accounts": ["industry", "country", "contact_email"],
    },
)

POLICIES = policies("lead", LeadPolicySet, NURTURING_EXIT, WORKING_HOURS, FOLLOW_UPS, REQUIRED_FACTS)
