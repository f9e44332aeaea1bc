"""Bringing history in: dated facts, CSV exports that are mapped to them, and the road from there to the services."""
