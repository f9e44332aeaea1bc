"""Targets over HTTP, by what is asked: what is reached, how many it takes, and what could be wanted (PROC-4)."""
