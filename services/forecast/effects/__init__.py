"""What did one command lead to, in every service (API-2, API-4)?

It has no read model of its own: the journal says it, and the feed whose each event is.
"""
