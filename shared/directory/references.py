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

CONTACTS = Listed(
    thing="contact",
    projection=KNOWN_ACCOUNTS.name,
    rows="""
    select c.id, a.owner, a.team, c.account_id
      from {known_accounts}.contact c join {known_accounts}.account a on a.id = c.account_id where c.id = any($1)
""",
)
"""Contacts, for the same services, with whose their account is. What names one says which it may be: of a thing that is
with an account those of that one, also where whoever asks does not see it."""
