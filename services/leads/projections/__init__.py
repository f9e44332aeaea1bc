"""Lists of leads, accounts, contacts, teams and members, and look-ups for the service's handlers."""
