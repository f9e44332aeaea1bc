"""What handlers of forecast need beyond their own state."""

import asyncio
from typing import Any

from services.forecast.domain.notice import AcknowledgedNotice, ReadNotice, UnreadNotice, notice
from services.forecast.domain.occasion import (
    Audience,
    OpenOccasion,
    RaiseNotices,
    Recipient,
    SettleNotices,
    WaitingNotices,
)
from services.forecast.domain.preference import is_muted, notice_preference, preference_of
from shared.commands.loaders import LoaderContext, reads
from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.context import Context

# Whoever leads somebody is the manager of their team, or of the nearest one above that is led by somebody else.
CONCERNED = """
with recursive above(team_id, manager_id, parent_id, depth) as (
    select t.team_id, t.manager_id, t.parent_id, 0 from {view}.team t
     where t.team_id = coalesce((select m.team_id from {view}.member m where m.member_id = $1), $2)
    union all
    select t.team_id, t.manager_id, t.parent_id, a.depth + 1 from above a join {view}.team t on t.team_id = a.parent_id
     where a.depth < 100
), leader as (
    select m.member_id from above a join {view}.member m on m.member_id = a.manager_id
     where m.left_on is null and m.member_id is distinct from $1 order by a.depth limit 1
)
select m.member_id from {view}.member m
 where m.left_on is null and m.subject is distinct from $4
   and (m.member_id = $1 or m.role = any($3::text[]) or m.member_id in (select member_id from leader)
        or m.member_id = any($5::uuid[]))
 order by m.member_id
"""


@reads(ORGANISATION)
async def audience(reader: LoaderContext, state: Any, command: RaiseNotices, context: Context) -> Audience:
    """Whom something concerns, as far as the organisation is known by now, and who of them has muted that."""
    asked = (command.owner, command.team, list(command.roles), command.not_to, list(command.members))
    rows = await reader.fetch(ORGANISATION, CONCERNED, *asked)
    members = [row["member_id"] for row in rows]
    stated = await asyncio.gather(*(reader.state(notice_preference, preference_of(member)) for member in members))
    return Audience(
        recipients=tuple(
            Recipient(member_id=member, muted=is_muted(state, command.kind, context.today))
            for member, (state, _) in zip(members, stated, strict=True)
        )
    )


async def waiting_notices(
    reader: LoaderContext, state: Any, command: SettleNotices, context: Context
) -> WaitingNotices:
    """The notices of an occasion that are not settled, of everybody or of the member that is named."""
    notices = state.notices if isinstance(state, OpenOccasion) else ()
    states = await asyncio.gather(*(reader.state(notice, each) for each in notices))
    return WaitingNotices(
        notices=tuple(
            each
            for each, _ in states
            if isinstance(each, UnreadNotice | ReadNotice | AcknowledgedNotice)
            and command.member in (None, each.member_id)
        )
    )
