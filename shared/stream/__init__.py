"""Kafka: the relay from the log to the topics, records and their chain, and the journal of what others publish."""
