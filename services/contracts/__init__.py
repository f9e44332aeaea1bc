"""Contracts: from the draft to the one in force."""
