"""Approval chains: who has to approve something, who still has to, and what becomes of it (CON-2)."""
