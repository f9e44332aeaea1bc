"""Loader of references: whom and what a command names, in what this service knows from the events of leads (API-1)."""

from typing import Any
from uuid import UUID

from shared.commands.loaders import LoaderContext
from shared.directory.accounts import KNOWN_ACCOUNTS
from shared.domain.context import Context
from shared.domain.permissions import sees
from shared.domain.references import References
from shared.domain.roles import READING

FOUND = """
    select exists (select from {organisation}.member where member_id = $1 and left_on is null) as member,
           exists (select from {organisation}.team where team_id = $2) as team,
           a.id as account_id, a.owner as account_owner, a.team as account_team
      from (values (1)) as one left join {view}.account a on a.id = $3
"""


async def references(reader: LoaderContext, state: Any, command: Any, context: Context) -> References:
    """Whether the command's `owner` or `member`, its `team` and its `account_id` are known here.

    Who asks is known, and so are the teams that they reach: a command that names nobody else costs no round trip.
    """
    actor = context.actor
    named: UUID | None = getattr(command, "owner", None) or getattr(command, "member", None)
    member = None if named == actor.member else named
    stated: UUID | None = getattr(command, "team", None)
    team = None if stated == actor.team or stated in actor.teams else stated
    account: UUID | None = getattr(command, "account_id", None) or None
    if member is None and team is None and account is None:
        return References()
    (row,) = await reader.fetch(KNOWN_ACCOUNTS, FOUND, member, team, account)
    visible = row["account_id"] is not None and sees(actor, READING, row["account_owner"], row["account_team"])
    return References(
        member=member is None or row["member"],
        team=team is None or row["team"],
        account=account is None or visible,
    )
