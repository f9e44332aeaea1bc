"""What every service knows of the things of leads that commands name (API-1)."""

from shared.commands.references import Listed
from shared.directory.accounts import KNOWN_ACCOUNTS
from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.roles import READING

PEOPLE = (
    Listed(
        thing="member",
        projection=ORGANISATION,
        rows="""
    select member_id as id, null::uuid as owner, team_id as team, null::uuid as account_id
      from {organisation}.member where member_id = any($1) and left_on is null
""",
    ),
    Listed(
        thing="team",
        projection=ORGANISATION,
        rows="""
    select team_id as id, null::uuid as owner, null::uuid as team, null::uuid as account_id
      from {organisation}.team where team_id = any($1)
""",
    ),
)
"""Members who have not left, with the team that they sit in, and teams."""

ACCOUNTS = Listed(
    thing="account",
    projection=KNOWN_ACCOUNTS.name,
    rows="select id, owner, team, null::uuid as account_id from {known_accounts}.account where id = any($1)",
    readers=READING,
)
"""Accounts, for services that project them (`KNOWN_ACCOUNTS`)."""
