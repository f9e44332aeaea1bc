"""How is every question asked: when, as known when, about whose deals, by whom, and in what form is it answered?

What all subjects share, and knows none of them: bitemporal parameters (`as_of`, `known_at`), row-level scope, calendar
periods, keyset pages, amounts and shares.
"""
