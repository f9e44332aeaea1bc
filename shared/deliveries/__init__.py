"""Delivery: what follows from our events for receivers outside, at least once, in the order of each receiver."""
