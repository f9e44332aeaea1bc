"""What handlers of forecast need beyond their own state."""

import asyncio
from typing import Any

from services.forecast.domain.address import ConfirmationCode, ConfirmNoticeAddress, Standing, code_of
from services.forecast.domain.notice import AcknowledgedNotice, ReadNotice, UnreadNotice, notice
from services.forecast.domain.occasion import (
    Audience,
    NoOccasion,
    OpenOccasion,
    RaiseNotices,
    Recipient,
    RenameNotices,
    SettleNotices,
    ToldNotices,
    WaitingNotices,
)
from services.forecast.domain.preference import is_muted, notice_preference, preference_of
from shared.commands.loaders import LoaderContext, reads
from shared.directory.hierarchy import leaders, leaders_of_role
from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.context import Context

CONCERNED = """
select member_id from {view}.member
 where left_on is null and subject is distinct from $3 and member_id <> all($5::uuid[])
   and (role = any($1::text[]) or member_id = any($2::uuid[]) or subject = $4)
 order by member_id
"""


@reads(ORGANISATION)
async def audience(reader: LoaderContext, state: Any, command: RaiseNotices, context: Context) -> Audience:
    """Whom something concerns, as far as the organisation is known by now, and who of them has muted that. With an
    owner the nearest who leads them is concerned, too, else the nearest who leads the team; so it is with others of
    whom that is said, and with a department."""
    led = [(command.owner, command.team)] if command.owner or command.team else []
    led += [(each, None) for each in command.led]
    leading = [each for one in led for each in (await leaders(reader, *one))[:1]]
    heads = await leaders_of_role(reader, command.department) if command.department else ()
    unled = [command.department] if command.department and not heads else []
    named = [each for each in (command.owner, *leading, *heads, *command.members) if each]
    roles = [*command.roles, *unled]
    unconcerned = list(command.not_members)
    rows = await reader.fetch(ORGANISATION, CONCERNED, roles, named, command.not_to, command.to, unconcerned)
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


async def told_notices(reader: LoaderContext, state: Any, command: RenameNotices, context: Context) -> ToldNotices:
    """Every notice of an occasion, whatever became of it."""
    notices = () if isinstance(state, NoOccasion) else state.told
    states = await asyncio.gather(*(reader.state(notice, each) for each in notices))
    return ToldNotices(notices=tuple(each for each, _ in states))


async def confirmation_code(
    reader: LoaderContext, state: Standing, command: ConfirmNoticeAddress, context: Context
) -> ConfirmationCode:
    """The code that was sent to the address that is to be confirmed."""
    return code_of(reader.keyed_hash, state.mailbox_id)
