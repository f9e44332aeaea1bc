"""The rules of leads, accounts and the organisation: pure."""
