"""The route of a deal's qualification: what was found out, and what is left of it today (DEAL-5)."""

from dataclasses import dataclass, fields
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Response

from services.deals.domain.deal import deal
from services.deals.domain.deal import qualification as rules
from services.deals.domain.deal.answering import EventKind
from services.deals.domain.deal.exits import ExitCause
from services.deals.domain.deal.state import AnyDeal, OpenDeal
from services.deals.domain.policies import POLICIES, QUALIFICATION
from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.aggregate import carried
from shared.domain.policy import Counts
from shared.domain.roles import READING
from shared.events.deals.policy import QualificationRule
from shared.events.definition import Exact
from shared.events.money import Money
from shared.http.handwritten import CurrentActor, CurrentService, answer, handwritten, operation
from shared.http.headers import etag
from shared.http.json import answer_shape
from shared.service.policy_routes import in_force_today

router = handwritten()


@dataclass(frozen=True, slots=True, kw_only=True)
class QualifyingAnswer:
    """Something that was found out about a deal. Texts that were erased are null."""

    answer_id: UUID
    found_on: date
    by: UUID | None
    """Who said so."""
    evidence: str | None
    strength: Exact
    """What is left of it today: 1 when it is new, half as much after each half-life."""
    renew_on: date
    """The day on which it is weaker than the policy allows, and has to be found out anew."""


@answer_shape
class PainAnswer(QualifyingAnswer):
    """A pain of the customer; severity from 1 to 5."""

    text: str | None
    severity: int


@answer_shape
class InactionAnswer(QualifyingAnswer):
    """What happens when nothing is done, and what a month of delay costs the customer."""

    consequence: str | None
    cost_of_delay: Money | None


@answer_shape
class CustomerEventAnswer(QualifyingAnswer):
    """What compels the customer to decide, or keeps them from it."""

    kind: EventKind
    text: str | None
    day: date | None


@answer_shape
class BudgetAnswer(QualifyingAnswer):
    """What the customer can spend."""

    amount: Money


@answer_shape
class CompetitionAnswer(QualifyingAnswer):
    """Who else is asked; nobody where the list is empty."""

    competitors: list[str]


@answer_shape
class RequirementAnswer(QualifyingAnswer):
    """What the customer asks for, and whether we have it."""

    text: str | None
    matched: bool


@answer_shape
class RiskAnswer(QualifyingAnswer):
    """What may go wrong, and what is done about it; likelihood and impact from 1 to 5."""

    text: str | None
    likelihood: int
    impact: int
    exposure: int
    """Likelihood × impact."""
    response: str | None


@answer_shape
class StandingExit:
    """An exit that is proposed, and about which somebody has to decide."""

    cause: ExitCause
    on: date
    answer_id: UUID | None
    """The insurmountable event that brought it about."""
    expected_value: Money
    """Amount × probability, when it was proposed."""
    remaining_cost: Money | None


@answer_shape
class DealQualification:
    """What is known of the customer's case, and how much of it still holds. `version` is that of the deal."""

    id: UUID
    version: int
    as_of: date
    """The company's day by which strengths are reckoned."""
    pains: list[PainAnswer]
    inaction: InactionAnswer | None
    customer_events: list[CustomerEventAnswer]
    budget: BudgetAnswer | None
    competition: CompetitionAnswer | None
    requirements: list[RequirementAnswer]
    risks: list[RiskAnswer]
    """By likelihood × impact, the greatest first."""
    missing: list[rules.Topic]
    """The questions that nobody has answered."""
    strength: Exact | None
    """That of the weakest answer; null without answers."""
    renewal_due: date | None
    """The day on which the first answer has to be found out anew; null without answers."""
    fit: Exact | None
    """Matched ÷ stated requirements; null when none is stated."""
    exit: StandingExit | None
    cost_of_idle_day: Money | None
    """What a day costs on which nothing happens, in the deal's currency: amount × drop of the probability to win +
    carrying cost; null once the deal is closed."""
    policy_version: int
    """The version of the policy qualification by which an idle day is reckoned; 0 is the default."""


@router.get(
    "/v1/deals/{id}/qualification",
    **operation(roles=READING, reads=(ORGANISATION,), answers=DealQualification, problems=("not-found",)),
)
async def deal_qualification(
    asking: CurrentActor, service: CurrentService, deal_id: Annotated[UUID, Path(alias="id")]
) -> Response:
    """Show what was found out about a deal, and how strong it is today.

    An answer is half as strong after each half-life of the policy that counted when it was given. All of them are as
    strong as the weakest.
    """
    held = await service.commands.seen(deal, deal_id, asking)
    in_force = await in_force_today(service, POLICIES, QUALIFICATION)
    rule = in_force.of(team=held.state.team, process=held.state.process_id)
    found = qualification_of(held.state, held.sequence, in_force.on, rule)
    return answer(found, headers={"ETag": etag(held.sequence)})


def qualification_of(state: AnyDeal, version: int, today: date, rule: Counts[QualificationRule]) -> DealQualification:
    """What was found out about a deal, and what is left of it on a day."""
    known = state.qualification

    def shown(kind: type[rules.Answer], shape: type[Any]) -> list[Any]:
        return [_shown(each, shape, today) for each in rules.of_kind(kind, known)]

    def only(kind: type[rules.Answer], shape: type[Any]) -> Any:
        return next(iter(shown(kind, shape)), None)

    return DealQualification(
        id=state.id,
        version=version,
        as_of=today,
        pains=shown(rules.Pain, PainAnswer),
        inaction=only(rules.Inaction, InactionAnswer),
        customer_events=shown(rules.CustomerEvent, CustomerEventAnswer),
        budget=only(rules.Budget, BudgetAnswer),
        competition=only(rules.Competition, CompetitionAnswer),
        requirements=shown(rules.Requirement, RequirementAnswer),
        risks=[_shown(risk, RiskAnswer, today) for risk in rules.by_exposure(rules.of_kind(rules.Risk, known))],
        missing=rules.missing(known),
        strength=rules.overall_strength(known, today),
        renewal_due=rules.renewal_due(known),
        fit=rules.fit(rules.of_kind(rules.Requirement, known)),
        exit=_standing(known.standing_exit),
        cost_of_idle_day=rules.cost_of_idle_day(state.amount, rule.document) if isinstance(state, OpenDeal) else None,
        policy_version=rule.version,
    )


def _shown(told: rules.Answer, shape: type[Any], today: date) -> Any:
    """An answer as it is published, with what is left of it."""
    left: dict[str, Any] = {"strength": rules.strength_on(told, today), "renew_on": told.fades.renew_on}
    known = {each.name: getattr(told, each.name) for each in fields(shape) if each.name not in left}
    return shape(**known, **left)


def _standing(proposal: rules.ExitProposal | None) -> StandingExit | None:
    return StandingExit(**carried(proposal, StandingExit)) if proposal else None
