"""The decider: aggregates, roles and rules without clock, randomness or input and output."""
