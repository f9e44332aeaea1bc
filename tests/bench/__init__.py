"""The bench: what one command costs, beside the same command on the `eventsourcing` library (`make bench`)."""
