"""Quotes: what a customer is offered, version by version, until one is accepted (DEAL-8)."""
