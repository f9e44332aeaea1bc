"""PostgreSQL: appending, loading, ordered reading, claims, idempotency, timers, personal data, migrations."""
