"""Proof that nothing was lost, doubled or altered between stores, topics, journals and views (DATA-3)."""
