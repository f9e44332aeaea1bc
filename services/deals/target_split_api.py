"""The route of the split of a target: the whole, its parts, what they come to, and the difference (PROC-4)."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from asyncpg import Record
from fastapi import Query, Response

from services.deals.domain.policies import POLICIES, TARGETS
from services.deals.domain.target import MONEY_KINDS, SETTING_TARGETS
from services.deals.domain.target_split import COMPANY, TargetSplit, Whose, whole_of
from services.deals.projections.target_splits import OF_PERIODS
from services.deals.projections.targets import TARGET_PROJECTION
from shared.directory.hierarchy import teams_above
from shared.directory.narrowing import NAMES, TEAM
from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.context import Actor, Company
from shared.domain.money import rounded
from shared.domain.periods import Period
from shared.domain.permissions import may
from shared.events.deals.target import SummedKind
from shared.events.definition import Exact
from shared.events.money import Money
from shared.http.context import ServiceContext
from shared.http.handwritten import CurrentActor, CurrentService, answer, handwritten, operation
from shared.http.json import answer_shape
from shared.http.problems import Problem
from shared.http.query_parameters import Id
from shared.projections.errors import InvalidQuery, invalid
from shared.service.policy_routes import in_force_today

router = handwritten()

NOT_A_PERIOD = "A period is a fiscal year, a quarter of one, or a month, like 2026, 2026-Q4 or 2026-11."


@answer_shape
class TargetValue:
    """How much is wanted: an amount of what is money, else a number."""

    amount: Money | None
    number: Exact | None


@answer_shape
class TargetOfPart:
    """A target of a team, or of a rep who sits in the team."""

    target_id: UUID
    level: Literal["team", "rep"]
    team: UUID
    member: UUID | None
    value: TargetValue


@answer_shape
class TargetOfPeriod:
    """The target of a quarter or month; null where none is set."""

    period: str
    value: TargetValue | None


@answer_shape
class SplitOfTarget:
    """How a target is split. `difference` is what no part has, below zero where the parts exceed the whole, null
    without a whole."""

    period: str
    kind: SummedKind
    team: UUID | None
    """The team whose target it is; null for the company's."""
    rule: Literal["warn", "refuse"]
    """What becomes of parts that exceed their whole, by the policy targets."""
    whole: TargetValue | None
    parts: list[TargetOfPart]
    sum: TargetValue
    difference: TargetValue | None
    is_exceeded: bool
    periods: list[TargetOfPeriod]
    """The quarters of a year, the months of a quarter. Whatever the policy says, they are only shown."""
    sum_of_periods: TargetValue
    difference_of_periods: TargetValue | None
    """What no part of the period has; null without a whole, and where none of them has a target."""


AskedPeriod = Annotated[
    str, Query(description="A fiscal year, its quarter, or a month: 2026, 2026-Q4, 2026-11.", examples=["2026-Q4"])
]
AskedKind = Annotated[SummedKind, Query(description="What is wanted; of these, parts add up.")]
OfTeam = Annotated[Id | None, Query(description="The team whose target is split. Default: the company's.")]


@router.get(
    "/v1/target-split",
    **operation(roles=SETTING_TARGETS, reads=(TARGET_PROJECTION.name, ORGANISATION), answers=SplitOfTarget),
)
async def target_split(
    asking: CurrentActor,
    service: CurrentService,
    period: AskedPeriod,
    kind: AskedKind = "revenue",
    team: OfTeam = None,
) -> Response:
    """Show a target beside its parts, and what they come to.

    The company consists of the teams that none stands above, a team of the teams below it and of its reps. Managers are
    shown the splits of their teams.
    """
    company = service.settings.company
    wanted = _period(period, company)
    await _check(asking, service, team)
    parts = {part.name: part for part in wanted.parts}
    rule = (await in_force_today(service, POLICIES, TARGETS)).of().document
    async with service.projections.reading([TARGET_PROJECTION.name, ORGANISATION]) as snapshot:
        rows = await snapshot(TARGET_PROJECTION).fetch(OF_PERIODS, kind, [period, *parts])
    above = await teams_above(service.projections.lookup)
    whose: Whose = COMPANY if team is None else ("team", team)
    own = {row["period"]: row for row in rows if (row["level"], row["team"]) == whose}
    below = [row for row in rows if row["period"] == period and whole_of(row["level"], row["team"], above) == whose]
    split, by_period = (
        _split(own.get(period), below),
        _split(own.get(period), [own[each] for each in parts if each in own]),
    )
    value = _Values(kind, company)
    return answer(
        SplitOfTarget(
            period=period,
            kind=kind,
            team=team,
            rule=rule.split,
            whole=value.of(split.whole),
            parts=[
                TargetOfPart(
                    target_id=row["id"],
                    level=row["level"],
                    team=row["team"],
                    member=row["member"],
                    value=value(row["value"]),
                )
                for row in below
            ],
            sum=value(split.sum),
            difference=value.of(split.difference),
            is_exceeded=split.excess > 0,
            periods=[
                TargetOfPeriod(period=each, value=value(own[each]["value"]) if each in own else None) for each in parts
            ],
            sum_of_periods=value(by_period.sum),
            difference_of_periods=value.of(by_period.difference if by_period.parts else None),
        )
    )


def _period(name: str, company: Company) -> Period:
    try:
        return company.fiscal_year.period(name)
    except ValueError:
        raise InvalidQuery([invalid("period", "not-a-period", NOT_A_PERIOD)]) from None


async def _check(asking: Actor, service: ServiceContext, team: UUID | None) -> None:
    """Refuse the split of the company, and of a team of others, to whoever does not set their targets; and a team that
    nobody knows."""
    if refusal := may(asking, SETTING_TARGETS, None, team):
        raise Problem("not-allowed", refusal)
    if team is not None and team not in await service.organisation.named([team], []):
        raise InvalidQuery([invalid(TEAM, *NAMES[TEAM])])


def _split(whole: Record | None, parts: Iterable[Record]) -> TargetSplit:
    return TargetSplit(whole=None if whole is None else whole["value"], parts=[part["value"] for part in parts])


@dataclass(frozen=True, slots=True)
class _Values:
    """Figures of a kind as they are shown."""

    kind: str
    company: Company

    def __call__(self, value: Decimal) -> TargetValue:
        if self.kind not in MONEY_KINDS:
            return TargetValue(amount=None, number=value)
        currency = self.company.currency
        return TargetValue(amount=Money(amount=rounded(value, currency), currency=currency), number=None)

    def of(self, value: Decimal | None) -> TargetValue | None:
        """One that may be missing."""
        return None if value is None else self(value)
