"""Approvals of the service as one family: what of deals and of their quotes is decided by somebody else (CON-2)."""

from shared.domain.approval.family import approvals
from shared.domain.roles import READING

APPROVALS = approvals("deal", "deals", readers=READING)
"""Empty here: each kind of thing registers itself, because deals import quotes and both need this family."""
