"""Clients that others' generators make of the published document: they compile, and read a deal of a real stack."""
