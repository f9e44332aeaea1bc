"""The directory: the people, teams and accounts that every service knows, and references to them."""
