"""A contract: drafted, approved by somebody else, signed by both sides, in force.

Every module holds one capability: its commands, how they are decided, and how its events change the contract.
"""

from services.contracts.domain.contract import approval, drafting, history, quoted, reopening, signing
from services.contracts.domain.contract.state import contract

__all__ = ["approval", "contract", "drafting", "history", "quoted", "reopening", "signing"]
