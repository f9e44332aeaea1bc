"""Look-ups of the splits of targets: which targets are parts of which, for decisions and for whoever asks (PROC-4)."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from services.deals.domain.policies import POLICIES
from services.deals.domain.target import (
    CLAIM,
    SUMMED_KINDS,
    ChangeTarget,
    OpenTarget,
    PlaceInSplits,
    SetTarget,
    key_of,
    target,
)
from services.deals.domain.target_split import Whose, whole_of
from services.deals.projections.targets import TARGET_PROJECTION
from shared.commands.loaders import LoaderContext, reads
from shared.directory.hierarchy import teams_above
from shared.directory.organisation import NAME as ORGANISATION
from shared.directory.policies import provided_by
from shared.domain.context import Context
from shared.domain.policy import InForce
from shared.events.deals.policy import TargetRule

OF_PERIODS = """
select id, period, level, team, member, coalesce(amount, number) as value from {view}.target
 where kind = $1 and period = any($2) order by level, id
"""

RULE = provided_by(POLICIES)[InForce[TargetRule]]


@reads(ORGANISATION, TARGET_PROJECTION.name)
async def place_in_splits(
    reader: LoaderContext, state: object, command: SetTarget | ChangeTarget, context: Context
) -> PlaceInSplits:
    """The whole of a target, the other parts of that one and its own parts, each as it stands now, where the policy
    refuses parts that exceed it; else nothing.

    The list of targets lags: what was noted in a whole is added to it. Two parts that are set at once both write to the
    stream of the whole, so that the second is decided again.
    """
    rule = await RULE(reader, state, command, context)
    kind = state.kind if isinstance(state, OpenTarget) else getattr(command, "kind", "")
    if rule.of().document.split != "refuse" or kind not in SUMMED_KINDS:
        return PlaceInSplits()
    period, level, team, member = _about(state, command)
    above = await teams_above(reader.fetch)
    listed = await reader.fetch(TARGET_PROJECTION, OF_PERIODS, kind, [period])
    others, whole = list[OpenTarget](), None
    belongs = whole_of(level, team, above)
    if belongs is not None:
        whole = await _held(reader, kind, period, belongs)
        known = [] if whole is None else whole.parts
        others = await _parts(
            reader, [*(row["id"] for row in listed if _of(row, above) == belongs), *known], above, belongs
        )
    own: Whose = (level, {"team": team, "rep": member}.get(level))
    noted = state.parts if isinstance(state, OpenTarget) else ()
    parts = await _parts(reader, [*(row["id"] for row in listed if _of(row, above) == own), *noted], above, own)
    return PlaceInSplits(
        is_guarded=True,
        whole=None if whole is None else whole.id,
        whole_value=None if whole is None else whole.value,
        others=tuple(each.value for each in others if each.id != context.aggregate_id),
        parts=tuple(each.value for each in parts),
    )


def _about(state: object, command: SetTarget | ChangeTarget) -> tuple[str, str, UUID | None, UUID | None]:
    """The period, the level, the team and the member of a target that is set or changed."""
    if isinstance(command, SetTarget):
        return command.period, command.level, command.team, command.member
    if isinstance(state, OpenTarget):
        return state.period, state.level, state.team, state.owner
    raise LookupError("what is not there is not changed")


def _of(row: Mapping[str, object], above: Mapping[UUID, UUID]) -> Whose | None:
    team = row["team"]
    return whole_of(str(row["level"]), team if isinstance(team, UUID) else None, above)


async def _held(reader: LoaderContext, kind: str, period: str, whose: Whose) -> OpenTarget | None:
    """The target of somebody, if there is one."""
    level, of = whose
    holder = await reader.claim_holder(CLAIM, key_of(kind, period, level, of or ""))
    found = (await reader.state(target, holder))[0] if holder else None
    return found if isinstance(found, OpenTarget) else None


async def _parts(
    reader: LoaderContext, ids: Iterable[UUID], above: Mapping[UUID, UUID], whose: Whose
) -> list[OpenTarget]:
    """Those of some targets that are parts of a whole, each as it stands now."""
    found = [(await reader.state(target, each))[0] for each in sorted(set(ids))]
    return [each for each in found if isinstance(each, OpenTarget) and whole_of(each.level, each.team, above) == whose]
