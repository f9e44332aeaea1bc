"""Accounts: the record of a company (ACCT-1), its contacts and follow-up, and how their history comes in.

Importing this folder registers every handler on the aggregate.
"""

from services.leads.domain.account import contacts, following_up, history, record
from services.leads.domain.account.state import account

__all__ = ["account", "contacts", "following_up", "history", "record"]
