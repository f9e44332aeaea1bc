"""Kafka: the outbox relay from the log to the topics, records and their chain, and the inbox of each service."""
