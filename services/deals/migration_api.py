"""The route of a migration that is tried: what would become of each deal, and nothing is written (PROC-2)."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Path, Query, Response

from services.deals.domain.deal import deal
from services.deals.domain.deal.state import Deal
from services.deals.domain.process import process
from services.deals.domain.process_migration import process_migration
from services.deals.domain.process_migration.running import Tried, try_deal
from services.deals.domain.process_migration.state import AnyProcessMigration
from services.deals.projections.deals import DEAL_PROJECTION
from services.deals.projections.exchange_rates import EXCHANGE_RATE_PROJECTION
from services.deals.projections.migrating import next_deals, step_of, target_of
from shared.commands.loaders import LookUp
from shared.commands.request import NotFound
from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.rejection import Rejected
from shared.domain.roles import OPERATIONS
from shared.events.deals.deal import DueNode, UnmetCriterion, WaivedCriterion
from shared.events.deals.deal_migration import CarriedFlexibleNode, CarriedNode, DroppedNode
from shared.http.context import ServiceContext
from shared.http.handwritten import CurrentActor, CurrentService, answer, handwritten, operation
from shared.http.headers import etag
from shared.http.json import answer_shape
from shared.http.lists.paging import Paging, pages_of

router = handwritten()

USUAL, MOST = 50, 200
"""The deals of a page. With totals, all are looked at, in parts of the greatest page."""


@answer_shape
class TriedDeal:
    """What would become of a deal."""

    deal_id: UUID
    name: str
    owner: UUID | None
    team: UUID | None
    outcome: Literal["migrated", "refused"]
    reason: Literal["criteria-unmet", "deal-is-closed", "other-version", "stage-not-mapped"] | None
    """Why it would stay as it is."""
    process_version: int
    """The version that it follows."""
    stage_before: str
    stage: str | None
    """The stage that it would stand in; null of one that stays."""
    unmet: list[UnmetCriterion]
    """What the entry of that stage asks, and the deal does not meet."""
    waived: list[WaivedCriterion]
    """What of that is waived."""
    carried: list[CarriedNode]
    """Tasks and deliverables that stay, with their evidence."""
    dropped: list[DroppedNode]
    """Tasks and deliverables that would be none of the deal any more."""
    due: list[DueNode]
    """What would fall due newly, were it today."""
    flexible_nodes: list[CarriedFlexibleNode]
    """Flexible nodes that would go on binding it."""
    flexible_nodes_ended: list[str]
    """Flexible nodes that would bind it no more, by their keys."""
    facts_ended: list[str]
    waivers_ended: list[WaivedCriterion]


@answer_shape
class TrialTotals:
    """What would become of all deals of the migration."""

    deals: int
    migrated: int
    refused: int
    stages: dict[str, int]
    """How many deals would stand in each stage of the new version."""
    reasons: dict[str, int]
    """How many would stay as they are, by the reason."""
    unmet: dict[str, int]
    """How many do not meet a criterion of the entry of their new stage, by its key."""
    dropped: int
    """Tasks and deliverables of all of them that would go."""
    due: int
    """Tasks and deliverables that would fall due newly."""


@answer_shape
class MigrationTrial:
    """What would become of the open deals of a migration, in the order of their ids. `version` is that of the
    migration."""

    id: UUID
    version: int
    as_of: date
    """The company's day on which it was tried."""
    items: list[TriedDeal]
    next: str | None
    has_more: bool
    totals: TrialTotals | None
    """Of all of them, where they were asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A migration that is tried, with both processes as they are."""

    service: ServiceContext
    plan: AnyProcessMigration
    source: Any
    target: Any
    today: date

    @property
    def fetch(self) -> LookUp:
        """Reads the projections."""
        return self.service.projections.lookup

    async def of(self, ids: Sequence[UUID]) -> list[tuple[Deal, Tried]]:
        """What would become of these deals."""
        company = self.service.settings.company
        held = await self.service.commands.states(deal, ids)
        deals = [held[each].state for each in ids]
        step = await step_of(self.fetch, self.plan, self.source, self.target, deals, company.currency, self.today)
        return [(each, try_deal(self.plan, each, step, self.today, company)) for each in deals]


