"""What every process needs to be operated: settings, clock, ids, logs, metrics, health, lag, bulkheads."""
