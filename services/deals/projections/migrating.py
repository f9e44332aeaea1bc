"""What a migration is given: the processes at both ends, and the open deals that come next, in the order of their
ids."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from services.deals.domain.deal import deal
from services.deals.domain.deal.migration import MigrateDeal, TargetProcess
from services.deals.domain.deal.state import Deal
from services.deals.domain.process import process
from services.deals.domain.process.publishing import versions
from services.deals.domain.process.state import FollowedProcess, Version
from services.deals.domain.process_migration.planning import MigrationEnds, PlanProcessMigration
from services.deals.domain.process_migration.running import STEP, MigrationStep
from services.deals.domain.process_migration.state import AnyProcessMigration
from services.deals.projections.deals import DEAL_PROJECTION
from services.deals.projections.exchange_rates import EXCHANGE_RATE_PROJECTION
from services.deals.projections.lookups import conversion_of, pending_of
from shared.commands.loaders import LoaderContext, LookUp, reads
from shared.commands.request import Busy
from shared.directory.hierarchy import line_of, teams_above
from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.context import Context

NEXT = """
select id from {view}.deal
 where status = 'open' and process_id = $1 and process_version = any($2::integer[])
   and ($3::uuid is null or id > $3) and ($4::uuid[] is null or team = any($4))
 order by id limit $5
"""
BEGUN = "select from {view}.migration where id = $1"
"""Of a migration whose start the list of deals holds: then it holds every deal that was open before."""


async def target_process(reader: LoaderContext, state: Deal, command: MigrateDeal, context: Context) -> TargetProcess:
    """The process that a deal is to follow."""
    found, _ = await reader.state(process, command.process_id or state.process_id)
    return target_of(found)


async def migration_ends(
    reader: LoaderContext, state: Any, command: PlanProcessMigration, context: Context
) -> MigrationEnds:
    """The processes at both ends of a plan."""
    source, _ = await reader.state(process, command.process_id)
    target, _ = await reader.state(process, command.to_process_id or command.process_id)
    return MigrationEnds(source=by_number(source), target=target_of(target))


@reads(DEAL_PROJECTION.name, ORGANISATION, EXCHANGE_RATE_PROJECTION.name)
async def migration_step(
    reader: LoaderContext, state: AnyProcessMigration, command: Any, context: Context
) -> MigrationStep:
    """The deals that come next, as they are now. Raises Busy while the list does not hold all that were open when the
    migration was started: it is as far in a moment."""
    if not await reader.fetch(DEAL_PROJECTION, BEGUN, state.id):
        raise Busy("The list of deals has not come to the start of the migration.")
    ids = await next_deals(reader.fetch, state, state.after, STEP + 1)
    found = await asyncio.gather(*(reader.state(deal, each) for each in ids[:STEP]))
    deals = [each for each, _ in found]
    (source, _), (target, _) = await asyncio.gather(
        reader.state(process, state.process_id), reader.state(process, state.to_process_id)
    )
    step = await step_of(reader.fetch, state, source, target, deals, context.company.currency, context.today)
    pending = await pending_of(reader, [each for known in deals for each in known.submissions])
    return replace(step, pending=pending, has_more=len(ids) > STEP)


async def next_deals(fetch: LookUp, plan: AnyProcessMigration, after: UUID | None, number: int) -> Sequence[UUID]:
    """The ids of the open deals of a plan that follow one."""
    teams = await _with_those_below(fetch, plan.teams) if plan.teams else None
    rows = await fetch(DEAL_PROJECTION, NEXT, plan.process_id, list(plan.process_versions), after, teams, number)
    return [row["id"] for row in rows]


async def step_of(  # noqa: PLR0917
    fetch: LookUp,
    plan: AnyProcessMigration,
    source: Any,
    target: Any,
    deals: Iterable[Deal],
    currency: str,
    today: date,
) -> MigrationStep:
    """Some deals, with what they are judged by: the states of both processes, and the rates of today."""
    known = tuple(deals)
    return MigrationStep(
        deals=known,
        source=by_number(source),
        target=target_of(target).published(plan.to_version),
        conversion=await conversion_of(fetch, [each.amount.currency for each in known], currency, today),
    )


def target_of(found: Any) -> TargetProcess:
    """A process as one to be followed; one that was retired is none."""
    return (
        TargetProcess(id=found.id, versions=found.versions) if isinstance(found, FollowedProcess) else TargetProcess()
    )


def by_number(found: Any) -> Mapping[int, Version]:
    """The versions that deals follow, retired or not."""
    return {each.number: each for each in versions(found)}


async def _with_those_below(fetch: LookUp, teams: Sequence[UUID]) -> list[UUID]:
    above = await teams_above(fetch)
    wanted = set(teams)
    return sorted({team for team in (*above, *teams) if not wanted.isdisjoint(line_of(team, above))})
