"""Reactions: events that lead to commands, and what is told of their outcome."""
