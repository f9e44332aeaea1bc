"""The languages that texts for people ship in: one catalogue of messages each, and which of them somebody prefers."""