@router.get(
    "/v1/process-migrations/{id}/trial",
    **operation(
        roles=OPERATIONS,
        reads=(DEAL_PROJECTION.name, ORGANISATION, EXCHANGE_RATE_PROJECTION.name),
        answers=MigrationTrial,
        problems=("not-found", "refused"),
    ),
)
async def try_process_migration(
    asking: CurrentActor,
    service: CurrentService,
    migration_id: Annotated[UUID, Path(alias="id")],
    paging: Annotated[Paging, Depends(pages_of(USUAL, MOST))],
    totals: Annotated[
        bool, Query(description="Whether to count what would become of all deals; each of them is looked at for it.")
    ] = False,
) -> Response:
    """Try a migration: what would become of each deal that is open now and that it has not come to. Nothing is written.

    The rules are those of the run, so what is said of a deal happens to it, unless somebody works with it before.
    """
    held = await service.commands.state(process_migration, migration_id)
    if isinstance(held.state, process_migration.start):
        raise NotFound(process_migration.name, migration_id)
    trial = await _trial(service, held.state)
    after = paging.behind(tuple[UUID])
    begin = after[0] if after else trial.plan.after
    ids = await next_deals(trial.fetch, trial.plan, begin, paging.enough)
    page = paging.cut(ids, lambda each: (each,))
    found = MigrationTrial(
        id=migration_id,
        version=held.sequence,
        as_of=trial.today,
        items=[_shown(known, tried) for known, tried in await trial.of(page.rows)],
        next=page.next,
        has_more=page.has_more,
        totals=await _totals(trial) if totals else None,
    )
    return answer(found, headers={**page.headers, "ETag": etag(held.sequence)})


async def _trial(service: ServiceContext, plan: AnyProcessMigration) -> Trial:
    """Raises Rejected where the version that deals were to follow is none any more."""
    states = partial(service.commands.state, process)
    source, target = await asyncio.gather(states(plan.process_id), states(plan.to_process_id))
    if target_of(target.state).published(plan.to_version) is None:
        raise Rejected("target-gone", "The process that the deals were to follow was retired.")
    today = service.settings.company.day(service.clock.now())
    return Trial(service=service, plan=plan, source=source.state, target=target.state, today=today)


async def _totals(trial: Trial) -> TrialTotals:
    tried: list[Tried] = []
    after = trial.plan.after
    while ids := await next_deals(trial.fetch, trial.plan, after, MOST):
        tried += [each for _, each in await trial.of(ids)]
        after = ids[-1]
    return totals_of(tried)


def totals_of(tried: Iterable[Tried]) -> TrialTotals:
    """What deals come to that were tried."""
    every = list(tried)
    facts = [each.fact for each in every if each.fact is not None]
    return TrialTotals(
        deals=len(every),
        migrated=len(facts),
        refused=len(every) - len(facts),
        stages=_counted(each.stage for each in facts),
        reasons=_counted(each.told.reason for each in every if each.told.reason is not None),
        unmet=_counted(criterion.criterion for each in every for criterion in each.told.unmet),
        dropped=sum(len(each.dropped) for each in facts),
        due=sum(len(each.nodes) for each in facts),
    )


def _counted(keys: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(keys).items()))


def _shown(state: Deal, tried: Tried) -> TriedDeal:
    told, fact = tried.told, tried.fact
    return TriedDeal(
        deal_id=told.deal_id,
        name=state.name,
        owner=told.owner,
        team=told.team,
        outcome=told.outcome,  # type: ignore[arg-type]  # one of the words of the event
        reason=told.reason,  # type: ignore[arg-type]  # as above
        process_version=told.process_version,
        stage_before=told.stage_before,
        stage=told.stage,
        unmet=list(told.unmet),
        waived=list(fact.waived) if fact else [],
        carried=list(fact.carried) if fact else [],
        dropped=list(fact.dropped) if fact else [],
        due=list(fact.nodes) if fact else [],
        flexible_nodes=list(fact.flexible_nodes) if fact else [],
        flexible_nodes_ended=list(fact.flexible_nodes_ended) if fact else [],
        facts_ended=list(fact.facts_ended) if fact else [],
        waivers_ended=list(fact.waivers_ended) if fact else [],
    )
