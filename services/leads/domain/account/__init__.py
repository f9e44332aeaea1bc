"""Accounts: the record of a company (ACCT-1), its contacts, and how their history comes in.

Importing this folder registers every handler on the aggregate.
"""

from services.leads.domain.account import contacts, history, record
from services.leads.domain.account.state import account

__all__ = ["account", "contacts", "history", "record"]
