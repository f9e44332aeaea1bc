"""Leads, accounts and the sales organisation."""
