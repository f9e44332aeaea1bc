"""Who works with receivables."""

from shared.domain.roles import Reach, Role, permission

FINANCE_DESK = permission({Role.FINANCE: Reach.ALL})
"""Those who write invoices and book receipts."""
