"""Proof that nothing was lost, doubled or altered between stores, topics, journals and projections (DATA-3)."""
